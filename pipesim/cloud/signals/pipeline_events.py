"""CodePipeline's three events, read off the trace as it is written: nothing here remembers a state of its own.

Source: AWS CodePipeline User Guide, "Monitoring CodePipeline events" (detail types, states and members); recorded
events of the service: the first stage events of an execution carry attempt 0, all others 1; after a retry all carry the
execution's attempt; a manual approval that starts has no input artifacts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pipesim.cloud.codepipeline.execution_history import artifacts_of, result_of
from pipesim.cloud.signals.metrics import measure
from pipesim.trace.events import Event, EventKind
from pipesim.vocabulary import ActionExecutionStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord
    from pipesim.engine.execution import Execution

SOURCE = "aws.codepipeline"
PIPELINE = "CodePipeline Pipeline Execution State Change"
STAGE = "CodePipeline Stage Execution State Change"
ACTION = "CodePipeline Action Execution State Change"

PIPELINE_STATES = {
    EventKind.EXECUTION_STARTED: "STARTED",
    EventKind.EXECUTION_SUCCEEDED: "SUCCEEDED",
    EventKind.EXECUTION_FAILED: "FAILED",
    EventKind.EXECUTION_STOPPING: "STOPPING",
    EventKind.EXECUTION_STOPPED: "STOPPED",
    EventKind.EXECUTION_SUPERSEDED: "SUPERSEDED",
    EventKind.EXECUTION_CANCELLED: "CANCELED",
    EventKind.EXECUTION_RESUMED: "RESUMED",
}
STAGE_STATES = {
    EventKind.STAGE_ENTERED: "STARTED",
    EventKind.STAGE_SUCCEEDED: "SUCCEEDED",
    EventKind.STAGE_FAILED: "FAILED",
    EventKind.STAGE_STOPPING: "STOPPING",
    EventKind.STAGE_STOPPED: "STOPPED",
    EventKind.STAGE_CANCELLED: "CANCELED",
    EventKind.STAGE_RESUMED: "RESUMED",
}
ACTION_STATES = {
    EventKind.ACTION_STARTED: "STARTED",
    EventKind.ACTION_SUCCEEDED: "SUCCEEDED",
    EventKind.ACTION_FAILED: "FAILED",
    EventKind.ACTION_ABANDONED: "ABANDONED",
}
"""The states of each level by the event of the trace; a stage that was skipped announces nothing."""


class Announcer:
    """Puts an event on the bus for each event of one pipeline's trace that the service announces.

    Args:
        account: where the pipeline is.
        record: the pipeline.
    """

    def __init__(self, account: Account, record: PipelineRecord) -> None:
        self._account = account
        self._record = record
        self._actions: dict[tuple[str | None, str | None, str | None], str] = {}
        self._began: dict[tuple[str | None, str | None], float] = {}

    def hear(self, event: Event) -> None:
        """Announce one event of the trace."""
        branch = BRANCHES.get(event.kind)
        if branch is not None and event.execution is not None:
            execution = self._record.simulation.executions.get(event.execution)
            if execution is not None:
                branch(self, event, execution)

    def _pipeline(self, event: Event, execution: Execution) -> None:
        place = (event.execution, None)
        if event.kind is EventKind.EXECUTION_STARTED:
            self._began[place] = event.time
        detail: dict[str, Any] = {
            "pipeline": self._record.name,
            "execution-id": execution.id,
            "start-time": self._moment(self._began.get(place, event.time)),
            "state": PIPELINE_STATES[event.kind],
            "version": float(execution.plan.version),
            "pipeline-execution-attempt": float(event.attempt or execution.attempt),
        }
        if event.kind is EventKind.EXECUTION_STARTED:
            kind, said = event.detail["trigger_type"], event.detail.get("trigger_detail") or ""
            detail["execution-trigger"] = trigger_of(str(kind), said)
        if event.kind is EventKind.EXECUTION_RESUMED:
            detail["last-retry-attempt-time"] = self._moment(event.time)
        comments = event.detail.get("reason")
        if event.kind in (EventKind.EXECUTION_STOPPING, EventKind.EXECUTION_STOPPED) and comments:
            detail["stop-execution-comments"] = comments
        self._publish(PIPELINE, detail)
        measure(self._account, self._record.name, event.kind, event.time - self._began.get(place, event.time))

    def _stage(self, event: Event, execution: Execution) -> None:
        place = (event.execution, event.stage)
        if event.kind in (EventKind.STAGE_ENTERED, EventKind.STAGE_RESUMED):
            self._began[place] = event.time
        detail = {
            "pipeline": self._record.name,
            "execution-id": execution.id,
            "start-time": self._moment(self._began.get(place, event.time)),
            "stage": event.stage,
            "state": STAGE_STATES[event.kind],
            "version": float(execution.plan.version),
            "pipeline-execution-attempt": float(execution.attempt if execution.attempt > 1 else 0),
        }
        if event.kind is EventKind.STAGE_RESUMED:
            detail["stage-last-retry-attempt-time"] = self._moment(event.time)
        self._publish(STAGE, detail)

    def _action(self, event: Event, execution: Execution) -> None:
        place = (event.execution, event.stage, event.action)
        if event.kind is EventKind.ACTION_STARTED:
            self._actions[place] = event.detail["id"]
        row = self._record.history.refresh().action(self._actions[place])
        if row is None:
            return
        action, account = row.action, self._account
        detail = {
            "pipeline": self._record.name,
            "execution-id": execution.id,
            "start-time": self._moment(row.started),
            "stage": row.stage,
            "action": action.name,
            "action-execution-id": row.id,
            "state": ACTION_STATES[event.kind],
            "region": action.region or account.region,
            "type": {
                "owner": str(action.type.owner),
                "provider": action.type.provider,
                "category": str(action.category),
                "version": action.type.version,
            },
            "version": float(row.pipeline.version),
            "pipeline-execution-attempt": float(execution.attempt),
        }
        if row.inputs:
            detail["input-artifacts"] = artifacts_of(account, row, row.inputs)
        if row.outputs:
            detail["output-artifacts"] = artifacts_of(account, row, row.outputs)
        result = result_of(row, row.status is not ActionExecutionStatus.IN_PROGRESS)
        told = _result(result)
        if event.kind is EventKind.ACTION_FAILED and event.detail.get("code"):
            told["error-code"] = str(event.detail["code"])
        if told:
            detail["execution-result"] = told
        self._publish(ACTION, detail)

    def _publish(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        self._account.bus.publish(SOURCE, detail_type, detail, resources=(self._record.arn,))

    def _moment(self, time: float) -> str:
        return self._account.moment(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def trigger_of(kind: str, detail: str) -> dict[str, str]:
    """Return ``execution-trigger``: what started an execution, and for Git which change.

    Args:
        kind: the trigger's type.
        detail: what the execution keeps of it; for Git a JSON object.

    >>> trigger_of("WebhookV2", '{"BranchName": "main", "CommitId": "c0ffee"}')["branch-name"]
    'main'
    """
    trigger = {"trigger-type": kind, "trigger-detail": detail}
    if detail.startswith("{"):
        try:
            members = json.loads(detail)
        except ValueError:
            return trigger
        for name, value in members.items():
            if (member := GIT_MEMBERS.get(name, name)) in GIT_NAMES and value:
                trigger[member] = str(value)
    return trigger


GIT_MEMBERS = {
    "AuthorDate": "author-date",
    "AuthorDisplayName": "author-display-name",
    "AuthorEmail": "author-email",
    "AuthorId": "author-id",
    "BranchName": "branch-name",
    "CommitId": "commit-id",
    "CommitMessage": "commit-message",
    "ConnectionArn": "connection-arn",
    "FullRepositoryName": "full-repository-name",
    "FullRepositoryId": "full-repository-name",
    "ProviderType": "provider-type",
    "PullRequestId": "pull-request-id",
    "PullRequestTitle": "pull-request-title",
    "TagName": "tag-name",
}
GIT_NAMES = frozenset(GIT_MEMBERS.values()) | {"pull-request-event", "target-branch-name"}


def _result(result: Mapping[str, Any]) -> dict[str, str]:
    members = {
        "external-execution-url": result.get("externalExecutionUrl"),
        "external-execution-summary": result.get("externalExecutionSummary"),
        "external-execution-id": result.get("externalExecutionId"),
        "error-code": result.get("errorDetails", {}).get("code"),
    }
    return {name: value for name, value in members.items() if value}


BRANCHES: Mapping[EventKind, Callable[[Announcer, Event, Any], None]] = {
    **dict.fromkeys(PIPELINE_STATES, Announcer._pipeline),
    **dict.fromkeys(STAGE_STATES, Announcer._stage),
    **dict.fromkeys(ACTION_STATES, Announcer._action),
}
