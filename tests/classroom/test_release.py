"""nbgrader with the course: solutions earn everything, blanks nothing, wrong submissions their part."""

from __future__ import annotations

import csv
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import pipesim as ps
from pipesim.classroom import release as room
from pipesim.classroom.release import assignment, chosen, nbgrader, release
from pipesim.errors import SourceError

LEFT_OPEN = ""
WRONG: dict[str, tuple[str, dict[str, str], float]] = {
    "open": ("02_stages_and_actions", {"02-3": LEFT_OPEN}, 2),
    "near": ("10_many_changes", {"10-1": 'answer_1 = ("E1", "E1")', "10-3": "answer_3 = 0"}, 2 + 1),
    "strange": (
        "10_many_changes",
        {"10-1": "answer_1 = object()", "10-2": "answer_2 = 'no pipeline'", "10-4": "answer_4 = 7"},
        2 + 4 + 3,
    ),
    "broken": ("09_manual_approval", {"09-2": "answer_2 = 1 / 0", "09-4": "my_answer = ('own_stage', 2)"}, 4 + 2),
}
"""Wrong submissions by learner: the lesson, what stands in place of right answers, and the points that it costs.

An answer left open, answers that are nearly right, answers of a wrong kind, a cell that raises and a variable of
another name.
"""


def cells(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def points(lesson: int) -> float:
    return sum(one.points for one in ps.classroom.exercises() if one.lesson == lesson)


def test_every_lesson_is_an_assignment(tmp_path: Path) -> None:
    made = release(tmp_path, generate=False)

    assert [path.stem for path in made] == [path.stem for path in chosen()]
    for path in made:
        marks = [cell["metadata"]["nbgrader"] for cell in cells(path) if "nbgrader" in cell["metadata"]]
        tests = {mark["grade_id"]: mark["points"] for mark in marks if mark["grade"]}
        lesson = int(path.stem[:2])
        assert tests == {f"test-{one.id}": one.points for one in ps.classroom.exercises() if one.lesson == lesson}
        assert len({mark["grade_id"] for mark in marks}) == len(marks)


def test_a_lesson_is_found_by_number_and_by_name() -> None:
    assert [path.stem for path in chosen(["10"])] == [path.stem for path in chosen(["10_many_changes"])]
    with pytest.raises(SourceError, match="there is no lesson '99'"):
        chosen(["99"])


def test_a_check_cell_that_checks_nothing_is_found() -> None:
    cell = {"cell_type": "code", "id": "0", "metadata": {"tags": ["check:10-1"]}, "source": "print()"}

    with pytest.raises(SourceError, match="does not call"):
        assignment(json.dumps({"cells": [cell]}))


def test_without_nbgrader_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(ps.MissingDependency, match=r"pip install 'pipesim\[classroom\]'"):
        release(tmp_path)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("nbgrader")
    target = tmp_path_factory.mktemp("course")
    release(target)
    return target


@pytest.fixture(scope="module")
def grades(course: Path) -> dict[tuple[str, str], dict[str, str]]:
    """The exported grades, by learner and lesson, after everybody handed in."""
    for path in chosen():
        hand_in(course, "solver", course / "source" / path.stem / path.name)
        hand_in(course, "blank", course / "release" / path.stem / path.name)
    for name, (lesson, instead, _) in WRONG.items():
        path = hand_in(course, name, course / "source" / lesson / f"{lesson}.ipynb")
        spoil(path, instead, left_open=course / "release" / lesson / path.name)
    with ThreadPoolExecutor() as both:
        list(both.map(lambda whose: autograde(course, whose), (SOLVER, OTHERS)))
    nbgrader(course, "export", "--to", "grades.csv")
    with (course / "grades.csv").open(encoding="utf-8") as file:
        return {(row["student_id"], row["assignment"]): row for row in csv.DictReader(file)}


SOLVER = "--student=solver"
OTHERS = "--CourseDirectory.student_id_exclude=solver"


def autograde(course: Path, whose: str) -> None:
    """Grade every lesson of some learners in one process; two such processes keep two cores busy."""
    patient = f"--CourseDirectory.db_url=sqlite:///{course / 'gradebook.db'}?timeout=120"
    nbgrader(course, "autograde", "--assignment=*", "--create", whose, patient)


def hand_in(course: Path, name: str, notebook: Path) -> Path:
    place = course / "submitted" / name / notebook.stem / notebook.name
    place.parent.mkdir(parents=True)
    return Path(shutil.copyfile(notebook, place))


def spoil(path: Path, instead: dict[str, str], *, left_open: Path) -> None:
    """Put other answers in place of the right ones."""
    opened = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell["source"] for cell in cells(left_open)}
    document = json.loads(path.read_text(encoding="utf-8"))
    by_id = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in document["cells"]}
    for exercise, text in instead.items():
        by_id[f"exercise-{exercise}"]["source"] = text or opened[f"exercise-{exercise}"]
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.nbgrader
@pytest.mark.slow
def test_nothing_of_a_solution_is_released(course: Path) -> None:
    for path in chosen():
        text = (course / "release" / path.stem / path.name).read_text(encoding="utf-8")
        assert "BEGIN SOLUTION" not in text and "HIDDEN TESTS" not in text and "classroom.grade" not in text
        assert "# Write your code here." in text and "answer_1 = ..." in text


@pytest.mark.nbgrader
@pytest.mark.slow
def test_solutions_earn_all_and_blanks_nothing(grades: dict[tuple[str, str], dict[str, str]]) -> None:
    for path in chosen():
        whole = points(int(path.stem[:2]))
        solved, blank = grades["solver", path.stem], grades["blank", path.stem]
        assert float(solved["raw_score"]) == float(solved["max_score"]) == whole, path.stem
        assert float(blank["raw_score"]) == 0, path.stem


@pytest.mark.nbgrader
@pytest.mark.slow
def test_wrong_submissions_earn_their_part(grades: dict[tuple[str, str], dict[str, str]]) -> None:
    scores = {name: float(grades[name, lesson]["raw_score"]) for name, (lesson, _, _) in WRONG.items()}

    assert scores == {name: points(int(lesson[:2])) - lost for name, (lesson, _, lost) in WRONG.items()}


@pytest.mark.nbgrader
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("open", ["nothing is answered yet", "The answer should be"]),
        ("near", ["who waits", "not yet"]),
        ("strange", ["no pipeline"]),
        ("broken", ["ZeroDivisionError", "NameError"]),
    ],
)
def test_feedback_can_be_read(
    course: Path, grades: dict[tuple[str, str], dict[str, str]], name: str, told: list[str]
) -> None:
    lesson = WRONG[name][0]
    nbgrader(course, "generate_feedback", lesson, f"--student={name}")

    page = (course / "feedback" / name / lesson / f"{lesson}.html").read_text(encoding="utf-8")
    assert all(word in page for word in told)
    assert "Score: " in page
