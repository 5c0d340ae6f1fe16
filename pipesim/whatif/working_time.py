"""Working hours of one calendar as arrays, so that many people can be waited for at once.

How much working time has passed at a moment is a line of straight pieces, flat or as steep as time itself, so that
interpolation between its corners is exact for whole milliseconds. Back from working time to moments the line jumps
over closed hours within the millisecond after each closing, where no whole one lies.
"""

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
        target = np.interp(moments, self._edges, self._worked) + working
        if target.max(initial=0.0) >= self._worked[-1]:
            finite = np.isfinite(moments)
            if not finite.all():
                return np.where(finite, self.elapsed(np.where(finite, moments, 0.0), working), 0.0)
            self._extend()
            return self.elapsed(moments, working)
        done = np.interp(target, self._beats, self._moments)
        if working.min(initial=1.0) <= 0:
            done = np.where(working > 0, done, self._next_open(moments))
        elapsed: Times = done - moments
        return elapsed

    def _next_open(self, moments: Times) -> Times:
        """When somebody works next: now, or at the next opening."""
        opens: Times = self._edges[::2][np.searchsorted(self._edges[1::2], moments, side="right")]
        return np.maximum(moments, opens)

    def _extend(self) -> None:
        """Take more windows in: half as many again, and one at least."""
        wanted = len(self._opens) + len(self._opens) // 2 + 60
        while len(self._opens) < wanted:
            opened, closed = ((edge - self._start) / MILLISECOND for edge in next(self._windows))
            opened = max(opened, self._closes[-1] if self._closes else opened)
            if closed > opened:
                self._opens.append(opened)
                self._closes.append(closed)
        opens, closes = np.array(self._opens), np.array(self._closes)
        after = np.cumsum(closes - opens)
        before = after - (closes - opens)
        self._edges, self._worked = _in_turns(opens, closes), _in_turns(before, after)
        self._beats, self._moments = _in_turns(before + 1.0, after), _in_turns(opens + 1.0, closes)


def _in_turns(one: Times, other: Times) -> Times:
    return np.stack((one, other), axis=1).ravel()
