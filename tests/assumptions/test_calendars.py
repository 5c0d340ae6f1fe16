from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.units import hours
from pipesim.errors import AssumptionError

from . import strategies

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin")


def berlin(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN)


def test_within_a_day():
    assert berlin(2026, 3, 2, 12, 30) == OFFICE.advance(berlin(2026, 3, 2, 10), hours(2.5))


def test_over_night_and_over_the_weekend():
    assert berlin(2026, 3, 3, 10) == OFFICE.advance(berlin(2026, 3, 2, 16), hours(2))
    assert berlin(2026, 3, 9, 10) == OFFICE.advance(berlin(2026, 3, 6, 16), hours(2))
    assert berlin(2026, 3, 9, 9) == OFFICE.advance(berlin(2026, 3, 7, 12), 0)


def test_work_may_end_at_the_closing_moment():
    assert berlin(2026, 3, 2, 17) == OFFICE.advance(berlin(2026, 3, 2, 16), hours(1))
    assert berlin(2026, 3, 3, 9) == OFFICE.advance(berlin(2026, 3, 2, 17), 0)


def test_on_holidays_nobody_works():
    closed = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin", [date(2026, 12, 25), date(2026, 12, 28)])

    assert berlin(2026, 12, 29, 10) == closed.advance(berlin(2026, 12, 24, 16), hours(2))


def test_opening_follows_the_wall_clock_when_clocks_change():
    summer = OFFICE.advance(berlin(2026, 3, 27, 17), 0)
    winter = OFFICE.advance(berlin(2026, 10, 23, 17), 0)

    assert datetime(2026, 3, 30, 7, tzinfo=UTC) == summer
    assert datetime(2026, 10, 26, 8, tzinfo=UTC) == winter


