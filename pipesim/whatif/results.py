"""What many replications gave: samples, intervals, percentiles, a table, a report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.faults import suggest
from pipesim.errors import AssumptionError
from pipesim.trace.wording import columns
from pipesim.whatif.blocks import moments
from pipesim.whatif.intervals import LEVEL, Interval, mean_interval, quantile_interval
from pipesim.whatif.precision import WarmUp
from pipesim.whatif.scenario import Horizon, Scenario
from pipesim.whatif.stability import Bottleneck, grows
from pipesim.whatif.store import Store
from pipesim.whatif.units import heading_of, number_text, unit_of

if TYPE_CHECKING:
    from pandas import DataFrame

Column = NDArray[np.float64]
MARK = " *"
FOOTNOTE = "* few replications for so lopsided a measure: the interval may be short"
MAIN = (
    "lead_time",
    "lead_time.p95",
    "waiting.stage lock",
    "waiting.approval",
    "waiting.pool",
    "working",
    "throughput",
    "shipped",
    "superseded",
    "failed",
    "work_in_progress",
    "deployment_frequency",
    "lead_time_for_changes",
    "change_failure_rate",
    "time_to_restore",
    "cost.total",
)


class Samples(Mapping[str, Column]):
    """One array a measure, one number a replication, read from memory or disk when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, name: str) -> Column:
        return self._store.column(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.names)

    def __len__(self) -> int:
        return len(self._store.names)

    def __contains__(self, name: object) -> bool:
        return name in self._store.names


@dataclass(frozen=True, slots=True)
class About:
    """How replications came about.

    Attributes:
        seed: the experiment's seed.
        engine: ``"vectorised"`` or ``"simpy"``.
        why_engine: why it was not the fast one; empty when it was.
        warm_up: what was left out and by which method; None: nothing.
        stopped: why it was enough, in words.
        interrupted: whether Ctrl-C ended it.
        seconds: seconds of computing, over all workers.
        bottlenecks: what is overloaded; then measures that grow without end get no number.
    """

    seed: int
    engine: str
    why_engine: str = ""
    warm_up: WarmUp | None = None
    stopped: str = ""
    interrupted: bool = False
    seconds: float = 0.0
    bottlenecks: tuple[Bottleneck, ...] = ()


