"""Approvals that tell a topic, and what happens when they cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.engine.commands import Approve, Reject, Retry
from tests.cloud.standin import StandIn, action, allow_everything, document, sourcing, standing_in, start


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        yield account


def ask(account: StandIn, **configuration: str) -> Any:
    approval = action("Approval", "Manual", name="Ask", **({"configuration": configuration} if configuration else {}))
    sim = account.create(document(approval), {"Source/S3": sourcing({"a": "1"})})
    start(sim)
    account.advance(10)
    return sim


def latest(sim: Any) -> Any:
    return sim.state.stage("Work").actions[0].latest


@pytest.fixture
def topic(account: StandIn) -> str:
    return account.client("sns").create_topic(Name="approvals")["TopicArn"]


def messages(account: StandIn, topic: str) -> list[dict[str, Any]]:
    """What a queue that listens to the topic has received so far."""
    from moto.sns.models import sns_backends

    sent = sns_backends[account.id][account.region].topics[topic].sent_notifications
    return [{"subject": subject, **json.loads(text)} for _, text, subject, *_ in sent]


@pytest.mark.provider("Approval/Manual", "success")
def test_the_message_is_the_documented_one(account: StandIn, topic: str) -> None:
    sim = ask(account, NotificationArn=topic, ExternalEntityLink="http://example.com", CustomData="Look at it")

    (message,) = messages(account, topic)
    token = latest(sim).token
    console = "https://console.aws.amazon.com/codesuite/codepipeline/pipelines/shop/view?region=us-east-1"
    assert message == {
        "subject": "APPROVAL NEEDED: AWS CodePipeline shop for action Ask",
        "region": "us-east-1",
        "consoleLink": console,
        "approval": {
            "pipelineName": "shop",
            "stageName": "Work",
            "actionName": "Ask",
            "token": token,
            "expires": "2026-03-09T09:00Z",
            "externalEntityLink": "http://example.com",
            "approvalReviewLink": f"{console}#/Work/Ask/approve/{token}",
            "customData": "Look at it",
        },
    }


def test_a_long_name_is_cut_in_the_subject(account: StandIn, topic: str) -> None:
    approval = action("Approval", "Manual", name="Detailed", configuration={"NotificationArn": topic})
    start(
        account.create(document(approval, name="approval-of-the-great-shop-2026"), {"Source/S3": sourcing({"a": "1"})})
    )
    account.advance(10)

    (message,) = messages(account, topic)
    assert message["subject"] == "APPROVAL NEEDED: AWS CodePipeline approval-of-the-great-sh... for action Detailed"


def test_optional_members_are_left_out(account: StandIn, topic: str) -> None:
    ask(account, NotificationArn=topic)

    assert not {"externalEntityLink", "customData"} & set(messages(account, topic)[0]["approval"])


@pytest.mark.provider("Approval/Manual", "success")
def test_an_approval_without_a_topic_waits_for_its_answer(account: StandIn) -> None:
    sim = ask(account)

    assert latest(sim).status == "InProgress"
    sim.send(Approve("Work", "Ask", summary="fine", token=latest(sim).token))
    account.advance(60)
    assert (latest(sim).status, latest(sim).summary) == ("Succeeded", "fine")


@pytest.mark.provider("Approval/Manual", "failure")
def test_a_retry_asks_again_with_another_token(account: StandIn, topic: str) -> None:
    sim = ask(account, NotificationArn=topic)
    sim.send(Reject("Work", "Ask", summary="no"))
    account.advance(60)
    assert latest(sim).status == "Failed"

    sim.send(Retry("Work", next(iter(sim.executions))))
    account.advance(1)

    first, second = (message["approval"]["token"] for message in messages(account, topic))
    assert first != second == latest(sim).token


@pytest.mark.provider("Approval/Manual", "input")
def test_a_missing_topic_fails_the_approval_at_its_start(account: StandIn) -> None:
    sim = ask(account, NotificationArn="arn:aws:sns:us-east-1:123456789012:nowhere")

    assert (latest(sim).status, latest(sim).code) == ("Failed", "ConfigurationError")
    assert "nowhere" in latest(sim).message
    assert latest(sim).token is None


def test_a_fifo_topic_fails_the_approval_at_its_start(account: StandIn) -> None:
    fifo = account.client("sns").create_topic(Name="approvals.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]

    sim = ask(account, NotificationArn=fifo)

    assert (latest(sim).status, latest(sim).code) == ("Failed", "ConfigurationError")


@pytest.mark.provider("Approval/Manual", "permission")
def test_a_role_that_may_not_publish_fails_it_until_it_may(account: StandIn, topic: str) -> None:
    allow_everything(account, but="sns:Publish")
    sim = ask(account, NotificationArn=topic)
    assert (latest(sim).status, latest(sim).code) == ("Failed", "PermissionError")
    assert "sns:Publish" in latest(sim).message

    allow_everything(account)
    sim.send(Retry("Work", next(iter(sim.executions))))
    account.advance(1)

    assert latest(sim).status == "InProgress"
    assert len(messages(account, topic)) == 1
