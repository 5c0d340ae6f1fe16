"""What browser tests ask of a page with widgets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

SET_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
DARK, LIGHT = "JupyterLab Dark", "JupyterLab Light"


JUPYTERS_OWN = ("404", "Could not restore the debugger state", "The getter for the shared module is not a function")
"""What Jupyter itself complains of: files that it looks for and does without, debugging after a restart, and in
Voilà extensions that were made for JupyterLab alone."""
FINISHED = """count => {
  const cells = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
  return cells.length === count && cells.every(cell => /^\\[\\d+\\]:$/.test(cell.textContent.trim()));
}"""
"""Whether so many code cells have run to their end."""


def ours(complaints: list[str]) -> list[str]:
    """The errors in the console that are not JupyterLab's own."""
    return [line for line in complaints if not any(known in line for known in JUPYTERS_OWN)]


def notebook(*cells: str) -> str:
    """A notebook of these cells, as the text of its file."""
    made = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "execution_count": None, "outputs": [], "source": cell}
        for n, cell in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": made})


def keep(page: Any, selector: str, name: str) -> None:
    """Keep a picture of a widget where CI collects them (``PIPESIM_SCREENSHOTS``)."""
    if folder := os.environ.get("PIPESIM_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        widget, before = page.locator(selector).first, page.viewport_size
        tall = int(widget.bounding_box()["height"]) + 250  # beside it stand JupyterLab's bars and the cell
        page.set_viewport_size({**before, "height": max(before["height"], tall)})
        widget.screenshot(path=Path(folder) / f"{name}.png")
        page.set_viewport_size(before)


def set_theme(page: Any, theme: str) -> None:
    """Switch JupyterLab's theme and wait until it is there."""
    page.evaluate(SET_THEME, theme)
    light = str(theme == LIGHT).lower()
    page.wait_for_function(f"document.body.dataset.jpThemeLight === '{light}'")
    page.wait_for_timeout(400)


def overflow(page: Any, selector: str) -> int:
    """How many pixels a widget is wider than what it may have."""
    return int(page.evaluate("s => (e => e.scrollWidth - e.clientWidth)(document.querySelector(s))", selector))


def python(page: Any, expression: str) -> Any:
    """Ask the kernel for the value of an expression; the answer is its repr."""
    return page.evaluate(
        """async code => {
      const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
      const future = kernel.requestExecute({code: '', user_expressions: {x: code}, store_history: false});
      const answer = (await future.done).content.user_expressions.x;
      if (answer.status !== 'ok') throw new Error(answer.evalue);
      return answer.data['text/plain'];
    }""",
        expression,
    )
