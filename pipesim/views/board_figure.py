"""A board drawn with matplotlib: the same panels as in HTML, for PNG, SVG and PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipesim.views.figures import Ruler, new_figure, write
from pipesim.views.panels import Line, Panel
from pipesim.views.theme import DISABLED, WAITING, Theme, status_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 72.0
MARGIN, TOP, ROW_GAP = 0.15, 0.65, 0.22  # inches
PANEL, DOOR, QUIET_DOOR = 1.7, 1.15, 0.34  # inches wide
PAD, CARD_GAP = 0.08, 0.07  # inches
NAME, TEXT, SMALL = 10.5, 8.5, 7.5  # points
LEADING = 1.4


@dataclass(frozen=True, slots=True)
class Row:
    """One line of text, ready to be written."""

    text: str
    size: float
    colour: str
    weight: str = "normal"

    @property
    def height(self) -> float:
        """How much height it takes, in inches."""
        return self.size * LEADING / POINTS


class Pen:
    """Turns panels into rows of text that fit, and draws them."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.ruler = Ruler()

    def wrapped(self, line: Line, room: float, size: float, most: int = 2, weight: str = "normal") -> list[Row]:
        """Return a line broken at spaces into at most `most` rows no wider than `room` inches."""
        colour = status_style(line.status, self.theme).text if line.status else self.theme.muted
        words, rows = self.signed(line).split(" "), [""]
        while words:
            longer = f"{rows[-1]} {words[0]}".strip()
            if not rows[-1] or self.ruler.width(longer, size, weight) <= room * POINTS:
                rows[-1] = longer
                words.pop(0)
            elif len(rows) < most:
                rows.append("")
            else:
                rows[-1] = f"{rows[-1]} {' '.join(words)}"
                words = []
        return [Row(self.ruler.shortened(row, room * POINTS, size, weight), size, colour, weight) for row in rows]

    def signed(self, line: Line) -> str:
        """Return a line with the sign of its status in front."""
        return f"{status_style(line.status, self.theme).symbol} {line.text}" if line.status else line.text

    def short(self, text: str, room: float, size: float, colour: str, weight: str = "normal") -> Row:
        """Return a text as one row, cut where it does not fit."""
        return Row(self.ruler.shortened(text, room * POINTS, size, weight), size, colour, weight)

    def head(self, panel: Panel) -> list[Row]:
        """Return the rows above the cards of a panel."""
        room = PANEL - 2 * PAD
        rows = [self.short(panel.name, room, NAME, self.theme.ink, "bold")]
        rows += self.wrapped(Line(panel.word, panel.status), room, TEXT, 2, "bold")
        for line in panel.inside:
            rows += self.wrapped(line, room, TEXT, 1)
        for line in panel.lines:
            rows += self.wrapped(line, room, SMALL)
        return rows

    def cards(self, panel: Panel) -> list[tuple[str, list[Row]]]:
        """Return each card's status and rows."""
        room = PANEL - 4 * PAD - 0.05
        found = []
        for card in panel.cards:
            rows = [self.short(card.name, room, TEXT, self.theme.ink, "bold")]
            if card.provider:
                rows.append(self.short(card.provider, room, SMALL, self.theme.muted))
            rows += self.wrapped(Line(card.word, card.status), room, SMALL)
            for line in card.lines:
                rows += self.wrapped(line, room, SMALL, 3)
            found.append((card.status, rows))
        return found

    def token(self, line: Line, room: float) -> Row:
        """Return an execution's token as one row: without its change where that does not fit."""
        texts = (self.signed(line), self.signed(Line(line.text.partition(" ·")[0], line.status)))
        text = self.ruler.first_fitting(texts, room * POINTS, SMALL) or texts[-1]
        colour = status_style(line.status, self.theme).text if line.status else self.theme.muted
        return self.short(text, room, SMALL, colour)

    def door(self, panel: Panel) -> list[Row]:
        """Return the rows of what stands before a stage."""
        room = DOOR - 0.12
        rows: list[Row] = []
        if not panel.door.enabled:
            rows += self.wrapped(Line("transition disabled", DISABLED), room, SMALL, 3, "bold")
            rows += self.wrapped(Line(panel.door.reason), room, SMALL, 3) if panel.door.reason else []
        if panel.door.waiting:
            rows.append(Row("waiting", SMALL, self.theme.muted))
            rows += [self.token(line, room) for line in panel.door.waiting]
        return rows


def _height(rows: Sequence[Row]) -> float:
    return sum(row.height for row in rows)


def _panel_height(head: Sequence[Row], cards: Sequence[tuple[str, list[Row]]]) -> float:
    return 2 * PAD + _height(head) + sum(_height(rows) + 2 * PAD * 0.6 + CARD_GAP for _, rows in cards)


Shown = tuple[Panel, list[Row], list[tuple[str, list[Row]]], list[Row]]


def _door_width(rows: Sequence[Row]) -> float:
    return DOOR if rows else QUIET_DOOR


