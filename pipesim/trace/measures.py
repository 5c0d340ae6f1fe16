"""What a trace amounts to, in numbers.

Times are seconds, shares lie between 0 and 1, and everything is counted over the whole
trace, from its start to its end. "Shipped" means: a STANDARD execution that succeeded in the last stage.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from immutabledict import immutabledict

from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.snapshot import ExecutionState
from pipesim.trace.spans import REASONS, Span, spans
from pipesim.trace.state import Fold
from pipesim.trace.wording import columns, spell
from pipesim.vocabulary import ExecutionType, PipelineExecutionStatus

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number of durations are spread; all in seconds, percentiles by linear interpolation.

    Attributes:
        count: how many there are.
        mean: their mean; None when there are none, as for all that follow.
        p50: half of them are not longer.
        p90: nine tenths of them are not longer.
        p95: nineteen twentieths of them are not longer.
        shortest: the shortest.
        longest: the longest.
    """

    count: int
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    shortest: float | None = None
    longest: float | None = None

    @classmethod
    def of(cls, durations: Iterable[float]) -> Spread:
        """Return the spread of these durations.

        >>> Spread.of([10.0, 20.0, 40.0]).p90
        36.0
        """
        ordered = sorted(durations)
        if not ordered:
            return cls(0)
        return cls(
            count=len(ordered),
            mean=fmean(ordered),
            p50=percentile(ordered, 0.5),
            p90=percentile(ordered, 0.9),
            p95=percentile(ordered, 0.95),
            shortest=ordered[0],
            longest=ordered[-1],
        )

    def __str__(self) -> str:
        if self.mean is None or self.p50 is None or self.p95 is None or self.longest is None:
            return "none"
        return (
            f"mean {spell(self.mean)}, median {spell(self.p50)}, 95 % within {spell(self.p95)}, "
            f"longest {spell(self.longest)}"
        )


@dataclass(frozen=True, slots=True)
class PoolUse:
    """How a pool was used.

    Attributes:
        mean: places in use, on average.
        peak: places in use at the busiest moment.
        capacity: how many places there are; None when the trace does not say.
        waited: how many actions had to wait for a place.
    """

    mean: float
    peak: int
    capacity: int | None = None
    waited: int = 0

    @property
    def utilisation(self) -> float | None:
        """The busy share of the pool, 0 to 1; None without a capacity."""
        return self.mean / self.capacity if self.capacity else None


@dataclass(frozen=True, slots=True)
class Measures:
    """What a trace amounts to; `str()` gives a table.

    Attributes:
        duration: how long the trace lasts.
        started: executions started, rollbacks included.
        shipped: STANDARD executions that succeeded.
        rolled_back: ROLLBACK executions that succeeded.
        failed: executions that are Failed at the end.
        stopped: executions that are Stopped at the end.
        superseded: executions that are Superseded at the end.
        cancelled: executions that are Cancelled at the end.
        unfinished: executions that are InProgress or Stopping at the end.
        ignored: changes that started nothing.
        retries: how often an execution was brought back by a retry of a stage.
        carried: superseded executions whose change a later shipped execution brought to production.
        lead_time: of shipped executions, from the change's arrival to the end.
        change_lead_time: of changes in production, from arrival to the end of the execution that brought it:
            shipped ones and carried ones.
        waiting: seconds waited by all executions, by reason (`pipesim.trace.spans.REASONS`).
        working: seconds in which actions worked: their spans without the waits inside.
        throughput: shipped executions an hour; 0 for a trace without duration.
        work_in_progress: unfinished executions, on average.
        stage_utilisation: the share of time in which somebody was inside, by stage.
        pools: by name; only pools that the trace names.
        action_durations: the spread of each action's spans that ended, by (stage, action).
    """

    duration: float
    started: int
    shipped: int
    rolled_back: int
    failed: int
    stopped: int
    superseded: int
    cancelled: int
    unfinished: int
    ignored: int
    retries: int
    carried: int
    lead_time: Spread
    change_lead_time: Spread
    waiting: Mapping[str, float]
    working: float
    throughput: float
    work_in_progress: float
    stage_utilisation: Mapping[str, float]
    pools: Mapping[str, PoolUse]
    action_durations: Mapping[tuple[str, str], Spread]

    def __str__(self) -> str:
        rows = [
            ("executions started", str(self.started)),
            ("  shipped", f"{self.shipped}  ({self.throughput:.2f} an hour)"),
            ("  rolled back", str(self.rolled_back)),
            ("  failed", str(self.failed)),
            ("  stopped", str(self.stopped)),
            ("  superseded", _superseded_text(self.superseded, self.carried)),
            ("  cancelled", str(self.cancelled)),
            ("  unfinished", str(self.unfinished)),
            ("changes ignored", str(self.ignored)),
            ("stage retries", str(self.retries)),
            ("lead time", str(self.lead_time)),
            ("lead time of changes", str(self.change_lead_time)),
            ("work in progress", f"{self.work_in_progress:.2f} executions on average"),
            ("working", spell(self.working)),
            *((f"waiting: {reason}", spell(seconds)) for reason, seconds in self.waiting.items() if seconds),
            *((f"stage {name}", f"{share:.0%} occupied") for name, share in self.stage_utilisation.items()),
            *((f"pool {name}", _pool_text(use)) for name, use in self.pools.items()),
            ("duration", spell(self.duration)),
        ]
        return columns(row for row in rows if row[1] != "0" or row[0] in _ALWAYS)


