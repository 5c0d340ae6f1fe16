"""The frozen records that a pipeline's state is made of.

They hold what the console and GetPipelineState show at one moment. Times are seconds
since the trace's start. Source of the members: the AWS CodePipeline API reference,
GetPipelineState and GetPipelineExecution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from immutabledict import immutabledict

from pipesim.vocabulary import (
    ActionExecutionStatus,
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

FINISHED_EXECUTION = frozenset(
    {
        PipelineExecutionStatus.SUCCEEDED,
        PipelineExecutionStatus.FAILED,
        PipelineExecutionStatus.STOPPED,
        PipelineExecutionStatus.SUPERSEDED,
        PipelineExecutionStatus.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True)
class TransitionState:
    """The arrow before a stage.

    Attributes:
        enabled: whether executions may enter.
        reason: why it was disabled; "" while it is enabled.
        changed_at: when it was last disabled or enabled, in seconds; None: never.
        changed_by: who did that.
    """

    enabled: bool = True
    reason: str = ""
    changed_at: float | None = None
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class StageExecution:
    """The newest passage of an execution through a stage.

    Attributes:
        execution: the pipeline execution's id.
        status: the stage's status.
        type: STANDARD, or ROLLBACK when a rollback execution runs the stage.
        attempt: 1, and one more for every retry.
        entered: when the stage lock was first taken, in seconds.
        ended: when the newest attempt ended, in seconds; None while it goes on.
    """

    execution: str
    status: StageExecutionStatus
    type: ExecutionType
    attempt: int
    entered: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class RetryMetadata:
    """How often the newest stage execution was retried, and by whom last."""

    automatic: int = 0
    manual: int = 0
    trigger: RetryTrigger | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """What a source action pinned.

    Attributes:
        id: the revision, such as a commit or an object's version.
        change_id: the change identifier, such as an ETag; "" when the source has none.
        summary: what the change says about itself.
        created: when the source action found it, in seconds.
        url: where to look at it; "" when unknown.
    """

    id: str
    change_id: str = ""
    summary: str = ""
    created: float | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class ActionExecution:
    """One run of an action.

    Attributes:
        id: the action execution's id; None when a failed poll stands here (no execution came of it).
        execution: the pipeline execution's id; None for a failed poll.
        attempt: 1, 2, … within its pipeline execution.
        status: its status; an approval's flips when it is answered, a tick before the action ends.
        started: in seconds.
        changed: when the status changed last, in seconds.
        ended: in seconds; None while it goes on.
        summary: a sentence about the outcome.
        code: the failure type (`pipesim.vocabulary.FailureType`), "" without failure.
        message: the sentence that goes with the code.
        token: the token of an open approval; None when it is no approval or is answered.
        expires: when an open approval times out, in seconds.
        external_id: the id at the provider, such as a build's.
        external_url: where the provider shows it.
        percent: how far it says it is, 0 to 100; None when it does not say.
        waiting_for: the pool it waits for a place in; None when it works.
        updated_by: who answered the approval; "" otherwise.
        variables: the output variables.
        outputs: the object key of each output artifact.
    """

    id: str | None
    execution: str | None
    attempt: int
    status: ActionExecutionStatus
    started: float
    changed: float
    ended: float | None = None
    summary: str = ""
    code: str = ""
    message: str = ""
    token: str | None = None
    expires: float | None = None
    external_id: str = ""
    external_url: str = ""
    percent: int | None = None
    waiting_for: str | None = None
    updated_by: str = ""
    variables: Mapping[str, str] = field(default_factory=immutabledict)
    outputs: Mapping[str, str] = field(default_factory=immutabledict)


@dataclass(frozen=True, slots=True)
class ActionState:
    """An action of the declaration with its newest run.

    Attributes:
        name: the action's name.
        latest: its newest run; None when it never ran.
        revision: the current revision of a source action; None otherwise.
    """

    name: str
    latest: ActionExecution | None = None
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class RuleState:
    """One rule of a condition.

    Attributes:
        name: the rule's name.
        id: the rule execution's id.
        status: its status.
        changed: when the status changed last, in seconds.
        summary: a sentence about the outcome.
        code: the failure type, "" without failure.
        message: the sentence that goes with the code.
    """

    name: str
    id: str | None
    status: RuleExecutionStatus
    changed: float
    summary: str = ""
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ConditionState:
    """The newest run of the condition at one gate of a stage.

    Attributes:
        gate: BEFORE_ENTRY, ON_SUCCESS or ON_FAILURE.
        status: its status.
        changed: when the status changed last, in seconds.
        result: what it does when its rules are not met; None when the declaration does not say.
        summary: a sentence about the outcome.
        execution: the pipeline execution's id.
        rules: its rules, in the order in which they started.
    """

    gate: str
    status: ConditionExecutionStatus
    changed: float
    result: Result | None = None
    summary: str = ""
    execution: str | None = None
    rules: tuple[RuleState, ...] = ()


@dataclass(frozen=True, slots=True)
class StageState:
    """One stage at one moment.

    Attributes:
        name: the stage's name.
        transition: the arrow before it.
        inbound: ids of the executions that wait to enter, first to enter first.
        occupants: ids of the executions inside; several only in PARALLEL mode.
        latest: the newest stage execution; None when none entered yet, and never set by
            executions in PARALLEL mode (user guide, "Set or change the pipeline execution mode").
        actions: its actions, in the order of the declaration.
        conditions: by gate; only gates whose condition has run.
        retry: how the newest stage execution was retried; None when it was not.
        inbound_ended: the execution that waited here last and was stopped, failed or cancelled at the
            door; None as soon as another one arrives.
    """

    name: str
    transition: TransitionState = field(default_factory=TransitionState)
    inbound: tuple[str, ...] = ()
    occupants: tuple[str, ...] = ()
    latest: StageExecution | None = None
    actions: tuple[ActionState, ...] = ()
    conditions: Mapping[str, ConditionState] = field(default_factory=immutabledict)
    retry: RetryMetadata | None = None
    inbound_ended: str | None = None

    def action(self, name: str) -> ActionState:
        """Return the state of the action of this name; KeyError when there is none."""
        for action in self.actions:
            if action.name == name:
                return action
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """One pipeline execution at one moment.

    Attributes:
        id: the execution's id.
        number: 1, 2, … in the order of the starts.
        status: its status; InProgress also while it waits before a stage.
        started: in seconds.
        updated: when anything happened to it last, in seconds.
        ended: in seconds; None while it is unfinished.
        summary: a sentence about the outcome, such as why it was stopped.
        version: the version of the declaration it runs under.
        mode: the execution mode it runs under.
        type: STANDARD or ROLLBACK.
        trigger_type: why it started; None when the trace does not say.
        trigger_detail: more about that, such as who.
        rollback_target: the execution whose revisions a rollback brings back.
        variables: pipeline variables as bound at the start.
        revisions: what its source actions pinned, by action name; a rollback shows its target's.
        overrides: revisions asked for at the start, by action name: type and value.
        change: the label of the change that it carries; "" when it has none.
        arrived: when the change arrived, in seconds; never after `started`.
        stage: the stage it is in, waits for, or was in last; None before the first.
        waiting: whether it waits before `stage`.
        stop_reason: why somebody asked it to stop; None when nobody did, "" without a reason.
        stop_abandons: whether the stop abandons running actions.
        superseded_by: the execution that took its place in front of a stage.
        attempt: 1, and one more for every retry of any of its stages.
    """

    id: str
    number: int
    status: PipelineExecutionStatus
    started: float
    updated: float
    ended: float | None = None
    summary: str = ""
    version: int = 1
    mode: ExecutionMode = ExecutionMode.SUPERSEDED
    type: ExecutionType = ExecutionType.STANDARD
    trigger_type: TriggerType | None = None
    trigger_detail: str = ""
    rollback_target: str | None = None
    variables: Mapping[str, str] = field(default_factory=immutabledict)
    revisions: Mapping[str, Revision] = field(default_factory=immutabledict)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=immutabledict)
    change: str = ""
    arrived: float = 0.0
    stage: str | None = None
    waiting: bool = False
    stop_reason: str | None = None
    stop_abandons: bool = False
    superseded_by: str | None = None
    attempt: int = 1

    @property
    def finished(self) -> bool:
        """Whether its status is a final one (a retry can still bring Failed and Stopped back)."""
        return self.status in FINISHED_EXECUTION


@dataclass(frozen=True, slots=True)
class PipelineState:
    """A whole pipeline at one moment.

    Attributes:
        name: the pipeline's name.
        version: the declaration's version in force.
        time: the moment, in seconds since the trace's start.
        stages: its stages, in the order of the declaration.
        executions: every execution so far by id, in the order of the starts.
        mode: the execution mode in force.
        created: when the pipeline was created, in seconds.
        updated: when its declaration was last updated, in seconds.
        ignored: how many changes arrived and started nothing.
    """

    name: str
    version: int
    time: float
    stages: tuple[StageState, ...]
    executions: Mapping[str, ExecutionState]
    mode: ExecutionMode = ExecutionMode.SUPERSEDED
    created: float = 0.0
    updated: float = 0.0
    ignored: int = 0

    def stage(self, name: str) -> StageState:
        """Return the state of the stage of this name; KeyError when there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)
