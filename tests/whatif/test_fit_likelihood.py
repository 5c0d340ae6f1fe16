import math

import numpy as np
import pytest

from pipesim import AssumptionError, Constant, Exponential, LogNormal, Triangular, Uniform
from pipesim.assumptions.distributions import Gamma, Mixture, Shifted, TruncatedNormal, Weibull
from pipesim.whatif.likelihood import FAMILIES, fit_distributions

pytest.importorskip("scipy")

KNOWN = [
    (LogNormal(360, 660), {"median": 0.05, "p95": 0.08}),
    (Gamma(4, 60), {"shape": 0.15, "scale": 0.15}),
    (Weibull(1.7, 300), {"shape": 0.1, "scale": 0.08}),
    (TruncatedNormal(300, 80), {"centre": 0.03, "spread": 0.1}),
    (Exponential(200), {"mean": 0.1}),
    (Uniform(300, 800), {"low": 0.02, "high": 0.02}),
    (Triangular(900, 1200, 1800), {"low": 0.05, "mode": 0.08, "high": 0.05}),
]
NAMES = [type(known).__name__ for known, _ in KNOWN]


def drawn(distribution, size=1200, seed=7):
    return distribution.sample(np.random.default_rng(seed), size)


def cut(values, distribution, seed=8):
    """Cut durations off at random moments; about a third does not end."""
    limits = np.random.default_rng(seed).exponential(2.5 * distribution.mean, len(values))
    ended = values <= limits
    return values[ended], limits[~ended]


def fitted(name, complete, censored=()):
    return fit_distributions(complete, censored, families=[name])[0].distribution


@pytest.mark.parametrize(("known", "within"), KNOWN, ids=NAMES)
def test_known_parameters_are_recovered(known, within):
    found = fitted(type(known).__name__, drawn(known))

    for member, share in within.items():
        assert getattr(known, member) == pytest.approx(getattr(found, member), rel=share)


@pytest.mark.parametrize(("known", "within"), KNOWN, ids=NAMES)
def test_known_parameters_are_recovered_although_a_third_was_cut_off(known, within):
    complete, censored = cut(drawn(known), known)

    found = fitted(type(known).__name__, complete, censored)

    assert len(censored) > 0.2 * len(complete)
    for member, share in within.items():
        assert getattr(known, member) == pytest.approx(getattr(found, member), rel=1.6 * share)
    assert found.mean == pytest.approx(known.mean, rel=0.06)


@pytest.mark.parametrize("name", ["LogNormal", "Exponential", "Weibull", "Gamma"])
def test_leaving_out_what_was_cut_off_would_be_too_short(name):
    known = next(one for one, _ in KNOWN if type(one).__name__ == name)
    complete, censored = cut(drawn(known), known)

    assert fitted(name, complete).mean < 0.97 * fitted(name, complete, censored).mean


@pytest.mark.parametrize(
    "known", [one for one, _ in KNOWN if type(one) is not TruncatedNormal], ids=lambda one: type(one).__name__
)
def test_the_family_is_found_by_aic(known):
    candidates = fit_distributions(drawn(known))

    simple = [one.aic for one in candidates if one.name != "Mixture"]
    assert simple == sorted(simple)
    near = [one.name for one in candidates if one.aic <= candidates[0].aic + 2]
    assert type(known).__name__ in near


def test_a_build_that_begins_late_is_recognised():
    known = Shifted(120, LogNormal(60, 200))
    best = fit_distributions(drawn(known))[0]

    assert best.name == "Shifted"
    assert best.distribution.by == pytest.approx(120, rel=0.05)
    assert best.distribution.rest.median == pytest.approx(60, rel=0.1)


@pytest.mark.parametrize("cut_off", [False, True])
def test_warm_and_cold_caches_are_told_apart(cut_off):
    known = Mixture((0.7, 0.3), (LogNormal(200, 300), LogNormal(600, 800)))
    values = drawn(known, 600)
    complete, censored = cut(values, known) if cut_off else (values, [])

    best = fit_distributions(complete, censored)[0]

    assert best.name == "Mixture"
    assert best.distribution.weights[0] == pytest.approx(0.7, abs=0.06)
    assert best.distribution.parts[0].median == pytest.approx(200, rel=0.05)
    assert best.distribution.parts[1].median == pytest.approx(600, rel=0.08)


def test_two_kinds_are_not_seen_where_there_is_one():
    assert all(fit_distributions(drawn(LogNormal(360, 660), 150, seed))[0].name != "Mixture" for seed in range(8))


@pytest.mark.parametrize("ended", [1.0, 0.6])
def test_likelihoods_agree_with_scipy(ended):
    stats = pytest.importorskip("scipy.stats")
    values = drawn(LogNormal(360, 660), 300)
    limits = np.quantile(values, ended) if ended < 1 else math.inf
    complete, censored = values[values <= limits], np.minimum(values[values > limits], limits)
    data = stats.CensoredData(uncensored=complete, right=censored)

    shape, _, scale = stats.lognorm.fit(data, floc=0)
    weibull, _, weibull_scale = stats.weibull_min.fit(data, floc=0)
    log_normal = fit_distributions(complete, censored, families=["LogNormal"])[0]
    found = fitted("Weibull", complete, censored)

    assert log_normal.distribution.median == pytest.approx(scale, rel=1e-3)
    assert log_normal.distribution.sigma == pytest.approx(shape, rel=1e-3)
    assert found.shape == pytest.approx(weibull, rel=1e-3)
    assert found.scale == pytest.approx(weibull_scale, rel=1e-3)
    likelihood = (
        stats.lognorm.logpdf(complete, shape, 0, scale).sum() + stats.lognorm.logsf(censored, shape, 0, scale).sum()
    )
    assert log_normal.log_likelihood == pytest.approx(likelihood, abs=0.01)


def test_equal_durations_are_a_constant():
    best = fit_distributions([300.0, 300.0, 300.0])[0]

    assert best.distribution == Constant(300)
    assert math.isinf(best.log_likelihood)


def test_durations_rounded_to_zero_do_not_break_a_fit():
    candidates = fit_distributions([0.0, 0.0, 1.0, 2.0, 5.0, 9.0])

    assert len(candidates) >= 5
    assert all(math.isfinite(one.aic) for one in candidates)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([],), "0 complete durations are too few"),
        (([60.0],), "1 complete durations are too few"),
        (([60.0, -1.0],), "none negative"),
        (([60.0, math.nan],), "finite numbers"),
        (([60.0, 70.0], [-3.0]), "none negative"),
        (([60.0, 70.0], [], ["Cauchy"]), "'Cauchy' is no family; choose from LogNormal"),
    ],
)
def test_durations_that_make_no_sense_are_refused(arguments, words):
    with pytest.raises(AssumptionError) as caught:
        fit_distributions(*arguments)

    assert words in str(caught.value)


def test_every_family_is_fitted_to_ordinary_durations():
    assert set(FAMILIES) == {one.name for one in fit_distributions(drawn(LogNormal(360, 660), 90))}
