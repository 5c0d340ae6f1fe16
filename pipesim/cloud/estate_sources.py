"""What source actions need: repositories, connections, images, and the rules and webhooks that start pipelines.

Where a source is not polled the console makes an EventBridge rule and a role for it; so does this module.
Source: AWS CodePipeline User Guide, "Change detection methods", "Amazon ECR source actions and EventBridge",
"Create an EventBridge rule for a CodeCommit source", "… for an Amazon S3 source".
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pipesim.cloud.gaps.codeconnections.models import codeconnections_backends
from pipesim.cloud.git_signals import connection_of
from pipesim.cloud.sample_source import source_files
from pipesim.definition.model import Action, Pipeline
from pipesim.engine.arrivals import polls

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.cloud.estate import Estate

EVENTS = "events.amazonaws.com"
GITHUB = "GitHub"


def connection(estate: Estate, action: Action) -> None:
    """Let the connection be there and available, and the repository with its branch."""
    given = action.configuration
    arn = given["ConnectionArn"]
    known = connection_of(estate.account, arn)
    if known is None:
        parts = arn.split(":")
        if len(parts) != 6:
            return
        backend = codeconnections_backends[parts[4]][parts[3]]
        known = backend.create_connection(GITHUB.lower(), GITHUB, None, {}, arn=arn).told
        backend.complete(arn)
    _repository(estate, known["ProviderType"], given["FullRepositoryId"], given["BranchName"])


def github(estate: Estate, action: Action) -> None:
    """Let the repository and its branch be there."""
    given = action.configuration
    _repository(estate, GITHUB, f"{given['Owner']}/{given['Repo']}", given["Branch"])


def _repository(estate: Estate, provider: str, name: str, branch: str) -> None:
    if provider == GITHUB and "/" not in name:
        return
    found = estate.account.remotes.repository(estate.account, name, provider)
    if not found.history.branches:
        found.push(source_files(estate.pipeline), branch, "First commit")
    elif branch not in found.history.branches:
        found.branch(branch)


def image(estate: Estate, action: Action) -> None:
    """Let an image of the tag be there."""
    ecr = estate.of(action, "ecr")
    name, tag = action.configuration["RepositoryName"], action.configuration.get("ImageTag", "latest")
    tags = [one.get("imageTag") for one in ecr.list_images(repositoryName=name)["imageIds"]]
    if tag not in tags:
        put_image(ecr, name, tag, "First image")


def put_image(ecr: Any, name: str, tag: str, content: str) -> str:
    """Push an image that is made up of a text, and return its digest.

    Args:
        ecr: the client.
        name: the repository's name.
        tag: the image's tag.
        content: what it is made of; the same content is the same image.
    """
    from pipesim.cloud.actions.ecr_build_and_publish import manifest_of

    manifest = manifest_of({"Dockerfile": content.encode()}, "Dockerfile")
    image = ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag=tag)["image"]
    return str(image["imageId"]["imageDigest"])


def push_image(account: Account, repository: str, tag: str = "latest", content: str | None = None) -> str:
    """Push an image to ECR, as ``docker push`` does, and return its digest.

    Args:
        account: where.
        repository: its name; it is made when it is not there.
        tag: the image's tag.
        content: what it is made of; None: something new each time.
    """
    ecr = account.client("ecr")
    known = [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]]
    if repository not in known:
        ecr.create_repository(repositoryName=repository)
    if content is None:
        content = f"image {len(ecr.describe_images(repositoryName=repository)['imageDetails']) + 1} of {account.now}"
    digest = put_image(ecr, repository, tag, content)
    account.settle()
    return digest


def rule(estate: Estate, action: Action) -> None:
    """Let a rule be there that starts the pipeline when the source changes, unless the source is polled."""
    if action.provider != "ECR" and polls(action):
        return
    account, name = estate.account, estate.pipeline.name
    region = action.region or account.region
    if action.provider == "S3":
        _announce_objects(estate, action)
    role = f"arn:aws:iam::{account.id}:role/service-role/cwe-role-{account.region}-{name}"[:130]
    arn = account.arn_of(name)
    statement = {"Effect": "Allow", "Action": "codepipeline:StartPipelineExecution", "Resource": arn}
    estate.role(role, {"Service": EVENTS}, [statement])
    events = estate.client("events", region)
    called = f"codepipeline-{name[:24]}-{action.name[:18]}-rule"
    events.put_rule(Name=called, EventPattern=json.dumps(pattern(action, account.id)), State="ENABLED")
    events.put_targets(Rule=called, Targets=[{"Id": f"codepipeline-{name}"[:64], "Arn": arn, "RoleArn": role}])


def pattern(action: Action, account: str) -> dict[str, Any]:
    """Return the pattern of the events that a source action is to be started by.

    Args:
        action: an S3, CodeCommit or ECR source.
        account: whose the source is.
    """
    given = action.configuration
    if action.provider == "S3":
        detail: dict[str, Any] = {"bucket": {"name": [given["S3Bucket"]]}, "object": {"key": [given["S3ObjectKey"]]}}
        return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}
    if action.provider == "ECR":
        detail = {
            "action-type": ["PUSH"],
            "image-tag": [given.get("ImageTag", "latest")],
            "repository-name": [given["RepositoryName"]],
            "result": ["SUCCESS"],
        }
        return {"source": ["aws.ecr"], "detail-type": ["ECR Image Action"], "detail": detail}
    detail = {
        "event": ["referenceCreated", "referenceUpdated"],
        "repositoryName": [given["RepositoryName"]],
        "referenceType": ["branch"],
        "referenceName": [given["BranchName"]],
    }
    return {"source": ["aws.codecommit"], "detail-type": ["CodeCommit Repository State Change"], "detail": detail}


def webhooks(estate: Estate, pipeline: Pipeline) -> None:
    """Let each GitHub source of version 1 that is not polled have a webhook that GitHub calls."""
    codepipeline = estate.client("codepipeline")
    for action in pipeline.stages[0].actions:
        if action.provider != GITHUB or polls(action):
            continue
        name = f"{pipeline.name}-{action.name}-webhook"
        if any(one["definition"]["name"] == name for one in codepipeline.list_webhooks()["webhooks"]):
            continue
        secret = blake2b(f"{estate.account.seed}/{name}".encode(), digest_size=16).hexdigest()
        codepipeline.put_webhook(
            webhook={
                "name": name,
                "targetPipeline": pipeline.name,
                "targetAction": action.name,
                "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}],
                "authentication": "GITHUB_HMAC",
                "authenticationConfiguration": {"SecretToken": secret},
            }
        )
        codepipeline.register_webhook_with_third_party(webhookName=name)


def _announce_objects(estate: Estate, action: Action) -> None:
    s3, bucket = estate.of(action, "s3"), action.configuration["S3Bucket"]
    known = s3.get_bucket_notification_configuration(Bucket=bucket)
    known.pop("ResponseMetadata", None)
    if "EventBridgeConfiguration" not in known:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={**known, "EventBridgeConfiguration": {}}
        )
