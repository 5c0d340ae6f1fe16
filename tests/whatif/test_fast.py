"""The measures of the fast path are those of the engine, replication by replication."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

import pipesim
from pipesim import edit
from pipesim.assumptions.arrivals import At
from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import Assumptions, Delays, Pool
from pipesim.definition.model import OnFailure, Pipeline
from pipesim.whatif.blocks import VECTORISED, Task, choose_engine, run_block
from pipesim.whatif.fast import FastSamples
from pipesim.whatif.observed import in_progress, observe
from pipesim.whatif.replicate import replicate
from pipesim.whatif.scenario import Horizon
from pipesim.whatif.seeds import replication_seed
from tests.whatif.models import shop, small

DAY = 86_400.0


def plain(scenario: edit.Scenario, reaction: OnFailure | None = None) -> edit.Scenario:
    stages = tuple(replace(stage, on_failure=reaction) for stage in scenario.pipeline.stages)
    fresh = (replace(stages[0], on_failure=None), *stages[1:])
    return replace(scenario, pipeline=replace(scenario.pipeline, stages=fresh))


FLAKY = edit.failure_odds("Build/CodeBuild", 0.4) | edit.failure_odds("Deploy/S3", 0.3)
SCENARIOS = {
    "small": small(),
    "queued": small("QUEUED"),
    "parallel": small("PARALLEL"),
    "flaky": FLAKY(small()),
    "retrying": plain(FLAKY(small("QUEUED")), OnFailure("RETRY", "FAILED_ACTIONS")),
    "retrying side by side": plain(FLAKY(small("PARALLEL")), OnFailure("RETRY", "ALL_ACTIONS")),
    "shop": plain(edit.pool("builds", 400)(shop())),
    "shop that rolls back": edit.failure_odds("Production/BlueGreen", 0.3)(shop()),
    "shop that is polled and copies": plain(
        edit.transfer_rate("1MB")(edit.artifact_size("Build/Package", "300MB")(shop()))
    ),
    "shop whose queue is full": plain(edit.execution_mode("QUEUED")(shop())),
    "shop in parallel": plain(edit.pool("builds", 400)(edit.execution_mode("PARALLEL")(shop()))),
}
HORIZONS = {
    "40 changes": Horizon(executions=40),
    "1 day": Horizon(until=DAY, warm_up=DAY / 4),
    "over a month's end": Horizon(until=35 * DAY),
}


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_measure_agrees_with_the_engine(name: str, horizon: str) -> None:
    scenario, look = SCENARIOS[name], HORIZONS[horizon]
    if horizon.startswith("over"):
        scenario = edit.scale_arrivals(0.05)(scenario)
    assert choose_engine(scenario, look) == (VECTORISED, "")
    count = 4 if look.until else 12
    block = run_block(Task(scenario, look, 7, 0, count, VECTORISED))
    for number in range(count):
        trace = pipesim.simulate(
            scenario.pipeline,
            scenario.assumptions,
            seed=replication_seed(7, number),
            executions=look.executions,
            until=look.until,
        )
        wanted = observe(trace, look.warm_up)
        found = {measure: float(block.samples[measure][number]) for measure in block.samples}
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-6, nan_ok=True)
        if look.until is not None:
            moments = np.linspace(0, look.until, block.progress.shape[1])
            assert block.progress[number].tolist() == in_progress(trace, moments.tolist())


def test_a_block_that_travels_carries_every_number() -> None:
    block = run_block(Task(small(), Horizon(until=DAY), 7, 0, 20, VECTORISED))
    again = pickle.loads(pickle.dumps(block))

    assert isinstance(block.samples, FastSamples)
    assert list(again.samples) == list(block.samples)
    for measure in block.samples:
        np.testing.assert_array_equal(again.samples[measure], block.samples[measure])
    np.testing.assert_array_equal(again.progress, block.progress)


def test_the_engine_is_named_with_the_reason() -> None:
    found = replicate(edit.pool("builds", 2)(plain(shop())), n=2, executions=5)

    assert found.engine_used == "simpy"
    assert "pool 'builds' has 2 places" in str(found)
    full = replicate(edit.pool("builds", 3)(plain(shop())), n=2, executions=40)
    assert full.engine_used == "simpy"
    assert "a pool is full at times" in str(full)
    assert replicate(small(), n=2, executions=5).engine_used == "vectorised"


def test_a_change_refused_by_a_full_pool_or_a_full_pipeline_is_a_quota_failure() -> None:
    refusing = small("PARALLEL", pools={"builds": Pool(1, when_full="fail")})
    trace = pipesim.simulate(refusing.pipeline, refusing.assumptions, seed=3, executions=40)
    refused = [event for event in trace if "exhausted" in event.detail.get("message", "")]
    full = observe(pipesim.simulate(*_crowd(), seed=3, executions=80))

    assert 0 < observe(trace)["quota_failures"] == len(refused)
    assert full["quota_failures"] == 30


def _crowd() -> tuple[Pipeline, Assumptions]:
    slow = small("QUEUED", arrivals=At(tuple(float(moment) for moment in range(80))), build=Constant(9000))
    return slow.pipeline, slow.assumptions


def test_the_parts_of_the_lead_time_add_up_to_it() -> None:
    copying = edit.transfer_rate("1MB")(edit.artifact_size("Build/CodeBuild", "30MB")(small("QUEUED")))
    polled = replace(copying, assumptions=replace(copying.assumptions, delays=Delays(transfer_rate=1e6)))
    block = run_block(Task(polled, Horizon(executions=30), 7, 0, 20, VECTORISED))
    parts = ["working", *(name for name in block.samples if name.startswith("waiting."))]

    assert sum(block.samples[name] for name in parts) == pytest.approx(block.samples["lead_time"])
    assert block.samples["waiting.transfer"] == pytest.approx(60.0)
    alone = sum(block.samples[name] for name in block.samples if name.startswith("critical."))
    inside = block.samples["working"] + block.samples["waiting.transfer"]
    assert alone == pytest.approx(inside)
