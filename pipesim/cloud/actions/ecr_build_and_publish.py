"""ECRBuildAndPublish: an image is built from the input's Dockerfile and pushed to a repository.

The image is made up: its layers are the digests of the files that the build would copy, so that the same source gives
the same digest, and other sources give others. Source: AWS CodePipeline User Guide, "Amazon ECRBuildAndPublish build
action reference"; Amazon ECR User Guide, "IAM permissions for pushing an image".
"""

from __future__ import annotations

import json
from collections.abc import Generator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import read
from pipesim.cloud.managed_compute import ActionLog, on_managed_compute
from pipesim.cloud.permissions import require, role_client, session_of
from pipesim.cloud.sbom import components_of
from pipesim.engine.outcome import Outcome

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

PUSHING = (
    "BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload",
)  # fmt: skip
"""What a push does besides PutImage, and what moto has no operations for."""

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PACKAGES = "pipesim.packages"
"""The annotation in which an image tells the packages that it holds, for scans."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Build the image and push it under every tag."""
    source = dict(read(account, run, run.plan.action.input_artifacts[0]).files())
    return (yield from on_managed_compute(account, run, lambda log, broken: _finish(account, run, source, log, broken)))


def _finish(account: Account, run: ActionRun, source: dict[str, bytes], log: ActionLog, broken: str | None) -> Outcome:
    name, configuration = run.configuration["ECRRepositoryName"], run.configuration
    dockerfile = _dockerfile(run)
    log.say(f"Running command docker build -f {dockerfile} .")
    if dockerfile not in source:
        raise ActionFailed(f"failed to read dockerfile: open {dockerfile}: no such file or directory")
    if broken is not None:
        raise ActionFailed(f"The image could not be built from {dockerfile}: {broken}")
    manifest = manifest_of(source, dockerfile)
    tags = [tag.strip() for tag in configuration.get("ImageTags", "latest").split(",") if tag.strip()]
    public = configuration.get("RegistryType", "private").lower() == "public"
    digest = _announce(account, run, name, manifest) if public else _push(account, run, name, manifest, tags)
    log.say(*(f"{tag}: digest: {digest} size: {len(manifest)}" for tag in tags))
    return Outcome(
        external_id=digest, external_url=log.url, variables={"ECRImageDigestId": digest, "ECRRepositoryName": name}
    )


def _push(account: Account, run: ActionRun, name: str, manifest: str, tags: list[str]) -> str:
    """Push the image under its tags, and return its digest."""
    session, region = session_of(account, run), run.plan.action.region or account.region
    ecr = role_client(account, run, "ecr")
    ecr.get_authorization_token()
    known = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    for step in PUSHING:
        require(session, f"ecr:{step}", f"arn:aws:ecr:{region}:{session.account}:repository/{name}")
    digest = ""
    for tag in tags:
        try:
            digest = ecr.put_image(repositoryName=known["repositoryName"], imageManifest=manifest, imageTag=tag)[
                "image"
            ]["imageId"]["imageDigest"]
        except ecr.exceptions.ImageAlreadyExistsException:
            [found] = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": tag}])["images"]
            digest = found["imageId"]["imageDigest"]
    return str(digest)


def _announce(account: Account, run: ActionRun, name: str, manifest: str) -> str:
    """Judge the permissions of a push to a public repository, which the mocked account does not have."""
    session = session_of(account, run)
    require(session, "sts:GetServiceBearerToken", "*")
    for step in ("GetAuthorizationToken", *PUSHING, "PutImage"):
        require(session, f"ecr-public:{step}", f"arn:aws:ecr-public::{session.account}:repository/{name}")
    return f"sha256:{sha256(manifest.encode()).hexdigest()}"


def _dockerfile(run: ActionRun) -> str:
    path = run.configuration.get("DockerFilePath", "").removeprefix("./").strip("/")
    return path if path.rsplit("/", 1)[-1].startswith("Dockerfile") else f"{path}/Dockerfile".lstrip("/")


def manifest_of(source: dict[str, bytes], dockerfile: str) -> str:
    """Return the manifest of the image that files make; the same files make the same image.

    Args:
        source: contents by path.
        dockerfile: which of them is the Dockerfile.
    """
    layers = [(source[dockerfile], dockerfile), *((body, path) for path, body in sorted(source.items()))]
    described = [
        {"mediaType": LAYER, "size": len(body), "digest": f"sha256:{sha256(path.encode() + body).hexdigest()}"}
        for body, path in layers
    ]
    whole = sha256("".join(str(layer["digest"]) for layer in described).encode()).hexdigest()
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": CONFIGURATION,
                "size": sum(len(body) for body, _ in layers),
                "digest": f"sha256:{whole}",
            },
            "layers": described,
            "annotations": {PACKAGES: json.dumps(components_of(source))},
        }
    )
