"""GitHub of version 1 by webhook and by polling, ECR, and S3 and CodeCommit with events instead of polling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud.account import Cloud
from tests.cloud.actions.estate_story import NAME, deny, error, put, told, written
from tests.cloud.standin import action, document

DEPLOY = action(
    "Deploy", "S3", configuration={"BucketName": "site", "Extract": "true"}, inputArtifacts=[{"name": "Code"}]
)
GITHUB = {"Owner": "owner", "Repo": "shop", "Branch": "main", "OAuthToken": "t0ken", "PollForSourceChanges": "false"}
ECR = {"RepositoryName": "shop"}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    broken = {"Broken": ActionAssumption(fails_on=(1,), message="The service was busy")}
    with Cloud(seed=1, assumptions=Assumptions(actions=broken)) as cloud:
        yield cloud


def source(provider: str, configuration: dict[str, str], name: str = "Fetch") -> dict[str, Any]:
    owner = "ThirdParty" if provider == "GitHub" else "AWS"
    return action(
        "Source", provider, owner, name, configuration=configuration, outputArtifacts=[{"name": "Code"}], namespace="S"
    )


def stand_up(cloud: Cloud, provider: str, configuration: dict[str, str], name: str = "Fetch", hours: float = 1) -> None:
    cloud.provision(document(DEPLOY, source=source(provider, configuration, name)))
    cloud.advance(hours=hours)


def executions(cloud: Cloud) -> list[dict[str, Any]]:
    client = cloud.client("codepipeline")
    return list(reversed(client.list_pipeline_executions(pipelineName=NAME)["pipelineExecutionSummaries"]))


def newest(cloud: Cloud, name: str = "Fetch") -> dict[str, Any]:
    return told(cloud, executions(cloud)[-1]["pipelineExecutionId"], name)


def retried(cloud: Cloud) -> str:
    execution = executions(cloud)[-1]["pipelineExecutionId"]
    client = cloud.client("codepipeline")
    client.retry_stage_execution(
        pipelineName=NAME, stageName="Source", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    cloud.advance(hours=1)
    return str(executions(cloud)[-1]["status"])


@pytest.mark.provider("Source/GitHub", "success")
def test_github_calls_the_webhook_that_was_registered(cloud: Cloud) -> None:
    stand_up(cloud, "GitHub", GITHUB)
    repository = cloud.repository("owner/shop")

    repository.push({"index.html": "dev"}, "dev")
    commit = repository.push({"index.html": "two"}, message="Second")
    cloud.advance(hours=1)

    first, second = executions(cloud)
    [webhook] = cloud.client("codepipeline").list_webhooks()["webhooks"]
    assert (second["trigger"]["triggerType"], second["trigger"]["triggerDetail"]) == ("Webhook", webhook["arn"])
    assert (first["status"], second["status"]) == ("Succeeded", "Succeeded")
    assert written(cloud, newest(cloud))["index.html"] == b"two"
    variables = newest(cloud)["output"]["outputVariables"]
    assert (variables["CommitId"], variables["CommitUrl"]) == (
        commit.id,
        f"https://github.com/owner/shop/commit/{commit.id}",
    )
    assert second["sourceRevisions"][0]["revisionUrl"] == variables["CommitUrl"]
    cloud.client("codepipeline").deregister_webhook_with_third_party(webhookName=webhook["definition"]["name"])
    repository.push({"index.html": "three"})
    cloud.advance(hours=1)
    assert len(executions(cloud)) == 2


def test_github_is_polled(cloud: Cloud) -> None:
    stand_up(cloud, "GitHub", {**GITHUB, "PollForSourceChanges": "true"})

    commit = cloud.repository("owner/shop").push({"index.html": "two"})
    cloud.advance(hours=1)

    first, second = executions(cloud)
    assert {one["trigger"]["triggerType"] for one in (first, second)} == {"PollForSourceChanges"}
    assert second["sourceRevisions"][0]["revisionId"] == commit.id


@pytest.mark.provider("Source/GitHub", "failure")
def test_the_branch_was_renamed(cloud: Cloud) -> None:
    stand_up(cloud, "GitHub", GITHUB)
    del cloud.repository("owner/shop").history.branches["main"]

    cloud.client("codepipeline").start_pipeline_execution(name=NAME)
    cloud.advance(hours=1)

    assert error(newest(cloud)) == (
        "ConfigurationError",
        "[GitHub] No Branch [main] found for FullRepositoryName [owner/shop]",
    )


@pytest.mark.provider("Source/GitHub", "permission")
def test_the_token_was_revoked(cloud: Cloud) -> None:
    stand_up(cloud, "GitHub", GITHUB)
    repository = cloud.repository("owner/shop")
    repository.revoked.add("t0ken")

    repository.push({"index.html": "two"})
    cloud.advance(hours=1)

    code, message = error(newest(cloud))
    assert (code, message.startswith('Could not access the GitHub repository: "shop".')) == ("PermissionError", True)
    repository.revoked.clear()
    assert retried(cloud) == "Succeeded"


@pytest.mark.provider("Source/GitHub", "input")
def test_the_github_repository_is_not_there(cloud: Cloud) -> None:
    stand_up(cloud, "GitHub", GITHUB)
    declared = cloud.client("codepipeline").get_pipeline(name=NAME)["pipeline"]
    declared["stages"][0]["actions"][0]["configuration"]["Repo"] = "other"
    cloud.client("codepipeline").update_pipeline(pipeline=declared)

    cloud.client("codepipeline").start_pipeline_execution(name=NAME)
    cloud.advance(hours=1)

    assert error(newest(cloud))[0] == "ConfigurationError" and '"other"' in error(newest(cloud))[1]


@pytest.mark.provider("Source/ECR", "success")
def test_a_pushed_image_starts_the_pipeline(cloud: Cloud) -> None:
    stand_up(cloud, "ECR", ECR)

    cloud.push_image("shop", "nightly")
    digest = cloud.push_image("shop")
    cloud.advance(hours=1)

    _, second = executions(cloud)
    assert (second["status"], second["trigger"]["triggerType"]) == ("Succeeded", "CloudWatchEvent")
    assert second["sourceRevisions"][0]["revisionId"] == digest
    detail = json.loads(written(cloud, newest(cloud))["imageDetail.json"])
    uri = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/shop@{digest}"
    assert (detail["ImageURI"], detail["ImageTags"], detail["Version"]) == (uri, ["latest"], "1.0")
    assert newest(cloud)["output"]["outputVariables"] == {
        "ImageDigest": digest, "ImageTag": "latest", "ImageURI": uri, "RegistryId": "123456789012",
        "RepositoryName": "shop",
    }  # fmt: skip
    [event] = cloud.events({"source": ["aws.ecr"], "detail": {"image-digest": [digest]}})
    assert (event["detail"]["action-type"], event["detail"]["image-tag"]) == ("PUSH", "latest")


def test_an_image_that_the_start_asks_for(cloud: Cloud) -> None:
    stand_up(cloud, "ECR", ECR)
    digest = cloud.push_image("shop", "old")
    wanted = {"actionName": "Fetch", "revisionType": "IMAGE_DIGEST", "revisionValue": digest}

    cloud.client("codepipeline").start_pipeline_execution(name=NAME, sourceRevisions=[wanted])
    cloud.advance(hours=1)

    assert executions(cloud)[-1]["sourceRevisions"][0]["revisionId"] == digest


@pytest.mark.provider("Source/ECR", "failure")
def test_ecr_is_busy(cloud: Cloud) -> None:
    stand_up(cloud, "ECR", ECR, name="Broken")

    assert error(newest(cloud, "Broken")) == ("JobFailed", "The service was busy")
    assert retried(cloud) == "Succeeded"


@pytest.mark.provider("Source/ECR", "permission")
def test_the_role_may_not_look_at_images(cloud: Cloud) -> None:
    stand_up(cloud, "ECR", ECR)
    deny(cloud, "ecr:DescribeImages")

    cloud.push_image("shop")
    cloud.advance(hours=1)

    code, message = error(newest(cloud))
    assert code == "PermissionError" and "is not authorized to perform: ecr:DescribeImages" in message
    deny(cloud)
    assert retried(cloud) == "Succeeded"


@pytest.mark.provider("Source/ECR", "input")
def test_the_image_is_not_there(cloud: Cloud) -> None:
    stand_up(cloud, "ECR", ECR)
    cloud.client("ecr").batch_delete_image(repositoryName="shop", imageIds=[{"imageTag": "latest"}])

    cloud.client("codepipeline").start_pipeline_execution(name=NAME)
    cloud.advance(hours=1)

    code, message = error(newest(cloud))
    assert code == "ConfigurationError" and "does not exist within the repository with name 'shop'" in message


# --- S3 and CodeCommit with events ------------------------------------------------------------------

S3 = {"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"}
CODECOMMIT = {"RepositoryName": "shop", "BranchName": "main", "PollForSourceChanges": "false"}


@pytest.mark.provider("Source/S3", "success")
def test_an_object_starts_the_pipeline(cloud: Cloud) -> None:
    stand_up(cloud, "S3", S3)

    put(cloud, {"index.html": b"two"})
    cloud.client("s3").put_object(Bucket="source", Key="other.zip", Body=b"")
    cloud.advance(hours=1)

    first, second = executions(cloud)
    [rule] = cloud.client("events").list_rules()["Rules"]
    assert first["trigger"]["triggerType"] == "CreatePipeline"
    assert second["trigger"] == {"triggerType": "CloudWatchEvent", "triggerDetail": rule["Arn"]}
    assert second["status"] == "Succeeded"
    assert cloud.client("s3").get_object(Bucket="site", Key="index.html")["Body"].read() == b"two"


@pytest.mark.provider("Source/S3", "failure")
def test_the_object_was_deleted(cloud: Cloud) -> None:
    stand_up(cloud, "S3", S3)
    cloud.client("s3").delete_object(Bucket="source", Key="app.zip")

    cloud.client("codepipeline").start_pipeline_execution(name=NAME)
    cloud.advance(hours=1)

    code, message = error(newest(cloud))
    assert code == "ConfigurationError" and "'app.zip' does not exist in the Amazon S3 bucket 'source'" in message


@pytest.mark.provider("Source/S3", "permission")
def test_the_role_may_not_read_the_object(cloud: Cloud) -> None:
    stand_up(cloud, "S3", S3)
    deny(cloud, "s3:GetObjectVersion", "s3:GetObject")

    put(cloud, {"index.html": b"two"})
    cloud.advance(hours=1)

    assert error(newest(cloud))[0] == "PermissionError"
    deny(cloud)
    assert retried(cloud) == "Succeeded"


@pytest.mark.provider("Source/S3", "input")
def test_the_bucket_keeps_no_versions(cloud: Cloud) -> None:
    stand_up(cloud, "S3", S3)
    versioning = {"Status": "Suspended"}
    cloud.client("s3").put_bucket_versioning(Bucket="source", VersioningConfiguration=versioning)

    cloud.client("codepipeline").start_pipeline_execution(name=NAME)
    cloud.advance(hours=1)

    assert error(newest(cloud))[0] == "ConfigurationError" and "must be versioned" in error(newest(cloud))[1]


@pytest.mark.provider("Source/CodeCommit", "success")
def test_a_commit_starts_the_pipeline(cloud: Cloud) -> None:
    stand_up(cloud, "CodeCommit", CODECOMMIT)
    client = cloud.client("codecommit")
    head = client.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"]

    client.create_branch(repositoryName="shop", branchName="dev", commitId=head)
    commit = client.put_file(
        repositoryName="shop", branchName="main", filePath="a", fileContent=b"1", parentCommitId=head
    )["commitId"]
    cloud.advance(hours=1)

    _, second = executions(cloud)
    assert (second["status"], second["trigger"]["triggerType"]) == ("Succeeded", "CloudWatchEvent")
    assert second["sourceRevisions"][0]["revisionId"] == commit
    [event] = cloud.events({"detail": {"event": ["referenceUpdated"], "referenceName": ["main"]}})
    assert (event["detail"]["commitId"], event["detail"]["oldCommitId"]) == (commit, head)


def test_a_push_to_codecommit_by_the_repository_helper(cloud: Cloud) -> None:
    stand_up(cloud, "CodeCommit", CODECOMMIT)
    repository = cloud.repository("shop", "CodeCommit")

    request = repository.open_pull_request("feature", files={"a": "1"})
    repository.tag("v1")
    commit = request.merge()
    cloud.advance(hours=1)

    assert executions(cloud)[-1]["sourceRevisions"][0]["revisionId"] == commit.id
    assert len(executions(cloud)) == 2
    found = cloud.events({"detail-type": ["CodeCommit Pull Request State Change"]})
    assert [one["detail"]["event"] for one in found] == ["pullRequestCreated", "pullRequestMergeStatusUpdated"]
    [tagged] = cloud.events({"detail": {"referenceType": ["tag"]}})
    assert tagged["detail"]["referenceFullName"] == "refs/tags/v1"


@pytest.mark.provider("Source/CodeCommit", "failure")
def test_the_commit_that_the_start_asks_for_is_not_there(cloud: Cloud) -> None:
    stand_up(cloud, "CodeCommit", CODECOMMIT)
    wanted = {"actionName": "Fetch", "revisionType": "COMMIT_ID", "revisionValue": "0" * 40}

    cloud.client("codepipeline").start_pipeline_execution(name=NAME, sourceRevisions=[wanted])
    cloud.advance(hours=1)

    assert error(newest(cloud))[0] == "ConfigurationError" and "0000 does not exist" in error(newest(cloud))[1]


@pytest.mark.provider("Source/CodeCommit", "permission")
def test_the_role_may_not_archive_the_repository(cloud: Cloud) -> None:
    stand_up(cloud, "CodeCommit", CODECOMMIT)
    deny(cloud, "codecommit:UploadArchive")

    cloud.repository("shop", "CodeCommit").push({"a": "1"})
    cloud.advance(hours=1)

    assert error(newest(cloud))[0] == "PermissionError"
    deny(cloud)
    assert retried(cloud) == "Succeeded"


@pytest.mark.provider("Source/CodeCommit", "input")
def test_the_codecommit_repository_is_not_there(cloud: Cloud) -> None:
    stand_up(cloud, "CodeCommit", CODECOMMIT)
    cloud.client("codecommit").delete_repository(repositoryName="shop")

    cloud.client("codepipeline").start_pipeline_execution(name=NAME)
    cloud.advance(hours=1)

    assert error(newest(cloud))[0] == "ConfigurationError"


def test_a_polled_source_gets_no_rule(cloud: Cloud) -> None:
    stand_up(cloud, "S3", {**S3, "PollForSourceChanges": "true"})

    assert cloud.client("events").list_rules()["Rules"] == []
