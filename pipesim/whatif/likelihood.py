"""Maximum likelihood for durations, of which some were cut off before they ended.

A complete duration x adds log f(x) to the log-likelihood, one that was cut off at c adds log S(c), where S is the
share of durations that last longer (right-censoring; Lawless, "Statistical models and methods for lifetime data",
2003, chapter 2). Distributions are compared by Akaike's criterion, AIC = 2 k - 2 log L.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions import distributions as kinds
from pipesim.assumptions.distributions import Z95, Distribution
from pipesim.errors import AssumptionError, MissingDependency

if TYPE_CHECKING:
    from types import ModuleType

Values = NDArray[np.float64]
LEAST = 0.0005
"""Seconds: half a millisecond; a duration of 0 is taken for a duration that was rounded to 0."""
ENOUGH_FOR_TWO = 60
"""With fewer complete durations than this nobody looks for two kinds of them."""
CLEARLY = 10.0
"""By how much the AIC of a mixture must be lower than that of one family: a second part always finds some accident of
the sample, and where there is none AIC counts its parameters too low (McLachlan and Peel, "Finite mixture models",
2000, section 6.8)."""
HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A distribution fitted to observed durations.

    Attributes:
        name: the family, such as ``LogNormal``.
        distribution: its most likely member.
        parameters: how many numbers were estimated.
        log_likelihood: the logarithm of the likelihood, durations in seconds.
    """

    name: str
    distribution: Distribution
    parameters: int
    log_likelihood: float

    @property
    def aic(self) -> float:
        """Akaike's criterion: the lower, the better."""
        return 2 * self.parameters - 2 * self.log_likelihood


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of distribution in terms of unbounded parameters, fit for a search without bounds."""

    name: str
    begin: Callable[[Values], Sequence[float]]
    log_density: Callable[[Values, Values], Values]
    log_longer: Callable[[Values, Values], Values]
    make: Callable[[Values, Values], Distribution]
    parameters: int


def scipy(part: str) -> ModuleType:
    """Return a part of scipy, such as ``special``.

    Raises:
        MissingDependency: scipy is not installed.
    """
    from importlib import import_module

    try:
        return import_module(f"scipy.{part}")
    except ImportError:
        raise MissingDependency(
            "fitting needs scipy, which is not installed: pip install 'pipesim[fit]' (or pip install scipy)"
        ) from None


def fit_distributions(
    complete: Sequence[float] | Values, censored: Sequence[float] | Values = (), families: Sequence[str] | None = None
) -> tuple[Candidate, ...]:
    """Fit every family to durations and return them, the best by AIC first.

    A mixture comes before a simpler family only when its AIC is lower by `CLEARLY`.

    Args:
        complete: durations that were seen to their end, in seconds; at least two.
        censored: how long those lasted at least that were not seen to their end, in seconds.
        families: names of `FAMILIES`; None: all.

    Raises:
        AssumptionError: there are fewer than two complete durations, a negative one, or an unknown family.
        MissingDependency: scipy is not installed.

    >>> drawn = kinds.Exponential(300).sample(np.random.default_rng(1), 2000)
    >>> fit_distributions(drawn, families=["Exponential", "Uniform"])[0].name
    'Exponential'
    """
    values, cut = as_values(complete), as_values(censored)
    if len(values) < 2:
        raise AssumptionError(f"{len(values)} complete durations are too few to fit a distribution; two are the least")
    if values.max() - values.min() <= 2 * LEAST:
        constant = kinds.Constant(round(float(np.median(values)), 3))
        return (Candidate("Constant", constant, 1, math.inf),)
    unknown = [name for name in families or () if name not in FAMILIES]
    if unknown:
        raise AssumptionError(f"'{unknown[0]}' is no family; choose from {', '.join(FAMILIES)}")
    values, cut = np.maximum(values, LEAST), np.maximum(cut, LEAST)
    found = [FAMILIES[name](values, cut) for name in families or FAMILIES]
    return tuple(sorted((one for one in found if one is not None), key=_rank))


def _rank(candidate: Candidate) -> float:
    return candidate.aic + (CLEARLY if candidate.name == "Mixture" else 0.0)


def as_values(durations: Sequence[float] | Values) -> Values:
    """Return durations as an array.

    Raises:
        AssumptionError: one is negative or not finite.
    """
    values = np.asarray(durations, dtype=np.float64).reshape(-1)
    if len(values) and (not np.isfinite(values).all() or values.min() < 0):
        raise AssumptionError("durations are finite numbers of seconds, none negative")
    return values


def _search(family: Family) -> Callable[[Values, Values], Candidate | None]:
    """The member of a family with the largest likelihood, found by the method of Nelder and Mead."""

    def fit(values: Values, cut: Values) -> Candidate | None:
        optimize = scipy("optimize")
        scale = float(values.mean())
        shrunk, short = values / scale, cut / scale

        def loss(theta: Values) -> float:
            with np.errstate(all="ignore"):
                total = float(family.log_density(theta, shrunk).sum())
                if len(short):
                    total += float(family.log_longer(theta, short).sum())
            return -total if math.isfinite(total) else 1e12

        begin = np.asarray(family.begin(shrunk), dtype=np.float64)
        options = {"xatol": 1e-7, "fatol": 1e-8, "maxiter": 2000, "maxfev": 4000}
        found = optimize.minimize(loss, begin, method="Nelder-Mead", options=options)
        if found.fun >= 1e12:
            return None
        try:
            distribution = tidy(_scaled(family.make(found.x, shrunk), scale))
        except AssumptionError:
            return None
        likelihood = -float(found.fun) - len(values) * math.log(scale)
        return Candidate(family.name, distribution, family.parameters, likelihood)

    return fit


def tidy(distribution: Any) -> Any:
    """Return a distribution whose numbers have six digits, which is more than any history can tell.

    >>> tidy(kinds.LogNormal(353.16336375, 633.22885556))
    LogNormal(median=353.163, p95=633.229)
    """
    if isinstance(distribution, kinds.Mixture):
        return replace(distribution, parts=tuple(tidy(part) for part in distribution.parts))
    changes = {
        member.name: tidy(value) if isinstance(value, Distribution) else float(f"{value:.6g}")
        for member in fields(distribution)
        if isinstance(value := getattr(distribution, member.name), float | Distribution)
    }
    return replace(distribution, **changes)


def _scaled(distribution: Distribution, factor: float) -> Distribution:
    match distribution:
        case kinds.LogNormal(median, p95):
            return kinds.LogNormal(median * factor, p95 * factor)
        case kinds.Gamma(shape, scale):
            return kinds.Gamma(shape, scale * factor)
        case kinds.Weibull(shape, scale):
            return kinds.Weibull(shape, scale * factor)
        case kinds.TruncatedNormal(centre, spread):
            return kinds.TruncatedNormal(centre * factor, spread * factor)
        case kinds.Triangular(low, mode, high):
            return kinds.Triangular(low * factor, mode * factor, high * factor)
        case kinds.Shifted(by, rest):
            return kinds.Shifted(by * factor, _scaled(rest, factor))
        case kinds.Mixture(weights, parts):
            return kinds.Mixture(weights, tuple(_scaled(part, factor) for part in parts))
    raise TypeError(distribution)


def _fit_exponential(values: Values, cut: Values) -> Candidate:
    mean = float((values.sum() + cut.sum()) / len(values))
    return Candidate("Exponential", tidy(kinds.Exponential(mean)), 1, -len(values) * (math.log(mean) + 1))


def _fit_uniform(values: Values, cut: Values) -> Candidate | None:
    """The unbiased bounds, a little outside the data.

    At the data's own bounds the likelihood is largest, and worthless: the next duration may lie outside.
    """
    count = len(values)
    shortest, longest = float(values.min()), float(values.max())
    margin = (longest - shortest) / (count - 1)
    low, high = max(shortest - margin, 0.0), longest + margin
    if len(cut) and cut.max() >= high:
        return None
    inside = np.maximum(cut, low)
    total = -count * math.log(high - low) + float(np.log((high - inside) / (high - low)).sum())
    return Candidate("Uniform", tidy(kinds.Uniform(low, high)), 2, total)


def _begin_log_normal(values: Values) -> list[float]:
    logs = np.log(values)
    return [float(logs.mean()), math.log(max(float(logs.std()), 1e-3))]


def _log_normal_density(theta: Values, values: Values) -> Values:
    logs = np.log(values)
    return np.asarray(-logs - theta[1] - HALF_LOG_TAU - 0.5 * ((logs - theta[0]) / np.exp(theta[1])) ** 2)


def _log_normal_longer(theta: Values, values: Values) -> Values:
    return np.asarray(scipy("special").log_ndtr(-(np.log(values) - theta[0]) / np.exp(theta[1])))


def _make_log_normal(theta: Values, values: Values) -> Distribution:
    median = math.exp(theta[0])
    return kinds.LogNormal(median, median * math.exp(Z95 * math.exp(theta[1])))


def _begin_gamma(values: Values) -> list[float]:
    mean, variance = float(values.mean()), max(float(values.var()), 1e-12)
    return [math.log(mean**2 / variance), math.log(mean)]


def _gamma_density(theta: Values, values: Values) -> Values:
    shape, scale = np.exp(theta[0]), np.exp(theta[1] - theta[0])
    return np.asarray(
        (shape - 1) * np.log(values) - values / scale - shape * np.log(scale) - scipy("special").gammaln(shape)
    )


def _gamma_longer(theta: Values, values: Values) -> Values:
    return np.asarray(np.log(scipy("special").gammaincc(np.exp(theta[0]), values / np.exp(theta[1] - theta[0]))))


def _begin_weibull(values: Values) -> list[float]:
    spread = max(float(np.log(values).std()), 1e-3)
    return [math.log(math.pi / math.sqrt(6) / spread), float(np.log(values).mean()) + 0.5772 * spread * 0.78]


def _weibull_density(theta: Values, values: Values) -> Values:
    shape = np.exp(theta[0])
    logs = np.log(values) - theta[1]
    return np.asarray(theta[0] - theta[1] + (shape - 1) * logs - np.exp(shape * logs))


def _weibull_longer(theta: Values, values: Values) -> Values:
    return np.asarray(-np.exp(np.exp(theta[0]) * (np.log(values) - theta[1])))


def _begin_normal(values: Values) -> list[float]:
    return [math.log(max(float(values.mean()), 1e-9)), math.log(max(float(values.std()), 1e-6))]


def _normal_density(theta: Values, values: Values) -> Values:
    centre, spread = np.exp(theta)
    above = scipy("special").log_ndtr(centre / spread)
    return np.asarray(-theta[1] - HALF_LOG_TAU - 0.5 * ((values - centre) / spread) ** 2 - above)


def _normal_longer(theta: Values, values: Values) -> Values:
    centre, spread = np.exp(theta)
    log_ndtr = scipy("special").log_ndtr
    return np.asarray(log_ndtr((centre - values) / spread) - log_ndtr(centre / spread))


def _triangle(theta: Values, values: Values) -> tuple[float, float, float]:
    width = float(values.max() - values.min())
    low = max(float(values.min()) - width * math.exp(min(theta[0], 3.0)), 0.0)
    high = float(values.max()) + width * math.exp(min(theta[2], 3.0))
    return low, low + (high - low) / (1 + math.exp(-theta[1])), high


def _fit_triangular(values: Values, cut: Values) -> Candidate | None:
    """The triangle's bounds lie outside the data, so they are searched relative to the data."""

    def density(theta: Values, some: Values) -> Values:
        low, mode, high = _triangle(theta, values / values.mean())
        rising = np.log(np.maximum(some - low, 1e-300)) - math.log(max(mode - low, 1e-300))
        falling = np.log(np.maximum(high - some, 1e-300)) - math.log(max(high - mode, 1e-300))
        return np.asarray(math.log(2 / (high - low)) + np.where(some < mode, rising, falling))

    def longer(theta: Values, some: Values) -> Values:
        low, mode, high = _triangle(theta, values / values.mean())
        width = high - low
        below = np.clip(some - low, 0, None) ** 2 / (width * max(mode - low, 1e-300))
        above = np.clip(high - some, 0, None) ** 2 / (width * max(high - mode, 1e-300))
        return np.asarray(np.log(np.where(some < mode, 1 - below, above)))

    def make(theta: Values, some: Values) -> Distribution:
        return kinds.Triangular(*_triangle(theta, some))

    return _search(Family("Triangular", lambda _: [-3.0, 0.0, -3.0], density, longer, make, 3))(values, cut)


