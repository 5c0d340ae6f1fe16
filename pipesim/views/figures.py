"""What every matplotlib picture shares: the picture itself, measured text, an axis of time.

Pictures are made with `matplotlib.figure.Figure` directly, so that no global state of
pyplot is touched and a script needs no display.
"""

from __future__ import annotations

import base64
import html
import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipesim.errors import SourceError
from pipesim.trace.wording import spell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONT = "DejaVu Sans"  # comes with matplotlib, so that widths are the same on every machine
FORMATS = ("svg", "png", "pdf")
RASTER_DPI = 150
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
ELLIPSIS = "…"
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def one_line(text: object, limit: int = 60) -> str:
    """Return text made safe for one line of a picture: no control characters, at most `limit` characters.

    >>> one_line("Deploy\\nto production", 12)
    'Deploy to p…'
    """
    line = UNPRINTABLE.sub(" ", str(text)).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


def duration_text(seconds: float) -> str:
    """Return a length of time as people say it, in at most two units.

    >>> [duration_text(s) for s in (0.25, 45, 125, 3600, 5400, 90000)]
    ['0.2 s', '45 s', '2 min 5 s', '1 h', '1 h 30 min', '1 d 1 h']
    """
    if seconds < 10:
        return spell(round(seconds, 1))
    step = int(HOUR) if round(seconds) >= DAY else int(MINUTE) if round(seconds) >= 10 * MINUTE else 1
    return spell(float(round(round(seconds) / step) * step))


def moment_text(moment: datetime) -> str:
    """Return a UTC moment as people read it.

    >>> from datetime import UTC
    >>> moment_text(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    '09:00 UTC Mon 2 Mar 2026'
    """
    return f"{moment:%H:%M} UTC {moment:%a} {moment.day} {moment:%b %Y}"


def count_text(count: int, noun: str) -> str:
    """Return a count with its noun, in the plural where needed.

    >>> count_text(1, "change"), count_text(2, "change")
    ('1 change', '2 changes')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@contextmanager
def quiet_glyphs() -> Iterator[None]:
    """Keep quiet about characters that the font lacks: a name of the user's may hold any."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


class Picture:
    """A picture that shows itself in a notebook with its alternative text, and saves itself.

    Args:
        figure: the matplotlib figure, or a function that makes it when it is first needed.
        alt: a sentence that says what the picture shows.
        title: the title.

    Attributes:
        alt: a sentence that says what the picture shows.
        title: the title.
    """

    formats: ClassVar[tuple[str, ...]] = FORMATS

    def __init__(self, figure: Figure | Callable[[], Figure], *, alt: str, title: str = "") -> None:
        self._figure = figure
        self.alt = alt
        self.title = title

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.alt}>"

    @property
    def figure(self) -> Figure:
        """The matplotlib figure, for those who want to add to it."""
        if callable(self._figure):
            self._figure = self._figure()
        return self._figure

    def to_bytes(self, format: str) -> bytes:
        """Return the picture as ``svg``, ``png`` or ``pdf``.

        Raises:
            SourceError: for any other format.
        """
        if format not in FORMATS:
            raise SourceError(f"unknown picture format {format!r}: choose one of {', '.join(FORMATS)}")
        import matplotlib

        every: dict[str, dict[str, Any]] = {
            "svg": {"Title": self.title or self.alt, "Description": self.alt, "Creator": "pipesim", "Date": None},
            "png": {"Title": self.title, "Description": self.alt, "Software": "pipesim"},
            "pdf": {"Title": self.title, "Subject": self.alt, "Creator": "pipesim", "CreationDate": None},
        }
        buffer = io.BytesIO()
        with quiet_glyphs(), matplotlib.rc_context({"svg.hashsalt": "pipesim"}):
            self.figure.savefig(
                buffer, format=format, dpi=RASTER_DPI, metadata=every[format], facecolor=self.figure.get_facecolor()
            )
        content = buffer.getvalue()
        if format == "svg":
            label = f'<svg role="img" aria-label="{html.escape(one_line(self.alt, 2000))}" '
            content = content.replace(b"<svg ", label.encode(), 1)
        return content

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file; the ending of its name chooses the format.

        Args:
            path: a name that ends in ``.svg``, ``.png`` or ``.pdf`` (a board also in ``.html``).

        Returns:
            The path written.

        Raises:
            SourceError: the ending is none of these, or the file cannot be written.
        """
        path = Path(path)
        format = path.suffix.lower().removeprefix(".")
        if format not in self.formats:
            endings = " or ".join(f".{known}" for known in self.formats)
            raise SourceError(f"cannot save a picture as {str(path)!r}: end the name in {endings}")
        try:
            path.write_bytes(self.to_bytes(format))
        except OSError as error:
            raise SourceError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        return path

    def _repr_html_(self) -> str:
        width = round(self.figure.get_figwidth() * 100)
        data = base64.b64encode(self.to_bytes("png")).decode("ascii")
        return (
            f'<figure style="margin:0"><img alt="{html.escape(self.alt)}" width="{width}" '
            f'style="max-width:100%;height:auto" src="data:image/png;base64,{data}"></figure>'
        )


def new_figure(width: float, height: float, face: str) -> Figure:
    """Return an empty figure of this size (inches) and face colour, free of pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, facecolor=face)
    FigureCanvasAgg(figure)
    return figure


