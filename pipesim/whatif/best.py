"""Which variant is best, with a stated probability of being wrong.

The procedure KN (Kim and Nelson, "A fully sequential procedure for indifference-zone selection in simulation",
ACM Transactions on Modeling and Computer Simulation 11(3), 2001, with c = 1) runs all variants under common random
numbers, one replication after another, and drops a variant as soon as it is clearly worse than another. Where the
best is better than the rest by the indifference zone at least, the survivor is the best with probability
1 − error, if the measure of a replication is nearly normal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.model import Assumptions
from pipesim.definition.model import Pipeline
from pipesim.errors import AssumptionError
from pipesim.trace.wording import columns
from pipesim.whatif.compare import Variants, make_variants
from pipesim.whatif.replicate import settle_horizon
from pipesim.whatif.results import Replications, cells
from pipesim.whatif.run import PATIENCE, Experiment, Progress, extend, gather, prepare
from pipesim.whatif.scenario import Scenario, as_scenario
from pipesim.whatif.units import number_text, title_of, unit_of

if TYPE_CHECKING:
    from pandas import DataFrame

ERROR = 0.05
FIRST = 20
ZONE = 0.02
AT_MOST = 10_000
MORE_IS_BETTER = ("throughput", "shipped", "deployment_frequency")
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Best:
    """The variant that was chosen, and how.

    Attributes:
        measure: what was compared.
        name: the chosen variant.
        error: the probability that another is better by the indifference zone or more.
        zone: the indifference zone, in the measure's unit: differences below it do not matter.
        largest: whether more is better.
        decided: whether the procedure came to its end; False: replications ran out, and the best so far is named.
        dropped: after how many replications each other variant was dropped.
        results: the replications of every variant, by name.
    """

    measure: str
    name: str
    error: float
    zone: float
    largest: bool
    decided: bool
    dropped: Mapping[str, int]
    results: Mapping[str, Replications]

    @property
    def scenario(self) -> Scenario:
        """The chosen scenario."""
        return self.results[self.name].scenario

    def table(self) -> DataFrame:
        """Return one row a variant: its mean, interval, replications and when it was dropped."""
        import pandas

        rows = []
        for name, result in self.results.items():
            found = result.interval(self.measure)
            rows.append(
                (name, name == self.name, found.estimate, found.low, found.high, unit_of(self.measure), result.n,
                 self.dropped.get(name), found.note)
            )  # fmt: skip
        names = ["variant", "chosen", "mean", "low", "high", "unit", "replications", "dropped_after", "note"]
        return pandas.DataFrame(rows, columns=names).astype({"dropped_after": "Int64"})

    to_frame = table

    def report(self, path: str | Path | None = None) -> Any:
        """Return one self-contained HTML page about this choice, and write it when a path is given."""
        from pipesim.whatif.report import report

        return report(self, path)

    def _repr_html_(self) -> str:
        from pipesim.whatif.showing import result_html

        return result_html(self)

    def __str__(self) -> str:
        wish = "largest" if self.largest else "smallest"
        zone = number_text(self.measure, self.zone)
        if self.decided:
            sentence = (
                f"{self.name} has the {wish} {title_of(self.measure)}; the odds that another is better by {zone} "
                f"or more are {self.error:.0%} at most (procedure KN of Kim and Nelson 2001, common random numbers)"
            )
        else:
            sentence = (
                f"not decided: {self.name} has the {wish} {title_of(self.measure)} so far; "
                f"it takes more replications to tell differences of {zone} apart"
            )
        rows = [("variant", "mean", "95% interval", "9 of 10 replications", "dropped after")]
        for name, result in self.results.items():
            rows.append((name, *cells(result, self.measure), str(self.dropped.get(name, ""))))
        return f"{sentence}\n\n{columns(rows)}"


def best(
    baseline: Pipeline | Scenario,
    variants: Variants,
    measure: str = "lead_time",
    *,
    assumptions: Assumptions | None = None,
    largest: bool | None = None,
    error: float = ERROR,
    indifference: float | None = None,
    first: int = FIRST,
    at_most: int = AT_MOST,
    days: float | None = None,
    executions: int | None = None,
    warm_up: float | str | None = None,
    seed: int = 0,
    on: Any = None,
    progress: bool | Progress | None = None,
    patience: float = PATIENCE,
) -> Best:
    """Choose the best of a baseline and its variants by ranking and selection.

    Args:
        baseline: a pipeline or scenario; it takes part.
        variants: as for `compare`.
        measure: what is compared.
        assumptions: what AWS does not write down.
        largest: whether more is better; None: only for throughput, shipped and deployment frequency.
        error: the probability of a wrong choice that is allowed.
        indifference: differences below it do not matter, in the measure's unit; None: 2 % of the baseline's mean.
        first: how many replications every variant gets before any is dropped.
        at_most: the most replications a variant gets.
        days, executions, warm_up, seed, on, progress, patience: as for `replicate`.

    Raises:
        AssumptionError: an argument makes no sense, or no variant has a steady state.

    >>> import pipesim as ps
    >>> slow = ps.Scenario(ps.load("S3 -> CodeBuild -> S3"), ps.load_profile('arrivals = { every = "1h" }'))
    >>> best(slow, {"quick": ps.edit.duration("CodeBuild", 60)}, days=1, at_most=5, first=5).name
    'quick'
    """
    if not 0 < error < 0.5:
        raise AssumptionError(f"error={error} must lie between 0 and 0.5; 0.05 is usual")
    if first < 5 or at_most < first:
        raise AssumptionError(f"first={first} must be 5 or more, and at_most={at_most} not less than it")
    base = as_scenario(baseline, assumptions)
    scenarios = [base, *make_variants(base, variants)]
    scenarios, horizon, found = settle_horizon(scenarios, days, executions, warm_up, seed)
    upwards = measure in MORE_IS_BETTER if largest is None else largest
    how = Experiment(seed, on, progress, patience)
    running = {course.scenario.name: course for course in prepare(scenarios, horizon, how)}
    complete = extend(list(running.values()), first, how)
    results = {name: gather(course, how, found, complete=complete) for name, course in running.items()}
    unstable = {name: first for name, result in results.items() if result.unstable(measure)}
    steady = [name for name in results if name not in unstable]
    if not steady:
        raise AssumptionError(f"none can be chosen: {next(iter(results.values())).unstable(measure)}")
    start = results[steady[0]].interval(measure, anyway=True).estimate
    zone = abs(start) * ZONE if indifference is None else indifference
    if not zone > 0 or not math.isfinite(zone):
        raise AssumptionError(f"the indifference zone is {zone:g}; give indifference=… above 0, in {unit_of(measure)}")
    race = _Race(steady, first, error, zone, -1.0 if upwards else 1.0)
    count = first
    while complete:
        race.judge({name: results[name].sample(measure) for name in race.alive})
        if len(race.alive) == 1 or count >= at_most or sum(one.seconds for one in running.values()) > patience:
            break
        count = min(at_most, math.ceil(count * 1.3))
        complete = extend([running[name] for name in race.alive], count, how)
        results |= {name: gather(running[name], how, found, complete=complete) for name in race.alive}
    means = {name: results[name].interval(measure, anyway=True).estimate for name in race.alive}
    chosen = min(means, key=lambda name: means[name] * race.sign)
    return Best(measure, chosen, error, zone, upwards, len(race.alive) == 1, {**unstable, **race.dropped}, results)


class _Race:
    """The state of procedure KN: who is still in, and the variances of the first replications' differences."""

    def __init__(self, names: list[str], first: int, error: float, zone: float, sign: float) -> None:
        self.alive = list(names)
        self.dropped: dict[str, int] = {}
        self.sign = sign
        self._first = first
        self._zone = zone
        self._done = first
        rivals = max(1, len(names) - 1)
        eta = 0.5 * ((2 * error / rivals) ** (-2 / (first - 1)) - 1)
        self._h2 = 2 * eta * (first - 1)
        self._variances: dict[tuple[str, str], float] = {}

    def judge(self, samples: Mapping[str, Column]) -> None:
        """Take the new replications one by one and drop who is clearly worse."""
        count = min(len(sample) for sample in samples.values())
        values = {name: self.sign * _known(sample) for name, sample in samples.items()}
        for a in self.alive:
            for b in self.alive:
                if (a, b) not in self._variances:
                    gap = values[a][: self._first] - values[b][: self._first]
                    self._variances[a, b] = float(gap.var(ddof=1))
        sums = {name: np.cumsum(values[name]) for name in self.alive}
        for r in range(self._done, count + 1):
            if len(self.alive) == 1:
                return
            means = {name: sums[name][r - 1] / r for name in self.alive}
            keep = [a for a in self.alive if all(means[a] <= means[b] + self._room(a, b, r) for b in self.alive)]
            for name in self.alive:
                if name not in keep:
                    self.dropped[name] = r
            self.alive = keep
        self._done = count + 1

    def _room(self, a: str, b: str, r: int) -> float:
        if a == b:
            return 0.0
        width = self._h2 * self._variances[a, b] / self._zone**2 - r
        return float(max(0.0, self._zone / (2 * r) * width))


def _known(sample: Column) -> Column:
    """The sample, with the mean in place of replications that have no such number."""
    missing = np.isnan(sample)
    if missing.all():
        raise AssumptionError("a variant has no such number in any replication; look longer or choose another measure")
    return np.where(missing, np.nanmean(sample), sample)
