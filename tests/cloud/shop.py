"""A small shop: a role, documents of pipelines, and the calls that tests make all the time."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud

NAME = "shop"


def trust(service: Any = "codepipeline.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def action(category: str, provider: str, name: str = "", owner: str = "AWS", **members: Any) -> dict[str, Any]:
    type_id = {"category": category, "owner": owner, "provider": provider, "version": "1"}
    return {"name": name or provider, "actionTypeId": type_id, **members}


def source(name: str = "Fetch", artifact: str = "Code", **members: Any) -> dict[str, Any]:
    configuration = {"S3Bucket": "code", "S3ObjectKey": "code.zip", "PollForSourceChanges": "false"}
    return action("Source", "S3", name, configuration=configuration, outputArtifacts=[{"name": artifact}], **members)


def deploy(name: str = "Copy", key: str = "final", **members: Any) -> dict[str, Any]:
    configuration = {"BucketName": "site", "Extract": "true", "ObjectKey": key}
    return action("Deploy", "S3", name, configuration=configuration, inputArtifacts=[{"name": "Code"}], **members)


def approval(name: str = "Ok", **members: Any) -> dict[str, Any]:
    return action("Approval", "Manual", name, **members)


def stage(name: str, *actions: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"name": name, "actions": list(actions), **members}


class Shop:
    """One pipeline of one cloud, spoken to through boto3."""

    def __init__(self, cloud: Cloud, client: Any = None) -> None:
        self.cloud = cloud
        self.client = client or cloud.client("codepipeline")
        iam = cloud.client("iam")
        try:
            role = iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=trust(["codepipeline.amazonaws.com"]))
        except iam.exceptions.EntityAlreadyExistsException:
            role = iam.get_role(RoleName="pipeline")
        self.role = role["Role"]["Arn"]

    def document(self, *stages: dict[str, Any], name: str = NAME, **members: Any) -> dict[str, Any]:
        """A declaration; without stages: Source, Gate with an approval, Out with a deployment."""
        default = (stage("Source", source()), stage("Gate", approval()), stage("Out", deploy()))
        return {
            "name": name,
            "roleArn": self.role,
            "artifactStore": {"type": "S3", "location": "artifacts"},
            "stages": list(stages or default),
            **members,
        }

    def create(self, *stages: dict[str, Any], name: str = NAME, **members: Any) -> dict[str, Any]:
        return self.client.create_pipeline(pipeline=self.document(*stages, name=name, **members))["pipeline"]

    def idle(self) -> None:
        self.cloud.run_until_idle()

    def start(self, name: str = NAME, **members: Any) -> str:
        return self.client.start_pipeline_execution(name=name, **members)["pipelineExecutionId"]

    def newest(self, name: str = NAME) -> str:
        return self.executions(name)[0]["pipelineExecutionId"]

    def executions(self, name: str = NAME, **members: Any) -> list[dict[str, Any]]:
        return self.client.list_pipeline_executions(pipelineName=name, **members)["pipelineExecutionSummaries"]

    def execution(self, execution: str, name: str = NAME) -> dict[str, Any]:
        answer = self.client.get_pipeline_execution(pipelineName=name, pipelineExecutionId=execution)
        return answer["pipelineExecution"]

    def actions(self, name: str = NAME, **members: Any) -> list[dict[str, Any]]:
        return self.client.list_action_executions(pipelineName=name, **members)["actionExecutionDetails"]

    def state(self, name: str = NAME) -> dict[str, dict[str, Any]]:
        """The stages of GetPipelineState by name."""
        answer = self.client.get_pipeline_state(name=name)
        return {stage["stageName"]: stage for stage in answer["stageStates"]}

    def action_state(self, stage: str = "Gate", action: str = "Ok", name: str = NAME) -> dict[str, Any]:
        return next(each for each in self.state(name)[stage]["actionStates"] if each["actionName"] == action)

    def token(self, stage: str = "Gate", action: str = "Ok") -> str:
        return self.action_state(stage, action)["latestExecution"]["token"]

    def answer(
        self,
        status: str = "Approved",
        summary: str = "",
        token: str | None = None,
        stage: str = "Gate",
        name: str = NAME,
    ) -> dict[str, Any]:
        return self.client.put_approval_result(
            pipelineName=name,
            stageName=stage,
            actionName="Ok",
            token=token or self.token(stage),
            result={"status": status, "summary": summary},
        )

    def stop(self, execution: str, **members: Any) -> dict[str, Any]:
        return self.client.stop_pipeline_execution(pipelineName=NAME, pipelineExecutionId=execution, **members)

    def retry(self, stage: str, execution: str, mode: str = "FAILED_ACTIONS") -> str:
        answer = self.client.retry_stage_execution(
            pipelineName=NAME, stageName=stage, pipelineExecutionId=execution, retryMode=mode
        )
        return answer["pipelineExecutionId"]

    def rollback(self, stage: str, target: str) -> str:
        answer = self.client.rollback_stage(pipelineName=NAME, stageName=stage, targetPipelineExecutionId=target)
        return answer["pipelineExecutionId"]


def unchecked() -> Any:
    """A client that sends what it is given, so that the answer is the service's."""
    return boto3.client("codepipeline", region_name="us-east-1", config=Config(parameter_validation=False))


def refusal(error: ClientError) -> tuple[str, str]:
    """The code and the sentence of a refusal."""
    return error.response["Error"]["Code"], error.response["Error"]["Message"]
