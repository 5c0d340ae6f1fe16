"""The ECR source: where an image is and which one becomes the output artifact, as ``imageDetail.json``.

Source: AWS CodePipeline User Guide, "Amazon ECR source action reference" and "imageDetail.json file for Amazon ECS
blue/green deployment actions".
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import pack, write
from pipesim.cloud.permissions import role_client
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType, SourceRevisionType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

DETAIL = "imageDetail.json"


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Look up the image of the tag, or the one that the start of the execution asked for."""
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    name, tag = run.configuration["RepositoryName"], run.configuration.get("ImageTag", "latest")
    digest = next(
        (
            revision.value
            for revision in run.execution.revisions
            if revision.action == run.plan.action.name and revision.type == SourceRevisionType.IMAGE_DIGEST
        ),
        None,
    )
    ecr = role_client(account, run, "ecr")
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    try:
        [image] = ecr.describe_images(repositoryName=name, imageIds=[wanted])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException as error:
        raise ActionFailed(error.response["Error"]["Message"], FailureType.CONFIGURATION_ERROR) from None
    region = run.plan.action.region or account.region
    digest, registry = image["imageDigest"], image["registryId"]
    uri = f"{registry}.dkr.ecr.{region}.amazonaws.com/{name}@{digest}"
    detail = {
        "ImageSizeInBytes": str(image["imageSizeInBytes"]),
        "ImageDigest": digest,
        "Version": "1.0",
        "ImagePushedAt": f"{image['imagePushedAt']:%a %b %d %H:%M:%S UTC %Y}",
        "RegistryId": registry,
        "RepositoryName": name,
        "ImageURI": uri,
        "ImageTags": image.get("imageTags", []),
    }
    body = pack({DETAIL: json.dumps(detail, indent=2).encode()}, run.sim.clock)
    outputs = write(account, run, {artifact.name: body for artifact in run.plan.action.output_artifacts})
    variables = {
        "ImageDigest": digest,
        "ImageTag": tag,
        "ImageURI": uri,
        "RegistryId": registry,
        "RepositoryName": name,
        **run.plan.assumption.variables,
    }
    return Outcome(
        revision={"id": digest, "change_id": digest, "summary": f"Image {tag}"},
        variables=variables,
        outputs=outputs,
        external_id=digest,
    )
