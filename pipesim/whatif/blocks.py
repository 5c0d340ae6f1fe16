"""A block of replications: the piece of work that is handed to one worker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipesim.whatif.observed import in_progress, observe
from pipesim.whatif.scenario import Horizon, Scenario
from pipesim.whatif.seeds import replication_seed

Column = NDArray[np.float64]
SIMPY, VECTORISED = "simpy", "vectorised"
MOMENTS = 121


@dataclass(frozen=True, slots=True)
class Task:
    """Which replications of which scenario to run.

    Attributes:
        scenario: the scenario.
        horizon: how long each replication looks.
        seed: the experiment's seed.
        first: the number of the first replication.
        count: how many.
        engine: ``"simpy"`` or ``"vectorised"``.
    """

    scenario: Scenario
    horizon: Horizon
    seed: int
    first: int
    count: int
    engine: str = SIMPY


@dataclass(frozen=True, slots=True)
class Block:
    """What the replications of one task gave.

    Attributes:
        first: the number of the first replication.
        count: how many.
        samples: one number a replication, by measure.
        progress: executions in progress, a row a replication and a column a moment; empty without a fixed length.
        seconds: how long it took to compute.
    """

    first: int
    count: int
    samples: Mapping[str, Column]
    progress: Column
    seconds: float

    @property
    def nbytes(self) -> int:
        """How many bytes it holds."""
        return sum(column.nbytes for column in self.samples.values()) + self.progress.nbytes


def run_block(task: Task) -> Block:
    """Run the replications of a task; the same task gives the same numbers wherever it runs."""
    started = time.perf_counter()
    samples, progress = (_run_fast if task.engine == VECTORISED else _run_engine)(task)
    return Block(task.first, task.count, samples, progress, time.perf_counter() - started)


def moments(horizon: Horizon) -> Column:
    """Return the moments at which executions in progress are counted; none without a fixed length."""
    return np.empty(0) if horizon.until is None else np.linspace(0.0, horizon.until, MOMENTS)


def choose_engine(scenario: Scenario, horizon: Horizon) -> tuple[str, str]:
    """Return the engine that runs a scenario, and why it is not the fast one (empty when it is)."""
    return SIMPY, "the fast path is not there"


def _run_engine(task: Task) -> tuple[dict[str, Column], Column]:
    from pipesim.engine.simulate import simulate

    grid = moments(task.horizon)
    rows: list[dict[str, float]] = []
    progress = np.empty((task.count, len(grid)))
    for place in range(task.count):
        trace = simulate(
            task.scenario.pipeline,
            task.scenario.assumptions,
            seed=replication_seed(task.seed, task.first + place),
            executions=task.horizon.executions,
            until=task.horizon.until,
        )
        rows.append(observe(trace, task.horizon.warm_up))
        if len(grid):
            progress[place] = in_progress(trace, grid.tolist())
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}, progress


def _run_fast(task: Task) -> tuple[dict[str, Column], Column]:
    raise NotImplementedError
