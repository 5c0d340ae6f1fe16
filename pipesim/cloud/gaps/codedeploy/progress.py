"""How far deployments are: their targets with lifecycle events, their errors and their rollbacks.

Source: AWS CodeDeploy API reference, DeploymentTarget, ErrorInformation and RollbackInfo; AWS CodeDeploy User Guide,
"Working with deployment configurations".
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from moto.codedeploy.models import CodeDeployBackend, DeploymentInfo
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random

ID_LETTERS = string.ascii_uppercase + string.digits
STATUSES = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")


@dataclass(slots=True, eq=False)
class Target:
    """One target of a deployment.

    Attributes:
        id: an instance, or an ECS service as ``cluster:service``.
        arn: its ARN.
        label: Blue or Green in a blue/green deployment, else empty.
        status: such as ``InProgress``.
        events: its lifecycle events as the API tells them.
        weight: the share of traffic that the new tasks have, in percent (ECS).
    """

    id: str
    arn: str = ""
    label: str = ""
    status: str = "Pending"
    events: list[dict[str, Any]] = field(default_factory=list)
    weight: float = 0.0


@dataclass(slots=True, eq=False)
class Progress:
    """What is known of a deployment beside moto's own record.

    Attributes:
        targets: in the order of deployment.
        error: the API's ErrorInformation; empty while there is none.
        rollback: the API's RollbackInfo; empty while there is none.
    """

    targets: list[Target] = field(default_factory=list)
    error: dict[str, str] = field(default_factory=dict)
    rollback: dict[str, str] = field(default_factory=dict)


_progress: WeakKeyDictionary[DeploymentInfo, Progress] = WeakKeyDictionary()


def progress_of(record: DeploymentInfo) -> Progress:
    """Return how far a deployment is."""
    return _progress.setdefault(record, Progress())


def rename(backend: CodeDeployBackend, id: str) -> str:
    """Give a new deployment an id as the service does, from the account's seed, and return it."""
    record = backend.deployments.pop(id)
    record.deployment_id = "d-" + "".join(mock_random.choice(ID_LETTERS) for _ in range(9))
    backend.deployments[record.deployment_id] = record
    return str(record.deployment_id)


def count(record: DeploymentInfo) -> None:
    """Write how many targets are in which state into moto's record."""
    targets = progress_of(record).targets
    record.deployment_overview.update({status: sum(one.status == status for one in targets) for status in STATUSES})


def target_of(record: DeploymentInfo, id: str) -> Target:
    """Return one target.

    Raises:
        JsonRESTError: DeploymentTargetDoesNotExistException.
    """
    for target in progress_of(record).targets:
        if target.id == id:
            return target
    raise JsonRESTError("DeploymentTargetDoesNotExistException", f"The target {id} is not in the deployment.")


def described(record: DeploymentInfo, targets: Iterable[Target]) -> list[dict[str, Any]]:
    """Return targets as the API tells them."""
    return [_described(record, one) for one in targets]


def _described(record: DeploymentInfo, target: Target) -> dict[str, Any]:
    told: dict[str, Any] = {
        "deploymentId": record.deployment_id,
        "targetId": target.id,
        "targetArn": target.arn,
        "status": target.status,
        "lifecycleEvents": target.events,
    }
    if record.application.compute_platform != "ECS":
        label = {"instanceLabel": target.label} if target.label else {}
        return {"deploymentTargetType": "InstanceTarget", "instanceTarget": {**told, **label}}
    sets = [
        {"identifer": f"{record.deployment_id}-blue", "taskSetLabel": "Blue", "trafficWeight": 100.0 - target.weight},
        {"identifer": f"{record.deployment_id}-green", "taskSetLabel": "Green", "trafficWeight": target.weight},
    ]
    return {"deploymentTargetType": "ECSTarget", "ecsTarget": {**told, "taskSetsInfo": sets}}
