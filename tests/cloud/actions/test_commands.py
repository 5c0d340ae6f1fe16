"""Commands: shell lines with a log, variables and output files."""

from __future__ import annotations

from typing import Any

import pytest

from pipesim.assumptions.model import ActionAssumption
from pipesim.errors import DeclarationError
from tests.cloud.actions.story import (
    BASE,
    FILES,
    action,
    allow,
    ending,
    files_of,
    go,
    make,
    outputs,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import BUCKET, StandIn, allow_everything

LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
GROUP = "/aws/codepipeline/shop"


def commands(*lines: str, **members: Any) -> dict[str, Any]:
    return action(
        "Compute",
        "Commands",
        commands=list(lines or ("npm ci", "export TAG=v7", "npm run build")),
        inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Built", "files": ["nested/**/*", "bundle.js"]}],
        outputVariables=["TAG", "SIZE"],
        namespace="Shell",
        **members,
    )


def lines(account: StandIn, stream: str) -> list[str]:
    events = account.client("logs").get_log_events(logGroupName=GROUP, logStreamName=stream)["events"]
    return [event["message"].split(" ", 3)[3] for event in events]


@pytest.mark.provider("Compute/Commands", "success")
def test_a_log_variables_and_output_files(account: StandIn) -> None:
    source_bucket(account)
    sim = make(account, commands())

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    assert sim.executions[execution].outputs["Shell"] == {"TAG": "v7", "SIZE": "Do.SIZE"}
    [written] = outputs(sim)
    assert set(files_of(account, written["Built"])) == {"nested/config.json", "bundle.js"}
    assert files_of(account, written["Built"])["nested/config.json"] == FILES["nested/config.json"]
    assert lines(account, ending(sim).external_id) == [
        "Running command npm ci",
        "Running command export TAG=v7",
        "Running command npm run build",
    ]


@pytest.mark.provider("Compute/Commands", "failure")
def test_a_command_that_fails(account: StandIn) -> None:
    source_bucket(account)
    sim = make(account, commands("npm ci", "exit 3", "npm run build"))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "Error while executing command: exit 3. Reason: exit status 3" in ending(sim).message
    assert lines(account, ending(sim).external_id)[-1] == "Command did not exit successfully exit 3 exit status 3"


def test_an_assumed_failure_is_the_last_commands(account: StandIn) -> None:
    source_bucket(account)
    sim = make(account, commands(), Do=ActionAssumption(fails_on=(1,)))

    execution = go(account, sim)

    assert "command: npm run build. Reason: exit status 1" in ending(sim).message
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Compute/Commands", "permission")
@pytest.mark.parametrize("taken", LOGGING)
def test_the_role_must_write_the_log_and_heals(account: StandIn, taken: str) -> None:
    source_bucket(account)
    sim = make(account, commands())
    allow(account, *BASE, *(one for one in LOGGING if one != taken))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert f"is not authorized to perform: {taken}" in ending(sim).message
    allow(account, *BASE, *LOGGING)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Compute/Commands", "input")
def test_a_missing_input(account: StandIn) -> None:
    source_bucket(account)
    allow_everything(account, but="logs:*")
    sim = make(account, commands())
    execution = go(account, sim)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert ending(sim).code == "ConfigurationError"
    assert "NoSuchKey" in ending(sim).message


def test_secrets_are_fetched_under_the_role(account: StandIn) -> None:
    source_bucket(account)
    account.client("secretsmanager").create_secret(Name="tag", SecretString="v9")
    variables = [{"name": "TAG", "value": "tag", "type": "SECRETS_MANAGER"}]
    sim = make(account, commands("npm ci", environmentVariables=variables))
    allow(account, *BASE, *LOGGING)

    execution = go(account, sim)
    assert (ending(sim).code, "secretsmanager:GetSecretValue" in ending(sim).message) == ("PermissionError", True)
    allow(account, *BASE, *LOGGING, "secretsmanager:GetSecretValue")
    retry(account, sim, execution)

    assert sim.executions[execution].outputs["Shell"]["TAG"] == "v9"


def test_no_commands(account: StandIn) -> None:
    source_bucket(account)
    empty = {key: value for key, value in commands().items() if key != "commands"}

    with pytest.raises(DeclarationError, match="must contain a commands field"):
        make(account, empty)
