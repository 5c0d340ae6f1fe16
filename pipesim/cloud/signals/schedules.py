"""Rules with a schedule: they fire as virtual time passes.

Source: Amazon EventBridge User Guide, "Creating a rule that runs on a schedule": rates begin when the rule is made,
cron expressions have six fields and are in UTC.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import simpy
from moto.events.models import EventsBackend

from pipesim.engine.cron import Cron
from pipesim.errors import DeclarationError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
LONGEST = 366 * 86400.0
DETAIL_TYPE = "Scheduled Event"


def keep(account: Account, backend: EventsBackend, rule: Any) -> None:
    """Let a rule with a schedule fire from now on, until it is replaced or deleted.

    Args:
        account: whose.
        backend: moto's, which holds the rule.
        rule: moto's record.

    Raises:
        DeclarationError: its expression cannot be understood.
    """
    if rule.scheduled_expression:
        wait = Schedule(rule.scheduled_expression)
        account.env.process(_live(account, backend, rule, wait))


class Schedule:
    """When a rule fires.

    Args:
        expression: ``rate(5 minutes)`` or ``cron(0 9 ? * MON-FRI *)``.

    Raises:
        DeclarationError: it cannot be understood.
    """

    def __init__(self, expression: str) -> None:
        kind, _, inner = expression.rstrip(")").partition("(")
        self._rate, self._cron = 0.0, None
        if kind == "rate":
            number, _, unit = inner.partition(" ")
            self._rate = float(number) * UNITS.get(unit.strip().rstrip("s"), 0.0)
            if self._rate <= 0:
                raise DeclarationError(
                    f"schedule '{expression}': a rate is a number above 0 and minutes, hours or days"
                )
        else:
            self._cron = Cron(f"0 {inner}")

    def wait(self, account: Account) -> float | None:
        """Return the seconds from now until it fires next; None: never within a year."""
        if self._cron is None:
            return self._rate
        now = account.now
        start = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        delay = self._cron.seconds_until_open(start, LONGEST)
        return None if delay is None else delay + (start - now).total_seconds()


def _live(account: Account, backend: EventsBackend, rule: Any, schedule: Schedule) -> Generator[simpy.Event, Any, None]:
    while (wait := schedule.wait(account)) is not None:
        yield account.env.timeout(wait)
        bus: Any = backend.event_buses.get(rule.event_bus_name)
        if bus is None or bus.rules.get(rule.name) is not rule:
            return
        if rule.state == "ENABLED":
            event = account.bus.envelope("aws.events", DETAIL_TYPE, {}, (rule.arn,))
            account.bus.keep(event)
            for target in list(rule.targets):
                account.bus.send(rule, target, event)
