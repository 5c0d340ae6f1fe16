"""Which assumption moves the answer most: each is moved down and up alone, the others stay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipesim.assumptions.arrivals import At, Every, OfficeHours, Poisson, Weekly
from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.resolve import resolve
from pipesim.definition.model import Pipeline
from pipesim.errors import AssumptionError
from pipesim.trace.wording import columns
from pipesim.whatif import timing
from pipesim.whatif.compare import Comparison
from pipesim.whatif.intervals import Interval
from pipesim.whatif.precision import HalfWidth
from pipesim.whatif.replicate import settle_horizon
from pipesim.whatif.results import Replications
from pipesim.whatif.run import PATIENCE, Experiment, Progress, check_wish, run_scenarios
from pipesim.whatif.scaling import scaled
from pipesim.whatif.scenario import Edit, Scenario, as_scenario
from pipesim.whatif.units import difference_text, title_of, unit_of

if TYPE_CHECKING:
    from pandas import DataFrame

SPAN = 0.2


@dataclass(frozen=True, slots=True)
class Factor:
    """One assumption and how it is moved.

    Attributes:
        name: what it is.
        low: the edit downwards.
        high: the edit upwards.
    """

    name: str
    low: Edit
    high: Edit


@dataclass(frozen=True, slots=True)
class Swing:
    """What moving one assumption does to the measure: paired differences to the baseline.

    Attributes:
        factor: what was moved.
        low: the difference when it is moved down.
        high: the difference when it is moved up.
    """

    factor: Factor
    low: Interval
    high: Interval

    @property
    def size(self) -> float:
        """The distance between the two ends; infinite where one of them is unstable."""
        ends = [0.0, self.low.estimate, self.high.estimate]
        return math.inf if any(map(math.isnan, ends)) else max(ends) - min(ends)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Every assumption's swing, the largest first.

    Attributes:
        measure: what is looked at.
        span: how far assumptions were moved, as a share.
        baseline: the replications of the scenario as it is.
        swings: one an assumption.
    """

    measure: str
    span: float
    baseline: Replications
    swings: tuple[Swing, ...]

    def table(self) -> DataFrame:
        """Return one row an assumption, the one that matters most first."""
        import pandas

        rows = [
            (
                swing.factor.name,
                swing.factor.low.text,
                swing.low.estimate,
                swing.low.low,
                swing.low.high,
                swing.factor.high.text,
                swing.high.estimate,
                swing.high.low,
                swing.high.high,
                swing.size,
                unit_of(self.measure),
            )
            for swing in self.swings
        ]
        names = [
            "assumption", "down", "change_down", "down_low", "down_high", "up", "change_up", "up_low", "up_high",
            "swing", "unit",
        ]  # fmt: skip
        return pandas.DataFrame(rows, columns=names)

    to_frame = table

    def report(self, path: str | Path | None = None) -> Any:
        """Return one self-contained HTML page about this analysis, and write it when a path is given."""
        from pipesim.whatif.report import report

        return report(self, path)

    def _repr_html_(self) -> str:
        from pipesim.whatif.showing import result_html

        return result_html(self)

    def __str__(self) -> str:
        rows = [("assumption", "down", "effect", "up", "effect")]
        for swing in self.swings:
            rows.append(
                (
                    swing.factor.name,
                    swing.factor.low.text,
                    _effect(self.measure, swing.low),
                    swing.factor.high.text,
                    _effect(self.measure, swing.high),
                )
            )
        title = f"what moves the {title_of(self.measure)} most, each assumption alone by {self.span:.0%}"
        return "\n".join((*self.baseline.describe(), "", title, columns(rows)))


