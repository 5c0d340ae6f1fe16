"""Units of time for people; everything inside is a float of seconds."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from pipesim.errors import AssumptionError

UNITS: dict[str, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
SPELLINGS: dict[str, str] = {
    spelling: unit
    for unit, spellings in {
        "ms": "ms millisecond milliseconds",
        "s": "s sec secs second seconds",
        "m": "m min mins minute minutes",
        "h": "h hr hrs hour hours",
        "d": "d day days",
        "w": "w week weeks",
    }.items()
    for spelling in spellings.split()
}
PIECE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]+)[\s,]*")
ISO = re.compile(
    r"p(?:(?P<w>[\d.]+)w)?(?:(?P<d>[\d.]+)d)?(?:t(?=\d)(?:(?P<h>[\d.]+)h)?(?:(?P<m>[\d.]+)m)?(?:(?P<s>[\d.]+)s)?)?"
)


def seconds(count: float) -> float:
    """Return so many seconds as seconds.

    >>> seconds(8)
    8.0
    """
    return float(count)


def minutes(count: float) -> float:
    """Return so many minutes as seconds.

    >>> minutes(8)
    480.0
    """
    return count * 60.0


def hours(count: float) -> float:
    """Return so many hours as seconds.

    >>> hours(1.5)
    5400.0
    """
    return count * 3600.0


def days(count: float) -> float:
    """Return so many days of 24 hours as seconds.

    >>> days(2)
    172800.0
    """
    return count * 86_400.0


def parse_duration(value: object) -> float:
    """Return a duration written for people as seconds.

    Arguments:
        value: a number of seconds, a timedelta, or text such as ``"8m"``, ``"1h 30m"``, ``"2.5 days"``, ``"90"`` or
            ISO 8601 ``"PT5M"``.

    Raises:
        AssumptionError: when it is none of these, negative, not finite or longer than 100 years.

    >>> parse_duration("1h 30m"), parse_duration("PT5M"), parse_duration(90)
    (5400.0, 300.0, 90.0)
    """
    if isinstance(value, timedelta):
        return _sensible(value.total_seconds(), value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise AssumptionError(_no_duration(value))
    if not isinstance(value, str):
        try:
            return _sensible(float(value), value)
        except OverflowError:
            raise AssumptionError(f"{value!r} is longer than 100 years") from None
    text = value.strip().lower()
    try:
        plain = float(text)
    except ValueError:
        pass
    else:
        return _sensible(plain, value)
    if text.startswith("-"):
        parse_duration(text[1:])
        raise AssumptionError(f"{value!r} is negative; a duration is 0 s or longer")
    return _sensible(_iso(text, value) if text.startswith("p") else _pieces(text, value), value)


def _pieces(text: str, value: str) -> float:
    milliseconds = 0.0
    end = 0
    for match in PIECE.finditer(text):
        unit = SPELLINGS.get(match[2])
        if match.start() != end or unit is None:
            raise AssumptionError(_no_duration(value))
        milliseconds += float(match[1]) * (UNITS[unit] * 1000)
        end = match.end()
    if end == 0 or end != len(text):
        raise AssumptionError(_no_duration(value))
    return milliseconds / 1000


def _iso(text: str, value: str) -> float:
    match = ISO.fullmatch(text)
    found = {unit: part for unit, part in match.groupdict().items() if part} if match else {}
    try:
        total = math.fsum(float(part) * UNITS[unit] for unit, part in found.items())
    except ValueError:
        found = {}
    if not found:
        raise AssumptionError(_no_duration(value))
    return total


def _sensible(result: float, value: object) -> float:
    if not math.isfinite(result):
        raise AssumptionError(f"{value!r} is not a finite duration")
    if result < 0:
        raise AssumptionError(f"{value!r} is negative; a duration is 0 s or longer")
    if result > 100 * 365.25 * 86_400:
        raise AssumptionError(f"{value!r} is longer than 100 years")
    return result + 0.0


def _no_duration(value: object) -> str:
    return f"{value!r} is not a duration; write '8m', '1h 30m', '2.5d', or a number of seconds"


def format_duration(duration: float, parts: int | None = None) -> str:
    """Write a duration for people, to the millisecond.

    Arguments:
        duration: seconds; a negative one gets a minus sign.
        parts: keep only so many of the largest units, rounded to the last one kept; None: keep all.

    >>> format_duration(5400), format_duration(0.4), format_duration(0)
    ('1h 30m', '0.4s', '0s')
    >>> format_duration(93_784.2, parts=2)
    '1d 2h'
    """
    if not math.isfinite(duration):
        return str(duration)
    milliseconds = round(abs(duration) * 1000)
    pieces = _split(milliseconds)
    if parts is not None and len(pieces) > parts:
        smallest = round(UNITS[pieces[max(parts, 1) - 1][1]] * 1000)
        pieces = _split((milliseconds + smallest // 2) // smallest * smallest)[: max(parts, 1)]
    text = " ".join(f"{count}{unit}" for count, unit in pieces) or "0s"
    return f"-{text}" if duration < 0 and pieces else text


def _split(milliseconds: int) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            pieces.append((str(count), unit))
    if milliseconds:
        pieces.append((f"{milliseconds / 1000:.3f}".rstrip("0").rstrip("."), "s"))
    return pieces
