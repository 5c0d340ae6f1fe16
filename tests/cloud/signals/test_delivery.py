"""What rules, schedules and notification rules bring to their targets."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud
from pipesim.cloud.signals.patterns import matches, problem_of
from tests.cloud.shop import Shop, action, deploy, source, stage, trust
from tests.cloud.signals.test_bus import queue, received, rule

HANDLER = """
import boto3, json
def handle(event, context):
    print("heard of", event["detail"]["pipeline"])
    boto3.client("s3").put_object(Bucket="heard", Key=event["id"], Body=json.dumps(event))
"""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=4, actions="assumed") as cloud:
        yield cloud


def role(cloud: Cloud, name: str, service: str, *allowed: str) -> str:
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))["Role"]["Arn"]
    if allowed:
        statement = {"Effect": "Allow", "Action": list(allowed), "Resource": "*"}
        iam.put_role_policy(
            RoleName=name,
            PolicyName="p",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
    return str(arn)


def ecr(cloud: Cloud, **detail: Any) -> dict[str, Any]:
    event = cloud.account.bus.publish("aws.ecr", "ECR Image Action", detail)
    cloud.run_until_idle()
    return event


@pytest.mark.parametrize(
    ("test", "value", "found"),
    [
        ("a", "a", True),
        (1, True, False),
        ({"prefix": "ab"}, "abc", True),
        ({"prefix": {"equals-ignore-case": "AB"}}, "abc", True),
        ({"suffix": "bc"}, "abd", False),
        ({"anything-but": ["a", "b"]}, "c", True),
        ({"anything-but": {"prefix": ["x", "a"]}}, "abc", False),
        ({"numeric": [">", 0, "<=", 5]}, 5, True),
        ({"numeric": [">", 0]}, "5", False),
        ({"exists": True}, "x", True),
        ({"wildcard": "a*c"}, "abbc", True),
        ({"equals-ignore-case": "ABC"}, "abc", True),
        ({"cidr": "10.0.0.0/24"}, "10.0.0.77", True),
        ({"cidr": "10.0.0.7/24"}, "10.0.0.77", True),
        ({"suffix": {"equals-ignore-case": "BC"}}, "abc", True),
        ({"anything-but": {"wildcard": "a*"}}, "abc", False),
    ],
)
def test_patterns(test: Any, value: Any, found: bool) -> None:
    assert problem_of({"detail": {"x": [test]}}) == ""
    assert matches({"detail": {"x": [test]}}, {"detail": {"x": value}}) is found
    assert matches({"detail": {"x": [test]}}, {"detail": {"x": ["-", value]}}) in (True, found)


def test_patterns_look_into_lists_and_alternatives() -> None:
    event = {"detail": {"images": [{"tag": "a"}, {"tag": "b"}], "n": 1}}
    assert matches({"detail": {"images": {"tag": ["b"]}}}, event)
    assert matches({"detail": {"gone": {"deep": [{"exists": False}]}}}, event)
    assert matches({"detail": {"$or": [{"n": [2]}, {"images": {"tag": ["a"]}}]}}, event)
    assert "Unrecognized match type" in problem_of({"a": [{"prefx": "x"}]})


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ({"prefix": {"ignore-case": "a"}}, "prefix match pattern must be a string"),
        ({"prefix": {"equals-ignore-case": 1}}, "prefix match pattern must be a string"),
        ({"equals-ignore-case": {"prefix": "a"}}, "equals-ignore-case match pattern must be a string"),
        ({"anything-but": {"suffix": 1}}, "suffix match pattern must be a string"),
        ({"anything-but": {"numeric": [">", 1]}}, "Unsupported anything-but pattern: numeric"),
        ({"cidr": "10.0.0.0/99"}, "Malformed CIDR"),
        ({"prefix": "a", "suffix": "b"}, "Only one key allowed"),
        ({"numeric": [">"]}, "Value of numeric"),
    ],
)
def test_a_pattern_that_could_not_be_judged_is_refused(cloud: Cloud, test: Any, problem: str) -> None:
    with pytest.raises(ClientError, match=f"Event pattern is not valid. Reason: .*{problem}"):
        cloud.client("events").put_rule(Name="r", EventPattern=json.dumps({"detail": {"x": [test]}}))
    with pytest.raises(ClientError, match="Filter is not an object"):
        cloud.client("events").put_rule(Name="r", EventPattern="[]")
    assert cloud.client("events").list_rules()["Rules"] == []


def test_events_are_shaped_on_their_way(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    shapes = {
        "path": {"InputPath": "$.detail"},
        "constant": {"Input": '{"a": 1}'},
        "text": {
            "InputTransformer": {
                "InputPathsMap": {"tag": "$.detail.image-tag", "size": "$.detail.size", "kind": "$.detail-type"},
                "InputTemplate": '{"said": "<tag> of <size>", "tag": <tag>, "n": <size>, "kind": <kind>}',
            }
        },
    }
    for name, members in shapes.items():
        rule(cloud, arn, name=name, **members)
    ecr(cloud, **{"image-tag": "v1", "size": 7})
    text = {"said": "v1 of 7", "tag": "v1", "n": 7, "kind": "ECR Image Action"}
    assert received(cloud, url) == [{"image-tag": "v1", "size": 7}, {"a": 1}, text]


def test_topics_log_groups_and_other_buses_are_told(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    topic = cloud.client("sns").create_topic(Name="t")["TopicArn"]
    cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    cloud.client("logs").create_log_group(logGroupName="/events")
    far_url, far = queue(cloud, region="eu-west-1")
    bus = cloud.client("events", "eu-west-1").create_event_bus(Name="far")["EventBusArn"]
    cloud.client("events", "eu-west-1").put_rule(
        Name="r", EventBusName="far", EventPattern=json.dumps({"source": ["aws.ecr"]})
    )
    cloud.client("events", "eu-west-1").put_targets(Rule="r", EventBusName="far", Targets=[{"Id": "q", "Arn": far}])
    rule(cloud, topic, name="a")
    rule(cloud, "arn:aws:logs:us-east-1:123456789012:log-group:/events", name="b")
    rule(cloud, bus, name="c")
    event = ecr(cloud, result="SUCCESS")
    assert received(cloud, url) == [event]
    (line,) = cloud.client("logs").filter_log_events(logGroupName="/events")["events"]
    assert json.loads(line["message"]) == event
    assert received(cloud, far_url, "eu-west-1") == [event]


def test_a_function_really_runs(cloud: Cloud) -> None:
    cloud.client("s3").create_bucket(Bucket="heard")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("h.py", HANDLER)
    arn = cloud.client("lambda").create_function(
        FunctionName="ear",
        Runtime="python3.12",
        Role=role(cloud, "ear", "lambda.amazonaws.com", "s3:*"),
        Handler="h.handle",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    rule(cloud, arn, {"source": ["aws.codepipeline"], "detail": {"state": ["SUCCEEDED"], "stage": [{"exists": False}]}})
    shop = Shop(cloud)
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    (event,) = cloud.events({"detail": {"state": ["SUCCEEDED"], "stage": [{"exists": False}]}})
    body = cloud.client("s3").get_object(Bucket="heard", Key=event["id"])["Body"].read()
    assert json.loads(body) == event


def test_what_cannot_be_delivered_is_noted_and_goes_to_the_dead_letter_queue(cloud: Cloud) -> None:
    url, dead = queue(cloud, "dead")
    rule(cloud, "arn:aws:sqs:us-east-1:123456789012:nowhere", DeadLetterConfig={"Arn": dead})
    event = ecr(cloud)
    (failure,) = cloud.account.bus.failures
    assert (failure.event, failure.rule) == (event["id"], "r")
    assert "NonExistentQueue" in failure.reason
    assert received(cloud, url) == [event]


def test_a_path_that_is_none_is_a_delivery_that_failed(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    rule(cloud, arn, InputPath="$.detail[")

    ecr(cloud)

    assert received(cloud, url) == []
    assert "$.detail[ is no JSON path" in cloud.account.bus.failures[-1].reason


def test_a_rule_starts_a_pipeline_under_its_role(cloud: Cloud) -> None:
    shop = Shop(cloud)
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    arn = cloud.account.arn_of("shop")
    starter = role(cloud, "starter", "events.amazonaws.com", "codepipeline:StartPipelineExecution")
    rule(cloud, arn, RoleArn=starter)
    ecr(cloud, **{"image-digest": "sha256:abcdef012345"})
    newest = shop.executions()[0]
    assert newest["trigger"] == {
        "triggerType": "CloudWatchEvent",
        "triggerDetail": "arn:aws:events:us-east-1:123456789012:rule/r",
    }
    assert len(shop.executions()) == 2

    cloud.client("iam").delete_role_policy(RoleName="starter", PolicyName="p")
    ecr(cloud)
    assert len(shop.executions()) == 2
    assert "codepipeline:StartPipelineExecution" in cloud.account.bus.failures[-1].reason


def test_schedules_fire_as_time_passes(cloud: Cloud) -> None:
    shop = Shop(cloud)
    shop.create(stage("Source", source()), stage("Out", deploy()))
    starter = role(cloud, "starter", "events.amazonaws.com", "codepipeline:StartPipelineExecution")
    events = cloud.client("events")
    for name, expression in {"often": "rate(6 hours)", "nightly": "cron(30 2 ? * TUE-SAT *)"}.items():
        events.put_rule(Name=name, ScheduleExpression=expression)
        events.put_targets(Rule=name, Targets=[{"Id": "p", "Arn": cloud.account.arn_of("shop"), "RoleArn": starter}])
    cloud.advance(days=1)
    fired = [
        (event["resources"][0].split("/")[-1], event["time"]) for event in cloud.events({"source": ["aws.events"]})
    ]
    assert fired == [
        ("often", "2026-03-02T15:00:00Z"),
        ("often", "2026-03-02T21:00:00Z"),
        ("nightly", "2026-03-03T02:30:00Z"),
        ("often", "2026-03-03T03:00:00Z"),
        ("often", "2026-03-03T09:00:00Z"),
    ]
    assert len(shop.executions()) == 6
    events.disable_rule(Name="often")
    events.remove_targets(Rule="nightly", Ids=["p"])
    events.delete_rule(Name="nightly")
    cloud.advance(days=2)
    assert len(cloud.events({"source": ["aws.events"]})) == 5
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        events.put_rule(Name="bad", ScheduleExpression="cron(99 2 ? * * *)")


def test_notification_rules_tell_a_topic(cloud: Cloud) -> None:
    url, arn = queue(cloud)
    topic = cloud.client("sns").create_topic(Name="t")["TopicArn"]
    cloud.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    shop = Shop(cloud)
    gate = action("Approval", "Manual", "Ok", configuration={"CustomData": "look"})
    notifications = cloud.client("codestar-notifications")
    made = notifications.create_notification_rule(
        Name="n",
        EventTypeIds=[
            "codepipeline-pipeline-manual-approval-needed",
            "codepipeline-pipeline-pipeline-execution-failed",
        ],
        Resource=cloud.account.arn_of("shop"),
        Targets=[],
        DetailType="FULL",
    )["Arn"]
    notifications.subscribe(Arn=made, Target={"TargetType": "SNS", "TargetAddress": topic})
    shop.create(stage("Source", source()), stage("Gate", gate), stage("Out", deploy()))
    shop.idle()
    shop.answer("Rejected", "no")
    shop.idle()
    needed, failed = received(cloud, url)
    assert needed["detailType"] == "CodePipeline Action Execution State Change"
    assert needed["additionalAttributes"]["customData"] == "look"
    assert needed["notificationRuleArn"] == made
    assert failed["detail"]["state"] == "FAILED"
    assert failed["additionalAttributes"]["failedStage"] == "Gate"
    assert failed["additionalAttributes"]["failedActions"] == [{"action": "Ok", "additionalInformation": "no"}]

    for wrong in ("codepipeline-x", "codepipeline-pipeline-stage-execution-skipped"):
        with pytest.raises(ClientError, match=f"Invalid event type id: {wrong}"):
            notifications.update_notification_rule(Arn=made, EventTypeIds=[wrong])

    described = notifications.describe_notification_rule(Arn=made)
    assert next(each["EventTypeId"] for each in described["EventTypes"]).endswith("needed")
    assert notifications.list_notification_rules()["NotificationRules"] == [{"Id": made.split("/")[-1], "Arn": made}]
    notifications.unsubscribe(Arn=made, TargetAddress=topic)
    shop.start()
    shop.idle()
    assert received(cloud, url) == []
    with pytest.raises(notifications.exceptions.ResourceNotFoundException):
        notifications.describe_notification_rule(Arn=made[:-1] + "x")