def sensitivity(
    pipeline: Pipeline | Scenario,
    assumptions: Assumptions | None = None,
    measure: str = "lead_time",
    *,
    span: float = SPAN,
    factors: Sequence[Factor] | None = None,
    n: int | None = None,
    until: HalfWidth | str | None = None,
    days: float | None = None,
    executions: int | None = None,
    warm_up: float | str | None = None,
    seed: int = 0,
    on: Any = None,
    progress: bool | Progress | None = None,
    patience: float = PATIENCE,
) -> Sensitivity:
    """Find which assumption moves a measure most: one at a time, down and up, with common random numbers.

    Args:
        pipeline: the declaration, or a scenario.
        assumptions: what AWS does not write down.
        measure: what is looked at.
        span: how far each assumption is moved, as a share: 0.2 is 20 % down and 20 % up. Pools move by as much,
            at least by one place.
        factors: what is moved; None: every duration, odds above 0, response, pool, and the arrivals.
        n, until, days, executions, warm_up, seed, on, progress, patience: as for `replicate`.

    Raises:
        AssumptionError: the span is not between 0 and 1, or there is no such measure.
    """
    if not 0 < span < 1:
        raise AssumptionError(f"span={span} must lie between 0 and 1; 0.2 moves assumptions by 20 %")
    wish = check_wish(n, until)
    base = as_scenario(pipeline, assumptions)
    scenarios = [base]
    [flowing, *_], horizon, found = settle_horizon(scenarios, days, executions, warm_up, seed)
    moved = list(factors) if factors is not None else all_factors(flowing, span)
    scenarios = [flowing]
    for place, factor in enumerate(moved):
        scenarios += [factor.low(flowing).named(f"{place} down"), factor.high(flowing).named(f"{place} up")]
    results = run_scenarios(scenarios, horizon, n, wish, Experiment(seed, on, progress, patience), found)
    comparison = Comparison(results[0], {result.scenario.name: result for result in results[1:]})
    swings = [
        Swing(factor, comparison.difference(f"{p} down", measure), comparison.difference(f"{p} up", measure))
        for p, factor in enumerate(moved)
    ]
    return Sensitivity(measure, span, results[0], tuple(sorted(swings, key=lambda swing: -swing.size)))


def all_factors(scenario: Scenario, span: float = SPAN) -> list[Factor]:
    """Return everything that is assumed of a scenario, ready to be moved down and up.

    Args:
        scenario: the pipeline and its assumptions.
        span: how far, as a share.
    """
    resolved = resolve(scenario.pipeline, scenario.assumptions)
    down, up = 1 - span, 1 + span
    factors = []
    for stage, action in scenario.pipeline.actions():
        key = f"{stage.name}/{action.name}"
        if action.is_approval:
            who = resolved.approver(stage.name, action.name)
            if who.response is not None and who.response.mean > 0:
                ends = [timing.approver_response(key, scaled(who.response, by)) for by in (down, up)]
                factors.append(Factor(f"answer of {key}", *_renamed(ends, span)))
            odds = who.rejects
        else:
            assumed = resolved.action(stage.name, action.name)
            if assumed.duration is not None and assumed.duration.mean > 0:
                ends = [timing.scale_duration(key, by) for by in (down, up)]
                factors.append(Factor(f"duration of {key}", *_renamed(ends, span)))
            odds = assumed.fails
        if odds > 0:
            ends = [timing.failure_odds(key, min(1.0, odds * by)) for by in (down, up)]
            factors.append(Factor(f"failures of {key}", *_renamed(ends, span)))
    if isinstance(scenario.assumptions.arrivals, Every | Poisson | OfficeHours | Weekly | At):
        factors.append(Factor("arrivals", *_renamed([timing.scale_arrivals(down), timing.scale_arrivals(up)], span)))
    used = {one.pool for one in resolved.actions.values()}
    for name, pool in scenario.assumptions.pools.items():
        if name in used:
            step = max(1, round(pool.capacity * span))
            ends = [timing.pool(name, max(1, pool.capacity - step)), timing.pool(name, pool.capacity + step)]
            factors.append(Factor(f"places of {name}", *ends))
    return factors


def _renamed(ends: Sequence[Edit], span: float) -> tuple[Edit, Edit]:
    low, high = ends
    return Edit(f"−{span:.0%}", low.function), Edit(f"+{span:.0%}", high.function)


def _effect(measure: str, interval: Interval) -> str:
    if math.isnan(interval.estimate):
        return "unstable" if "unstable" in interval.note else "none"
    text = difference_text(measure, interval.estimate)
    return text if interval.excludes_zero or interval.half_width == 0 else f"{text} (may be luck)"