def _rows(shown: Sequence[Shown], room: float) -> list[list[Shown]]:
    """Break the stages into rows no wider than `room` inches."""
    grid: list[list[Shown]] = []
    used = room
    for item in shown:
        wide = PANEL + _door_width(item[3])
        if not grid or used + wide > room:
            grid.append([])
            used = 0.0
        used += wide
        grid[-1].append(item)
    return grid


def draw_board(
    title: str, moment: str, panels: Sequence[Panel], ended: Sequence[Line], theme: Theme, width: float
) -> Figure:
    """Return a board as a figure; stages go on in the next row when the width (inches) is used up."""
    pen = Pen(theme)
    shown = [(panel, pen.head(panel), pen.cards(panel), pen.door(panel)) for panel in panels]
    grid = _rows(shown, width - 2 * MARGIN)
    heights = [max(max(_panel_height(h, c), _height(d) + 0.6) for _, h, c, d in row) for row in grid]
    footer = [row for line in ended for row in pen.wrapped(line, width - 2 * MARGIN, TEXT, 1)]
    below = _height(footer) + (TEXT * LEADING / POINTS + 0.1 if footer else 0.0)
    total = TOP + sum(heights) + ROW_GAP * len(grid) + below + MARGIN / 2
    figure = new_figure(width, total, theme.background)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width)
    axes.set_ylim(total, 0)
    axes.axis("off")
    room = (width - 2 * MARGIN) * POINTS
    heading = pen.ruler.shortened(title, room, 12, "bold")
    write(axes, MARGIN, 0.16, heading, size=12, colour=theme.ink, weight="bold", va="top", gid="title")
    subtitle = pen.ruler.shortened(moment, room, TEXT + 1, "normal")
    write(axes, MARGIN, 0.39, subtitle, size=TEXT + 1, colour=theme.muted, va="top")
    y = TOP
    for index, (row, tall) in enumerate(zip(grid, heights, strict=True)):
        x = MARGIN
        for place, (panel, head, cards, door) in enumerate(row):
            if place or index or door:
                wide = _door_width(door)
                _draw_door(axes, panel, door, x, y, wide, theme)
                x += wide
            _draw_panel(axes, panel, head, cards, x, y, theme)
            x += PANEL
        y += tall + ROW_GAP
    if footer:
        y = _write(axes, [Row("Ended, the newest first", TEXT, theme.muted)], MARGIN, y)
        _write(axes, footer, MARGIN, y)
    return figure


def _write(axes: Axes, rows: Sequence[Row], x: float, y: float, align: str = "left") -> float:
    for row in rows:
        write(
            axes,
            x,
            y + row.height / 2,
            row.text,
            size=row.size,
            colour=row.colour,
            weight=row.weight,
            ha=align,
            va="center",
            zorder=5,
            gid="text",
        )
        y += row.height
    return y


def _box(axes: Axes, x: float, y: float, width: float, height: float, rounding: float, **colours: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=f"round,pad=0,rounding_size={rounding}", **colours))


def _draw_panel(
    axes: Axes,
    panel: Panel,
    head: Sequence[Row],
    cards: Sequence[tuple[str, list[Row]]],
    x: float,
    y: float,
    theme: Theme,
) -> None:
    from matplotlib.patches import Rectangle

    style = status_style(panel.status, theme)
    _box(
        axes,
        x,
        y,
        PANEL,
        _panel_height(head, cards),
        0.1,
        facecolor=style.fill,
        edgecolor=style.edge,
        linewidth=1.4,
        gid="stage",
    )
    cursor = _write(axes, head, x + PAD, y + PAD)
    for status, rows in cards:
        cursor += CARD_GAP
        tall = _height(rows) + 2 * PAD * 0.6
        left = x + PAD
        axes.add_patch(Rectangle((left, cursor), PANEL - 2 * PAD, tall, facecolor=theme.card, linewidth=0, gid="card"))
        axes.add_patch(Rectangle((left, cursor), 0.05, tall, facecolor=status_style(status, theme).edge, linewidth=0))
        _write(axes, rows, left + 0.05 + PAD, cursor + PAD * 0.6)
        cursor += tall


def _draw_door(axes: Axes, panel: Panel, rows: Sequence[Row], x: float, y: float, wide: float, theme: Theme) -> None:
    middle, height = x + wide / 2, y + 0.22
    shut = not panel.door.enabled
    look = status_style(DISABLED if shut else WAITING, theme)
    colour = look.edge if shut else theme.line
    axes.annotate(
        "",
        xy=(x + wide - 0.05, height),
        xytext=(x + 0.05, height),
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.3, "linestyle": "--" if shut else "-"},
    )
    if shut:
        for offset in (-0.04, 0.04):
            axes.plot(
                [middle + offset] * 2, [height - 0.12, height + 0.12], color=colour, linewidth=2.5, gid="disabled"
            )
    _write(axes, rows, middle, height + 0.18, "center")
