"""CloudTrail: what people and the service called can be looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

import pipesim
from pipesim.cloud.account import Cloud
from pipesim.cloud.signals import trail


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=4) as cloud:
        yield cloud


def look_up(cloud: Cloud, **attribute: str) -> list[dict[str, Any]]:
    wanted = [{"AttributeKey": name, "AttributeValue": value} for name, value in attribute.items()]
    pages = cloud.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=wanted)
    return [event for page in pages for event in page["Events"]]


def test_a_persons_call_is_found_with_its_parameters(cloud: Cloud) -> None:
    cloud.advance(hours=2)
    cloud.client("s3").create_bucket(Bucket="plans")
    (event,) = look_up(cloud, EventName="CreateBucket")
    record = json.loads(event["CloudTrailEvent"])
    assert event["EventTime"] == cloud.now
    assert event["EventSource"] == record["eventSource"] == "s3.amazonaws.com"
    assert event["ReadOnly"] == "false"
    assert record["userIdentity"]["type"] == "IAMUser"
    assert record["requestParameters"]["bucketName"] == "plans"
    assert event["Resources"] == [{"ResourceType": "AWS::S3::Bucket", "ResourceName": "plans"}]


def test_a_refused_call_says_its_error(cloud: Cloud) -> None:
    with pytest.raises(ClientError):
        cloud.client("codepipeline").get_pipeline(name="nowhere")
    (event,) = look_up(cloud, EventName="GetPipeline")
    record = json.loads(event["CloudTrailEvent"])
    assert record["errorCode"] == "PipelineNotFoundException"
    assert record["requestParameters"] == {"name": "nowhere"}
    assert record["readOnly"] is True


def test_what_the_service_does_under_the_pipelines_role_says_so(cloud: Cloud) -> None:
    record = cloud.provision(pipesim.load(pipesim.sample("environments")))
    cloud.run_until_idle()
    mine = look_up(cloud, EventName="StartBuild")
    assert mine
    for event in mine:
        said = json.loads(event["CloudTrailEvent"])
        assert said["userIdentity"]["type"] == "AssumedRole"
        assert said["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == record.pipeline.role_arn
        assert said["userIdentity"]["invokedBy"] == said["sourceIPAddress"] == "codepipeline.amazonaws.com"
    assumed = [json.loads(each["CloudTrailEvent"]) for each in look_up(cloud, EventName="AssumeRole")]
    assert {"type": "AWSService", "invokedBy": "codepipeline.amazonaws.com"} in [a["userIdentity"] for a in assumed]


def test_time_ranges_and_pages(cloud: Cloud) -> None:
    sts = cloud.client("sts")
    for _ in range(5):
        cloud.advance(minutes=10)
        sts.get_caller_identity()
    client = cloud.client("cloudtrail")
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "GetCallerIdentity"}]
    first = client.lookup_events(LookupAttributes=wanted, MaxResults=3)
    second = client.lookup_events(LookupAttributes=wanted, MaxResults=3, NextToken=first["NextToken"])
    times = [event["EventTime"] for event in first["Events"] + second["Events"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == len(set(times)) == 5
    assert "NextToken" not in second
    since = client.lookup_events(LookupAttributes=wanted, StartTime=cloud.now - timedelta(minutes=15))
    assert len(since["Events"]) == 2
    with pytest.raises(client.exceptions.InvalidTimeRangeException):
        client.lookup_events(StartTime=cloud.now, EndTime=cloud.now - timedelta(hours=1))
    with pytest.raises(client.exceptions.InvalidLookupAttributesException):
        client.lookup_events(LookupAttributes=wanted * 2)


def test_secrets_are_hidden_and_old_calls_forgotten(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.client("secretsmanager").create_secret(Name="key", SecretString="hush")
    (event,) = look_up(cloud, EventName="CreateSecret")
    assert "hush" not in event["CloudTrailEvent"]
    assert cloud.account.trail._calls.maxlen == trail.MOST_CALLS


def test_what_a_call_is_about_can_be_looked_up(cloud: Cloud) -> None:
    record = cloud.provision(pipesim.load(pipesim.sample("startup")))
    cloud.run_until_idle()
    cloud.client("codepipeline").start_pipeline_execution(name=record.name)
    cloud.client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    cloud.client("ecr").create_repository(repositoryName="web")

    def about(name: str) -> set[tuple[str, str]]:
        kinds = [(each["EventName"], kind["ResourceType"]) for each in look_up(cloud, ResourceName=name)
                 for kind in each["Resources"]]  # fmt: skip
        return set(kinds)

    pipeline = "AWS::CodePipeline::Pipeline"
    assert about(record.name) >= {("CreatePipeline", pipeline), ("StartPipelineExecution", pipeline)}
    assert about("nightly") == {("PutRule", "AWS::Events::Rule")}
    assert about("web") == {("CreateRepository", "AWS::ECR::Repository")}
    assert {each["EventName"] for each in look_up(cloud, ResourceType=pipeline)} >= {"CreatePipeline"}


def test_a_role_is_assumed_by_the_service_that_needs_it(cloud: Cloud) -> None:
    cloud.provision(pipesim.load(pipesim.sample("startup")))
    cloud.run_until_idle()

    seen = {
        (record["userIdentity"]["invokedBy"], record["requestParameters"]["roleArn"].rsplit("/", 1)[-1][:9])
        for each in look_up(cloud, EventName="AssumeRole")
        if (record := json.loads(each["CloudTrailEvent"]))["readOnly"]
    }

    assert {("codepipeline.amazonaws.com", "CodePipel"), ("codebuild.amazonaws.com", "codebuild")} <= seen
