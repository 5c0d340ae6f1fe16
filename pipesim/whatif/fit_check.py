"""How far simulated history lies from the history that was held back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from pipesim.assumptions.arrivals import Every
from pipesim.assumptions.model import Assumptions
from pipesim.definition.model import Pipeline
from pipesim.engine import simulate
from pipesim.trace.log import Trace
from pipesim.whatif.fit_samples import Samples, take_samples
from pipesim.whatif.goodness import quantiles, wasserstein
from pipesim.whatif.seeds import replication_seed

if TYPE_CHECKING:
    from pipesim.views.chart import Chart

SHARES = tuple(step / 20 for step in range(1, 20))
FEWEST = 5
"""With fewer observed values than this nothing is compared."""
USUAL = 0.95


@dataclass(frozen=True, slots=True)
class Compared:
    """One measure, held-back history against simulated history.

    Attributes:
        what: what is measured, such as ``lead time`` or ``duration of Build/Compile``.
        observed: how many values the held-back history has.
        simulated: how many values the simulations have together.
        distance: the Wasserstein distance between both, in seconds: by how much a value differs, on average over
            all quantiles.
        usual: what chance alone makes of the distance in 95 of 100 cases: the distance of one simulation from the
            others, more by √(1 + held back / used) because the fit itself rests on a sample.
        observed_quantiles: at `SHARES`, in seconds.
        simulated_quantiles: at `SHARES`, in seconds.
        low: the lower bounds between which 95 of 100 simulations have their quantiles.
        high: the upper bounds.
    """

    what: str
    observed: int
    simulated: int
    distance: float
    usual: float
    observed_quantiles: tuple[float, ...]
    simulated_quantiles: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def close(self) -> bool:
        """Whether the distance is no larger than chance alone makes it in 95 of 100 cases."""
        return self.distance <= self.usual

    def plot(self, theme: str = "light") -> Chart:
        """Return the quantile-quantile plot.

        Args:
            theme: ``light`` or ``dark``.
        """
        from pipesim.views.quantiles import quantile_plot

        return quantile_plot(
            SHARES,
            self.observed_quantiles,
            self.simulated_quantiles,
            (self.low, self.high),
            what=self.what,
            counts=(self.observed, self.simulated),
            theme=theme,
        )


def compare_with_simulation(
    history: Trace,
    held_back: tuple[str, ...],
    pipeline: Pipeline,
    assumptions: Assumptions,
    *,
    used: int,
    replications: int,
    seed: int,
) -> tuple[Compared, ...]:
    """Simulate the time of the held-back executions and compare what both tell.

    Every simulation begins before that time, by as long again where the history reaches back so far, so that the
    pipeline is as busy as it was.

    Args:
        history: what really happened.
        held_back: the executions that the assumptions were made without.
        pipeline: the declaration.
        assumptions: what was fitted.
        used: how many executions it was fitted to.
        replications: how many simulations.
        seed: the number on which their luck hangs.
    """
    tick = assumptions.delays.approval_tick
    begin = history.of(held_back[0])[0].time
    length = history.end - begin
    warm_up = min(begin, length)
    observed = _values(history, take_samples(history, held_back, tick))
    moved = _moved(assumptions, history, begin - warm_up)
    runs = []
    for replication in range(replications):
        trace = simulate(pipeline, moved, seed=replication_seed(seed, replication), until=warm_up + length)
        late = tuple(one for one in trace.executions if trace.of(one)[0].time >= warm_up)
        runs.append(_values(trace, take_samples(trace, late, tick)))
    more = math.sqrt(1 + len(held_back) / used)
    found = (
        _compare(what, values, [run[what] for run in runs if len(run.get(what, ()))], more)
        for what, values in observed.items()
    )
    return tuple(one for one in found if one is not None)


def _moved(assumptions: Assumptions, history: Trace, later: float) -> Assumptions:
    """The same assumptions for a simulation that begins later; a beat keeps its moments."""
    arrivals = assumptions.arrivals
    if isinstance(arrivals, Every):
        first = (arrivals.first - later) % arrivals.interval
        arrivals = replace(arrivals, first=round(first, 3))
    return replace(assumptions, start=history.start + timedelta(seconds=later), arrivals=arrivals)


def _values(trace: Trace, samples: Samples) -> Mapping[str, np.ndarray]:
    found: dict[str, list[float]] = {
        "lead time": samples.lead_times,
        "waiting at stage doors": list(samples.waiting.values()),
        "time between changes": np.diff(sorted(samples.arrivals)).tolist(),
    }
    for (stage, action), durations in samples.actions.items():
        found[f"duration of {stage}/{action}"] = [*durations.succeeded, *durations.failed]
    for (stage, action), requests in samples.approvals.items():
        found[f"answer to {stage}/{action}"] = [one.until - one.asked for one in requests if one.answered]
    return {what: np.asarray(values, dtype=np.float64) for what, values in found.items()}


def _compare(what: str, observed: np.ndarray, runs: list[np.ndarray], more: float) -> Compared | None:
    if len(observed) < FEWEST or len(runs) < 2:
        return None
    pooled = np.concatenate(runs)
    apart = [wasserstein(run, np.concatenate([other for other in runs if other is not run])) for run in runs]
    steps = np.array([quantiles(run, SHARES) for run in runs])
    rank = min(math.ceil(USUAL * len(apart)), len(apart)) - 1
    return Compared(
        what=what,
        observed=len(observed),
        simulated=len(pooled),
        distance=wasserstein(observed, pooled),
        usual=sorted(apart)[rank] * more,
        observed_quantiles=tuple(quantiles(observed, SHARES).tolist()),
        simulated_quantiles=tuple(quantiles(pooled, SHARES).tolist()),
        low=tuple(np.quantile(steps, 0.025, axis=0).tolist()),
        high=tuple(np.quantile(steps, 0.975, axis=0).tolist()),
    )
