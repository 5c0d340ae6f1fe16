"""The manual approval: tell the topic, then wait for an answer as the engine does.

Source: CodePipeline User Guide, "Add a manual approval action" and "JSON data format for manual approval
notifications"; the subject, the links and how a bad topic fails the approval at its start were seen in recorded
answers of the service.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import DENIED, ActionFailed
from pipesim.cloud.permissions import role_client
from pipesim.engine.behaviours.approval import wait_for_approval
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

SUBJECT_LENGTH = 100
SHOWN_OF_NAME = 24
"""How much of a long pipeline name stands in the subject, before three dots."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Notify, when the action names a topic, and wait for the answer."""
    if topic := run.configuration.get("NotificationArn"):
        _publish(account, run, topic)
    return (yield from wait_for_approval(run))


def message_of(account: Account, run: ActionRun) -> dict[str, Any]:
    """Return what the topic is told about an approval that is being asked for.

    Args:
        account: where the pipeline lives.
        run: the approval.
    """
    pipeline, stage, action = run.execution.plan.pipeline.name, run.plan.stage, run.plan.action.name
    console = f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{pipeline}/view?region={account.region}"
    expires = account.now + timedelta(seconds=run.plan.timeout)
    configuration = run.configuration
    approval = {
        "pipelineName": pipeline,
        "stageName": stage,
        "actionName": action,
        "token": run.id,
        "expires": expires.strftime("%Y-%m-%dT%H:%MZ"),
        "externalEntityLink": configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{console}#/{stage}/{action}/approve/{run.id}",
        "customData": configuration.get("CustomData"),
    }
    return {
        "region": account.region,
        "consoleLink": console,
        "approval": {name: value for name, value in approval.items() if value is not None},
    }


def _publish(account: Account, run: ActionRun, topic: str) -> None:
    if topic.endswith(".fifo"):
        raise ActionFailed(
            f"The Amazon SNS topic {topic} is a FIFO topic: approval notifications need a standard topic.",
            FailureType.CONFIGURATION_ERROR,
        )
    name = _shortened(run.execution.plan.pipeline.name)
    subject = f"APPROVAL NEEDED: AWS CodePipeline {name} for action {run.plan.action.name}"
    try:
        role_client(account, run, "sns", _region_of(topic)).publish(
            TopicArn=topic, Subject=subject[:SUBJECT_LENGTH], Message=json.dumps(message_of(account, run))
        )
    except ClientError as error:
        detail = error.response["Error"]
        if error.operation_name != "Publish":
            raise
        if detail["Code"] in DENIED:
            raise ActionFailed(
                f"The provided role does not have sufficient permissions to publish to the Amazon SNS topic {topic}:"
                f" {detail['Message']}",
                FailureType.PERMISSION_ERROR,
            ) from None
        raise ActionFailed(
            f"The approval could not be announced on the Amazon SNS topic {topic}: {detail['Message']}",
            FailureType.CONFIGURATION_ERROR,
        ) from None


def _shortened(name: str) -> str:
    return name if len(name) <= SHOWN_OF_NAME + 3 else f"{name[:SHOWN_OF_NAME]}..."


def _region_of(topic: str) -> str | None:
    """The region that a topic's ARN names, or None when it is no ARN."""
    parts = topic.split(":")
    return parts[3] if len(parts) == 6 else None
