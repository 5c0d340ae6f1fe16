"""What one replication amounts to, read off its trace: one number a measure.

Executions that arrived during the warm-up are left out of everything that is counted or averaged over
executions, and time-averages begin where the warm-up ends. "Shipped" means: a STANDARD execution that succeeded.
A measure that has no value, such as the lead time where nothing shipped, is not a number.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from pipesim.trace.cost import cost
from pipesim.trace.critical_path import path_through
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.measures import percentile
from pipesim.trace.spans import REASONS, Span, spans

K = EventKind
HOUR, DAY = 3600.0, 86_400.0
NOTHING = math.nan
WAITS = (*REASONS, "transfer")
EXHAUSTED = "AccountLimitExceededException"
Place = tuple[str | None, str | None, int | None]
ENDINGS: Mapping[EventKind, str] = {
    K.EXECUTION_SUCCEEDED: "succeeded",
    K.EXECUTION_FAILED: "failed",
    K.EXECUTION_STOPPED: "stopped",
    K.EXECUTION_SUPERSEDED: "superseded",
    K.EXECUTION_CANCELLED: "cancelled",
}


@dataclass(slots=True)
class Passage:
    """One execution, as far as measures need it."""

    id: str
    arrived: float
    started: float
    standard: bool
    ended: float | None = None
    ending: str = "unfinished"
    stages: int = 0
    approvals: int = 0
    refused: int = 0
    transfers: dict[Place, float] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    waits: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    works: list[tuple[float, float]] = field(default_factory=list)
    holes: list[tuple[float, float]] = field(default_factory=list)

    @property
    def shipped(self) -> bool:
        """Whether it brought its own change to the end."""
        return self.standard and self.ending == "succeeded"

    @property
    def lead_time(self) -> float:
        """Seconds from the change's arrival to the end; not a number before it."""
        return NOTHING if self.ended is None else self.ended - self.arrived


def observe(trace: Trace, warm_up: float = 0.0) -> dict[str, float]:
    """Return the measures of one replication.

    Args:
        trace: what happened.
        warm_up: seconds at the beginning that are not measured.
    """
    passages = _passages(trace)
    found = spans(trace)
    _fill(passages, found)
    late = [one for one in passages.values() if one.arrived >= warm_up]
    shipped = [one for one in late if one.shipped]
    window = max(trace.end - warm_up, 0.0)
    result = _spread("lead_time", [one.lead_time for one in shipped])
    result |= {f"waiting.{reason}": _mean(_length(one.waits[reason]) for one in shipped) for reason in WAITS}
    result["waiting.trigger"] = _mean(one.started - one.arrived for one in shipped)
    result["working"] = _mean(_length(one.works) for one in shipped)
    delivered = sum(one.shipped and one.ended is not None and one.ended >= warm_up for one in passages.values())
    result |= _on_the_path(trace, shipped)
    result["throughput"] = delivered / window * HOUR if window else 0.0
    result["started"] = float(len(late))
    result["shipped"] = float(len(shipped))
    for ending in ("failed", "superseded", "stopped", "cancelled", "unfinished"):
        result[ending] = float(sum(one.ending == ending for one in late))
    lives = [span for span in found if span.level == "execution"]
    result["work_in_progress"] = _area(((span.start, span.end) for span in lives), warm_up, trace.end)
    for stage in trace.pipeline.stages:
        inside = _union((s.start, s.end) for s in found if s.level == "stage" and s.stage == stage.name)
        result[f"utilisation.{stage.name}"] = _area(inside, warm_up, trace.end)
    result["approvals_wasted"] = float(sum(one.approvals for one in late if one.standard and _lost(one)))
    result["quota_failures"] = float(sum(one.refused + (one.ending == "failed" and not one.stages) for one in late))
    result |= _production(trace, passages, warm_up)
    result |= _dora(trace, passages, found, warm_up, window)
    bill = cost(trace)
    result |= {"cost.v1": bill.v1, "cost.v2": bill.v2, "cost.builds": bill.builds, "cost.total": bill.total}
    return result


def in_progress(trace: Trace, moments: Sequence[float]) -> list[float]:
    """Return how many executions are unfinished at each of these moments, ascending, in seconds."""
    steps = sorted(
        step for one in _passages(trace).values() for step in ((one.arrived, 1), (one.ended or math.inf, -1))
    )
    counts = []
    inside = place = 0
    for moment in moments:
        while place < len(steps) and steps[place][0] <= moment:
            inside += steps[place][1]
            place += 1
        counts.append(float(inside))
    return counts


def lead_times(trace: Trace) -> list[tuple[float, float]]:
    """Return arrival and lead time (seconds) of each shipped execution, in the order of arrival."""
    return [(one.arrived, one.lead_time) for one in _passages(trace).values() if one.shipped]


def _passages(trace: Trace) -> dict[str, Passage]:
    passages: dict[str, Passage] = {}
    for event in trace:
        if event.execution is None:
            continue
        if event.kind is K.EXECUTION_STARTED:
            arrived = event.detail.get("arrived", event.time)
            standard = event.detail.get("execution_type", "STANDARD") == "STANDARD"
            passages[event.execution] = Passage(event.execution, arrived, event.time, standard)
            continue
        _note(passages[event.execution], event)
    return passages


def _note(passage: Passage, event: Event) -> None:
    ending = ENDINGS.get(event.kind)
    if ending is not None:
        passage.ending, passage.ended = ending, event.time
    elif event.kind is K.EXECUTION_RESUMED:
        passage.ending, passage.ended = "unfinished", None
    elif event.kind is K.STAGE_ENTERED:
        passage.stages += 1
    elif event.kind is K.ACTION_STARTED and "transfer" in event.detail:
        passage.transfers[event.stage, event.action, event.attempt] = event.detail["transfer"]
    elif event.kind is K.ACTION_FAILED and EXHAUSTED in event.detail.get("message", ""):
        passage.refused += 1
    elif event.kind is K.APPROVAL_ANSWERED and event.detail.get("status") == "Approved":
        passage.approvals += 1


