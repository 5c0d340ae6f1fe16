"""The versions and events of an application.

Source: AWS Elastic Beanstalk API reference, CreateApplicationVersion, UpdateEnvironment, DescribeEvents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from moto.core.utils import utcnow
from moto.elasticbeanstalk.exceptions import InvalidParameterValueError
from moto.elasticbeanstalk.models import Application, EBBackend


@dataclass(slots=True, eq=False)
class Versions:
    """What an application has beside moto's own record.

    Attributes:
        versions: application versions by label, as the API tells them.
        events: events as the API tells them, the oldest first.
    """

    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


_versions: WeakKeyDictionary[Application, Versions] = WeakKeyDictionary()


def application_of(backend: EBBackend, name: str) -> Application:
    """Return an application.

    Raises:
        InvalidParameterValueError: there is none of this name.
    """
    if name not in backend.applications:
        raise InvalidParameterValueError(f"No Application named '{name}' found.")
    return backend.applications[name]


def versions_of(application: Application) -> Versions:
    """Return the versions and events of an application."""
    return _versions.setdefault(application, Versions())


def environment_of(backend: EBBackend, application: str, name: str) -> Any:
    """Return an environment.

    Raises:
        InvalidParameterValueError: there is none of this name.
    """
    known = application_of(backend, application).environments
    if name not in known:
        raise InvalidParameterValueError(f"No Environment found for EnvironmentName = '{name}'.")
    return known[name]


def create_version(backend: EBBackend, application: str, label: str, bundle: dict[str, str]) -> dict[str, Any]:
    """Make an application version of a bundle in S3.

    Raises:
        InvalidParameterValueError: the label is taken.
    """
    known = versions_of(application_of(backend, application)).versions
    if label in known:
        raise InvalidParameterValueError(f"Application Version {label} already exists.")
    now = utcnow()
    known[label] = {
        "ApplicationName": application,
        "VersionLabel": label,
        "SourceBundle": bundle,
        "DateCreated": now,
        "DateUpdated": now,
        "Status": "PROCESSED",
    }
    return known[label]


def update(backend: EBBackend, application: str, name: str, label: str) -> Any:
    """Begin to run another version in an environment, and return the environment.

    Raises:
        InvalidParameterValueError: there is no such version, or the environment is being updated.
    """
    environment = environment_of(backend, application, name)
    if label not in versions_of(application_of(backend, application)).versions:
        raise InvalidParameterValueError(f"No Application Version named '{label}' found.")
    if environment.status != "Ready":
        raise InvalidParameterValueError(
            f"Environment named {name} is in an invalid state for this operation. Must be Ready."
        )
    environment.status, environment.health, environment.health_status = "Updating", "Grey", "Info"
    environment.date_updated = utcnow()
    tell(backend, application, name, "INFO", "Environment update is starting.", label)
    environment.updating_to = label
    return environment


def end_update(backend: EBBackend, application: str, name: str, moment: datetime, problem: str = "") -> None:
    """End the update of an environment; one that failed keeps the version that it had."""
    environment = environment_of(backend, application, name)
    environment.status, environment.date_updated = "Ready", moment
    if problem:
        environment.health, environment.health_status = "Red", "Degraded"
        tell(backend, application, name, "ERROR", problem, environment.updating_to)
        return
    environment.version_label = environment.updating_to
    environment.health, environment.health_status = "Green", "Ok"
    tell(backend, application, name, "INFO", "Environment update completed successfully.", environment.version_label)


def tell(backend: EBBackend, application: str, name: str, severity: str, message: str, label: str) -> None:
    """Write an event."""
    versions_of(application_of(backend, application)).events.append(
        {
            "EventDate": utcnow(),
            "Message": message,
            "ApplicationName": application,
            "EnvironmentName": name,
            "VersionLabel": label,
            "Severity": severity,
        }
    )
