"""Exercises as a learner meets them: own numbers, feedback, hints; whatever the answer, no traceback."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import pipesim as ps
from pipesim.classroom import course
from pipesim.classroom.exercise import EMPTY, Case, Exercise, Kind, exercise
from pipesim.classroom.feedback import Feedback, Marks, Part
from pipesim.classroom.patience import patience
from pipesim.errors import SourceError


class Silent:
    """An answer that cannot even be written down."""

    def __repr__(self) -> str:
        raise RuntimeError


class Wordless(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def raising(*arguments: object, **named: object) -> None:
    raise Wordless


def leaving(*arguments: object, **named: object) -> None:
    raise SystemExit(3)


EVERY = [one.id for one in ps.classroom.exercises()]
STRANGE = [
    7,
    -1,
    3.5,
    float("nan"),
    True,
    "x",
    "<img onerror=alert(1)>",
    [1],
    {"a": 1},
    object(),
    lambda: 0,
    ("E1",),
    b"",
    int,
    Silent(),
    raising,
    leaving,
    "x" * 10**5,
    list(range(1000)),
]


@pytest.mark.parametrize("id", EVERY)
def test_an_empty_answer_fails_kindly(id: str) -> None:
    for empty in EMPTY:
        feedback = ps.classroom.check(id, empty)
        assert not feedback.passed and feedback.score == 0
        assert "nothing is answered yet" in str(feedback)
        assert "The answer should be" in feedback.hint


@pytest.mark.parametrize("id", EVERY)
@pytest.mark.parametrize("answer", STRANGE, ids=[type(one).__name__ for one in STRANGE])
def test_a_strange_answer_gets_a_sentence(id: str, answer: object) -> None:
    feedback = ps.classroom.check(id, answer)

    assert isinstance(feedback, Feedback)
    assert feedback.hint or feedback.passed
    assert "<img" not in feedback._repr_html_()
    assert len(str(feedback)) < 5000


@pytest.mark.parametrize("id", EVERY)
@pytest.mark.parametrize("answer", [object(), {"nothing": 1}, Silent()], ids=["object", "dictionary", "silent"])
def test_what_is_no_answer_at_all_earns_nothing(id: str, answer: object) -> None:
    assert ps.classroom.grade(id, answer) == 0


@pytest.mark.parametrize("id", EVERY)
def test_everybody_has_a_case_and_the_same_one_again(id: str) -> None:
    first = {name: repr(ps.classroom.case(id, of=name)) for name in ("", "ada", "bob", "cleo")}
    again = {name: repr(ps.classroom.case(id, of=name)) for name in ("", "ada", "bob", "cleo")}

    assert first == again


NAMES = ("", "ada", "bob", "cleo", "dan", "eve", "fay", "gus")
NUMERIC = [one.id for one in ps.classroom.exercises() if one.kind in (Kind.PREDICT, Kind.FIND, Kind.CHOOSE)]


@pytest.mark.parametrize("id", NUMERIC)
def test_neighbours_have_numbers_of_their_own(id: str) -> None:
    shown = [repr(sorted(ps.classroom.case(id, of=name).items())) for name in NAMES]
    cases = {re.sub(r" at 0x\w+", "", case) for case in shown}

    assert len(cases) > 1


@pytest.mark.parametrize("id", EVERY)
def test_an_exercise_says_what_it_wants(id: str) -> None:
    found = ps.classroom.find(id)

    assert found.points > 0 and found.parts and len(set(found.parts)) == len(found.parts)
    assert found.wants and not found.wants.endswith(".")
    assert 1 <= found.lesson <= 99
    assert found.judge.__doc__


def test_names_are_people_not_letters() -> None:
    ps.classroom.learner("  Ada ")

    assert ps.classroom.learner() == "ada"
    assert repr(ps.classroom.case("10-1")) == repr(ps.classroom.case("10-1", of="ADA"))


def test_the_hub_may_name_the_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "bob")

    assert ps.classroom.learner() == "bob"
    assert ps.classroom.learner("ada") == "ada"


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader runs Ada's submission."""
    place = tmp_path / "autograded" / "ada" / "01_what_a_pipeline_is"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")


