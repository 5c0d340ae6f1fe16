"""Providers that the account does not have: time passes, the role must be there, inputs are read."""

from __future__ import annotations

from typing import Any

from pipesim.assumptions.model import ActionAssumption
from tests.cloud.actions.story import action, ending, go, make, retry, source_bucket, status
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
