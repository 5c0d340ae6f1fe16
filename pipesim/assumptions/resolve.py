"""Bring assumptions and a pipeline together: one answer for every action, approval and rule.

Which key wins, most particular first:

- of an action: ``"Stage/Action"``, ``"Action"``, ``"Category/Provider"``; the first that is there is used whole,
- of an approval: ``"Stage/Action"``, ``"Action"``, ``"*"``,
- of a rule: ``"Stage/Rule"``, ``"Rule"``, the provider's name.

What no key says comes from the catalog; what the catalog does not know, such as an action type of one's own,
gets `UNKNOWN_DURATION`; an approval that nobody spoke of is answered by `DEFAULT_APPROVER`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from immutabledict import immutabledict

from pipesim.assumptions.distributions import Constant, Distribution, LogNormal
from pipesim.assumptions.faults import AssumptionFault, suggest
from pipesim.assumptions.model import DEFAULT_APPROVER, ActionAssumption, Approver, Assumptions, RuleAssumption
from pipesim.catalog.action_types import ACTION_TYPES, find_action_type
from pipesim.catalog.rule_types import RULE_TYPES, find_rule_type
from pipesim.definition.model import Action, Pipeline, Rule, Stage

UNKNOWN_DURATION = LogNormal(median=300.0, p95=900.0)
"""Assumed of action types that the catalog does not know: median 5 minutes, 95 of 100 within 15."""

Kind = TypeVar("Kind")


class _Assumed(Protocol):
    @property
    def median(self) -> float: ...

    @property
    def p95(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Resolved:
    """What is assumed of every part of one pipeline; nothing is left open.

    Attributes:
        assumptions: what it was made from.
        actions: by stage and action name; `duration` and `pool` are filled in ("" is no pool), while `fails_after`
            stays None for "as long as a good attempt".
        approvers: by stage and action name, approvals only.
        rules: by stage and rule name; `duration` is filled in.
    """

    assumptions: Assumptions
    actions: Mapping[tuple[str, str], ActionAssumption]
    approvers: Mapping[tuple[str, str], Approver]
    rules: Mapping[tuple[str, str], RuleAssumption]

    def action(self, stage: str, action: str) -> ActionAssumption:
        """Return what is assumed of this action; KeyError when the pipeline has no such action."""
        return self.actions[stage, action]

    def approver(self, stage: str, action: str) -> Approver:
        """Return who answers this approval; KeyError when the pipeline has no such approval."""
        return self.approvers[stage, action]

    def rule(self, stage: str, rule: str) -> RuleAssumption:
        """Return what is assumed of this rule; KeyError when the stage has no such rule."""
        return self.rules[stage, rule]


def resolve(pipeline: Pipeline, assumptions: Assumptions | None = None, *, strict: bool = True) -> Resolved:
    """Answer every question that a simulation of this pipeline will ask.

    Arguments:
        pipeline: the declaration.
        assumptions: what is assumed; None: nothing beyond the catalog.
        strict: whether a key that matches nothing is an error; switch it off after an update of the pipeline,
            when assumptions may speak of what is gone.

    Raises:
        AssumptionError: for a key that matches nothing in this pipeline and is no action or rule type of the catalog
            either (one profile may serve several pipelines), for a duration given to an approval,
            and for a pool that no action uses.
    """
    assumptions = assumptions or Assumptions()
    parts = list(pipeline.actions())
    rules = [(stage, rule) for stage in pipeline.stages for rule in stage.rules]
    resolved = Resolved(
        assumptions,
        immutabledict({(s.name, a.name): _action(s, a, assumptions) for s, a in parts}),
        immutabledict({(s.name, a.name): _approver(s, a, assumptions) for s, a in parts if a.is_approval}),
        immutabledict({(s.name, r.name): _rule(s, r, assumptions) for s, r in rules}),
    )
    if strict:
        _refuse_strange_actions(parts, assumptions)
        _refuse_strange_approvals(parts, assumptions)
        rule_keys = [key for stage, rule in rules for key in _rule_keys(stage, rule)]
        _refuse_strangers("rules", assumptions.rules, rule_keys, (t.provider for t in RULE_TYPES))
        used = (assumption.pool for assumption in resolved.actions.values())
        known = (action_type.pool for action_type in ACTION_TYPES)
        _refuse_strangers("pools", assumptions.pools, filter(None, used), filter(None, known))
    return resolved


def _action_keys(stage: Stage, action: Action) -> tuple[str, ...]:
    return f"{stage.name}/{action.name}", action.name, f"{action.category}/{action.provider}"


def _rule_keys(stage: Stage, rule: Rule) -> tuple[str, ...]:
    return f"{stage.name}/{rule.name}", rule.name, rule.type.provider


def _first(table: Mapping[str, Kind], keys: Iterable[str], default: Kind) -> Kind:
    return next((table[key] for key in keys if key in table), default)


def _action(stage: Stage, action: Action, assumptions: Assumptions) -> ActionAssumption:
    found = _first(assumptions.actions, _action_keys(stage, action), ActionAssumption())
    kind = find_action_type(action.category, action.type.owner, action.provider, action.type.version)
    return replace(
        found,
        duration=found.duration or (_distribution(kind.duration) if kind else UNKNOWN_DURATION),
        pool=found.pool if found.pool is not None else (kind.pool if kind else None) or "",
    )


def _approver(stage: Stage, action: Action, assumptions: Assumptions) -> Approver:
    return _first(assumptions.approvals, (*_action_keys(stage, action)[:2], "*"), DEFAULT_APPROVER)


def _rule(stage: Stage, rule: Rule, assumptions: Assumptions) -> RuleAssumption:
    found = _first(assumptions.rules, _rule_keys(stage, rule), RuleAssumption())
    kind = find_rule_type(rule.type.provider)
    return replace(found, duration=found.duration or (_distribution(kind.duration) if kind else UNKNOWN_DURATION))


def _distribution(assumed: _Assumed) -> Distribution:
    if assumed.median <= 0 or assumed.p95 <= assumed.median:
        return Constant(max(assumed.median, 0.0))
    return LogNormal(median=assumed.median, p95=assumed.p95)


def _refuse_strange_actions(parts: list[tuple[Stage, Action]], assumptions: Assumptions) -> None:
    keys = [key for stage, action in parts for key in _action_keys(stage, action)]
    types = (f"{kind.category}/{kind.provider}" for kind in ACTION_TYPES)
    _refuse_strangers("actions", assumptions.actions, keys, types)
    working = {key for stage, action in parts if not action.is_approval for key in _action_keys(stage, action)}
    approvals = {key for stage, action in parts if action.is_approval for key in _action_keys(stage, action)}
    for key, assumption in assumptions.actions.items():
        if key in approvals - working and (assumption.duration or assumption.fails or assumption.fails_on):
            raise AssumptionFault(
                ("actions", key), "is an approval; say how it is answered in approvals, with response and rejects"
            )


def _refuse_strange_approvals(parts: list[tuple[Stage, Action]], assumptions: Assumptions) -> None:
    keys = {key for stage, action in parts if action.is_approval for key in _action_keys(stage, action)[:2]}
    others = {key for stage, action in parts if not action.is_approval for key in _action_keys(stage, action)[:2]}
    for key in assumptions.approvals:
        if key in others - keys:
            raise AssumptionFault(("approvals", key), "is not an approval; say how long it takes in actions")
    _refuse_strangers("approvals", assumptions.approvals, keys, ("*",))


def _refuse_strangers(member: str, table: Mapping[str, object], own: Iterable[str], known: Iterable[str]) -> None:
    here = list(dict.fromkeys(own))
    allowed = {*here, *known}
    for key in table:
        if key not in allowed:
            raise AssumptionFault((member, key), f"matches nothing in this pipeline{suggest(key, here or allowed)}")
