"""How long things take: distributions of durations, all in seconds.

Samples are never negative and are rounded to milliseconds, so that the last bits of a logarithm,
which differ between processors, do not reach a trace.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist, fmean
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.faults import LONGEST, AssumptionFault, duration, number, odds

Samples = NDArray[np.float64]
NORMAL = NormalDist()
Z95 = NORMAL.inv_cdf(0.95)


@runtime_checkable
class Distribution(Protocol):
    """What every distribution can do; own classes may join by having these three."""

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw `size` durations in seconds, none negative, rounded to milliseconds."""
        ...

    @property
    def mean(self) -> float:
        """The mean in seconds."""
        ...

    def quantile(self, p: float) -> float:
        """Return the duration in seconds that a share `p` (0 to 1) of all draws does not exceed."""
        ...


def to_milliseconds(samples: Samples) -> Samples:
    """Return samples of seconds rounded to milliseconds and kept between 0 and 100 years."""
    return np.asarray(np.rint(np.clip(samples, 0.0, LONGEST) * 1000.0) / 1000.0, dtype=np.float64)


def _set(instance: object, **members: Any) -> None:
    for member, value in members.items():
        object.__setattr__(instance, member, value)


def _ordered(**members: float) -> None:
    names = list(members)
    for below, above in pairwise(names):
        if members[below] > members[above]:
            raise AssumptionFault(
                (below,), f"{members[below]:g} s is more than {above}, {members[above]:g} s; swap or correct them"
            )


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same duration; no luck is drawn for it.

    Attributes:
        value: seconds.

    >>> Constant(480).mean
    480.0
    """

    value: float

    def __post_init__(self) -> None:
        _set(self, value=duration("value", self.value))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Return `size` times the value."""
        return to_milliseconds(np.full(size, self.value))

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    def quantile(self, p: float) -> float:
        """Return the value."""
        odds("p", p)
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every duration between two bounds is equally likely.

    Attributes:
        low: the shortest, in seconds.
        high: the longest, in seconds.

    >>> Uniform(60, 120).mean
    90.0
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _set(self, low=duration("low", self.low), high=duration("high", self.high))
        _ordered(low=self.low, high=self.high)

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw by inverting the distribution function."""
        return to_milliseconds(self.low + (self.high - self.low) * rng.random(size))

    @property
    def mean(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    def quantile(self, p: float) -> float:
        """Return the point that divides the interval at `p`."""
        return self.low + (self.high - self.low) * odds("p", p)


@dataclass(frozen=True, slots=True)
class Triangular:
    """Between two bounds with one most likely duration.

    Attributes:
        low: the shortest, in seconds.
        mode: the most likely, in seconds.
        high: the longest, in seconds.

    >>> Triangular(60, 90, 150).mean
    100.0
    """

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        _set(self, low=duration("low", self.low), mode=duration("mode", self.mode), high=duration("high", self.high))
        _ordered(low=self.low, mode=self.mode, high=self.high)

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw by inverting the distribution function."""
        share = rng.random(size)
        width = self.high - self.low
        rising = self.low + np.sqrt(share * width * (self.mode - self.low))
        falling = self.high - np.sqrt((1 - share) * width * (self.high - self.mode))
        return to_milliseconds(np.where(share * width < self.mode - self.low, rising, falling))

    @property
    def mean(self) -> float:
        """The mean of the three numbers."""
        return (self.low + self.mode + self.high) / 3

    def quantile(self, p: float) -> float:
        """Return the inverse of the distribution function."""
        share = odds("p", p)
        width = self.high - self.low
        if share * width < self.mode - self.low:
            return self.low + math.sqrt(share * width * (self.mode - self.low))
        return self.high - math.sqrt((1 - share) * width * (self.high - self.mode))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Mostly near the median, now and then much longer: how builds and people usually behave.

    Attributes:
        median: half of all durations are shorter, in seconds; above 0.
        p95: 95 of 100 durations are shorter, in seconds; at least the median.

    >>> round(LogNormal(median=360, p95=660).quantile(0.95), 6)
    660.0
    """

    median: float
    p95: float

    def __post_init__(self) -> None:
        _set(self, median=duration("median", self.median), p95=duration("p95", self.p95))
        if self.median == 0:
            raise AssumptionFault(("median",), "0 s; a log-normal median is above 0 s (use a constant for 0 s)")
        if self.p95 < self.median:
            raise AssumptionFault(
                ("p95",), f"{self.p95:g} s is less than the median, {self.median:g} s; swap or correct them"
            )

    @property
    def sigma(self) -> float:
        """The standard deviation of the logarithm."""
        return (math.log(self.p95) - math.log(self.median)) / Z95

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw the median times the exponential of a normal variable."""
        with np.errstate(over="ignore"):
            return to_milliseconds(self.median * np.exp(self.sigma * rng.standard_normal(size)))

    @property
    def mean(self) -> float:
        """median · exp(sigma²/2); infinite when that is more than a float can hold."""
        exponent = self.sigma**2 / 2
        return self.median * math.exp(exponent) if exponent < 700 else math.inf

    def quantile(self, p: float) -> float:
        """Return median · exp(sigma z)."""
        share = odds("p", p)
        if share in (0.0, 1.0):
            return _edge(share, 0.0, math.inf if self.sigma else self.median)
        exponent = self.sigma * NORMAL.inv_cdf(share)
        return self.median * math.exp(exponent) if exponent < 700 else math.inf


