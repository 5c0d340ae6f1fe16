"""Environments, strategies and deployments: how far a deployment is, is read off the clock.

Source: AWS AppConfig API reference, CreateEnvironment, CreateDeploymentStrategy, StartDeployment; AWS AppConfig User
Guide, "Working with deployment strategies" (the predefined ones).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from moto.appconfig.models import AppConfigBackend, Application
from moto.core.exceptions import JsonRESTError
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

PREDEFINED = {
    "AppConfig.AllAtOnce": (0, 10, 100.0, "LINEAR"),
    "AppConfig.Linear50PercentEvery30Seconds": (1, 1, 50.0, "LINEAR"),
    "AppConfig.Linear20PercentEvery6Minutes": (30, 30, 20.0, "LINEAR"),
    "AppConfig.Canary10Percent20Minutes": (20, 10, 10.0, "EXPONENTIAL"),
}
"""Minutes of deployment, minutes of bake, growth factor and growth, by the id."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """A deployment strategy.

    Attributes:
        id, name: what it is called.
        minutes: until every target has the configuration.
        bake: minutes in which alarms are still watched.
        factor: percentage of the targets in each step.
        growth: LINEAR or EXPONENTIAL.
    """

    id: str
    name: str
    minutes: int = 0
    bake: int = 0
    factor: float = 100.0
    growth: str = "LINEAR"

    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "Id": self.id,
            "Name": self.name,
            "DeploymentDurationInMinutes": self.minutes,
            "GrowthType": self.growth,
            "GrowthFactor": self.factor,
            "FinalBakeTimeInMinutes": self.bake,
            "ReplicateTo": "NONE",
        }

    def share(self, minutes: float) -> float:
        """Return the percentage of targets that have the configuration so many minutes after the start."""
        if minutes >= self.minutes:
            return 100.0
        linear = self.growth == "LINEAR"
        steps = math.ceil(100 / self.factor) if linear else math.ceil(math.log2(100 / self.factor))
        step = int(minutes / (self.minutes / max(steps, 1)))
        return min(100.0, self.factor * (step + 1 if linear else 2**step))


@dataclass(slots=True, eq=False)
class Deployment:
    """One deployment to an environment.

    Attributes:
        number: counted in the environment.
        strategy: how it goes.
        profile: moto's configuration profile.
        version: what is deployed.
        started: when.
        stopped: when it was rolled back; None: it was not.
    """

    number: int
    strategy: Strategy
    profile: Any
    version: str
    started: datetime
    description: str = ""
    stopped: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return the state at a moment."""
        if self.stopped is not None:
            return "ROLLED_BACK"
        passed = (now - self.started).total_seconds() / 60
        if passed >= self.strategy.minutes + self.strategy.bake:
            return "COMPLETE"
        return "BAKING" if passed >= self.strategy.minutes else "DEPLOYING"


@dataclass(slots=True, eq=False)
class Environment:
    """An environment.

    Attributes:
        id, name, description: what it is called.
        monitors: alarms as the API takes them.
        deployments: the oldest first.
    """

    id: str
    name: str
    description: str = ""
    monitors: list[dict[str, str]] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)

    def told(self, application: str) -> dict[str, Any]:
        """As the API tells it."""
        last = self.deployments[-1].state(utcnow()) if self.deployments else ""
        state = {"": "READY_FOR_DEPLOYMENT", "COMPLETE": "READY_FOR_DEPLOYMENT", "BAKING": "DEPLOYING"}.get(last, last)
        return {
            "ApplicationId": application,
            "Id": self.id,
            "Name": self.name,
            "Description": self.description,
            "State": state,
            "Monitors": self.monitors,
        }


def missing(what: str, id: str) -> JsonRESTError:
    """Return what the API says of something that is not there."""
    return JsonRESTError("ResourceNotFoundException", f"{what} {id} could not be found")


def environments_of(application: Application) -> dict[str, Environment]:
    """Return an application's environments by id."""
    known: dict[str, Environment] = vars(application).setdefault("environments", {})
    return known


