"""A trace written as the service would tell it: the AWS CLI's lists and EventBridge's events.

The shapes are those of botocore's CodePipeline model and of the CodePipeline User Guide's page "Monitoring
CodePipeline events"; what a trace does not know, such as ARNs of roles, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pipesim.definition.model import Action, Pipeline
from pipesim.errors import TraceError
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import ACTION_ENDS, EXECUTION_ENDS

K = EventKind
ACCOUNT, REGION = "111122223333", "us-east-1"
BUCKET = f"codepipeline-{REGION}-{ACCOUNT}"
TIMES = ("iso", "epoch")
PIPELINE_STATES = {
    K.EXECUTION_STARTED: "STARTED",
    K.EXECUTION_SUCCEEDED: "SUCCEEDED",
    K.EXECUTION_FAILED: "FAILED",
    K.EXECUTION_STOPPING: "STOPPING",
    K.EXECUTION_STOPPED: "STOPPED",
    K.EXECUTION_SUPERSEDED: "SUPERSEDED",
    K.EXECUTION_CANCELLED: "CANCELED",
    K.EXECUTION_RESUMED: "RESUMED",
}
STAGE_STATES = {
    K.STAGE_ENTERED: "STARTED",
    K.STAGE_SUCCEEDED: "SUCCEEDED",
    K.STAGE_FAILED: "FAILED",
    K.STAGE_STOPPED: "STOPPED",
    K.STAGE_STOPPING: "STOPPING",
    K.STAGE_CANCELLED: "CANCELED",
    K.STAGE_RESUMED: "RESUMED",
}
ACTION_STATES = {
    K.ACTION_STARTED: "STARTED",
    K.ACTION_SUCCEEDED: "SUCCEEDED",
    K.ACTION_FAILED: "FAILED",
    K.ACTION_ABANDONED: "ABANDONED",
}


def to_history(trace: Trace, *, times: str = "iso") -> dict[str, list[dict[str, Any]]]:
    """Return what ``list-pipeline-executions`` and ``list-action-executions`` would answer, newest first.

    Args:
        trace: what happened.
        times: "iso": ISO 8601 with an offset, as version 2 of the AWS CLI writes; "epoch": seconds since 1970, as
            version 1 does.

    Raises:
        TraceError: `times` is neither.

    >>> import pipesim
    >>> told = to_history(pipesim.simulate(pipesim.load("GitHub -> CodeBuild -> S3"), seed=1))
    >>> [(name, len(records)) for name, records in told.items()]
    [('pipelineExecutionSummaries', 1), ('actionExecutionDetails', 3)]
    """
    if times not in TIMES:
        raise TraceError(f"times={times!r}; choose 'iso' or 'epoch'")
    clock = _Clock(trace.start, times)
    actions: list[dict[str, Any]] = []
    executions: list[dict[str, Any]] = []
    for execution in trace.executions:
        events = trace.of(execution)
        executions.append(_summary(trace.pipeline, events, clock))
        actions.extend(_details(trace.pipeline, events, clock))
    actions.sort(key=lambda record: record.pop("order"), reverse=True)
    return {"pipelineExecutionSummaries": executions[::-1], "actionExecutionDetails": actions}


def to_events(trace: Trace) -> list[dict[str, Any]]:
    """Return the EventBridge events that the service would send: states of pipeline, stage and action executions.

    Their times are whole seconds, as the service's are.

    Args:
        trace: what happened.
    """
    pipeline = trace.pipeline
    versions: dict[str, int] = {}
    names: dict[tuple[str | None, ...], str] = {}
    sent = []
    for event in trace:
        if event.execution is None:
            continue
        if event.kind is K.EXECUTION_STARTED:
            versions[event.execution] = event.detail.get("version", pipeline.version)
        place = (event.execution, event.stage, event.action)
        if event.kind is K.ACTION_STARTED:
            names[place] = _identity(event)
        told = _state(pipeline, event, names.get(place, ""))
        if told is None:
            continue
        level, detail = told
        moment = (trace.start + timedelta(seconds=event.time)).replace(microsecond=0)
        sent.append(
            {
                "version": "0",
                "id": str(uuid5(NAMESPACE_URL, f"{pipeline.name}/{event.seq}")),
                "detail-type": f"CodePipeline {level} Execution State Change",
                "source": "aws.codepipeline",
                "account": ACCOUNT,
                "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": REGION,
                "resources": [f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{pipeline.name}"],
                "detail": {
                    "pipeline": pipeline.name,
                    "execution-id": event.execution,
                    "version": float(versions.get(event.execution, pipeline.version)),
                    **detail,
                },
            }
        )
    return sent


class _Clock:
    def __init__(self, start: datetime, form: str) -> None:
        self._start = start
        self._form = form

    def at(self, seconds: float) -> str | float:
        moment = self._start.astimezone(UTC) + timedelta(seconds=seconds)
        return moment.isoformat(timespec="milliseconds") if self._form == "iso" else round(moment.timestamp(), 3)


def _summary(pipeline: Pipeline, events: tuple[Event, ...], clock: _Clock) -> dict[str, Any]:
    started = events[0]
    status, updated, summary = "InProgress", started.time, ""
    revisions: dict[str, dict[str, Any]] = {}
    reason = ""
    for event in events:
        if event.kind in EXECUTION_ENDS:
            status, updated, summary = EXECUTION_ENDS[event.kind].value, event.time, event.detail.get("summary", "")
        elif event.kind is K.EXECUTION_RESUMED:
            status, updated, summary = "InProgress", event.time, ""
        elif event.kind is K.EXECUTION_STOPPING:
            status, updated, reason = "Stopping", event.time, event.detail.get("reason") or reason
        elif event.kind is K.ACTION_SUCCEEDED and "revision" in event.detail:
            told = event.detail["revision"]
            revisions[event.action or ""] = {
                "actionName": event.action,
                "revisionId": told.get("id", ""),
                "revisionSummary": told.get("summary", ""),
            }
    detail = started.detail
    record: dict[str, Any] = {
        "pipelineExecutionId": started.execution,
        "status": status,
        "statusSummary": summary,
        "startTime": clock.at(started.time),
        "lastUpdateTime": clock.at(updated),
        "sourceRevisions": list(revisions.values()),
        "trigger": {
            "triggerType": detail.get("trigger_type", ""),
            "triggerDetail": detail.get("trigger_detail", ""),
        },
        "stopTrigger": {"reason": reason},
        "executionMode": detail.get("mode", str(pipeline.execution_mode)),
        "executionType": detail.get("execution_type", "STANDARD"),
    }
    if detail.get("rollback_target"):
        record["rollbackMetadata"] = {"rollbackTargetPipelineExecutionId": detail["rollback_target"]}
    return {key: value for key, value in record.items() if value not in ("", [], {"reason": ""})}


def _details(pipeline: Pipeline, events: tuple[Event, ...], clock: _Clock) -> list[dict[str, Any]]:
    version = events[0].detail.get("version", pipeline.version)
    found: list[dict[str, Any]] = []
    running: dict[tuple[str | None, str | None], dict[str, Any]] = {}
    for event in events:
        place = (event.stage, event.action)
        if event.kind is K.ACTION_STARTED:
            action = _action(pipeline, event)
            record = {
                "order": event.seq,
                "pipelineExecutionId": event.execution,
                "actionExecutionId": _identity(event),
                "pipelineVersion": version,
                "stageName": event.stage,
                "actionName": event.action,
                "startTime": clock.at(event.time),
                "lastUpdateTime": clock.at(event.time),
                "status": "InProgress",
                "input": _input(action, event.detail),
                "output": {},
            }
            found.append(record)
            running[place] = record
        elif event.kind in ACTION_ENDS and place in running:
            record = running.pop(place)
            record["status"] = ACTION_ENDS[event.kind].value
            record["lastUpdateTime"] = clock.at(event.time)
            record["output"] = _output(event.detail)
    return found


def _state(pipeline: Pipeline, event: Event, identity: str) -> tuple[str, dict[str, Any]] | None:
    if event.kind in PIPELINE_STATES:
        detail: dict[str, Any] = {"state": PIPELINE_STATES[event.kind]}
        if event.kind is K.EXECUTION_STARTED:
            detail["execution-trigger"] = {
                "trigger-type": event.detail.get("trigger_type", ""),
                "trigger-detail": event.detail.get("trigger_detail", ""),
            }
        if event.kind is K.EXECUTION_STOPPING:
            detail["stop-execution-comments"] = event.detail.get("reason", "")
        return "Pipeline", detail
    if event.kind in STAGE_STATES:
        return "Stage", {"state": STAGE_STATES[event.kind], "stage": event.stage}
    if event.kind not in ACTION_STATES:
        return None
    action = _action(pipeline, event)
    detail = {
        "state": ACTION_STATES[event.kind],
        "stage": event.stage,
        "action": event.action,
        "action-execution-id": identity,
        "region": REGION,
        "type": _type(action),
        "input-artifacts": _located(dict.fromkeys(action.input_artifacts, "")),
        "output-artifacts": _located(event.detail.get("outputs") or {}),
    }
    if event.kind is not K.ACTION_STARTED:
        detail["execution-result"] = {
            f"external-execution-{short}": event.detail[long]
            for short, long in (("id", "external_id"), ("url", "external_url"), ("summary", "summary"))
            if event.detail.get(long)
        } | ({"error-code": event.detail["code"]} if event.detail.get("code") else {})
    return "Action", detail


def _action(pipeline: Pipeline, event: Event) -> Action:
    for stage, action in pipeline.actions():
        if (stage.name, action.name) == (event.stage, event.action):
            return action
    raise TraceError(f"the trace runs {event.stage}/{event.action}, which its pipeline does not have")


def _identity(event: Event) -> str:
    name = f"{event.execution}/{event.stage}/{event.action}/{event.attempt}"
    return str(event.detail.get("id") or uuid5(NAMESPACE_URL, name))


def _type(action: Action) -> dict[str, str]:
    kind = action.type
    return {"category": kind.category, "owner": kind.owner, "provider": kind.provider, "version": kind.version}


def _input(action: Action, detail: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "actionTypeId": _type(action),
        "configuration": dict(action.configuration),
        "resolvedConfiguration": dict(detail.get("configuration") or action.configuration),
        "region": action.region or REGION,
        "inputArtifacts": _located(
            {name: (detail.get("inputs") or {}).get(name, "") for name in action.input_artifacts}
        ),
    }
    if action.namespace:
        record["namespace"] = action.namespace
    return record


def _output(detail: Mapping[str, Any]) -> dict[str, Any]:
    result = {
        f"externalExecution{short}": detail[long]
        for short, long in (("Id", "external_id"), ("Summary", "summary"), ("Url", "external_url"))
        if detail.get(long)
    }
    if detail.get("code"):
        result["errorDetails"] = {"code": detail["code"], "message": detail.get("message", "")}
    record: dict[str, Any] = {"executionResult": result, "outputArtifacts": _located(detail.get("outputs") or {})}
    if detail.get("variables"):
        record["outputVariables"] = dict(detail["variables"])
    return record


def _located(keys: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "s3location": {"bucket": BUCKET, "key": key}} for name, key in keys.items()]
