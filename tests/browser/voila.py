"""``pipesim app`` as a person gives it, on a port of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def served(home: Path, *words: str) -> Iterator[str]:
    """Run ``pipesim app`` with these words and yield the page's address."""
    if find_spec("voila") is None:
        if os.environ.get("PIPESIM_REQUIRE_BROWSER"):
            pytest.fail("Voilà is not installed, and PIPESIM_REQUIRE_BROWSER asks for it (the extra 'dashboard')")
        pytest.skip("Voilà is not installed (the extra 'dashboard')")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    own = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    command = [str(Path(sys.executable).with_name("pipesim")), "app", *words, "--port", str(port), "--no-browser"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            yield _when_up(server, f"http://127.0.0.1:{port}/", home / "log")
        finally:
            server.terminate()
            server.wait(20)


def _when_up(server: subprocess.Popen[bytes], address: str, log: Path) -> str:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}static/", timeout=2).close()
        except urllib.error.HTTPError:
            return address
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.25)
        else:
            return address
    raise RuntimeError(f"the page is not served:\n{log.read_text()}")


def open_page(page: Any, address: str, wait_for: str) -> None:
    """Open the page on a machine without a network: Voilà's template asks elsewhere for icons and formulas."""
    page.route(lambda url: not url.startswith(address), lambda route: route.fulfill(status=200, body=""))
    page.goto(address)
    page.wait_for_selector(wait_for, timeout=90_000)
