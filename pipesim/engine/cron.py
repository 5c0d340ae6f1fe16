"""Deployment windows: the part of Quartz cron that a DeploymentWindow rule needs.

Source: CodePipeline User Guide, "DeploymentWindow rule"; Quartz, "CronTrigger tutorial".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipesim.errors import DeclarationError

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
FIELDS = (
    ("seconds", 0, 59, ()),
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, tuple(MONTHS)),
    ("day of week", 1, 7, tuple(DAYS)),
    ("year", 1970, 2199, ()),
)


class Cron:
    """A window that is open in every minute that the expression matches.

    Args:
        expression: six or seven Quartz fields: seconds, minutes, hours, day of month, month,
            day of week (1 or SUN to 7 or SAT), and maybe year; with ``*``, ``?``, lists, ranges and steps.
        time_zone: an IANA name, such as ``Europe/Berlin``.

    Raises:
        DeclarationError: the expression or the zone cannot be understood.

    >>> from datetime import UTC
    >>> office = Cron("0 * 9-16 ? * MON-FRI", "UTC")
    >>> office.is_open(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
    True
    >>> office.seconds_until_open(datetime(2026, 3, 2, 8, 0, tzinfo=UTC), 7200)
    3600.0
    """

    def __init__(self, expression: str, time_zone: str = "UTC") -> None:
        parts = expression.split()
        if len(parts) not in (6, 7):
            raise DeclarationError(f"cron expression '{expression}' has {len(parts)} fields; Quartz wants 6 or 7")
        try:
            self.zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise DeclarationError(f"unknown time zone '{time_zone}'; name one like Europe/Berlin") from None
        self.sets = [_parse_field(text, *field) for text, field in zip(parts, FIELDS, strict=False)]

    def is_open(self, moment: datetime) -> bool:
        """Whether the window is open in the minute of this moment."""
        local = moment.astimezone(self.zone)
        values = (local.minute, local.hour, local.day, local.month, local.isoweekday() % 7 + 1, local.year)
        return all(value in allowed for value, allowed in zip(values, self.sets[1:], strict=False))

    def seconds_until_open(self, moment: datetime, at_most: float) -> float | None:
        """Return the seconds from `moment` until the window is open; None when that is later than `at_most`."""
        if self.is_open(moment):
            return 0.0
        start = moment.replace(second=0, microsecond=0)
        for minutes in range(1, int(at_most // 60) + 2):
            candidate = start + timedelta(minutes=minutes)
            if self.is_open(candidate):
                delay = (candidate - moment).total_seconds()
                return delay if delay <= at_most else None
        return None


def _parse_field(text: str, name: str, low: int, high: int, words: tuple[str, ...]) -> frozenset[int]:
    values: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        try:
            if span in ("*", "?"):
                first, last = low, high
            else:
                begin, _, end = span.partition("-")
                first = _value(begin, low, words)
                last = _value(end, low, words) if end else (high if step else first)
            stride = int(step) if step else 1
        except ValueError:
            raise DeclarationError(f"cron field {name}: cannot read '{text}'") from None
        if not (low <= first <= high and low <= last <= high and stride > 0):
            raise DeclarationError(f"cron field {name}: '{text}' lies outside {low}-{high}")
        if first <= last:
            values.update(range(first, last + 1, stride))
        else:
            values.update([*range(first, high + 1), *range(low, last + 1)][::stride])
    return frozenset(values)


def _value(text: str, low: int, words: tuple[str, ...]) -> int:
    return words.index(text) + low if text in words else int(text)
