"""When changes arrive and when people answer: the shape of the day and of the week, concluded from moments.

Plans of arrivals are Poisson processes whose rate depends on the hour, compared by Akaike's criterion; the
likelihood of arrivals at rate r(t) is the product of all r(t_i) times exp(-∫ r) (Lewis and Shedler, "Simulation of
nonhomogeneous Poisson processes by thinning", 1979).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

import numpy as np

from pipesim.assumptions.arrivals import Arrivals, At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import WorkingHours
from pipesim.whatif.likelihood import Values

HOUR, WEEK_HOURS = 3600.0, 168
FEW = 8
"""With fewer arrivals than this no rate is told apart from luck."""
CLEARLY = 10.0
"""Of the plans whose AIC is no further than this from the best, the simplest is taken: many shapes are tried, and one
of them fits by luck (Burnham and Anderson, "Model selection and multimodel inference", 2002, section 2.6)."""
STEADY = 0.02
"""Gaps whose spread is less than this share of their length are a beat."""
HALF_HOUR, DAY_MINUTES = 30, 1440
LONG_DAY = 20 * 3600.0
DAY = 86_400.0
CLASSES = {
    "every day alike": ((0,) * 7, 2 * DAY),
    "weekend apart": ((0,) * 5 + (1, 1), 7 * DAY),
    "each day apart": (tuple(range(7)), 14 * DAY),
}
"""Which days share their rates, and how long must be seen to tell."""
BLOCKS = (1, 2, 3, 4, 6, 8, 12)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of arrivals fitted to observed ones.

    Attributes:
        name: what the plan is, for people.
        arrivals: the plan.
        parameters: how many numbers were estimated.
        log_likelihood: the logarithm of the likelihood; infinite for a steady beat.
    """

    name: str
    arrivals: Arrivals
    parameters: int
    log_likelihood: float

    @property
    def aic(self) -> float:
        """Akaike's criterion: the lower, the better."""
        return 2 * self.parameters - 2 * self.log_likelihood


def fit_arrivals(moments: Sequence[float], until: float, start: datetime, time_zone: str = "UTC") -> tuple[Plan, ...]:
    """Fit every plan of arrivals to observed ones and return them: first the chosen one, then the others by AIC.

    The chosen one is the simplest of those whose AIC is clearly no worse than the best.

    Args:
        moments: when changes arrived, in seconds since `start`; the first one opens the observation.
        until: when the observation ends, in seconds since `start`.
        start: the calendar moment of time zero (aware).
        time_zone: the wall clock by which people work, an IANA name.

    Raises:
        AssumptionError: the time zone does not exist.

    >>> from datetime import UTC
    >>> beat = fit_arrivals(range(0, 12_000, 1200), 12_000, datetime(2026, 3, 2, tzinfo=UTC))
    >>> beat[0].arrivals
    Every(interval=1200.0, first=0.0)
    """
    zone = ZoneInfo(WorkingHours(time_zone=time_zone).time_zone)
    found = sorted(moments)
    if not found:
        return (Plan("no arrival was seen", At(()), 0, 0.0),)
    if len(found) == 1:
        return (Plan("one arrival was seen", Once(round(found[0], 3)), 1, 0.0),)
    gaps = np.diff(found)
    beat = float(median(gaps))
    if len(found) >= FEW and beat > 0 and float(np.abs(gaps - beat).max()) <= STEADY * beat:
        return (Plan("a steady beat", Every(round(beat, 3), round(found[0], 3)), 2, math.inf),)
    span = max(until - found[0], 1.0)
    later = found[1:]
    rate = len(later) / span
    plans = [Plan("at random", Poisson(float(f"{rate * HOUR:.6g}")), 1, len(later) * (math.log(rate) - 1))]
    if len(found) >= FEW:
        plans += _office(found, until, start, zone)
        plans += _weekly(found, until, start, zone)
    plans.sort(key=lambda plan: plan.aic)
    near = [plan for plan in plans if plan.aic <= plans[0].aic + CLEARLY]
    chosen = min(near, key=lambda plan: plan.parameters)
    return (chosen, *(plan for plan in plans if plan is not chosen))


