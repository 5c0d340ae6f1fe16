"""Numbers with the doubt that belongs to them.

The interval of a mean is Student's, over replications, which are independent and alike distributed. Where a
measure is lopsided and replications are few it is too short, which a note tells (more than 25 times the squared
skewness are enough: Cochran, "Sampling techniques", 3rd ed. 1977, section 2.15). The interval of a percentile is free
of any assumption about the distribution: two order statistics whose ranks a binomial distribution gives (Conover,
"Practical nonparametric statistics", 1999, section 3.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipesim.errors import AssumptionError
from pipesim.whatif.student import NORMAL, student_quantile

Samples = NDArray[np.float64]
LEVEL = 0.95
COCHRAN = 25


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and where the truth probably lies.

    Attributes:
        estimate: the estimate, such as a mean; not a number where there is none.
        low: the lower end; not a number where no interval can be given.
        high: the upper end.
        level: how often such intervals hold the truth, such as 0.95.
        count: how many replications it rests on.
        note: why there is no number or no interval, or what is special; empty when all is ordinary.
    """

    estimate: float
    low: float
    high: float
    level: float
    count: int
    note: str = ""

    @property
    def half_width(self) -> float:
        """Half the length of the interval; not a number where there is none."""
        return (self.high - self.low) / 2

    @property
    def relative(self) -> float:
        """The half-width as a share of the estimate; infinite for an estimate of 0 with doubt."""
        if self.half_width == 0:
            return 0.0
        return abs(self.half_width / self.estimate) if self.estimate else math.inf

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0: a difference that is more than luck."""
        return self.low > 0 or self.high < 0

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if math.isnan(self.estimate):
            return self.note or "none"
        if math.isnan(self.low):
            return f"{self.estimate:.4g} ({self.note})"
        text = f"{self.estimate:.4g} ± {self.half_width:.2g} ({self.level:.0%} of {self.count} replications)"
        return f"{text}; {self.note}" if self.note else text


def mean_interval(samples: Samples, level: float = LEVEL) -> Interval:
    """Return the mean of independent samples with Student's interval.

    Samples that are not a number (a replication in which nothing shipped has no lead time) are left out, and
    the note says how many.

    Args:
        samples: one number a replication.
        level: how often such intervals shall hold the truth.

    Raises:
        AssumptionError: the level is not between 0 and 1.

    >>> interval = mean_interval(np.array([9.0, 10.0, 11.0]))
    >>> round(interval.low, 3), interval.estimate, round(interval.high, 3)
    (7.516, 10.0, 12.484)
    """
    _check_level(level)
    every = np.asarray(samples, dtype=np.float64)
    kept = every[~np.isnan(every)]
    left_out = len(every) - len(kept)
    note = f"{left_out} replications have no such number" if left_out else ""
    if not len(kept):
        return Interval(math.nan, math.nan, math.nan, level, 0, note or "there is no replication")
    mean = float(kept.mean())
    if len(kept) == 1:
        return Interval(mean, math.nan, math.nan, level, 1, "one replication has no interval; ask for more")
    if kept.min() == kept.max():
        same = "every replication gave the same number"
        return Interval(float(kept[0]), float(kept[0]), float(kept[0]), level, len(kept), same)
    half = student_quantile((1 + level) / 2, len(kept) - 1) * float(kept.std(ddof=1)) / math.sqrt(len(kept))
    needed = COCHRAN * _skewness(kept) ** 2
    if len(kept) < needed:
        lopsided = (
            f"few replications for so lopsided a measure: the interval may be short; {math.ceil(needed)} are enough"
        )
        note = f"{note}; {lopsided}" if note else lopsided
    return Interval(mean, mean - half, mean + half, level, len(kept), note)


def quantile_interval(samples: Samples, share: float, level: float = LEVEL) -> Interval:
    """Return a quantile of independent samples with an interval that assumes no distribution.

    Args:
        samples: one number a replication.
        share: 0.95 for the 95th percentile.
        level: how often such intervals shall hold the truth.

    Raises:
        AssumptionError: the share or the level is not between 0 and 1.

    >>> quantile_interval(np.arange(1.0, 101.0), 0.5).low
    41.0
    """
    _check_level(level)
    if not 0 <= share <= 1:
        raise AssumptionError(f"a quantile's share must be between 0 and 1, not {share}")
    kept = np.sort(np.asarray(samples, dtype=np.float64))
    kept = kept[~np.isnan(kept)]
    count = len(kept)
    if not count:
        return Interval(math.nan, math.nan, math.nan, level, 0, "there is no replication with such a number")
    estimate = float(np.quantile(kept, share))
    spread = NORMAL.inv_cdf((1 + level) / 2) * math.sqrt(count * share * (1 - share))
    lower = math.ceil(count * share - spread)
    upper = math.ceil(count * share + spread)
    if lower < 1 or upper > count:
        return Interval(estimate, math.nan, math.nan, level, count, "too few replications for an interval")
    return Interval(estimate, float(kept[lower - 1]), float(kept[upper - 1]), level, count)


def _skewness(values: Samples) -> float:
    centred = values - values.mean()
    spread = float((centred**2).mean())
    return float((centred**3).mean()) / spread**1.5 if spread else 0.0


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise AssumptionError(f"a level of confidence must be between 0 and 1, such as 0.95, not {level}")
