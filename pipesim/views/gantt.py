"""Draws lanes of bars on an axis of time; `pipesim.views.timeline` says what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipesim.views.figures import Ruler, font, midnights, moment_text, new_figure, time_ticks, write
from pipesim.views.lanes import Bar, BarKind, Lane, StageLane
from pipesim.views.theme import WAITING, Theme, status_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 72.0
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE, LEAST_SIZE = 12.0, 9.5, 8.5, 6.5
TOP, BOTTOM, RIGHT, GAP = 0.74, 0.62, 0.15, 0.12  # inches around the axes
MOST_HEIGHT = 11.0  # inches of lanes
WIDEST_NAME = 2.2  # inches
FULL_LANE, THIN_LANE = 0.46, 0.07  # inches
ROW, ACTION_ROW, QUEUE_ROW, LANE_PAD = 0.27, 0.19, 0.19, 0.17  # inches
MOST_ROWS = {"inside": 8, "queue": 5}
END_MARKERS = {"Failed": "X", "Superseded": ">", "Stopped": "s", "Cancelled": "D"}
HATCHES = {BarKind.WAIT: "////", BarKind.HOLD: "\\\\\\\\"}


@dataclass(frozen=True, slots=True)
class Words:
    """What is written around the lanes: the title, its second line in pieces of (text, status), a remark."""

    title: str
    pieces: tuple[tuple[str, str], ...]
    remark: str = ""


@dataclass(slots=True)
class Plot:
    """A figure with one axes whose x is seconds and whose y is inches above the axis."""

    figure: Figure
    axes: Axes
    ruler: Ruler
    theme: Theme
    low: float
    high: float
    width: float
    height: float
    unlabelled: set[BarKind]
    count: int = 0

    @property
    def points_per_second(self) -> float:
        """How many points of the page one second takes."""
        return self.width * POINTS / (self.high - self.low)

    def span(self, start: float, end: float) -> float:
        """How wide a stretch of time is on the page, in points."""
        return (end - start) * self.points_per_second

    def add(self, artist: Any, kind: str) -> None:
        """Put an artist on the axes and name it, so that it can be found in the SVG."""
        self.count += 1
        artist.set_gid(f"{kind}-{self.count}")
        self.axes.add_artist(artist)

    def note(self, kind: str, x: float, y: float, text: str, **options: Any) -> Any:
        """Write on the axes and name the text."""
        self.count += 1
        found = write(self.axes, x, y, text, **options)
        found.set_gid(f"{kind}-{self.count}")
        return found

    def paint(self, bar: Bar, bottom: float, height: float, size: float) -> bool:
        """Draw a bar with the longest label that fits; return whether a label fitted."""
        from matplotlib.patches import Rectangle

        if bar.kind is BarKind.PAUSE:
            return self._pause(bar, bottom + height / 2, size)
        face, edge, ink = bar_colours(bar, self.theme)
        wide = max(self.span(bar.start, bar.end), 1.2)
        line = 1.0 if wide >= 4 and height * POINTS >= 6 else 0.0 if bar.kind is BarKind.WORK else 0.4
        hatch = HATCHES.get(bar.kind)
        patch = Rectangle(
            (bar.start, bottom),
            wide / self.points_per_second,
            height,
            facecolor=face,
            edgecolor=self.theme.background if bar.kind is BarKind.WORK else edge,
            linewidth=line,
            hatch=hatch if wide >= 2.5 else None,
        )
        self.add(patch, bar.kind.value)
        found = self.label(bar, wide, height, size)
        if found is None:
            self.unlabelled.add(bar.kind)
            return False
        text, size = found
        box = {"facecolor": self.theme.background, "edgecolor": "none", "pad": 1.0} if hatch else None
        self.note(
            "label",
            bar.start + wide / self.points_per_second / 2,
            bottom + height / 2,
            text,
            size=size,
            colour=ink,
            ha="center",
            va="center",
            bbox=box,
            zorder=4,
        )
        return True

    def label(self, bar: Bar, wide: float, height: float, size: float) -> tuple[str, float] | None:
        """Return the longest label that fits into a bar, and its font size; None when none fits.

        Args:
            bar: the bar.
            wide: its width, in points.
            height: its height, in inches.
            size: the largest font size, in points.
        """
        if size < LEAST_SIZE or height * POINTS < size * 1.15:
            return None
        room = wide - (7 if bar.kind in HATCHES else 4)
        sizes = (size, max(LEAST_SIZE, size - 1.2))
        return next(
            ((text, s) for text in bar.labels for s in sizes if self.ruler.width(text, s) <= room),
            None,
        )

    def _pause(self, bar: Bar, middle: float, size: float) -> bool:
        from matplotlib.lines import Line2D

        self.add(
            Line2D([bar.start, bar.end], [middle, middle], color=self.theme.muted, linestyle=":", linewidth=1), "pause"
        )
        text = self.ruler.first_fitting(bar.labels, self.span(bar.start, bar.end) - 8, size)
        if text is None or size < LEAST_SIZE:
            return False
        self.note(
            "label",
            (bar.start + bar.end) / 2,
            middle,
            text,
            size=size,
            colour=self.theme.muted,
            ha="center",
            va="center",
            bbox={"facecolor": self.theme.background, "edgecolor": "none", "pad": 1},
            zorder=4,
        )
        return True


def bar_colours(bar: Bar, theme: Theme) -> tuple[str, str, str]:
    """Return the face, the edge and the ink of a bar."""
    style = status_style(WAITING if bar.kind is BarKind.WAIT else bar.status, theme)
    if bar.kind is BarKind.WORK:
        return style.edge, style.edge, style.on_edge
    return style.fill, style.edge, theme.ink


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


def start_plot(
    theme: Theme, width: float, lanes_height: float, names_width: float, low: float, high: float, ruler: Ruler
) -> Plot:
    """Return a plot whose axes leave room for lane names at the left and two lines of title on top."""
    height = lanes_height + TOP + BOTTOM
    figure = new_figure(width, height, theme.background)
    left = names_width + 2 * GAP
    inner = width - left - RIGHT
    axes = figure.add_axes((left / width, BOTTOM / height, inner / width, lanes_height / height))
    axes.set_facecolor(theme.background)
    axes.set_xlim(low, high)
    axes.set_ylim(0, lanes_height)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(theme.muted)
    return Plot(figure, axes, ruler, theme, low, high, inner, lanes_height, set())


def draw_time(plot: Plot, start: datetime, until: float | None) -> None:
    """Draw the axis of time with its unit and its origin, midnights, and the line of now."""
    axes, theme = plot.axes, plot.theme
    unit, places, labels = time_ticks(plot.low, plot.high)
    axes.set_xticks(places, labels, fontproperties=font(TEXT_SIZE), color=theme.ink)
    axes.tick_params(axis="x", color=theme.muted, length=3)
    axes.grid(axis="x", color=theme.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel(
        f"{unit.name} since {moment_text(start)}", fontproperties=font(TEXT_SIZE), color=theme.ink, labelpad=5
    )
    taken: list[tuple[float, float]] = []
    above = plot.height + 0.06
    if until is not None:
        axes.axvline(until, color=theme.ink, linestyle=":", linewidth=1.2, gid="now")
        wide = plot.ruler.width("now", SMALL_SIZE) / plot.points_per_second
        taken.append((until - wide / 2, until + wide / 2))
        plot.note("label", until, above, "now", size=SMALL_SIZE, colour=theme.ink, ha="center", va="bottom")
    days = midnights(start, plot.low, plot.high)
    if unit.name in ("seconds", "minutes") or len(days) > 60:
        return
    for time, day in days:
        axes.axvline(time, color=theme.muted, linewidth=0.8, zorder=0.5, alpha=0.6)
        begin = time + 2 / plot.points_per_second
        end = begin + (plot.ruler.width(day, SMALL_SIZE) + 4) / plot.points_per_second
        if end <= plot.high and all(end <= a or begin >= b for a, b in taken):
            taken.append((begin, end))
            plot.note("label", begin, above, day, size=SMALL_SIZE, colour=theme.muted, ha="left", va="bottom")


def draw_words(plot: Plot, words: Words) -> None:
    """Write the title, its second line in colours, a key for hatching that carries no label, and the remark."""
    from matplotlib.patches import Rectangle

    figure, theme, ruler = plot.figure, plot.theme, plot.ruler
    width, height = figure.get_figwidth(), figure.get_figheight()
    room = (width - 2 * GAP) * POINTS

    def at(x: float, y: float, text: str, **options: Any) -> None:
        figure.text(x / width, y / height, text, parse_math=False, va="baseline", **options)

    title = ruler.shortened(words.title, room, TITLE_SIZE, "bold")
    at(GAP, height - 0.27, title, fontproperties=font(TITLE_SIZE, "bold"), color=theme.ink, gid="title")
    line = height - 0.49
    cursor = GAP
    for text, status in words.pieces:
        colour = status_style(status, theme).text if status else theme.muted
        wide = ruler.width(text, TEXT_SIZE) / POINTS
        if cursor + wide > width - GAP:
            break
        at(cursor, line, text, fontproperties=font(TEXT_SIZE), color=colour)
        cursor += wide + 0.16
    keys = {BarKind.WAIT: "waits outside a stage", BarKind.HOLD: "holds its stage and waits"}
    for kind, text in keys.items():
        wide = ruler.width(text, TEXT_SIZE) / POINTS
        if kind not in plot.unlabelled or cursor + 0.33 + wide > width - GAP:
            continue
        sample = Bar(kind, 0, 1, "InProgress", (), "", "")
        face, edge, _ = bar_colours(sample, theme)
        figure.add_artist(
            Rectangle(
                (cursor / width, (line - 0.015) / height),
                0.26 / width,
                0.12 / height,
                transform=figure.transFigure,
                facecolor=face,
                edgecolor=edge,
                hatch=HATCHES[kind],
                linewidth=0.8,
            )
        )
        at(cursor + 0.33, line, text, fontproperties=font(TEXT_SIZE), color=theme.muted)
        cursor += 0.33 + wide + 0.16
    if words.remark:
        remark = ruler.shortened(words.remark, room, SMALL_SIZE)
        at(GAP, 0.08, remark, fontproperties=font(SMALL_SIZE), color=theme.muted, gid="remark")


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
            plot.note(
                "lane",
                -GAP / 2 / plot.width,
                middle,
                name,
                size=name_size,
                colour=theme.ink,
                ha="right",
                va="center",
                transform=plot.axes.get_yaxis_transform(),
            )
        _draw_end(plot, lane, note, middle, height, note_size)
    draw_words(plot, words)
    return plot.figure


def _note(lane: Lane, ruler: Ruler, room: float, size: float, per_second: float, bar_size: float) -> str | None:
    """Return what is written behind a lane: shorter when the bar that ends there says where it is."""
    last = lane.bars[-1] if lane.bars else None
    notes = lane.notes
    if last is not None and last.open and bar_size >= LEAST_SIZE:
        wide = (last.end - last.start) * per_second - 10
        if ruler.width(last.labels[0], bar_size) <= wide:
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

    The arguments are those of `draw_executions`.
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
                plot.paint(bar, bottom + sub * 0.06, sub * 0.88, min(7.5, sub * POINTS * 0.56))
        cursor -= stay * lane.inside_rows
    _name(plot, label_at, name, TEXT_SIZE, plot.theme.ink)
    if not lane.queue_rows:
        return
    cursor -= 0.05 * scale
    if lane.queue_rows > MOST_ROWS["queue"]:
        _draw_level(plot, lane.queue, cursor - row * 1.5, row * 1.5, BarKind.WAIT, "waiting at once")
        _name(plot, cursor - row * 0.75, "waiting", SMALL_SIZE, plot.theme.muted)
        return
    sub = QUEUE_ROW * scale
    for bar in lane.queue:
        plot.paint(bar, cursor - sub * (bar.row + 1), sub * 0.86, min(7.5, sub * POINTS * 0.56))
    _name(plot, cursor - sub * 0.5, "waiting", SMALL_SIZE - 1, plot.theme.muted)


def _name(plot: Plot, y: float, text: str, size: float, colour: str) -> None:
    plot.note(
        "lane",
        -GAP / 2 / plot.width,
        y,
        text,
        size=size,
        colour=colour,
        ha="right",
        va="center",
        transform=plot.axes.get_yaxis_transform(),
    )


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
