"""A real JupyterLab in a real Chromium.

Chromium comes from the machine (``PIPESIM_CHROMIUM`` or the PATH), never from a download. Where there
is none the tests are skipped, and fail instead when ``PIPESIM_REQUIRE_BROWSER`` is set.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.asking import notebook, ours

RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  return await app.commands.execute('notebook:run-all-cells');
}"""
SHUT_DOWN = """async () => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  await panel?.sessionContext?.shutdown();
}"""
TOKEN = "pipesim"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("PIPESIM_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if program is None:
        if os.environ.get("PIPESIM_REQUIRE_BROWSER"):
            pytest.fail("no Chromium on this machine, and PIPESIM_REQUIRE_BROWSER asks for one")
        pytest.skip("no Chromium on this machine")
    return {
        **browser_type_launch_args,
        "executable_path": program,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1400, "height": 1000}}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Start JupyterLab; yield its address and the folder that it serves."""
    home = tmp_path_factory.mktemp("lab")
    folder, config = home / "notebooks", home / "config" / "labconfig"
    folder.mkdir()
    config.mkdir(parents=True)
    no_news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "page_config.json").write_text(json.dumps(no_news))
    draw_all_cells = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}
    (config / "default_setting_overrides.json").write_text(json.dumps(draw_all_cells))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    own = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"),
        "--LabApp.expose_app_in_browser=True",
    ]
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            command, env={**os.environ, **{k: str(v) for k, v in own.items()}}, stdout=log, stderr=log
        )
        try:
            _wait_until_up(server, f"http://127.0.0.1:{port}/api/status?token={TOKEN}", home / "lab.log")
            yield f"http://127.0.0.1:{port}", folder
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_up(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(360):
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.25)
        else:
            return
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture
def run_notebook(page: Any, lab: tuple[str, Path]) -> Callable[[Path], Any]:
    """Return a function that opens a copy of a notebook, runs all its cells and gives the page."""
    address, folder = lab

    def run(path: Path) -> Any:
        shutil.copy(path, folder)
        page.goto(f"{address}/lab/tree/{path.name}?reset&token={TOKEN}")
        page.wait_for_selector(".jp-Notebook", timeout=90_000)
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context", timeout=90_000)
        page.evaluate(RUN_ALL)
        return page

    return run


@pytest.fixture
def run_cells(page: Any, run_notebook: Callable[[Path], Any], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that runs cells in a notebook and waits for a widget; the console must stay free of errors."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)

    def run(*cells: str, wait_for: str) -> Any:
        path = tmp_path / f"{tmp_path.name}.ipynb"
        path.write_text(notebook(*cells))
        run_notebook(path)
        page.wait_for_selector(wait_for, timeout=60_000)
        return page

    yield run
    page.evaluate(SHUT_DOWN)
    assert ours(complaints) == []


@pytest.fixture
def code_cell_count() -> Callable[[Path], int]:
    """Return a function that counts the code cells of a notebook that have something to run."""

    def count(path: Path) -> int:
        return sum(1 for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code")

    return count
