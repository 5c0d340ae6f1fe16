"""What a folder of learners' notebooks says about who got how far.

Nothing is executed: the feedback that the learners saw, saved in their notebooks, is read.

Two layouts are understood: nbgrader's ``STUDENT/ASSIGNMENT/NOTEBOOK.ipynb``, and a folder for each learner
with notebooks in it; a notebook that lies in the folder itself is called after its file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipesim.classroom.course import exercises, find
from pipesim.classroom.feedback import MIME
from pipesim.errors import SourceError

LARGEST = 50 * 2**20
"""Bytes of a notebook that are still read: 50 MiB."""

MOST = 999
"""Attempts that are counted."""

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What a notebook can do to its reader: none of it stops the others from being read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one learner got in one exercise.

    Attributes:
        learner: the name of the folder.
        exercise: the id.
        score: points earned with the best check that is saved.
        points: what the exercise is worth.
        attempt: which different answer it was; 0: nothing was answered, or never checked.
        missing: the parts that were not right.
    """

    learner: str
    exercise: str
    score: float = 0.0
    points: float = 0.0
    attempt: int = 0
    missing: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was right."""
        return self.attempt > 0 and not self.missing

    @property
    def stuck(self) -> bool:
        """Whether at least two answers were tried, and it is not right."""
        return self.attempt > 1 and bool(self.missing)


@dataclass(frozen=True, slots=True)
class Class:
    """A class as its submissions show it.

    Attributes:
        standings: one for each learner and exercise of a lesson that anybody handed in.
        unreadable: notebooks that could not be read, with the reason.
    """

    standings: tuple[Standing, ...]
    unreadable: Mapping[str, str]

    @property
    def learners(self) -> tuple[str, ...]:
        """Every name, in alphabetical order."""
        return tuple(sorted({one.learner for one in self.standings}, key=lambda name: (name.casefold(), name)))

    @property
    def exercises(self) -> tuple[str, ...]:
        """Every exercise, in the order of the course."""
        return tuple(dict.fromkeys(one.exercise for one in self.standings))


def read_class(folder: Path) -> Class:
    """Read a folder of submissions.

    Args:
        folder: of either layout.

    Raises:
        SourceError: there is no such folder, or no notebook in it.
    """
    if not folder.is_dir():
        raise SourceError(f"there is no folder {folder}")
    notebooks = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    if not notebooks:
        raise SourceError(f"no notebook in {folder}: expected {folder}/LEARNER/NOTEBOOK.ipynb")
    unreadable: dict[str, str] = {}
    best: dict[tuple[str, str], Standing] = {}
    handed_in: dict[str, set[str]] = {
        path.name: set() for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    }
    for path in notebooks:
        inside = path.relative_to(folder)
        name = inside.parts[0] if len(inside.parts) > 1 else path.stem
        handed_in.setdefault(name, set())
        try:
            cells = _cells(path)
            handed_in[name] |= _asked(cells)
            found = [_standing(name, said) for said in _feedback(cells)]
        except UNREADABLE as error:
            unreadable[str(inside)] = f"{type(error).__name__}: {error}"[:200]
            continue
        for standing in found:
            key = (name, standing.exercise)
            best[key] = max(best.get(key, standing), standing, key=lambda one: (one.score, one.attempt))
    lessons = {id.partition("-")[0] for ids in handed_in.values() for id in ids}
    standings = [
        best.get((name, one.id), Standing(name, one.id, points=one.points))
        for one in exercises()
        if one.id.partition("-")[0] in lessons
        for name in sorted(handed_in)
    ]
    return Class(tuple(standings), unreadable)


def _cells(path: Path) -> list[Any]:
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.stat().st_size / 2**20:.0f} MiB are too many (at most {LARGEST / 2**20:.0f} MiB)")
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def _asked(cells: list[Any]) -> set[str]:
    """The exercises that a notebook has cells for."""
    tags = (str(tag) for cell in cells for tag in cell.get("metadata", {}).get("tags", []))
    return {tag.partition(":")[2] for tag in tags if tag.startswith("check:")}


def _feedback(cells: list[Any]) -> Iterator[Mapping[str, Any]]:
    """What is saved of exercises that the course has."""
    known = {one.id for one in exercises()}
    for cell in cells:
        for output in cell.get("outputs", []):
            said = output.get("data", {}).get(MIME)
            if isinstance(said, Mapping) and said["exercise"] in known:
                yield said


def _standing(name: str, said: Mapping[str, Any]) -> Standing:
    """How far that is, by the parts and the points that the course itself knows."""
    asked = find(str(said["exercise"]))
    right = {str(part["name"]) for part in said["parts"] if part["right"] is True}
    missing = tuple(part for part in asked.parts if part not in right)
    score = asked.points * (len(asked.parts) - len(missing)) / len(asked.parts)
    return Standing(name, asked.id, round(score, 2), asked.points, min(int(said["attempt"]), MOST), missing)
