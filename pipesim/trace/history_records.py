"""What a real account tells of a pipeline, brought into one form: one record an action attempt, one an execution.

The shapes are those of ``aws codepipeline list-action-executions`` and ``list-pipeline-executions`` (botocore's
CodePipeline model: ActionExecutionDetail, PipelineExecutionSummary) and of EventBridge's three detail types
"CodePipeline Pipeline / Stage / Action Execution State Change" (CodePipeline User Guide, "Monitoring CodePipeline
events"). Times are seconds since 1970 here; `history` makes them seconds since the trace's start.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipesim.errors import TraceError

DONE = {"Succeeded", "Failed", "Abandoned"}
ENDED = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}
ACTION_STATES = {
    "STARTED": "InProgress",
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "ABANDONED": "Abandoned",
    "CANCELED": "Abandoned",
}
EXECUTION_STATES = {
    "STARTED": "InProgress",
    "RESUMED": "InProgress",
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "STOPPING": "Stopping",
    "STOPPED": "Stopped",
    "SUPERSEDED": "Superseded",
    "CANCELED": "Cancelled",
}
MILLISECONDS_FROM = 1e11
NUMBER = re.compile(r"\d+(\.\d+)?")
SAME = 2.0
"""Seconds by which two clocks of the service may differ: EventBridge knows whole seconds, the lists milliseconds."""


@dataclass(slots=True)
class ActionRecord:
    """One attempt of one action.

    Attributes:
        status: InProgress, Succeeded, Failed or Abandoned.
        start: None when no record tells it.
        end: None while it runs, or when no record tells it.
        inferred: which of its times was concluded from its neighbours: "start", "end" or "".
    """

    execution: str
    stage: str
    action: str
    id: str = ""
    status: str = "InProgress"
    start: float | None = None
    end: float | None = None
    seen: float = 0.0
    precise: bool = False
    version: int | None = None
    type: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    namespace: str | None = None
    region: str | None = None
    role: str | None = None
    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    code: str = ""
    message: str = ""
    inferred: str = ""

    @property
    def key(self) -> str:
        """``Stage/Action``."""
        return f"{self.stage}/{self.action}"

    @property
    def begun(self) -> float:
        """When it began; only for records that `complete` has seen."""
        assert self.start is not None
        return self.start


@dataclass(slots=True)
class ExecutionRecord:
    """One pipeline execution.

    Attributes:
        status: the newest that a record tells; None when only its actions are known.
        start: None when no record tells it.
        updated: when the newest status was reached.
        stopping: when somebody asked for the stop; None when unknown.
        stages: what EventBridge says of its stages: (time, stage, state).
    """

    id: str
    status: str | None = None
    start: float | None = None
    updated: float = 0.0
    precise: bool = False
    summary: str = ""
    trigger_type: str | None = None
    trigger_detail: str | None = None
    mode: str | None = None
    type: str | None = None
    rollback_target: str | None = None
    version: int | None = None
    stop_reason: str = ""
    stopping: float | None = None
    revisions: tuple[Mapping[str, Any], ...] = ()
    stages: list[tuple[float, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Records:
    """Everything that the sources tell, each thing once.

    Attributes:
        actions: every attempt of every action.
        executions: by id.
        names: the names of the pipelines that EventBridge events come from.
        latest: the latest moment that any record names.
    """

    actions: list[ActionRecord] = field(default_factory=list)
    executions: dict[str, ExecutionRecord] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    latest: float = 0.0


class Gathering:
    """Takes records in any order, with duplicates, and puts them together.

    Args:
        only: the name of the pipeline whose EventBridge events are wanted; None: all.
    """

    def __init__(self, only: str | None = None) -> None:
        self._only = only
        self._named: dict[tuple[str, str], ActionRecord] = {}
        self._states: dict[tuple[str, str, str], list[tuple[float, int, Mapping[str, Any]]]] = defaultdict(list)
        self._executions: dict[str, ExecutionRecord] = {}
        self._names: dict[str, None] = {}
        self._latest = 0.0

    def take(self, record: Mapping[str, Any]) -> None:
        """Take one record: an action execution, an execution's summary, or an event.

        Raises:
            TraceError: it lacks what every such record has, or contradicts an earlier one.
        """
        if "detail-type" in record:
            self._event(record)
        elif "actionName" in record:
            self._action(record)
        else:
            self._execution(record)

    def records(self) -> Records:
        """Return all that was taken."""
        actions = [*self._named.values(), *self._nameless()]
        for action in actions:
            self._of(action.execution)
        return Records(actions, self._executions, self._names, self._latest)

    def _action(self, record: Mapping[str, Any]) -> None:
        where = f"action execution {record.get('actionExecutionId') or record.get('actionName')}"
        execution = _needed(record, "pipelineExecutionId", where)
        status = _needed(record, "status", where)
        if status not in {"InProgress", *DONE}:
            raise TraceError(f"{where} has the status '{status}'; actions are InProgress, {', '.join(sorted(DONE))}")
        start = self._moment(record, "startTime", where)
        updated = self._moment(record, "lastUpdateTime", where)
        given, made = _table(record, "input"), _table(record, "output")
        result = _table(made, "executionResult")
        trouble = _table(result, "errorDetails")
        found = ActionRecord(
            execution=execution,
            stage=_needed(record, "stageName", where),
            action=_needed(record, "actionName", where),
            id=str(record.get("actionExecutionId") or ""),
            status=status,
            start=start,
            end=updated if status in DONE else None,
            seen=updated or start or 0.0,
            precise=True,
            version=_whole(record.get("pipelineVersion")),
            type=_table(given, "actionTypeId"),
            configuration=_texts(_table(given, "configuration")),
            inputs=_artifacts(given.get("inputArtifacts")),
            outputs=_artifacts(made.get("outputArtifacts")),
            variables=_texts(_table(made, "outputVariables")),
            namespace=given.get("namespace"),
            region=given.get("region"),
            role=given.get("roleArn"),
            summary=str(result.get("externalExecutionSummary") or ""),
            external_id=str(result.get("externalExecutionId") or ""),
            external_url=str(result.get("externalExecutionUrl") or ""),
            code=str(trouble.get("code") or ""),
            message=str(trouble.get("message") or ""),
        )
        self._keep(found)

    def _keep(self, found: ActionRecord) -> None:
        key = (found.execution, found.id or f"{found.key}/{found.start}")
        known = self._named.get(key)
        if known is None:
            self._named[key] = found
            return
        if {known.status, found.status} <= DONE and known.status != found.status:
            raise TraceError(
                f"action execution {found.id} of {found.key} is {known.status} in one record and {found.status} in "
                "another; leave the wrong one out"
            )
        newer, older = (found, known) if _rank(found) >= _rank(known) else (known, found)
        for member in ("type", "configuration", "inputs", "outputs", "variables"):
            setattr(newer, member, getattr(newer, member) or getattr(older, member))
        for member in ("summary", "external_id", "external_url", "code", "message", "namespace", "region", "version"):
            setattr(newer, member, getattr(newer, member) or getattr(older, member))
        if newer.start is None or (older.precise and not newer.precise and older.start is not None):
            newer.start = older.start
        if newer.end is None:
            newer.end = older.end
        self._named[key] = newer

    def _execution(self, record: Mapping[str, Any]) -> None:
        where = f"execution {record.get('pipelineExecutionId')}"
        execution = self._of(_needed(record, "pipelineExecutionId", where))
        status = record.get("status")
        if status is not None and status not in {"InProgress", "Stopping", *ENDED}:
            raise TraceError(f"{where} has the status '{status}', which no pipeline execution has")
        trigger, rollback = _table(record, "trigger"), _table(record, "rollbackMetadata")
        start = self._moment(record, "startTime", where)
        updated = self._moment(record, "lastUpdateTime", where) or start or 0.0
        if start is not None:
            execution.start = start
        if status is not None and (not execution.precise or updated >= execution.updated):
            stale = not execution.precise and execution.updated > updated + SAME
            if not stale:
                execution.status, execution.updated, execution.precise = status, updated, True
        execution.summary = str(record.get("statusSummary") or execution.summary)
        execution.trigger_type = trigger.get("triggerType") or execution.trigger_type
        execution.trigger_detail = trigger.get("triggerDetail") or execution.trigger_detail
        execution.mode = record.get("executionMode") or execution.mode
        execution.type = record.get("executionType") or execution.type
        execution.rollback_target = rollback.get("rollbackTargetPipelineExecutionId") or execution.rollback_target
        execution.version = _whole(record.get("pipelineVersion")) or execution.version
        execution.stop_reason = str(_table(record, "stopTrigger").get("reason") or execution.stop_reason)
        revisions = record.get("sourceRevisions") or record.get("artifactRevisions") or ()
        execution.revisions = tuple(one for one in revisions if isinstance(one, Mapping)) or execution.revisions

    def _event(self, record: Mapping[str, Any]) -> None:
        detail = _table(record, "detail")
        kind = str(record["detail-type"])
        if not kind.startswith("CodePipeline ") or "execution-id" not in detail:
            return
        name = detail.get("pipeline")
        if self._only is not None and name is not None and name != self._only:
            return
        if name:
            self._names[str(name)] = None
        where = f"event {record.get('id') or kind}"
        time = self._moment(record, "time", where)
        if time is None:
            raise TraceError(f"{where} has no time")
        execution = self._of(_needed(detail, "execution-id", where))
        execution.version = _whole(detail.get("version")) or execution.version
        state = _needed(detail, "state", where)
        if kind.startswith("CodePipeline Pipeline"):
            self._pipeline_event(execution, time, state, detail, where)
        elif kind.startswith("CodePipeline Stage"):
            execution.stages.append((time, _needed(detail, "stage", where), state))
        elif kind.startswith("CodePipeline Action"):
            self._action_event(execution.id, time, state, detail, where)

    def _pipeline_event(
        self, execution: ExecutionRecord, time: float, state: str, detail: Mapping[str, Any], where: str
    ) -> None:
        if state not in EXECUTION_STATES:
            raise TraceError(f"{where} has the state '{state}', which no pipeline execution has")
        trigger = _table(detail, "execution-trigger")
        execution.trigger_type = trigger.get("trigger-type") or execution.trigger_type
        execution.trigger_detail = trigger.get("trigger-detail") or execution.trigger_detail
        execution.stop_reason = str(detail.get("stop-execution-comments") or execution.stop_reason)
        if state == "STARTED" and execution.start is None:
            execution.start = time
        if state == "STOPPING":
            execution.stopping = time
        margin = SAME if execution.precise else 0.0
        status = EXECUTION_STATES[state]
        later = time > execution.updated + margin
        final = time >= execution.updated - margin and status in ENDED and execution.status not in ENDED
        if execution.status is None or later or final:
            execution.status, execution.updated, execution.precise = status, time, False

    def _action_event(self, execution: str, time: float, state: str, detail: Mapping[str, Any], where: str) -> None:
        if state not in ACTION_STATES:
            raise TraceError(f"{where} has the state '{state}', which no action execution has")
        stage, action = _needed(detail, "stage", where), _needed(detail, "action", where)
        status = ACTION_STATES[state]
        identity = detail.get("action-execution-id")
        if not identity:
            self._states[execution, stage, action].append((time, status != "InProgress", detail))
            return
        self._keep(_from_event(execution, stage, action, str(identity), time, status, detail))

    def _nameless(self) -> list[ActionRecord]:
        """Pair the states of events that do not name the attempt: a start with the end that follows it."""
        found: list[ActionRecord] = []
        told = {(record.execution, record.stage, record.action) for record in self._named.values()}
        for place, states in self._states.items():
            if place in told:
                continue
            running: ActionRecord | None = None
            last: tuple[float, str] | None = None
            for time, _, detail in sorted(states, key=lambda entry: entry[:2]):
                state = str(detail["state"])
                if last == (time, state):
                    continue
                last = (time, state)
                record = _from_event(*place, "", time, ACTION_STATES[state], detail)
                if record.status == "InProgress":
                    found.append(record)
                    running = record
                elif running is None:
                    found.append(record)
                else:
                    running.status, running.end, running.seen = record.status, record.end, record.seen
                    running.summary, running.code = record.summary, record.code
                    running.external_id, running.external_url = record.external_id, record.external_url
                    running.outputs = record.outputs
                    running = None
        return found

    def _of(self, execution: str) -> ExecutionRecord:
        return self._executions.setdefault(execution, ExecutionRecord(execution))

    def _moment(self, record: Mapping[str, Any], member: str, where: str) -> float | None:
        value = record.get(member)
        if value is None:
            return None
        try:
            time = moment(value)
        except ValueError:
            raise TraceError(
                f"{where}: {member} {value!r} is no moment; write ISO 8601 such as 2026-03-02T09:00:00Z, "
                "or seconds since 1970"
            ) from None
        self._latest = max(self._latest, time)
        return time


def moment(value: object) -> float:
    """Return a moment as seconds since 1970.

    Args:
        value: seconds or milliseconds since 1970, as number or text; ISO 8601 text, in UTC unless it has an offset;
            or a datetime, as boto3 returns it.

    Raises:
        ValueError: it is none of these.

    >>> moment("2026-03-02T10:00:00+01:00") == moment(1772442000) == moment("2026-03-02 09:00:00Z")
    True
    """
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, str):
        if not NUMBER.fullmatch(value.strip()):
            return moment(datetime.fromisoformat(value.strip()))
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e14:
        raise ValueError(f"{value!r} is no moment")
    return float(value) / 1000 if value > MILLISECONDS_FROM else float(value)


def _from_event(
    execution: str, stage: str, action: str, identity: str, time: float, status: str, detail: Mapping[str, Any]
) -> ActionRecord:
    result = _table(detail, "execution-result")
    return ActionRecord(
        execution=execution,
        stage=stage,
        action=action,
        id=identity,
        status=status,
        start=time if status == "InProgress" else None,
        end=None if status == "InProgress" else time,
        seen=time,
        version=_whole(detail.get("version")),
        type=_table(detail, "type"),
        inputs=_artifacts(detail.get("input-artifacts")),
        outputs=_artifacts(detail.get("output-artifacts")),
        region=detail.get("region"),
        summary=str(result.get("external-execution-summary") or ""),
        external_id=str(result.get("external-execution-id") or ""),
        external_url=str(result.get("external-execution-url") or ""),
        code=str(result.get("error-code") or ""),
    )


def _rank(record: ActionRecord) -> tuple[bool, bool, float]:
    return record.status in DONE, record.precise, record.seen


def _needed(record: Mapping[str, Any], member: str, where: str) -> str:
    value = record.get(member)
    if not isinstance(value, str) or not value:
        raise TraceError(f"{where} has no {member}")
    return value


def _table(record: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    value = record.get(member)
    return value if isinstance(value, Mapping) else {}


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in table.items()}


def _whole(value: object) -> int | None:
    try:
        return int(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _artifacts(found: object) -> dict[str, str]:
    """The object key of each artifact, from either spelling; an empty key when it is not told."""
    if not isinstance(found, Iterable) or isinstance(found, str | Mapping):
        return {}
    keys = {}
    for artifact in found:
        if isinstance(artifact, Mapping) and artifact.get("name"):
            place = _table(artifact, "s3location") or _table(artifact, "s3Location")
            keys[str(artifact["name"])] = str(place.get("key") or "")
    return keys
