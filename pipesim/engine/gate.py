"""One stage condition being judged: its rules run side by side, all must succeed."""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.definition.model import Condition, Rule
from pipesim.definition.variables import resolve
from pipesim.engine.behaviours.rules import judge_rule
from pipesim.engine.outcome import Outcome
from pipesim.trace.events import EventKind
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.engine.passage import Passage
    from pipesim.engine.simulation import Simulation


class Verdict(Enum):
    """How a condition ended."""

    PASSED = auto()
    FAILED = auto()
    OVERRIDDEN = auto()
    ABANDONED = auto()


class Gate:
    """The condition at one gate of one stage execution.

    Attributes:
        kind: BEFORE_ENTRY, ON_SUCCESS or ON_FAILURE.
        open: the rules that have not ended, by name.
    """

    def __init__(self, sim: Simulation, passage: Passage, kind: str, condition: Condition) -> None:
        self.sim = sim
        self.passage = passage
        self.kind = str(kind)
        self.condition = condition
        self.open: dict[str, Rule] = {rule.name: rule for rule in condition.rules}
        self._failed: dict[str, FailureType] = {}
        self._verdict = sim.env.event()

    def judge(self) -> Generator[simpy.Event, Any, Verdict]:
        """Run the rules and return the verdict; a SimPy process yields from it."""
        self._emit(EventKind.CONDITION_STARTED, result=self.condition.result or "FAIL")
        for rule in self.condition.rules:
            self.sim.env.process(self._run(rule))
        if not self.condition.rules:
            self._conclude()
        verdict: Verdict = yield self._verdict
        return verdict

    def _resolved(self, rule: Rule) -> dict[str, Any]:
        """The rule's configuration with its variables filled in; nothing where that changes nothing or cannot be."""
        lookup = self.passage.execution.lookup
        try:
            resolved = {name: resolve(value, lookup) for name, value in rule.configuration.items()}
        except KeyError:
            return {}
        return {} if resolved == dict(rule.configuration) else {"configuration": resolved}

    def override(self, by: str) -> None:
        """Set the verdict aside while the rules still run."""
        self._give_up_rules()
        self._emit(EventKind.CONDITION_OVERRIDDEN, by=by)
        self._verdict.succeed(Verdict.OVERRIDDEN)

    def abandon(self) -> None:
        """Give the rules up because the execution was stopped and abandoned."""
        if self._verdict.triggered:
            return
        self._give_up_rules()
        self._emit(EventKind.CONDITION_ABANDONED)
        self._verdict.succeed(Verdict.ABANDONED)

    def _run(self, rule: Rule) -> Generator[simpy.Event, Any, None]:
        name = self.sim.rule_id(self.passage, self.kind, rule.name)
        self._emit(EventKind.RULE_STARTED, rule=rule.name, **name, **self._resolved(rule))
        plan = self.passage.plan.rules[rule.name]
        outcome: Outcome = yield from (plan.judge or judge_rule)(self, plan)
        if rule.name not in self.open:
            return
        del self.open[rule.name]
        if outcome.failure is None:
            self._emit(
                EventKind.RULE_SUCCEEDED, rule=rule.name, **({"summary": outcome.summary} if outcome.summary else {})
            )
        else:
            self._failed[rule.name] = outcome.failure
            self._emit(EventKind.RULE_FAILED, rule=rule.name, code=outcome.failure.value, message=outcome.message)
        if not self.open:
            self._conclude()

    def _conclude(self) -> None:
        if self._failed:
            errored = [name for name, failure in self._failed.items() if failure is not FailureType.JOB_FAILED]
            if errored:
                self._emit(EventKind.CONDITION_ERRORED, summary=f"Rules that could not be judged: {', '.join(errored)}")
            else:
                summary = f"Rules that were not met: {', '.join(self._failed)}"
                self._emit(EventKind.CONDITION_FAILED, result=self.condition.result or "FAIL", summary=summary)
            self._verdict.succeed(Verdict.FAILED)
        else:
            self._emit(EventKind.CONDITION_SUCCEEDED)
            self._verdict.succeed(Verdict.PASSED)

    def _give_up_rules(self) -> None:
        for name in self.open:
            self._emit(EventKind.RULE_ABANDONED, rule=name)
        self.open.clear()

    def _emit(self, kind: EventKind, **detail: Any) -> None:
        self.passage.emit(kind, condition=self.kind, **detail)
