"""Where the time of a change goes: work and each kind of waiting, stacked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipesim.views.chart import HATCHES, SMALL, Chart, Scale, fitting, name_axes, refuse_empty, show_key, start_chart
from pipesim.views.figures import duration_text, write
from pipesim.views.theme import Theme, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = 2.3
"""Room for the names of lanes, in inches."""


def stacks(parts: Mapping[str, Mapping[str, float]], *, theme: str | Theme = "light") -> Chart:
    """Return one bar a scenario, made of the parts of its lead time.

    Args:
        parts: by scenario, mean seconds a shipped change by part, such as ``{"work": 900, "stage lock": 300}``;
            what is nowhere more than nothing is left out.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        SourceError: there is no scenario, or no such theme.
    """
    refuse_empty(parts, "at least one scenario")
    palette = find_theme(theme)
    kinds = [kind for kind in dict.fromkeys(k for of in parts.values() for k in of) if _most(parts, kind) > 0]
    wholes = {name: sum(of.get(kind, 0.0) for kind in kinds) for name, of in parts.items()}
    scale = Scale.of("s", list(wholes.values()))
    title = "Where the time of a shipped change goes"
    rows = [("scenario", *(f"{kind} ({scale.unit})" for kind in kinds), f"in all ({scale.unit})")]
    for name, of in parts.items():
        rows.append((name, *(scale.text(of.get(kind, 0.0)) for kind in kinds), scale.text(wholes[name])))
    told = "; ".join(
        f"{name}: " + ", ".join(f"{kind} {duration_text(of.get(kind, 0.0))}" for kind in kinds)
        for name, of in parts.items()
    )
    alt = f"Mean time of a shipped change by what it is spent on. {told}."

    def make() -> Figure:
        axes = start_chart(
            palette,
            title,
            "mean of all replications",
            height=1.45 + 0.55 * len(parts),
            left=NAMES,
            key_rows=-(-len(kinds) // 5),
        )
        count = len(parts)
        longest = max(wholes.values()) or 1.0
        for place, (name, of) in enumerate(parts.items()):
            y, reached = count - 1 - place, 0.0
            for number, kind in enumerate(kinds):
                seconds = of.get(kind, 0.0)
                axes.barh(y, seconds / scale.factor, left=reached / scale.factor, height=0.6,
                          facecolor=palette.series[number % len(palette.series)], edgecolor=palette.background,
                          hatch=HATCHES[number % len(HATCHES)], linewidth=0.8,
                          label=kind if place == 0 else None)  # fmt: skip
                reached += seconds
            write(axes, (reached + longest * 0.01) / scale.factor, y, duration_text(wholes[name]), size=SMALL,
                  colour=palette.ink, va="center")  # fmt: skip
        axes.set_xlim(0, longest * 1.16 / scale.factor)
        axes.set_ylim(-0.6, count - 0.4)
        axes.set_yticks(range(count - 1, -1, -1), fitting(parts, NAMES), parse_math=False)
        axes.grid(axis="y", visible=False)
        name_axes(axes, palette, f"time of a change ({scale.unit})")
        show_key(axes, palette, min(5, len(kinds)))
        return axes.figure  # type: ignore[return-value]

    return Chart(make, alt=alt, title=title, rows=rows)


def _most(parts: Mapping[str, Mapping[str, float]], kind: str) -> float:
    return max(of.get(kind, 0.0) for of in parts.values())
