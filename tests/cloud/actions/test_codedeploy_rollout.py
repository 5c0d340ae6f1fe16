"""CodeDeploy: instances one by one, blue/green, alarms, and the way back."""

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
    make,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import BUCKET, StandIn

NEEDED = ("codedeploy:CreateDeployment", "codedeploy:GetApplication", "codedeploy:RegisterApplicationRevision")
APPSPEC = "version: 0.0\nos: linux\nhooks:\n  ValidateService:\n    - location: scripts/check.sh\n"
GOOD = {"appspec.yml": APPSPEC.encode(), "scripts/check.sh": b"curl -f localhost\n"}
BAD = {**GOOD, "scripts/check.sh": b"curl -f localhost\nexit 1\n"}
TAG = {"Key": "app", "Value": "shop"}
DEPLOY = action(
    "Deploy",
    "CodeDeploy",
    configuration={"ApplicationName": "shop", "DeploymentGroupName": "live"},
    inputArtifacts=[{"name": "Code"}],
)


def group(account: StandIn, files: Mapping[str, bytes] = GOOD, instances: int = 2, **members: Any) -> list[str]:
    source_bucket(account, pack(files))
    client, ec2 = account.client("codedeploy"), account.client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [TAG]}]
    made = ec2.run_instances(ImageId=image, MinCount=instances, MaxCount=instances, TagSpecifications=tags)
    client.create_application(applicationName="shop")
    client.create_deployment_group(
        applicationName="shop",
        deploymentGroupName="live",
        serviceRoleArn="arn:aws:iam::123456789012:role/deploy",
        ec2TagFilters=[{**TAG, "Type": "KEY_AND_VALUE"}],
        **members,
    )
    return [one["InstanceId"] for one in made["Instances"]]


def change(account: StandIn, files: Mapping[str, bytes]) -> None:
    account.client("s3").put_object(Bucket="source", Key="app.zip", Body=pack(files))


def deployments(account: StandIn) -> list[dict[str, Any]]:
    client = account.client("codedeploy")
    ids = client.list_deployments()["deployments"]
    told = [client.get_deployment(deploymentId=id)["deploymentInfo"] for id in ids]
    return sorted(told, key=lambda one: one["createTime"])


def targets(account: StandIn, id: str) -> list[dict[str, Any]]:
    client = account.client("codedeploy")
    ids = client.list_deployment_targets(deploymentId=id)["targetIds"]
    told = client.batch_get_deployment_targets(deploymentId=id, targetIds=ids)["deploymentTargets"]
    return [one["instanceTarget"] for one in told]


@pytest.mark.provider("Deploy/CodeDeploy", "success")
def test_instances_one_at_a_time(account: StandIn) -> None:
    instances = group(account, deploymentConfigName="CodeDeployDefault.OneAtATime")
    sim = make(account, DEPLOY, Do=lasting(200))

    execution = go(account, sim, 80)
    [running] = deployments(account)
    account.advance(300)
    [ended] = deployments(account)

    assert running["deploymentOverview"]["InProgress"] == running["deploymentOverview"]["Pending"] == 1
    assert (ended["status"], ended["deploymentOverview"]["Succeeded"], status(sim, execution)) == (
        "Succeeded",
        2,
        "Succeeded",
    )
    assert ended["deploymentId"].startswith("d-") and len(ended["deploymentId"]) == 11
    first, second = targets(account, ended["deploymentId"])
    assert [first["targetId"], second["targetId"]] == instances
    assert first["lifecycleEvents"][-1]["lifecycleEventName"] == "ValidateService"
    assert first["lifecycleEvents"][-1]["endTime"] <= second["lifecycleEvents"][0]["startTime"]


