"""Rules about variables and namespaces: declared, known, made in time, not in source actions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipesim.definition.model import Action, Rule
from pipesim.definition.paths import join, split
from pipesim.definition.reading import did_you_mean
from pipesim.definition.rules.subject import Subject
from pipesim.definition.rules.table import ACTION, OBSERVED, RECORDED, STRUCTURE, Found, rule
from pipesim.definition.variables import (
    PIPELINE_NAMESPACE,
    SERVICE_KEYS,
    SERVICE_NAMESPACE,
    Reference,
    find_malformed,
    references_of,
    texts_of,
)

GUIDE = "user guide page reference-variables"
FORMAT = "Valid format for a pipeline execution variable reference is a namespace and a key separated by a period (.). "


@dataclass(frozen=True, slots=True)
class _Use:
    """A reference and who makes it."""

    path: str
    stage: str
    user: Action | Rule
    order: tuple[int, int]
    reference: Reference
    in_source: bool

    @property
    def place(self) -> str:
        """The place in the service's words."""
        return _place(self.stage, self.user, self.reference.key_path, self.reference.text)


def _place(stage: str, user: Action | Rule, key_path: str, text: str) -> str:
    kind = "Action" if isinstance(user, Action) else "Rule"
    steps = split(key_path)
    key = steps[1] if steps[0] == "configuration" else steps[0]
    return (
        f"StageName=[{stage}], {kind}Name=[{user.name}], {kind}ConfigurationKey=[{key}], VariableReferenceText=[{text}]"
    )


def _users(subject: Subject) -> Iterator[tuple[str, str, Action | Rule, tuple[int, int], bool]]:
    for placed in subject.actions:
        yield placed.path, placed.stage.name, placed.action, placed.order, placed.is_source
    for ruled in subject.rules:
        yield ruled.path, ruled.of.stage.name, ruled.rule, ruled.order, False


def _uses(subject: Subject) -> Iterator[_Use]:
    for path, stage, user, order, in_source in _users(subject):
        for reference in references_of(user):
            yield _Use(f"{path}.{reference.key_path}", stage, user, order, reference, in_source)


@rule(
    "variable-name-duplicate",
    "Names of pipeline variables are unique.",
    code=STRUCTURE,
    wording="service",
    source=RECORDED,
)
def variable_name_duplicate(subject: Subject) -> Iterator[Found]:
    """Find variables that bear the name of an earlier one."""
    seen: set[str] = set()
    for index, variable in enumerate(subject.pipeline.variables):
        if variable.name in seen:
            yield Found(
                join("variables", index, "name"),
                f"Variable names must be unique. The following variable name is already in use: {variable.name}",
            )
        seen.add(variable.name)


@rule(
    "variable-in-source-action",
    "Source actions do not use pipeline variables.",
    code=STRUCTURE,
    wording="service",
    source=RECORDED,
)
def variable_in_source_action(subject: Subject) -> Iterator[Found]:
    """Find references to pipeline variables in source actions."""
    for use in _uses(subject):
        if use.in_source and use.reference.namespace == PIPELINE_NAMESPACE and subject.pipeline.variables:
            yield Found(
                use.path,
                f"Variables at the pipeline level cannot be used in source actions.\n{use.place}",
                "write the value out; actions of later stages may use variables",
            )


@rule(
    "reference-in-source-action",
    "Source actions use no variables of other actions or of the service.",
    code=ACTION,
    wording="ours",
    source=GUIDE,
)
def reference_in_source_action(subject: Subject) -> Iterator[Found]:
    """Find references to output variables and to the execution's id in source actions."""
    for use in _uses(subject):
        known = use.reference.namespace in (SERVICE_NAMESPACE, *subject.namespaces)
        if use.in_source and known and use.reference.namespace != PIPELINE_NAMESPACE:
            yield Found(use.path, f"Variables cannot be used in source actions.\n{use.place}")


@rule(
    "undeclared-variable",
    "Every pipeline variable that is used is declared.",
    code=STRUCTURE,
    wording="service",
    source=f"{RECORDED} (only the first line of the text is known)",
    wiring=True,
)
def undeclared_variable(subject: Subject) -> Iterator[Found]:
    """Find references to pipeline variables that the pipeline does not declare."""
    declared = [variable.name for variable in subject.pipeline.variables]
    for use in _uses(subject):
        ours = use.reference.namespace == PIPELINE_NAMESPACE and declared and not use.in_source
        if ours and use.reference.key not in declared:
            yield Found(
                use.path,
                f"The referenced variables haven't been declared.\n{use.place}",
                did_you_mean(use.reference.key, declared) or f"declared are {', '.join(declared)}",
            )


@rule(
    "unknown-namespace",
    "Every namespace that is used belongs to an action.",
    code=ACTION,
    wording="service",
    source=RECORDED,
    wiring=True,
)
def unknown_namespace(subject: Subject) -> Iterator[Found]:
    """Find references to a namespace that no action has."""
    known = [*subject.namespaces, SERVICE_NAMESPACE]
    if subject.pipeline.variables:
        known.append(PIPELINE_NAMESPACE)
    for use in _uses(subject):
        if use.reference.namespace not in known:
            hint = did_you_mean(use.reference.namespace, known) or f"namespaces here: {', '.join(known)}"
            if use.reference.namespace == PIPELINE_NAMESPACE:
                hint = "declare the variable in the pipeline's own 'variables'"
            yield Found(
                use.path,
                f"{FORMAT}The following pipeline execution variables are referencing a namespace that does not "
                f"exist.\n{use.place}",
                hint,
            )


