"""Virtual time: a SimPy environment that can stand at a moment and forget a timer."""

from __future__ import annotations

from heapq import heapify, heappush

import simpy
from simpy.events import NORMAL, EventPriority

MILLISECONDS = 3


class Clock(simpy.Environment):
    """A SimPy environment with three things more: milliseconds, an inclusive `advance`, and `cancel`.

    Times are whole milliseconds, as the service writes them, so that sums of many
    durations print and compare as people expect.

    SimPy's own ``run(until=t)`` leaves what is due at exactly ``t`` undone, and a
    timeout can be neither shortened nor taken back. Here everything due at ``t`` is
    done when the clock stands at ``t``, and a timer that nobody waits for any more
    does not keep the simulation alive.
    """

    def schedule(self, event: simpy.Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """Schedule an event `delay` seconds from now, at a whole millisecond."""
        at = round(self._now + delay, MILLISECONDS) if delay else self._now
        heappush(self._queue, (at, priority, next(self._eid), event))

    def advance(self, to: float) -> None:
        """Do everything that is due up to and including `to`, and stand there.

        Args:
            to: seconds since the start; not before now.
        """
        while self.peek() <= to:
            self.step()
        if to > self.now:
            self.run(until=to)

    def cancel(self, timer: simpy.Event) -> None:
        """Take a scheduled timer back; without effect when it is over."""
        kept = [entry for entry in self._queue if entry[3] is not timer]
        if len(kept) != len(self._queue):
            heapify(kept)
            self._queue[:] = kept
