"""Stages that roll back by themselves: an earlier execution's stage runs again, before anybody else may enter.

A rollback is an execution of its own with luck of its own (`pipesim.assumptions.streams.ROLLBACK_LOT`), so that it
changes nobody else's; all that it does to others is to hold the stage for longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipesim.whatif.walk import Guide, Walked

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
NEVER = np.inf
FIRST_ROWS = 8


class Counting(Protocol):
    """What is told how often scripted actions have begun."""

    now: dict[str, Whole]

    def add(self, walked: Walked, there: Flags, columns: Whole | None = None) -> None:
        """Add what began in a walk, where it took place."""


@dataclass(slots=True)
class Back:
    """Rollbacks of one stage that began in one step: one entry a rollback; times in milliseconds.

    Attributes:
        stage: the stage's place.
        column: the replication.
        ordinal: how often the stage was rolled back before.
        start, end: when.
        failed: whether it failed.
        target: the row of the execution whose stage runs again.
        begun: how often each scripted action had begun before, by key.
    """

    stage: int
    column: Whole
    ordinal: Whole
    start: Times
    end: Times
    failed: Flags
    target: Whole
    begun: dict[str, Whole]

    def keep(self, chosen: Flags) -> Back:
        """Return those that are chosen."""
        return Back(
            self.stage, self.column[chosen], self.ordinal[chosen], self.start[chosen], self.end[chosen],
            self.failed[chosen], self.target[chosen], {key: count[chosen] for key, count in self.begun.items()},
        )  # fmt: skip


@dataclass(slots=True)
class Backs:
    """All rollbacks of a block, in the order of their starts: a row a rollback, a column a replication.

    Attributes:
        stage: the stage's place; -1 where there is none.
        ordinal, start, end, failed, target, begun: as in `Back`; times are infinite where there is none.
    """

    stage: Whole
    ordinal: Whole
    start: Times
    end: Times
    failed: Flags
    target: Whole
    begun: dict[str, Whole]

    @classmethod
    def of(cls, found: Sequence[Back], columns: int, horizon: float = NEVER) -> Backs | None:
        """Put rollbacks in order; None: there are none.

        Args:
            found: the rollbacks.
            columns: how many replications there are.
            horizon: the last moment that is looked at, in milliseconds; who begins later is left out.
        """
        if not found:
            return None
        column = np.concatenate([back.column for back in found])
        start = np.concatenate([back.start for back in found])
        order = np.argsort(column.astype(np.uint16 if columns < 2**16 else np.int64), kind="stable")
        if len({back.stage for back in found}) > 1:
            order = np.lexsort((start, column))
        order = order[start[order] <= horizon]
        if not order.size:
            return None
        sorted_columns = column[order]
        place = np.arange(len(order)) - np.searchsorted(sorted_columns, sorted_columns)
        shape = int(place.max()) + 1, columns

        def spread(values: Iterable[NDArray[np.generic]], fill: object) -> NDArray[np.generic]:
            flat = np.concatenate(list(values))
            whole = np.full(shape, fill, dtype=flat.dtype)
            whole[place, sorted_columns] = flat[order]
            return whole

        keys = {key for back in found for key in back.begun}
        sizes = [len(back.column) for back in found]
        stages = np.repeat([back.stage for back in found], sizes)
        nothing = {id(back): np.zeros(size, dtype=np.int64) for back, size in zip(found, sizes, strict=True) if keys}
        return cls(
            spread([stages], -1),  # type: ignore[arg-type]
            spread((back.ordinal for back in found), 0),  # type: ignore[arg-type]
            spread((back.start for back in found), NEVER),  # type: ignore[arg-type]
            spread((back.end for back in found), NEVER),  # type: ignore[arg-type]
            spread((back.failed for back in found), False),  # type: ignore[arg-type]
            spread((back.target for back in found), -1),  # type: ignore[arg-type]
            {key: spread((back.begun.get(key, nothing[id(back)]) for back in found), 0) for key in sorted(keys)},  # type: ignore[misc]
        )


class Returns:
    """Rolls one stage back while executions come through it in order.

    Args:
        place: the stage's place.
        guide: returns a guide through the stage for so many rollbacks of each replication.
        columns: which replications of the block.
        shift: how far the clock by which executions come through is behind, in milliseconds.

    Attributes:
        found: the rollbacks so far.
    """

    def __init__(self, place: int, guide: Callable[[int], Guide], columns: Whole, shift: float = 0.0) -> None:
        self.found: list[Back] = []
        self._place = place
        self._make = guide
        self._guide = guide(FIRST_ROWS)
        self._columns = columns
        self._shift = shift
        self._good = np.full(len(columns), -1)
        self._count = np.zeros(len(columns), dtype=np.int64)
        self._most = 0
        self._steady: tuple[Times, Flags | None] | None = None

    def after(self, row: int, there: Flags, failed: Flags, leaves: Times, free: Times, counts: Counting) -> None:
        """Roll back where an execution failed, and hold the stage until that has ended.

        Args:
            row: which execution of every replication.
            there: where it came through.
            failed: where it failed.
            leaves: when it left.
            free: when the stage is free; is changed.
            counts: how often scripted actions have begun; is told of more.
        """
        (back,) = (there & failed).nonzero()
        back = back[self._good.take(back) >= 0]
        if back.size:
            free[back] = self._roll_back(back, leaves[back] + self._shift, counts) - self._shift
        np.putmask(self._good, there > failed, row)

    def _roll_back(self, back: Whole, start: Times, counts: Counting) -> Times:
        ordinal = self._count.take(back)
        self._make_room()
        columns = self._columns.take(back)
        begun = {key: count[back] for key, count in counts.now.items()}
        if self._steady is None and self._guide.is_steady(counts.now):
            took, fails = self._guide.durations(self._guide.rows)
            self._steady = np.ascontiguousarray(took), fails
        if self._steady is not None:
            spot = ordinal * self._guide.draws.count + columns
            end = start + self._steady[0].take(spot)
            failed = np.zeros(len(back), dtype=bool) if self._steady[1] is None else self._steady[1].take(spot)
        else:
            walked = self._guide.walk(ordinal, start, begun, columns)
            counts.add(walked, np.ones(len(back), dtype=bool), back)
            end = walked.end
            failed = np.zeros(len(back), dtype=bool) if walked.failed is None else walked.failed
        self._count[back] = ordinal + 1
        self.found.append(Back(self._place, columns, ordinal, start, end, failed, self._good.take(back), begun))
        return end

    def _make_room(self) -> None:
        """Let there be luck for one rollback more of every replication."""
        if self._most >= self._guide.rows:
            self._most = int(self._count.max())
        if self._most >= self._guide.rows:
            self._guide = self._make(2 * self._guide.rows)
            self._steady = None
        self._most += 1
