"""The bus: what is put on it is kept and reaches the targets of the rules that ask for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from pipesim.errors import PipesimError

PATTERN = {"source": ["aws.ecr"]}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=4) as cloud:
        yield cloud


def queue(cloud: Cloud, name: str = "q", region: str | None = None) -> tuple[str, str]:
    client = cloud.client("sqs", region)
    url = client.create_queue(QueueName=name)["QueueUrl"]
    return url, client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(cloud: Cloud, url: str, region: str | None = None) -> list[Any]:
    client, found = cloud.client("sqs", region), []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def rule(cloud: Cloud, arn: str, pattern: Any = PATTERN, name: str = "r", **members: Any) -> None:
    events = cloud.client("events")
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    answer = events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arn, **members}])
    assert answer["FailedEntryCount"] == 0


def test_an_event_is_kept_in_its_envelope(cloud: Cloud) -> None:
    cloud.advance(minutes=5)

    event = cloud.account.bus.publish("aws.ecr", "ECR Image Action", {"result": "SUCCESS"}, resources=["arn:aws:x"])

    assert cloud.account.bus.events == [event]
    assert cloud.events() == [event]
    assert event["time"] == f"{cloud.now:%Y-%m-%dT%H:%M:%SZ}"
    assert {name: event[name] for name in ("version", "source", "account", "region", "resources", "detail")} == {
        "version": "0",
        "source": "aws.ecr",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": ["arn:aws:x"],
        "detail": {"result": "SUCCESS"},
    }


def test_events_are_found_by_a_pattern(cloud: Cloud) -> None:
    wanted = cloud.account.bus.publish("aws.ecr", "ECR Image Action", {"result": "SUCCESS"})
    cloud.account.bus.publish("aws.s3", "Object Created", {})

    assert cloud.events(PATTERN) == [wanted]
    assert cloud.events('{"detail": {"result": ["FAILURE"]}}') == []
    with pytest.raises(PipesimError, match="must be an object or an array"):
        cloud.events({"source": "aws.ecr"})


def test_an_event_reaches_the_queue_of_a_rule_as_time_passes(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    rule(cloud, arn)

    event = cloud.account.bus.publish("aws.ecr", "ECR Image Action", {"result": "SUCCESS"})
    cloud.account.bus.publish("aws.s3", "Object Created", {})
    assert received(cloud, url) == []
    cloud.run_until_idle()

    assert received(cloud, url) == [event]


def test_a_disabled_rule_delivers_nothing(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    rule(cloud, arn)
    cloud.client("events").disable_rule(Name="r")

    cloud.account.bus.publish("aws.ecr", "ECR Image Action", {})
    cloud.run_until_idle()

    assert received(cloud, url) == []


def test_what_a_person_puts_reaches_the_queue_at_once(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    rule(cloud, arn, {"source": ["shop"], "detail": {"total": [{"numeric": [">", 10]}]}})
    entries = [{"Source": "shop", "DetailType": "Order", "Detail": json.dumps({"total": total})} for total in (5, 50)]

    answer = cloud.client("events").put_events(Entries=entries)

    (message,) = received(cloud, url)
    assert message["id"] == answer["Entries"][1]["EventId"]
    assert message["detail"] == {"total": 50}
    assert [event["detail"]["total"] for event in cloud.events({"source": ["shop"]})] == [5, 50]


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids() -> list[str]:
        with Cloud(seed=9) as cloud:
            return [cloud.account.bus.publish("a", "b", {})["id"] for _ in range(3)]

    first = ids()
    assert first == ids()
    assert len(set(first)) == 3
