"""One stage execution: gates, action groups, retries, and how it ends.

Source: CodePipeline User Guide, "How pipeline executions work" and
"Configure stage conditions".
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.catalog.limits import PARALLEL_ACTIONS_PER_EXECUTION
from pipesim.definition.model import Condition
from pipesim.engine.action import ActionRun
from pipesim.engine.gate import Gate, Verdict
from pipesim.trace.events import EventKind
from pipesim.vocabulary import ConditionType, Result, RetryTrigger, StageExecutionStatus, StageRetryMode

if TYPE_CHECKING:
    from pipesim.engine.execution import Execution
    from pipesim.engine.plan import ActionPlan, StagePlan
    from pipesim.engine.simulation import Simulation

ON_FAILURE = "ON_FAILURE"


class Passage:
    """One execution inside one stage.

    Attributes:
        running: the actions at work, by name.
        done: the names of actions that succeeded.
        failed: the names of actions that failed or were abandoned.
        attempts: how often each action was begun.
        automatic, manual: how often the stage was retried by itself and by people.
        rollback: an automatic rollback is due.
        gate: the condition being judged, or None.
        overridable: the success condition that failed and may be overridden, or None.
    """

    __slots__ = (
        "_changed", "_crowded", "attempts", "automatic", "done", "execution", "failed", "gate", "manual",
        "overridable", "plan", "rollback", "running", "sim", "status",
    )  # fmt: skip

    def __init__(self, sim: Simulation, execution: Execution, plan: StagePlan) -> None:
        self.sim = sim
        self.execution = execution
        self.plan = plan
        self.status = StageExecutionStatus.IN_PROGRESS
        self.running: dict[str, ActionRun] = {}
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.attempts: dict[str, int] = {}
        self.automatic = 0
        self.manual = 0
        self.rollback = False
        self.gate: Gate | None = None
        self.overridable: Result | None = None
        self._changed: simpy.Event | None = None
        self._crowded = False

    def walk(self, *, resumed: bool = False) -> Generator[simpy.Event, Any, StageExecutionStatus]:
        """Go through the stage and return how it ended; a SimPy process yields from it.

        Args:
            resumed: a retry: the entry condition was judged before.
        """
        self.rollback = False
        self.overridable = None
        if not resumed and self.plan.stage.before_entry:
            ending = yield from self._enter()
            if ending is not None:
                return ending
        while True:
            if not resumed or self._unfinished():
                yield from self._work()
            if (ending := self._interrupted()) is not None:
                return ending
            if not self.failed:
                return (yield from self._leave())
            if not self._retries_itself():
                return (yield from self._fail())
            self._retry_itself()

    def action_ended(self, run: ActionRun, *, succeeded: bool) -> None:
        """Take note that an action is over."""
        name = run.plan.action.name
        self.running.pop(name, None)
        (self.done if succeeded else self.failed).add(name)
        changed = self._changed
        if changed is not None and (not self.running or self._crowded):
            self._changed = None
            changed.succeed()

    def start(self, plan: ActionPlan) -> None:
        """Begin one action."""
        name = plan.action.name
        attempt = self.attempts.get(name, 0) + 1
        self.attempts[name] = attempt
        self.failed.discard(name)
        run = ActionRun(self.sim, self, plan, attempt)
        self.running[name] = run
        run.start()

    def stop(self, *, abandon: bool) -> None:
        """Stop: nothing new starts; with `abandon` what runs is given up at once."""
        if abandon:
            for run in list(self.running.values()):
                run.abandon("The approval action has been canceled." if run.plan.action.is_approval else "")
            if self.gate is not None:
                self.gate.abandon()

    def cancel(self) -> None:
        """The pipeline was updated: nothing new starts, open approvals are called off."""
        for run in list(self.running.values()):
            if run.is_open:
                run.cancel()

    def prepare_retry(self, mode: str) -> None:
        """Forget what must run again."""
        if mode == StageRetryMode.ALL_ACTIONS:
            self.done.clear()
        self.failed.clear()
        self.status = StageExecutionStatus.IN_PROGRESS

    def resumed(self, mode: str, trigger: RetryTrigger) -> None:
        """Write down that the stage was retried."""
        self.emit(
            EventKind.STAGE_RESUMED, mode=mode, trigger=trigger.value, automatic=self.automatic, manual=self.manual
        )

    def emit(self, kind: EventKind, **detail: Any) -> None:
        """Write an event of this stage execution into the trace."""
        self.sim.emit(kind, self.execution.id, self.plan.stage.name, None, None, detail)

    def _unfinished(self) -> bool:
        return any(plan.action.name not in self.done for group in self.plan.groups for plan in group)

    def _interrupted(self) -> StageExecutionStatus | None:
        if self.execution.stopping:
            return StageExecutionStatus.STOPPED
        if self.execution.cancelling:
            return StageExecutionStatus.CANCELLED
        return None

    def _work(self) -> Generator[simpy.Event, Any, None]:
        limit = None if self.sim.admission.has_locks else PARALLEL_ACTIONS_PER_EXECUTION
        for group in self.plan.groups:
            for plan in group:
                while limit is not None and len(self.running) >= limit:
                    self._crowded = True
                    yield self._next_change()
                self._crowded = False
                if self._interrupted():
                    break
                if plan.action.name not in self.done:
                    self.start(plan)
            while self.running:
                yield self._next_change()
            if self.failed or self._interrupted():
                return

    def _next_change(self) -> simpy.Event:
        self._changed = self.sim.env.event()
        return self._changed

    def _enter(self) -> Generator[simpy.Event, Any, StageExecutionStatus | None]:
        condition = self.plan.stage.before_entry[0]
        verdict = yield from self._judge(ConditionType.BEFORE_ENTRY, condition)
        if (ending := self._interrupted()) is not None:
            return ending
        if verdict in (Verdict.PASSED, Verdict.OVERRIDDEN):
            return None
        return StageExecutionStatus.SKIPPED if condition.result == Result.SKIP else StageExecutionStatus.FAILED

    def _leave(self) -> Generator[simpy.Event, Any, StageExecutionStatus]:
        for condition in self.plan.stage.on_success:
            verdict = yield from self._judge(ConditionType.ON_SUCCESS, condition)
            if (ending := self._interrupted()) is not None:
                return ending
            if verdict in (Verdict.PASSED, Verdict.OVERRIDDEN):
                continue
            self.rollback = condition.result == Result.ROLLBACK
            self.overridable = Result.ROLLBACK if self.rollback else Result.FAIL
            return StageExecutionStatus.SUCCEEDED if self.rollback else StageExecutionStatus.FAILED
        return StageExecutionStatus.SUCCEEDED

    def _fail(self) -> Generator[simpy.Event, Any, StageExecutionStatus]:
        reaction = self.plan.stage.on_failure
        if reaction is None:
            return StageExecutionStatus.FAILED
        self.rollback = reaction.result == Result.ROLLBACK
        for condition in reaction.conditions:
            verdict = yield from self._judge(ON_FAILURE, condition)
            if (ending := self._interrupted()) is not None:
                return ending
            self.rollback = verdict is Verdict.PASSED and condition.result == Result.ROLLBACK
        return StageExecutionStatus.FAILED

    def _judge(self, kind: str, condition: Condition) -> Generator[simpy.Event, Any, Verdict]:
        self.gate = Gate(self.sim, self, kind, condition)
        verdict = yield from self.gate.judge()
        self.gate = None
        return verdict

    def _retries_itself(self) -> bool:
        reaction = self.plan.stage.on_failure
        return reaction is not None and reaction.result == Result.RETRY and self.automatic == 0

    def _retry_itself(self) -> None:
        assert self.plan.stage.on_failure is not None
        mode = self.plan.stage.on_failure.retry_mode or StageRetryMode.FAILED_ACTIONS.value
        self.emit(EventKind.STAGE_FAILED, retry_pending=True)
        self.automatic += 1
        self.execution.attempt += 1
        self.prepare_retry(mode)
        self.resumed(mode, RetryTrigger.AUTOMATED_STAGE_RETRY)
