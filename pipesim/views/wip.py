"""Executions in progress over time: the middle of all replications, and how they differ."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipesim.views.bands import SHARES, draw_bands
from pipesim.views.chart import TEXT, Chart, name_axes, refuse_empty, show_key, start_chart
from pipesim.views.figures import duration_text, font, moment_text, time_ticks, write
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE_ROWS = 8


def wip(
    moments: Any, counts: Any, start: datetime, *, warm_up: float = 0.0, name: str = "", theme: str | Theme = "light"
) -> Chart:
    """Return the work in progress over time, as quantile bands over replications.

    Args:
        moments: seconds since the start.
        counts: executions in progress: a row a replication, a column a moment.
        start: the calendar moment of time zero.
        warm_up: seconds at the beginning that are not measured; marked.
        name: of the scenario, for the title.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is nothing to draw, or no such theme.
    """
    import numpy as np

    refuse_empty(moments, "replications of a fixed length (days=…)")
    refuse_empty(counts, "at least one replication")
    palette = find_theme(theme)
    quantiles = np.quantile(np.asarray(counts), SHARES, axis=0)
    title = f"Work in progress{': ' if name else ''}{name}"
    shown = np.unique(np.linspace(0, len(moments) - 1, TABLE_ROWS).round().astype(int))
    rows = [("time since the start", *(f"{share:.0%} (executions)" for share in SHARES))]
    rows += [(duration_text(float(moments[i])), *(f"{q:.3g}" for q in quantiles[:, i])) for i in shown]
    alt = (
        f"Executions in progress over {duration_text(float(moments[-1]))} in {len(counts):,} replications: "
        f"in the middle replication {quantiles[2].mean():.2g} on average and {quantiles[2].max():.3g} at most; "
        f"in 5 % of replications {quantiles[4].max():.3g} or more at the peak."
    )

    def make() -> Figure:
        axes = start_chart(palette, title, f"executions in progress in {len(counts):,} replications", key_rows=1)
        draw_bands(axes, palette, moments, quantiles)
        axes.set_xlim(float(moments[0]), float(moments[-1]))
        axes.set_ylim(bottom=0)
        unit, places, labels = time_ticks(float(moments[0]), float(moments[-1]))
        axes.set_xticks(places, labels, fontproperties=font(TEXT))
        if warm_up:
            axes.axvspan(
                0, warm_up, facecolor=palette.panel, edgecolor=palette.muted, hatch="..", linewidth=0, zorder=0.5
            )
            write(axes, warm_up, 0.97, " warm-up ends", size=TEXT, colour=palette.ink, va="top",
                  transform=axes.get_xaxis_transform())  # fmt: skip
        name_axes(axes, palette, f"{unit.name} since {moment_text(start)}", "executions in progress")
        show_key(axes, palette)
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)
