"""The plan of a diagram as DOT text: which stage stands where, and the arrows between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import graphviz

from pipesim.assumptions.units import format_duration
from pipesim.definition.model import Action, Pipeline, Stage
from pipesim.trace.snapshot import PipelineState, StageState
from pipesim.views.diagram_cards import (
    CARD_WIDTH,
    columns_of,
    door_label,
    door_tooltip,
    group_label,
    group_tooltip,
    has_door,
    port,
    stage_label,
    stage_lines,
    stage_status,
    transition_text,
)
from pipesim.views.diagram_labels import attribute, markup, plain, shorten
from pipesim.views.theme import DISABLED, Theme, status_style

SINGLE_ROW = 11
ROW = 7
DASHED = frozenset({"Skipped", "Cancelled"})


@dataclass(frozen=True)
class Place:
    """One stage with everything that its drawing needs."""

    number: int
    stage: Stage
    known: StageState | None

    @cached_property
    def groups(self) -> tuple[tuple[Action, ...], ...]:
        """The action groups, in the order in which they run; one empty group when there is no action."""
        return self.stage.groups or ((),)

    @property
    def nodes(self) -> list[str]:
        """The nodes of the action groups, in the order in which they run."""
        return [f"s{self.number}g{group}" for group in range(len(self.groups))]

    @property
    def chain(self) -> list[str]:
        """The nodes from the door to the last group."""
        return [f"d{self.number}", *self.nodes] if has_door(self.known) else self.nodes

    @property
    def width(self) -> int:
        """The width in columns of cards."""
        return sum(columns_of(group) for group in self.groups) + has_door(self.known)


def plan(
    pipeline: Pipeline, state: PipelineState | None, theme: Theme, *, artifacts: bool, columns: int | None = None
) -> str:
    """Return the DOT text of a pipeline.

    Args:
        pipeline: the declaration.
        state: what to write on it; None for the declaration alone.
        theme: the palette.
        artifacts: whether to draw which artifact goes where.
        columns: how many columns of cards a row has at most; None: eleven in a single row, or up to nine.
    """
    graph = graphviz.Digraph(
        "pipeline",
        graph_attr={
            "rankdir": "LR",
            "bgcolor": theme.background,
            "fontname": theme.font,
            "fontsize": "14",
            "label": _title(pipeline, state, theme),
            "labelloc": "t",
            "labeljust": "l",
            "tooltip": attribute(pipeline.name),
            "nodesep": "0.3",
            "ranksep": "0.35",
            "pad": "0.15",
        },
        node_attr={"shape": "plain", "fontname": theme.font, "fontsize": "12"},
        edge_attr={"color": theme.line, "fontname": theme.font, "fontsize": "10", "fontcolor": theme.muted},
    )
    places = places_of(pipeline, state)
    rows = rows_of(places, columns)
    # Graphviz stacks from the bottom when it draws from left to right, so the first row is written last.
    for row in reversed(rows):
        for place in row:
            _stage(graph, place, state, theme)
    for number, row in reversed(list(enumerate(rows))):
        _road(graph, row, places, theme, backwards=number % 2 == 1)
    if artifacts:
        _artifacts(graph, rows, theme)
    return str(graph.source)


def places_of(pipeline: Pipeline, state: PipelineState | None) -> list[Place]:
    """Return the stages in their order, each with its state when there is one."""
    known = {stage.name: stage for stage in state.stages} if state else {}
    return [Place(number, stage, known.get(stage.name)) for number, stage in enumerate(pipeline.stages)]


def rows_of(places: list[Place], columns: int | None = None) -> list[list[Place]]:
    """Return the stages row by row: one row when they fit, else rows of about equal width."""
    total = sum(place.width for place in places)
    if total <= (columns or SINGLE_ROW):
        return [places] if places else []
    most = columns or ROW + 2
    return min((_filled(places, room) for room in range(max(1, most - 2), most + 1)), key=_raggedness)


def _raggedness(rows: list[list[Place]]) -> tuple[bool, int]:
    """Rate a wrapping: a stage left alone in the last row is worst, then columns that stay empty."""
    widths = [sum(place.width for place in row) for row in rows]
    return len(rows[-1]) == 1, max(widths) * len(rows) - sum(widths)


def _filled(places: list[Place], room: int) -> list[list[Place]]:
    rows: list[list[Place]] = [[]]
    filled = 0
    for place in places:
        if rows[-1] and filled + place.width > room:
            rows.append([])
            filled = 0
        rows[-1].append(place)
        filled += place.width
    return rows


def _title(pipeline: Pipeline, state: PipelineState | None, theme: Theme) -> str:
    mode = plain(pipeline.execution_mode)
    parts = [f"{mode} mode"]
    if kind := pipeline.effective_type:
        parts.append(f"type {plain(kind)}")
    if state is not None:
        parts.append(f"after {format_duration(state.time, 2)}" if state.time else "at the start")
    return (
        f'<<font point-size="16" color="{theme.ink}"><b>{markup(shorten(pipeline.name, 480, 16, bold=True))}</b></font>'
        f'<font point-size="12" color="{theme.muted}">   {markup(", ".join(parts))}</font><br align="left"/>>'
    )


def _stage(graph: graphviz.Digraph, place: Place, state: PipelineState | None, theme: Theme) -> None:
    stage, known = place.stage, place.known
    status = stage_status(known)
    style = status_style(status, theme)
    if known is not None and state is not None and has_door(known):
        graph.node(f"d{place.number}", label=door_label(known, state, theme), tooltip=door_tooltip(known, state))
    with graph.subgraph(name=f"cluster_{place.number}") as panel:
        panel.attr(
            label=stage_label(stage, known, state, theme, place.width * CARD_WIDTH),
            labeljust="l",
            style="rounded,filled,dashed" if status in DASHED else "rounded,filled",
            fillcolor=style.fill,
            color=style.edge,
            penwidth="1.3",
            margin="9",
            tooltip=attribute(f"stage {stage.name}", *stage_lines(known, state)),
        )
        for number, (node, actions) in enumerate(zip(place.nodes, place.groups, strict=True)):
            if not actions:
                panel.node(node, label="no action", fontcolor=theme.muted)
                continue
            label = group_label(
                stage,
                actions,
                known,
                state,
                theme,
                numbered=len(place.groups) > 1,
                first=number == 0,
                last=number == len(place.groups) - 1,
            )
            panel.node(node, label=label, tooltip=group_tooltip(actions, known, state))


def _road(graph: graphviz.Digraph, row: list[Place], places: list[Place], theme: Theme, *, backwards: bool) -> None:
    for place in row:
        previous = places[place.number - 1] if place.number else None
        if previous is not None:
            look = _transition_look(place, theme)
            if place is row[0]:
                # The turn into this row: no step sideways, and the old row stays above the new one.
                graph.edge(place.chain[0], previous.chain[-1], dir="back", minlen="0", weight="50", **look)
            else:
                _arrow(graph, previous.chain[-1], place.chain[0], backwards, look)
        for one, other in zip(place.chain, place.chain[1:], strict=False):
            look = _transition_look(place, theme) if one.startswith("d") else {"arrowsize": "0.7"}
            _arrow(graph, one, other, backwards, look)


def _arrow(graph: graphviz.Digraph, one: str, other: str, backwards: bool, look: Mapping[str, str]) -> None:
    if backwards:
        graph.edge(other, one, dir="back", weight="100", **look)
    else:
        graph.edge(one, other, weight="100", **look)


def _transition_look(place: Place, theme: Theme) -> dict[str, str]:
    look = {"penwidth": "1.4", "tooltip": attribute(transition_text(place.known))}
    if place.known is not None and not place.known.transition.enabled:
        look |= {"style": "dashed", "color": status_style(DISABLED, theme).edge}
    return look


def _artifacts(graph: graphviz.Digraph, rows: list[list[Place]], theme: Theme) -> None:
    for (tail, head), names in _flows(rows).items():
        label = ", ".join(names)
        graph.edge(
            tail,
            head,
            label=f'<<font point-size="9">{markup(shorten(label, 110, 9))}</font>>',
            tooltip=attribute(f"artifact {label}"),
            color=theme.series[0],
            fontcolor=theme.series[0],
            style="dashed",
            arrowsize="0.6",
            constraint="false",
        )


@dataclass(frozen=True, slots=True)
class _End:
    """Where an artifact is made or used: a node, the action's port in it, the row that it stands in."""

    node: str
    port: str
    row: int

    def at(self, side: str) -> str:
        """Return the end as Graphviz wants it; `side` is a point of the compass or empty."""
        return ":".join(part for part in (self.node, self.port, side) if part)


