"""Named streams of luck: every draw is a function of seed, name, index and attempt, and of nothing else.

Two simulations with the same seed share the luck of every stream that both use, whatever else differs
between them; this is what comparisons with common random numbers stand on. A stream is a keyed counter
(Philox; Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011): the key is a digest of seed
and name, the counter holds attempt and block, so no block needs the ones before it.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Hashable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.distributions import Constant, Distribution, distribution
from pipesim.assumptions.faults import AssumptionFault

BITS, RETRY_BITS = 8, 5  # part of every draw's identity: another size, other luck
KEPT = 64
SIBLINGS = 512  # that draw from one table; part of a draw's identity, like the two numbers of rows
ROWS, RETRY_ROWS = 20, 4
ROLLBACK_LOT = 1000  # rollbacks draw what later attempts draw: their coming leaves the luck of changes alone
NUMBER_BITS = 32
FAMILY_BITS = 48
FIRST_SIBLING = 1 << (NUMBER_BITS + FAMILY_BITS)
TABLES_KEPT = 512


class Odds:
    """Uniform numbers from 0 up to but not including 1, to be compared with odds."""

    mean = 0.5

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odds)

    def __hash__(self) -> int:
        return hash(Odds)

    def sample(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw `size` numbers, not rounded."""
        return rng.random(size)

    def quantile(self, p: float) -> float:
        """Return `p`."""
        return p


class Stream:
    """One named source of luck.

    Draws come in blocks of 256 indices (32 for later attempts) of which the newest 64 are kept,
    so memory does not grow with the number of executions.
    """

    __slots__ = ("_blocks", "_distribution", "_generator", "_key", "_later", "_state", "name")

    def __init__(self, seed: int, name: str, distribution: Distribution) -> None:
        self.name = name
        self._distribution = distribution
        self._key = _key(seed, name)
        self._generator: np.random.Generator | None = None
        self._state: Any = None
        self._blocks: dict[int, list[float]] = {}
        self._later: dict[tuple[int, int], list[float]] = {}

    def draw(self, index: int, attempt: int = 1) -> float:
        """Return the draw for this index (from 0) and attempt (from 1).

        >>> stream = Streams(7).odds("coin")
        >>> later = stream.draw(5_000)
        >>> stream.draw(3) == Streams(7).odds("coin").draw(3)
        True
        """
        if attempt == 1:
            block = self._blocks.get(index >> BITS)
            if block is None:
                block = _keep(self._blocks, index >> BITS, self._block(index >> BITS, 1).tolist())
            return block[index & (1 << BITS) - 1]
        place = (attempt, index >> RETRY_BITS)
        block = self._later.get(place)
        if block is None:
            block = _keep(self._later, place, self._block(index >> RETRY_BITS, attempt).tolist())
        return block[index & (1 << RETRY_BITS) - 1]

    def table(self, count: int, first: int = 0, attempt: int = 1) -> NDArray[np.float64]:
        """Return the draws for `count` indices from `first` on as one array: the very numbers of `draw`.

        >>> stream = Streams(7).odds("coin")
        >>> [stream.draw(index) for index in (2, 3)] == stream.table(2, first=2).tolist()
        True
        """
        if count <= 0:
            return np.empty(0)
        bits = BITS if attempt == 1 else RETRY_BITS
        begin, end = first >> bits, (first + count - 1) >> bits
        blocks = [self._block(block, attempt) for block in range(begin, end + 1)]
        offset = first - (begin << bits)
        return np.concatenate(blocks)[offset : offset + count]

    def _block(self, block: int, attempt: int) -> NDArray[np.float64]:
        if block < 0 or attempt < 1:
            raise ValueError(f"stream {self.name!r}: indices start at 0 and attempts at 1")
        if self._generator is None:
            self._generator = np.random.Generator(np.random.Philox(key=self._key))
            self._state = self._generator.bit_generator.state
        self._state["state"]["counter"] = np.array([0, block, 0, attempt], dtype=np.uint64)
        self._generator.bit_generator.state = self._state
        return self._distribution.sample(self._generator, 1 << (BITS if attempt == 1 else RETRY_BITS))


