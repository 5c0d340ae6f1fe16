"""The AppConfig deploy: a file of the artifact becomes a configuration version, and a deployment brings it out.

The action waits until the strategy's deployment and bake times are over. An alarm that monitors the environment and
is in state ALARM meanwhile stops the deployment, and it is rolled back.
Source: AWS CodePipeline User Guide, "AWS AppConfig deploy action reference"; AWS AppConfig API reference.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError
from moto.appconfig.models import appconfig_backends

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import read
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.gaps.appconfig.models import environments_of
from pipesim.cloud.permissions import role_client, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

PATIENCE = 60.0
"""Seconds after which the deployment is looked at again."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy the configuration."""
    configuration = run.configuration
    artifact, path = run.plan.action.input_artifacts[0], configuration["InputArtifactConfigurationPath"]
    body = read(account, run, artifact).read(path)
    if body is None:
        raise ActionFailed(
            f"The input artifact '{artifact}' has no file '{path}' (InputArtifactConfigurationPath).",
            FailureType.CONFIGURATION_ERROR,
        )
    client = role_client(account, run, "appconfig")
    where = {"ApplicationId": configuration["Application"], "EnvironmentId": configuration["Environment"]}
    try:
        number = int(
            client.start_deployment(
                **where,
                DeploymentStrategyId=configuration["DeploymentStrategy"],
                ConfigurationProfileId=configuration["ConfigurationProfile"],
                ConfigurationVersion=_version(account, run, body.decode(errors="replace")),
                Description=f"Deployed by {run.sim.plan.pipeline.name}",
            )["DeploymentNumber"]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise ActionFailed(error.response["Error"]["Message"], FailureType.CONFIGURATION_ERROR) from None
        raise
    outcome = yield from spend_time(run)
    if outcome.failure is None:
        yield from _await(account, run, client, {**where, "DeploymentNumber": number})
        id = f"{where['ApplicationId']}/{where['EnvironmentId']}/{number}"
        return Outcome(
            summary=f"Deployment {number} is complete.",
            external_id=id,
            external_url=execution_url(account, run, id),
        )
    client.stop_deployment(**where, DeploymentNumber=number)
    return outcome


def _await(account: Account, run: ActionRun, client: Any, deployment: dict[str, Any]) -> Generator[Any, Any, None]:
    """Wait until a deployment is complete.

    Raises:
        ActionFailed: it was rolled back, or the time is over.
    """
    latest = run.sim.env.now + run.plan.timeout
    number = deployment["DeploymentNumber"]
    while (told := client.get_deployment(**deployment))["State"] != "COMPLETE":
        if told["State"] == "ROLLED_BACK":
            raise ActionFailed(f"Deployment {number} was rolled back.")
        if ringing := _ringing(account, run):
            client.stop_deployment(**deployment)
            raise ActionFailed(f"Deployment {number} was rolled back: alarm {ringing} is in state ALARM.")
        if run.sim.env.now >= latest:
            client.stop_deployment(**deployment)
            raise ActionFailed(f"Deployment {number} did not end within {run.plan.timeout:g} s and was stopped.")
        yield run.sim.env.timeout(min(PATIENCE, latest - run.sim.env.now))


def _backend(account: Account, run: ActionRun) -> Any:
    return appconfig_backends[session_of(account, run).account][run.plan.action.region or account.region]


def _version(account: Account, run: ActionRun, content: str) -> str:
    """Write the file down as a version of the profile, and return its number; an empty text without such a profile."""
    configuration = run.configuration
    application = _backend(account, run).applications.get(configuration["Application"])
    profile = application and application.config_profiles.get(configuration["ConfigurationProfile"])
    if not profile:
        return "1"
    kind = "application/json" if configuration["InputArtifactConfigurationPath"].endswith(".json") else "text/plain"
    made = profile.create_version(application.id, profile.id, f"Execution {run.execution.id}", content, kind, "")
    return str(made.version)


def _ringing(account: Account, run: ActionRun) -> str:
    """The first alarm that monitors the environment and rings; AppConfig looks under a role of its own."""
    application = _backend(account, run).applications[run.configuration["Application"]]
    environment = environments_of(application)[run.configuration["Environment"]]
    names = [one["AlarmArn"].split(":alarm:")[-1] for one in environment.monitors]
    if not names:
        return ""
    told = account.client("cloudwatch", run.plan.action.region).describe_alarms(AlarmNames=names)["MetricAlarms"]
    return next((one["AlarmName"] for one in told if one["StateValue"] == "ALARM"), "")