@pytest.mark.provider("Deploy/CodeDeploy", "failure")
def test_a_health_check_that_fails_rolls_back(account: StandIn) -> None:
    group(account, autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    sim = make(account, DEPLOY, Do=lasting(200))
    go(account, sim, 600)
    change(account, BAD)

    execution = go(account, sim, 1000)

    good, bad, back = deployments(account)
    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "scripts/check.sh failed with exit code 1" in ending(sim).message
    assert (bad["status"], bad["errorInformation"]["code"]) == ("Failed", "HEALTH_CONSTRAINTS")
    assert (back["status"], back["creator"], back["revision"]) == ("Succeeded", "codeDeployRollback", good["revision"])
    assert bad["rollbackInfo"]["rollbackDeploymentId"] == back["deploymentId"]
    failed, skipped = targets(account, bad["deploymentId"])
    assert (failed["status"], skipped["status"]) == ("Failed", "Skipped")
    assert failed["lifecycleEvents"][-1]["diagnostics"]["errorCode"] == "ScriptFailed"


def test_a_script_that_is_missing(account: StandIn) -> None:
    group(account, {"appspec.yml": APPSPEC.encode()})
    sim = make(account, DEPLOY)

    go(account, sim)

    assert "Script does not exist at specified location: scripts/check.sh" in ending(sim).message


def test_one_instance_that_is_down_can_be_borne(account: StandIn) -> None:
    instances = group(account, deploymentConfigName="CodeDeployDefault.AllAtOnce")
    account.client("ec2").stop_instances(InstanceIds=instances[:1])
    sim = make(account, DEPLOY)

    execution = go(account, sim)

    [ended] = deployments(account)
    assert status(sim, execution) == "Succeeded"
    assert (ended["deploymentOverview"]["Failed"], ended["deploymentOverview"]["Succeeded"]) == (1, 1)


@pytest.mark.parametrize(
    ("config", "down", "ends"),
    [
        ("AllAtOnce", (0, 1, 2), "FFFS"),
        ("HalfAtATime", (0,), "FSSS"),
        ("HalfAtATime", (0, 1), "FF--"),
        ("HalfAtATime", (0, 2, 3), "FSF-"),
        ("OneAtATime", (0,), "F---"),
        ("OneAtATime", (3,), "SSSF"),
    ],
)
def test_a_configuration_stops_where_too_few_would_stay_healthy(
    account: StandIn, config: str, down: tuple[int, ...], ends: str
) -> None:
    made = group(account, instances=4, deploymentConfigName=f"CodeDeployDefault.{config}")
    account.client("ec2").stop_instances(InstanceIds=[made[at] for at in down])
    sim = make(account, DEPLOY, Do=lasting(200))

    execution = go(account, sim, 1000)

    [ended] = deployments(account)
    letters = {"Failed": "F", "Succeeded": "S", "Skipped": "-"}
    assert "".join(letters[one["status"]] for one in targets(account, ended["deploymentId"])) == ends
    assert (status(sim, execution) == "Failed") == ("-" in ends)


def test_no_instances(account: StandIn) -> None:
    instances = group(account)
    account.client("ec2").terminate_instances(InstanceIds=instances)
    sim = make(account, DEPLOY)

    go(account, sim)

    assert "no instances were found for your deployment group" in ending(sim).message


def test_blue_and_green(account: StandIn) -> None:
    blue = group(
        account,
        deploymentConfigName="CodeDeployDefault.AllAtOnce",
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        blueGreenDeploymentConfiguration={
            "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 5}
        },
    )
    sim = make(account, DEPLOY, Do=lasting(200))

    execution = go(account, sim, 400)
    assert status(sim, execution) == "InProgress"
    account.advance(200)

    [ended] = deployments(account)
    assert status(sim, execution) == ended["status"] == "Succeeded"
    found = targets(account, ended["deploymentId"])
    assert [one["instanceLabel"] for one in found] == ["Green", "Green", "Blue", "Blue"]
    assert [one["targetId"] for one in found[2:]] == blue
    assert [one["lifecycleEventName"] for one in found[0]["lifecycleEvents"]][-2:] == [
        "AllowTraffic",
        "AfterAllowTraffic",
    ]
    assert (ended["completeTime"] - ended["startTime"]).total_seconds() == pytest.approx(500, abs=1)


def test_an_alarm_stops_it(account: StandIn) -> None:
    group(
        account,
        alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
    )
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="Shop", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1.0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    sim = make(account, DEPLOY, Do=lasting(600))
    go(account, sim, 700)

    execution = go(account, sim, 100)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    account.advance(100)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "Activated alarms: <errors>" in ending(sim).message
    _, stopped, back = deployments(account)
    assert (stopped["status"], stopped["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert back["creator"] == "codeDeployRollback"


@pytest.mark.provider("Deploy/CodeDeploy", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    group(account)
    sim = make(account, DEPLOY)
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Deploy/CodeDeploy", "input")
def test_a_missing_input(account: StandIn) -> None:
    group(account)
    sim = make(account, DEPLOY)
    allow(account, *BASE)
    execution = go(account, sim)
    allow(account, *BASE, *NEEDED)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert (ending(sim).code, "NoSuchKey" in ending(sim).message) == ("ConfigurationError", True)
