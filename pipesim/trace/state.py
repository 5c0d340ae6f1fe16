"""The fold: events become the state that the console would show.

`Fold.apply` costs the same however long the history is; `Fold.snapshot` costs by the number of
stages, actions and unfinished executions. There is one branch for every kind of event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from immutabledict import immutabledict

from pipesim.definition.document import parse_document
from pipesim.definition.model import Pipeline
from pipesim.errors import TraceError
from pipesim.trace.draft import Draft
from pipesim.trace.events import Event, EventKind
from pipesim.trace.executions import ExecutionLog, Executions
from pipesim.trace.snapshot import (
    FINISHED_EXECUTION,
    ActionExecution,
    ActionState,
    ConditionState,
    ExecutionState,
    PipelineState,
    RetryMetadata,
    Revision,
    RuleState,
    StageExecution,
    StageState,
    TransitionState,
)
from pipesim.trace.stage_record import ActionRecord, ConditionRecord, StageRecord
from pipesim.vocabulary import (
    ActionExecutionStatus,
    ApprovalStatus,
    ConditionExecutionStatus,
    ExecutionMode,
    ExecutionType,
    PipelineExecutionStatus,
    Result,
    RetryTrigger,
    RuleExecutionStatus,
    StageExecutionStatus,
    TriggerType,
)

__all__ = [
    "FINISHED_EXECUTION",
    "ActionExecution",
    "ActionState",
    "ConditionState",
    "ExecutionState",
    "Executions",
    "Fold",
    "PipelineState",
    "RetryMetadata",
    "Revision",
    "RuleState",
    "StageExecution",
    "StageState",
    "TransitionState",
    "state_at",
    "states_at",
]

EXECUTION_ENDS = {
    EventKind.EXECUTION_SUCCEEDED: PipelineExecutionStatus.SUCCEEDED,
    EventKind.EXECUTION_FAILED: PipelineExecutionStatus.FAILED,
    EventKind.EXECUTION_SUPERSEDED: PipelineExecutionStatus.SUPERSEDED,
    EventKind.EXECUTION_CANCELLED: PipelineExecutionStatus.CANCELLED,
    EventKind.EXECUTION_STOPPED: PipelineExecutionStatus.STOPPED,
}

STAGE_ENDS = {
    EventKind.STAGE_SUCCEEDED: StageExecutionStatus.SUCCEEDED,
    EventKind.STAGE_FAILED: StageExecutionStatus.FAILED,
    EventKind.STAGE_STOPPED: StageExecutionStatus.STOPPED,
    EventKind.STAGE_SKIPPED: StageExecutionStatus.SKIPPED,
    EventKind.STAGE_CANCELLED: StageExecutionStatus.CANCELLED,
}

ACTION_ENDS = {
    EventKind.ACTION_SUCCEEDED: ActionExecutionStatus.SUCCEEDED,
    EventKind.ACTION_FAILED: ActionExecutionStatus.FAILED,
    EventKind.ACTION_ABANDONED: ActionExecutionStatus.ABANDONED,
}

CONDITION_CHANGES = {
    EventKind.CONDITION_SUCCEEDED: ConditionExecutionStatus.SUCCEEDED,
    EventKind.CONDITION_FAILED: ConditionExecutionStatus.FAILED,
    EventKind.CONDITION_ERRORED: ConditionExecutionStatus.ERRORED,
    EventKind.CONDITION_CANCELLED: ConditionExecutionStatus.CANCELLED,
    EventKind.CONDITION_ABANDONED: ConditionExecutionStatus.ABANDONED,
    EventKind.CONDITION_OVERRIDDEN: ConditionExecutionStatus.OVERRIDDEN,
}

RULE_ENDS = {
    EventKind.RULE_SUCCEEDED: RuleExecutionStatus.SUCCEEDED,
    EventKind.RULE_FAILED: RuleExecutionStatus.FAILED,
    EventKind.RULE_ABANDONED: RuleExecutionStatus.ABANDONED,
}

ANSWERS = {
    ApprovalStatus.APPROVED: ActionExecutionStatus.SUCCEEDED,
    ApprovalStatus.REJECTED: ActionExecutionStatus.FAILED,
}


class Fold:
    """The running state of a pipeline.

    Args:
        pipeline: the declaration that the trace begins with.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._stages = {stage.name: StageRecord(stage) for stage in pipeline.stages}
        self._executions = ExecutionLog()
        self._version = pipeline.version
        self._created = 0.0
        self._updated = 0.0
        self._ignored = 0

    @property
    def pipeline(self) -> Pipeline:
        """The declaration in force."""
        return self._pipeline

    def apply(self, event: Event) -> None:
        """Take one event in.

        Args:
            event: the next event of the trace.

        Raises:
            TraceError: the event names something that the trace never introduced, or an unknown status.
        """
        try:
            BRANCHES[event.kind](self, event)
        except (KeyError, ValueError) as error:
            raise TraceError(f"event {event.seq} ({event.kind}) does not fit the trace before it: {error}") from error

    def snapshot(self, time: float) -> PipelineState:
        """Return the state as it stands.

        Args:
            time: the moment to write on it, in seconds since the trace's start.
        """
        return PipelineState(
            name=self._pipeline.name,
            version=self._version,
            time=time,
            stages=tuple(self._stages[stage.name].freeze() for stage in self._pipeline.stages),
            executions=self._executions.view(),
            mode=ExecutionMode(self._pipeline.execution_mode),
            created=self._created,
            updated=self._updated,
            ignored=self._ignored,
        )

    def stage(self, name: str) -> StageState:
        """Return one stage as it stands; the same object as before when nothing happened to it.

        Raises:
            KeyError: the pipeline has no such stage.
        """
        return self._stages[name].freeze()

    def execution(self, id: str) -> ExecutionState:
        """Return one execution as it stands.

        Raises:
            KeyError: no such execution has started.
        """
        return self._executions[id]

    # --- the pipeline itself ---------------------------------------------------------------------

    def _pipeline_created(self, event: Event) -> None:
        self._created = self._updated = event.time

    def _pipeline_updated(self, event: Event) -> None:
        before = {stage.name for stage in self._pipeline.stages}
        self._pipeline = parse_document(event.detail["document"])
        self._version = event.detail.get("version", self._pipeline.version)
        self._updated = event.time
        for stage in self._pipeline.stages:
            if stage.name in before:
                self._stages[stage.name].declare(stage)
            else:
                self._stages[stage.name] = StageRecord(stage)

    def _transition_disabled(self, event: Event) -> None:
        detail = event.detail
        stage = self._stage(event)
        stage.transition = TransitionState(False, detail.get("reason") or "", event.time, detail.get("by") or "")

    def _transition_enabled(self, event: Event) -> None:
        self._stage(event).transition = TransitionState(True, "", event.time, event.detail.get("by") or "")

    def _change_ignored(self, event: Event) -> None:
        self._ignored += 1

    def _poll_failed(self, event: Event) -> None:
        action = self._action(event)
        action.start(
            ActionExecution(
                id=None,
                execution=None,
                attempt=1,
                status=ActionExecutionStatus.FAILED,
                started=event.time,
                changed=event.time,
                ended=event.time,
                code=event.detail.get("code") or "",
                message=event.detail.get("message") or "",
            )
        )
        action.revision = None

    # --- one pipeline execution ------------------------------------------------------------------

    def _execution_started(self, event: Event) -> None:
        detail = event.detail
        trigger = detail.get("trigger_type")
        target = detail.get("rollback_target")
        revisions: Mapping[str, Revision] = immutabledict()
        if target is not None and target in self._executions:
            revisions = self._executions[target].revisions
        self._executions.start(
            ExecutionState(
                id=_named(event.execution, "execution"),
                number=detail.get("number", len(self._executions.order) + 1),
                status=PipelineExecutionStatus.IN_PROGRESS,
                started=event.time,
                updated=event.time,
                version=detail.get("version", self._version),
                mode=ExecutionMode(detail.get("mode", self._pipeline.execution_mode)),
                type=ExecutionType(detail.get("execution_type") or ExecutionType.STANDARD),
                trigger_type=None if trigger is None else TriggerType(trigger),
                trigger_detail=detail.get("trigger_detail") or "",
                rollback_target=target,
                variables=immutabledict(detail.get("variables") or {}),
                revisions=revisions,
                overrides=immutabledict(detail.get("revisions") or {}),
                change=detail.get("change") or "",
                arrived=detail.get("arrived", event.time),
            )
        )

    def _execution_waiting(self, event: Event) -> None:
        stage = self._stage(event)
        execution = _named(event.execution, "execution")
        self._executions.change(execution, stage=stage.name, waiting=True, updated=event.time)
        stage.wait(execution)

    def _execution_ended(self, event: Event) -> None:
        detail = event.detail
        execution = self._execution(event)
        status = EXECUTION_ENDS[event.kind]
        summary = detail.get("summary") or ""
        if status is PipelineExecutionStatus.STOPPED:
            summary = summary or detail.get("reason") or execution.stop_reason or ""
        changes: dict[str, Any] = {}
        if status is PipelineExecutionStatus.SUPERSEDED:
            changes["superseded_by"] = detail.get("by")
        if execution.waiting and execution.stage is not None:
            door = self._stages[execution.stage]
            door.leave_door(execution.id, ended=status is not PipelineExecutionStatus.SUPERSEDED)
            door.touch()
        self._executions.change(
            execution.id,
            status=status,
            summary=summary,
            ended=event.time,
            updated=event.time,
            waiting=False,
            **changes,
        )

    def _execution_stopping(self, event: Event) -> None:
        self._executions.change(
            _named(event.execution, "execution"),
            status=PipelineExecutionStatus.STOPPING,
            stop_reason=event.detail.get("reason") or "",
            stop_abandons=bool(event.detail.get("abandon")),
            updated=event.time,
        )

    def _execution_resumed(self, event: Event) -> None:
        execution = self._execution(event)
        self._executions.change(
            execution.id,
            status=PipelineExecutionStatus.IN_PROGRESS,
            summary="",
            ended=None,
            stop_reason=None,
            stop_abandons=False,
            attempt=event.attempt or execution.attempt + 1,
            updated=event.time,
        )

    # --- one stage execution ---------------------------------------------------------------------

    def _stage_entered(self, event: Event) -> None:
        stage = self._stage(event)
        execution = self._execution(event)
        self._executions.change(execution.id, stage=stage.name, waiting=False, updated=event.time)
        stage.enter(
            StageExecution(
                execution=execution.id,
                status=StageExecutionStatus.IN_PROGRESS,
                type=execution.type,
                attempt=event.attempt or 1,
                entered=event.time,
            ),
            shown=execution.mode is not ExecutionMode.PARALLEL,
        )

    def _stage_ended(self, event: Event) -> None:
        stage = self._stage(event)
        execution = self._touched(event)
        stage.change_latest(execution, status=STAGE_ENDS[event.kind], ended=event.time)
        if not event.detail.get("retry_pending"):
            stage.occupants.pop(execution, None)

    def _stage_stopping(self, event: Event) -> None:
        self._stage(event).change_latest(self._touched(event), status=StageExecutionStatus.STOPPING)

    def _stage_resumed(self, event: Event) -> None:
        detail = event.detail
        stage = self._stage(event)
        execution = self._touched(event)
        stage.occupants[execution] = None
        self._executions.change(execution, stage=stage.name, waiting=False)
        if stage.latest is None or stage.latest.record.execution != execution:
            return
        passage = stage.latest.record
        stage.latest.change(
            status=StageExecutionStatus.IN_PROGRESS, ended=None, attempt=event.attempt or passage.attempt + 1
        )
        before = stage.retry or RetryMetadata()
        trigger = RetryTrigger(detail.get("trigger") or RetryTrigger.MANUAL_STAGE_RETRY)
        automatic = trigger is RetryTrigger.AUTOMATED_STAGE_RETRY
        stage.retry = RetryMetadata(
            automatic=detail.get("automatic", before.automatic + automatic),
            manual=detail.get("manual", before.manual + (not automatic)),
            trigger=trigger,
        )

    def _stage_overridden(self, event: Event) -> None:
        self._stage(event).change_latest(self._touched(event), status=StageExecutionStatus.SUCCEEDED)

    # --- one action execution --------------------------------------------------------------------

    def _action_started(self, event: Event) -> None:
        self._action(event).start(
            ActionExecution(
                id=event.detail.get("id"),
                execution=self._touched(event),
                attempt=event.attempt or 1,
                status=ActionExecutionStatus.IN_PROGRESS,
                started=event.time,
                changed=event.time,
            )
        )

    def _action_waiting(self, event: Event) -> None:
        self._action(event).change(self._touched(event), waiting_for=event.detail.get("pool") or "")

    def _action_working(self, event: Event) -> None:
        self._action(event).change(self._touched(event), waiting_for=None)

    def _action_progressed(self, event: Event) -> None:
        told = {name: event.detail[name] for name in PROGRESS if event.detail.get(name) is not None}
        self._action(event).change(self._touched(event), **told)

    def _action_ended(self, event: Event) -> None:
        detail = event.detail
        action = self._action(event)
        execution = self._touched(event)
        before = action.running[execution].record
        status = ACTION_ENDS[event.kind]
        action.change(
            execution,
            status=status,
            changed=before.changed if status is before.status else event.time,
            ended=event.time,
            summary=detail.get("summary") or before.summary,
            code=detail.get("code") or "",
            message=detail.get("message") or "",
            token=None,
            expires=None,
            external_id=detail.get("external_id") or before.external_id,
            external_url=detail.get("external_url") or before.external_url,
            waiting_for=None,
            variables=immutabledict(detail.get("variables") or {}),
            outputs=immutabledict(detail.get("outputs") or {}),
        )
        if "revision" in detail:
            self._pin(action, execution, event)

    def _pin(self, action: ActionRecord, execution: str, event: Event) -> None:
        found = event.detail["revision"]
        action.revision = Revision(
            id=found.get("id") or "",
            change_id=found.get("change_id") or "",
            summary=found.get("summary") or "",
            created=event.time,
            url=found.get("url") or "",
        )
        record = self._executions[execution]
        if record.type is ExecutionType.ROLLBACK and action.name in record.revisions:
            return
        self._executions.change(execution, revisions=immutabledict({**record.revisions, action.name: action.revision}))

    # --- approvals -------------------------------------------------------------------------------

    def _approval_requested(self, event: Event) -> None:
        detail = event.detail
        self._action(event).change(self._touched(event), token=detail.get("token"), expires=detail.get("expires"))

    def _approval_answered(self, event: Event) -> None:
        detail = event.detail
        self._action(event).change(
            self._touched(event),
            status=ANSWERS[ApprovalStatus(detail["status"])],
            changed=event.time,
            summary=detail.get("summary") or "",
            updated_by=detail.get("by") or "",
            token=None,
            expires=None,
        )

    # --- conditions and their rules --------------------------------------------------------------

    def _condition_started(self, event: Event) -> None:
        gate = _named(event.detail.get("condition"), "condition")
        result = event.detail.get("result")
        self._stage(event).conditions[gate] = ConditionRecord(
            ConditionState(
                gate=gate,
                status=ConditionExecutionStatus.IN_PROGRESS,
                changed=event.time,
                result=None if result is None else Result(result),
                execution=self._touched(event),
            )
        )

    def _condition_changed(self, event: Event) -> None:
        detail = event.detail
        condition = self._condition(event).condition
        changes: dict[str, Any] = {"status": CONDITION_CHANGES[event.kind], "changed": event.time}
        if detail.get("summary") is not None:
            changes["summary"] = detail["summary"]
        if detail.get("result") is not None:
            changes["result"] = Result(detail["result"])
        condition.change(**changes)

    def _rule_started(self, event: Event) -> None:
        name = _named(event.detail.get("rule"), "rule")
        rule = RuleState(name, event.detail.get("id"), RuleExecutionStatus.IN_PROGRESS, event.time)
        self._condition(event).rules[name] = Draft(rule)

    def _rule_ended(self, event: Event) -> None:
        detail = event.detail
        self._condition(event).rules[_named(detail.get("rule"), "rule")].change(
            status=RULE_ENDS[event.kind],
            changed=event.time,
            summary=detail.get("summary") or "",
            code=detail.get("code") or "",
            message=detail.get("message") or "",
        )

    # --- who an event is about -------------------------------------------------------------------

    def _stage(self, event: Event) -> StageRecord:
        name = _named(event.stage, "stage")
        if name not in self._stages:
            raise ValueError(f"the pipeline has no stage '{name}', only {', '.join(self._stages)}")
        stage = self._stages[name]
        stage.touch()
        return stage

    def _action(self, event: Event) -> ActionRecord:
        stage = self._stage(event)
        name = _named(event.action, "action")
        if name not in stage.actions:
            raise ValueError(f"stage '{stage.name}' has no action '{name}', only {', '.join(stage.actions)}")
        return stage.actions[name]

    def _condition(self, event: Event) -> ConditionRecord:
        return self._stage(event).conditions[_named(event.detail.get("condition"), "condition")]

    def _execution(self, event: Event) -> ExecutionState:
        name = _named(event.execution, "execution")
        if name not in self._executions:
            raise ValueError(f"execution '{name}' never started")
        return self._executions[name]

    def _touched(self, event: Event) -> str:
        name = _named(event.execution, "execution")
        if name not in self._executions:
            raise ValueError(f"execution '{name}' never started")
        self._executions.change(name, updated=event.time)
        return name


