"""The same queues in Ciw, another simulator, with luck of its own: M/M/1, M/M/c, two in a row."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, stdev

import numpy as np
import pytest

from pipesim.assumptions.arrivals import Poisson
from pipesim.assumptions.distributions import Constant, Distribution, Exponential
from pipesim.assumptions.model import ActionAssumption, Assumptions, Delays, Pool
from pipesim.engine import simulate
from pipesim.trace.spans import spans
from pipesim.whatif.draws import Draws
from pipesim.whatif.seeds import replication_seed
from pipesim.whatif.vectorised import run
from tests.whatif.models import line

ciw = pytest.importorskip("ciw", reason="Ciw is in the extra 'test'")
SERVICE, CUSTOMERS, BEGINNING, RUNS = 60.0, 1500, 300, 12
Sample = list[float]


def assumed(per_hour: float, build: Distribution, deploy: Distribution, places: int = 0) -> Assumptions:
    actions = {
        "GitHub": ActionAssumption(Constant(0)),
        "CodeBuild": ActionAssumption(build, pool="builds" if places else ""),
        "S3": ActionAssumption(deploy),
    }
    pools = {"builds": Pool(places)} if places else {}
    return Assumptions(actions=actions, arrivals=Poisson(per_hour), delays=Delays.none(), pools=pools)


def waits_in_ciw(load: float, servers: list[int], services: list[float]) -> list[Sample]:
    """The mean wait at each node, one number a run."""
    nodes = range(len(servers))
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(load / SERVICE), *([None] * (len(servers) - 1))],
        service_distributions=[ciw.dists.Exponential(1 / mean) for mean in services],
        routing=[[float(there == here + 1) for there in nodes] for here in nodes],
        number_of_servers=servers,
    )
    found: list[Sample] = [[] for _ in nodes]
    for seed in range(RUNS):
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_customers(CUSTOMERS)
        records = simulation.get_all_records()
        for node in nodes:
            waits = sorted((one.arrival_date, one.waiting_time) for one in records if one.node == node + 1)
            found[node].append(fmean(wait for _, wait in waits[BEGINNING:]))
    return found


def same(ours: Sample, theirs: Sample) -> bool:
    """Whether two means differ by no more than four standard errors of their difference."""
    error = (stdev(ours) ** 2 / len(ours) + stdev(theirs) ** 2 / len(theirs)) ** 0.5
    return abs(fmean(ours) - fmean(theirs)) < 4 * error and error < fmean(theirs) / 4


def waits_in_line(load: float, second: Distribution) -> list[Sample]:
    """The mean waits at the doors of Build and Deploy on the fast path, one number a replication."""
    result = run(
        line("QUEUED"), assumed(load * 3600 / SERVICE, Exponential(SERVICE), second), draws=Draws(5, 0, 100),
        executions=CUSTOMERS,
    )  # fmt: skip
    waits = [(result.entered(stage) - result.reached(stage))[:, BEGINNING:] for stage in (1, 2)]
    return [np.nanmean(np.where(np.isfinite(one), one, np.nan), axis=1).tolist() for one in waits]


def test_one_server() -> None:
    ours, _ = waits_in_line(0.6, Constant(0))

    assert same(ours, waits_in_ciw(0.6, [1], [SERVICE])[0])
    assert not same([1.3 * wait for wait in ours], waits_in_ciw(0.6, [1], [SERVICE])[0])


def test_two_in_a_row() -> None:
    ours = waits_in_line(0.6, Exponential(0.8 * SERVICE))
    theirs = waits_in_ciw(0.6, [1, 1], [SERVICE, 0.8 * SERVICE])

    assert all(same(one, other) for one, other in zip(ours, theirs, strict=True))


def test_several_servers_against_ciw_and_the_formula() -> None:
    """M/M/3 at four fifths of its capacity; the formula is Erlang's C."""
    servers, load = 3, 2.4
    model = assumed(load * 3600 / SERVICE, Exponential(SERVICE), Constant(0), servers)
    pipeline = replace(line("PARALLEL"))
    ours: Sample = []
    for number in range(6):
        trace = simulate(pipeline, model, seed=replication_seed(5, number), executions=CUSTOMERS)
        waits = {span.execution: span.duration for span in spans(trace) if span.reason == "pool"}
        ours.append(fmean(waits.get(name, 0.0) for name in trace.executions[BEGINNING:]))
    theirs = waits_in_ciw(load, [servers], [SERVICE])[0]
    busy = load**3 / 6 / (1 - load / servers)
    erlang = busy / (1 + load + load**2 / 2 + busy) * SERVICE / (servers - load)

    assert same(ours, theirs)
    assert abs(fmean(ours) - erlang) < 4 * stdev(ours) / len(ours) ** 0.5
