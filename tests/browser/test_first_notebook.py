"""The first notebook as a learner sees it: opened in JupyterLab, every cell run, pictures on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("pytest_playwright", reason="browser tests need pytest-playwright (the extra 'dev')")

from playwright.sync_api import Page, expect

from tests.browser.asking import FINISHED

pytestmark = pytest.mark.browser
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "solutions" / "10_many_changes.ipynb"
PICTURES = 6


def test_the_first_notebook_runs_in_a_browser(
    page: Page, run_notebook: Callable[[Path], Page], code_cell_count: Callable[[Path], int], tmp_path: Path
):
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)

    run_notebook(NOTEBOOK)
    page.wait_for_function(FINISHED, arg=code_cell_count(NOTEBOOK), timeout=120_000)
    page.screenshot(path=tmp_path / "page.png")

    red = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']")
    expect(red).to_have_count(1)
    expect(red).to_contain_text("Did you mean 'CodeBuild'")
    pictures = page.locator(".jp-OutputArea-output svg, .jp-OutputArea-output img")
    assert pictures.count() >= PICTURES
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 50
    assert page.locator(".jp-OutputArea-output table").count() >= 1
    assert [line for line in complaints if "404" not in line] == []
