"""Replications in which executions are more than what arrives: stages roll back by themselves, or a quota is reached.

A rollback is an execution of its own and takes a number, so that whoever starts after it draws other luck. Numbers are
therefore guessed and corrected until they fit: what happens before the first wrong number is right, so every round
gets at least one more rollback right. In QUEUED and PARALLEL mode an execution that finds 50 unfinished ones fails
at its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipesim.catalog.limits import CONCURRENT_EXECUTIONS
from pipesim.vocabulary import ExecutionMode
from pipesim.whatif.doors import Counts, Passages, following_arrivals
from pipesim.whatif.draws import Draws
from pipesim.whatif.readiness import FastStage
from pipesim.whatif.starts import Starts
from pipesim.whatif.swift import SwiftPassages
from pipesim.whatif.walk import Guide

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
Codes = NDArray[np.int8]
AnyPassages = Passages | SwiftPassages
NEVER = np.inf
ABSENT, IN_PROGRESS, SUCCEEDED, FAILED, SUPERSEDED = range(-1, 4)
"""How an execution stands; see `pipesim.whatif.vectorised.STATUSES`."""
SPARE_SLOTS = 30
SPARE_ROWS = 32


@dataclass(slots=True)
class Lives:
    """Everything about the executions of some replications; a row an execution, a column a replication.

    Attributes:
        started, arrived: when it started, and when its change arrived, in milliseconds; infinite where there is none.
        passages: how they came through each stage.
        finished: when each ended; None: to be worked out from the passages.
        codes: how it ended: SUCCEEDED, FAILED, SUPERSEDED, or ABSENT; None: to be worked out.
        target: the row of the execution whose stage a rollback runs again; -1 for others.
        undecided: replications that only the engine can tell.
    """

    started: Times
    arrived: Times
    passages: list[AnyPassages]
    finished: Times | None
    codes: Codes | None
    target: Whole
    undecided: Flags


@dataclass(slots=True)
class _Back:
    """Rollbacks that began in one step: one entry a rollback."""

    stage: int
    column: Whole
    number: Whole
    start: Times
    end: Times
    failed: Flags
    target: Whole
    begun: dict[str, Whole]


class TooFewRows(Exception):
    """There are more rollbacks than rows were drawn for; the argument says how many rows are needed."""


class Careful:
    """Some replications being computed with all that can happen.

    Args:
        mode: the execution mode.
        stages: the stages.
        draws: the luck of the whole block.
        starts: when changes start executions, in the whole block.
        columns: which replications of the block.
        delays: milliseconds from an execution's start to the first door, and between stages.
        origin: the calendar moment of time zero.
        guides: of the whole block; they are used where they have rows enough.
        horizon: milliseconds after which nothing is looked at.
    """

    def __init__(
        self,
        mode: str,
        stages: Sequence[FastStage],
        draws: Draws,
        starts: Starts,
        columns: Whole,
        delays: tuple[int, int],
        origin: datetime,
        guides: Sequence[Guide],
        horizon: float,
    ) -> None:
        self.horizon = horizon
        self.mode = mode
        self.stages = stages
        self.draws = draws
        self.columns = columns
        self.origin = origin
        self.guides = guides
        self.start, self.between = delays
        self.started = starts.started[:, columns]
        self.arrived = starts.arrived[:, columns]
        self.polled = starts.polled
        self.rows = len(self.started)
        self.width = np.arange(len(columns))
        self.undecided = np.zeros(len(columns), dtype=bool)
        self.backs: list[_Back] = []
        self.known = np.empty((0, len(columns)))

    def live(self) -> tuple[Lives, Sequence[Guide]]:
        """Return the lives, and the guides that have rows for all of them."""
        while True:
            try:
                return self._live(), self.guides
            except TooFewRows as more:
                rows = int(more.args[0]) + self.rows // 8 + SPARE_ROWS
                self.guides = [Guide(stage, self.draws, rows, self.origin) for stage in self.stages]

    def _live(self) -> Lives:
        self.known = np.empty((0, len(self.columns)))
        numbers = np.broadcast_to(np.arange(self.rows)[:, None], self.started.shape)
        while True:
            self.backs = []
            self.undecided = np.zeros(len(self.columns), dtype=bool)
            if self.rows and int(numbers.max()) >= self.guides[0].rows:
                raise TooFewRows(int(numbers.max()) + 1)
            gates = [_Gate(guide, place, self, numbers) for place, guide in enumerate(self.guides)]
            if self.mode == ExecutionMode.SUPERSEDED:
                finished, codes = self._one_stage_after_the_other(gates)
            else:
                finished, codes = self._one_execution_after_the_other(gates)
            self.backs = [back for back in map(self._within_horizon, self.backs) if back.number.size]
            before, self.known = self.known, self._moments()
            numbers = np.arange(self.rows)[:, None] + _count_below(self.known, self.started)
            if before.shape == self.known.shape and (before == self.known).all():
                return self._merge(numbers, [gate.passages for gate in gates], finished, codes)

    def _within_horizon(self, back: _Back) -> _Back:
        kept = back.start <= self.horizon
        if kept.all():
            return back
        return _Back(
            back.stage, back.column[kept], back.number[kept], back.start[kept], back.end[kept], back.failed[kept],
            back.target[kept], {key: count[kept] for key, count in back.begun.items()},
        )  # fmt: skip

    def _moments(self) -> Times:
        """When rollbacks begin, in order, a column a replication."""
        if not self.backs:
            return np.empty((0, len(self.columns)))
        column = np.concatenate([back.column for back in self.backs])
        start = np.concatenate([back.start for back in self.backs])
        order = np.lexsort((start, column))
        column, start = column[order], start[order]
        place = np.arange(len(column)) - np.searchsorted(column, column)
        moments = np.full((int(place.max()) + 1, len(self.columns)), NEVER)
        moments[place, column] = start
        equal = (moments[1:] == moments[:-1]) & np.isfinite(moments[1:])
        self.undecided |= equal.any(axis=0)
        return moments

    def _one_stage_after_the_other(self, gates: list[_Gate]) -> tuple[Times, Codes]:
        reached = self.started + self.start
        there = np.isfinite(reached)
        finished = np.full(reached.shape, NEVER)
        codes = np.where(there, np.int8(SUCCEEDED), np.int8(ABSENT))
        for place, gate in enumerate(gates):
            following = following_arrivals(reached)
            superseded = np.zeros(reached.shape, dtype=bool)
            for row in range(self.rows):
                superseded[row] = ~gate.take(row, reached[row], following[row])
            superseded &= np.isfinite(reached)
            one = gate.passages
            one.reached, one.superseded, one.replaced = reached, superseded, following
            assert one.failed is not None
            one.failed &= np.isfinite(reached) & ~superseded
            at_once = not (self.between if place else self.start or not self.polled)
            if at_once:
                self.undecided |= ((following == one.entered) & np.isfinite(reached)).any(axis=0)
            finished = np.where(superseded, following, np.where(one.failed, one.left, finished))
            codes[superseded] = SUPERSEDED
            codes[one.failed] = FAILED
            reached = np.where(superseded | one.failed, NEVER, one.left + self.between)
        done = codes == SUCCEEDED
        finished[done] = gates[-1].passages.left[done]
        return finished, codes

    def _one_execution_after_the_other(self, gates: list[_Gate]) -> tuple[Times, Codes]:
        wide = len(self.columns)
        begins = np.full((CONCURRENT_EXECUTIONS + SPARE_SLOTS, wide), -NEVER)
        ends = begins.copy()
        finished = np.full(self.started.shape, NEVER)
        codes = np.full(self.started.shape, ABSENT, dtype=np.int8)
        always = np.full(wide, NEVER)
        for row in range(self.rows):
            now = self.started[row]
            here = np.isfinite(now)
            busy = (begins < now) & (ends >= now)
            full = here & (busy.sum(axis=0) >= CONCURRENT_EXECUTIONS)
            if self.polled:
                self.undecided |= here & (busy & (ends == now)).any(axis=0)
            codes[row, here] = SUCCEEDED
            codes[row, full] = FAILED
            finished[row, full] = now[full]
            here &= ~full
            inside = here.copy()
            reached = np.where(here, now + self.start, NEVER)
            for gate in gates:
                before = len(self.backs)
                gate.take(row, reached, always)
                one = gate.passages
                one.reached[row] = reached
                assert one.failed is not None
                bad = one.failed[row] & inside
                one.failed[row] = bad
                finished[row, bad] = one.left[row, bad]
                codes[row, bad] = FAILED
                inside &= ~bad
                reached = np.where(inside, one.left[row] + self.between, NEVER)
                for back in self.backs[before:]:
                    self._occupy(begins, ends, back.column, back.start, back.end, now[back.column])
            finished[row, inside] = gates[-1].passages.left[row, inside]
            where = np.flatnonzero(here)
            self._occupy(begins, ends, where, np.full(where.shape, -NEVER), finished[row, where], now[where])
        return finished, codes

    def _occupy(self, begins: Times, ends: Times, columns: Whole, start: Times, end: Times, now: Times) -> None:
        """Note that something is unfinished from start to end, in place of what ended first."""
        slot = ends[:, columns].argmin(axis=0)
        self.undecided[columns] |= ends[slot, columns] >= now
        begins[slot, columns], ends[slot, columns] = start, end

    def roll_back(self, gate: _Gate, columns: Whole, start: Times, target: Whole, counts: Counts) -> Times:
        """Let an earlier execution's stage run again at once; return when that ends."""
        number = (self.started[:, columns] <= start).sum(axis=0) + (self.known[:, columns] < start).sum(axis=0)
        if number.max() >= gate.guide.rows:
            raise TooFewRows(int(number.max()) + 1)
        begun = {key: count[columns] for key, count in counts.now.items()}
        walked = gate.guide.walk(number, start, begun, self.columns[columns])
        counts.add(walked, np.ones(len(columns), dtype=bool), columns)
        failed = np.zeros(len(columns), dtype=bool) if walked.failed is None else walked.failed
        if self.polled:
            self.undecided[columns] |= (self.started[:, columns] == start).any(axis=0)
        self.backs.append(_Back(gate.place, columns, number, start, walked.end, failed, target, begun))
        return walked.end

    def _merge(self, numbers: Whole, passages: list[Passages], finished: Times, codes: Codes) -> Lives:
        """Put executions and rollbacks into one order, that of their starts."""
        row, column = np.nonzero(np.isfinite(self.started))
        place = numbers[row, column]
        last = max([int(place.max(initial=-1)), *(int(back.number.max(initial=-1)) for back in self.backs)])
        shape = (last + 1, len(self.columns))

        def spread(values: NDArray[Any], fill: object) -> NDArray[Any]:
            whole = np.full(shape, fill, dtype=values.dtype)
            whole[place, column] = values[row, column]
            return whole

        lives = Lives(
            spread(self.started, NEVER), spread(self.arrived, NEVER), [],
            spread(finished, NEVER), spread(codes, ABSENT), np.full(shape, -1, dtype=np.int64), self.undecided,
        )  # fmt: skip
        assert lives.finished is not None and lives.codes is not None
        merged = [
            Passages(
                spread(one.reached, NEVER),
                spread(one.entered, NEVER),
                spread(one.left, NEVER),
                spread(np.zeros(row.shape, dtype=bool) if one.failed is None else one.failed, False),
                None if one.superseded is None else spread(one.superseded, False),
                None if one.replaced is None else spread(one.replaced, NEVER),
                {key: spread(count, 0) for key, count in one.begun.items()},
            )
            for one in passages
        ]
        lives.passages.extend(merged)
        for back in self.backs:
            spot = back.number, back.column
            lives.started[spot] = lives.arrived[spot] = back.start
            lives.finished[spot] = back.end
            lives.codes[spot] = np.where(back.failed, FAILED, SUCCEEDED)
            lives.target[spot] = numbers[back.target, back.column]
            inside = merged[back.stage]
            inside.reached[spot] = inside.entered[spot] = back.start
            inside.left[spot] = back.end
            assert inside.failed is not None
            inside.failed[spot] = back.failed
            for key, count in back.begun.items():
                inside.begun[key][spot] = count
        return lives


