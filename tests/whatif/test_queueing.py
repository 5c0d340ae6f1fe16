"""The fast path against what queueing theory says.

Formulas: Gross, Shortle, Thompson and Harris, "Fundamentals of queueing theory"; the queue of customers in steady
state is approached from empty, so the beginning is left out and intervals are wide enough for what is left of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pipesim
from pipesim.assumptions.arrivals import Every, Poisson
from pipesim.assumptions.distributions import Constant, Distribution, Exponential
from pipesim.assumptions.model import ActionAssumption, Assumptions, Delays
from pipesim.definition.model import Pipeline
from pipesim.vocabulary import ExecutionMode
from pipesim.whatif.draws import Draws
from pipesim.whatif.vectorised import Result, run

SERVICE = 60.0
BEGINNING = 1500


def line(mode: ExecutionMode) -> Pipeline:
    return replace(pipesim.load("GitHub -> CodeBuild -> S3"), execution_mode=mode.value, pipeline_type="V2")


def served(build: Distribution, deploy: Distribution, per_hour: float, mode=ExecutionMode.QUEUED) -> Result:
    actions = {
        "GitHub": ActionAssumption(Constant(0)),
        "CodeBuild": ActionAssumption(build, pool=""),
        "S3": ActionAssumption(deploy),
    }
    assumptions = Assumptions(actions=actions, arrivals=Poisson(per_hour), delays=Delays.none())
    return run(line(mode), assumptions, draws=Draws(99, 0, 400), executions=4000)


def waited(result: Result, stage: int) -> tuple[float, float]:
    """The mean wait at a door in seconds over replications, and its standard error."""
    waits = (result.entered(stage) - result.reached(stage))[:, BEGINNING:]
    waits = np.where(np.isfinite(waits), waits, np.nan)
    means = np.nanmean(waits, axis=1)
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))


def agrees(found: tuple[float, float], formula: float) -> bool:
    mean, error = found
    return abs(mean - formula) < 4 * error + 0.005 * formula


@pytest.mark.parametrize("load", [0.3, 0.6, 0.75])
def test_one_exponential_server(load):
    result = served(Exponential(SERVICE), Constant(0), load * 3600 / SERVICE)

    assert agrees(waited(result, 1), load / (1 - load) * SERVICE)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.75])
def test_one_server_that_always_takes_the_same_time(load):
    result = served(Constant(SERVICE), Constant(0), load * 3600 / SERVICE)

    assert agrees(waited(result, 1), load / (2 * (1 - load)) * SERVICE)


def test_two_servers_in_a_row_wait_as_if_each_were_alone():
    """Burke: what leaves an M/M/1 queue is a Poisson stream again."""
    result = served(Exponential(SERVICE), Exponential(SERVICE * 0.8), 0.6 * 3600 / SERVICE)

    assert agrees(waited(result, 1), 0.6 / 0.4 * SERVICE)
    assert agrees(waited(result, 2), 0.48 / 0.52 * SERVICE * 0.8)


def test_superseding_loses_as_many_as_a_queue_with_one_place():
    """The newest replaces who waits: the same chain of states as M/M/1/2, in which one of three states blocks."""
    load = 0.9
    result = served(Exponential(SERVICE), Constant(0), load * 3600 / SERVICE, ExecutionMode.SUPERSEDED)
    lost = (result.status[:, BEGINNING:] == 3).mean(axis=1)
    error = lost.std(ddof=1) / np.sqrt(len(lost))

    assert abs(lost.mean() - load**2 / (1 + load + load**2)) < 4 * error + 0.002


def test_without_locks_nobody_waits():
    result = served(Exponential(SERVICE), Constant(0), 0.9 * 3600 / SERVICE, ExecutionMode.PARALLEL)

    assert waited(result, 1) == (0.0, 0.0)


def test_a_steady_beat_below_capacity_never_waits():
    actions = {name: ActionAssumption(Constant(50), pool="") for name in ("GitHub", "CodeBuild", "S3")}
    assumptions = Assumptions(actions=actions, arrivals=Every(60), delays=Delays.none())
    result = run(line(ExecutionMode.QUEUED), assumptions, draws=Draws(1, 0, 2), executions=100)

    assert (result.ended - result.started == 150.0).all()