_ALWAYS = frozenset({"executions started", "  failed", "  unfinished"})


def measure(trace: Trace) -> Measures:
    """Return what a trace amounts to.

    Args:
        trace: what happened.

    Raises:
        TraceError: the trace does not begin with its pipeline, or its events do not fit together.

    >>> import pipesim as ps
    >>> measure(ps.simulate(ps.load("S3 -> S3"), executions=3)).shipped
    3
    """
    fold = Fold(trace.pipeline)
    for event in trace:
        fold.apply(event)
    state = fold.snapshot(trace.end)
    executions = list(state.executions.values())
    found = spans(trace)
    counts = {status: sum(e.status is status for e in executions) for status in PipelineExecutionStatus}
    shipped = [execution for execution in executions if _shipped(execution)]
    carriers = _carriers(executions)
    return Measures(
        duration=trace.end,
        started=len(executions),
        shipped=len(shipped),
        rolled_back=counts[PipelineExecutionStatus.SUCCEEDED] - len(shipped),
        failed=counts[PipelineExecutionStatus.FAILED],
        stopped=counts[PipelineExecutionStatus.STOPPED],
        superseded=counts[PipelineExecutionStatus.SUPERSEDED],
        cancelled=counts[PipelineExecutionStatus.CANCELLED],
        unfinished=sum(not execution.finished for execution in executions),
        ignored=state.ignored,
        retries=sum(event.kind is EventKind.STAGE_RESUMED for event in trace),
        carried=sum(execution.status is PipelineExecutionStatus.SUPERSEDED for execution, _ in carriers),
        lead_time=Spread.of(_end(execution) - execution.arrived for execution in shipped),
        change_lead_time=Spread.of(_end(carrier) - execution.arrived for execution, carrier in carriers),
        waiting=_waiting(found),
        working=_working(found),
        throughput=len(shipped) / trace.end * HOUR if trace.end else 0.0,
        work_in_progress=_mean([span for span in found if span.level == "execution"], trace.end),
        stage_utilisation=immutabledict(
            {stage.name: _occupied(found, stage.name, trace.end) for stage in state.stages}
        ),
        pools=_pools(trace, found),
        action_durations=_action_durations(found),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return a percentile by linear interpolation between the two nearest values.

    Args:
        ordered: the values, ascending, at least one.
        share: 0 for the smallest, 1 for the largest.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.5
    """
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _shipped(execution: ExecutionState) -> bool:
    return execution.status is PipelineExecutionStatus.SUCCEEDED and execution.type is ExecutionType.STANDARD


def _end(execution: ExecutionState) -> float:
    return execution.started if execution.ended is None else execution.ended


def _carriers(executions: Sequence[ExecutionState]) -> list[tuple[ExecutionState, ExecutionState]]:
    """Pair every shipped or superseded execution with the one that brought its change to production.

    A later execution holds every earlier change, so the first to end among it and the later ones carries it.
    """
    pairs = []
    first: ExecutionState | None = None
    for execution in reversed(executions):
        if _shipped(execution) and (first is None or _end(execution) <= _end(first)):
            first = execution
        overtaken = execution.status is PipelineExecutionStatus.SUPERSEDED
        if first is not None and (overtaken or _shipped(execution)):
            pairs.append((execution, first))
    return pairs[::-1]


def _waiting(found: Iterable[Span]) -> Mapping[str, float]:
    waited = dict.fromkeys(REASONS, 0.0)
    for span in found:
        if span.level == "wait" and span.reason is not None:
            waited[span.reason] += span.duration
    return immutabledict(waited)


def _working(found: Iterable[Span]) -> float:
    work = 0.0
    for span in found:
        if span.level == "action":
            work += span.duration
        elif span.level == "wait" and span.action is not None:
            work -= span.duration
    return work


def _mean(found: Iterable[Span], duration: float) -> float:
    """How many of these spans lie over one another, on average over the trace."""
    return sum(span.duration for span in found) / duration if duration else 0.0


def _occupied(found: Iterable[Span], stage: str, duration: float) -> float:
    reached = total = 0.0
    for span in sorted(
        (span for span in found if span.level == "stage" and span.stage == stage), key=lambda span: span.start
    ):
        start = max(span.start, reached)
        if span.end > start:
            total += span.end - start
            reached = span.end
    return total / duration if duration else 0.0


def _pools(trace: Trace, found: Iterable[Span]) -> Mapping[str, PoolUse]:
    named: dict[int, str] = {}
    worked: dict[int, float] = {}
    waited: dict[str, int] = defaultdict(int)
    running: dict[tuple[str | None, str | None, str | None], int] = {}
    for event in trace:
        place = (event.execution, event.stage, event.action)
        pool = event.detail.get("pool")
        if event.kind is EventKind.ACTION_STARTED:
            running[place] = event.seq
            if pool:
                named[event.seq] = pool
        elif event.kind is EventKind.ACTION_WAITING and pool:
            named[running[place]] = pool
            worked[running[place]] = trace.end
            waited[pool] += 1
        elif event.kind is EventKind.ACTION_WORKING:
            worked[running[place]] = event.time

    steps: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for span in found:
        if span.level != "action" or span.opened not in named:
            continue
        start = min(worked.get(span.opened, span.start), span.end)
        if span.end > start:
            steps[named[span.opened]] += [(start, 1), (span.end, -1)]
    capacities: Mapping[str, int] = trace[0].detail.get("pools") or {}
    names = sorted({*capacities, *named.values()})
    return immutabledict({name: _pool(steps[name], trace.end, capacities.get(name), waited[name]) for name in names})


def _pool(steps: list[tuple[float, int]], duration: float, capacity: int | None, waited: int) -> PoolUse:
    inside = peak = 0
    area = 0.0
    for time, step in sorted(steps):
        area -= step * time
        inside += step
        peak = max(peak, inside)
    return PoolUse(area / duration if duration else 0.0, peak, capacity, waited)


def _superseded_text(superseded: int, carried: int) -> str:
    return f"{superseded}  (changes of {carried} shipped by a later execution)" if superseded else "0"


def _pool_text(use: PoolUse) -> str:
    of = "" if use.capacity is None else f" of {use.capacity}"
    share = "" if use.utilisation is None else f" ({use.utilisation:.0%})"
    return f"{use.mean:.2f}{of} places busy on average{share}, {use.peak} at most; {use.waited} waited"


def _action_durations(found: Iterable[Span]) -> Mapping[tuple[str, str], Spread]:
    durations: dict[tuple[str, str], list[float]] = defaultdict(list)
    for span in found:
        if span.level == "action" and not span.open:
            durations[span.stage or "", span.action or ""].append(span.duration)
    return immutabledict({place: Spread.of(values) for place, values in durations.items()})
