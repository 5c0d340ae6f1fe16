"""Intervals hold the truth as often as they say, by experiment: 1,000 experiments of 30 replications of 200 changes."""

from __future__ import annotations

import numpy as np
import pytest

from pipesim.whatif.compare import compare
from pipesim.whatif.intervals import mean_interval, quantile_interval
from pipesim.whatif.precision import HalfWidth
from pipesim.whatif.replicate import replicate
from tests.whatif.models import small

EXPERIMENTS, EACH = 1000, 30
LOOK = {"executions": 200, "progress": False}
TRUTH = replicate(small("QUEUED"), n=20_000, seed=1, **LOOK)
SAMPLE = replicate(small("QUEUED"), n=EXPERIMENTS * EACH, seed=2, **LOOK)


def coverage(sample: np.ndarray, truth: float, each: int = EACH) -> float:
    pieces = sample[: len(sample) // each * each].reshape(-1, each)
    return float(np.mean([truth in mean_interval(piece) for piece in pieces]))


@pytest.mark.parametrize(
    "measure", ["lead_time", "waiting.stage lock", "throughput", "work_in_progress", "utilisation.Build"]
)
def test_a_95_percent_interval_holds_the_mean_93_to_97_times_in_100(measure: str) -> None:
    assert 0.93 <= coverage(SAMPLE.sample(measure), TRUTH.sample(measure).mean()) <= 0.97


def test_so_does_the_interval_of_a_paired_difference() -> None:
    change = {"fast": "Build/CodeBuild*0.8"}
    true = compare(small("QUEUED"), change, n=20_000, seed=1, **LOOK).difference("fast", "lead_time").estimate
    pairs = compare(small("QUEUED"), change, n=EXPERIMENTS * EACH, seed=2, **LOOK)

    assert 0.93 <= coverage(pairs.differences("fast", "lead_time"), true) <= 0.97


def test_the_interval_of_a_percentile_is_not_too_short() -> None:
    truth = float(np.quantile(TRUTH.sample("lead_time"), 0.5))
    pieces = SAMPLE.sample("lead_time").reshape(-1, 100)
    held = np.mean([truth in quantile_interval(piece, 0.5) for piece in pieces])

    assert 0.92 <= held <= 0.99


def test_stopping_at_a_precision_costs_little_coverage() -> None:
    truth = float(TRUTH.sample("lead_time").mean())
    wish = HalfWidth("lead_time", relative=0.05)
    held = []
    for piece in SAMPLE.sample("lead_time").reshape(-1, 300):
        count = wish.reached_after(piece)
        assert count is not None
        held.append(truth in mean_interval(piece[:count]))

    assert np.mean(held) >= 0.9


def test_a_lopsided_measure_of_few_replications_is_told() -> None:
    short = replicate(small("QUEUED"), n=10_000, executions=30, progress=False, seed=2).sample("lead_time")
    truth = replicate(small("QUEUED"), n=20_000, executions=30, progress=False, seed=1).sample("lead_time").mean()
    found = [mean_interval(piece) for piece in short.reshape(-1, 10)]
    told = [interval for interval in found if "lopsided" in interval.note]

    assert np.mean([truth in interval for interval in found]) < 0.93
    assert len(told) > 300
    assert "lopsided" not in mean_interval(short[:1000]).note


def test_an_interval_of_half_the_luck_would_be_noticed() -> None:
    wrong = [mean_interval(np.repeat(piece, 2)) for piece in SAMPLE.sample("lead_time").reshape(-1, EACH)]
    truth = float(TRUTH.sample("lead_time").mean())

    assert np.mean([truth in interval for interval in wrong]) < 0.9
