"""What judges look at when an answer has run in a mocked account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pipesim.formats.load import load

if TYPE_CHECKING:
    from pipesim.cloud.account import Cloud

REPOSITORY = "ana/shop"
"""Where the learner's shop lies."""


class Ended(NamedTuple):
    """How an action ended.

    Attributes:
        status: as the history tells it; "" when the action never ran.
        message: the error or the summary, whichever there is.
        code: the error's code; "" without one.
        id: the id of the work at its provider.
        seconds: from its start to its last change.
        variables: what it put out.
    """

    status: str
    message: str
    code: str
    id: str
    seconds: float
    variables: Mapping[str, str]


def ended(cloud: Cloud, pipeline: str, action: str) -> Ended:
    """Return how the newest execution of an action ended.

    Args:
        cloud: where it ran.
        pipeline: the pipeline's name.
        action: the action's name.
    """
    told = cloud.client("codepipeline").list_action_executions(pipelineName=pipeline)["actionExecutionDetails"]
    for one in told:
        if one["actionName"] == action:
            output = one.get("output", {})
            result: Mapping[str, Any] = output.get("executionResult", {})
            error: Mapping[str, str] = result.get("errorDetails", {})
            return Ended(
                one["status"],
                error.get("message") or result.get("externalExecutionSummary", ""),
                error.get("code", ""),
                result.get("externalExecutionId", ""),
                (one["lastUpdateTime"] - one["startTime"]).total_seconds(),
                output.get("outputVariables", {}),
            )
    return Ended("", "", "", "", 0.0, {})


def objects(cloud: Cloud, bucket: str) -> dict[str, bytes]:
    """Return the objects of a bucket by key; none when there is no such bucket.

    Args:
        cloud: where it is.
        bucket: its name.
    """
    s3 = cloud.client("s3")
    if bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
        return {}
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in listed}


def shop(sketch: str) -> dict[str, Any]:
    """Return the declaration of a sketch, called ``shop``, whose source is the repository `REPOSITORY`.

    Args:
        sketch: it begins with GitHub.

    >>> shop("GitHub -> S3")["name"]
    'shop'
    """
    document = load(sketch).to_document() | {"name": "shop"}
    document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = REPOSITORY
    return document
