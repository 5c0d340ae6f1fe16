"""What judges ask of answers again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipesim.classroom.feedback import Marks
from pipesim.definition.checking import check
from pipesim.definition.model import Pipeline
from pipesim.errors import DeclarationError
from pipesim.formats.load import load


def as_pipeline(answer: Any) -> Pipeline:
    """Return the pipeline that an answer is: a `Pipeline`, a declaration, or a sketch.

    Raises:
        DeclarationError: it breaks rules of the service, or is nothing of the three.
    """
    if isinstance(answer, Pipeline):
        return answer
    if isinstance(answer, Mapping | str):
        return load(answer)
    raise DeclarationError(f"{type(answer).__name__} is no pipeline: give a pipeline, a declaration or a sketch")


def sound(answer: Any, marks: Marks, part: str) -> Pipeline | None:
    """Return the pipeline if the service would accept it; else tell the learner its first problem.

    Args:
        answer: a pipeline, a declaration or a sketch.
        marks: where the finding goes.
        part: under which name.
    """
    pipeline = as_pipeline(answer)
    problems = check(pipeline)
    told = f"{problems[0]}" + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "") if problems else ""
    marks.part(
        part,
        not problems,
        yes="the service would accept it",
        no=f"the service refuses it: {told}",
        hint="ps.check(pipeline) lists every problem with its place.",
        stronger="Mend the first problem of ps.check(pipeline), then look again: others may have followed from it.",
    )
    return None if problems else pipeline


def number(answer: Any) -> float:
    """Return the number that an answer is, also one written as text or with a unit of a table.

    Raises:
        TypeError, ValueError: it is no number.

    >>> number("12.5")
    12.5
    """
    if isinstance(answer, bool):
        raise TypeError("a yes or no is no number")
    return float(answer)


def close(answer: Any, truth: float, *, within: float) -> bool:
    """Whether a number lies within a distance of the truth.

    Args:
        answer: a number.
        truth: the same in the same unit.
        within: the distance that is let pass, in that unit.

    >>> close(10.4, 10, within=0.5), close(11, 10, within=0.5)
    (True, False)
    """
    return abs(number(answer) - truth) <= within


def same_ids(answer: Any, truth: Any) -> bool:
    """Whether an answer names the same executions, in any order; one id may stand alone.

    >>> same_ids("e1", ["E1"]), same_ids(["E2", "E1"], ("E1", "E2"))
    (True, True)
    """
    named = [answer] if isinstance(answer, str) else list(answer)
    return sorted(str(one).strip().upper() for one in named) == sorted(truth)
