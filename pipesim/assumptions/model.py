"""What AWS does not write down: durations, odds, arrivals, people, pools.

`Assumptions` is one frozen object. Whatever it leaves out comes from the catalog (`pipesim.assumptions.resolve`);
values that make no sense raise AssumptionError the moment they are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from immutabledict import immutabledict

from pipesim.assumptions.arrivals import Arrivals, Once
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Distribution, LogNormal, distribution
from pipesim.assumptions.faults import AssumptionFault, number, odds, suggest, under, whole
from pipesim.assumptions.faults import duration as time_span
from pipesim.vocabulary import FailureType

MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NONE: Mapping[str, Any] = immutabledict()
WHEN_FULL = ("queue", "fail")


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

    >>> import pipesim as ps
    >>> ActionAssumption(duration=ps.Constant(ps.minutes(5)), fails_on=(2,)).duration
    Constant(value=300.0)
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

    def __post_init__(self) -> None:
        _luck(self, "fails", "fails_on")
        _optional_distributions(self, "duration", "fails_after")
        _texts(self, "code", "message")
        if self.code not in list(FailureType):
            raise AssumptionFault(("code",), f"{self.code!r} is not a failure type{suggest(self.code, FailureType)}")
        variables = _mapping(self, "variables")
        for name, value in variables.items():
            if not isinstance(value, str):
                raise AssumptionFault(("variables", name), f"{value!r} is not text; variables hold text")
        with under("sizes"):
            sizes = {name: whole(name, value, least=0) for name, value in _mapping(self, "sizes").items()}
        object.__setattr__(self, "sizes", immutabledict(sizes))
        if self.pool is not None:
            _texts(self, "pool")


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

    def __post_init__(self) -> None:
        _luck(self, "rejects", "rejects_on")
        _optional_distributions(self, "response")
        _texts(self, "name")
        if self.hours is not None and not isinstance(self.hours, WorkingHours):
            raise AssumptionFault(("hours",), f"{self.hours!r} is not WorkingHours; write WorkingHours.parse(…)")


@dataclass(frozen=True, slots=True)
class Pool:
    """Something limited that several actions share, such as concurrent builds.

    Attributes:
        capacity: how many actions may work at once; at least 1.
        when_full: ``"queue"``: the next action waits in line; ``"fail"``: it fails at once.

    >>> Pool(2).when_full
    'queue'
    """

    capacity: int
    when_full: str = "queue"

    def __post_init__(self) -> None:
        object.__setattr__(self, "capacity", whole("capacity", self.capacity, least=1))
        if self.when_full not in WHEN_FULL:
            raise AssumptionFault(("when_full",), f"{self.when_full!r} is unknown; choose 'queue' or 'fail'")


@dataclass(frozen=True, slots=True)
class RuleAssumption:
    """What is assumed of one rule of a stage condition.

    Attributes:
        duration: how long it takes, in seconds; None: the catalog's.
        fails: the odds (0 to 1) that it fails.
        fails_on: the numbers of its runs that fail, counted over the whole simulation.

    >>> RuleAssumption(fails=0.1).fails
    0.1
    """

    duration: Distribution | None = None
    fails: float = 0.0
    fails_on: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _luck(self, "fails", "fails_on")
        _optional_distributions(self, "duration")


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

    >>> Delays().approval_tick, Delays.none().approval_tick
    (30.0, 0.0)
    """

    start: float = 0.2
    between_stages: float = 0.4
    approval_tick: float = 30.0
    continuation_tick: float = 30.0
    polling: float = 60.0
    transfer_rate: float = 0.0

    def __post_init__(self) -> None:
        for member in ("start", "between_stages", "approval_tick", "continuation_tick", "polling"):
            object.__setattr__(self, member, time_span(member, getattr(self, member)))
        rate = number("transfer_rate", self.transfer_rate)
        if rate < 0:
            raise AssumptionFault(("transfer_rate",), f"{rate:g} bytes a second is negative; 0 switches copying off")
        object.__setattr__(self, "transfer_rate", rate + 0.0)

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
        luck: the ``"Stage/Action"`` whose luck another one has, by the other's key: an action that was moved to
            another stage keeps its luck, so that only the move is compared. Profiles do not hold it.
    """

    start: datetime = MONDAY_MORNING
    actions: Mapping[str, ActionAssumption] = field(default_factory=immutabledict)
    approvals: Mapping[str, Approver] = field(default_factory=immutabledict)
    rules: Mapping[str, RuleAssumption] = field(default_factory=immutabledict)
    arrivals: Arrivals = field(default_factory=Once)
    pools: Mapping[str, Pool] = field(default_factory=immutabledict)
    delays: Delays = field(default_factory=Delays)
    name: str = ""
    luck: Mapping[str, str] = field(default_factory=immutabledict)

    def __post_init__(self) -> None:
        if not isinstance(self.start, datetime) or self.start.utcoffset() is None:
            raise AssumptionFault(("start",), f"{self.start!s} has no time zone; add tzinfo=datetime.UTC")
        if not 1970 <= self.start.year <= 2999:
            raise AssumptionFault(("start",), f"{self.start!s} is not between the years 1970 and 2999")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        kinds: Mapping[str, type] = {
            "actions": ActionAssumption,
            "approvals": Approver,
            "rules": RuleAssumption,
            "pools": Pool,
            "luck": str,
        }
        for member, kind in kinds.items():
            for key, value in _mapping(self, member).items():
                if not isinstance(value, kind):
                    raise AssumptionFault((member, key), f"{value!r} is not of type {kind.__name__}")
        if isinstance(self.arrivals, type) or not isinstance(self.arrivals, Arrivals):
            raise AssumptionFault(("arrivals",), f"{self.arrivals!r} is no plan of arrivals; write Every(1200)")
        if not isinstance(self.delays, Delays):
            raise AssumptionFault(("delays",), f"{self.delays!r} is not of type Delays; write Delays.none() for none")
        _texts(self, "name")


def _luck(instance: object, share: str, script: str) -> None:
    object.__setattr__(instance, share, odds(share, getattr(instance, share)))
    runs = getattr(instance, script)
    if isinstance(runs, (str, bytes)) or not isinstance(runs, Iterable):
        raise AssumptionFault((script,), f"{runs!r} is not a list of run numbers such as [2]")
    object.__setattr__(instance, script, tuple(sorted({whole(script, run, least=1) for run in runs})))


def _optional_distributions(instance: object, *members: str) -> None:
    for member in members:
        if getattr(instance, member) is not None:
            distribution(member, getattr(instance, member))


def _texts(instance: object, *members: str) -> None:
    for member in members:
        if not isinstance(getattr(instance, member), str):
            raise AssumptionFault((member,), f"{getattr(instance, member)!r} is not text")


def _mapping(instance: object, member: str) -> Mapping[str, Any]:
    value = getattr(instance, member)
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise AssumptionFault((member,), f"{value!r} is not a table of names")
    frozen: Mapping[str, Any] = immutabledict(value)
    object.__setattr__(instance, member, frozen)
    return frozen


DEFAULT_APPROVER = Approver(response=LogNormal(median=1800.0, p95=14_400.0))
"""Assumed of approvals that no assumption names: somebody approves, round the clock, after a median of 30 minutes
and in 95 of 100 cases within 4 hours, so that a pipeline without a profile runs through.
`Approver()` with no response leaves the approval to a command."""
