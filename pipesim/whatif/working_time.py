"""Working hours of one calendar as arrays, so that many people can be waited for at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.calendars import WorkingHours

Times = NDArray[np.float64]
MILLISECOND = timedelta(milliseconds=1)
SPAN = timedelta(days=60)


class WorkingTime:
    """`WorkingHours.advance` for arrays; times are milliseconds since the start.

    Args:
        hours: when people work.
        start: the calendar moment of time zero.
    """

    def __init__(self, hours: WorkingHours, start: datetime) -> None:
        self._start = start
        self._windows = hours.windows(start)
        self._opens: list[float] = []
        self._closes: list[float] = []
        self._extend(SPAN / MILLISECOND, 0.0)

    def elapsed(self, moments: Times, working: Times) -> Times:
        """Return how long it takes from each moment until so much working time has passed, in milliseconds.

        Args:
            moments: milliseconds since the start; for infinite ones the answer is 0.
            working: milliseconds of working time, of the same shape.
        """
        finite = np.isfinite(moments)
        if not finite.all():
            result = np.zeros(moments.shape)
            result[finite] = self.elapsed(moments[finite], working[finite])
            return result
        if not moments.size:
            return np.zeros(moments.shape)
        self._extend(float(moments.max()), float(np.max(working)))
        first = np.searchsorted(self.closes, moments, side="right")
        opened = self.opens[first]
        target = self.before[first] + (np.maximum(moments, opened) - opened) + working
        last = np.maximum(np.searchsorted(self.after, target, side="left"), first)
        done: Times = self.opens[last] + (target - self.before[last])
        return done - moments

    def _extend(self, moment: float, working: float) -> None:
        """See to it that the windows reach beyond that much work after that moment."""
        enough = self._closes and self._closes[-1] > moment and self._left(moment) > working
        if enough:
            return
        while not (self._closes and self._closes[-1] > moment and self._left(moment) > working):
            for _ in range(30):
                opened, closed = ((edge - self._start) / MILLISECOND for edge in next(self._windows))
                opened = max(opened, self._closes[-1] if self._closes else opened)
                if closed > opened:
                    self._opens.append(opened)
                    self._closes.append(closed)
        self.opens, self.closes = np.array(self._opens), np.array(self._closes)
        self.after = np.cumsum(self.closes - self.opens)
        self.before = self.after - (self.closes - self.opens)

    def _left(self, moment: float) -> float:
        """How much work fits between a moment and the last window's end, at least."""
        return sum(
            closed - max(opened, moment)
            for opened, closed in zip(reversed(self._opens), reversed(self._closes), strict=True)
            if closed > moment
        )
