"""The door of a stage: its lock, its transition, and those who wait in front."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipesim.catalog.limits import DISABLED_TRANSITION

if TYPE_CHECKING:
    from pipesim.engine.execution import Execution


@dataclass(slots=True, eq=False)
class Door:
    """The entrance of one stage.

    Attributes:
        stage: the stage's name.
        occupant: the execution that holds the stage lock.
        waiting: those who reached the door and could not enter, the first first.
        latest: the execution that entered last; only it may be retried.
        disabled_at: when the inbound transition was disabled; None while it is enabled.
        last_good: the newest standard execution that succeeded in the stage under the current version.
    """

    stage: str
    occupant: Execution | None = None
    waiting: deque[Execution] = field(default_factory=deque)
    latest: Execution | None = None
    disabled_at: float | None = None
    last_good: Execution | None = None

    @property
    def is_open(self) -> bool:
        """Whether an execution may enter now."""
        return self.occupant is None and self.disabled_at is None

    def next_waiting(self) -> Execution | None:
        """Return the first waiter that may still enter, without taking it out."""
        for execution in self.waiting:
            if not execution.lapsed:
                return execution
        return None

    def lapse(self, now: float) -> None:
        """Forget those held longer than 30 days: they stay in front of the stage and never enter.

        Source: CodePipeline User Guide, "Disable or enable transitions".
        """
        if self.disabled_at is not None and now - self.disabled_at > DISABLED_TRANSITION:
            for execution in self.waiting:
                execution.lapsed = True
