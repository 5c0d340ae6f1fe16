"""Providers that the mocked account does not have: they take their assumed time.

What is real of them: the role must be there, and the inputs are read. None of them has outputs.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.artifacts import read_all
from pipesim.engine.behaviours import behaviour_of
from pipesim.engine.outcome import Outcome

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Do as a plain simulation does, with the inputs read."""
    read_all(account, run)
    return (yield from behaviour_of(run.plan.action, pooled=bool(run.plan.pool))(run))
