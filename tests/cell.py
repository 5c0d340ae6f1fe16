"""A cell of a notebook, run as IPython runs it."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell


def shown(capsys: pytest.CaptureFixture[str], cell: str, **names: Any) -> str:
    """Return what a cell prints.

    Args:
        capsys: what catches it.
        cell: the code.
        names: what it finds defined.
    """
    shell = InteractiveShell()
    shell.user_ns.update(names)
    shell.run_cell(cell)
    return capsys.readouterr().out
