"""What stops an action, in the service's words.

Source: AWS CodePipeline User Guide, "Troubleshooting CodePipeline" and the action references; recorded
answers of the service for the S3 and Lambda actions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import BotoCoreError, ClientError

from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

Act = Callable[["Account", "ActionRun"], Generator[simpy.Event, Any, Outcome]]

DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403", "ExpiredToken"}
)
MISSING = frozenset(
    {
        "404",
        "ApplicationDoesNotExistException",
        "BranchDoesNotExistException",
        "CommitDoesNotExistException",
        "DeploymentGroupDoesNotExistException",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchVersion",
        "NotFound",
        "NotFoundException",
        "PipelineNotFoundException",
        "RepositoryDoesNotExistException",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)
BUSY = frozenset(
    {"InternalError", "InternalFailure", "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException"}
)
OF_S3 = frozenset(
    {
        "CopyObject", "GetBucketAcl", "GetBucketLocation", "GetBucketVersioning", "GetObject", "HeadBucket",
        "HeadObject", "ListObjectsV2", "PutObject", "PutObjectAcl",
    }
)  # fmt: skip


class ActionFailed(Exception):
    """An action cannot go on; it carries how the action ends."""

    def __init__(self, message: str, code: FailureType = FailureType.JOB_FAILED, *, external_id: str = "") -> None:
        super().__init__(message)
        self.outcome = Outcome(failure=code, message=message, external_id=external_id)


def guarded(act: Act) -> Act:
    """Turn whatever stops a behaviour into the end of its action, so that no execution is ever lost.

    Args:
        act: the behaviour.
    """

    @wraps(act)
    def guarded_act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
        try:
            return (yield from act(account, run))
        except ActionFailed as failed:
            return failed.outcome
        except ClientError as error:
            return failure_of(error, run)
        except BotoCoreError as error:
            return Outcome.failed(
                f"{run.plan.action.provider} could not be called: {error}", FailureType.CONFIGURATION_ERROR
            )
        except Exception as error:
            return Outcome.failed(f"InternalError: {type(error).__name__}: {error}", FailureType.SYSTEM_UNAVAILABLE)

    return guarded_act


def failure_of(error: ClientError, run: ActionRun) -> Outcome:
    """Say how an action ends that a service refused something.

    Args:
        error: what the service answered.
        run: the action.
    """
    code = error.response.get("Error", {}).get("Code", "")
    return Outcome.failed(message_of(error, run), code_of(code))


def code_of(code: str) -> FailureType:
    """Return the failure type that stands for a service's error code.

    >>> code_of("NoSuchKey").value
    'ConfigurationError'
    """
    if code in DENIED or code.startswith("KMS."):
        return FailureType.PERMISSION_ERROR
    if code in MISSING:
        return FailureType.CONFIGURATION_ERROR
    if code in BUSY:
        return FailureType.SYSTEM_UNAVAILABLE
    return FailureType.JOB_FAILED


def message_of(error: ClientError, run: ActionRun) -> str:
    """Return the sentence in which CodePipeline tells of a service's refusal."""
    detail = error.response.get("Error", {})
    code, said = detail.get("Code", ""), detail.get("Message", "")
    denied = code_of(code) is FailureType.PERMISSION_ERROR
    if error.operation_name == "AssumeRole":
        return f"Insufficient permissions: {said}"
    if error.operation_name in OF_S3:
        return _message_of_s3(code, said, denied, str(detail.get("BucketName") or _bucket(run)))
    if run.plan.action.provider == "CodeBuild":
        operation = error.operation_name[:1].lower() + error.operation_name[1:]
        return f"Error calling {operation}: {said} (Service: AWSCodeBuild; Error Code: {code})"
    if run.plan.action.provider == "CodeCommit" and denied:
        return (
            f"Could not access the CodeCommit repository `{run.configuration['RepositoryName']}`. Make sure that the"
            f" pipeline IAM role has sufficient permissions to access the repository. ({said})"
        )
    if denied:
        return f"Insufficient permissions: the provided role does not have sufficient permissions: {said}"
    return f"{said} (Service: {run.plan.action.provider}; Error Code: {code})"


def _message_of_s3(code: str, said: str, denied: bool, bucket: str) -> str:
    if denied:
        return (
            "The service role or action role doesn’t have the permissions required to access the Amazon S3 bucket named"
            f" {bucket}. Update the IAM role permissions, and then try again. Error: Amazon S3:{code}:{said}"
        )
    if code == "NoSuchBucket":
        return f"The Amazon S3 bucket named {bucket} does not exist. Error: Amazon S3:{code}:{said}"
    return f"Amazon S3 could not be used: bucket {bucket}. Error: Amazon S3:{code}:{said}"


def _bucket(run: ActionRun) -> str:
    pipeline = run.execution.plan.pipeline
    store = pipeline.artifact_stores.get(run.plan.action.region or "") or pipeline.artifact_store
    return store.location if store is not None else ""