PROGRESS = ("percent", "summary", "external_id", "external_url")

BRANCHES: Mapping[EventKind, Callable[[Fold, Event], None]] = immutabledict(
    {
        EventKind.PIPELINE_CREATED: Fold._pipeline_created,
        EventKind.PIPELINE_UPDATED: Fold._pipeline_updated,
        EventKind.TRANSITION_DISABLED: Fold._transition_disabled,
        EventKind.TRANSITION_ENABLED: Fold._transition_enabled,
        EventKind.CHANGE_IGNORED: Fold._change_ignored,
        EventKind.POLL_FAILED: Fold._poll_failed,
        EventKind.EXECUTION_STARTED: Fold._execution_started,
        EventKind.EXECUTION_WAITING: Fold._execution_waiting,
        EventKind.EXECUTION_STOPPING: Fold._execution_stopping,
        EventKind.EXECUTION_RESUMED: Fold._execution_resumed,
        EventKind.STAGE_ENTERED: Fold._stage_entered,
        EventKind.STAGE_STOPPING: Fold._stage_stopping,
        EventKind.STAGE_RESUMED: Fold._stage_resumed,
        EventKind.STAGE_OVERRIDDEN: Fold._stage_overridden,
        EventKind.ACTION_STARTED: Fold._action_started,
        EventKind.ACTION_WAITING: Fold._action_waiting,
        EventKind.ACTION_WORKING: Fold._action_working,
        EventKind.ACTION_PROGRESSED: Fold._action_progressed,
        EventKind.APPROVAL_REQUESTED: Fold._approval_requested,
        EventKind.APPROVAL_ANSWERED: Fold._approval_answered,
        EventKind.CONDITION_STARTED: Fold._condition_started,
        EventKind.RULE_STARTED: Fold._rule_started,
        **dict.fromkeys(EXECUTION_ENDS, Fold._execution_ended),
        **dict.fromkeys(STAGE_ENDS, Fold._stage_ended),
        **dict.fromkeys(ACTION_ENDS, Fold._action_ended),
        **dict.fromkeys(CONDITION_CHANGES, Fold._condition_changed),
        **dict.fromkeys(RULE_ENDS, Fold._rule_ended),
    }
)


