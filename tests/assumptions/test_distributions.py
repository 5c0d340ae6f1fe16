import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Shifted,
    Triangular,
    TruncatedNormal,
    Uniform,
    Weibull,
)
from pipesim.errors import AssumptionError

from . import strategies

SIZE = 200_000
SIGMA = math.log(660 / 360) / 1.6448536269514722
FORMULAS = [
    (Constant(480), 480, 0),
    (Uniform(60, 180), 120, 120 / math.sqrt(12)),
    (Triangular(60, 90, 240), 130, math.sqrt((60**2 + 90**2 + 240**2 - 60 * 90 - 60 * 240 - 90 * 240) / 18)),
    (
        LogNormal(360, 660),
        360 * math.exp(SIGMA**2 / 2),
        360 * math.exp(SIGMA**2 / 2) * math.sqrt(math.exp(SIGMA**2) - 1),
    ),
    (Exponential(300), 300, 300),
    (Empirical((60, 60, 120, 240)), 120, math.sqrt((2 * 60**2 + 0 + 120**2) / 4)),
    (Pert(60, 90, 240), 110, math.sqrt((110 - 60) * (240 - 110) / 7)),
    (Weibull(2, 100), 100 * math.sqrt(math.pi) / 2, 100 * math.sqrt(1 - math.pi / 4)),
    (Gamma(4, 60), 240, 120),
    (Bootstrap((60, 60, 120, 240)), 120, math.sqrt((2 * 60**2 + 0 + 120**2) / 4)),
    (Bootstrap((60, 120), (3, 1)), 75, math.sqrt(0.75 * 0.25) * 60),
    (TruncatedNormal(0, 100), 100 * math.sqrt(2 / math.pi), 100 * math.sqrt(1 - 2 / math.pi)),
    (Shifted(60, Exponential(300)), 360, 300),
    (Mixture((3, 1), (Constant(100), Constant(200))), 125, math.sqrt(0.75 * 0.25) * 100),
]
NAMES = [f"{type(row[0]).__name__}{place}" for place, row in enumerate(FORMULAS)]


def sample(distribution: Distribution, size: int = SIZE) -> np.ndarray:
    return distribution.sample(np.random.default_rng(20260302), size)


@pytest.mark.parametrize(("distribution", "mean", "deviation"), FORMULAS, ids=NAMES)
def test_moments_follow_the_formulas(distribution, mean, deviation):
    samples = sample(distribution)

    assert mean == pytest.approx(distribution.mean, rel=1e-9)
    assert samples.mean() == pytest.approx(mean, abs=5 * deviation / math.sqrt(SIZE) + 1e-9)
    assert samples.std() == pytest.approx(deviation, rel=0.03, abs=1e-9)


@pytest.mark.parametrize(("distribution", "mean", "deviation"), FORMULAS, ids=NAMES)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_quantiles_agree_with_samples(distribution, mean, deviation, share):
    samples = sample(distribution)
    quantile = distribution.quantile(share)

    error = 5 * math.sqrt(share * (1 - share) / SIZE)
    assert (samples <= quantile + 0.001).mean() >= share - error
    assert (samples < quantile - 0.001).mean() <= share + error


def test_a_log_normal_goes_through_its_median_and_95th_percentile():
    builds = LogNormal(median=360, p95=660)

    assert builds.quantile(0.5) == pytest.approx(360)
    assert builds.quantile(0.95) == pytest.approx(660)


def test_a_log_normal_without_spread_is_constant():
    assert {360.0} == set(sample(LogNormal(360, 360), 100))


@pytest.mark.parametrize("shape", [0.3, 1.0, 4.0, 200.0, 5000.0])
def test_quantiles_of_the_gamma_distribution_agree_with_scipy(shape):
    stats = pytest.importorskip("scipy.stats")

    for share in (0.001, 0.1, 0.5, 0.95, 0.9999):
        assert Gamma(shape, 2).quantile(share) == pytest.approx(stats.gamma.ppf(share, shape, scale=2), rel=1e-8)


def test_a_bootstrap_never_draws_what_weighs_nothing():
    drawn = Bootstrap((60, 90, 120), (1, 3, 0)).sample(np.random.default_rng(1), 20_000)

    assert {60.0, 90.0} == set(drawn)
    assert (drawn == 90).mean() == pytest.approx(0.75, abs=0.02)
    assert Bootstrap((60, 90, 120), (1, 3, 0)).quantile(1.0) == 90


