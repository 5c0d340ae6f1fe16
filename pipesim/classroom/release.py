"""The course as nbgrader wants it: one source assignment a lesson, with hidden tests.

nbgrader keeps what a cell is for in its metadata. A cell that answers an exercise becomes a solution cell, so that the
released notebook has the open variable in its place; after the cell that checks it comes a hidden test whose value is
the points that the answer earned.

Source: nbgrader's documentation, "Creating and grading assignments", "Partial credit for autograded cells".
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipesim.classroom.course import find
from pipesim.errors import MissingDependency, SourceError
from pipesim.files import shipped

CONFIG = """c = get_config()

c.CourseDirectory.course_id = "pipesim"
c.ClearSolutions.code_stub = {"python": "# Write your code here."}
c.ExecutePreprocessor.timeout = 300
"""
SCHEMA = 3


def release(target: Path, lessons: Iterable[str] = (), *, generate: bool = True) -> tuple[Path, ...]:
    """Lay a course out for nbgrader: ``source/`` with hidden tests and, without solutions, ``release/``.

    Args:
        target: the course's folder; what nbgrader keeps there (its gradebook, submissions) stays.
        lessons: numbers such as ``10``, or names; empty: every lesson.
        generate: whether nbgrader makes ``release/``, too.

    Returns:
        The source assignments' notebooks.

    Raises:
        MissingDependency: nbgrader is not installed.
        SourceError: there is no such lesson, or the folder cannot be written.
    """
    if generate:
        _require_nbgrader()
    made = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        config = target / "nbgrader_config.py"
        if not config.exists():
            config.write_text(CONFIG, encoding="utf-8")
        for path in chosen(lessons):
            place = target / "source" / path.stem / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(assignment(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
            made.append(place)
    except OSError as error:
        raise SourceError(f"cannot write the course to {target}: {error.strerror or error}") from None
    if generate:
        _generate(target, [place.stem for place in made])
    return tuple(made)


def chosen(lessons: Iterable[str] = ()) -> list[Path]:
    """Return the solution notebooks of some lessons, or of all.

    Args:
        lessons: numbers such as ``10`` or ``1``, or names such as ``10_many_changes``.

    Raises:
        SourceError: there is no such lesson.
    """
    every = sorted((shipped("notebooks") / "solutions").glob("*.ipynb"))
    wanted = list(lessons)
    if not wanted:
        return every
    found = []
    for lesson in wanted:
        matching = [path for path in every if path.stem == lesson or path.stem.partition("_")[0] == lesson.zfill(2)]
        if not matching:
            raise SourceError(f"there is no lesson {lesson!r} (there are {', '.join(path.stem for path in every)})")
        found += matching
    return found


def assignment(notebook: str) -> str:
    """Return a lesson with its solutions as a source assignment of nbgrader.

    Args:
        notebook: the text of the ``.ipynb``.
    """
    document = json.loads(notebook)
    document["cells"] = [made for cell in document["cells"] for made in _cells(cell)]
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def answers_of(text: str) -> list[str]:
    """Return the variables of a cell that hold answers, in order.

    Args:
        text: the cell's source.

    >>> answers_of("help = 6\\nanswer_1 = help * 7")
    ['answer_1']
    """
    assigned = (
        target.id
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.startswith("answer_")
    )
    return list(dict.fromkeys(assigned))


def nbgrader(course: Path, command: str, *words: str) -> str:
    """Run one of nbgrader's commands in a course's folder and return what it printed.

    Args:
        course: the folder with ``nbgrader_config.py``.
        command: such as ``autograde``.
        words: what follows it.

    Raises:
        MissingDependency: nbgrader is not installed.
        SourceError: the command failed; the message ends with its last lines.
    """
    _require_nbgrader()
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", command, *words],
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise SourceError(f"nbgrader {command} failed in {course}:\n{last}")
    return done.stdout + done.stderr


def _generate(target: Path, names: list[str]) -> None:
    """Make ``release/``: in one go where nothing else lies in ``source/``, for nbgrader takes longer to start."""
    alone = {place.name for place in (target / "source").iterdir()} == set(names)
    for name in ["*"] if alone else names:
        nbgrader(target, "generate_assignment", f"--assignment={name}", "--force", "--create")


def _cells(cell: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    tags = cell.get("metadata", {}).get("tags", [])
    answered = _of(tags, "exercise:")
    checked = _of(tags, "check:")
    text = "".join(cell["source"])
    if answered:
        opened = "".join(f"{name} = ...\n" for name in answers_of(text))
        body = f"{opened}### BEGIN SOLUTION\n{text}\n### END SOLUTION"
        yield _marked(cell, f"exercise-{answered}", body, solution=True)
    elif checked:
        yield _marked(cell, f"check-{checked}", text, locked=True)
        test = f'### BEGIN HIDDEN TESTS\nps.classroom.grade("{checked}", {_argument(text)})\n### END HIDDEN TESTS'
        own = {**cell, "id": f"{cell['id']}-test", "metadata": {}}
        yield _marked(own, f"test-{checked}", test, locked=True, points=find(checked).points)
    elif "solution" in tags:
        yield _marked(cell, f"extra-{cell['id']}", f"### BEGIN SOLUTION\n{text}\n### END SOLUTION", solution=True)
    else:
        yield dict(cell)


def _marked(
    cell: Mapping[str, Any],
    id: str,
    text: str,
    *,
    solution: bool = False,
    locked: bool = False,
    points: float | None = None,
) -> dict[str, Any]:
    mark: dict[str, Any] = {
        "schema_version": SCHEMA,
        "grade_id": id,
        "grade": points is not None,
        "solution": solution,
        "locked": locked,
        "task": False,
    }
    if points is not None:
        mark["points"] = points
    metadata = {**cell["metadata"], "nbgrader": mark}
    if "tags" in metadata:
        metadata["tags"] = [tag for tag in metadata["tags"] if tag != "solution"]
    return {**cell, "metadata": metadata, "source": text}


def _of(tags: Iterable[str], prefix: str) -> str:
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), "")


def _argument(text: str) -> str:
    """What a check cell hands over as the answer."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "check" and len(node.args) == 2:
            given = node.args[1]
            # A variable that the learner has lost is an answer left out, and no traceback.
            return f"globals().get({given.id!r})" if isinstance(given, ast.Name) else ast.unparse(given)
    raise SourceError(f"a check cell does not call ps.classroom.check(id, answer): {text[:80]!r}")


def _require_nbgrader() -> None:
    if importlib.util.find_spec("nbgrader") is None:
        raise MissingDependency("nbgrader is not installed: pip install 'pipesim[classroom]'")