class _Gate:
    """One stage while executions come through it in order."""

    def __init__(self, guide: Guide, place: int, careful: Careful, numbers: Whole) -> None:
        self.guide = guide
        self.place = place
        self._careful = careful
        self._numbers = numbers
        shape = numbers.shape
        self.passages = Passages(
            np.full(shape, NEVER), np.full(shape, NEVER), np.full(shape, NEVER), np.zeros(shape, dtype=bool)
        )
        self._counts = Counts(guide, shape)
        self.passages.begun = self._counts.kept
        self._free = np.full(shape[1], -NEVER)
        self._good = np.full(shape[1], -1)
        self._locks = careful.mode != ExecutionMode.PARALLEL
        self._known: tuple[Times, Flags | None] | None = None
        if not guide.stage.depends_on_time:
            self._settle()

    def _settle(self) -> None:
        """Nothing depends any more on when executions come, or on what ran before."""
        took, failed = self.guide.durations(self.guide.rows)
        spot = self._numbers, self._careful.columns
        self._known = took[spot], None if failed is None else failed[spot]

    def take(self, row: int, reached: Times, following: Times) -> Flags:
        """Let one execution of every replication through, unless the next is there before it can enter."""
        admitted: Flags = (following > self._free) & np.isfinite(reached)
        enters = np.maximum(reached, self._free) if self._locks else reached
        failed: Flags | None
        before = self._counts.before(row)
        if self._known is None and self.guide.is_steady(before):
            self._settle()
        if self._known is not None:
            took, fails = self._known
            leaves = enters + took[row]
            failed = None if fails is None else fails[row]
        else:
            walked = self.guide.walk(self._numbers[row], enters, before, self._careful.columns)
            leaves, failed = walked.end, walked.failed
            self._counts.add(walked, admitted)
        one = self.passages
        one.entered[row] = np.where(np.isfinite(reached), enters, NEVER)
        one.left[row] = np.where(np.isfinite(reached), leaves, NEVER)
        self._free = np.where(admitted, leaves, self._free)
        if failed is not None:
            assert one.failed is not None
            one.failed[row] = failed
        if self.guide.stage.rolls_back and self.guide.may_fail and failed is not None:
            back = np.flatnonzero(admitted & failed & (self._good >= 0))
            if back.size:
                ends = self._careful.roll_back(self, back, leaves[back], self._good[back], self._counts)
                self._free[back] = ends
            self._good = np.where(admitted & ~failed, row, self._good)
        elif self.guide.stage.rolls_back:
            self._good = np.where(admitted, row, self._good)
        return admitted


def _count_below(known: Times, moments: Times) -> Whole:
    """How many of each column's known moments lie before each of its moments."""
    count = np.zeros(moments.shape, dtype=np.int64)
    for row in known:
        count += row < moments
    return count
