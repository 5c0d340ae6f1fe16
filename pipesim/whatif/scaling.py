"""A distribution stretched by a factor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipesim.assumptions.distributions import (
    Bootstrap,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    LogNormal,
    Mixture,
    Pert,
    Samples,
    Shifted,
    Triangular,
    TruncatedNormal,
    Uniform,
    Weibull,
    distribution,
    to_milliseconds,
)
from pipesim.assumptions.faults import AssumptionFault, number

MEMBERS: dict[type[Any], tuple[str, ...]] = {
    Constant: ("value",),
    Uniform: ("low", "high"),
    Triangular: ("low", "mode", "high"),
    Pert: ("low", "mode", "high"),
    LogNormal: ("median", "p95"),
    Exponential: ("mean",),
    Weibull: ("scale",),
    Gamma: ("scale",),
    TruncatedNormal: ("centre", "spread"),
}


@dataclass(frozen=True, slots=True)
class Scaled:
    """Another distribution, longer or shorter by a factor.

    Attributes:
        factor: above 0.
        rest: what is stretched.
    """

    factor: float
    rest: Distribution

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", positive_factor(self.factor))
        object.__setattr__(self, "rest", distribution("rest", self.rest))

    def sample(self, rng: np.random.Generator, size: int) -> Samples:
        """Draw the rest and stretch it."""
        return to_milliseconds(self.factor * self.rest.sample(rng, size))

    @property
    def mean(self) -> float:
        """The stretched mean."""
        return self.factor * self.rest.mean

    def quantile(self, p: float) -> float:
        """Return the stretched quantile."""
        return self.factor * self.rest.quantile(p)


def scaled(original: Distribution, factor: float) -> Distribution:
    """Return the distribution with every duration multiplied by a factor; where it can, of the same kind.

    With common random numbers each draw is then multiplied, so a shorter action is shorter in every replication.

    Args:
        original: the distribution.
        factor: above 0.

    Raises:
        AssumptionError: the factor is not above 0.

    >>> scaled(LogNormal(median=60, p95=120), 0.5)
    LogNormal(median=30.0, p95=60.0)
    """
    factor = positive_factor(factor)
    members = MEMBERS.get(type(original))
    if members is not None:
        changed: Any = original
        return replace(changed, **{member: getattr(original, member) * factor for member in members})  # type: ignore[no-any-return]
    if isinstance(original, Empirical):
        return Empirical(tuple(value * factor for value in original.values))
    if isinstance(original, Bootstrap):
        return Bootstrap(tuple(value * factor for value in original.values), original.weights)
    if isinstance(original, Shifted):
        return Shifted(original.by * factor, scaled(original.rest, factor))
    if isinstance(original, Mixture):
        return Mixture(original.weights, tuple(scaled(part, factor) for part in original.parts))
    return Scaled(factor, original)


def positive_factor(factor: float) -> float:
    """Return the factor as a number above 0; a fault says what to write."""
    value = number("factor", factor)
    if value <= 0:
        raise AssumptionFault(("factor",), f"{value:g} is not above 0; 0.5 halves, 2 doubles")
    return value
