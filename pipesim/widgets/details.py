"""What stands behind a stage, an action or an execution: the facts that the console's detail pages show.

The facts are plain JSON. The tables of fields say in which order and under which label they are read out;
Python and the browser use the same tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipesim.trace.snapshot import ActionState, ConditionState, ExecutionState, StageState
from pipesim.trace.wording import spell
from pipesim.views.theme import WORDS

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a detail page.

    Attributes:
        key: its name in the facts.
        label: what it is called on the page.
        kind: how it is written: ``text``, ``status``, ``moment`` and ``length`` (seconds), ``map``, ``list``,
            ``execution`` (an id) or ``link``.
    """

    key: str
    label: str
    kind: str = "text"


ACTION_FIELDS = (
    Field("status", "Status", "status"),
    Field("execution", "Pipeline execution", "execution"),
    Field("attempt", "Attempt"),
    Field("started", "Started", "moment"),
    Field("ended", "Ended", "moment"),
    Field("lasted", "Duration", "length"),
    Field("code", "Error code"),
    Field("message", "Error message"),
    Field("summary", "Summary"),
    Field("by", "Answered by"),
    Field("waits", "Waits for a place in"),
    Field("percent", "Percent done"),
    Field("expires", "Times out", "moment"),
    Field("token", "Approval token"),
    Field("revision", "Source revision", "map"),
    Field("inputs", "Input artifacts", "map"),
    Field("outputs", "Output artifacts", "map"),
    Field("variables", "Output variables", "map"),
    Field("configuration", "Configuration as resolved", "map"),
    Field("id", "Action execution ID"),
    Field("external", "External execution ID"),
    Field("url", "At the provider", "link"),
)
STAGE_FIELDS = (
    Field("status", "Status", "status"),
    Field("execution", "Pipeline execution", "execution"),
    Field("inside", "Inside now", "list"),
    Field("type", "Execution type"),
    Field("attempt", "Attempt"),
    Field("entered", "Entered", "moment"),
    Field("ended", "Ended", "moment"),
    Field("retries", "Retries"),
    Field("conditions", "Conditions", "conditions"),
)
EXECUTION_FIELDS = (
    Field("status", "Status", "status"),
    Field("where", "Where"),
    Field("change", "Change"),
    Field("type", "Execution type"),
    Field("target", "Rolls back to", "execution"),
    Field("trigger", "Trigger"),
    Field("trigger_detail", "Trigger detail"),
    Field("arrived", "Change arrived", "moment"),
    Field("started", "Started", "moment"),
    Field("ended", "Ended", "moment"),
    Field("attempt", "Attempt"),
    Field("summary", "Summary"),
    Field("stop_reason", "Asked to stop because"),
    Field("superseded_by", "Superseded by", "execution"),
    Field("mode", "Execution mode"),
    Field("version", "Pipeline version"),
    Field("revisions", "Source revisions", "map"),
    Field("variables", "Pipeline variables", "map"),
)
FIELDS: Mapping[str, tuple[Field, ...]] = {
    "action": ACTION_FIELDS,
    "stage": STAGE_FIELDS,
    "execution": EXECUTION_FIELDS,
}


