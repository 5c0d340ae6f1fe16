"""The pieces of a diagram as Graphviz tables: an action's card, a gate's strip, what stands at a stage's door."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pipesim.definition.model import Action, Condition, Stage
from pipesim.trace.snapshot import ActionState, ConditionState, PipelineState, StageState
from pipesim.views.diagram_labels import attribute, markup, plain, shorten
from pipesim.views.theme import DISABLED, WAITING, StatusStyle, Theme, status_style
from pipesim.vocabulary import ExecutionType, StageExecutionStatus

CARD_WIDTH = 148
CARDS_IN_A_COLUMN = 7
DOOR_WIDTH = 96
NAMED_EXECUTIONS = 3
NAME_SIZE = 12
HEADING_SIZE = 14
SMALL_SIZE = 10
GATES = {"BEFORE_ENTRY": "entry", "ON_SUCCESS": "success", "ON_FAILURE": "failure"}


def execution_label(state: PipelineState, execution: str) -> str:
    """Return how an execution is called in a picture: its number, and its change when it has one."""
    known = state.executions.get(execution)
    if known is None:
        return plain(execution)
    return f"#{known.number} {plain(known.change)}" if known.change else f"#{known.number}"


def execution_labels(state: PipelineState, executions: Sequence[str], most: int = NAMED_EXECUTIONS) -> list[str]:
    """Return the labels of the first few executions, and how many more there are."""
    named = [execution_label(state, execution) for execution in executions[:most]]
    more = len(executions) - most
    return [*named, f"and {more} more"] if more > 0 else named


def stage_status(stage: StageState | None) -> str | None:
    """Return the status that colours a stage; None when nothing ever entered it.

    Executions in PARALLEL mode leave no latest stage execution: a stage with one inside is in progress.
    """
    if stage is None:
        return None
    if stage.latest is not None:
        return stage.latest.status.value
    return StageExecutionStatus.IN_PROGRESS.value if stage.occupants else None


def stage_lines(stage: StageState | None, state: PipelineState | None) -> list[str]:
    """Return what is written under a stage's name: status, attempt, who is inside or was last, rollback."""
    if stage is None or state is None:
        return []
    style = status_style(stage_status(stage))
    latest = stage.latest
    attempt = f", attempt {latest.attempt}" if latest and latest.attempt > 1 else ""
    lines = [f"{style.shape} {style.word}{attempt}"]
    if latest and not stage.occupants:
        lines.append(execution_label(state, latest.execution))
    if latest and latest.type is ExecutionType.ROLLBACK:
        lines.append(_rollback_text(state, latest.execution))
    return lines + [
        label if place >= NAMED_EXECUTIONS else f"inside: {label}"
        for place, label in enumerate(execution_labels(state, stage.occupants))
    ]


def stage_label(stage: Stage, known: StageState | None, state: PipelineState | None, theme: Theme, width: float) -> str:
    """Return the heading of a stage's panel, no wider than `width` points."""
    ink = status_style(stage_status(known), theme).text
    name = markup(shorten(stage.name, width, HEADING_SIZE, bold=True))
    rows = [_font(f"<b>{name}</b>", HEADING_SIZE, theme.ink)]
    rows += [_font(markup(shorten(line, width, SMALL_SIZE)), SMALL_SIZE, ink) for line in stage_lines(known, state)]
    cells = "".join(f'<tr><td align="left">{row}</td></tr>' for row in rows)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{cells}</table>>'


def group_label(
    stage: Stage,
    actions: Sequence[Action],
    known: StageState | None,
    state: PipelineState | None,
    theme: Theme,
    *,
    numbered: bool,
    first: bool,
    last: bool,
) -> str:
    """Return the table of one action group: its cards, with the gates above and below.

    Args:
        stage: the stage of the declaration.
        actions: the group's actions, in the order of the document.
        known: the stage's state; None to draw the declaration alone.
        state: the pipeline's state; None to draw the declaration alone.
        theme: the palette.
        numbered: whether to write the group's runOrder above it.
        first: whether it is the first group, behind the entry gate.
        last: whether it is the last group, before the success and failure gates.
    """
    columns = columns_of(actions)
    tall = math.ceil(len(actions) / columns)
    rows = []
    if first and stage.before_entry:
        rows.append(_across(_gate("BEFORE_ENTRY", stage, known, state, theme), columns))
    if numbered:
        rows.append(_across(_font(f"run order {actions[0].run_order}", SMALL_SIZE, theme.muted), columns))
    for row in range(tall):
        places = range(row, len(actions), tall)
        cells = "".join(f"<td>{_card(actions[place], place, known, state, theme)}</td>" for place in places)
        rows.append(f"<tr>{cells}</tr>")
    if last and stage.on_success:
        rows.append(_across(_gate("ON_SUCCESS", stage, known, state, theme), columns))
    if last and stage.on_failure:
        rows.append(_across(_gate("ON_FAILURE", stage, known, state, theme), columns))
    return f'<<table border="0" cellborder="0" cellspacing="5" cellpadding="0">{"".join(rows)}</table>>'


