"""Providers that the account does not have: time passes, the role must be there, artifacts flow."""

from __future__ import annotations

from typing import Any

from pipesim.assumptions.model import ActionAssumption
from tests.cloud.actions.story import action, ending, files_of, go, make, outputs, retry, source_bucket, status
from tests.cloud.standin import BUCKET, StandIn

def ops_works() -> dict[str, Any]:
    return action(
        "Deploy",
        "OpsWorks",
        configuration={"DeploymentType": "deploy_app", "StackId": "shop"},
        inputArtifacts=[{"name": "Code"}],
    )


def test_an_input_that_is_missing(account: StandIn) -> None:
    source_bucket(account)
    sim = make(account, ops_works(), Do=ActionAssumption(fails_on=(1,)))
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
    source_bucket(account)
    sim = make(account, scan)

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    [fetched], [scanned] = outputs(sim, "Fetch"), outputs(sim)
    assert files_of(account, scanned["Scan"]) == files_of(account, fetched["Code"])
    assert scanned["Scan"] != fetched["Code"]
