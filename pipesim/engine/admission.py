"""Who may enter a stage: one small class for each execution mode.

Each answers two questions: an execution arrives at a door, and a door comes free.
Source: CodePipeline User Guide, "How executions are processed in SUPERSEDED, QUEUED
and PARALLEL mode".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pipesim.catalog.limits import CONCURRENT_EXECUTIONS
from pipesim.vocabulary import ExecutionMode

if TYPE_CHECKING:
    from pipesim.engine.door import Door
    from pipesim.engine.execution import Execution


class Admission(ABC):
    """The rule by which executions enter stages."""

    mode: ExecutionMode
    has_locks: bool = True
    limit: int | None = CONCURRENT_EXECUTIONS

    @abstractmethod
    def displaced(self, door: Door) -> Execution | None:
        """Return the waiter that a newcomer at this door replaces, or None."""

    def admits(self, door: Door) -> bool:
        """Whether a newcomer may enter at once."""
        return door.is_open and door.next_waiting() is None


class Superseded(Admission):
    """One place in front of each stage; a newcomer replaces whoever waits there."""

    mode = ExecutionMode.SUPERSEDED
    limit = None

    def displaced(self, door: Door) -> Execution | None:
        """Return the one that waits: a newcomer always replaces it."""
        return door.waiting[0] if door.waiting else None


class Queued(Admission):
    """A queue in front of each stage, in the order of arrival; nobody overtakes."""

    mode = ExecutionMode.QUEUED

    def displaced(self, door: Door) -> Execution | None:
        """Return None: nobody is replaced in a queue."""
        return None


class Parallel(Admission):
    """No locks: every execution goes its own way."""

    mode = ExecutionMode.PARALLEL
    has_locks = False

    def displaced(self, door: Door) -> Execution | None:
        """Return None: nobody is replaced where nobody shares."""
        return None

    def admits(self, door: Door) -> bool:
        """Whether a newcomer may enter at once: unless the transition is disabled."""
        return door.disabled_at is None


ADMISSIONS: dict[str, type[Admission]] = {mode.mode.value: mode for mode in (Superseded, Queued, Parallel)}
