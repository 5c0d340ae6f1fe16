"""Quantile bands: the middle of a sample, and between what nine in ten of its values lie, along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipesim.views.chart import Chart, Scale, name_axes, refuse_empty, show_key, start_chart
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def bands(
    settings: Sequence[Any], samples: Sequence[Any], unit: str, what: str, knob: str, *, theme: str | Theme = "light"
) -> Chart:
    """Return the spread of a measure at every setting of a knob.

    Args:
        settings: the values of the knob; numbers are placed to scale, anything else side by side.
        samples: an array for each setting; values that are not a number are left out.
        unit: of the measure.
        what: what the measure is.
        knob: what the knob is.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is no setting, or no such theme.
    """
    import numpy as np

    refuse_empty(settings, "at least one setting")
    palette = find_theme(theme)
    known = [np.asarray(sample)[~np.isnan(sample)] for sample in samples]
    quantiles = np.array([np.quantile(s, SHARES) if len(s) else np.full(len(SHARES), np.nan) for s in known])
    scale = Scale.of(unit, quantiles.ravel().tolist())
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in settings)
    places = np.array(settings, dtype=float) if numeric else np.arange(len(settings), dtype=float)
    order = np.argsort(places)
    title = f"{what[:1].upper()}{what[1:]} for every setting of {knob}"
    rows = [(knob, *(f"{share:.0%} ({scale.unit})" for share in SHARES))]
    rows += [(str(value), *(scale.text(float(q)) for q in row)) for value, row in zip(settings, quantiles, strict=True)]
    ends = "; ".join(f"at {row[0]} half of the replications lie below {row[3]} {scale.unit}" for row in rows[1:])
    alt = f"Quantiles of the {what} over replications for {len(settings)} settings of {knob}: {ends}."

    def make() -> Figure:
        axes = start_chart(
            palette, title, "line: the middle replication; bands: half, and nine in ten of them", key_rows=1
        )
        draw_bands(axes, palette, places[order], quantiles[order].T / scale.factor, marker="o")
        if not numeric:
            axes.set_xticks(places, [str(value) for value in settings])
        axes.set_ylim(bottom=min(0.0, float(np.nanmin(quantiles)) / scale.factor))
        name_axes(axes, palette, knob, f"{what} ({scale.unit})")
        show_key(axes, palette)
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)


def draw_bands(axes: Axes, theme: Theme, x: Any, quantiles: Any, *, marker: str = "", name: str = "median") -> None:
    """Draw the five quantiles (rows) along x as a line within two bands, told apart by hatching too."""
    colour = theme.series[0]
    axes.fill_between(x, quantiles[0], quantiles[4], facecolor=colour, alpha=0.16, linewidth=0, label="5 % to 95 %")
    axes.fill_between(
        x, quantiles[1], quantiles[3], facecolor=colour, alpha=0.28, edgecolor=theme.muted, hatch="////", linewidth=0,
        label="25 % to 75 %",
    )  # fmt: skip
    for row in (0, 4):
        axes.plot(x, quantiles[row], color=theme.muted, linewidth=0.8, linestyle=":")
    axes.plot(x, quantiles[2], color=theme.ink, linewidth=2.0, marker=marker, markersize=4, label=name)