@rule(
    "namespace-not-earlier",
    "Whoever makes a variable runs before whoever uses it: in an earlier stage or with a lower run order.",
    code=ACTION,
    wording="ours",
    source=GUIDE,
    wiring=True,
)
def namespace_not_earlier(subject: Subject) -> Iterator[Found]:
    """Find references to output variables of actions that do not surely run before."""
    for use in _uses(subject):
        producer = subject.namespaces.get(use.reference.namespace)
        reserved = use.reference.namespace in (SERVICE_NAMESPACE, PIPELINE_NAMESPACE)
        if producer is None or reserved or use.in_source or producer.order < use.order:
            continue
        together = producer.order == use.order
        yield Found(
            use.path,
            f"The following variables are referencing an action that does not run before.\n{use.place}",
            f"action '{producer.action.name}' of stage '{producer.stage.name}' runs "
            + ("at the same time; give the user a higher runOrder" if together else "later"),
        )


@rule(
    "unknown-service-variable",
    "The service's own namespace has one key, PipelineExecutionId.",
    code=ACTION,
    wording="ours",
    source=GUIDE,
)
def unknown_service_variable(subject: Subject) -> Iterator[Found]:
    """Find references to keys that the service does not provide."""
    for use in _uses(subject):
        ours = use.reference.namespace == SERVICE_NAMESPACE and not use.in_source
        if ours and use.reference.key not in SERVICE_KEYS:
            yield Found(
                use.path,
                f"The namespace '{SERVICE_NAMESPACE}' has no such key.\n{use.place}",
                f"its only key is {', '.join(SERVICE_KEYS)}",
            )


@rule(
    "malformed-reference",
    "A reference is a namespace and a key with a period between them.",
    code=ACTION,
    wording="ours",
    source=GUIDE,
)
def malformed_reference(subject: Subject) -> Iterator[Found]:
    """Find configuration values with ``#{…}`` that is no reference."""
    for path, stage, user, _, _ in _users(subject):
        for key_path, text in texts_of(user):
            if not key_path.startswith("configuration"):
                continue
            for inner in find_malformed(text):
                yield Found(
                    f"{path}.{key_path}",
                    f"{FORMAT.strip()}\n{_place(stage, user, key_path, inner)}",
                    "write #{NAMESPACE.KEY}",
                )


@rule(
    "namespace-duplicate",
    "Every namespace belongs to one action.",
    code=ACTION,
    wording="service",
    source=f"{GUIDE}; {OBSERVED}",
)
def namespace_duplicate(subject: Subject) -> Iterator[Found]:
    """Find actions whose namespace an earlier action has."""
    for placed in subject.actions:
        namespace = placed.action.namespace
        if namespace is not None and subject.namespaces[namespace].path != placed.path:
            yield Found(
                join(placed.path, "namespace"),
                "Namespaces must be unique across the pipeline definition. The following occur more than once in the "
                f"pipeline.\nStageName=[{placed.stage.name}], ActionName=[{placed.action.name}], "
                f"Namespace=[{namespace}]",
                f"first used at {subject.namespaces[namespace].path}",
            )


@rule(
    "namespace-of-pipeline-variables",
    "The namespace 'variables' is reserved once the pipeline declares variables.",
    code=STRUCTURE,
    wording="service",
    source=RECORDED,
)
def namespace_of_pipeline_variables(subject: Subject) -> Iterator[Found]:
    """Find actions with the namespace of the pipeline's variables."""
    for placed in subject.actions:
        if placed.action.namespace == PIPELINE_NAMESPACE and subject.pipeline.variables:
            yield Found(
                join(placed.path, "namespace"),
                "One or more of the chosen namespaces is reserved. Note that there is a namespace for variables at the "
                "pipeline level.\n",
                "choose another namespace",
            )


@rule(
    "namespace-of-service",
    "The namespace 'codepipeline' is reserved.",
    code=ACTION,
    wording="ours",
    source=GUIDE,
)
def namespace_of_service(subject: Subject) -> Iterator[Found]:
    """Find actions with the namespace of the service."""
    for placed in subject.actions:
        if placed.action.namespace == SERVICE_NAMESPACE:
            yield Found(
                join(placed.path, "namespace"),
                f"One or more of the chosen namespaces is reserved: {SERVICE_NAMESPACE}.",
                "choose another namespace",
            )


@rule(
    "namespace-equals-artifact",
    "A namespace is not the name of an output artifact.",
    code=ACTION,
    wording="ours",
    source=GUIDE,
)
def namespace_equals_artifact(subject: Subject) -> Iterator[Found]:
    """Find namespaces that are the name of an artifact."""
    for placed in subject.actions:
        if placed.action.namespace in subject.producers:
            yield Found(
                join(placed.path, "namespace"),
                f"The namespace '{placed.action.namespace}' is the name of an output artifact.",
                "choose another namespace",
            )
