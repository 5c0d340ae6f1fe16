"""``pipesim lab``: JupyterLab, opened on the course."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipesim.errors import MissingDependency

if TYPE_CHECKING:
    from pipesim.classroom.folder import Copied


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--update", is_flag=True, help="Bring new lessons, and newer ones where you have not changed anything.")
@click.option("--copy-only", is_flag=True, help="Copy, and do not open JupyterLab.")
@click.argument("folder", required=False, type=click.Path(file_okay=False))
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(folder: str | None, jupyter_options: tuple[str, ...], update: bool, copy_only: bool) -> None:
    """Copy the course to a folder and open JupyterLab there.

    FOLDER is pipesim-notebooks unless you name one. What you wrote is never overwritten: run again, a lesson that is
    there stays as it is. Options after FOLDER go to JupyterLab.

    \b
    Examples:
      pipesim lab
      pipesim lab my-course --no-browser
      pipesim lab --update
    """
    from pipesim.classroom.folder import copy_course

    words = (*(() if folder is None else (folder,)), *jupyter_options)
    named = bool(words) and not words[0].startswith("-")
    target = Path(words[0] if named else "pipesim-notebooks")
    options = words[1:] if named else words
    copied = copy_course(target, update=update)
    click.echo("\n".join(_told(copied, target)), err=True)
    if copy_only:
        return
    if find_spec("jupyterlab") is None:
        raise MissingDependency(
            f"JupyterLab is not installed: pip install jupyterlab. The notebooks in {target} open in any Jupyter."
        )
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={target.resolve()}", *options]
    sys.stderr.flush()
    os.execv(sys.executable, command)


def _told(copied: Copied, target: Path) -> Iterator[str]:
    """What the learner reads about the copy."""
    if copied.new:
        yield f"{len(copied.new)} notebooks copied to {target}"
    elif copied.waiting:
        yield f"{target}: nothing copied; new or newer lessons: {len(copied.waiting)} (the option --update brings them)"
    elif not copied.refreshed and not copied.beside:
        yield f"{target} is complete: nothing copied"
    for name in copied.refreshed:
        yield f"{name}: replaced by the newer lesson, you had not changed it"
    for name in copied.beside:
        yield f"{name}: you changed it, so it stays; the newer lesson lies beside it"
