"""A learner's copy of the course: made once, brought up to date on request, never written over.

A small file in the folder remembers how each lesson looked when it was copied. A lesson that still looks so was not
touched by the learner and may be replaced by a newer one; any other stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipesim.errors import SourceError
from pipesim.files import shipped

RECORD = ".pipesim-course.json"
NEW = "{stem}.new.ipynb"


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of each lesson, by file name.

    Attributes:
        new: copied for the first time.
        refreshed: replaced by a newer one; the learner had not touched them.
        beside: changed by the learner and newer here: the new one was put beside, under another name.
        waiting: new or newer here, and left alone because no update was asked for.
        kept: left as they were.
    """

    new: tuple[str, ...] = ()
    refreshed: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def copy_course(target: Path, *, update: bool = False) -> Copied:
    """Copy the lessons to a folder and say what became of each.

    Args:
        target: the folder; it is made when it is not there.
        update: also bring lessons that are new, and newer versions of those that the learner has not touched.

    Raises:
        SourceError: the folder cannot be read or written.
    """
    lessons = {path.name: path.read_bytes() for path in sorted(shipped("notebooks").glob("*.ipynb"))}
    try:
        target.mkdir(parents=True, exist_ok=True)
        return _write(target, lessons, _record(target), update=update)
    except OSError as error:
        why = f"cannot copy the notebooks to {target}: {error.strerror or error}"
        raise SourceError(f"{why}. Name a folder that you may write to.") from None


def _write(target: Path, lessons: Mapping[str, bytes], record: Mapping[str, str], *, update: bool) -> Copied:
    outcome: dict[str, list[str]] = {"new": [], "refreshed": [], "beside": [], "waiting": [], "kept": []}
    known = dict(record)
    for name, lesson in lessons.items():
        what, place = _decide(target, name, lesson, record, update=update)
        if place is not None:
            _put(place, lesson)
        if place is not None or _is(target / name, lesson):
            known[name] = _digest(lesson)
        outcome[what].append(name)
    if known != dict(record):
        _put(target / RECORD, f"{json.dumps(known, indent=1)}\n".encode())
    return Copied(**{what: tuple(names) for what, names in outcome.items()})


def _decide(
    target: Path, name: str, lesson: bytes, record: Mapping[str, str], *, update: bool
) -> tuple[str, Path | None]:
    """What happens to one lesson, and where it is written; None: nowhere."""
    place = target / name
    if not place.exists():
        begun_again = name in record
        return ("new", place) if update or begun_again or not record else ("waiting", None)
    if record.get(name) == _digest(lesson) or _is(place, lesson):
        return "kept", None
    if not update:
        return "waiting", None
    if _digest(place.read_bytes()) == record.get(name):
        return "refreshed", place
    return "beside", _free(target, Path(name).stem)


def _put(place: Path, content: bytes) -> None:
    """Write a file whole or not at all: whoever pulls the plug finds no half of a lesson."""
    half = place.with_name(f"{place.name}.part")
    half.write_bytes(content)
    half.replace(place)


def _is(place: Path, lesson: bytes) -> bool:
    return place.is_file() and place.read_bytes() == lesson


def _free(target: Path, stem: str) -> Path:
    """A name beside a lesson that nothing has yet."""
    place = target / NEW.format(stem=stem)
    number = 2
    while place.exists():
        place = target / f"{stem}.new{number}.ipynb"
        number += 1
    return place


def _record(target: Path) -> Mapping[str, str]:
    """How the lessons looked when they were copied; empty: nothing was copied here yet."""
    try:
        found = json.loads((target / RECORD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in found.items()} if isinstance(found, dict) else {}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
