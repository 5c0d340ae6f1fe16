"""What a job tells its worker: configuration, artifacts, and credentials for just these artifacts.

Source: API reference, JobData and ThirdPartyJobData; CodePipeline User Guide, "Invoke an AWS Lambda
function in a pipeline" (the event of a Lambda job); recorded answers of the service.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pipesim.cloud.artifacts import store_of
from pipesim.cloud.permissions import Session, narrowed_session

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.cloud.codepipeline.job import Job
    from pipesim.engine.action import ActionRun


def job_data(account: Account, job: Job) -> dict[str, Any]:
    """Return the ``data`` member of a job for a worker of custom actions, credentials included."""
    run = job.run
    action = run.plan.action
    type_id = action.type
    data: dict[str, Any] = {
        "actionTypeId": {
            "category": type_id.category,
            "owner": type_id.owner,
            "provider": type_id.provider,
            "version": type_id.version,
        },
        "actionConfiguration": {"configuration": dict(run.configuration)},
        "pipelineContext": _context(account, run),
        "inputArtifacts": _inputs(account, run),
        "outputArtifacts": _outputs(account, job),
        "artifactCredentials": artifact_credentials(account, job),
    }
    return _with_options(account, job, data)


def third_party_data(account: Account, job: Job) -> dict[str, Any]:
    """Return the ``data`` member of a third-party job: the pipeline's ARN and execution are withheld."""
    data = job_data(account, job)
    for withheld in ("pipelineArn", "pipelineExecutionId"):
        del data["pipelineContext"][withheld]
    return data


def lambda_event(account: Account, job: Job) -> dict[str, Any]:
    """Return the event that a Lambda function is invoked with."""
    outputs = [{**artifact, "revision": None} for artifact in _outputs(account, job)]
    inputs = [{"revision": None, **artifact} for artifact in _inputs(account, job.run)]
    session = _session(account, job)
    assert session.expires is not None
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": dict(job.run.configuration)},
        "inputArtifacts": inputs,
        "outputArtifacts": outputs,
        "artifactCredentials": {
            **_write_session(session),
            "expirationTime": int(session.expires.replace(tzinfo=UTC).timestamp()) * 1000,
        },
    }
    data = _with_options(account, job, data)
    return {"CodePipeline.job": {"id": job.id, "accountId": account.id, "data": data}}


def artifact_credentials(account: Account, job: Job) -> dict[str, str]:
    """Return credentials of the pipeline's role that reach the job's own artifacts and nothing else.

    They last about 15 minutes; the session policy that narrows them is why object keys are short.

    Raises:
        ClientError: the role cannot be assumed.
    """
    return _write_session(_session(account, job))


def _session(account: Account, job: Job) -> Session:
    run = job.run
    bucket = store_of(account, run).location
    read = [f"arn:aws:s3:::{bucket}/{run.execution.artifacts[name]}" for name in run.plan.action.input_artifacts]
    written = [f"arn:aws:s3:::{bucket}/{key}" for key in job.outputs.values()]
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]
    if read:
        statements.append({"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": read})
    if written:
        statements.append({"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": written})
    return narrowed_session(account, run, json.dumps({"Version": "2012-10-17", "Statement": statements}))


def _write_session(session: Session) -> dict[str, str]:
    return {
        "accessKeyId": session.access_key,
        "secretAccessKey": session.secret_key,
        "sessionToken": session.token,
    }


def _context(account: Account, run: ActionRun) -> dict[str, Any]:
    name = run.execution.plan.pipeline.name
    return {
        "pipelineName": name,
        "stage": {"name": run.plan.stage},
        "action": {"name": run.plan.action.name, "actionExecutionId": run.id},
        "pipelineArn": f"arn:aws:codepipeline:{account.region}:{account.id}:{name}",
        "pipelineExecutionId": run.execution.id,
    }


def _inputs(account: Account, run: ActionRun) -> list[dict[str, Any]]:
    revisions = _source_revisions(run)
    artifacts = []
    for name in run.plan.action.input_artifacts:
        artifact = _located(account, run, name, run.execution.artifacts[name])
        if revision := revisions.get(name):
            artifact["revision"] = revision
        artifacts.append(artifact)
    return artifacts


def _outputs(account: Account, job: Job) -> list[dict[str, Any]]:
    return [_located(account, job.run, name, key) for name, key in job.outputs.items()]


def _located(account: Account, run: ActionRun, name: str, key: str) -> dict[str, Any]:
    location = {"bucketName": store_of(account, run).location, "objectKey": key}
    return {"name": name, "location": {"type": "S3", "s3Location": location}}


def _source_revisions(run: ActionRun) -> dict[str, str]:
    """The revision of each artifact that comes straight from a source action."""
    pinned = run.execution.source_revisions
    return {
        artifact.name: pinned[action.name]["id"]
        for action in run.execution.plan.pipeline.stages[0].actions
        if action.name in pinned
        for artifact in action.output_artifacts
    }


def _with_options(account: Account, job: Job, data: dict[str, Any]) -> dict[str, Any]:
    key = store_of(account, job.run).encryption_key
    if job.continuation_token is not None:
        data["continuationToken"] = job.continuation_token
    if key is not None:
        data["encryptionKey"] = {"id": key.id, "type": key.type}
    return data
