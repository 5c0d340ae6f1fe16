"""Who enters a stage when, in many replications at once: the rules of `pipesim.engine.admission` as recursions.

Executions reach a door in the order of their numbers: in SUPERSEDED and QUEUED mode nobody overtakes. An execution
enters when it has reached the door and the one before has left; in SUPERSEDED mode it is replaced if the next one
reaches the door first. At the same millisecond an arrival comes before a leaving, because its timer is the older one;
where stages follow each other without a delay that does not hold, and such replications are left to the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipesim.whatif.backs import Returns
from pipesim.whatif.walk import Guide, Walked

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
NEVER = np.inf
LAST = float(np.finfo(np.float64).max)
Steady = tuple[Times, Flags | None]


@dataclass(slots=True)
class Passages:
    """How the executions came through one stage; a row an execution, a column a replication, milliseconds.

    Attributes:
        reached: when each reached the door; infinite where it never did.
        entered: when it entered; infinite where it never did, though not where `superseded` says so.
        left: when it left.
        failed: which failed in the stage; None: none.
        superseded: which were replaced at the door; None: none.
        replaced: when, and by the arrival of whom, they were replaced: the next arrival at the door.
        begun: how often each scripted action had begun before each execution entered, by key.
        undecided: replications of which only the engine knows who came first.
    """

    reached: Times
    entered: Times
    left: Times
    failed: Flags | None = None
    superseded: Flags | None = None
    replaced: Times | None = None
    begun: dict[str, Whole] = field(default_factory=dict)
    undecided: Flags | None = None

    def passed(self, rows: slice, last: float) -> tuple[Times, Flags]:
        """Return when some rows of executions left, and which of them did so without failing.

        Args:
            rows: which executions.
            last: the last moment that is looked at, in milliseconds.
        """
        left = self.left[rows]
        through = left <= min(last, LAST)
        for flags in (self.superseded, self.failed):
            if flags is not None:
                np.greater(through, flags[rows], out=through)
        return left, through

    def replaced_at(self, where: Whole) -> Times:
        """Return when those at these flat places were replaced."""
        assert self.replaced is not None
        return self.replaced.ravel()[where]


def pass_superseded(guide: Guide, reached: Times, returns: Returns | None, *, ambiguous: bool) -> Passages:
    """Let executions through a stage in SUPERSEDED mode.

    Args:
        guide: walks them through.
        reached: when each reaches the door; infinite where it never does.
        returns: rolls the stage back where somebody fails; None: it stays as it is.
        ambiguous: whether equal times of arriving and leaving leave open which comes first.
    """
    following = following_arrivals(reached)
    free = np.full(reached.shape[1], -NEVER)
    admitted = np.empty(reached.shape, dtype=bool)
    entered, left = np.empty(reached.shape), np.empty(reached.shape)
    failed = np.zeros(reached.shape, dtype=bool)
    counts = Counts(guide, reached.shape)
    steady: Steady | None = None
    for row in range(len(reached)):
        np.greater(following[row], free, out=admitted[row])
        np.maximum(reached[row], free, out=entered[row])
        steady = counts.walk(row, entered[row], left[row], failed[row], admitted[row], steady)
        np.putmask(free, admitted[row], left[row])
        if returns is not None:
            returns.after(row, admitted[row], failed[row], left[row], free, counts)
    superseded = np.isfinite(reached) & ~admitted
    passages = Passages(reached, entered, left, failed, superseded, following, counts.kept)
    if ambiguous:
        passages.undecided = ((following == entered) & np.isfinite(reached)).any(axis=0)
    return passages


def pass_queued(guide: Guide, reached: Times, returns: Returns | None) -> Passages:
    """Let executions through a stage in QUEUED mode; the members are those of `pass_superseded`."""
    entered, left = np.empty(reached.shape), np.empty(reached.shape)
    free = np.full(reached.shape[1], -NEVER)
    failed = np.zeros(reached.shape, dtype=bool)
    counts = Counts(guide, reached.shape)
    steady: Steady | None = None
    there = np.isfinite(reached)
    for row in range(len(reached)):
        np.maximum(reached[row], free, out=entered[row])
        steady = counts.walk(row, entered[row], left[row], failed[row], there[row], steady)
        np.putmask(free, there[row], left[row])
        if returns is not None:
            returns.after(row, there[row], failed[row], left[row], free, counts)
    return Passages(reached, entered, left, failed, begun=counts.kept)


def pass_freely(guide: Guide, reached: Times) -> Passages:
    """Let executions through a stage in PARALLEL mode, where nobody waits."""
    walked = guide.walk(slice(len(reached)), reached, {})
    return Passages(reached, reached, walked.end, walked.failed, undecided=guide.undecided)


def following_arrivals(reached: Times) -> Times:
    """Return when the next one reaches the door; for those who never reach it minus infinity, which lets nobody in.

    Args:
        reached: when each reaches it; infinite where it never does.
    """
    following = np.empty(reached.shape)
    if not len(reached):
        return following
    following[-1] = NEVER
    for row in range(len(reached) - 2, -1, -1):
        np.minimum(following[row + 1], reached[row + 1], out=following[row])
    np.putmask(following, ~np.isfinite(reached), -NEVER)
    return following


class Counts:
    """How often scripted actions have begun, execution after execution.

    Args:
        guide: knows the scripted actions.
        shape: how many executions, and how many replications.

    Attributes:
        kept: the counts before each execution, by the action's key.
        now: the counts so far.
    """

    def __init__(self, guide: Guide, shape: tuple[int, ...]) -> None:
        self._guide = guide
        self._rows = shape[0]
        self.kept = {action.key: np.zeros(shape, dtype=np.int64) for action in guide.scripted}
        self.now = {key: np.zeros(shape[1], dtype=np.int64) for key in self.kept}

    def walk(
        self, row: int, enters: Times, leaves: Times, failed: Flags, there: Flags, steady: Steady | None
    ) -> Steady | None:
        """Walk one execution of every replication through, and write down when it leaves and whether it failed.

        Args:
            row: which execution.
            enters: when it enters.
            leaves: receives when it leaves.
            failed: receives whether it failed.
            there: where it takes place.
            steady: the durations and failures of all, once nothing depends on what ran before.
        """
        before = self.before(row)
        if steady is None and self._guide.is_steady(before):
            steady = self._guide.durations(self._rows)
        if steady is not None:
            np.add(enters, steady[0][row], out=leaves)
            if steady[1] is not None:
                failed[...] = steady[1][row]
            return steady
        walked = self._guide.step(row, enters, before)
        leaves[...] = walked.end
        if walked.failed is not None:
            failed[...] = walked.failed
        self.add(walked, there)
        return None

    def before(self, row: int) -> dict[str, Whole]:
        """The counts before this execution, which are kept."""
        for key, count in self.now.items():
            self.kept[key][row] = count
        return self.now

    def add(self, walked: Walked, there: Flags, columns: Whole | None = None) -> None:
        """Add what began in a walk, where it took place.

        Args:
            walked: the walk of one execution of each replication.
            there: where it took place.
            columns: which replications walked; None: all.
        """
        if not self.now:
            return
        self.now = {key: count.copy() for key, count in self.now.items()}
        for attempts in walked.attempts:
            count = self.now.get(attempts.action.key)
            if count is None:
                continue
            where = np.arange(len(there)) if attempts.where is None else attempts.where
            began = there[where] if attempts.began is None else attempts.began & there[where]
            count[where if columns is None else columns[where]] += began
