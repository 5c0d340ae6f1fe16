"""Where the numbers of replications are kept: in memory, and on disk when they become too many."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipesim.errors import MissingDependency
from pipesim.whatif.blocks import Block

Column = NDArray[np.float64]
LIMIT = 512 * 1024 * 1024
OPEN_LIMIT = 256 * 1024 * 1024  # arrays of the fast path that wait for somebody to ask for a measure
PROGRESS = "in progress"
REPLICATION = "replication"


class Store:
    """The blocks of one scenario.

    Args:
        limit: bytes to hold in memory; beyond, everything held goes to a Parquet file.
        folder: where those files go; None: a temporary folder that vanishes with the store.
    """

    def __init__(self, limit: int = LIMIT, folder: Path | None = None) -> None:
        self._limit = limit
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._held: list[Block] = []
        self._bytes = 0
        self._parts: list[Path] = []
        self._numbers: list[int] = []
        self._names: tuple[str, ...] = ()
        self._kept: NDArray[np.int64] | None = None

    def add(self, block: Block) -> None:
        """Keep a block.

        Raises:
            MissingDependency: memory is used up and pyarrow is not installed.
        """
        if self._bytes + block.nbytes > min(self._limit, OPEN_LIMIT):
            self._held = [one.settled() for one in self._held]
            block = block.settled()
            self._bytes = sum(one.nbytes for one in self._held)
        self._held.append(block)
        self._bytes += block.nbytes
        self._numbers += range(block.first, block.first + block.count)
        self._names = self._names or tuple(block.samples)
        if self._bytes > self._limit:
            self._spill()

    def keep_first(self, count: int) -> None:
        """From now on show only the replications with numbers below `count`."""
        self.keep(np.arange(count))

    def keep(self, numbers: NDArray[np.int64]) -> None:
        """From now on show only these replications."""
        self._kept = numbers

    @property
    def names(self) -> tuple[str, ...]:
        """The measures."""
        return self._names

    @property
    def replications(self) -> NDArray[np.int64]:
        """The numbers of the replications that are finished, ascending."""
        numbers = np.sort(np.array(self._numbers, dtype=np.int64))
        return numbers if self._kept is None else numbers[np.isin(numbers, self._kept)]

    @property
    def parts(self) -> tuple[Path, ...]:
        """The Parquet files written so far."""
        return tuple(self._parts)

    def column(self, name: str) -> Column:
        """Return one measure of every replication, in the order of their numbers."""
        if name not in self._names:
            raise KeyError(name)
        pieces = [np.asarray(part[name], dtype=np.float64) for part in self._tables([name])]
        pieces += [block.samples[name] for block in self._held]
        return self._in_order(pieces)

    def progress(self) -> Column:
        """Return the executions in progress: a row a replication, a column a moment."""
        pieces = []
        for part in self._tables([PROGRESS]):
            flat = part[PROGRESS]
            pieces.append(np.asarray(flat.tolist(), dtype=np.float64).reshape(len(flat), -1))
        pieces += [block.progress for block in self._held]
        return self._in_order(pieces)

    def _in_order(self, pieces: list[Column]) -> Column:
        if not pieces:
            return np.empty(0)
        numbers = np.array(self._spilled() + [n for b in self._held for n in range(b.first, b.first + b.count)])
        order = np.argsort(numbers, kind="stable")
        if self._kept is not None:
            order = order[np.isin(numbers[order], self._kept)]
        ordered: Column = np.concatenate(pieces)[order]
        return ordered

    def _spilled(self) -> list[int]:
        return [int(number) for part in self._tables([REPLICATION]) for number in part[REPLICATION]]

    def _tables(self, columns: list[str]) -> Iterator[Mapping[str, Any]]:
        if not self._parts:
            return
        parquet = _pyarrow("pyarrow.parquet")
        for path in self._parts:
            table = parquet.read_table(path, columns=columns)
            yield {name: table.column(name).to_numpy() for name in columns}

    def _spill(self) -> None:
        arrow, parquet = _pyarrow("pyarrow"), _pyarrow("pyarrow.parquet")
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="pipesim-")
            self._folder = Path(self._temporary.name)
        self._folder.mkdir(parents=True, exist_ok=True)
        numbers = np.concatenate([np.arange(b.first, b.first + b.count) for b in self._held])
        data = {REPLICATION: arrow.array(numbers)}
        for name in self._names:
            data[name] = arrow.array(np.concatenate([block.samples[name] for block in self._held]))
        progress = np.concatenate([block.progress for block in self._held])
        data[PROGRESS] = arrow.array(list(progress), type=arrow.list_(arrow.float64()))
        path = self._folder / f"part-{len(self._parts):05}.parquet"
        parquet.write_table(arrow.table(data), path)
        self._parts.append(path)
        self._held.clear()
        self._bytes = 0


def _pyarrow(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        raise MissingDependency(
            "the results no longer fit into memory and pyarrow, which would keep them on disk, is missing: "
            "pip install 'pipesim[cluster]', or raise memory_limit"
        ) from None
