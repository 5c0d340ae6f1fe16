"""Changes arrive: each starts an execution, at once or when a poll finds it."""

from __future__ import annotations

import math
from collections.abc import Generator
from itertools import islice
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.assumptions.arrivals import Once
from pipesim.catalog.limits import POLLING_WITHOUT_EXECUTION
from pipesim.definition.model import Action
from pipesim.engine.commands import Start
from pipesim.trace.events import EventKind
from pipesim.vocabulary import TriggerType

if TYPE_CHECKING:
    from pipesim.engine.simulation import Simulation

POLLERS = frozenset({"S3", "CodeCommit", "GitHub"})


class Source:
    """The stream of changes of one simulation.

    A single change at the beginning is the execution that CreatePipeline starts by itself,
    unless the source is polled: then the poll starts it.
    Source: recorded answers of the service (a polled pipeline has no CreatePipeline execution).

    Args:
        sim: the simulation.
        at_most: how many changes arrive; None: as many as the assumptions give.
    """

    def __init__(self, sim: Simulation, at_most: int | None) -> None:
        self.sim = sim
        action = sim.plan.pipeline.stages[0].actions[0]
        self.trigger = trigger_of(action)
        if sim.assumptions.arrivals == Once() and self.trigger is not TriggerType.POLL_FOR_SOURCE_CHANGES:
            self.trigger = TriggerType.CREATE_PIPELINE
        self.trigger_detail = action.name if self.trigger is TriggerType.POLL_FOR_SOURCE_CHANGES else None
        self._found_at: float | None = None
        self._unseen: list[tuple[str, float]] = []
        sim.expect()
        sim.env.process(self._arrive(at_most))

    def _arrive(self, at_most: int | None) -> Generator[simpy.Event, Any, None]:
        sim = self.sim
        generator = sim.streams.generator("arrivals")
        for time in islice(sim.assumptions.arrivals.times(generator, sim.assumptions.start), at_most):
            if time > sim.now:
                yield sim.env.timeout(time - sim.now)
            if self.trigger is TriggerType.POLL_FOR_SOURCE_CHANGES and sim.delays.polling:
                self._leave_for_poll()
            else:
                sim.start(Start(trigger_type=self.trigger.value))
        sim.arrived()

    def _leave_for_poll(self) -> None:
        sim = self.sim
        if sim.now - sim.last_start > POLLING_WITHOUT_EXECUTION:
            reason = "polling was switched off after 30 days without an execution"
            sim.emit(EventKind.CHANGE_IGNORED, detail={"change": sim.new_change(), "reason": reason})
            return
        self._unseen.append((sim.new_change(), sim.now))
        if self._found_at is None:
            interval = sim.delays.polling
            self._found_at = math.ceil(sim.now / interval) * interval
            sim.expect()
            poll = sim.env.timeout(self._found_at - sim.now)
            assert poll.callbacks is not None
            poll.callbacks.append(lambda _: self._poll())

    def _poll(self) -> None:
        sim = self.sim
        *older, (newest, arrived) = self._unseen
        for change, _ in older:
            sim.emit(
                EventKind.CHANGE_IGNORED, detail={"change": change, "reason": "the same poll found a newer change"}
            )
        self._unseen.clear()
        self._found_at = None
        sim.start(
            Start(change=newest, trigger_type=self.trigger.value, trigger_detail=self.trigger_detail), arrived=arrived
        )
        sim.arrived()


def trigger_of(source: Action) -> TriggerType:
    """Return the trigger by which a source action learns of a change.

    Connections use WebhookV2; S3, CodeCommit and GitHub version 1 poll unless told not to, in
    which case EventBridge (or a webhook, for GitHub) starts the pipeline; ECR always uses EventBridge.
    Source: CodePipeline User Guide, "Start a pipeline".

    Args:
        source: a source action.
    """
    if source.provider == "CodeStarSourceConnection":
        return TriggerType.WEBHOOK_V2
    if source.provider in POLLERS and polls(source):
        return TriggerType.POLL_FOR_SOURCE_CHANGES
    return TriggerType.WEBHOOK if source.provider == "GitHub" else TriggerType.CLOUD_WATCH_EVENT


def polls(source: Action) -> bool:
    """Whether a source action asks for polling: absent means yes, and only the text "true" means yes.

    Source: recorded answers of the service: "yes" and "1" count as no, without an error.
    """
    return source.configuration.get("PollForSourceChanges", "true").lower() == "true"
