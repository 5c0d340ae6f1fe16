"""Deployment windows in Quartz cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipesim.engine.cron import Cron
from pipesim.errors import DeclarationError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "moment", "is_open"),
    [
        ("0 * * * * ?", "2026-03-02T03:04", True),
        ("0 0-29 9 ? * MON-FRI", "2026-03-02T09:29", True),
        ("0 0-29 9 ? * MON-FRI", "2026-03-02T09:30", False),
        ("0 * 9-17 ? * MON-FRI", "2026-03-07T10:00", False),
        ("0 * 9-17 ? * 2-6", "2026-03-06T10:00", True),
        ("0 0/15 * * * ?", "2026-03-02T03:45", True),
        ("0 0/15 * * * ?", "2026-03-02T03:46", False),
        ("0 * * 1,15 * ?", "2026-03-15T12:00", True),
        ("0 * 22-2 * * ?", "2026-03-15T01:00", True),
        ("0 * * * JAN-MAR ? 2026", "2026-03-15T01:00", True),
        ("0 * * * JAN-MAR ? 2027", "2026-03-15T01:00", False),
    ],
)
def test_is_open(expression, moment, is_open):
    assert Cron(expression).is_open(at(moment)) is is_open


def test_time_zone_with_daylight_saving():
    berlin = Cron("0 * 9 ? * *", "Europe/Berlin")

    assert berlin.is_open(at("2026-03-27T08:30"))
    assert berlin.is_open(at("2026-03-30T07:30"))
    assert not berlin.is_open(at("2026-03-30T08:30"))


def test_seconds_until_open():
    office = Cron("0 * 9-16 ? * MON-FRI")

    assert office.seconds_until_open(at("2026-03-02T08:59:30"), 60) == 30.0
    assert office.seconds_until_open(at("2026-03-06T17:00"), 3 * 86400) == 2 * 86400 + 16 * 3600
    assert office.seconds_until_open(at("2026-03-06T17:00"), 86400) is None


@pytest.mark.parametrize(
    ("expression", "word"),
    [("* * *", "3 fields"), ("0 61 * * * ?", "minutes"), ("0 x * * * ?", "minutes"), ("0 */0 * * * ?", "minutes")],
)
def test_what_cannot_be_read(expression, word):
    with pytest.raises(DeclarationError, match=word):
        Cron(expression)


def test_unknown_zone():
    with pytest.raises(DeclarationError, match="Mars/Base"):
        Cron("0 * * * * ?", "Mars/Base")
