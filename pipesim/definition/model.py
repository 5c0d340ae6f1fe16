"""The pipeline declaration as frozen dataclasses: what AWS knows of a pipeline.

Names are snake_case of the API's camelCase; values stay verbatim text, so that a
declaration that breaks a rule can still be held, drawn and explained
(`pipesim.check` says what is wrong with it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from immutabledict import immutabledict

from pipesim.catalog.action_types import find_action_type
from pipesim.vocabulary import ActionCategory, ExecutionMode, PipelineType

EMPTY: Mapping[str, Any] = immutabledict()


@dataclass(frozen=True, slots=True)
class ActionTypeId:
    """Which integration an action uses."""

    category: str
    owner: str
    provider: str
    version: str = "1"

    @property
    def v2_only(self) -> bool:
        """Whether the catalog says that only V2 pipelines may use this type."""
        known = find_action_type(self.category, self.owner, self.provider, self.version)
        return known is not None and known.v2_only


@dataclass(frozen=True, slots=True)
class RuleTypeId:
    """Which rule a condition uses."""

    provider: str
    category: str = "Rule"
    owner: str = "AWS"
    version: str = "1"


@dataclass(frozen=True, slots=True)
class OutputArtifact:
    """An artifact that an action produces; `files` only for Commands actions."""

    name: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """An environment variable of a Commands action."""

    name: str
    value: str
    type: str = "PLAINTEXT"


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a stage."""

    name: str
    type: ActionTypeId
    run_order: int = 1
    configuration: Mapping[str, str] = field(default_factory=immutabledict)
    input_artifacts: tuple[str, ...] = ()
    output_artifacts: tuple[OutputArtifact, ...] = ()
    namespace: str | None = None
    role_arn: str | None = None
    region: str | None = None
    timeout_in_minutes: int | None = None
    commands: tuple[str, ...] = ()
    output_variables: tuple[str, ...] = ()
    environment_variables: tuple[EnvironmentVariable, ...] = ()

    @property
    def provider(self) -> str:
        """The provider, such as ``CodeBuild``."""
        return self.type.provider

    @property
    def category(self) -> str:
        """The category, such as ``Build``."""
        return self.type.category

    @property
    def is_approval(self) -> bool:
        """Whether a person must answer before the pipeline goes on."""
        return self.type.category == ActionCategory.APPROVAL


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a stage condition."""

    name: str
    type: RuleTypeId
    configuration: Mapping[str, str] = field(default_factory=immutabledict)
    commands: tuple[str, ...] = ()
    input_artifacts: tuple[str, ...] = ()
    role_arn: str | None = None
    region: str | None = None
    timeout_in_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Rules at a gate of a stage, and what happens when they are not met."""

    rules: tuple[Rule, ...] = ()
    result: str | None = None


@dataclass(frozen=True, slots=True)
class OnFailure:
    """What a stage does when it fails: a plain result, or conditions."""

    result: str | None = None
    retry_mode: str | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocker:
    """A stage blocker; reserved by AWS for its own use."""

    name: str
    type: str = "Schedule"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a pipeline."""

    name: str
    actions: tuple[Action, ...]
    before_entry: tuple[Condition, ...] = ()
    on_success: tuple[Condition, ...] = ()
    on_failure: OnFailure | None = None
    blockers: tuple[Blocker, ...] = ()

    @property
    def groups(self) -> tuple[tuple[Action, ...], ...]:
        """The action groups in the order in which they run: equal runOrder runs together."""
        ordered = sorted(self.actions, key=lambda action: action.run_order)
        return tuple(tuple(group) for _, group in groupby(ordered, key=lambda action: action.run_order))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of the stage's conditions: at entry, after success, after failure."""
        conditions = (*self.before_entry, *self.on_success, *(self.on_failure.conditions if self.on_failure else ()))
        return tuple(rule for condition in conditions for rule in condition.rules)

    def action(self, name: str) -> Action:
        """Return the action of this name; KeyError when there is none."""
        for action in self.actions:
            if action.name == name:
                return action
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """The key that encrypts artifacts."""

    id: str
    type: str = "KMS"


@dataclass(frozen=True, slots=True)
class ArtifactStore:
    """The bucket that holds a pipeline's artifacts in one region."""

    location: str
    type: str = "S3"
    encryption_key: EncryptionKey | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """A pipeline variable (V2)."""

    name: str
    default_value: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """Glob patterns that let a push through, and patterns that keep it out."""

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushFilter:
    """Which pushes start the pipeline."""

    tags: Criteria | None = None
    branches: Criteria | None = None
    file_paths: Criteria | None = None


@dataclass(frozen=True, slots=True)
class PullRequestFilter:
    """Which pull requests start the pipeline."""

    events: tuple[str, ...] = ()
    branches: Criteria | None = None
    file_paths: Criteria | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A Git trigger (V2) of one source action."""

    source_action_name: str
    push: tuple[PushFilter, ...] = ()
    pull_request: tuple[PullRequestFilter, ...] = ()
    provider_type: str = "CodeStarSourceConnection"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline declaration."""

    name: str
    role_arn: str
    stages: tuple[Stage, ...]
    artifact_store: ArtifactStore | None = None
    artifact_stores: Mapping[str, ArtifactStore] = field(default_factory=immutabledict)
    version: int = 1
    execution_mode: str = ExecutionMode.SUPERSEDED.value
    pipeline_type: str | None = None
    variables: tuple[Variable, ...] = ()
    triggers: tuple[Trigger, ...] = ()

    @property
    def effective_type(self) -> str:
        """V1 or V2; V2 when the type is absent and a V2-only member is present.

        Source: behaviour of CreatePipeline as documented by CloudFormation; see docs/fidelity.md.
        """
        if self.pipeline_type is not None:
            return self.pipeline_type
        v2 = (
            self.variables
            or self.triggers
            or self.execution_mode != ExecutionMode.SUPERSEDED
            or any(s.before_entry or s.on_success or s.on_failure for s in self.stages)
            or any(action.type.v2_only for _, action in self.actions())
        )
        return PipelineType.V2.value if v2 else PipelineType.V1.value

    def stage(self, name: str) -> Stage:
        """Return the stage of this name; KeyError when there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def actions(self) -> Iterator[tuple[Stage, Action]]:
        """Every action with its stage, in the order of the document."""
        for stage in self.stages:
            for action in stage.actions:
                yield stage, action

    def to_document(self) -> dict[str, Any]:
        """Return the declaration as the JSON structure that AWS keeps, defaults filled in."""
        from pipesim.definition.document import to_document

        return to_document(self)