def _shift(theta: Values, least: float) -> float:
    return 0.95 * least / (1 + math.exp(-theta[2]))


def _fit_shifted(values: Values, cut: Values) -> Candidate | None:
    """A log-normal that begins late; the shift stays below 95 % of the shortest duration.

    Nearer to it the likelihood grows without bound (Hill, "The three-parameter lognormal distribution and
    Bayesian analysis of a point-source epidemic", 1963).
    """
    least = float(values.min() / values.mean())

    def density(theta: Values, some: Values) -> Values:
        return _log_normal_density(theta, some - _shift(theta, least))

    def longer(theta: Values, some: Values) -> Values:
        late = some - _shift(theta, least)
        return np.where(late > 0, _log_normal_longer(theta, np.maximum(late, 1e-12)), 0.0)

    def begin(some: Values) -> list[float]:
        return [*_begin_log_normal(some - 0.475 * least), 0.0]

    def make(theta: Values, some: Values) -> Distribution:
        return kinds.Shifted(_shift(theta, least), _make_log_normal(theta, some))

    return _search(Family("Shifted", begin, density, longer, make, 3))(values, cut)


def _mixed(theta: Values) -> tuple[float, Values, Values]:
    """The weight of the shorter part, and the parameters of both."""
    weight = 1 / (1 + math.exp(-theta[0]))
    return weight, theta[1:3], np.array([theta[1] + math.exp(theta[3]), theta[4]])


