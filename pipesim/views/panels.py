"""What a board shows, as data: one panel a stage, with its door, its occupants and its actions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from pipesim.definition.model import Action, Pipeline, Stage
from pipesim.trace.snapshot import ActionState, ConditionState, ExecutionState, PipelineState, StageState
from pipesim.views.figures import MINUTE, duration_text, one_line
from pipesim.views.theme import NOT_STARTED, WAITING, WORDS
from pipesim.vocabulary import ActionExecutionStatus, ExecutionType, StageExecutionStatus
from pipesim.vocabulary import PipelineExecutionStatus as Status

MOST_TOKENS = 6
MOST_ENDED = 6
GATES = {"BEFORE_ENTRY": "entry condition", "ON_SUCCESS": "success condition", "ON_FAILURE": "failure condition"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text with the status that gives it sign and colour; "" for neither."""

    text: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """What stands before a stage: the transition, and who waits there, the first to enter first."""

    enabled: bool
    reason: str
    waiting: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One action: its name, its provider, its status and what else there is to say."""

    name: str
    provider: str
    status: str
    word: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One stage: its door, its status, who is inside, its actions, its conditions."""

    name: str
    status: str
    word: str
    door: Door
    inside: tuple[Line, ...]
    cards: tuple[Card, ...]
    lines: tuple[Line, ...] = ()


def lasting(seconds: float) -> str:
    """Return a length of time in few characters, whole minutes from two minutes on, that no line break divides."""
    rounded = seconds if seconds < 2 * MINUTE else round(seconds / MINUTE) * MINUTE
    return duration_text(rounded).replace(" ", "\u00a0")


def token_text(execution: ExecutionState | None, id: str) -> str:
    """Return what an execution is called on a board."""
    if execution is None:
        return one_line(id, 20)
    if execution.type is ExecutionType.ROLLBACK:
        return f"#{execution.number} · rollback"
    return f"#{execution.number} · {one_line(execution.change, 16)}" if execution.change else f"#{execution.number}"


def panels(pipeline: Pipeline, state: PipelineState) -> tuple[Panel, ...]:
    """Return the panels of a board, in the order of the stages."""
    declared = {stage.name: stage for stage in pipeline.stages}
    return tuple(_panel(declared.get(stage.name), stage, state) for stage in state.stages)


def _panel(declared: Stage | None, stage: StageState, state: PipelineState) -> Panel:
    status, word = _stage_status(stage)
    inside = [(id, _status_inside(stage, id)) for id in stage.occupants]
    if not inside and stage.latest is not None:
        inside = [(stage.latest.execution, str(stage.latest.status))]
    actions = {action.name: action for action in declared.actions} if declared else {}
    return Panel(
        name=one_line(stage.name, 60),
        status=status,
        word=word,
        door=Door(
            enabled=stage.transition.enabled,
            reason=one_line(stage.transition.reason, 80),
            waiting=_tokens(state, [(id, WAITING) for id in stage.inbound]),
        ),
        inside=_tokens(state, inside),
        cards=tuple(_card(actions.get(action.name), action, stage, state) for action in stage.actions),
        lines=tuple(_condition(condition) for condition in stage.conditions.values()),
    )


def _stage_status(stage: StageState) -> tuple[str, str]:
    if stage.latest is not None:
        status = str(stage.latest.status)
        attempt = f", attempt {stage.latest.attempt}" if stage.latest.attempt > 1 else ""
        return status, WORDS[status][2] + attempt
    if stage.occupants:
        status = str(StageExecutionStatus.IN_PROGRESS)
        return status, WORDS[status][2]
    ran = any(action.latest is not None for action in stage.actions)
    return NOT_STARTED, "Nobody inside" if ran else WORDS[NOT_STARTED][2]


def _status_inside(stage: StageState, id: str) -> str:
    if stage.latest is not None and stage.latest.execution == id:
        return str(stage.latest.status)
    return str(StageExecutionStatus.IN_PROGRESS)


