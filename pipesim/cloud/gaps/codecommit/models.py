"""The history of one repository: commits with their files, and branches that point at commits.

Ids are Git's own: the SHA-1 of blobs, trees and commits, so that the same content at the same moment
has the same id everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1
from typing import Any

from moto.core.utils import utcnow

from pipesim.cloud.gaps.codecommit.exceptions import CodeCommitError

MODES = {"NORMAL": "100644", "EXECUTABLE": "100755", "SYMLINK": "120000"}


@dataclass(frozen=True, slots=True)
class File:
    """One file as a commit holds it.

    Attributes:
        content: its bytes.
        mode: ``NORMAL``, ``EXECUTABLE`` or ``SYMLINK``.
    """

    content: bytes
    mode: str = "NORMAL"

    @property
    def blob_id(self) -> str:
        """Git's id of the content."""
        return _git_id("blob", self.content)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit.

    Attributes:
        id: its Git id.
        tree_id: the Git id of its files.
        parents: the ids of the commits that it follows.
        files: every file by its path.
        message: what its author says of it.
        author, email: who made it.
        date: when.
    """

    id: str
    tree_id: str
    parents: tuple[str, ...]
    files: Mapping[str, File]
    message: str
    author: str
    email: str
    date: datetime

    def describe(self) -> dict[str, Any]:
        """The commit in the shape of the API."""
        who = {"name": self.author, "email": self.email, "date": f"{int(self.date.timestamp())} +0000"}
        return {
            "commitId": self.id,
            "treeId": self.tree_id,
            "parents": list(self.parents),
            "message": self.message,
            "author": who,
            "committer": who,
            "additionalData": "",
        }


@dataclass(slots=True)
class History:
    """The commits and branches of one repository.

    Attributes:
        name: the repository's name.
        commits: by id.
        branches: the id of each branch's newest commit.
        default: the default branch; None as long as there is none.
    """

    name: str
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    default: str | None = None

    def head(self, branch: str) -> Commit:
        """The newest commit of a branch.

        Raises:
            CodeCommitError: there is no such branch.
        """
        try:
            return self.commits[self.branches[branch]]
        except KeyError:
            raise CodeCommitError("BranchDoesNotExistException", f"{branch} does not exist") from None

    def commit(self, commit_id: str) -> Commit:
        """The commit of an id, or of a branch of that name.

        Raises:
            CodeCommitError: there is no such commit.
        """
        try:
            return self.commits[self.branches.get(commit_id, commit_id)]
        except KeyError:
            raise CodeCommitError("CommitDoesNotExistException", f"{commit_id} does not exist") from None

    def files_at(self, specifier: str | None) -> Commit:
        """The commit whose files somebody wants to see; the default branch's newest unless said otherwise."""
        if specifier is None:
            if self.default is None:
                raise CodeCommitError("CommitDoesNotExistException", f"Repository {self.name} has no commits")
            return self.head(self.default)
        return self.commit(specifier)

    def create_branch(self, name: str, commit_id: str) -> None:
        """Let a new branch point at a commit.

        Raises:
            CodeCommitError: the branch exists, or the commit does not.
        """
        if name in self.branches:
            raise CodeCommitError("BranchNameExistsException", f"{name} already exists")
        if commit_id not in self.commits:
            raise CodeCommitError("CommitDoesNotExistException", f"{commit_id} does not exist")
        self.branches[name] = commit_id

    def delete_branch(self, name: str) -> str | None:
        """Forget a branch and return the id of its newest commit; None when there is no such branch.

        Raises:
            CodeCommitError: it is the default branch.
        """
        if name == self.default:
            raise CodeCommitError("DefaultBranchCannotBeDeletedException", f"{name} is the default branch")
        return self.branches.pop(name, None)

    def add(
        self,
        branch: str,
        *,
        parent: str | None,
        puts: Mapping[str, File],
        deletes: tuple[str, ...] = (),
        message: str = "",
        author: str = "",
        email: str = "",
        empty: bool = False,
    ) -> Commit:
        """Commit changes to a branch; the first commit of all creates its branch.

        Args:
            branch: the branch.
            parent: the id of the commit that the author saw; needed once the branch has one.
            puts: files written.
            deletes: paths deleted.
            message: what the author says of it.
            author: who.
            email: their address.
            empty: whether a commit without changes is meant.

        Raises:
            CodeCommitError: the parent is missing or outdated, a path does not exist, or nothing changed.
        """
        old = self._parent(branch, parent)
        files = dict(old.files) if old is not None else {}
        for path in deletes:
            if files.pop(path, None) is None:
                raise CodeCommitError("FileDoesNotExistException", f"{path} does not exist")
        files.update(puts)
        if old is not None and files == old.files and not empty:
            raise CodeCommitError("NoChangeException", "The commit changes nothing")
        made = _make(files, () if old is None else (old.id,), message or "Commit", author or "unknown", email)
        self.commits[made.id] = made
        self.branches[branch] = made.id
        self.default = self.default or branch
        return made

    def _parent(self, branch: str, parent: str | None) -> Commit | None:
        if branch not in self.branches:
            if self.commits:
                raise CodeCommitError("BranchDoesNotExistException", f"{branch} does not exist")
            return None
        head = self.head(branch)
        if parent is None:
            raise CodeCommitError(
                "ParentCommitIdRequiredException", f"The branch {branch} has commits: name the parent commit {head.id}"
            )
        if parent not in self.commits:
            raise CodeCommitError("ParentCommitDoesNotExistException", f"{parent} does not exist")
        if parent != head.id:
            raise CodeCommitError(
                "ParentCommitIdOutdatedException", f"{parent} is not the newest commit of {branch}, which is {head.id}"
            )
        return head


def history_of(repository: Any) -> History:
    """Return the history of one of moto's repositories; it lives and dies with it.

    Args:
        repository: moto's repository.
    """
    if not hasattr(repository, "history"):
        repository.history = History(repository.repository_metadata["repositoryName"])
    found: History = repository.history
    return found


def _make(files: Mapping[str, File], parents: tuple[str, ...], message: str, author: str, email: str) -> Commit:
    date = utcnow()
    tree = tree_id(files)
    who = f"{author} <{email}> {int(date.timestamp())} +0000"
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {who}", f"committer {who}"]
    text = "\n".join([*lines, "", message])
    return Commit(_git_id("commit", text.encode()), tree, parents, files, message, author, email, date)


def tree_id(files: Mapping[str, File]) -> str:
    """Return Git's id of a tree of files.

    Args:
        files: by path.

    >>> tree_id({})
    '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
    """
    here: dict[str, bytes] = {}
    folders: dict[str, dict[str, File]] = {}
    for path, file in files.items():
        name, _, rest = path.partition("/")
        if rest:
            folders.setdefault(name, {})[rest] = file
        else:
            here[name] = f"{MODES[file.mode]} {name}".encode() + b"\0" + bytes.fromhex(file.blob_id)
    for name, inside in folders.items():
        here[f"{name}/"] = f"40000 {name}".encode() + b"\0" + bytes.fromhex(tree_id(inside))
    return _git_id("tree", b"".join(here[name] for name in sorted(here, key=str.encode)))


def _git_id(kind: str, content: bytes) -> str:
    return sha1(f"{kind} {len(content)}".encode() + b"\0" + content, usedforsecurity=False).hexdigest()
