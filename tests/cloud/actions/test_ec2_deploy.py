"""EC2: instances by a tag, batch by batch, scripts, target groups, and the targets that the API tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipesim.cloud.artifacts import pack
from pipesim.cloud.deploy_targets import targets_of
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    go,
    lasting,
    loses_its_input,
    make,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import StandIn

NEEDED = ("ec2:DescribeInstances", "ssm:SendCommand", "ssm:DescribeInstanceInformation", "ssm:ListCommandInvocations")
LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
FILES = {"app.py": b"print(1)\n", "stop.sh": b"systemctl stop app\n", "check.sh": b"curl -f localhost\n"}


def fleet(account: StandIn, files: Mapping[str, bytes] = FILES, size: int = 3) -> list[str]:
    source_bucket(account, pack(files))
    image = account.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Role", "Value": "web"}]}]
    made = account.client("ec2").run_instances(ImageId=image, MinCount=size, MaxCount=size, TagSpecifications=tags)
    return sorted(one["InstanceId"] for one in made["Instances"])


def deploy(**configuration: str) -> dict[str, Any]:
    given = {
        "InstanceType": "EC2", "InstanceTagKey": "Role", "InstanceTagValue": "web", "TargetDirectory": "/srv",
        "PreScript": "stop.sh", "PostScript": "check.sh", "MaxBatch": "2",
    }  # fmt: skip
    given |= configuration
    members = {key: value for key, value in given.items() if value}
    return action("Deploy", "EC2", configuration=members, inputArtifacts=[{"name": "Code"}])


def told(account: StandIn, sim: Any) -> dict[str, str]:
    return {one.id: one.status for one in targets_of(account, ending(sim).id)}  # type: ignore[arg-type]


@pytest.mark.provider("Deploy/EC2", "success")
def test_every_instance_gets_the_artifact_in_batches(account: StandIn) -> None:
    instances = fleet(account)
    sim = make(account, deploy(), Do=lasting(120))

    execution = go(account, sim, 70)
    assert sorted(told(account, sim).values()) == ["InProgress", "Succeeded", "Succeeded"]
    account.advance(200)

    assert (status(sim, execution), ending(sim).message) == ("Succeeded", "")
    assert told(account, sim) == dict.fromkeys(instances, "Succeeded")
    commands = account.client("ssm").list_commands()["Commands"]
    assert len(commands) == 2
    assert commands[0]["Parameters"]["commands"] == ["stop.sh", "cp -r . /srv", "check.sh"]
    first = targets_of(account, ending(sim).id)[0].told()  # type: ignore[arg-type]
    assert [one["name"] for one in first["events"]] == ["BeforeDeploy", "Deploy", "AfterDeploy"]
    assert first["events"][0]["context"]["ssmCommandId"] in [one["CommandId"] for one in commands]


@pytest.mark.provider("Deploy/EC2", "failure")
def test_a_script_that_fails_stops_the_rest(account: StandIn) -> None:
    fleet(account, {**FILES, "check.sh": b"curl -f localhost\nexit 7\n"})
    sim = make(account, deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "2 of 3 instances failed, 0 may" in ending(sim).message
    assert "AfterDeploy: Script at specified location: check.sh failed with exit code 7" in ending(sim).message
    assert sorted(told(account, sim).values()) == ["Failed", "Failed", "Skipped"]


def test_a_stopped_instance_fails_and_a_retry_skips_what_is_done(account: StandIn) -> None:
    instances = fleet(account)
    account.client("ec2").stop_instances(InstanceIds=[instances[2]])
    sim = make(account, deploy())

    execution = go(account, sim)
    assert status(sim, execution) == "Failed"
    assert "The SSM agent does not answer." in ending(sim).message
    account.client("ec2").start_instances(InstanceIds=[instances[2]])
    retry(account, sim, execution)

    assert status(sim, execution) == "Succeeded"
    assert told(account, sim) == dict(zip(instances, ("Skipped", "Skipped", "Succeeded"), strict=True))


def test_as_many_instances_may_fail_as_are_told(account: StandIn) -> None:
    instances = fleet(account)
    account.client("ec2").stop_instances(InstanceIds=[instances[0]])
    sim = make(account, deploy(MaxError="34%"))

    assert status(sim, go(account, sim)) == "Succeeded"
    assert told(account, sim) == dict(zip(instances, ("Failed", "Succeeded", "Succeeded"), strict=True))


@pytest.mark.provider("Deploy/EC2", "permission")
@pytest.mark.parametrize("taken", [*NEEDED, "logs:CreateLogStream"])
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    fleet(account)
    sim = make(account, deploy())
    needed = (*NEEDED, *LOGS)
    allow(account, *BASE, *(one for one in needed if one != taken))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert taken in ending(sim).message
    allow(account, *BASE, *needed)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Deploy/EC2", "input")
def test_a_missing_input(account: StandIn) -> None:
    fleet(account)
    sim = make(account, deploy(DeploySpec="deployspec.yml", PreScript="", PostScript="", TargetDirectory=""))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "has no file 'deployspec.yml'" in ending(sim).message
    loses_its_input(account, sim, execution)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"InstanceTagValue": "db"}, "No instances were found with the tag Role=db"),
        ({"InstanceType": "Fargate"}, "is neither EC2 nor SSM_MANAGED_NODE"),
        ({"TargetDirectory": ""}, "TargetDirectory is missing"),
        ({"MaxBatch": "few"}, "MaxBatch 'few' is neither a number nor a percentage"),
        ({"TargetGroupNameList": "none"}, "target group of none does not exist"),
    ],
)
def test_a_wrong_configuration(account: StandIn, configuration: dict[str, str], message: str) -> None:
    fleet(account)
    sim = make(account, deploy(**configuration))

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert message in ending(sim).message


def test_a_deploy_specification_names_the_scripts(account: StandIn) -> None:
    spec = b"version: 0.1\nhooks:\n  BeforeDeploy:\n    - location: gone.sh\n"
    fleet(account, {**FILES, "deployspec.yml": spec})
    sim = make(account, deploy(DeploySpec="deployspec.yml", PreScript="", PostScript="", TargetDirectory=""))

    go(account, sim)

    assert "BeforeDeploy: Script does not exist at specified location: gone.sh" in ending(sim).message


def test_instances_leave_their_target_group_while_they_change(account: StandIn) -> None:
    instances = fleet(account, size=2)
    vpc = account.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    elb = account.client("elbv2")
    group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": one} for one in instances])
    sim = make(account, deploy(TargetGroupNameList="web", MaxBatch="1"), Do=lasting(120))

    def serving() -> list[str]:
        told = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return sorted(one["Target"]["Id"] for one in told)

    execution = go(account, sim, 30)
    assert serving() == instances[1:]
    account.advance(60)
    assert serving() == instances[:1]
    account.advance(60)

    assert (status(sim, execution), serving()) == ("Succeeded", instances)
