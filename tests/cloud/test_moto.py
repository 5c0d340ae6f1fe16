"""What moto's own suite asks of its CodePipeline, asked of `mock_codepipeline`: one test for each of its tests.

Where the service answers otherwise than moto expects, the service's answer is expected here, and docs/fidelity.md
tells: a name in use, undeclared variables, ids that are none, and an execution that waits for its approval.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.testing import mock_codepipeline
from tests.cloud.shop import refusal, trust

NAME = "test-pipeline"
ACCOUNT = "123456789012"
STORE = {"type": "S3", "location": f"codepipeline-us-east-1-{ACCOUNT}"}
TAGS = [{"key": "key", "value": "value"}]
NO_PIPELINE = f"Account '{ACCOUNT}' does not have a pipeline with name 'not-existing'"
NO_RESOURCE = f"The account with id '{ACCOUNT}' does not include a pipeline with the name 'not-existing'"


def arn(name: str = NAME) -> str:
    return f"arn:aws:codepipeline:us-east-1:{ACCOUNT}:{name}"


def client() -> Any:
    return boto3.client("codepipeline", region_name="us-east-1")


def role(name: str = "test-role", document: str = "") -> str:
    iam = boto3.client("iam", region_name="us-east-1")
    try:
        found = iam.get_role(RoleName=name)
    except iam.exceptions.NoSuchEntityException:
        found = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document or trust())
    return str(found["Role"]["Arn"])


def declared(name: str = NAME, role_arn: str = "", bucket: str = "test-bucket") -> dict[str, Any]:
    """A pipeline of a source that polls and an approval, both actions with one name, all defaults left out."""
    fetch = {
        "name": "Action-1",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": bucket, "S3ObjectKey": "test-object"},
        "outputArtifacts": [{"name": "artifact"}],
    }
    approve = {
        "name": "Action-1",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    }
    return {
        "name": name,
        "roleArn": role_arn or role(),
        "artifactStore": STORE,
        "stages": [{"name": "Stage-1", "actions": [fetch]}, {"name": "Stage-2", "actions": [approve]}],
    }


def echoed(declaration: dict[str, Any], version: int = 1) -> dict[str, Any]:
    """The same with the defaults that every answer holds."""
    defaults: dict[str, Any] = {"runOrder": 1, "configuration": {}, "inputArtifacts": [], "outputArtifacts": []}
    stages = [
        {**stage, "actions": [{**defaults, **action} for action in stage["actions"]]} for stage in declaration["stages"]
    ]
    return {**declaration, "stages": stages, "version": version}


def without_newer_members(pipeline: dict[str, Any]) -> dict[str, Any]:
    """An answer without the members that the service adds since moto was written."""
    return {name: value for name, value in pipeline.items() if name not in ("executionMode", "pipelineType")}


def create(name: str = NAME, role_arn: str = "", tags: list[dict[str, str]] | None = None) -> Any:
    return client().create_pipeline(pipeline=declared(name, role_arn), tags=TAGS if tags is None else tags)


def refused(call: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return refusal(error.value)


@mock_codepipeline
def test_create_pipeline() -> None:
    answer = create()

    assert without_newer_members(answer["pipeline"]) == echoed(declared())
    assert answer["tags"] == TAGS


@mock_codepipeline
def test_create_pipeline_errors() -> None:
    create()
    message = f"A pipeline with the name '{NAME}' already exists in account '{ACCOUNT}'"
    assert refused(create) == ("PipelineNameInUseException", message)

    missing = f"arn:aws:iam::{ACCOUNT}:role/not-existing"
    for wrong in (missing, role("wrong-role", trust("s3.amazonaws.com"))):
        assert refused(lambda wrong=wrong: create("invalid-pipeline", wrong)) == (
            "InvalidStructureException",
            f"CodePipeline is not authorized to perform AssumeRole on role {wrong}",
        )
    short = declared("invalid-pipeline")
    del short["stages"][1]
    assert refused(lambda: client().create_pipeline(pipeline=short)) == (
        "InvalidStructureException",
        "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline",
    )


@mock_codepipeline
def test_create_pipeline_with_extended_trust_policy() -> None:
    statement = '{"Effect": "Allow", "Principal": {"Service": "%s"}, "Action": "sts:AssumeRole"}'
    services = ("codebuild.amazonaws.com", "codepipeline.amazonaws.com")
    several = ", ".join(statement % service for service in services)
    extended = role("test-role-extended", f'{{"Version": "2012-10-17", "Statement": [{several}]}}')
    listed = role("test-role-listed", trust(list(services)))

    for number, wanted in enumerate((extended, listed)):
        answer = create(f"{NAME}-{number}", wanted)["pipeline"]
        assert without_newer_members(answer) == echoed(declared(f"{NAME}-{number}", wanted))


@mock_codepipeline
def test_create_pipeline_without_tags() -> None:
    answer = create(tags=[])

    assert without_newer_members(answer["pipeline"]) == echoed(declared())
    assert answer["tags"] == []


@mock_codepipeline
def test_get_pipeline() -> None:
    create()
    answer = client().get_pipeline(name=NAME)

    assert without_newer_members(answer["pipeline"]) == echoed(declared())
    assert answer["metadata"]["pipelineArn"] == arn()
    assert isinstance(answer["metadata"]["created"], datetime)
    assert isinstance(answer["metadata"]["updated"], datetime)


@mock_codepipeline
def test_get_pipeline_errors() -> None:
    assert refused(lambda: client().get_pipeline(name="not-existing")) == ("PipelineNotFoundException", NO_PIPELINE)


def test_update_pipeline() -> None:
    with mock_codepipeline() as cloud:
        create()
        before = client().get_pipeline(name=NAME)["metadata"]
        cloud.advance(seconds=1)
        changed = declared(bucket="different-bucket")
        answer = client().update_pipeline(pipeline=changed)
        after = client().get_pipeline(name=NAME)["metadata"]

        assert without_newer_members(answer["pipeline"]) == echoed(changed, 2)
        assert after["created"] == before["created"]
        assert after["updated"] > before["updated"]


@mock_codepipeline
def test_update_pipeline_errors() -> None:
    unknown = declared("not-existing")

    assert refused(lambda: client().update_pipeline(pipeline=unknown)) == ("ResourceNotFoundException", NO_RESOURCE)


@mock_codepipeline
def test_list_pipelines() -> None:
    names = [f"{NAME}-1", f"{NAME}-2"]
    for name in names:
        create(name)
    found = client().list_pipelines()["pipelines"]

    assert [(each["name"], each["version"]) for each in found] == [(name, 1) for name in names]
    assert all(isinstance(each[member], datetime) for each in found for member in ("created", "updated"))


@mock_codepipeline
def test_delete_pipeline() -> None:
    create()
    assert len(client().list_pipelines()["pipelines"]) == 1
    for _ in range(2):
        client().delete_pipeline(name=NAME)
        assert client().list_pipelines()["pipelines"] == []


@mock_codepipeline
def test_list_tags_for_resource() -> None:
    create()

    assert client().list_tags_for_resource(resourceArn=arn())["tags"] == TAGS


@mock_codepipeline
def test_tag_resource() -> None:
    create()
    more = {"key": "key-2", "value": "value-2"}
    client().tag_resource(resourceArn=arn(), tags=[more])

    assert client().list_tags_for_resource(resourceArn=arn())["tags"] == [*TAGS, more]


@mock_codepipeline
def test_untag_resource() -> None:
    create()
    for _ in range(2):
        client().untag_resource(resourceArn=arn(), tagKeys=["key"])
        assert client().list_tags_for_resource(resourceArn=arn())["tags"] == []


@mock_codepipeline
def test_tag_errors() -> None:
    create()
    unknown = arn("not-existing")
    for call in (
        lambda: client().list_tags_for_resource(resourceArn=unknown),
        lambda: client().tag_resource(resourceArn=unknown, tags=TAGS),
        lambda: client().untag_resource(resourceArn=unknown, tagKeys=["key"]),
    ):
        assert refused(call) == ("ResourceNotFoundException", NO_RESOURCE)
    of_aws = [{"key": "aws:key", "value": "value"}]
    assert refused(lambda: client().tag_resource(resourceArn=arn(), tags=of_aws)) == (
        "InvalidTagsException",
        "Not allowed to modify system tags. System tags start with 'aws:'. msg=[Caller is an end user and not allowed"
        " to mutate system tags]",
    )
    many = [{"key": f"key-{number}", "value": "value"} for number in range(50)]
    assert refused(lambda: client().tag_resource(resourceArn=arn(), tags=many)) == (
        "TooManyTagsException",
        f"Tag limit exceeded for resource [{arn()}].",
    )


@mock_codepipeline
def test_start_pipeline_execution() -> None:
    create()

    assert client().start_pipeline_execution(name=NAME)["pipelineExecutionId"]


@mock_codepipeline
def test_get_pipeline_execution() -> None:
    create()
    document = declared()
    document.update(pipelineType="V2", variables=[{"name": "MyVar", "defaultValue": "none"}])
    client().update_pipeline(pipeline=document)
    given = [{"name": "MyVar", "value": "my-value"}]
    execution = client().start_pipeline_execution(name=NAME, variables=given)["pipelineExecutionId"]
    found = client().get_pipeline_execution(pipelineName=NAME, pipelineExecutionId=execution)["pipelineExecution"]

    assert (found["pipelineName"], found["pipelineVersion"]) == (NAME, 2)
    assert found["pipelineExecutionId"] == execution
    assert found["status"] == "InProgress"
    assert found["variables"] == [{"name": "MyVar", "resolvedValue": "my-value"}]


@mock_codepipeline
def test_list_pipeline_executions() -> None:
    create()
    ids = [client().start_pipeline_execution(name=NAME)["pipelineExecutionId"] for _ in range(3)]
    found = client().list_pipeline_executions(pipelineName=NAME)["pipelineExecutionSummaries"]
    page = client().list_pipeline_executions(pipelineName=NAME, maxResults=2)["pipelineExecutionSummaries"]

    assert [each["pipelineExecutionId"] for each in found] == ids[::-1]
    assert page == found[:2]


@mock_codepipeline
def test_errors_of_executions() -> None:
    create()
    unknown = "00000000-0000-4000-8000-000000000000"
    for call in (
        lambda: client().start_pipeline_execution(name="not-existing"),
        lambda: client().list_pipeline_executions(pipelineName="not-existing"),
        lambda: client().get_pipeline_execution(pipelineName="not-existing", pipelineExecutionId=unknown),
    ):
        assert refused(call) == ("PipelineNotFoundException", NO_PIPELINE)
    no_id = lambda: client().get_pipeline_execution(pipelineName=NAME, pipelineExecutionId="some-id")  # noqa: E731
    assert refused(no_id)[0] == "ValidationException"
    assert (
        refused(lambda: client().get_pipeline_execution(pipelineName=NAME, pipelineExecutionId=unknown))[0]
        == "PipelineExecutionNotFoundException"
    )
