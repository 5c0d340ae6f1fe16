"""How long a judge waits: an answer may be a program, and a program may never come to an end."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

COMPUTING = 60.0
WAITING = 300.0
TICK = 0.2


class TooLong(BaseException):
    """What runs was stopped; no ``except Exception`` of an answer holds it up."""


@contextmanager
def patience(computing: float = COMPUTING, waiting: float = WAITING) -> Iterator[None]:
    """Stop what runs in this thread when it takes too long.

    What waits inside one call of the operating system, such as a long sleep, is stopped when that call returns.

    Args:
        computing: seconds of this process's own work; a busy machine does not use them up.
        waiting: seconds on the clock.

    Raises:
        TooLong: it took longer.

    >>> with patience(computing=0.1):
    ...     while True:
    ...         pass
    Traceback (most recent call last):
    pipesim.classroom.patience.TooLong
    """
    over, lock, thread = threading.Event(), threading.Lock(), threading.get_ident()
    ends, spent = time.monotonic() + waiting, time.process_time() + computing

    def watch() -> None:
        while not over.wait(TICK):
            with lock:
                if not over.is_set() and (time.process_time() > spent or time.monotonic() > ends):
                    _raise(thread, TooLong)

    threading.Thread(target=watch, daemon=True).start()
    try:
        try:
            yield
        finally:
            over.set()
    finally:
        # A second time, for the exception may have come in between; then nothing is left to come.
        over.set()
        with lock:
            _raise(thread, None)


def _raise(thread: int, what: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what and ctypes.py_object(what))
