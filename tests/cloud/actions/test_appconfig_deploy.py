"""AppConfig: a version of the file, a deployment as the strategy says, validators, alarms."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine

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

NEEDED = ("appconfig:StartDeployment", "appconfig:GetDeployment")
SCHEMA = json.dumps({"type": "object", "required": ["dark"], "properties": {"dark": {"type": "boolean"}}})


class Flags:
    """An application with one environment and one profile."""

    def __init__(self, account: StandIn, content: bytes = b'{"dark": true}', minutes: int = 0, alarm: str = "") -> None:
        self.account = account
        source_bucket(account, pack({"flags.json": content}))
        self.client = account.client("appconfig")
        self.application = self.client.create_application(Name="shop")["Id"]
        monitors = [{"AlarmArn": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{alarm}"}] if alarm else []
        self.environment = self.client.create_environment(
            ApplicationId=self.application, Name="live", Monitors=monitors
        )["Id"]
        self.profile = self.client.create_configuration_profile(
            ApplicationId=self.application, Name="flags", LocationUri="hosted",
            Validators=[{"Type": "JSON_SCHEMA", "Content": SCHEMA}],
        )["Id"]  # fmt: skip
        self.strategy = self.client.create_deployment_strategy(
            Name="quick", DeploymentDurationInMinutes=minutes, GrowthFactor=25.0, ReplicateTo="NONE"
        )["Id"]

    def deploy(self, **configuration: str) -> dict[str, Any]:
        given = {
            "Application": self.application, "Environment": self.environment, "ConfigurationProfile": self.profile,
            "DeploymentStrategy": self.strategy, "InputArtifactConfigurationPath": "flags.json", **configuration,
        }  # fmt: skip
        return action("Deploy", "AppConfig", configuration=given, inputArtifacts=[{"name": "Code"}])

    def told(self, number: int = 1) -> dict[str, Any]:
        where = {"ApplicationId": self.application, "EnvironmentId": self.environment}
        with time_machine.travel(self.account.now, tick=False):
            return dict(self.client.get_deployment(**where, DeploymentNumber=number))


@pytest.mark.provider("Deploy/AppConfig", "success")
def test_the_file_is_brought_out_step_by_step(account: StandIn) -> None:
    flags = Flags(account, minutes=20)
    sim = make(account, flags.deploy(), Do=lasting(2))

    execution = go(account, sim, 11 * 60)
    assert (flags.told()["State"], flags.told()["PercentageComplete"]) == ("DEPLOYING", 75.0)
    assert status(sim, execution) == "InProgress"
    account.advance(11 * 60)

    told = flags.told()
    assert (status(sim, execution), told["State"], told["PercentageComplete"]) == ("Succeeded", "COMPLETE", 100.0)
    content = flags.client.get_hosted_configuration_version(
        ApplicationId=flags.application, ConfigurationProfileId=flags.profile,
        VersionNumber=int(told["ConfigurationVersion"]),
    )["Content"].read()  # fmt: skip
    assert content == b'{"dark": true}'
    assert ending(sim).external_id == f"{flags.application}/{flags.environment}/1"
    assert (told["CompletedAt"] - told["StartedAt"]).total_seconds() == 1200


@pytest.mark.provider("Deploy/AppConfig", "failure")
def test_a_file_that_does_not_pass_its_validator(account: StandIn) -> None:
    flags = Flags(account, b'{"dark": "yes"}')
    sim = make(account, flags.deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "Error validating the configuration data: 'yes' is not of type 'boolean'" in ending(sim).message


def test_an_alarm_rolls_back(account: StandIn) -> None:
    flags = Flags(account, minutes=20, alarm="errors")
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="Shop", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1.0, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    sim = make(account, flags.deploy())

    execution = go(account, sim, 300)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="errors")
    account.advance(120)

    assert (status(sim, execution), flags.told()["State"]) == ("Failed", "ROLLED_BACK")
    assert "alarm errors is in state ALARM" in ending(sim).message


@pytest.mark.provider("Deploy/AppConfig", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    sim = make(account, Flags(account).deploy())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Deploy/AppConfig", "input")
def test_a_missing_input(account: StandIn) -> None:
    sim = make(account, Flags(account).deploy(InputArtifactConfigurationPath="none.json"))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "has no file 'none.json'" in ending(sim).message
    loses_its_input(account, sim, execution)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"Application": "none"}, "Application not found"),
        ({"Environment": "none"}, "Environment none could not be found"),
        ({"ConfigurationProfile": "none"}, "ConfigurationProfile not found"),
        ({"DeploymentStrategy": "none"}, "Deployment Strategy none could not be found"),
    ],
)
def test_a_wrong_place(account: StandIn, configuration: dict[str, str], message: str) -> None:
    sim = make(account, Flags(account).deploy(**configuration))

    go(account, sim)

    assert (ending(sim).code, ending(sim).message) == ("ConfigurationError", message)


def test_strategies_and_environments_can_be_listed(account: StandIn) -> None:
    flags = Flags(account)

    names = [one["Name"] for one in flags.client.list_deployment_strategies()["Items"]]
    [environment] = flags.client.list_environments(ApplicationId=flags.application)["Items"]

    assert "AppConfig.AllAtOnce" in names and "quick" in names
    assert (environment["Name"], environment["State"]) == ("live", "READY_FOR_DEPLOYMENT")
    assert [one["Name"] for one in flags.client.list_applications()["Items"]] == ["shop"]
