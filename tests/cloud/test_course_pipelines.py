"""The four pipelines of the course run from a push to production, and all that they leave behind is there."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import pipesim
from pipesim.cloud.account import Cloud
from pipesim.cloud.signals.pipeline_events import ACTION_STATES, PIPELINE_STATES, STAGE_STATES
from pipesim.cloud.workers import JobWorker
from tests.cloud.signals.test_bus import queue, received, rule

FILES = {
    "buildspec.yml": "version: 0.2\nphases: {build: {commands: [make]}}\nartifacts: {files: ['**/*']}\n",
    "appspec.yml": "version: 0.0\nos: linux\nfiles: [{source: /, destination: /srv}]\n",
    "appspec.yaml": json.dumps(
        {
            "version": 0.0,
            "Resources": [
                {
                    "TargetService": {
                        "Type": "AWS::ECS::Service",
                        "Properties": {
                            "TaskDefinition": "<TASK_DEFINITION>",
                            "LoadBalancerInfo": {"ContainerName": "web", "ContainerPort": 80},
                        },
                    }
                }
            ],
        }
    ),
    "taskdef.json": json.dumps(
        {
            "family": "web",
            "containerDefinitions": [{"name": "web", "image": "<IMAGE1_NAME>", "memory": 128, "essential": True}],
        }
    ),
    "src/app.py": "print('sold')\n",
}
TRIGGERS = {"CodeCommit": "CloudWatchEvent", "CodeStarSourceConnection": "WebhookV2"}
CALLS = {
    "CodeBuild": ("codebuild.amazonaws.com", "StartBuild"),
    "CodeDeploy": ("codedeploy.amazonaws.com", "CreateDeployment"),
    "CodeDeployToECS": ("codedeploy.amazonaws.com", "CreateDeployment"),
    "ElasticBeanstalk": ("elasticbeanstalk.amazonaws.com", "UpdateEnvironment"),
}
"""What the service calls in the name of the pipeline's role for an action."""


