"""What was observed against what was simulated, quantile by quantile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipesim.errors import SourceError
from pipesim.views.chart import SMALL, Chart, Scale, name_axes, refuse_empty, say, show_key, start_chart
from pipesim.views.figures import count_text, write
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKED = (0.5, 0.95, 0.05, 0.25, 0.75)
ROOM = 0.05
FAR_APART = 30.0


def quantile_plot(
    shares: Sequence[float],
    observed: Sequence[float],
    simulated: Sequence[float],
    band: tuple[Sequence[float], Sequence[float]] | None = None,
    *,
    what: str,
    unit: str = "s",
    counts: tuple[int, int] | None = None,
    theme: str | Theme = "light",
) -> Chart:
    """Return a quantile-quantile plot: where both are spread alike, the points lie on the diagonal.

    Args:
        shares: the shares (0 to 1) whose quantiles are given, ascending.
        observed: the observed quantiles.
        simulated: the simulated quantiles.
        band: the lower and upper bounds between which 95 of 100 simulated samples of the observed size lie;
            None: not drawn.
        what: what the values are, such as ``"lead time"``.
        unit: of the values: ``"s"``, ``"USD"``, …
        counts: how many values were observed and simulated; None: not said.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is nothing to draw, the lists differ in length, or there is no such theme.
    """
    refuse_empty(shares, "at least one quantile")
    lists = [observed, simulated, *(band or ())]
    if any(len(one) != len(shares) for one in lists):
        raise SourceError(f"there are {len(shares)} shares and lists of {', '.join(str(len(one)) for one in lists)}")
    palette = find_theme(theme)
    every = [float(value) for one in lists for value in one]
    scale = Scale.of(unit, every)
    headings = ["quantile", f"observed ({scale.unit})", f"simulated ({scale.unit})"]
    rows: list[Sequence[str]] = [headings if band is None else [*headings, f"95 of 100 simulated ({scale.unit})"]]
    for place, share in enumerate(shares):
        row = [f"{share:.0%}", scale.text(observed[place]), scale.text(simulated[place])]
        if band is not None:
            row.append(f"{scale.text(band[0][place])} to {scale.text(band[1][place])}")
        rows.append(row)
    middle = min(range(len(shares)), key=lambda place: abs(shares[place] - 0.5))
    alt = (
        f"Quantiles of the {what}, observed against simulated: half of the observed lie within "
        f"{scale.text(observed[middle])} {scale.unit}, half of the simulated within {scale.text(simulated[middle])}."
    )
    if band is not None:
        inside = sum(low <= value <= high for low, value, high in zip(band[0], observed, band[1], strict=True))
        alt += f" {inside} of {len(shares)} observed quantiles lie in the band of 95 of 100 simulations."
    seen = "" if counts is None else f" ({counts[0]:,} observed, {count_text(counts[1], 'value')} simulated)"
    title = f"Observed and simulated {what}"

    def make() -> Figure:
        axes = start_chart(palette, title, f"each point is one quantile{seen}", height=5.0, key_rows=1)
        low, high = min(every), max(every)
        if high <= low:
            say(axes, palette, f"every observed and simulated {what} is {scale.text(low)} {scale.unit}")
            return axes.figure  # type: ignore[return-value]
        ruled = _Axis(low / scale.factor, high / scale.factor)
        ruled.set(axes)
        across, up = ([value / scale.factor for value in one] for one in (simulated, observed))
        if band is not None:
            below, above = ([value / scale.factor for value in one] for one in band)
            axes.fill_between(
                across,
                below,
                above,
                facecolor=palette.grid,
                edgecolor=palette.muted,
                hatch="...",
                linewidth=0.6,
                label="95 of 100 simulations",
            )
        ends = [ruled.low, ruled.high]
        axes.plot(ends, ends, color=palette.ink, linestyle=(0, (6, 2)), linewidth=1.2, label="spread alike")
        axes.plot(across, up, color=palette.series[0], marker="o", markersize=4.5, linewidth=1, label="history")
        free: list[float] = []
        for mark in MARKED:
            place = next((place for place, share in enumerate(shares) if abs(share - mark) < 1e-9), None)
            if place is None or any(abs(ruled.place(up[place]) - taken) < ROOM for taken in free):
                continue
            free.append(ruled.place(up[place]))
            label = write(axes, across[place], up[place], f"{mark:.0%}  ", size=SMALL, colour=palette.ink, ha="right")
            label.set_bbox({"facecolor": palette.background, "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
        name_axes(axes, palette, f"simulated {what} ({scale.unit})", f"observed {what} ({scale.unit})")
        show_key(axes, palette, 3)
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)


class _Axis:
    """The scale of both axes: by powers of ten where the values lie far apart."""

    def __init__(self, low: float, high: float) -> None:
        self._by_powers = low > 0 and high / low > FAR_APART
        if self._by_powers:
            self.low, self.high = low / 1.15, high * 1.15
        else:
            margin = 0.05 * (high - low)
            self.low, self.high = (0.0 if 0 <= low < margin else low - margin), high + margin

    def set(self, axes: Any) -> None:
        """Give both axes this scale."""
        axes.set_xlim(self.low, self.high)
        axes.set_ylim(self.low, self.high)
        if self._by_powers:
            from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

            axes.set_xscale("log")
            axes.set_yscale("log")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_locator(NullLocator())

    def place(self, value: float) -> float:
        """Where a value lies, from 0 at one end to 1 at the other."""
        if self._by_powers:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)