def columns_of(actions: Sequence[Action]) -> int:
    """Return in how many columns the cards of a group stand."""
    return max(1, math.ceil(len(actions) / CARDS_IN_A_COLUMN))


def port(place: int) -> str:
    """Return the name of the place in a group's table where edges of an action begin and end."""
    return f"a{place}"


def has_door(stage: StageState | None) -> bool:
    """Whether there is something to see in front of a stage: a disabled transition or waiting executions."""
    return stage is not None and (not stage.transition.enabled or bool(stage.inbound))


def door_label(stage: StageState, state: PipelineState, theme: Theme) -> str:
    """Return the table of what stands in front of a stage."""
    rows = []
    if not stage.transition.enabled:
        style = status_style(DISABLED, theme)
        text = markup(shorten(f"{style.shape} disabled", DOOR_WIDTH, SMALL_SIZE, bold=True))
        rows.append(_sign(f"<b>{text}</b>", style, style.edge, style.on_edge))
    style = status_style(WAITING, theme)
    for place, label in enumerate(execution_labels(state, stage.inbound)):
        text = label if place >= NAMED_EXECUTIONS else f"waiting: {label}"
        rows.append(_sign(markup(shorten(text, DOOR_WIDTH, SMALL_SIZE)), style, style.fill, style.text))
    cells = "".join(f"<tr><td>{row}</td></tr>" for row in rows)
    return f'<<table border="0" cellborder="0" cellspacing="3" cellpadding="0">{cells}</table>>'


def door_tooltip(stage: StageState, state: PipelineState) -> str:
    """Return what to show when the pointer rests on a door: the transition, and everyone who waits."""
    return attribute(
        transition_text(stage), *(f"waiting: {execution_label(state, execution)}" for execution in stage.inbound)
    )


def transition_text(stage: StageState | None) -> str:
    """Return a transition's state in words.

    >>> transition_text(StageState("Build"))
    'transition into Build: enabled'
    """
    if stage is None:
        return "transition"
    if stage.transition.enabled:
        return f"transition into {stage.name}: enabled"
    by = f" by {stage.transition.changed_by}" if stage.transition.changed_by else ""
    reason = f": {stage.transition.reason}" if stage.transition.reason else ""
    return f"transition into {stage.name}: disabled{by}{reason}"


def group_tooltip(actions: Iterable[Action], known: StageState | None, state: PipelineState | None) -> str:
    """Return what to show when the pointer rests on a group of actions: one line an action."""
    return attribute(*(_action_text(action, known, state) for action in actions))


def provider_text(action: Action) -> str:
    """Return the provider as it is written on a card.

    >>> from pipesim.definition.model import ActionTypeId
    >>> provider_text(Action("Ask", ActionTypeId("Approval", "AWS", "Manual")))
    'Manual approval'
    """
    return "Manual approval" if action.is_approval and action.provider == "Manual" else action.provider


def action_words(name: str, known: StageState | None, state: PipelineState) -> str:
    """Return an action's status in words: attempt, what it waits for, and whose it is when that is not plain.

    Args:
        name: the action's name.
        known: the state of its stage.
        state: the pipeline's state.
    """
    found = _action_state(known, name)
    run = found.latest if found else None
    if run is None:
        return status_style(None).word
    parts = [status_style(run.status).word]
    if run.waiting_for:
        parts = [f"Waiting for {run.waiting_for}"]
    elif run.token is not None and run.ended is None:
        parts = ["Waits for approval"]
    if run.percent is not None and run.ended is None:
        parts.append(f"{run.percent} %")
    if run.attempt > 1:
        parts.append(f"attempt {run.attempt}")
    latest = known.latest if known else None
    if run.execution is not None and (latest is None or run.execution != latest.execution):
        parts.append(_number(state, run.execution))
    return ", ".join(parts)


def gate_words(gate: str, stage: Stage, found: ConditionState | None, *, with_state: bool) -> str:
    """Return a gate's state in words, or, without a state, what the declaration asks for.

    Args:
        gate: ``BEFORE_ENTRY``, ``ON_SUCCESS`` or ``ON_FAILURE``.
        stage: the stage of the declaration.
        found: the newest run of the condition; None when it never ran.
        with_state: whether the picture shows a state at all.
    """
    result = _declared_result(gate, stage)
    rules = len(_rules(gate, stage))
    if found is not None:
        word = status_style(found.status).word.lower()
        happened = str(found.result or result or "").lower()
        return f"{word} → {happened}" if found.status.value in ("Failed", "Errored") and happened else word
    if with_state and rules:
        return "not checked"
    asked = [f"{rules} rule{'s' if rules != 1 else ''}"] if rules else []
    leads = [f"→ {plain(result).lower()}"] if result else []
    return " ".join(asked + leads) or "declared"


