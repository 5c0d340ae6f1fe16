"""Working hours: when people answer and when they push changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from pipesim.assumptions.faults import AssumptionFault, duration, suggest

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS_TEXT = re.compile(
    r"\s*(?P<days>\S.*?)\s+(?P<opens>\d{1,2}:\d\d(?::\d\d)?)\s*[-–]\s*(?P<closes>\d{1,2}:\d\d(?::\d\d)?)\s*"
)
ADVICE = "write days and times, such as 'Mon-Fri 09:00-17:00' or 'Mon,Wed,Sat 22:00-06:00'"


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Days and times of day at which people work, on the wall clock of a time zone.

    Attributes:
        days: weekdays, Monday is 0 and Sunday 6.
        opens: when a day begins, on the wall clock.
        closes: when it ends; not after `opens` means on the next day, so 00:00 to 00:00 is a whole day.
        time_zone: an IANA name such as ``"Europe/Berlin"``.
        holidays: dates on which nobody begins to work.

    Raises:
        AssumptionError: for a weekday, time or zone that does not exist.
    """

    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens: time = time(9)
    closes: time = time(17)
    time_zone: str = "UTC"
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", tuple(sorted({_weekday(day) for day in self.days})))
        if not self.days:
            raise AssumptionFault(("days",), f"there is no day; {ADVICE}")
        for member in ("opens", "closes"):
            moment = getattr(self, member)
            if not isinstance(moment, time) or moment.tzinfo is not None or moment.microsecond:
                raise AssumptionFault((member,), f"{moment!r} is not a time of day such as datetime.time(9, 30)")
        _zone(self.time_zone)
        for holiday in self.holidays:
            if not isinstance(holiday, date) or isinstance(holiday, datetime):
                raise AssumptionFault(("holidays",), f"{holiday!r} is not a date such as 2026-12-25")
        object.__setattr__(self, "holidays", tuple(sorted(set(self.holidays))))

    @classmethod
    def parse(cls, text: str, time_zone: str = "UTC", holidays: Iterable[date] = ()) -> WorkingHours:
        """Read working hours written for people.

        Arguments:
            text: days and times, such as ``"Mon-Fri 09:00-17:00"``, ``"Mon,Wed 22:00-06:00"``, ``"daily 00:00-24:00"``.
            time_zone: an IANA name.
            holidays: dates on which nobody works.

        Raises:
            AssumptionError: when the text or the zone cannot be understood.

        >>> WorkingHours.parse("Mon-Fri 9:00-17:00", "Europe/Berlin").text
        'Mon-Fri 09:00-17:00'
        """
        match = HOURS_TEXT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise AssumptionFault(("hours",), f"{text!r} is not understood; {ADVICE}")
        days = tuple(_days(match["days"], text))
        return cls(days, _clock(match["opens"], text), _clock(match["closes"], text), time_zone, tuple(holidays))

    @property
    def text(self) -> str:
        """The days and times as `parse` reads them."""
        closes = "24:00" if self.closes == time(0) else _clock_text(self.closes)
        return f"{_days_text(self.days)} {_clock_text(self.opens)}-{closes}"

    @property
    def day_length(self) -> float:
        """Seconds from opening to closing on a day on which no clock is changed."""
        opened, closed = (
            moment.hour * 3600 + moment.minute * 60 + moment.second for moment in (self.opens, self.closes)
        )
        return float(closed - opened if closed > opened else closed - opened + 86_400)

    def windows(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the working days that end after the moment, as pairs of UTC moments, without end."""
        zone = _zone(self.time_zone)
        moment = _aware(moment)
        overnight = self.closes <= self.opens
        day = moment.astimezone(zone).date() - timedelta(days=1 if overnight else 0)
        while True:
            if day.weekday() in self.days and day not in self.holidays:
                opened = datetime.combine(day, self.opens, zone).astimezone(UTC)
                last = day + timedelta(days=1) if overnight else day
                closed = datetime.combine(last, self.closes, zone).astimezone(UTC)
                if closed > opened and closed > moment:
                    yield opened, closed
            day += timedelta(days=1)

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody works at this (aware) moment; the closing moment is no longer open."""
        opened, _ = next(self.windows(moment))
        return opened <= moment

    def between(self, begin: datetime, end: datetime) -> float:
        """Return how many seconds of working time lie between two (aware) moments; 0 when `end` is not later.

        >>> friday, monday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC), datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
        >>> WorkingHours.parse("Mon-Fri 09:00-17:00").between(friday, monday)
        3600.0
        """
        begin, end = _aware(begin).astimezone(UTC), _aware(end).astimezone(UTC)
        worked = 0.0
        if end <= begin:
            return worked
        for opened, closed in self.windows(begin):
            if opened >= end:
                break
            worked += (min(closed, end) - max(opened, begin)).total_seconds()
        return worked

    def advance(self, moment: datetime, working_seconds: float) -> datetime:
        """Return the moment at which so much working time has passed, in UTC.

        Time runs only while somebody works; where clocks are changed, real seconds count and not the wall clock's.
        Nothing happens outside working hours: 0 seconds at night lead to the next opening.

        Arguments:
            moment: an aware moment.
            working_seconds: how much working time shall pass.

        Raises:
            AssumptionError: for a negative or infinite time, or one that reaches beyond the calendar.

        >>> friday = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
        >>> str(WorkingHours.parse("Mon-Fri 09:00-17:00").advance(friday, 3600))
        '2026-03-09 09:30:00+00:00'
        """
        left = timedelta(seconds=duration("working_seconds", working_seconds))
        now = _aware(moment).astimezone(UTC)
        try:
            for opened, closed in self.windows(now):
                now = max(now, opened)
                if now >= closed:
                    continue
                if left <= closed - now:
                    return now + left
                left -= closed - now
                now = closed
        except OverflowError:
            pass
        raise AssumptionFault(("working_seconds",), f"{working_seconds:g} s of working time reach beyond the year 9999")


def _weekday(day: object) -> int:
    if isinstance(day, str):
        return _named_day(day, day)
    if isinstance(day, bool) or not isinstance(day, int) or not 0 <= day <= 6:
        raise AssumptionFault(("days",), f"{day!r} is not a weekday; Monday is 0 and Sunday 6")
    return day


def _named_day(word: str, text: str) -> int:
    lowered = word.strip().lower()
    for number, name in enumerate(LONG_DAYS):
        if len(lowered) >= 3 and (
            name == lowered or lowered == name[:3] or (len(lowered) > 3 and name.startswith(lowered))
        ):
            return number
    raise AssumptionFault(("hours",), f"{text!r}: {word!r} is not a weekday{suggest(word, DAY_NAMES)}")


def _days(words: str, text: str) -> Iterator[int]:
    if words.lower() in ("daily", "every day"):
        yield from range(7)
        return
    for word in words.split(","):
        first, dash, last = re.sub("–", "-", word).partition("-")
        start = _named_day(first, text)
        count = (_named_day(last, text) - start) % 7 + 1 if dash else 1
        yield from ((start + step) % 7 for step in range(count))


def _days_text(days: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAY_NAMES[run[0]] if len(run) == 1 else f"{DAY_NAMES[run[0]]}-{DAY_NAMES[run[-1]]}" for run in runs)


def _clock(word: str, text: str) -> time:
    hour, minute, second = (int(part) for part in (word + ":0").split(":")[:3])
    if (hour, minute, second) == (24, 0, 0):
        return time(0)
    try:
        return time(hour, minute, second)
    except ValueError:
        raise AssumptionFault(("hours",), f"{text!r}: {word} is not a time of day; {ADVICE}") from None


def _clock_text(moment: time) -> str:
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(name)  # type: ignore[arg-type]
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        hint = suggest(name, available_timezones()) if isinstance(name, str) else ""
        near = hint if "did you mean" in hint else "; write an IANA name such as 'Europe/Berlin'"
        raise AssumptionFault(("time_zone",), f"{name!r} is not a known time zone{near}") from None


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise AssumptionFault(("moment",), f"{moment} has no time zone; add tzinfo=datetime.UTC")
    return moment
