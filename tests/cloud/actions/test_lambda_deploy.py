"""Lambda deploys: code, version, alias; traffic step by step, and back when an alarm rings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import BASE, action, allow, ending, go, lasting, make, retry, source_bucket, status
from tests.cloud.standin import BUCKET, StandIn

NEEDED = (
    "lambda:GetFunctionConfiguration", "lambda:GetAlias", "lambda:UpdateFunctionCode", "lambda:PublishVersion",
    "lambda:UpdateAlias",
)  # fmt: skip
LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
CANARY: dict[str, Any] = {"DeployStrategy": "Canary10Percent5Minutes", "Alarms": "errors"}


def function(account: StandIn) -> Any:
    source_bucket(account, pack({"app.py": b"def handler(event, context):\n    return 2\n"}))
    trust = {"Version": "2012-10-17", "Statement": []}
    account.client("iam").create_role(RoleName="f", AssumeRolePolicyDocument=json.dumps(trust))
    client = account.client("lambda")
    client.create_function(
        FunctionName="f", Runtime="python3.12", Role="arn:aws:iam::123456789012:role/f", Handler="app.handler",
        Code={"ZipFile": pack({"app.py": b"def handler(event, context):\n    return 1\n"})}, Publish=True,
    )  # fmt: skip
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    account.client("cloudwatch").put_metric_alarm(
        AlarmName="errors", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1.0, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    return client


def deploy(inputs: bool = True, **configuration: Any) -> dict[str, Any]:
    given = {"FunctionName": "f", "FunctionAlias": "live", **configuration}
    artifacts = [{"name": "Code"}] if inputs else []
    return action("Deploy", "Lambda", configuration=given, inputArtifacts=artifacts, namespace="F")


def weights(client: Any) -> tuple[str, dict[str, float]]:
    alias = client.get_alias(FunctionName="f", Name="live")
    return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


@pytest.mark.provider("Deploy/Lambda", "success")
def test_the_alias_moves_to_the_new_code(account: StandIn) -> None:
    client = function(account)
    before = client.get_function_configuration(FunctionName="f", Qualifier="1")["CodeSha256"]
    sim = make(account, deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).message) == ("Succeeded", "")
    assert weights(client) == ("2", {})
    assert client.get_function_configuration(FunctionName="f", Qualifier="live")["CodeSha256"] != before
    assert ending(sim).variables == {"FunctionVersion": "2"}
    assert ending(sim).external_id == "2"


def test_a_canary_waits_with_a_tenth_of_the_calls(account: StandIn) -> None:
    client = function(account)
    sim = make(account, deploy(**CANARY), Do=lasting(10))

    execution = go(account, sim, 60)
    assert (weights(client), status(sim, execution)) == (("1", {"2": 0.1}), "InProgress")
    account.advance(300)

    assert (weights(client), status(sim, execution)) == (("2", {}), "Succeeded")


@pytest.mark.provider("Deploy/Lambda", "failure")
def test_an_alarm_moves_the_alias_back(account: StandIn) -> None:
    client = function(account)
    sim = make(account, deploy(**CANARY), Do=lasting(10))

    execution = go(account, sim, 60)
    account.client("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="errors")
    account.advance(300)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "rolled back to version 1: alarms in state ALARM: errors" in ending(sim).message
    assert weights(client) == ("1", {})


@pytest.mark.provider("Deploy/Lambda", "permission")
@pytest.mark.parametrize("taken", [*NEEDED, "cloudwatch:DescribeAlarms"])
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    function(account)
    sim = make(account, deploy(**CANARY))
    needed = (*NEEDED, *LOGS, "cloudwatch:DescribeAlarms")
    allow(account, *BASE, *(one for one in needed if one != taken))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert f"is not authorized to perform: {taken}" in ending(sim).message
    allow(account, *BASE, *needed)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Deploy/Lambda", "input")
def test_a_missing_input(account: StandIn) -> None:
    function(account)
    sim = make(account, deploy())
    account.client("s3").put_object(Bucket="source", Key="app.zip", Body=b"no zip")

    execution = go(account, sim)
    assert (ending(sim).code, ending(sim).message) == ("JobFailed", "The archive is malformed.")
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])
    retry(account, sim, execution)

    assert (ending(sim).code, "NoSuchKey" in ending(sim).message) == ("ConfigurationError", True)


@pytest.mark.parametrize(
    ("inputs", "configuration", "message"),
    [
        (False, {}, "Neither an input artifact nor PublishedTargetVersion"),
        (False, {"PublishedTargetVersion": "9"}, "Version 9 of the AWS Lambda function f does not exist"),
        (True, {"FunctionName": "g"}, "The AWS Lambda function g does not exist"),
        (True, {"FunctionAlias": "dead"}, "has no alias dead"),
        (True, {"DeployStrategy": "Slowly"}, "DeployStrategy 'Slowly' is unknown"),
    ],
)
def test_a_wrong_configuration(account: StandIn, inputs: bool, configuration: dict[str, str], message: str) -> None:
    function(account)
    sim = make(account, deploy(inputs, **configuration))

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert message in ending(sim).message


def test_a_version_that_is_published_already(account: StandIn) -> None:
    client = function(account)
    client.update_function_code(FunctionName="f", ZipFile=pack({"app.py": b"def handler(e, c): return 3\n"}))
    version = client.publish_version(FunctionName="f")["Version"]
    sim = make(account, deploy(False, PublishedTargetVersion=version))

    assert status(sim, go(account, sim)) == "Succeeded"
    assert weights(client) == (version, {})
