"""Edits of the pipeline itself: what runs, in what order, in which stage, in which mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipesim.assumptions.distributions import Distribution
from pipesim.assumptions.faults import suggest
from pipesim.assumptions.model import ActionAssumption
from pipesim.assumptions.units import format_duration
from pipesim.definition.edit import replace_stage, with_mode, without_action, without_stage
from pipesim.definition.model import Action, ActionTypeId, OnFailure, Pipeline, Stage
from pipesim.definition.variables import references_of
from pipesim.errors import AssumptionError
from pipesim.vocabulary import ExecutionMode, PipelineType, StageRetryMode
from pipesim.whatif.places import find_action, find_stage, with_entry, with_pipeline
from pipesim.whatif.scenario import Edit, Scenario
from pipesim.whatif.timing import as_distribution


def execution_mode(mode: str) -> Edit:
    """Return the edit that sets the execution mode: SUPERSEDED, QUEUED or PARALLEL.

    Raises:
        AssumptionError: there is no such mode.
    """
    wanted = mode.strip().upper()
    if wanted not in list(ExecutionMode):
        raise AssumptionError(f"there is no execution mode {mode!r}{suggest(wanted, list(ExecutionMode))}")
    return Edit(f"mode {wanted}", lambda one: with_pipeline(one, with_mode(one.pipeline, wanted)))


def parallelise(stage: str) -> Edit:
    """Return the edit that lets the actions of a stage run together.

    Whoever needs another's artifact or variable still runs after it, and approvals stay where they are:
    what comes before one is done before it, and what comes after it waits for the answer.
    """

    def apply(scenario: Scenario) -> Scenario:
        old = find_stage(scenario.pipeline, stage)
        return with_pipeline(scenario, replace_stage(scenario.pipeline, old.name, _side_by_side(old)))

    return Edit(f"parallelise {stage}", apply)


def serialise(stage: str) -> Edit:
    """Return the edit that lets the actions of a stage run one after another, in their present order."""

    def apply(scenario: Scenario) -> Scenario:
        old = find_stage(scenario.pipeline, stage)
        ordered = [action for group in old.groups for action in group]
        actions = tuple(replace(action, run_order=place) for place, action in enumerate(ordered, 1))
        return with_pipeline(scenario, replace_stage(scenario.pipeline, old.name, replace(old, actions=actions)))

    return Edit(f"serialise {stage}", apply)


def split_stage(stage: str, after: str, name: str | None = None) -> Edit:
    """Return the edit that makes two stages of one.

    Args:
        stage: the stage.
        after: the action whose group is the last of the first stage.
        name: what the second stage is called; None: the old name with a 2.

    The second stage keeps what the old one did after success and on failure; the first keeps what it asked at
    entry. Both have a lock of their own, so two executions can be inside.
    """

    def apply(scenario: Scenario) -> Scenario:
        old = find_stage(scenario.pipeline, stage)
        _, last = find_action(replace(scenario.pipeline, stages=(old,)), after)
        first = [action for action in old.actions if action.run_order <= last.run_order]
        second = [action for action in old.actions if action.run_order > last.run_order]
        if not second:
            raise AssumptionError(f"nothing of stage {old.name!r} runs after {last.name!r}: there is nothing to split")
        return _into(scenario, old, ((old.name, first), (name or f"{old.name}2", second)))

    return Edit(f"split {stage} after {after}", apply)


def own_stage(action: str, name: str | None = None) -> Edit:
    """Return the edit that gives an action, such as an approval, a stage of its own where it stands.

    Args:
        action: ``Stage/Action``.
        name: what the new stage is called; None: the action's name.

    Meanwhile the stage before it is free for the next execution.
    """

    def apply(scenario: Scenario) -> Scenario:
        old, moved = find_action(scenario.pipeline, action)
        before = [a for a in old.actions if a.run_order <= moved.run_order and a is not moved]
        after = [a for a in old.actions if a.run_order > moved.run_order]
        if not before and not after:
            raise AssumptionError(f"{old.name}/{moved.name} already has a stage of its own")
        parts = [(name or _fresh(scenario.pipeline, moved.name), [moved])]
        if before:
            parts.insert(0, (old.name, before))
        if after:
            parts.append((f"{old.name}2" if before else old.name, after))
        return _into(scenario, old, parts)

    return Edit(f"{action} in a stage of its own", apply)


def move_approval(action: str, before: str) -> Edit:
    """Return the edit that moves an approval into a stage of its own before another stage.

    Args:
        action: ``Stage/Action`` of the approval.
        before: the stage that then waits for the answer.

    Raises (when applied):
        AssumptionError: it is no approval, or there is no such stage.
    """

    def apply(scenario: Scenario) -> Scenario:
        old, moved = find_action(scenario.pipeline, action)
        if not moved.is_approval:
            raise AssumptionError(f"{old.name}/{moved.name} is no approval; only approvals can be moved so")
        target = find_stage(scenario.pipeline, before)
        alone = len(old.actions) == 1
        if alone and target is old:
            raise AssumptionError(f"{old.name}/{moved.name} already stands before {before}")
        left = (
            without_stage(scenario.pipeline, old.name) if alone else _without(scenario.pipeline, old.name, moved.name)
        )
        name = old.name if alone else _fresh(left, moved.name)
        fresh = replace(old, actions=(moved,)) if alone else Stage(name, (replace(moved, run_order=1),))
        at = next(place for place, one in enumerate(left.stages) if one.name == target.name)
        pipeline = replace(left, stages=(*left.stages[:at], fresh, *left.stages[at:]))
        return with_pipeline(scenario, pipeline, {f"{old.name}/{moved.name}": f"{name}/{moved.name}"})

    return Edit(f"move {action} before {before}", apply)


def remove_action(action: str) -> Edit:
    """Return the edit that takes an action out; whoever used its artifacts gets what it got itself.

    Raises (when applied):
        AssumptionError: there is no such action, it is a source, or nothing can replace its artifacts.
    """

    def apply(scenario: Scenario) -> Scenario:
        stage, gone = find_action(scenario.pipeline, action)
        if stage is scenario.pipeline.stages[0]:
            raise AssumptionError(f"{stage.name}/{gone.name} is a source; a pipeline cannot be without it")
        return with_pipeline(scenario, _without(scenario.pipeline, stage.name, gone.name))

    return Edit(f"remove {action}", apply)


def add_action(
    action: str, duration: Distribution | float | str, *, run_order: int | None = None, fails: float = 0.0
) -> Edit:
    """Return the edit that adds a CodeBuild test to a stage.

    Args:
        action: ``Stage/Action``, where the stage exists and the action does not.
        duration: how long it takes: a distribution, seconds, or text such as ``"8m"`` for a constant.
        run_order: its place; None: after everything in the stage.
        fails: the odds (0 to 1) that it fails.
    """

    def apply(scenario: Scenario) -> Scenario:
        stage_name, slash, name = action.partition("/")
        if not slash or not name:
            raise AssumptionError(f"{action!r} does not say where: write Stage/Action")
        stage = find_stage(scenario.pipeline, stage_name)
        if any(one.name == name for one in stage.actions):
            raise AssumptionError(f"{stage.name}/{name} is there already; choose another name")
        place = run_order or max(one.run_order for one in stage.actions) + 1
        fresh = Action(
            name,
            ActionTypeId("Test", "AWS", "CodeBuild"),
            run_order=place,
            configuration={"ProjectName": f"{scenario.pipeline.name}-{name.lower()}"},
            input_artifacts=(_nearest_artifact(scenario.pipeline, stage, place),),
        )
        pipeline = replace_stage(scenario.pipeline, stage.name, replace(stage, actions=(*stage.actions, fresh)))
        changed = with_pipeline(scenario, pipeline)
        assumed = ActionAssumption(duration=as_distribution(duration), fails=fails)
        actions = with_entry(changed.assumptions.actions, f"{stage.name}/{name}", assumed)
        return replace(changed, assumptions=replace(changed.assumptions, actions=actions))

    shown = duration if isinstance(duration, str) else None
    if isinstance(duration, int | float):
        shown = format_duration(duration)
    return Edit(f"add {action}" + (f" ({shown})" if shown else ""), apply)


def retry(stage: str, mode: str = "FAILED_ACTIONS") -> Edit:
    """Return the edit that lets a stage that fails retry once by itself.

    Args:
        stage: the stage.
        mode: ``FAILED_ACTIONS`` or ``ALL_ACTIONS``.

    Raises:
        AssumptionError: there is no such mode.
    """
    wanted = mode.strip().upper()
    if wanted not in list(StageRetryMode):
        raise AssumptionError(f"there is no retry mode {mode!r}{suggest(wanted, list(StageRetryMode))}")
    return Edit(f"retry {stage}", lambda one: _on_failure(one, stage, OnFailure(result="RETRY", retry_mode=wanted)))


def rollback(stage: str) -> Edit:
    """Return the edit that lets a stage that fails roll back to the last execution that succeeded there."""
    return Edit(f"rollback {stage}", lambda one: _on_failure(one, stage, OnFailure(result="ROLLBACK")))


def _on_failure(scenario: Scenario, stage: str, what: OnFailure) -> Scenario:
    old = find_stage(scenario.pipeline, stage)
    if old is scenario.pipeline.stages[0] and what.result == "ROLLBACK":
        raise AssumptionError(f"stage {old.name!r} is the source stage, which cannot roll back")
    pipeline = replace_stage(scenario.pipeline, old.name, replace(old, on_failure=what))
    return with_pipeline(scenario, replace(pipeline, pipeline_type=PipelineType.V2.value))


def _side_by_side(stage: Stage) -> Stage:
    placed: dict[str, int] = {}
    floor = 1
    for group in stage.groups:
        if any(action.is_approval for action in group):
            barrier = max(placed.values(), default=floor - 1) + 1
            placed |= {action.name: barrier for action in group}
            floor = barrier + 1
            continue
        for action in group:
            needed = [placed[one.name] + 1 for one in stage.actions if one.name in placed and _needs(action, one)]
            placed[action.name] = max([floor, *needed])
    return replace(stage, actions=tuple(replace(one, run_order=placed[one.name]) for one in stage.actions))


def _needs(action: Action, other: Action) -> bool:
    artifacts = {artifact.name for artifact in other.output_artifacts}
    if artifacts & {*action.input_artifacts}:
        return True
    return other.namespace is not None and any(one.namespace == other.namespace for one in references_of(action))


def _into(scenario: Scenario, old: Stage, parts: Sequence[tuple[str, list[Action]]]) -> Scenario:
    names = [name for name, _ in parts]
    taken = {stage.name for stage in scenario.pipeline.stages if stage is not old}
    for name in names:
        if name in taken or names.count(name) > 1:
            raise AssumptionError(f"there is a stage {name!r} already; choose another name for the new one")
    stages = []
    moves: dict[str, str] = {}
    for place, (name, actions) in enumerate(parts):
        first, last = place == 0, place == len(parts) - 1
        stages.append(
            Stage(
                name,
                tuple(actions),
                before_entry=old.before_entry if first else (),
                on_success=old.on_success if last else (),
                on_failure=old.on_failure if last else None,
            )
        )
        moves |= {f"{old.name}/{action.name}": f"{name}/{action.name}" for action in actions}
        rules = stages[-1].rules
        moves |= {f"{old.name}/{rule.name}": f"{name}/{rule.name}" for rule in rules}
    at = scenario.pipeline.stages.index(old)
    before, after = scenario.pipeline.stages[:at], scenario.pipeline.stages[at + 1 :]
    return with_pipeline(scenario, replace(scenario.pipeline, stages=(*before, *stages, *after)), moves)


def _without(pipeline: Pipeline, stage: str, action: str) -> Pipeline:
    gone = pipeline.stage(stage).action(action)
    outputs = {artifact.name for artifact in gone.output_artifacts}
    alone = len(pipeline.stage(stage).actions) == 1
    left = without_stage(pipeline, stage) if alone else without_action(pipeline, stage, action)
    users = [one for _, one in left.actions() if outputs & {*one.input_artifacts}]
    if users and not gone.input_artifacts:
        raise AssumptionError(f"{stage}/{action} makes {', '.join(sorted(outputs))}, which {users[0].name!r} needs")
    stages = tuple(
        replace(one, actions=tuple(_rewired(each, outputs, gone.input_artifacts) for each in one.actions))
        for one in left.stages
    )
    return replace(left, stages=stages)


def _rewired(action: Action, gone: set[str], instead: tuple[str, ...]) -> Action:
    if not gone & {*action.input_artifacts}:
        return action
    kept = [name for name in action.input_artifacts if name not in gone]
    inputs = tuple(dict.fromkeys([*kept, instead[0]]))
    configuration = {
        key: instead[0] if key == "PrimarySource" and value in gone else value
        for key, value in action.configuration.items()
    }
    return replace(action, input_artifacts=inputs, configuration=configuration)


def _nearest_artifact(pipeline: Pipeline, stage: Stage, run_order: int) -> str:
    found = ""
    for one, action in pipeline.actions():
        if one is stage and action.run_order >= run_order:
            continue
        if action.output_artifacts:
            found = action.output_artifacts[0].name
        if one is stage and action is stage.actions[-1]:
            break
    if not found:
        raise AssumptionError("no artifact comes before the new action, so it has nothing to test")
    return found


def _fresh(pipeline: Pipeline, wanted: str) -> str:
    taken = {stage.name for stage in pipeline.stages}
    name, count = wanted, 2
    while name in taken:
        name, count = f"{wanted}{count}", count + 1
    return name
