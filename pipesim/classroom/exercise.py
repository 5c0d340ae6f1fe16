"""An exercise: what it gives, what it wants, and how an answer is judged.

A lesson's exercises stand in one module, ``pipesim/classroom/lessons/l10.py``, each one function under the decorator
`exercise`. It judges by behaviour: the learner's pipeline is simulated and its trace examined, a number is compared
with what a simulation of the learner's own case yields. No answer is written into the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from pipesim.classroom.feedback import Marks

EMPTY: tuple[Any, ...] = (None, ..., "", (), [], {}, set(), frozenset())


class Kind(StrEnum):
    """What a learner does in an exercise."""

    PREDICT = "predict"
    REPAIR = "repair"
    BUILD = "build to a specification"
    FIND = "find the bottleneck"
    WRITE = "write a pattern, a policy or a worker"
    CHOOSE = "choose with evidence"
    CAPSTONE = "capstone"


class Case(Mapping[str, Any]):
    """What an exercise gives to one learner; its members are attributes, too.

    Args:
        exercise: the id.
        members: whatever the exercise is about: a pipeline, a profile, a trace, numbers.

    >>> case = Case("10-1", {"minute": 50})
    >>> case.minute, case["minute"]
    (50, 50)
    """

    def __init__(self, exercise: str, members: Mapping[str, Any]) -> None:
        self.exercise = exercise
        self._members = dict(members)

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._members:
            raise AttributeError(f"exercise {self.exercise} gives no {name!r} (it gives {', '.join(self._members)})")
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._members})

    def __repr__(self) -> str:
        lines = [f"  {name}: {_short(value)}" for name, value in self._members.items()]
        return "\n".join([f"Exercise {self.exercise} gives:", *lines])


Make = Callable[[Random], Mapping[str, Any]]
Judge = Callable[[Any, Case, Marks], None]


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise of the course.

    Attributes:
        id: lesson and place, such as ``10-1``.
        title: what it asks, in a few words.
        kind: what the learner does.
        wants: the shape of an answer, as it ends the sentence "The answer should be …".
        parts: what is looked at, each worth the same.
        points: what it is worth.
        make: makes the case from a learner's luck.
        luck: the id that the luck hangs on: exercises that share it (and `make`) share their case.
        judge: looks at an answer.
    """

    id: str
    title: str
    kind: Kind
    wants: str
    parts: tuple[str, ...]
    points: float
    make: Make
    luck: str
    judge: Judge

    @property
    def lesson(self) -> int:
        """The number of its lesson."""
        return int(self.id.partition("-")[0])


REGISTER: dict[str, Exercise] = {}


def exercise(
    id: str,
    title: str,
    *,
    kind: Kind,
    wants: str,
    parts: tuple[str, ...],
    case: Make | None = None,
    luck_of: str = "",
    points: float | None = None,
) -> Callable[[Judge], Judge]:
    """Enter a judge into the course.

    Args:
        id: lesson and place, such as ``10-1``.
        title: what it asks, in a few words.
        kind: what the learner does.
        wants: the shape of an answer: "the id of an execution, such as 'E1'".
        parts: what is looked at, in order.
        case: makes what the exercise gives, from a learner's luck; None: it gives nothing.
        luck_of: the exercise whose luck it shares, so that both have the same numbers; "": its own.
        points: what it is worth; None: one for each part.

    Raises:
        ValueError: the id is taken.
    """

    def enter(judge: Judge) -> Judge:
        if id in REGISTER:
            raise ValueError(f"two exercises are called {id}")
        worth = float(len(parts) if points is None else points)
        REGISTER[id] = Exercise(id, title, kind, wants, parts, worth, case or (lambda luck: {}), luck_of or id, judge)
        return judge

    return enter


def is_empty(answer: Any) -> bool:
    """Whether nothing was answered yet.

    >>> is_empty(...), is_empty("  "), is_empty(0)
    (True, True, False)
    """
    if isinstance(answer, str) and not answer.strip():
        return True
    return any(answer is empty or (type(answer) is type(empty) and answer == empty) for empty in EMPTY)


def _short(value: Any) -> str:
    text = repr(value).splitlines()
    return text[0][:100] + (" …" if len(text) > 1 or len(text[0]) > 100 else "") if text else ""
