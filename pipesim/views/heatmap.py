"""Heat map: a measure at every pair of settings of two knobs, each number written into its cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipesim.views.chart import SMALL, TEXT, Chart, Scale, name_axes, refuse_empty, start_chart
from pipesim.views.figures import font, one_line, write
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def heatmap(
    grid: Any,
    columns: Sequence[Any],
    rows: Sequence[Any],
    unit: str,
    what: str,
    knobs: tuple[str, str],
    *,
    theme: str | Theme = "light",
) -> Chart:
    """Return a measure over two knobs.

    Args:
        grid: a row a setting of the second knob, a column a setting of the first; not a number where there is none.
        columns: the settings of the first knob.
        rows: the settings of the second.
        unit: of the measure.
        what: what the measure is.
        knobs: what both knobs are.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is no setting, or no such theme.
    """
    import numpy as np

    values = np.asarray(grid, dtype=float)
    refuse_empty(values, "at least one pair of settings")
    palette = find_theme(theme)
    known = values[np.isfinite(values)]
    scale = Scale.of(unit, known.tolist())
    title = f"{what[:1].upper()}{what[1:]} ({scale.unit})"
    table = [(f"{knobs[1]} \\ {knobs[0]}", *(str(column) for column in columns))]
    for setting, line in zip(rows, values, strict=True):
        table.append((str(setting), *(scale.text(float(v)) if math.isfinite(v) else "unstable" for v in line)))
    alt = f"{what} for {len(columns)} settings of {knobs[0]} and {len(rows)} of {knobs[1]}"
    if len(known):
        y, x = divmod(int(np.nanargmin(values)), len(columns))
        alt += f"; it is smallest, {scale.text(float(values[y, x]))} {scale.unit}, at {columns[x]} and {rows[y]}"

    def make() -> Figure:
        from matplotlib.colors import LinearSegmentedColormap

        axes = start_chart(palette, title, "darker is more; the number in each cell is the mean of all replications"
                           if palette.name == "light" else
                           "lighter is more; the number in each cell is the mean of all replications",
                           height=1.7 + 0.5 * len(rows), left=1.1)  # fmt: skip
        strong = "#08306b" if palette.name == "light" else "#cfe3fb"
        shades = LinearSegmentedColormap.from_list("shades", [palette.panel, palette.series[0], strong])
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        axes.imshow(np.ma.masked_invalid(values), cmap=shades, vmin=low, vmax=high if high > low else low + 1,
                    aspect="auto")  # fmt: skip
        for (y, x), value in np.ndenumerate(values):
            if math.isfinite(value):
                share = (value - low) / (high - low) if high > low else 0.0
                ink = _readable(shades(share))
                text = scale.text(float(value))
            else:
                ink, text = palette.ink, "unstable"
            write(axes, x, y, text, size=TEXT if len(columns) <= 10 else SMALL, colour=ink, ha="center", va="center")
        axes.set_xticks(range(len(columns)), [one_line(column, 12) for column in columns], fontproperties=font(TEXT))
        axes.set_yticks(range(len(rows)), [one_line(row, 12) for row in rows], fontproperties=font(TEXT))
        axes.grid(False)
        name_axes(axes, palette, knobs[0], knobs[1])
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt + ".", title=title, rows=table)


def _readable(colour: tuple[float, float, float, float]) -> str:
    """Return black or white, whichever is read better on a colour (WCAG's relative luminance)."""
    red, green, blue = ((c / 12.92) if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3])
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"
