"""The engine against queueing theory: M/M/1, M/D/1, Little's law."""

from __future__ import annotations

from statistics import fmean

import pytest

from pipesim.assumptions.arrivals import Poisson
from pipesim.assumptions.distributions import Constant, Exponential
from pipesim.assumptions.model import ActionAssumption, Assumptions, Delays
from pipesim.engine import simulate
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace

from .builders import make_pipeline

SERVICE = 100.0
WARM_UP = 1000


def run(service, load: float, executions: int, seed: int = 2, mode: str = "QUEUED") -> Trace:
    """One stage that serves a Poisson stream of changes, behind a source that takes no time."""
    return simulate(
        make_pipeline("Build", mode=mode),
        Assumptions(
            actions={
                "Source/Checkout": ActionAssumption(Constant(0.0)),
                "Build/Work": ActionAssumption(service, pool=""),
            },
            arrivals=Poisson(per_hour=3600 * load / SERVICE),
            delays=Delays.none(),
        ),
        seed=seed,
        executions=executions,
    )


def lead_times(trace: Trace) -> list[float]:
    started = {e.execution: e.time for e in trace if e.kind is EventKind.EXECUTION_STARTED}
    return [e.time - started[e.execution] for e in trace if e.kind is EventKind.EXECUTION_SUCCEEDED][WARM_UP:]


@pytest.mark.parametrize("load", [0.3, 0.5])
def test_m_m_1(load):
    """Mean time in the system is s / (1 - rho); Kleinrock, Queueing Systems I (1975), 3.2."""
    assert fmean(lead_times(run(Exponential(SERVICE), load, 20_000))) == pytest.approx(SERVICE / (1 - load), rel=0.06)


@pytest.mark.parametrize("load", [0.3, 0.5])
def test_m_d_1(load):
    """Mean wait is s rho / (2 (1 - rho)) (Pollaczek-Khinchine); Kleinrock, Queueing Systems I (1975), 5.6."""
    expected = SERVICE * (1 + load / (2 * (1 - load)))

    assert fmean(lead_times(run(Constant(SERVICE), load, 20_000))) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("mode", ["QUEUED", "SUPERSEDED", "PARALLEL"])
def test_littles_law(mode):
    """Work in progress, averaged over time, is throughput times lead time, whatever becomes of the executions."""
    trace = run(Exponential(SERVICE), 0.8, 2000, mode=mode)
    started = {e.execution: e.time for e in trace if e.kind is EventKind.EXECUTION_STARTED}
    endings = (EventKind.EXECUTION_SUCCEEDED, EventKind.EXECUTION_SUPERSEDED)
    ended = {e.execution: e.time for e in trace if e.kind in endings}
    steps = sorted([(time, 1) for time in started.values()] + [(time, -1) for time in ended.values()])
    area, inside, before = 0.0, 0, 0.0
    for time, step in steps:
        area += inside * (time - before)
        inside, before = inside + step, time

    assert inside == 0
    throughput = len(ended) / trace.end
    lead_time = fmean(ended[name] - started[name] for name in started)
    assert area / trace.end == pytest.approx(throughput * lead_time)


def test_a_higher_load_waits_longer():
    means = [fmean(lead_times(run(Exponential(SERVICE), load, 5000))) for load in (0.2, 0.5, 0.8)]

    assert means == sorted(means)
