"""A learner's copy of the course is never written over."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipesim.classroom import folder
from pipesim.classroom.folder import RECORD, copy_course
from pipesim.cli import commands
from pipesim.errors import MissingDependency, SourceError

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

    copied = copy_course(target)

    assert copied.new == () and copied.waiting == ("first.ipynb", "second.ipynb", "third.ipynb")
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


def test_a_copy_that_was_cut_off_is_completed_and_known_from_then_on(ship: Ship, tmp_path: Path) -> None:
    ship(first="one", second="two")
    target = tmp_path / "mine"
    target.mkdir()
    (target / "first.ipynb").write_text("one")

    assert copy_course(target).new == ("second.ipynb",)
    ship(first="one, better")
    assert copy_course(target, update=True).refreshed == ("first.ipynb",)


def test_a_full_disk_leaves_no_half_of_a_lesson(ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(first="one")
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        write(path, content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SourceError, match=r"mine: No space left on device\. Name a folder"):
        copy_course(tmp_path / "mine")
    monkeypatch.undo()

    assert read(tmp_path / "mine") == {}


def test_what_is_no_text_any_more_is_the_learners_too(ship: Ship, tmp_path: Path) -> None:
    ship(first="one")
    copy_course(tmp_path / "mine")
    (tmp_path / "mine" / "first.ipynb").write_bytes(b"\xff\xfe")
    ship(first="one, better")

    assert copy_course(tmp_path / "mine", update=True).beside == ("first.ipynb",)
    assert (tmp_path / "mine" / "first.ipynb").read_bytes() == b"\xff\xfe"


def test_the_command_tells_what_it_did(ship: Ship, tmp_path: Path) -> None:
    target = str(tmp_path / "with blanks")

    def lab(*words: str) -> str:
        return CliRunner().invoke(commands, ["lab", target, "--copy-only", *words], catch_exceptions=False).stderr

    ship(first="one", second="two")
    assert lab() == f"2 notebooks copied to {target}\n"
    assert lab() == f"{target} is complete: nothing copied\n"
    ship(first="one, better", second="two, better")
    (tmp_path / "with blanks" / "first.ipynb").write_text("my work")
    assert "new or newer lessons: 2 (the option --update brings them)" in lab()
    assert lab("--update").splitlines() == [
        "second.ipynb: replaced by the newer lesson, you had not changed it",
        "first.ipynb: you changed it, so it stays; the newer lesson lies beside it",
    ]


def test_without_jupyterlab_the_copy_is_made_and_the_way_out_named(
    ship: Ship, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(first="one")
    monkeypatch.setattr(import_module("pipesim.cli.lab"), "find_spec", lambda name: None)

    answer = CliRunner().invoke(commands, ["lab", str(tmp_path / "mine")])

    assert isinstance(answer.exception, MissingDependency) and "pip install jupyterlab" in str(answer.exception)
    assert read(tmp_path / "mine") == {"first.ipynb": "one"}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SourceError, match="cannot copy the notebooks to"):
        copy_course(tmp_path / "file" / "below")
