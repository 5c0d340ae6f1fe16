"""The builder: a pipeline put together by hand in JupyterLab, by drag and drop or by keyboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from pipesim.definition.checking import check
from pipesim.definition.document import parse_document, read_document
from pipesim.definition.model import Pipeline
from pipesim.definition.problems import Problem
from pipesim.errors import DeclarationError, PipesimError, SourceError
from pipesim.formats.cloudformation import to_template_text
from pipesim.formats.samples import sample_names
from pipesim.views.diagram import draw
from pipesim.widgets.builder_model import Draft, applied, new_document, opened, redone, to_json, undone
from pipesim.widgets.builder_palette import custom_items, knowing
from pipesim.widgets.builder_view import palette_data, view_of

_STATIC = Path(__file__).parent / "static"
TEMPLATES = (".yaml", ".yml", ".template")
"""Files that hold a CloudFormation template."""


class Builder(anywidget.AnyWidget):
    """A pipeline being built: a palette, a board, forms with the service's complaints beside the fields, a diagram.

    The page sends small commands and shows what comes back; `apply` takes the same commands from a program, so
    that all of it works without a browser.

    Args:
        pipeline: what to begin with: whatever `pipesim.load` takes; None: a pipeline without stages.
        custom_types: action types of one's own for the palette, as CreateCustomActionType takes them or
            ListActionTypes returns them.

    Raises:
        SourceError: the pipeline cannot be read.
        DeclarationError: it has the wrong shape. Broken rules of the service are shown and do not stop anything.

    Attributes:
        document: the declaration as it stands, valid or not, as JSON; observe it to follow every change.
        view: what the page shows (see `pipesim.widgets.builder_view.view_of`).
        message: the last thing said: ``kind`` (``done`` or ``error``), ``text`` and ``details``; typing says nothing.
        text: the declaration as the text of a file, which the page can save even when the kernel is gone.
        diagram: the diagram as SVG; empty while it is folded away or there is nothing to draw.
        show_diagram: whether the diagram is drawn.
        dark: whether the page is dark; the page sets it.

    >>> builder = Builder("GitHub -> CodeBuild -> Elastic Beanstalk")
    >>> builder.apply({"op": "set", "path": "stages[1].name", "value": "Compile"})
    >>> builder.pipeline.stages[1].name
    'Compile'
    >>> builder.undo()
    >>> builder.pipeline.stages[1].name
    'Build'
    """

    _esm = _STATIC / "builder.js"
    _css = _STATIC / "builder.css"

    view = traitlets.Dict().tag(sync=True)
    palette: traitlets.List[Any] = traitlets.List().tag(sync=True)
    templates: traitlets.List[Any] = traitlets.List().tag(sync=True)
    message = traitlets.Dict().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    diagram = traitlets.Unicode().tag(sync=True)
    dark = traitlets.Bool(False).tag(sync=True)
    show_diagram = traitlets.Bool(True).tag(sync=True)
    document = traitlets.Dict(read_only=True)

    def __init__(self, pipeline: Any = None, *, custom_types: Iterable[Mapping[str, Any]] = (), **traits: Any) -> None:
        draft = Draft(new_document())
        if pipeline is not None:
            draft = Draft(opened(draft, pipeline).document)
        self._custom = custom_items(custom_types)
        with knowing(self._custom):
            palette = palette_data()
        super().__init__(palette=palette, templates=list(sample_names()), **traits)
        self._answered = 0
        self._said = 0
        self._drawn: tuple[str, str] = ("", "")
        self._draft = draft
        self._problems: tuple[Problem, ...] = ()
        self._show(draft)
        self.observe(self._redraw, ["dark", "show_diagram"])
        self.on_msg(self._receive)

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline, when the service would take it.

        Setting it shows another one (whatever `pipesim.load` takes); undo brings the old one back.

        Raises:
            DeclarationError: something is missing or wrong; the message says what, and `.problems` lists it.
        """
        if self._problems:
            lines = "\n".join(f"  {problem}" for problem in self._problems[:20])
            more = f"\n  … and {len(self._problems) - 20} more" if len(self._problems) > 20 else ""
            count = len(self._problems)
            head = f"The pipeline is not complete yet, {count} problem{'s' if count > 1 else ''}:"
            raise DeclarationError(f"{head}\n{lines}{more}", self._problems)
        return parse_document(self._draft.document)

    @pipeline.setter
    def pipeline(self, source: Any) -> None:
        self.load(source)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the service would say of the pipeline as it stands; nothing when it would take it."""
        return self._problems

    @property
    def draft(self) -> Draft:
        """The whole state: document, selection, and what can be undone and done again."""
        return self._draft

    @property
    def selection(self) -> str:
        """The path of the selected stage or action, such as ``stages[1].actions[0]``; empty for the pipeline."""
        return self._draft.selection

    def apply(self, command: Mapping[str, Any]) -> None:
        """Do what a click, a drop or a key does.

        Args:
            command: such as ``{"op": "add", "item": "Build/AWS/CodeBuild/1", "where": "stage"}``; the names are
                the keys of `pipesim.widgets.builder_model.COMMANDS`.

        Raises:
            SourceError: there is no such command, or no such place, or something cannot be read.
            DeclarationError: what is to be opened has the wrong shape.
        """
        with knowing(self._custom):
            self._show(applied(self._draft, command))

    def load(self, source: Any) -> None:
        """Show another pipeline; what was there stays when the source cannot be read.

        Args:
            source: a path, JSON as text or bytes, a mapping, an arrow sketch or a pipeline.

        Raises:
            SourceError: the source cannot be read.
            DeclarationError: it has the wrong shape.
        """
        self._show(opened(self._draft, source))

    def save(self, path: str | Path) -> Path:
        """Write the declaration to a file and return its path; unfinished ones can be saved too.

        Args:
            path: ``.yaml``, ``.yml`` and ``.template`` get a CloudFormation template, any other name the JSON that the
                AWS CLI takes.

        Raises:
            SourceError: the file cannot be written.
        """
        path = Path(path).expanduser()
        text = to_template_text(self._draft.document) if path.suffix.lower() in TEMPLATES else self.text
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise SourceError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        return path

    def undo(self) -> None:
        """Take back the last step."""
        self._show(undone(self._draft))

    def redo(self) -> None:
        """Do the step again that was taken back last."""
        self._show(redone(self._draft))

    def _show(self, draft: Draft) -> None:
        with knowing(self._custom):
            self._show_known(draft)

    def _show_known(self, draft: Draft) -> None:
        if draft.document is not self._draft.document or not self.view:
            self._problems = check(draft.document)
        self._draft = draft
        self.view = {**view_of(draft, self._problems), "answered": self._answered}
        self.text = to_json(draft)
        self.set_trait("document", draft.document)
        if draft.label:
            self._say("done", "" if draft.merging else draft.label)
        self._redraw()

    def _say(self, kind: str, text: str, details: tuple[str, ...] = ()) -> None:
        self._said += 1
        self.message = {"kind": kind, "text": text, "details": list(details), "number": self._said}

    def _redraw(self, _: Any = None) -> None:
        if not self.show_diagram or not self._draft.document.get("stages"):
            self.diagram = ""
            return
        pipeline, _problems = read_document(self._draft.document)
        if pipeline is None:
            return
        try:
            picture = draw(pipeline, theme="dark" if self.dark else "light")
            if self._drawn[0] != picture.dot:
                self._drawn = picture.dot, picture.svg.decode().partition("?>")[2].strip()
        except PipesimError as error:
            self.diagram = ""
            self._say("error", f"The diagram cannot be drawn: {error}")
            return
        self.diagram = self._drawn[1]

    def _receive(self, _: Any, content: Any, buffers: list[Any]) -> None:
        """Answer a command of the page: whatever is wrong with it is said there, and nothing is lost."""
        if not isinstance(content, Mapping):
            return
        self._answered = int(content.get("number") or 0)
        command = {key: value for key, value in content.items() if key != "number"}
        if buffers:
            command["source"] = bytes(buffers[0])
        try:
            match command.get("op"):
                case "save":
                    self._say("done", f"Saved to {self.save(str(command.get('path')))}")
                case _:
                    self.apply(command)
        except DeclarationError as error:
            details = tuple(str(problem) for problem in error.problems[:20])
            self._say("error", f"{str(error).splitlines()[0].rstrip(':')}. What was here is unchanged.", details)
        except PipesimError as error:
            self._say("error", f"{error} What was here is unchanged.")
        if self.view.get("answered") != self._answered:
            self.view = {**self.view, "answered": self._answered}
