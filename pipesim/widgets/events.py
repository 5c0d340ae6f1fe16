"""The stream of EventBridge events of a mocked cloud, and the rule that would catch each of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import traitlets

from pipesim.errors import PipesimError, SourceError
from pipesim.widgets.desk import Desk, desk_module

MOST_ROWS = 300
TELLING = ("pipeline", "stage", "action", "state", "type", "eventName", "project-name", "build-status", "deploymentId")
"""Members of an event's detail that are shown in its line, in this order."""

CATCHING = ("pipeline", "stage", "action", "state", "project-name", "build-status", "eventName", "eventSource")
"""Members of an event's detail that a rule asks for, so that it catches this kind of event and no other."""

Event = dict[str, Any]


class Events(Desk):
    """The events that services and people put on the account's bus, the newest last.

    Args:
        cloud: an open cloud.

    Attributes:
        pattern: an EventBridge pattern as JSON; only events that it matches are shown. Empty: all.
        words: only events that contain all these words are shown.
        selection: the id of the selected event, whose whole text and rule are shown; empty: none.
        problem: why the pattern is none; empty when it is one.

    >>> import pipesim
    >>> with pipesim.Cloud(actions="assumed") as cloud:
    ...     detail = {"project-name": "shop", "build-status": "FAILED"}
    ...     _ = cloud.account.bus.publish("aws.codebuild", "CodeBuild Build State Change", detail)
    ...     rule_for(Events(cloud, words="failed").shown[0])["detail"]
    {'project-name': ['shop'], 'build-status': ['FAILED']}
    """

    _esm = desk_module("events.js")

    pattern = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    selection = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, cloud: Any, **traits: Any) -> None:
        super().__init__(cloud, **traits)
        self._known: list[Event] = []
        self.refresh()
        self.observe(lambda _: self.refresh(), ["pattern", "words", "selection"])

    @property
    def shown(self) -> list[Event]:
        """The events that the pattern and the words let through, in their envelopes, the oldest first.

        Raises:
            PipesimError: the pattern is none.
        """
        wanted = self.words.lower().split()
        found = self._all(self.pattern.strip() or None)
        return [event for event in found if all(word in json.dumps(event).lower() for word in wanted)]

    @property
    def selected(self) -> Event | None:
        """The selected event in its envelope."""
        return next((event for event in self._all(None) if event["id"] == self.selection), None)

    @property
    def rule(self) -> dict[str, Any]:
        """The pattern of a rule that would catch the selected event and others like it.

        Raises:
            SourceError: no event is selected.
        """
        event = self.selected
        if event is None:
            raise SourceError("no event is selected: set selection to the id of one")
        return rule_for(event)

    def facts(self) -> dict[str, Any]:
        """Return what the page shows, as JSON has it."""
        self.problem = ""
        try:
            shown = self.shown
        except PipesimError as error:
            self.problem = str(error)
            shown = []
        event = self.selected
        return {
            "all": len(self._all(None)),
            "count": len(shown),
            "rows": [
                {
                    "id": one["id"],
                    "time": str(one["time"]),
                    "source": one["source"],
                    "type": one["detail-type"],
                    "text": _told(one),
                }
                for one in shown[-MOST_ROWS:]
            ],
            "event": "" if event is None else json.dumps(event, indent=2, default=str),
            "rule": "" if event is None else json.dumps(rule_for(event), indent=2),
        }

    def _all(self, pattern: str | None) -> list[Event]:
        if self.cloud.is_open and pattern is None:
            self._known = self.cloud.events()
        return self._known if pattern is None else self.cloud.events(pattern)


def rule_for(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pattern of a rule that catches an event: its source, its type, and what its detail says of where.

    Args:
        event: in its envelope.
    """
    detail = event.get("detail") or {}
    asked = {name: [detail[name]] for name in CATCHING if isinstance(detail.get(name), str)}
    pattern = {"source": [event["source"]], "detail-type": [event["detail-type"]]}
    return {**pattern, "detail": asked} if asked else pattern


def _told(event: Mapping[str, Any]) -> str:
    detail = event.get("detail") or {}
    return ", ".join(
        str(value if not isinstance(value, dict) else value.get("provider", ""))
        for name in TELLING
        if (value := detail.get(name))
    )