def environment_of(application: Application, id: str) -> Environment:
    """Return an environment.

    Raises:
        JsonRESTError: there is none of this id.
    """
    try:
        return environments_of(application)[id]
    except KeyError:
        raise missing("Environment", id) from None


def strategies_of(backend: AppConfigBackend) -> dict[str, Strategy]:
    """Return the deployment strategies by id, the predefined ones among them."""
    known: dict[str, Strategy] = vars(backend).setdefault("strategies", {})
    if not known:
        known.update({id: Strategy(id, id, *values) for id, values in PREDEFINED.items()})
    return known


def strategy_of(backend: AppConfigBackend, id: str) -> Strategy:
    """Return a strategy.

    Raises:
        JsonRESTError: there is none of this id.
    """
    try:
        return strategies_of(backend)[id]
    except KeyError:
        raise missing("Deployment Strategy", id) from None


def new_id() -> str:
    """Return an id as AppConfig gives them."""
    return str(mock_random.get_random_hex(7))


def begin(
    backend: AppConfigBackend, application: str, environment: str, profile: str, strategy: str, version: str, note: str
) -> Deployment:
    """Begin a deployment.

    Raises:
        JsonRESTError: something is not there, is busy, or the configuration does not pass its validators.
    """
    place = environment_of(backend.get_application(application), environment)
    found = backend.get_configuration_profile(application, profile)
    chosen = strategy_of(backend, strategy)
    if place.deployments and place.deployments[-1].state(utcnow()) in ("DEPLOYING", "BAKING"):
        raise JsonRESTError("ConflictException", f"Environment {place.name} already has a deployment in progress.")
    check(found, str(found.get_version(int(version)).content))
    made = Deployment(len(place.deployments) + 1, chosen, found, version, utcnow(), note)
    place.deployments.append(made)
    return made


def check(profile: Any, content: str) -> None:
    """Hold a configuration against the JSON schemas of its profile.

    Raises:
        JsonRESTError: it does not pass.
    """
    from jsonschema import ValidationError, validate  # type: ignore[import-untyped]

    for validator in profile.validators or ():
        if validator["Type"] != "JSON_SCHEMA":
            continue
        try:
            validate(json.loads(content), json.loads(validator["Content"]))
        except (ValueError, ValidationError) as error:
            why = error.message if isinstance(error, ValidationError) else str(error)
            raise JsonRESTError("BadRequestException", f"Error validating the configuration data: {why}") from None


def deployment_of(environment: Environment, number: int) -> Deployment:
    """Return a deployment.

    Raises:
        JsonRESTError: there is none of this number.
    """
    if not 1 <= number <= len(environment.deployments):
        raise missing("Deployment", str(number))
    return environment.deployments[number - 1]


def tell(application: str, environment: str, one: Deployment) -> dict[str, Any]:
    """Return a deployment as the API tells it."""
    now = utcnow()
    state, strategy = one.state(now), one.strategy
    told: dict[str, Any] = {
        "ApplicationId": application,
        "EnvironmentId": environment,
        "DeploymentStrategyId": strategy.id,
        "ConfigurationProfileId": one.profile.id,
        "DeploymentNumber": one.number,
        "ConfigurationName": one.profile.name,
        "ConfigurationLocationUri": one.profile.location_uri,
        "ConfigurationVersion": one.version,
        "Description": one.description,
        "DeploymentDurationInMinutes": strategy.minutes,
        "GrowthType": strategy.growth,
        "GrowthFactor": strategy.factor,
        "FinalBakeTimeInMinutes": strategy.bake,
        "State": state,
        "PercentageComplete": 0.0 if one.stopped else strategy.share((now - one.started).total_seconds() / 60),
        "StartedAt": _moment(one.started),
    }
    if state == "COMPLETE":
        told["CompletedAt"] = _moment(one.started + timedelta(minutes=strategy.minutes + strategy.bake))
    elif one.stopped is not None:
        told["CompletedAt"] = _moment(one.stopped)
    return told


def _moment(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
