"""axe-core, the accessibility checker: fetched from npm when a test needs it, never part of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

RUN = """async selector => (await axe.run(document.querySelector(selector), {
  resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
})).violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n =>
  n.html.slice(0, 160) + ' ' + n.failureSummary)])"""


@cache
def source() -> str:
    """Return the text of axe-core; skip the test where npm or the registry is not there."""
    if path := os.environ.get("PIPESIM_AXE"):
        return Path(path).read_text(encoding="utf-8")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine, and axe-core comes from there")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, "axe-core@4"]
        if subprocess.run(command, capture_output=True, timeout=120, check=False).returncode:
            pytest.skip("axe-core cannot be fetched from npm")
        return (Path(folder) / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def serious(page: Any, selector: str) -> list[Any]:
    """Return the serious and critical violations in an element, each as impact, rule and the first places."""
    page.evaluate(source())
    return [found for found in page.evaluate(RUN, selector) if found[0] in ("serious", "critical")]
