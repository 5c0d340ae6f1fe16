"""Whole pipelines in a cloud of their own: stood up, changed, run, and looked at through the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import Archive, pack
from tests.cloud.standin import BUCKET, action, document

NAME = "shop"
FILES = {"index.html": b"<p>hello</p>", "src/app.py": b"print(1)\n"}
SOURCE = {
    "name": "Fetch",
    "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
    "configuration": {"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
    "outputArtifacts": [{"name": "Code"}],
}


def stand_up(cloud: Cloud, *actions: dict[str, Any], files: Mapping[str, bytes] = FILES, name: str = NAME) -> None:
    """Provision a pipeline of a source and these actions; its first execution is over, or waits."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="source")
    s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})
    put(cloud, files)
    cloud.provision(document(*actions, source=SOURCE, name=name))


def put(cloud: Cloud, files: Mapping[str, bytes]) -> None:
    cloud.client("s3").put_object(Bucket="source", Key="app.zip", Body=pack(files))


def run(
    cloud: Cloud, hours: float = 1, *, taken: tuple[str, ...] = (), lost: str = "", **members: Any
) -> dict[str, Any]:
    """Start an execution, let hours pass, and return what history says of the action.

    Args:
        cloud: where.
        hours: of virtual time.
        taken: permissions that the pipeline's role loses once its source is over.
        lost: the artifact that is deleted then.
        members: of StartPipelineExecution.
    """
    client = cloud.client("codepipeline")
    execution = client.start_pipeline_execution(name=NAME, **members)["pipelineExecutionId"]
    if taken or lost:
        simulation = cloud.account.pipelines[NAME].simulation
        while not simulation.executions[execution].artifacts:
            cloud.advance(seconds=0.1)
        if taken:
            deny(cloud, *taken)
        if lost:
            lose(cloud, execution, lost)
    cloud.advance(hours=hours)
    return told(cloud, execution)


def told(cloud: Cloud, execution: str, name: str = "Do") -> dict[str, Any]:
    """What history says of the newest attempt of an action."""
    found = cloud.client("codepipeline").list_action_executions(
        pipelineName=NAME, filter={"pipelineExecutionId": execution}
    )["actionExecutionDetails"]
    return next(one for one in found if one["actionName"] == name)


def retry(cloud: Cloud, execution: str, hours: float = 1) -> dict[str, Any]:
    cloud.client("codepipeline").retry_stage_execution(
        pipelineName=NAME, stageName="Work", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    cloud.advance(hours=hours)
    return told(cloud, execution)


def result(told: Mapping[str, Any]) -> dict[str, Any]:
    return dict(told["output"]["executionResult"])


def error(told: Mapping[str, Any]) -> tuple[str, str]:
    """The code and the message of a failure."""
    output = result(told)
    return output["errorDetails"]["code"], output.get("externalExecutionSummary", output["errorDetails"].get("message"))


def written(cloud: Cloud, told: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of the first output artifact."""
    place = told["output"]["outputArtifacts"][0]["s3location"]
    body = cloud.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
    return dict(Archive(body).files())


def deny(cloud: Cloud, *actions: str, role: str = "pipeline") -> None:
    """Take permissions away; without any: give all back."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}
    iam = cloud.client("iam")
    if actions:
        iam.put_role_policy(RoleName=role, PolicyName="taken", PolicyDocument=json.dumps(policy))
    else:
        iam.delete_role_policy(RoleName=role, PolicyName="taken")


def lose(cloud: Cloud, execution: str, artifact: str = "Code") -> None:
    """Delete an artifact of an execution."""
    key = cloud.account.pipelines[NAME].simulation.executions[execution].artifacts[artifact]
    cloud.client("s3").delete_object(Bucket=BUCKET, Key=key)


__all__ = [
    "FILES", "NAME", "action", "deny", "error", "lose", "put", "result", "retry", "run", "stand_up", "told", "written",
]  # fmt: skip
