"""CodeCommit: repositories with real commits, and the source action that reads them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.cloud import gaps
from pipesim.engine.commands import SourceRevision
from tests.cloud.actions.story import BASE, action, allow, ending, files_of, go, make, outputs, retry, status
from tests.cloud.standin import StandIn

REPOSITORY = "arn:aws:codecommit:us-east-1:123456789012:shop"
NEEDED = tuple(f"codecommit:{name}" for name in ("GetBranch", "GetCommit", "UploadArchive", "GetUploadArchiveStatus"))


def source(**configuration: str) -> dict[str, Any]:
    return {
        **action("Source", "CodeCommit", name="Fetch", namespace="Git", outputArtifacts=[{"name": "Code"}]),
        "configuration": {
            "RepositoryName": "shop", "BranchName": "main", "PollForSourceChanges": "false", **configuration,
        },
    }  # fmt: skip


DEPLOY = action(
    "Deploy",
    "S3",
    configuration={"BucketName": "site", "Extract": "true", "CacheControl": "#{Git.CommitId}"},
    inputArtifacts=[{"name": "Code"}],
)


def repository(account: StandIn) -> tuple[Any, str]:
    client = account.client("codecommit")
    client.create_repository(repositoryName="shop")
    made = client.create_commit(
        repositoryName="shop",
        branchName="main",
        authorName="Ana",
        email="ana@example.com",
        commitMessage="First",
        putFiles=[
            {"filePath": "index.html", "fileContent": b"<p>one</p>"},
            {"filePath": "src/app.py", "fileContent": b"print(1)\n"},
        ],
    )
    account.client("s3").create_bucket(Bucket="site")
    return client, made["commitId"]


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_commits_branches_and_files(account: StandIn) -> None:
    client, first = repository(account)

    put = client.put_file(
        repositoryName="shop", branchName="main", fileContent=b"two", filePath="src/two.txt", parentCommitId=first
    )

    commit = client.get_commit(repositoryName="shop", commitId=put["commitId"])["commit"]
    assert commit["parents"] == [first]
    assert commit["committer"]["date"] == f"{int(account.start.timestamp())} +0000"
    found = client.get_file(repositoryName="shop", filePath="src/two.txt")
    assert (found["fileContent"], found["commitId"], found["fileSize"]) == (b"two", put["commitId"], 3)
    folder = client.get_folder(repositoryName="shop", folderPath="/")
    assert [one["relativePath"] for one in folder["subFolders"]] == ["src"]
    assert [one["absolutePath"] for one in folder["files"]] == ["index.html"]
    client.create_branch(repositoryName="shop", branchName="dev", commitId=first)
    assert client.list_branches(repositoryName="shop")["branches"] == ["dev", "main"]
    assert client.get_branch(repositoryName="shop", branchName="dev")["branch"]["commitId"] == first
    assert client.get_repository(repositoryName="shop")["repositoryMetadata"]["defaultBranch"] == "main"
    gone = client.delete_file(
        repositoryName="shop", branchName="main", filePath="src/two.txt", parentCommitId=put["commitId"]
    )
    assert (
        client.get_commit(repositoryName="shop", commitId=gone["commitId"])["commit"]["treeId"]
        == (client.get_commit(repositoryName="shop", commitId=first)["commit"]["treeId"])
    )
    client.delete_branch(repositoryName="shop", branchName="dev")
    assert client.list_branches(repositoryName="shop")["branches"] == ["main"]


def test_ids_are_those_of_git(account: StandIn) -> None:
    client, first = repository(account)

    found = client.get_file(repositoryName="shop", filePath="src/app.py")

    assert found["blobId"] == "b917a726c93f902e43291d9009d6488385133b67"
    assert found["commitId"] == first


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        ("get_branch", {"repositoryName": "nothing", "branchName": "main"}, "RepositoryDoesNotExistException"),
        ("get_branch", {"repositoryName": "shop", "branchName": "dev"}, "BranchDoesNotExistException"),
        ("get_commit", {"repositoryName": "shop", "commitId": "0" * 40}, "CommitDoesNotExistException"),
        ("get_file", {"repositoryName": "shop", "filePath": "nothing"}, "FileDoesNotExistException"),
        ("get_folder", {"repositoryName": "shop", "folderPath": "nothing"}, "FolderDoesNotExistException"),
        ("delete_branch", {"repositoryName": "shop", "branchName": "main"}, "DefaultBranchCannotBeDeletedException"),
        (
            "put_file",
            {"repositoryName": "shop", "branchName": "main", "filePath": "a", "fileContent": b"a"},
            "ParentCommitIdRequiredException",
        ),
        (
            "create_branch",
            {"repositoryName": "shop", "branchName": "main", "commitId": "0" * 40},
            "BranchNameExistsException",
        ),
    ],
)
def test_refusals(account: StandIn, operation: str, given: dict[str, Any], code: str) -> None:
    client, _ = repository(account)

    with pytest.raises(ClientError) as error:
        getattr(client, operation)(**given)

    assert code_of(error) == code


def test_an_outdated_parent_is_refused(account: StandIn) -> None:
    client, first = repository(account)
    given = {"repositoryName": "shop", "branchName": "main", "filePath": "a", "parentCommitId": first}
    client.put_file(**given, fileContent=b"1")

    with pytest.raises(ClientError) as error:
        client.put_file(**given, fileContent=b"2")

    assert code_of(error) == "ParentCommitIdOutdatedException"


def test_moto_is_left_as_it_was(account: StandIn) -> None:
    client, _ = repository(account)
    gaps.uninstall()

    with pytest.raises(NotImplementedError):
        client.list_branches(repositoryName="shop")

    gaps.install()
    assert client.list_branches(repositoryName="shop")["branches"] == ["main"]


def test_source_hands_the_newest_commit_on(account: StandIn) -> None:
    _, first = repository(account)
    sim = make(account, DEPLOY, source=source())

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    assert sim.executions[execution].source_revisions["Fetch"] == {"id": first, "change_id": first, "summary": "First"}
    assert sim.executions[execution].outputs["Git"] == {
        "AuthorDate": "2026-03-02T09:00:00Z",
        "BranchName": "main",
        "CommitId": first,
        "CommitMessage": "First",
        "CommitterDate": "2026-03-02T09:00:00Z",
        "RepositoryName": "shop",
    }
    [written] = outputs(sim, "Fetch")
    assert files_of(account, written["Code"]) == {"index.html": b"<p>one</p>", "src/app.py": b"print(1)\n"}
    site = account.client("s3").get_object(Bucket="site", Key="src/app.py")
    assert site["CacheControl"] == first


def test_source_takes_the_commit_that_the_start_asks_for(account: StandIn) -> None:
    client, first = repository(account)
    client.put_file(repositoryName="shop", branchName="main", filePath="a", fileContent=b"", parentCommitId=first)
    sim = make(account, DEPLOY, source=source())

    execution = go(account, sim, revisions=(SourceRevision("Fetch", "COMMIT_ID", first),))

    assert sim.executions[execution].source_revisions["Fetch"]["id"] == first


def test_a_clone_reference_holds_no_files(account: StandIn) -> None:
    _, first = repository(account)
    sim = make(account, DEPLOY, source=source(OutputArtifactFormat="CODEBUILD_CLONE_REF"))

    go(account, sim)

    [written] = outputs(sim, "Fetch")
    [(name, content)] = files_of(account, written["Code"]).items()
    assert name.endswith(".json") and first.encode() in content


def test_source_without_its_branch(account: StandIn) -> None:
    repository(account)
    sim = make(account, DEPLOY, source=source(BranchName="release"))

    execution = go(account, sim)

    assert status(sim, execution) == "Failed"
    latest = ending(sim, "Source", "Fetch")
    assert (latest.code, "release does not exist" in latest.message) == ("ConfigurationError", True)


@pytest.mark.parametrize("taken", NEEDED)
def test_source_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    repository(account)
    sim = make(account, DEPLOY, source=source())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    latest = ending(sim, "Source", "Fetch")
    assert (status(sim, execution), latest.code) == ("Failed", "PermissionError")
    assert latest.message.startswith("Could not access the CodeCommit repository `shop`. Make sure that the pipeline")
    allow(account, *BASE, *NEEDED)
    retry(account, sim, execution, "Source")
    assert status(sim, execution) == "Succeeded"


def test_a_permission_for_another_repository_does_not_help(account: StandIn) -> None:
    repository(account)
    sim = make(account, DEPLOY, source=source())
    allow(account, *BASE, *NEEDED, resource=["arn:aws:s3:::*", f"{REPOSITORY}-of-others"])

    assert status(sim, go(account, sim)) == "Failed"

    allow(account, *BASE, *NEEDED, resource=["arn:aws:s3:::*", REPOSITORY])
    assert status(sim, go(account, sim)) == "Succeeded"
