"""The doors of stages that take as long whenever they are entered: the shortest recursion there is.

Moments are counted on each stage's own clock, which is behind the pipeline's by the delays on the way to it, so that
no delay need be added. Who is gone, replaced or failed, leaves its place in the arrays to the next one that goes on:
whoever comes next is then always one row below.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipesim.whatif.backs import Returns
from pipesim.whatif.doors import LAST, Counts, Passages
from pipesim.whatif.walk import Guide

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
NEVER = np.inf


@dataclass(frozen=True, slots=True)
class Flow:
    """Executions on their way to a door.

    Attributes:
        moments: when each reaches it, in milliseconds on the clock of its stage; where `gone`, when the next one does.
        gone: which never reach it, but for those that do not exist, whose moment is infinite; None: all do.
        strict: whether no two can reach it at the same millisecond.
    """

    moments: Times
    gone: Flags | None
    strict: bool

    def true(self, shift: float) -> Times:
        """When each reaches the door by the pipeline's clock; infinite where it never does."""
        moments = self.moments if self.gone is None else np.where(self.gone, NEVER, self.moments)
        return moments + shift if shift else moments

    @classmethod
    def after(cls, passages: Passages, shift: float, between: float) -> Flow:
        """Return the flow that comes out of a stage.

        Args:
            passages: how executions came through it.
            shift: how far the clock of the next stage is behind.
            between: how long the way there is.
        """
        gone = ~np.isfinite(passages.reached)
        if passages.superseded is not None:
            gone |= passages.superseded
        if passages.failed is not None:
            gone |= passages.failed
        there = np.where(gone, NEVER, passages.left)
        strict = bool((there - np.where(gone, 0.0, passages.entered)).min(initial=NEVER) > 0)
        return cls(_fill(there + (between - shift), gone), gone, strict)


@dataclass(eq=False)
class SwiftPassages:
    """How executions came through one stage; the members are those of `pipesim.whatif.doors.Passages`.

    Attributes of its own:
        exits: when each left, on the stage's clock; where `gone` or failed, what the recursion needs.
        durations: how long each stayed, but for the first rows, for which `entries` says when they entered.
        shift: how far the stage's clock is behind, in milliseconds.
        lost: the flat places of those that failed, and when they left; None: `exits` tells.
    """

    flow: Flow
    gone: Flags | None
    exits: Times
    durations: Times
    fails: Flags | None
    shift: float
    undecided: Flags | None = None
    entries: Times | None = None
    lost: tuple[Whole, Times] | None = None
    begun: dict[str, Whole] = field(default_factory=dict)

    def passed(self, rows: slice, last: float) -> tuple[Times, Flags]:
        """Return when some rows of executions left, and which of them did so without failing.

        Args:
            rows: which executions.
            last: the last moment that is looked at, in milliseconds.
        """
        left = self.exits[rows] + self.shift
        through = left <= min(last, LAST)
        for flags in (self.gone, self.fails):
            if flags is not None:
                np.greater(through, flags[rows], out=through)
        return left, through

    @property
    def reached(self) -> Times:
        """When each reached the door."""
        return self.flow.true(self.shift)

    @cached_property
    def entered(self) -> Times:
        """When each entered."""
        if self.entries is None:
            entered: Times = self.left - self.durations
            return entered
        head = len(self.entries)
        first = np.where(np.isfinite(self.left[:head]), self.entries + self.shift, NEVER)
        return np.concatenate((first, self.left[head:] - self.durations[head:]))

    @cached_property
    def left(self) -> Times:
        """When each left."""
        exits = self.exits if self.gone is None else np.where(self.gone, NEVER, self.exits)
        if self.lost is not None:
            exits.ravel()[self.lost[0]] = self.lost[1]
        return exits + self.shift if self.shift else exits

    @cached_property
    def failed(self) -> Flags | None:
        """Which failed in the stage."""
        if self.fails is None:
            return None
        there = np.isfinite(self.left)
        return self.fails & there if self.gone is None else self.fails & there & ~self.gone

    @cached_property
    def superseded(self) -> Flags | None:
        """Which were replaced at the door."""
        if self.gone is None or self.gone is self.flow.gone:
            return None
        if self.flow.gone is None:
            return self.gone & np.isfinite(self.flow.moments)
        replaced = self.gone & ~self.flow.gone
        if not np.isfinite(self.flow.moments[-1:]).all():
            replaced &= np.isfinite(self.flow.moments)
        return replaced

    def replaced_at(self, where: Whole) -> Times:
        """Return when those at these flat places were replaced: when the next one came."""
        following: Times = self.flow.moments.ravel()[where + self.flow.moments.shape[1]] + self.shift
        return following


