"""CodeDeploy to ECS: files filled in, traffic shifted step by step, the service taken over."""

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
    "codedeploy:GetApplication", "codedeploy:RegisterApplicationRevision", "codedeploy:CreateDeployment",
    "ecs:RegisterTaskDefinition",
)  # fmt: skip
TASKS = {"family": "shop", "containerDefinitions": [{"name": "app", "image": "<IMAGE1_NAME>", "memory": 128}]}
APPSPEC = "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n"
APPSPEC += '        TaskDefinition: "<TASK_DEFINITION>"\n'
FILES = {
    "taskdef.json": json.dumps(TASKS).encode(),
    "appspec.yaml": APPSPEC.encode(),
    "imageDetail.json": b'{"ImageURI": "example.com/shop@sha256:12"}',
}
GIVEN = {
    "ApplicationName": "shop", "DeploymentGroupName": "live", "TaskDefinitionTemplateArtifact": "Code",
    "AppSpecTemplateArtifact": "Code", "Image1ArtifactName": "Code", "Image1ContainerName": "IMAGE1_NAME",
}  # fmt: skip


def service(account: StandIn, **files: str) -> Any:
    named = {**FILES, **{name.replace("_", "."): text.encode() for name, text in files.items()}}
    source_bucket(account, pack(named))
    ecs, codedeploy = account.client("ecs"), account.client("codedeploy")
    ecs.create_cluster(clusterName="live")
    ecs.register_task_definition(
        family="shop", containerDefinitions=[{"name": "app", "image": "shop:1", "memory": 128}]
    )
    ecs.create_service(cluster="live", serviceName="shop", taskDefinition="shop", desiredCount=1)
    codedeploy.create_application(applicationName="shop", computePlatform="ECS")
    codedeploy.create_deployment_group(
        applicationName="shop",
        deploymentGroupName="live",
        serviceRoleArn="arn:aws:iam::123456789012:role/deploy",
        deploymentConfigName="CodeDeployDefault.ECSCanary10Percent5Minutes",
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        ecsServices=[{"clusterName": "live", "serviceName": "shop"}],
    )
    return ecs


def deploy(**configuration: str) -> dict[str, Any]:
    return action(
        "Deploy", "CodeDeployToECS", configuration={**GIVEN, **configuration}, inputArtifacts=[{"name": "Code"}]
    )


def weights(account: StandIn) -> dict[str, float]:
    client = account.client("codedeploy")
    [id] = client.list_deployments()["deployments"]
    told = client.get_deployment_target(deploymentId=id, targetId="live:shop")["deploymentTarget"]["ecsTarget"]
    return {one["taskSetLabel"]: one["trafficWeight"] for one in told["taskSetsInfo"]}


@pytest.mark.provider("Deploy/CodeDeployToECS", "success")
def test_traffic_shifts_and_the_service_is_taken_over(account: StandIn) -> None:
    ecs = service(account)
    sim = make(account, deploy(), Do=lasting(120))

    execution = go(account, sim, 200)
    assert (weights(account), status(sim, execution)) == ({"Blue": 90.0, "Green": 10.0}, "InProgress")
    account.advance(300)

    assert (weights(account), status(sim, execution)) == ({"Blue": 0.0, "Green": 100.0}, "Succeeded")
    [found] = ecs.describe_services(cluster="live", services=["shop"])["services"]
    assert found["taskDefinition"].endswith("task-definition/shop:2")
    tasks = ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
    assert tasks["containerDefinitions"][0]["image"] == "example.com/shop@sha256:12"
    info = account.client("codedeploy").get_deployment(deploymentId=ending(sim).external_id)["deploymentInfo"]
    assert (info["status"], info["computePlatform"]) == ("Succeeded", "ECS")
    assert found["taskDefinition"] in info["revision"]["appSpecContent"]["content"]


@pytest.mark.provider("Deploy/CodeDeployToECS", "failure")
def test_a_hook_function_that_is_missing(account: StandIn) -> None:
    ecs = service(account, appspec_yaml=APPSPEC + "Hooks:\n  - AfterAllowTestTraffic: check\n")
    sim = make(account, deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "AfterAllowTestTraffic: The hook function check does not exist." in ending(sim).message
    [found] = ecs.describe_services(cluster="live", services=["shop"])["services"]
    assert found["taskDefinition"].endswith("task-definition/shop:1")
    assert weights(account) == {"Blue": 100.0, "Green": 0.0}


@pytest.mark.provider("Deploy/CodeDeployToECS", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    service(account)
    sim = make(account, deploy())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Deploy/CodeDeployToECS", "input")
def test_a_missing_input(account: StandIn) -> None:
    service(account)
    sim = make(account, deploy(TaskDefinitionTemplatePath="other.json"))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "has no file 'other.json'" in ending(sim).message
    loses_its_input(account, sim, execution)
