"""Paired differences: what a change did in each replication, and on average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipesim.views.chart import SMALL, Chart, Scale, fitting, name_axes, refuse_empty, start_chart
from pipesim.views.figures import one_line, write
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_DOTS = 400

NAMES = 2.6
"""Room for the names of lanes, in inches."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The differences of one variant.

    Attributes:
        differences: variant minus baseline, one a replication.
        mean: their mean; not a number where there is none.
        low: the lower end of its interval.
        high: the upper end.
        note: why there is no number; empty when there is one.
    """

    differences: Any
    mean: float
    low: float
    high: float
    note: str = ""

    @property
    def verdict(self) -> str:
        """Less, more, the same, or perhaps luck."""
        if self.note:
            return self.note.partition(":")[0]
        if self.low == self.high == 0:
            return "the same"
        return "less" if self.high < 0 else "more" if self.low > 0 else "may be luck"


def paired(
    variants: Mapping[str, Pairs], unit: str, what: str, *, baseline: str = "baseline", theme: str | Theme = "light"
) -> Chart:
    """Return the paired differences of each variant to the baseline.

    Args:
        variants: by name.
        unit: of the differences.
        what: what the measure is.
        baseline: what the baseline is called.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is no variant, or no such theme.
    """
    import numpy as np

    refuse_empty(variants, "at least one variant")
    palette = find_theme(theme)
    every = [x for pairs in variants.values() for x in (*pairs.differences, pairs.low, pairs.high)]
    scale = Scale.of(unit, [float(x) for x in every])
    title = f"What each change does to the {what}"
    rows: list[tuple[str, ...]] = [
        ("variant", f"difference ({scale.unit})", f"from ({scale.unit})", f"to ({scale.unit})", "verdict")
    ]
    for name, pairs in variants.items():
        rows.append((name, *(scale.text(x) for x in (pairs.mean, pairs.low, pairs.high)), pairs.verdict))
    told = "; ".join(f"{row[0]}: {row[1]} {scale.unit} ({row[4]})" for row in rows[1:])
    alt = f"Difference of the {what} to the {baseline}, replication by replication. {told}."

    def make() -> Figure:
        count = len(variants)
        axes = start_chart(
            palette,
            title,
            f"difference to the {baseline} in each replication (dots), its mean and interval (bar)",
            height=1.5 + 0.62 * count,
            left=NAMES,
        )
        axes.axvline(0, color=palette.ink, linewidth=1.2)
        for place, pairs in enumerate(variants.values()):
            y = count - 1 - place
            known = np.asarray(pairs.differences, dtype=float)
            known = known[~np.isnan(known)][:MOST_DOTS]
            if pairs.note:
                write(axes, 0.02, y, one_line(pairs.verdict, 30), size=SMALL, colour=palette.ink, va="center",
                      transform=axes.get_yaxis_transform())  # fmt: skip
                continue
            shift = (np.arange(len(known)) * 0.618034 % 1 - 0.5) * 0.5
            axes.scatter(
                known / scale.factor, y + shift, s=9, facecolors="none", edgecolors=palette.muted, linewidths=0.6
            )
            axes.plot(
                [pairs.low / scale.factor, pairs.high / scale.factor], [y, y], color=palette.series[0], linewidth=5,
                solid_capstyle="butt",
            )  # fmt: skip
            axes.plot(pairs.mean / scale.factor, y, "D", color=palette.ink, markersize=5)
        axes.set_ylim(-0.6, count - 0.4)
        labels = fitting(variants, NAMES)
        axes.set_yticks(range(count - 1, -1, -1), labels, parse_math=False)
        axes.grid(axis="y", visible=False)
        name_axes(axes, palette, f"difference of the {what} ({scale.unit}); left of 0 is less")
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)
