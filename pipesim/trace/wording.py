"""How numbers are written for people: durations, moments, aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def spell(seconds: float) -> str:
    """Return a duration in its two largest units.

    Args:
        seconds: the duration.

    >>> spell(0.4), spell(42), spell(90), spell(5400), spell(85_000), spell(200_000)
    ('0.4 s', '42 s', '1 min 30 s', '1 h 30 min', '23 h 37 min', '2 d 8 h')
    """
    if seconds < 0:
        return f"-{spell(-seconds)}"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    for place in reversed(range(len(UNITS))):
        unit, size = UNITS[place]
        smaller, part = ("s", 1) if unit == "min" else UNITS[place + 1]
        count = round(seconds / part)
        if place == 0 or count * part < UNITS[place - 1][1]:
            break
    whole, rest = divmod(count, size // part)
    return f"{whole} {unit}" + (f" {rest} {smaller}" if rest else "")


def clock(seconds: float, places: int | None = None) -> str:
    """Return a moment as time since the start, with days only where they say something.

    Args:
        seconds: since the trace's start.
        places: digits after the second, 0 to 3; None: as many as say something.

    >>> clock(0), clock(3725.4), clock(93_784), clock(5, places=2)
    ('00:00:00', '01:02:05.4', '1d 02:03:04', '00:00:05.00')
    """
    days, thousandths = divmod(round(round(seconds, 3 if places is None else places) * 1000), 86_400_000)
    hours, thousandths = divmod(thousandths, 3_600_000)
    minutes, thousandths = divmod(thousandths, 60_000)
    whole, thousandths = divmod(thousandths, 1000)
    text = f"{hours:02}:{minutes:02}:{whole:02}"
    fraction = f"{thousandths:03}".rstrip("0") if places is None else f"{thousandths:03}"[:places]
    if fraction:
        text += f".{fraction}"
    return f"{days}d {text}" if days else text


def calendar(start: datetime, seconds: float) -> str:
    """Return a moment as weekday and clock time in the start's time zone.

    Args:
        start: the calendar moment of time zero, aware.
        seconds: since then.

    >>> from datetime import UTC
    >>> calendar(datetime(2026, 3, 2, 9, tzinfo=UTC), 90)
    'Mon 2 Mar 09:01:30'
    """
    moment = start + timedelta(seconds=seconds)
    return f"{DAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]} {moment:%H:%M:%S}"


def one_line(text: str) -> str:
    """Return text that cannot break a terminal's line: control characters become spaces.

    >>> one_line("red\\x1b[31m\\ngreen")
    'red [31m green'
    """
    return "".join(character if character.isprintable() else " " for character in text)


def columns(rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Return rows as aligned columns, two spaces apart, without trailing spaces.

    Args:
        rows: of equal length.
        right: the places of the columns that are aligned to the right.

    >>> print(columns([("a", "10 s"), ("bcd", "5 s")], right=[1]))
    a    10 s
    bcd   5 s
    """
    table = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    right = frozenset(right)
    lines = []
    for row in table:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
