"""Compare variants with a baseline under the same luck."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.model import Assumptions
from pipesim.definition.model import Pipeline
from pipesim.errors import AssumptionError
from pipesim.trace.wording import columns
from pipesim.whatif.changes import as_edit
from pipesim.whatif.intervals import LEVEL, Interval, mean_interval
from pipesim.whatif.precision import HalfWidth
from pipesim.whatif.replicate import settle_horizon
from pipesim.whatif.results import MAIN, Replications
from pipesim.whatif.run import PATIENCE, Experiment, Progress, check_wish, run_scenarios
from pipesim.whatif.scenario import Edit, Scenario, apply_all, as_scenario
from pipesim.whatif.store import LIMIT
from pipesim.whatif.units import difference_text, heading_of, number_text, unit_of

if TYPE_CHECKING:
    from pandas import DataFrame

Column = NDArray[np.float64]
Change = Scenario | Edit | str | Sequence[Edit | str]
Variants = Mapping[str, Change] | Sequence[Edit | str | Scenario]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A baseline and its variants, replication by replication with the same luck.

    Attributes:
        baseline: the replications of the baseline.
        variants: the replications of each variant, by name.
    """

    baseline: Replications
    variants: Mapping[str, Replications]

    @property
    def all(self) -> Mapping[str, Replications]:
        """Baseline and variants by name."""
        return {self.baseline.scenario.name: self.baseline, **self.variants}

    def differences(self, variant: str, measure: str) -> Column:
        """Return variant minus baseline, one number for each replication that both finished."""
        other = self._variant(variant)
        _, here, there = np.intersect1d(
            self.baseline.replications, other.replications, assume_unique=True, return_indices=True
        )
        return np.round(other.sample(measure)[there] - self.baseline.sample(measure)[here], 9) + 0.0

    def difference(
        self, variant: str, measure: str = "lead_time", level: float = LEVEL, *, simultaneous: bool = False
    ) -> Interval:
        """Return how much a variant changes a measure: the mean paired difference with Student's interval.

        Args:
            variant: the variant's name.
            measure: the measure.
            level: how often such intervals shall hold the truth.
            simultaneous: let the level hold for all variants together (Bonferroni), not for each alone.

        Raises:
            AssumptionError: there is no such variant or measure.
        """
        each = 1 - (1 - level) / len(self.variants) if simultaneous else level
        note = self._variant(variant).unstable(measure) or self.baseline.unstable(measure)
        if note:
            return Interval(math.nan, math.nan, math.nan, each, self.baseline.n, note)
        return mean_interval(self.differences(variant, measure), each)

    def gain_from_pairing(self, variant: str, measure: str = "lead_time") -> float:
        """Return how many times as many replications with luck of their own the same precision would need."""
        shared = self.differences(variant, measure)
        alone = np.nanvar(self.baseline.sample(measure)) + np.nanvar(self._variant(variant).sample(measure))
        paired = float(np.nanvar(shared))
        return float(alone / paired) if paired else math.inf

    def table(self, measures: Sequence[str] = MAIN, level: float = LEVEL) -> DataFrame:
        """Return one row a variant and measure: both means, the difference, its interval and whether it is luck."""
        import pandas

        rows = []
        for name, variant in self.variants.items():
            for measure in measures:
                if measure not in self.baseline.samples or measure not in variant.samples:
                    continue
                found = self.difference(name, measure, level)
                before = self.baseline.interval(measure).estimate
                after = variant.interval(measure).estimate
                rows.append(
                    (
                        name,
                        measure,
                        unit_of(measure),
                        before,
                        after,
                        found.estimate,
                        found.low,
                        found.high,
                        found.excludes_zero,
                        found.note,
                    )
                )
        names = [
            "variant", "measure", "unit", "baseline", "mean", "difference", "low", "high", "significant", "note",
        ]  # fmt: skip
        return pandas.DataFrame(rows, columns=names)

    def to_frame(self) -> DataFrame:
        """Return one row a scenario and replication, one column a measure."""
        import pandas

        frames = []
        for name, result in self.all.items():
            frame = result.to_frame()
            frame.insert(0, "scenario", name)
            frames.append(frame)
        return pandas.concat(frames, ignore_index=True)

    def report(self, path: str | Path | None = None) -> Any:
        """Return one self-contained HTML page about this comparison, and write it when a path is given."""
        from pipesim.whatif.report import report

        return report(self, path)

    def _variant(self, name: str) -> Replications:
        if name not in self.variants:
            raise AssumptionError(f"there is no variant {name!r}; there are {', '.join(map(repr, self.variants))}")
        return self.variants[name]

    def _repr_html_(self) -> str:
        from pipesim.whatif.showing import result_html

        return result_html(self)

    def __str__(self) -> str:
        parts = ["\n".join(self.baseline.describe())]
        for name, variant in self.variants.items():
            rows = [("measure", "baseline", name, "difference", f"{LEVEL:.0%} interval", "")]
            rows += [
                (heading_of(measure), *difference_cells(self, name, measure))
                for measure in MAIN
                if measure in self.baseline.samples and measure in variant.samples
            ]
            lines = [title_of_variant(name, variant.scenario), *map(str, variant.about.bottlenecks)]
            parts.append("\n".join([*lines, columns(rows)]))
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return f"<Comparison: {self.baseline.scenario.name!r} with {', '.join(map(repr, self.variants))}>"


