"""What a timeline shows, as data: lanes with bars, read off the trace.

Nothing here draws: `pipesim.views.timeline` turns lanes into a picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.spans import Span, spans
from pipesim.views import joined
from pipesim.views.figures import duration_text, one_line
from pipesim.views.passages import Passage, execution_name, failure_text, passages, sign
from pipesim.views.theme import WAITING
from pipesim.vocabulary import PipelineExecutionStatus as Status

OUTSIDE = frozenset({"stage lock", "transition"})
INSIDE = frozenset({"approval", "pool"})
Place = tuple[str | None, str | None, str | None]  # execution, stage, action
MARKED = frozenset({"Failed", "Stopped", "Stopping", "Abandoned", "Skipped", "Cancelled"})


class BarKind(StrEnum):
    """What a bar of a lane says."""

    WORK = "work"  # something works
    WAIT = "wait"  # it waits outside: for a stage, at a disabled transition
    HOLD = "hold"  # it waits inside a stage, whose lock it keeps: for a person, for a place in a pool
    PAUSE = "pause"  # it had ended and was resumed later


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of a lane.

    Attributes:
        kind: what it says.
        start: seconds since the trace's start.
        end: seconds since the trace's start.
        status: the status of what works, verbatim, or ``Waiting``.
        labels: what is written in it: the same thing shorter and shorter.
        execution: the execution's id.
        stage: the stage's name.
        open: whether it had not ended at the moment that counts as now.
        row: in which row of its lane it lies, from 0.
        slot: in which row inside that row, from 0 (actions of a stage).
        action: the action's name, when it tells of one.
        attempt: which attempt of the stage or action, from 1.
    """

    kind: BarKind
    start: float
    end: float
    status: str
    labels: tuple[str, ...]
    execution: str
    stage: str
    open: bool = False
    row: int = 0
    slot: int = 0
    action: str | None = None
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of a timeline.

    Attributes:
        name: what it is called.
        bars: in order of time.
        notes: what is written where it ends, shorter and shorter.
        short_notes: the same when its last bar already says where the execution is.
        note_status: the status that gives the note its colour.
        note_at: where the note begins, in seconds.
    """

    name: str
    bars: tuple[Bar, ...]
    notes: tuple[str, ...] = ()
    short_notes: tuple[str, ...] = ()
    note_status: str = ""
    note_at: float = 0.0


def end_notes(passage: Passage, numbers: Mapping[str, int], now: float, waits: Span | None) -> tuple[str, ...]:
    """Return what is written where a lane ends, the longest wording first."""
    status, mark = passage.status, sign(passage.status)
    if status == Status.SUPERSEDED:
        by = numbers.get(passage.by or "")
        return (f"{mark} superseded by #{by}", f"{mark} by #{by}", mark) if by else (f"{mark} superseded", mark)
    if status == Status.FAILED:
        text = failure_text(passage)
        long = failure_text(passage, with_stage=True)
        return (f"{mark} {long}", f"{mark} {text}", f"{mark} {text.partition(':')[0]}", mark)
    if status == Status.STOPPED:
        reason = f": {one_line(passage.reason, 40)}" if passage.reason else ""
        return (f"{mark} stopped{reason}", f"{mark} stopped", mark)
    if status == Status.CANCELLED:
        return (f"{mark} cancelled: pipeline updated", f"{mark} cancelled", mark)
    if status == Status.SUCCEEDED:
        taken = duration_text((now if passage.ended is None else passage.ended) - passage.started)
        word = f"{one_line(passage.stage or '', 30)} rolled back in ".lstrip() if passage.is_rollback else ""
        skipped = f", {one_line(', '.join(passage.skipped), 40)} skipped" if passage.skipped else ""
        return (f"{mark} {word}{taken}{skipped}", f"{mark} {taken}", mark)
    where = one_line(passage.stage or "", 30)
    if waits is not None:
        since = duration_text(now - waits.start)
        return (f"{sign(WAITING)} {since} so far for {where}", f"{sign(WAITING)} {since} so far", sign(WAITING))
    if not where:
        return (f"{mark} starting", mark)
    entered = "stopping in" if status == Status.STOPPING else "in"
    return (f"{mark} {entered} {where}", mark)


def execution_lanes(trace: Trace, until: float, keep: Sequence[Passage]) -> list[Lane]:
    """Return one lane an execution, the first execution first.

    Args:
        trace: the trace.
        until: the moment that counts as now, in seconds.
        keep: which executions get a lane.
    """
    numbers = {passage.id: passage.number for passage in passages(trace, until).values()}
    pools = pools_waited_for(trace)
    mine = _by_execution(spans(trace, until), {passage.id for passage in keep})
    lanes = []
    for passage in keep:
        bars = _execution_bars(mine[passage.id], pools)
        waits = next((s for s in mine[passage.id] if s.open and s.level == "wait" and s.reason in OUTSIDE), None)
        notes = end_notes(passage, numbers, until, waits)
        short = notes[1:] if passage.status == Status.FAILED else notes
        status = passage.status if waits is None else WAITING
        if bars and bars[-1].open:
            so_far = duration_text(until - bars[-1].start)
            short = (f"{sign(status)} {so_far} so far", sign(status))
        lanes.append(
            Lane(
                name=execution_name(passage, numbers),
                bars=tuple(bars),
                notes=notes,
                short_notes=short,
                note_status=status,
                note_at=until if passage.ended is None else passage.ended,
            )
        )
    return lanes


def _by_execution(found: Iterable[Span], keep: set[str]) -> dict[str, list[Span]]:
    mine: dict[str, list[Span]] = defaultdict(list)
    for span in found:
        if span.execution in keep:
            mine[span.execution].append(span)
    return mine


def pools_waited_for(trace: Iterable[Event]) -> dict[Place, str]:
    """Return the name of the pool in which each action had to wait for a place."""
    return {
        (event.execution, event.stage, event.action): str(event.detail.get("pool") or "")
        for event in trace
        if event.kind is EventKind.ACTION_WAITING
    }


def _execution_bars(mine: Sequence[Span], pools: Mapping[Place, str]) -> list[Bar]:
    stages = sorted((s for s in mine if s.level == "stage"), key=lambda s: (s.start, s.end))
    bars = [outside_bar(s) for s in mine if s.level == "wait" and s.reason in OUTSIDE and s.end > s.start]
    before: dict[str, Span] = {}
    for span in stages:
        stage = span.stage or ""
        if stage in before and span.start > before[stage].end:
            bars.append(_pause_bar(before[stage], span))
        before[stage] = span
        bars.extend(stage_bars(span, mine, pools))
    return sorted(bars, key=lambda bar: (bar.start, bar.end))


def outside_bar(span: Span) -> Bar:
    """Return the bar of an execution that waits in front of a stage."""
    stage = span.stage or ""
    name = one_line(stage, 30)
    labels: tuple[str, ...] = (f"waits for {name}", "waits", sign(WAITING))
    if span.reason == "transition":
        labels = (f"{name}: transition disabled", "transition disabled", "disabled", sign(WAITING))
    return Bar(BarKind.WAIT, span.start, span.end, WAITING, labels, span.execution or "", stage, open=span.open)


def _pause_bar(first: Span, second: Span) -> Bar:
    gap = duration_text(second.start - first.end)
    labels = (f"retried after {gap}", "retried", "↻")
    return Bar(
        BarKind.PAUSE, first.end, second.start, str(first.status), labels, first.execution or "", first.stage or ""
    )


def stage_labels(span: Span, status: str) -> tuple[str, ...]:
    """Return what is written in the bar of a stage execution, marked with a status, the longest wording first."""
    name = one_line(span.stage or "", 40)
    attempt = span.attempt or 1
    mark = f"{sign(status)} " if status in MARKED else ""
    if attempt > 1:
        return (f"{mark}{name}, attempt {attempt}", f"{mark}{name} ×{attempt}", f"×{attempt}")
    short = (mark.strip(),) if mark else ()
    return (f"{mark}{name}", *short)


def stage_bars(stage: Span, mine: Sequence[Span], pools: Mapping[Place, str]) -> list[Bar]:
    """Cut a stage execution into the stretches in which something works and those in which all of it waits."""
    inside = [s for s in mine if s.stage == stage.stage and s.start < stage.end and s.end > stage.start]
    waits = [s for s in inside if s.level == "wait" and s.reason in INSIDE]
    status, labels = str(stage.status), stage_labels(stage, str(stage.status))
    whole = Bar(
        BarKind.WORK,
        stage.start,
        stage.end,
        status,
        labels,
        stage.execution or "",
        stage.stage or "",
        open=stage.open,
        attempt=stage.attempt or 1,
    )
    if not waits:
        return [whole]
    actions = [s for s in inside if s.level == "action"]
    working = [
        piece
        for action in actions
        for piece in joined.without(
            (action.start, action.end),
            [(w.start, w.end) for w in waits if w.action == action.action and w.end > action.start],
        )
    ]
    idle = [
        piece
        for start, end in joined.union([(w.start, w.end) for w in waits])
        for piece in joined.without((max(start, stage.start), min(end, stage.end)), working)
    ]
    bars = []
    for start, end in idle:
        cause = next(w for w in waits if w.start < end and w.end > start)
        holder = next((a for a in actions if a.action == cause.action and a.start <= start and a.end >= end), stage)
        became = str(holder.status)
        held = _hold_labels(cause, stage_labels(stage, became)[0], pools)
        bars.append(
            replace(whole, kind=BarKind.HOLD, start=start, end=end, status=became, labels=held, action=cause.action)
        )
    for start, end in joined.without((stage.start, stage.end), idle):
        bars.append(replace(whole, start=start, end=end))
    bars.sort(key=lambda bar: bar.start)
    longest = max(bars, key=lambda bar: bar.end - bar.start)
    return [
        replace(bar, open=stage.open and bar.end == stage.end, labels=bar.labels if bar is longest else bar.labels[1:])
        if bar.kind is BarKind.WORK
        else replace(bar, open=stage.open and bar.end == stage.end)
        for bar in bars
    ]


def _hold_labels(cause: Span, name: str, pools: Mapping[Place, str]) -> tuple[str, ...]:
    if cause.reason == "approval":
        if cause.open:
            return (f"{name}: waits for an answer", f"{name}: no answer yet", name)
        taken = duration_text(cause.end - cause.start)
        return (f"{name}: answered after {taken}", f"{name}, {taken}", name)
    pool = one_line(pools.get((cause.execution, cause.stage, cause.action)) or "the pool", 30)
    return (f"{name}: waits for {pool}", f"waits for {pool}", f"for {pool}", sign(WAITING))