def minutes(name: str) -> int:
    return sum(ps.classroom.case("01-1", of=name).minutes.values())


def test_in_grading_the_numbers_are_the_submitters_or_the_books(graded: None) -> None:
    assert len({minutes(name) for name in ("ada", "", "bob")}) == 3
    assert [ps.classroom.grade("01-1", minutes(name)) for name in ("ada", "", "bob")] == [2, 2, 0]
    assert [ps.classroom.check("01-1", minutes(name)).passed for name in ("ada", "", "bob")] == [True, True, False]


def test_in_grading_a_name_in_the_notebook_counts_alone(graded: None) -> None:
    ps.classroom.learner("Bob")

    assert [ps.classroom.grade("01-1", minutes(name)) for name in ("ada", "", "bob")] == [0, 0, 2]


def test_an_unknown_exercise_names_its_neighbours() -> None:
    with pytest.raises(SourceError, match=r"no exercise '10-9'.*10-1, 10-2"):
        ps.classroom.check("10-9", 1)


@pytest.fixture
def made() -> Exercise:
    """An exercise with two parts, outside the course."""

    def judge(answer: list[int], case: Case, marks: Marks) -> None:
        """Two numbers."""
        marks.part("first", answer[0] == case.first, yes="it is", no="it is not", hint="look", stronger="look again")
        marks.part("second", answer[1] == 2, hint="count")

    return Exercise(
        "99-1",
        "Two numbers",
        Kind.FIND,
        "two numbers",
        ("first", "second"),
        4.0,
        lambda luck: {"first": 1},
        "99-1",
        judge,
    )


@pytest.fixture
def taken(made: Exercise, monkeypatch: pytest.MonkeyPatch) -> Exercise:
    monkeypatch.setattr(course, "_all", lambda: {made.id: made})
    return made


def test_points_are_shared_by_the_parts(taken: Exercise) -> None:
    assert [ps.classroom.grade("99-1", answer) for answer in ([1, 2], [1, 0], [0, 0], [1], ..., "?")] == [
        4,
        2,
        0,
        2,
        0,
        0,
    ]


def test_the_second_hint_is_stronger_and_the_same_answer_again_is_no_new_try(taken: Exercise) -> None:
    hints = [ps.classroom.check("99-1", answer).hint for answer in (..., [0, 2], [0, 2], [5, 2])]

    assert hints == ["The answer should be two numbers.", "look", "look", "look again"]


def test_what_is_right_is_said_even_when_the_rest_cannot_be_read(taken: Exercise) -> None:
    feedback = ps.classroom.check("99-1", [1])

    assert feedback.parts[0] == Part("first", True, "it is", "look", "look again")
    assert "IndexError" in feedback.parts[1].says
    assert not feedback.passed


def test_what_never_ends_is_stopped(taken: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "patience", lambda: patience(computing=0.1))

    class Endless:
        def __getitem__(self, place: int) -> int:
            while place == 1:
                pass
            return 1

    feedback = ps.classroom.check("99-1", Endless())

    assert [part.right for part in feedback.parts] == [True, False]
    assert "did not come to an end" in feedback.parts[1].says


def test_a_function_with_the_same_code_is_no_new_try(taken: Exercise) -> None:
    def made(number: int) -> Callable[[], int]:
        return (lambda: 1) if number == 1 else (lambda: 2)

    attempts = [ps.classroom.check("99-1", made(number)).attempt for number in (1, 1, 2)]

    assert attempts == [1, 1, 2]


def test_text_is_never_markup(taken: Exercise) -> None:
    feedback = Feedback("1", "<b>", (Part("<script>", False, "<img onerror=1>", "<i>"),))

    shown = feedback._repr_html_()
    assert not any(tag in shown for tag in ("<script", "<img", "<i>"))
    assert "<script>" in str(feedback)


def test_a_judge_cannot_invent_parts() -> None:
    with pytest.raises(KeyError, match="no part 'third'"):
        Marks(("first",)).part("third", True)


def test_two_exercises_cannot_share_an_id() -> None:
    with pytest.raises(ValueError, match="two exercises are called 10-1"):
        exercise("10-1", "", kind=Kind.FIND, wants="", parts=("x",))(lambda answer, case, marks: None)
