"""Notification rules: which events of which pipeline are told to which topics.

Source: AWS CodeStar Notifications API reference; Developer Tools console User Guide, "Events for notification rules on
pipelines".
"""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random

PREFIX = "codepipeline-pipeline-"
LEVELS = {
    "pipeline-execution": (
        "Pipeline execution",
        ("failed", "canceled", "started", "resumed", "succeeded", "superseded"),
    ),
    "stage-execution": ("Stage execution", ("started", "succeeded", "resumed", "canceled", "failed")),
    "action-execution": ("Action execution", ("succeeded", "failed", "canceled", "started")),
    "manual-approval": ("Manual approval", ("failed", "needed", "succeeded")),
}
EVENT_TYPES = {
    f"{PREFIX}{level}-{state}": (label, state.capitalize())
    for level, (label, states) in LEVELS.items()
    for state in states
}
"""What each event type is called, by its id."""

OTHERS = ("codebuild-project-", "codecommit-repository-", "codedeploy-application-")
"""How the event types of other services begin; rules may ask for them and are not told."""


class NotificationsBackend(BaseBackend):
    """The notification rules of one account in one region, by ARN."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.rules: dict[str, dict[str, Any]] = {}

    def create(self, given: dict[str, Any]) -> str:
        """Make a rule and return its ARN."""
        if any(rule["Name"] == given["Name"] for rule in self.rules.values()):
            raise JsonRESTError(
                "ResourceAlreadyExistsException", f"A notification rule named {given['Name']} already exists."
            )
        _refuse_unknown(given["EventTypeIds"])
        id = str(mock_random.uuid4()).replace("-", "")
        arn = f"arn:aws:codestar-notifications:{self.region_name}:{self.account_id}:notificationrule/{id}"
        self.rules[arn] = {
            "Arn": arn,
            "Name": given["Name"],
            "EventTypeIds": list(given["EventTypeIds"]),
            "Resource": given["Resource"],
            "Targets": [_target(each) for each in given["Targets"]],
            "DetailType": given["DetailType"],
            "Status": given.get("Status") or "ENABLED",
            "Tags": dict(given.get("Tags") or {}),
            "CreatedBy": f"arn:aws:iam::{self.account_id}:root",
            "CreatedTimestamp": unix_time(),
            "LastModifiedTimestamp": unix_time(),
        }
        return arn

    def find(self, arn: str) -> dict[str, Any]:
        """Return a rule, or raise ResourceNotFoundException."""
        try:
            return self.rules[arn]
        except KeyError:
            raise JsonRESTError("ResourceNotFoundException", f"Notification rule {arn} does not exist.") from None

    def update(self, arn: str, given: dict[str, Any]) -> None:
        """Change what is given of a rule."""
        rule = self.find(arn)
        if given.get("EventTypeIds"):
            _refuse_unknown(given["EventTypeIds"])
        for name in ("Name", "Status", "EventTypeIds", "DetailType"):
            if given.get(name):
                rule[name] = given[name]
        if given.get("Targets"):
            rule["Targets"] = [_target(each) for each in given["Targets"]]
        rule["LastModifiedTimestamp"] = unix_time()

    def subscribe(self, arn: str, target: dict[str, str]) -> None:
        """Tell one more topic."""
        rule = self.find(arn)
        self.unsubscribe(arn, target["TargetAddress"])
        rule["Targets"].append(_target(target))

    def unsubscribe(self, arn: str, address: str) -> None:
        """Tell a topic no more."""
        rule = self.find(arn)
        rule["Targets"] = [each for each in rule["Targets"] if each["TargetAddress"] != address]

    def delete_target(self, address: str, everywhere: bool) -> None:
        """Forget a target; rules that use it must be unsubscribed first, or at once with `everywhere`."""
        using = [rule for rule in self.rules.values() if any(t["TargetAddress"] == address for t in rule["Targets"])]
        if using and not everywhere:
            raise JsonRESTError("ValidationException", f"Target {address} is used by notification rules.")
        for rule in using:
            self.unsubscribe(rule["Arn"], address)

    def wanting(self, resource: str, event_types: set[str]) -> list[dict[str, Any]]:
        """Return the enabled rules about a resource that ask for any of these event types."""
        return [
            rule
            for rule in self.rules.values()
            if rule["Status"] == "ENABLED" and rule["Resource"] == resource and event_types & set(rule["EventTypeIds"])
        ]


def _target(given: dict[str, str]) -> dict[str, str]:
    return {
        "TargetType": given.get("TargetType") or "SNS",
        "TargetAddress": given["TargetAddress"],
        "TargetStatus": "ACTIVE",
    }


def _refuse_unknown(ids: list[str]) -> None:
    for id in ids:
        if id not in EVENT_TYPES and not id.startswith(OTHERS):
            raise JsonRESTError("ValidationException", f"Invalid event type id: {id}")


notifications_backends = BackendDict(NotificationsBackend, "codestar-notifications")
