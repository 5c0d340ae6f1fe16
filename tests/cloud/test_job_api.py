"""Jobs, action types and webhooks through boto3."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud.account import Cloud
from pipesim.cloud.codepipeline.job import client_token
from pipesim.cloud.server import Server
from pipesim.cloud.workers import JobFailed, JobWorker

HUDSON = {"category": "Build", "owner": "Custom", "provider": "Hudson", "version": "1"}
PARTNER = {"category": "Test", "owner": "ThirdParty", "provider": "Runscope", "version": "1"}
NOTHING = {"minimumCount": 0, "maximumCount": 5}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    taking = {"Source/S3": ActionAssumption(Constant(1)), "Test/Runscope": ActionAssumption(Constant(60))}
    with Cloud(assumptions=Assumptions(actions=taking)) as cloud:
        prepare(cloud)
        yield cloud


def prepare(cloud: Cloud) -> None:
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    trust = {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam, s3 = cloud.client("iam"), cloud.client("s3")
    iam.create_role(RoleName="shop", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    iam.put_role_policy(RoleName="shop", PolicyName="all", PolicyDocument=json.dumps(allow))
    for bucket in ("artifacts", "source"):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", "1")
    s3.put_object(Bucket="source", Key="app.zip", Body=packed.getvalue())


@pytest.fixture
def client(cloud: Cloud) -> Any:
    client = cloud.client("codepipeline")
    client.create_custom_action_type(
        **{part: HUDSON[part] for part in ("category", "provider", "version")},
        configurationProperties=[
            {"name": "Job", "required": True, "key": True, "secret": False, "queryable": True, "type": "String"}
        ],
        inputArtifactDetails=NOTHING,
        outputArtifactDetails=NOTHING,
    )
    return client


def declare(*actions: dict[str, Any], source: dict[str, Any] | None = None, name: str = "shop") -> dict[str, Any]:
    fetch = source or act(
        "Source",
        "S3",
        configuration={"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
        outputArtifacts=[{"name": "Code"}],
    )
    return {
        "name": name,
        "roleArn": "arn:aws:iam::123456789012:role/shop",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "pipelineType": "V2",
        "executionMode": "QUEUED",
        "stages": [{"name": "Source", "actions": [fetch]}, {"name": "Work", "actions": list(actions)}],
    }


def act(category: str, provider: str, owner: str = "AWS", **members: Any) -> dict[str, Any]:
    type_id = {"category": category, "owner": owner, "provider": provider, "version": "1"}
    return {"name": provider, "actionTypeId": type_id, **members}


BUILD = act(
    "Build",
    "Hudson",
    "Custom",
    configuration={"Job": "shop"},
    inputArtifacts=[{"name": "Code"}],
    outputArtifacts=[{"name": "Built"}],
)


def latest(client: Any, name: str = "shop") -> dict[str, Any]:
    stage = client.get_pipeline_state(name=name)["stageStates"][1]
    return stage["actionStates"][0].get("latestExecution", {})


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def test_a_worker_with_boto3(cloud: Cloud, client: Any) -> None:
    client.create_pipeline(pipeline=declare(BUILD))
    cloud.advance(seconds=30)

    (job,) = client.poll_for_jobs(actionTypeId=HUDSON, queryParam={"Job": "shop"})["jobs"]
    with refused("InvalidNonceException"):
        client.acknowledge_job(jobId=job["id"], nonce="1")
    assert client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])["status"] == "InProgress"
    details = client.get_job_details(jobId=job["id"])["jobDetails"]
    assert details["data"]["pipelineContext"]["pipelineName"] == "shop"
    client.put_job_success_result(
        jobId=job["id"], continuationToken="x", executionDetails={"percentComplete": 50, "summary": "half"}
    )
    cloud.advance(seconds=20)
    assert (latest(client)["status"], latest(client)["percentComplete"]) == ("InProgress", 50)
    cloud.advance(seconds=20)
    (again,) = client.poll_for_jobs(actionTypeId=HUDSON)["jobs"]
    assert again["data"]["continuationToken"] == "x"
    client.acknowledge_job(jobId=again["id"], nonce=again["nonce"])
    client.put_job_success_result(jobId=again["id"], outputVariables={"Tag": "7"})
    cloud.advance(seconds=5)

    assert latest(client)["status"] == "Succeeded"
    history = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    built = next(entry for entry in history if entry["actionName"] == "Hudson")
    assert built["output"]["outputVariables"] == {"Tag": "7"}
    assert built["output"]["outputArtifacts"][0]["name"] == "Built"


def test_the_refusals_of_results_are_the_services_own(cloud: Cloud, client: Any) -> None:
    client.create_pipeline(pipeline=declare(BUILD))
    cloud.advance(seconds=30)
    (job,) = client.poll_for_jobs(actionTypeId=HUDSON)["jobs"]
    client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
    failure = {"type": "JobFailed", "message": "no"}
    client.put_job_failure_result(jobId=job["id"], failureDetails=failure)
    client.put_job_failure_result(jobId=job["id"], failureDetails=failure)

    with refused("InvalidJobStateException"):
        client.put_job_failure_result(jobId=job["id"], failureDetails={**failure, "message": "other"})
    with refused("InvalidJobStateException"):
        client.put_job_success_result(jobId=job["id"])
    with refused("JobNotFoundException"):
        client.put_job_success_result(jobId="00000000-0000-4000-8000-000000000000")
    with refused("ValidationException"):
        client.put_job_success_result(jobId="nonsense")
    cloud.advance(seconds=5)
    assert latest(client)["errorDetails"] == {"code": "JobFailed", "message": "no"}
    client.delete_pipeline(name="shop")
    client.put_job_failure_result(jobId=job["id"], failureDetails=failure)


def test_a_result_after_the_pipeline_was_deleted_is_taken(cloud: Cloud, client: Any) -> None:
    client.create_pipeline(pipeline=declare(BUILD))
    cloud.advance(seconds=30)
    (job,) = client.poll_for_jobs(actionTypeId=HUDSON)["jobs"]
    client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
    client.delete_pipeline(name="shop")

    client.put_job_success_result(jobId=job["id"])
    cloud.advance(hours=1)

    assert client.list_pipelines()["pipelines"] == []


def test_a_partner_with_boto3(cloud: Cloud, client: Any) -> None:
    scan = act("Test", "Runscope", "ThirdParty", inputArtifacts=[{"name": "Code"}])
    client.create_pipeline(pipeline=declare(scan))
    cloud.advance(seconds=10)

    (offer,) = client.poll_for_third_party_jobs(actionTypeId=PARTNER)["jobs"]
    known = {"jobId": offer["jobId"], "clientToken": client_token(offer["clientId"])}
    details = client.get_third_party_job_details(**known)["jobDetails"]
    assert client.acknowledge_third_party_job(**known, nonce=details["nonce"])["status"] == "InProgress"
    with refused("InvalidClientTokenException"):
        client.put_third_party_job_success_result(jobId=offer["jobId"], clientToken="guess")
    client.put_third_party_job_success_result(**known, executionDetails={"summary": "clean"})
    cloud.advance(seconds=5)

    assert (latest(client)["status"], latest(client)["summary"]) == ("Succeeded", "clean")


class Hudson(JobWorker):
    def work(self, job: Any) -> dict[str, Any]:
        where = job["data"]["outputArtifacts"][0]["location"]["s3Location"]
        credentials = job["data"]["artifactCredentials"]
        if job["data"]["actionConfiguration"]["configuration"]["Job"] != "shop":
            raise JobFailed("no such job", "ConfigurationError")
        import boto3

        s3 = boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id=credentials["accessKeyId"],
            aws_secret_access_key=credentials["secretAccessKey"],
            aws_session_token=credentials["sessionToken"],
        )
        s3.put_object(Bucket=where["bucketName"], Key=where["objectKey"], Body=b"built")
        return {"executionDetails": {"summary": "built"}}


def test_a_worker_in_virtual_time_writes_its_artifact_with_the_jobs_credentials(cloud: Cloud, client: Any) -> None:
    worker = Hudson(cloud, "Build", "Hudson")
    worker.start()
    client.create_pipeline(pipeline=declare(BUILD))
    wrong = {**BUILD, "configuration": {"Job": "other"}}
    client.create_pipeline(pipeline=declare(wrong, name="wrong"))

    cloud.run_until_idle()
    worker.stop()

    assert (latest(client)["status"], latest(client)["summary"]) == ("Succeeded", "built")
    assert latest(client, "wrong")["errorDetails"] == {"code": "ConfigurationError", "message": "no such job"}
    history = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    key = next(e for e in history if e["actionName"] == "Hudson")["output"]["outputArtifacts"][0]["s3location"]["key"]
    assert cloud.client("s3").get_object(Bucket="artifacts", Key=key)["Body"].read() == b"built"


def test_a_pipeline_waits_idly_when_there_is_no_worker(cloud: Cloud, client: Any) -> None:
    client.create_pipeline(pipeline=declare(BUILD))

    cloud.run_until_idle()

    assert (latest(client)["status"], cloud.time < 60) == ("InProgress", True)


def test_action_types_over_the_wire(client: Any) -> None:
    listed = client.list_action_types(actionOwnerFilter="Custom")["actionTypes"]
    assert [entry["id"] for entry in listed] == [HUDSON]
    assert len(client.list_action_types()["actionTypes"]) > 30
    described = client.get_action_type(category="Test", owner="ThirdParty", provider="Runscope", version="1")
    client.update_action_type(actionType={**described["actionType"], "description": "new"})
    with refused("ActionTypeNotFoundException"):
        client.get_action_type(category="Test", owner="ThirdParty", provider="Nobody", version="1")
    with refused("InvalidActionDeclarationException"):
        client.create_pipeline(pipeline=declare({**BUILD, "actionTypeId": {**HUDSON, "version": "2"}}))
    arn = "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Build/Hudson/1"
    client.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "shop"}])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "shop"}]
    client.delete_custom_action_type(category="Build", provider="Hudson", version="1")
    with refused("ActionTypeNotFoundException"):
        client.poll_for_jobs(actionTypeId=HUDSON)


def test_a_webhook_called_over_http(cloud: Cloud, client: Any) -> None:
    client.create_pipeline(pipeline=declare(act("Approval", "Manual")))
    cloud.advance(seconds=30)
    with Server(cloud.account):
        item = client.put_webhook(
            webhook={
                "name": "hook",
                "targetPipeline": "shop",
                "targetAction": "S3",
                "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/main"}],
                "authentication": "UNAUTHENTICATED",
                "authenticationConfiguration": {},
            },
            tags=[{"key": "team", "value": "shop"}],
        )["webhook"]
        assert item["url"].startswith("http://127.0.0.1:")
        assert post(item["url"], {"ref": "refs/heads/dev"}) == 200
        assert len(client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]) == 1
        assert post(item["url"], {"ref": "refs/heads/main"}) == 200
        assert post(item["url"] + "0", {}) == 404

    newest = client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"][0]
    assert newest["trigger"] == {"triggerType": "Webhook", "triggerDetail": item["arn"]}
    client.register_webhook_with_third_party(webhookName="hook")
    client.deregister_webhook_with_third_party(webhookName="hook")
    pages = client.get_paginator("list_webhooks").paginate(PaginationConfig={"PageSize": 1})
    assert [shown["arn"] for page in pages for shown in page["webhooks"]] == [item["arn"]]
    assert client.list_tags_for_resource(resourceArn=item["arn"])["tags"] == [{"key": "team", "value": "shop"}]
    client.delete_webhook(name="hook")
    client.delete_webhook(name="hook")
    with refused("WebhookNotFoundException"):
        client.register_webhook_with_third_party(webhookName="hook")


def test_a_webhook_called_from_this_process(cloud: Cloud, client: Any) -> None:
    client.create_pipeline(pipeline=declare(act("Approval", "Manual")))
    address = client.put_webhook(
        webhook={
            "name": "hook",
            "targetPipeline": "shop",
            "targetAction": "S3",
            "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/main"}],
            "authentication": "IP",
            "authenticationConfiguration": {"AllowedIPRange": "127.0.0.0/8"},
        }
    )["webhook"]["url"]

    assert requests.post(address, json={"ref": "refs/heads/main"}, timeout=5).status_code == 200
    assert requests.post(address.replace("t=", "t=0"), json={}, timeout=5).status_code == 404

    found = client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert [each["trigger"]["triggerType"] for each in found] == ["Webhook", "CreatePipeline"]


def post(url: str, payload: dict[str, Any]) -> int:
    request = urllib.request.Request(url, json.dumps(payload).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
