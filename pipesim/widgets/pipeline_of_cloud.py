"""One pipeline of a mocked cloud, driven as a simulation is: time passes in the whole account, commands go to it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from pipesim.assumptions.faults import suggest
from pipesim.engine import Command, Start, Update
from pipesim.errors import PipesimError, SourceError
from pipesim.trace.events import Event
from pipesim.trace.log import Trace

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, Cloud, PipelineRecord
    from pipesim.engine.outcome import Outcome


class PipelineOfCloud:
    """A pipeline and the account that it lives in.

    What goes on without a person is let happen step by step; polls that find nothing are nothing that happens.

    Args:
        cloud: an open cloud.
        name: the pipeline's name; None: the only one.

    Raises:
        SourceError: there is no such pipeline, or several and no name.
    """

    def __init__(self, cloud: Cloud, name: str | None = None) -> None:
        from pipesim.cloud.idle import Idleness

        self.cloud = cloud
        self.account, self.record = find_pipeline(cloud, name)
        self._idleness = Idleness(cloud.account.family)

    @property
    def trace(self) -> Trace:
        """All that has happened to the pipeline so far."""
        return self.record.simulation.trace

    @property
    def broken(self) -> dict[str, Outcome]:
        """The actions that were broken by hand."""
        return self.record.simulation.broken

    @property
    def now(self) -> float:
        """Seconds since the cloud's start."""
        return self.record.simulation.now

    @property
    def next_due(self) -> float:
        """When something is due next, in seconds; infinite when nothing in the account goes on without a person."""
        look = self._idleness
        busy = look.something_goes_on() or look.something_is_delivered() or look.something_is_unseen()
        return self.record.simulation.next_due if busy else math.inf

    def events_from(self, seq: int) -> tuple[Event, ...]:
        """Return the pipeline's events from this place on."""
        return self.record.simulation.events_from(seq)

    def advance(self, to: float) -> None:
        """Let time pass in the account.

        Args:
            to: seconds since the cloud's start.

        Raises:
            PipesimError: the cloud is closed.
        """
        self._insist_that_it_is_open()
        self.cloud.advance(to)

    def send(self, command: Command) -> str | None:
        """Carry a command out at the present moment, as the console's user of this account.

        Raises:
            Refused: the service would refuse it.
            PipesimError: the cloud is closed.
        """
        from pipesim.cloud.swap import inside

        self._insist_that_it_is_open()
        if isinstance(command, Update):
            self._update(command)
            return None
        if isinstance(command, Start) and command.trigger_detail is None:
            command = replace(command, trigger_detail=f"arn:aws:iam::{self.account.id}:root")
        with inside(self.account):
            answer = self.record.simulation.send(command)
        self.account.settle()
        return answer

    def _update(self, command: Update) -> None:
        from pipesim.cloud.codepipeline.pipelines import update_pipeline
        from pipesim.cloud.provision import provision
        from pipesim.cloud.swap import inside

        ready = provision(self.account, command.pipeline, create=False)
        with inside(self.account):
            update_pipeline(self.account, {"pipeline": ready.to_document()}, "")

    def _insist_that_it_is_open(self) -> None:
        if not self.cloud.is_open:
            raise PipesimError("the cloud is closed: nothing can happen in it any more; open a new one")


def find_pipeline(cloud: Cloud, name: str | None) -> tuple[Account, PipelineRecord]:
    """Return a pipeline of a cloud with the account that it lives in.

    Args:
        cloud: where to look.
        name: the pipeline's name; None: the only one.

    Raises:
        SourceError: there is no such pipeline, or several and no name.
    """
    found = [(account, record) for account in cloud.account.family.values() for record in account.pipelines.values()]
    names = [record.name for _, record in found]
    if name is None and len(found) == 1:
        return found[0]
    if name is None:
        shown = ", ".join(names) or "there is none yet: cloud.provision(…) makes one"
        raise SourceError(f"say which pipeline of the cloud is meant ({shown})")
    for account, record in found:
        if record.name == name:
            return account, record
    raise SourceError(f"the cloud has no pipeline {name!r}{suggest(name, names)}")
