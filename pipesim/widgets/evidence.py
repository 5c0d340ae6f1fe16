"""What one looks at when a pipeline fails: where, the roles that act, and what lies in the artifact buckets."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.definition.model import Action, Pipeline
from pipesim.trace.snapshot import ActionExecution, ExecutionState, PipelineState
from pipesim.vocabulary import ActionExecutionStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

MOST_OBJECTS = 40
MOST_NAMES = 30


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a pipeline stands still.

    Attributes:
        stage, action: which action failed.
        run: its newest run.
    """

    stage: str
    action: str
    run: ActionExecution


def newest(state: PipelineState) -> ExecutionState | None:
    """Return the execution that started last; None before the first."""
    return max(state.executions.values(), key=lambda execution: execution.number, default=None)


def failures(state: PipelineState) -> Iterator[Failure]:
    """Yield the actions whose newest run failed, in the order of the stages."""
    for stage in state.stages:
        for action in stage.actions:
            if action.latest is not None and action.latest.status is ActionExecutionStatus.FAILED:
                yield Failure(stage.name, action.name, action.latest)


def roles_of(account: Account, record: PipelineRecord) -> list[dict[str, Any]]:
    """Return the roles that act for a pipeline, each with who may take it and what it may do.

    Args:
        account: where the pipeline lives.
        record: the pipeline.
    """
    named: dict[str, list[str]] = {}
    for who, arn in _acting(account, record.pipeline):
        named.setdefault(arn.rsplit("/", 1)[-1], []).append(who)
    return [_role(account, name, whom) for name, whom in named.items()]


def save_policy(account: Account, role: str, policy: str, document: str) -> None:
    """Put another text in place of an inline policy of a role.

    Args:
        account: where the role is.
        role, policy: their names.
        document: JSON.

    Raises:
        ClientError: it is no policy, or there is no such role.
    """
    account.client("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def objects_of(account: Account, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return what lies in a pipeline's artifact buckets, the newest first, with the names of the files inside.

    Args:
        account: where the pipeline lives.
        pipeline: its declaration.
    """
    stores = [pipeline.artifact_store, *pipeline.artifact_stores.values()]
    found = []
    s3 = account.client("s3")
    for bucket in dict.fromkeys(store.location for store in stores if store is not None):
        with suppress(ClientError):
            listed = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
            for one in sorted(listed, key=lambda each: each["LastModified"], reverse=True)[:MOST_OBJECTS]:
                body = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                place = f"s3://{bucket}/{one['Key']}"
                found.append({"place": place, "size": one["Size"], "files": _names_in(body)})
    return found


def _acting(account: Account, pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    yield "the pipeline", pipeline.role_arn
    for stage, action in pipeline.actions():
        place = f"{stage.name} / {action.name}"
        if action.role_arn:
            yield place, action.role_arn
        with suppress(ClientError, LookupError):
            if arn := _role_of_service(account, action):
                yield f"{action.provider} of {place}", arn


def _role_of_service(account: Account, action: Action) -> str:
    region, configuration = action.region or account.region, action.configuration
    if action.provider == "CodeBuild":
        names = [configuration["ProjectName"]]
        return str(account.client("codebuild", region).batch_get_projects(names=names)["projects"][0]["serviceRole"])
    if action.provider == "Lambda":
        known = account.client("lambda", region).get_function_configuration(FunctionName=configuration["FunctionName"])
        return str(known["Role"])
    return configuration.get("RoleArn", "") if action.provider == "CloudFormation" else ""


def _role(account: Account, name: str, whom: list[str]) -> dict[str, Any]:
    iam = account.client("iam")
    try:
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    except ClientError as error:
        return {"name": name, "whom": whom, "trust": "", "policies": [], "problem": error.response["Error"]["Message"]}
    inline = [
        {
            "name": policy,
            "inline": True,
            "text": _written(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]),
        }
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    attached = [
        {"name": one["PolicyName"], "inline": False, "text": _attached(iam, one["PolicyArn"])}
        for one in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    ]
    return {"name": name, "whom": whom, "trust": _written(trust), "policies": [*inline, *attached], "problem": ""}


def _attached(iam: Any, arn: str) -> str:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _written(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _written(document: Mapping[str, Any] | str) -> str:
    return json.dumps(json.loads(document) if isinstance(document, str) else document, indent=2)


def _names_in(body: bytes) -> list[str]:
    """The names of the files in an archive; none when it is not one."""
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(body)) as archive:
        names = archive.namelist()
        more = [f"… and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
        return [*names[:MOST_NAMES], *more]
    return []