def _flows(rows: list[list[Place]]) -> dict[tuple[str, str], list[str]]:
    """Return the artifacts from each producer to each consumer; to a whole group when several of it consume."""
    produced: dict[str, _End] = {}
    flows: dict[tuple[str, str], list[str]] = {}
    for node, actions, row in _groups(rows):
        wanted: dict[str, list[int]] = {}
        for number, action in enumerate(actions):
            for name in action.input_artifacts:
                wanted.setdefault(name, []).append(number)
        for name, consumers in wanted.items():
            if name in produced:
                head = _End(node, port(consumers[0]) if len(consumers) == 1 else "", row)
                flows.setdefault(_sides(produced[name], head), []).append(name)
        for number, action in enumerate(actions):
            for artifact in action.output_artifacts:
                produced[artifact.name] = _End(node, port(number), row)
    return flows


def _sides(tail: _End, head: _End) -> tuple[str, str]:
    if tail.row != head.row:
        return tail.at(""), head.at("")
    return (tail.at("w"), head.at("e")) if tail.row % 2 else (tail.at("e"), head.at("w"))


def _groups(rows: list[list[Place]]) -> Iterator[tuple[str, tuple[Action, ...], int]]:
    for number, row in enumerate(rows):
        for place in row:
            for node, actions in zip(place.nodes, place.groups, strict=True):
                yield node, actions, number
