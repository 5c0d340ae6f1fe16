import sys
from dataclasses import replace

import numpy as np
import pytest

import pipesim
from pipesim import (
    ActionAssumption,
    Approver,
    AssumptionError,
    Assumptions,
    Constant,
    Every,
    LogNormal,
    MissingDependency,
    Once,
    Poisson,
    Triangular,
    Uniform,
    WorkingHours,
)
from pipesim.assumptions.distributions import Bootstrap, Empirical, Gamma
from pipesim.engine import simulate
from pipesim.formats.load import load
from pipesim.formats.samples import sample, sample_profile
from pipesim.trace.history import history
from pipesim.trace.history_export import to_events, to_history
from pipesim.whatif.fit import fit
from pipesim.whatif.fit_actions import count_odds, fit_duration

pytest.importorskip("scipy")

SHOP = pipesim.load("GitHub -> CodeBuild -> Manual Approval -> S3")
OFFICE = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin")
TRUTH = Assumptions(
    arrivals=Poisson(2.0),
    actions={
        "CodeBuild": ActionAssumption(duration=LogNormal(300, 700), fails=0.15, fails_after=Uniform(20, 60)),
        "S3": ActionAssumption(duration=Gamma(4, 30), fails=0.02),
    },
    approvals={"*": Approver(LogNormal(600, 3000), rejects=0.1, hours=OFFICE)},
)


@pytest.fixture(scope="module")
def real():
    """A real history as the service tells it: waiting, superseding, failures, approvals in office hours."""
    return history(to_history(simulate(SHOP, TRUTH, seed=5, until=21 * 86_400)), pipeline=SHOP)


@pytest.fixture(scope="module")
def fitted(real):
    return fit(real, time_zone="Europe/Berlin", replications=6)


def found(fitted, key):
    return next(one for one in (*fitted.actions, *fitted.approvals) if one.key == key)


def test_durations_and_failures_are_recovered_through_the_service_s_own_words(fitted):
    build = found(fitted, "Build/CodeBuild")

    assert isinstance(build.assumption.duration, LogNormal)
    assert build.assumption.duration.median == pytest.approx(300, rel=0.05)
    assert build.assumption.duration.p95 == pytest.approx(700, rel=0.08)
    assert build.fails.low < 0.15 < build.fails.high
    assert build.fails_after.distribution.quantile(0.5) == pytest.approx(40, rel=0.1)
    assert found(fitted, "Deploy/S3").assumption.fails_after is None


def test_arrivals_and_approvers_are_recovered(fitted):
    approval = found(fitted, "Approval/ManualApproval")

    assert isinstance(fitted.assumptions.arrivals, Poisson)
    assert fitted.assumptions.arrivals.per_hour == pytest.approx(2.0, rel=0.06)
    assert approval.hours == OFFICE
    assert approval.response.distribution.quantile(0.5) == pytest.approx(600, rel=0.2)
    assert approval.rejects.low < 0.1 < approval.rejects.high


def test_held_back_history_lies_as_near_as_chance_lets_it(fitted):
    names = {one.what for one in fitted.compared}

    assert len(fitted.held_back) == int(0.3 * len(fitted.history.executions))
    assert {"lead time", "waiting at stage doors", "time between changes", "duration of Build/CodeBuild"} <= names
    assert sum(one.close for one in fitted.compared) >= len(fitted.compared) - 1
    lead = next(one for one in fitted.compared if one.what == "lead time")
    middle = len(lead.observed_quantiles) // 2
    assert lead.observed_quantiles[middle] == pytest.approx(lead.simulated_quantiles[middle], rel=0.35)


def test_assumptions_that_are_wrong_are_told_from_chance(real, fitted):
    from pipesim.whatif.fit_check import compare_with_simulation

    slow = replace(
        fitted.assumptions,
        actions={**fitted.assumptions.actions, "Build/CodeBuild": ActionAssumption(duration=LogNormal(450, 1000))},
    )

    compared = compare_with_simulation(
        real, fitted.held_back, SHOP, slow, used=len(fitted.used), replications=8, seed=0
    )

    assert "duration of Build/CodeBuild" in {one.what for one in compared if not one.close}