class Replications:
    """Many simulations of one scenario that differ only in their seed.

    Attributes:
        scenario: what was simulated.
        horizon: how long each replication looked.
        about: how it came about.
        samples: one array a measure, one number a replication.
    """

    def __init__(self, scenario: Scenario, horizon: Horizon, store: Store, about: About) -> None:
        self.scenario = scenario
        self.horizon = horizon
        self.about = about
        self.samples: Mapping[str, Column] = Samples(store)
        self._store = store

    def __len__(self) -> int:
        return len(self.replications)

    @property
    def n(self) -> int:
        """How many replications there are."""
        return len(self.replications)

    @property
    def replications(self) -> NDArray[np.int64]:
        """Their numbers, ascending; with gaps only after Ctrl-C."""
        return self._store.replications

    @property
    def seed(self) -> int:
        """The experiment's seed."""
        return self.about.seed

    @property
    def engine_used(self) -> str:
        """``"vectorised"`` (the fast path) or ``"simpy"``."""
        return self.about.engine

    @property
    def warm_up(self) -> WarmUp | None:
        """What was left out at the beginning, and by which method; None: nothing."""
        return self.about.warm_up

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it before all replications had run."""
        return self.about.interrupted

    @property
    def parts(self) -> tuple[Path, ...]:
        """The Parquet files to which the numbers were moved; empty while they fit into memory."""
        return self._store.parts

    def sample(self, measure: str) -> Column:
        """Return one number a replication.

        Raises:
            AssumptionError: there is no such measure.
        """
        if measure not in self.samples:
            raise AssumptionError(f"there is no measure {measure!r}{suggest(measure, self.samples)}")
        return self.samples[measure]

    def interval(self, measure: str, level: float = LEVEL, *, anyway: bool = False) -> Interval:
        """Return the mean of a measure with Student's interval.

        Args:
            measure: such as ``"lead_time"`` or ``"cost.v2"``; `samples` lists them.
            level: how often such intervals shall hold the truth.
            anyway: give a number even where the queue grows without end; it then speaks of this run length only.

        Raises:
            AssumptionError: there is no such measure.
        """
        sample = self.sample(measure)
        note = "" if anyway else self.unstable(measure)
        if note:
            return Interval(math.nan, math.nan, math.nan, level, self.n, note)
        return mean_interval(sample, level)

    def percentile(self, measure: str, share: float, level: float = LEVEL) -> Interval:
        """Return a percentile over replications, with an interval that assumes no distribution.

        The spread of a measure over replications is not that of single changes: for the lead time that 95 of 100
        changes do not exceed take the mean of ``"lead_time.p95"``.

        Args:
            measure: the measure.
            share: 0.95 for the 95th percentile.
            level: how often such intervals shall hold the truth.
        """
        sample = self.sample(measure)
        note = self.unstable(measure)
        if note:
            return Interval(math.nan, math.nan, math.nan, level, self.n, note)
        return quantile_interval(sample, share, level)

    def unstable(self, measure: str = "lead_time") -> str:
        """Return why a measure has no steady state, in words; empty when it has one."""
        found = self.about.bottlenecks
        return str(found[0]) if found and grows(measure) else ""

    def in_progress(self) -> tuple[Column, Column]:
        """Return moments (seconds) and the executions in progress then: a row a replication.

        Both are empty where replications have no fixed length.
        """
        grid = moments(self.horizon)
        return grid, self._store.progress() if len(grid) else np.empty((self.n, 0))

    def to_frame(self) -> DataFrame:
        """Return one row a replication and one column a measure (seconds, dollars, shares and counts)."""
        import pandas

        frame = pandas.DataFrame({name: self.samples[name] for name in self.samples})
        frame.insert(0, "replication", self.replications)
        return frame

    def summary(self, measures: Sequence[str] | None = None, level: float = LEVEL) -> DataFrame:
        """Return one row a measure: its unit, mean, interval and percentiles over replications.

        Args:
            measures: which; None: all.
            level: how often such intervals shall hold the truth.
        """
        import pandas

        rows = []
        for measure in measures or self.samples:
            interval = self.interval(measure, level)
            known = self.sample(measure)
            known = known[~np.isnan(known)]
            shares = (0.05, 0.5, 0.95)
            if len(known) and not self.unstable(measure):
                spread = [float(quantile) for quantile in np.quantile(known, shares)]
            else:
                spread = [math.nan] * 3
            rows.append(
                (measure, unit_of(measure), interval.estimate, interval.low, interval.high, *spread, interval.note)
            )
        names = ["measure", "unit", "mean", "low", "high", "p5", "p50", "p95", "note"]
        return pandas.DataFrame(rows, columns=names)

    def report(self, path: str | Path | None = None) -> Any:
        """Return one self-contained HTML page about these replications, and write it when a path is given."""
        from pipesim.whatif.report import report

        return report(self, path)

    def describe(self) -> list[str]:
        """Return how the numbers came about, one sentence each."""
        about = self.about
        lines = [
            f"{self.scenario.name}: {self.scenario.difference}",
            f"{self.n:,} replications, seed {about.seed}, each {self.horizon}",
        ]
        if about.warm_up is not None:
            lines.append(str(about.warm_up))
        if about.stopped:
            lines.append(about.stopped)
        why = f" ({about.why_engine})" if about.why_engine else ""
        lines.append(f"{about.engine} engine{why}, {about.seconds:.2f} s of computing")
        if about.interrupted:
            lines.append("interrupted: only what was finished")
        lines += [str(found) for found in about.bottlenecks]
        return lines

    def __str__(self) -> str:
        return "\n".join((*self.describe(), "", table_text(self)))

    def __repr__(self) -> str:
        return f"<Replications: {self.n} of {self.scenario.name!r}>"

    def _repr_html_(self) -> str:
        from pipesim.whatif.report import replications_html

        return replications_html(self)


def table_text(result: Replications, measures: Sequence[str] = MAIN, level: float = LEVEL) -> str:
    """Return the main measures as a table of text: mean, interval, and the middle nine tenths of replications."""
    rows = [("measure", "mean", f"{level:.0%} interval", "9 of 10 replications")]
    for measure in measures:
        if measure in result.samples:
            rows.append((heading_of(measure), *cells(result, measure, level)))
    text = columns(rows)
    return f"{text}\n{FOOTNOTE}" if any(MARK in row[2] for row in rows) else text


def cells(result: Replications, measure: str, level: float = LEVEL) -> tuple[str, str, str]:
    """Return a measure's mean, interval and middle nine tenths of replications, as people read them."""
    interval = result.interval(measure, level)
    if math.isnan(interval.estimate):
        return interval.note.partition(":")[0] or "none", "", ""
    known = result.sample(measure)
    known = known[~np.isnan(known)]
    low, high = (float(value) for value in np.quantile(known, (0.05, 0.95)))
    spread = f"{number_text(measure, low)} to {number_text(measure, high)}"
    if math.isnan(interval.low):
        return number_text(measure, interval.estimate), interval.note, spread
    if interval.half_width == 0:
        return number_text(measure, interval.estimate), "the same each time", spread
    mark = MARK if "lopsided" in interval.note else ""
    return number_text(measure, interval.estimate), f"± {number_text(measure, interval.half_width)}{mark}", spread
