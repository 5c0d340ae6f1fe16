"""Elastic Beanstalk: a version of the artifact, an environment that runs it, and its health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    go,
    lacks_and_heals,
    lasting,
    loses_its_input,
    make,
    source_bucket,
    status,
)
from tests.cloud.standin import BUCKET, StandIn

NEEDED = (
    "elasticbeanstalk:DescribeEnvironments", "elasticbeanstalk:CreateApplicationVersion",
    "elasticbeanstalk:UpdateEnvironment", "elasticbeanstalk:DescribeEvents",
)  # fmt: skip
FILES = {"app.py": b"print(1)\n"}


def environment(account: StandIn, files: Mapping[str, bytes] = FILES) -> Any:
    source_bucket(account, pack(files))
    client = account.client("elasticbeanstalk")
    client.create_application(ApplicationName="shop")
    client.create_environment(ApplicationName="shop", EnvironmentName="live", SolutionStackName="Python")
    return client


def deploy(name: str = "live") -> dict[str, Any]:
    given = {"ApplicationName": "shop", "EnvironmentName": name}
    return action("Deploy", "ElasticBeanstalk", configuration=given, inputArtifacts=[{"name": "Code"}])


def told(client: Any) -> tuple[str, str, str]:
    [found] = client.describe_environments(EnvironmentNames=["live"])["Environments"]
    return found["Status"], found["Health"], found["VersionLabel"]


@pytest.mark.provider("Deploy/ElasticBeanstalk", "success")
def test_the_environment_runs_the_artifact(account: StandIn) -> None:
    client = environment(account)
    sim = make(account, deploy(), Do=lasting(120))

    execution = go(account, sim, 60)
    assert told(client)[:2] == ("Updating", "Grey")
    account.advance(100)

    [version] = client.describe_application_versions(ApplicationName="shop")["ApplicationVersions"]
    assert status(sim, execution) == "Succeeded"
    assert told(client) == ("Ready", "Green", version["VersionLabel"])
    key = sim.executions[execution].artifacts["Code"]
    assert version["SourceBundle"] == {"S3Bucket": BUCKET, "S3Key": key}
    assert ending(sim).external_id == version["VersionLabel"]
    events = client.describe_events(EnvironmentName="live")["Events"]
    assert events[0]["Message"] == "Environment update completed successfully."


@pytest.mark.provider("Deploy/ElasticBeanstalk", "failure")
def test_a_hook_that_fails_degrades_the_environment(account: StandIn) -> None:
    client = environment(account)
    sim = make(account, deploy())
    go(account, sim)
    before = told(client)[2]
    bad = {**FILES, ".platform/hooks/predeploy/check.sh": b"#!/bin/sh\nexit 3\n"}
    account.client("s3").put_object(Bucket="source", Key="app.zip", Body=pack(bad))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "Command .platform/hooks/predeploy/check.sh failed with error exit status 3." in ending(sim).message
    assert told(client) == ("Ready", "Red", before)


@pytest.mark.provider("Deploy/ElasticBeanstalk", "permission")
@pytest.mark.parametrize("taken", NEEDED[:-1])
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    environment(account)
    sim = make(account, deploy())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


def test_case_53_without_describe_events_the_action_hangs_to_its_time_limit(account: StandIn) -> None:
    client = environment(account)
    sim = make(account, deploy(), Do=lasting(120))
    allow(account, *BASE, *NEEDED[:-1])

    execution = go(account, sim, 600)
    assert told(client)[:2] == ("Ready", "Green")
    assert status(sim, execution) == "InProgress"
    account.advance(3600)

    assert status(sim, execution) == "Failed"
    assert ending(sim).message == "The action did not end within its limit of 3600 s."


@pytest.mark.provider("Deploy/ElasticBeanstalk", "input")
def test_a_missing_input(account: StandIn) -> None:
    environment(account)
    sim = make(account, deploy("none"))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "No Environment found for EnvironmentName = 'none'" in ending(sim).message
    loses_its_input(account, sim, execution)
