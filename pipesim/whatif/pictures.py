"""Which charts show a result: from replications, comparisons, sweeps and the rest to pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pipesim.errors import AssumptionError
from pipesim.views.bands import bands
from pipesim.views.chart import Chart
from pipesim.views.ecdf import ecdf
from pipesim.views.frontier import frontier
from pipesim.views.heatmap import heatmap
from pipesim.views.paired import Pairs, paired
from pipesim.views.stacks import stacks
from pipesim.views.theme import Theme
from pipesim.views.tornado import Bar, tornado
from pipesim.views.wip import wip
from pipesim.whatif.best import Best
from pipesim.whatif.compare import Comparison
from pipesim.whatif.intervals import Interval
from pipesim.whatif.observed import WAITS
from pipesim.whatif.results import Replications
from pipesim.whatif.sensitivity import Sensitivity
from pipesim.whatif.sweep import Sweep
from pipesim.whatif.units import title_of, unit_of

if TYPE_CHECKING:
    Result = Replications | Comparison | Sweep | Sensitivity | Best

MOST_CURVES = 6


def charts(result: Result, measure: str = "lead_time", theme: str | Theme = "light") -> list[Chart]:
    """Return every chart that suits a result, the most telling first.

    Args:
        result: replications, a comparison, a sweep, a sensitivity analysis or a choice.
        measure: what to look at; a sensitivity analysis and a choice know their own.
        theme: ``light``, ``dark`` or a theme.

    Raises:
        AssumptionError: there is no such measure, or it is no result.
    """
    return list(each_chart(result, measure, theme))


def each_chart(result: Result, measure: str = "lead_time", theme: str | Theme = "light") -> Iterator[Chart]:
    """Yield the charts of `charts` one by one: whoever wants the first only does not pay for the others."""
    if isinstance(result, Replications):
        yield from _of_scenarios({result.scenario.name: result}, measure, theme)
        yield from _over_time(result, theme)
    elif isinstance(result, Comparison):
        yield differences(result, measure, theme)
        yield from _of_scenarios(result.all, measure, theme)
        yield from _frontiers(result.all, measure, theme)
        yield from _over_time(result.baseline, theme)
    elif isinstance(result, Sweep):
        named = {", ".join(map(str, setting)): one for setting, one in result.points.items()}
        yield _sweep_chart(result, measure, theme)
        yield from _frontiers(named, measure, theme)
    elif isinstance(result, Sensitivity):
        yield swings(result, theme)
        yield from _of_scenarios({"baseline": result.baseline}, result.measure, theme)
    elif isinstance(result, Best):
        yield from _of_scenarios(result.results, result.measure, theme)
    else:
        raise AssumptionError(f"{type(result).__name__} is no result that has charts")


def differences(comparison: Comparison, measure: str = "lead_time", theme: str | Theme = "light") -> Chart:
    """Return the paired-difference plot of a comparison."""
    pairs = {}
    for name in comparison.variants:
        found = comparison.difference(name, measure)
        pairs[name] = Pairs(
            [] if math.isnan(found.estimate) else comparison.differences(name, measure),
            found.estimate,
            found.low,
            found.high,
            found.note if math.isnan(found.low) else "",
        )
    return paired(pairs, unit_of(measure), title_of(measure), baseline=comparison.baseline.scenario.name, theme=theme)


def spread(results: Mapping[str, Replications], measure: str = "lead_time", theme: str | Theme = "light") -> Chart:
    """Return the distribution of a measure over the replications of several scenarios."""
    shown = {name: one.sample(measure) for name, one in list(results.items())[:MOST_CURVES]}
    return ecdf(shown, unit_of(measure), title_of(measure), theme=theme)


def decomposition(results: Mapping[str, Replications], theme: str | Theme = "light") -> Chart:
    """Return where the time of a shipped change goes in several scenarios."""
    names = {"work": "working", **{reason: f"waiting.{reason}" for reason in (*WAITS, "trigger")}}
    parts = {}
    for scenario, one in results.items():
        means = {part: one.interval(name, anyway=True).estimate for part, name in names.items()}
        parts[scenario] = {part: 0.0 if math.isnan(mean) else mean for part, mean in means.items()}
    return stacks(parts, theme=theme)


def swings(result: Sensitivity, theme: str | Theme = "light") -> Chart:
    """Return the tornado of a sensitivity analysis."""
    bars = [
        Bar(one.factor.name, _ends(one.low), _ends(one.high), f"{one.factor.low.text} / {one.factor.high.text}")
        for one in result.swings
    ]
    base = result.baseline.interval(result.measure).estimate
    return tornado(bars, unit_of(result.measure), title_of(result.measure), base, theme=theme)


def _ends(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def _of_scenarios(results: Mapping[str, Replications], measure: str, theme: str | Theme) -> Iterator[Chart]:
    steady = {name: one for name, one in results.items() if not one.unstable(measure)}
    if steady:
        yield spread(steady, measure, theme)
        yield decomposition(steady, theme)


def _over_time(result: Replications, theme: str | Theme) -> Iterator[Chart]:
    moments, counts = result.in_progress()
    if len(moments) and len(counts):
        start = result.scenario.assumptions.start
        yield wip(moments, counts, start, warm_up=result.horizon.warm_up, name=result.scenario.name, theme=theme)


def _frontiers(results: Mapping[str, Replications], measure: str, theme: str | Theme) -> Iterator[Chart]:
    cost = "cost.total"
    if measure != cost and all(cost in one.samples for one in results.values()):
        points = {n: (one.interval(measure).estimate, one.interval(cost).estimate) for n, one in results.items()}
        yield frontier(points, x=(title_of(measure), unit_of(measure)), y=(title_of(cost), unit_of(cost)), theme=theme)


def _sweep_chart(result: Sweep, measure: str, theme: str | Theme) -> Chart:
    what, unit = title_of(measure), unit_of(measure)
    if len(result.knobs) == 2:
        knobs = (result.knobs[0], result.knobs[1])
        return heatmap(result.grid(measure), result.values(0), result.values(1), unit, what, knobs, theme=theme)
    steady = {setting[0]: one for setting, one in result.points.items() if not one.unstable(measure)}
    samples = [one.sample(measure) for one in steady.values()]
    if not steady:
        raise AssumptionError(f"no setting has a steady state: {next(iter(result.points.values())).unstable(measure)}")
    return bands(list(steady), samples, unit, what, result.knobs[0], theme=theme)
