"""The single targets of deploys, as ListDeployActionExecutionTargets tells them.

The names of lifecycle events and target types are assumed: the reference names none.
Source: AWS CodePipeline API reference, ListDeployActionExecutionTargets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun


@dataclass(slots=True, eq=False)
class DeployTarget:
    """One target of one action execution.

    Attributes:
        id: such as an instance's.
        kind: such as ``EC2``.
        status: Pending, InProgress, Succeeded, Failed or Skipped.
        started, ended: when; None: not yet.
        events: lifecycle events as the API tells them.
    """

    id: str
    kind: str
    status: str = "Pending"
    started: datetime | None = None
    ended: datetime | None = None
    events: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, now: datetime, event: str, command: str = "") -> None:
        """A lifecycle event begins."""
        self.status, self.started = "InProgress", self.started or now
        context = {"context": {"ssmCommandId": command}} if command else {}
        self.events.append({"name": event, "status": "InProgress", "startTime": now, **context})

    def end(self, now: datetime, problem: str = "") -> None:
        """The lifecycle event that has begun ends; with a problem it fails, and the target with it."""
        event = self.events[-1]
        event |= {"status": "Failed" if problem else "Succeeded", "endTime": now}
        if problem:
            event["context"] = {**event.get("context", {}), "message": problem}
            self.close(now, "Failed")

    def close(self, now: datetime, status: str) -> None:
        """The target is done."""
        self.status, self.ended = status, now

    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        told: dict[str, Any] = {"targetId": self.id, "targetType": self.kind, "status": self.status}
        times = {"startTime": self.started, "endTime": self.ended}
        return {**told, **{name: time for name, time in times.items() if time is not None}, "events": self.events}


_targets: WeakKeyDictionary[Account, dict[str, list[DeployTarget]]] = WeakKeyDictionary()
_received: WeakKeyDictionary[Account, set[tuple[str, str]]] = WeakKeyDictionary()


def open_targets(account: Account, run: ActionRun, ids: Iterable[str], kind: str) -> list[DeployTarget]:
    """Write down the targets of an action execution.

    Args:
        account: the mocked account.
        run: the action.
        ids: of the targets.
        kind: of the targets.
    """
    made = [DeployTarget(id, kind) for id in ids]
    _targets.setdefault(account, {})[run.id] = made
    return made


def targets_of(account: Account, action_execution: str) -> list[DeployTarget]:
    """Return the targets of an action execution, in the order of deployment."""
    return _targets.get(account, {}).get(action_execution, [])


def received(account: Account) -> set[tuple[str, str]]:
    """Return which target has received which artifact (its key)."""
    return _received.setdefault(account, set())