def state_at(pipeline: Pipeline, trace: Iterable[Event], time: float) -> PipelineState:
    """Return the state at one moment, everything that happened at that very moment included.

    Args:
        pipeline: the declaration that the trace begins with (`Trace.pipeline`).
        trace: the events in order.
        time: seconds since the trace's start.

    Raises:
        TraceError: the events do not fit together.
    """
    return next(states_at(pipeline, trace, (time,)))


def states_at(pipeline: Pipeline, trace: Iterable[Event], times: Iterable[float]) -> Iterator[PipelineState]:
    """Yield the states at several moments in one pass over the trace.

    Args:
        pipeline: the declaration that the trace begins with.
        trace: the events in order.
        times: seconds since the trace's start, never decreasing.

    Raises:
        ValueError: a time is smaller than the one before.
        TraceError: the events do not fit together.
    """
    fold = Fold(pipeline)
    events = iter(trace)
    ahead = next(events, None)
    before = float("-inf")
    for time in times:
        if not time >= before:
            raise ValueError(f"times must not decrease: {time} s after {before} s")
        before = time
        while ahead is not None and ahead.time <= time:
            fold.apply(ahead)
            ahead = next(events, None)
        yield fold.snapshot(time)


def _named(name: str | None, what: str) -> str:
    if name is None:
        raise ValueError(f"it names no {what}")
    return name
