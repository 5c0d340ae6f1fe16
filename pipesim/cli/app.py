"""``pipesim app``: the gallery, or builder, player and knobs, as a page in the browser, without a notebook."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import click

from pipesim.cli.common import load_assumptions, load_sound
from pipesim.errors import MissingDependency

ADDRESS = "127.0.0.1"
# What the page needs of the extensions that are installed for JupyterLab. Others look for parts of JupyterLab that
# Voilà does not have, and fail in the browser (nbgrader's does).
EXTENSIONS = ("@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager", "anywidget")


@click.command()
@click.argument("file", required=False)
@click.option("--profile", help="Assumptions: a TOML file.")
@click.option("--seed", default=0, show_default=True, help="The number on which all luck hangs.")
@click.option("--port", default=8866, show_default=True, type=click.IntRange(1, 65535))
@click.option("--no-browser", is_flag=True, help="Serve the page and do not open it.")
@click.option("--dark", is_flag=True, help="Light letters on a dark page.")
def app(file: str | None, profile: str | None, seed: int, port: int, no_browser: bool, dark: bool) -> None:
    """Show, build, run and tune pipelines in the browser; only this machine can reach the page.

    Without FILE: a gallery in big type, for a projector: the course's four pipelines, each as picture, film and
    knobs, and a workbench. FILE, a declaration or an arrow sketch, opens the workbench with it.
    Needs the extra: pip install "pipesim[dashboard]". Ctrl-C ends it.

    \b
    Examples:
      pipesim app --dark
      pipesim app pipeline.json --profile profile.toml
      pipesim app "GitHub -> CodeBuild -> S3" --port 9000 --no-browser
    """
    if find_spec("voila") is None:
        raise MissingDependency("the page needs Voilà, which is not installed: pip install 'pipesim[dashboard]'")
    document = None if file is None else load_sound(file).to_document()
    profile_text = None if profile is None else Path(profile).read_text(encoding="utf-8")
    load_assumptions(profile)
    served = gallery(seed, dark) if file is None and profile is None else notebook(document, profile_text, seed)
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="pipesim-app-") as folder:
        page = Path(folder) / "pipesim.ipynb"
        page.write_text(json.dumps(served), encoding="utf-8")
        server = subprocess.Popen([*command(page, port, dark), *(["--no-browser"] if no_browser else [])])
        click.echo(f"Serving on http://{ADDRESS}:{port}/ . Ctrl-C ends it.")
        try:
            sys.exit(server.wait())
        except KeyboardInterrupt:
            click.echo("Stopped.")
        finally:
            server.terminate()
            server.wait()


def notebook(document: dict[str, object] | None, profile: str | None, seed: int) -> dict[str, object]:
    """Return the notebook that is served: one cell, which makes a workbench.

    Args:
        document: the declaration to begin with.
        profile: the text of the assumptions.
        seed: the number on which all luck hangs.
    """
    lines = ["import pipesim", "from pipesim.widgets import Workbench"]
    lines.append(f"assumptions = {'None' if profile is None else f'pipesim.load_profile({profile!r})'}")
    lines.append(f"Workbench({document!r}, assumptions, seed={seed})")
    return _one_cell(*lines)


def gallery(seed: int, dark: bool) -> dict[str, object]:
    """Return the notebook of the gallery.

    Args:
        seed: the number on which all luck hangs.
        dark: whether its pictures are drawn for a dark page.
    """
    return _one_cell("from pipesim.widgets import Gallery", f"Gallery(dark={dark}, seed={seed})")


def _one_cell(*lines: str) -> dict[str, object]:
    # Voilà would open and save files in the notebook's own folder, which is gone when the page is.
    lines = ("import os", f"os.chdir({str(Path.cwd())!r})", *lines)
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "page",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": "\n".join(lines),
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": [cell], "metadata": {"kernelspec": kernel, "title": "pipesim"}, "nbformat": 4, "nbformat_minor": 5}


def command(page: Path, port: int, dark: bool = False) -> list[str]:
    """Return the command that serves a notebook on this machine's own address.

    Args:
        page: the notebook.
        port: where.
        dark: the dark theme.
    """
    return [
        *(sys.executable, "-m", "voila", str(page)),
        *(f"--Voila.ip={ADDRESS}", f"--port={port}", "--Voila.port_retries=0"),
        *(f"--VoilaConfiguration.extension_allowlist={name}" for name in EXTENSIONS),
        f"--theme={'dark' if dark else 'light'}",
    ]


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
