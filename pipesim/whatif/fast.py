"""The measures of many replications at once, from the fast path's arrays: those of `pipesim.whatif.observed`.

Arrays have a row a replication and a column an execution. A measure is computed when it is first asked for, so a
slider that shows three of them waits for three.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipesim.catalog.prices import PRICES
from pipesim.trace.cost import BUILDERS, DEFAULT_COMPUTE
from pipesim.trace.spans import REASONS
from pipesim.vocabulary import ExecutionMode, PipelineExecutionStatus, PipelineType
from pipesim.whatif.vectorised import STATUSES, ActionTimes, Result

Grid = NDArray[np.float64]
Flags = NDArray[np.bool_]
Column = NDArray[np.float64]
ABSENT = -1
IN_PROGRESS, SUCCEEDED, FAILED, SUPERSEDED = (
    STATUSES.index(PipelineExecutionStatus(name)) for name in ("InProgress", "Succeeded", "Failed", "Superseded")
)
HOUR, DAY = 3600.0, 86_400.0
HALF_A_MILLISECOND = 0.0005
SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95}


class FastSamples(Mapping[str, Column]):
    """Every measure of a block of replications, one number each.

    Args:
        result: what the fast path found.
        warm_up: seconds at the beginning that are not measured.
        instead: the measures of replications that only the engine can tell, by their place in the block.
    """

    def __init__(
        self, result: Result, warm_up: float = 0.0, instead: Mapping[int, Mapping[str, float]] | None = None
    ) -> None:
        self._result = result
        self._warm_up = warm_up
        self._instead = instead or {}
        self._known: dict[str, Column] = {}
        stages = [stage.name for stage in result.pipeline.stages]
        self._makers: dict[str, Callable[[], Column]] = {
            "lead_time": lambda: _divide(self._shipped_leads[0], self._shipped_leads[1]),
            **{f"lead_time.{name}": self._quantile_maker(share) for name, share in SHARES.items()},
            **{f"waiting.{reason}": self._zero for reason in REASONS},
            "waiting.transfer": lambda: self._mean(self._holes.transfer, self._shipped),
            "waiting.trigger": lambda: self._mean(self._polled, self._shipped),
            "waiting.stage lock": lambda: self._mean(self._doors, self._shipped),
            "waiting.approval": lambda: self._mean(self._holes.approval, self._shipped),
            "waiting.delay": lambda: self._mean(self._delays, self._shipped),
            "working": lambda: self._mean(self._work, self._shipped),
            **{
                f"critical.{stage.name}/{action.name}": self._critical_maker(place, action.name)
                for place, stage in enumerate(result.pipeline.stages)
                for action in stage.actions
            },
            "throughput": self._throughput,
            "started": lambda: self._count(self._late),
            "shipped": lambda: self._shipped_leads[1],
            "failed": lambda: self._count(self._late & (self._status == FAILED)),
            "superseded": lambda: self._count(self._late & (self._status == SUPERSEDED)),
            "stopped": self._zero_count,
            "cancelled": self._zero_count,
            "unfinished": lambda: self._count(self._late & (self._status == IN_PROGRESS)),
            "work_in_progress": lambda: self._busy(self._result.started, self._result.ended, apart=True),
            **{f"utilisation.{name}": self._utilisation_maker(place) for place, name in enumerate(stages)},
            "approvals_wasted": self._wasted,
            "quota_failures": self._refused,
            "production_age": self._production_age,
            "deployment_frequency": lambda: self._per_window(self._count(self._deployed), DAY),
            "lead_time_for_changes": self._lead_time_for_changes,
            "change_failure_rate": self._change_failure_rate,
            "time_to_restore": self._time_to_restore,
            "cost.v1": lambda: self._cost[0],
            "cost.v2": lambda: self._cost[1],
            "cost.builds": lambda: self._cost[2],
            "cost.total": self._whole_cost,
        }

    def __getitem__(self, name: str) -> Column:
        if name not in self._known:
            column = self._makers[name]().astype(np.float64)
            for place, measures in self._instead.items():
                column[place] = measures[name]
            self._known[name] = column
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, ({name: self[name] for name in self},)

    @property
    def nbytes(self) -> int:
        """About how many bytes the arrays behind it hold."""
        return self._result.executions * self._result.replications * 8 * (4 + 3 * len(self._result.pipeline.stages))

    # --- executions ------------------------------------------------------------------------------

    @cached_property
    def _status(self) -> NDArray[np.int8]:
        return self._result.status

    @cached_property
    def _late(self) -> Flags:
        there: Flags = self._status != ABSENT
        if self._warm_up:
            there &= self._result.arrived >= self._warm_up
        return there

    @cached_property
    def _standard(self) -> Flags:
        """Which executions are a change's own, not rollbacks."""
        standard: Flags = self._result.rollback_target < 0
        return standard

    @cached_property
    def _good(self) -> Flags:
        good: Flags = (self._status == SUCCEEDED) & self._standard
        return good

    @cached_property
    def _shipped(self) -> Flags:
        shipped: Flags = self._good & self._late
        return shipped

    def _leads(self) -> Iterator[tuple[Grid, Flags]]:
        """Lead times of changes, and which of them shipped: a row an execution, a few rows at a time."""
        for arrived, ended, shipped in self._result.deliveries():
            if self._warm_up:
                shipped &= arrived >= self._warm_up
            with np.errstate(invalid="ignore"):
                yield ended - arrived, shipped

    @cached_property
    def _shipped_leads(self) -> tuple[Column, Column]:
        """The sum of the lead times of what shipped, and how much that is."""
        total, count = np.zeros(self._result.replications), np.zeros(self._result.replications)
        for leads, shipped in self._leads():
            total = np.concatenate((total[None], np.where(shipped, leads, 0.0))).sum(axis=0)
            count += np.count_nonzero(shipped, axis=0)
        return total, count

    @cached_property
    def _window(self) -> Column:
        return np.maximum(self._result.ends - self._warm_up, 0.0)

    @cached_property
    def _doors(self) -> Grid:
        total = np.zeros(self._status.shape)
        for stage in range(len(self._result.pipeline.stages)):
            total += self._between(self._result.reached(stage), self._result.entered(stage))
        return total

    @cached_property
    def _polled(self) -> Grid:
        with np.errstate(invalid="ignore"):
            return self._result.started - self._result.arrived

    @cached_property
    def _holes(self) -> Holes:
        """How long each execution stood in actions without work, by reason, and in all."""
        shape = self._status.shape
        found = Holes(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape))
        for place, stage in enumerate(self._result.pipeline.stages):
            copied = self._result.transfers(place)
            if not any(copied.values()) and not any(action.is_approval for action in stage.actions):
                continue
            attempts = self._attempts(place)
            for group in stage.groups:
                names = {action.name for action in group}
                found.add([(times, copied[name]) for (name, _), times in attempts.items() if name in names])
        return found

    def _critical_maker(self, stage: int, action: str) -> Callable[[], Column]:
        return lambda: self._mean(self._critical(stage)[action], self._shipped)

    def _critical(self, stage: int) -> dict[str, Grid]:
        """By how much each of a stage's actions alone holds an execution up."""
        if stage not in self._all_critical:
            parts = self._result.pipeline.stages[stage]
            total = {action.name: np.zeros(self._status.shape) for action in parts.actions}
            attempts = self._attempts(stage)
            for group in parts.groups:
                for number in {attempt for _, attempt in attempts}:
                    names = [action.name for action in group if (action.name, number) in attempts]
                    if names:
                        alone = _alone([attempts[name, number] for name in names])
                        for name, seconds in zip(names, alone, strict=True):
                            total[name] += seconds
            self._all_critical[stage] = total
        return self._all_critical[stage]

    @cached_property
    def _all_critical(self) -> dict[int, dict[str, Grid]]:
        return {}

    @cached_property
    def _delays(self) -> Grid:
        delays = self._result.assumptions.delays
        between = delays.start + delays.between_stages * (len(self._result.pipeline.stages) - 1)
        return self._holes.tick + between

    @cached_property
    def _work(self) -> Grid:
        total = np.zeros(self._status.shape)
        for stage in range(len(self._result.pipeline.stages)):
            total += self._between(self._result.entered(stage), self._result.left(stage))
        total -= self._holes.whole
        return total

    def _attempts(self, stage: int) -> dict[tuple[str, int], ActionTimes]:
        if stage not in self._all_attempts:
            self._all_attempts[stage] = self._result.attempts(stage)
        return self._all_attempts[stage]

    @cached_property
    def _all_attempts(self) -> dict[int, dict[tuple[str, int], ActionTimes]]:
        return {}

    # --- measures --------------------------------------------------------------------------------

    def _quantile_maker(self, share: float) -> Callable[[], Column]:
        return lambda: _quantile(self._ordered_leads, self._shipped_leads[1], share)

    @cached_property
    def _ordered_leads(self) -> Grid:
        some = [np.where(shipped, leads, np.inf) for leads, shipped in self._leads()]
        if not some:
            return np.empty((self._result.replications, 0))
        return np.sort(np.concatenate(some).T, axis=1)

    def _throughput(self) -> Column:
        delivered = self._good & (self._result.ended >= self._warm_up) if self._warm_up else self._good
        return self._per_window(self._count(delivered), HOUR)

    def _utilisation_maker(self, stage: int) -> Callable[[], Column]:
        apart = self._result.pipeline.execution_mode != ExecutionMode.PARALLEL
        return lambda: self._busy(self._result.entered(stage), self._result.left(stage), apart=apart)

    def _busy(self, start: Grid, end: Grid, *, apart: bool) -> Column:
        """The share of the window that intervals cover; counted once where they overlap, unless they lie apart."""
        last = self._result.ends[:, None]
        low = np.clip(start, self._warm_up, np.maximum(last, self._warm_up))
        high = np.clip(end, self._warm_up, np.maximum(last, self._warm_up))
        if not apart:
            order = np.argsort(low, axis=1, kind="stable")
            low, high = np.take_along_axis(low, order, 1), np.take_along_axis(high, order, 1)
            reached = np.maximum.accumulate(high, axis=1)
            low[:, 1:] = np.maximum(low[:, 1:], reached[:, :-1])
            high = np.maximum(low, high)
        return self._per_window((high - low).sum(axis=1), 1.0)

    def _wasted(self) -> Column:
        lost = self._late & self._standard & ((self._status == FAILED) | (self._status == SUPERSEDED))
        total = np.zeros(len(self._status))
        for place, stage in enumerate(self._result.pipeline.stages):
            if any(action.is_approval for action in stage.actions):
                for times in self._attempts(place).values():
                    if times.answered is not None:
                        rejected = times.failed & np.isfinite(times.answered)
                        total += self._count(np.isfinite(times.answered) & ~rejected & lost)
        return total

    def _refused(self) -> Column:
        """Executions that failed before they entered a stage."""
        never = self._late & (self._status == FAILED)
        for place in range(len(self._result.pipeline.stages)):
            never &= np.isinf(self._result.entered(place))
        return self._count(never)

    def _production_age(self) -> Column:
        ended = np.where(self._good, self._result.ended, np.inf)
        order = np.argsort(ended, axis=1, kind="stable")
        landed = np.take_along_axis(ended, order, 1)
        arrived = np.take_along_axis(np.where(self._good, self._result.arrived, -np.inf), order, 1)
        newest = np.maximum.accumulate(arrived, axis=1)
        last = self._result.ends[:, None]
        until = np.minimum(np.concatenate((landed[:, 1:], last), axis=1), last)
        since = np.minimum(np.maximum(landed, self._warm_up), until)
        counted = np.isfinite(landed) & (until > since)
        newest = np.where(counted, newest, 0.0)
        area = np.where(counted, ((until - newest) ** 2 - (since - newest) ** 2) / 2, 0.0).sum(axis=1)
        spent = np.where(counted, until - since, 0.0).sum(axis=1)
        return _divide(area, spent)

    @cached_property
    def _deployed(self) -> Flags:
        last = len(self._result.pipeline.stages) - 1
        inside = self._result.entered(last) >= self._warm_up
        return inside & np.isfinite(self._result.left(last)) & ~self._result.stage_failed(last)

    @cached_property
    def _broke(self) -> tuple[Grid, Grid]:
        """When deployments failed: for good, and before the stage's own retry; infinite where they did not."""
        last = len(self._result.pipeline.stages) - 1
        entered, retried = self._result.entered(last), self._result.retried(last)
        again = np.where(np.isfinite(retried), retried, entered)
        for_good = np.where(self._result.stage_failed(last) & (again >= self._warm_up), self._result.left(last), np.inf)
        return for_good, np.where(entered >= self._warm_up, retried, np.inf)

    def _change_failure_rate(self) -> Column:
        bad = sum(self._count(np.isfinite(times)) for times in self._broke)
        return _divide(bad, bad + self._count(self._deployed))

    def _time_to_restore(self) -> Column:
        last = len(self._result.pipeline.stages) - 1
        left = np.where(self._deployed, self._result.left(last), np.inf)
        bad = np.concatenate(self._broke, axis=1)
        columns = np.flatnonzero(np.isfinite(bad).any(axis=0))
        if not columns.size:
            return np.full(len(left), math.nan)
        moments = np.concatenate((bad[:, columns], left), axis=1)
        works = np.broadcast_to(np.arange(moments.shape[1]) >= len(columns), moments.shape)
        order = np.argsort(moments, axis=1, kind="stable")
        moments, works = np.take_along_axis(moments, order, 1), np.take_along_axis(works, order, 1)
        there = np.isfinite(moments)
        after_failure = np.zeros(there.shape, dtype=bool)
        after_failure[:, 1:] = ~works[:, :-1] & there[:, :-1]
        first_bad = ~works & there & ~after_failure
        mended = works & there & after_failure
        repairs = np.where(mended, moments, 0.0).sum(axis=1)
        broken = np.where(first_bad, moments, 0.0).sum(axis=1)
        open_end = (first_bad.sum(axis=1) > mended.sum(axis=1))[:, None]
        latest = np.where(first_bad, moments, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
        broken -= np.where(open_end, latest, 0.0)[:, 0]
        return _divide(repairs - broken, self._count(mended))

    def _lead_time_for_changes(self) -> Column:
        ended = np.where(self._shipped, self._result.ended, np.inf)
        first = np.minimum.accumulate(ended[:, ::-1], axis=1)[:, ::-1]
        carried = (self._shipped | (self._late & (self._status == SUPERSEDED))) & np.isfinite(first)
        with np.errstate(invalid="ignore"):
            times = np.sort(np.where(carried, first - self._result.arrived, np.inf), axis=1)
        return _quantile(times, self._count(carried), 0.5)

    # --- money -----------------------------------------------------------------------------------

    @cached_property
    def _cost(self) -> tuple[Column, Column, Column]:
        """V1, V2 and builds, as `pipesim.trace.cost` works them out for one trace."""
        months = self._months()
        bins = len(months) + 1
        minutes = np.zeros((bins, len(self._status)))
        builds: dict[str, Grid] = {}
        last = self._result.ends[:, None]
        for place, stage in enumerate(self._result.pipeline.stages):
            for (name, _), times in self._attempts(place).items():
                action = stage.action(name)
                billed = action.category not in PRICES.v2_free_categories
                billed = billed and action.type.owner not in PRICES.v2_free_owners
                if not billed and action.provider not in BUILDERS:
                    continue
                end = np.minimum(times.ended, last)
                began = np.isfinite(times.started)
                with np.errstate(invalid="ignore"):
                    whole = np.ceil((end - times.started - HALF_A_MILLISECOND) / 60)
                whole = np.where(began, np.maximum(1.0, whole), 0.0)
                by_month = self._by_month(whole, end, months)
                if billed:
                    minutes += by_month
                if action.provider in BUILDERS:
                    kind = action.configuration.get("ComputeType") or DEFAULT_COMPUTE
                    builds[kind] = builds.get(kind, np.zeros(minutes.shape)) + by_month
        v2 = np.maximum(0.0, minutes - PRICES.v2_free_minutes).sum(axis=0) * PRICES.v2_action_minute
        money = np.zeros(len(self._status))
        for kind, counts in builds.items():
            free = PRICES.build_free_minutes if kind == PRICES.build_free_type else 0
            money += np.maximum(0.0, counts - free).sum(axis=0) * PRICES.build_minute[kind]
        paid = max(0, 1 - PRICES.v1_free_pipelines)
        there = self._status != ABSENT
        starts = self._by_month(there.astype(float), np.where(there, self._result.started, 0.0), months)
        return (starts > 0).sum(axis=0) * paid * PRICES.v1_pipeline_month, v2, money

    def _whole_cost(self) -> Column:
        v1, v2, builds = self._cost
        return (v2 if self._result.pipeline.effective_type == PipelineType.V2 else v1) + builds

    def _months(self) -> list[float]:
        """When calendar months begin, in seconds since the start, as far as anything is seen."""
        start = self._result.assumptions.start
        moment = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        last = float(self._result.ends.max(initial=0.0))
        begins: list[float] = []
        while True:
            moment = (moment + timedelta(days=32)).replace(day=1)
            seconds = (moment - start).total_seconds()
            if seconds > last:
                return begins
            begins.append(seconds)

    def _by_month(self, values: Grid, moments: Grid, months: list[float]) -> Grid:
        if not months:
            whole: Grid = values.sum(axis=1)[None, :]
            return whole
        since = [values.sum(axis=1), *((values * (moments >= begin)).sum(axis=1) for begin in months)]
        return np.array([*(now - later for now, later in pairwise(since)), since[-1]])

    # --- small -----------------------------------------------------------------------------------

    def _zero(self) -> Column:
        return np.asarray(np.where(self._count(self._shipped) > 0, 0.0, math.nan))

    def _zero_count(self) -> Column:
        return np.zeros(len(self._status))

    def _count(self, flags: Flags) -> Column:
        count: Column = np.count_nonzero(flags, axis=1).astype(np.float64)
        return count

    def _mean(self, values: Grid, chosen: Flags) -> Column:
        return _divide(np.where(chosen, values, 0.0).sum(axis=1), self._count(chosen))

    def _per_window(self, values: Column, unit: float) -> Column:
        some = self._window > 0
        each: Column = np.where(some, values / np.where(some, self._window, 1.0) * unit, 0.0)
        return each

    def _between(self, begin: Grid, end: Grid) -> Grid:
        there = np.isfinite(begin) & np.isfinite(end)
        length: Grid = np.where(there, end, 0.0) - np.where(there, begin, 0.0)
        return length


def fast_progress(result: Result, moments: Column) -> Grid:
    """Return the executions in progress at each moment (ascending, in seconds): a row a replication."""
    counts = np.empty((result.replications, len(moments)))
    arrived, ended = np.sort(result.arrived, axis=1), np.sort(result.ended, axis=1)
    for row in range(len(counts)):
        counts[row] = np.searchsorted(arrived[row], moments, "right") - np.searchsorted(ended[row], moments, "right")
    return counts


@dataclass(frozen=True, slots=True)
class Holes:
    """Time in actions without work, in seconds; what several actions do at once is counted once.

    Attributes:
        approval: waiting for answers.
        tick: from an answer to the action's end.
        transfer: copying artifacts.
        whole: any of these.
    """

    approval: Grid
    tick: Grid
    transfer: Grid
    whole: Grid

    def add(self, attempts: Sequence[tuple[ActionTimes, float]]) -> None:
        """Add those of one group: its attempts, and for how many seconds each copies artifacts."""
        approvals, ticks, copies = [], [], []
        for times, seconds in attempts:
            if times.answered is not None:
                answered = np.where(np.isfinite(times.answered), times.answered, times.ended)
                approvals.append((times.started, answered))
                ticks.append((answered, times.ended))
            elif seconds:
                copies.append((times.started, np.minimum(times.started + seconds, times.ended)))
        for total, pieces in ((self.approval, approvals), (self.tick, ticks), (self.transfer, copies)):
            np.add(total, _union(pieces), out=total)
        if len(approvals) + len(copies) > 1:
            whole = _union([*approvals, *ticks, *copies])
        else:
            whole = _union(approvals) + _union(ticks) + _union(copies)
        np.add(self.whole, whole, out=self.whole)


def _union(pieces: Sequence[tuple[Grid, Grid]]) -> Grid | float:
    """How long at least one of several intervals lasts, element by element."""
    if not pieces:
        return 0.0
    begin, end = (np.stack(edges) for edges in zip(*pieces, strict=True))
    there = np.isfinite(begin) & np.isfinite(end)
    begin, end = np.where(there, begin, 0.0), np.where(there, end, 0.0)
    if len(pieces) > 1:
        order = np.argsort(begin, axis=0, kind="stable")
        begin, end = np.take_along_axis(begin, order, 0), np.take_along_axis(end, order, 0)
        reached = np.maximum.accumulate(end, axis=0)
        begin[1:] = np.maximum(begin[1:], reached[:-1])
    length: Grid = np.maximum(end - begin, 0.0).sum(axis=0)
    return length


def _alone(side_by_side: Sequence[ActionTimes]) -> list[Grid]:
    """By how much each of a group's actions alone holds its execution up, as `critical_path` tells it.

    The action that ends last is waited for, from when the last of those beside it has ended; where only so many may
    run at once, what ended before it began is looked at next.
    """
    starts = np.stack([times.started for times in side_by_side])
    there = np.isfinite(starts)
    ends = np.stack([np.where(np.isfinite(times.ended), times.ended, -np.inf) for times in side_by_side])
    alone = np.zeros(starts.shape)
    ends[~there] = -np.inf
    if len(starts) == 1:
        known = np.isfinite(ends)
        return list(np.where(known, np.where(known, ends, 0.0) - np.where(known, starts, 0.0), 0.0))
    left = ends.copy()
    for _ in range(len(starts)):
        last = left.argmax(axis=0)[None]
        end = np.take_along_axis(left, last, 0)
        some = np.isfinite(end)
        if not some.any():
            break
        start = np.take_along_axis(starts, last, 0)
        beside = np.where(starts < end, ends, -np.inf)
        np.put_along_axis(beside, last, -np.inf, 0)
        since = np.maximum(start, np.minimum(beside.max(axis=0, keepdims=True), end))
        exclusive = np.where(some, np.where(some, end, 0.0) - np.where(some, since, 0.0), 0.0)
        np.put_along_axis(alone, last, np.take_along_axis(alone, last, 0) + exclusive, 0)
        left = np.where(left <= start, left, -np.inf)
        np.put_along_axis(left, last, -np.inf, 0)
    return list(alone)


def _divide(values: Any, counts: Any) -> Column:
    some = np.asarray(counts) > 0
    result: Column = np.where(some, np.asarray(values) / np.where(some, counts, 1.0), math.nan)
    return result


def _quantile(ordered: Grid, counts: Column, share: float) -> Column:
    """A quantile of each row's first `counts` values, ascending, by linear interpolation."""
    if not ordered.shape[1]:
        return np.full(len(ordered), math.nan)
    place = np.maximum(counts - 1, 0) * share
    below = place.astype(np.intp)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0).astype(np.intp))
    rows = np.arange(len(ordered))
    low, high = ordered[rows, below], ordered[rows, above]
    with np.errstate(invalid="ignore"):
        return np.where(counts > 0, low + (high - low) * (place - below), math.nan)
