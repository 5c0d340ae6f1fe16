"""What a timeline by stage shows, as data: occupants, actions and queue of each stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipesim.trace.log import Trace
from pipesim.trace.spans import Span, spans
from pipesim.views.figures import one_line
from pipesim.views.lanes import MARKED, OUTSIDE, Bar, BarKind, Place, outside_bar, pools_waited_for, stage_bars
from pipesim.views.passages import Passage, passages, sign
from pipesim.vocabulary import PipelineExecutionStatus as Status


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
    pools = pools_waited_for(trace)
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
    pools: Mapping[Place, str],
) -> StageLane:
    def label(execution: str | None) -> str:
        return f"#{numbers[execution or '']}"

    stays = sorted((s for s in mine if s.level == "stage"), key=lambda s: (s.start, s.end))
    rows = rows_of([(s.start, s.end) for s in stays])
    inside, actions = [], []
    action_rows = 1
    for stay, row in zip(stays, rows, strict=True):
        own = [s for s in mine if s.execution == stay.execution]
        attempt = f" ×{stay.attempt}" if (stay.attempt or 1) > 1 else ""
        who = label(stay.execution)
        for bar in stage_bars(stay, own, pools):
            mark = f"{sign(bar.status)} " if bar.status in MARKED else ""
            short = (f"{mark}{who}{attempt}", f"{mark.strip()}{who}", mark.strip() or who)
            reason = bar.labels[0].partition(": ")[2] if bar.kind is BarKind.HOLD else ""
            labels = (f"{short[0]} {reason}", *short) if reason else short
            inside.append(replace(bar, row=row, labels=labels))
        parts = sorted(
            (s for s in own if s.level == "action" and s.start < stay.end and s.end > stay.start),
            key=lambda s: (s.start, s.opened),
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
        replace(outside_bar(span), row=row, labels=_queue_labels(span, numbers, fates))
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
