"""The notebooks: built from their sources, without outputs, and running from top to bottom."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
import time
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

import pipesim

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCES = sorted((NOTEBOOKS / "source").glob("*.py"))
LEARNERS = sorted(NOTEBOOKS.glob("*.ipynb"))
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))
MAY_IMPORT = {"pipesim", "numpy", "pandas", "matplotlib", "boto3"}
LINES_A_CELL = 10
BUDGET = 60.0
HARMLESS = "Kernel is running over TCP without encryption"
LINK = re.compile(r"\[([^\]]+)\]\((\d\d_\w+)\.ipynb\)")
NOBODY_ELSE = """
import socket

_connect = socket.socket.connect


def connect(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"a lesson wanted to reach {address}")
    return _connect(self, address)


socket.socket.connect = connect
"""
"""Runs in every kernel first: sockets lead to this machine and nowhere else."""


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


builder = load_tool("build_notebooks")


def test_an_answer_is_left_open():
    source = '# %% tags=["exercise:01-1"]\nhelp = 6\nanswer_1 = help * 7\n'

    assert "answer_1 = help * 7" in builder.build(source, solutions=True)
    learners = builder.build(source, solutions=False)
    assert "answer_1 = ..." in learners and builder.INVITATION in learners
    assert "help" not in learners and "exercise:01-1" in learners


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def is_solution(cell: NotebookNode) -> bool:
    return any(tag == "solution" or tag.startswith("exercise:") for tag in tags(cell))


def checked(cell: NotebookNode) -> str:
    """The exercise that a cell checks; "" for none."""
    return next((tag.partition(":")[2] for tag in tags(cell) if tag.startswith("check:")), "")


def named(path: Path) -> str:
    return str(path.relative_to(NOTEBOOKS))


def test_there_is_a_notebook():
    assert SOURCES


def test_built_files_equal_their_sources():
    assert builder.stale() == []


def test_a_build_is_the_same_every_time():
    source = SOURCES[0].read_text(encoding="utf-8")

    assert builder.build(source, solutions=True) == builder.build(source, solutions=True)


def test_learners_do_not_get_the_solutions():
    source = '# %% [markdown]\n# Task\n\n# %% tags=["solution"]\nanswer = 42\n'

    assert "answer" in builder.build(source, solutions=True)
    assert "answer" not in builder.build(source, solutions=False)
    assert builder.INVITATION in builder.build(source, solutions=False)


@pytest.mark.parametrize("path", LEARNERS, ids=named)
def test_no_leftover_of_a_solution(path: Path):
    text = path.read_text(encoding="utf-8").lower()

    assert '"solution"' not in text
    for cell in code_cells(NOTEBOOKS / "solutions" / path.name):
        if is_solution(cell):
            assert all(cell.source != other.source for other in code_cells(path))


@pytest.mark.parametrize("path", [*LEARNERS, *SOLUTIONS], ids=named)
def test_nothing_of_a_run_is_kept(path: Path):
    notebook = read(path)

    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.parametrize("path", SOLUTIONS, ids=named)
def test_imports_are_few(path: Path):
    imported = set()
    for cell in code_cells(path):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("pipesim"), "nothing from inside the package"
                imported.add((node.module or "").split(".")[0])

    assert imported <= MAY_IMPORT


@pytest.mark.parametrize("path", SOLUTIONS, ids=named)
def test_cells_are_short_and_carry_no_style(path: Path):
    for cell in code_cells(path):
        assert len(cell.source.splitlines()) <= LINES_A_CELL, cell.source
        for word in ("rcParams", "figsize", "color="):
            assert word not in cell.source, f"{word} belongs in pipesim.views.theme"


@pytest.mark.parametrize("path", SOLUTIONS, ids=named)
def test_every_name_used_is_public(path: Path):
    used = {
        node.attr
        for cell in code_cells(path)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ps"
    }

    assert used
    assert used <= {*pipesim.__all__, "classroom", "edit", "widgets"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_lesson_has_its_parts(path: Path):
    text = path.read_text(encoding="utf-8")

    for part in (
        "## What you'll do",
        "## What you'll learn",
        "## What you'll need",
        "Predict",
        "raises-exception",
        "Check yourself",
        "## Summary",
        "## Exercises",
        "## In practice",
        "## Further reading",
    ):
        assert part in text, f"{path.name} lacks {part!r}"
    assert 1 <= text.count("ps.widgets.") <= 2
    assert text.count("raises-exception") == 1


def test_every_sample_pipeline_is_used():
    samples = {path.stem for path in (ROOT / "data" / "pipelines").glob("*.json")}
    texts = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert samples
    assert sorted(samples - texts) == [], "no lesson shows it"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_link_to_a_lesson_is_called_as_the_lesson(path: Path):
    titles = {one.stem: one.read_text(encoding="utf-8").partition("\n# # ")[2].partition("\n")[0] for one in SOURCES}

    links = LINK.findall(path.read_text(encoding="utf-8"))

    assert [titles[name] for _, name in links] == [text for text, _ in links]
    assert path == SOURCES[-1] or SOURCES[SOURCES.index(path) + 1].stem in [name for _, name in links]


def execute(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> NotebookNode:
    """Run a notebook with no network to reach and no AWS credentials to find."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (folder / "offline").mkdir(exist_ok=True)
    (folder / "offline" / "sitecustomize.py").write_text(NOBODY_ELSE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "offline"), str(ROOT)]))
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    notebook = read(path)
    NotebookClient(
        notebook, timeout=BUDGET, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


@pytest.mark.notebook
def test_a_lesson_cannot_reach_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "curious.ipynb"
    cell = "import urllib.request\nurllib.request.urlopen('http://192.0.2.1', timeout=5)"
    code = nbformat.v4.new_code_cell(cell, metadata={"tags": ["raises-exception"]})
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=[code])))

    errors = execute(path, tmp_path, monkeypatch).cells[0].outputs

    assert "a lesson wanted to reach" in errors[-1].evalue


@pytest.mark.notebook
@pytest.mark.parametrize("path", [*SOLUTIONS, *LEARNERS], ids=named)
def test_it_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    began = time.monotonic()

    notebook = execute(path, tmp_path, monkeypatch)

    assert time.monotonic() - began < BUDGET
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if checked(cell):
            said = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
            assert ("all right" if path in SOLUTIONS else "nothing is answered yet") in said, said
        errors = [output for output in cell.outputs if output.output_type == "error"]
        assert bool(errors) == ("raises-exception" in tags(cell)), cell.source
        assert not [
            output.text
            for output in cell.outputs
            if output.output_type == "stream" and output.name == "stderr" and HARMLESS not in output.text
        ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_exercise_of_a_lesson_is_set_answered_and_checked(path: Path):
    """Three to five exercises a lesson, each answered once and checked right after, as `pipesim.classroom` has them."""
    cells = code_cells(NOTEBOOKS / "solutions" / f"{path.stem}.ipynb")
    answered = [tag.partition(":")[2] for cell in cells for tag in tags(cell) if tag.startswith("exercise:")]
    wanted = [one.id for one in pipesim.classroom.exercises() if one.lesson == int(path.stem[:2])]

    assert answered == [checked(cell) for cell in cells if checked(cell)] == wanted
    assert 3 <= len(wanted) <= 5