def _fill(passages: Mapping[str, Passage], found: Iterable[Span]) -> None:
    for span in found:
        passages[span.execution].spans.append(span)
        if span.level == "wait" and span.reason is not None:
            passages[span.execution].waits[span.reason].append((span.start, span.end))
            if span.action is not None:
                passages[span.execution].holes.append((span.start, span.end))
        elif span.level == "action":
            passages[span.execution].works.append((span.start, span.end))
    for passage in passages.values():
        copied = list(_copied(passage)) if passage.transfers else []
        passage.waits["transfer"] += copied
        passage.holes += copied
        passage.works = _without(passage.works, _union(passage.holes))


def _copied(passage: Passage) -> Iterator[tuple[float, float]]:
    """When artifacts were copied: at the beginning of an attempt's work."""
    places = [one for one in passage.spans if one.reason == "pool"]
    for span in passage.spans:
        if span.level != "action":
            continue
        place = span.stage, span.action, span.attempt
        begin = max((one.end for one in places if (one.stage, one.action, one.attempt) == place), default=span.start)
        yield begin, min(begin + passage.transfers.get(place, 0.0), span.end)


def _on_the_path(trace: Trace, shipped: Sequence[Passage]) -> dict[str, float]:
    """The mean time by which each action alone held a change up, its own waiting included."""
    total = {(stage.name, action.name): 0.0 for stage, action in trace.pipeline.actions()}
    for passage in shipped:
        for step in path_through(passage.spans):
            if step.stage is not None and step.action is not None:
                total[step.stage, step.action] += step.exclusive
    count = len(shipped)
    return {
        f"critical.{stage}/{action}": seconds / count if count else NOTHING
        for (stage, action), seconds in total.items()
    }


def _lost(passage: Passage) -> bool:
    return passage.ending not in ("succeeded", "unfinished")


def _production(trace: Trace, passages: Mapping[str, Passage], warm_up: float) -> dict[str, float]:
    """The mean age of the change in production: how long ago it arrived, averaged over time."""
    landings = sorted((one.ended, one.arrived) for one in passages.values() if one.shipped and one.ended is not None)
    area, since, newest, begun = 0.0, None, -math.inf, 0.0
    for moment, arrived in [*landings, (trace.end, -math.inf)]:
        if since is not None and moment > max(since, warm_up):
            start = max(since, warm_up)
            area += ((moment - newest) ** 2 - (start - newest) ** 2) / 2
            begun += moment - start
        since, newest = moment, max(newest, arrived)
    return {"production_age": area / begun if begun else NOTHING}


def _dora(
    trace: Trace, passages: Mapping[str, Passage], found: Sequence[Span], warm_up: float, window: float
) -> dict[str, float]:
    """The four keys, where production is the last stage and a failed deployment is one that fails in it."""
    production = trace.pipeline.stages[-1].name
    tries = [s for s in found if s.level == "stage" and s.stage == production and s.start >= warm_up and not s.open]
    good = [s for s in tries if s.status == "Succeeded"]
    bad = [s for s in tries if s.status == "Failed"]
    moments = sorted(s.end for s in good)
    repairs = []
    broken: float | None = None
    for moment, works in sorted([(s.end, True) for s in good] + [(s.end, False) for s in bad]):
        if not works and broken is None:
            broken = moment
        elif works and broken is not None:
            repairs.append(moment - broken)
            broken = None
    carried = _carried([one for one in passages.values() if one.arrived >= warm_up])
    return {
        "deployment_frequency": len(moments) / window * DAY if window else 0.0,
        "lead_time_for_changes": percentile(sorted(carried), 0.5) if carried else NOTHING,
        "change_failure_rate": len(bad) / len(tries) if tries else NOTHING,
        "time_to_restore": _mean(repairs),
    }


def _carried(passages: Sequence[Passage]) -> list[float]:
    """From arrival to production of every change there, superseded ones that a later execution brought included."""
    times = []
    first: float | None = None
    for one in reversed(passages):
        if one.shipped and one.ended is not None:
            first = one.ended if first is None else min(first, one.ended)
        if first is not None and (one.shipped or one.ending == "superseded"):
            times.append(first - one.arrived)
    return times


def _spread(name: str, values: Iterable[float]) -> dict[str, float]:
    ordered = sorted(values)
    result = {name: _mean(ordered)}
    for share in (50, 90, 95):
        result[f"{name}.p{share}"] = percentile(ordered, share / 100) if ordered else NOTHING
    return result


def _mean(values: Iterable[float]) -> float:
    kept = list(values)
    return fmean(kept) if kept else NOTHING


def _area(pieces: Iterable[tuple[float, float]], start: float, end: float) -> float:
    if end <= start:
        return 0.0
    return sum(max(0.0, min(high, end) - max(low, start)) for low, high in pieces) / (end - start)


def _length(pieces: Iterable[tuple[float, float]]) -> float:
    return sum(high - low for low, high in _union(pieces))


def _union(pieces: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(pieces):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        elif high > low:
            merged.append((low, high))
    return merged


def _without(pieces: Iterable[tuple[float, float]], holes: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    left = []
    for low, high in _union(pieces):
        for start, stop in holes:
            if stop <= low or start >= high:
                continue
            if start > low:
                left.append((low, start))
            low = max(low, stop)
        if high > low:
            left.append((low, high))
    return left
