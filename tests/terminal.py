"""A program run at a pseudo-terminal that tells no size, as in a log or a remote session."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys


def python_at_a_terminal(*arguments: str) -> tuple[int, str]:
    """Run Python with these arguments; its exit status, and what it wrote to standard error."""
    import pty

    terminal, other = pty.openpty()
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stderr=other, stdout=subprocess.DEVNULL) as process:
        os.close(other)
        seen = b""
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 4096):
                seen += piece
    os.close(terminal)
    return process.returncode, seen.decode()
