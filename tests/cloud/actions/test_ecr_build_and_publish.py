"""ECRBuildAndPublish: an image in the repository, under every tag."""

from __future__ import annotations

from typing import Any

import pytest

from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    go,
    loses_its_input,
    make,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import StandIn

PUSHING = (
    "ecr:DescribeRepositories", "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage",
    "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
)  # fmt: skip
SOURCE = {"Dockerfile": b"FROM python:3.12\nCOPY . .\n", "requirements.txt": b"requests==2.30.0\n"}
NEEDED = [one for one in PUSHING if one != "ecr:BatchGetImage"]


def publish(**configuration: str) -> dict[str, Any]:
    return action(
        "Build",
        "ECRBuildAndPublish",
        configuration={"ECRRepositoryName": "shop", **configuration},
        inputArtifacts=[{"name": "Code"}],
        namespace="Image",
    )


def prepare(account: StandIn, files: dict[str, bytes] = SOURCE, *, repository: bool = True) -> Any:
    source_bucket(account, pack(files))
    ecr = account.client("ecr")
    if repository:
        ecr.create_repository(repositoryName="shop")
    return ecr


@pytest.mark.provider("Build/ECRBuildAndPublish", "success")
def test_an_image_is_pushed_under_every_tag(account: StandIn) -> None:
    ecr = prepare(account)
    sim = make(account, publish(ImageTags="v1, latest"))

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    [image] = ecr.describe_images(repositoryName="shop")["imageDetails"]
    assert set(image["imageTags"]) == {"v1", "latest"}
    emitted = sim.executions[execution].outputs["Image"]
    assert emitted == {"ECRImageDigestId": image["imageDigest"], "ECRRepositoryName": "shop"}
    assert ending(sim).external_id == image["imageDigest"]


def test_the_same_source_gives_the_same_image_and_another_source_another(account: StandIn) -> None:
    ecr = prepare(account)
    sim = make(account, publish())

    first, again = go(account, sim), go(account, sim)
    account.client("s3").put_object(Bucket="source", Key="app.zip", Body=pack({**SOURCE, "new.txt": b"1"}))
    third = go(account, sim)

    digests = [sim.executions[one].outputs["Image"]["ECRImageDigestId"] for one in (first, again, third)]
    assert digests[0] == digests[1] != digests[2]
    assert {tag for one in ecr.list_images(repositoryName="shop")["imageIds"] if (tag := one.get("imageTag"))} == {
        "latest"
    }


@pytest.mark.provider("Build/ECRBuildAndPublish", "failure")
@pytest.mark.parametrize("path", ["", "docker", "docker/Dockerfile.prod"])
def test_there_is_no_dockerfile(account: StandIn, path: str) -> None:
    prepare(account, {"index.html": b""})
    sim = make(account, publish(DockerFilePath=path) if path else publish())

    go(account, sim)

    assert ending(sim).code == "JobFailed"
    wanted = {"": "Dockerfile", "docker": "docker/Dockerfile"}.get(path, path)
    assert ending(sim).message == f"failed to read dockerfile: open {wanted}: no such file or directory"


@pytest.mark.provider("Build/ECRBuildAndPublish", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_of_a_push_and_heals(account: StandIn, taken: str) -> None:
    prepare(account)
    sim = make(account, publish())
    allow(account, *BASE, *(one for one in PUSHING if one != taken))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert f"is not authorized to perform: {taken}" in ending(sim).message
    allow(account, *BASE, *PUSHING)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Build/ECRBuildAndPublish", "input")
def test_a_missing_repository_and_a_missing_input(account: StandIn) -> None:
    ecr = prepare(account, repository=False)
    sim = make(account, publish())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "ConfigurationError")
    assert "The repository with name 'shop' does not exist" in ending(sim).message
    ecr.create_repository(repositoryName="shop")
    loses_its_input(account, sim, execution)


def test_a_public_registry_has_permissions_of_its_own(account: StandIn) -> None:
    ecr = prepare(account)
    sim = make(account, publish(RegistryType="public"))
    allow(account, *BASE, *PUSHING)

    execution = go(account, sim)
    assert (ending(sim).code, "sts:GetServiceBearerToken" in ending(sim).message) == ("PermissionError", True)
    allow(account, *BASE, *PUSHING, "sts:GetServiceBearerToken", "ecr-public:*")
    retry(account, sim, execution)

    assert status(sim, execution) == "Succeeded"
    assert not ecr.list_images(repositoryName="shop")["imageIds"]