def _tokens(state: PipelineState, ids: Iterable[tuple[str, str]]) -> tuple[Line, ...]:
    every = [Line(token_text(state.executions.get(id), id), status) for id, status in ids]
    if len(every) <= MOST_TOKENS:
        return tuple(every)
    return (*every[: MOST_TOKENS - 1], Line(f"and {len(every) - MOST_TOKENS + 1} more"))


def _card(declared: Action | None, action: ActionState, stage: StageState, state: PipelineState) -> Card:
    latest = action.latest
    provider = one_line(declared.provider, 40) if declared else ""
    if declared and declared.is_approval:
        provider = "Manual approval"
    name = one_line(action.name, 60)
    if latest is None:
        return Card(name, provider, NOT_STARTED, WORDS[NOT_STARTED][2])
    status = str(latest.status)
    word = WORDS[status][2]
    lines: list[Line] = []
    of_stage = stage.latest.execution if stage.latest is not None else None
    if latest.execution is not None and latest.execution != of_stage:
        lines.append(Line(f"of {token_text(state.executions.get(latest.execution), latest.execution)}"))
    if latest.attempt > 1:
        word += f", attempt {latest.attempt}"
    if latest.status is ActionExecutionStatus.IN_PROGRESS:
        since = lasting(state.time - latest.started)
        if latest.waiting_for is not None:
            lines.append(Line(f"waits for {one_line(latest.waiting_for, 30)}, {since}", WAITING))
        elif latest.token is not None:
            lines.append(Line(f"waits for an answer, {since}", WAITING))
        else:
            word += f", {since}"
    elif latest.ended is not None:
        word += f" in {lasting(latest.ended - latest.started)}"
    if latest.message or latest.code:
        lines.append(Line(one_line(latest.message or latest.code, 80), status))
    elif latest.summary:
        lines.append(Line(one_line(latest.summary, 80)))
    if latest.updated_by:
        lines.append(Line(f"answered by {one_line(latest.updated_by, 30)}"))
    if action.revision is not None and declared is not None and declared.category == "Source":
        told = message_of(action.revision.summary)
        said = "" if told == latest.summary else told
        lines.append(Line(one_line(f"{action.revision.id[:12]} {said}".rstrip(), 60)))
    return Card(name, provider, status, word, tuple(lines))


def message_of(summary: str) -> str:
    """Return what people want to read of a revision's summary: the message of the commit, where it is in JSON.

    Args:
        summary: as the source reports it; a connection reports JSON.

    >>> message_of('{"ProviderType": "GitHub", "CommitMessage": "Fix the price"}'), message_of("change 42")
    ('Fix the price', 'change 42')
    """
    try:
        told = json.loads(summary)
    except ValueError:
        return summary
    return str(told.get("CommitMessage") or summary) if isinstance(told, dict) else summary


def _condition(condition: ConditionState) -> Line:
    gate = GATES.get(condition.gate, condition.gate)
    status = str(condition.status)
    return Line(f"{gate}: {WORDS[status][2].lower()}", status)


def ended_lines(state: PipelineState, most: int = MOST_ENDED) -> tuple[Line, ...]:
    """Return one line for each of the executions that ended last, the newest first."""
    ended = sorted(
        (e for e in state.executions.values() if e.ended is not None), key=lambda e: (e.ended or 0.0, e.number)
    )
    return tuple(ended_line(execution, state) for execution in reversed(ended[-most:]))


def ended_line(execution: ExecutionState, state: PipelineState) -> Line:
    """Return the line of one execution that has ended, such as ``#3 · c0ffee1 failed in Test``."""
    text = f"{token_text(execution, execution.id)} {WORDS[execution.status][2].lower()}"
    newer = state.executions.get(execution.superseded_by or "")
    if execution.status is Status.SUPERSEDED and newer is not None:
        text += f" by #{newer.number}"
    elif execution.status in (Status.FAILED, Status.STOPPED) and execution.stage:
        text += f" in {one_line(execution.stage, 30)}"
    if execution.status is Status.STOPPED and execution.stop_reason:
        text += f": {one_line(execution.stop_reason, 40)}"
    return Line(text, str(execution.status))
