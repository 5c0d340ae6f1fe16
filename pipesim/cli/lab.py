"""``pipesim lab``: JupyterLab, opened on the notebooks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("folder", required=False, type=click.Path(file_okay=False))
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(folder: str | None, jupyter_options: tuple[str, ...]) -> None:
    """Open JupyterLab on the notebooks.

    They are copied to FOLDER (default: pipesim-notebooks) first; what is there already is never overwritten.
    Options after FOLDER go to JupyterLab.

    \b
    Examples:
      pipesim lab
      pipesim lab my-course --no-browser
    """
    words = (*(() if folder is None else (folder,)), *jupyter_options)
    named = bool(words) and not words[0].startswith("-")
    target = Path(words[0] if named else "pipesim-notebooks")
    options = words[1:] if named else words
    copied = copy_notebooks(target)
    click.echo(
        f"{copied} notebooks copied to {target}" if copied else f"{target} is complete: nothing copied", err=True
    )
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={target.resolve()}", *options]
    sys.stderr.flush()
    os.execv(sys.executable, command)


def copy_notebooks(target: Path) -> int:
    """Copy the notebooks that are not there yet and return how many that were.

    Args:
        target: the folder; it is made when it is not there.

    Raises:
        SourceError: the folder cannot be written.
    """
    from pipesim.errors import SourceError
    from pipesim.files import shipped

    copied = 0
    try:
        target.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(shipped("notebooks").glob("*.ipynb")):
            place = target / notebook.name
            if not place.exists():
                shutil.copyfile(notebook, place)
                copied += 1
    except OSError as error:
        raise SourceError(f"cannot copy the notebooks to {target}: {error.strerror or error}") from None
    return copied