def test_running_and_abandoned_actions_count_as_cut_off():
    truth = Assumptions(
        arrivals=Every(600),
        actions={
            "CodeBuild": ActionAssumption(duration=LogNormal(300, 1500)),
            "GitHub": ActionAssumption(duration=Constant(1)),
        },
    )
    pipeline = replace(pipesim.load("GitHub -> CodeBuild -> S3"), execution_mode="PARALLEL", pipeline_type="V2")
    sim = pipesim.Simulation(pipeline, truth, seed=3, executions=300)
    rng = np.random.default_rng(1)
    for number in range(300):
        sim.advance(to=number * 600 + float(rng.uniform(20, 590)))
        execution = sim.executions.get(f"E{number + 1}")
        if number % 2 and execution is not None and execution.status == "InProgress":
            sim.send(pipesim.Stop(execution.id, abandon=True))
    told = history(to_history(sim.trace), pipeline=pipeline)

    build = found(fit(told, held_out=0), "Build/CodeBuild")
    careless = fit_duration(_complete(told))

    assert build.duration.censored > 40
    assert build.duration.distribution.quantile(0.5) == pytest.approx(300, rel=0.15)
    assert build.duration.distribution.quantile(0.95) == pytest.approx(1500, rel=0.3)
    assert careless.distribution.quantile(0.5) < 0.9 * build.duration.distribution.quantile(0.5)


def _complete(trace):
    return [
        span.duration
        for span in pipesim.spans(trace)
        if (span.level, span.action, span.status) == ("action", "CodeBuild", "Succeeded")
    ]


def test_the_course_s_profile_reproduces_its_own_history():
    pipeline = load(sample("e-commerce"))
    profile = pipesim.load_profile(sample_profile("e-commerce"))
    told = history(to_history(simulate(pipeline, profile, seed=3, executions=300)), pipeline=pipeline)

    again = fit(told, time_zone="Europe/Berlin", replications=8)

    assert again.assumptions.arrivals == Every(1200)
    for key, assumed in profile.actions.items():
        fitted = again.assumptions.actions[key]
        assert fitted.duration.mean == pytest.approx(assumed.duration.mean, rel=0.12), key
        late = 0.12 if found(again, key).duration.complete > 100 else 0.25
        assert fitted.duration.quantile(0.95) == pytest.approx(assumed.duration.quantile(0.95), rel=late), key
        odds = found(again, key).fails
        assert odds.low <= max(assumed.fails, 0.5 / 300 if assumed.fails_on else 0) <= odds.high, key
    assert (
        again.assumptions.approvals["Approval/Stakeholders"].hours == profile.approvals["Approval/Stakeholders"].hours
    )
    assert isinstance(again.assumptions.actions["Source/CodeCommit"].duration, Uniform)
    assert isinstance(again.assumptions.actions["LoadTest/BlazeMeter"].duration, Triangular)
    assert sum(one.close for one in again.compared) >= len(again.compared) - 3
    assert pipesim.load_profile(pipesim.to_toml(again.assumptions)) == again.assumptions


def test_events_of_whole_seconds_serve_as_well():
    trace = simulate(SHOP, TRUTH, seed=6, until=20 * 86_400)

    fitted = fit(history(to_events(trace)), held_out=0, time_zone="Europe/Berlin")

    assert fitted.assumptions.actions["Build/CodeBuild"].duration.quantile(0.5) == pytest.approx(300, rel=0.08)


def test_a_simulated_trace_with_pools_is_fitted_without_its_waiting():
    truth = replace(
        TRUTH, arrivals=Every(200), pools={"builds": pipesim.Pool(1)}, approvals={"*": Approver(Constant(10))}
    )
    pipeline = replace(SHOP, execution_mode="PARALLEL", pipeline_type="V2")
    trace = simulate(pipeline, truth, seed=2, executions=150)

    fitted = fit(trace, held_out=0)

    assert fitted.assumptions.pools == {"builds": pipesim.Pool(1)}
    assert fitted.assumptions.actions["Build/CodeBuild"].duration.quantile(0.5) == pytest.approx(300, rel=0.15)


