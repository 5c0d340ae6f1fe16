"""The clock of a mocked cloud: one for all its pipelines, seen by all of moto.

It moves in one of three ways, moto's own three words: ``immediate`` (after every call of
CodePipeline everything happens that needs no person), ``manual`` (when told to) and ``time``
(with the wall clock, times a speed).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipesim.assumptions.units import days as in_days
from pipesim.assumptions.units import hours as in_hours
from pipesim.assumptions.units import minutes as in_minutes
from pipesim.cloud.virtual_time import VIRTUAL_TIME
from pipesim.engine.clock import MILLISECONDS, Clock
from pipesim.errors import AssumptionError

IMMEDIATE, MANUAL, TIME = "immediate", "manual", "time"
PROGRESSIONS = (IMMEDIATE, MANUAL, TIME)
END = datetime(9900, 1, 1, tzinfo=UTC)
"""Where virtual time ends: Python's calendar goes to 9999, and what is asked for now may be due later."""


class CloudClock(Clock):
    """A SimPy environment whose steps see their own moment as Python's present.

    Args:
        start: the calendar moment of time zero, aware.
        progression: ``immediate``, ``manual`` or ``time``.
        speed: with ``time``: seconds of virtual time for each second on the wall.

    Attributes:
        lock: every door takes it.
        moving: whether a step is being done; nobody else moves the clock meanwhile.
        watchers: called when time has passed or a call to a service is over, never in the middle of a step.
    """

    def __init__(self, start: datetime, progression: str = MANUAL, speed: float = 1.0) -> None:
        super().__init__()
        if progression not in PROGRESSIONS:
            raise AssumptionError(f"unknown progression {progression!r} (must be one of {', '.join(PROGRESSIONS)})")
        if not (math.isfinite(speed) and speed > 0):
            raise AssumptionError(f"speed {speed!r} makes no sense: it must be a number above 0")
        self.start = start.astimezone(UTC)
        self.progression = progression
        self.speed = speed
        self.lock = threading.RLock()
        self.moving = False
        self.watchers: list[Callable[[], object]] = []
        self._telling = False
        self._caught_up = time.monotonic()

    @property
    def moment(self) -> datetime:
        """The calendar moment of now, in UTC."""
        return self.moment_of(self.now)

    def moment_of(self, time: float) -> datetime:
        """Return the calendar moment of a time.

        Args:
            time: seconds since the start.
        """
        return self.start + timedelta(seconds=time)

    def begin(self) -> None:
        """With progression ``time``: the wall clock counts from now."""
        self._caught_up = time.monotonic()

    def step(self) -> None:
        """Do what is due next, at its own moment."""
        with VIRTUAL_TIME.at(self.moment_of(self.peek())):
            super().step()

    def advance(self, to: float) -> None:
        """Do everything that is due up to and including `to`, and stand there; see `move`."""
        self.move(to)

    def move(
        self, to: float | None = None, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Let time pass: everything due up to that moment happens, and the clock stands there.

        Args:
            to: seconds since the start.
            seconds, minutes, hours, days: or how far from now.

        Raises:
            AssumptionError: the moment lies in the past, after the calendar's end, or is no number.
        """
        with self.lock:
            if to is None:
                to = self.now + seconds + in_minutes(minutes) + in_hours(hours) + in_days(days)
            if not math.isfinite(to) or to < self.now:
                raise AssumptionError(f"cannot advance to {to} s: the clock stands at {self.now} s")
            if to > (END - self.start).total_seconds():
                raise AssumptionError(
                    f"cannot advance to {to} s: that is after {END:%d %B %Y}, where the calendar ends"
                )
            if not self.moving:
                self._go(lambda: self.peek() <= to)
                if to > self.now:
                    self.run(until=to)
                self.tell()

    def tell(self) -> None:
        """Tell the watchers to look again; what they do themselves is not told to them."""
        if self.moving or self._telling or not self.watchers:
            return
        self._telling = True
        try:
            for watcher in list(self.watchers):
                watcher()
        finally:
            self._telling = False

    def catch_up(self) -> None:
        """With progression ``time``: let everything happen that is due by the wall clock."""
        with self.lock:
            if self.progression != TIME or self.moving:
                return
            gone = round((time.monotonic() - self._caught_up) * self.speed, MILLISECONDS)
            if gone > 0:
                self._caught_up += gone / self.speed
                self.move(seconds=gone)

    def run_while(self, going_on: Callable[[], bool]) -> int:
        """Do one step after the other as long as `going_on` says so and there is anything to do.

        Returns:
            How many steps were done.
        """
        with self.lock:
            if self.moving:
                return 0
            steps = self._go(lambda: self.peek() < math.inf and going_on())
            self.tell()
            return steps

    def _go(self, wanted: Callable[[], bool]) -> int:
        steps = 0
        self.moving = True
        try:
            while wanted():
                self.step()
                steps += 1
        finally:
            self.moving = False
        return steps


def every_first(candidates: Iterable[Any], wanted: Callable[[Any], bool]) -> Callable[[], bool]:
    """Return a test whether any candidate is wanted; the one that was found last is asked first.

    Args:
        candidates: iterated anew whenever the last one found is wanted no more.
        wanted: the question.
    """
    found: list[Any] = []

    def test() -> bool:
        if found and wanted(found[0]):
            return True
        found.clear()
        for candidate in candidates:
            if wanted(candidate):
                found.append(candidate)
                return True
        return False

    return test
