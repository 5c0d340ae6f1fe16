"""Simulate a pipeline to the end in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from pipesim.assumptions.arrivals import At, Every, Once
from pipesim.assumptions.model import Assumptions
from pipesim.definition.model import Pipeline
from pipesim.engine.commands import Command
from pipesim.engine.simulation import Simulation
from pipesim.errors import AssumptionError
from pipesim.trace.log import Trace

ORDINARY_INTERVAL = 20 * 60.0
SLICES = 200


def simulate(
    pipeline: Pipeline,
    assumptions: Assumptions | None = None,
    *,
    seed: int = 0,
    commands: Iterable[tuple[float, Command]] = (),
    executions: int | None = None,
    until: float | None = None,
    progress: Callable[[Simulation], object] | None = None,
) -> Trace:
    """Simulate a pipeline from its first change to the end.

    Args:
        pipeline: the declaration.
        assumptions: what AWS does not write down; None: the catalog's durations, one change.
        seed: the one number on which all luck hangs.
        commands: (seconds since the start, command) pairs: what people do meanwhile.
        executions: how many changes arrive at most. Where the assumptions name a single arrival
            and this asks for more, they come every 20 minutes.
        until: seconds after which to stop looking; None: until everything has ended.
        progress: called now and then with the running simulation.

    Returns:
        The trace: all that happened.

    Raises:
        DeclarationError: the declaration breaks rules.
        AssumptionError: an assumption makes no sense, or changes arrive for ever and neither
            `executions` nor `until` says when to stop.
        Refused: a command was refused.

    >>> import pipesim
    >>> trace = simulate(pipesim.load("GitHub -> CodeBuild -> S3"), seed=1)
    >>> trace[-1].kind.value
    'ExecutionSucceeded'
    """
    assumptions = assumptions or Assumptions()
    if executions is not None and executions > 1 and isinstance(assumptions.arrivals, Once):
        assumptions = replace(assumptions, arrivals=Every(ORDINARY_INTERVAL, first=assumptions.arrivals.at))
    if executions is None and until is None and not isinstance(assumptions.arrivals, Once | At):
        raise AssumptionError("changes arrive for ever: say when to stop with executions=… or until=…")
    if until is not None and not (math.isfinite(until) and until >= 0):
        raise AssumptionError(f"until must be a number of seconds from 0 on, not {until}")
    sim = Simulation(pipeline, assumptions, seed=seed, executions=executions)
    for time, command in commands:
        sim.schedule(time, command)
    if until is None:
        sim.run(progress)
    elif progress is None:
        sim.advance(to=until)
    else:
        for part in range(1, SLICES + 1):
            sim.advance(to=until * part / SLICES)
            progress(sim)
    return sim.trace
