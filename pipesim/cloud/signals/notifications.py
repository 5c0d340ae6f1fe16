"""Notification rules at work: an event of a pipeline becomes a message on the topics that asked for it.

Source: Developer Tools console User Guide, "Events for notification rules on pipelines" and "Understanding notification
contents and security" (the message).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.cloud.gaps.codestarnotifications.models import PREFIX, notifications_backends
from pipesim.vocabulary import ActionCategory

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

FULL = "FULL"
APPROVALS = {"STARTED": "needed", "FAILED": "failed", "SUCCEEDED": "succeeded"}


def notify(account: Account, event: Mapping[str, Any]) -> None:
    """Send the messages that an event of a pipeline asks for.

    Args:
        account: where it happened.
        event: in its envelope.
    """
    if event["source"] != "aws.codepipeline" or account.region not in notifications_backends[account.id]:
        return
    backend = notifications_backends[account.id][account.region]
    if not backend.rules or not event["resources"]:
        return
    for rule in backend.wanting(event["resources"][0], event_types(event)):
        message = json.dumps(message_of(account, event, rule))
        for target in rule["Targets"]:
            if target["TargetType"] == "SNS":
                account.bus.later(0, partial(_send, account, rule, target, message))


def event_types(event: Mapping[str, Any]) -> set[str]:
    """Return the ids of the event types that an event of a pipeline is.

    Args:
        event: in its envelope.
    """
    detail = event["detail"]
    level = event["detail-type"].split()[1].lower()
    found = {f"{PREFIX}{level}-execution-{detail['state'].lower()}"}
    if detail.get("type", {}).get("category") == ActionCategory.APPROVAL and detail["state"] in APPROVALS:
        found.add(f"{PREFIX}manual-approval-{APPROVALS[detail['state']]}")
    return found


def message_of(account: Account, event: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a topic is told.

    Args:
        account: where it happened.
        event: in its envelope.
        rule: the notification rule.
    """
    message = {name: event[name] for name in ("account", "region", "source", "time", "detail", "resources")}
    message["detailType"], message["notificationRuleArn"] = event["detail-type"], rule["Arn"]
    message["additionalAttributes"] = _attributes(account, event) if rule["DetailType"] == FULL else {}
    return message


def _attributes(account: Account, event: Mapping[str, Any]) -> dict[str, Any]:
    detail = event["detail"]
    record = account.pipelines.get(detail["pipeline"])
    if record is None:
        return {}
    rows = record.history.refresh().actions_of(detail["execution-id"], latest=True)
    sources = [
        {
            "sourceActionName": row.action.name,
            "sourceActionProvider": row.action.provider,
            "sourceActionVariables": dict(row.variables),
        }
        for row in record.history.actions_of(detail["execution-id"])
        if row.action.category == ActionCategory.SOURCE and row.variables
    ]
    found: dict[str, Any] = {"sourceActions": sources} if sources else {}
    failed = [row for row in rows if row.status == "Failed" and detail.get("stage") in (None, row.stage)]
    if detail["state"] == "FAILED" and failed:
        found["failedActionCount"] = len(failed)
        found["failedActions"] = [
            {"action": row.action.name, "additionalInformation": row.message or row.summary} for row in failed
        ]
        found["failedStage"] = failed[-1].stage
    if detail.get("type", {}).get("category") == ActionCategory.APPROVAL and detail["state"] == "STARTED":
        row = next((row for row in rows if row.id == detail["action-execution-id"]), None)
        said = {} if row is None else row.configuration or row.action.configuration
        found["customData"] = said.get("CustomData", "")
        found["externalEntityLink"] = said.get("ExternalEntityLink", "")
    return found


def _send(account: Account, rule: Mapping[str, Any], target: dict[str, str], message: str) -> None:
    arn = target["TargetAddress"]
    try:
        account.client("sns", arn.split(":")[3]).publish(TopicArn=arn, Message=message)
        target["TargetStatus"] = "ACTIVE"
    except (ClientError, IndexError) as error:
        target["TargetStatus"] = "UNREACHABLE"
        account.bus.fail(rule["Arn"], rule["Name"], arn, str(error))
