"""Working hours of one calendar as arrays, so that many people can be waited for at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.calendars import WorkingHours

Times = NDArray[np.float64]
MILLISECOND = timedelta(milliseconds=1)


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
        self._extend()

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
        while True:
            first = np.searchsorted(self.closes, moments, side="right")
            if first.max() < len(self.closes):
                opened = self.opens[first]
                target = self.before[first] + (np.maximum(moments, opened) - opened) + working
                last = np.maximum(np.searchsorted(self.after, target, side="left"), first)
                if last.max() < len(self.closes):
                    done: Times = self.opens[last] + (target - self.before[last])
                    return done - moments
            self._extend()

    def _extend(self) -> None:
        """Take more windows in: half as many again, and one at least."""
        wanted = len(self._opens) + len(self._opens) // 2 + 60
        while len(self._opens) < wanted:
            opened, closed = ((edge - self._start) / MILLISECOND for edge in next(self._windows))
            opened = max(opened, self._closes[-1] if self._closes else opened)
            if closed > opened:
                self._opens.append(opened)
                self._closes.append(closed)
        self.opens, self.closes = np.array(self._opens), np.array(self._closes)
        self.after = np.cumsum(self.closes - self.opens)
        self.before = self.after - (self.closes - self.opens)
