"""Whether anything goes on that needs no person: what `run_until_idle` asks before each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING

from pipesim.cloud.clock import every_first
from pipesim.errors import PipesimError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord
    from pipesim.engine.action import ActionRun
    from pipesim.engine.execution import Execution

Place = tuple["Account", "Execution"]

MOST_STARTS = 60
"""How many executions of one pipeline may start while nobody does anything, beyond those that events already on their
way may start; more of them would never come to an end."""

LOOK = 50
"""After how many steps of the clock that is looked at."""


class Idleness:
    """Looks at the unfinished executions of all accounts of a cloud.

    An execution goes on by itself unless it waits in front of a stage, or every action that it runs
    waits for somebody: an approval for its answer, a job for its worker.

    Args:
        family: the accounts by id and region.
    """

    def __init__(self, family: Mapping[tuple[str, str], Account]) -> None:
        self._family = family
        self._before = {id(record): len(record.simulation.executions) for record in self._records()}
        self._most = MOST_STARTS + sum(account.bus.pending for account in family.values())
        self.something_goes_on = self._sparing(every_first(self, goes_on))
        """Whether anything goes on; an error when a pipeline starts over and over again."""

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

    def _records(self) -> Iterator[PipelineRecord]:
        for account in list(self._family.values()):
            yield from account.pipelines.values()

    def _sparing(self, test: Callable[[], bool]) -> Callable[[], bool]:
        """The same test, which looks now and then whether this can come to an end."""
        steps = count(1)

        def spared() -> bool:
            if next(steps) % LOOK == 0:
                self._refuse_endlessness()
            return test()

        return spared

    def _refuse_endlessness(self) -> None:
        for record in self._records():
            executions = record.simulation.executions
            if len(executions) - self._before.get(id(record), 0) > self._most:
                newest = record.simulation.state.executions[list(executions)[-1]]
                raise PipesimError(
                    f"pipeline '{record.name}' started more than {self._most} executions while it ran until idle, the"
                    f" newest by {newest.trigger_type} ({newest.trigger_detail or 'no detail'}): whatever starts it"
                    " never ends. Take that out (an action, a rule or a function that starts the pipeline anew), or"
                    " let a stretch of time pass with advance(hours=1)"
                )


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
