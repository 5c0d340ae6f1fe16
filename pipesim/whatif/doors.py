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

from pipesim.whatif.walk import Guide, Walked

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
NEVER = np.inf


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


def pass_superseded(guide: Guide, reached: Times, *, all_there: bool, ambiguous: bool) -> Passages:
    """Let executions through a stage in SUPERSEDED mode.

    Args:
        guide: walks them through.
        reached: when each reaches the door.
        all_there: whether everyone reaches it, but for the ends of short replications.
        ambiguous: whether equal times of arriving and leaving leave open which comes first.
    """
    rows, columns = reached.shape
    following = following_arrivals(reached, all_there)
    free = np.full(columns, -NEVER)
    admitted = np.empty(reached.shape, dtype=bool)
    entered, left = np.empty(reached.shape), np.empty(reached.shape)
    failed: Flags | None = None
    begun: dict[str, Whole] = {}
    if guide.stage.depends_on_time:
        failed = np.zeros(reached.shape, dtype=bool)
        counts = Counts(guide, reached.shape)
        for row in range(rows):
            np.greater(following[row], free, out=admitted[row])
            np.maximum(reached[row], free, out=entered[row])
            walked = guide.walk(row, entered[row], counts.before(row))
            left[row] = walked.end
            if walked.failed is not None:
                failed[row] = walked.failed
            np.putmask(free, admitted[row], left[row])
            counts.add(walked, admitted[row])
        begun = counts.kept
    else:
        durations, failed = guide.durations(rows)
        for row in range(rows):
            okay, enters, leaves = admitted[row], entered[row], left[row]
            np.greater(following[row], free, out=okay)
            np.maximum(reached[row], free, out=enters)
            np.add(enters, durations[row], out=leaves)
            np.putmask(free, okay, leaves)
    superseded = np.isfinite(reached)
    superseded &= ~admitted
    passages = Passages(reached, entered, left, failed, superseded, following, begun)
    if ambiguous:
        passages.undecided = ((following == entered) & np.isfinite(reached)).any(axis=0)
    return passages


def pass_queued(guide: Guide, reached: Times, *, all_there: bool) -> Passages:
    """Let executions through a stage in QUEUED mode; the members are those of `pass_superseded`."""
    rows, columns = reached.shape
    entered, left = np.empty(reached.shape), np.empty(reached.shape)
    free = np.full(columns, -NEVER)
    if guide.stage.depends_on_time:
        failed = np.zeros(reached.shape, dtype=bool)
        counts = Counts(guide, reached.shape)
        there = np.isfinite(reached)
        for row in range(rows):
            np.maximum(reached[row], free, out=entered[row])
            walked = guide.walk(row, entered[row], counts.before(row))
            left[row] = walked.end
            if walked.failed is not None:
                failed[row] = walked.failed
            np.putmask(free, there[row], left[row])
            counts.add(walked, there[row])
        return Passages(reached, entered, left, failed, begun=counts.kept)
    durations, fails = guide.durations(rows)
    absent: Flags | None = None
    comes = reached
    if not all_there:
        absent = ~np.isfinite(reached)
        comes, durations = np.where(absent, -NEVER, reached), np.where(absent, 0.0, durations)
    for row in range(rows):
        np.maximum(comes[row], free, out=entered[row])
        free = np.add(entered[row], durations[row], out=left[row])
    if absent is not None:
        entered[absent] = left[absent] = NEVER
    return Passages(reached, entered, left, fails)


def pass_freely(guide: Guide, reached: Times) -> Passages:
    """Let executions through a stage in PARALLEL mode, where nobody waits."""
    if not guide.stage.depends_on_time:
        durations, failed = guide.durations(len(reached))
        return Passages(reached, reached, reached + durations, failed)
    walked = guide.walk(slice(len(reached)), reached, {})
    return Passages(reached, reached, walked.end, walked.failed, undecided=guide.undecided)


def following_arrivals(reached: Times, all_there: bool) -> Times:
    """Return when the next one reaches the door; for those who never reach it minus infinity, which lets nobody in.

    Args:
        reached: when each reaches it.
        all_there: whether everyone does, but for the ends of short replications.
    """
    following = np.empty(reached.shape)
    if not len(reached):
        return following
    following[-1] = NEVER
    if all_there:
        following[:-1] = reached[1:]
    else:
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
        self.kept = {action.key: np.zeros(shape, dtype=np.int64) for action in guide.scripted}
        self.now = {key: np.zeros(shape[1], dtype=np.int64) for key in self.kept}

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
