"""Lessons as a learner works on them: a wrong answer, its hint, a right answer, typed into JupyterLab."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import FINISHED, keep, ours
from tests.browser.conftest import SHUT_DOWN

pytestmark = pytest.mark.browser
LESSONS = Path(__file__).parents[2] / "notebooks"
ANSWERS = {
    "01_what_a_pipeline_is": (
        "01-2",
        "'S3 -> S3'",
        "f'{wish.source} -> CodeBuild -> Manual Approval -> {wish.target}'",
    ),
    "02_stages_and_actions": ("02-2", "'Package'", "max(('Frontend', 'Backend', 'Docs'), key=mine.minutes.get)"),
    "11_when_things_go_wrong": ("11-1", "(1, 1)", "(max(stop.minutes.values()), stop.stop_at)"),
}


def place_of(path: Path, tag: str) -> int:
    """The number of a notebook's cell with a tag, counted over all cells."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return next(place for place, cell in enumerate(cells) if tag in cell["metadata"].get("tags", []))


def answer(page: Page, place: int, text: str) -> None:
    """Type an answer into a cell, run it, and run the check in the cell after it."""
    cell = page.locator(".jp-Notebook-cell").nth(place)
    cell.scroll_into_view_if_needed()
    editor = cell.locator(".cm-content")
    editor.click()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")


@pytest.mark.parametrize("lesson", ANSWERS)
def test_a_wrong_and_then_a_right_answer(
    page: Page, run_notebook: Callable[[Path], Page], code_cell_count: Callable[[Path], int], lesson: str
) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    path = LESSONS / f"{lesson}.ipynb"
    exercise, wrong, right = ANSWERS[lesson]
    variable = f"answer_{exercise.partition('-')[2]}"
    run_notebook(path)
    page.wait_for_function(FINISHED, arg=code_cell_count(path), timeout=120_000)
    place = place_of(path, f"exercise:{exercise}")
    feedback = page.locator(".jp-Notebook-cell").nth(place + 1).locator("[role=status]")
    expect(feedback).to_contain_text("nothing is answered yet")

    answer(page, place, f"{variable} = {wrong}")
    expect(feedback).to_contain_text("not yet", timeout=30_000)
    expect(feedback).to_contain_text("hint")
    expect(feedback).not_to_contain_text("nothing is answered yet")
    keep(page, ".jp-Notebook", f"{lesson}-wrong")

    answer(page, place, f"{variable} = {right}")
    expect(feedback).to_contain_text("all right", timeout=30_000)
    keep(page, ".jp-Notebook", f"{lesson}-right")
    page.evaluate(SHUT_DOWN)
    assert ours(complaints) == []
