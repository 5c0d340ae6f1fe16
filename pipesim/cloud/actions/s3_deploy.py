"""The S3 deploy: the input artifact goes into a bucket, as one object or unpacked.

Source: AWS CodePipeline User Guide, "Amazon S3 deploy action reference"; the messages, the literal keys, the
content types and the order in which files are written were seen in recorded answers of the service.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import UUID

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import DENIED, ActionFailed
from pipesim.cloud.artifacts import Archive, read
from pipesim.cloud.permissions import Session, require, role_client, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".jpg": "image/jpeg",
    ".js": "application/x-javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".xml": "application/xml",
}
"""The content types that were seen; every other file goes as a stream of octets."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy the input artifact."""
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    configuration = run.configuration
    extract, bucket = configuration["Extract"], configuration["BucketName"]
    if extract not in ("true", "false"):
        raise ActionFailed(
            f"Invalid value for configuration property '{extract}': 'Extract'. Edit your pipeline and set 'Extract' to"
            " either 'true' or 'false'.",
            FailureType.CONFIGURATION_ERROR,
        )
    key = _expanded(run, configuration.get("ObjectKey", ""))
    if extract == "false" and not key:
        raise ActionFailed(
            "When the extract feature is disabled, you must provide an object. Edit your pipeline to fix the"
            " configuration.",
            FailureType.CONFIGURATION_ERROR,
        )
    archive = read(account, run, run.plan.action.input_artifacts[0])
    s3, session = role_client(account, run, "s3"), session_of(account, run)
    options = _options(configuration)
    for name, body in _unpacked(archive, key) if extract == "true" else ((key, archive.body),):
        kind = CONTENT_TYPES.get(PurePosixPath(name).suffix.lower()) if extract == "true" else None
        _put(s3, session, bucket, name, body, ContentType=kind or "application/octet-stream", **options)
    where = f"{bucket}/{key}" if key else bucket
    return Outcome(summary="Deployment Succeeded", external_id=where)


def _unpacked(archive: Archive, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The files of the archive with the keys under which they are deployed, the prefix put in front literally."""
    for name, body in archive.files():
        if "../" in name:
            raise ActionFailed(
                f"The file name {name} contains invalid sequence: dot-dot-slash.", FailureType.CONFIGURATION_ERROR
            )
        key = name.replace("\\", "/")
        yield (f"{prefix}/{key}" if prefix else key), body


def _put(s3: Any, session: Session, bucket: str, key: str, body: bytes, **options: str) -> None:
    try:
        if "ACL" in options:
            require(session, "s3:PutObjectAcl", f"arn:aws:s3:::{bucket}/{key}")
        s3.put_object(Bucket=bucket, Key=key, Body=body, **options)
    except ClientError as error:
        code, said = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code in DENIED:
            raise ActionFailed(
                f"You do not have sufficient permissions to call s3.putObject for the deployment bucket, {bucket}."
                f" Update the IAM role permissions, and then try again. Error: Amazon S3:{code}:{said}",
                FailureType.PERMISSION_ERROR,
            ) from None
        if code == "NoSuchBucket":
            raise ActionFailed(
                f"The deployment bucket '{bucket}' does not exist. Error: Amazon S3:NoSuchBucket",
                FailureType.CONFIGURATION_ERROR,
            ) from None
        raise


def _options(configuration: Any) -> dict[str, str]:
    options: dict[str, str] = {}
    if key := configuration.get("KMSEncryptionKeyARN"):
        options.update(ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    if acl := configuration.get("CannedACL"):
        options["ACL"] = acl
    if control := configuration.get("CacheControl"):
        options["CacheControl"] = control
    return options


def _expanded(run: ActionRun, key: str) -> str:
    """The object key with ``{datetime}`` and ``{uuid}`` filled in."""
    if "{" not in key:
        return key
    digest = blake2b(f"{run.sim.seed}/{run.id}".encode(), digest_size=16).digest()
    moment = run.sim.clock.strftime("%Y-%m-%d_%H-%M-%S")
    return key.replace("{datetime}", moment).replace("{uuid}", str(UUID(bytes=digest, version=4)))
