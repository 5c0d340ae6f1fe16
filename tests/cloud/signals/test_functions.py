"""Functions run when a user, a topic, a queue or another function calls them, and no circle of calls is endless."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from pipesim.errors import PipesimError
from tests.cloud.signals.test_bus import queue, received, rule
from tests.cloud.signals.test_delivery import role

KEEPS = """
import boto3, json
def handler(event, context):
    print("heard")
    boto3.client("s3").put_object(Bucket="heard", Key=context.aws_request_id, Body=json.dumps(event))
    return {"heard": event}
"""
FAILS = """
def handler(event, context):
    raise ValueError("no: not today")
"""
CALLS = """
import boto3, json
def handler(event, context):
    answer = boto3.client("lambda").invoke(FunctionName=event["call"], Payload=json.dumps(event))
    return json.load(answer["Payload"])
"""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=4, actions="assumed") as cloud:
        cloud.client("s3").create_bucket(Bucket="heard")
        role(cloud, "ear", "lambda.amazonaws.com", "s3:*", "lambda:*", "logs:*")
        yield cloud


def function(cloud: Cloud, code: str, name: str = "ear", **members: Any) -> str:
    made = cloud.client("lambda").create_function(
        FunctionName=name,
        **{"Runtime": "python3.12", **members},
        Role="arn:aws:iam::123456789012:role/ear",
        Handler="app.handler",
        Code={"ZipFile": pack({"app.py": code})},
    )
    return str(made["FunctionArn"])


def heard(cloud: Cloud) -> list[Any]:
    s3 = cloud.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="heard").get("Contents", ())]
    return [json.load(s3.get_object(Bucket="heard", Key=key)["Body"]) for key in keys]


def test_a_function_answers_who_invokes_it(cloud: Cloud) -> None:
    function(cloud, KEEPS)

    answer = cloud.client("lambda").invoke(FunctionName="ear", Payload=b'{"n": 1}', LogType="Tail")

    assert (answer["StatusCode"], json.load(answer["Payload"])) == (200, {"heard": {"n": 1}})
    assert "FunctionError" not in answer
    assert b64decode(answer["LogResult"]) == b"heard\n"
    assert heard(cloud) == [{"n": 1}]


def test_what_a_function_raises_is_told(cloud: Cloud) -> None:
    function(cloud, FAILS)

    answer = cloud.client("lambda").invoke(FunctionName="ear")

    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"]) == {"errorMessage": "no: not today", "errorType": "ValueError"}
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        cloud.client("lambda").invoke(FunctionName="ear", Payload=b"{")


def test_an_invocation_that_is_not_waited_for_is_repeated_twice(cloud: Cloud) -> None:
    arn = function(cloud, FAILS)

    answer = cloud.client("lambda").invoke(FunctionName="ear", InvocationType="Event", Payload=b"{}")
    before = cloud.time
    cloud.run_until_idle()

    assert answer["StatusCode"] == 202
    assert cloud.time - before == 180
    assert len(cloud.client("logs").describe_log_streams(logGroupName="/aws/lambda/ear")["logStreams"]) == 3
    [failure] = cloud.account.bus.failures
    assert (failure.target, failure.reason) == (arn, "ValueError: no: not today")


def test_a_dry_run_and_another_language_run_nothing(cloud: Cloud) -> None:
    function(cloud, KEEPS)
    function(cloud, KEEPS, "other", Runtime="nodejs22.x")
    client = cloud.client("lambda")

    assert client.invoke(FunctionName="ear", InvocationType="DryRun")["StatusCode"] == 204
    assert json.load(client.invoke(FunctionName="other")["Payload"]) is None
    assert heard(cloud) == []


def test_a_topic_calls_the_function_that_subscribes_to_it(cloud: Cloud) -> None:
    arn = function(cloud, KEEPS)
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    policy = json.dumps({"kind": ["wanted"]})
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn, Attributes={"FilterPolicy": policy})

    kinds = {kind: {"kind": {"DataType": "String", "StringValue": kind}} for kind in ("wanted", "other")}
    for kind, attributes in kinds.items():
        sns.publish(TopicArn=topic, Message=f"a {kind} one", Subject="look", MessageAttributes=attributes)

    [event] = heard(cloud)
    [record] = event["Records"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", subscription["SubscriptionArn"])
    told = {name: record["Sns"][name] for name in ("Message", "Subject", "TopicArn", "MessageAttributes")}
    assert told == {
        "Message": "a wanted one",
        "Subject": "look",
        "TopicArn": topic,
        "MessageAttributes": {"kind": {"Type": "String", "Value": "wanted"}},
    }


def test_a_topic_tells_who_cannot_be_reached(cloud: Cloud) -> None:
    url, dead = queue(cloud, "dead")
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    gone = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=gone)["SubscriptionArn"]
    sns.set_subscription_attributes(
        SubscriptionArn=subscription,
        AttributeName="RedrivePolicy",
        AttributeValue=json.dumps({"deadLetterTargetArn": dead}),
    )
    sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://hooks.example.com/x")
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:9/x")

    sns.publish(TopicArn=topic, Message='{"n": 1}')

    reasons = {failure.target: failure.reason for failure in cloud.account.bus.failures}
    assert reasons == {
        gone: f"ResourceNotFoundException: Function not found: {gone}",
        "https://hooks.example.com/x": "addresses outside of this machine are not called",
        "http://127.0.0.1:9/x": "nobody answers there",
    }
    assert received(cloud, url) == [{"n": 1}]


def test_a_queue_hands_its_messages_to_a_function(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    function(cloud, KEEPS)
    cloud.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="ear")

    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="hello")

    assert [record["body"] for event in heard(cloud) for record in event["Records"]] == ["hello"]
    assert received(cloud, url) == []


def test_a_function_calls_another_and_gets_its_answer(cloud: Cloud) -> None:
    function(cloud, KEEPS)
    function(cloud, CALLS, "caller", Timeout=60)

    answer = cloud.client("lambda").invoke(FunctionName="caller", Payload=b'{"call": "ear"}')

    assert json.load(answer["Payload"]) == {"heard": {"call": "ear"}}


def test_functions_that_call_one_another_without_end_are_stopped(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipesim.cloud.gaps.awslambda.MOST_NESTED", 2)
    function(cloud, CALLS, "caller", Timeout=60)

    answer = cloud.client("lambda").invoke(FunctionName="caller", Payload=b'{"call": "caller"}')

    assert "RecursiveInvocationException" in json.dumps(json.load(answer["Payload"]))


def test_events_that_go_round_in_a_circle_are_an_error_that_names_the_rule(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipesim.cloud.signals.bus.MOST_IN_A_ROW", 5)
    bus = cloud.client("events").create_event_bus(Name="mirror")["EventBusArn"]
    default = bus.replace("mirror", "default")
    rule(cloud, bus, {"source": ["shop"]}, name="there")
    cloud.client("events").put_rule(Name="back", EventBusName="mirror", EventPattern='{"source": ["shop"]}')
    cloud.client("events").put_targets(Rule="back", EventBusName="mirror", Targets=[{"Id": "b", "Arn": default}])

    cloud.client("events").put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": "{}"}])
    with pytest.raises(PipesimError, match=r"rule (there|back): 5 deliveries .* go round in a circle"):
        cloud.run_until_idle()
    assert cloud.account.bus.pending == 0
