"""Every call to a mocked service sees the virtual time.

moto asks Python's clock; while a call or a step of mocked work runs, that clock stands at the
moment of the simulation (time-machine moves it). Several threads may be inside at once: the
first one in stops Python's clock, the last one out lets it go on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import time_machine


class VirtualTime:
    """Python's clock, standing at a moment while anybody is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let Python's clock stand at `moment`.

        Inside another such block the clock moves on to `moment` and stays there, because the
        simulation has moved on.

        Args:
            moment: aware.
        """
        self.enter(moment)
        try:
            yield
        finally:
            self.leave()

    def enter(self, moment: datetime) -> None:
        """Stop Python's clock at `moment`; `leave` lets it go on."""
        with self._lock:
            self._inside += 1
            if self._traveller is None:
                self._travel = time_machine.travel(moment, tick=False)
                self._traveller = self._travel.start()
            else:
                self._traveller.move_to(moment)

    def leave(self) -> None:
        """Undo one `enter`."""
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._travel is not None:
                self._travel.stop()
                self._travel = self._traveller = None


VIRTUAL_TIME = VirtualTime()
