"""The ordinary behaviour: wait for a place if need be, take a while, maybe fail."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.engine.outcome import SUCCEEDED, Outcome
from pipesim.trace.events import EventKind

if TYPE_CHECKING:
    from pipesim.engine.action import ActionRun


def work(run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Work as long and as well as is assumed of the action."""
    place = run.sim.pools.get(run.plan.pool)
    if place is None:
        return (yield from spend_time(run))
    if place.fails_when_full and place.is_full:
        return Outcome.failed(
            f"Pool '{place.name}' is exhausted: all {place.capacity} places are taken"
            " (AccountLimitExceededException: cannot have more builds at once in the account).",
        )
    with place.request() as request:
        if not request.triggered:
            run.emit(EventKind.ACTION_WAITING, pool=place.name)
            yield request
            if not run.ended:
                run.emit(EventKind.ACTION_WORKING, pool=place.name)
        return (yield from spend_time(run))


def overdue(run: ActionRun) -> Outcome:
    """How an action ends whose time limit has passed."""
    return Outcome.failed(f"The action did not end within its limit of {run.plan.timeout:g} s.")


def spend_time(run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Let the assumed duration pass, cut off by the action type's time limit, and say how it ended."""
    plan = run.plan
    duration, fails = draw(run)
    if duration > plan.timeout:
        yield run.sim.env.timeout(plan.timeout)
        return overdue(run)
    yield run.sim.env.timeout(duration)
    if fails:
        return Outcome.failed(
            plan.assumption.message or f"Action '{plan.action.name}' failed on attempt {run.attempt}, as assumed.",
            plan.assumption.code,
        )
    return plan.success or SUCCEEDED


def draw(run: ActionRun) -> tuple[float, bool]:
    """Return how long this attempt works, in seconds, and whether it fails: the same answer whenever asked."""
    plan, index, attempt = run.plan, run.execution.index, run.execution.lot + run.attempt
    fails = run.ordinal in plan.assumption.fails_on or (
        plan.odds is not None and plan.odds.draw(index, attempt) < plan.assumption.fails
    )
    stream = plan.failing_duration if fails and plan.failing_duration is not None else plan.duration
    duration = stream.draw(index, attempt)
    if run.sim.delays.transfer_rate:
        duration += transfer_seconds(run)
    return duration, fails


def transfer_seconds(run: ActionRun) -> float:
    """Return how long the artifacts that an attempt reads and writes are copied."""
    sizes = run.execution.sizes
    size = sum(sizes.get(name, 0) for name in run.plan.action.input_artifacts)
    size += sum(run.plan.assumption.sizes.values())
    return round(size / run.sim.delays.transfer_rate, 3)
