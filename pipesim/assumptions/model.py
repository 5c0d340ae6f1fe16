"""What AWS does not write down: durations, odds, arrivals, people, pools.

`Assumptions` is one frozen object. Whatever it leaves out comes from the catalog
(`assumed` in `pipesim.assumptions.resolve`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from immutabledict import immutabledict

from pipesim.assumptions.arrivals import Arrivals, Once
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Distribution

MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NONE: Mapping[str, Any] = immutabledict()


@dataclass(frozen=True, slots=True)
class ActionAssumption:
    """What is assumed of one action.

    Attributes:
        duration: how long it works, in seconds; None: the catalog's.
        fails: the odds (0 to 1) that an attempt fails.
        fails_on: scripted failures: the numbers of this action's runs that fail ("the second time" is 2),
            counted over the whole simulation.
        fails_after: how long a failing attempt works, in seconds; None: as long as a good one.
        code: the failure type given when it fails.
        message: the sentence given when it fails.
        variables: the output variables that it emits.
        sizes: bytes of each output artifact.
        pool: the pool that it needs a place in; None: the catalog's (CodeBuild uses ``builds``); "" for none.
    """

    duration: Distribution | None = None
    fails: float = 0.0
    fails_on: tuple[int, ...] = ()
    fails_after: Distribution | None = None
    code: str = "JobFailed"
    message: str = ""
    variables: Mapping[str, str] = NONE
    sizes: Mapping[str, int] = NONE
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Approver:
    """How a person answers a manual approval.

    Attributes:
        response: seconds of working time from the request to the answer; None: nobody answers,
            a command must.
        rejects: the odds (0 to 1) of a rejection.
        rejects_on: scripted rejections: the numbers of the requests that are rejected.
        hours: the working hours in which the response time passes; None: round the clock.
        name: who answers, for the record.
    """

    response: Distribution | None = None
    rejects: float = 0.0
    rejects_on: tuple[int, ...] = ()
    hours: WorkingHours | None = None
    name: str = "approver"


@dataclass(frozen=True, slots=True)
class Pool:
    """Something limited that several actions share, such as concurrent builds.

    Attributes:
        capacity: how many actions may work at once; at least 1.
        when_full: ``"queue"``: the next action waits in line; ``"fail"``: it fails at once.
    """

    capacity: int
    when_full: str = "queue"


@dataclass(frozen=True, slots=True)
class RuleAssumption:
    """What is assumed of one rule of a stage condition.

    Attributes:
        duration: how long it takes, in seconds; None: the catalog's.
        fails: the odds (0 to 1) that it fails.
        fails_on: the numbers of its runs that fail, counted over the whole simulation.
    """

    duration: Distribution | None = None
    fails: float = 0.0
    fails_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Delays:
    """Small delays of the service, in seconds, as third parties measured them (docs/fidelity.md).

    Attributes:
        start: from the start of an execution to its first action.
        between_stages: from the end of a stage to the arrival at the next.
        approval_tick: from the answer of an approval to the end of its action.
        continuation_tick: from a continuation token to the next job.
        polling: between two looks at a polled source.
        transfer_rate: bytes a second at which artifacts are copied; 0: copying takes no time.
    """

    start: float = 0.2
    between_stages: float = 0.4
    approval_tick: float = 30.0
    continuation_tick: float = 30.0
    polling: float = 60.0
    transfer_rate: float = 0.0

    @classmethod
    def none(cls) -> Delays:
        """All delays switched off (polling stays, because it is a schedule and no delay)."""
        return cls(start=0.0, between_stages=0.0, approval_tick=0.0, continuation_tick=0.0)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Everything that a simulation assumes; frozen, so that a result names what it rests on.

    Attributes:
        start: the calendar moment of time zero (aware, UTC).
        actions: by ``"Stage/Action"``, ``"Action"`` or ``"Category/Provider"``; the first that matches
            in this order wins.
        approvals: by ``"Stage/Action"`` or ``"Action"``, or ``"*"`` for all.
        rules: by ``"Stage/Rule"`` or ``"Rule"`` or the rule's provider.
        arrivals: when changes arrive.
        pools: by name; a pool named by an action and absent here is without limit.
        delays: the service's own small delays.
        name: what the profile is called.
    """

    start: datetime = MONDAY_MORNING
    actions: Mapping[str, ActionAssumption] = field(default_factory=immutabledict)
    approvals: Mapping[str, Approver] = field(default_factory=immutabledict)
    rules: Mapping[str, RuleAssumption] = field(default_factory=immutabledict)
    arrivals: Arrivals = field(default_factory=Once)
    pools: Mapping[str, Pool] = field(default_factory=immutabledict)
    delays: Delays = field(default_factory=Delays)
    name: str = ""
