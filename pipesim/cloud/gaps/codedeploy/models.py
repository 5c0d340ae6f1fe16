"""The revisions of an application.

Source: AWS CodeDeploy API reference, RegisterApplicationRevision, GetApplicationRevision, ListApplicationRevisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from moto.codedeploy.models import Application, CodeDeployBackend
from moto.core.utils import unix_time

from pipesim.cloud.gaps.codedeploy.exceptions import RevisionDoesNotExistException


@dataclass(slots=True)
class Registered:
    """One registered revision.

    Attributes:
        location: where it lies, as the caller wrote it.
        description: what the caller said of it.
        registered: when, in seconds since the epoch.
    """

    location: dict[str, Any]
    description: str
    registered: float


_revisions: WeakKeyDictionary[Application, list[Registered]] = WeakKeyDictionary()


def register(backend: CodeDeployBackend, application: str, location: dict[str, Any], description: str) -> None:
    """Register a revision; once more changes its description alone."""
    known = _revisions.setdefault(backend.get_application(application), [])
    for revision in known:
        if revision.location == location:
            revision.description = description or revision.description
            return
    known.append(Registered(location, description or "Application revision registered", unix_time()))


def find(backend: CodeDeployBackend, application: str, location: dict[str, Any]) -> Registered:
    """Return a registered revision.

    Raises:
        RevisionDoesNotExistException: it was never registered.
    """
    for revision in all_of(backend, application):
        if revision.location == location:
            return revision
    raise RevisionDoesNotExistException(application)


def all_of(backend: CodeDeployBackend, application: str) -> list[Registered]:
    """Return an application's revisions, the oldest first."""
    return list(_revisions.get(backend.get_application(application), ()))


def deployments_of(backend: CodeDeployBackend, application: str, location: dict[str, Any]) -> list[Any]:
    """Return the deployments of one revision, the oldest first."""
    return [
        each
        for each in backend.deployments.values()
        if each.application_name == application and each.revision == location
    ]
