"""From DOT text to a picture: the one place where a Graphviz engine is run.

Any of four engines will do, asked in this order: the program that the environment variable
``PIPESIM_DOT`` names, ``dot`` on the PATH, the program of the package graphviz-pure (which pip
installs with pipesim), and the library pygraphviz.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipesim.errors import MissingDependency, PipesimError, SourceError

FORMATS = ("svg", "png", "pdf", "dot")
ENGINES = ("dot", "graphviz-pure", "pygraphviz")
TIME_LIMIT = 60.0
VARIABLE = "PIPESIM_DOT"
WAY_OUT = (
    "install Graphviz (conda install graphviz, apt-get install graphviz, brew install graphviz) so that "
    f"`dot` is on the PATH, or name the program in the environment variable {VARIABLE}, "
    "or pip install 'pipesim[pdf]'"
)


class RenderError(PipesimError):
    """A Graphviz engine was there and could not draw."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to draw.

    Attributes:
        name: ``dot``, ``graphviz-pure`` or ``pygraphviz``.
        program: the program to run; None for a library.
    """

    name: str
    program: str | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that it can write; graphviz-pure has no PDF."""
        return ("svg", "png", "dot") if self.name == "graphviz-pure" else FORMATS


def find_engines(engine: str = "auto") -> Iterator[Engine]:
    """Yield the engines of this machine, best first.

    Args:
        engine: ``auto`` for all, or the name of one of `ENGINES`.

    Raises:
        SourceError: there is no engine of this name, or ``PIPESIM_DOT`` names no program.
    """
    if engine != "auto" and engine not in ENGINES:
        raise SourceError(f"there is no engine {engine!r}; choose 'auto', {', '.join(map(repr, ENGINES))}")
    finders: dict[str, Callable[[], str | None]] = {"dot": _find_dot, "graphviz-pure": _find_pure}
    named = os.environ.get(VARIABLE)
    if named and engine == "auto":
        yield _named_engine(named)
    for name, find in finders.items():
        if engine in ("auto", name) and (program := find()):
            yield Engine(name, program)
    if engine in ("auto", "pygraphviz") and importlib.util.find_spec("pygraphviz"):
        yield Engine("pygraphviz")


def render(dot_source: str, format: str = "svg", engine: str = "auto", *, time_limit: float = TIME_LIMIT) -> bytes:
    """Draw DOT text.

    Args:
        dot_source: the graph in Graphviz's language.
        format: ``svg``, ``png``, ``pdf`` or ``dot`` (the text with positions filled in).
        engine: ``auto``, or one of ``dot``, ``graphviz-pure``, ``pygraphviz``.
        time_limit: how long the program may take, in seconds.

    Returns:
        The picture. With ``graphviz-pure`` the bytes are the same on every machine.

    Raises:
        SourceError: the format or the engine is unknown.
        MissingDependency: no engine here can write this format; the message names the ways out.
        RenderError: the engine refused the text or took too long.
    """
    if format not in FORMATS:
        raise SourceError(f"cannot draw as {format!r}; choose one of {', '.join(FORMATS)}")
    found = False
    for candidate in find_engines(engine):
        found = True
        if format in candidate.formats:
            if candidate.program is None:
                return _render_in_process(dot_source, format)
            return _run(candidate.program, dot_source, format, time_limit)
    if found:
        raise MissingDependency(f"no {format.upper()} can be drawn with what is installed here: {WAY_OUT}")
    wanted = "no Graphviz engine is" if engine == "auto" else f"the engine {engine!r} is not"
    raise MissingDependency(f"{wanted} installed here: pip install graphviz-pure, or {WAY_OUT}")


def _named_engine(named: str) -> Engine:
    program = shutil.which(named)
    if program is None:
        raise SourceError(f"{VARIABLE} is {named!r}, which is no program that can be run; correct it or unset it")
    return Engine("graphviz-pure" if Path(program).stem == "graphviz-pure" else "dot", program)


def _find_dot() -> str | None:
    return shutil.which("dot")


def _find_pure() -> str | None:
    scripts = sysconfig.get_path("scripts")
    return shutil.which("graphviz-pure", path=scripts) or shutil.which("graphviz-pure")


def _run(program: str, dot_source: str, format: str, time_limit: float) -> bytes:
    try:
        done = subprocess.run(
            [program, f"-T{format}"], input=dot_source.encode(), capture_output=True, timeout=time_limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise RenderError(f"{program} took more than {time_limit:g} seconds to draw; draw a smaller pipeline") from None
    except OSError as error:
        raise RenderError(f"{program} cannot be run ({error.strerror or error}); {WAY_OUT}") from error
    if done.returncode or not done.stdout:
        raise RenderError(f"{program} could not draw: {_complaint(done.stderr) or 'it gave no reason'}")
    return done.stdout


def _complaint(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line and "no value for width" not in line]
    return "; ".join(lines[:3])


def _render_in_process(dot_source: str, format: str) -> bytes:
    import pygraphviz

    try:
        picture = pygraphviz.AGraph(string=dot_source).draw(format=format, prog="dot")
    except (OSError, ValueError, pygraphviz.DotError) as error:
        raise RenderError(f"pygraphviz could not draw: {error}") from error
    return picture if isinstance(picture, bytes) else str(picture).encode()