class Course:
    """One pipeline of the course in a cloud of its own, after one push has gone through."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud = cloud
        self.url, arn = queue(cloud)
        rule(cloud, arn, {"source": ["aws.codepipeline"]})
        self.record = cloud.provision(pipesim.load(pipesim.sample(name)))
        self.client = cloud.client("codepipeline")
        self.source = self.record.pipeline.stages[0].actions[0]
        for _, action in self.record.pipeline.actions():
            if action.type.owner == "Custom":
                JobWorker(cloud, action.category, action.provider, action.type.version).start()
        self.finish()
        configuration = self.source.configuration
        repository = cloud.repository(
            configuration.get("RepositoryName") or configuration["FullRepositoryId"],
            provider="CodeCommit" if self.source.provider == "CodeCommit" else "GitHub",
        )
        image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/web@{cloud.push_image('web')}"
        files = {**FILES, "imageDetail.json": json.dumps({"ImageURI": image})}
        self.commit = repository.push(files, branch=configuration["BranchName"], message="Sell more")
        self.finish()
        self.execution = self.summaries()[0]

    def finish(self) -> None:
        """Let the newest execution come to its end, every approval approved."""
        while True:
            self.cloud.run_until_idle()
            states = self.client.get_pipeline_state(name=self.record.name)["stageStates"]
            waiting = [
                (stage["stageName"], action["actionName"], action["latestExecution"]["token"])
                for stage in states
                for action in stage["actionStates"]
                if "token" in action.get("latestExecution", {})
            ]
            if not waiting:
                return
            for stage, action, token in waiting:
                self.client.put_approval_result(
                    pipelineName=self.record.name,
                    stageName=stage,
                    actionName=action,
                    token=token,
                    result={"status": "Approved", "summary": "go"},
                )

    def summaries(self) -> list[dict[str, Any]]:
        return self.client.list_pipeline_executions(pipelineName=self.record.name)["pipelineExecutionSummaries"]

    def rows(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_action_executions").paginate(
            pipelineName=self.record.name, filter={"pipelineExecutionId": self.execution["pipelineExecutionId"]}
        )
        return [row for page in pages for row in page["actionExecutionDetails"]]

    def called(self, operation: str) -> list[dict[str, Any]]:
        wanted = [{"AttributeKey": "EventName", "AttributeValue": operation}]
        pages = self.cloud.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=wanted)
        return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]


@pytest.fixture(scope="module", params=["e-commerce", "startup", "enterprise", "microservices"])
def course(request: pytest.FixtureRequest) -> Iterator[Course]:
    with Cloud(seed=6) as cloud:
        yield Course(cloud, request.param)


def test_the_push_reaches_production(course: Course) -> None:
    failed = [(row["actionName"], row["output"]) for row in course.rows() if row["status"] != "Succeeded"]
    assert not failed
    assert course.execution["status"] == "Succeeded"
    assert course.execution["trigger"]["triggerType"] == TRIGGERS[course.source.provider]
    assert course.execution["sourceRevisions"][0]["revisionId"] == course.commit.id
    declared = Counter((stage, action.name) for stage, action in names(course))
    assert Counter((row["stageName"], row["actionName"]) for row in course.rows()) == declared


def names(course: Course) -> list[tuple[str, Any]]:
    return [(stage.name, action) for stage in course.record.pipeline.stages for action in stage.actions]


def test_every_event_is_on_the_bus_and_in_the_queue_in_order(course: Course) -> None:
    published = course.cloud.events({"source": ["aws.codepipeline"]})
    assert received(course.cloud, course.url) == published
    states = {**PIPELINE_STATES, **STAGE_STATES, **ACTION_STATES}
    expected = [
        (event.execution, event.stage if event.kind not in PIPELINE_STATES else None, event.action, states[event.kind])
        for event in course.record.simulation.trace
        if event.kind in states
    ]
    found = [
        (detail["execution-id"], detail.get("stage"), detail.get("action"), detail["state"])
        for detail in (event["detail"] for event in published)
    ]
    assert found == expected
    ends = {
        event["detail"]["action-execution-id"]: event
        for event in published
        if event["detail"].get("action") and event["detail"]["state"] != "STARTED"
    }
    for row in course.rows():
        event = ends[row["actionExecutionId"]]
        assert event["time"] == f"{row['lastUpdateTime']:%Y-%m-%dT%H:%M:%SZ}"
        assert event["detail"].get("output-artifacts", []) == row["output"]["outputArtifacts"]
        assert event["detail"].get("input-artifacts", []) == row["input"]["inputArtifacts"]


def test_its_duration_is_measured(course: Course) -> None:
    course.cloud.advance(minutes=1)
    answer = course.cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "d",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/CodePipeline",
                        "MetricName": "PipelineDuration",
                        "Dimensions": [{"Name": "PipelineName", "Value": course.record.name}],
                    },
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
        ],
        StartTime=course.cloud.account.start,
        EndTime=course.cloud.now,
    )
    took = (course.execution["lastUpdateTime"] - course.execution["startTime"]).total_seconds()
    assert pytest.approx(took, abs=0.01) in answer["MetricDataResults"][0]["Values"]


def test_builds_and_functions_have_written_their_logs(course: Course) -> None:
    logs = course.cloud.client("logs")
    for row in course.rows():
        provider = row["input"]["actionTypeId"]["provider"]
        if provider == "CodeBuild":
            id = row["output"]["executionResult"]["externalExecutionId"]
            (build,) = course.cloud.client("codebuild").batch_get_builds(ids=[id])["builds"]
            assert build["buildStatus"] == "SUCCEEDED"
            group, stream = build["logs"]["groupName"], build["logs"]["streamName"]
        elif provider == "Lambda":
            group, stream = f"/aws/lambda/{row['input']['configuration']['FunctionName']}", None
        else:
            continue
        members = {"logStreamNames": [stream]} if stream else {}
        assert logs.filter_log_events(logGroupName=group, **members)["events"], row["actionName"]


def test_every_artifact_lies_in_the_bucket(course: Course) -> None:
    s3 = course.cloud.client("s3")
    found = 0
    for row in course.rows():
        for artifact in row["output"]["outputArtifacts"]:
            place = artifact["s3location"]
            body = s3.get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
            files = zipfile.ZipFile(io.BytesIO(body)).namelist()
            assert files
            if row["input"]["actionTypeId"]["category"] == "Source":
                assert set(FILES) <= set(files)
            found += 1
    assert found == sum(len(action.output_artifacts) for _, action in names(course))


def test_who_called_what_can_be_looked_up(course: Course) -> None:
    role = course.record.pipeline.role_arn
    for provider, (source, operation) in CALLS.items():
        wanted = [action for _, action in names(course) if action.provider == provider and action.type.owner == "AWS"]
        if not wanted:
            continue
        records = [
            record
            for record in course.called(operation)
            if record["userIdentity"].get("invokedBy") == "codepipeline.amazonaws.com"
            and course.execution["startTime"].isoformat() <= record["eventTime"].replace("Z", "+00:00")
        ]
        assert len(records) >= len(wanted), (provider, operation)
        for record in records:
            assert record["eventSource"] == source
            assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == role
            assert record["eventTime"] <= f"{course.cloud.now:%Y-%m-%dT%H:%M:%SZ}"
    approvals = [action for _, action in names(course) if action.is_approval]
    answered = course.called("PutApprovalResult")
    assert len(answered) >= len(approvals)
    assert all(record["userIdentity"]["type"] == "IAMUser" for record in answered)
    (made,) = course.called("CreatePipeline")
    assert made["requestParameters"]["pipeline"]["name"] == course.record.name