class Ruler:
    """Measures text before it is drawn, in points (1/72 inch)."""

    def __init__(self) -> None:
        from matplotlib.backends.backend_agg import RendererAgg

        renderer: Any = RendererAgg
        self._renderer = renderer(8, 8, 72)
        self._widths: dict[tuple[str, float, str], float] = {}

    def width(self, text: str, size: float, weight: str = "normal") -> float:
        """Return how wide a text of this font size and weight is, in points."""
        key = (text, size, weight)
        if key not in self._widths:
            with quiet_glyphs():
                width, _, _ = self._renderer.get_text_width_height_descent(text, font(size, weight), ismath=False)
            self._widths[key] = float(width)
        return self._widths[key]

    def first_fitting(self, texts: Sequence[str], room: float, size: float, weight: str = "normal") -> str | None:
        """Return the first of these texts that is not wider than `room` points, or None."""
        return next((text for text in texts if self.width(text, size, weight) <= room), None)

    def shortened(self, text: str, room: float, size: float, weight: str = "normal") -> str:
        """Return the text, cut with an ellipsis so that it is not wider than `room` points."""
        if self.width(text, size, weight) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle].rstrip() + ELLIPSIS, size, weight) <= room:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + ELLIPSIS


def font(size: float, weight: str = "normal") -> Any:
    """Return the font of every picture in this size (points) and weight."""
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FONT, size=size, weight=weight)


@dataclass(frozen=True, slots=True)
class TimeUnit:
    """A unit in which an axis of time is read."""

    name: str
    seconds: float
    steps: tuple[float, ...]


UNITS = (
    TimeUnit("seconds", 1.0, (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60)),
    TimeUnit("minutes", MINUTE, (1, 2, 5, 10, 15, 20, 30, 60)),
    TimeUnit("hours", HOUR, (0.5, 1, 2, 3, 4, 6, 12, 24)),
    TimeUnit("days", DAY, (0.5, 1, 2, 5, 7, 14, 28, 50, 100, 200, 500, 1000, 2000, 5000)),
)


def time_unit(span: float) -> TimeUnit:
    """Return the unit in which a span of seconds is best read.

    >>> [time_unit(s).name for s in (90, 7200, 40000, 400000)]
    ['seconds', 'minutes', 'hours', 'days']
    """
    limits = (2 * MINUTE, 4 * HOUR, 3.5 * DAY, math.inf)
    return next(unit for unit, limit in zip(UNITS, limits, strict=True) if span <= limit)


def time_ticks(low: float, high: float, most: int = 10) -> tuple[TimeUnit, list[float], list[str]]:
    """Return the unit, the places (seconds) and the labels of at most about `most` ticks between two times.

    >>> unit, places, labels = time_ticks(0, 7200)
    >>> unit.name, places[1], labels
    ('minutes', 900.0, ['0', '15', '30', '45', '60', '75', '90', '105', '120'])
    """
    unit = time_unit(high - low)
    span = max(high - low, 1e-9) / unit.seconds
    step = next((s for s in unit.steps if span / s <= most), 10.0 ** math.ceil(math.log10(span / most)))
    first = math.ceil(low / unit.seconds / step - 1e-9)
    last = math.floor(high / unit.seconds / step + 1e-9)
    values = [index * step for index in range(first, last + 1)]
    return unit, [value * unit.seconds for value in values], [f"{value:,.10g}" for value in values]


def midnights(start: datetime, low: float, high: float) -> list[tuple[float, str]]:
    """Return every UTC midnight between two times (seconds since `start`) with the day that begins there."""
    day = (start + timedelta(seconds=low)).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while (time := (day - start).total_seconds()) <= high:
        if time > low:
            found.append((time, f"{day:%a} {day.day} {day:%b}"))
        day += timedelta(days=1)
    return found


def write(axes: Axes, x: float, y: float, text: str, *, size: float, colour: str, **options: Any) -> Any:
    """Write plain text (never read as mathematics) on axes and return matplotlib's text."""
    weight = options.pop("weight", "normal")
    return axes.text(x, y, text, fontproperties=font(size, weight), color=colour, parse_math=False, **options)
