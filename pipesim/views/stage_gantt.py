"""Draws one lane a stage: who is inside, their actions, who waits in front."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pipesim.views.figures import Ruler
from pipesim.views.lanes import Bar, BarKind
from pipesim.views.plot import (
    HATCHES,
    MOST_HEIGHT,
    POINTS,
    SMALL_SIZE,
    TEXT_SIZE,
    WIDEST_NAME,
    Plot,
    Words,
    bar_colours,
    draw_time,
    draw_words,
    start_plot,
)
from pipesim.views.stage_lanes import StageLane
from pipesim.views.theme import WAITING, Theme, status_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW, ACTION_ROW, QUEUE_ROW, LANE_PAD = 0.27, 0.19, 0.19, 0.17  # inches
MOST_ROWS = {"inside": 8, "queue": 5}


def draw_stages(
    lanes: Sequence[StageLane],
    words: Words,
    *,
    theme: Theme,
    width: float,
    start: datetime,
    low: float,
    high: float,
    now: float | None,
) -> Figure:
    """Draw one lane a stage, the first on top: who is inside, the actions, who waits in front.

    The arguments are those of `pipesim.views.execution_gantt.draw_executions`.
    """
    ruler = Ruler()
    with_actions = [lane.action_rows > 1 and lane.inside_rows <= 2 for lane in lanes]
    if sum(_lane_height(lane, acts) for lane, acts in zip(lanes, with_actions, strict=True)) > MOST_HEIGHT:
        with_actions = [False] * len(lanes)
    heights = [_lane_height(lane, acts) for lane, acts in zip(lanes, with_actions, strict=True)]
    scale = min(1.0, 1.5 * MOST_HEIGHT / sum(heights))
    names = [ruler.shortened(lane.name, WIDEST_NAME * POINTS, TEXT_SIZE) for lane in lanes]
    names_width = max(ruler.width(name, TEXT_SIZE) for name in [*names, "waiting"]) / POINTS
    span = max(high - low, 1.0)
    plot = start_plot(
        theme, width, sum(heights) * scale + 0.05, names_width, low - span * 0.008, low + span * 1.02, ruler
    )
    draw_time(plot, start, now)
    top = plot.height
    for lane, name, acts, tall in zip(lanes, names, with_actions, heights, strict=True):
        _draw_stage(plot, lane, name, acts, top - LANE_PAD * scale / 2, scale)
        top -= tall * scale
        plot.axes.axhline(top, color=theme.grid, linewidth=0.7, zorder=0.4)
    draw_words(plot, words)
    return plot.figure


def _lane_height(lane: StageLane, with_actions: bool) -> float:
    stay = ROW + (ACTION_ROW * lane.action_rows if with_actions else 0.0)
    inside = ROW * 2 if lane.inside_rows > MOST_ROWS["inside"] else stay * lane.inside_rows
    queue = ROW * 1.5 if lane.queue_rows > MOST_ROWS["queue"] else QUEUE_ROW * lane.queue_rows
    return inside + (queue + 0.05 if queue else 0.0) + LANE_PAD


def _draw_stage(plot: Plot, lane: StageLane, name: str, with_actions: bool, top: float, scale: float) -> None:
    stay = (ROW + (ACTION_ROW * lane.action_rows if with_actions else 0.0)) * scale
    row = ROW * scale
    size = min(SMALL_SIZE, row * POINTS * 0.5)
    cursor = top
    if lane.inside_rows > MOST_ROWS["inside"]:
        cursor -= row * 2
        _draw_level(plot, lane.inside, cursor, row * 2, BarKind.WORK, "inside at once")
        label_at = cursor + row
    else:
        label_at = top - row / 2
        for bar in lane.inside:
            plot.paint(bar, top - stay * bar.row - row, row * 0.94, size)
        if with_actions:
            sub = ACTION_ROW * scale
            for bar in lane.actions:
                bottom = top - stay * bar.row - row - sub * (bar.slot + 1)
                letters = min(7.5, sub * POINTS * 0.56)
                if not plot.paint(bar, bottom + sub * 0.06, sub * 0.88, letters):
                    plot.beside(bar, bottom + sub * 0.5, letters, _next_start(bar, lane.actions, plot.high))
        cursor -= stay * lane.inside_rows
    plot.name(label_at, name, TEXT_SIZE, plot.theme.ink)
    if not lane.queue_rows:
        return
    cursor -= 0.05 * scale
    if lane.queue_rows > MOST_ROWS["queue"]:
        _draw_level(plot, lane.queue, cursor - row * 1.5, row * 1.5, BarKind.WAIT, "waiting at once")
        plot.name(cursor - row * 0.75, "waiting", SMALL_SIZE, plot.theme.muted)
        return
    sub = QUEUE_ROW * scale
    for bar in lane.queue:
        plot.paint(bar, cursor - sub * (bar.row + 1), sub * 0.86, min(7.5, sub * POINTS * 0.56))
    plot.name(cursor - sub * 0.5, "waiting", SMALL_SIZE - 1, plot.theme.muted)


def _next_start(bar: Bar, others: Sequence[Bar], end: float) -> float:
    """When the next bar of the same row begins; the end of the picture when none does."""
    same = (one.start for one in others if (one.row, one.slot) == (bar.row, bar.slot) and one.start >= bar.end)
    return min(same, default=end)


def _draw_level(plot: Plot, bars: Sequence[Bar], bottom: float, height: float, kind: BarKind, words: str) -> None:
    """Draw how many bars lie over each other at each time, as an area of steps, and name its greatest height."""
    steps = sorted([(bar.start, 1) for bar in bars] + [(bar.end, -1) for bar in bars])
    times: list[float] = []
    levels: list[int] = []
    level = 0
    for time, change in steps:
        level += change
        if times and times[-1] == time:
            levels[-1] = level
        else:
            times.append(time)
            levels.append(level)
    most = max(levels)
    sample = Bar(kind, 0, 1, "InProgress", (), "", "")
    _, edge, _ = bar_colours(sample, plot.theme)
    area = plot.axes.fill_between(
        times,
        bottom,
        [bottom + height * 0.92 * value / most for value in levels],
        step="post",
        facecolor=status_style(WAITING if kind is BarKind.WAIT else "InProgress", plot.theme).fill,
        edgecolor=edge,
        linewidth=0.8,
        hatch=HATCHES.get(kind),
    )
    area.set_gid(f"level-{plot.count}")
    plot.note(
        "label",
        times[levels.index(most)] + 4 / plot.points_per_second,
        bottom + height * 0.46,
        f"up to {most} {words}",
        size=SMALL_SIZE,
        colour=plot.theme.ink,
        ha="left",
        va="center",
        bbox={"facecolor": plot.theme.background, "edgecolor": "none", "pad": 1.2},
        zorder=4,
    )
