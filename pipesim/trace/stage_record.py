"""One stage while events are folded into it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from immutabledict import immutabledict

from pipesim.definition.model import Stage
from pipesim.trace.draft import Draft
from pipesim.trace.snapshot import (
    ActionExecution,
    ActionState,
    ConditionState,
    RetryMetadata,
    Revision,
    RuleState,
    StageExecution,
    StageState,
    TransitionState,
)


class ActionRecord:
    """One action: its newest run, and the runs that go on.

    Several go on at a time only in PARALLEL mode; the newest one is the one that started last.
    """

    __slots__ = ("latest", "name", "revision", "running")

    def __init__(self, name: str) -> None:
        self.name = name
        self.latest: Draft[ActionExecution] | None = None
        self.revision: Revision | None = None
        self.running: dict[str, Draft[ActionExecution]] = {}

    def start(self, run: ActionExecution) -> None:
        """Begin a run; it becomes the newest one."""
        self.latest = Draft(run)
        if run.execution is not None and run.ended is None:
            self.running[run.execution] = self.latest

    def change(self, execution: str, **members: Any) -> None:
        """Set members of the run that goes on for this execution, and forget it once it has ended."""
        draft = self.running[execution]
        draft.change(**members)
        if members.get("ended") is not None:
            del self.running[execution]

    def freeze(self) -> ActionState:
        """Return the action's state as it stands."""
        return ActionState(self.name, None if self.latest is None else self.latest.record, self.revision)


class ConditionRecord:
    """The condition at one gate, and its rules."""

    __slots__ = ("condition", "rules")

    def __init__(self, condition: ConditionState) -> None:
        self.condition = Draft(condition)
        self.rules: dict[str, Draft[RuleState]] = {}

    def freeze(self) -> ConditionState:
        """Return the condition's state as it stands."""
        return replace(self.condition.record, rules=tuple(rule.record for rule in self.rules.values()))


class StageRecord:
    """One stage: its transition, who waits, who is inside, its newest execution, actions and conditions."""

    def __init__(self, stage: Stage) -> None:
        self.name = stage.name
        self.transition = TransitionState()
        self.inbound: dict[str, None] = {}
        self.inbound_ended: str | None = None
        self.occupants: dict[str, None] = {}
        self.latest: Draft[StageExecution] | None = None
        self.retry: RetryMetadata | None = None
        self.conditions: dict[str, ConditionRecord] = {}
        self.actions: dict[str, ActionRecord] = {}
        self.shown: tuple[str, ...] = ()
        self.declare(stage)
        self._frozen: StageState | None = None

    def declare(self, stage: Stage) -> None:
        """Follow the declaration: show its actions, in its order, and keep what is known of them."""
        self.shown = tuple(action.name for action in stage.actions)
        for name in self.shown:
            self.actions.setdefault(name, ActionRecord(name))
        self.touch()

    def touch(self) -> None:
        """Say that something changed, so that the next look builds the state anew."""
        self._frozen = None

    def wait(self, execution: str) -> None:
        """Put an execution in front of the stage."""
        self.inbound[execution] = None
        self.inbound_ended = None

    def leave_door(self, execution: str, *, ended: bool) -> None:
        """Take a waiting execution away; `ended` keeps its name, as the console does."""
        if execution in self.inbound:
            del self.inbound[execution]
            if ended:
                self.inbound_ended = execution

    def enter(self, passage: StageExecution, *, shown: bool) -> None:
        """Let an execution in; `shown` is false in PARALLEL mode, where the stage shows no execution."""
        self.inbound.pop(passage.execution, None)
        self.inbound_ended = None
        self.occupants[passage.execution] = None
        if shown:
            self.latest = Draft(passage)
            self.retry = None

    def change_latest(self, execution: str, **members: Any) -> None:
        """Set members of the newest stage execution, when it is this execution's."""
        if self.latest is not None and self.latest.record.execution == execution:
            self.latest.change(**members)

    def freeze(self) -> StageState:
        """Return the stage's state as it stands; made once, however often it is looked at."""
        if self._frozen is None:
            self._frozen = StageState(
                name=self.name,
                transition=self.transition,
                inbound=tuple(self.inbound),
                occupants=tuple(self.occupants),
                latest=None if self.latest is None else self.latest.record,
                actions=tuple(self.actions[name].freeze() for name in self.shown),
                conditions=immutabledict({gate: record.freeze() for gate, record in self.conditions.items()}),
                retry=self.retry,
                inbound_ended=self.inbound_ended,
            )
        return self._frozen
