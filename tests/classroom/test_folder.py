"""A learner's copy of the course is never written over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipesim.classroom import folder
from pipesim.classroom.folder import RECORD, copy_course
from pipesim.errors import SourceError

Ship = Callable[..., None]


@pytest.fixture
def ship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ship:
    """What the installed version ships: ``ship(first="…", second="…")``."""
    shelf = tmp_path / "shelf"
    monkeypatch.setattr(folder, "shipped", lambda name: shelf)

    def put(**lessons: str) -> None:
        shelf.mkdir(exist_ok=True)
        for name, text in lessons.items():
            (shelf / f"{name}.ipynb").write_text(text)

    return put


def read(target: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(target.glob("*.ipynb"))}


def test_the_real_course_is_copied(tmp_path: Path) -> None:
    copied = copy_course(tmp_path / "course")

    assert copied.new == tuple(read(tmp_path / "course"))
    assert "10_many_changes.ipynb" in copied.new


def test_run_again_nothing_is_touched(ship: Ship, tmp_path: Path) -> None:
    ship(first="one", second="two")
    target = tmp_path / "mine"
    copy_course(target)
    (target / "first.ipynb").write_text("my work")
    ship(first="one, better", second="two, better", third="three")

    assert copy_course(target).new == ()
    assert read(target) == {"first.ipynb": "my work", "second.ipynb": "two"}


def test_update_brings_what_is_new_and_keeps_what_is_mine(ship: Ship, tmp_path: Path) -> None:
    ship(first="one", second="two", same="same")
    target = tmp_path / "mine"
    copy_course(target)
    (target / "first.ipynb").write_text("my work")
    (target / "same.ipynb").write_text("my work, too")
    ship(first="one, better", second="two, better", third="three")

    copied = copy_course(target, update=True)

    assert (copied.new, copied.refreshed, copied.beside) == (("third.ipynb",), ("second.ipynb",), ("first.ipynb",))
    assert read(target) == {
        "first.ipynb": "my work",
        "first.new.ipynb": "one, better",
        "same.ipynb": "my work, too",
        "second.ipynb": "two, better",
        "third.ipynb": "three",
    }
    assert copy_course(target, update=True).kept == ("first.ipynb", "same.ipynb", "second.ipynb", "third.ipynb")


def test_a_second_newer_version_does_not_overwrite_the_first(ship: Ship, tmp_path: Path) -> None:
    ship(first="one")
    target = tmp_path / "mine"
    copy_course(target)
    (target / "first.ipynb").write_text("my work")
    for version in ("two", "three"):
        ship(first=version)
        copy_course(target, update=True)

    assert read(target) == {"first.ipynb": "my work", "first.new.ipynb": "two", "first.new2.ipynb": "three"}


def test_a_lesson_that_was_thrown_away_comes_back(ship: Ship, tmp_path: Path) -> None:
    ship(first="one")
    copy_course(tmp_path / "mine")
    (tmp_path / "mine" / "first.ipynb").unlink()

    assert copy_course(tmp_path / "mine").new == ("first.ipynb",)


@pytest.mark.parametrize("spoilt", ["", "[]", "{broken", json.dumps({"first.ipynb": 7})])
def test_a_spoilt_record_costs_nobody_anything(ship: Ship, tmp_path: Path, spoilt: str) -> None:
    ship(first="one")
    target = tmp_path / "mine"
    copy_course(target)
    (target / "first.ipynb").write_text("my work")
    (target / RECORD).write_text(spoilt)

    copy_course(target)
    copy_course(target, update=True)

    assert read(target)["first.ipynb"] == "my work"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SourceError, match="cannot copy the notebooks to"):
        copy_course(tmp_path / "file" / "below")
