"""The timeline: who was where and when, who waited for what, and how each execution ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pipesim.errors import SourceError
from pipesim.trace.log import Trace
from pipesim.views.execution_gantt import draw_executions
from pipesim.views.figures import Picture, count_text, duration_text, moment_text, new_figure, one_line
from pipesim.views.lanes import Bar, BarKind, execution_lanes
from pipesim.views.passages import Passage, ending_text, failure_text, headline, passages, tally
from pipesim.views.plot import Words
from pipesim.views.stage_gantt import draw_stages
from pipesim.views.stage_lanes import stage_lanes
from pipesim.views.theme import WAITING, WORDS, Theme, find_theme
from pipesim.vocabulary import PipelineExecutionStatus as Status

MOST_EXECUTIONS = 200


def timeline(
    trace: Trace,
    *,
    by: Literal["execution", "stage"] = "execution",
    theme: str | Theme = "light",
    until: float | None = None,
    title: str | None = None,
    path: str | Path | None = None,
    width: float = 11.0,
    last: int = MOST_EXECUTIONS,
) -> Picture:
    """Draw what happened as bars on an axis of time.

    Solid bars work, hatched bars wait; the end of every execution is written where it ends.

    Args:
        trace: what happened.
        by: ``"execution"``: a lane for each pipeline execution, the first at the bottom;
            ``"stage"``: a lane for each stage, with its actions and the queue in front of it.
        theme: ``"light"``, ``"dark"`` or a theme of your own.
        until: the moment that counts as now, in seconds; None: the end of the trace.
        title: the title; None: one that says what is seen.
        path: a file to write as well (.svg, .png or .pdf).
        width: inches.
        last: of a longer trace only so many executions are drawn, the newest ones.

    Raises:
        SourceError: `by` or `theme` is unknown, `until`, `width` or `last` makes no sense,
            or the file cannot be written.
    """
    if by not in ("execution", "stage"):
        raise SourceError(f"timeline by {by!r}: choose 'execution' or 'stage'")
    if not 4 <= width <= 60:
        raise SourceError(f"a timeline {width!r} inches wide: choose from 4 to 60")
    if last < 1:
        raise SourceError(f"the last {last!r} executions: choose at least 1")
    now = trace.end if until is None else float(until)
    if not now >= 0:
        raise SourceError(f"a timeline until {until!r} seconds: choose a time from 0 on")
    colours = find_theme(theme)
    every = list(passages(trace, now).values())
    keep = every[-last:]
    picture = (
        _draw(trace, by, colours, now, title, width, every, keep) if keep else _nothing(trace, colours, title, width)
    )
    if path is not None:
        picture.save(path)
    return picture


def _draw(
    trace: Trace,
    by: str,
    theme: Theme,
    now: float,
    title: str | None,
    width: float,
    every: Sequence[Passage],
    keep: Sequence[Passage],
) -> Picture:
    low = min(passage.started for passage in keep) if len(keep) < len(every) else 0.0
    is_open = any(passage.is_open for passage in keep)
    high = now if is_open else max((p.ended for p in keep if p.ended is not None), default=now)
    mode = str(keep[-1].mode or trace.pipeline.execution_mode)
    heading = title if title is not None else headline(trace.pipeline.name, keep, mode, high - low)
    bars: list[Bar]
    line = now if is_open else None
    if by == "execution":
        lanes = execution_lanes(trace, now, keep)
        bars = [bar for lane in lanes for bar in lane.bars]
    else:
        stages = stage_lanes(trace, now, keep)
        bars = [bar for stage in stages for bar in (*stage.inside, *stage.queue)]
    longest = max((bar for bar in bars if bar.kind is BarKind.WAIT), key=lambda b: b.end - b.start, default=None)
    words = Words(one_line(heading, 200), _pieces(keep, bars, longest), _remark(every, keep))
    if by == "execution":
        figure = draw_executions(
            lanes, words, theme=theme, width=width, start=trace.start, low=low, high=high, now=line
        )
    else:
        figure = draw_stages(stages, words, theme=theme, width=width, start=trace.start, low=low, high=high, now=line)
    alt = _alt(trace, by, every, keep, bars, longest, mode, high - low)
    return Picture(figure, alt=alt, title=words.title)


def _nothing(trace: Trace, theme: Theme, title: str | None, width: float) -> Picture:
    text = f"{one_line(trace.pipeline.name, 60)} · no execution has started"
    figure = new_figure(width, 1.0, theme.background)
    figure.text(0.5, 0.5, title or text, ha="center", va="center", color=theme.ink, parse_math=False, gid="title")
    return Picture(
        figure, alt=f"Timeline of pipeline {trace.pipeline.name}: no execution has started.", title=title or text
    )


def _waiters(bars: Sequence[Bar]) -> int:
    return len({bar.execution for bar in bars if bar.kind is BarKind.WAIT})


def _pieces(keep: Sequence[Passage], bars: Sequence[Bar], longest: Bar | None) -> tuple[tuple[str, str], ...]:
    pieces = [
        (f"{WORDS[status][0]} {count:,} {WORDS[status][2].lower()}", status) for status, count in tally(keep).items()
    ]
    if longest is not None:
        wait = f"{WORDS[WAITING][0]} {_waiters(bars):,} waited, {_longest(longest)}"
        pieces.append((wait, WAITING))
    return tuple(pieces)


def _longest(bar: Bar) -> str:
    return f"at most {duration_text(bar.end - bar.start)} for {one_line(bar.stage, 30)}"


def _remark(every: Sequence[Passage], keep: Sequence[Passage]) -> str:
    if len(keep) == len(every):
        return ""
    return f"The last {len(keep):,} of {len(every):,} executions; the earlier ones are not shown."


def _alt(
    trace: Trace,
    by: str,
    every: Sequence[Passage],
    keep: Sequence[Passage],
    bars: Sequence[Bar],
    longest: Bar | None,
    mode: str,
    length: float,
) -> str:
    numbers = {passage.id: passage.number for passage in every}
    counts = ", ".join(f"{count:,} {WORDS[status][2].lower()}" for status, count in tally(keep).items())
    shown = f"the last {len(keep):,} of {len(every):,}" if len(keep) < len(every) else f"{len(keep):,}"
    sentences = [
        f"Timeline by {by} of pipeline {one_line(trace.pipeline.name, 100)}, mode {mode}, from "
        f"{moment_text(trace.start)}: {shown} {'execution' if len(keep) == 1 else 'executions'} "
        f"in {duration_text(length)}, {counts}."
    ]
    ended = [text for passage in keep if (text := _ending(passage, numbers))]
    if ended:
        more = f"; and {count_text(len(ended) - 8, 'more')}".removesuffix("s") if len(ended) > 8 else ""
        sentences.append("; ".join(ended[:8]) + more + ".")
    if longest is not None:
        sentences.append(f"{_waiters(bars):,} waited in front of a stage, {_longest(longest)}.")
    return " ".join(sentences)


def _ending(passage: Passage, numbers: dict[str, int]) -> str:
    if passage.status == Status.SUCCEEDED:
        return ""
    if passage.status == Status.FAILED:
        return f"#{passage.number} {failure_text(passage, with_stage=True)}"
    where = f" in {one_line(passage.stage, 30)}" if passage.stage and passage.is_open else ""
    return f"#{passage.number} {ending_text(passage, numbers)}{where}"
