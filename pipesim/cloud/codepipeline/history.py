"""What the history calls answer from: every action execution and rule execution, read off the trace once.

An approval that was answered stays InProgress here until the pipeline goes on, and a retried action keeps
its old row, because a row changes only when the trace says that the action itself began or ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipesim.definition.document import parse_document
from pipesim.definition.model import Action, Pipeline, Rule
from pipesim.engine.simulation import Simulation
from pipesim.trace.events import NOTHING, Event, EventKind
from pipesim.vocabulary import ActionExecutionStatus, RuleExecutionStatus

EXTERNALS = ("summary", "external_id", "external_url")


@dataclass(slots=True, eq=False)
class ActionRow:
    """One action execution.

    Attributes:
        pipeline: the version of the declaration that it ran under.
        action: the action as declared there.
        execution, id, stage: what it is.
        started, updated: seconds since the start.
        status: its status.
        configuration: with variables resolved; None: as declared.
        inputs, outputs: object keys by artifact name.
        variables: what it emitted.
        summary, code, message, external_id, external_url: how it ended.
        updated_by: who answered the approval.
    """

    pipeline: Pipeline
    action: Action
    execution: str
    id: str
    stage: str
    started: float
    updated: float
    status: ActionExecutionStatus = ActionExecutionStatus.IN_PROGRESS
    configuration: Mapping[str, str] | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    code: str = ""
    message: str = ""
    external_id: str = ""
    external_url: str = ""
    updated_by: str = ""


@dataclass(slots=True, eq=False)
class RuleRow:
    """One rule execution.

    Attributes:
        pipeline: the version of the declaration that it ran under.
        rule: the rule as declared there.
        execution, id, stage: what it is.
        started, updated: seconds since the start.
        status: its status.
        configuration: with variables resolved; None: as declared.
        summary, code, message: how it ended.
    """

    pipeline: Pipeline
    rule: Rule
    execution: str
    id: str
    stage: str
    started: float
    updated: float
    status: RuleExecutionStatus = RuleExecutionStatus.IN_PROGRESS
    configuration: Mapping[str, str] | None = None
    summary: str = ""
    code: str = ""
    message: str = ""


ACTION_ENDS = {
    EventKind.ACTION_SUCCEEDED: ActionExecutionStatus.SUCCEEDED,
    EventKind.ACTION_FAILED: ActionExecutionStatus.FAILED,
    EventKind.ACTION_ABANDONED: ActionExecutionStatus.ABANDONED,
}

RULE_ENDS = {
    EventKind.RULE_SUCCEEDED: RuleExecutionStatus.SUCCEEDED,
    EventKind.RULE_FAILED: RuleExecutionStatus.FAILED,
    EventKind.RULE_ABANDONED: RuleExecutionStatus.ABANDONED,
}


class History:
    """The history of one pipeline, kept up with its trace: a call costs by what is new, not by what there is.

    Args:
        simulation: whose trace is read.

    Attributes:
        executions: the id of every pipeline execution, the oldest first.
        actions: every action execution, the oldest first.
        rules: every rule execution, the oldest first.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._read = 0
        self._versions: dict[int, Pipeline] = {}
        self._version_of: dict[str, int] = {}
        self._open_actions: dict[tuple[str, str, str], ActionRow] = {}
        self._open_rules: dict[tuple[str, str, str, str], RuleRow] = {}
        self._by_id: dict[str, ActionRow] = {}
        self._actions_of: dict[str, list[ActionRow]] = {}
        self._rules_of: dict[str, list[RuleRow]] = {}
        self._resumed: dict[str, float] = {}
        self._succeeded: dict[str, dict[str, None]] = {}
        self.executions: list[str] = []
        self.actions: list[ActionRow] = []
        self.rules: list[RuleRow] = []

    def refresh(self) -> History:
        """Read what is new in the trace; return itself."""
        fresh = self._simulation.events_from(self._read)
        self._read += len(fresh)
        for event in fresh:
            branch = BRANCHES.get(event.kind)
            if branch is not None:
                branch(self, event)
        return self

    def actions_of(self, execution: str, *, latest: bool = False) -> list[ActionRow]:
        """Return the action executions of a pipeline execution, the oldest first.

        Args:
            execution: the pipeline execution's id.
            latest: only those since its last retry began.
        """
        rows = self._actions_of.get(execution, [])
        return [row for row in rows if row.started >= self._since(execution)] if latest else rows

    def rules_of(self, execution: str, *, latest: bool = False) -> list[RuleRow]:
        """Return the rule executions of a pipeline execution, the oldest first; see `actions_of`."""
        rows = self._rules_of.get(execution, [])
        return [row for row in rows if row.started >= self._since(execution)] if latest else rows

    def action(self, action_execution: str) -> ActionRow | None:
        """Return the action execution of this id, or None."""
        return self._by_id.get(action_execution)

    def succeeded_in(self, stage: str) -> Mapping[str, None]:
        """Return the ids of the executions that succeeded in a stage."""
        return self._succeeded.get(stage, {})

    def _since(self, execution: str) -> float:
        return self._resumed.get(execution, 0.0)

    # --- one branch a kind of event --------------------------------------------------------------

    def _declared(self, event: Event) -> None:
        pipeline = parse_document(event.detail["document"])
        self._versions[event.detail.get("version", pipeline.version)] = pipeline

    def _execution_started(self, event: Event) -> None:
        assert event.execution is not None
        self.executions.append(event.execution)
        self._version_of[event.execution] = event.detail["version"]

    def _execution_resumed(self, event: Event) -> None:
        assert event.execution is not None
        self._resumed[event.execution] = event.time

    def _stage_succeeded(self, event: Event) -> None:
        assert event.execution is not None and event.stage is not None
        self._succeeded.setdefault(event.stage, {})[event.execution] = None

    def _action_started(self, event: Event) -> None:
        execution, stage, name = _place(event)
        pipeline = self._versions[self._version_of[execution]]
        row = ActionRow(
            pipeline=pipeline,
            action=pipeline.stage(stage).action(name),
            execution=execution,
            id=event.detail["id"],
            stage=stage,
            started=event.time,
            updated=event.time,
            configuration=event.detail.get("configuration"),
            inputs=event.detail.get("inputs", NOTHING),
        )
        self.actions.append(row)
        self._by_id[row.id] = row
        self._actions_of.setdefault(execution, []).append(row)
        self._open_actions[execution, stage, name] = row

    def _action_progressed(self, event: Event) -> None:
        row = self._open_actions[_place(event)]
        for member in EXTERNALS:
            if value := event.detail.get(member):
                setattr(row, member, value)

    def _approval_answered(self, event: Event) -> None:
        self._open_actions[_place(event)].updated_by = event.detail.get("by", "")

    def _action_ended(self, event: Event) -> None:
        row = self._open_actions.pop(_place(event))
        row.status = ACTION_ENDS[event.kind]
        row.updated = event.time
        for member in (*EXTERNALS, "code", "message"):
            if value := event.detail.get(member):
                setattr(row, member, value)
        row.outputs = event.detail.get("outputs", NOTHING)
        row.variables = event.detail.get("variables", NOTHING)

    def _rule_started(self, event: Event) -> None:
        place = _rule_place(event)
        execution, stage, _, name = place
        pipeline = self._versions[self._version_of[execution]]
        rule = next(rule for rule in pipeline.stage(stage).rules if rule.name == name)
        row = RuleRow(pipeline, rule, execution, event.detail["id"], stage, event.time, event.time)
        row.configuration = event.detail.get("configuration")
        self.rules.append(row)
        self._rules_of.setdefault(execution, []).append(row)
        self._open_rules[place] = row

    def _rule_ended(self, event: Event) -> None:
        row = self._open_rules.pop(_rule_place(event))
        row.status = RULE_ENDS[event.kind]
        row.updated = event.time
        for member in ("summary", "code", "message"):
            if value := event.detail.get(member):
                setattr(row, member, value)


