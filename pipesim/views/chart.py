"""What every chart of numbers shares: axes with units, styles that print in grey, the table beside the picture."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipesim.errors import SourceError
from pipesim.views.figures import Picture, Ruler, font, new_figure, one_line, time_unit, write
from pipesim.views.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 7.6, 4.0
KEY_ROW = 0.19
TICKS = 0.2  # inches between the names of lanes and the axes, and at the edge
TITLE, TEXT, SMALL = 12.0, 9.5, 8.5
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)), (0, (3, 1)), (0, (1, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "oo", "||||")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Scale:
    """How values are written on an axis.

    Attributes:
        factor: what values are divided by.
        unit: what is then written behind them.
    """

    factor: float
    unit: str

    @classmethod
    def of(cls, unit: str, values: Sequence[float]) -> Scale:
        """Return the scale for values of a unit; seconds become minutes, hours or days where that reads better.

        >>> Scale.of("s", [0, 7200])
        Scale(factor=60.0, unit='minutes')
        >>> Scale.of("USD", [3]).unit
        'USD'
        """
        known = [abs(value) for value in values if math.isfinite(value)]
        if unit == "s":
            found = time_unit(max(known, default=1.0))
            return cls(found.seconds, found.name)
        return cls(0.01, "%") if unit == "share" else cls(1.0, unit)

    def text(self, value: float) -> str:
        """Return a value without its unit.

        >>> Scale(60.0, "minutes").text(90)
        '1.5'
        """
        if not math.isfinite(value):
            return "–"
        scaled = value / self.factor
        return f"{scaled:,.0f}" if abs(scaled) >= 1000 else f"{scaled:.3g}"


class Chart(Picture):
    """A picture with the numbers that it shows beside it.

    Args:
        figure: a function that makes the matplotlib figure.
        alt: a sentence that says what the picture shows.
        title: the title.
        rows: the table: a row of headings, then one row each.
    """

    def __init__(self, figure: Figure | Callable[[], Figure], *, alt: str, title: str, rows: Rows) -> None:
        super().__init__(figure, alt=alt, title=title)
        self.rows = tuple(tuple(row) for row in rows)

    def table_html(self) -> str:
        """Return the table as HTML."""
        return html_table(self.rows, self.title)

    def picture_html(self) -> str:
        """Return the picture without its table."""
        return super()._repr_html_()

    def _repr_html_(self) -> str:
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">'
            f"{self.picture_html()}{self.table_html()}</div>"
        )


def html_table(rows: Rows, caption: str = "") -> str:
    """Return rows of text, the first of them headings, as an HTML table.

    >>> html_table([("a", "b"), ("1", "<2>")]).partition("</thead>")[2]
    '<tbody><tr><th scope="row">1</th><td>&lt;2&gt;</td></tr></tbody></table>'
    """
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows[1:]
    )
    named = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{named}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def fitting(names: Iterable[str], left: float) -> list[str]:
    """Return names of lanes, cut with an ellipsis where they are wider than the room left of the axes.

    Args:
        names: one a lane.
        left: the room, in inches.

    >>> fitting(["short", "a name that goes on and on"], 1.0)
    ['short', 'a name t…']
    """
    ruler, room = Ruler(), (left - TICKS) * 72
    return [ruler.shortened(one_line(name, 200), room, TEXT) for name in names]


def start_chart(
    theme: Theme, title: str, subtitle: str = "", *, height: float = HEIGHT, left: float = 0.75, key_rows: int = 0
) -> Axes:
    """Return axes on a new figure, with a title and a line below it.

    Args:
        theme: the palette.
        title: what is shown.
        subtitle: how to read it.
        height: of the figure, in inches.
        left: room left of the axes, in inches.
        key_rows: lines of the key above the axes, for which the figure grows.
    """
    above = KEY_ROW * key_rows
    height += above
    figure = new_figure(WIDTH, height, theme.background)
    axes = figure.add_axes((left / WIDTH, 0.62 / height, 1 - (left + 0.25) / WIDTH, 1 - (1.27 + above) / height))
    axes.set_facecolor(theme.background)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(theme.muted)
    axes.tick_params(colors=theme.muted, labelcolor=theme.ink, labelsize=TEXT)
    axes.grid(color=theme.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    place: dict[str, Any] = {"va": "baseline", "parse_math": False}
    figure.text(0.12 / WIDTH, 1 - 0.28 / height, one_line(title, 90), fontproperties=font(TITLE, "bold"),
                color=theme.ink, **place)  # fmt: skip
    figure.text(0.12 / WIDTH, 1 - 0.49 / height, one_line(subtitle, 120), fontproperties=font(TEXT),
                color=theme.muted, **place)  # fmt: skip
    return axes


def name_axes(axes: Axes, theme: Theme, x: str, y: str = "") -> None:
    """Write what the axes show, with units, and give all ticks the pictures' font."""
    axes.set_xlabel(x, fontproperties=font(TEXT), color=theme.ink, parse_math=False)
    axes.set_ylabel(y, fontproperties=font(TEXT), color=theme.ink, parse_math=False)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontproperties(font(TEXT))


def show_key(axes: Axes, theme: Theme, columns: int = 3) -> None:
    """Write the key above the axes."""
    key = axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        frameon=False,
        prop=font(SMALL),
        labelcolor=theme.ink,
        borderaxespad=0.2,
        handlelength=3.2,
        columnspacing=1.2,
    )
    for text in key.get_texts():
        text.set_parse_math(False)


def say(axes: Axes, theme: Theme, text: str) -> None:
    """Write a sentence in the middle of empty axes."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    write(axes, 0.5, 0.5, text, size=TEXT, colour=theme.ink, transform=axes.transAxes, ha="center", va="center")


def refuse_empty(things: Any, what: str) -> None:
    """Say what is missing where there is nothing to draw.

    Raises:
        SourceError: there is nothing.
    """
    if not len(things):
        raise SourceError(f"there is nothing to draw: give {what}")
