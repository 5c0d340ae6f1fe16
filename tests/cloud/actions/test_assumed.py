"""Providers that the account does not have: time passes, the role must be there, artifacts flow."""

from __future__ import annotations

from typing import Any

from pipesim.assumptions.model import ActionAssumption
from tests.cloud.actions.story import BASE, action, allow, ending, files_of, go, make, outputs, retry, status
from tests.cloud.standin import BUCKET, StandIn

CONNECTION = "arn:aws:codestar-connections:us-east-1:123456789012:connection/1"


def source() -> dict[str, Any]:
    return {
        **action("Source", "CodeStarSourceConnection", name="Fetch", outputArtifacts=[{"name": "Code"}]),
        "configuration": {"ConnectionArn": CONNECTION, "FullRepositoryId": "shop/app", "BranchName": "main"},
    }


def beanstalk() -> dict[str, Any]:
    return action(
        "Deploy",
        "ElasticBeanstalk",
        configuration={"ApplicationName": "shop", "EnvironmentName": "test"},
        inputArtifacts=[{"name": "Code"}],
    )


def test_a_connection_writes_a_sample_source(account: StandIn) -> None:
    sim = make(account, beanstalk(), source=source())

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    [written] = outputs(sim, "Fetch")
    assert {"buildspec.yml", "appspec.yml", "index.html"} <= set(files_of(account, written["Code"]))


def test_a_connection_needs_one_of_its_two_permissions(account: StandIn) -> None:
    sim = make(account, beanstalk(), source=source())
    allow(account, *BASE)
    execution = go(account, sim)
    latest = ending(sim, "Source", "Fetch")
    assert (status(sim, execution), latest.code) == ("Failed", "PermissionError")
    assert f"codestar-connections:UseConnection on resource: {CONNECTION}" in latest.message

    allow(account, *BASE, "codeconnections:UseConnection")
    retry(account, sim, execution, "Source")

    assert status(sim, execution) == "Succeeded"


def test_an_input_that_is_missing(account: StandIn) -> None:
    sim = make(account, beanstalk(), source=source(), Do=ActionAssumption(fails_on=(1,)))
    execution = go(account, sim)
    assert ending(sim).code == "JobFailed"
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "ConfigurationError")


def test_outputs_hand_the_first_input_on(account: StandIn) -> None:
    scan = action(
        "Invoke",
        "InspectorScan",
        configuration={"InspectorRunMode": "SourceCodeScan"},
        inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Scan"}],
    )
    sim = make(account, scan, source=source())

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    [fetched], [scanned] = outputs(sim, "Fetch"), outputs(sim)
    assert files_of(account, scanned["Scan"]) == files_of(account, fetched["Code"])
    assert scanned["Scan"] != fetched["Code"]
