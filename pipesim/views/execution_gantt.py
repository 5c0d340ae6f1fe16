"""Draws one lane an execution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipesim.views.figures import Ruler
from pipesim.views.lanes import Lane
from pipesim.views.plot import (
    GAP,
    LEAST_SIZE,
    MOST_HEIGHT,
    POINTS,
    RIGHT,
    SMALL_SIZE,
    TEXT_SIZE,
    WIDEST_NAME,
    Plot,
    Words,
    draw_time,
    draw_words,
    fitting_label,
    start_plot,
)
from pipesim.views.theme import Theme, status_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FULL_LANE, THIN_LANE = 0.46, 0.07  # inches
END_MARKERS = {"Failed": "X", "Superseded": ">", "Stopped": "s", "Cancelled": "D"}


def needed_end(ends: Iterable[tuple[float, float]], low: float, high: float, room: float) -> float:
    """Return up to when an axis must reach so that every text beginning at a time fits behind it.

    Args:
        ends: the time at which each text begins, in seconds, and how wide it is, in points.
        low: where the axis begins, in seconds.
        high: where it ends at the earliest, in seconds.
        room: how wide the axis is, in points.
    """
    reach = high
    for time, wide in ends:
        share = min(wide / room, 0.6)
        reach = max(reach, low + (time - low) / (1 - share))
    return reach


def draw_executions(
    lanes: Sequence[Lane],
    words: Words,
    *,
    theme: Theme,
    width: float,
    start: datetime,
    low: float,
    high: float,
    now: float | None,
) -> Figure:
    """Draw one lane an execution, the first at the bottom, and return the figure.

    Args:
        lanes: the lanes, the first execution first.
        words: what is written around them.
        theme: the colours.
        width: inches.
        start: the moment of second 0 (aware, UTC).
        low: where the axis begins, in seconds.
        high: the last moment that must be seen, in seconds.
        now: where the line of now stands, in seconds, or None.
    """
    ruler = Ruler()
    thick = min(FULL_LANE, max(THIN_LANE, MOST_HEIGHT / len(lanes)))
    if len(lanes) > 12:
        thick = min(thick, 0.34)
    room_for_text = thick * POINTS >= 10
    size = min(SMALL_SIZE, thick * 0.62 * POINTS * 0.78)
    name_size = min(TEXT_SIZE, max(SMALL_SIZE - 1, thick * POINTS * 0.75))
    names = [ruler.shortened(lane.name, WIDEST_NAME * POINTS, name_size) for lane in lanes]
    names_width = max(ruler.width(name, name_size) for name in names) / POINTS
    inner = (width - names_width - 2 * GAP - RIGHT) * POINTS
    span = max(high - low, 1.0)
    low -= span * 0.008
    note_size = min(SMALL_SIZE, max(LEAST_SIZE, thick * POINTS * 0.6))
    height = thick * 0.62
    high = max(high, low + span)
    notes: list[str | None] = [None] * len(lanes)
    reach = high
    for _ in range(2):
        per_second = inner / (reach - low)
        notes = (
            [_note(lane, ruler, inner * 0.4, note_size, per_second, size) for lane in lanes] if room_for_text else notes
        )
        wide = [10.0 + (ruler.width(note, note_size) if note else 0.0) for note in notes]
        reach = needed_end([(lane.note_at, w) for lane, w in zip(lanes, wide, strict=True)], low, high, inner)
    high = reach
    plot = start_plot(theme, width, thick * len(lanes) + 0.1, names_width, low, high, ruler)
    draw_time(plot, start, now)
    every = 1 if thick * POINTS >= name_size * 1.1 else -(-int(name_size * 1.25) // int(thick * POINTS))
    for index, (lane, name, note) in enumerate(zip(lanes, names, notes, strict=True)):
        middle = 0.05 + thick * (index + 0.5)
        for bar in lane.bars:
            plot.paint(bar, middle - height / 2, height, size)
        if index % every == 0:
            plot.name(middle, name, name_size, theme.ink)
        _draw_end(plot, lane, note, middle, height, note_size)
    draw_words(plot, words)
    return plot.figure


def _note(lane: Lane, ruler: Ruler, room: float, size: float, per_second: float, bar_size: float) -> str | None:
    """Return what is written behind a lane: shorter when the bar that ends there says where it is."""
    last = lane.bars[-1] if lane.bars else None
    notes = lane.notes
    if last is not None:
        label = fitting_label(ruler, last, (last.end - last.start) * per_second, bar_size)
        if label is not None and last.stage in label[0]:
            notes = lane.short_notes
    return ruler.first_fitting(notes, room, size)


def _draw_end(plot: Plot, lane: Lane, note: str | None, middle: float, height: float, size: float) -> None:
    from matplotlib.lines import Line2D

    colour = status_style(lane.note_status, plot.theme).text
    gap = 5 / plot.points_per_second
    if note is not None:
        plot.note(
            "note",
            lane.note_at + gap,
            middle,
            note,
            size=size,
            colour=colour,
            ha="left",
            va="center",
            bbox={"facecolor": plot.theme.background, "edgecolor": "none", "pad": 0.8},
            zorder=3.5,
        )
    elif lane.note_status in END_MARKERS:
        marker = Line2D(
            [lane.note_at + gap],
            [middle],
            marker=END_MARKERS[lane.note_status],
            markersize=max(2.5, height * POINTS * 0.9),
            markeredgewidth=0,
            color=colour,
            linestyle="",
        )
        plot.add(marker, "end")
