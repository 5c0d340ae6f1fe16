from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipesim.assumptions.units import days, format_duration, hours, minutes, parse_duration, seconds
from pipesim.errors import AssumptionError


def test_units_are_seconds():
    assert (seconds(8), minutes(8), hours(8), days(8)) == (8.0, 480.0, 28_800.0, 691_200.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8m", 480),
        ("8 min", 480),
        ("1h 30m", 5400),
        ("1h30m", 5400),
        ("1 hour, 30 minutes", 5400),
        ("2.5d", 216_000),
        ("1w", 604_800),
        ("0.4s", 0.4),
        ("400ms", 0.4),
        (".5h", 1800),
        ("90", 90),
        ("PT5M", 300),
        ("P1DT2H", 93_600),
        ("pt0.5s", 0.5),
        (90, 90),
        (1.5, 1.5),
        (timedelta(minutes=2), 120),
    ],
)
def test_durations_as_people_write_them(text, expected):
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "m",
            "8x",
            "8m later",
            "later 8m",
            "-8m",
            "-1",
            "nan",
            "inf",
            "1e400",
            "8 8m",
            "P",
            "PT",
            "P1M2",
            "p1.2.3d",
        ),
        *(-1, float("nan"), float("inf"), 10**400, 1e12, True, None, [8]),
    ],
)
def test_what_is_no_duration_is_named(value):
    with pytest.raises(AssumptionError) as caught:
        parse_duration(value)

    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(0, "0s"), (59.9996, "1m"), (5025.678, "1h 23m 45.678s"), (90_000, "1d 1h"), (-60, "-1m"), (-0.0001, "0s")],
)
def test_durations_for_people(duration, expected):
    assert expected == format_duration(duration)


@pytest.mark.parametrize(
    ("duration", "parts", "expected"),
    [(3599.6, 1, "1h"), (93_784.2, 1, "1d"), (93_784.2, 2, "1d 2h"), (93_784.2, 3, "1d 2h 3m"), (45.678, 1, "45.678s")],
)
def test_only_the_largest_parts(duration, parts, expected):
    assert expected == format_duration(duration, parts)


@given(st.integers(0, 10**12))
def test_reading_what_was_written_is_identity_to_the_millisecond(milliseconds):
    assert milliseconds / 1000 == parse_duration(format_duration(milliseconds / 1000))
