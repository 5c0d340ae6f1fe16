"""When executions start in many replications at once: arrivals of changes, and polls that find them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.arrivals import BLOCK, Arrivals, At, Every, OfficeHours, Once, Poisson
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.streams import Streams, sibling
from pipesim.catalog.limits import POLLING_WITHOUT_EXECUTION
from pipesim.definition.model import Pipeline
from pipesim.engine.arrivals import trigger_of
from pipesim.engine.simulate import ORDINARY_INTERVAL
from pipesim.vocabulary import TriggerType
from pipesim.whatif.draws import Draws

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
NEVER = np.inf
STREAM = "arrivals"


@dataclass(frozen=True, slots=True)
class Starts:
    """The executions of many replications, in milliseconds; a row an execution, a column a replication.

    Attributes:
        started: when each execution starts; infinite where a replication has fewer.
        arrived: when its change arrived: earlier, where a poll had to find it.
        last: when the last change of each replication arrived, started something or not.
        polled: whether executions start at polls.
        undecided: replications in which polling would be switched off, which only the engine can tell.
    """

    started: Times
    arrived: Times
    last: Times
    polled: bool
    undecided: Flags


def find_starts(
    pipeline: Pipeline, assumptions: Assumptions, draws: Draws, executions: int | None, until: float | None
) -> Starts:
    """Return the starts of all executions.

    Args:
        pipeline: the declaration.
        assumptions: what is assumed.
        draws: the replications' luck.
        executions: how many changes arrive at most; None: as many as the arrivals give.
        until: seconds after which nothing is looked at; None: to the end.
    """
    source = pipeline.stages[0].actions[0]
    polled = trigger_of(source) is TriggerType.POLL_FOR_SOURCE_CHANGES and bool(assumptions.delays.polling)
    interval = assumptions.delays.polling if polled else 0.0

    def work() -> tuple[Starts, int]:
        starts = _find(assumptions.arrivals, assumptions.start, interval, draws, executions, until)
        return starts, 2 * starts.started.nbytes

    return draws.once(("starts", assumptions.arrivals, assumptions.start, interval, executions, until), work)


def _find(
    plan: Arrivals, start: datetime, interval: float, draws: Draws, executions: int | None, until: float | None
) -> Starts:
    if executions is not None and executions > 1 and isinstance(plan, Once):
        plan = Every(ORDINARY_INTERVAL, first=plan.at)
    changes = _changes(plan, start, draws, executions, until)
    if until is not None:
        changes = np.where(changes <= until * 1000.0, changes, NEVER)
    some = np.isfinite(changes).any(axis=1)
    if not some.all():
        changes = changes[: int(some.sum())]
    last = np.where(np.isfinite(changes), changes, 0.0).max(axis=0, initial=0.0)
    if not interval:
        return Starts(changes, changes, last, False, np.zeros(changes.shape[1], dtype=bool))
    started, arrived = _poll(changes, interval)
    gaps = np.diff(np.where(np.isfinite(started), started, np.nan), axis=0, prepend=0.0)
    idle = np.nan_to_num(gaps).max(axis=0, initial=0.0) > (POLLING_WITHOUT_EXECUTION - interval) * 1e3
    if until is not None:
        started = np.where(started <= until * 1000.0, started, NEVER)
    return Starts(started, arrived, last, True, idle)


def _changes(plan: Arrivals, start: datetime, draws: Draws, executions: int | None, until: float | None) -> Times:
    most = math.inf if executions is None else executions
    match plan:
        case Once(at):
            moments = _one_by_one([at][: executions if executions is None else max(executions, 0)])
            return np.broadcast_to(moments[:, None], (len(moments), draws.count))
        case At(given):
            moments = _one_by_one(given[:executions])
            return np.broadcast_to(moments[:, None], (len(moments), draws.count))
        case Every(interval, first):
            count = most if until is None else min(most, max(0, math.floor((until - first) / interval) + 2))
            moments = _one_by_one(islice(plan.times(np.random.default_rng(0), start), int(count)))
            return np.broadcast_to(moments[:, None], (len(moments), draws.count))
        case Poisson(per_hour):
            return _enough(3600.0 / per_hour, draws, executions, until)
        case OfficeHours(per_day, hours):
            return _in_office_hours(per_day, hours, start, draws, executions, until)
    return _own_plan(plan, start, draws, executions, until)


def _one_by_one(moments: Iterable[float]) -> Times:
    """What the engine's clock shows when it has waited for each of these moments, in whole milliseconds."""
    now = 0.0
    shown = []
    for moment in moments:
        if moment > now:
            now = round(now + (moment - now), 3)
        shown.append(now)
    return np.rint(np.array(shown) * 1000.0)


