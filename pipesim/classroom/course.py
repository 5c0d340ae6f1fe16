"""The course from a learner's side: look an exercise up, get one's own case, have an answer checked."""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import CodeType
from typing import Any

from pipesim.classroom import lessons
from pipesim.classroom.exercise import REGISTER, Case, Exercise, is_empty
from pipesim.classroom.feedback import Feedback, Marks
from pipesim.classroom.learners import in_question, learner, luck
from pipesim.classroom.patience import TooLong, patience
from pipesim.errors import PipesimError, SourceError

_tries: dict[tuple[str, str], list[str]] = {}


def exercises() -> tuple[Exercise, ...]:
    """Return every exercise of the course, in order."""
    return tuple(_all().values())


def find(id: str) -> Exercise:
    """Return one exercise.

    Args:
        id: lesson and place, such as ``10-1``.

    Raises:
        SourceError: there is none of this id; the message names those of the same lesson.
    """
    known = _all()
    if id in known:
        return known[id]
    lesson = str(id).partition("-")[0].zfill(2)
    near = [other for other in known if other.startswith(lesson + "-")]
    raise SourceError(f"there is no exercise {id!r} (there are {', '.join(near or known)})")


def case(id: str, *, of: str | None = None) -> Case:
    """Return what an exercise gives to the learner: the same each time, and different for each learner.

    Args:
        id: such as ``10-1``.
        of: the learner's name; None: the learner in force.

    Raises:
        SourceError: there is no such exercise.
    """
    wanted = find(id)
    return Case(id, wanted.make(luck(wanted.luck, of)))


def check(id: str, answer: Any = ...) -> Feedback:
    """Check an answer and say what is right, what is not yet, and where to look.

    The first wrong answer gets a hint, the next different one a stronger hint.

    Args:
        id: such as ``10-1``.
        answer: of the shape that the exercise asks for.

    Raises:
        SourceError: there is no such exercise.
    """
    wanted = find(id)
    tries = _tries.setdefault((learner(), id), [])
    shown = _looks(answer)
    if not is_empty(answer) and shown not in tries:
        tries.append(shown)
    return _best(wanted, answer, in_question(), attempt=len(tries))


def grade(id: str, answer: Any = ..., *, of: str | None = None) -> float:
    """Return the points that an answer earns, and nothing that would help to find it.

    Args:
        id: such as ``10-1``.
        answer: of the shape that the exercise asks for.
        of: the learner's name; None: the learner in force.

    Raises:
        SourceError: there is no such exercise.
    """
    return _best(find(id), answer, in_question() if of is None else (of,)).score


def _best(exercise: Exercise, answer: Any, names: Iterable[str], attempt: int = 1) -> Feedback:
    """The feedback for the person whose numbers the answer fits best."""
    found: Feedback | None = None
    for name in names:
        feedback = judged(exercise, answer, attempt=attempt, of=name)
        if found is None or feedback.score > found.score:
            found = feedback
        if found.passed:
            break
    assert found is not None
    return found


def judged(exercise: Exercise, answer: Any, *, attempt: int = 1, of: str | None = None) -> Feedback:
    """Judge an answer; whatever it is, the learner gets a sentence and no traceback.

    Args:
        exercise: what was asked.
        answer: anything.
        attempt: which different answer this is.
        of: the learner's name; None: the learner in force.
    """
    marks = Marks(exercise.parts)
    if is_empty(answer):
        parts = marks.unreadable("nothing is answered yet", exercise.wants)
    else:
        given = case(exercise.id, of=of)
        try:
            with patience():
                exercise.judge(answer, given, marks)
            parts = marks.parts()
        except PipesimError as error:
            parts = _after_an_error(marks, f"pipesim says: {error}", exercise)
        except TooLong:
            parts = _after_an_error(marks, "it was stopped, because it did not come to an end", exercise)
        except (Exception, SystemExit) as error:
            what = f"nothing can be made of {_kind_of(answer)} ({type(error).__name__}: {_words(error)})"
            parts = _after_an_error(marks, what, exercise)
    return Feedback(exercise.id, exercise.title, parts, attempt, exercise.points)


def _after_an_error(marks: Marks, why: str, exercise: Exercise) -> Any:
    """What was found before the error stays; the error is told at the first part without a finding."""
    for name in marks.names:
        if name not in marks.found:
            marks.part(name, False, no=why, hint=f"The answer should be {exercise.wants}.")
            break
    return marks.parts()


def _looks(answer: Any) -> str:
    """What tells a new answer from one that was tried before; a function is known by its code."""
    code = getattr(answer, "__code__", None)
    if isinstance(code, CodeType):
        return marshal.dumps(code).hex()
    try:
        return repr(answer)
    except Exception:
        return object.__repr__(answer)


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "it has no words for it"


def _kind_of(answer: Any) -> str:
    name = type(answer).__name__
    return f"an answer of type {name}"


@cache
def _all() -> Mapping[str, Exercise]:
    for module in iter_modules(lessons.__path__):
        import_module(f"{lessons.__name__}.{module.name}")
    return dict(sorted(REGISTER.items(), key=lambda item: [int(piece) for piece in item[0].split("-")]))
