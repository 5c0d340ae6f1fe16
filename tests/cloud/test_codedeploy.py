"""CodeDeploy in place: what is seen beforehand, and the deployment that is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption
from tests.cloud.standin import BUCKET, StandIn, action, allow_everything, document, sourcing, standing_in, start

APPSPEC = {"appspec.yml": "version: 0.0\nos: linux\n", "index.html": "hello"}


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        yield account


@pytest.fixture
def group(account: StandIn) -> None:
    client = account.client("codedeploy")
    client.create_application(applicationName="shop")
    role = "arn:aws:iam::123456789012:role/deploy"
    client.create_deployment_group(applicationName="shop", deploymentGroupName="live", serviceRoleArn=role)


def run(account: StandIn, files: dict[str, str] = APPSPEC, seconds: float = 300, **assumed: Any) -> Any:
    deploy = action(
        "Deploy",
        "CodeDeploy",
        configuration={"ApplicationName": "shop", "DeploymentGroupName": "live"},
        inputArtifacts=[{"name": "Code"}],
    )
    sim = account.create(
        document(deploy),
        {"Source/S3": sourcing(files)},
        actions={"Deploy/CodeDeploy": ActionAssumption(duration=Constant(200), **assumed)},
    )
    start(sim)
    account.advance(seconds)
    return sim


def latest(sim: Any) -> Any:
    return sim.state.stage("Work").actions[0].latest


def deployment(account: StandIn) -> dict[str, Any]:
    client = account.client("codedeploy")
    (only,) = client.list_deployments()["deployments"]
    return client.get_deployment(deploymentId=only)["deploymentInfo"]


@pytest.mark.usefixtures("group")
def test_a_deployment_runs_and_succeeds(account: StandIn) -> None:
    sim = run(account, seconds=60)
    assert latest(sim).status == "InProgress"
    assert deployment(account)["status"] == "InProgress"
    account.advance(240)

    found = deployment(account)
    assert latest(sim).status == "Succeeded"
    assert (latest(sim).external_id, latest(sim).summary) == (found["deploymentId"], "Deployment Succeeded")
    assert found["deploymentId"] in latest(sim).external_url
    assert found["status"] == "Succeeded"
    assert (found["completeTime"] - found["createTime"]).total_seconds() == pytest.approx(200, abs=1)
    location = found["revision"]["s3Location"]
    assert location["bucket"] == BUCKET
    assert location["key"] == next(iter(sim.executions.values())).artifacts["Code"]


@pytest.mark.usefixtures("group")
def test_the_revision_is_registered(account: StandIn) -> None:
    run(account)

    client = account.client("codedeploy")
    (revision,) = client.list_application_revisions(applicationName="shop")["revisions"]
    info = client.get_application_revision(applicationName="shop", revision=revision)["revisionInfo"]
    assert revision == deployment(account)["revision"]
    assert info["deploymentGroups"] == ["live"]
    with pytest.raises(client.exceptions.RevisionDoesNotExistException):
        client.get_application_revision(applicationName="shop", revision={"revisionType": "S3"})


@pytest.mark.usefixtures("group")
def test_a_revision_without_appspec_fails_on_the_instance(account: StandIn) -> None:
    sim = run(account, {"index.html": "hello"})

    assert (latest(sim).status, latest(sim).code) == ("Failed", "JobFailed")
    assert "appspec.yml" in latest(sim).message
    assert deployment(account)["status"] == "Failed"
    assert latest(sim).external_id == deployment(account)["deploymentId"]


@pytest.mark.usefixtures("group")
def test_a_failure_that_is_assumed(account: StandIn) -> None:
    sim = run(account, fails=1.0, message="too few healthy instances")

    assert (latest(sim).status, latest(sim).message) == ("Failed", "too few healthy instances")
    assert deployment(account)["status"] == "Failed"


def test_an_application_that_does_not_exist(account: StandIn) -> None:
    sim = run(account)

    assert (latest(sim).status, latest(sim).code) == ("Failed", "ConfigurationError")
    assert "shop does not exist" in latest(sim).message


def test_a_group_that_does_not_exist(account: StandIn) -> None:
    account.client("codedeploy").create_application(applicationName="shop")

    sim = run(account)

    assert (latest(sim).status, latest(sim).code) == ("Failed", "ConfigurationError")
    assert account.client("codedeploy").list_deployments()["deployments"] == []


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize("denied", ["CreateDeployment", "GetApplication", "RegisterApplicationRevision"])
def test_each_permission_is_needed(account: StandIn, denied: str) -> None:
    allow_everything(account, but=f"codedeploy:{denied}")

    sim = run(account)

    assert (latest(sim).status, latest(sim).code) == ("Failed", "PermissionError")
    assert f"codedeploy:{denied}" in latest(sim).message
