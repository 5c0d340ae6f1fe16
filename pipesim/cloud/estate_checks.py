"""What tests, scans and state machines need to be there: farms, machines, repositories with an image."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipesim.cloud.gaps.devicefarm.models import devicefarm_backends

if TYPE_CHECKING:
    from pipesim.cloud.estate import Estate
    from pipesim.definition.model import Action

FARM = "us-west-2"
MACHINE = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": f"sha256:{'0' * 64}"},
    "layers": [],
}


def device_farm(estate: Estate, action: Action) -> None:
    """Let the project and the pool be there, under the ids that the action names: a pool of every phone of its kind.

    The service gives ids of its own choice, so they are written straight into the farm.
    """
    project, pool = action.configuration["ProjectId"], action.configuration["DevicePoolArn"]
    owner = (action.role_arn or "").split(":")[4:5]
    backend = devicefarm_backends[owner[0] if owner else estate.account.id][FARM]
    arn = project if project.startswith("arn:") else f"arn:aws:devicefarm:{FARM}:{backend.account_id}:project:{project}"
    if arn not in backend.projects:
        backend.create_project(estate.pipeline.name, arn)
    if pool not in backend.project(arn).pools:
        platform = "IOS" if action.configuration["AppType"].lower() == "ios" else "ANDROID"
        rule = {"attribute": "PLATFORM", "operator": "EQUALS", "value": json.dumps(platform)}
        backend.create_pool(arn, f"{platform} devices", [rule], None, pool)


def state_machine(estate: Estate, action: Action) -> None:
    """Let the state machine be there; it hands its input on."""
    arn = action.configuration["StateMachineArn"]
    parts = arn.split(":")
    if len(parts) < 7:
        return
    states = estate.client("stepfunctions", parts[3], parts[4] or None)
    with suppress(states.exceptions.StateMachineDoesNotExist):
        states.describe_state_machine(stateMachineArn=arn)
        return
    calling = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    role = estate.service_role(f"{parts[6]}-role", "states.amazonaws.com", calling, owner=parts[4] or None)
    states.create_state_machine(name=parts[6], definition=json.dumps(MACHINE), roleArn=role)


def scanned_image(estate: Estate, action: Action) -> None:
    """Let the image be there that is scanned; sources need nothing."""
    name = action.configuration.get("ECRRepositoryName")
    if not name:
        return
    ecr: Any = estate.of(action, "ecr")
    with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=name)
    tag = action.configuration.get("ImageTag", "latest")
    if not ecr.list_images(repositoryName=name)["imageIds"]:
        ecr.put_image(repositoryName=name, imageManifest=json.dumps(MANIFEST), imageTag=tag)
