from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from pipesim.cloud.clock import CloudClock, every_first
from pipesim.cloud.virtual_time import VIRTUAL_TIME
from pipesim.errors import AssumptionError

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_every_step_sees_its_own_moment() -> None:
    clock, seen = CloudClock(START), []
    for delay in (5, 90):
        clock.timeout(delay).callbacks.append(lambda _: seen.append(datetime.now(UTC)))  # type: ignore[union-attr]
    clock.move(minutes=10)

    assert [(moment - START).total_seconds() for moment in seen] == [5, 90]
    assert clock.now == 600
    assert clock.moment == datetime(2026, 3, 2, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize("to", [-1.0, float("nan"), float("inf")])
def test_moments_that_make_no_sense(to: float) -> None:
    with pytest.raises(AssumptionError, match="the clock stands at 0"):
        CloudClock(START).move(to)


@pytest.mark.parametrize("to", [1e12, 1e300])
def test_the_calendar_has_an_end(to: float) -> None:
    with pytest.raises(AssumptionError, match="after 01 January 9900, where the calendar ends"):
        CloudClock(START).move(to)


def test_a_step_cannot_move_the_clock() -> None:
    clock, seen = CloudClock(START), []

    def meddle(_: object) -> None:
        clock.move(seconds=100)
        seen.append(clock.now)

    clock.timeout(5).callbacks.append(meddle)  # type: ignore[union-attr]
    clock.move(seconds=10)

    assert seen == [5]
    assert clock.now == 10


def test_a_step_that_fails_leaves_the_clock_usable() -> None:
    clock = CloudClock(START)

    def fail(_: object) -> None:
        raise RuntimeError("handler is broken")

    clock.timeout(5).callbacks.append(fail)  # type: ignore[union-attr]
    with pytest.raises(RuntimeError, match="handler is broken"):
        clock.move(seconds=10)
    clock.move(seconds=10)

    assert clock.now == 15
    assert abs(datetime.now(UTC) - clock.moment).days > 30


def test_with_the_wall_clock_times_a_speed() -> None:
    clock = CloudClock(START, "time", speed=1000)
    clock.begin()
    time.sleep(0.05)
    clock.catch_up()
    first = clock.now
    time.sleep(0.01)
    clock.catch_up()

    assert 50 <= first < 5000
    assert clock.now >= first + 10


def test_moving_by_hand_does_not_stop_the_wall_clock() -> None:
    clock = CloudClock(START, "time", speed=1000)
    clock.begin()
    clock.move(seconds=100_000)
    moved = clock.now
    time.sleep(0.02)
    clock.catch_up()

    assert clock.now >= moved + 20


def test_without_progression_time_nothing_is_caught_up() -> None:
    clock = CloudClock(START)
    clock.catch_up()

    assert clock.now == 0


def test_the_last_find_is_asked_first() -> None:
    asked: list[int] = []
    wanted = {2, 3}

    def is_wanted(number: int) -> bool:
        asked.append(number)
        return number in wanted

    test = every_first([1, 2, 3], is_wanted)
    assert test() and test()
    wanted.discard(2)
    assert test()
    wanted.clear()
    assert not test()
    assert asked == [1, 2, 2, 2, 1, 2, 3, 3, 1, 2, 3]


def test_virtual_time_inside_virtual_time() -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    with VIRTUAL_TIME.at(START):
        with VIRTUAL_TIME.at(later):
            assert datetime.now(UTC) == later
        assert datetime.now(UTC) == later
    assert datetime.now(UTC) != later
