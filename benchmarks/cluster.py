"""A sweep of the SimPy engine on a Dask cluster of this machine: two workers beside one, and what chunking costs.

The sweep: five capacities of a pool that binds, so that only the engine can run it. Workers are processes with one
thread each, warm before the clock starts; the client does nothing but hand out pieces. The last line is JSON:

    two_workers_vs_one    wall time of one worker over wall time of two: 2 would be perfect
    chunking_overhead     wall time of one worker over that of the same work in this process, minus 1

Run: python benchmarks/cluster.py [--rounds 3] [--replications 100]      (needs the extra "cluster")
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from typing import Any

import pipesim
from pipesim.assumptions.arrivals import Poisson
from pipesim.assumptions.distributions import LogNormal
from pipesim.assumptions.model import ActionAssumption, Assumptions, Pool
from pipesim.edit import Scenario
from pipesim.whatif.sweep import sweep

CAPACITIES = (1, 2, 3, 4, 5)


def scenario() -> Scenario:
    """Builds in PARALLEL mode that wait for places."""
    pipeline = replace(pipesim.load("GitHub -> CodeBuild -> S3"), execution_mode="PARALLEL", pipeline_type="V2")
    actions = {"Build/CodeBuild": ActionAssumption(LogNormal(600, 1200))}
    return Scenario(pipeline, Assumptions(arrivals=Poisson(20), actions=actions, pools={"builds": Pool(1)}))


def seconds(on: Any, replications: int, seed: int) -> float:
    """How long the sweep takes."""
    begin = time.perf_counter()
    found = sweep(
        scenario(), "builds", CAPACITIES, n=replications, executions=60, seed=seed, on=on, progress=False, patience=1e6
    )
    assert all(one.n == replications and one.engine_used == "simpy" for one in found.points.values())
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print."""
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replications", type=int, default=100)
    given = parser.parse_args()
    taken: dict[int, list[float]] = {0: [], 1: [], 2: []}
    quiet: dict[str, Any] = {"threads_per_worker": 1, "dashboard_address": ":0", "host": "127.0.0.1"}
    with (
        LocalCluster(n_workers=1, **quiet) as one,
        LocalCluster(n_workers=2, **quiet) as two,
        Client(one) as alone,
        Client(two) as both,
    ):
        places = {0: None, 1: alone, 2: both}
        for on in places.values():
            seconds(on, 20, 0)
        for seed in range(1, given.rounds + 1):
            for workers, on in places.items():
                taken[workers].append(seconds(on, given.replications, seed))
    for workers, name in enumerate(("in this process", "one worker", "two workers")):
        print(f"{name:16} {statistics.median(taken[workers]):6.2f} s")
    answer = {
        "two_workers_vs_one": round(statistics.median(a / b for a, b in zip(taken[1], taken[2], strict=True)), 2),
        "chunking_overhead": round(statistics.median(a / b - 1 for a, b in zip(taken[1], taken[0], strict=True)), 3),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