def test_a_mixture_finds_the_quantile_between_its_parts():
    cache = Mixture((0.8, 0.2), (Uniform(0, 10), Uniform(100, 200)))

    assert cache.quantile(0.4) == pytest.approx(5)
    assert cache.quantile(0.9) == pytest.approx(150)
    assert cache.quantile(1.0) == pytest.approx(200)


@given(strategies.distributions, st.integers(0, 1000))
@settings(max_examples=150, deadline=None)
def test_samples_are_never_negative_and_whole_milliseconds(distribution, seed):
    samples = distribution.sample(np.random.default_rng(seed), 50)

    assert samples.shape == (50,)
    assert samples.dtype == np.float64
    assert (samples >= 0).all()
    assert (samples == np.round(samples, 3)).all()


@given(strategies.simple_distributions, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_quantiles_never_decrease(distribution, one, other):
    low, high = sorted((one, other))

    assert distribution.quantile(low) <= distribution.quantile(high) * (1 + 1e-12)


@given(strategies.distributions)
@settings(deadline=None)
def test_distributions_are_values(distribution):
    assert isinstance(distribution, Distribution)
    assert distribution == pickle.loads(pickle.dumps(distribution))
    assert hash(distribution) == hash(pickle.loads(pickle.dumps(distribution)))


def test_more_of_the_same_luck_is_longer():
    shorter, longer = sample(LogNormal(300, 600), 1000), sample(LogNormal(360, 720), 1000)

    assert (longer > shorter).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Constant(-1), "value: -1 s is negative"),
        (lambda: Constant(math.nan), "value: nan is not a finite number"),
        (lambda: Constant(math.inf), "value: inf is not a finite number"),
        (lambda: Constant("8m"), "value: '8m' is not a number"),
        (lambda: Constant(True), "value: True is not a number"),
        (lambda: Constant(None), "value: None is not a number"),
        (lambda: Constant(1e10), "value: 1e+10 s is longer than 100 years"),
        (lambda: Uniform(2, 1), "low: 2 s is more than high, 1 s"),
        (lambda: Triangular(1, 3, 2), "mode: 3 s is more than high, 2 s"),
        (lambda: Triangular(2, 1, 3), "low: 2 s is more than mode, 1 s"),
        (lambda: Pert(2, 1, 3), "low: 2 s is more than mode, 1 s"),
        (lambda: LogNormal(0, 1), "median: 0 s"),
        (lambda: LogNormal(2, 1), "p95: 1 s is less than the median, 2 s"),
        (lambda: Exponential(0), "mean: 0 s"),
        (lambda: Empirical(()), "values: the list is empty"),
        (lambda: Empirical((1, -1)), "values: -1 s is negative"),
        (lambda: Empirical("abc"), "values: 'abc' is not a list"),
        (lambda: Weibull(0, 1), "shape: 0 is not between"),
        (lambda: Gamma(0, 1), "shape: 0 is not between"),
        (lambda: Gamma(2, 0), "scale: 0 s"),
        (lambda: Bootstrap(()), "values: the list is empty"),
        (lambda: Bootstrap("abc"), "values: 'abc' is not a list"),
        (lambda: Bootstrap((1, 2), (1,)), "weights: 1 weights for 2 values"),
        (lambda: Bootstrap((1, 2), (0, 0)), "weights: [0.0, 0.0]"),
        (lambda: TruncatedNormal(1, 0), "spread: 0 s"),
        (lambda: Shifted(1, 2), "rest: 2 is not a distribution"),
        (lambda: Mixture((), ()), "weights: 0 weights"),
        (lambda: Mixture((1,), (Constant(1), Constant(2))), "weights: 1 weights for 2 parts"),
        (lambda: Mixture((-1, 2), (Constant(1), Constant(2))), "weights: [-1.0, 2.0]"),
        (lambda: Uniform(1, 2).quantile(2), "p: 2 is not between 0 and 1"),
    ],
)
def test_a_distribution_that_makes_no_sense_is_refused(make, words):
    with pytest.raises(AssumptionError) as caught:
        make()

    assert str(caught.value).startswith(words)
