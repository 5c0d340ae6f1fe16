"""ECS: image definitions, a new task definition, the service, and what keeps it from being steady."""

from __future__ import annotations

import json
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
from tests.cloud.standin import StandIn

NEEDED = (
    "ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:ListTasks", "ecs:RegisterTaskDefinition",
    "ecs:UpdateService",
)  # fmt: skip
IMAGE = "example.com/shop:2"


def cluster(account: StandIn, body: bytes | None = None, image: str = IMAGE, name: str = "app") -> Any:
    definitions = json.dumps([{"name": name, "imageUri": image}]).encode()
    source_bucket(account, pack({"imagedefinitions.json": definitions if body is None else body}))
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName="live")
    containers = [{"name": "app", "image": "shop:1", "memory": 128}, {"name": "log", "image": "log:1", "memory": 64}]
    ecs.register_task_definition(family="shop", containerDefinitions=containers)
    ecs.create_service(cluster="live", serviceName="shop", taskDefinition="shop", desiredCount=2)
    return ecs


def deploy(**configuration: str) -> dict[str, Any]:
    given = {"ClusterName": "live", "ServiceName": "shop", **configuration}
    return action("Deploy", "ECS", configuration=given, inputArtifacts=[{"name": "Code"}])


@pytest.mark.provider("Deploy/ECS", "success")
def test_the_service_runs_the_new_image(account: StandIn) -> None:
    ecs = cluster(account)
    sim = make(account, deploy(), Do=lasting(120))

    execution = go(account, sim, 60)
    [running] = ecs.describe_services(cluster="live", services=["shop"])["services"]
    account.advance(100)
    [ended] = ecs.describe_services(cluster="live", services=["shop"])["services"]

    assert running["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert (ended["deployments"][0]["rolloutState"], status(sim, execution)) == ("COMPLETED", "Succeeded")
    assert ended["taskDefinition"].endswith("task-definition/shop:2")
    found = ecs.describe_task_definition(taskDefinition=ended["taskDefinition"])["taskDefinition"]
    assert [one["image"] for one in found["containerDefinitions"]] == [IMAGE, "log:1"]
    assert ending(sim).external_id == ended["deployments"][0]["id"]


@pytest.mark.provider("Deploy/ECS", "failure")
def test_an_image_that_does_not_exist_never_gets_steady(account: StandIn) -> None:
    ecs = cluster(account, image="123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:2")
    sim = make(account, deploy(DeploymentTimeout="10"), Do=lasting(120))

    execution = go(account, sim, 550)
    assert status(sim, execution) == "InProgress"
    account.advance(100)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "did not reach a steady state within 10 minutes" in ending(sim).message
    assert "CannotPullContainerError" in ending(sim).message
    [service] = ecs.describe_services(cluster="live", services=["shop"])["services"]
    assert service["deployments"][0]["rolloutState"] == "FAILED"


@pytest.mark.provider("Deploy/ECS", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    cluster(account)
    sim = make(account, deploy())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Deploy/ECS", "input")
def test_a_missing_input(account: StandIn) -> None:
    cluster(account)
    sim = make(account, deploy(FileName="images.json"))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "Did not find the image definition file images.json" in ending(sim).message
    loses_its_input(account, sim, execution)


@pytest.mark.parametrize(
    ("members", "configuration", "message"),
    [
        ({"body": b"{"}, {}, "is no JSON list of objects"),
        ({"body": b" " * 200_000}, {}, "at most 102400 are allowed"),
        ({"name": "web"}, {}, "has no container named web"),
        ({}, {"ServiceName": "none"}, "service 'none' does not exist"),
        ({}, {"ClusterName": "none"}, "cluster 'none' does not exist"),
    ],
)
def test_a_wrong_file_or_place(
    account: StandIn, members: dict[str, Any], configuration: dict[str, str], message: str
) -> None:
    cluster(account, **members)
    sim = make(account, deploy(**configuration))

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert message in ending(sim).message
