"""A dashboard of metrics, alarms and text, laid out on a grid of 24 columns as its maker wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipesim.views.chart import DASHES, MARKERS, SMALL, TEXT, TITLE, Chart
from pipesim.views.figures import count_text, font, moment_text, new_figure, one_line, time_ticks, write
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 24
WIDTH = 12.0
ROW = 0.36
HEAD = 0.5
STATES = {"OK": ("Succeeded", "OK"), "ALARM": ("Failed", "In alarm"), "INSUFFICIENT_DATA": ("NotStarted", "No data")}


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of a panel.

    Attributes:
        label: what it is called.
        points: (seconds since the start, value), the earliest first.
    """

    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One widget of a dashboard.

    Attributes:
        title: what stands above it.
        place: column, row, width and height on the grid.
        lines: metrics over time.
        limits: values at which a horizontal line is drawn, with their names.
        alarms: names and states of alarms.
        text: words; paragraphs are separated by line ends.
        numbers: show the newest value of each metric instead of its course.
    """

    title: str
    place: tuple[float, float, float, float]
    lines: tuple[Line, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()
    alarms: tuple[tuple[str, str], ...] = ()
    text: str = ""
    numbers: bool = False


def dashboard(
    panels: Sequence[Panel], start: datetime, until: float, *, name: str = "", theme: str | Theme = "light"
) -> Chart:
    """Return a dashboard as a picture, and its newest values as a table.

    Args:
        panels: its widgets.
        start: the calendar moment of time zero.
        until: where the axis of time ends, in seconds since the start.
        name: the title.
        theme: ``light``, ``dark`` or a theme.
    """
    palette = find_theme(theme)
    rows = [("widget", "what", "newest value")]
    for panel in panels:
        rows += [(panel.title, one.label, f"{one.points[-1][1]:g}" if one.points else "no data") for one in panel.lines]
        rows += [(panel.title, alarm, STATES.get(state, ("", state))[1]) for alarm, state in panel.alarms]
    ringing = sum(1 for panel in panels for _, state in panel.alarms if state == "ALARM")
    alt = f"Dashboard {name}: {count_text(len(panels), 'widget')}, {count_text(ringing, 'alarm')} in state ALARM."

    def make() -> Figure:
        height = max((y + tall for _, y, _, tall in (panel.place for panel in panels)), default=4) * ROW + HEAD
        figure = new_figure(WIDTH, height, palette.background)
        figure.text(0.012, 1 - 0.3 / height, one_line(name), fontproperties=font(TITLE, "bold"), color=palette.ink)
        for panel in panels:
            x, y, wide, tall = panel.place
            box = (x / COLUMNS, 1 - (HEAD + (y + tall) * ROW) / height, wide / COLUMNS, tall * ROW / height)
            _draw(figure, box, height, panel, palette, start, until)
        return figure

    return Chart(make, alt=alt, title=name, rows=rows)


def _draw(
    figure: Figure,
    box: tuple[float, float, float, float],
    height: float,
    panel: Panel,
    palette: Theme,
    start: datetime,
    until: float,
) -> None:
    left, low, wide, tall = box
    frame = figure.add_axes((left + 0.005, low + 0.04 / height, wide - 0.01, tall - 0.08 / height), label=str(box))
    frame.set_facecolor(palette.card)
    frame.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    for side in frame.spines.values():
        side.set_color(palette.grid)
    inches = tall * height
    head = 1 - 0.2 / inches
    letters = int(wide * WIDTH * 12)
    write(frame, 0.012, head, one_line(panel.title, letters), size=TEXT, colour=palette.ink, va="center")
    if panel.text:
        _write_text(frame, panel, palette, head, inches, letters)
    if panel.alarms:
        _draw_alarms(frame, panel, palette, head, inches, letters)
    if panel.lines and panel.numbers:
        for at, line in enumerate(panel.lines):
            value = f"{line.points[-1][1]:,.6g}" if line.points else "no data"
            middle = (at + 0.5) / len(panel.lines)
            write(frame, middle, 0.5, value, size=16, colour=palette.ink, ha="center", va="center")
            label = one_line(line.label, max(8, letters // len(panel.lines)))
            write(frame, middle, 0.15, label, size=SMALL, colour=palette.muted, ha="center", va="center")
    elif panel.lines or panel.limits:
        key = 0.19 * len(panel.lines)
        inner = (left + 0.045, low + (0.5 + key) / height, wide - 0.06, max(0.2, inches - 1.0 - key) / height)
        axes = figure.add_axes(inner, label=f"{box} lines")
        _draw_lines(axes, panel, palette, start, until)
        if panel.lines:
            axes.legend(
                loc="upper left", bbox_to_anchor=(0, -0.38 / (inner[3] * height)), frameon=False, borderaxespad=0,
                prop=font(SMALL), labelcolor=palette.ink, handlelength=2.6, labelspacing=0.25,
            )  # fmt: skip


def _write_text(frame: Axes, panel: Panel, palette: Theme, head: float, inches: float, letters: int) -> None:
    for at, line in enumerate(panel.text.splitlines()):
        y = head - (at + 1) * 0.2 / inches
        if y > 0.02:
            words = line.lstrip("#* ").strip()
            write(frame, 0.012, y, one_line(words, letters), size=TEXT, colour=palette.muted, va="center")


def _draw_alarms(frame: Axes, panel: Panel, palette: Theme, head: float, inches: float, letters: int) -> None:
    for at, (alarm, state) in enumerate(panel.alarms):
        status, word = STATES.get(state, ("NotStarted", state))
        style = palette.statuses[status]
        y = head - (at + 1) * 0.28 / inches
        if y > 0.02:
            text = one_line(f"{style.symbol} {alarm}: {word}", letters)
            patch = {"facecolor": style.fill, "edgecolor": style.edge, "boxstyle": "round,pad=0.25"}
            write(frame, 0.02, y, text, size=TEXT, colour=style.text, va="center", bbox=patch)


def _draw_lines(axes: Axes, panel: Panel, palette: Theme, start: datetime, until: float) -> None:
    axes.set_facecolor(palette.card)
    begin = min((line.points[0][0] for line in panel.lines if line.points), default=0.0)
    margin = max(60.0, (until - begin) * 0.02)
    for at, line in enumerate(panel.lines):
        colour = palette.series[at % len(palette.series)]
        xs, ys = zip(*line.points, strict=True) if line.points else ((), ())
        label = one_line(line.label) if line.points else one_line(f"{line.label} (no data)")
        axes.plot(
            xs, ys, color=colour, linestyle=DASHES[at % len(DASHES)], marker=MARKERS[at % len(MARKERS)], markersize=4,
            linewidth=1.4, label=label,
        )  # fmt: skip
    for name, limit in panel.limits:
        axes.axhline(limit, color=palette.statuses["Failed"].edge, linestyle=(0, (6, 3)), linewidth=1)
        write(axes, 1.0, limit, one_line(f"{name} {limit:g} ", 30), size=SMALL, colour=palette.statuses["Failed"].text,
              ha="right", va="bottom", transform=axes.get_yaxis_transform())  # fmt: skip
    axes.set_xlim(begin - margin, until + margin)
    axes.margins(y=0.1)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    unit, places, labels = time_ticks(begin, until, 6)
    axes.set_xticks(places, labels, fontproperties=font(SMALL))
    axes.tick_params(colors=palette.ink, labelsize=SMALL)
    axes.grid(color=palette.grid, linewidth=0.6)
    axes.set_xlabel(f"{unit.name} since {moment_text(start)}", fontproperties=font(SMALL), color=palette.muted)
    for side in axes.spines.values():
        side.set_color(palette.line)