def working_hours(moments: Sequence[datetime], time_zone: str = "UTC") -> WorkingHours | None:
    """Return the narrowest working hours, in half hours, that hold all moments; None when they hold nearly all time.

    The longest part of the day in which nothing happened is the night, so hours may reach over midnight.

    Args:
        moments: when people did something (aware); at least one.
        time_zone: the wall clock by which they work, an IANA name.

    >>> from datetime import UTC
    >>> working_hours([datetime(2026, 3, 2, 9, 10, tzinfo=UTC), datetime(2026, 3, 6, 16, 50, tzinfo=UTC)]).text
    'Mon,Fri 09:00-17:00'
    """
    zone = ZoneInfo(WorkingHours(time_zone=time_zone).time_zone)
    local = [moment.astimezone(zone) for moment in moments]
    minutes = sorted({_minute(moment) for moment in local})
    rests = [(after - before, before, after) for before, after in pairwise([*minutes, minutes[0] + DAY_MINUTES])]
    rest, last, first = max(rests)
    opens = math.floor(first / HALF_HOUR) * HALF_HOUR % DAY_MINUTES
    closes = math.ceil((last + 1e-9) / HALF_HOUR) * HALF_HOUR
    overnight = closes <= opens
    days = {(moment.weekday() - (overnight and _minute(moment) < closes)) % 7 for moment in local}
    length = (closes - opens) % DAY_MINUTES or DAY_MINUTES
    if rest < HALF_HOUR or (length * 60 > LONG_DAY and len(days) == 7):
        return None
    return WorkingHours(tuple(days), _clock(opens), _clock(closes), time_zone)


def _minute(moment: datetime) -> float:
    return moment.hour * 60 + moment.minute + moment.second / 60


def _clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


def _office(found: Sequence[float], until: float, start: datetime, zone: ZoneInfo) -> Iterator[Plan]:
    hours = working_hours([start + timedelta(seconds=moment) for moment in found], zone.key)
    if hours is None or until - found[0] < 2 * DAY:
        return
    seen = hours_of_week(found[0], until, start, zone).reshape(7, 24).sum(axis=1)
    hours = replace(hours, days=(*hours.days, *(day for day in range(5) if seen[day] < 24)))
    open_time = hours.between(start + timedelta(seconds=found[0]), start + timedelta(seconds=until))
    if open_time <= 0:
        return
    rate = (len(found) - 1) / open_time
    likelihood = (len(found) - 1) * (math.log(rate) - 1)
    yield Plan(f"at random, {hours.text}", OfficeHours(float(f"{rate * hours.day_length:.6g}"), hours), 4, likelihood)


def _weekly(found: Sequence[float], until: float, start: datetime, zone: ZoneInfo) -> Iterator[Plan]:
    exposure = hours_of_week(found[0], until, start, zone)
    counts = np.zeros(WEEK_HOURS)
    for moment in found[1:]:
        counts[_hour_of_week(start + timedelta(seconds=moment), zone)] += 1
    overall = counts.sum() / exposure.sum()
    for name, (classes, least) in CLASSES.items():
        if until - found[0] < least:
            continue
        for block in BLOCKS:
            cells = np.array([classes[hour // 24] * 24 + hour % 24 // block for hour in range(WEEK_HOURS)])
            seen = np.bincount(cells, counts, minlength=WEEK_HOURS)
            exposed = np.bincount(cells, exposure, minlength=WEEK_HOURS)
            used = exposed > 0
            rates = np.divide(seen, exposed, out=np.full_like(seen, overall), where=used)
            positive = seen > 0
            likelihood = float((seen[positive] * np.log(rates[positive] / HOUR)).sum()) - float(seen.sum())
            plan = Weekly(tuple(np.round(rates[cells], 6).tolist()), zone.key)
            yield Plan(f"by blocks of {block} h, {name}", plan, int(used.sum()), likelihood)


def hours_of_week(begin: float, until: float, start: datetime, zone: ZoneInfo) -> Values:
    """Return how many hours of each hour of the week, Monday 00:00 first, lie between two times.

    Args:
        begin: seconds since `start`.
        until: seconds since `start`.
        start: the calendar moment of time zero (aware).
        zone: whose wall clock counts.
    """
    exposure = np.zeros(WEEK_HOURS)
    reached = begin
    while reached < until:
        moment = start + timedelta(seconds=reached)
        local = moment.astimezone(zone)
        left = HOUR - local.minute * 60 - local.second - local.microsecond / 1e6
        step = min(max(left, 0.001), until - reached)
        exposure[local.weekday() * 24 + local.hour] += step / HOUR
        reached += step
    return exposure


def _hour_of_week(moment: datetime, zone: ZoneInfo) -> int:
    local = moment.astimezone(zone)
    return local.weekday() * 24 + local.hour
