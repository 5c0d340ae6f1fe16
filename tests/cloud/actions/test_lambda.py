"""Functions that really run, and everything that a function can do wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud import lambda_runner, nursery
from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import BASE, FILES, SOURCE, action, allow, files_of, source_bucket
from tests.cloud.standin import BUCKET, ROLE, prepare

INVOKING = ("lambda:InvokeFunction", "lambda:ListFunctions")
REPORTING = ("codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult")
LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")

SUCCEED = """
import boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    print("job", job["id"])
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"], outputVariables={"Answer": "42"})
"""
FAIL = """
import boto3
def handler(event, context):
    boto3.client("codepipeline").put_job_failure_result(
        jobId=event["CodePipeline.job"]["id"],
        failureDetails={"type": "JobFailed", "message": "owned explicit failure", "externalExecutionId": "ignored"},
    )
"""
CONTINUE = """
import boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    token = job["data"].get("continuationToken")
    more = {} if token == "second" else {"continuationToken": "second" if token else "first"}
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"], **more)
"""
TRANSFORM = """
import io, zipfile, boto3
def handler(event, context):
    job = event["CodePipeline.job"]
    data, keys = job["data"], job["data"]["artifactCredentials"]
    s3 = boto3.client("s3", aws_access_key_id=keys["accessKeyId"], aws_secret_access_key=keys["secretAccessKey"],
                      aws_session_token=keys["sessionToken"])
    source, target = (data[kind][0]["location"]["s3Location"] for kind in ("inputArtifacts", "outputArtifacts"))
    body = s3.get_object(Bucket=source["bucketName"], Key=source["objectKey"])["Body"].read()
    text = zipfile.ZipFile(io.BytesIO(body)).read("index.html")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("out.txt", b"lambda:" + text)
    s3.put_object(Bucket=target["bucketName"], Key=target["objectKey"], Body=out.getvalue())
    try:
        s3.get_object(Bucket="source", Key="app.zip")
    except s3.exceptions.ClientError as error:
        print("elsewhere", error.response["Error"]["Code"])
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"])
"""


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    assumed = {"Invoke/Lambda": ActionAssumption(duration=Constant(2.0))}
    with Cloud(assumptions=Assumptions(actions=assumed), seed=1) as cloud:
        prepare(cloud.account)
        source_bucket(cloud.account)
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        cloud.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))
        allow(cloud.account, *REPORTING, *LOGGING, role="function")
        yield cloud


def function(cloud: Cloud, code: str, **members: Any) -> None:
    cloud.client("lambda").create_function(
        FunctionName="check",
        Runtime=members.pop("Runtime", "python3.11"),
        Role="arn:aws:iam::123456789012:role/function",
        Handler="app.handler",
        Code={"ZipFile": pack({"app.py": code.encode()})},
        **members,
    )


def pipeline(cloud: Cloud, **members: Any) -> str:
    """Create a pipeline that calls the function; its first execution's id."""
    invoke = action(
        "Invoke", "Lambda", configuration={"FunctionName": "check", "UserParameters": "{}"}, namespace="Checked",
        inputArtifacts=[{"name": "Code"}], **members,
    )  # fmt: skip
    client = cloud.client("codepipeline")
    client.create_pipeline(
        pipeline={
            "name": "shop",
            "roleArn": ROLE,
            "artifactStore": {"type": "S3", "location": BUCKET},
            "pipelineType": "V2",
            "executionMode": "QUEUED",
            "stages": [{"name": "Source", "actions": [SOURCE]}, {"name": "Work", "actions": [invoke]}],
        }
    )
    return str(
        client.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"][0]["pipelineExecutionId"]
    )


def latest(cloud: Cloud) -> dict[str, Any]:
    """What history says of the function's newest action execution."""
    details = cloud.client("codepipeline").list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    return dict(next(one for one in details if one["actionName"] == "Do"))


def status(cloud: Cloud, execution: str) -> str:
    answer = cloud.client("codepipeline").get_pipeline_execution(pipelineName="shop", pipelineExecutionId=execution)
    return str(answer["pipelineExecution"]["status"])


def log(cloud: Cloud) -> list[str]:
    logs = cloud.client("logs")
    events = logs.filter_log_events(logGroupName="/aws/lambda/check")["events"]
    return [str(event["message"]) for event in events]


