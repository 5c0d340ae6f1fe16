"""The trace in words: one plain sentence for every kind of event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from immutabledict import immutabledict

from pipesim.trace.events import Event, EventKind
from pipesim.trace.wording import calendar, clock, columns, one_line, spell

K = EventKind

GATES: Mapping[str, str] = immutabledict(
    {"BEFORE_ENTRY": "entry condition", "ON_SUCCESS": "success condition", "ON_FAILURE": "failure condition"}
)


def describe(event: Event, start: datetime | None = None) -> str:
    """Return one line: when, and what happened.

    Args:
        event: what happened.
        start: the calendar moment of time zero, to write calendar time; None: time since the start.

    >>> describe(Event(492.0, 8, EventKind.STAGE_ENTERED, "E1", "Build"))
    '00:08:12  E1 entered stage Build.'
    """
    return f"{_moment(event, start)}  {sentence(event)}"


def sentence(event: Event) -> str:
    """Return what happened as one plain sentence, without the time.

    Args:
        event: what happened.

    >>> sentence(Event(5.0, 1, EventKind.TRANSITION_DISABLED, stage="Prod", detail={"reason": "holidays"}))
    'The transition into Prod was disabled: holidays.'
    """
    return one_line(SENTENCES[event.kind](event))


def format_trace(events: Iterable[Event], start: datetime | None = None) -> str:
    """Return events as an aligned table for a terminal: time, execution, stage, action, what happened.

    Args:
        events: such as a `Trace` or a part of it.
        start: the calendar moment of time zero, to write calendar time; None: time since the start.
    """
    told = list(events)
    places = max((len(clock(event.time).partition(".")[2]) for event in told), default=0)
    rows = [["time", "execution", "stage", "action", "what happened"]]
    for event in told:
        names = [one_line(name or "") for name in (event.execution, event.stage, event.action)]
        rows.append([_moment(event, start, places), *names, sentence(event)])
    return columns(rows, right=[0])


def _moment(event: Event, start: datetime | None, places: int | None = None) -> str:
    return clock(event.time, places) if start is None else calendar(start, event.time)


def _because(event: Event, *members: str) -> str:
    """The first of these members that says something, after a colon; and the full stop."""
    for member in members:
        text = event.detail.get(member)
        if text:
            return f": {str(text).rstrip('.')}."
    return "."


def _by(event: Event) -> str:
    who = event.detail.get("by")
    return f" by {who}" if who else ""


def _again(event: Event) -> str:
    return f" (attempt {event.attempt})" if event.attempt is not None and event.attempt > 1 else ""


def _gate(event: Event) -> str:
    gate = str(event.detail.get("condition") or "")
    return f"The {GATES.get(gate, 'condition')} of {event.stage}"


def _rule(event: Event) -> str:
    name = event.detail.get("rule")
    return f"{event.execution}: {f'rule {name}' if name else 'a rule'} of {event.stage}"


def _created(event: Event) -> str:
    document: Mapping[str, Any] = event.detail.get("document") or {}
    return f"Pipeline {document['name']} was created." if "name" in document else "The pipeline was created."


def _updated(event: Event) -> str:
    version = event.detail.get("version")
    return "The pipeline was updated" + (f" to version {version}." if version is not None else ".")


def _ignored(event: Event) -> str:
    change = event.detail.get("change")
    return ("A change" if not change else f"Change {change}") + f" started nothing{_because(event, 'reason')}"


def _started(event: Event) -> str:
    detail = event.detail
    if detail.get("execution_type") == "ROLLBACK":
        target = detail.get("rollback_target")
        return f"{event.execution} started as a rollback" + (f" to {target}." if target else ".")
    carried = f" with change {detail['change']}" if detail.get("change") else ""
    why = f" ({detail['trigger_type']})" if detail.get("trigger_type") else ""
    return f"{event.execution} started{carried}{why}."


def _superseded(event: Event) -> str:
    newer = event.detail.get("by")
    return f"{event.execution} was superseded" + (f" by {newer}" if newer else "") + f" before stage {event.stage}."


def _stopping(event: Event) -> str:
    how = "abandoning its running actions" if event.detail.get("abandon") else "after its running actions"
    return f"{event.execution} is stopping, {how}{_because(event, 'reason')}"


def _stage_failed(event: Event) -> str:
    after = "; it is retried automatically." if event.detail.get("retry_pending") else "."
    return f"{event.execution} failed in stage {event.stage}{_again(event)}{after}"


def _stage_resumed(event: Event) -> str:
    actions = {"FAILED_ACTIONS": " with its failed actions", "ALL_ACTIONS": " with all its actions"}
    automatic = event.detail.get("trigger") == "AutomatedStageRetry"
    how = "automatically" if automatic else "by hand"
    return f"{event.execution} retries stage {event.stage} {how}{actions.get(str(event.detail.get('mode')), '')}."


def _progressed(event: Event) -> str:
    percent = event.detail.get("percent")
    return f"{_action(event)} goes on" + ("" if percent is None else f", {percent} % done") + _because(event, "summary")


def _requested(event: Event) -> str:
    expires = event.detail.get("expires")
    until = "" if expires is None else f", for {spell(expires - event.time)} at most"
    return f"{_action(event)} waits for an approval{until}."


def _answered(event: Event) -> str:
    status, who = event.detail.get("status"), event.detail.get("by")
    answer = {"Approved": "was approved", "Rejected": "was rejected"}.get(str(status), "was answered")
    said = event.detail.get("summary") != f"{status} by {who}"
    return f"{_action(event)} {answer}{_by(event)}" + (_because(event, "summary") if said else ".")


def _action(event: Event) -> str:
    return f"{event.execution}: {event.action}{_again(event)}"


def _pool(event: Event) -> str:
    return f"the pool {event.detail['pool']}" if event.detail.get("pool") else "its pool"


SENTENCES: Mapping[EventKind, Callable[[Event], str]] = immutabledict(
    {
        K.PIPELINE_CREATED: _created,
        K.PIPELINE_UPDATED: _updated,
        K.TRANSITION_DISABLED: lambda e: f"The transition into {e.stage} was disabled{_by(e)}{_because(e, 'reason')}",
        K.TRANSITION_ENABLED: lambda e: f"The transition into {e.stage} was enabled{_by(e)}.",
        K.CHANGE_IGNORED: _ignored,
        K.POLL_FAILED: lambda e: f"The source {e.action} cannot be read{_because(e, 'message', 'code')}",
        K.EXECUTION_STARTED: _started,
        K.EXECUTION_WAITING: lambda e: f"{e.execution} waits before stage {e.stage}.",
        K.EXECUTION_SUCCEEDED: lambda e: f"{e.execution} succeeded.",
        K.EXECUTION_FAILED: lambda e: f"{e.execution} failed{_because(e, 'summary')}",
        K.EXECUTION_SUPERSEDED: _superseded,
        K.EXECUTION_CANCELLED: lambda e: f"{e.execution} was cancelled{_because(e, 'summary')}",
        K.EXECUTION_STOPPING: _stopping,
        K.EXECUTION_STOPPED: lambda e: f"{e.execution} stopped{_because(e, 'reason')}",
        K.EXECUTION_RESUMED: lambda e: f"{e.execution} goes on{_again(e)}.",
        K.STAGE_ENTERED: lambda e: f"{e.execution} entered stage {e.stage}.",
        K.STAGE_SUCCEEDED: lambda e: f"{e.execution} finished stage {e.stage}{_again(e)}.",
        K.STAGE_FAILED: _stage_failed,
        K.STAGE_STOPPED: lambda e: f"{e.execution} stopped in stage {e.stage}.",
        K.STAGE_SKIPPED: lambda e: f"{e.execution} skipped stage {e.stage}.",
        K.STAGE_CANCELLED: lambda e: f"{e.execution} was cancelled in stage {e.stage}.",
        K.STAGE_STOPPING: lambda e: f"{e.execution} is stopping in stage {e.stage}.",
        K.STAGE_RESUMED: _stage_resumed,
        K.STAGE_OVERRIDDEN: lambda e: f"{e.execution} passes stage {e.stage} in spite of its failed condition.",
        K.ACTION_STARTED: lambda e: f"{_action(e)} started.",
        K.ACTION_WAITING: lambda e: f"{_action(e)} waits for a place in {_pool(e)}.",
        K.ACTION_WORKING: lambda e: f"{_action(e)} has a place in {_pool(e)} and works.",
        K.ACTION_PROGRESSED: _progressed,
        K.ACTION_SUCCEEDED: lambda e: f"{_action(e)} succeeded{_because(e, 'summary')}",
        K.ACTION_FAILED: lambda e: f"{_action(e)} failed{_because(e, 'message', 'summary', 'code')}",
        K.ACTION_ABANDONED: lambda e: f"{_action(e)} was abandoned{_because(e, 'summary')}",
        K.APPROVAL_REQUESTED: _requested,
        K.APPROVAL_ANSWERED: _answered,
        K.CONDITION_STARTED: lambda e: f"{_gate(e)} is checked for {e.execution}.",
        K.CONDITION_SUCCEEDED: lambda e: f"{_gate(e)} is met for {e.execution}.",
        K.CONDITION_FAILED: lambda e: f"{_gate(e)} is not met for {e.execution}{_because(e, 'summary', 'result')}",
        K.CONDITION_ERRORED: lambda e: f"{_gate(e)} could not be checked for {e.execution}{_because(e, 'summary')}",
        K.CONDITION_CANCELLED: lambda e: f"{_gate(e)} was cancelled for {e.execution}.",
        K.CONDITION_ABANDONED: lambda e: f"{_gate(e)} was abandoned for {e.execution}.",
        K.CONDITION_OVERRIDDEN: lambda e: f"{_gate(e)} was overridden for {e.execution}{_by(e)}.",
        K.RULE_STARTED: lambda e: f"{_rule(e)} started.",
        K.RULE_SUCCEEDED: lambda e: f"{_rule(e)} succeeded{_because(e, 'summary')}",
        K.RULE_FAILED: lambda e: f"{_rule(e)} failed{_because(e, 'message', 'code')}",
        K.RULE_ABANDONED: lambda e: f"{_rule(e)} was abandoned.",
    }
)