@dataclass(frozen=True, slots=True)
class Exponential:
    """Without memory: the classic of queueing theory.

    Attributes:
        mean: seconds; above 0.

    >>> Exponential(60).mean
    60.0
    """

    mean: float

    def __post_init__(self) -> None:
        _set(self, mean=_positive("mean", self.mean))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw by inverting the distribution function."""
        return to_milliseconds(-self.mean * np.log1p(-rng.random(size)))

    def quantile(self, p: float) -> float:
        """Return the inverse of the distribution function."""
        share = odds("p", p)
        return math.inf if share == 1 else -self.mean * math.log1p(-share)


@dataclass(frozen=True, slots=True)
class Empirical:
    """Durations that were observed, each as likely as the next.

    Attributes:
        values: seconds; at least one. A value given twice is twice as likely.

    >>> Empirical((60, 120, 120)).mean
    100.0
    """

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if isinstance(self.values, (str, bytes)) or not isinstance(self.values, (Sequence, np.ndarray)):
            raise AssumptionFault(("values",), f"{self.values!r} is not a list of durations")
        if not len(self.values):
            raise AssumptionFault(("values",), "the list is empty; give at least one duration")
        _set(self, values=tuple(sorted(duration("values", value) for value in self.values)))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw with replacement."""
        places = (rng.random(size) * len(self.values)).astype(np.intp)
        return to_milliseconds(np.asarray(self.values)[places])

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return fmean(self.values)

    def quantile(self, p: float) -> float:
        """Return the smallest value that a share `p` of the values does not exceed."""
        return self.values[max(math.ceil(odds("p", p) * len(self.values) - 1e-9) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Observed durations drawn again, each as often as its weight says: the bootstrap of a sample.

    Where some durations were cut off before they ended, weights say how much each complete one stands for
    (Kaplan and Meier, "Nonparametric estimation from incomplete observations", 1958). Without weights all
    values are equally likely.

    Attributes:
        values: seconds, in the order in which they were observed; at least one.
        weights: as many numbers, relative to each other, none negative, one at least above 0; empty: all equal.

    >>> Bootstrap((60, 120), weights=(3, 1)).mean
    75.0
    """

    values: tuple[float, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for member in ("values", "weights"):
            given = getattr(self, member)
            if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray)):
                raise AssumptionFault((member,), f"{given!r} is not a list of numbers")
        if not len(self.values):
            raise AssumptionFault(("values",), "the list is empty; give at least one duration")
        weights = tuple(number("weights", weight) + 0.0 for weight in self.weights)
        if weights and len(weights) != len(self.values):
            raise AssumptionFault(("weights",), f"{len(weights)} weights for {len(self.values)} values; give one each")
        if weights and (min(weights) < 0 or not 0 < sum(weights) < math.inf):
            raise AssumptionFault(("weights",), f"{list(weights)}; none may be negative and one must be above 0")
        _set(self, values=tuple(duration("values", value) for value in self.values), weights=weights)

    def _edges(self) -> NDArray[np.float64]:
        weights = np.asarray(self.weights or (1.0,) * len(self.values))
        return np.asarray(np.cumsum(weights) / weights.sum(), dtype=np.float64)

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw with replacement."""
        places = np.searchsorted(self._edges(), rng.random(size), side="right")
        return to_milliseconds(np.asarray(self.values)[np.minimum(places, self._last)])

    @property
    def _last(self) -> int:
        weights = self.weights or (1.0,)
        return len(self.values) - 1 if weights[-1] > 0 else max(i for i, weight in enumerate(weights) if weight > 0)

    @property
    def mean(self) -> float:
        """The weighted mean of the values."""
        weights = self.weights or (1.0,) * len(self.values)
        return math.fsum(w * value for w, value in zip(weights, self.values, strict=True)) / math.fsum(weights)

    def quantile(self, p: float) -> float:
        """Return the smallest value that a share `p` of the weight does not exceed."""
        share = odds("p", p)
        weights = self.weights or (1.0,) * len(self.values)
        held = sorted((value, weight) for value, weight in zip(self.values, weights, strict=True) if weight > 0)
        total = math.fsum(weight for _, weight in held)
        reached = 0.0
        for value, weight in held:
            reached += weight / total
            if reached >= share - 1e-12:
                return value
        return held[-1][0]


@dataclass(frozen=True, slots=True)
class Pert:
    """Like a triangle with softer shoulders: the planner's three-point estimate (a beta distribution).

    Attributes:
        low: the shortest, in seconds.
        mode: the most likely, in seconds.
        high: the longest, in seconds.
    """

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        _set(self, low=duration("low", self.low), mode=duration("mode", self.mode), high=duration("high", self.high))
        _ordered(low=self.low, mode=self.mode, high=self.high)

    def _shapes(self) -> tuple[float, float]:
        width = self.high - self.low
        return 1 + 4 * (self.mode - self.low) / width, 1 + 4 * (self.high - self.mode) / width

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw from the beta distribution and stretch it between the bounds."""
        if self.high == self.low:
            return to_milliseconds(np.full(size, self.low))
        return to_milliseconds(self.low + (self.high - self.low) * rng.beta(*self._shapes(), size))

    @property
    def mean(self) -> float:
        """(low + 4 mode + high) / 6."""
        return (self.low + 4 * self.mode + self.high) / 6

    def quantile(self, p: float) -> float:
        """Return the inverse of the distribution function, integrated numerically."""
        share = odds("p", p)
        if self.high == self.low:
            return self.low
        left, right = self._shapes()
        edges = np.linspace(0.0, 1.0, 20_001)
        middles = (edges[:-1] + edges[1:]) / 2
        mass = np.concatenate(([0.0], np.cumsum(middles ** (left - 1) * (1 - middles) ** (right - 1))))
        return self.low + (self.high - self.low) * float(np.interp(share, mass / mass[-1], edges))


@dataclass(frozen=True, slots=True)
class Weibull:
    """Durations whose end grows likelier (shape above 1) or less likely (below 1) with time.

    Attributes:
        shape: without unit; above 0.
        scale: seconds; above 0; 63 of 100 durations are shorter.
    """

    shape: float
    scale: float

    def __post_init__(self) -> None:
        shape = number("shape", self.shape)
        if not 0.05 <= shape <= 1000:
            raise AssumptionFault(("shape",), f"{shape:g} is not between 0.05 and 1000")
        _set(self, shape=shape, scale=_positive("scale", self.scale))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw by inverting the distribution function."""
        return to_milliseconds(self.scale * (-np.log1p(-rng.random(size))) ** (1 / self.shape))

    @property
    def mean(self) -> float:
        """scale · Γ(1 + 1/shape)."""
        return self.scale * math.gamma(1 + 1 / self.shape)

    def quantile(self, p: float) -> float:
        """Return the inverse of the distribution function."""
        share = odds("p", p)
        return math.inf if share == 1 else float(self.scale * (-math.log1p(-share)) ** (1 / self.shape))


@dataclass(frozen=True, slots=True)
class Gamma:
    """Durations made of several steps one after the other: a sum of waits of equal kind.

    Attributes:
        shape: without unit; above 0; for a whole number, how many exponential steps are added up.
        scale: the mean of one step, in seconds; above 0.

    >>> Gamma(shape=4, scale=60).mean
    240.0
    """

    shape: float
    scale: float

    def __post_init__(self) -> None:
        shape = number("shape", self.shape)
        if not 0.01 <= shape <= 100_000:
            raise AssumptionFault(("shape",), f"{shape:g} is not between 0.01 and 100000")
        _set(self, shape=shape, scale=_positive("scale", self.scale))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw by numpy's method of Marsaglia and Tsang."""
        return to_milliseconds(rng.gamma(self.shape, self.scale, size))

    @property
    def mean(self) -> float:
        """shape · scale."""
        return self.shape * self.scale

    def quantile(self, p: float) -> float:
        """Return the inverse of the distribution function, found by halving."""
        share = odds("p", p)
        if share in (0.0, 1.0):
            return _edge(share, 0.0, math.inf)
        high = max(self.shape, 1.0)
        while _gamma_share(self.shape, high) < share:
            high *= 2
        low = 0.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (low, middle) if _gamma_share(self.shape, middle) >= share else (middle, high)
        return high * self.scale


@dataclass(frozen=True, slots=True)
class TruncatedNormal:
    """A bell curve without its part below zero.

    Attributes:
        centre: the top of the bell, in seconds.
        spread: the standard deviation of the whole bell, in seconds; above 0.
    """

    centre: float
    spread: float

    def __post_init__(self) -> None:
        _set(self, centre=duration("centre", self.centre), spread=_positive("spread", self.spread))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw the bell and draw the negative ones again."""
        samples = self.centre + self.spread * rng.standard_normal(size)
        while (negative := samples < 0).any():
            samples[negative] = self.centre + self.spread * rng.standard_normal(int(negative.sum()))
        return to_milliseconds(samples)

    @property
    def mean(self) -> float:
        """The mean of what is left of the bell."""
        edge = -self.centre / self.spread
        return self.centre + self.spread * NORMAL.pdf(edge) / (1 - NORMAL.cdf(edge))

    def quantile(self, p: float) -> float:
        """Return the inverse of the distribution function."""
        share = odds("p", p)
        if share in (0.0, 1.0):
            return _edge(share, 0.0, math.inf)
        below = NORMAL.cdf(-self.centre / self.spread)
        return max(self.centre + self.spread * NORMAL.inv_cdf(below + share * (1 - below)), 0.0)


@dataclass(frozen=True, slots=True)
class Shifted:
    """Another distribution, later by a fixed time (a build that always first waits for its container).

    Attributes:
        by: seconds.
        rest: what comes on top.
    """

    by: float
    rest: Distribution

    def __post_init__(self) -> None:
        _set(self, by=duration("by", self.by), rest=distribution("rest", self.rest))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw the rest and add the shift."""
        return to_milliseconds(self.by + self.rest.sample(rng, size))

    @property
    def mean(self) -> float:
        """The shift and the mean of the rest."""
        return self.by + self.rest.mean

    def quantile(self, p: float) -> float:
        """Return the shift and the quantile of the rest."""
        return self.by + self.rest.quantile(p)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Sometimes one distribution, sometimes another (a cache hit and a cache miss).

    Attributes:
        weights: how often each part is used, relative to the others; none negative, one at least above 0.
        parts: as many distributions.
    """

    weights: tuple[float, ...]
    parts: tuple[Distribution, ...]

    def __post_init__(self) -> None:
        weights = tuple(number("weights", weight) for weight in self.weights)
        if not weights or len(weights) != len(self.parts):
            raise AssumptionFault(("weights",), f"{len(weights)} weights for {len(self.parts)} parts; give one each")
        if min(weights) < 0 or not 0 < sum(weights) < math.inf:
            raise AssumptionFault(("weights",), f"{list(weights)}; none may be negative and one must be above 0")
        _set(self, weights=weights, parts=tuple(distribution("parts", part) for part in self.parts))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw all parts and choose one of them for each draw."""
        edges = np.cumsum(self.weights) / sum(self.weights)
        choice = np.minimum(np.searchsorted(edges, rng.random(size), side="right"), len(self.parts) - 1)
        drawn = np.stack([part.sample(rng, size) for part in self.parts])
        return to_milliseconds(drawn[choice, np.arange(size)])

    @property
    def mean(self) -> float:
        """The weighted mean of the parts' means."""
        total = sum(self.weights)
        return (
            math.fsum(weight * part.mean for weight, part in zip(self.weights, self.parts, strict=True) if weight)
            / total
        )

    def quantile(self, p: float) -> float:
        """Return the inverse of the distribution function, found by halving."""
        share = odds("p", p)
        total = sum(self.weights)
        used = [(weight / total, part) for weight, part in zip(self.weights, self.parts, strict=True) if weight]
        bounds = [part.quantile(share) for _, part in used]
        low, high = min(bounds), max(bounds)
        if share in (0.0, 1.0) or low == high:
            return _edge(share, low, high)

        def reached(time: float) -> bool:
            return math.fsum(weight * _share_below(part, time) for weight, part in used) >= share

        return low if reached(low) else _halve(reached, low, high)


def _share_below(part: Distribution, time: float) -> float:
    if part.quantile(1.0) <= time:
        return 1.0
    if part.quantile(0.0) > time:
        return 0.0
    return _halve(lambda share: part.quantile(share) > time, 0.0, 1.0)


def _halve(test: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if test(middle) else (middle, high)
    return high


def _gamma_share(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function P(shape, x), by series or continued fraction.

    Source: Abramowitz and Stegun, "Handbook of mathematical functions", 6.5.29 and 6.5.31.
    """
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        step = shape
        while term > total * 1e-16:
            step += 1
            term *= x / step
            total += term
        return min(front * total, 1.0)
    tiny = 1e-300
    b = x + 1 - shape
    c = 1 / tiny
    d = 1 / b
    fraction = d
    for step in range(1, 100_000):
        a = -step * (step - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return max(1 - front * fraction, 0.0)


def _edge(share: float, low: float, high: float) -> float:
    return high if share == 1.0 else low


def _positive(member: str, value: object) -> float:
    result = duration(member, value)
    if result == 0:
        raise AssumptionFault((member,), "0 s; it must be above 0 s")
    return result


def distribution(member: str, value: object) -> Distribution:
    """Return the value when it is a distribution; a fault names the member and says what to write."""
    if type(value).__module__ == __name__:
        return cast(Distribution, value)
    if isinstance(value, type) or not isinstance(value, Distribution):
        raise AssumptionFault(
            (member,), f"{value!r} is not a distribution; write Constant({value!r}) or LogNormal(median=…, p95=…)"
        )
    return value
