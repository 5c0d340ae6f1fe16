"""The operations of notification rules. Source: AWS CodeStar Notifications API reference; botocore's model."""

from __future__ import annotations

import json
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import JsonRESTError
from moto.core.responses import BaseResponse

from pipesim.cloud.gaps.codestarnotifications.models import (
    EVENT_TYPES,
    NotificationsBackend,
    notifications_backends,
)


class NotificationsResponse(BaseResponse):
    """Each operation is a path of the same name."""

    def __init__(self) -> None:
        super().__init__(service_name="codestar-notifications")

    @property
    def backend(self) -> NotificationsBackend:
        """What keeps the rules."""
        found: NotificationsBackend = notifications_backends[self.current_account][self.region]
        return found

    def _get_action(self) -> str:
        name = self.path.rsplit("/", 1)[-1]
        return name[0].upper() + name[1:]

    def call_action(self) -> TYPE_RESPONSE:
        """Answer the request."""
        self._authenticate_and_authorize_normal_action("*")
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in self._get_action())
        operation = getattr(self, f"do{name}", None)
        headers = {"Content-Type": "application/json"}
        if operation is None:
            return 404, headers, json.dumps({"message": f"{self._get_action()} is not modelled"})
        try:
            return 200, headers, json.dumps(operation(json.loads(self.body or "{}")))
        except JsonRESTError as error:
            code = error.error_type
            return 400, {**headers, "x-amzn-errortype": str(code)}, json.dumps({"message": error.message})

    def do_create_notification_rule(self, given: dict[str, Any]) -> dict[str, Any]:
        """CreateNotificationRule."""
        return {"Arn": self.backend.create(given)}

    def do_describe_notification_rule(self, given: dict[str, Any]) -> dict[str, Any]:
        """DescribeNotificationRule."""
        rule = dict(self.backend.find(given["Arn"]))
        rule["EventTypes"] = [_event_type(id) for id in rule.pop("EventTypeIds")]
        return rule

    def do_update_notification_rule(self, given: dict[str, Any]) -> dict[str, Any]:
        """UpdateNotificationRule."""
        self.backend.update(given["Arn"], given)
        return {}

    def do_delete_notification_rule(self, given: dict[str, Any]) -> dict[str, Any]:
        """DeleteNotificationRule."""
        self.backend.rules.pop(given["Arn"], None)
        return {"Arn": given["Arn"]}

    def do_list_notification_rules(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListNotificationRules."""
        return {"NotificationRules": [{"Id": arn.split("/")[-1], "Arn": arn} for arn in self.backend.rules]}

    def do_list_event_types(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListEventTypes: those of pipelines."""
        return {"EventTypes": [_event_type(id) for id in EVENT_TYPES]}

    def do_list_targets(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListTargets."""
        found = {t["TargetAddress"]: t for rule in self.backend.rules.values() for t in rule["Targets"]}
        return {"Targets": list(found.values())}

    def do_subscribe(self, given: dict[str, Any]) -> dict[str, Any]:
        """Subscribe."""
        self.backend.subscribe(given["Arn"], given["Target"])
        return {"Arn": given["Arn"]}

    def do_unsubscribe(self, given: dict[str, Any]) -> dict[str, Any]:
        """Unsubscribe."""
        self.backend.unsubscribe(given["Arn"], given["TargetAddress"])
        return {"Arn": given["Arn"]}

    def do_delete_target(self, given: dict[str, Any]) -> dict[str, Any]:
        """DeleteTarget."""
        self.backend.delete_target(given["TargetAddress"], bool(given.get("ForceUnsubscribeAll")))
        return {}

    def do_tag_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        """TagResource."""
        rule = self.backend.find(given["Arn"])
        rule["Tags"].update(given["Tags"])
        return {"Tags": rule["Tags"]}

    def do_list_tags_for_resource(self, given: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource."""
        return {"Tags": self.backend.find(given["Arn"])["Tags"]}


def _event_type(id: str) -> dict[str, str]:
    label, state = EVENT_TYPES.get(id, ("", ""))
    return {
        "EventTypeId": id,
        "ServiceName": "CodePipeline",
        "EventTypeName": f"{label}: {state}",
        "ResourceType": "Pipeline",
    }
