"""When changes arrive at the pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import numpy as np

from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.faults import AssumptionFault, duration, number

BLOCK = 256
HOURS_A_WEEK = 168


@runtime_checkable
class Arrivals(Protocol):
    """A plan of arrivals; own classes may join by having this method."""

    def times(self, rng: np.random.Generator, start: datetime) -> Iterator[float]:
        """Yield the arrival times in seconds since `start`, never decreasing, perhaps without end.

        Arguments:
            rng: where luck comes from; a plan without luck leaves it alone.
            start: the calendar moment of time zero (aware).
        """
        ...


@dataclass(frozen=True, slots=True)
class Once:
    """One change.

    Attributes:
        at: seconds since the start.

    >>> list(Once(at=60).times(np.random.default_rng(), datetime(2026, 3, 2)))
    [60.0]
    """

    at: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", duration("at", self.at))

    def times(self, rng: np.random.Generator, start: datetime) -> Iterator[float]:
        """Yield the one time."""
        yield self.at


@dataclass(frozen=True, slots=True)
class At:
    """Changes at given times.

    Attributes:
        moments: seconds since the start, in any order; kept sorted.

    >>> list(At((60, 0)).times(np.random.default_rng(), datetime(2026, 3, 2)))
    [0.0, 60.0]
    """

    moments: tuple[float, ...]

    def __post_init__(self) -> None:
        if isinstance(self.moments, (str, bytes)) or not isinstance(self.moments, (Sequence, np.ndarray)):
            raise AssumptionFault(("moments",), f"{self.moments!r} is not a list of times")
        object.__setattr__(self, "moments", tuple(sorted(duration("moments", moment) for moment in self.moments)))

    def times(self, rng: np.random.Generator, start: datetime) -> Iterator[float]:
        """Yield the given times."""
        yield from self.moments


@dataclass(frozen=True, slots=True)
class Every:
    """Changes at a steady beat, without end.

    Attributes:
        interval: seconds between two changes; above 0.
        first: seconds from the start to the first change.
    """

    interval: float
    first: float = 0.0

    def __post_init__(self) -> None:
        interval = duration("interval", self.interval)
        if interval < 0.001:
            raise AssumptionFault(("interval",), f"{interval:g} s; the shortest interval is 0.001 s")
        object.__setattr__(self, "interval", interval)
        object.__setattr__(self, "first", duration("first", self.first))

    def times(self, rng: np.random.Generator, start: datetime) -> Iterator[float]:
        """Yield first, first + interval, …; multiples, so that rounding does not add up."""
        for beat in count():
            yield round(self.first + beat * self.interval, 3)


@dataclass(frozen=True, slots=True)
class Poisson:
    """Changes at random, equally likely at every moment, without end.

    Attributes:
        per_hour: the mean number of changes an hour; above 0.

    >>> from itertools import islice
    >>> day = Poisson(per_hour=2).times(np.random.default_rng(1), datetime(2026, 3, 2))
    >>> len(list(islice(day, 5)))
    5
    """

    per_hour: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "per_hour", _rate("per_hour", self.per_hour))

    def times(self, rng: np.random.Generator, start: datetime) -> Iterator[float]:
        """Yield times whose gaps are exponential."""
        for moment in _beats(rng, 3600.0 / self.per_hour):
            yield round(moment, 3)


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Changes at random while people work, none at night, without end.

    Attributes:
        per_day: the mean number of changes on a working day; above 0.
        hours: when people work.

    >>> from datetime import UTC
    >>> first = next(OfficeHours(per_day=8).times(np.random.default_rng(1), datetime(2026, 3, 2, tzinfo=UTC)))
    >>> first >= 9 * 3600
    True
    """

    per_day: float
    hours: WorkingHours = field(default_factory=WorkingHours)

    def __post_init__(self) -> None:
        object.__setattr__(self, "per_day", _rate("per_day", self.per_day))
        if not isinstance(self.hours, WorkingHours):
            raise AssumptionFault(("hours",), f"{self.hours!r} is not WorkingHours")

    def times(self, rng: np.random.Generator, start: datetime) -> Iterator[float]:
        """Yield times whose gaps, counted in working time, are exponential."""
        beats = _beats(rng, self.hours.day_length / self.per_day)
        beat = next(beats)
        worked = 0.0
        reached = 0.0
        for opened, closed in self.hours.windows(start):
            begin = max((opened - start).total_seconds(), reached)
            reached = max((closed - start).total_seconds(), begin)
            while beat <= worked + (reached - begin):
                yield round(begin + (beat - worked), 3)
                beat = next(beats)
            worked += reached - begin


@dataclass(frozen=True, slots=True)
class Weekly:
    """Changes at random with a rate for each hour of the week, without end: the daily shape of real teams.

    Attributes:
        per_hour: 168 mean numbers of changes an hour, Monday 00:00 first, on the wall clock of the time zone.
        time_zone: an IANA name such as ``"Europe/Berlin"``.
        holidays: dates on which no change comes.

    Raises:
        AssumptionError: not 168 rates, a negative one, none above 0, or a zone that does not exist.
    """

    per_hour: tuple[float, ...]
    time_zone: str = "UTC"
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.per_hour, (str, bytes)) or not isinstance(self.per_hour, (Sequence, np.ndarray)):
            raise AssumptionFault(("per_hour",), f"{self.per_hour!r} is not a list of 168 rates")
        rates = tuple(number("per_hour", rate) + 0.0 for rate in self.per_hour)
        if len(rates) != HOURS_A_WEEK:
            raise AssumptionFault(("per_hour",), f"{len(rates)} rates; a week has 168 hours, Monday 00:00 first")
        if min(rates) < 0 or max(rates) > 1e9 or sum(rates) < 1e-6:
            raise AssumptionFault(("per_hour",), "rates lie between 0 and 1000000000, and one must be above 0")
        object.__setattr__(self, "per_hour", rates)
        calendar = WorkingHours(time_zone=self.time_zone, holidays=tuple(self.holidays))
        object.__setattr__(self, "holidays", calendar.holidays)

    def rate(self, moment: datetime) -> float:
        """Return the mean number of changes an hour at this (aware) moment."""
        local = moment.astimezone(ZoneInfo(self.time_zone))
        return 0.0 if local.date() in self.holidays else self.per_hour[local.weekday() * 24 + local.hour]

    def times(self, rng: np.random.Generator, start: datetime) -> Iterator[float]:
        """Yield times at which the expected number of changes so far reaches the beats of a Poisson process."""
        beats = _beats(rng, 1.0)
        beat = next(beats)
        expected = reached = 0.0
        zone = ZoneInfo(self.time_zone)
        while True:
            moment = start + timedelta(seconds=reached)
            local = moment.astimezone(zone)
            left = 3600.0 - local.minute * 60 - local.second - local.microsecond / 1e6
            rate = self.rate(moment) / 3600.0
            while rate and beat <= expected + rate * left:
                yield round(reached + (beat - expected) / rate, 3)
                beat = next(beats)
            expected += rate * left
            reached += left


def _beats(rng: np.random.Generator, mean: float) -> Iterator[float]:
    last = 0.0
    while True:
        moments = last + np.cumsum(-mean * np.log1p(-rng.random(BLOCK)))
        yield from moments.tolist()
        last = float(moments[-1])


def _rate(member: str, value: object) -> float:
    rate = number(member, value)
    if not 1e-6 <= rate <= 1e9:
        raise AssumptionFault((member,), f"{rate:g} changes; the rate must be between 0.000001 and 1000000000")
    return rate