def action_facts(action: ActionState, begun: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of an action's newest run; empty when it never ran.

    Args:
        action: the action's state.
        begun: what its start said: ``inputs`` and ``configuration``.
    """
    latest = action.latest
    if latest is None:
        return {}
    revision = action.revision
    return _told(
        status=str(latest.status),
        execution=latest.execution,
        attempt=latest.attempt,
        started=latest.started,
        ended=latest.ended,
        lasted=None if latest.ended is None else round(latest.ended - latest.started, 3),
        code=latest.code,
        message=latest.message,
        summary=latest.summary,
        by=latest.updated_by,
        waits=latest.waiting_for,
        percent=latest.percent,
        expires=latest.expires,
        token=latest.token,
        revision=None if revision is None else _told(id=revision.id, summary=revision.summary, url=revision.url),
        inputs=dict(begun.get("inputs") or {}),
        outputs=dict(latest.outputs),
        variables=dict(latest.variables),
        configuration=dict(begun.get("configuration") or {}),
        id=latest.id,
        external=latest.external_id,
        url=latest.external_url,
    )


def stage_facts(stage: StageState) -> dict[str, Any]:
    """Return what is known of a stage: its newest execution, who is inside, its conditions."""
    latest, retry = stage.latest, stage.retry
    told: dict[str, Any] = {}
    if latest is not None:
        told = {
            "status": str(latest.status),
            "execution": latest.execution,
            "type": str(latest.type),
            "attempt": latest.attempt,
            "entered": latest.entered,
            "ended": latest.ended,
        }
    return _told(
        **told,
        inside=list(stage.occupants),
        retries=None if retry is None else f"{retry.automatic} automatic, {retry.manual} by hand",
        conditions=[_condition(condition) for condition in stage.conditions.values()],
    )


def door_facts(stage: StageState) -> dict[str, Any]:
    """Return what stands before a stage: the transition, and who waits there, the first to enter first."""
    transition = stage.transition
    return _told(
        enabled=transition.enabled,
        reason=transition.reason,
        changed=transition.changed_at,
        by=transition.changed_by,
        waiting=list(stage.inbound),
    )


def execution_facts(execution: ExecutionState) -> dict[str, Any]:
    """Return what is known of a pipeline execution."""
    where = None
    if execution.stage is not None and not execution.finished:
        where = f"waits before {execution.stage}" if execution.waiting else f"in {execution.stage}"
    elif execution.stage is not None:
        where = f"ended in {execution.stage}"
    return _told(
        number=execution.number,
        status=str(execution.status),
        where=where,
        stage=execution.stage,
        change=execution.change,
        type=str(execution.type),
        target=execution.rollback_target,
        trigger=None if execution.trigger_type is None else str(execution.trigger_type),
        trigger_detail=execution.trigger_detail,
        arrived=execution.arrived,
        started=execution.started,
        ended=execution.ended,
        attempt=execution.attempt,
        summary=execution.summary,
        stop_reason=execution.stop_reason,
        superseded_by=execution.superseded_by,
        mode=str(execution.mode),
        version=execution.version,
        revisions={name: f"{r.id} {r.summary}".strip() for name, r in execution.revisions.items()},
        variables=dict(execution.variables),
    )


def rows(kind: str, facts: Facts, start: datetime, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return facts as (label, text), in the order of a detail page.

    Args:
        kind: ``action``, ``stage`` or ``execution``.
        facts: what `action_facts`, `stage_facts` or `execution_facts` gave.
        start: the calendar moment of time zero.
        names: what executions are called, by id.
    """
    return [
        (field.label, _write(field, facts[field.key], start, names)) for field in FIELDS[kind] if field.key in facts
    ]


def _write(field: Field, value: Any, start: datetime, names: Mapping[str, str]) -> str:
    if field.kind == "status":
        return WORDS[value][2]
    if field.kind == "moment":
        moment = start + timedelta(seconds=value)
        return f"{moment:%H:%M:%S} UTC {moment:%a} {moment.day} {moment:%b %Y}, {spell(value)} after the start"
    if field.kind == "length":
        return spell(value)
    if field.kind == "execution":
        return f"{names.get(value, value)} ({value})"
    if field.kind == "list":
        return ", ".join(names.get(member, member) for member in value)
    if field.kind == "map":
        return "; ".join(f"{key}: {text}" for key, text in value.items())
    if field.kind == "conditions":
        return "; ".join(_condition_text(condition) for condition in value)
    return str(value)


def _condition_text(condition: Facts) -> str:
    rules = [
        f"rule {rule['name']} {WORDS[rule['status']][2].lower()}"
        + "".join(f": {rule[member]}" for member in ("code", "message", "summary") if member in rule)
        for rule in condition.get("rules", ())
    ]
    return f"{condition['gate']} {WORDS[condition['status']][2].lower()}" + (f" ({'; '.join(rules)})" if rules else "")


def _condition(condition: ConditionState) -> dict[str, Any]:
    return _told(
        gate=condition.gate,
        status=str(condition.status),
        execution=condition.execution,
        changed=condition.changed,
        result=None if condition.result is None else str(condition.result),
        summary=condition.summary,
        rules=[
            _told(name=r.name, status=str(r.status), code=r.code, message=r.message, summary=r.summary)
            for r in condition.rules
        ],
    )


def _told(**members: Any) -> dict[str, Any]:
    """The members that say something."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", {}, [])}
