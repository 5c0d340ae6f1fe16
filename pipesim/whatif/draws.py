"""The draws of many replications at once: the very numbers that the engine draws one by one.

Times are whole milliseconds kept in floats, so that sums are exact.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.distributions import Constant, Distribution, LogNormal, Uniform
from pipesim.assumptions.faults import LONGEST
from pipesim.assumptions.streams import (
    FIRST_SIBLING,
    NUMBER_BITS,
    RETRY_ROWS,
    ROWS,
    SIBLINGS,
    Family,
    Odds,
    is_sibling,
)

Table = NDArray[np.float64]
ODDS = Odds()
MILLISECONDS = 1000.0
Kind = TypeVar("Kind")


class TableCache:
    """What was drawn or worked out, kept for the next question, the least used forgotten first.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = 256 * 2**20) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> Any:
        """Return what is kept under a key, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep something of so many bytes, unless it alone is more than the limit."""
        if size > self.limit:
            return
        with self._lock:
            _, old = self._kept.pop(key, (None, 0))
            self._kept[key] = value, size
            self._bytes += size - old
            while self._bytes > self.limit:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= gone


class Draws:
    """The draws of `count` replications of a family, from `first` on: a row an execution, a column a replication.

    Args:
        family: the number of the family of seeds (`pipesim.assumptions.streams.sibling`).
        first: the first replication's number.
        count: how many replications.
        cache: where tables are kept beyond this block; None: nowhere.
    """

    def __init__(self, family: int, first: int, count: int, cache: TableCache | None = None) -> None:
        self.family = Family(family)
        self.first = first
        self.count = count
        self._cache = cache
        self._tables: dict[Hashable, Table] = {}

    @classmethod
    def of_seed(cls, seed: int) -> Draws:
        """Return the draws of the one replication with this seed; it must be that of a sibling."""
        if not is_sibling(seed):
            raise ValueError(f"{seed} is not the seed of a sibling")
        family, number = divmod(seed - FIRST_SIBLING, 1 << NUMBER_BITS)
        return cls(family, number, 1)

    def milliseconds(self, name: str, distribution: Distribution, rows: int, attempt: int = 1) -> Table:
        """Return durations in whole milliseconds, `rows` times `count`.

        Args:
            name: the stream's name, such as ``duration Build/Web``.
            distribution: what it draws from.
            rows: how many executions.
            attempt: which attempt, from 1.
        """
        if isinstance(distribution, Constant):
            return np.broadcast_to(np.float64(np.rint(distribution.value * MILLISECONDS)), (rows, self.count))
        return self._table(name, distribution, rows, attempt)

    def uniforms(self, name: str, rows: int, attempt: int = 1) -> Table:
        """Return uniform numbers from 0 up to but not including 1, `rows` times `count`."""
        return self._table(name, cast(Distribution, ODDS), rows, attempt)

    def longest(self, name: str, distribution: Distribution, rows: int, attempt: int = 1) -> float:
        """Return the longest of these durations in milliseconds; the arguments are those of `milliseconds`."""

        def work() -> tuple[float, int]:
            return float(self.milliseconds(name, distribution, rows, attempt).max(initial=0.0)), 8

        return self.once(("longest", name, distribution, rows, attempt), work)

    def once(self, key: Hashable, work: Callable[[], tuple[Kind, int]]) -> Kind:
        """Return what was worked out for these replications before under this key, else work it out.

        Args:
            key: all that it depends on, but for the replications.
            work: returns it, and how many bytes it takes.
        """
        place = (self.family.number, self.first, self.count, key)
        if self._cache is None:
            return work()[0]
        try:
            found: Kind | None = self._cache.get(place)
        except TypeError:
            return work()[0]
        if found is None:
            found, size = work()
            self._cache.put(place, found, size)
        return found

    def _table(self, name: str, distribution: Distribution, rows: int, attempt: int) -> Table:
        key: Hashable = (name, distribution, attempt)
        try:
            table = self._tables.get(key)
        except TypeError:
            return self._draw(name, distribution, rows, attempt)
        if table is None or len(table) < rows:
            place = (self.family.number, self.first, self.count, key)
            table = None if self._cache is None else self._cache.get(place)
            if table is None or len(table) < rows:
                table = self._draw(name, distribution, rows, attempt)
                table.flags.writeable = False
                if self._cache is not None:
                    self._cache.put(place, table, table.nbytes)
            self._tables[key] = table
        return table[:rows]

    def _draw(self, name: str, distribution: Distribution, rows: int, attempt: int) -> Table:
        table = np.empty((rows, self.count))
        height = ROWS if attempt == 1 else RETRY_ROWS
        last = self.first + self.count
        for group in range(self.first // SIBLINGS, (last - 1) // SIBLINGS + 1):
            begin = max(self.first, group * SIBLINGS)
            end = min(last, (group + 1) * SIBLINGS)
            columns = slice(begin - self.first, end - self.first)
            own = slice(begin - group * SIBLINGS, end - group * SIBLINGS)
            for block in range(-(-rows // height)):
                part = table[block * height : (block + 1) * height, columns]
                generator = self.family.generator(name, group, block, attempt)
                _fill(part, own, distribution, generator, height)
        return table


def _fill(part: Table, own: slice, distribution: Any, generator: np.random.Generator, height: int) -> None:
    """Write one block, doing to each number what `sample` does, in the same order, but for the last division."""
    rows = len(part)
    if isinstance(distribution, Odds):
        part[...] = generator.random(rows * SIBLINGS).reshape(rows, SIBLINGS)[:, own]
        return
    if type(distribution) is LogNormal:
        drawn = generator.standard_normal(rows * SIBLINGS)
        drawn *= distribution.sigma
        with np.errstate(over="ignore"):
            np.exp(drawn, out=drawn)
            drawn *= distribution.median
        np.minimum(drawn, LONGEST, out=drawn)
    elif type(distribution) is Uniform:
        drawn = generator.random(rows * SIBLINGS)
        drawn *= distribution.high - distribution.low
        drawn += distribution.low
        np.minimum(drawn, LONGEST, out=drawn)
    else:
        drawn = distribution.sample(generator, height * SIBLINGS)[: rows * SIBLINGS]
    drawn *= MILLISECONDS
    np.rint(drawn.reshape(rows, SIBLINGS)[:, own], out=part)
