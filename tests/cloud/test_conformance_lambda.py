"""Functions as answers of the service show them: the event, the callbacks, and what history says afterwards.

The handlers here return without a callback; the test makes the calls, with the function's job and credentials.
Source: recorded answers of the service (docs/fidelity.md says how far they can be trusted).
"""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import BASE, SOURCE, action, allow
from tests.cloud.actions.test_lambda import INVOKING, cloud, function
from tests.cloud.shop import refusal, unchecked
from tests.cloud.standin import BUCKET, ROLE

__all__ = ["cloud"]

QUIET = """
import json
def handler(event, context):
    print(json.dumps(event))
    return {"statusCode": 200, "body": "ordinary return without callback"}
"""
FAILED = {"type": "JobFailed", "message": "owned explicit failure", "externalExecutionId": "of-the-function"}
DETAILS = {"summary": "of the function", "externalExecutionId": "of-the-function", "percentComplete": 100}


def create(cloud: Cloud, *later: dict[str, Any], **configuration: str) -> str:
    """A source, the function with an output, and what comes after it; the first execution's id."""
    transform = action(
        "Invoke", "Lambda", name="Transform", namespace="Made", configuration=configuration,
        inputArtifacts=[{"name": "Code"}], outputArtifacts=[{"name": "Out"}],
    )  # fmt: skip
    stages = [{"name": "Source", "actions": [SOURCE]}, {"name": "Transform", "actions": [transform]}]
    if later:
        stages.append({"name": "Later", "actions": list(later)})
    pipeline = {
        "name": "shop",
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": BUCKET},
        "pipelineType": "V2",
        "stages": stages,
    }
    client = unchecked()
    client.create_pipeline(pipeline=pipeline)
    summaries = client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    return str(summaries[0]["pipelineExecutionId"])


