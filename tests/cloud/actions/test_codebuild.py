"""CodeBuild on the mocked account: builds with phases, logs, variables, artifacts, and every way to fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipesim.assumptions.model import ActionAssumption
from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    FILES,
    action,
    allow,
    ending,
    files_of,
    go,
    lasting,
    make,
    outputs,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import BUCKET, StandIn

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
BUILD_ROLE = "arn:aws:iam::123456789012:role/build"
BUILDING = (
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "s3:GetObject", "s3:GetObjectVersion",
    "s3:PutObject",
)  # fmt: skip
STARTING = ("codebuild:StartBuild", "codebuild:BatchGetBuilds")
SPEC = b"""version: 0.2
env:
  variables: {LEVEL: info}
  exported-variables: [LEVEL, STAGE, TAG, CODEBUILD_BUILD_NUMBER]
phases:
  install: {commands: [npm ci]}
  build: {commands: [npm test, npm run build]}
artifacts:
  files: ['site/**/*', bundle.js]
"""
SOURCE = {"buildspec.yml": SPEC, "site/index.html": b"<p>", "site/css/main.css": b"p {}", "README": b"read me"}


def build(**members: Any) -> dict[str, Any]:
    configuration = {"ProjectName": "app", **members.pop("configuration", {})}
    return action(
        "Build",
        "CodeBuild",
        configuration=configuration,
        inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Built"}],
        namespace="Build",
        **members,
    )


def project(account: StandIn, files: dict[str, bytes] = SOURCE, **members: Any) -> Any:
    """A source bucket, a role for builds, and a project."""
    source_bucket(account, pack(files))
    account.client("iam").create_role(RoleName="build", AssumeRolePolicyDocument=json.dumps(TRUST))
    allow(account, *BUILDING, role="build")
    client = account.client("codebuild")
    client.create_project(
        name="app",
        source={"type": "CODEPIPELINE", **members.pop("source", {})},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
            **members.pop("environment", {}),
        },
        serviceRole=BUILD_ROLE,
        **members,
    )  # fmt: skip
    return client


def messages(account: StandIn, build_id: str) -> list[str]:
    events = account.client("logs").get_log_events(
        logGroupName="/aws/codebuild/app", logStreamName=build_id.split(":")[1]
    )
    return [event["message"].split(" ", 3)[3] for event in events["events"]]


@pytest.mark.provider("Build/CodeBuild", "success")
def test_a_build_runs_in_its_phases(account: StandIn) -> None:
    client = project(account)
    sim = make(account, build(), Do=lasting(100))

    execution = go(account, sim, 50)
    [build_id] = client.list_builds_for_project(projectName="app")["ids"]
    [halfway] = client.batch_get_builds(ids=[build_id])["builds"]
    account.advance(3600)
    [ended] = client.batch_get_builds(ids=[build_id])["builds"]

    assert (halfway["buildStatus"], halfway["currentPhase"]) == ("IN_PROGRESS", "BUILD")
    assert halfway["phases"][-1].get("endTime") is None
    assert (ended["buildStatus"], ended["buildComplete"], ended["initiator"]) == (
        "SUCCEEDED",
        True,
        "codepipeline/shop",
    )
    assert [phase["phaseType"] for phase in ended["phases"]] == [
        "SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE", "INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD",
        "UPLOAD_ARTIFACTS", "FINALIZING", "COMPLETED",
    ]  # fmt: skip
    assert (ended["endTime"] - ended["startTime"]).total_seconds() == 100
    assert ended["startTime"] >= account.start
    assert ended["sourceVersion"].startswith(f"arn:aws:s3:::{BUCKET}/shop/Code/")
    assert ended["resolvedSourceVersion"] == sim.executions[execution].source_revisions["Fetch"]["id"]
    assert status(sim, execution) == "Succeeded"
    assert ending(sim).external_id == build_id
    assert client.batch_get_builds(ids=[build_id])["builds"] == [ended]


@pytest.mark.provider("Build/CodeBuild", "success")
def test_variables_logs_and_artifacts(account: StandIn) -> None:
    project(account, environment={"environmentVariables": [{"name": "LEVEL", "value": "debug"}]})
    given = json.dumps([{"name": "STAGE", "value": "#{codepipeline.PipelineExecutionId}"}])
    sim = make(account, build(configuration={"EnvironmentVariables": given}))

    execution = go(account, sim)

    assert sim.executions[execution].outputs["Build"] == {
        "LEVEL": "debug",
        "STAGE": execution,
        "TAG": "Do.TAG",
        "CODEBUILD_BUILD_NUMBER": "1",
    }
    [written] = outputs(sim)
    made = files_of(account, written["Built"])
    assert set(made) == {"site/index.html", "site/css/main.css", "bundle.js"}
    assert made["site/index.html"] == b"<p>"
    assert not written["Built"].endswith(".zip")
    said = messages(account, ending(sim).external_id)
    assert "Running command npm ci" in said and "Phase complete: BUILD State: SUCCEEDED" in said
    assert said.index("Entering phase INSTALL") < said.index("Running command npm ci")


def test_every_attempt_writes_a_new_key(account: StandIn) -> None:
    project(account)
    sim = make(account, build())

    go(account, sim)
    go(account, sim)

    first, second = outputs(sim)
    assert first["Built"] != second["Built"]


@pytest.mark.provider("Build/CodeBuild", "input")
def test_a_missing_project(account: StandIn) -> None:
    source_bucket(account)
    sim = make(account, build())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "ConfigurationError")
    assert ending(sim).message.startswith("Error calling startBuild: Project cannot be found: arn:aws:codebuild:")


@pytest.mark.provider("Build/CodeBuild", "permission")
@pytest.mark.parametrize("taken", STARTING)
def test_the_pipelines_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    project(account)
    sim = make(account, build())
    allow(account, *BASE, *(one for one in STARTING if one != taken))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert f"is not authorized to perform: {taken} on resource" in ending(sim).message
    allow(account, *BASE, *STARTING)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.parametrize(
    ("taken", "phase"),
    [
        ("logs:CreateLogStream", "PROVISIONING"),
        ("s3:GetObject", "DOWNLOAD_SOURCE"),
        ("s3:PutObject", "UPLOAD_ARTIFACTS"),
    ],
)
def test_the_projects_role_needs_every_permission_and_heals(account: StandIn, taken: str, phase: str) -> None:
    client = project(account)
    allow(account, *(one for one in BUILDING if one != taken), role="build")
    sim = make(account, build())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert ending(sim).message.startswith(f"Build terminated with state: FAILED. Phase: {phase}, Code: CLIENT_ERROR")
    [told] = client.batch_get_builds(ids=[ending(sim).external_id])["builds"]
    assert [one["phaseType"] for one in told["phases"] if one.get("phaseStatus") == "FAILED"] == [phase]
    allow(account, *BUILDING, role="build")
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


def test_a_role_that_does_not_trust_codebuild(account: StandIn) -> None:
    project(account)
    account.client("iam").update_assume_role_policy(
        RoleName="build", PolicyDocument=json.dumps(TRUST).replace("codebuild", "lambda")
    )
    sim = make(account, build())

    go(account, sim)

    assert "is not authorized to perform AssumeRole on role" in ending(sim).message


@pytest.mark.provider("Build/CodeBuild", "failure")
def test_assumed_failures(account: StandIn) -> None:
    client = project(account)
    sim = make(account, build(), Do=ActionAssumption(fails_on=(1,)))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "Phase: BUILD, Code: COMMAND_EXECUTION_ERROR" in ending(sim).message
    [told] = client.batch_get_builds(ids=[ending(sim).external_id])["builds"]
    assert (told["buildStatus"], told["phases"][-2]["phaseType"]) == ("FAILED", "BUILD")
    assert "Command did not exit successfully npm run build exit status 1" in messages(account, told["id"])
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"README": b""}, "stat /codebuild/output/src/buildspec.yml: no such file or directory"),
        ({"buildspec.yml": b"{"}, "the buildspec is no YAML"),
        ({"buildspec.yml": b"phases: [1]"}, "'phases' of the buildspec is no mapping"),
    ],
)
def test_a_bad_buildspec(account: StandIn, files: dict[str, bytes], message: str) -> None:
    project(account, files)
    sim = make(account, build())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert f"Code: YAML_FILE_ERROR, Message: {message}" in ending(sim).message


def test_an_input_that_is_no_zip(account: StandIn) -> None:
    project(account)
    account.client("s3").put_object(Bucket="source", Key="app.zip", Body=b"no zip")
    sim = make(account, build())

    go(account, sim)

    assert "Phase: DOWNLOAD_SOURCE, Code: CLIENT_ERROR, Message: The archive is malformed." in ending(sim).message


@pytest.mark.provider("Build/CodeBuild", "input")
def test_a_missing_input(account: StandIn) -> None:
    project(account)
    allow(account, *BASE, "codebuild:BatchGetBuilds")
    sim = make(account, build())
    execution = go(account, sim)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert ending(sim).code == "ConfigurationError"
    assert "NoSuchKey" in ending(sim).message


def test_wrong_environment_variables(account: StandIn) -> None:
    project(account)
    sim = make(account, build(configuration={"EnvironmentVariables": "STAGE=test"}))

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "EnvironmentVariables is not a JSON list" in ending(sim).message


def test_a_build_that_somebody_stops(account: StandIn) -> None:
    client = project(account)
    sim = make(account, build(), Do=lasting(600))
    execution = go(account, sim, 60)
    [build_id] = client.list_builds_for_project(projectName="app")["ids"]

    client.stop_build(id=build_id)
    account.advance(5)

    assert (status(sim, execution), ending(sim).message) == ("Failed", "Build terminated with state: STOPPED.")
    assert client.batch_get_builds(ids=[build_id])["builds"][0]["buildStatus"] == "STOPPED"


def test_a_projects_own_time_limit(account: StandIn) -> None:
    project(account, timeoutInMinutes=5)
    sim = make(account, build(), Do=lasting(3000))

    execution = go(account, sim, 310)

    assert status(sim, execution) == "Failed"
    assert "Build terminated with state: TIMED_OUT" in ending(sim).message


def test_secrets_and_parameters(account: StandIn) -> None:
    spec = SPEC.replace(
        b"variables: {LEVEL: info}", b"parameter-store: {LEVEL: /app/level}\n  secrets-manager: {TAG: 's:tag'}"
    )
    project(account, {"buildspec.yml": spec})
    account.client("ssm").put_parameter(Name="/app/level", Value="warn", Type="SecureString")
    account.client("secretsmanager").create_secret(Name="s", SecretString='{"tag": "v7"}')
    sim = make(account, build())

    execution = go(account, sim)
    assert "ssm:GetParameter" in ending(sim).message
    allow(account, *BUILDING, "ssm:GetParameter", "secretsmanager:GetSecretValue", role="build")
    retry(account, sim, execution)

    emitted = sim.executions[execution].outputs["Build"]
    assert (emitted["LEVEL"], emitted["TAG"]) == ("warn", "v7")


def test_motos_own_builds_stay_as_they_were(account: StandIn) -> None:
    client = project(account)

    started = client.start_build(projectName="app")["build"]

    [told] = client.batch_get_builds(ids=[started["id"]])["builds"]
    assert told["buildStatus"] == "SUCCEEDED"
    assert len(FILES) == 3
