"""Comparisons under the same luck, sweeps, sensitivity, selection, the report."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

from pipesim import edit
from pipesim.assumptions.arrivals import Every
from pipesim.assumptions.distributions import Constant
from pipesim.errors import AssumptionError
from pipesim.whatif.best import best
from pipesim.whatif.compare import compare
from pipesim.whatif.pictures import charts
from pipesim.whatif.replicate import replicate
from pipesim.whatif.report import report
from pipesim.whatif.sensitivity import all_factors, sensitivity
from pipesim.whatif.sweep import sweep
from pipesim.whatif.units import difference_text
from tests.whatif.models import shop, small

SHORT = {"executions": 40, "seed": 3}
FOUND = compare(
    small(), {"fast": "Build/CodeBuild*0.5", "same": "mode=SUPERSEDED", "queue": "mode=QUEUED"}, n=30, **SHORT
)


def test_pairs_share_their_luck() -> None:
    alone = replicate(edit.parse_change("Build/CodeBuild*0.5")(small()), n=30, **SHORT)

    np.testing.assert_array_equal(FOUND.variants["fast"].sample("lead_time"), alone.sample("lead_time"))
    assert FOUND.gain_from_pairing("fast") > 1


def test_a_change_that_changes_nothing_makes_no_difference() -> None:
    difference = FOUND.difference("same", "lead_time")

    assert (difference.low, difference.estimate, difference.high) == (0, 0, 0)
    assert "the same" in str(FOUND)


def test_the_interval_of_the_difference_is_that_of_the_pairs() -> None:
    pairs = FOUND.variants["fast"].sample("lead_time") - FOUND.baseline.sample("lead_time")
    difference = FOUND.difference("fast", "lead_time")

    assert difference.estimate == pytest.approx(pairs.mean())
    assert difference.half_width == pytest.approx(2.045229642 * pairs.std(ddof=1) / math.sqrt(30))
    together = FOUND.difference("fast", "lead_time", simultaneous=True)
    assert together.half_width > difference.half_width


def test_tables_name_units() -> None:
    table = FOUND.table(["lead_time", "cost.total"])

    assert set(table["unit"]) == {"s", "USD"}
    assert len(FOUND.to_frame()) == 4 * 30


def test_an_unstable_variant_leaves_the_others_alone() -> None:
    found = compare(small("SUPERSEDED", Every(60)), ["mode=QUEUED", "Build/CodeBuild*0.9"], n=5, executions=20)

    assert math.isnan(found.difference("mode=QUEUED", "lead_time").estimate)
    assert not math.isnan(found.difference("Build/CodeBuild*0.9", "lead_time").estimate)
    assert "unstable" in str(found)


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ([], "nothing to compare"),
        (["Build/CodeBuild*2", "Build/CodeBuild*2"], "two scenarios are called"),
        ({"baseline": "mode=QUEUED"}, "two scenarios are called"),
        (["biulds=3"], "no action uses a pool"),
    ],
)
def test_variants_that_make_no_sense(variants: object, message: str) -> None:
    with pytest.raises(AssumptionError, match=message):
        compare(small(), variants, n=2, executions=2)  # type: ignore[arg-type]


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(AssumptionError, match="'fast', 'same', 'queue'"):
        FOUND.difference("slow")


def test_a_sweep_of_one_knob_and_of_two() -> None:
    one = sweep(small(), "Build/CodeBuild *", [0.5, 1, 2], n=10, **SHORT)
    means = [interval.estimate for interval in one.intervals().values()]
    two = sweep(small(), edit.scale_arrivals, [0.5, 1], "mode", ["QUEUED", "PARALLEL"], n=5, **SHORT)

    assert means == sorted(means)
    assert (
        one.points[(1,)].interval("lead_time").estimate
        == replicate(small(), n=10, **SHORT).interval("lead_time").estimate
    )
    assert two.grid().shape == (2, 2)
    assert two.knobs == ("scale_arrivals", "mode")
    assert len(two.table(["lead_time"])) == 4
    with pytest.raises(AssumptionError, match="two knobs"):
        one.grid()
    with pytest.raises(AssumptionError, match="at least one value"):
        sweep(small(), "mode", [])


def test_the_build_matters_most_to_the_line() -> None:
    found = sensitivity(small(), n=15, **SHORT)

    assert found.swings[0].factor.name == "duration of Build/CodeBuild"
    assert found.swings[0].low.high < 0 < found.swings[0].high.low
    assert [swing.size for swing in found.swings] == sorted((s.size for s in found.swings), reverse=True)


def test_sensitivity_knows_everything_that_is_assumed() -> None:
    names = [factor.name for factor in all_factors(shop())]

    assert {"arrivals", "places of builds", "answer of Approval/Stakeholders", "failures of Approval/Stakeholders"} < {
        *names
    }
    assert sum(name.startswith("duration of") for name in names) == 13
    for factor in all_factors(shop()):
        assert factor.low(shop()).assumptions != factor.high(shop()).assumptions
    with pytest.raises(AssumptionError, match="between 0 and 1"):
        sensitivity(small(), span=2)


def test_the_best_is_chosen_with_a_stated_error() -> None:
    found = best(small(), ["Build/CodeBuild*0.8", "Build/CodeBuild*1.2", "mode=PARALLEL"], **SHORT)

    assert found.name == "Build/CodeBuild*0.8" or found.name == "mode=PARALLEL"
    assert found.decided
    assert "5% at most" in str(found)
    assert "Kim and Nelson" in str(found)
    assert len(found.dropped) == 3


def test_equal_variants_run_out_of_replications_or_choose_one() -> None:
    twins = best(small(), {"twin": "mode=SUPERSEDED"}, at_most=30, indifference=0.5, **SHORT)

    assert not twins.decided
    assert "not decided" in str(twins)


def test_selection_is_right_as_often_as_it_says() -> None:
    """Two means that differ by the indifference zone: the better one is chosen in 95 of 100 races at least."""
    from pipesim.whatif.best import _Race

    rng = np.random.default_rng(8)
    right = 0
    for _ in range(400):
        luck = rng.normal(0, 1, 4000)
        samples = {
            "good": 10 + luck + rng.normal(0, 1, 4000),
            "bad": 10.5 + luck + rng.normal(0, 1, 4000),
            "worse": 11 + luck + rng.normal(0, 1, 4000),
        }
        race = _Race(["good", "bad", "worse"], 20, 0.05, 0.5, 1.0)
        race.judge(samples)
        right += race.alive == ["good"]
    assert right >= 0.95 * 400 - 2 * math.sqrt(400 * 0.95 * 0.05)


def test_no_variant_with_a_steady_state() -> None:
    with pytest.raises(AssumptionError, match="none can be chosen: unstable"):
        best(small("QUEUED", Every(60)), ["Build/CodeBuild*1.1"], executions=20)


def test_the_report_opens_without_a_network(tmp_path: Path) -> None:
    page = report(FOUND, tmp_path / "whatif.html")
    text = (tmp_path / "whatif.html").read_text(encoding="utf-8")

    assert text == page.html
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", text)
    assert text.count('<img class="light"') == text.count('<img class="dark"') >= 4
    for word in ("seed", "pipesim", "prices", "Assumptions of fast", "median", "Student"):
        assert word in text


@pytest.mark.parametrize(
    "make",
    [
        lambda: replicate(small(), n=6, days=0.5),
        lambda: sweep(small(), "Build/CodeBuild *", [0.5, 1], n=4, executions=10),
        lambda: sweep(small(), "Build/CodeBuild *", [0.5, 1], "arrivals *", [1, 2], n=4, executions=10),
        lambda: sensitivity(small(), n=4, executions=10),
        lambda: best(small(), ["Build/CodeBuild*0.5"], executions=10),
    ],
    ids=["replicate", "sweep", "sweep of two", "sensitivity", "best"],
)
def test_every_result_has_charts_a_frame_and_a_report(make: object) -> None:
    result = make()  # type: ignore[operator]

    assert charts(result)
    assert len(result.to_frame())
    page = result.report().html
    assert page.endswith("</html>\n")
    numbers = page.partition("<h2>Numbers</h2>")[2].partition("<h2>")[0]
    assert "<table>" in numbers
    assert (" *<" in numbers) == ("few replications" in numbers)


def test_no_difference_has_no_sign_and_is_no_luck() -> None:
    found = compare(small(), {"nothing": "builds=900"}, n=6, executions=10)
    page = found.report().html

    assert "may be luck" not in page + str(found)
    assert "the same</td>" in page
    assert [difference_text("working", -0.01), difference_text("working", 0.01)] == ["0 s", "0 s"]


def test_an_unstable_scenario_still_has_a_report() -> None:
    found = replicate(small("QUEUED", Every(60), build=Constant(300)), n=3, executions=20)

    assert "unstable" in found.report().html