class ConstantStream(Stream):
    """A stream that is always the same number and never touches a generator."""

    __slots__ = ("_value",)

    def __init__(self, seed: int, name: str, distribution: Constant) -> None:
        super().__init__(seed, name, distribution)
        self._value = round(distribution.value, 3)

    def draw(self, index: int, attempt: int = 1) -> float:
        """Return the constant."""
        return self._value

    def table(self, count: int, first: int = 0, attempt: int = 1) -> NDArray[np.float64]:
        """Return the constant `count` times."""
        return np.full(max(count, 0), self._value)


class Family:
    """The tables from which the siblings of one family draw, a column each.

    Arguments:
        number: which family, from 0 up to 2 to the power of 48.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def table(
        self, name: str, distribution: Distribution, group: int, block: int, attempt: int = 1
    ) -> NDArray[np.float64]:
        """Return the draws of a block of indices for a group of siblings: a row an index, a column a sibling.

        Arguments:
            name: the stream's name.
            distribution: what it draws from.
            group: siblings ``group * SIBLINGS`` and the following.
            block: indices ``block * ROWS`` and the following (RETRY_ROWS for later attempts).
            attempt: from 1.
        """
        rows = ROWS if attempt == 1 else RETRY_ROWS
        drawn = distribution.sample(self.generator(name, group, block, attempt), rows * SIBLINGS)
        return drawn.reshape(rows, SIBLINGS)

    def generator(self, name: str, group: int, block: int, attempt: int = 1) -> np.random.Generator:
        """Return the generator that such a table is drawn with; the next call in this thread sets it anew.

        Its state is a digest of all that names the table (the generator: SFC64 of Chris Doty-Humphrey's PractRand).
        """
        text = f"{self.number}\0{group}\0{block}\0{attempt}\0{name}".encode("utf-8", "surrogatepass")
        words = np.frombuffer(blake2b(text, digest_size=32, person=b"siblings").digest(), dtype="<u8")
        try:
            generator: np.random.Generator = _threads.generator
        except AttributeError:
            generator = _threads.generator = np.random.Generator(np.random.SFC64(0))
        generator.bit_generator.state = {
            "bit_generator": "SFC64",
            "state": {"state": words.astype(np.uint64)},
            "has_uint32": 0,
            "uinteger": 0,
        }
        return generator


_threads = threading.local()


class SiblingStream(Stream):
    """The stream of one sibling: a column of its family's tables."""

    __slots__ = ("_column", "_family", "_group")

    def __init__(self, seed: int, name: str, distribution: Distribution) -> None:
        family, number = divmod(seed - FIRST_SIBLING, 1 << NUMBER_BITS)
        self.name = name
        self._distribution = distribution
        self._family = family
        self._group, self._column = divmod(number, SIBLINGS)
        self._blocks = {}
        self._later = {}

    def draw(self, index: int, attempt: int = 1) -> float:
        """Return the draw for this index (from 0) and attempt (from 1)."""
        rows = ROWS if attempt == 1 else RETRY_ROWS
        block, row = divmod(index, rows)
        place = (attempt, block)
        values = self._later.get(place)
        if values is None:
            values = _keep(self._later, place, self._block(block, attempt).tolist())
        return values[row]

    def table(self, count: int, first: int = 0, attempt: int = 1) -> NDArray[np.float64]:
        """Return the draws for `count` indices from `first` on as one array: the very numbers of `draw`."""
        if count <= 0:
            return np.empty(0)
        rows = ROWS if attempt == 1 else RETRY_ROWS
        begin, end = first // rows, (first + count - 1) // rows
        blocks = [self._block(block, attempt) for block in range(begin, end + 1)]
        offset = first - begin * rows
        return np.concatenate(blocks)[offset : offset + count]

    def _block(self, block: int, attempt: int) -> NDArray[np.float64]:
        if block < 0 or attempt < 1:
            raise ValueError(f"stream {self.name!r}: indices start at 0 and attempts at 1")
        try:
            table = _shared(self._family, self.name, cast(Hashable, self._distribution), self._group, block, attempt)
        except TypeError:
            table = Family(self._family).table(self.name, self._distribution, self._group, block, attempt)
        return np.ascontiguousarray(table[:, self._column])


@lru_cache(maxsize=TABLES_KEPT)
def _shared(
    family: int, name: str, distribution: Hashable, group: int, block: int, attempt: int
) -> NDArray[np.float64]:
    """The table that siblings which are simulated one after the other share."""
    return Family(family).table(name, cast(Distribution, distribution), group, block, attempt)


class SiblingGenerator(np.random.Generator):
    """A generator whose uniform numbers come, in order, from a column of the family's tables.

    All that is not uniform in [0, 1) comes from a generator of the sibling's own.
    """

    def __init__(self, seed: int, name: str) -> None:
        super().__init__(np.random.Philox(key=_key(seed, name)))
        self._uniforms = SiblingStream(seed, name, Odds())
        self._used = 0

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Return the next uniform numbers from 0 up to but not including 1."""
        shape = np.shape(out) if out is not None else () if size is None else size
        count = int(np.prod(shape, dtype=np.int64))
        drawn = self._uniforms.table(count, self._used).astype(dtype, copy=False).reshape(shape)
        self._used += count
        if out is not None:
            out[...] = drawn
            return out
        return drawn if size is not None else drawn[()]


def sibling(family: int, number: int) -> int:
    """Return the seed of one sibling of a family.

    Arguments:
        family: which family, from 0 up to 2 to the power of 48.
        number: which sibling, from 0 up to 2 to the power of 32.

    Raises:
        ValueError: the family or the number is out of range.

    >>> Streams(sibling(5, 7)).odds("coin").draw(3) == Streams(sibling(5, 7)).odds("coin").draw(3)
    True
    """
    if not (0 <= family < 1 << FAMILY_BITS and 0 <= number < 1 << NUMBER_BITS):
        raise ValueError(f"there is no sibling {number} of family {family}")
    return FIRST_SIBLING + (family << NUMBER_BITS) + number


def is_sibling(seed: int) -> bool:
    """Whether a seed names a sibling of a family."""
    return FIRST_SIBLING <= seed < 2 * FIRST_SIBLING


class Streams:
    """All streams of one simulation.

    Arguments:
        seed: any whole number.

    Raises:
        AssumptionError: when the seed is not a whole number.
    """

    __slots__ = ("seed",)

    def __init__(self, seed: int = 0) -> None:
        try:
            self.seed = operator.index(seed)
        except TypeError:
            raise AssumptionFault(("seed",), f"{seed!r} is not a whole number") from None

    def stream(self, name: str, distribution: Distribution) -> Stream:
        """Return the stream of this name, drawing from this distribution."""
        _check(distribution)
        if isinstance(distribution, Constant):
            return ConstantStream(self.seed, name, distribution)
        return (SiblingStream if is_sibling(self.seed) else Stream)(self.seed, name, distribution)

    def odds(self, name: str) -> Stream:
        """Return the stream of this name, drawing uniform numbers in [0, 1)."""
        return (SiblingStream if is_sibling(self.seed) else Stream)(self.seed, name, Odds())

    def generator(self, name: str) -> np.random.Generator:
        """Return a fresh generator for what is drawn in order, such as arrivals."""
        if is_sibling(self.seed):
            return SiblingGenerator(self.seed, name)
        return np.random.Generator(np.random.Philox(key=_key(self.seed, name)))


def _check(candidate: object) -> None:
    distribution("distribution", candidate)


def _key(seed: int, name: str) -> int:
    text = f"{seed}\0{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=16, person=b"pipesim").digest(), "little")


def _keep(blocks: dict[Any, list[float]], place: object, values: list[float]) -> list[float]:
    if len(blocks) >= KEPT:
        del blocks[next(iter(blocks))]
    blocks[place] = values
    return values
