"""The life of one pipeline execution, as a SimPy process.

Source: CodePipeline User Guide, "How pipeline executions work".
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from pipesim.engine.execution import Execution
    from pipesim.engine.passage import Passage
    from pipesim.engine.plan import StagePlan
    from pipesim.engine.simulation import Simulation


def live(
    sim: Simulation,
    execution: Execution,
    stages: tuple[StagePlan, ...],
    passage: Passage | None = None,
    delay: float = 0.0,
) -> Generator[simpy.Event, Any, None]:
    """Walk an execution through its stages, one after the other, to its end.

    Args:
        sim: the simulation.
        execution: who walks.
        stages: the stages that lie before it.
        passage: the stage execution that it stands in already: a retry, or a rollback.
        delay: seconds before it sets out.
    """
    for place, stage in enumerate(stages):
        if delay:
            yield sim.env.timeout(delay)
        delay = sim.delays.between_stages
        retried = place == 0 and passage is not None
        if not retried:
            if execution.finished:
                return
            if not sim.arrive(execution, stage):
                assert execution.admission is not None
                admitted = yield execution.admission
                if not admitted:
                    return
        current = execution.passage
        assert current is not None
        status = yield from current.walk(resumed=retried and bool(current.attempts))
        if not sim.leave(execution, current, status):
            return
    sim.succeed(execution)
