"""The doors of stages that take as long whenever they are entered: the shortest recursion there is.

Moments are counted on each stage's own clock, which is behind the pipeline's by the delays on the way to it, so that
no delay need be added. Who is gone, replaced or failed, leaves its place in the arrays to the next one that goes on:
whoever comes next is then always one row below.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipesim.whatif.doors import Passages
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
    """How executions came through one stage; the members are those of `pipesim.whatif.doors.Passages`."""

    flow: Flow
    gone: Flags | None
    exits: Times
    durations: Times
    fails: Flags | None
    shift: float
    undecided: Flags | None = None

    @property
    def begun(self) -> dict[str, Whole]:
        """Nothing: no action of such a stage is scripted."""
        return {}

    @property
    def reached(self) -> Times:
        """When each reached the door."""
        return self.flow.true(self.shift)

    @cached_property
    def entered(self) -> Times:
        """When each entered."""
        entered: Times = self.left - self.durations
        return entered

    @cached_property
    def left(self) -> Times:
        """When each left."""
        exits = self.exits if self.gone is None else np.where(self.gone, NEVER, self.exits)
        return exits + self.shift if self.shift else exits

    @cached_property
    def failed(self) -> Flags | None:
        """Which failed in the stage."""
        if self.fails is None:
            return None
        there = np.isfinite(self.exits)
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


def swift_superseded(guide: Guide, flow: Flow, shift: float, *, ambiguous: bool) -> tuple[SwiftPassages, Flow]:
    """Let executions through a stage in SUPERSEDED mode.

    Whoever is replaced passes through in no time, so that the stage is free when it was or, where somebody gone holds
    the place of the next one, when that one comes, which makes no difference to anybody.

    Args:
        guide: walks them through.
        flow: who comes; strictly one after the other, unless nobody is gone yet.
        shift: how far the stage's clock is behind, in milliseconds.
        ambiguous: whether equal times of arriving and leaving leave open which comes first.
    """
    rows, columns = flow.moments.shape
    durations, fails = guide.durations(rows)
    exits, kept = np.empty((rows, columns)), np.empty((rows, columns), dtype=bool)
    free, never, works = np.full(columns, -NEVER), np.full(columns, NEVER), np.empty(columns)
    moments = list(flow.moments)
    equal = np.empty((rows, columns) if ambiguous else (rows, 0), dtype=bool)
    everyone = flow.gone is None
    for comes, following, takes, leaves, keeps, same in zip(
        moments, [*moments, never][1:], durations, exits, kept, equal, strict=True
    ):
        np.maximum(comes, free, out=leaves)
        np.greater(following, free if everyone else leaves, out=keeps)
        if ambiguous:
            np.equal(following, leaves, out=same)
        np.multiply(takes, keeps, out=works)
        np.add(leaves, works, out=leaves)
        free = leaves
    gone = ~kept
    tied = _tied(equal, flow) if ambiguous else None
    passages = SwiftPassages(flow, gone, exits, durations, fails, shift, tied)
    strict = bool(durations.min(initial=NEVER) > 0)
    if fails is None:
        return passages, Flow(_fill(exits, gone), gone, strict)
    out = gone | fails
    return passages, Flow(_fill(exits.copy(), out), out, strict)


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
