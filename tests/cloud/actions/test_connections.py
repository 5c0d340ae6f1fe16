"""Connections: pushes, tags and pull requests start pipelines, and the source hands their commit on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud
from pipesim.cloud.explanation import Cause
from pipesim.cloud.repositories import RemoteRepository, handshake
from pipesim.errors import PipesimError
from tests.cloud.actions.estate_story import NAME, deny, error, told, written
from tests.cloud.standin import action, document

PROVIDERS = ("GitHub", "Bitbucket", "GitLab", "GitHubEnterpriseServer", "GitLabSelfManaged")
DEPLOY = action(
    "Deploy",
    "S3",
    configuration={"BucketName": "site", "Extract": "true", "CacheControl": "#{Git.CommitId}"},
    inputArtifacts=[{"name": "Code"}],
)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=1) as cloud:
        yield cloud


def source(arn: str, name: str = "Fetch", repository: str = "owner/shop", **configuration: str) -> dict[str, Any]:
    return {
        "name": name,
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1"},
        "configuration": {
            "ConnectionArn": arn, "FullRepositoryId": repository, "BranchName": "main", **configuration,
        },
        "outputArtifacts": [{"name": "Code" if name == "Fetch" else name}],
        "namespace": "Git" if name == "Fetch" else "Other",
    }  # fmt: skip


def stand_up(
    cloud: Cloud, provider: str = "GitHub", triggers: list[dict[str, Any]] | None = None, **configuration: str
) -> RemoteRepository:
    """A pipeline over a connection, whose first execution is over."""
    repository = cloud.repository("owner/shop", provider)
    repository.push({"index.html": "one", "docs/a.md": "a", "src/app.py": "print(1)\n"}, message="First")
    declared = document(DEPLOY, source=source(cloud.connect(provider), **configuration))
    if triggers is not None:
        declared["triggers"] = [
            {
                "providerType": "CodeStarSourceConnection",
                "gitConfiguration": {"sourceActionName": "Fetch", **one},
            }
            for one in triggers
        ]
    cloud.provision(declared)
    cloud.advance(hours=1)
    return repository


def executions(cloud: Cloud) -> list[dict[str, Any]]:
    """Everything that started after the first execution, the oldest first."""
    client = cloud.client("codepipeline")
    found = client.list_pipeline_executions(pipelineName=NAME)["pipelineExecutionSummaries"]
    return list(reversed(found))[1:]


@pytest.mark.provider("Source/CodeStarSourceConnection", "success")
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_push_starts_the_pipeline_with_its_commit(cloud: Cloud, provider: str) -> None:
    repository = stand_up(cloud, provider)

    commit = repository.push({"index.html": "two", "docs/a.md": None}, message="Second")
    cloud.advance(hours=1)

    [execution] = executions(cloud)
    assert (execution["status"], execution["trigger"]["triggerType"]) == ("Succeeded", "WebhookV2")
    detail = json.loads(execution["trigger"]["triggerDetail"])
    assert (detail["provider-type"], detail["full-repository-name"]) == (provider, "owner/shop")
    assert (detail["commit-id"], detail["branch-name"], detail["commit-message"]) == (commit.id, "main", "Second")
    [revision] = execution["sourceRevisions"]
    assert revision["revisionId"] == commit.id and commit.id in revision["revisionUrl"]
    assert json.loads(revision["revisionSummary"]) == {"ProviderType": provider, "CommitMessage": "Second"}
    fetched = told(cloud, execution["pipelineExecutionId"], "Fetch")
    assert written(cloud, fetched) == {"index.html": b"two", "src/app.py": b"print(1)\n"}
    variables = fetched["output"]["outputVariables"]
    assert variables["FullRepositoryName"] == "owner/shop" and variables["CommitMessage"] == "Second"
    assert set(variables) == {
        "AuthorDate", "BranchName", "CommitId", "CommitMessage", "ConnectionArn", "FullRepositoryName",
    }  # fmt: skip
    site = cloud.client("s3").get_object(Bucket="site", Key="index.html")
    assert (site["Body"].read(), site["CacheControl"]) == (b"two", commit.id)


@pytest.mark.provider("Source/CodeStarSourceConnection", "failure")
def test_a_connection_that_is_pending(cloud: Cloud) -> None:
    client = cloud.client("codestar-connections")
    arn = client.create_connection(ProviderType="GitHub", ConnectionName="mine")["ConnectionArn"]
    repository = cloud.repository("owner/shop")
    repository.push({"index.html": "one"})
    cloud.provision(document(DEPLOY, source=source(arn)))
    cloud.advance(hours=1)
    [first] = cloud.client("codepipeline").list_pipeline_executions(pipelineName=NAME)["pipelineExecutionSummaries"]

    repository.push({"index.html": "two"})
    cloud.advance(hours=1)

    code, message = error(told(cloud, first["pipelineExecutionId"], "Fetch"))
    assert code == "ConfigurationError" and arn in message and "PENDING" in message
    assert executions(cloud) == []
    handshake(cloud.account, arn)
    assert client.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "AVAILABLE"
    assert _retried(cloud, first["pipelineExecutionId"])["status"] == "Succeeded"
    repository.push({"index.html": "three"})
    cloud.advance(hours=1)
    assert [one["status"] for one in executions(cloud)] == ["Succeeded"]


@pytest.mark.provider("Source/CodeStarSourceConnection", "permission")
def test_the_role_must_be_allowed_to_use_the_connection(cloud: Cloud) -> None:
    repository = stand_up(cloud)
    deny(cloud, "codeconnections:UseConnection", "codestar-connections:UseConnection")

    repository.push({"index.html": "two"})
    cloud.advance(hours=1)

    [execution] = executions(cloud)
    code, message = error(told(cloud, execution["pipelineExecutionId"], "Fetch"))
    assert code == "PermissionError" and message.startswith("Unable to use Connection: arn:aws:codeconnections:")
    deny(cloud)
    assert _retried(cloud, execution["pipelineExecutionId"])["status"] == "Succeeded"


@pytest.mark.provider("Source/CodeStarSourceConnection", "input")
@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"BranchName": "release"}, "[GitHub] No Branch [release] found for FullRepositoryName [owner/shop]"),
        ({"FullRepositoryId": "owner/other"}, "[GitHub] No repository found for FullRepositoryName [owner/other]"),
        (
            {"ConnectionArn": "arn:aws:codeconnections:us-east-1:123456789012:connection/none"},
            "The connection arn:aws:codeconnections:us-east-1:123456789012:connection/none does not exist.",
        ),
    ],
)
def test_what_the_source_names_is_not_there(cloud: Cloud, configuration: dict[str, str], message: str) -> None:
    stand_up(cloud)
    client = cloud.client("codepipeline")
    declared = client.get_pipeline(name=NAME)["pipeline"]
    declared["stages"][0]["actions"][0]["configuration"].update(configuration)
    client.update_pipeline(pipeline=declared)

    execution = client.start_pipeline_execution(name=NAME)["pipelineExecutionId"]
    cloud.advance(hours=1)

    assert error(told(cloud, execution, "Fetch")) == ("ConfigurationError", message)


CLONED = {"OutputArtifactFormat": "CODEBUILD_CLONE_REF"}


def test_a_clone_reference_holds_no_files_and_only_a_build_can_follow_it(cloud: Cloud) -> None:
    repository = cloud.repository("owner/shop")
    commit = repository.push({"index.html": "one"})
    deploy = action(
        "Deploy",
        "S3",
        configuration={"BucketName": "site", "Extract": "false", "ObjectKey": "a.zip"},
        inputArtifacts=[{"name": "Code"}],
    )
    cloud.provision(document(deploy, source=source(cloud.connect(), **CLONED)))
    cloud.advance(hours=1)

    [execution] = cloud.account.pipelines[NAME].simulation.executions
    [(name, content)] = written(cloud, told(cloud, execution, "Fetch")).items()
    assert name.endswith(".json") and json.loads(content)["commit"] == commit.id
    code, message = error(told(cloud, execution))
    assert code == "ConfigurationError"
    assert "'Code' of action 'Do' is a full clone (CODEBUILD_CLONE_REF)" in message
    assert "Contents" not in cloud.client("s3").list_objects_v2(Bucket="site")


@pytest.mark.parametrize("batch", ["false", "true"])
def test_a_build_follows_a_clone_reference_where_its_role_may(cloud: Cloud, batch: str) -> None:
    spec = "version: 0.2\nbatch: {build-list: [{identifier: one}]}\nphases: {build: {commands: [make]}}\n"
    spec += "artifacts: {files: ['**/*']}\n"
    cloud.repository("owner/shop").push({"buildspec.yml": spec, "index.html": "one"})
    configuration = {"ProjectName": "shop", "BatchEnabled": batch, "CombineArtifacts": batch}
    build = action(
        "Build", "CodeBuild", configuration=configuration, inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Site"}],
    )  # fmt: skip
    cloud.provision(document(build, source=source(cloud.connect(), **CLONED)))
    cloud.advance(hours=1)
    [execution] = cloud.account.pipelines[NAME].simulation.executions

    assert "index.html" in written(cloud, told(cloud, execution))

    role = {"RoleName": "codebuild-shop-service-role", "PolicyName": "no-clone"}
    denied = {"Effect": "Deny", "Action": "*:UseConnection", "Resource": "*"}
    document_ = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    cloud.client("iam").put_role_policy(**role, PolicyDocument=document_)
    execution = cloud.client("codepipeline").start_pipeline_execution(name=NAME)["pipelineExecutionId"]
    cloud.advance(hours=1)

    _, message = error(told(cloud, execution))
    assert "authorization failed for primary source and source version" in message
    assert cloud.explain(NAME, execution).cause is Cause.PERMISSION


def _retried(cloud: Cloud, execution: str) -> dict[str, Any]:
    client = cloud.client("codepipeline")
    client.retry_stage_execution(
        pipelineName=NAME, stageName="Source", pipelineExecutionId=execution, retryMode="FAILED_ACTIONS"
    )
    cloud.advance(hours=1)
    found: dict[str, Any] = client.get_pipeline_execution(pipelineName=NAME, pipelineExecutionId=execution)
    return found["pipelineExecution"]


# --- triggers and filters -----------------------------------------------------------------------


def branches(*includes: str, excludes: tuple[str, ...] = ()) -> dict[str, list[str]]:
    return {key: list(value) for key, value in (("includes", includes), ("excludes", excludes)) if value}


def push_filter(**criteria: Any) -> list[dict[str, Any]]:
    return [{"push": [criteria]}]


def started(cloud: Cloud) -> int:
    cloud.advance(hours=1)
    return len(executions(cloud))


@pytest.mark.parametrize(("branch", "starts"), [("main", 1), ("dev", 0)])
def test_without_triggers_a_push_to_the_branch_starts(cloud: Cloud, branch: str, starts: int) -> None:
    stand_up(cloud).push({"new": "1"}, branch)

    assert started(cloud) == starts


def test_detect_changes_switched_off(cloud: Cloud) -> None:
    stand_up(cloud, DetectChanges="false").push({"new": "1"})

    assert started(cloud) == 0


@pytest.mark.parametrize(
    ("includes", "excludes", "branch", "starts"),
    [
        (("feature/*",), (), "feature/a", 1),
        (("feature/*",), (), "feature/a/b", 0),
        (("feature/**",), (), "feature/a/b", 1),
        (("feature/*",), (), "main", 0),
        (("ma?n", "dev"), (), "main", 1),
        (("{dev,test}",), (), "test", 1),
        (("release-[0-9]",), (), "release-7", 1),
        (("release-[!0-9]",), (), "release-7", 0),
        (("**",), ("dev",), "dev", 0),
        ((), ("dev",), "other", 1),
    ],
)
def test_branches(cloud: Cloud, includes: tuple[str, ...], excludes: tuple[str, ...], branch: str, starts: int) -> None:
    repository = stand_up(cloud, triggers=push_filter(branches=branches(*includes, excludes=excludes)))

    commit = repository.push({"new": "1"}, branch)

    assert started(cloud) == starts
    assert [one["sourceRevisions"][0]["revisionId"] for one in executions(cloud)] == [commit.id] * starts


@pytest.mark.parametrize(("tag", "starts"), [("v1.0", 1), ("v1.0-beta", 0), ("nightly", 0)])
def test_tags(cloud: Cloud, tag: str, starts: int) -> None:
    repository = stand_up(cloud, triggers=push_filter(tags=branches("v*", excludes=("*-beta",))))
    old = repository.commit().id
    repository.push({"new": "1"})
    assert started(cloud) == 0

    repository.tag(tag, old)

    assert started(cloud) == starts
    assert [one["sourceRevisions"][0]["revisionId"] for one in executions(cloud)] == [old] * starts


@pytest.mark.parametrize(
    ("includes", "excludes", "files", "starts"),
    [
        (("src/**",), (), ("src/a/b.py",), 1),
        (("src/*",), (), ("src/a/b.py",), 0),
        (("src/**",), (), ("docs/b.md",), 0),
        (("src/**",), (), ("docs/b.md", "src/x.py"), 1),
        ((), ("docs/**",), ("docs/b.md",), 0),
        ((), ("docs/**",), ("docs/b.md", "x"), 1),
        (("**",), ("**/*.md",), ("docs/b.md",), 0),
        (("zz",), (), (*(f"f{number:03d}" for number in range(99)), "zz"), 1),
        (("zz",), (), (*(f"f{number:03d}" for number in range(100)), "zz"), 0),
    ],
)
def test_file_paths(
    cloud: Cloud, includes: tuple[str, ...], excludes: tuple[str, ...], files: tuple[str, ...], starts: int
) -> None:
    criteria = {"branches": branches("main"), "filePaths": branches(*includes, excludes=excludes)}
    repository = stand_up(cloud, triggers=push_filter(**criteria))

    repository.push(dict.fromkeys(files, "new"))

    assert started(cloud) == starts


def test_a_new_branch_does_not_start_where_paths_are_filtered(cloud: Cloud) -> None:
    criteria = {"branches": branches("dev"), "filePaths": branches("src/**")}
    repository = stand_up(cloud, triggers=push_filter(**criteria))

    repository.push({"src/x.py": "1"}, "dev")
    assert started(cloud) == 0
    repository.push({"src/x.py": "2"}, "dev")

    assert started(cloud) == 1


def test_a_new_branch_without_a_commit_starts_where_paths_are_not_filtered(cloud: Cloud) -> None:
    repository = stand_up(cloud, triggers=push_filter(branches=branches("dev")))

    repository.branch("dev")

    assert started(cloud) == 1


def test_one_of_several_filters_is_enough(cloud: Cloud) -> None:
    triggers = [{"push": [{"tags": branches("v*")}, {"branches": branches("dev")}]}]
    repository = stand_up(cloud, triggers=triggers)

    repository.push({"new": "1"}, "dev")
    repository.tag("v1")
    repository.push({"new": "1"}, "other")

    assert started(cloud) == 2


@pytest.mark.parametrize("provider", ["GitHub", "Bitbucket", "GitLab"])
def test_pull_requests(cloud: Cloud, provider: str) -> None:
    repository = stand_up(cloud, provider, [{"pullRequest": [{"branches": branches("main")}]}])

    request = repository.open_pull_request("feature", files={"src/new.py": "1"}, title="New")
    head = request.push({"src/new.py": "2"})
    assert started(cloud) == 2
    assert executions(cloud)[-1]["sourceRevisions"][0]["revisionId"] == head.id
    request.close()

    assert started(cloud) == (2 if provider == "Bitbucket" else 3)
    events = [json.loads(one["trigger"]["triggerDetail"])["pull-request-event"] for one in executions(cloud)]
    assert events == ["OPEN", "UPDATED", "CLOSED"][: len(events)]


@pytest.mark.parametrize("events", [["OPEN"], ["UPDATED"], ["CLOSED"], ["OPEN", "CLOSED"]])
def test_events_of_pull_requests(cloud: Cloud, events: list[str]) -> None:
    triggers = [{"pullRequest": [{"branches": branches("main"), "events": events}]}]
    request = stand_up(cloud, triggers=triggers).open_pull_request("feature", files={"new": "1"})

    request.push({"new": "2"})
    request.close()

    assert started(cloud) == len(events)


@pytest.mark.parametrize(
    ("target", "path", "starts"), [("main", "src/x", 1), ("dev", "src/x", 0), ("main", "docs/x", 0)]
)
def test_target_branch_and_paths_of_pull_requests(cloud: Cloud, target: str, path: str, starts: int) -> None:
    wanted = {"branches": branches("main"), "filePaths": branches("src/**"), "events": ["OPEN"]}
    repository = stand_up(cloud, triggers=[{"pullRequest": [wanted]}])
    repository.branch("dev")

    repository.open_pull_request("feature", target, files={path: "1"})

    assert started(cloud) == starts


def test_a_merge_can_start_twice(cloud: Cloud) -> None:
    triggers = [
        {
            "push": [{"branches": branches("main")}],
            "pullRequest": [{"branches": branches("main"), "events": ["CLOSED"]}],
        }
    ]
    repository = stand_up(cloud, "Bitbucket", triggers)
    request = repository.open_pull_request("feature", files={"new": "1"}, title="New")

    merged = request.merge()

    assert started(cloud) == 2
    assert merged.files["new"].content == b"1" and repository.commit("main") == merged
    assert (request.status, merged.message) == ("merged", "New (#1)")


def test_two_sources_listen_to_their_own_repositories(cloud: Cloud) -> None:
    arn = cloud.connect()
    for name in ("owner/shop", "owner/tools"):
        cloud.repository(name).push({"index.html": "one"})
    declared = document(DEPLOY, source=source(arn))
    declared["stages"][0]["actions"].append(source(arn, "Tools", "owner/tools"))
    cloud.provision(declared)
    cloud.advance(hours=1)

    commit = cloud.repository("owner/tools").push({"index.html": "two"})
    cloud.repository("owner/third").push({"index.html": "two"})

    assert started(cloud) == 1
    assert json.loads(executions(cloud)[0]["trigger"]["triggerDetail"])["source"] == "Tools"
    revisions = {one["actionName"]: one["revisionId"] for one in executions(cloud)[0]["sourceRevisions"]}
    assert revisions["Tools"] == commit.id and revisions["Fetch"] != commit.id


# --- the service's own operations, and repositories ------------------------------------------------


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_connections_are_made_listed_tagged_and_deleted(cloud: Cloud, service: str) -> None:
    client = cloud.client(service)
    tags = [{"Key": "team", "Value": "shop"}]
    arn = client.create_connection(ProviderType="Bitbucket", ConnectionName="mine", Tags=tags)["ConnectionArn"]
    cloud.connect("GitHub")

    assert arn.startswith(f"arn:aws:{service}:us-east-1:123456789012:connection/")
    assert client.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"
    listed = client.list_connections(ProviderTypeFilter="Bitbucket")["Connections"]
    assert [one["ConnectionArn"] for one in listed] == [arn]
    page = client.list_connections(MaxResults=1)
    assert len(client.list_connections(NextToken=page["NextToken"])["Connections"]) == 1
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    client.delete_connection(ConnectionArn=arn)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_connection(ConnectionArn=arn)


def test_a_host_is_set_up_before_it_is_connected_to(cloud: Cloud) -> None:
    client = cloud.client("codeconnections")
    host = client.create_host(
        Name="ghes", ProviderType="GitHubEnterpriseServer", ProviderEndpoint="https://git.example.com"
    )["HostArn"]
    with pytest.raises(client.exceptions.ResourceUnavailableException):
        client.create_connection(ConnectionName="mine", HostArn=host)

    handshake(cloud.account, host)
    arn = client.create_connection(ConnectionName="mine", HostArn=host)["ConnectionArn"]

    assert client.get_host(HostArn=host)["Status"] == "AVAILABLE"
    assert client.list_connections(HostArnFilter=host)["Connections"][0]["ProviderType"] == "GitHubEnterpriseServer"
    client.update_host(HostArn=host, ProviderEndpoint="https://other.example.com")
    assert client.list_hosts()["Hosts"][0]["ProviderEndpoint"] == "https://other.example.com"
    with pytest.raises(client.exceptions.ResourceUnavailableException):
        client.delete_host(HostArn=host)
    client.delete_connection(ConnectionArn=arn)
    client.delete_host(HostArn=host)
    assert client.list_hosts()["Hosts"] == []


@pytest.mark.parametrize("given", [{}, {"ProviderType": "GitLabSelfManaged"}])
def test_a_connection_needs_a_provider_or_its_host(cloud: Cloud, given: dict[str, str]) -> None:
    with pytest.raises(ClientError) as refused:
        cloud.client("codeconnections").create_connection(ConnectionName="mine", **given)

    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_conflict_cannot_be_merged(cloud: Cloud) -> None:
    repository = cloud.repository("owner/shop")
    repository.push({"a": "1"})
    request = repository.open_pull_request("feature", files={"a": "2"})
    repository.push({"a": "3"})

    with pytest.raises(PipesimError, match="main changed a, too"):
        request.merge()

    assert request.changed_files == ("a",)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda cloud: cloud.connect("Gitea"), "unknown provider 'Gitea'"),
        (lambda cloud: cloud.repository("shop"), "is called owner/name"),
        (lambda cloud: cloud.repository("o/s").tag("v1"), "main does not exist"),
        (lambda cloud: cloud.repository("o/s").open_pull_request("dev"), "has no branch 'dev'"),
        (lambda cloud: [cloud.repository("o/s").push({"a": "1"}) for _ in range(2)], "changes nothing"),
    ],
)
def test_what_cannot_be(cloud: Cloud, call: Any, message: str) -> None:
    with pytest.raises(PipesimError, match=message):
        call(cloud)
