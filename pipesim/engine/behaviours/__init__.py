"""What actions do while they run: one small generator function a kind of action.

A behaviour takes the `ActionRun`, yields SimPy events while it works, and returns an
`Outcome`. A provider without a row here takes a while and maybe fails (`work`).
The mocked cloud hands in behaviours of its own that touch the account.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.engine.behaviours.approval import wait_for_approval
from pipesim.engine.behaviours.source import fetch
from pipesim.engine.behaviours.work import spend_time, work
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import ActionCategory

if TYPE_CHECKING:
    from pipesim.definition.model import Action
    from pipesim.engine.action import ActionRun

Behaviour = Callable[["ActionRun"], Generator[simpy.Event, Any, Outcome]]

BEHAVIOURS: dict[str, Behaviour] = {
    ActionCategory.APPROVAL.value: wait_for_approval,
    ActionCategory.SOURCE.value: fetch,
}


def behaviour_of(action: Action, *, pooled: bool) -> Behaviour:
    """Return what an action does while it runs: by category, else `work`.

    Args:
        action: the action.
        pooled: whether it needs a place in a pool; without, it need not look for one.
    """
    return BEHAVIOURS.get(action.category, work if pooled else spend_time)
