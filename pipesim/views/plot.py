"""A figure with an axis of time, on which bars are painted and labelled; lanes are drawn with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipesim.views.figures import Ruler, font, midnights, moment_text, new_figure, time_ticks, write
from pipesim.views.lanes import Bar, BarKind
from pipesim.views.theme import WAITING, Theme, status_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 72.0
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE, LEAST_SIZE = 12.0, 9.5, 8.5, 6.5
TOP, BOTTOM, RIGHT, GAP = 0.74, 0.62, 0.15, 0.12  # inches around the axes
MOST_HEIGHT = 11.0  # inches of lanes
WIDEST_NAME = 2.2  # inches
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

    def name(self, y: float, text: str, size: float, colour: str) -> None:
        """Write what a lane is called at the left of the axes."""
        self.note(
            "lane",
            -GAP / 2 / self.width,
            y,
            text,
            size=size,
            colour=colour,
            ha="right",
            va="center",
            transform=self.axes.get_yaxis_transform(),
        )

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
        found = fitting_label(self.ruler, bar, wide, size) if height * POINTS >= size * 1.15 else None
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

    def beside(self, bar: Bar, middle: float, size: float, until: float) -> None:
        """Write what a bar is called behind it, if there is room.

        Args:
            bar: one that is too short for its label.
            middle: its height on the page.
            size: of the letters, in points.
            until: where the next thing begins, in seconds.
        """
        gap = 3 / self.points_per_second
        text = self.ruler.first_fitting(bar.labels[:1], self.span(bar.end, until) - 8, size)
        if text is None or size < LEAST_SIZE:
            return
        where, colour = bar.end + gap, self.theme.ink
        self.note("label", where, middle, text, size=size, colour=colour, ha="left", va="center", zorder=4)

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


def fitting_label(ruler: Ruler, bar: Bar, wide: float, size: float) -> tuple[str, float] | None:
    """Return the longest label that fits into a bar, and its font size; None when none fits.

    Args:
        ruler: measures the text.
        bar: the bar.
        wide: its width, in points.
        size: the largest font size, in points.
    """
    if size < LEAST_SIZE:
        return None
    room = wide - (7 if bar.kind in HATCHES else 4)
    sizes = (size, max(LEAST_SIZE, size - 1.2))
    return next(((text, s) for text in bar.labels for s in sizes if ruler.width(text, s) <= room), None)


def bar_colours(bar: Bar, theme: Theme) -> tuple[str, str, str]:
    """Return the face, the edge and the ink of a bar."""
    style = status_style(WAITING if bar.kind is BarKind.WAIT else bar.status, theme)
    if bar.kind is BarKind.WORK:
        return style.edge, style.edge, style.on_edge
    return style.fill, style.edge, theme.ink


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
