"""CodeCommit's operations on commits, branches and files, besides moto's own on repositories."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from moto.codecommit.exceptions import RepositoryDoesNotExistException, RepositoryNameExistsException
from moto.codecommit.responses import CodeCommitResponse as MotoResponse
from moto.core.utils import iso_8601_datetime_with_milliseconds

from pipesim.cloud.gaps.codecommit.exceptions import CodeCommitError
from pipesim.cloud.gaps.codecommit.models import Commit, File, History, history_of


class CodeCommitResponse(MotoResponse):
    """moto's answers, and those that it lacks. Each method is one operation of the service's API."""

    def create_commit(self) -> str:
        """CreateCommit."""
        given = self._given()
        history = self._history(given)
        made = history.add(
            given["branchName"],
            parent=given.get("parentCommitId"),
            puts={put["filePath"]: _file(history, given, put) for put in given.get("putFiles", ())},
            deletes=tuple(one["filePath"] for one in given.get("deleteFiles", ())),
            message=given.get("commitMessage", ""),
            author=given.get("authorName", ""),
            email=given.get("email", ""),
        )
        added = [_listed(path, made.files[path]) for path in (put["filePath"] for put in given.get("putFiles", ()))]
        return json.dumps(
            {
                "commitId": made.id,
                "treeId": made.tree_id,
                "filesAdded": added,
                "filesUpdated": [],
                "filesDeleted": [{"absolutePath": one["filePath"]} for one in given.get("deleteFiles", ())],
            }
        )

    def put_file(self) -> str:
        """PutFile."""
        given = self._given()
        file = File(b64decode(given["fileContent"]), given.get("fileMode", "NORMAL"))
        history = self._history(given)
        if given["branchName"] in history.branches:
            old = history.head(given["branchName"]).files.get(given["filePath"])
            if old == file:
                raise CodeCommitError("SameFileContentException", f"{given['filePath']} has this content already")
        made = history.add(
            given["branchName"],
            parent=given.get("parentCommitId"),
            puts={given["filePath"]: file},
            message=given.get("commitMessage", ""),
            author=given.get("name", ""),
            email=given.get("email", ""),
        )
        return json.dumps({"commitId": made.id, "blobId": file.blob_id, "treeId": made.tree_id})

    def delete_file(self) -> str:
        """DeleteFile."""
        given = self._given()
        history = self._history(given)
        old = history.head(given["branchName"]).files.get(given["filePath"])
        made = history.add(
            given["branchName"],
            parent=given["parentCommitId"],
            puts={},
            deletes=(given["filePath"],),
            message=given.get("commitMessage", ""),
            author=given.get("name", ""),
            email=given.get("email", ""),
        )
        blob = old.blob_id if old is not None else ""
        return json.dumps({"commitId": made.id, "blobId": blob, "treeId": made.tree_id, "filePath": given["filePath"]})

    def get_file(self) -> str:
        """GetFile."""
        given = self._given()
        commit = self._history(given).files_at(given.get("commitSpecifier"))
        path = given["filePath"].lstrip("/")
        try:
            file = commit.files[path]
        except KeyError:
            raise CodeCommitError("FileDoesNotExistException", f"{path} does not exist in {commit.id}") from None
        return json.dumps(
            {
                "commitId": commit.id,
                "blobId": file.blob_id,
                "filePath": path,
                "fileMode": file.mode,
                "fileSize": len(file.content),
                "fileContent": b64encode(file.content).decode(),
            }
        )

    def get_folder(self) -> str:
        """GetFolder."""
        given = self._given()
        commit = self._history(given).files_at(given.get("commitSpecifier"))
        path = given["folderPath"].strip("/")
        inside = {name: file for name, file in commit.files.items() if not path or name.startswith(f"{path}/")}
        if not inside:
            raise CodeCommitError("FolderDoesNotExistException", f"{path} does not exist in {commit.id}")
        start = len(path) + 1 if path else 0
        folders = sorted({name[start:].partition("/")[0] for name in inside if "/" in name[start:]})
        files = [
            {**_listed(name, file), "relativePath": name[start:]}
            for name, file in sorted(inside.items())
            if "/" not in name[start:]
        ]
        return json.dumps(
            {
                "commitId": commit.id,
                "folderPath": path,
                "treeId": commit.tree_id,
                "subFolders": [
                    {"absolutePath": f"{path}/{name}" if path else name, "relativePath": name} for name in folders
                ],
                "files": files,
                "symbolicLinks": [],
                "subModules": [],
            }
        )

    def get_commit(self) -> str:
        """GetCommit."""
        given = self._given()
        return json.dumps({"commit": self._history(given).commit(given["commitId"]).describe()})

    def get_branch(self) -> str:
        """GetBranch."""
        given = self._given()
        history = self._history(given)
        head: Commit = history.head(given["branchName"])
        return json.dumps({"branch": {"branchName": given["branchName"], "commitId": head.id}})

    def create_branch(self) -> str:
        """CreateBranch."""
        given = self._given()
        self._history(given).create_branch(given["branchName"], given["commitId"])
        return "{}"

    def delete_branch(self) -> str:
        """DeleteBranch."""
        given = self._given()
        commit_id = self._history(given).delete_branch(given["branchName"])
        gone = {"branchName": given["branchName"], "commitId": commit_id}
        return json.dumps({"deletedBranch": gone} if commit_id else {})

    def list_branches(self) -> str:
        """ListBranches."""
        return json.dumps({"branches": sorted(self._history(self._given()).branches)})

    def list_repositories(self) -> str:
        """ListRepositories."""
        found = self.codecommit_backend.repositories.values()
        described = [one.repository_metadata for one in found]
        return json.dumps(
            {
                "repositories": [
                    {"repositoryName": one["repositoryName"], "repositoryId": one["repositoryId"]}
                    for one in sorted(described, key=lambda one: str(one["repositoryName"]))
                ]
            }
        )

    def update_default_branch(self) -> str:
        """UpdateDefaultBranch."""
        given = self._given()
        history = self._history(given)
        history.head(given["defaultBranchName"])
        history.default = given["defaultBranchName"]
        return "{}"

    def get_repository(self) -> str:
        """GetRepository, with the default branch."""
        answer = json.loads(super().get_repository())
        default = self._history(self._given()).default
        if default is not None:
            answer["repositoryMetadata"]["defaultBranch"] = default
        return json.dumps(answer)

    def update_repository_description(self) -> str:
        """UpdateRepositoryDescription."""
        given = self._given()
        self._history(given)
        told = self.codecommit_backend.repositories[given["repositoryName"]].repository_metadata
        told["repositoryDescription"] = given.get("repositoryDescription", "")
        told["lastModifiedDate"] = iso_8601_datetime_with_milliseconds()
        return "{}"

    def update_repository_name(self) -> str:
        """UpdateRepositoryName: its id, branches and commits stay."""
        old, new = (self._given()[name] for name in ("oldName", "newName"))
        self._history({"repositoryName": old})
        known = self.codecommit_backend.repositories
        if new in known:
            raise RepositoryNameExistsException(new)
        known[new] = known.pop(old)
        told = known[new].repository_metadata
        told["repositoryName"] = new
        for member in ("cloneUrlSsh", "cloneUrlHttp", "Arn"):
            told[member] = told[member][: -len(old)] + new
        told["lastModifiedDate"] = iso_8601_datetime_with_milliseconds()
        return "{}"

    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = json.loads(self.body)
        return given

    def _history(self, given: dict[str, Any]) -> History:
        name = given["repositoryName"]
        repository = self.codecommit_backend.repositories.get(name)
        if repository is None:
            raise RepositoryDoesNotExistException(name)
        return history_of(repository)


def _file(history: History, given: dict[str, Any], put: dict[str, Any]) -> File:
    if "fileContent" in put:
        return File(b64decode(put["fileContent"]), put.get("fileMode", "NORMAL"))
    source = put["sourceFile"]
    path = source["filePath"]
    files = history.head(given["branchName"]).files
    if path not in files:
        raise CodeCommitError("SourceFileOrContentRequiredException", f"{path} does not exist")
    return File(files[path].content, put.get("fileMode", files[path].mode))


def _listed(path: str, file: File) -> dict[str, str]:
    return {"absolutePath": path, "blobId": file.blob_id, "fileMode": file.mode}
