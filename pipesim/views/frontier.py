"""Cost against lead time, with the scenarios that nothing beats in both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipesim.views.chart import MARKERS, SMALL, Chart, Scale, name_axes, refuse_empty, say, start_chart
from pipesim.views.figures import font, one_line
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

Point = tuple[float, float]
MARK = 9
BESIDE = ((7, 7, "left"), (-7, 7, "right"), (7, -7, "left"), (-7, -7, "right"), (0, 13, "center"), (0, -13, "center"),
          (7, 19, "left"), (-7, 19, "right"), (7, -19, "left"), (-7, -19, "right"))  # fmt: skip
"""Where a name may stand beside its mark, in points, the best first."""


def best_of_both(points: Mapping[str, Point]) -> list[str]:
    """Return the names of the points that no other point beats in both, the first axis ascending.

    >>> best_of_both({"a": (1, 5), "b": (2, 2), "c": (3, 3)})
    ['a', 'b']
    """
    found = []
    lowest = math.inf
    for name, (_, second) in sorted(points.items(), key=lambda item: item[1]):
        if second < lowest:
            found.append(name)
            lowest = second
    return found


def frontier(
    points: Mapping[str, Point],
    *,
    x: tuple[str, str] = ("lead time", "s"),
    y: tuple[str, str] = ("cost with builds", "USD"),
    theme: str | Theme = "light",
) -> Chart:
    """Return scenarios by two measures of which less is better, those on the frontier joined by a line.

    Args:
        points: both measures by scenario; scenarios without a number are told in the table only.
        x: what the first measure is, and its unit.
        y: what the second measure is, and its unit.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is no scenario, or no such theme.
    """
    refuse_empty(points, "at least one scenario")
    palette = find_theme(theme)
    known = {name: point for name, point in points.items() if all(map(math.isfinite, point))}
    front = best_of_both(known)
    across, up = (Scale.of(unit, [point[axis] for point in known.values()]) for axis, unit in ((0, x[1]), (1, y[1])))
    title = f"{y[0][:1].upper()}{y[0][1:]} against {x[0]}"
    rows = [("scenario", f"{x[0]} ({across.unit})", f"{y[0]} ({up.unit})", "on the frontier")]
    for name, point in points.items():
        rows.append((name, across.text(point[0]), up.text(point[1]), "yes" if name in front else "no"))
    alt = f"{len(points)} scenarios by {x[0]} and {y[0]}. None is better in both than {', '.join(front) or 'any'}."

    def make() -> Figure:
        axes = start_chart(palette, title, "filled and joined: nothing else is better in both")
        if not known:
            say(axes, palette, "no scenario has both numbers")
            return axes.figure  # type: ignore[return-value]
        joined = [known[name] for name in front]
        axes.plot([p[0] / across.factor for p in joined], [p[1] / up.factor for p in joined], color=palette.ink,
                  linewidth=1.4, linestyle="--", zorder=1)  # fmt: skip
        spots = {name: (point[0] / across.factor, point[1] / up.factor) for name, point in known.items()}
        for place, (name, spot) in enumerate(spots.items()):
            colour = palette.series[place % len(palette.series)]
            axes.plot(*spot, MARKERS[place % len(MARKERS)], markersize=MARK,
                      markerfacecolor=colour if name in front else palette.background, markeredgecolor=palette.ink,
                      linestyle="none")  # fmt: skip
        axes.margins(0.16)
        axes.autoscale_view()
        _name_spots(axes, spots, palette)
        name_axes(axes, palette, f"{x[0]} ({across.unit})", f"{y[0]} ({up.unit})")
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)


def _name_spots(axes: Axes, spots: Mapping[str, tuple[float, float]], palette: Theme) -> None:
    """Write each name beside its mark, where it covers neither another name nor a mark, if there is such a place."""
    from matplotlib.transforms import Bbox

    radius = MARK / 2 * axes.figure.dpi / 72
    taken = []
    for spot in spots.values():
        x, y = axes.transData.transform(spot)
        taken.append(Bbox.from_extents(x - radius, y - radius, x + radius, y + radius))
    frame = axes.get_window_extent()
    for name, spot in spots.items():
        best: tuple[int, Annotation] | None = None
        for dx, dy, ha in BESIDE:
            text = axes.annotate(one_line(name, 30), spot, xytext=(dx, dy), ha=ha, va="center",
                                 textcoords="offset points", fontproperties=font(SMALL), color=palette.ink,
                                 parse_math=False)  # fmt: skip
            box = text.get_window_extent()
            trouble = sum(box.overlaps(other) for other in taken) + 2 * (box.x0 < frame.x0 or box.x1 > frame.x1)
            if best is None or trouble < best[0]:
                if best is not None:
                    best[1].remove()
                best = trouble, text
            else:
                text.remove()
            if not trouble:
                break
        assert best is not None
        taken.append(best[1].get_window_extent())
