"""What a trace costs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Pool
from pipesim.definition.model import Stage
from pipesim.engine import simulate
from pipesim.trace.cost import cost

from ..engine.builders import approval, assume, build, make_pipeline


def run(durations, *stages, arrivals=(0,), **members):
    return simulate(make_pipeline(*stages), assume(durations, list(arrivals), **members))


def test_51_v2_rounds_every_action_up():
    """61 s is 2 minutes; ten actions of 5 s are 10 minutes; approvals cost nothing."""
    ten = Stage("Ten", tuple(build(f"A{number}") for number in range(10)))
    gate = Stage("Gate", (approval(timeout_in_minutes=5),))
    durations = {"Source/Checkout": 5, "Long/Work": 61, **{f"Ten/A{number}": 5 for number in range(10)}}
    result = cost(run(durations, "Long", ten, gate), free_tier=False)

    assert result.months[0].v2_minutes == 1 + 2 + 10
    assert result.v2 == pytest.approx(13 * 0.002)


def test_custom_actions_cost_nothing():
    from dataclasses import replace

    from pipesim.definition.model import ActionTypeId

    jenkins = replace(build("Work"), type=ActionTypeId("Build", "Custom", "Jenkins"))
    result = cost(run({"Build/Work": 600}, Stage("Build", (jenkins,))), free_tier=False)

    assert (result.months[0].v2_minutes, result.builds) == (1, 0.0)


def test_free_tier():
    trace = run({"Build/Work": 150 * 60}, "Build")

    assert cost(trace).v2 == pytest.approx((151 - 100) * 0.002)
    assert cost(trace).builds == pytest.approx(50 * 0.005)
    assert cost(trace).v1 == 0.0
    assert cost(trace, free_tier=False).v1 == 1.0
    assert cost(trace, free_tier=False, older_than_30_days=False).v1 == 0.0


def test_compute_types():
    trace = run({"Build/Work": 600}, "Build")

    assert cost(trace, free_tier=False, compute={"Build/Work": "BUILD_GENERAL1_LARGE"}).builds == pytest.approx(0.2)
    with pytest.raises(KeyError):
        cost(trace, compute={"Work": "BUILD_GENERAL1_HUGE"})


def test_waiting_for_a_place_is_no_build_minute_but_an_action_minute():
    stage = Stage("Build", (build("A"), build("B")))
    trace = run({"Build/A": 60, "Build/B": 60}, stage, pools={"builds": Pool(1)})
    result = cost(trace, free_tier=False)

    assert result.months[0].v2_minutes == 1 + 1 + 2
    assert result.months[0].build_minutes == {"BUILD_GENERAL1_SMALL": 2}


def test_months_are_billed_one_by_one():
    start = datetime(2026, 3, 31, 12, tzinfo=UTC)
    trace = run({"Build/Work": 60}, "Build", arrivals=(0, 86400), start=start)
    result = cost(trace, free_tier=False)

    assert [(month.month, month.executions) for month in result.months] == [("2026-03", 1), ("2026-04", 1)]
    assert result.v1 == 2.0


def test_a_failed_attempt_is_billed_too():
    failing = {"Build/Work": ActionAssumption(Constant(90), fails=1.0)}

    assert cost(run({}, "Build", actions=failing), free_tier=False).months[0].v2_minutes == 1 + 2


def test_break_even_is_500_minutes():
    result = cost(run({"Build/Work": 499 * 60}, "Build"), free_tier=False)

    assert result.v2 == pytest.approx(result.v1)
    assert "neither" in str(result)