@pytest.mark.parametrize(
    ("day", "length"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_whole_day_is_as_long_as_its_day(day, length):
    always = WorkingHours.parse("daily 00:00-24:00", "Europe/Berlin")
    midnight = datetime.combine(day, time(0), BERLIN)
    next_midnight = datetime.combine(day + timedelta(days=1), time(0), BERLIN)

    assert next_midnight == always.advance(midnight, hours(length))


def test_a_night_shift_loses_an_hour_in_spring_and_gains_one_in_autumn():
    night = WorkingHours.parse("Sat 22:00-06:00", "Europe/Berlin")

    assert berlin(2026, 3, 29, 6) == night.advance(berlin(2026, 3, 28, 22), hours(7))
    assert berlin(2026, 10, 25, 6) == night.advance(berlin(2026, 10, 24, 22), hours(9))
    assert berlin(2026, 3, 7, 6) != night.advance(berlin(2026, 3, 7, 5), hours(1))


def test_both_passes_of_a_repeated_hour_are_worked():
    early = WorkingHours.parse("Sun 01:00-05:00", "Europe/Berlin")

    assert datetime(2026, 10, 25, 1, 30, tzinfo=UTC) == early.advance(berlin(2026, 10, 25, 1), hours(2.5))


def test_an_hour_that_does_not_exist_is_not_worked():
    gap = WorkingHours.parse("Sun 02:15-02:45", "Europe/Berlin")

    assert datetime(2026, 4, 5, 0, 15, tzinfo=UTC) <= gap.advance(datetime(2026, 3, 29, 2, tzinfo=UTC), 0)


def test_open_and_closed():
    assert OFFICE.is_open(berlin(2026, 3, 2, 9))
    assert not OFFICE.is_open(berlin(2026, 3, 2, 17))
    assert not OFFICE.is_open(berlin(2026, 3, 7, 12))


@given(strategies.working_hours, strategies.moments, st.integers(0, 300_000), st.integers(1, 300_000))
@settings(max_examples=80, deadline=None)
def test_two_steps_are_one(working, moment, first, second):
    assert working.advance(working.advance(moment, first), second) == working.advance(moment, first + second)


@given(strategies.working_hours, strategies.moments, st.integers(0, 300_000), st.integers(0, 300_000))
@settings(max_examples=80, deadline=None)
def test_more_work_never_ends_earlier_and_never_takes_less_than_itself(working, moment, one, other):
    low, high = sorted((one, other))
    early, late = working.advance(moment, low), working.advance(moment, high)

    assert early <= late
    assert late - moment >= timedelta(seconds=high)


@given(strategies.working_hours, strategies.moments, st.floats(0.001, 100_000))
@settings(max_examples=80, deadline=None)
def test_work_ends_while_somebody_works(working, moment, span):
    end = working.advance(moment, span)

    assert working.is_open(end - timedelta(microseconds=1))


@given(strategies.working_hours)
@settings(deadline=None)
def test_text_is_read_back(working):
    assert working == WorkingHours.parse(working.text, working.time_zone, working.holidays)


@pytest.mark.parametrize(
    ("text", "days", "opens", "closes"),
    [
        ("Mon-Fri 09:00-17:00", (0, 1, 2, 3, 4), time(9), time(17)),
        ("mon, wed,SATURDAY 9:05 - 17:00:30", (0, 2, 5), time(9, 5), time(17, 0, 30)),
        ("Sat-Mon 22:00-06:00", (0, 5, 6), time(22), time(6)),
        ("daily 00:00-24:00", (0, 1, 2, 3, 4, 5, 6), time(0), time(0)),
        ("Tues–Thu 10:00–11:00", (1, 2, 3), time(10), time(11)),
    ],
)
def test_hours_as_people_write_them(text, days, opens, closes):
    assert WorkingHours(days, opens, closes) == WorkingHours.parse(text)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WorkingHours.parse("9-17"), "hours: '9-17' is not understood"),
        (lambda: WorkingHours.parse(""), "hours: '' is not understood"),
        (lambda: WorkingHours.parse(None), "hours: None is not understood"),
        (lambda: WorkingHours.parse("Mon-Foo 9:00-17:00"), "hours: 'Mon-Foo 9:00-17:00': 'Foo' is not a weekday"),
        (lambda: WorkingHours.parse("Mon 9:00-24:01"), "hours: 'Mon 9:00-24:01': 24:01 is not a time of day"),
        (lambda: WorkingHours.parse("Mon 9:60-24:00"), "hours: 'Mon 9:60-24:00': 9:60 is not a time of day"),
        (lambda: WorkingHours(days=()), "days: there is no day"),
        (lambda: WorkingHours(days=(7,)), "days: 7 is not a weekday"),
        (lambda: WorkingHours(opens="09:00"), "opens: '09:00' is not a time of day"),
        (lambda: WorkingHours(time_zone="Mars/Base"), "time_zone: 'Mars/Base' is not a known time zone"),
        (lambda: WorkingHours(time_zone=None), "time_zone: None is not a known time zone"),
        (lambda: WorkingHours(time_zone=""), "time_zone: '' is not a known time zone"),
        (lambda: WorkingHours(holidays=("2026-12-25",)), "holidays: '2026-12-25' is not a date"),
        (lambda: OFFICE.advance(berlin(2026, 3, 2), -1), "working_seconds: -1 s is negative"),
        (lambda: OFFICE.advance(datetime(2026, 3, 2), 1), "moment: 2026-03-02 00:00:00 has no time zone"),
        (lambda: OFFICE.advance(datetime(9990, 1, 1, tzinfo=UTC), 3e9), "working_seconds: 3e+09 s of working time"),
    ],
)
def test_hours_that_make_no_sense_are_refused(make, words):
    with pytest.raises(AssumptionError) as caught:
        make()

    assert str(caught.value).startswith(words)


@given(strategies.working_hours, strategies.moments, st.integers(0, 300_000))
@settings(max_examples=80, deadline=None)
def test_the_working_time_up_to_the_end_of_some_work_is_the_work(working, moment, span):
    assert working.between(moment, working.advance(moment, span)) == pytest.approx(span, abs=1e-5)


def test_no_working_time_lies_between_a_moment_and_an_earlier_one():
    hours = WorkingHours.parse("Mon-Fri 09:00-17:00")
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)

    assert hours.between(noon, noon) == 0
    assert hours.between(noon, noon - timedelta(hours=1)) == 0
    assert hours.between(noon, noon + timedelta(days=1)) == 8 * 3600
