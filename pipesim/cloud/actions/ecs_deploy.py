"""The rolling deploy to ECS: image definitions become a task definition, and the service is told to run it.

A learner makes it fail as in a real cluster: a file that is no image definitions file, a container that the task
definition does not have, an image that this account's ECR does not have (the tasks never start), a time-out that is
too short.
Source: AWS CodePipeline User Guide, "Amazon Elastic Container Service action reference", "Image definitions file
reference"; Amazon ECS API reference, RegisterTaskDefinition, Deployment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError
from moto.ecs.models import ecs_backends

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import read, store_of
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.permissions import require, role_client, session_of
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

FILE = "imagedefinitions.json"
LARGEST = 100 * 1024
"""Bytes that an image definitions file may have."""

TIMEOUT = 60.0
"""Minutes until the service must be steady, where none are configured."""

REGISTERED = (
    "family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes",
    "placementConstraints", "requiresCompatibilities", "cpu", "memory", "pidMode", "ipcMode", "proxyConfiguration",
    "runtimePlatform", "ephemeralStorage",
)  # fmt: skip
"""What of a task definition a new revision takes over."""

IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com/([^:@]+)(?::([^@]+)|@(sha256:.+))?$")


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy the images that the input artifact names."""
    images = _images(account, run)
    ecs = role_client(account, run, "ecs")
    cluster, name = run.configuration["ClusterName"], run.configuration["ServiceName"]
    found = [one for one in _described(ecs, cluster, name) if one["status"] != "INACTIVE"]
    if not found:
        raise ActionFailed(
            f"The Amazon ECS service '{name}' does not exist in cluster '{cluster}'.", FailureType.CONFIGURATION_ERROR
        )
    definition = ecs.describe_task_definition(taskDefinition=found[0]["taskDefinition"])["taskDefinition"]
    arn = register(account, run, ecs, _with_images(definition, images))
    ecs.update_service(cluster=cluster, service=name, taskDefinition=arn)
    ecs.list_tasks(cluster=cluster, serviceName=name)
    deployment = _deployment(account, run, cluster, name, arn)
    missing = missing_image(account, run, images.values())
    duration, fails = draw(run)
    limit = min(60.0 * float(run.configuration.get("DeploymentTimeout", TIMEOUT)), run.plan.timeout)
    late = duration > limit or missing is not None
    yield run.sim.env.timeout(limit if late else duration)
    ecs.describe_services(cluster=cluster, services=[name])
    deployment["updatedAt"] = account.now
    if late or fails:
        why = f"CannotPullContainerError: the image {missing} does not exist." if missing else ""
        deployment |= {"rolloutState": "FAILED", "rolloutStateReason": why}
        assumed = run.plan.assumption.message if fails else ""
        raise ActionFailed(
            assumed
            or f"The service {name} did not reach a steady state within {limit / 60:g} minutes (task definition {arn})."
            f" {why}".strip(),
            external_id=deployment["id"],
        )
    deployment |= {"rolloutState": "COMPLETED", "rolloutStateReason": "The service reached a steady state."}
    return Outcome(
        summary="Deployment Succeeded",
        external_id=deployment["id"],
        external_url=execution_url(account, run, deployment["id"]),
    )


def register(account: Account, run: ActionRun, ecs: Any, definition: Mapping[str, Any]) -> str:
    """Register a new revision of a task definition, and return its ARN.

    Args:
        account: the mocked account.
        run: the action, whose role must be allowed to pass the definition's roles.
        ecs: the client that registers.
        definition: the task definition.
    """
    for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")):
        if role:
            require(session_of(account, run), "iam:PassRole", role)
    members = {key: definition[key] for key in REGISTERED if definition.get(key)}
    return str(ecs.register_task_definition(**members)["taskDefinition"]["taskDefinitionArn"])


def missing_image(account: Account, run: ActionRun, images: Iterable[str]) -> str | None:
    """Return the first image that should be in this account's ECR and is not; None when there is none.

    Args:
        account: the mocked account.
        run: the action.
        images: their URIs; those in other registries are taken to exist.
    """
    for image in images:
        found = IMAGE.match(image)
        if found is None or found[1] != session_of(account, run).account:
            continue
        id = {"imageDigest": found[5]} if found[5] else {"imageTag": found[4] or "latest"}
        try:
            account.client("ecr", found[2]).describe_images(repositoryName=found[3], imageIds=[id])
        except ClientError:
            return image
    return None


def _described(ecs: Any, cluster: str, name: str) -> list[Any]:
    try:
        return list(ecs.describe_services(cluster=cluster, services=[name])["services"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ClusterNotFoundException":
            raise
        raise ActionFailed(
            f"The Amazon ECS cluster '{cluster}' does not exist.", FailureType.CONFIGURATION_ERROR
        ) from None


def _images(account: Account, run: ActionRun) -> dict[str, str]:
    """The images by container that the file names.

    Raises:
        ActionFailed: there is no such file, it is too large, or it names no images.
    """
    artifact = run.plan.action.input_artifacts[0]
    file = run.configuration.get("FileName", FILE)
    body = read(account, run, artifact).read(file)
    if body is None:
        raise ActionFailed(
            f"Invalid action configuration: Did not find the image definition file {file} in the input artifacts ZIP"
            f" file. Verify the file is stored in your pipeline's Amazon S3 artifact bucket:"
            f" {store_of(account, run).location} key: {run.execution.artifacts[artifact]}",
            FailureType.CONFIGURATION_ERROR,
        )
    if len(body) > LARGEST:
        raise ActionFailed(
            f"The image definition file {file} has {len(body)} bytes; at most {LARGEST} are allowed.",
            FailureType.CONFIGURATION_ERROR,
        )
    try:
        return {str(one["name"]): str(one["imageUri"]) for one in json.loads(body)}
    except (ValueError, TypeError, KeyError):
        raise ActionFailed(
            f"The image definition file {file} is no JSON list of objects with name and imageUri.",
            FailureType.CONFIGURATION_ERROR,
        ) from None


def _with_images(definition: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, Any]:
    containers = [dict(one) for one in definition["containerDefinitions"]]
    unknown = sorted(set(images) - {one["name"] for one in containers})
    if unknown:
        raise ActionFailed(
            f"The task definition {definition['family']} has no container named {', '.join(unknown)}; the names in the"
            " image definition file must be those of the task definition.",
            FailureType.CONFIGURATION_ERROR,
        )
    for container in containers:
        container["image"] = images.get(container["name"], container["image"])
    return {**definition, "containerDefinitions": containers}


def _deployment(account: Account, run: ActionRun, cluster: str, name: str, arn: str) -> dict[str, Any]:
    """moto's record of the service's deployment, begun anew."""
    region = run.plan.action.region or account.region
    backend = ecs_backends[session_of(account, run).account][region]
    service = backend.services[f"{cluster.rsplit('/', 1)[-1]}:{name.rsplit('/', 1)[-1]}"]
    number = sum(map(ord, run.id)) + int.from_bytes(run.id.encode()[-6:], "big")
    known: dict[str, Any] = service.deployments[0] if service.deployments else {}
    known |= {
        "id": f"ecs-svc/{number:019d}",
        "status": "PRIMARY",
        "taskDefinition": arn,
        "createdAt": account.now,
        "updatedAt": account.now,
        "rolloutState": "IN_PROGRESS",
    }
    if not service.deployments:
        service.deployments = [known]
    return known
