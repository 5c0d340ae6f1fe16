"""Rules about actions: a known type, the right configuration, the right number of artifacts."""

from __future__ import annotations

from collections.abc import Iterator

from pipesim.catalog import action_types
from pipesim.catalog.action_types import ActionType, find_action_type
from pipesim.definition.model import Action, ActionTypeId
from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean
from pipesim.definition.rules.subject import PlacedAction, Subject
from pipesim.definition.rules.table import ACTION, OBSERVED, RECORDED, Found, rule
from pipesim.vocabulary import ActionCategory, ActionOwner

CUSTOM_ARTIFACTS = (0, 5)
"""How many input and output artifacts custom actions may have (user guide page reference-action-artifacts)."""

COMMANDS = "Commands"


def type_of(action: Action) -> ActionType | None:
    """Return what the catalog knows of an action's type."""
    type_ = action.type
    return find_action_type(type_.category, type_.owner, type_.provider, type_.version)


def is_custom(type_: ActionTypeId) -> bool:
    """Whether a type is the account's own, of which nothing is known here."""
    return type_.owner == ActionOwner.CUSTOM and type_.category != ActionCategory.APPROVAL


@rule(
    "unknown-action-type",
    "Category, owner, provider and version name an action type that exists; custom types are taken on trust.",
    code=ACTION,
    wording="service",
    source=f"user guide page actions-valid-providers; {OBSERVED}",
)
def unknown_action_type(subject: Subject) -> Iterator[Found]:
    """Find actions whose type does not exist."""
    region = (subject.region or "us-east-1").upper().replace("-", "_")
    for placed in subject.actions:
        type_ = placed.action.type
        if type_of(placed.action) is None and not is_custom(type_):
            yield Found(
                join(placed.path, "actionTypeId"),
                f"ActionType (Category: '{type_.category}', Provider: '{type_.provider}', Owner: '{type_.owner}', "
                f"Version: '{type_.version}') in action '{placed.action.name}' is not available in region '{region}'",
                _likely(type_),
            )


def _likely(type_: ActionTypeId) -> str:
    """Say which type may have been meant: the same provider elsewhere, or a provider of a similar name."""
    same = [known for known in action_types.ACTION_TYPES if known.provider == type_.provider]
    if same:
        known = min(same, key=lambda other: (other.category != type_.category, other.owner != type_.owner))
        return (
            f"{known.provider} exists as category {known.category!r}, owner {known.owner!r}, version {known.version!r}"
        )
    in_category = [known.provider for known in action_types.ACTION_TYPES if known.category == type_.category]
    return (
        did_you_mean(type_.provider, in_category)
        or did_you_mean(type_.provider, [known.provider for known in action_types.ACTION_TYPES])
        or f"providers of {type_.category}: {', '.join(dict.fromkeys(in_category))}"
    )


@rule(
    "missing-configuration",
    "Every required key of the action type is configured.",
    code=ACTION,
    wording="service",
    source=RECORDED,
)
def missing_configuration(subject: Subject) -> Iterator[Found]:
    """Find required configuration keys that are absent."""
    for placed, type_ in _known(subject):
        for name in type_.required:
            if name not in placed.action.configuration:
                yield Found(
                    join(placed.path, "configuration", name),
                    f"Action configuration for action '{placed.action.name}' is missing required configuration "
                    f"'{name}'",
                    did_you_mean(name, [key for key in placed.action.configuration if key not in type_.required]),
                )


@rule(
    "unknown-configuration",
    "Only keys of the action type are configured.",
    code=ACTION,
    wording="service",
    source=RECORDED,
)
def unknown_configuration(subject: Subject) -> Iterator[Found]:
    """Find configuration keys that the action type does not have."""
    for placed, type_ in _known(subject):
        known = (*type_.required, *type_.optional)
        if not type_.keys_known:
            continue
        for key in placed.action.configuration:
            if key not in known and not _misspelt(key, placed, type_):
                yield Found(
                    join(placed.path, "configuration", key),
                    f"Action configuration for action '{placed.action.name}' contains unknown configuration '{key}'",
                    did_you_mean(key, known) or f"known keys: {', '.join(known) or 'none'}",
                )


def _misspelt(key: str, placed: PlacedAction, type_: ActionType) -> bool:
    """Whether the key is already the hint of a missing required key."""
    missing = [name for name in type_.required if name not in placed.action.configuration]
    return any(did_you_mean(name, [key]) for name in missing)


@rule(
    "too-few-artifacts",
    "An action has as many artifacts as its type needs.",
    code=ACTION,
    wording="service",
    source=f"user guide page reference-action-artifacts; {OBSERVED}",
)
def too_few_artifacts(subject: Subject) -> Iterator[Found]:
    """Find actions with too few input or output artifacts."""
    for placed, member, kind, count, least, _ in _counts(subject):
        if count < least:
            yield Found(
                join(placed.path, member),
                f"Action {placed.action.name} declares {count} {kind} artifacts "
                f"which is less than the minimum count ({least})",
                f"{placed.action.provider} needs {least} at least",
            )


@rule(
    "too-many-artifacts",
    "An action has no more artifacts than its type allows.",
    code=ACTION,
    wording="ours",
    source="user guide page reference-action-artifacts",
)
def too_many_artifacts(subject: Subject) -> Iterator[Found]:
    """Find actions with too many input or output artifacts."""
    for placed, member, kind, count, _, most in _counts(subject):
        if count > most:
            yield Found(
                join(placed.path, member),
                f"Action {placed.action.name} declares {count} {kind} artifacts "
                f"which is more than the maximum count ({most})",
                f"{placed.action.provider} takes {most} at most" if kind == "input" else "",
            )


def _known(subject: Subject) -> Iterator[tuple[PlacedAction, ActionType]]:
    for placed in subject.actions:
        type_ = type_of(placed.action)
        if type_ is not None and type_.owner != ActionOwner.CUSTOM:
            yield placed, type_


def _counts(subject: Subject) -> Iterator[tuple[PlacedAction, str, str, int, int, int]]:
    """Yield placed action, member, kind, count, least and most for both kinds of artifacts of every known type."""
    for placed in subject.actions:
        type_ = type_of(placed.action)
        if type_ is None and not is_custom(placed.action.type):
            continue
        inputs, outputs = (type_.inputs, type_.outputs) if type_ is not None else (CUSTOM_ARTIFACTS, CUSTOM_ARTIFACTS)
        yield placed, "inputArtifacts", "input", len(placed.action.input_artifacts), *inputs
        yield placed, "outputArtifacts", "output", len(placed.action.output_artifacts), *outputs
