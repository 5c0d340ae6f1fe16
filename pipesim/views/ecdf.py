"""How a number is spread: the share of values that do not exceed each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipesim.views.chart import DASHES, Chart, Scale, name_axes, refuse_empty, say, show_key, start_chart
from pipesim.views.figures import count_text, one_line
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARES = (0.05, 0.5, 0.95)


def ecdf(
    samples: Mapping[str, Any], unit: str, what: str, *, of: str = "replication", theme: str | Theme = "light"
) -> Chart:
    """Return the empirical distribution function of one or several samples.

    Args:
        samples: arrays by name; values that are not a number are left out.
        unit: of the values: ``"s"``, ``"USD"``, ``"share"``, …
        what: what the values are, such as ``"lead time"``.
        of: what there is one value of each.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is no sample, or no such theme.
    """
    import numpy as np

    refuse_empty(samples, "at least one sample")
    palette = find_theme(theme)
    known = {name: np.sort(np.asarray(values)[~np.isnan(values)]) for name, values in samples.items()}
    every = np.concatenate(list(known.values()))
    scale = Scale.of(unit, every.tolist())
    rows: list[Sequence[str]] = [("", f"5 % ({scale.unit})", f"50 % ({scale.unit})", f"95 % ({scale.unit})", "values")]
    for name, values in known.items():
        marks = [scale.text(float(np.quantile(values, share))) if len(values) else "–" for share in SHARES]
        rows.append((name, *marks, f"{len(values):,}"))
    title = f"Spread of the {what}"
    middle = "; ".join(f"{row[0]}: half within {row[2]} {scale.unit}, 95 % within {row[3]}" for row in rows[1:])
    alt = f"Share of {of}s whose {what} does not exceed a value. {middle}."

    def make() -> Figure:
        axes = start_chart(palette, title, f"share of {of}s that do not exceed a value", key_rows=-(-len(known) // 2))
        if not len(every):
            say(axes, palette, f"no {of} has a {what}")
            return axes.figure  # type: ignore[return-value]
        for place, (name, values) in enumerate(known.items()):
            if len(values):
                axes.step(
                    np.concatenate((values[:1], values)) / scale.factor,
                    np.arange(len(values) + 1) / len(values),
                    where="post",
                    color=palette.series[place % len(palette.series)],
                    linestyle=DASHES[place % len(DASHES)],
                    linewidth=1.8,
                    label=f"{one_line(name, 34)} ({count_text(len(values), of)})",
                )
        axes.set_ylim(0, 1)
        axes.set_yticks([0, 0.25, 0.5, 0.75, 0.95, 1], ["0 %", "25 %", "50 %", "75 %", "95 %", "100 %"])
        name_axes(axes, palette, f"{what} ({scale.unit})", f"share of {of}s")
        show_key(axes, palette, 2)
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)
