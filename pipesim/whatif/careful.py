"""Replications in which the limit of unfinished executions may be reached.

In QUEUED and PARALLEL mode an execution that finds 50 unfinished ones fails at its start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipesim.catalog.limits import CONCURRENT_EXECUTIONS
from pipesim.whatif.backs import Back, Returns
from pipesim.whatif.doors import Counts, Passages
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


@dataclass(slots=True)
class Lives:
    """Everything about the executions that changes start; a row an execution, a column a replication.

    Attributes:
        started, arrived: when it started, and when its change arrived, in milliseconds; infinite where there is none.
        passages: how they came through each stage.
        finished: when each ended; None: to be worked out from the passages.
        codes: how it ended: SUCCEEDED, FAILED, SUPERSEDED, or ABSENT; None: to be worked out.
        undecided: replications that only the engine can tell.
    """

    started: Times
    arrived: Times
    passages: list[AnyPassages]
    finished: Times | None
    codes: Codes | None
    undecided: Flags


class Careful:
    """Some replications being computed one execution after the other.

    Args:
        guides: of the stages, for the whole block.
        returns: what rolls the stages back, for these replications; None for stages that stay as they are.
        starts: when changes start executions, in the whole block.
        columns: which replications of the block.
        delays: milliseconds from an execution's start to the first door, and between stages.
        locks: whether a stage takes one execution at a time.

    Attributes:
        passages: how the executions came through each stage.
    """

    def __init__(
        self,
        guides: Sequence[Guide],
        returns: Sequence[Returns | None],
        starts: Starts,
        columns: Whole,
        delays: tuple[int, int],
        *,
        locks: bool,
    ) -> None:
        self._start, self._between = delays
        self._started = starts.started[:, columns]
        self._arrived = starts.arrived[:, columns]
        self._polled = starts.polled
        self._columns = columns
        self._undecided = np.zeros(len(columns), dtype=bool)
        self._gates = [
            _Gate(guide, back, self._started.shape, columns, locks=locks)
            for guide, back in zip(guides, returns, strict=True)
        ]
        self._local = {int(column): place for place, column in enumerate(columns)}

    def live(self) -> Lives:
        """Return the lives of these replications' executions."""
        finished, codes = self._one_execution_after_the_other()
        passages: list[AnyPassages] = [gate.passages for gate in self._gates]
        return Lives(self._started, self._arrived, passages, finished, codes, self._undecided)

    def _one_execution_after_the_other(self) -> tuple[Times, Codes]:
        wide = len(self._columns)
        begins = np.full((CONCURRENT_EXECUTIONS + SPARE_SLOTS, wide), -NEVER)
        ends = begins.copy()
        finished = np.full(self._started.shape, NEVER)
        codes = np.full(self._started.shape, ABSENT, dtype=np.int8)
        for row, now in enumerate(self._started):
            here = np.isfinite(now)
            busy = (begins < now) & (ends >= now)
            full = here & (busy.sum(axis=0) >= CONCURRENT_EXECUTIONS)
            if self._polled:
                self._undecided |= here & (busy & (ends == now)).any(axis=0)
            codes[row, here] = SUCCEEDED
            codes[row, full] = FAILED
            finished[row, full] = now[full]
            here &= ~full
            inside = here.copy()
            reached = np.where(here, now + self._start, NEVER)
            for gate in self._gates:
                back = gate.take(row, reached)
                one = gate.passages
                assert one.failed is not None
                bad = one.failed[row] & inside
                one.failed[row] = bad
                finished[row, bad] = one.left[row, bad]
                codes[row, bad] = FAILED
                inside &= ~bad
                reached = np.where(inside, one.left[row] + self._between, NEVER)
                if back is not None:
                    where = np.array([self._local[int(column)] for column in back.column])
                    self._occupy(begins, ends, where, back.start, back.end, now[where])
            finished[row, inside] = self._gates[-1].passages.left[row, inside]
            where = np.flatnonzero(here)
            self._occupy(begins, ends, where, np.full(where.shape, -NEVER), finished[row, where], now[where])
        return finished, codes

    def _occupy(self, begins: Times, ends: Times, columns: Whole, start: Times, end: Times, now: Times) -> None:
        """Note that something is unfinished from start to end, in place of what ended first."""
        slot = ends[:, columns].argmin(axis=0)
        self._undecided[columns] |= ends[slot, columns] >= now
        begins[slot, columns], ends[slot, columns] = start, end


class _Gate:
    """One stage while executions come through it in order."""

    def __init__(
        self, guide: Guide, returns: Returns | None, shape: tuple[int, ...], columns: Whole, *, locks: bool
    ) -> None:
        self._guide = guide
        self._returns = returns
        self._columns = columns
        self._counts = Counts(guide, shape)
        self.passages = Passages(
            np.full(shape, NEVER), np.full(shape, NEVER), np.full(shape, NEVER), np.zeros(shape, dtype=bool),
            begun=self._counts.kept,
        )  # fmt: skip
        self._free = np.full(shape[1], -NEVER)
        self._locks = locks
        self._known: tuple[Times, Flags | None] | None = None
        if not guide.stage.depends_on_time:
            self._settle()

    def _settle(self) -> None:
        """Nothing depends any more on when executions come, or on what ran before."""
        took, failed = self._guide.durations(self._guide.rows)
        self._known = took[:, self._columns], None if failed is None else failed[:, self._columns]

    def take(self, row: int, reached: Times) -> Back | None:
        """Let one execution of every replication through; return the rollbacks that follow."""
        there = np.isfinite(reached)
        enters = np.maximum(reached, self._free) if self._locks else reached
        failed: Flags | None
        before = self._counts.before(row)
        if self._known is None and self._guide.is_steady(before):
            self._settle()
        if self._known is not None:
            took, fails = self._known
            leaves = enters + took[row]
            failed = None if fails is None else fails[row]
        else:
            walked = self._guide.walk(row, enters, before, self._columns)
            leaves, failed = walked.end, walked.failed
            self._counts.add(walked, there)
        one = self.passages
        one.reached[row] = reached
        one.entered[row] = np.where(there, enters, NEVER)
        one.left[row] = np.where(there, leaves, NEVER)
        self._free = np.where(there, leaves, self._free)
        assert one.failed is not None
        if failed is not None:
            one.failed[row] = failed
        if self._returns is None:
            return None
        before_it = len(self._returns.found)
        self._returns.after(row, there, one.failed[row], leaves, self._free, self._counts)
        return self._returns.found[-1] if len(self._returns.found) > before_it else None
