"""Named streams of luck: every draw is a function of seed, name, index and attempt, and of nothing else.

Two simulations with the same seed share the luck of every stream that both use, whatever else differs
between them; this is what comparisons with common random numbers stand on. A stream is a keyed counter
(Philox; Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011): the key is a digest of seed
and name, the counter holds attempt and block, so no block needs the ones before it.
"""

from __future__ import annotations

import operator
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.distributions import Constant, Distribution, distribution
from pipesim.assumptions.faults import AssumptionFault

BITS, RETRY_BITS = 8, 5  # part of every draw's identity: another size, other luck
KEPT = 64


class Odds:
    """Uniform numbers from 0 up to but not including 1, to be compared with odds."""

    mean = 0.5

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
        kind = ConstantStream if isinstance(distribution, Constant) else Stream
        return kind(self.seed, name, distribution)  # type: ignore[arg-type]

    def odds(self, name: str) -> Stream:
        """Return the stream of this name, drawing uniform numbers in [0, 1)."""
        return Stream(self.seed, name, Odds())

    def generator(self, name: str) -> np.random.Generator:
        """Return a fresh generator for what is drawn in order, such as arrivals."""
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