# --- few data, bad data --------------------------------------------------------------------------


def test_few_durations_are_drawn_again():
    assert Empirical((60, 70, 80)) == fit_duration([70, 60, 80]).distribution
    weighted = fit_duration([60, 120], [90]).distribution
    assert isinstance(weighted, Bootstrap)
    assert weighted.mean == pytest.approx(100)
    assert fit_duration([], [90]).distribution is None


def test_odds_have_an_exact_interval():
    none = count_odds(0, 30)

    assert none.share == 0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 30))
    assert (count_odds(0, 0).low, count_odds(0, 0).high) == (0, 1)


def test_one_execution_is_answered():
    fitted = fit(to_history(simulate(SHOP, seed=1)), pipeline=SHOP)

    assert isinstance(fitted.assumptions.arrivals, Once)
    assert fitted.compared == ()
    assert any("too few to hold some back" in note for note in fitted.notes)
    assert any("Too few changes arrived" in note for note in fitted.notes)
    assert "Build/CodeBuild" in str(fitted)
    assert simulate(SHOP, fitted.assumptions, seed=1)[-1].kind == "ExecutionSucceeded"
    assert "none held back" in fitted.report().html


def test_an_action_that_never_ran_or_never_ended_keeps_the_catalog_s_duration():
    truth = Assumptions(approvals={"*": Approver()})
    fitted = fit(simulate(SHOP, truth, seed=1, until=86_400))

    assert "Deploy/S3" not in fitted.assumptions.actions
    assert fitted.assumptions.approvals == {}
    assert any("Never seen" in note and "Deploy/S3" in note for note in fitted.notes)
    assert any("Nobody answered" in note for note in fitted.notes)


def test_zero_variance_is_a_constant():
    truth = Assumptions(arrivals=Every(900), actions={"CodeBuild": ActionAssumption(duration=Constant(120))})

    fitted = fit(simulate(SHOP, truth, seed=1, executions=60), replications=2)

    assert fitted.assumptions.actions["Build/CodeBuild"].duration == Constant(120)
    assert next(one for one in fitted.compared if one.what == "duration of Build/CodeBuild").distance == 0
    assert "every observed" not in fitted.plot("duration of Build/CodeBuild").alt


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"held_out": 1.2}, "held_out=1.2 is not between"),
        ({"held_out": -0.1}, "held_out=-0.1 is not between"),
        ({"replications": 1}, "replications=1 is too few"),
        ({"time_zone": "Mars"}, "'Mars' is not a known time zone"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, words):
    with pytest.raises(AssumptionError, match=words):
        fit(simulate(SHOP, seed=1), **arguments)


def test_a_trace_without_executions_is_refused():
    with pytest.raises(AssumptionError, match="holds no execution"):
        fit(simulate(SHOP, Assumptions(arrivals=Once(at=100)), until=10))


def test_without_scipy_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.special", None)

    with pytest.raises(MissingDependency, match=r"pipesim\[fit\]"):
        fit(simulate(SHOP, seed=1))


# --- what people see -----------------------------------------------------------------------------


def test_the_text_the_table_and_the_page_say_the_same(fitted, tmp_path):
    text = str(fitted)
    frame = fitted.to_frame()
    page = fitted.report(tmp_path / "fit.html")

    assert "log-normal, median" in text
    assert "Mon-Fri 09:00-17:00 Europe/Berlin" in text
    assert "Simulated against held-back history" in text
    assert list(frame["action"]) == ["Source/GitHub", "Build/CodeBuild", "Deploy/S3", "Approval/ManualApproval"]
    assert frame.set_index("action").loc["Build/CodeBuild", "median"] == pytest.approx(300, rel=0.05)
    assert page.html == (tmp_path / "fit.html").read_text(encoding="utf-8")
    assert page.html.count("data:image/svg+xml;base64,") >= 4
    assert not [
        word for word in ("http://", "https://", "<script") if word in page.html.replace("http://www.w3.org", "")
    ]


def test_a_measure_that_was_not_compared_is_refused(fitted):
    with pytest.raises(AssumptionError, match="'lead tmie' was not compared"):
        fitted.plot("lead tmie")
