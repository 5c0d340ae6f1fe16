"""Turn one knob or two, and see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.model import Assumptions
from pipesim.definition.model import Pipeline
from pipesim.errors import AssumptionError
from pipesim.trace.wording import columns
from pipesim.whatif.changes import parse_change
from pipesim.whatif.intervals import LEVEL, Interval
from pipesim.whatif.precision import HalfWidth
from pipesim.whatif.replicate import settle_horizon
from pipesim.whatif.results import Replications, cells
from pipesim.whatif.run import PATIENCE, Experiment, Progress, check_wish, run_scenarios
from pipesim.whatif.scenario import Edit, Scenario, as_scenario
from pipesim.whatif.store import LIMIT
from pipesim.whatif.units import unit_of

if TYPE_CHECKING:
    from pandas import DataFrame

Knob = str | Callable[[Any], Edit]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What came of every setting of one knob, or of two.

    Attributes:
        knobs: what was turned, one name or two.
        points: the replications by setting: a tuple of one value a knob.
    """

    knobs: tuple[str, ...]
    points: Mapping[tuple[Any, ...], Replications]

    def values(self, knob: int = 0) -> list[Any]:
        """Return the values of a knob, in the order given."""
        return list(dict.fromkeys(setting[knob] for setting in self.points))

    def intervals(self, measure: str = "lead_time", level: float = LEVEL) -> dict[tuple[Any, ...], Interval]:
        """Return the mean of a measure with its interval, by setting."""
        return {setting: result.interval(measure, level) for setting, result in self.points.items()}

    def grid(self, measure: str = "lead_time") -> NDArray[np.float64]:
        """Return the means of a measure: a row a value of the second knob, a column a value of the first."""
        if len(self.knobs) != 2:
            raise AssumptionError("only a sweep of two knobs has a grid")
        found = self.intervals(measure)
        return np.array([[found[x, y].estimate for x in self.values(0)] for y in self.values(1)])

    def table(self, measures: Sequence[str] = ("lead_time", "lead_time.p95", "throughput", "cost.total")) -> DataFrame:
        """Return one row a setting and measure: mean, interval and note."""
        import pandas

        rows = []
        for setting, result in self.points.items():
            for measure in measures:
                found = result.interval(measure)
                rows.append((*setting, measure, unit_of(measure), found.estimate, found.low, found.high, found.note))
        return pandas.DataFrame(rows, columns=[*self.knobs, "measure", "unit", "mean", "low", "high", "note"])

    def to_frame(self) -> DataFrame:
        """Return one row a setting and replication, one column a measure."""
        import pandas

        frames = []
        for setting, result in self.points.items():
            frame = result.to_frame()
            for place, (knob, value) in enumerate(zip(self.knobs, setting, strict=True)):
                frame.insert(place, knob, [value] * len(frame))
            frames.append(frame)
        return pandas.concat(frames, ignore_index=True)

    def report(self, path: str | Path | None = None) -> Any:
        """Return one self-contained HTML page about this sweep, and write it when a path is given."""
        from pipesim.whatif.report import report

        return report(self, path)

    def _repr_html_(self) -> str:
        from pipesim.whatif.showing import result_html

        return result_html(self)

    def __str__(self) -> str:
        any_point = next(iter(self.points.values()))
        rows = [(*self.knobs, "lead time", "95% interval", "9 of 10 replications")]
        rows += [(*map(str, setting), *cells(result, "lead_time")) for setting, result in self.points.items()]
        return "\n".join((*any_point.describe()[1:], "", columns(rows)))

    def __repr__(self) -> str:
        return f"<Sweep: {' × '.join(self.knobs)}, {len(self.points)} settings>"


def sweep(
    pipeline: Pipeline | Scenario,
    knob: Knob,
    values: Sequence[Any],
    second: Knob | None = None,
    second_values: Sequence[Any] = (),
    *,
    assumptions: Assumptions | None = None,
    n: int | None = None,
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
) -> Sweep:
    """Simulate every setting of a knob, or of two, with common random numbers.

    Args:
        pipeline: the declaration, or a scenario.
        knob: what is turned: the left side of a change written as text, such as ``"builds"``, ``"mode"``,
            ``"Test/EndToEnd"`` (its duration), ``"fails Test/EndToEnd"``, or with a star to multiply:
            ``"Test/EndToEnd *"``, ``"arrivals *"``; or a function of a value that returns an edit.
        values: its settings.
        second: another knob; None: one is enough.
        second_values: the other's settings.
        assumptions: what AWS does not write down.
        n, until, days, executions, warm_up, seed, on, progress, patience, memory_limit, spill: as for `replicate`.

    Raises:
        AssumptionError: a knob or a value makes no sense.

    >>> import pipesim
    >>> found = sweep(pipesim.load("GitHub -> CodeBuild -> S3"), "CodeBuild *", [0.5, 1, 2], n=10)
    >>> [interval.estimate for interval in found.intervals().values()] == sorted(
    ...     interval.estimate for interval in found.intervals().values())
    True
    """
    wish = check_wish(n, until)
    first = as_scenario(pipeline, assumptions)
    one_knob: list[tuple[Any, ...]] = [(value,) for value in values]
    settings = one_knob if second is None else [(x, y) for y in second_values for x in values]
    if not settings or len(set(settings)) != len(settings):
        raise AssumptionError("a sweep needs at least one value a knob, and each only once")
    knobs: list[Knob] = [knob] if second is None else [knob, second]
    names = tuple(one if isinstance(one, str) else getattr(one, "__name__", "knob") for one in knobs)
    if len(set(names)) != len(names):
        raise AssumptionError(f"both knobs are {names[0]!r}; turn two different ones")
    scenarios = []
    for setting in settings:
        scenario = first
        for one, value in zip(knobs, setting, strict=True):
            scenario = turn(one, value)(scenario)
        scenarios.append(
            scenario.named(", ".join(f"{name}={value}" for name, value in zip(names, setting, strict=True)))
        )
    how = Experiment(seed, on, progress, patience, memory_limit, None if spill is None else Path(spill))
    scenarios, horizon, found = settle_horizon(scenarios, days, executions, warm_up, seed)
    results = run_scenarios(scenarios, horizon, n, wish, how, found)
    return Sweep(names, dict(zip(settings, results, strict=True)))


def turn(knob: Knob, value: Any) -> Edit:
    """Return the edit that sets a knob to a value.

    >>> turn("builds", 6).text, turn("arrivals *", 2).text
    ('builds=6', 'arrivals × 2')
    """
    if not isinstance(knob, str):
        return knob(value)
    stripped = knob.strip()
    if stripped.endswith(("*", "×")) and not stripped.endswith("/*") and stripped != "*":
        return parse_change(f"{stripped}{value}")
    if isinstance(value, int | float) and "/" in stripped and not stripped.startswith(("fails ", "size ")):
        return parse_change(f"{stripped}={value}s")
    return parse_change(f"{stripped}={value}")
