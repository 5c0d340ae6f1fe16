"""The board: the console's picture of a pipeline at one moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pipesim.definition.model import Pipeline
from pipesim.errors import SourceError
from pipesim.trace.log import Trace
from pipesim.trace.snapshot import PipelineState
from pipesim.trace.state import Fold
from pipesim.views.board_figure import draw_board
from pipesim.views.board_html import board_html, page
from pipesim.views.figures import FORMATS, MINUTE, Picture, count_text, duration_text, moment_text, one_line
from pipesim.views.panels import Panel, ended_lines, panels
from pipesim.views.theme import THEMES, find_theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Board(Picture):
    """A board: HTML in a notebook, a matplotlib figure for PNG, SVG and PDF.

    Attributes:
        html: the board as HTML that stands alone.
        panels: what it shows, one a stage.
    """

    formats: ClassVar[tuple[str, ...]] = ("html", *FORMATS)

    def __init__(
        self, figure: Callable[[], Figure], *, alt: str, title: str, html: str, panels: tuple[Panel, ...]
    ) -> None:
        super().__init__(figure, alt=alt, title=title)
        self.html = html
        self.panels = panels

    def to_bytes(self, format: str) -> bytes:
        """Return the board as ``html``, ``svg``, ``png`` or ``pdf``; SourceError for anything else."""
        return page(self.title, self.html).encode() if format == "html" else super().to_bytes(format)

    def _repr_html_(self) -> str:
        return self.html


def board(
    source: Pipeline | Trace,
    at: PipelineState | float | None = None,
    *,
    theme: str = "auto",
    title: str | None = None,
    path: str | Path | None = None,
    width: float = 11.0,
) -> Board:
    """Show where everything is at one moment, as the console does.

    Args:
        source: a trace, or a pipeline.
        at: with a trace: the moment, in seconds (None: its end); with a pipeline: its state
            (None: nothing has happened yet).
        theme: ``"light"``, ``"dark"``, or ``"auto"``: HTML follows JupyterLab or the browser,
            pictures are light.
        title: the title; None: the pipeline's name.
        path: a file to write as well (.html, .svg, .png or .pdf).
        width: inches, for .svg, .png and .pdf.

    Raises:
        SourceError: the theme is unknown, a moment or a state is missing or makes no sense,
            or the file cannot be written.
    """
    if theme not in ("auto", *THEMES):
        raise SourceError(f"there is no theme {theme!r}; choose 'auto', 'light' or 'dark'")
    if not 3 <= width <= 100:
        raise SourceError(f"a board {width!r} inches wide: choose from 3 to 100")
    pipeline, state, start = _look(source, at)
    shown = panels(pipeline, state)
    ended = ended_lines(state)
    heading = one_line(title if title is not None else f"{pipeline.name} · {state.mode}", 200)
    moment = _moment(state.time, start)
    alt = _alt(pipeline.name, shown, state, moment)
    colours = find_theme("light" if theme == "auto" else theme)
    picture = Board(
        lambda: draw_board(heading, moment, shown, ended, colours, width),
        alt=alt,
        title=heading,
        html=board_html(alt, heading, moment, shown, ended, theme),
        panels=shown,
    )
    if path is not None:
        picture.save(path)
    return picture


def _look(
    source: Pipeline | Trace, at: PipelineState | float | None
) -> tuple[Pipeline, PipelineState, datetime | None]:
    if isinstance(source, Trace):
        if isinstance(at, PipelineState):
            return source.pipeline, at, source.start
        time = source.end if at is None else float(at)
        if not time >= 0:
            raise SourceError(f"a board at {at!r} seconds: choose a time from 0 on")
        fold = Fold(source.pipeline)
        for event in source:
            if event.time > time:
                break
            fold.apply(event)
        return fold.pipeline, fold.snapshot(time), source.start
    if at is None:
        return source, Fold(source).snapshot(0.0), None
    if isinstance(at, PipelineState):
        return source, at, None
    raise SourceError(f"a board of a pipeline needs its state, not {at!r}; give the trace to choose a moment")


def _moment(time: float, start: datetime | None) -> str:
    passed = time if time < 10 * MINUTE else time - time % MINUTE
    after = f"{duration_text(passed)} after the start"
    return after if start is None else f"{moment_text(start + timedelta(seconds=time))}, {after}"


def _alt(name: str, shown: tuple[Panel, ...], state: PipelineState, moment: str) -> str:
    unfinished = sum(1 for execution in state.executions.values() if not execution.finished)
    sentences = [
        f"Board of pipeline {one_line(name, 100)} at {moment}: {count_text(len(shown), 'stage')}, "
        f"{count_text(len(state.executions), 'execution')}, {unfinished} unfinished."
    ]
    for panel in shown:
        parts = [panel.word.lower()]
        if panel.inside:
            parts.append(f"{', '.join(line.text for line in panel.inside)} {'inside' if _busy(panel) else 'last'}")
        if panel.door.waiting:
            parts.append(f"waiting: {', '.join(line.text for line in panel.door.waiting)}")
        if not panel.door.enabled:
            parts.append("transition disabled" + (f" ({panel.door.reason})" if panel.door.reason else ""))
        sentences.append(f"{panel.name}: {'; '.join(parts)}.")
    return " ".join(sentences)


def _busy(panel: Panel) -> bool:
    return panel.status in ("InProgress", "Stopping")
