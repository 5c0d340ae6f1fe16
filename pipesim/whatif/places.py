"""Finding what an edit speaks of, and keeping assumptions beside the actions that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from immutabledict import immutabledict

from pipesim.assumptions.faults import suggest
from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.resolve import resolve
from pipesim.definition.model import Action, Pipeline, Stage
from pipesim.errors import AssumptionError
from pipesim.whatif.scenario import Scenario

Value = TypeVar("Value")


def find_stage(pipeline: Pipeline, name: str) -> Stage:
    """Return the stage of this name; letters may be small or large.

    Raises:
        AssumptionError: there is none; the message lists what there is.
    """
    for stage in pipeline.stages:
        if stage.name.lower() == name.strip().lower():
            return stage
    raise AssumptionError(f"there is no stage {name!r}{suggest(name, (stage.name for stage in pipeline.stages))}")


def find_action(pipeline: Pipeline, key: str) -> tuple[Stage, Action]:
    """Return the action called ``Stage/Action``, or ``Action`` where only one is called so.

    Raises:
        AssumptionError: there is none, or there are several.
    """
    wanted = key.strip().lower()
    whole = [(s, a) for s, a in pipeline.actions() if f"{s.name}/{a.name}".lower() == wanted]
    found = whole or [(s, a) for s, a in pipeline.actions() if a.name.lower() == wanted]
    if len(found) == 1:
        return found[0]
    keys = [f"{s.name}/{a.name}" for s, a in (found or pipeline.actions())]
    if found:
        raise AssumptionError(f"{key!r} may be any of {', '.join(keys)}; name the stage too")
    raise AssumptionError(f"there is no action {key!r}{suggest(key, keys)}")


def find_actions(pipeline: Pipeline, key: str) -> list[tuple[Stage, Action]]:
    """Return the actions that a key speaks of: one action, all of a stage (``Stage/*``), or all (``*``).

    Raises:
        AssumptionError: there is no such stage or action.
    """
    if key.strip() == "*":
        return list(pipeline.actions())
    if key.strip().endswith("/*"):
        stage = find_stage(pipeline, key.strip()[:-2])
        return [(stage, action) for action in stage.actions]
    return [find_action(pipeline, key)]


def with_pipeline(scenario: Scenario, pipeline: Pipeline, moves: Mapping[str, str] | None = None) -> Scenario:
    """Return the scenario with another pipeline, its assumptions following the actions.

    Args:
        scenario: the scenario.
        pipeline: the changed pipeline.
        moves: new ``Stage/Action`` or ``Stage/Rule`` keys by old ones; an action that moves keeps its luck.
    """
    old, assumptions = scenario.pipeline, scenario.assumptions
    moved = moves or {}
    luck = {moved.get(key, key): own for key, own in assumptions.luck.items()}
    luck |= {new: luck.get(new, key) for key, new in moved.items() if new != key}
    changed = replace(
        assumptions,
        luck=immutabledict(luck),
        actions=_follow(assumptions.actions, moved, _action_keys(old), _action_keys(pipeline)),
        approvals=_follow(assumptions.approvals, moved, _action_keys(old), _action_keys(pipeline)),
        rules=_follow(assumptions.rules, moved, _rule_keys(old), _rule_keys(pipeline)),
    )
    used = {one.pool for one in resolve(pipeline, changed, strict=False).actions.values()}
    before = {one.pool for one in resolve(old, assumptions, strict=False).actions.values()}
    pools = {name: pool for name, pool in changed.pools.items() if name in used or name not in before}
    return replace(scenario, pipeline=pipeline, assumptions=replace(changed, pools=immutabledict(pools)))


def with_entry(table: Mapping[str, Value], key: str, value: Value) -> Mapping[str, Value]:
    """Return the table with one entry more, or another one in its place."""
    return immutabledict({**table, key: value})


def with_assumptions(scenario: Scenario, assumptions: Assumptions) -> Scenario:
    """Return the scenario with other assumptions."""
    return replace(scenario, assumptions=assumptions)


def _follow(
    table: Mapping[str, Value], moves: Mapping[str, str], before: Iterable[str], after: Iterable[str]
) -> Mapping[str, Value]:
    gone = {*before} - {*after}
    followed = {moves.get(key, key): value for key, value in table.items()}
    return immutabledict({key: value for key, value in followed.items() if key not in gone})


def _action_keys(pipeline: Pipeline) -> list[str]:
    return [key for s, a in pipeline.actions() for key in (f"{s.name}/{a.name}", a.name)]


def _rule_keys(pipeline: Pipeline) -> list[str]:
    return [key for s in pipeline.stages for r in s.rules for key in (f"{s.name}/{r.name}", r.name)]