def _place(event: Event) -> tuple[str, str, str]:
    assert event.execution is not None and event.stage is not None and event.action is not None
    return event.execution, event.stage, event.action


def _rule_place(event: Event) -> tuple[str, str, str, str]:
    assert event.execution is not None and event.stage is not None
    return event.execution, event.stage, event.detail["condition"], event.detail["rule"]


BRANCHES: Mapping[EventKind, Callable[[History, Event], None]] = {
    EventKind.PIPELINE_CREATED: History._declared,
    EventKind.PIPELINE_UPDATED: History._declared,
    EventKind.EXECUTION_STARTED: History._execution_started,
    EventKind.EXECUTION_RESUMED: History._execution_resumed,
    EventKind.STAGE_SUCCEEDED: History._stage_succeeded,
    EventKind.ACTION_STARTED: History._action_started,
    EventKind.ACTION_PROGRESSED: History._action_progressed,
    EventKind.APPROVAL_ANSWERED: History._approval_answered,
    **dict.fromkeys(ACTION_ENDS, History._action_ended),
    EventKind.RULE_STARTED: History._rule_started,
    **dict.fromkeys(RULE_ENDS, History._rule_ended),
}
"""The kinds of event that history is made of; all others change nothing in it."""

__all__ = ["ActionRow", "History", "RuleRow"]
