"""How long to look, what to leave out at the beginning, and when enough replications have run.

- Warm-up: MSER-5 (White, "An effective truncation heuristic for bias reduction in simulation output",
  Simulation 69(6), 1997; Spratt 1998) on lead times averaged over pilot replications, in the order of arrival.
- Run length: ten times the warm-up at least (Law, "Simulation modeling and analysis", 5th ed., section 9.5.2:
  the run should be much longer than the warm-up).
- Number of replications: the confidence interval method with look-ahead (Hoad, Robinson and Davies, "Automated
  selection of the number of replications for a discrete-event simulation", Journal of the Operational Research
  Society 61, 2010): stop at the first number at which the half-width is narrow enough and stays so for
  the next few replications.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipesim.errors import AssumptionError
from pipesim.whatif.intervals import LEVEL, Interval
from pipesim.whatif.student import student_quantile

Samples = NDArray[np.float64]
BATCH = 5
LEAST_REPLICATIONS = 10
LOOK_AHEAD = 5


@dataclass(frozen=True, slots=True)
class WarmUp:
    """The beginning that is left out, and how it was found.

    Attributes:
        seconds: how long it is.
        changes: how many changes arrive in it.
        settled: whether the rest looks steady; False: the run is too short, or there is no steady state.
        method: how it was found.
    """

    seconds: float
    changes: int
    settled: bool
    method: str

    def __str__(self) -> str:
        from pipesim.trace.wording import spell

        doubt = "" if self.settled else "; it does not settle within the pilot runs, so look longer"
        return f"warm-up {spell(self.seconds)} ({self.changes} changes), by {self.method}{doubt}"


def mser5(series: Samples) -> tuple[int, bool]:
    """Return how many observations to leave out at the beginning, and whether the rest is steady.

    The series is averaged in batches of 5; the truncation point is the one that makes the standard error of the
    mean of the rest smallest. A point in the second half means that the series has not settled.

    Args:
        series: observations in order, such as lead times.

    >>> mser5(np.array([9.0, 8, 7, 5, 3] + [1.0, 2] * 100))
    (5, True)
    """
    batches = len(series) // BATCH
    if batches < 4:
        return 0, False
    means = np.asarray(series[: batches * BATCH], dtype=np.float64).reshape(batches, BATCH).mean(axis=1)
    kept = np.arange(batches, 0, -1)
    total = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum((means - means.mean())[::-1] ** 2)[::-1]
    centred = total - kept * means.mean()
    errors = (squares - centred**2 / kept) / kept**2
    best = int(np.argmin(np.round(errors[: batches - 3], 12)))
    return best * BATCH, best <= batches // 2


@dataclass(frozen=True, slots=True)
class HalfWidth:
    """How precise the mean of a measure shall be.

    Attributes:
        measure: such as ``"lead_time"``.
        relative: the half-width as a share of the mean, such as 0.05; None: see `absolute`.
        absolute: the half-width in the measure's unit; None: see `relative`.
        level: the confidence level.
        at_most: the most replications to run.
    """

    measure: str = "lead_time"
    relative: float | None = None
    absolute: float | None = None
    level: float = LEVEL
    at_most: int = 100_000

    def __post_init__(self) -> None:
        if (self.relative is None) == (self.absolute is None):
            raise AssumptionError("say how precise the answer shall be: relative=0.05, or absolute=60 (in its unit)")
        wanted = self.relative if self.absolute is None else self.absolute
        if wanted is None or not (math.isfinite(wanted) and wanted > 0):
            raise AssumptionError(f"a half-width must be above 0, not {wanted}")
        if not 0 < self.level < 1:
            raise AssumptionError(f"a level of confidence must be between 0 and 1, such as 0.95, not {self.level}")
        if self.at_most < LEAST_REPLICATIONS:
            raise AssumptionError(f"at_most={self.at_most} is too few; {LEAST_REPLICATIONS} is the least")

    @classmethod
    def parse(cls, text: str) -> HalfWidth:
        """Read a precision written for people.

        >>> HalfWidth.parse("lead_time 5%").relative
        0.05
        >>> HalfWidth.parse("lead_time.p95 10m").absolute
        600.0
        """
        from pipesim.assumptions.units import parse_duration

        match = re.fullmatch(r"\s*(?P<measure>\S.*?)\s*(?:±|\s)\s*(?P<share>[\d.]+)\s*%\s*", text)
        if match:
            return cls(match["measure"], relative=float(match["share"]) / 100)
        measure, _, width = text.strip().rpartition(" ")
        if not measure:
            raise AssumptionError(f"{text!r} is no precision; write 'lead_time 5%' or 'lead_time 2m'")
        return cls(measure, absolute=parse_duration(width))

    def __str__(self) -> str:
        from pipesim.whatif.units import with_unit

        if self.relative is not None:
            return f"{self.measure} ± {self.relative:.3g} of its mean"
        assert self.absolute is not None
        return f"{self.measure} ± {with_unit(self.measure, self.absolute)}"

    def reached_after(self, samples: Samples) -> int | None:
        """Return the number of replications after which to stop, look-ahead included; None: more are needed.

        Args:
            samples: the measure of each replication, in order.
        """
        known = np.flatnonzero(~np.isnan(samples))
        values = samples[known]
        if len(values) < LEAST_REPLICATIONS:
            return None
        counts = np.arange(1, len(values) + 1)
        shifted = values - values[0]
        sums, squares = np.cumsum(shifted), np.cumsum(shifted**2)
        variance = np.maximum(squares - sums**2 / counts, 0.0) / np.maximum(counts - 1, 1)
        share = (1 + self.level) / 2
        quantiles = np.array([0.0, *(student_quantile(share, n - 1.0) for n in counts[1:].tolist())])
        halves = quantiles * np.sqrt(variance / counts)
        halves[0] = math.inf
        limit = self.absolute if self.absolute is not None else np.abs(sums / counts + values[0]) * (self.relative or 0)
        narrow = halves <= limit
        for count in range(LEAST_REPLICATIONS, len(values) + 1):
            ahead = LOOK_AHEAD if count <= 100 else LOOK_AHEAD * count // 100
            if count + ahead > len(values):
                return None
            if narrow[count - 1 : count + ahead].all():
                return int(known[count + ahead - 1]) + 1
        return None

    def missing(self, interval: Interval) -> int:
        """Return about how many replications will be needed in all, judging by an interval so far."""
        wanted = self.absolute if self.absolute is not None else abs(interval.estimate) * (self.relative or 0)
        if not wanted or math.isnan(interval.low):
            return self.at_most
        return math.ceil(interval.count * (interval.half_width / wanted) ** 2)