def _fit_mixture(values: Values, cut: Values) -> Candidate | None:
    """Two log-normals, such as builds that find their cache and builds that do not.

    Each part keeps a tenth of the durations and a tenth of the whole spread, because the likelihood grows without
    bound where a part shrinks to a single duration.
    """
    if len(values) < ENOUGH_FOR_TWO:
        return None
    logs = np.log(values / values.mean())
    least = math.log(0.1 * float(logs.std()))

    def log_sum(theta: Values, parts: Callable[[Values, Values], Values], some: Values) -> Values:
        weight, short, long = _mixed(theta)
        if not 0.1 <= weight <= 0.9 or min(short[1], long[1]) < least:
            return np.full(len(some), -np.inf)
        return np.asarray(np.logaddexp(math.log(weight) + parts(short, some), math.log(1 - weight) + parts(long, some)))

    def begin(_: Values) -> list[float]:
        ordered = np.sort(logs)
        cuts = range(len(ordered) // 8, len(ordered) - len(ordered) // 8)
        split = min(cuts, key=lambda at: ordered[:at].var() * at + ordered[at:].var() * (len(ordered) - at))
        short, long = ordered[:split], ordered[split:]
        share = min(max(split / len(ordered), 0.15), 0.85)
        gap = max(float(long.mean() - short.mean()), 1e-3)
        spreads = [max(math.log(max(float(part.std()), 1e-6)), least + 0.1) for part in (short, long)]
        return [math.log(share / (1 - share)), float(short.mean()), spreads[0], math.log(gap), spreads[1]]

    def make(theta: Values, some: Values) -> Distribution:
        weight, short, long = _mixed(theta)
        parts = (_make_log_normal(short, some), _make_log_normal(long, some))
        return kinds.Mixture((round(weight, 4), round(1 - weight, 4)), parts)

    family = Family(
        "Mixture",
        begin,
        lambda theta, some: log_sum(theta, _log_normal_density, some),
        lambda theta, some: log_sum(theta, _log_normal_longer, some),
        make,
        5,
    )
    return _search(family)(values, cut)


def _make_gamma(theta: Values, values: Values) -> Distribution:
    return kinds.Gamma(math.exp(theta[0]), math.exp(theta[1] - theta[0]))


def _make_weibull(theta: Values, values: Values) -> Distribution:
    return kinds.Weibull(math.exp(theta[0]), math.exp(theta[1]))


def _make_normal(theta: Values, values: Values) -> Distribution:
    return kinds.TruncatedNormal(math.exp(theta[0]), math.exp(theta[1]))


FAMILIES: dict[str, Callable[[Any, Any], Candidate | None]] = {
    "LogNormal": _search(
        Family("LogNormal", _begin_log_normal, _log_normal_density, _log_normal_longer, _make_log_normal, 2)
    ),
    "Gamma": _search(Family("Gamma", _begin_gamma, _gamma_density, _gamma_longer, _make_gamma, 2)),
    "Weibull": _search(Family("Weibull", _begin_weibull, _weibull_density, _weibull_longer, _make_weibull, 2)),
    "TruncatedNormal": _search(
        Family("TruncatedNormal", _begin_normal, _normal_density, _normal_longer, _make_normal, 2)
    ),
    "Exponential": _fit_exponential,
    "Uniform": _fit_uniform,
    "Triangular": _fit_triangular,
    "Shifted": _fit_shifted,
    "Mixture": _fit_mixture,
}
"""What a fit chooses from; a shift and a mixture are of log-normals."""
