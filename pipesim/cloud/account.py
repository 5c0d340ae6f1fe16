"""The mocked AWS account: `Cloud`, which a person opens, and the `Account` that its rooms work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from hashlib import blake2b
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID

from pipesim.assumptions.arrivals import At
from pipesim.assumptions.model import Approver, Assumptions, Delays, Pool
from pipesim.cloud import permissions, swap
from pipesim.cloud.artifacts import expire
from pipesim.cloud.clock import IMMEDIATE, MANUAL, CloudClock
from pipesim.cloud.codepipeline.custom_types import CustomTypes
from pipesim.cloud.codepipeline.history import History
from pipesim.cloud.codepipeline.jobs import Jobs
from pipesim.cloud.codepipeline.pipelines import is_polled
from pipesim.cloud.codepipeline.webhooks import Webhooks
from pipesim.cloud.idle import Idleness
from pipesim.cloud.refusals import told_shortly
from pipesim.cloud.repositories import RemoteRepository, Remotes, connect
from pipesim.cloud.signals import alarm_rule
from pipesim.cloud.signals.alarms import Alarms
from pipesim.cloud.signals.bus import Bus
from pipesim.cloud.signals.pipeline_events import Announcer
from pipesim.cloud.signals.trail import Trail
from pipesim.cloud.virtual_time import VIRTUAL_TIME
from pipesim.definition.model import Pipeline, Stage
from pipesim.engine.behaviours import Behaviour
from pipesim.engine.commands import Stop
from pipesim.engine.pools import PoolInUse
from pipesim.engine.simulation import Simulation
from pipesim.errors import AssumptionError
from pipesim.trace.snapshot import StageState
from pipesim.vocabulary import ActionCategory, ActionOwner

if TYPE_CHECKING:
    from pipesim.cloud.breaking import Broken
    from pipesim.cloud.explanation import Explanation
    from pipesim.cloud.polling import Poller
    from pipesim.cloud.workers import JobWorker
    from pipesim.engine.action import ActionRun
    from pipesim.views.chart import Chart

Worker = TypeVar("Worker", bound="JobWorker")

REGION = "us-east-1"
REAL, ASSUMED = "real", "assumed"
BUILDS = 60
"""Concurrent builds of an account, where the assumptions do not say; assumed: AWS gives each account its own."""


@dataclass(eq=False)
class PipelineRecord:
    """One pipeline of an account.

    Attributes:
        name: its name.
        arn: its name in the whole of AWS.
        simulation: the engine that runs it; state and history are read off its trace.
        history: what the history calls answer from, kept up with the trace.
        versions: every accepted declaration; the last one is in force.
        created, updated: calendar moments.
        tags: its tags.
        behaviours: what its actions do, by ``Category/Provider``.
        polling_disabled_at: when polling was switched off; None: it was not.
        poller: looks at its polled sources; None: it has none, or actions are only assumed.
        shown: how each stage was last shown, kept as long as nothing happens in it.
    """

    name: str
    arn: str
    simulation: Simulation
    history: History
    versions: list[Pipeline]
    created: datetime
    updated: datetime
    tags: dict[str, str] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    polling_disabled_at: datetime | None = None
    poller: Poller | None = None
    shown: dict[str, tuple[StageState, Stage, dict[str, Any]]] = field(default_factory=dict)

    @property
    def pipeline(self) -> Pipeline:
        """The declaration in force."""
        return self.versions[-1]


class Account:
    """One account in one region, as the mocked services' rooms see it.

    Args:
        clock: the clock that it shares with every other account of the cloud.
        id: its twelve digits.
        region: where it is.
        seed: the number on which all luck hangs.
        assumptions: what is assumed of its pipelines; keys may speak of any of them.
        actions: ``real``: actions touch the mocked account; ``assumed``: they only take their time.
        family: the accounts of the same cloud, by id and region; this one adds itself.
        closing: what is to be undone when the cloud is closed.

    Attributes:
        env: the clock.
        lock: every door takes it.
        pipelines: by name.
        jobs: jobs of custom actions, partners and functions.
        custom_types: the action types that it made.
        webhooks: webhooks of version 1.
        bus: the event bus; `publish` puts an event on it.
        remotes: repositories outside of AWS; all accounts of the cloud share them.
        alarms: looks after CloudWatch's alarms.
        trail: the calls that CloudTrail knows.
        pools: what actions of all pipelines share, by name.
        endpoint: where it is served over HTTP; "" when it is not.
        swept_on: the day on which lifecycle rules were last obeyed; None: never.
    """

    def __init__(
        self,
        clock: CloudClock,
        *,
        id: str = DEFAULT_ACCOUNT_ID,
        region: str = REGION,
        seed: int = 0,
        assumptions: Assumptions | None = None,
        actions: str = REAL,
        family: dict[tuple[str, str], Account] | None = None,
        closing: ExitStack | None = None,
    ) -> None:
        self.env = clock
        self.lock = clock.lock
        self.id = id
        self.region = region
        self.seed = seed
        self.start = clock.start
        self.actions = actions
        self.assumptions = _ready(assumptions, clock.start)
        self.pipelines: dict[str, PipelineRecord] = {}
        self.endpoint = ""
        self.custom_types = CustomTypes(self)
        self.jobs = Jobs(self)
        self.webhooks = Webhooks(self)
        self.bus = Bus(self)
        self.alarms = Alarms(self)
        pools = {"builds": Pool(BUILDS), **self.assumptions.pools}
        self.pools = {name: PoolInUse(clock, name, pool) for name, pool in pools.items()}
        self.family = {} if family is None else family
        self.trail: Trail = next(iter(self.family.values())).trail if self.family else Trail(self)
        self.remotes: Remotes = next((one.remotes for one in self.family.values()), None) or Remotes()
        self.family[id, region] = self
        self.closing = ExitStack() if closing is None else closing
        self.swept_on: date | None = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._created = 0
        self._session: boto3.Session | None = None

    @property
    def now(self) -> datetime:
        """The calendar moment of now, in UTC."""
        return self.env.moment

    @property
    def delays(self) -> Delays:
        """The service's own small delays."""
        return self.assumptions.delays

    def moment(self, time: float) -> datetime:
        """Return the calendar moment of a time of the trace.

        Args:
            time: seconds since the start.
        """
        return self.env.moment_of(time)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client that may do everything in this account.

        Args:
            service: such as ``s3``.
            region: where; None: the account's own region.
        """
        key = (service, region or self.region)
        with self.lock:
            if key not in self._clients:
                if self._session is None:
                    self._session = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")
                self._clients[key] = self._session.client(service, region_name=key[1])
            return self._clients[key]

    def role_client(self, run: ActionRun, service: str, region: str | None = None) -> Any:
        """Return a boto3 client that acts for an action, under its role or the pipeline's.

        Args:
            run: the action at work.
            service: such as ``s3``.
            region: where; None: the action's region.

        Raises:
            ClientError: the role cannot be assumed.
        """
        return permissions.role_client(self, run, service, region)

    def sibling(self, region: str | None = None, id: str | None = None) -> Account:
        """Return the same account in another region, or another account; it lives by the same clock."""
        key = (id or self.id, region or self.region)
        if key not in self.family:
            other = Account(
                self.env,
                id=key[0],
                region=key[1],
                seed=self.seed,
                assumptions=self.assumptions,
                actions=self.actions,
                family=self.family,
                closing=self.closing,
            )
            other.endpoint = self.endpoint
        return self.family[key]

    def serve(self, port: int = 0) -> str:
        """Answer over HTTP, if the account does not yet, and return the address; it ends with the cloud.

        Args:
            port: 0: any free one; without effect when the account answers already.

        Raises:
            SourceError: the port is taken.
        """
        if not self.endpoint:
            from pipesim.cloud.server import Server

            self.closing.callback(Server(self, port).start().stop)
        return self.endpoint

    def arn_of(self, name: str) -> str:
        """Return the ARN of a pipeline."""
        return f"arn:aws:codepipeline:{self.region}:{self.id}:{name}"

    def add(self, pipeline: Pipeline, tags: Mapping[str, str] | None = None) -> PipelineRecord:
        """Take a pipeline in and make the engine that runs it; nothing starts yet.

        Args:
            pipeline: free of problems.
            tags: its tags.
        """
        self._created += 1
        behaviours = self.behaviours_for(pipeline)
        digest = blake2b(f"{self.seed}/{self.id}/{self.region}/{pipeline.name}/{self._created}".encode(), digest_size=6)
        simulation = Simulation(
            pipeline,
            self.assumptions,
            seed=int.from_bytes(digest.digest(), "big"),
            uuids=True,
            account=self.id,
            region=self.region,
            env=self.env,
            pools=self.pools,
            behaviours=behaviours,
            strict=False,
        )
        record = PipelineRecord(
            name=pipeline.name,
            arn=self.arn_of(pipeline.name),
            simulation=simulation,
            history=History(simulation),
            versions=[pipeline],
            created=self.now,
            updated=self.now,
            tags=dict(tags or {}),
            behaviours=behaviours,
        )
        self.pipelines[pipeline.name] = record
        simulation.listen(Announcer(self, record).hear)
        return record

    def behaviours_for(self, pipeline: Pipeline) -> dict[str, Behaviour]:
        """Return what the actions of a pipeline do, where it is not the ordinary.

        Args:
            pipeline: its custom and partners' actions open jobs, whatever their provider is called.
        """
        if self.actions != REAL:
            return {}
        from pipesim.cloud.actions import behaviours, custom

        found: dict[str, Any] = dict(behaviours(self))
        found["Rule/CloudWatchAlarm"] = partial(alarm_rule.judge, self)
        acts = {ActionOwner.CUSTOM: custom.act, ActionOwner.THIRD_PARTY: custom.act_partner}
        for _, action in pipeline.actions():
            if action.type.owner in acts and action.category != ActionCategory.SOURCE:
                act = acts[ActionOwner(action.type.owner)]
                found.setdefault(f"{action.category}/{action.provider}", partial(act, self))
        return found

    def reset(self) -> None:
        """Forget every pipeline, job, custom type and webhook; what runs is abandoned unseen."""
        for record in list(self.pipelines.values()):
            for execution in list(record.simulation.executions.values()):
                if not execution.finished:
                    record.simulation.send(Stop(execution.id, abandon=True))
        self.pipelines.clear()
        self.custom_types, self.jobs, self.webhooks = CustomTypes(self), Jobs(self), Webhooks(self)
        self.bus, self.alarms = Bus(self), Alarms(self)

    def watch(self, record: PipelineRecord) -> None:
        """Poll the sources of a pipeline that want it, from now on; without effect when that goes on already.

        Args:
            record: new, or newly updated.
        """
        if self.actions == REAL and record.poller is None and is_polled(record.pipeline):
            from pipesim.cloud.polling import Poller

            record.polling_disabled_at = None
            record.poller = Poller(self, record)

    def settle(self) -> None:
        """With progression ``immediate``: let everything happen that needs no person."""
        if self.env.progression == IMMEDIATE:
            self.run_until_idle()

    def run_until_idle(self) -> None:
        """Let time pass until nothing can happen without a person, in any account of the cloud."""
        idleness = Idleness(self.family)
        while True:
            self.env.run_while(idleness.something_goes_on)
            if self.env.run_while(idleness.something_is_delivered):
                continue
            if not self.env.run_while(idleness.something_is_unseen):
                return

    def catch_up(self) -> None:
        """With progression ``time``: let everything happen that is due by the wall clock."""
        self.env.catch_up()


class Cloud:
    """A mocked AWS account in virtual time, in which pipelines really run.

    Use it as a context manager, or call `open` and `close`. Only one can be open at a time.

    Args:
        region: where clients are made for unless they say otherwise.
        start: the calendar moment of time zero, aware; None: that of the assumptions.
        seed: the number on which all luck hangs.
        assumptions: durations, odds, pools; keys may speak of any pipeline. Approvals wait for a person
            unless the assumptions name an approver.
        progression: ``manual``: time passes when told to (`advance`, `run_until_idle`); ``immediate``: after
            every call of CodePipeline everything happens that needs no person; ``time``: with the wall clock.
        speed: with ``time``: seconds of virtual time for each second on the wall.
        actions: ``real``: actions touch the mocked account; ``assumed``: they only take their assumed time.

    >>> with Cloud(actions="assumed") as cloud:
    ...     cloud.client("codepipeline").list_pipelines()["pipelines"]
    []
    """

    def __init__(
        self,
        *,
        region: str = REGION,
        start: datetime | None = None,
        seed: int = 0,
        assumptions: Assumptions | None = None,
        progression: str = MANUAL,
        speed: float = 1.0,
        actions: str = REAL,
    ) -> None:
        if actions not in (REAL, ASSUMED):
            raise AssumptionError(f"unknown actions {actions!r} (must be one of {REAL}, {ASSUMED})")
        self._clock = CloudClock(start or (assumptions or Assumptions()).start, progression, speed)
        self.account = Account(self._clock, region=region, seed=seed, assumptions=assumptions, actions=actions)
        self._open: ExitStack | None = None

    def open(self) -> Self:
        """Start mocking.

        Raises:
            PipesimError: another cloud is open.
        """
        with ExitStack() as stack:
            stack.enter_context(mock_aws())
            stack.enter_context(swap.swapped(self.account))
            stack.enter_context(told_shortly())
            self._open = stack.pop_all()
        self._clock.begin()
        return self

    def close(self) -> None:
        """Stop mocking and leave moto as it was."""
        opened, self._open = self._open, None
        if opened is not None:
            self.account.closing.close()
            opened.close()

    @property
    def is_open(self) -> bool:
        """Whether it is mocking."""
        return self._open is not None

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call a function each time that time has passed or a call to a service is over; return what ends it.

        Args:
            watcher: it should only look; what it does itself is not told to it.
        """
        watchers = self._clock.watchers
        watchers.append(watcher)
        return lambda: watchers.remove(watcher) if watcher in watchers else None

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def now(self) -> datetime:
        """The calendar moment of now, in UTC; with progression ``time`` the wall clock decides."""
        self._clock.catch_up()
        return self.account.now

    @property
    def time(self) -> float:
        """Seconds since the start; with progression ``time`` the wall clock decides."""
        self._clock.catch_up()
        return self._clock.now

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client of the mocked account.

        Args:
            service: such as ``codepipeline``.
            region: where; None: the cloud's own region.
        """
        return self.account.client(service, region)

    def advance(
        self, to: float | None = None, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Let time pass: everything due up to that moment happens in all pipelines.

        Args:
            to: seconds since the start.
            seconds, minutes, hours, days: or how far from now.

        Raises:
            AssumptionError: the moment lies in the past or is no number.
        """
        self._clock.move(to, seconds=seconds, minutes=minutes, hours=hours, days=days)
        with swap.inside(self.account):
            expire(self.account)

    def run_until_idle(self) -> None:
        """Let time pass until nothing can happen without a person."""
        self.account.run_until_idle()

    @overload
    def provision(
        self, pipeline: Pipeline | Mapping[str, Any] | str, *, create: Literal[True] = True
    ) -> PipelineRecord: ...

    @overload
    def provision(self, pipeline: Pipeline | Mapping[str, Any] | str, *, create: Literal[False]) -> Pipeline: ...

    def provision(
        self, pipeline: Pipeline | Mapping[str, Any] | str, *, create: bool = True
    ) -> PipelineRecord | Pipeline:
        """Stand up what a declaration needs and create the pipeline.

        Args:
            pipeline: a pipeline, or whatever `pipesim.load` reads.
            create: whether to create the pipeline, too.

        Returns:
            The pipeline's record; the declaration as it stands in the account when it is not to be created.

        Raises:
            PipesimError: the declaration breaks rules, or something it needs cannot be stood up.
        """
        from pipesim.cloud.provision import provision
        from pipesim.formats.load import load

        if not isinstance(pipeline, Pipeline):
            pipeline = load(pipeline)
        ready = provision(self.account, pipeline, create=create)
        return self.account.pipelines[ready.name] if create else ready

    def connect(self, provider: str = "GitHub", name: str | None = None) -> str:
        """Make a connection to a Git provider, complete its handshake, and return its ARN.

        Args:
            provider: ``GitHub``, ``Bitbucket``, ``GitLab``, ``GitHubEnterpriseServer`` or ``GitLabSelfManaged``.
            name: the connection's name; None: that of the provider.

        Raises:
            PipesimError: the provider is not known.
        """
        return connect(self.account, provider, name)

    def repository(self, name: str, provider: str = "GitHub") -> RemoteRepository:
        """Return a repository to push to, tag, and open pull requests in; one that is not there is made, empty.

        Args:
            name: ``owner/name``; for CodeCommit the name alone.
            provider: as `connect` takes it, or ``CodeCommit``.

        Raises:
            PipesimError: the provider is not known, or the name is none there.
        """
        return self.account.remotes.repository(self.account, name, provider)

    def push_image(self, repository: str, tag: str = "latest", content: str | None = None) -> str:
        """Push an image to ECR, as ``docker push`` does, and return its digest.

        Args:
            repository: its name; it is made when it is not there.
            tag: the image's tag.
            content: what it is made of; None: something new each time.
        """
        from pipesim.cloud.estate_sources import push_image

        return push_image(self.account, repository, tag, content)

    def events(self, pattern: str | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the events that the account's services and people have put on its buses, the oldest first.

        Args:
            pattern: an EventBridge pattern, as JSON text or a dict; None: all events.

        Raises:
            PipesimError: it is no event pattern.
        """
        found = [event for account in list(self.account.family.values()) for event in account.bus.matching(pattern)]
        return sorted(found, key=lambda event: str(event["time"]))

    def hire(self, worker: type[Worker], **options: Any) -> Worker:
        """Let a job worker work on the jobs of custom or third-party actions from now on, and return it.

        Args:
            worker: `pipesim.cloud.workers.JobWorker` or a class made from it, such as `pipesim.cloud.ci.Jenkins`.
            options: what its constructor takes.
        """
        hired = worker(self, **options)
        hired.prepare()
        hired.start()
        return hired

    def explain(self, pipeline: str | Pipeline | PipelineRecord, execution: str | None = None) -> Explanation:
        """Say where an execution stands or fell, the likely cause, how sure that is, and the next step.

        Args:
            pipeline: the pipeline or its name.
            execution: its id; None: the newest.

        Raises:
            PipesimError: there is no such pipeline or execution.
        """
        from pipesim.cloud.explain import explain

        return explain(self.account, pipeline, execution)

    @property
    def faults(self) -> tuple[str, ...]:
        """What `break_` can put into the account."""
        from pipesim.cloud.breaking import FAULTS

        return tuple(FAULTS)

    def break_(self, fault: str, pipeline: str | Pipeline | PipelineRecord, *, seed: int = 0) -> Broken:
        """Put a fault into a healthy account, for an exercise, and start an execution that meets it.

        Args:
            fault: one of `faults`.
            pipeline: the pipeline or its name.
            seed: the number that the place is chosen by.

        Raises:
            PipesimError: there is no such fault or pipeline, or nothing in it could break so.
        """
        from pipesim.cloud.breaking import break_

        return break_(self.account, fault, pipeline, seed=seed)

    def draw_dashboard(self, name: str, theme: str = "light") -> Chart:
        """Draw a CloudWatch dashboard that ``put_dashboard`` took, with what was measured so far.

        Args:
            name: the dashboard's name.
            theme: ``light`` or ``dark``.

        Raises:
            PipesimError: there is no such dashboard.
        """
        from pipesim.cloud.signals.dashboards import draw

        return draw(self.account, name, theme)

    def pipelines(self) -> Iterator[PipelineRecord]:
        """Every pipeline of every account and region of this cloud."""
        for account in list(self.account.family.values()):
            yield from account.pipelines.values()


def _ready(assumptions: Assumptions | None, start: datetime) -> Assumptions:
    """The same assumptions for a life driven by calls: no arrivals, and approvals wait for a person."""
    assumptions = assumptions or Assumptions()
    approvals = {"*": Approver(), **assumptions.approvals}
    return replace(assumptions, start=start.astimezone(UTC), arrivals=At(()), approvals=approvals)


__all__ = ["ASSUMED", "REAL", "VIRTUAL_TIME", "Account", "Cloud", "PipelineRecord"]
