"""Every error that pipesim raises on purpose.

    PipesimError
    ├── SourceError (ValueError)        the input cannot be read at all: no file, not JSON, too large
    ├── DeclarationError (ValueError)   the declaration was read and breaks rules; `.problems` lists them
    ├── AssumptionError (ValueError)    a profile or an assumption makes no sense
    ├── TraceError (ValueError)         a stored trace cannot be read back
    ├── Refused                         a command that the service would refuse; `.code` is AWS's own
    └── MissingDependency (ImportError) a library that only this function needs is not installed

They stand on the lowest floor so that every other floor may raise them.
"""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipesim.definition.problems import Problem


FULL = "PIPESIM_TRACEBACK"
"""Set this environment variable to ``full`` to see whole tracebacks in notebooks."""


CELLS = (f"{tempfile.gettempdir()}{os.sep}ipykernel_", "<ipython-input")
"""How the file names of notebook cells begin."""


def in_short(error: BaseException) -> list[str]:
    """Return what IPython prints for an error: the lines of the reader's own code, and the message.

    Args:
        error: as it was raised.

    >>> in_short(ValueError("no such stage"))
    ['ValueError: no such stage']
    """
    if os.environ.get(FULL) == "full":
        return traceback.format_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"line {frame.lineno}: {frame.line}" for frame in frames if frame.filename.startswith(CELLS)]
    return [*lines, f"{type(error).__name__}: {error}"]


class PipesimError(Exception):
    """The base of every error that pipesim raises on purpose.

    In a notebook it shows the line of the reader's own code and the message, not what lies between in pipesim.

    >>> isinstance(Refused("StageNotFoundException", "no stage 'Deplyo'"), PipesimError)
    True
    """

    def _render_traceback_(self) -> list[str]:
        """Return what IPython prints for this error."""
        return in_short(self)


class SourceError(PipesimError, ValueError):
    """The input cannot be used: it is missing, unreadable, too large or no pipeline at all.

    >>> import pipesim as ps
    >>> try:
    ...     ps.load("GitHub -> CodeBild")
    ... except SourceError as error:
    ...     print("CodeBuild" in str(error))
    True
    """


class DeclarationError(PipesimError, ValueError):
    """The pipeline declaration breaks rules of the service.

    Attributes:
        problems: every problem found, in the order of the document.

    >>> import pipesim as ps
    >>> lonely = ps.load("S3 -> S3").to_document()
    >>> del lonely["stages"][1]
    >>> try:
    ...     ps.simulate(ps.load(lonely))
    ... except DeclarationError as error:
    ...     print(len(error.problems))
    1
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class AssumptionError(PipesimError, ValueError):
    """An assumption makes no sense: a negative duration, odds above one, an unknown action.

    >>> import pipesim as ps
    >>> try:
    ...     ps.Constant(-5)
    ... except AssumptionError as error:
    ...     print(isinstance(error, ValueError))
    True
    """


class TraceError(PipesimError, ValueError):
    """A stored trace cannot be read back.

    >>> import pipesim as ps
    >>> try:
    ...     ps.critical_path(ps.simulate(ps.load("S3 -> S3")), "E9")
    ... except TraceError as error:
    ...     print("E9" in str(error))
    True
    """


class Refused(PipesimError):
    """A command was refused, as the service would refuse it.

    Attributes:
        code: the service's error code, such as ``StageNotRetryableException``
            (the exceptions of botocore's CodePipeline model).
        message: the sentence that goes with it.

    >>> Refused("StageNotFoundException", "no stage 'Deplyo'").code
    'StageNotFoundException'
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str]]:
        return Refused, (self.code, self.message)


class MissingDependency(PipesimError, ImportError):
    """A library that only this function needs is not installed; the message says how to get it.

    >>> issubclass(MissingDependency, ImportError)
    True
    """
