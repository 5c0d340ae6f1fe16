"""The event bus of an account: what its services announce, and who is told.

Every service of the account puts its events here, and so does a person with ``PutEvents``. An event is kept, and
in the same moment of virtual time, in a step of its own, it reaches the targets of the rules whose pattern it matches
(`pipesim.cloud.signals.targets`). The real bus takes half a second or so and may deliver twice or out of order.
Source: Amazon EventBridge User Guide, "Amazon EventBridge events" (the envelope).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import UUID

from moto.events.models import events_backends

from pipesim.cloud.signals.notifications import notify
from pipesim.cloud.signals.patterns import matches, read
from pipesim.cloud.signals.targets import deliver
from pipesim.errors import PipesimError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

DEFAULT = "default"
MOST_EVENTS = 20_000
"""How many events an account remembers; older ones are forgotten, those delivered are with their targets."""

MOST_IN_A_ROW = 50
"""How many deliveries may cause one another without any time passing. (Lambda itself stops such loops at about 16.)"""

ARCHIVING = "prod.vhs.events.aws.internal"
ENABLED = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")

_in_a_row: ContextVar[int] = ContextVar("deliveries in a row", default=0)


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """An event that did not reach a target.

    Attributes:
        event: the event's id.
        rule, target: which.
        reason: why not.
        time: seconds since the start.
    """

    event: str
    rule: str
    target: str
    reason: str
    time: float


class Bus:
    """The event buses of one account in one region.

    Args:
        account: whose.

    Attributes:
        failures: deliveries that did not succeed, the oldest first.
        pending: how many deliveries are on their way.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._kept: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self._count = 0
        self.failures: deque[FailedDelivery] = deque(maxlen=MOST_EVENTS)
        self.pending = 0

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the default bus in their envelopes, the oldest first."""
        return list(self._kept)

    def matching(self, pattern: str | Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the events that match a pattern, the oldest first.

        Args:
            pattern: an event pattern, as JSON text or parsed; None: all.

        Raises:
            PipesimError: it is no event pattern.
        """
        if pattern is None:
            return self.events
        wanted = read(pattern)
        return [event for event in self._kept if matches(wanted, event)]

    def publish(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        *,
        resources: Iterable[str] = (),
        region: str | None = None,
    ) -> dict[str, Any]:
        """Put one event on the default bus, as a service of AWS does; it is delivered in this moment's next step.

        Args:
            source: such as ``aws.codebuild``.
            detail_type: such as ``CodeBuild Build State Change``.
            detail: what it says; values that JSON knows.
            resources: ARNs that it is about.
            region: on which region's bus; None: the account's own.

        Returns:
            The event in its envelope.
        """
        if region is not None and region != self._account.region:
            return self._account.sibling(region).bus.publish(source, detail_type, detail, resources=resources)
        event = self.envelope(source, detail_type, detail, resources)
        self.receive(event)
        return event

    def envelope(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Iterable[str] = (), id: str = ""
    ) -> dict[str, Any]:
        """Return an event as it travels; see `publish`.

        Args:
            source, detail_type, detail, resources: what it says.
            id: its id; empty: a new one.
        """
        account = self._account
        if not id:
            self._count += 1
            name = f"{account.seed}/{account.id}/{account.region}/event {self._count}"
            id = str(UUID(bytes=blake2b(name.encode(), digest_size=16).digest(), version=4))
        return {
            "version": "0",
            "id": id,
            "detail-type": detail_type,
            "source": source,
            "account": account.id,
            "time": f"{account.now:%Y-%m-%dT%H:%M:%SZ}",
            "region": account.region,
            "resources": list(resources),
            "detail": detail,
        }

    def receive(self, event: dict[str, Any], bus: str = DEFAULT, *, at_once: bool = False) -> None:
        """Keep an event and see that it reaches whoever wants it.

        Args:
            event: in its envelope.
            bus: the bus's name.
            at_once: deliver before this returns, where no step of the clock is being done.
        """
        if bus == DEFAULT:
            self.keep(event)
            notify(self._account, event)
        account = self._account
        found = events_backends[account.id][account.region].event_buses.get(bus)
        if found is None or not found.rules:
            return
        for rule in list(found.rules.values()):
            pattern = rule.event_pattern.get_pattern()
            if rule.state not in ENABLED or not pattern or not matches(pattern, event):
                continue
            if rule.managed_by == ARCHIVING:
                _archive(account, rule, event)
                continue
            for target in list(rule.targets):
                self.send(rule, target, event, at_once=at_once)

    def keep(self, event: dict[str, Any]) -> None:
        """Remember an event without telling anybody."""
        self._kept.append(event)

    def send(self, rule: Any, target: Mapping[str, Any], event: dict[str, Any], *, at_once: bool = False) -> None:
        """Send an event to one target of a rule.

        Args:
            rule: moto's record.
            target: as ``PutTargets`` took it.
            event: in its envelope.
            at_once: see `receive`.
        """
        self.soon(lambda: deliver(self._account, rule, target, event), f"rule {rule.name}", at_once=at_once)

    def fail(self, event: str, rule: str, target: str, reason: str) -> None:
        """Note that an event did not reach a target."""
        self.failures.append(FailedDelivery(event, rule, target, reason, self._account.env.now))

    def later(self, seconds: float, call: Callable[[], object], what: str = "an event") -> None:
        """Do something on the way of an event, later; `run_until_idle` waits for it.

        Args:
            seconds: from now.
            call: what to do.
            what: whom an error names.
        """
        self.pending += 1
        timer = self._account.env.timeout(seconds)
        assert timer.callbacks is not None
        row = _in_a_row.get() + 1 if seconds == 0 else 0
        timer.callbacks.append(lambda _: self._arrive(call, row, what))

    def soon(self, call: Callable[[], object], what: str, *, at_once: bool = True) -> None:
        """Do something in this moment's next step, or at once where no step of the clock is being done.

        Args:
            call: what to do.
            what: whom an error names.
            at_once: whether that is wanted.
        """
        if at_once and not self._account.env.moving and not _in_a_row.get():
            _carry_out(call, 1)
        else:
            self.later(0, call, what)

    def _arrive(self, call: Callable[[], object], row: int, what: str) -> None:
        self.pending -= 1
        if row > MOST_IN_A_ROW:
            raise PipesimError(
                f"{what}: {MOST_IN_A_ROW} deliveries at {self._account.now:%Y-%m-%d %H:%M:%S} UTC each caused the next;"
                " events go round in a circle (take the rule or the call out that sends them back)"
            )
        _carry_out(call, row)


def _carry_out(call: Callable[[], object], row: int) -> None:
    before = _in_a_row.set(row)
    try:
        call()
    finally:
        _in_a_row.reset(before)


def _archive(account: Account, rule: Any, event: dict[str, Any]) -> None:
    """Put an event into moto's archive, which the rule stands for."""
    archive = events_backends[account.id][account.region].archives.get(rule.name.removeprefix("Events-Archive-"))
    if archive is not None:
        archive.events.append(json.loads(json.dumps(event)))