def retry(cloud: Cloud, execution: str) -> None:
    cloud.client("codepipeline").retry_stage_execution(
        pipelineName="shop", stageName="Work", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    cloud.advance(minutes=30)


@pytest.mark.provider("Invoke/Lambda", "success")
def test_a_function_reports_success(cloud: Cloud) -> None:
    function(cloud, SUCCEED)

    execution = pipeline(cloud)
    cloud.advance(minutes=1)

    assert status(cloud, execution) == "Succeeded"
    told = latest(cloud)
    assert told["output"]["outputVariables"] == {"Answer": "42"}
    result = told["output"]["executionResult"]
    assert result["externalExecutionId"] == "check"
    assert (told["lastUpdateTime"] - told["startTime"]).total_seconds() == 2.0
    assert any(line.startswith("job ") for line in log(cloud))


@pytest.mark.provider("Invoke/Lambda", "failure")
def test_a_function_reports_failure_and_heals(cloud: Cloud) -> None:
    function(cloud, FAIL)
    execution = pipeline(cloud)
    cloud.advance(minutes=1)
    told = latest(cloud)
    assert (status(cloud, execution), told["status"]) == ("Failed", "Failed")
    assert told["output"]["executionResult"]["errorDetails"]["code"] == "JobFailed"
    assert told["output"]["executionResult"]["externalExecutionSummary"] == "owned explicit failure"
    assert told["output"]["executionResult"]["externalExecutionId"] == "check"
    cloud.client("lambda").update_function_code(FunctionName="check", ZipFile=pack({"app.py": SUCCEED.encode()}))

    retry(cloud, execution)

    assert status(cloud, execution) == "Succeeded"


def test_a_continuation_token_calls_again(cloud: Cloud) -> None:
    function(cloud, CONTINUE)

    execution = pipeline(cloud)
    cloud.advance(minutes=5)

    assert status(cloud, execution) == "Succeeded"
    told = latest(cloud)
    assert (told["lastUpdateTime"] - told["startTime"]).total_seconds() == 62.0


@pytest.mark.provider("Invoke/Lambda", "success")
def test_artifacts_flow_through_a_function(cloud: Cloud) -> None:
    function(cloud, TRANSFORM)

    execution = pipeline(cloud, outputArtifacts=[{"name": "Made"}])
    cloud.advance(minutes=1)

    assert status(cloud, execution) == "Succeeded"
    [artifact] = latest(cloud)["output"]["outputArtifacts"]
    assert files_of(cloud.account, artifact["s3location"]["key"]) == {"out.txt": b"lambda:" + FILES["index.html"]}
    assert "elsewhere AccessDenied" in log(cloud)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def handler(event, context):\n    raise ValueError('broken')", "[ERROR] ValueError: broken"),
        ("def handler(event, context):\n    while True: pass", "[ERROR] Task timed out after 1.00 seconds"),
        ("def handler(event, context):\n    bytearray(8 * 2**30)", "[ERROR] MemoryError"),
        (
            "import os\ndef handler(event, context):\n    os._exit(7)",
            "[ERROR] Runtime exited with error: exit status 7",
        ),
        ("syntax error", "[ERROR] SyntaxError"),
        ("", "[ERROR] AttributeError"),
    ],
)
def test_a_function_that_breaks_is_called_three_times_and_times_out(cloud: Cloud, code: str, said: str) -> None:
    function(cloud, code, Timeout=1)

    execution = pipeline(cloud)
    cloud.advance(minutes=10)
    assert status(cloud, execution) == "InProgress"
    cloud.advance(minutes=15)

    assert status(cloud, execution) == "Failed"
    assert latest(cloud)["output"]["executionResult"]["errorDetails"]["code"] == "JobFailed"
    assert sum(line.startswith(said) for line in log(cloud)) == 3


def test_a_function_that_returns_without_reporting_times_out(cloud: Cloud) -> None:
    function(cloud, "def handler(event, context):\n    return {'statusCode': 200}")

    execution = pipeline(cloud)
    cloud.advance(minutes=19)
    assert status(cloud, execution) == "InProgress"
    cloud.advance(minutes=2)

    assert status(cloud, execution) == "Failed"
    assert sum(line.startswith("START") for line in log(cloud)) == 1


def test_a_function_that_prints_without_end(cloud: Cloud) -> None:
    function(
        cloud,
        "def handler(event, context):\n    for _ in range(100): print('x' * 2**20)"
        + SUCCEED.replace("handler", "other"),
    )

    execution = pipeline(cloud)
    cloud.advance(minutes=1)

    assert status(cloud, execution) == "InProgress"
    assert sum(len(line) for line in log(cloud)) < lambda_runner.MOST_OUTPUT + 1000


