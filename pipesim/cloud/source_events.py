"""What moto's S3, CodeCommit and ECR announce on the account's bus: objects, references and images.

Source: Amazon S3 User Guide, "EventBridge event message structure"; AWS CodeCommit User Guide, "Monitoring CodeCommit
events"; Amazon ECR User Guide, "Amazon ECR events and EventBridge". S3 announces only for buckets whose notification
configuration says so, as the service does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.ecr.models import ECRBackend
from moto.s3 import notifications

from pipesim.cloud.codepipeline.models import ACCOUNTS
from pipesim.cloud.gaps.codecommit.models import history_of
from pipesim.cloud.gaps.codecommit.responses import CodeCommitResponse
from pipesim.cloud.git_signals import announce_reference

REFERENCES = ("create_commit", "put_file", "delete_file", "create_branch", "delete_branch")
"""The operations of CodeCommit after which a branch may point elsewhere."""

_originals: list[tuple[Any, str, Any]] = []


def install() -> None:
    """Let them announce; without effect the second time."""
    if _originals:
        return
    _swap(ECRBackend, "put_image", _announcing_images(ECRBackend.put_image))
    _swap(notifications, "_send_event_bridge_message", _announce_object)
    for name in REFERENCES:
        _swap(CodeCommitResponse, name, _announcing_references(CodeCommitResponse.__dict__[name]))


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        owner, name, original = _originals.pop()
        setattr(owner, name, original)


def _swap(owner: Any, name: str, replacement: Callable[..., Any]) -> None:
    _originals.append((owner, name, owner.__dict__[name]))
    setattr(owner, name, replacement)


def _announcing_images(put_image: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(put_image)
    def put(self: Any, repository_name: str, image_manifest: str, image_tag: str, *rest: Any, **named: Any) -> Any:
        image = put_image(self, repository_name, image_manifest, image_tag, *rest, **named)
        detail = {
            "result": "SUCCESS",
            "repository-name": repository_name,
            "image-digest": image.get_image_digest(),
            "action-type": "PUSH",
        }
        if image_tag:
            detail["image-tag"] = image_tag
        arn = f"arn:aws:ecr:{self.region_name}:{self.account_id}:repository/{repository_name}"
        bus = ACCOUNTS.find(self.account_id, self.region_name).bus
        bus.publish("aws.ecr", "ECR Image Action", detail, resources=[arn])
        return image

    return put


def _announcing_references(operation: Callable[[Any], str]) -> Callable[[Any], str]:
    @wraps(operation)
    def announcing(self: Any) -> str:
        name = json.loads(self.body)["repositoryName"]
        before = _branches(self, name)
        answer = operation(self)
        after = _branches(self, name)
        account = ACCOUNTS.find(self.current_account, self.region)
        for branch in sorted({*before, *after}):
            if before.get(branch) != after.get(branch):
                announce_reference(account, name, "branch", branch, after.get(branch), before.get(branch))
        return answer

    return announcing


def _branches(handler: Any, name: str) -> dict[str, str]:
    repository = handler.codecommit_backend.repositories.get(name)
    return {} if repository is None else dict(history_of(repository).branches)


def _announce_object(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    detail = {
        "version": "0",
        "bucket": {"name": bucket.name},
        "object": {"key": key.name, "size": key.size, "etag": key.etag.strip('"'), "version-id": key.version_id},
        "requester": account_id,
        "reason": {"Put": "PutObject", "Copy": "CopyObject", "Post": "POST Object"}.get(
            event_name.rsplit(":", 1)[-1], event_name.rsplit(":", 1)[-1]
        ),
    }
    bus = ACCOUNTS.find(account_id, bucket.region_name).bus
    bus.publish("aws.s3", notifications._detail_type(event_name), detail, resources=[bucket.arn])