def swift_superseded(
    guide: Guide, flow: Flow, shift: float, returns: Returns | None = None, *, ambiguous: bool, final: bool = False
) -> tuple[SwiftPassages, Flow]:
    """Let executions through a stage in SUPERSEDED mode.

    Whoever is replaced passes through in no time, so that the stage is free when it was or, where somebody gone holds
    the place of the next one, when that one comes, which makes no difference to anybody.

    Args:
        guide: walks them through.
        flow: who comes; strictly one after the other, unless nobody is gone yet.
        shift: how far the stage's clock is behind, in milliseconds.
        returns: rolls the stage back where somebody fails; None: it stays as it is.
        ambiguous: whether equal times of arriving and leaving leave open which comes first.
        final: whether there is no other door, so that the flow that is returned means nothing.
    """
    line = _Line(guide, flow, shift, returns, ambiguous=ambiguous)
    if final:
        return line.passages(), flow
    onward = line.onward()
    return line.passages(), onward


class _Line:
    """The executions before and behind one door in SUPERSEDED mode."""

    def __init__(self, guide: Guide, flow: Flow, shift: float, returns: Returns | None, *, ambiguous: bool) -> None:
        rows, columns = flow.moments.shape
        self._guide, self._flow, self._shift, self._returns = guide, flow, shift, returns
        self._counts = Counts(guide, (rows, columns))
        self._kept = np.empty((rows, columns), dtype=bool)
        self._exits = np.empty((rows, columns))
        self._equal = np.empty((rows, columns) if ambiguous else (rows, 0), dtype=bool)
        self._ambiguous = ambiguous
        self._free = np.full(columns, -NEVER)
        self._entries, self._early_fails = self._walk_first()
        head = 0 if self._entries is None else len(self._entries)
        self._durations, self._fails = self._known_from(head)
        if head < rows:
            self._pass_from(head)
        self._gone = ~self._kept
        self._lost: tuple[Whole, Times] | None = None

    def passages(self) -> SwiftPassages:
        tied = _tied(self._equal, self._flow) if self._ambiguous else None
        return SwiftPassages(
            self._flow, self._gone, self._exits, self._durations, self._fails, self._shift, tied, self._entries,
            self._lost, self._counts.kept,
        )  # fmt: skip

    def onward(self) -> Flow:
        """Those who go on to the next door; takes the places of those who do not."""
        strict = self._is_strict()
        self._lost = self._failed()
        gone = self._gone if self._fails is None else self._gone | self._fails
        return Flow(_fill(self._exits, gone), gone, strict)

    def _failed(self) -> tuple[Whole, Times] | None:
        if self._fails is None:
            return None
        where = np.flatnonzero(self._kept & self._fails)
        return where, self._exits.ravel()[where]

    def _is_strict(self) -> bool:
        """Whether everybody stays for a while."""
        rows, head = len(self._kept), 0 if self._entries is None else len(self._entries)
        if head < rows and not self._guide.takes_time(rows):
            return False
        if self._entries is None:
            return True
        moved = (self._exits[:head] > self._entries) | np.isinf(self._entries)
        return bool((moved | ~self._kept[:head]).all())

    def _walk_first(self) -> tuple[Times | None, Flags | None]:
        """Let those through, one after the other, whose stay depends on when they come or on what ran before."""
        rows, columns = self._kept.shape
        guide, counts = self._guide, self._counts
        if not guide.stage.depends_on_time:
            return None, None
        entries, fails = np.empty((rows, columns)), np.zeros((rows, columns), dtype=bool)
        everybody = np.ones(columns, dtype=bool)
        for row in range(rows):
            before = counts.before(row)
            if guide.is_steady(before):
                entries, fails = entries[:row], fails[:row]
                for key, count in before.items():
                    counts.kept[key][row:] = count
                break
            enters = self._enter(row, entries[row])
            (inside,) = self._kept[row].nonzero()
            begun = {key: count[inside] for key, count in before.items()}
            walked = guide.step(row, enters.take(inside) + self._shift, begun, inside)
            leaves = self._exits[row]
            leaves[...] = enters
            leaves[inside] = walked.end - self._shift
            if walked.failed is not None:
                fails[row][inside] = walked.failed
            counts.add(walked, everybody[: inside.size], inside)
            self._free = self._after(row, fails[row])
        return entries, fails

    def _known_from(self, head: int) -> tuple[Times, Flags | None]:
        """How long everybody from this row on takes, and which fail; what the rows before hold means nothing."""
        rows = len(self._kept)
        if head and head == rows:
            return self._exits, self._early_fails
        durations, fails = self._guide.durations(rows)
        if self._early_fails is None or not head:
            return durations, fails
        whole = np.zeros(self._kept.shape, dtype=bool) if fails is None else fails.copy()
        whole[:head] = self._early_fails
        return durations, whole

    def _enter(self, row: int, enters: Times) -> Times:
        """Write down when one execution of every replication enters, and which are not replaced before."""
        moments = self._flow.moments
        np.maximum(moments[row], self._free, out=enters)
        following = moments[row + 1] if row + 1 < len(moments) else np.full(moments.shape[1], NEVER)
        np.greater(following, self._free if self._flow.gone is None else enters, out=self._kept[row])
        if self._ambiguous:
            np.equal(following, enters, out=self._equal[row])
        return enters

    def _after(self, row: int, fails: Flags) -> Times:
        """When the stage is free again."""
        leaves: Times = self._exits[row]
        if self._returns is None:
            return leaves
        there = self._kept[row]
        if self._flow.gone is None:
            there = there & np.isfinite(leaves)
        free: Times = leaves.copy()
        self._returns.after(row, there, fails, leaves, free, self._counts)
        return free

    def _pass_from(self, head: int) -> None:
        """Let everybody from this row on through, whose stay is known."""
        columns = self._kept.shape[1]
        free, works, everyone, ambiguous = self._free, np.empty(columns), self._flow.gone is None, self._ambiguous
        moments = list(self._flow.moments[head:])
        next_moments = [*moments[1:], np.full(columns, NEVER)]
        fails = None if self._returns is None else self._fails
        arrays = (one[head:] for one in (self._durations, self._exits, self._kept, self._equal))
        rows = enumerate(zip(moments, next_moments, *arrays, strict=True), head)
        for row, (comes, following, takes, leaves, keeps, same) in rows:
            np.maximum(comes, free, out=leaves)
            np.greater(following, free if everyone else leaves, out=keeps)
            if ambiguous:
                np.equal(following, leaves, out=same)
            np.multiply(takes, keeps, out=works)
            np.add(leaves, works, out=leaves)
            free = leaves
            if fails is not None:
                free = self._after(row, fails[row])


