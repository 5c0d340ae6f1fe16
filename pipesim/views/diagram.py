"""The diagram of a pipeline: stages from left to right, with a state written on them when there is one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipesim.definition.model import Pipeline
from pipesim.errors import SourceError
from pipesim.trace.log import Trace
from pipesim.trace.snapshot import PipelineState
from pipesim.trace.state import Fold
from pipesim.views.diagram_cards import stage_lines, transition_text
from pipesim.views.diagram_labels import plain
from pipesim.views.diagram_plan import plan
from pipesim.views.diagram_svg import readable_svg
from pipesim.views.render import FORMATS, render
from pipesim.views.theme import Theme, find_theme


@dataclass(frozen=True, repr=False)
class Diagram:
    """A drawn pipeline; on the last line of a notebook cell it shows itself.

    Attributes:
        dot: the picture as Graphviz's DOT text.
        title: the picture's name.
        description: what is to be seen, in words, for those who do not see it.
        theme: the palette.
        engine: which Graphviz engine draws (see `pipesim.views.render.render`).
    """

    dot: str
    title: str
    description: str = field(repr=False)
    theme: Theme = field(repr=False)
    engine: str = "auto"

    @cached_property
    def svg(self) -> bytes:
        """The picture as SVG, with tooltips, a title and a description."""
        picture = render(self.dot, "svg", self.engine)
        return readable_svg(picture, self.title, self.description, self.theme.background)

    @cached_property
    def png(self) -> bytes:
        """The picture as PNG."""
        return render(self.dot, "png", self.engine)

    @cached_property
    def pdf(self) -> bytes:
        """The picture as PDF.

        Raises:
            MissingDependency: no engine here writes PDF; the message names the ways out.
        """
        return render(self.dot, "pdf", self.engine)

    def save(self, path: str | Path, format: str | None = None) -> Path:
        """Write the picture to a file and return its path.

        Args:
            path: where to; its folder must exist.
            format: ``svg``, ``png``, ``pdf`` or ``dot``; None: by the suffix of `path`.

        Raises:
            SourceError: the suffix or the format is none of these, or the file cannot be written.
            MissingDependency: no engine here writes this format.
        """
        path = Path(path)
        kind = format or path.suffix.lower().removeprefix(".")
        if kind not in FORMATS:
            choices = ", ".join(f".{known}" for known in FORMATS)
            raise SourceError(f"cannot draw to {str(path)!r}: its name must end in one of {choices}")
        content = self.dot.encode() if kind == "dot" else getattr(self, kind)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise SourceError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        return path

    def __repr__(self) -> str:
        return f"<Diagram: {self.title}>"

    def _repr_html_(self) -> str:
        inline = self.svg.decode().partition("?>")[2].strip()
        return (
            f'<div style="overflow-x:auto;padding:4px;border-radius:6px;background:{self.theme.background}">'
            f"{inline}</div>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": f"{self.title}\n{self.description}"}


def draw(
    pipeline: Pipeline,
    state: PipelineState | None = None,
    *,
    trace: Trace | None = None,
    at: float | None = None,
    artifacts: bool = False,
    columns: int | None = None,
    theme: str | Theme = "light",
    path: str | Path | None = None,
    format: str = "svg",
    engine: str = "auto",
) -> Diagram:
    """Draw a pipeline, as declared or as it stands at one moment.

    Args:
        pipeline: the declaration.
        state: what to write on it.
        trace: take the state from this trace instead; the declaration in force then is drawn.
        at: the moment in the trace, in seconds since its start; None: its end.
        artifacts: draw which artifact goes where.
        columns: how many columns of cards stand side by side at most, such as 6 for a projector; None: as
            many as can be read on a page.
        theme: ``light``, ``dark`` or a `Theme`.
        path: also write the picture there.
        format: the format of the file when the name of `path` has no suffix:
            ``svg``, ``png``, ``pdf`` or ``dot``.
        engine: ``auto``, or one of ``dot``, ``graphviz-pure``, ``pygraphviz``.

    Raises:
        SourceError: an argument makes no sense, or the file cannot be written.
        MissingDependency: no Graphviz engine here can do it.

    >>> from pipesim.definition.model import Action, ActionTypeId, Pipeline, Stage
    >>> build = Action("Compile", ActionTypeId("Build", "AWS", "CodeBuild"))
    >>> draw(Pipeline("shop", "role", (Stage("Build", (build,)),)))
    <Diagram: Pipeline shop, SUPERSEDED mode>
    """
    if trace is not None and state is not None:
        raise SourceError("draw takes a state or a trace, not both")
    if at is not None and trace is None:
        raise SourceError(f"at={at!r} names a moment of a trace: give the trace too")
    if format not in FORMATS:
        raise SourceError(f"cannot draw as {format!r}; choose one of {', '.join(FORMATS)}")
    if columns is not None and (isinstance(columns, bool) or not isinstance(columns, int) or columns < 1):
        raise SourceError(f"columns={columns!r} is no number of columns; give 1 or more")
    palette = find_theme(theme)
    if trace is not None:
        pipeline, state = _moment(trace, trace.end if at is None else at)
    diagram = Diagram(
        dot=plan(pipeline, state, palette, artifacts=artifacts, columns=columns),
        title=f"Pipeline {plain(pipeline.name)}, {plain(pipeline.execution_mode)} mode",
        description=describe_picture(pipeline, state),
        theme=palette,
        engine=engine,
    )
    if path is not None:
        diagram.save(path, None if Path(path).suffix else format)
    return diagram


def describe_picture(pipeline: Pipeline, state: PipelineState | None = None) -> str:
    """Say in words what a diagram shows: each stage with its actions, or with its state.

    Args:
        pipeline: the declaration.
        state: what is written on it.
    """
    known = {stage.name: stage for stage in state.stages} if state else {}
    sentences = []
    for stage in pipeline.stages:
        found = known.get(stage.name)
        lines = stage_lines(found, state)
        if lines and found is not None and state is not None:
            status, *more = lines
            words = ", ".join([status[2:], *more])
            if not found.transition.enabled:
                words += f", {plain(transition_text(found))}"
            if found.inbound:
                words += f", {len(found.inbound)} waiting"
        else:
            words = ", ".join(plain(action.name) for action in stage.actions) or "no action"
        sentences.append(f"{plain(stage.name)}: {words}.")
    return " ".join(sentences)


def _moment(trace: Trace, at: float) -> tuple[Pipeline, PipelineState]:
    if not (math.isfinite(at) and at >= 0):
        raise SourceError(f"at={at!r} is no moment of a trace: give seconds since its start, 0 or more")
    fold = Fold(trace.pipeline)
    for event in trace:
        if event.time > at:
            break
        fold.apply(event)
    return fold.pipeline, fold.snapshot(at)
