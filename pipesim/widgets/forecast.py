"""Replications as a page shows them: a distribution in bars, waits and costs, a table of differences.

All numbers come from `pipesim.whatif`; here they are only counted into bars and written for people.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipesim.whatif.compare import Comparison, difference_cells
from pipesim.whatif.results import FOOTNOTE, MAIN, MARK, Replications, cells
from pipesim.whatif.units import heading_of, number_text, title_of

BARS = 40
FAR = 0.995
"""The share of the numbers that the bars reach to; what lies beyond is counted into the last one."""

PARTS = (
    "working",
    "waiting.stage lock",
    "waiting.pool",
    "waiting.approval",
    "waiting.transition",
    "waiting.condition",
    "waiting.retry",
    "waiting.delay",
)
COSTS = ("cost.v1", "cost.v2", "cost.builds", "cost.total")
NOW, BEFORE = "now", "baseline"

Column = NDArray[np.float64]
Facts = dict[str, Any]


def forecast(now: Replications, measure: str, before: Replications | None = None) -> Facts:
    """Return what the page shows of replications, as JSON has it.

    Args:
        now: with the settings as they are.
        measure: whose distribution is drawn.
        before: the pinned baseline; None: nothing is pinned.

    Raises:
        AssumptionError: there is no such measure.
    """
    return {
        "n": now.n,
        "engine": now.engine_used,
        "why": now.about.why_engine,
        "warnings": [str(found) for found in now.about.bottlenecks],
        "horizon": str(now.horizon),
        "bars": bars(now, measure, before),
        "waits": parts(now, before, PARTS),
        "costs": parts(now, before, COSTS),
        "table": table(now, before),
    }


def bars(now: Replications, measure: str, before: Replications | None = None) -> Facts:
    """Return the distribution of a measure over replications, the baseline's in the same bars.

    Args:
        now: with the settings as they are.
        measure: such as ``lead_time``.
        before: the pinned baseline.
    """
    columns = {NOW: _known(now.sample(measure))}
    if before is not None:
        columns[BEFORE] = _known(before.sample(measure))
    everything = np.concatenate(list(columns.values()))
    if not len(everything):
        return {"title": title_of(measure), "edges": [], "series": {}, "text": "no replication has a value"}
    low, high = float(everything.min()), float(np.quantile(everything, FAR))
    if math.isclose(low, high):
        low, high = low - max(0.5, abs(low) * 0.1), high + max(0.5, abs(high) * 0.1)
    edges = np.linspace(low, high, BARS + 1)
    series = {
        name: {
            "shares": (np.histogram(np.clip(column, low, high), edges)[0] / max(1, len(column))).round(5).tolist(),
            "mean": float(column.mean()) if len(column) else None,
            "mean_text": number_text(measure, float(column.mean())) if len(column) else "none",
            "place": float(np.clip((column.mean() - low) / (high - low), 0, 1)) if len(column) else None,
        }
        for name, column in columns.items()
    }
    beyond = int((everything > high).sum())
    return {
        "title": heading_of(measure),
        "edges": [low, high],
        "ticks": [number_text(measure, float(value)) for value in np.linspace(low, high, 5)],
        "series": series,
        "beyond": f"{beyond} above are counted into the last bar" if beyond else "",
        "text": _spread(measure, columns),
    }


def parts(now: Replications, before: Replications | None, measures: Sequence[str]) -> list[Facts]:
    """Return the means of some measures, those left out that are nothing in both.

    Args:
        now: with the settings as they are.
        before: the pinned baseline.
        measures: which.
    """
    found = []
    for measure in measures:
        values = {NOW: _mean(now, measure), BEFORE: None if before is None else _mean(before, measure)}
        if any(values.values()):
            found.append(
                {
                    "measure": measure,
                    "title": title_of(measure),
                    **values,
                    "texts": {name: None if v is None else number_text(measure, v) for name, v in values.items()},
                }
            )
    return found


def table(now: Replications, before: Replications | None) -> Mapping[str, Any]:
    """Return the main measures in rows of text: means with intervals, or paired differences with the baseline.

    Args:
        now: with the settings as they are.
        before: the pinned baseline.
    """
    measures = [measure for measure in MAIN if measure in now.samples]
    if before is None:
        alone = ("Measure", "Mean", "95 % interval", "9 of 10 replications")
        rows = [[heading_of(m), *cells(now, m)] for m in measures]
        marked = any(text.endswith(MARK) for row in rows for text in row)
        return {"head": alone, "rows": rows, "note": FOOTNOTE if marked else ""}
    comparison = Comparison(before, {NOW: now})
    head = ("Measure", "Baseline", "Now", "Difference", "95 % interval", "")
    rows = [[heading_of(m), *difference_cells(comparison, NOW, m)] for m in measures]
    return {"head": head, "rows": rows, "note": ""}


def _known(column: Column) -> Column:
    return column[np.isfinite(column)]


def _mean(result: Replications, measure: str) -> float | None:
    if measure not in result.samples:
        return None
    known = _known(result.sample(measure))
    return float(known.mean()) if len(known) else None


def _spread(measure: str, columns: Mapping[str, Column]) -> str:
    said = []
    for name, column in columns.items():
        if len(column):
            low, middle, high = (number_text(measure, float(v)) for v in np.quantile(column, (0.05, 0.5, 0.95)))
            said.append(f"{name}: half of the replications lie below {middle}, 9 of 10 between {low} and {high}")
    return "; ".join(said)
