"""A trace, and a state, as short tables for a terminal."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import islice

from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.snapshot import ActionState, ExecutionState, PipelineState, StageState
from pipesim.trace.spans import spans
from pipesim.trace.state import state_at
from pipesim.trace.wording import calendar, clock, columns, one_line, spell
from pipesim.vocabulary import PipelineExecutionStatus

NEWEST = 5
SHOWN = 25


def format_executions(trace: Trace, until: float | None = None) -> str:
    """Return one line an execution: its change, how it went, how long it took and waited.

    Of more than 50 executions the first 25 and the last 25 are shown.

    Args:
        trace: what happened.
        until: look no further than this, in seconds; None: to the trace's end.
    """
    now = trace.end if until is None else until
    state = state_at(trace.pipeline, trace, now)
    waited: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for span in spans(trace, now):
        if span.level == "wait" and span.reason != "delay":
            waited[span.execution][str(span.reason)] += span.end - span.start
    rows = [["execution", "change", "started", "status", "after", "waited for", "ended"]]
    for execution in state.executions.values():
        waits = ", ".join(f"{reason} {spell(length)}" for reason, length in waited[execution.id].items() if length > 0)
        end = now if execution.ended is None else execution.ended
        rows.append(
            [
                execution.id,
                one_line(execution.change or ""),
                clock(execution.started),
                str(execution.status),
                spell(end - execution.started),
                waits,
                one_line(_ending(execution, trace)),
            ]
        )
    if len(rows) == 1:
        return "no execution has started"
    left_out = len(rows) - 1 - 2 * SHOWN
    if left_out > 0:
        rows[1 + SHOWN : -SHOWN] = [["…", f"{left_out} more", "", "", "", "", ""]]
    return columns(rows, right=[2, 4])


def format_state(state: PipelineState, start: datetime | None = None) -> str:
    """Return what the console would show at one moment, as text.

    Args:
        state: such as `state_at` returns.
        start: the calendar moment of time zero, to write calendar time too.
    """
    moment = clock(state.time) if start is None else f"{clock(state.time)} ({calendar(start, state.time)} UTC)"
    lines = [f"{one_line(state.name)}, version {state.version}, at {moment}", ""]
    for stage in state.stages:
        lines += _stage(stage, state)
    newest_first = (state.executions[name] for name in reversed(list(state.executions)))
    ended = list(islice((e for e in newest_first if e.ended is not None), NEWEST))
    if ended:
        lines += ["", "ended last:"]
        lines += [f"  {e.id} {one_line(e.change)} {e.status} at {clock(e.ended or 0.0)}" for e in ended]
    return "\n".join(lines)


def _stage(stage: StageState, state: PipelineState) -> list[str]:
    lines = []
    if not stage.transition.enabled:
        lines.append(f"  -- transition disabled: {one_line(stage.transition.reason or '')} --")
    lines += [f"  .. {name} waits" for name in stage.inbound]
    status = "not started" if stage.latest is None else f"{stage.latest.status} ({stage.latest.execution})"
    if stage.latest is None and stage.occupants:
        status = f"inside: {', '.join(stage.occupants)}"
    lines.append(f"{one_line(stage.name)}: {status}")
    for gate, condition in stage.conditions.items():
        lines.append(f"    condition {gate}: {condition.status}")
    lines += [f"    {one_line(action.name)}: {_action(action)}" for action in stage.actions]
    return lines


def _action(action: ActionState) -> str:
    latest = action.latest
    if latest is None:
        return "not started"
    text = f"{latest.status} ({latest.execution}"
    if latest.attempt > 1:
        text += f", attempt {latest.attempt}"
    text += ")"
    if latest.waiting_for:
        text += f", waits for a place in pool {latest.waiting_for}"
    why = latest.message or latest.summary
    return f"{text}: {one_line(why)}" if why else text


def _ending(execution: ExecutionState, trace: Trace) -> str:
    """Where an execution is or ended, and why."""
    where = f"in {execution.stage}" if execution.stage else ""
    if execution.ended is None:
        return f"waits for {execution.stage}" if execution.waiting else where
    match execution.status:
        case PipelineExecutionStatus.SUCCEEDED:
            return ""
        case PipelineExecutionStatus.SUPERSEDED:
            return f"before {execution.stage}, by {execution.superseded_by}"
        case PipelineExecutionStatus.FAILED:
            failed = [e.action for e in trace.of(execution.id) if e.kind is EventKind.ACTION_FAILED]
            return execution.summary or (f"{where}: {failed[-1]}" if failed else where)
        case _:
            return ", ".join(filter(None, (where, execution.stop_reason or execution.summary)))
