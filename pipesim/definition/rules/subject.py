"""What the rules look at: a declaration with every part's path at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipesim.definition.model import Action, Condition, Pipeline, Rule, Stage
from pipesim.definition.paths import join
from pipesim.vocabulary import ActionCategory

BEFORE_ENTRY, ON_SUCCESS, ON_FAILURE = "beforeEntry", "onSuccess", "onFailure"


@dataclass(frozen=True, slots=True)
class PlacedStage:
    """A stage and where it stands."""

    path: str
    index: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class PlacedAction:
    """An action, its stage, and where it stands."""

    path: str
    stage_index: int
    stage: Stage
    action: Action

    @property
    def is_source(self) -> bool:
        """Whether this is a source action."""
        return self.action.category == ActionCategory.SOURCE

    @property
    def order(self) -> tuple[int, int]:
        """When the action's group runs: by stage, then by run order."""
        return self.stage_index, self.action.run_order


@dataclass(frozen=True, slots=True)
class PlacedCondition:
    """A condition, its gate and stage, and where it stands."""

    path: str
    gate: str
    stage_index: int
    stage: Stage
    condition: Condition


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule of a condition and where it stands."""

    path: str
    of: PlacedCondition
    rule: Rule

    @property
    def order(self) -> tuple[int, int]:
        """What is known when the rule runs: nothing of its own stage at entry, all of it afterwards."""
        return (self.of.stage_index, 0) if self.of.gate == BEFORE_ENTRY else (self.of.stage_index, 10**6)


@dataclass(frozen=True, slots=True)
class Subject:
    """A declaration under examination.

    Attributes:
        pipeline: the declaration.
        region: the pipeline's own region, or None when nothing says so.
        stages, actions, conditions, rules: all of them with their places, in the order of the document.
        namespaces: the first action of every namespace.
        producers: the first action that makes each artifact.
    """

    pipeline: Pipeline
    region: str | None = None
    stages: tuple[PlacedStage, ...] = field(init=False)
    actions: tuple[PlacedAction, ...] = field(init=False)
    conditions: tuple[PlacedCondition, ...] = field(init=False)
    rules: tuple[PlacedRule, ...] = field(init=False)
    namespaces: Mapping[str, PlacedAction] = field(init=False)
    producers: Mapping[str, PlacedAction] = field(init=False)

    def __post_init__(self) -> None:
        stages = tuple(
            PlacedStage(join("stages", index), index, stage) for index, stage in enumerate(self.pipeline.stages)
        )
        actions = tuple(
            PlacedAction(join(placed.path, "actions", index), placed.index, placed.stage, action)
            for placed in stages
            for index, action in enumerate(placed.stage.actions)
        )
        conditions = tuple(found for placed in stages for found in _conditions(placed))
        rules = tuple(
            PlacedRule(join(placed.path, "rules", index), placed, rule)
            for placed in conditions
            for index, rule in enumerate(placed.condition.rules)
        )
        object.__setattr__(self, "stages", stages)
        object.__setattr__(self, "actions", actions)
        object.__setattr__(self, "conditions", conditions)
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "namespaces", _first(_namespaces(actions)))
        object.__setattr__(self, "producers", _first(_outputs(actions)))
        if self.region is None:
            object.__setattr__(self, "region", _own_region(actions))


def _namespaces(actions: tuple[PlacedAction, ...]) -> Iterator[tuple[str, PlacedAction]]:
    for placed in actions:
        if placed.action.namespace is not None:
            yield placed.action.namespace, placed


def _outputs(actions: tuple[PlacedAction, ...]) -> Iterator[tuple[str, PlacedAction]]:
    for placed in actions:
        for artifact in placed.action.output_artifacts:
            yield artifact.name, placed


def _first(pairs: Iterator[tuple[str, PlacedAction]]) -> dict[str, PlacedAction]:
    found: dict[str, PlacedAction] = {}
    for name, placed in pairs:
        found.setdefault(name, placed)
    return found


def _conditions(placed: PlacedStage) -> Iterator[PlacedCondition]:
    stage = placed.stage
    gates = (
        (ON_FAILURE, stage.on_failure.conditions if stage.on_failure is not None else ()),
        (ON_SUCCESS, stage.on_success),
        (BEFORE_ENTRY, stage.before_entry),
    )
    for gate, conditions in gates:
        for index, condition in enumerate(conditions):
            path = join(placed.path, gate, "conditions", index)
            yield PlacedCondition(path, gate, placed.index, stage, condition)


def _own_region(actions: tuple[PlacedAction, ...]) -> str | None:
    """Source actions cannot be in another region, so their region is the pipeline's."""
    return next((placed.action.region for placed in actions if placed.is_source and placed.action.region), None)
