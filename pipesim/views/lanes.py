"""What a timeline shows, as data: lanes with bars, read off the trace.

Nothing here draws: `pipesim.views.timeline` turns lanes into a picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.spans import Span, spans
from pipesim.views import joined
from pipesim.views.figures import count_text, duration_text, one_line
from pipesim.views.theme import WAITING, WORDS
from pipesim.vocabulary import ExecutionType
from pipesim.vocabulary import PipelineExecutionStatus as Status

OUTSIDE = frozenset({"stage lock", "transition"})
INSIDE = frozenset({"approval", "pool"})
ENDS: Mapping[EventKind, Status] = {
    EventKind.EXECUTION_SUCCEEDED: Status.SUCCEEDED,
    EventKind.EXECUTION_FAILED: Status.FAILED,
    EventKind.EXECUTION_SUPERSEDED: Status.SUPERSEDED,
    EventKind.EXECUTION_CANCELLED: Status.CANCELLED,
    EventKind.EXECUTION_STOPPED: Status.STOPPED,
}


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


@dataclass(slots=True)
class Passage:
    """What one pipeline execution came to, up to the moment that is looked at."""

    id: str
    number: int
    started: float
    change: str | None = None
    execution_type: str = ExecutionType.STANDARD.value
    rollback_target: str | None = None
    mode: str | None = None
    status: str = Status.IN_PROGRESS.value
    ended: float | None = None
    stage: str | None = None
    ended_in: str | None = None
    by: str | None = None
    reason: str = ""
    skipped: list[str] = field(default_factory=list)
    resumed: int = 0
    failed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    rejected: set[tuple[str, str]] = field(default_factory=set)
    condition: dict[str, str] = field(default_factory=dict)

    @property
    def is_rollback(self) -> bool:
        """Whether it is a rollback of one stage."""
        return self.execution_type == ExecutionType.ROLLBACK

    @property
    def is_open(self) -> bool:
        """Whether it had not ended yet."""
        return self.ended is None


def passages(events: Iterable[Event], until: float | None = None) -> dict[str, Passage]:
    """Return what became of every pipeline execution up to a time (seconds), by id, in the order of their start."""
    found: dict[str, Passage] = {}
    for event in events:
        if until is not None and event.time > until:
            break
        if event.execution is None:
            continue
        if event.kind is EventKind.EXECUTION_STARTED:
            found[event.execution] = _started(event, len(found) + 1)
        elif (passage := found.get(event.execution)) is not None:
            _follow(passage, event)
    return found


def _started(event: Event, place: int) -> Passage:
    detail = event.detail
    return Passage(
        id=event.execution or "",
        number=int(detail.get("number", place)),
        started=float(detail.get("arrived", event.time)),
        change=detail.get("change"),
        execution_type=str(detail.get("execution_type", ExecutionType.STANDARD.value)),
        rollback_target=detail.get("rollback_target"),
        mode=detail.get("mode"),
    )


def _follow(passage: Passage, event: Event) -> None:
    kind, stage, detail = event.kind, event.stage or "", event.detail
    if kind in ENDS:
        passage.status, passage.ended = ENDS[kind].value, event.time
        passage.ended_in = event.stage or passage.stage
        passage.by = detail.get("by")
        passage.reason = str(detail.get("reason") or detail.get("summary") or "") or passage.reason
    elif kind is EventKind.EXECUTION_STOPPING:
        passage.status, passage.reason = Status.STOPPING.value, str(detail.get("reason") or "")
    elif kind is EventKind.EXECUTION_RESUMED:
        passage.status, passage.ended, passage.by, passage.reason = Status.IN_PROGRESS.value, None, None, ""
        passage.resumed += 1
    elif kind in (EventKind.EXECUTION_WAITING, EventKind.STAGE_ENTERED):
        passage.stage = event.stage
    elif kind is EventKind.STAGE_RESUMED:
        passage.stage = event.stage
        passage.failed.pop(stage, None)
        passage.condition.pop(stage, None)
    elif kind is EventKind.STAGE_SKIPPED:
        passage.skipped.append(stage)
    elif kind is EventKind.ACTION_FAILED:
        passage.failed[stage].append(event.action or "")
    elif kind is EventKind.APPROVAL_ANSWERED and detail.get("status") == "Rejected":
        passage.rejected.add((stage, event.action or ""))
    elif kind in (EventKind.CONDITION_FAILED, EventKind.CONDITION_ERRORED):
        passage.condition[stage] = str(detail.get("condition") or "condition")


CONDITION_WORDS = {
    "BEFORE_ENTRY": "entry condition",
    "ON_SUCCESS": "success condition",
    "ON_FAILURE": "failure condition",
}


def failure_text(passage: Passage) -> str:
    """Return in a few words why an execution failed, such as ``failed: SecurityScan``."""
    stage = passage.ended_in or ""
    actions = passage.failed.get(stage) or []
    if actions:
        word = "rejected" if all((stage, action) in passage.rejected for action in actions) else "failed"
        more = f" and {len(actions) - 2} more" if len(actions) > 2 else ""
        return f"{word}: {', '.join(one_line(a, 30) for a in actions[:2])}{more}"
    if stage in passage.condition:
        word = CONDITION_WORDS.get(passage.condition[stage], "condition")
        return f"failed: {word} of {one_line(stage, 30)}"
    return f"failed: {one_line(passage.reason, 50)}" if passage.reason else "failed"


def ending_text(passage: Passage, numbers: Mapping[str, int]) -> str:
    """Return in a few words how an execution ended, or that it has not."""
    if passage.status == Status.FAILED:
        return failure_text(passage)
    if passage.status == Status.SUPERSEDED:
        by = numbers.get(passage.by or "")
        return f"superseded by #{by}" if by else "superseded"
    word = WORDS[passage.status][2].lower()
    if passage.status == Status.STOPPED and passage.reason:
        return f"{word}: {one_line(passage.reason, 50)}"
    return word


def execution_name(passage: Passage, numbers: Mapping[str, int]) -> str:
    """Return what an execution is called in a picture: its number and its change, or what it rolls back to."""
    if passage.is_rollback:
        target = passage.rollback_target or ""
        to = f"#{numbers[target]}" if target in numbers else one_line(target, 12)
        return f"#{passage.number} · rollback to {to}".removesuffix(" to ")
    return f"#{passage.number} · {one_line(passage.change, 20)}" if passage.change else f"#{passage.number}"


def sign(status: str) -> str:
    """Return the sign of a status."""
    return WORDS[status][0]


def end_notes(passage: Passage, numbers: Mapping[str, int], now: float, waits: Span | None) -> tuple[str, ...]:
    """Return what is written where a lane ends, the longest wording first."""
    status, mark = passage.status, sign(passage.status)
    if status == Status.SUPERSEDED:
        by = numbers.get(passage.by or "")
        return (f"{mark} superseded by #{by}", f"{mark} by #{by}", mark) if by else (f"{mark} superseded", mark)
    if status == Status.FAILED:
        text = failure_text(passage)
        return (f"{mark} {text}", f"{mark} {text.partition(':')[0]}", mark)
    if status == Status.STOPPED:
        reason = f": {one_line(passage.reason, 40)}" if passage.reason else ""
        return (f"{mark} stopped{reason}", f"{mark} stopped", mark)
    if status == Status.CANCELLED:
        return (f"{mark} cancelled: pipeline updated", f"{mark} cancelled", mark)
    if status == Status.SUCCEEDED:
        taken = duration_text((now if passage.ended is None else passage.ended) - passage.started)
        word = "rolled back in " if passage.is_rollback else ""
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
    pools = _pools(trace)
    mine = _by_execution(spans(trace, until), {passage.id for passage in keep})
    lanes = []
    for passage in keep:
        bars = _execution_bars(mine[passage.id], pools)
        waits = next((s for s in mine[passage.id] if s.open and s.level == "wait" and s.reason in OUTSIDE), None)
        notes = end_notes(passage, numbers, until, waits)
        short = notes
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


def _pools(trace: Iterable[Event]) -> dict[tuple[str | None, str | None, str | None], str]:
    return {
        (event.execution, event.stage, event.action): str(event.detail.get("pool") or "")
        for event in trace
        if event.kind is EventKind.ACTION_WAITING
    }


def _execution_bars(mine: Sequence[Span], pools: Mapping[Any, str]) -> list[Bar]:
    stages = sorted((s for s in mine if s.level == "stage"), key=lambda s: (s.start, s.end))
    bars = [_outside_bar(s) for s in mine if s.level == "wait" and s.reason in OUTSIDE and s.end > s.start]
    before: dict[str, Span] = {}
    for span in stages:
        stage = span.stage or ""
        if stage in before and span.start > before[stage].end:
            bars.append(_pause_bar(before[stage], span))
        before[stage] = span
        bars.extend(_stage_bars(span, mine, pools))
    return sorted(bars, key=lambda bar: (bar.start, bar.end))


def _outside_bar(span: Span) -> Bar:
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


def stage_labels(span: Span) -> tuple[str, ...]:
    """Return what is written in the bar of a stage execution, the longest wording first."""
    name = one_line(span.stage or "", 40)
    attempt = span.attempt or 1
    mark = f"{sign(str(span.status))} " if str(span.status) in MARKED else ""
    if attempt > 1:
        return (f"{mark}{name}, attempt {attempt}", f"{mark}{name} ×{attempt}", f"×{attempt}")
    short = (mark.strip(),) if mark else ()
    return (f"{mark}{name}", *short)


def _stage_bars(stage: Span, mine: Sequence[Span], pools: Mapping[Any, str]) -> list[Bar]:
    """Cut a stage execution into the stretches in which something works and those in which all of it waits."""
    inside = [s for s in mine if s.stage == stage.stage and s.start < stage.end and s.end > stage.start]
    waits = [s for s in inside if s.level == "wait" and s.reason in INSIDE]
    status, labels = str(stage.status), stage_labels(stage)
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
        held = _hold_labels(cause, labels[0], pools)
        bars.append(replace(whole, kind=BarKind.HOLD, start=start, end=end, labels=held, action=cause.action))
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


def _hold_labels(cause: Span, name: str, pools: Mapping[Any, str]) -> tuple[str, ...]:
    if cause.reason == "approval":
        if cause.open:
            return (f"{name}: waits for an answer", f"{name}: no answer yet", name)
        taken = duration_text(cause.end - cause.start)
        return (f"{name}: answered after {taken}", f"{name}, {taken}", name)
    pool = one_line(pools.get((cause.execution, cause.stage, cause.action)) or "the pool", 30)
    return (f"{name}: waits for {pool}", f"waits for {pool}", f"for {pool}", sign(WAITING))


@dataclass(frozen=True, slots=True)
class StageLane:
    """One stage: who was inside, in rows when several were, and who waited in front of it."""

    name: str
    inside: tuple[Bar, ...]
    actions: tuple[Bar, ...]
    queue: tuple[Bar, ...]
    inside_rows: int
    action_rows: int
    queue_rows: int


def stage_lanes(trace: Trace, until: float, keep: Sequence[Passage]) -> list[StageLane]:
    """Return one lane a stage, in the order of the pipeline: its occupants, their actions, its queue."""
    ids = {passage.id for passage in keep}
    numbers = {passage.id: passage.number for passage in passages(trace, until).values()}
    fates = {passage.id: passage for passage in keep}
    pools = _pools(trace)
    of_stage: dict[str, list[Span]] = defaultdict(list)
    for span in spans(trace, until):
        if span.execution in ids and span.stage is not None:
            of_stage[span.stage].append(span)
    names = [stage.name for stage in trace.pipeline.stages]
    names += [name for name in of_stage if name not in names]
    return [_stage_lane(name, of_stage[name], numbers, fates, pools) for name in names]


def _stage_lane(
    name: str,
    mine: Sequence[Span],
    numbers: Mapping[str, int],
    fates: Mapping[str, Passage],
    pools: Mapping[Any, str],
) -> StageLane:
    def label(execution: str | None) -> str:
        return f"#{numbers[execution or '']}"

    stays = sorted((s for s in mine if s.level == "stage"), key=lambda s: (s.start, s.end))
    rows = rows_of([(s.start, s.end) for s in stays])
    inside, actions = [], []
    action_rows = 1
    for stay, row in zip(stays, rows, strict=True):
        own = [s for s in mine if s.execution == stay.execution]
        mark = f"{sign(str(stay.status))} " if str(stay.status) in MARKED else ""
        attempt = f" ×{stay.attempt}" if (stay.attempt or 1) > 1 else ""
        short = (f"{mark}{label(stay.execution)}{attempt}", label(stay.execution))
        for bar in _stage_bars(stay, own, pools):
            reason = bar.labels[0].partition(": ")[2] if bar.kind is BarKind.HOLD else ""
            labels = (f"{short[0]} {reason}", *short) if reason else short
            inside.append(replace(bar, row=row, labels=labels))
        parts = sorted(
            (s for s in own if s.level == "action" and s.start < stay.end and s.end > stay.start),
            key=lambda s: (s.start, s.action or ""),
        )
        for part, part_row in zip(parts, rows_of([(s.start, s.end) for s in parts]), strict=True):
            action_rows = max(action_rows, part_row + 1)
            actions.append(_action_bar(part, part_row, row))
    queue = sorted(
        (s for s in mine if s.level == "wait" and s.reason in OUTSIDE and s.end > s.start),
        key=lambda s: (s.start, s.end),
    )
    visits: dict[int, tuple[float, float]] = {}
    for span in queue:
        first, last = visits.get(span.opened, (span.start, span.end))
        visits[span.opened] = (min(first, span.start), max(last, span.end))
    row_of_visit = dict(zip(visits, rows_of(list(visits.values())), strict=True))
    queue_rows = [row_of_visit[span.opened] for span in queue]
    waiting = [
        replace(_outside_bar(span), row=row, labels=_queue_labels(span, numbers, fates))
        for span, row in zip(queue, queue_rows, strict=True)
    ]
    return StageLane(
        name=name,
        inside=tuple(inside),
        actions=tuple(actions),
        queue=tuple(waiting),
        inside_rows=max(rows, default=0) + 1,
        action_rows=action_rows,
        queue_rows=max(queue_rows, default=-1) + 1,
    )


def _queue_labels(span: Span, numbers: Mapping[str, int], fates: Mapping[str, Passage]) -> tuple[str, ...]:
    passage = fates[span.execution or ""]
    name = f"#{passage.number}"
    if passage.status == Status.SUPERSEDED and passage.ended == span.end:
        by = numbers.get(passage.by or "")
        long = f"{name} superseded by #{by}" if by else f"{name} superseded"
        return (long, f"{name} {sign(passage.status)}", name)
    return (
        (f"{name} held at the transition", f"{name} held", name)
        if span.reason == "transition"
        else (f"{name} waits", name)
    )


def _action_bar(span: Span, row: int, stay_row: int) -> Bar:
    name = one_line(span.action or "", 40)
    mark = f"{sign(str(span.status))} " if str(span.status) in MARKED else ""
    return Bar(
        kind=BarKind.WORK,
        start=span.start,
        end=span.end,
        status=str(span.status),
        labels=(f"{mark}{name}", mark.strip()) if mark else (name,),
        execution=span.execution or "",
        stage=span.stage or "",
        open=span.open,
        row=stay_row,
        slot=row,
        action=span.action,
        attempt=span.attempt or 1,
    )


def rows_of(pieces: Sequence[tuple[float, float]]) -> list[int]:
    """Return for each stretch (in order of start) the lowest row in which nothing else is at that time.

    >>> rows_of([(0, 5), (2, 6), (5, 9)])
    [0, 1, 0]
    """
    ends: list[float] = []
    rows = []
    for start, end in pieces:
        row = next((i for i, busy_until in enumerate(ends) if busy_until <= start), len(ends))
        if row == len(ends):
            ends.append(end)
        else:
            ends[row] = end
        rows.append(row)
    return rows


def tally(keep: Iterable[Passage]) -> dict[str, int]:
    """Return how many executions have each status, in the order in which a title names them."""
    counts: dict[str, int] = {status.value: 0 for status in TALLY_ORDER}
    for passage in keep:
        counts[passage.status] = counts.get(passage.status, 0) + 1
    return {status: count for status, count in counts.items() if count}


TALLY_ORDER = (
    Status.SUCCEEDED,
    Status.IN_PROGRESS,
    Status.STOPPING,
    Status.SUPERSEDED,
    Status.FAILED,
    Status.STOPPED,
    Status.CANCELLED,
)


def headline(name: str, keep: Sequence[Passage], mode: str, length: float) -> str:
    """Return the title of a timeline: the pipeline, how many changes, in how long, in which mode."""
    changes = [passage for passage in keep if not passage.is_rollback]
    rollbacks = len(keep) - len(changes)
    extra = f" and {count_text(rollbacks, 'rollback')}" if rollbacks else ""
    return f"{one_line(name, 60)} · {count_text(len(changes), 'change')}{extra} in {duration_text(length)}, {mode}"
