"""The artifacts of a job, as its worker reaches them: with the credentials that came with the job.

Source: API reference, JobData and AWSSessionCredentials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed, code_of
from pipesim.cloud.artifacts import Archive, pack
from pipesim.cloud.workers import JobFailed
from pipesim.vocabulary import FailureType


def reopened(job: Mapping[str, Any], details: Callable[..., Mapping[str, Any]], **secret: str) -> dict[str, Any]:
    """Return a job with fresh credentials: those that it was handed out with last 15 minutes.

    Args:
        job: as it was handed out.
        details: GetJobDetails, or GetThirdPartyJobDetails.
        secret: what the operation wants besides the job's id.

    Raises:
        JobFailed: the pipeline's role gives none.
    """
    try:
        return {**job, **details(jobId=job["id"], **secret)["jobDetails"]}
    except ClientError as error:
        raise _failed("The job could not be looked at", error) from None


def fetch(job: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of all inputs of a job; of two of one name the later input's.

    Args:
        job: as it was handed out.

    Raises:
        JobFailed: an input cannot be read.
    """
    files: dict[str, bytes] = {}
    for artifact in job["data"]["inputArtifacts"]:
        place = artifact["location"]["s3Location"]
        try:
            answer = _s3(job).get_object(Bucket=place["bucketName"], Key=place["objectKey"])
            files |= dict(Archive(answer["Body"].read()).files())
        except ClientError as error:
            raise _failed(f"The input artifact '{artifact['name']}' could not be downloaded", error) from None
        except ActionFailed as broken:
            raise JobFailed(f"The input artifact '{artifact['name']}' could not be unpacked: {broken}") from None
    return files


def hand_over(job: Mapping[str, Any], files: Mapping[str, bytes], moment: datetime) -> None:
    """Write the same files into every output of a job.

    Args:
        job: as it was handed out.
        files: contents by name.
        moment: the files' date.

    Raises:
        JobFailed: an output cannot be written.
    """
    key = job["data"].get("encryptionKey", {}).get("id")
    extra = {"SSEKMSKeyId": key} if key else {}
    for artifact in job["data"]["outputArtifacts"]:
        place = artifact["location"]["s3Location"]
        try:
            _s3(job).put_object(
                Bucket=place["bucketName"],
                Key=place["objectKey"],
                Body=pack(files, moment),
                ServerSideEncryption="aws:kms",
                **extra,
            )
        except ClientError as error:
            raise _failed(f"The output artifact '{artifact['name']}' could not be uploaded", error) from None


def _s3(job: Mapping[str, Any]) -> Any:
    keys = job["data"]["artifactCredentials"]
    return boto3.client(
        "s3",
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys["sessionToken"],
    )


def _failed(what: str, error: ClientError) -> JobFailed:
    said = error.response["Error"]
    code = code_of(said["Code"])
    type = FailureType.CONFIGURATION_ERROR if said["Code"] == "NoSuchKey" else code
    return JobFailed(f"{what}: {said['Code']}: {said['Message']}", type)
