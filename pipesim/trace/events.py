"""The words of the trace: one flat record type and its kinds.

The engine writes these records, everything else reads them: the fold, the spans,
the measures, every picture, every API answer. Kinds are past tense, and each lists
here what its `detail` holds. Times are seconds since the trace's start.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from immutabledict import immutabledict

NOTHING: Mapping[str, Any] = immutabledict()


class EventKind(StrEnum):
    """Every kind of event; the comment lists the members of `detail` (all but the first optional)."""

    # --- the pipeline itself -----------------------------------------------------------------
    PIPELINE_CREATED = "PipelineCreated"  # always the first event
    #   document (AWS JSON), start (ISO 8601, UTC), pools {name: capacity}
    PIPELINE_UPDATED = "PipelineUpdated"  # document, version
    TRANSITION_DISABLED = "TransitionDisabled"  # stage=; reason, by
    TRANSITION_ENABLED = "TransitionEnabled"  # stage=; by
    CHANGE_IGNORED = "ChangeIgnored"  # a change that started nothing: reason, change
    POLL_FAILED = "PollFailed"  # stage=, action=; code, message: a polled source cannot be read

    # --- one pipeline execution --------------------------------------------------------------
    EXECUTION_STARTED = "ExecutionStarted"
    #   number (1, 2, …), trigger_type, trigger_detail, execution_type (only ROLLBACK), rollback_target,
    #   version (of the declaration), mode, change (label of the change), arrived (time, when before `time`),
    #   variables {name: value}, revisions {action: {type, value}} (overrides)
    EXECUTION_WAITING = "ExecutionWaiting"  # stage=; it reached this stage's door and cannot enter at once
    EXECUTION_SUCCEEDED = "ExecutionSucceeded"
    EXECUTION_FAILED = "ExecutionFailed"  # summary
    EXECUTION_SUPERSEDED = "ExecutionSuperseded"  # stage= where it waited; by (execution that replaced it)
    EXECUTION_CANCELLED = "ExecutionCancelled"  # summary
    EXECUTION_STOPPING = "ExecutionStopping"  # reason, abandon (bool), by
    EXECUTION_STOPPED = "ExecutionStopped"  # stage= when it waited there; reason
    EXECUTION_RESUMED = "ExecutionResumed"  # stage=, attempt= (the pipeline's: 2, 3, …)

    # --- one stage execution -----------------------------------------------------------------
    STAGE_ENTERED = "StageEntered"  # the stage lock is taken
    STAGE_SUCCEEDED = "StageSucceeded"  # these five end the stage execution and free the lock
    STAGE_FAILED = "StageFailed"  # retry_pending (True while an automatic retry will follow, lock kept)
    STAGE_STOPPED = "StageStopped"
    STAGE_SKIPPED = "StageSkipped"
    STAGE_CANCELLED = "StageCancelled"
    STAGE_STOPPING = "StageStopping"
    STAGE_RESUMED = "StageResumed"  # mode, trigger (RetryTrigger), automatic (count), manual (count)
    STAGE_OVERRIDDEN = "StageOverridden"  # a failed success condition was overridden: condition

    # --- one action execution ----------------------------------------------------------------
    ACTION_STARTED = "ActionStarted"
    #   attempt is a column; id, configuration (resolved, only when it differs), inputs {artifact: key},
    #   pool (the pool it takes a place of, or waits for when ActionWaiting follows),
    #   transfer (seconds for which artifacts are copied before it works)
    ACTION_WAITING = "ActionWaiting"  # pool: no free place; it is InProgress and does not work yet
    ACTION_WORKING = "ActionWorking"  # pool: a place came free
    ACTION_PROGRESSED = "ActionProgressed"  # percent (0 to 100), summary, external_id, external_url
    ACTION_SUCCEEDED = "ActionSucceeded"
    #   summary, external_id, external_url, variables {key: value}, outputs {artifact: key},
    #   sizes {artifact: bytes}, revision {id, change_id, summary}
    ACTION_FAILED = "ActionFailed"  # code (FailureType), message, summary, external_id, external_url
    ACTION_ABANDONED = "ActionAbandoned"  # summary

    # --- approvals ---------------------------------------------------------------------------
    APPROVAL_REQUESTED = "ApprovalRequested"  # token, expires (time)
    APPROVAL_ANSWERED = "ApprovalAnswered"  # status (ApprovalStatus), summary, by; the action ends a tick later

    # --- conditions and their rules ----------------------------------------------------------
    CONDITION_STARTED = "ConditionStarted"  # condition (BEFORE_ENTRY, ON_SUCCESS, ON_FAILURE), result
    CONDITION_SUCCEEDED = "ConditionSucceeded"  # condition
    CONDITION_FAILED = "ConditionFailed"  # condition, result, summary
    CONDITION_ERRORED = "ConditionErrored"  # condition, summary
    CONDITION_CANCELLED = "ConditionCancelled"  # condition
    CONDITION_ABANDONED = "ConditionAbandoned"  # condition
    CONDITION_OVERRIDDEN = "ConditionOverridden"  # condition, by
    RULE_STARTED = "RuleStarted"  # condition, rule, id
    RULE_SUCCEEDED = "RuleSucceeded"  # condition, rule, summary
    RULE_FAILED = "RuleFailed"  # condition, rule, code, message
    RULE_ABANDONED = "RuleAbandoned"  # condition, rule


class Event(NamedTuple):
    """One thing that happened.

    Attributes:
        time: seconds since the trace's start; never smaller than the time of the event before.
        seq: its place in the trace, from 0.
        kind: what happened.
        execution: the pipeline execution's id, or None when it concerns the pipeline.
        stage: the stage's name, or None.
        action: the action's name, or None.
        attempt: for action and stage events, which attempt of that action or stage (1, 2, …);
            for ExecutionResumed, which of the execution; else None.
        detail: what the kind adds (see `EventKind`); never None. Only values that JSON knows, text as keys,
            and no member named like one of the columns above, because a stored line is flat.
    """

    time: float
    seq: int
    kind: EventKind
    execution: str | None = None
    stage: str | None = None
    action: str | None = None
    attempt: int | None = None
    detail: Mapping[str, Any] = NOTHING