def _own_plan(plan: Arrivals, start: datetime, draws: Draws, executions: int | None, until: float | None) -> Times:
    columns = []
    for number in range(draws.first, draws.first + draws.count):
        generator = Streams(sibling(draws.family.number, number)).generator(STREAM)
        moments: list[float] = []
        for moment in islice(plan.times(generator, start), executions):
            if until is not None and moment > until:
                break
            moments.append(moment)
        columns.append(_one_by_one(moments))
    table = np.full((max(map(len, columns)), draws.count), NEVER)
    for place, column in enumerate(columns):
        table[: len(column), place] = column
    return table


def _enough(mean: float, draws: Draws, executions: int | None, until: float | None) -> Times:
    rows = _guess(mean, executions, until)
    while True:
        beats = _beats(mean, draws, rows)
        if executions is not None and rows >= executions:
            return milliseconds(beats)
        assert until is not None
        if beats[-1].min() > until:
            return milliseconds(beats)
        rows = _more(rows, executions)


def _guess(mean: float, executions: int | None, until: float | None) -> int:
    if until is None:
        assert executions is not None
        return executions
    expected = until / mean
    rows = math.ceil(expected + 6 * math.sqrt(expected) + 8)
    return rows if executions is None else min(rows, executions)


def _more(rows: int, executions: int | None) -> int:
    rows += rows // 4 + 8
    return rows if executions is None else min(rows, executions)


def _beats(mean: float, draws: Draws, rows: int) -> Times:
    """The sums of exponential gaps, added in the order in which `pipesim.assumptions.arrivals` adds them."""
    gaps = np.negative(draws.uniforms(STREAM, rows))
    np.log1p(gaps, out=gaps)
    gaps *= -mean
    last: Times | None = None
    for begin in range(0, rows, BLOCK):
        block = gaps[begin : begin + BLOCK]
        for row in range(1, len(block)):
            np.add(block[row - 1], block[row], out=block[row])
        if last is not None:
            block += last
        last = block[-1]
    return gaps


def _in_office_hours(
    per_day: float, hours: WorkingHours, start: datetime, draws: Draws, executions: int | None, until: float | None
) -> Times:
    mean = hours.day_length / per_day
    begins: list[float] = []
    before: list[float] = []
    after: list[float] = []
    worked = reached = 0.0
    windows = hours.windows(start)

    def reach(beat: float) -> None:
        nonlocal worked, reached
        while not after or after[-1] < beat:
            opened, closed = next(windows)
            begin = max((opened - start).total_seconds(), reached)
            reached = max((closed - start).total_seconds(), begin)
            begins.append(begin)
            before.append(worked)
            worked += reached - begin
            after.append(worked)

    rows = executions
    if until is not None:
        while reached <= until:
            reach(worked + 1.0)
        rows = _guess(mean, executions, worked)
    assert rows is not None
    while True:
        beats = _beats(mean, draws, rows)
        reach(float(beats.max(initial=0.0)))
        place = np.searchsorted(np.array(after), beats, side="left")
        moments = np.array(begins)[place] + (beats - np.array(before)[place])
        if (executions is not None and rows >= executions) or (until is not None and moments[-1].min() > until):
            return milliseconds(moments)
        rows = _more(rows, executions)


def milliseconds(seconds: Times) -> Times:
    """Return times in whole milliseconds, rounded as Python's `round(…, 3)` does."""
    exact = seconds * 1000.0
    whole: Times = np.rint(exact)
    finite = exact[np.isfinite(exact)] if np.isinf(exact[-1:]).any() else exact
    close = 4.0 * float(np.spacing(np.abs(finite).max(initial=1.0)))
    exact -= whole
    np.abs(exact, out=exact)
    doubtful = exact >= 0.5 - close
    if doubtful.any():
        whole[doubtful] = [round(round(float(moment), 3) * 1000.0) for moment in seconds[doubtful]]
    return whole


def _poll(changes: Times, interval: float) -> tuple[Times, Times]:
    """Which poll finds each change; of the changes that one poll finds only the newest starts an execution."""
    seconds = changes / 1000.0
    there = np.isfinite(seconds)
    found = np.full(changes.shape, NEVER)
    now = seconds[there]
    found[there] = np.rint((now + (np.ceil(now / interval) * interval - now)) * 1000.0)
    newest = there.copy()
    same = found[1:] == found[:-1]
    own = (changes[1:] == found[1:]) & (changes[1:] != changes[:-1])
    newest[:-1] &= ~(same & ~own) | ~there[1:]
    place = np.cumsum(newest, axis=0) - 1
    rows = int(newest.sum(axis=0).max(initial=0))
    started, arrived = np.full((rows, changes.shape[1]), NEVER), np.full((rows, changes.shape[1]), NEVER)
    row, column = np.nonzero(newest)
    started[place[row, column], column] = found[row, column]
    arrived[place[row, column], column] = changes[row, column]
    return started, arrived
