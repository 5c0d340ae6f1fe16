"""A declaration made ready to run: each action with all that is assumed of it, looked up once."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, RuleAssumption
from pipesim.assumptions.resolve import Resolved, resolve
from pipesim.assumptions.streams import Stream, Streams
from pipesim.catalog.action_types import find_action_type
from pipesim.catalog.limits import APPROVAL_TIMEOUT, CUSTOM_ACTION_TIMEOUT
from pipesim.catalog.rule_types import find_rule_type
from pipesim.definition.model import Action, Pipeline, Rule, Stage
from pipesim.definition.variables import references_of
from pipesim.engine.behaviours import Behaviour, behaviour_of
from pipesim.engine.outcome import SUCCEEDED, Outcome
from pipesim.vocabulary import ActionCategory


@dataclass(slots=True, eq=False)
class ActionPlan:
    """One action, ready to run.

    Attributes:
        key: ``Stage/Action``.
        luck: by which its streams are called: the key, or that of where it was moved from.
        duration: the stream of its durations.
        failing_duration: the stream of the durations of failing attempts, where they differ.
        odds: the stream that decides about failure (or rejection); None when it never fails by chance.
        response: the stream of an approver's response times.
        timeout: seconds after which it fails.
        documented_variables: the output variables that its provider emits.
        success: what it hands back when it succeeds; None: nothing but success.
        has_references: whether its configuration holds ``#{…}``.
    """

    stage: str
    action: Action
    key: str
    assumption: ActionAssumption
    behaviour: Behaviour
    duration: Stream
    failing_duration: Stream | None
    odds: Stream | None
    pool: str
    timeout: float
    approver: Approver | None = None
    response: Stream | None = None
    documented_variables: tuple[str, ...] = ()
    success: Outcome | None = None
    has_references: bool = False
    luck: str = ""


@dataclass(slots=True, eq=False)
class RulePlan:
    """One rule of a stage condition, ready to run.

    Attributes:
        key: ``Stage/Rule``.
        assumption: its assumed duration and odds.
        duration: the stream of its durations.
        odds: the stream that decides about failure; None when it never fails by chance.
        timeout: seconds after which it fails.
        judge: what judges it instead of the engine's own way; None: nothing.
    """

    rule: Rule
    key: str
    assumption: RuleAssumption
    duration: Stream
    odds: Stream | None
    timeout: float
    judge: Any = None


@dataclass(slots=True, eq=False)
class StagePlan:
    """One stage, ready to run; its rules by name."""

    index: int
    stage: Stage
    groups: tuple[tuple[ActionPlan, ...], ...]
    rules: Mapping[str, RulePlan]


@dataclass(slots=True, eq=False)
class Plan:
    """One version of a declaration, ready to run."""

    pipeline: Pipeline
    version: int
    stages: tuple[StagePlan, ...]

    def stage(self, name: str) -> StagePlan | None:
        """Return the stage of this name, or None."""
        return next((plan for plan in self.stages if plan.stage.name == name), None)


def make_plan(
    pipeline: Pipeline,
    assumptions: Assumptions,
    streams: Streams,
    behaviours: Mapping[str, Behaviour],
    pools: Container[str],
    *,
    strict: bool = True,
) -> Plan:
    """Look everything up that the engine needs of a declaration.

    Args:
        pipeline: the declaration.
        assumptions: what is assumed of it.
        streams: the simulation's luck.
        behaviours: behaviours that replace the ordinary ones, by ``Category/Provider``.
        pools: the names of the pools that there are.
        strict: refuse assumptions about actions that the declaration does not have.

    Raises:
        AssumptionError: an assumption names an action that the declaration does not have.
    """
    resolved = resolve(pipeline, assumptions, strict=strict)
    wanted = _wanted_variables(pipeline)
    stages = tuple(
        StagePlan(
            index,
            stage,
            tuple(
                tuple(
                    _plan_action(stage, action, resolved, streams, behaviours, pools, wanted, assumptions.luck)
                    for action in group
                )
                for group in stage.groups
            ),
            {rule.name: _plan_rule(stage, rule, resolved, streams, behaviours) for rule in stage.rules},
        )
        for index, stage in enumerate(pipeline.stages)
    )
    return Plan(pipeline, pipeline.version, stages)


def _plan_action(
    stage: Stage,
    action: Action,
    resolved: Resolved,
    streams: Streams,
    behaviours: Mapping[str, Behaviour],
    pools: Container[str],
    wanted: Mapping[str, tuple[str, ...]],
    lucks: Mapping[str, str],
) -> ActionPlan:
    key = f"{stage.name}/{action.name}"
    luck = lucks.get(key, key)
    assumption = resolved.action(stage.name, action.name)
    action_type = find_action_type(action.type.category, action.type.owner, action.type.provider, action.type.version)
    approver = resolved.approver(stage.name, action.name) if action.is_approval else None
    odds = approver.rejects if approver is not None else assumption.fails
    documented = action_type.output_variables if action_type is not None else ()
    assert assumption.duration is not None
    return ActionPlan(
        stage=stage.name,
        action=action,
        key=key,
        assumption=assumption,
        behaviour=behaviours.get(f"{action.category}/{action.provider}")
        or behaviour_of(action, pooled=assumption.pool in pools),
        duration=streams.stream(f"duration {luck}", assumption.duration),
        failing_duration=None
        if assumption.fails_after is None
        else streams.stream(f"fails after {luck}", assumption.fails_after),
        odds=streams.odds(f"fails {luck}") if odds > 0 else None,
        pool=assumption.pool or "",
        timeout=_timeout(action, action_type.timeout if action_type is not None else CUSTOM_ACTION_TIMEOUT),
        approver=approver,
        response=None
        if approver is None or approver.response is None
        else streams.stream(f"response {luck}", approver.response),
        documented_variables=documented,
        success=_success(
            action, assumption, documented or action.output_variables or wanted.get(action.namespace or "", ())
        ),
        has_references=any("#{" in text for text in action.configuration.values()),
        luck=luck,
    )


def _plan_rule(
    stage: Stage, rule: Rule, resolved: Resolved, streams: Streams, behaviours: Mapping[str, Any]
) -> RulePlan:
    key = f"{stage.name}/{rule.name}"
    assumption = resolved.rule(stage.name, rule.name)
    assert assumption.duration is not None
    return RulePlan(
        rule=rule,
        key=key,
        assumption=assumption,
        duration=streams.stream(f"duration of rule {key}", assumption.duration),
        odds=streams.odds(f"rule {key} fails") if assumption.fails > 0 else None,
        timeout=_rule_timeout(rule),
        judge=behaviours.get(f"Rule/{rule.type.provider}"),
    )


def _rule_timeout(rule: Rule) -> float:
    """The rule's own limit, else its type's, else as long as an approval may wait (an assumption)."""
    if rule.timeout_in_minutes is not None:
        return rule.timeout_in_minutes * 60.0
    rule_type = find_rule_type(rule.type.provider)
    return APPROVAL_TIMEOUT if rule_type is None or rule_type.timeout is None else rule_type.timeout


def _timeout(action: Action, limit: float) -> float:
    if action.is_approval:
        return APPROVAL_TIMEOUT if action.timeout_in_minutes is None else action.timeout_in_minutes * 60.0
    return limit


def _success(action: Action, assumption: ActionAssumption, emitted: tuple[str, ...]) -> Outcome:
    """What a successful attempt hands back: the variables that are assumed, else those that are documented.

    An action whose variables nobody documents (a CodeBuild project's exported variables) is assumed to
    export every variable that the declaration reads from its namespace.
    """
    if action.category == ActionCategory.SOURCE:
        return SUCCEEDED
    variables = assumption.variables or {name: f"{action.name}.{name}" for name in emitted}
    return Outcome(variables=variables) if variables else SUCCEEDED


def _wanted_variables(pipeline: Pipeline) -> dict[str, tuple[str, ...]]:
    """The keys that the declaration reads from each namespace."""
    users: list[Action | Rule] = [action for _, action in pipeline.actions()]
    users += [rule for stage in pipeline.stages for rule in stage.rules]
    wanted: dict[str, dict[str, None]] = {}
    for user in users:
        for reference in references_of(user):
            wanted.setdefault(reference.namespace, {})[reference.key] = None
    return {namespace: tuple(keys) for namespace, keys in wanted.items()}
