"""The Lambda deploy: the artifact becomes the function's code, a version is published, and the alias moves to it.

Traffic shifts as the strategy says. An alarm that is in state ALARM meanwhile moves the alias back.
Source: AWS CodePipeline User Guide, "AWS Lambda deploy action reference".
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import read
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.gaps.codedeploy.configs import shift_steps
from pipesim.cloud.managed_compute import ActionLog
from pipesim.cloud.permissions import role_client
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

STRATEGY = re.compile(r"AllAtOnce$|(Canary|Linear)\d+Percent(Every)?\d+Minutes?$")
MOST_ALARMS = 10
PATIENCE = 60.0
"""Seconds after which alarms are looked at again."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy the code, or the version that is published already."""
    configuration, name = run.configuration, run.configuration["FunctionName"]
    strategy = configuration.get("DeployStrategy", "AllAtOnce").rpartition(".")[2]
    alarms = [one.strip() for one in configuration.get("Alarms", "").split(",") if one.strip()]
    if STRATEGY.match(strategy) is None:
        raise _wrong(f"DeployStrategy '{strategy}' is unknown.")
    if len(alarms) > MOST_ALARMS:
        raise _wrong(f"{len(alarms)} alarms are named; at most {MOST_ALARMS} are allowed.")
    inputs = run.plan.action.input_artifacts
    if not inputs and not configuration.get("PublishedTargetVersion"):
        raise _wrong("Neither an input artifact nor PublishedTargetVersion says what to deploy.")
    archive = read(account, run, inputs[0]) if inputs else None
    if archive is not None:
        archive.names()
    client, log = role_client(account, run, "lambda"), ActionLog(account, run)
    log.open()
    _described(client, name)
    alias = _alias(client, name, configuration.get("FunctionAlias"))
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    if archive is None:
        version = configuration["PublishedTargetVersion"]
        _described(client, name, version)
    else:
        client.update_function_code(FunctionName=name, ZipFile=archive.body)
        version = str(client.publish_version(FunctionName=name)["Version"])
        log.say(f"Published version {version} of {name}")
    if alias is not None and alias["FunctionVersion"] != version:
        yield from _shift(account, run, client, log, alias, version, strategy, alarms)
    log.close()
    return Outcome(
        summary=f"Version {version} of {name} was deployed.",
        external_id=version,
        external_url=execution_url(account, run, version),
        variables={"FunctionVersion": version},
    )


def _shift(
    account: Account,
    run: ActionRun,
    client: Any,
    log: ActionLog,
    alias: dict[str, Any],
    version: str,
    strategy: str,
    alarms: list[str],
) -> Generator[simpy.Event, Any, None]:
    """Move an alias step by step.

    Raises:
        ActionFailed: an alarm rang; the alias is where it was.
    """
    where = {"FunctionName": run.configuration["FunctionName"], "Name": alias["Name"]}
    old = alias["FunctionVersion"]
    for wait, percent in shift_steps(strategy):
        while wait > 0:
            span = min(wait, PATIENCE) if alarms else wait
            yield run.sim.env.timeout(span)
            wait -= span
            _watch(account, run, client, where, old, alarms)
        _watch(account, run, client, where, old, alarms)
        if percent < 100:
            weights = {version: percent / 100}
            client.update_alias(**where, FunctionVersion=old, RoutingConfig={"AdditionalVersionWeights": weights})
        else:
            _move(client, where, version)
        log.say(f"{percent:g} % of the calls of {alias['Name']} go to version {version}")


def _watch(account: Account, run: ActionRun, client: Any, where: dict[str, str], old: str, alarms: list[str]) -> None:
    if not alarms:
        return
    told = role_client(account, run, "cloudwatch").describe_alarms(AlarmNames=alarms)["MetricAlarms"]
    ringing = [one["AlarmName"] for one in told if one["StateValue"] == "ALARM"]
    if ringing:
        _move(client, where, old)
        raise ActionFailed(
            f"The deployment was rolled back to version {old}: alarms in state ALARM: {', '.join(ringing)}."
        )


def _move(client: Any, where: dict[str, str], version: str) -> None:
    client.update_alias(**where, FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": {}})


def _described(client: Any, name: str, version: str | None = None) -> None:
    try:
        client.get_function_configuration(FunctionName=name, **({"Qualifier": version} if version else {}))
    except client.exceptions.ResourceNotFoundException:
        which = f"Version {version} of the" if version else "The"
        raise _wrong(f"{which} AWS Lambda function {name} does not exist.") from None


def _alias(client: Any, name: str, alias: str | None) -> dict[str, Any] | None:
    if not alias:
        return None
    try:
        return dict(client.get_alias(FunctionName=name, Name=alias))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise _wrong(f"The function {name} has no alias {alias}.") from None


def _wrong(message: str) -> ActionFailed:
    return ActionFailed(message, FailureType.CONFIGURATION_ERROR)
