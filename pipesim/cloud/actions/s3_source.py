"""The S3 source: the newest version of one object becomes the output artifact.

Source: AWS CodePipeline User Guide, "Amazon S3 source action reference"; that the version is the revision, the
ETag the change identifier, and that user metadata gives the summary, was seen in recorded answers of the service.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import expire, write
from pipesim.cloud.permissions import role_client
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType, SourceRevisionType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

SUMMARY = "codepipeline-artifact-revision-summary"


@dataclass(frozen=True, slots=True)
class ObjectRevision:
    """One version of a source object.

    Attributes:
        bucket, key: where it lies.
        version: its version id: the source revision.
        etag: its ETag, bare: the revision's change identifier.
        summary: what its metadata say of it, else which version it is.
    """

    bucket: str
    key: str
    version: str
    etag: str
    summary: str


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Fetch the newest version of the object, or the one that the start of the execution asked for."""
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    expire(account)
    s3 = role_client(account, run, "s3")
    found = newest(s3, run.configuration, run.plan.action.name, **_asked(run))
    body = s3.get_object(Bucket=found.bucket, Key=found.key, VersionId=found.version)["Body"].read()
    outputs = write(account, run, {artifact.name: body for artifact in run.plan.action.output_artifacts})
    variables = {
        "BucketName": found.bucket,
        "ETag": found.etag,
        "ObjectKey": found.key,
        "VersionId": found.version,
        **run.plan.assumption.variables,
    }
    return Outcome(
        summary=found.summary,
        revision=revision_of(found),
        variables=variables,
        outputs=outputs,
        external_id=found.version,
    )


def newest(
    s3: Any, configuration: Mapping[str, str], action: str, *, key: str | None = None, version: str | None = None
) -> ObjectRevision:
    """Look which version of a source object is the newest.

    Args:
        s3: the client that looks, under the action's role.
        configuration: the action's configuration.
        action: the action's name.
        key: another object than the configured one.
        version: a version other than the newest.

    Raises:
        ActionFailed: the bucket keeps no versions, or the object is not there.
        ClientError: looking was refused.
    """
    bucket = configuration["S3Bucket"]
    key = key or configuration["S3ObjectKey"]
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise ActionFailed(
            f"The Amazon S3 bucket '{bucket}' of source action '{action}' must be versioned: enable versioning for it"
            " to use it as a source.",
            FailureType.CONFIGURATION_ERROR,
        )
    asked = {"VersionId": version} if version else {}
    try:
        head = s3.head_object(Bucket=bucket, Key=key, **asked)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "400"}:
            what = f"version '{version}' of the object" if version else "The object"
            raise ActionFailed(
                f"{what[:1].upper()}{what[1:]} with key '{key}' does not exist in the Amazon S3 bucket '{bucket}'.",
                FailureType.CONFIGURATION_ERROR,
            ) from None
        raise
    version = head.get("VersionId", "null")
    summary = head.get("Metadata", {}).get(SUMMARY) or f"Amazon S3 version id: {version}"
    return ObjectRevision(bucket, key, version, head["ETag"].strip('"'), summary)


def revision_of(found: ObjectRevision) -> dict[str, str]:
    """Return the source revision that a version of an object stands for."""
    return {"id": found.version, "change_id": found.etag, "summary": found.summary}


def _asked(run: ActionRun) -> dict[str, str]:
    """What the start of the execution asked for instead of the newest version."""
    asked = {}
    for revision in run.execution.revisions:
        if revision.action == run.plan.action.name:
            if revision.type == SourceRevisionType.S3_OBJECT_KEY:
                asked["key"] = revision.value
            else:
                asked["version"] = revision.value
    return asked
