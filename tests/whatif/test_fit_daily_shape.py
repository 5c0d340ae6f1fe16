from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pipesim import AssumptionError, At, Every, OfficeHours, Once, Poisson, WorkingHours
from pipesim.assumptions.arrivals import Weekly
from pipesim.whatif.daily_shape import fit_arrivals, hours_of_week, working_hours

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
OFFICE = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin")
DAY = 86_400.0


def arrived(plan, days=60, seed=1):
    return list(takewhile(lambda time: time < days * DAY, plan.times(np.random.default_rng(seed), START)))


def best(plan, days=60, zone="Europe/Berlin"):
    return fit_arrivals(arrived(plan, days), days * DAY, START, zone)[0]


def test_changes_at_any_time_are_a_poisson_process():
    found = best(Poisson(1.5)).arrivals

    assert isinstance(found, Poisson)
    assert found.per_hour == pytest.approx(1.5, rel=0.06)


def test_office_hours_are_found_across_a_change_of_clocks():
    found = best(OfficeHours(20, OFFICE)).arrivals

    assert isinstance(found, OfficeHours)
    assert found.hours == OFFICE
    assert found.per_day == pytest.approx(20, rel=0.1)


def test_the_shape_of_the_day_is_found():
    day = [0.0] * 7 + [0.5, 1, 3, 5, 4, 1, 3, 5, 5, 3, 1, 0.5] + [0.0] * 5
    plan = Weekly(tuple(day * 5 + [0.0] * 48), "Europe/Berlin")

    found = best(plan, days=120).arrivals

    assert isinstance(found, Weekly)
    assert np.array(found.per_hour) == pytest.approx(np.array(plan.per_hour), abs=1.0)
    assert sum(found.per_hour) == pytest.approx(sum(plan.per_hour), rel=0.06)
    assert sum(found.per_hour[5 * 24 :]) == 0


def test_few_arrivals_do_not_make_a_shape():
    assert isinstance(fit_arrivals([0.0, 3600.0, 9000.0, 9100.0], 10_000.0, START)[0].arrivals, Poisson)


def test_a_beat_is_a_beat_and_its_first_moment_is_kept():
    assert Every(1200, first=300) == fit_arrivals([300.0 + 1200 * n for n in range(20)], 30_000, START)[0].arrivals
    assert isinstance(fit_arrivals([1300.0 * n + 90 * (n % 3) for n in range(20)], 30_000, START)[0].arrivals, Poisson)


def test_none_and_one_arrival_are_answered():
    assert At(()) == fit_arrivals([], 100, START)[0].arrivals
    assert Once(40.0) == fit_arrivals([40.0], 100, START)[0].arrivals


def test_plans_are_ordered_by_aic():
    plans = fit_arrivals(arrived(OfficeHours(20, OFFICE)), 60 * DAY, START)

    assert [plan.aic for plan in plans] == sorted(plan.aic for plan in plans)
    assert len(plans) > 10


def test_hours_of_the_week_add_up_and_lose_the_hour_that_clocks_lose():
    zone = ZoneInfo("Europe/Berlin")
    month = hours_of_week(0, 28 * DAY, datetime(2026, 3, 2, tzinfo=UTC), zone)

    assert month.sum() == pytest.approx(28 * 24)
    assert month[6 * 24 + 2] == 3  # the fourth Sunday has no 02:00
    assert month[6 * 24 + 4] == 4


def test_working_hours_hold_every_moment_in_half_hours():
    rng = np.random.default_rng(2)
    moments = [OFFICE.advance(START + timedelta(days=int(day)), float(rng.uniform(0, 28_800))) for day in range(40)]
    moments = [moment for moment in moments if OFFICE.is_open(moment)]

    found = working_hours(moments, "Europe/Berlin")

    assert all(found.is_open(moment) for moment in moments)
    assert found.opens >= OFFICE.opens
    assert working_hours([START + timedelta(hours=5 * n) for n in range(60)]) is None


@pytest.mark.parametrize("text", ["Mon-Fri 09:00-17:00", "Sun-Thu 22:00-06:00", "daily 13:30-01:00", "Sat 08:00-12:00"])
def test_working_hours_are_found_wherever_they_lie_on_the_clock(text):
    known = WorkingHours.parse(text, "Europe/Berlin")
    rng = np.random.default_rng(3)
    moments = [known.advance(START, float(rng.uniform(0, 60 * known.day_length))) for _ in range(900)]

    assert known == working_hours(moments, "Europe/Berlin")


def test_a_time_zone_that_does_not_exist_is_refused():
    with pytest.raises(AssumptionError, match="Europe/Berlni"):
        fit_arrivals([0.0, 60.0], 100, START, "Europe/Berlni")
