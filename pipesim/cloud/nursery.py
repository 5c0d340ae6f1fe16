"""Child processes that call handlers: born warm where the platform can fork, else started anew each time."""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

BOOTSTRAP = Path(__file__).with_name("lambda_bootstrap.py")
PYTHON = (sys.executable, "-I", "-B", "-u", str(BOOTSTRAP))
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")


class Child(Protocol):
    """A process that calls one handler."""

    door: socket.socket | None
    """Readable when the process has ended; None: look at `is_running`."""

    def is_running(self) -> bool:
        """Whether it has not ended."""

    def kill(self) -> None:
        """End it and whatever it started."""

    def wait(self) -> int:
        """Wait for its end and return its exit status; negative: the signal that ended it."""


class Nursery:
    """A process that has imported what functions import, and forks for each of them."""

    def __init__(self) -> None:
        self.door, other = socket.socketpair()
        self._process = subprocess.Popen(
            [*PYTHON, "--nursery", str(other.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            pass_fds=[other.fileno()],
            start_new_session=True,
        )
        other.close()
        self._youngest: NursedChild | None = None

    @property
    def is_busy(self) -> bool:
        """Whether its child has not ended: there is one at a time, and a handler that calls a function has another."""
        return self._youngest is not None and not self._youngest.has_ended

    @property
    def is_there(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def bear(self, request: Path, printer: int) -> NursedChild:
        """Start a child.

        Args:
            request: the file that says what it does.
            printer: the descriptor of the pipe that it prints to.
        """
        socket.send_fds(self.door, [str(request).encode()], [printer])
        self._youngest = NursedChild(self.door, int(_read_line(self.door) or 0))
        return self._youngest

    def close(self) -> None:
        """Let the process end."""
        self.door.close()
        self._process.terminate()
        self._process.wait()


class NursedChild:
    """A fork of the nursery.

    Args:
        door: where the nursery tells its end.
        pid: its process id; 0: it never came to be.
    """

    def __init__(self, door: socket.socket, pid: int) -> None:
        self.door: socket.socket | None = door
        self._pid = pid
        self._status: int | None = None if pid else 1

    @property
    def has_ended(self) -> bool:
        """Whether its end was seen."""
        return self._status is not None

    def is_running(self) -> bool:
        """Whether it has not ended."""
        if self._status is None and _is_readable(self.door):
            self.wait()
        return self._status is None

    def kill(self) -> None:
        """End it and whatever it started."""
        if self._status is None:
            for end in (os.killpg, os.kill):
                with suppress(ProcessLookupError, PermissionError):
                    end(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        if self._status is None:
            assert self.door is not None
            line = _read_line(self.door)
            self._status = int(line) if line else 1
        return self._status


class StartedChild:
    """A process of its own.

    Args:
        request: the file that says what it does.
        printer: the descriptor of the pipe that it prints to.
    """

    def __init__(self, request: Path, printer: int) -> None:
        self.door: socket.socket | None = None
        self._process = subprocess.Popen(
            [*PYTHON, str(request)],
            stdin=subprocess.DEVNULL,
            stdout=printer,
            stderr=printer,
            start_new_session=True,
        )

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it and whatever it started."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        return self._process.wait()


_nurseries: list[Nursery] = []
_lock = threading.Lock()


def bear(request: Path, printer: int) -> Child:
    """Start a child process that calls a handler.

    Args:
        request: the file that says what it does.
        printer: the descriptor of the pipe that it prints to.
    """
    if not CAN_FORK:
        return StartedChild(request, printer)
    with _lock:
        for _ in range(2):
            if _nurseries and not _nurseries[0].is_there:
                _nurseries.pop().close()
            if not _nurseries:
                _nurseries.append(Nursery())
                atexit.register(close)
            if _nurseries[0].is_busy:
                break
            with suppress(OSError):
                return _nurseries[0].bear(request, printer)
            _nurseries.pop().close()
    return StartedChild(request, printer)


def close() -> None:
    """End the nursery, if there is one."""
    with _lock:
        while _nurseries:
            _nurseries.pop().close()


def _is_readable(door: socket.socket | None) -> bool:
    return door is not None and bool(select.select([door], [], [], 0)[0])


def _read_line(door: socket.socket) -> str:
    """Read one line; empty when the other end is gone."""
    line = b""
    with suppress(OSError):
        while not line.endswith(b"\n"):
            byte = door.recv(1)
            if not byte:
                return ""
            line += byte
    return line.decode().strip()
