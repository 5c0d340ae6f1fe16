"""One action execution: prepared, started, worked on by its behaviour, ended."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

import simpy

from pipesim.definition.variables import resolve
from pipesim.engine.behaviours.work import transfer_seconds
from pipesim.engine.outcome import SUCCEEDED, Outcome
from pipesim.trace.events import NOTHING, EventKind
from pipesim.vocabulary import ApprovalStatus, FailureType

if TYPE_CHECKING:
    from pipesim.engine.execution import Execution
    from pipesim.engine.passage import Passage
    from pipesim.engine.plan import ActionPlan
    from pipesim.engine.simulation import Simulation


class ActionRun:
    """One attempt of one action.

    Attributes:
        sim: the simulation.
        passage: the stage execution that it belongs to.
        execution: the pipeline execution that it belongs to.
        plan: the action with all that is assumed of it.
        attempt: 1, 2, … within the execution.
        ordinal: how often this action has begun in the whole simulation, this time included.
        configuration: the configuration with its variables resolved.
        answer: for an approval: the SimPy event that carries the answer.
        ended: whether it is over.
        broken: how it fails whatever it does, when somebody broke it before it began; None: it does not.
    """

    __slots__ = (
        "_behaviour", "_timers", "answer", "attempt", "broken", "configuration", "ended", "execution", "ordinal",
        "passage", "plan", "sim",
    )  # fmt: skip

    def __init__(self, sim: Simulation, passage: Passage, plan: ActionPlan, attempt: int) -> None:
        self.sim = sim
        self.passage = passage
        self.execution: Execution = passage.execution
        self.plan = plan
        self.attempt = attempt
        self.ordinal = sim.count_run(plan.key)
        self.configuration: Mapping[str, str] = plan.action.configuration
        self.answer: simpy.Event | None = None
        self.ended = False
        self.broken = sim.broken.get(plan.key) if sim.broken else None
        self._behaviour: Generator[simpy.Event, Any, Outcome]
        self._timers: list[simpy.Event] | None = None

    @property
    def id(self) -> str:
        """The action execution's id; for an approval also its token."""
        return self.sim.action_id(self.execution, self.plan, self.attempt)

    def start(self) -> None:
        """Begin: resolve variables, look for the inputs, then set the behaviour to work."""
        plan = self.plan
        detail = self.execution.inputs_of(plan.action)
        trouble = self._resolve_variables() if plan.has_references else None
        if plan.action.input_artifacts and len(detail["inputs"]) < len(plan.action.input_artifacts):
            trouble = trouble or self._look_for_inputs(detail["inputs"])
        if self.sim.shows_action_ids:
            detail = {"id": self.id, **detail}
        if self.configuration is not plan.action.configuration:
            detail = {**detail, "configuration": self.configuration}
        if plan.pool in self.sim.pools:
            detail = {**detail, "pool": plan.pool}
        if self.sim.delays.transfer_rate and plan.approver is None and (seconds := transfer_seconds(self)):
            detail = {**detail, "transfer": seconds}
        self._write(EventKind.ACTION_STARTED, detail)
        if trouble is not None:
            self.end(trouble)
        else:
            self._behaviour = plan.behaviour(self)
            self._go_on()

    def end(self, outcome: Outcome) -> None:
        """Write down how it ended and tell the stage; without effect when it is over already."""
        if self.ended:
            return
        self.ended = True
        if self.broken is not None and outcome.failure is None:
            outcome = self.broken
        succeeded = outcome.failure is None
        bare = outcome is SUCCEEDED and not self.plan.action.output_artifacts
        detail = NOTHING if bare else self._describe(outcome)
        self._write(EventKind.ACTION_SUCCEEDED if succeeded else EventKind.ACTION_FAILED, detail)
        self.passage.action_ended(self, succeeded=succeeded)

    def abandon(self, summary: str = "") -> None:
        """Give it up: the pipeline stops waiting, whatever works outside goes on unseen.

        Source: CodePipeline User Guide, "Stop a pipeline execution".
        """
        self._close()
        self._write(EventKind.ACTION_ABANDONED, {"summary": summary} if summary else {})
        self.passage.action_ended(self, succeeded=False)

    def cancel(self) -> None:
        """Call an open approval off because the pipeline was updated."""
        self._close()
        self._write(EventKind.ACTION_FAILED, {"summary": "The approval action has been canceled."})
        self.passage.action_ended(self, succeeded=False)

    @property
    def is_open(self) -> bool:
        """Whether it is an approval that still waits for an answer."""
        return self.answer is not None and not self.answer.triggered and not self.ended

    def reply(self, status: ApprovalStatus, summary: str, by: str) -> None:
        """Answer the open approval."""
        if not self.is_open:
            return
        assert self.answer is not None
        if not summary:
            summary = f"{status.value} by {by}"
        self._write(EventKind.APPROVAL_ANSWERED, {"status": status.value, "summary": summary, "by": by})
        self.clear_timers()
        self.sim.answered[self.plan.key] = self.id
        self.answer.succeed((status, summary))

    def timer(self, delay: float) -> simpy.Event:
        """Return a SimPy event that comes after `delay` seconds and is forgotten with the action."""
        timer = self.sim.env.timeout(delay)
        self._timers = [*(self._timers or ()), timer]
        return timer

    def clear_timers(self) -> None:
        """Forget every timer that has not come."""
        for timer in self._timers or ():
            if not timer.processed:
                self.sim.env.cancel(timer)
        self._timers = None

    def emit(self, kind: EventKind, **detail: Any) -> None:
        """Write an event of this action into the trace."""
        self._write(kind, detail)

    def _write(self, kind: EventKind, detail: Mapping[str, Any]) -> None:
        plan = self.plan
        self.sim.emit(kind, self.execution.id, plan.stage, plan.action.name, self.attempt, detail)

    def _close(self) -> None:
        self.ended = True
        self.clear_timers()

    def _go_on(self, event: simpy.Event | None = None) -> None:
        """Let the behaviour work until it waits for its next SimPy event.

        What a `simpy.Process` does, without the two events of its own that one costs:
        actions are what a simulation spends its time on.
        """
        try:
            while True:
                if event is None:
                    event = next(self._behaviour)
                elif event.ok:
                    event = self._behaviour.send(event.value)
                else:
                    event.defused = True
                    event = self._behaviour.throw(cast(BaseException, event.value))
                if event.callbacks is not None:
                    event.callbacks.append(self._go_on)
                    return
        except StopIteration as ended:
            self.end(ended.value)

    def _resolve_variables(self) -> Outcome | None:
        try:
            self.configuration = {
                key: resolve(text, self.execution.lookup) for key, text in self.plan.action.configuration.items()
            }
        except KeyError as missing:
            return Outcome.failed(
                "An action in this pipeline failed because one or more variables could not be resolved: Action"
                f" name={self.plan.action.name}. No earlier action emitted #{{{missing.args[0]}}}.",
                FailureType.CONFIGURATION_ERROR,
            )
        return None

    def _look_for_inputs(self, there: Mapping[str, str]) -> Outcome | None:
        for name in self.plan.action.input_artifacts:
            if name not in there:
                return Outcome.failed(
                    f"The input artifact '{name}' of action '{self.plan.action.name}' does not exist: the action that"
                    " should have produced it did not run or did not write it (NoSuchKey).",
                    FailureType.CONFIGURATION_ERROR,
                )
        return None

    def _describe(self, outcome: Outcome) -> dict[str, Any]:
        """What the trace says of an ending; what later actions need of it is kept in the execution."""
        detail: dict[str, Any] = {}
        for member in ("summary", "external_id", "external_url"):
            if value := getattr(outcome, member):
                detail[member] = value
        if outcome.failure is None:
            self._keep(outcome, detail)
        else:
            detail["code"] = outcome.failure.value
            detail["message"] = outcome.message
        return detail

    def _keep(self, outcome: Outcome, detail: dict[str, Any]) -> None:
        execution, action = self.execution, self.plan.action
        if action.output_artifacts:
            outputs = outcome.outputs
            if outputs is None:
                outputs = self.sim.new_keys(self)
            execution.keep(outputs)
            detail["outputs"] = outputs
            if sizes := self.plan.assumption.sizes:
                execution.sizes.update(sizes)
                detail["sizes"] = sizes
        if outcome.variables:
            detail["variables"] = outcome.variables
            if action.namespace:
                execution.outputs[action.namespace] = outcome.variables
        if outcome.revision is not None:
            execution.source_revisions[action.name] = outcome.revision
            detail["revision"] = outcome.revision
