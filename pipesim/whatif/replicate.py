"""Simulate a scenario many times and say what can be said of it, and how surely."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipesim.assumptions.model import Assumptions
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.errors import AssumptionError
from pipesim.whatif.observed import lead_times
from pipesim.whatif.precision import HalfWidth, WarmUp, mser5
from pipesim.whatif.results import Replications
from pipesim.whatif.run import PATIENCE, Experiment, Progress, check_wish, run_scenarios
from pipesim.whatif.scenario import DAY, Horizon, Scenario, as_scenario, flowing, is_finite
from pipesim.whatif.seeds import replication_seed
from pipesim.whatif.store import LIMIT

PILOTS = 10
PILOT_CHANGES = 200
TIMES_WARM_UP = 10
LEAST_CHANGES = 500
AUTO = "auto"


def replicate(
    pipeline: Pipeline | Scenario,
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
) -> Replications:
    """Simulate a pipeline many times, each time with other luck.

    Replication r always has the seed ``replication_seed(seed, r)``, so the same call gives the same numbers
    whatever the number of workers.

    Args:
        pipeline: the declaration, or a scenario.
        assumptions: what AWS does not write down.
        n: how many replications; None: as many as `until` needs.
        until: the precision to reach, a `HalfWidth` or text such as ``"lead_time 5%"``; None, without n: the mean
            lead time to within 5 %, and 1,000 replications at most.
        days: how long each replication looks.
        executions: how many changes arrive in each at most.
        warm_up: seconds at the beginning that are not measured; ``"auto"``: found by MSER-5; None: nothing
            when days or executions are given, else as for ``"auto"``.
        seed: the one number on which all luck hangs.
        on: None: here; or a number of processes, a `concurrent.futures.Executor`, a function that makes one, or a
            Dask client.
        progress: True: a bar; False: none; None: a bar on a terminal; or a function of (done, in all).
        patience: seconds that it may take; beyond, it says how long it would take instead.
        memory_limit: bytes of results to hold; what is more goes to Parquet files (extra ``cluster``).
        spill: folder for those files; None: a temporary one.

    Returns:
        The replications; after Ctrl-C those that are finished.

    Raises:
        DeclarationError: the declaration breaks rules.
        AssumptionError: an assumption or an argument makes no sense, or it would take too long.

    >>> import pipesim
    >>> result = replicate(pipesim.load("GitHub -> CodeBuild -> S3"), n=5, seed=1)
    >>> result.n, result.interval("shipped").estimate
    (5, 1.0)
    """
    wish = check_wish(n, until)
    scenario = as_scenario(pipeline, assumptions)
    how = Experiment(seed, on, progress, patience, memory_limit, None if spill is None else Path(spill))
    [scenario], horizon, found = settle_horizon([scenario], days, executions, warm_up, seed)
    return run_scenarios([scenario], horizon, n, wish, how, found)[0]


def settle_horizon(
    scenarios: list[Scenario],
    days: float | None,
    executions: int | None,
    warm_up: float | str | None,
    seed: int,
) -> tuple[list[Scenario], Horizon, WarmUp | None]:
    """Decide how long to look and what to leave out at the beginning, the same for all scenarios.

    Args:
        scenarios: what will be simulated; the first one's pilot replications decide.
        days: how long each replication looks; None: chosen.
        executions: how many changes arrive at most; None: as many as the arrivals give.
        warm_up: seconds, ``"auto"`` or None (see `replicate`).
        seed: the experiment's seed.

    Returns:
        The scenarios (with changes that keep coming, where days or executions ask for it), the horizon, and how the
        warm-up was found.

    Raises:
        AssumptionError: an argument makes no sense.
    """
    if days is not None and not 0 < days < 36_525:
        raise AssumptionError(f"days={days} must be above 0 and at most a century")
    if isinstance(warm_up, str) and warm_up != AUTO:
        raise AssumptionError(f"warm_up={warm_up!r} is neither seconds nor {AUTO!r}")
    until = None if days is None else days * DAY
    if days is not None or (executions is not None and executions > 1):
        scenarios = [flowing(scenario) for scenario in scenarios]
    elif all(is_finite(scenario) for scenario in scenarios):
        return scenarios, Horizon(executions, until, 0.0 if warm_up in (None, AUTO) else float(warm_up or 0)), None
    if isinstance(warm_up, int | float):
        found = WarmUp(float(warm_up), 0, True, "hand")
        return scenarios, Horizon(executions, until, float(warm_up)), found if warm_up else None
    if warm_up is None and (until is not None or executions is not None):
        return scenarios, Horizon(executions, until), None
    found, between = find_warm_up(scenarios[0], seed)
    if until is None and executions is None:
        until = max(TIMES_WARM_UP * found.seconds, LEAST_CHANGES * between)
    if until is not None and found.seconds >= until:
        found = replace(found, seconds=until / 2, settled=False)
    return scenarios, Horizon(executions, until, found.seconds), found


def find_warm_up(scenario: Scenario, seed: int = 0) -> tuple[WarmUp, float]:
    """Find how much of the beginning is not like the rest, by MSER-5 over pilot replications.

    Lead times of shipped changes, in the order of arrival, are averaged over the pilots (Welch's way to
    calm the series down) before MSER-5 chooses where to cut.

    Args:
        scenario: the pipeline and its assumptions.
        seed: the experiment's seed; pilots have luck of their own, so that no result depends on them.

    Returns:
        The warm-up, and the seconds from one change to the next.
    """
    changes = PILOT_CHANGES * (1 if is_finite(scenario) else 2)
    pilots = []
    between = []
    for place in range(1, PILOTS + 1):
        trace = simulate(
            scenario.pipeline, scenario.assumptions, seed=replication_seed(seed, place, "pilot"), executions=changes
        )
        pairs = lead_times(trace)
        pilots.append(pairs)
        starts = [event.time for event in trace if event.kind.value == "ExecutionStarted"]
        between.append((starts[-1] - starts[0]) / max(1, len(starts) - 1))
    length = min(len(pairs) for pairs in pilots)
    mean_between = float(np.mean(between))
    method = f"MSER-5 on lead times averaged over {PILOTS} pilot replications"
    if length < 20:
        return WarmUp(0.0, 0, False, method), mean_between
    series = np.array([[lead for _, lead in pairs[:length]] for pairs in pilots]).mean(axis=0)
    cut, settled = mser5(series)
    moment = float(np.mean([pairs[cut][0] for pairs in pilots])) if cut else 0.0
    arrived = round(moment / mean_between) if mean_between else cut
    return WarmUp(moment, arrived, settled, method), mean_between