def difference_cells(comparison: Comparison, variant: str, measure: str) -> tuple[str, str, str, str, str]:
    """Return both means, the difference, its half-width and a verdict, as people read them."""
    before = comparison.baseline.interval(measure)
    after = comparison.variants[variant].interval(measure)
    found = comparison.difference(variant, measure)
    means = tuple(_mean_text(measure, one) for one in (before, after))
    if math.isnan(found.estimate):
        return (*means, "", "", "")  # type: ignore[return-value]
    shown = difference_text(measure, found.estimate)
    if math.isnan(found.low):
        return (*means, shown, found.note, "")  # type: ignore[return-value]
    verdict = "the same" if found.half_width == 0 == found.estimate else "" if found.excludes_zero else "may be luck"
    return (*means, shown, f"± {number_text(measure, found.half_width)}", verdict)  # type: ignore[return-value]


def title_of_variant(name: str, scenario: Scenario) -> str:
    """Return a variant's name, and what it changes where the name does not say it."""
    return name if name == scenario.difference else f"{name}: {scenario.difference}"


def _mean_text(measure: str, interval: Interval) -> str:
    if math.isnan(interval.estimate):
        return interval.note.partition(":")[0] if "unstable" in interval.note else "none"
    return number_text(measure, interval.estimate)


def compare(
    baseline: Pipeline | Scenario | tuple[Pipeline, Assumptions],
    variants: Variants,
    assumptions: Assumptions | None = None,
    n: int | None = None,
    *,
    until: HalfWidth | str | None = None,
    days: float | None = None,
    executions: int | None = None,
    warm_up: float | str | None = None,
    seed: int = 0,
    on: Any = None,
    progress: bool | Progress | None = None,
    patience: float = PATIENCE,
    memory_limit: int = LIMIT,
    spill: str | Path | None = None,
) -> Comparison:
    """Simulate a baseline and changed scenarios with common random numbers.

    Replication r of every scenario has the same seed, and luck hangs on names (of stages and actions), so what a
    change does not touch has the same luck everywhere and differences are seen with few replications.

    Args:
        baseline: a pipeline, a scenario or a (pipeline, assumptions) pair.
        variants: by name, or a sequence; each an edit, its text (``"builds=6"``), several of them, or a scenario.
        assumptions: what AWS does not write down, where the baseline is a pipeline.
        n, until, days, executions, warm_up, seed, on, progress, patience, memory_limit, spill: as for `replicate`.

    Raises:
        AssumptionError: a change cannot be made, or an argument makes no sense.

    >>> import pipesim
    >>> found = compare(pipesim.load("GitHub -> CodeBuild -> S3"), ["CodeBuild*0.5"], n=20)
    >>> found.difference("CodeBuild*0.5", "lead_time").high < 0
    True
    """
    wish = check_wish(n, until)
    first = as_scenario(baseline, assumptions)
    scenarios = [first, *make_variants(first, variants)]
    how = Experiment(seed, on, progress, patience, memory_limit, None if spill is None else Path(spill))
    scenarios, horizon, found = settle_horizon(scenarios, days, executions, warm_up, seed)
    results = run_scenarios(scenarios, horizon, n, wish, how, found)
    return Comparison(results[0], {result.scenario.name: result for result in results[1:]})


def make_variants(baseline: Scenario, variants: Variants) -> list[Scenario]:
    """Return the changed scenarios, each under a name of its own.

    Raises:
        AssumptionError: there is none, two have the same name, or a change cannot be made.
    """
    pairs: Iterable[tuple[str, Change]]
    if isinstance(variants, Mapping):
        pairs = variants.items()
    elif isinstance(variants, str | Edit | Scenario):
        pairs = [(_name(variants), variants)]
    else:
        pairs = [(_name(variant), variant) for variant in variants]
    made = [_vary(baseline, change).named(name) for name, change in pairs]
    names = [baseline.name, *(one.name for one in made)]
    if not made:
        raise AssumptionError("there is nothing to compare: give at least one variant, such as 'builds=6'")
    for name in names:
        if names.count(name) > 1:
            raise AssumptionError(f"two scenarios are called {name!r}; give variants names: {{'name': change}}")
    return made


def _name(variant: Change) -> str:
    if isinstance(variant, Scenario):
        return variant.name
    if isinstance(variant, Edit | str):
        return str(variant)
    return "; ".join(str(one) for one in variant)


def _vary(baseline: Scenario, change: Change) -> Scenario:
    if isinstance(change, Scenario):
        return change
    changes = [change] if isinstance(change, Edit | str) else list(change)
    return apply_all(baseline, (as_edit(one) for one in changes))
