"""A block of replications: the piece of work that is handed to one worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipesim.engine.simulate import simulate
from pipesim.whatif.draws import Draws, TableCache
from pipesim.whatif.fast import FastSamples, fast_progress
from pipesim.whatif.observed import in_progress, observe
from pipesim.whatif.scenario import Horizon, Scenario
from pipesim.whatif.seeds import family_of, replication_seed
from pipesim.whatif.vectorised import can_run, has_scarce_pools, run

Column = NDArray[np.float64]
SIMPY, VECTORISED = "simpy", "vectorised"
MOMENTS = 121
TRIALS = 32
DOUBTFUL = 0.3


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


class Block:
    """What the replications of one task gave; a fast one works measures out when they are first asked for.

    Args:
        first: the number of the first replication.
        count: how many.
        samples: one number a replication, by measure.
        progress: executions in progress, a row a replication and a column a moment (no column without a fixed
            length); or a function that returns them.
        seconds: how long it took to compute.
    """

    def __init__(
        self,
        first: int,
        count: int,
        samples: Mapping[str, Column],
        progress: Column | Callable[[], Column],
        seconds: float = 0.0,
    ) -> None:
        self.first = first
        self.count = count
        self.samples = samples
        self.seconds = seconds
        self._progress = progress

    @property
    def progress(self) -> Column:
        """Executions in progress: a row a replication, a column a moment."""
        if callable(self._progress):
            self._progress = self._progress()
        return self._progress

    @property
    def nbytes(self) -> int:
        """About how many bytes it holds."""
        held = 0 if callable(self._progress) else self._progress.nbytes
        if isinstance(self.samples, FastSamples):
            return held + self.samples.nbytes
        return held + sum(column.nbytes for column in self.samples.values())

    def settled(self) -> Block:
        """Return the block with everything worked out, so that the arrays behind it can go."""
        samples = {name: self.samples[name] for name in self.samples}
        return Block(self.first, self.count, samples, self.progress, self.seconds)

    def __reduce__(self) -> tuple[type[Block], tuple[object, ...]]:
        one = self.settled()
        return Block, (one.first, one.count, one.samples, one.progress, one.seconds)


def run_block(task: Task) -> Block:
    """Run the replications of a task; the same task gives the same numbers wherever it runs."""
    started = time.perf_counter()
    block = (_run_fast if task.engine == VECTORISED else _run_engine)(task)
    block.seconds = time.perf_counter() - started
    return block


def moments(horizon: Horizon) -> Column:
    """Return the moments at which executions in progress are counted; none without a fixed length."""
    return np.empty(0) if horizon.until is None else np.linspace(0.0, horizon.until, MOMENTS)


def choose_engine(scenario: Scenario, horizon: Horizon) -> tuple[str, str]:
    """Return the engine that runs a scenario, and why it is not the fast one (empty when it is).

    Raises:
        AssumptionError: an assumption names something that the declaration does not have.
        DeclarationError: the declaration breaks rules.
    """
    why = can_run(scenario.pipeline, scenario.assumptions)
    if why is not None:
        return SIMPY, why
    if has_scarce_pools(scenario.pipeline, scenario.assumptions):
        draws = Draws(family_of(0), 0, TRIALS, _tables)
        result = run(
            scenario.pipeline, scenario.assumptions, draws=draws, executions=horizon.executions, until=horizon.until
        )
        doubtful = int(result.undecided.sum())
        if doubtful > TRIALS * DOUBTFUL:
            return SIMPY, f"a pool is full at times: in {doubtful} of {TRIALS} replications on trial"
    return VECTORISED, ""


def _run_engine(task: Task) -> Block:
    grid = moments(task.horizon)
    numbers = range(task.first, task.first + task.count)
    found = [_one(task, number, grid) for number in numbers]
    names = found[0][0]
    samples = {name: np.array([one[name] for one, _ in found]) for name in names}
    return Block(task.first, task.count, samples, np.array([row for _, row in found]))


def _one(task: Task, number: int, grid: Column) -> tuple[dict[str, float], list[float]]:
    trace = simulate(
        task.scenario.pipeline,
        task.scenario.assumptions,
        seed=replication_seed(task.seed, number),
        executions=task.horizon.executions,
        until=task.horizon.until,
    )
    return observe(trace, task.horizon.warm_up), in_progress(trace, grid.tolist()) if len(grid) else []


def _run_fast(task: Task) -> Block:
    """Run a block at once, and with the engine what only the engine can tell."""
    draws = Draws(family_of(task.seed), task.first, task.count, _tables)
    result = run(
        task.scenario.pipeline,
        task.scenario.assumptions,
        draws=draws,
        executions=task.horizon.executions,
        until=task.horizon.until,
    )
    grid = moments(task.horizon)
    found = {place: _one(task, task.first + place, grid) for place in np.flatnonzero(result.undecided).tolist()}

    def progress() -> Column:
        counts = fast_progress(result, grid)
        for place, (_, row) in found.items():
            counts[place] = row
        return counts

    instead = {place: measures for place, (measures, _) in found.items()}
    return Block(task.first, task.count, FastSamples(result, task.horizon.warm_up, instead), progress)


_tables = TableCache()
