"""Who is stuck where, read from what learners handed in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pipesim as ps
from pipesim.classroom import submissions
from pipesim.classroom.feedback import MIME
from pipesim.classroom.report import write_report
from pipesim.classroom.submissions import read_class
from pipesim.errors import SourceError


def hand_in(folder: Path, name: str, *answers: tuple[str, Any]) -> None:
    """A notebook of lesson 10 in which some answers were checked, one after the other."""
    ps.classroom.learner(name)
    said = {id: ps.classroom.check(id, answer).to_dict() for id, answer in answers}
    cells = [
        {
            "cell_type": "code",
            "source": f'ps.classroom.check("{id}", answer)',
            "metadata": {"tags": [f"check:{id}"]},
            "outputs": [{"output_type": "execute_result", "data": {MIME: said[id]}}] if id in said else [],
        }
        for id in ("10-1", "10-2", "10-3", "10-4")
    ]
    place = folder / name / "10_many_changes" / "10_many_changes.ipynb"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"cells": cells}), encoding="utf-8")


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    folder = tmp_path / "submitted"
    hand_in(folder, "ada", ("10-2", "GitHub -> S3"), ("10-2", "GitHub -> CodeBuild -> S3"), ("10-3", 0))
    hand_in(folder, "bob")
    queue = ps.edit.execution_mode("QUEUED")(ps.edit.Scenario(ps.classroom.case("10-2", of="cleo").pipeline)).pipeline
    hand_in(folder, "cleo", ("10-2", queue))
    return folder


def test_who_passed_who_is_stuck_and_who_has_not_begun(handed_in: Path) -> None:
    found = read_class(handed_in)
    by = {(one.learner, one.exercise): one for one in found.standings}

    assert found.learners == ("ada", "bob", "cleo")
    assert found.exercises == ("10-1", "10-2", "10-3", "10-4")
    assert by["ada", "10-2"].stuck and by["ada", "10-2"].attempt == 2
    assert by["ada", "10-3"].score == 1 and not by["ada", "10-3"].stuck
    assert by["bob", "10-2"].attempt == 0 and not by["bob", "10-2"].passed
    assert by["cleo", "10-2"].passed


def test_the_page_names_them_and_nothing_in_it_is_markup(handed_in: Path, tmp_path: Path) -> None:
    hand_in(handed_in, "<img onerror=alert(1)>", ("10-1", ("E9", "E9")), ("10-1", ("E8", "E9")))

    write_report(handed_in, tmp_path / "class.html")
    page = (tmp_path / "class.html").read_text(encoding="utf-8")

    assert "A queue instead" in page and "ada" in page
    assert "<img" not in page and "&lt;img" in page
    assert "http" not in page
    assert page.index("Who is stuck where") < page.index("Everybody")


SAID = {"exercise": "10-1", "score": 1, "points": 2, "attempt": 1, "parts": []}
BROKEN = {
    "cut off": "{",
    "a list": "[]",
    "odd": '{"cells": [{"outputs": [{"data": 5}]}]}',
    "nothing in it": '{"cells": [null]}',
    "deep": "[" * 100_000,
    "no number": json.dumps({"cells": [{"outputs": [{"data": {MIME: SAID | {"attempt": None}}}]}]}),
    "endless number": json.dumps({"cells": [{"outputs": [{"data": {MIME: SAID | {"attempt": float("inf")}}}]}]}),
    "no parts": json.dumps({"cells": [{"outputs": [{"data": {MIME: SAID | {"parts": [{}]}}}]}]}),
}


def test_a_broken_notebook_is_told_and_the_others_are_read(handed_in: Path, tmp_path: Path) -> None:
    for name, text in BROKEN.items():
        (handed_in / f"{name}.ipynb").write_text(text)
    (handed_in / "bytes.ipynb").write_bytes(b"\xff")
    (handed_in / "a folder.ipynb").mkdir()
    (handed_in / "gone.ipynb").symlink_to("/nowhere")

    found = write_report(handed_in, tmp_path / "class.html")

    assert set(found.unreadable) == {f"{name}.ipynb" for name in (*BROKEN, "bytes", "a folder", "gone")}
    assert "ada" in found.learners


def test_what_is_too_large_is_told_and_much_output_is_read(handed_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = handed_in / "ada" / "10_many_changes" / "10_many_changes.ipynb"
    document = json.loads(place.read_text())
    document["cells"].append({"outputs": [{"output_type": "stream", "text": "x" * 2**20}]})
    place.write_text(json.dumps(document))
    assert read_class(handed_in).unreadable == {}

    monkeypatch.setattr(submissions, "LARGEST", 2**20)
    assert "1 MiB are too many" in read_class(handed_in).unreadable["ada/10_many_changes/10_many_changes.ipynb"]


def test_nothing_can_be_won_by_editing_what_is_saved(tmp_path: Path) -> None:
    said = [SAID | {"score": 1e308}, SAID | {"exercise": "<img src=x>"}]
    cell = {"metadata": {"tags": ["check:10-1"]}, "outputs": [{"data": {MIME: one}} for one in said]}
    (tmp_path / "mallory.ipynb").write_text(json.dumps({"cells": [cell]}))

    mine = read_class(tmp_path).standings

    assert {one.exercise for one in mine} == {"10-1", "10-2", "10-3", "10-4"}
    assert sum(one.score for one in mine) == 0 and not any(one.passed for one in mine)


def test_who_handed_in_nothing_stands_there_and_a_blank_notebook_is_not_begun(handed_in: Path) -> None:
    (handed_in / "eve").mkdir()
    hand_in(handed_in, "Zed", ("10-1", ...))

    found = read_class(handed_in)

    assert found.learners == ("ada", "bob", "cleo", "eve", "Zed")
    assert not any(one.attempt for one in found.standings if one.learner in ("eve", "Zed"))


def test_of_two_copies_the_better_one_counts(handed_in: Path) -> None:
    place = handed_in / "cleo" / "10_many_changes" / "10_many_changes.ipynb"
    older = json.loads(place.read_text())
    ps.classroom.learner("cleo")
    older["cells"][1]["outputs"] = [{"data": {MIME: ps.classroom.check("10-2", "GitHub -> S3").to_dict()}}]
    place.with_name("99_copy.ipynb").write_text(json.dumps(older))

    assert next(
        one for one in read_class(handed_in).standings if (one.learner, one.exercise) == ("cleo", "10-2")
    ).passed


def test_checkpoints_are_not_submissions(handed_in: Path) -> None:
    place = handed_in / "ada" / ".ipynb_checkpoints"
    place.mkdir()
    (place / "x.ipynb").write_text("{")

    assert not read_class(handed_in).unreadable


def test_no_folder_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no folder"):
        read_class(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="no notebook in"):
        read_class(tmp_path)
