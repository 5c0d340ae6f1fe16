"""Step Functions: machines that really run, in virtual time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    files_of,
    go,
    lacks_and_heals,
    lasting,
    make,
    outputs,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import BUCKET, StandIn

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:release"
NEEDED = ("states:DescribeStateMachine", "states:DescribeExecution", "states:StartExecution")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PAINT = b"""
def handler(event, context):
    if event["color"] == "red":
        raise ValueError("red")
    return {"painted": event["color"].upper()}
"""
CHOICE = {
    "StartAt": "Look",
    "States": {
        "Look": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.color", "StringEquals": "red", "Next": "Stop"}],
            "Default": "Rest",
        },
        "Stop": {"Type": "Fail", "Error": "Red", "Cause": "the light is red"},
        "Rest": {"Type": "Wait", "Seconds": 600, "Next": "Done"},
        "Done": {"Type": "Pass", "Result": {"released": True}, "End": True},
    },
}


def invoke(**configuration: str) -> dict[str, Any]:
    given = {"StateMachineArn": MACHINE, "Input": '{"color": "green"}', **configuration}
    return action(
        "Invoke",
        "StepFunctions",
        configuration=given,
        inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Result"}],
        namespace="Steps",
    )


def machine(account: StandIn, definition: dict[str, Any] = CHOICE, files: dict[str, bytes] | None = None) -> Any:
    source_bucket(account, pack(files or {"input.json": b'{"color": "green"}'}))
    client = account.client("stepfunctions")
    client.create_state_machine(
        name="release", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/machine"
    )
    return client


@pytest.mark.provider("Invoke/StepFunctions", "success")
def test_a_machine_runs_to_its_end(account: StandIn) -> None:
    client = machine(account)
    sim = make(account, invoke(ExecutionNamePrefix="ship"), Do=lasting(30))

    execution = go(account, sim, 300)
    [running] = client.list_executions(stateMachineArn=MACHINE)["executions"]
    account.advance(400)
    ended = client.describe_execution(executionArn=running["executionArn"])

    assert (running["status"], ended["status"], status(sim, execution)) == ("RUNNING", "SUCCEEDED", "Succeeded")
    assert ended["name"].startswith("ship-") and json.loads(ended["input"]) == {"color": "green"}
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() == 630
    emitted = sim.executions[execution].outputs["Steps"]
    assert emitted == {"StateMachineArn": MACHINE, "ExecutionArn": running["executionArn"]}
    assert json.loads(files_of(account, outputs(sim)[0]["Result"])["output.json"]) == {"released": True}


@pytest.mark.provider("Invoke/StepFunctions", "failure")
def test_a_machine_that_fails_fails_the_action(account: StandIn) -> None:
    client = machine(account, files={"input.json": b'{"color": "red"}'})
    sim = make(account, invoke(InputType="FilePath", Input="input.json"))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert ending(sim).message == (
        f"The execution {ending(sim).external_id} ended with status FAILED: Red: the light is red"
    )
    assert client.describe_execution(executionArn=ending(sim).external_id)["status"] == "FAILED"


@pytest.mark.provider("Invoke/StepFunctions", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    machine(account)
    sim = make(account, invoke())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Invoke/StepFunctions", "input")
@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"InputType": "FilePath", "Input": "other.json"}, "The input artifact 'Code' has no file 'other.json'."),
        ({"Input": "green"}, "The input of the state machine is no JSON."),
    ],
)
def test_an_input_that_is_missing_or_malformed(account: StandIn, configuration: dict[str, str], message: str) -> None:
    machine(account)
    sim = make(account, invoke(**configuration))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "ConfigurationError")
    assert ending(sim).message == message


@pytest.mark.provider("Invoke/StepFunctions", "input")
def test_an_artifact_that_is_gone(account: StandIn) -> None:
    machine(account)
    sim = make(account, invoke(InputType="FilePath", Input="other.json"))
    execution = go(account, sim)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert (ending(sim).code, "NoSuchKey" in ending(sim).message) == ("ConfigurationError", True)


def test_a_machine_that_does_not_exist(account: StandIn) -> None:
    source_bucket(account)
    sim = make(account, invoke())

    go(account, sim)

    assert (ending(sim).code, "release" in ending(sim).message) == ("ConfigurationError", True)


def test_branches_wait_at_the_same_time(account: StandIn) -> None:
    def branch(seconds: int) -> dict[str, Any]:
        return {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": seconds, "End": True}}}

    parallel = {"Type": "Parallel", "Branches": [branch(100), branch(300), branch(200)], "End": True}
    client = machine(account, {"StartAt": "P", "States": {"P": parallel}})
    sim = make(account, invoke(), Do=lasting(10))

    go(account, sim)

    [ended] = client.list_executions(stateMachineArn=MACHINE)["executions"]
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() == 310


def test_tasks_run_the_learners_functions_and_are_retried(account: StandIn) -> None:
    account.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(TRUST))
    account.client("lambda").create_function(
        FunctionName="paint",
        Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/function",
        Handler="app.handler",
        Code={"ZipFile": pack({"app.py": PAINT})},
    )
    task = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:paint",
        "Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 100, "MaxAttempts": 2, "BackoffRate": 2.0}],
        "End": True,
    }
    client = machine(account, {"StartAt": "T", "States": {"T": task}})
    go(account, make(account, invoke(), Do=lasting(10)), 60)
    [ended] = client.list_executions(stateMachineArn=MACHINE)["executions"]
    assert json.loads(client.describe_execution(executionArn=ended["executionArn"])["output"]) == {"painted": "GREEN"}

    red = make(account, invoke(Input='{"color": "red"}', ExecutionNamePrefix="red"), Do=lasting(10))
    go(account, red)
    assert "ended with status FAILED: ValueError" in ending(red).message
    failed = client.describe_execution(executionArn=ending(red).external_id)
    assert (failed["stopDate"] - failed["startDate"]).total_seconds() == 310


def test_a_task_that_nobody_answers_times_out(account: StandIn) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "TimeoutSeconds": 3600,
        "Parameters": {"QueueUrl": "", "MessageBody": {"Token.$": "$$.Task.Token"}},
        "End": True,
    }
    task["Parameters"]["QueueUrl"] = account.client("sqs").create_queue(QueueName="ask")["QueueUrl"]  # type: ignore[index]
    machine(account, {"StartAt": "T", "States": {"T": task}})
    sim = make(account, invoke(), Do=lasting(10))

    execution = go(account, sim, 3000)
    assert status(sim, execution) == "InProgress"
    account.advance(3000)

    assert "States.Timeout" in ending(sim).message


def test_people_start_machines_too() -> None:
    with Cloud(seed=1) as cloud:
        cloud.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(TRUST))
        cloud.client("lambda").create_function(
            FunctionName="paint",
            Runtime="python3.12",
            Role="arn:aws:iam::123456789012:role/function",
            Handler="app.handler",
            Code={"ZipFile": pack({"app.py": PAINT})},
        )
        task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:paint", "End": True}
        states = cloud.client("stepfunctions")
        states.create_state_machine(
            name="release",
            definition=json.dumps({"StartAt": "T", "States": {"T": task}}),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )

        arn = states.start_execution(stateMachineArn=MACHINE, name="by-hand", input='{"color": "blue"}')["executionArn"]

        told = states.describe_execution(executionArn=arn)
        assert (told["status"], json.loads(told["output"])) == ("SUCCEEDED", {"painted": "BLUE"})
    with Cloud(seed=1) as another:
        assert not another.client("stepfunctions").list_state_machines()["stateMachines"]


def test_nothing_is_left_of_it() -> None:
    from moto.core.config import default_user_config

    assert default_user_config["stepfunctions"]["execute_state_machine"] is False
