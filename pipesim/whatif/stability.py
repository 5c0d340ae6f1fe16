"""Whether changes arrive faster than a pipeline can take them: then there is no steady state to estimate.

In QUEUED mode every change passes every stage that the ones before it leave open, so a stage is overloaded when
changes reach it faster than it gets done with them (utilisation of 1 or more; any text on queues, such as Gross and
others, "Fundamentals of queueing theory", section 1.5). The same holds for a pool in QUEUED and PARALLEL mode.
SUPERSEDED sheds what it cannot take and is never overloaded. Only what is certain is reported: where it cannot be told
how long a stage is held, such as when people sleep or rules run, the shortest possible time is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.arrivals import Arrivals, At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.resolve import Resolved, resolve
from pipesim.assumptions.streams import Streams
from pipesim.definition.model import Action, Pipeline, Stage
from pipesim.engine.arrivals import trigger_of
from pipesim.trace.wording import spell
from pipesim.vocabulary import ExecutionMode, TriggerType
from pipesim.whatif.scenario import Scenario

DRAWS = 4096
WEEK = 7 * 86_400.0
GROWING = ("lead_time", "waiting", "work_in_progress", "unfinished", "production_age", "lead_time_for_changes")
Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """A stage or a pool that gets more than it can take.

    Attributes:
        kind: ``"stage"`` or ``"pool"``.
        name: its name.
        between: seconds from one change to the next that reaches it, on average.
        takes: seconds that it needs for one, on average; at least.
    """

    kind: str
    name: str
    between: float
    takes: float

    @property
    def utilisation(self) -> float:
        """How many times as much as it can take reaches it."""
        return self.takes / self.between

    def __str__(self) -> str:
        return (
            f"unstable: a change reaches {self.kind} {self.name!r} every {spell(self.between)} and keeps it for "
            f"{spell(self.takes)} on average, so the queue grows until a quota stops it"
        )


def bottlenecks(scenario: Scenario) -> tuple[Bottleneck, ...]:
    """Return what is overloaded, worst first; nothing where changes come to an end or all can be taken.

    Args:
        scenario: the pipeline and its assumptions.
    """
    pipeline, assumptions = scenario.pipeline, scenario.assumptions
    rate = arrival_rate(pipeline, assumptions)
    if not rate or pipeline.execution_mode == ExecutionMode.SUPERSEDED:
        return ()
    resolved = resolve(pipeline, assumptions)
    streams = Streams(0)
    found = []
    pooled: dict[str, float] = {}
    for stage in pipeline.stages:
        held, passed, used = _hold(stage, resolved, streams)
        if pipeline.execution_mode == ExecutionMode.QUEUED and rate * held >= 1:
            found.append(Bottleneck("stage", stage.name, 1 / rate, held))
        for name, seconds in used.items():
            pooled[name] = pooled.get(name, 0.0) + rate * seconds
        rate *= passed
    first = arrival_rate(pipeline, assumptions)
    for name, load in pooled.items():
        pool = assumptions.pools.get(name)
        if pool is not None and pool.when_full == "queue" and load >= pool.capacity:
            found.append(Bottleneck("pool", name, 1 / first, load / pool.capacity / first))
    return tuple(sorted(found, key=lambda one: -one.utilisation))


def grows(measure: str) -> bool:
    """Whether a measure has no steady state in an overloaded pipeline."""
    return measure.partition(".")[0] in GROWING or measure in GROWING


def arrival_rate(pipeline: Pipeline, assumptions: Assumptions) -> float:
    """Return how many executions start a second in the long run; 0 where changes come to an end."""
    rate = _rate(assumptions.arrivals, assumptions.start)
    source = pipeline.stages[0].actions[0]
    polled = trigger_of(source) is TriggerType.POLL_FOR_SOURCE_CHANGES
    if polled and assumptions.delays.polling:
        return min(rate, 1 / assumptions.delays.polling)
    return rate


def _rate(plan: Arrivals, start: datetime) -> float:
    match plan:
        case Once() | At():
            return 0.0
        case Every(interval):
            return 1 / interval
        case Poisson(per_hour):
            return per_hour / 3600
        case OfficeHours(per_day, hours):
            return per_day * len(hours.days) / WEEK
        case Weekly(per_hour):
            return sum(per_hour) / WEEK
    moments = list(islice(plan.times(np.random.default_rng(0), start), 2000))
    return (len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) == 2000 and moments[-1] > moments[0] else 0.0


def _hold(stage: Stage, resolved: Resolved, streams: Streams) -> tuple[float, float, dict[str, float]]:
    """How long an execution holds a stage at least, the share that passes it, and its seconds in each pool."""
    alive = np.ones(DRAWS, dtype=bool)
    held = np.zeros(DRAWS)
    used: dict[str, float] = {}
    for group in stage.groups:
        longest = np.zeros(DRAWS)
        failed = np.zeros(DRAWS, dtype=bool)
        for action in group:
            took, bad, pool = _action(stage, action, resolved, streams)
            longest = np.maximum(longest, took)
            failed |= bad
            if pool:
                used[pool] = used.get(pool, 0.0) + float((took * alive).mean())
        held += np.where(alive, longest, 0.0)
        alive &= ~failed
    passed = float(alive.mean())
    if stage.on_failure is not None and stage.on_failure.result == "RETRY":
        passed += (1 - passed) * passed
    skips = any(condition.result == "SKIP" for condition in stage.before_entry)
    return (0.0 if skips else float(held.mean())), passed, ({} if skips else used)


def _action(stage: Stage, action: Action, resolved: Resolved, streams: Streams) -> tuple[Draws, NDArray[np.bool_], str]:
    key = f"{stage.name}/{action.name}"
    assumed = resolved.action(stage.name, action.name)
    assert assumed.duration is not None
    odds = assumed.fails
    if action.is_approval:
        who = resolved.approver(stage.name, action.name)
        if who.response is None:
            return np.zeros(DRAWS), np.zeros(DRAWS, dtype=bool), ""
        took = streams.stream(f"response {key}", who.response).table(DRAWS) / _open_share(who.hours)
        odds = who.rejects
    else:
        took = streams.stream(f"duration {key}", assumed.duration).table(DRAWS)
    bad = streams.odds(f"fails {key}").table(DRAWS) < odds
    if assumed.fails_after is not None and bad.any():
        took = np.where(bad, streams.stream(f"fails after {key}", assumed.fails_after).table(DRAWS), took)
    return took, bad, assumed.pool or ""


def _open_share(hours: WorkingHours | None) -> float:
    if hours is None:
        return 1.0
    return min(1.0, sum(_lengths(hours)) / WEEK)


def _lengths(hours: WorkingHours) -> Iterator[float]:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    for opened, closed in islice(hours.windows(monday), len(hours.days)):
        yield (closed - opened).total_seconds()
