"""``pipesim lab``: JupyterLab, opened on the course."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


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
    told = [
        f"{len(copied.new)} notebooks copied to {target}" if copied.new else f"{target} is complete: nothing copied",
        *(f"{name}: replaced by the newer lesson, you had not changed it" for name in copied.refreshed),
        *(f"{name}: you changed it, so it stays; the newer lesson lies beside it" for name in copied.beside),
    ]
    click.echo("\n".join(told), err=True)
    if copy_only:
        return
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={target.resolve()}", *options]
    sys.stderr.flush()
    os.execv(sys.executable, command)
