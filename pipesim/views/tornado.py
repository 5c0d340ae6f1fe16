"""Tornado: which assumption moves the answer most, the largest swing on top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipesim.views.chart import SMALL, Chart, Scale, fitting, name_axes, refuse_empty, show_key, start_chart
from pipesim.views.figures import write
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 15

NAMES = 2.75
"""Room for the names of lanes, in inches."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One assumption's swing.

    Attributes:
        name: the assumption.
        down: the difference to the baseline when it is moved down, with the interval's ends.
        up: the same when it is moved up.
        how: how far it was moved, such as ``"−20 % / +20 %"``.
    """

    name: str
    down: tuple[float, float, float]
    up: tuple[float, float, float]
    how: str = ""


def tornado(swings: Sequence[Bar], unit: str, what: str, baseline: float, *, theme: str | Theme = "light") -> Chart:
    """Return the swings of assumptions, in the order given.

    Args:
        swings: one an assumption, the largest first; only the first 15 are drawn.
        unit: of the measure.
        what: what the measure is.
        baseline: the measure with nothing moved.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is no assumption, or no such theme.
    """
    refuse_empty(swings, "at least one assumption that is moved")
    palette = find_theme(theme)
    ends = [end for bar in swings for end in (*bar.down, *bar.up)]
    scale = Scale.of(unit, ends)
    whole = Scale.of(unit, [baseline])
    title = f"What moves the {what} most"
    rows = [("assumption", "moved", f"down ({scale.unit})", f"up ({scale.unit})")]
    rows += [(bar.name, bar.how, scale.text(bar.down[0]), scale.text(bar.up[0])) for bar in swings]
    first = swings[0]
    alt = (
        f"Change of the {what} when each assumption is moved alone. The most comes from {first.name}: "
        f"{scale.text(first.down[0])} {scale.unit} down, {scale.text(first.up[0])} {scale.unit} up."
    )
    shown = list(swings[:MOST])

    def make() -> Figure:
        axes = start_chart(
            palette,
            title,
            f"change from {whole.text(baseline)} {whole.unit}; lines are the intervals of the change",
            height=1.45 + 0.36 * len(shown),
            left=NAMES,
            key_rows=1,
        )
        count = len(shown)
        for place, bar in enumerate(shown):
            y = count - 1 - place
            for end, colour, hatch in ((bar.down, palette.series[0], ""), (bar.up, palette.series[1], "////")):
                if math.isnan(end[0]):
                    write(axes, 0.98, y, "unstable", size=SMALL, colour=palette.ink, va="center", ha="right",
                          transform=axes.get_yaxis_transform())  # fmt: skip
                    continue
                axes.barh(y, end[0] / scale.factor, height=0.62, facecolor=colour, edgecolor=palette.ink,
                          linewidth=0.6, hatch=hatch)  # fmt: skip
                if not math.isnan(end[1]):
                    axes.plot([end[1] / scale.factor, end[2] / scale.factor], [y, y], color=palette.ink, linewidth=1.2)
        axes.axvline(0, color=palette.ink, linewidth=1.2)
        axes.barh(0, 0, facecolor=palette.series[0], edgecolor=palette.ink, label="assumption moved down")
        axes.barh(0, 0, facecolor=palette.series[1], edgecolor=palette.ink, hatch="////", label="assumption moved up")
        axes.set_ylim(-0.6, count - 0.4)
        axes.set_yticks(range(count - 1, -1, -1), fitting((bar.name for bar in shown), NAMES), parse_math=False)
        axes.grid(axis="y", visible=False)
        name_axes(axes, palette, f"change of the {what} ({scale.unit})")
        show_key(axes, palette, 2)
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)