def begun(cloud: Cloud, *later: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An execution whose function has returned without a callback, and the job that it was given."""
    function(cloud, QUIET)
    execution = create(cloud, *later, FunctionName="check", UserParameters='{"owned": [1, 2]}')
    cloud.advance(seconds=20)
    return execution, events(cloud)[0]["CodePipeline.job"]


def events(cloud: Cloud) -> list[dict[str, Any]]:
    told = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/check")["events"]
    return [json.loads(each["message"]) for each in told if each["message"].startswith("{")]


def row(cloud: Cloud, name: str = "Transform") -> dict[str, Any]:
    rows = cloud.client("codepipeline").list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    return dict(next(each for each in rows if each["actionName"] == name))


def status(cloud: Cloud, execution: str) -> str:
    answer = cloud.client("codepipeline").get_pipeline_execution(pipelineName="shop", pipelineExecutionId=execution)
    return str(answer["pipelineExecution"]["status"])


def credentials(job: dict[str, Any]) -> dict[str, str]:
    keys = job["data"]["artifactCredentials"]
    return {
        "aws_access_key_id": keys["accessKeyId"],
        "aws_secret_access_key": keys["secretAccessKey"],
        "aws_session_token": keys["sessionToken"],
        "region_name": "us-east-1",
    }


# --- what is admitted ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configuration", "what"),
    [
        ({"UserParameters": "x"}, "is missing required configuration 'FunctionName'"),
        ({"FunctionName": "check", "Unknown": "x"}, "contains unknown configuration 'Unknown'"),
    ],
)
def test_what_is_not_admitted(cloud: Cloud, configuration: dict[str, str], what: str) -> None:
    with pytest.raises(ClientError) as error:
        create(cloud, **configuration)

    message = f"Action configuration for action 'Transform' {what}"
    assert refusal(error.value) == ("InvalidActionDeclarationException", message)


def test_a_function_that_does_not_exist(cloud: Cloud) -> None:
    execution = create(cloud, FunctionName="nowhere")
    cloud.advance(minutes=1)

    result = row(cloud)["output"]["executionResult"]
    assert status(cloud, execution) == "Failed"
    assert result["errorDetails"] == {"code": "ConfigurationError"}
    assert result["externalExecutionSummary"] == "The AWS Lambda function nowhere does not exist."


# --- the event -----------------------------------------------------------------------------------


def test_the_event(cloud: Cloud) -> None:
    _, job = begun(cloud)
    (event,) = events(cloud)
    data = job["data"]
    newest = cloud.client("s3").head_object(Bucket="source", Key="app.zip")["VersionId"]

    assert list(event) == ["CodePipeline.job"]
    assert sorted(job) == ["accountId", "data", "id"]
    assert sorted(data) == ["actionConfiguration", "artifactCredentials", "inputArtifacts", "outputArtifacts"]
    assert data["actionConfiguration"] == {
        "configuration": {"FunctionName": "check", "UserParameters": '{"owned": [1, 2]}'}
    }
    (given,), (made,) = data["inputArtifacts"], data["outputArtifacts"]
    assert sorted(given) == sorted(made) == ["location", "name", "revision"]
    assert given["revision"] == newest
    assert made["revision"] is None
    assert made["location"]["type"] == "S3"
    assert sorted(made["location"]["s3Location"]) == ["bucketName", "objectKey"]
    assert made["location"]["s3Location"]["bucketName"] == BUCKET
    assert sorted(data["artifactCredentials"]) == ["accessKeyId", "expirationTime", "secretAccessKey", "sessionToken"]


def test_credentials_last_a_quarter_of_an_hour(cloud: Cloud) -> None:
    _, job = begun(cloud)
    expires = job["data"]["artifactCredentials"]["expirationTime"]

    assert isinstance(expires, int)
    assert 880 <= expires / 1000 - (cloud.now.timestamp() - 20) <= 925


def test_what_the_artifact_credentials_reach(cloud: Cloud) -> None:
    _, job = begun(cloud)
    where = job["data"]["inputArtifacts"][0]["location"]["s3Location"]
    s3 = boto3.client("s3", **credentials(job))  # type: ignore[call-overload]
    cloud.client("s3").put_object(Bucket=BUCKET, Key="unrelated-owned.txt", Body=b"")
    allow(cloud.account, *BASE, *INVOKING, "s3:*")

    assert s3.get_object(Bucket=where["bucketName"], Key=where["objectKey"])["Body"].read()
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=BUCKET, Key="unrelated-owned.txt")
    assert refusal(error.value)[0] == "AccessDenied"
    with pytest.raises(ClientError) as error:
        boto3.client("codepipeline", **credentials(job)).put_job_success_result(jobId=job["id"])  # type: ignore[call-overload]
    assert refusal(error.value)[0] == "AccessDeniedException"


# --- callbacks -----------------------------------------------------------------------------------


def test_a_success_and_what_history_shows_of_it(cloud: Cloud) -> None:
    execution, job = begun(cloud)
    client = cloud.client("codepipeline")
    said = {
        "jobId": job["id"],
        "executionDetails": DETAILS,
        "currentRevision": {"revision": "of-the-function", "changeIdentifier": "1"},
        "outputVariables": {"Produced": "yes"},
    }
    for _ in range(2):
        answer = client.put_job_success_result(**said)
        assert list(answer) == ["ResponseMetadata"]
    cloud.advance(seconds=5)

    shown = row(cloud)
    assert (status(cloud, execution), shown["status"]) == ("Succeeded", "Succeeded")
    assert shown["output"]["executionResult"] == {
        "externalExecutionId": "check",
        "externalExecutionUrl": "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        "#logStream:group=%252Faws%252Flambda%252Fcheck",
    }
    assert shown["output"]["outputVariables"] == {"Produced": "yes"}
    (revision,) = client.get_pipeline_execution(pipelineName="shop", pipelineExecutionId=execution)[
        "pipelineExecution"
    ]["artifactRevisions"]
    assert revision["revisionId"] == job["data"]["inputArtifacts"][0]["revision"]
    state = client.get_pipeline_state(name="shop")["stageStates"][1]["actionStates"][0]
    assert "currentRevision" not in state

    with pytest.raises(ClientError) as error:
        client.put_job_success_result(jobId=job["id"], outputVariables={"Produced": "no"})
    assert refusal(error.value) == (
        "InvalidJobStateException",
        f"The status of job with id {job['id']} is already set to the desired value. It cannot be updated with the"
        " same status, but different result or output variables.",
    )
    with pytest.raises(ClientError) as error:
        client.put_job_failure_result(jobId=job["id"], failureDetails=FAILED)
    assert refusal(error.value) == ("InvalidJobStateException", f"Job with id {job['id']} has already terminated")


def test_a_failure_and_what_history_shows_of_it(cloud: Cloud) -> None:
    execution, job = begun(cloud)
    client = cloud.client("codepipeline")
    for _ in range(2):
        assert list(client.put_job_failure_result(jobId=job["id"], failureDetails=FAILED)) == ["ResponseMetadata"]
    cloud.advance(seconds=5)

    output = row(cloud)["output"]
    assert (status(cloud, execution), row(cloud)["status"]) == ("Failed", "Failed")
    assert output["outputArtifacts"] == []
    assert output["outputVariables"] == {}
    assert output["executionResult"]["errorDetails"] == {"code": "JobFailed"}
    assert output["executionResult"]["externalExecutionSummary"] == "owned explicit failure"
    assert output["executionResult"]["externalExecutionId"] == "check"
    with pytest.raises(ClientError) as error:
        client.put_job_success_result(jobId=job["id"])
    assert refusal(error.value) == ("InvalidJobStateException", f"Job with id {job['id']} has already terminated")


def test_jobs_that_are_not_there(cloud: Cloud) -> None:
    _, job = begun(cloud)
    unknown = "0f1d5322-6eba-43fa-a572-7ebabc8c7e4d"
    here, elsewhere = cloud.client("codepipeline"), cloud.client("codepipeline", "us-west-2")
    for client, wanted in ((here, unknown), (elsewhere, job["id"])):
        for call in (
            lambda client=client, wanted=wanted: client.put_job_success_result(jobId=wanted),
            lambda client=client, wanted=wanted: client.put_job_failure_result(jobId=wanted, failureDetails=FAILED),
        ):
            with pytest.raises(ClientError) as error:
                call()
            assert refusal(error.value) == ("JobNotFoundException", f"Job with id '{wanted}' does not exist")
    with pytest.raises(ClientError) as error:
        here.put_job_success_result(jobId="not-an-id")
    assert refusal(error.value)[0] == "ValidationException"
    assert "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}" in refusal(error.value)[1]


def test_a_continuation(cloud: Cloud) -> None:
    execution, first = begun(cloud)
    client = cloud.client("codepipeline")
    with pytest.raises(ClientError) as error:
        client.put_job_success_result(jobId=first["id"], continuationToken="next", outputVariables={"A": "b"})
    assert refusal(error.value) == (
        "ValidationException",
        "A job can not contain both a continuation token and output variables.",
    )
    before = row(cloud)["actionExecutionId"]
    client.put_job_success_result(jobId=first["id"], continuationToken="opaque/1")
    asked = cloud.now
    cloud.advance(seconds=40)
    _, again = (event["CodePipeline.job"] for event in events(cloud))

    assert again["id"] != first["id"]
    assert before not in (first["id"], again["id"])
    assert row(cloud)["actionExecutionId"] == before
    assert again["data"]["continuationToken"] == "opaque/1"
    for member in ("inputArtifacts", "outputArtifacts"):
        assert again["data"][member] == first["data"][member]
    starts = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/check", filterPattern="")["events"]
    (second,) = [each for each in starts if again["id"] in each["message"] and each["message"].startswith("START")]
    assert 27 <= second["timestamp"] / 1000 - asked.timestamp() <= 31
    with pytest.raises(ClientError) as error:
        client.put_job_success_result(jobId=first["id"])
    assert refusal(error.value)[0] == "InvalidJobStateException"
    assert status(cloud, execution) == "InProgress"

    client.put_job_success_result(jobId=again["id"])
    cloud.advance(seconds=5)
    assert status(cloud, execution) == "Succeeded"


# --- outputs, returning, abandoning --------------------------------------------------------------


def test_outputs_and_variables_are_used_downstream(cloud: Cloud) -> None:
    execution, job = begun(cloud, deployment(CacheControl="#{Made.Produced}"))
    where = job["data"]["outputArtifacts"][0]["location"]["s3Location"]
    made = pack({"transformed.txt": b"lambda-produced:OWNED SOURCE BYTES\n"})
    s3 = boto3.client("s3", **credentials(job))  # type: ignore[call-overload]
    s3.put_object(Bucket=where["bucketName"], Key=where["objectKey"], Body=made)
    cloud.client("codepipeline").put_job_success_result(jobId=job["id"], outputVariables={"Produced": "yes"})
    cloud.run_until_idle()

    assert status(cloud, execution) == "Succeeded"
    stored = cloud.client("s3").get_object(Bucket="site", Key="transformed.txt")
    assert stored["Body"].read() == b"lambda-produced:OWNED SOURCE BYTES\n"
    assert stored["CacheControl"] == "yes"


def test_an_output_that_was_never_written(cloud: Cloud) -> None:
    execution, job = begun(cloud, deployment())
    cloud.client("codepipeline").put_job_success_result(jobId=job["id"])
    cloud.run_until_idle()

    shown = row(cloud)
    (artifact,) = shown["output"]["outputArtifacts"]
    assert shown["status"] == "Succeeded"
    assert artifact["s3location"]["key"] == job["data"]["outputArtifacts"][0]["location"]["s3Location"]["objectKey"]
    assert status(cloud, execution) == "Failed"
    result = row(cloud, "Copy")["output"]["executionResult"]
    assert result["errorDetails"] == {"code": "ConfigurationError"}
    assert "NoSuchKey" in result["externalExecutionSummary"]


def deployment(**more: str) -> dict[str, Any]:
    """A deployment of what the function made, into a bucket that is there."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="site")
    configuration = {"BucketName": "site", "Extract": "true", **more}
    return action("Deploy", "S3", name="Copy", configuration=configuration, inputArtifacts=[{"name": "Out"}])


def test_an_ordinary_return_is_nothing_and_a_late_callback_revives_nothing(cloud: Cloud) -> None:
    execution, job = begun(cloud)
    client = cloud.client("codepipeline")
    lines = [
        each["message"] for each in cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/check")["events"]
    ]
    assert lines[0].startswith("START") and lines[-1].startswith(("END", "REPORT"))
    cloud.advance(seconds=20)
    assert row(cloud)["status"] == "InProgress"

    client.stop_pipeline_execution(pipelineName="shop", pipelineExecutionId=execution, abandon=True)
    client.put_job_success_result(jobId=job["id"], outputVariables={"Produced": "yes"})
    cloud.advance(seconds=5)
    assert status(cloud, execution) == "Stopped"
    assert row(cloud)["status"] == "Abandoned"
    assert row(cloud)["output"] == {"outputArtifacts": [], "outputVariables": {}}
    client.delete_pipeline(name="shop")
    with pytest.raises(ClientError) as error:
        client.get_pipeline(name="shop")
    assert refusal(error.value)[0] == "PipelineNotFoundException"
    assert list(client.put_job_success_result(jobId=job["id"], outputVariables={"Produced": "yes"})) == [
        "ResponseMetadata"
    ]
