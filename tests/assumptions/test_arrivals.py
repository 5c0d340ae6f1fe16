from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.assumptions.arrivals import Arrivals, At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.streams import Streams
from pipesim.assumptions.units import days
from pipesim.errors import AssumptionError

from . import strategies

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
OFFICE = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin")


def times(arrivals: Arrivals, count: int, start: datetime = START, seed: int = 1) -> list[float]:
    return list(islice(arrivals.times(Streams(seed).generator("arrivals"), start), count))


def test_plans_without_luck():
    assert times(Once(), 5) == [0.0]
    assert times(At((60, 0, 60)), 5) == [0.0, 60.0, 60.0]
    assert times(Every(1200, first=300), 3) == [300.0, 1500.0, 2700.0]


def test_a_beat_does_not_drift():
    assert times(Every(0.1), 1_000_001)[-1] == 100_000.0


def test_poisson_arrivals_have_exponential_gaps():
    gaps = np.diff(times(Poisson(per_hour=6), 20_000))

    assert gaps.mean() == pytest.approx(600, rel=0.03)
    assert gaps.std() == pytest.approx(600, rel=0.03)
    assert np.median(gaps) == pytest.approx(600 * np.log(2), rel=0.04)


def test_office_arrivals_come_in_working_hours_and_as_many_as_asked():
    weeks = 200
    arrived = list(takewhile(lambda moment: moment < days(7 * weeks), OfficeHours(20, OFFICE).times(rng(), START)))
    moments = [(START + timedelta(seconds=moment)).astimezone(ZoneInfo("Europe/Berlin")) for moment in arrived]

    assert len(arrived) == pytest.approx(weeks * 5 * 20, rel=0.03)
    assert all(moment.weekday() < 5 and 9 <= moment.hour < 17 for moment in moments)
    assert {9, 10, 11, 12, 13, 14, 15, 16} == {moment.hour for moment in moments}


def test_weekly_arrivals_follow_their_rates_on_the_wall_clock():
    rates = [0.0] * 168
    rates[9], rates[24 + 14] = 4.0, 8.0  # Monday 9 to 10, Tuesday 14 to 15
    weeks = 400
    zone = ZoneInfo("Europe/Berlin")
    plan = Weekly(tuple(rates), "Europe/Berlin", holidays=(date(2026, 3, 9),))

    arrived = list(takewhile(lambda moment: moment < days(7 * weeks), plan.times(rng(), START)))
    moments = [(START + timedelta(seconds=moment)).astimezone(zone) for moment in arrived]
    counts = Counter((moment.weekday(), moment.hour) for moment in moments)

    assert {(0, 9), (1, 14)} == set(counts)
    assert counts[0, 9] == pytest.approx(4 * (weeks - 1), abs=5 * (4 * weeks) ** 0.5)
    assert counts[1, 14] == pytest.approx(8 * weeks, abs=5 * (8 * weeks) ** 0.5)
    assert date(2026, 3, 9) not in {moment.date() for moment in moments}
    assert plan.rate(datetime(2026, 7, 6, 7, 30, tzinfo=UTC)) == 4.0
    assert plan.rate(datetime(2026, 12, 7, 8, 30, tzinfo=UTC)) == 4.0


def test_weekly_arrivals_of_equal_rates_are_the_poisson_process():
    from_week = times(Weekly((3.0,) * 168), 300, START, 5)

    assert times(Poisson(3.0), 300, START, 5) == pytest.approx(from_week, abs=0.002)


def rng() -> np.random.Generator:
    return Streams(1).generator("arrivals")


@given(strategies.arrivals, strategies.moments, st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_arrivals_never_decrease(arrivals, start, seed):
    arrived = times(arrivals, 40, start, seed)

    assert isinstance(arrivals, Arrivals)
    assert arrived == sorted(arrived)
    assert all(moment >= 0 for moment in arrived)
    assert arrived == times(arrivals, 40, start, seed)


@given(strategies.working_hours, strategies.moments)
@settings(max_examples=40, deadline=None)
def test_office_arrivals_meet_somebody(working, start):
    for moment in times(OfficeHours(5, working), 20, start):
        reached = start + timedelta(seconds=moment)
        assert working.is_open(reached) or working.is_open(reached - timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Once(-1), "at: -1 s is negative"),
        (lambda: At((0, float("nan"))), "moments: nan is not a finite number"),
        (lambda: At("0m"), "moments: '0m' is not a list of times"),
        (lambda: Every(0), "interval: 0 s"),
        (lambda: Every(60, first=-1), "first: -1 s is negative"),
        (lambda: Poisson(0), "per_hour: 0 changes"),
        (lambda: Poisson(float("inf")), "per_hour: inf is not a finite number"),
        (lambda: OfficeHours(-3), "per_day: -3 changes"),
        (lambda: OfficeHours(3, "Mon-Fri"), "hours: 'Mon-Fri' is not WorkingHours"),
        (lambda: Weekly((1,) * 24), "per_hour: 24 rates"),
        (lambda: Weekly((0,) * 168), "per_hour: rates lie between 0"),
        (lambda: Weekly((-1,) + (1,) * 167), "per_hour: rates lie between 0"),
        (lambda: Weekly("1" * 168), "per_hour: '1111"),
        (lambda: Weekly((1,) * 168, "Europe/Berlni"), "time_zone: 'Europe/Berlni' is not a known time zone"),
    ],
)
def test_plans_that_make_no_sense_are_refused(make, words):
    with pytest.raises(AssumptionError) as caught:
        make()

    assert str(caught.value).startswith(words)