def test_a_function_that_leaves_children_behind(cloud: Cloud) -> None:
    import subprocess

    code = "import subprocess\ndef handler(event, context):\n    subprocess.Popen(['sleep', '987'])"
    function(cloud, code)

    pipeline(cloud)
    cloud.advance(minutes=1)

    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 987" not in listed


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (SUCCEED, "job "),
        ("import time\ndef handler(event, context):\n    time.sleep(60)", "[ERROR] Task timed out after 2.00 seconds"),
        (
            "import os\ndef handler(event, context):\n    os._exit(7)",
            "[ERROR] Runtime exited with error: exit status 7",
        ),
    ],
)
def test_where_processes_cannot_fork(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, code: str, said: str) -> None:
    monkeypatch.setattr(nursery, "CAN_FORK", False)
    monkeypatch.setattr(lambda_runner, "GRACE", 3.0)
    function(cloud, code, Timeout=2 if code != SUCCEED else 10)

    pipeline(cloud)
    cloud.advance(minutes=1)

    assert any(line.startswith(said) for line in log(cloud))


def test_a_function_that_kills_its_parent_harms_only_itself(cloud: Cloud) -> None:
    function(cloud, "import os, time\ndef handler(event, context):\n    os.kill(os.getppid(), 9)\n    time.sleep(0.5)")
    execution = pipeline(cloud)
    cloud.advance(minutes=30)
    assert status(cloud, execution) == "Failed"
    cloud.client("lambda").update_function_code(FunctionName="check", ZipFile=pack({"app.py": SUCCEED.encode()}))

    retry(cloud, execution)

    assert status(cloud, execution) == "Succeeded"


def test_a_function_sees_its_own_environment_and_no_other(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_MACHINE", "secret")
    code = "import os\ndef handler(event, context):\n    print(sorted(os.environ), context.function_name)"
    function(cloud, code, Environment={"Variables": {"COLOUR": "red"}})

    pipeline(cloud)
    cloud.advance(minutes=1)

    [said] = [line for line in log(cloud) if "COLOUR" in line]
    assert "OF_THE_MACHINE" not in said
    assert said.endswith("check")


@pytest.mark.provider("Invoke/Lambda", "input")
def test_a_missing_function(cloud: Cloud) -> None:
    execution = pipeline(cloud)
    cloud.advance(minutes=1)

    result = latest(cloud)["output"]["executionResult"]
    assert (status(cloud, execution), result["errorDetails"]["code"]) == ("Failed", "ConfigurationError")
    assert result["externalExecutionSummary"] == "The AWS Lambda function check does not exist."


@pytest.mark.provider("Invoke/Lambda", "permission")
@pytest.mark.parametrize("taken", INVOKING)
def test_the_pipelines_role_needs_every_permission_and_heals(cloud: Cloud, taken: str) -> None:
    function(cloud, SUCCEED)
    allow(cloud.account, *BASE, *(one for one in INVOKING if one != taken))
    execution = pipeline(cloud)
    cloud.advance(minutes=1)
    result = latest(cloud)["output"]["executionResult"]
    assert (status(cloud, execution), result["errorDetails"]["code"]) == ("Failed", "PermissionError")
    assert taken in result["externalExecutionSummary"]
    allow(cloud.account, *BASE, *INVOKING)

    retry(cloud, execution)

    assert status(cloud, execution) == "Succeeded"


def test_the_functions_role_needs_to_report(cloud: Cloud) -> None:
    function(cloud, SUCCEED)
    allow(cloud.account, *LOGGING, role="function")
    execution = pipeline(cloud)
    cloud.advance(minutes=30)
    assert status(cloud, execution) == "Failed"
    assert any("not authorized to perform: codepipeline:PutJobSuccessResult" in line for line in log(cloud))
    allow(cloud.account, *REPORTING, role="function")

    retry(cloud, execution)

    assert status(cloud, execution) == "Succeeded"


@pytest.mark.provider("Invoke/Lambda", "input")
def test_a_missing_input_is_the_functions_own_trouble(cloud: Cloud) -> None:
    function(cloud, TRANSFORM)
    allow(cloud.account, *BASE)
    execution = pipeline(cloud, outputArtifacts=[{"name": "Made"}])
    cloud.advance(minutes=1)
    listed = cloud.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    for one in listed:
        cloud.client("s3").delete_object(Bucket=BUCKET, Key=one["Key"])
    allow(cloud.account, *BASE, *INVOKING)

    retry(cloud, execution)

    assert status(cloud, execution) == "Failed"
    assert any("NoSuchKey" in line for line in log(cloud))


def test_a_function_in_another_language_is_assumed(cloud: Cloud) -> None:
    function(cloud, "exports.handler = async () => {}", Runtime="nodejs20.x")

    execution = pipeline(cloud)
    cloud.advance(minutes=1)

    assert status(cloud, execution) == "Succeeded"