def _tied(equal: Flags, flow: Flow) -> Flags:
    """In which replications somebody who is there at all arrives at the very moment at which another may enter."""
    if flow.gone is not None:
        equal &= ~flow.gone
    tied: Flags = np.logical_or.reduce(equal, axis=0)
    doubtful = np.flatnonzero(tied)
    if doubtful.size:
        tied[doubtful] = (equal[:, doubtful] & np.isfinite(flow.moments[:, doubtful])).any(axis=0)
    return tied


def swift_queued(guide: Guide, flow: Flow, shift: float) -> tuple[SwiftPassages, Flow]:
    """Let executions through a stage in QUEUED mode; the arguments are those of `swift_superseded`."""
    rows, columns = flow.moments.shape
    durations, fails = guide.durations(rows)
    exits = np.empty((rows, columns))
    free = np.full(columns, -NEVER)
    comes, takes = flow.moments, durations
    if flow.gone is not None:
        comes, takes = np.where(flow.gone, -NEVER, comes), np.where(flow.gone, 0.0, takes)
    for come, take, leaves in zip(comes, takes, exits, strict=True):
        np.maximum(come, free, out=leaves)
        free = np.add(leaves, take, out=leaves)
    return _onward(flow, exits, durations, fails, shift)


def swift_freely(guide: Guide, flow: Flow, shift: float) -> tuple[SwiftPassages, Flow]:
    """Let executions through a stage in PARALLEL mode; the arguments are those of `swift_superseded`."""
    durations, fails = guide.durations(len(flow.moments))
    return _onward(flow, flow.moments + durations, durations, fails, shift)


def _onward(
    flow: Flow, exits: Times, durations: Times, fails: Flags | None, shift: float
) -> tuple[SwiftPassages, Flow]:
    gone = flow.gone
    if fails is not None:
        gone = fails if gone is None else gone | fails
    return SwiftPassages(flow, flow.gone, exits, durations, fails, shift), Flow(exits, gone, False)


def _fill(moments: Times, gone: Flags) -> Times:
    """Put the next moment of those who go on where somebody is gone, in place."""
    following = np.full(moments.shape[1:], NEVER)
    for moment, is_gone in zip(moments[::-1], gone[::-1], strict=True):
        np.putmask(moment, is_gone, following)
        following = moment
    return moments
