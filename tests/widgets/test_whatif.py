"""The knobs as a Python object: no browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

import pipesim
from pipesim.assumptions.arrivals import At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import LogNormal
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Pool
from pipesim.errors import AssumptionError
from pipesim.whatif.scenario import Scenario
from pipesim.widgets import WhatIf
from pipesim.widgets.assets import module
from pipesim.widgets.forecast import BARS, PARTS, forecast
from pipesim.widgets.knobs import changes_a_day, find_knob, knobs_of

SMALL = Assumptions(
    arrivals=Poisson(2.0),
    actions={"CodeBuild": ActionAssumption(LogNormal(600.0, 1200.0), fails=0.1)},
    approvals={"*": Approver(LogNormal(900.0, 3600.0), hours=WorkingHours(time_zone="Europe/Berlin"))},
)


def pipeline() -> pipesim.Pipeline:
    return replace(pipesim.load("GitHub -> CodeBuild -> Manual Approval -> S3"), pipeline_type="V2")


def small(**members: Any) -> WhatIf:
    return WhatIf(pipeline(), SMALL, **{"n": 40, "executions": 12, **members})


def conditional(**members: Any) -> WhatIf:
    """A scenario that only the engine can run."""
    one = pipesim.load(pipesim.sample("conditions"))
    return WhatIf(one, Assumptions(arrivals=Every(1200.0)), **{"n_slow": 12, "executions": 5, **members})


def numbers(code: str) -> Any:
    """What the copied code gives."""
    room: dict[str, Any] = {}
    exec(code, room)  # the text is what people are told to run
    return room["result"]


TURNED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "mode": {"mode": "QUEUED"},
    "arrivals": {"arrivals": 96.0},
    "pool": {"pool builds": 1},
    "duration": {"duration Build/CodeBuild": 95.5},
    "fails": {"fails Build/CodeBuild": 0.4},
    "approver": {"answer Approval/ManualApproval": 60.0, "rejects Approval/ManualApproval": 0.5},
    "hours": {"hours Approval/ManualApproval": "Wed 09:00-12:00"},
    "round the clock": {"hours Approval/ManualApproval": None},
    "all": {"mode": "PARALLEL", "arrivals": 4.0, "fails Build/CodeBuild": 0.0, "duration Deploy/S3": 1.0},
}


@pytest.mark.parametrize("turned", TURNED.values(), ids=list(TURNED))
def test_the_code_gives_the_same_numbers(turned: dict[str, Any]):
    whatif = small(settings=turned)
    names = {stage.name for stage in pipeline().stages}
    assert {name.partition(" ")[2].partition("/")[0] for name in turned if "/" in name} <= names

    again, here = numbers(whatif.code), whatif.result

    assert again.n == here.n
    assert list(again.samples) == list(here.samples)
    for measure in here.samples:
        assert np.array_equal(again.sample(measure), here.sample(measure), equal_nan=True), measure


def test_the_profile_is_the_present_assumptions():
    whatif = small(settings={"mode": "QUEUED", "pool builds": 3, "fails Build/CodeBuild": 0.25})

    assert whatif.toml.startswith("# execution mode of the pipeline: QUEUED\n")
    assert pipesim.load_profile(whatif.toml) == whatif.scenario.assumptions
    assert whatif.scenario.assumptions.pools["builds"].capacity == 3
    assert whatif.scenario.pipeline.execution_mode == "QUEUED"
    whatif.reset()
    assert not whatif.toml.startswith("#")


def test_holidays_outlive_other_hours():
    hours = WorkingHours(holidays=(date(2026, 3, 3),))
    whatif = WhatIf(pipeline(), replace(SMALL, approvals={"*": Approver(LogNormal(900.0, 3600.0), hours=hours)}), n=10)
    whatif.turn("hours Approval/ManualApproval", "Mon-Sun 09:00-17:00")

    found = whatif.scenario.assumptions.approvals["Approval/ManualApproval"].hours
    assert found is not None
    assert (found.text, found.holidays) == ("Mon-Sun 09:00-17:00", (date(2026, 3, 3),))
    assert np.array_equal(numbers(whatif.code).sample("lead_time"), whatif.result.sample("lead_time"), equal_nan=True)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"pool bilds": 2}, "did you mean"),
        ({"mode": "QUICK"}, "no execution mode"),
        ({"pool builds": 0}, "1 or more"),
        ({"pool builds": 1.5}, "number of places"),
        ({"fails Build/CodeBuild": 1.5}, "0 to 1"),
        ({"duration Build/CodeBuild": -1}, "above 0"),
        ({"duration Build/CodeBuild": float("nan")}, "not a number"),
        ({"duration Build/CodeBuild": None}, "not a number"),
        ({"arrivals": "many"}, "not a number"),
        ({"hours Approval/ManualApproval": "when I like"}, "not understood"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], match: str):
    whatif = small()
    before = whatif.view["took"]
    with pytest.raises(traitlets.TraitError, match=match):
        whatif.settings = settings
    assert whatif.settings == {}
    assert whatif.view["took"] == before


def test_a_knob_where_it_was_is_no_setting():
    whatif = small()
    start = whatif.knob("duration Build/CodeBuild").start
    whatif.settings = {"duration Build/CodeBuild": start, "mode": str(pipeline().execution_mode)}
    assert whatif.settings == {}


def test_a_star_in_the_table_is_explained_below_it():
    few, plain = small(n=12).view["table"], WhatIf(pipesim.load("GitHub -> CodeBuild -> S3"), n=12).view["table"]
    assert [any(text.endswith(" *") for row in one["rows"] for text in row) for one in (few, plain)] == [True, False]
    assert few["note"].startswith("* few replications")
    assert plain["note"] == ""


def test_the_baseline_is_compared_pair_by_pair():
    whatif = small()
    with pytest.raises(AssumptionError, match="nothing is pinned"):
        _ = whatif.comparison
    whatif.pin()
    whatif.turn("duration Build/CodeBuild", 1800.0)

    expected = pipesim.compare(
        Scenario(pipeline(), SMALL), {"now": pipesim.edit.duration("Build/CodeBuild", 1800.0)}, n=40, executions=12
    )
    assert whatif.comparison.difference("now") == expected.difference("now")
    assert whatif.view["table"]["head"][1:4] == ("Baseline", "Now", "Difference")
    lead = whatif.view["table"]["rows"][0]
    assert lead[3].startswith("+")
    assert set(whatif.view["bars"]["series"]) == {"now", "baseline"}
    whatif.unpin()
    assert set(whatif.view["bars"]["series"]) == {"now"}


def test_bars_waits_and_costs_are_the_replications():
    whatif = small(settings={"pool builds": 1})
    result, view = whatif.result, whatif.view
    shares = view["bars"]["series"]["now"]["shares"]
    assert len(shares) == BARS
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    lead = result.sample("lead_time")
    assert view["bars"]["series"]["now"]["mean"] == pytest.approx(np.nanmean(lead))
    parts = {part["measure"]: part["now"] for part in view["waits"]}
    assert set(parts) <= set(PARTS)
    for measure, mean in parts.items():
        assert mean == pytest.approx(np.nanmean(result.sample(measure)))
    together = sum(np.nanmean(result.sample(measure)) for measure in PARTS)
    assert together == pytest.approx(np.nanmean(lead), rel=1e-6)
    costs = {cost["measure"]: cost["now"] for cost in view["costs"]}
    assert costs["cost.total"] == pytest.approx(np.nanmean(result.sample("cost.total")))


def test_a_measure_that_is_always_the_same_or_never_there():
    whatif = WhatIf(pipesim.load("GitHub -> CodeBuild -> S3"), n=10, executions=1)
    whatif.measure = "superseded"
    assert sum(whatif.view["bars"]["series"]["now"]["shares"]) == pytest.approx(1)
    none = WhatIf(pipeline(), replace(SMALL, approvals={"*": Approver()}), n=10, days=1)
    assert none.view["bars"]["edges"] == []
    assert forecast(none.result, "lead_time")["bars"]["text"] == "no replication has a value"
    with pytest.raises(traitlets.TraitError, match="is not drawn"):
        whatif.measure = "luck"


def test_a_setting_that_cannot_be_simulated_says_why_and_nothing_is_lost():
    whatif = WhatIf(pipesim.load(pipesim.sample("e-commerce")), n=10, executions=5)
    before = whatif.view
    whatif.turn("mode", "PARALLEL")
    assert "cannot be added to a PARALLEL pipeline" in whatif.message
    assert whatif.view is before
    with pytest.raises(pipesim.DeclarationError):
        _ = whatif.result
    whatif.turn("mode", "QUEUED")
    assert whatif.message == ""
    assert whatif.view["settings"] == {"mode": "QUEUED"}


def test_where_only_the_engine_can_it_takes_fewer_and_says_why():
    whatif = conditional()
    assert whatif.result.n == 12
    assert whatif.view["n"] == 12
    assert whatif.view["engine"] == "simpy"
    assert "conditions" in whatif.view["why"]
    assert whatif.progress == [12, 12]
    assert not whatif.busy
    assert np.array_equal(numbers(whatif.code).sample("lead_time"), whatif.result.sample("lead_time"), equal_nan=True)


def test_a_turn_stops_the_engine_and_begins_anew():
    whatif = conditional(n=5000, n_slow=5000)
    assert whatif.busy
    whatif.halt()
    assert not whatif.busy
    assert 0 <= whatif.progress[0] < 5000
    stands = list(whatif.progress)
    assert whatif._worker is None
    assert whatif.progress == stands


def test_every_turn_of_a_knob_is_the_edit_that_it_names():
    scenario = Scenario(pipeline(), SMALL)
    for knob in knobs_of(scenario):
        for value in knob.offers:
            assert knob.text(value)
            if value == knob.start:
                continue
            assert knob.checked(value) == value
            after = knob.call(value).edit(scenario)
            assert after.changes
            again = find_knob(knobs_of(after), knob.name).start
            assert again == (pytest.approx(value, rel=1e-3) if isinstance(value, float) else value), knob.name


@given(st.floats(0.01, 5000), st.sampled_from(["every", "poisson", "office", "weekly"]))
@settings(max_examples=30, deadline=None)
def test_commits_a_day_scale_every_plan(rate: float, kind: str):
    plan = {
        "every": Every(3600.0),
        "poisson": Poisson(1.5),
        "office": OfficeHours(6.0),
        "weekly": Weekly((0.0,) * 9 + (2.0,) * 8 + (0.0,) * 151),
    }[kind]
    scenario = Scenario(pipeline(), replace(SMALL, arrivals=plan))
    after = find_knob(knobs_of(scenario), "arrivals").call(rate).edit(scenario)
    assert changes_a_day(after.assumptions.arrivals) == pytest.approx(rate, rel=1e-6)


def test_single_changes_and_given_moments():
    scripted = Scenario(pipeline(), replace(SMALL, arrivals=At((0.0, 43_200.0, 86_400.0))))
    assert changes_a_day(scripted.assumptions.arrivals) == pytest.approx(3)
    after = find_knob(knobs_of(scripted), "arrivals").call(48.0).edit(scripted)
    assert after.assumptions.arrivals == Poisson(2.0)
    single = WhatIf(pipeline(), replace(SMALL, arrivals=Once()), n=10, executions=1)
    assert single.result.interval("started").estimate == 1


def test_a_pool_without_limit_is_offered_one():
    scenario = Scenario(pipeline(), SMALL)
    knob = find_knob(knobs_of(scenario), "pool builds")
    assert (knob.start, knob.offers[-1], knob.text(None)) == (None, None, "no limit")
    limited = Scenario(pipeline(), replace(SMALL, pools={"builds": Pool(7)}))
    known = find_knob(knobs_of(limited), "pool builds")
    assert known.start == 7
    assert None not in known.offers


def test_what_it_is_not_made_of():
    with pytest.raises(AssumptionError, match="give 2 or more"):
        WhatIf(pipeline(), n=1)
    with pytest.raises(AssumptionError, match="is no scenario"):
        WhatIf(7)  # type: ignore[arg-type]
    with pytest.raises(AssumptionError):
        WhatIf(pipeline(), Assumptions(actions={"Cod": ActionAssumption()}))


def test_the_page_is_answered():
    whatif = small()
    sent: list[Any] = []
    whatif.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    whatif._hear(whatif, {"do": "python"}, [])
    whatif._hear(whatif, {"do": "toml"}, [])
    whatif._hear(whatif, {"do": "nonsense"}, [])
    assert [(one["what"], one["text"]) for one in sent] == [("python", whatif.code), ("toml", whatif.toml)]
    text = module("dom.js", "whatif.js")
    assert 'from "./' not in text
    assert "innerHTML" not in text
