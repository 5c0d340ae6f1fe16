import numpy as np
import pytest

from pipesim import Constant, Empirical, Exponential, LogNormal, Triangular, Uniform
from pipesim.assumptions.distributions import Bootstrap, Gamma, Mixture, Pert, Shifted, TruncatedNormal, Weibull
from pipesim.whatif.goodness import anderson_darling, cumulative, goodness, kaplan_meier, wasserstein

stats = pytest.importorskip("scipy.stats")

EVERY = [
    Uniform(60, 180),
    Triangular(60, 90, 240),
    LogNormal(360, 660),
    Exponential(300),
    Gamma(4, 60),
    Weibull(1.7, 300),
    TruncatedNormal(100, 80),
    Shifted(60, Exponential(300)),
    Mixture((3, 1), (Uniform(0, 10), Uniform(100, 200))),
    Pert(60, 90, 240),
]


@pytest.mark.parametrize("distribution", EVERY, ids=lambda one: type(one).__name__)
def test_the_distribution_function_undoes_the_quantiles(distribution):
    for share in (0.02, 0.3, 0.5, 0.74, 0.99):
        assert cumulative(distribution, [distribution.quantile(share)])[0] == pytest.approx(share, abs=1e-3)
    assert cumulative(distribution, [-1.0])[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (Constant(60), [0, 1, 1]),
        (Empirical((30, 60, 60, 120)), [0.25, 0.75, 1]),
        (Bootstrap((120, 60), (1, 3)), [0, 0.75, 1]),
    ],
)
def test_the_distribution_function_of_single_values_is_a_staircase(distribution, expected):
    assert expected == cumulative(distribution, [30, 60, 120]).tolist()


def test_distances_agree_with_scipy():
    values = LogNormal(360, 660).sample(np.random.default_rng(3), 80)
    found = goodness(LogNormal(400, 700), values, independent=True)
    theirs = stats.kstest(values, lambda x: cumulative(LogNormal(400, 700), x))

    assert found.kolmogorov_smirnov == pytest.approx(theirs.statistic, abs=1e-9)
    assert found.p == pytest.approx(theirs.pvalue, rel=0.02)
    logs = np.log(values)
    fitted = LogNormal(float(np.exp(logs.mean())), float(np.exp(logs.mean() + 1.6448536269514722 * logs.std(ddof=1))))
    theirs = stats.goodness_of_fit(stats.norm, logs, statistic="ad", n_mc_samples=9)
    assert anderson_darling(fitted, values) == pytest.approx(theirs.statistic, abs=1e-4)


def test_a_wrong_distribution_is_further_away():
    values = LogNormal(360, 900).sample(np.random.default_rng(3), 200)
    right, wrong = goodness(LogNormal(360, 900), values), goodness(Exponential(450), values)

    assert right.kolmogorov_smirnov < 0.5 * wrong.kolmogorov_smirnov
    assert right.anderson_darling < 0.2 * wrong.anderson_darling
    assert goodness(Exponential(450), values, independent=True).p < 0.001
    assert right.p is None


def test_durations_that_were_cut_off_do_not_make_a_true_distribution_look_wrong():
    true = LogNormal(360, 900)
    rng = np.random.default_rng(4)
    values, limits = true.sample(rng, 400), rng.exponential(700, 400)
    ended = values <= limits

    with_all = goodness(true, values[ended], limits[~ended])
    without = goodness(true, values[ended])

    assert with_all.kolmogorov_smirnov < 0.08 < without.kolmogorov_smirnov
    assert with_all.anderson_darling is None


def test_kaplan_meier_agrees_with_scipy_and_gives_the_rest_to_the_longest():
    rng = np.random.default_rng(5)
    values, limits = rng.exponential(300, 60).round(), rng.exponential(300, 60).round()
    ended = values <= limits
    data = stats.CensoredData(uncensored=values[ended], right=limits[~ended])
    theirs = stats.ecdf(data).cdf

    times, shares = kaplan_meier(values[ended], limits[~ended])
    _, closed = kaplan_meier([60.0], [90.0])

    assert shares.sum() == pytest.approx(1)
    for time in np.unique(values[ended]):
        assert shares[times <= time].sum() == pytest.approx(float(theirs.evaluate(time)), abs=1e-9)
    assert closed.tolist() == [0.5, 0.5]


def test_the_wasserstein_distance_is_in_seconds():
    assert wasserstein([10.0, 20.0, 30.0], [15.0, 25.0, 35.0]) == pytest.approx(5)
    assert wasserstein([10.0], [10.0, 40.0]) == pytest.approx(15)
