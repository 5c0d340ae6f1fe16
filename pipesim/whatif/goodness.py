"""How well a distribution describes observed durations, some of which were cut off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions import distributions as kinds
from pipesim.assumptions.distributions import Distribution
from pipesim.whatif.likelihood import Values, as_values, scipy

SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Goodness:
    """How far a distribution lies from observed durations.

    Attributes:
        kolmogorov_smirnov: the largest distance between both distribution functions, 0 to 1.
        anderson_darling: A², which looks at the tails; None where durations were cut off, or one lies on the
            distribution's edge.
        p: the odds of so large a Kolmogorov-Smirnov distance if the distribution were true; None where its
            parameters come from the same durations, or durations were cut off.
    """

    kolmogorov_smirnov: float
    anderson_darling: float | None
    p: float | None = None


def cumulative(distribution: Distribution, times: Sequence[float] | Values) -> Values:
    """Return the share of durations that do not exceed each time.

    Args:
        distribution: any distribution of pipesim; for a class of one's own its quantiles are searched.
        times: seconds.

    >>> cumulative(kinds.Uniform(0, 10), [2.5, 20]).tolist()
    [0.25, 1.0]
    """
    at = np.asarray(times, dtype=np.float64)
    match distribution:
        case kinds.Constant(value):
            return np.asarray(at >= value, dtype=np.float64)
        case kinds.Uniform(low, high) if high > low:
            return np.clip((at - low) / (high - low), 0, 1)
        case kinds.Triangular(low, mode, high) if low < mode < high:
            rising = np.clip(at - low, 0, None) ** 2 / ((high - low) * (mode - low))
            falling = 1 - np.clip(high - at, 0, None) ** 2 / ((high - low) * (high - mode))
            return np.asarray(np.where(at < mode, rising, falling))
        case kinds.Pert(low, mode, high) if high > low:
            left, right = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
            return np.asarray(scipy("special").betainc(left, right, np.clip((at - low) / (high - low), 0, 1)))
        case kinds.LogNormal(median, p95) if p95 > median:
            logs = np.log(np.maximum(at, 1e-300) / median) / distribution.sigma
            return np.asarray(scipy("special").ndtr(logs))
        case kinds.Exponential(mean):
            return np.asarray(-np.expm1(-np.maximum(at, 0) / mean))
        case kinds.Gamma(shape, scale):
            return np.asarray(scipy("special").gammainc(shape, np.maximum(at, 0) / scale))
        case kinds.Weibull(shape, scale):
            return np.asarray(-np.expm1(-((np.maximum(at, 0) / scale) ** shape)))
        case kinds.TruncatedNormal(centre, spread):
            ndtr = scipy("special").ndtr
            below = ndtr(-centre / spread)
            return np.asarray(np.clip((ndtr((at - centre) / spread) - below) / (1 - below), 0, 1))
        case kinds.Shifted(by, rest):
            return np.where(at < by, 0.0, cumulative(rest, at - by))
        case kinds.Mixture(weights, parts):
            total = sum(weights)
            pieces = [weight / total * cumulative(part, at) for weight, part in zip(weights, parts, strict=True)]
            return np.asarray(np.sum(pieces, axis=0))
        case kinds.Empirical(values):
            return np.asarray(np.searchsorted(values, at, side="right") / len(values))
        case kinds.Bootstrap(values, weights):
            order = np.argsort(values)
            steps = np.concatenate(([0.0], np.cumsum(np.asarray(weights or (1.0,) * len(values))[order])))
            return np.asarray(steps[np.searchsorted(np.asarray(values)[order], at, side="right")] / steps[-1])
    grid = np.linspace(0, 1, 2001)[1:-1]
    return np.interp(at, [distribution.quantile(float(share)) for share in grid], grid, left=0.0, right=1.0)


def kaplan_meier(complete: Sequence[float] | Values, censored: Sequence[float] | Values = ()) -> tuple[Values, Values]:
    """Return the distinct durations and the share of all that each stands for.

    What the longest cut-off duration leaves open is given to it (Efron, "The two sample problem with censored
    data", 1967).

    Args:
        complete: durations seen to their end, in seconds.
        censored: durations that were cut off, in seconds.

    >>> [part.round(4).tolist() for part in kaplan_meier([60, 120], [90])]
    [[60.0, 120.0], [0.3333, 0.6667]]
    """
    values, cut = as_values(complete), as_values(censored)
    times, counts = np.unique(values, return_counts=True)
    every = np.sort(np.concatenate((values, cut)))
    at_risk = len(every) - np.searchsorted(every, times, side="left")
    surviving = np.cumprod(1 - counts / np.maximum(at_risk, 1))
    shares = -np.diff(np.concatenate(([1.0], surviving)))
    left = 1 - shares.sum()
    if left > 1e-12:
        times, shares = np.append(times, cut.max()), np.append(shares, left)
    return times, shares


def goodness(
    distribution: Distribution,
    complete: Sequence[float] | Values,
    censored: Sequence[float] | Values = (),
    *,
    independent: bool = False,
) -> Goodness:
    """Say how far a distribution lies from observed durations.

    Args:
        distribution: the distribution.
        complete: durations seen to their end, in seconds; at least one.
        censored: durations that were cut off, in seconds.
        independent: whether the distribution was chosen without these durations, so that a p-value has a meaning.
    """
    values = np.sort(as_values(complete))
    times, shares = kaplan_meier(values, censored)
    reached = np.cumsum(shares)
    below = np.concatenate(([0.0], reached[:-1]))
    level = cumulative(distribution, times)
    just_below = cumulative(distribution, np.nextafter(times, -np.inf))
    distance = float(max(np.abs(reached - level).max(), np.abs(below - just_below).max()))
    if len(censored):
        return Goodness(distance, None)
    p = float(scipy("stats").kstwo.sf(distance, len(values))) if independent else None
    squared = anderson_darling(distribution, values)
    return Goodness(distance, squared if math.isfinite(squared) else None, p)


def anderson_darling(distribution: Distribution, values: Sequence[float] | Values) -> float:
    """Return A² (Anderson and Darling, "A test of goodness of fit", 1954); infinite where a duration is impossible."""
    levels = np.sort(cumulative(distribution, values))
    with np.errstate(divide="ignore"):
        logs = np.log(levels) + np.log1p(-levels[::-1])
    weights = 2 * np.arange(1, len(levels) + 1) - 1
    total = float((weights * logs).sum())
    return math.inf if not math.isfinite(total) else -len(levels) - total / len(levels)


def wasserstein(one: Sequence[float] | Values, other: Sequence[float] | Values) -> float:
    """Return how many seconds a duration must be moved, on average, to make one sample the other.

    >>> wasserstein([60.0, 120.0], [70.0, 130.0])
    10.0
    """
    return float(scipy("stats").wasserstein_distance(as_values(one), as_values(other)))


def quantiles(values: Sequence[float] | Values, shares: Sequence[float] = SHARES) -> NDArray[np.float64]:
    """Return the quantiles of a sample by linear interpolation, in seconds."""
    return np.asarray(np.quantile(as_values(values), shares), dtype=np.float64)
