"""Whether anything goes on that needs no person: what `run_until_idle` asks before each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pipesim.cloud.clock import every_first

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun
    from pipesim.engine.execution import Execution

Place = tuple["Account", "Execution"]


class Idleness:
    """Looks at the unfinished executions of all accounts of a cloud.

    An execution goes on by itself unless it waits in front of a stage, or every action that it runs
    waits for somebody: an approval for its answer, a job for its worker.

    Args:
        family: the accounts by id and region.
    """

    def __init__(self, family: Mapping[tuple[str, str], Account]) -> None:
        self._family = family
        self.something_goes_on = every_first(self, goes_on)
        """Whether anything goes on."""

    def something_is_delivered(self) -> bool:
        """Whether an event is on its way to a target."""
        return any(account.bus.pending for account in list(self._family.values()))

    def something_is_unseen(self) -> bool:
        """Whether the next poll of a source will find something that it has not seen."""
        return any(
            record.poller is not None and record.poller.has_news()
            for account in list(self._family.values())
            for record in account.pipelines.values()
        )

    def __iter__(self) -> Iterator[Place]:
        for account in list(self._family.values()):
            for record in account.pipelines.values():
                simulation = record.simulation
                if simulation.unfinished:
                    for execution in simulation.executions.values():
                        yield account, execution


def goes_on(place: Place) -> bool:
    """Whether an execution goes on by itself."""
    account, execution = place
    if execution.finished or execution.door is not None:
        return False
    passage = execution.passage
    if passage is None or passage.gate is not None or not passage.running:
        return True
    return not all(waits_for_somebody(account, run) for run in passage.running.values())


def waits_for_somebody(account: Account, run: ActionRun) -> bool:
    """Whether an action waits for a person or a program outside the account."""
    if run.plan.action.is_approval:
        return run.is_open and run.plan.response is None
    return account.jobs.waits_for_somebody(run)