def gate_tooltip(gate: str, stage: Stage, found: ConditionState | None) -> str:
    """Return what to show when the pointer rests on a gate: its rules, with their state when they ran."""
    ran = {rule.name: rule for rule in found.rules} if found else {}
    lines = [f"{GATES[gate]} gate of {stage.name}"]
    for name, provider in _rules(gate, stage):
        rule = ran.get(name)
        state = f", {status_style(rule.status).word.lower()}" if rule else ""
        why = f" ({rule.message})" if rule and rule.message else ""
        lines.append(f"rule {name} of {provider}{state}{why}")
    result = _declared_result(gate, stage)
    if result:
        lines.append(f"if not met: {result}" if _rules(gate, stage) else f"then: {result}")
    if found and found.summary:
        lines.append(found.summary)
    return "; ".join(lines)


def _card(action: Action, place: int, known: StageState | None, state: PipelineState | None, theme: Theme) -> str:
    status = _action_status(_action_state(known, action.name))
    style = status_style(status, theme)
    room = CARD_WIDTH - 8
    name = markup(shorten(action.name, room, NAME_SIZE, bold=True))
    lines = [_font(f"<b>{name}</b>", NAME_SIZE, theme.ink)]
    if provider := provider_text(action):
        lines.append(_font(markup(shorten(provider, room, SMALL_SIZE)), SMALL_SIZE, theme.muted))
    if state is not None:
        words = f"{style.shape} {action_words(action.name, known, state)}"
        lines.append(_font(markup(shorten(words, room, SMALL_SIZE)), SMALL_SIZE, style.text))
    bar = f'<td rowspan="{len(lines)}" width="7" bgcolor="{style.edge}"></td>'
    rows = "".join(
        f'<tr>{"" if at else bar}<td align="left" width="{CARD_WIDTH}">{line}</td></tr>'
        for at, line in enumerate(lines)
    )
    return (
        f'<table border="0" cellborder="0" cellspacing="0" cellpadding="3" bgcolor="{theme.card}" '
        f'port="{port(place)}" tooltip="{markup(_action_text(action, known, state))}">{rows}</table>'
    )


def _gate(gate: str, stage: Stage, known: StageState | None, state: PipelineState | None, theme: Theme) -> str:
    found = known.conditions.get(gate) if known else None
    style = status_style(found.status if found else None, theme)
    text = f"◊ {GATES[gate]}: {gate_words(gate, stage, found, with_state=state is not None)}"
    shown = _font(markup(shorten(text, CARD_WIDTH, SMALL_SIZE)), SMALL_SIZE, style.text)
    return (
        f'<table border="1" cellborder="0" cellspacing="0" cellpadding="3" color="{style.edge}" '
        f'bgcolor="{style.fill}" tooltip="{markup(gate_tooltip(gate, stage, found))}">'
        f'<tr><td align="left" width="{CARD_WIDTH}">{shown}</td></tr></table>'
    )


def _sign(content: str, style: StatusStyle, fill: str, ink: str) -> str:
    return (
        f'<table border="1" cellborder="0" cellspacing="0" cellpadding="4" color="{style.edge}" bgcolor="{fill}">'
        f'<tr><td width="{DOOR_WIDTH}">{_font(content, SMALL_SIZE, ink)}</td></tr></table>'
    )


def _font(content: str, size: int, colour: str) -> str:
    return f'<font point-size="{size}" color="{colour}">{content}</font>'


def _across(content: str, columns: int) -> str:
    return f'<tr><td colspan="{columns}">{content}</td></tr>'


def _action_state(known: StageState | None, name: str) -> ActionState | None:
    return next((action for action in known.actions if action.name == name), None) if known else None


def _action_status(found: ActionState | None) -> str | None:
    if found is None or found.latest is None:
        return None
    return WAITING if found.latest.waiting_for else found.latest.status.value


def _action_text(action: Action, known: StageState | None, state: PipelineState | None) -> str:
    text = ", ".join(part for part in (action.name, action.category, provider_text(action)) if part)
    if state is None:
        return text
    found = _action_state(known, action.name)
    run = found.latest if found else None
    more = [part for part in (run.summary, run.message) if part] if run else []
    return "; ".join([f"{text}, {action_words(action.name, known, state)}", *more])


def _number(state: PipelineState, execution: str) -> str:
    known = state.executions.get(execution)
    return f"#{known.number}" if known else plain(execution)


def _rollback_text(state: PipelineState, execution: str) -> str:
    known = state.executions.get(execution)
    target = known.rollback_target if known else None
    return f"rollback to {_number(state, target)}" if target else "rollback"


def _conditions(gate: str, stage: Stage) -> tuple[Condition, ...]:
    if gate == "BEFORE_ENTRY":
        return stage.before_entry
    if gate == "ON_SUCCESS":
        return stage.on_success
    return stage.on_failure.conditions if stage.on_failure else ()


def _rules(gate: str, stage: Stage) -> list[tuple[str, str]]:
    return [(rule.name, rule.type.provider) for condition in _conditions(gate, stage) for rule in condition.rules]


def _declared_result(gate: str, stage: Stage) -> str | None:
    if gate == "ON_FAILURE" and stage.on_failure and stage.on_failure.result:
        return stage.on_failure.result
    return next((condition.result for condition in _conditions(gate, stage) if condition.result), None)
