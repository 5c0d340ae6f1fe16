"""moto's EventBridge led through the account's bus: ``PutEvents``, patterns and ``TestEventPattern``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventPattern, EventPatternParser, EventsBackend, Rule
from moto.events.responses import EventsHandler

from pipesim.cloud.codepipeline.models import ACCOUNTS
from pipesim.cloud.signals.patterns import matches, problem_of
from pipesim.cloud.signals.schedules import keep
from pipesim.errors import DeclarationError

_originals: list[tuple[type, str, Any]] = []


def install() -> None:
    """Lead moto's events through the bus; without effect the second time."""
    if _originals:
        return
    put_events = EventsBackend.put_events

    def put(self: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answers = put_events(self, events)
        bus = ACCOUNTS.find(self.account_id, self.region_name).bus
        for event, answer in zip(events, answers, strict=True):
            if "EventId" in answer:
                envelope = bus.envelope(
                    event["Source"],
                    event["DetailType"],
                    json.loads(event["Detail"]),
                    event.get("Resources") or (),
                    id=answer["EventId"],
                )
                if "Time" in event:
                    envelope["time"] = _stamp(event["Time"])
                bus.receive(envelope, self._normalize_event_bus_arn(event.get("EventBusName")), at_once=True)
        return answers

    put_rule = EventsBackend.put_rule

    def put_scheduled(self: EventsBackend, name: str, *given: Any, **named: Any) -> Rule:
        rule = put_rule(self, name, *given, **named)
        try:
            keep(ACCOUNTS.find(self.account_id, self.region_name), self, rule)
        except DeclarationError as error:
            self.event_buses[rule.event_bus_name].rules.pop(name, None)
            raise ValidationException("Parameter ScheduleExpression is not valid.") from error
        return rule

    _swap(EventsBackend, "put_rule", put_scheduled)
    _swap(EventsBackend, "put_events", put)
    _swap(Rule, "send_to_targets", _replay)
    _swap(EventPattern, "matches_event", lambda self, event: matches(self._pattern, event))
    _swap(EventPatternParser, "_validate_event_pattern", _refuse_bad)
    _swap(EventsHandler, "test_event_pattern", _test_event_pattern)


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        owner, name, original = _originals.pop()
        setattr(owner, name, original)


def _swap(owner: type, name: str, replacement: Callable[..., Any]) -> None:
    _originals.append((owner, name, owner.__dict__[name]))
    setattr(owner, name, replacement)


def _replay(self: Rule, original_event: Any, transform_input: bool = True) -> None:
    """Bring an archived event to a rule; what `PutEvents` sends goes through the bus instead."""
    if transform_input or not matches(self.event_pattern.get_pattern(), original_event):
        return
    bus = ACCOUNTS.find(self.account_id, self.region_name).bus
    for target in list(self.targets):
        bus.send(self, target, dict(original_event), at_once=True)


def _refuse_bad(self: EventPatternParser, pattern: Any) -> None:
    if pattern is not None and (problem := problem_of(pattern)):
        raise InvalidEventPatternException(reason=problem)


def _test_event_pattern(self: EventsHandler) -> str:
    """TestEventPattern: whether an event matches a pattern."""
    pattern = EventPatternParser(self._get_param("EventPattern")).parse()
    return json.dumps({"Result": matches(pattern, json.loads(self._get_param("Event")))})


def _stamp(time: Any) -> str:
    if isinstance(time, (int, float)):
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return str(time)
