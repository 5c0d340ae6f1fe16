"""Replications: seeds, precision, warm-up, clear answers where there is no number."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import pipesim
from pipesim.assumptions.arrivals import At, Every, Once
from pipesim.assumptions.distributions import Constant
from pipesim.errors import AssumptionError, MissingDependency
from pipesim.whatif import store
from pipesim.whatif.blocks import Task, run_block
from pipesim.whatif.observed import observe
from pipesim.whatif.replicate import replicate
from pipesim.whatif.scenario import Horizon
from pipesim.whatif.seeds import replication_seed
from tests.whatif.models import pooled, small

MANY = replicate(small(), n=30, executions=40, seed=5)


def test_a_replication_is_the_simulation_with_its_seed() -> None:
    one = small()
    trace = pipesim.simulate(one.pipeline, one.assumptions, seed=replication_seed(5, 7), executions=40)
    measures = pipesim.measure(trace)

    assert MANY.sample("lead_time")[7] == pytest.approx(measures.lead_time.mean)
    assert MANY.sample("shipped")[7] == measures.shipped
    assert MANY.sample("superseded")[7] == measures.superseded
    assert MANY.sample("work_in_progress")[7] == pytest.approx(measures.work_in_progress)
    assert MANY.sample("utilisation.Build")[7] == pytest.approx(measures.stage_utilisation["Build"])
    assert MANY.sample("throughput")[7] == pytest.approx(measures.throughput)


def test_more_replications_begin_with_the_same_ones() -> None:
    more = replicate(small(), n=40, executions=40, seed=5)

    np.testing.assert_array_equal(more.sample("lead_time")[:30], MANY.sample("lead_time"))
    assert not np.array_equal(
        replicate(small(), n=30, executions=40, seed=6).sample("lead_time"), MANY.sample("lead_time")
    )


def test_blocks_do_not_change_numbers() -> None:
    horizon = Horizon(executions=40)
    pieces = [run_block(Task(small(), horizon, 5, first, 10)).samples["working"] for first in (0, 10, 20)]

    np.testing.assert_allclose(np.concatenate(pieces), MANY.sample("working"), rtol=1e-12)


def test_the_parts_of_the_lead_time_add_up() -> None:
    waits = sum(MANY.sample(name) for name in MANY.samples if name.startswith("waiting."))

    np.testing.assert_allclose(waits + MANY.sample("working"), MANY.sample("lead_time"), rtol=1e-6)


def test_an_asked_precision_is_reached_and_named() -> None:
    found = replicate(small(), until="lead_time 4%", executions=40, seed=5)

    assert found.interval("lead_time").relative <= 0.04
    assert "Hoad, Robinson and Davies" in found.about.stopped
    assert found.n < 200


def test_the_ordinary_call_chooses_everything_and_says_how() -> None:
    text = str(replicate(small(), seed=1))

    assert "MSER-5" in text
    assert "Hoad" in text
    assert "lead time" in text


def test_the_number_at_which_it_stops_does_not_depend_on_workers() -> None:
    here = replicate(pooled(), until="lead_time 10%", executions=30, seed=2)
    there = replicate(pooled(), until="lead_time 10%", executions=30, seed=2, on=2)

    assert here.n == there.n
    np.testing.assert_array_equal(here.sample("lead_time"), there.sample("lead_time"))


def test_one_replication_has_no_interval() -> None:
    interval = replicate(small(), n=1, executions=10).interval("lead_time")

    assert interval.estimate > 0
    assert math.isnan(interval.low)
    assert "ask for more" in interval.note


def test_without_luck_every_replication_is_the_same() -> None:
    scenario = small(arrivals=Every(900), build=Constant(300))
    steady = {key: pipesim.ActionAssumption(duration=Constant(10)) for key in ("Source/GitHub", "Deploy/S3")}
    from dataclasses import replace

    assumptions = replace(scenario.assumptions, actions={**scenario.assumptions.actions, **steady})
    found = replicate(scenario.pipeline, assumptions, n=3, executions=5)
    interval = found.interval("lead_time")

    assert (interval.low, interval.estimate, interval.high) == (320.0, 320.0, 320.0)
    assert "same number" in interval.note
    assert replicate(scenario.pipeline, assumptions, executions=5).n <= 20


def test_an_overloaded_queue_is_said_instead_of_a_number() -> None:
    found = replicate(small("QUEUED", Every(60)), n=3, executions=30)
    interval = found.interval("lead_time")

    assert math.isnan(interval.estimate)
    assert "unstable: a change reaches stage 'Build' every 1 min and keeps it for 5 min" in interval.note
    assert "unstable" in str(found)
    assert found.interval("lead_time", anyway=True).estimate > 0
    assert found.interval("throughput").estimate > 0


def test_a_million_replications_are_refused_with_an_estimate() -> None:
    with pytest.raises(AssumptionError, match=r"1,000,000 replications .* would take about .* ask for|Ask for"):
        replicate(small(), n=1_000_000, days=30, patience=1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "no number of replications"),
        ({"n": 2.5}, "no number of replications"),
        ({"n": 5, "until": "lead_time 5%"}, "either a number of replications or a precision"),
        ({"until": "lead_tmie 5%", "executions": 5}, "did you mean 'lead_time'"),
        ({"until": "soon"}, "no precision"),
        ({"n": 5, "days": -1}, "must be above 0"),
        ({"n": 5, "executions": 0}, "1 or more"),
        ({"n": 5, "days": 1, "warm_up": 90_000.0}, "leaves nothing"),
        ({"n": 5, "warm_up": "long"}, "neither seconds nor"),
        ({"n": 5, "executions": 5, "on": "the moon"}, "cannot run anything"),
        ({"n": 5, "executions": 5, "seed": 1.5}, "whole number"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(AssumptionError, match=message):
        replicate(small(), **arguments)  # type: ignore[arg-type]


def test_one_change_and_a_few_changes_come_to_an_end() -> None:
    assert replicate(small(arrivals=Once()), n=5).interval("shipped").estimate == 1
    assert replicate(small(arrivals=At((0, 3600))), n=5).interval("shipped").estimate == 2


def test_work_in_progress_over_time_starts_empty_and_matches_its_mean() -> None:
    found = replicate(small(), n=5, days=1)
    moments, counts = found.in_progress()

    assert counts.shape == (5, len(moments))
    assert counts[:, 0].max() <= 1
    assert counts.mean() == pytest.approx(found.interval("work_in_progress").estimate, rel=0.25)


def test_warm_up_is_left_out() -> None:
    whole = replicate(small(), n=5, days=1, seed=3)
    rest = replicate(small(), n=5, days=1, warm_up=43_200.0, seed=3)

    assert rest.interval("started").estimate == pytest.approx(whole.interval("started").estimate / 2, rel=0.2)
    assert "warm-up 12 h" in str(rest)


def test_observe_of_an_empty_trace_has_no_lead_time() -> None:
    one = small(arrivals=At((1000.0,)))
    trace = pipesim.simulate(one.pipeline, one.assumptions, until=10.0)

    assert math.isnan(observe(trace)["lead_time"])
    assert observe(trace)["shipped"] == 0


def test_frames_have_a_row_a_replication() -> None:
    frame = MANY.to_frame()

    assert list(frame["replication"]) == list(range(30))
    assert frame["lead_time"].mean() == pytest.approx(MANY.interval("lead_time").estimate)
    assert MANY.summary(["lead_time"]).loc[0, "unit"] == "s"


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(AssumptionError, match="did you mean 'lead_time'"):
        MANY.interval("leadtime")


def test_results_larger_than_memory_go_to_disk(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    whole = replicate(pooled(), n=30, executions=40, seed=5)
    spilled = replicate(pooled(), n=30, executions=40, seed=5, memory_limit=2000, spill=tmp_path)
    fast = replicate(small(), n=30, executions=40, seed=5, memory_limit=2000)

    assert spilled.parts and fast.parts
    np.testing.assert_array_equal(spilled.sample("lead_time"), whole.sample("lead_time"))
    np.testing.assert_array_equal(fast.sample("lead_time"), MANY.sample("lead_time"))
    np.testing.assert_array_equal(spilled.replications, MANY.replications)
    days = replicate(small(), n=6, days=0.5, seed=5, memory_limit=2000)
    np.testing.assert_array_equal(days.in_progress()[1], replicate(small(), n=6, days=0.5, seed=5).in_progress()[1])


def test_without_pyarrow_a_full_memory_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    def refuse(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(MissingDependency, match=r"pipesim\[cluster\]"):
        store._pyarrow("pyarrow")
