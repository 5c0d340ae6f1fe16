"""Carrying commands out: first everything that could refuse it, then what it changes.

Codes and sentences are the service's own. Source: botocore's CodePipeline model
(errors of each operation), CodePipeline User Guide, recorded answers of the service.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipesim.definition.checking import check
from pipesim.definition.triggers import PullRequest, Push, starts
from pipesim.engine.action import ActionRun
from pipesim.engine.commands import (
    Approve,
    Break,
    Command,
    DisableTransition,
    EnableTransition,
    Override,
    Reject,
    Repair,
    Retry,
    Rollback,
    SourceRevision,
    Start,
    Stop,
    Update,
)
from pipesim.engine.door import Door
from pipesim.engine.execution import Execution
from pipesim.engine.outcome import Outcome
from pipesim.engine.passage import Passage
from pipesim.engine.plan import ActionPlan, StagePlan
from pipesim.errors import Refused
from pipesim.trace.events import EventKind
from pipesim.vocabulary import (
    ActionCategory,
    ApprovalStatus,
    ConditionType,
    ExecutionMode,
    ExecutionType,
    FailureType,
    PipelineExecutionStatus,
    PipelineType,
    Result,
    RetryTrigger,
    SourceRevisionType,
    StageExecutionStatus,
    StageRetryMode,
    StageTransitionType,
    TriggerType,
)

if TYPE_CHECKING:
    from pipesim.engine.simulation import Simulation

ASKED_FOR = frozenset(
    {
        TriggerType.START_PIPELINE_EXECUTION.value,
        TriggerType.PUT_ACTION_REVISION.value,
        TriggerType.MANUAL_ROLLBACK.value,
    }
)
"""Triggers that somebody waits for: over the limit they are refused, while events start executions that fail."""

DISABLED_REASON = re.compile(r"[a-zA-Z0-9!@ ().*?\-]{1,300}")


def handle(sim: Simulation, command: Command) -> str | None:
    """Carry out one command and return the id of the execution that it started or resumed, if any."""
    try:
        handler = HANDLERS[type(command)]
    except KeyError:
        raise TypeError(
            f"{command!r} is no command (must be one of {', '.join(c.__name__ for c in HANDLERS)})"
        ) from None
    return handler(sim, command)


def start(sim: Simulation, command: Start) -> str:
    """Start an execution, or return the one that the same token started before."""
    pairs = tuple(command.variables.items()) if hasattr(command.variables, "items") else command.variables
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            raise Refused(
                "ValidationException",
                f"Variable names must be unique. The following variable name is already in use: {name}",
            )
    sources = {a.name for a in sim.plan.pipeline.stages[0].actions if a.category == ActionCategory.SOURCE}
    if any(revision.action not in sources for revision in command.revisions):
        raise Refused(
            "ValidationException",
            "The action name provided in the source revision is not valid. The action must be a source action in"
            " your pipeline.",
        )
    for revision in command.revisions:
        _refuse_revision(sim, revision)
    if command.token is not None and command.token in sim.tokens:
        return sim.tokens[command.token]
    if command.trigger_type in ASKED_FOR:
        _refuse_when_full(sim)
    execution = sim.start(command)
    if command.token is not None:
        sim.tokens[command.token] = execution.id
    return execution.id


def notice(sim: Simulation, command: Push | PullRequest) -> str | None:
    """A connection reports a push or a pull request: start the pipeline if a source action listens to it."""
    label = command.commit or sim.new_change()
    for action in sim.plan.pipeline.stages[0].actions:
        if starts(sim.plan.pipeline, action.name, command):
            detail = json.dumps({"source": action.name, **_describe(command)})
            change = Start(change=label, trigger_type=TriggerType.WEBHOOK_V2.value, trigger_detail=detail)
            return sim.start(change).id
    sim.emit(EventKind.CHANGE_IGNORED, detail={"change": label, "reason": f"no trigger lets {_say(command)} through"})
    return None


def answer(sim: Simulation, command: Approve | Reject) -> None:
    """Answer an open approval."""
    run = _find_approval(sim, command)
    status = ApprovalStatus.APPROVED if isinstance(command, Approve) else ApprovalStatus.REJECTED
    if run.configuration.get("IsSummaryRequired", "").lower() == "true" and not command.summary.strip():
        raise Refused(
            "InvalidApprovalTokenException",
            f"Action '{run.plan.action.name}' in stage '{run.plan.stage}' requires a summary. Provide a summary in the"
            " approval result and try again.",
        )
    if len(command.summary) > 512:
        raise Refused("ValidationException", "Value at 'result.summary' must have length less than or equal to 512")
    run.reply(status, command.summary, command.by)


def stop(sim: Simulation, command: Stop) -> str:
    """Stop an execution and wait for its running actions, or abandon them."""
    execution = sim.executions.get(command.execution)
    if execution is None or execution.finished:
        raise Refused(
            "PipelineExecutionNotStoppableException",
            f"The pipeline execution with ID '{command.execution}' in '{sim.plan.pipeline.name}' can't be stopped now."
            " Either it does not exist in the pipeline, or the pipeline execution has no action executions in"
            " progress.",
        )
    if len(command.reason) > 200:
        raise Refused("ValidationException", "Value at 'reason' must have length less than or equal to 200")
    if execution.stopping and not command.abandon:
        raise Refused(
            "DuplicatedStopRequestException",
            f"The execution with ID {execution.id} in {sim.plan.pipeline.name} is already in a stopping state. If you"
            " already chose to stop and wait, you cannot make that request again. You can choose to stop and abandon"
            " now, but be aware that this option can lead to failed actions. If you already chose to stop and abandon,"
            " you cannot make that request again.",
        )
    execution.stopping = True
    execution.status = PipelineExecutionStatus.STOPPING
    execution.stop_reason = command.reason
    detail: dict[str, Any] = {"abandon": command.abandon, "by": command.by}
    if command.reason:
        detail["reason"] = command.reason
    sim.emit(EventKind.EXECUTION_STOPPING, execution.id, detail=detail)
    if execution.door is not None:
        stage, admission = execution.door, execution.admission
        sim.withdraw(execution)
        sim.stop_here(execution, stage)
        assert admission is not None
        admission.succeed(False)
    elif execution.passage is not None:
        if execution.passage.status is not StageExecutionStatus.STOPPING:
            execution.passage.status = StageExecutionStatus.STOPPING
            execution.passage.emit(EventKind.STAGE_STOPPING)
        execution.passage.stop(abandon=command.abandon)
    else:
        sim.stop_here(execution)
    return execution.id


def retry(sim: Simulation, command: Retry) -> str:
    """Run the failed actions, or all actions, of a stage again, under the same execution."""
    stage = _find_stage(sim, command.stage)
    if command.mode not in tuple(StageRetryMode):
        raise Refused(
            "ValidationException",
            f"Value '{command.mode}' at 'retryMode' failed to satisfy constraint: Member must satisfy enum value set:"
            f" [{', '.join(StageRetryMode)}]",
        )
    name = stage.stage.name
    execution = sim.executions.get(command.execution)
    passage = None if execution is None else execution.passages.get(name)
    if execution is None or passage is None:
        raise Refused(
            "StageNotRetryableException",
            f"Stage '{name}' cannot be retried for pipeline execution '{command.execution}': nothing failed or was"
            " stopped there",
        )
    if execution.passage is passage:
        return _retry_while_running(sim, execution, passage, command.mode)
    if execution.status not in (
        PipelineExecutionStatus.FAILED,
        PipelineExecutionStatus.STOPPED,
    ) or passage.status not in (
        StageExecutionStatus.FAILED,
        StageExecutionStatus.STOPPED,
    ):
        raise Refused(
            "StageNotRetryableException",
            f"Stage '{name}' cannot be retried: its status is {passage.status.value} and that of the execution is"
            f" {execution.status.value}",
        )
    if execution.plan is not sim.plan:
        raise Refused(
            "StageNotRetryableException", f"Stage '{name}' cannot be retried: the pipeline was updated since it failed"
        )
    _refuse_unless_latest(sim, execution, name)
    _refuse_when_full(sim)
    return _resume(sim, execution, passage, command.mode)


def rollback(sim: Simulation, command: Rollback) -> str:
    """Run one stage again as an earlier execution ran it."""
    stage = _find_stage(sim, command.stage)
    pipeline, name = sim.plan.pipeline.name, stage.stage.name
    target = sim.executions.get(command.target)
    if target is None:
        raise Refused(
            "PipelineExecutionNotFoundException",
            f"Target Pipeline Execution with id '{command.target}' does not exist in pipeline with name '{pipeline}'",
        )
    if sim.plan.pipeline.effective_type != PipelineType.V2:
        raise Refused("UnableToRollbackStageException", f"Pipeline '{pipeline}' is of type V1; only V2 can roll back")
    if target.plan is not sim.plan:
        raise Refused(
            "PipelineExecutionOutdatedException",
            f"Pipeline '{pipeline}' has been updated since the rollback request was made.",
        )
    if name not in target.completed or target.type == ExecutionType.ROLLBACK:
        raise Refused(
            "UnableToRollbackStageException",
            f"Target Pipeline Execution with id '{target.id}' has not completed in stage with name '{name}'",
        )
    if sim.door(name).occupant is not None:
        raise Refused(
            "UnableToRollbackStageException",
            f"Pipeline '{pipeline}' cannot start rollback since stage {name} is in progress.",
        )
    execution = sim.roll_back(stage, target, TriggerType.MANUAL_ROLLBACK, f'{{"AwsUserArn":"{command.by}"}}')
    return execution.id


def disable(sim: Simulation, command: DisableTransition) -> None:
    """Let nothing new enter a stage."""
    door = _find_transition(sim, command)
    if not DISABLED_REASON.fullmatch(command.reason):
        raise Refused(
            "ValidationException",
            f"Value '{command.reason}' at 'reason' failed to satisfy constraint: Member must satisfy regular expression"
            " pattern: [a-zA-Z0-9!@ \\(\\)\\.\\*\\?\\-]+ and have length between 1 and 300",
        )
    if door.disabled_at is None:
        door.disabled_at = sim.now
    sim.emit(EventKind.TRANSITION_DISABLED, stage=door.stage, detail={"reason": command.reason, "by": command.by})


def enable(sim: Simulation, command: EnableTransition) -> None:
    """Let executions enter a stage again; the one that waits enters now."""
    door = _find_transition(sim, command)
    door.lapse(sim.now)
    door.disabled_at = None
    sim.emit(EventKind.TRANSITION_ENABLED, stage=door.stage, detail={"by": command.by})
    sim.admit(door)


def override(sim: Simulation, command: Override) -> str:
    """Set the verdict of a condition aside."""
    stage = _find_stage(sim, command.stage)
    name = stage.stage.name
    execution = sim.executions.get(command.execution)
    passage = None if execution is None else execution.passages.get(name)
    if execution is None or passage is None or command.condition not in tuple(ConditionType):
        raise _not_overridable(command)
    gate = passage.gate
    if gate is not None and gate.kind == command.condition:
        if gate.condition.result == Result.SKIP:
            raise _not_overridable(command)
        gate.override(command.by)
        return execution.id
    if command.condition != ConditionType.ON_SUCCESS or passage.overridable is None or execution.plan is not sim.plan:
        raise _not_overridable(command)
    _refuse_unless_latest(sim, execution, name)
    _refuse_when_full(sim)
    passage.overridable = None
    passage.rollback = False
    del execution.passages[name]
    execution.completed.append(name)
    passage.emit(EventKind.CONDITION_OVERRIDDEN, condition=command.condition, by=command.by)
    passage.emit(EventKind.STAGE_OVERRIDDEN, condition=command.condition)
    sim.emit(EventKind.EXECUTION_RESUMED, execution.id, name, attempt=execution.attempt)
    sim.resume(execution, sim.plan.stages[stage.index + 1 :], None)
    return execution.id


def update(sim: Simulation, command: Update) -> None:
    """Replace the declaration: what runs is cancelled once its current actions have ended."""
    old, new = sim.plan.pipeline, command.pipeline
    if new.name != old.name:
        raise Refused(
            "PipelineNotFoundException", f"Account '{sim.account}' does not have a pipeline with name '{new.name}'"
        )
    if problems := check(new):
        raise Refused(problems[0].code, problems[0].message)
    new = replace(new, version=old.version + 1)
    stays = old.execution_mode == new.execution_mode == ExecutionMode.PARALLEL
    sim.emit(EventKind.PIPELINE_UPDATED, detail={"document": new.to_document(), "version": new.version})
    sim.replace(new)
    if stays:
        return
    for execution in list(sim.executions.values()):
        if execution.finished:
            continue
        execution.cancelling = True
        if execution.door is not None:
            admission = execution.admission
            sim.withdraw(execution)
            sim.end(execution, PipelineExecutionStatus.CANCELLED, EventKind.EXECUTION_CANCELLED)
            assert admission is not None
            admission.succeed(False)
        elif execution.passage is not None:
            execution.passage.cancel()
        else:
            sim.end(execution, PipelineExecutionStatus.CANCELLED, EventKind.EXECUTION_CANCELLED)


def break_action(sim: Simulation, command: Break) -> None:
    """Let an action fail from its next attempt on."""
    plan = _find_action(sim, command)
    if plan.action.is_approval:
        raise Refused(
            "ValidationException", f"Action '{command.action}' is an approval: it can be rejected, not broken"
        )
    if command.code not in tuple(FailureType):
        raise Refused(
            "ValidationException",
            f"Value '{command.code}' at 'code' failed to satisfy constraint: Member must satisfy enum value set:"
            f" [{', '.join(FailureType)}]",
        )
    sim.broken[plan.key] = Outcome.failed(command.message, command.code)


def repair_action(sim: Simulation, command: Repair) -> None:
    """Let an action do its work again from its next attempt on."""
    sim.broken.pop(_find_action(sim, command).key, None)


HANDLERS: dict[type[Any], Callable[[Simulation, Any], str | None]] = {
    Start: start,
    Push: notice,
    PullRequest: notice,
    Approve: answer,
    Reject: answer,
    Stop: stop,
    Retry: retry,
    Rollback: rollback,
    DisableTransition: disable,
    EnableTransition: enable,
    Override: override,
    Update: update,
    Break: break_action,
    Repair: repair_action,
}


def _describe(event: Push | PullRequest) -> dict[str, str]:
    if isinstance(event, PullRequest):
        return {"pull-request-event": event.event, "branch-name": event.source, "target-branch-name": event.target}
    return {"tag-name": event.tag} if event.tag is not None else {"branch-name": event.branch or ""}


def _say(event: Push | PullRequest) -> str:
    if isinstance(event, PullRequest):
        return f"pull request {event.event} from {event.source} to {event.target}"
    return f"a push of tag {event.tag}" if event.tag is not None else f"a push to {event.branch}"


def _find_stage(sim: Simulation, name: str) -> StagePlan:
    stage = sim.plan.stage(name)
    if stage is None:
        raise Refused(
            "StageNotFoundException",
            f"Pipeline '{sim.plan.pipeline.name}' does not have a stage with name '{name}'",
        )
    return stage


def _find_action(sim: Simulation, command: Break | Repair) -> ActionPlan:
    stage = _find_stage(sim, command.stage)
    for group in stage.groups:
        for plan in group:
            if plan.action.name == command.action:
                return plan
    raise Refused(
        "ActionNotFoundException", f"Stage '{command.stage}' does not have an action with name '{command.action}'"
    )


def _find_transition(sim: Simulation, command: DisableTransition | EnableTransition) -> Door:
    stage = _find_stage(sim, command.stage)
    if command.direction not in tuple(StageTransitionType):
        raise Refused(
            "ValidationException",
            f"Value '{command.direction}' at 'transitionType' failed to satisfy constraint: Member must satisfy enum"
            f" value set: [{', '.join(StageTransitionType)}]",
        )
    index = stage.index + (command.direction == StageTransitionType.OUTBOUND)
    if index == len(sim.plan.stages):
        raise Refused("StageNotFoundException", f"No transition leaves stage '{command.stage}': it is the last")
    return sim.door(sim.plan.stages[index].stage.name)


def _find_approval(sim: Simulation, command: Approve | Reject) -> ActionRun:
    stage = _find_stage(sim, command.stage)
    name = stage.stage.name
    actions = [action.name for action in stage.stage.actions if action.is_approval]
    if command.action is not None and command.action not in {action.name for action in stage.stage.actions}:
        raise Refused("ActionNotFoundException", f"Stage '{name}' does not have an action with name '{command.action}'")
    runs = [
        run
        for execution in sim.executions.values()
        if execution.passage is not None and execution.passage.plan.stage.name == name
        and command.execution in (None, execution.id)
        for run in execution.passage.running.values()
        if run.answer is not None and command.action in (None, run.plan.action.name)
    ]  # fmt: skip
    if command.token is not None:
        runs = [run for run in runs if run.id == command.token]
    fresh = [run for run in runs if run.is_open]
    if len(fresh) == 1:
        return fresh[0]
    answered = {sim.answered.get(f"{name}/{action}") for action in actions} - {None}
    if (runs and not fresh) or (command.token in answered if command.token else bool(answered) and not fresh):
        raise Refused("ApprovalAlreadyCompletedException", f"The approval in stage '{name}' has already been answered")
    if not runs and command.token is not None:
        raise Refused(
            "InvalidApprovalTokenException",
            f"The pipeline {sim.plan.pipeline.name} has been updated, and the approval request you responded to is now"
            " out of date.",
        )
    why = "several approvals are open: name the action and the execution" if fresh else "no approval is open"
    raise Refused(
        "InvalidApprovalTokenException", f"Stage '{name}' (approval actions: {', '.join(actions) or 'none'}): {why}"
    )


def _refuse_revision(sim: Simulation, revision: SourceRevision) -> None:
    """Refuse an override that its source action cannot take. Source: model of SourceRevisionOverride."""
    source = sim.plan.pipeline.stages[0].action(revision.action)
    if revision.type not in tuple(SourceRevisionType):
        raise Refused(
            "ValidationException",
            f"Value '{revision.type}' at 'sourceRevisions' failed to satisfy constraint: Member must satisfy enum value"
            f" set: [{', '.join(SourceRevisionType)}]",
        )
    may_name_a_key = source.configuration.get("AllowOverrideForS3ObjectKey", "").lower() == "true"
    if revision.type == SourceRevisionType.S3_OBJECT_KEY and not may_name_a_key:
        raise Refused(
            "ValidationException",
            f"The object key of source action '{source.name}' cannot be overridden: its configuration does not set"
            " AllowOverrideForS3ObjectKey to true.",
        )


def _refuse_when_full(sim: Simulation) -> None:
    if sim.is_full():
        raise Refused(
            "ConcurrentPipelineExecutionsLimitExceededException",
            f"Pipeline '{sim.plan.pipeline.name}' has reached the limit of {sim.admission.limit} concurrent executions",
        )


def _refuse_unless_latest(sim: Simulation, execution: Execution, stage: str) -> None:
    latest = sim.door(stage).latest
    if not sim.admission.has_locks or latest is execution:
        return
    if latest is not None and latest.cause is execution and latest.finished:
        return
    raise Refused(
        "NotLatestPipelineExecutionException",
        f"Pipeline execution '{execution.id}' is not the latest in stage '{stage}': "
        f"'{latest.id if latest else ''}' entered after it",
    )


def _retry_while_running(sim: Simulation, execution: Execution, passage: Passage, mode: str) -> str:
    name = passage.plan.stage.name
    if (passage.manual or passage.automatic) and not passage.failed:
        raise Refused("ConflictException", f"A retry of stage '{name}' is already running in '{execution.id}'")
    if execution.stopping or execution.cancelling or passage.gate is not None or not passage.failed:
        raise Refused(
            "StageNotRetryableException", f"Stage '{name}' cannot be retried: no action of it has failed so far"
        )
    if mode == StageRetryMode.ALL_ACTIONS:
        raise Refused(
            "StageNotRetryableException",
            f"Stage '{name}' cannot be retried with ALL_ACTIONS while actions are in progress:"
            f" {', '.join(passage.running)}",
        )
    passage.manual += 1
    execution.attempt += 1
    _announce_resumption(sim, execution, passage, mode)
    for group in passage.plan.groups:
        for plan in group:
            if plan.action.name in passage.failed:
                passage.start(plan)
    return execution.id


def _resume(sim: Simulation, execution: Execution, passage: Passage, mode: str) -> str:
    door = sim.door(passage.plan.stage.name)
    passage.manual += 1
    execution.attempt += 1
    execution.stopping = False
    execution.passage = passage
    passage.prepare_retry(mode)
    if sim.admission.has_locks:
        door.occupant = execution
    _announce_resumption(sim, execution, passage, mode)
    rest = () if execution.type == ExecutionType.ROLLBACK else execution.plan.stages[passage.plan.index + 1 :]
    sim.resume(execution, (passage.plan, *rest), passage)
    return execution.id


def _announce_resumption(sim: Simulation, execution: Execution, passage: Passage, mode: str) -> None:
    sim.emit(
        EventKind.EXECUTION_RESUMED,
        execution.id,
        passage.plan.stage.name,
        attempt=execution.attempt,
    )
    passage.resumed(mode, RetryTrigger.MANUAL_STAGE_RETRY)


def _not_overridable(command: Override) -> Refused:
    return Refused(
        "ConditionNotOverridableException",
        f"Condition {command.condition} of stage '{command.stage}' cannot be overridden for pipeline execution"
        f" '{command.execution}'",
    )
