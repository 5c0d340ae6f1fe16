"""Repositories outside of AWS: GitHub, Bitbucket and GitLab, with commits, branches, tags and pull requests.

A push is a real commit with Git's own id. Whoever listens is told in the same moment: pipelines whose source action
uses an available connection of the provider (their triggers decide), and webhooks of version 1 that were registered.
A merge is a squash: one commit on the target branch. Source: AWS CodePipeline User Guide, "Triggers and filters",
"CodeStarSourceConnection source action reference"; GitHub's documentation of webhook events (the push payload).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moto.codecommit.models import codecommit_backends

from pipesim.cloud import git_signals, swap
from pipesim.cloud.gaps.codecommit.exceptions import CodeCommitError
from pipesim.cloud.gaps.codecommit.models import Commit, File, History, history_of
from pipesim.cloud.gaps.codeconnections.models import PROVIDERS, codeconnections_backends
from pipesim.definition import triggers
from pipesim.errors import PipesimError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

CODECOMMIT = "CodeCommit"
SITES = {
    "GitHub": "https://github.com/{name}/commit/{commit}",
    "GitHubEnterpriseServer": "https://github.example.com/{name}/commit/{commit}",
    "Bitbucket": "https://bitbucket.org/{name}/commits/{commit}",
    "GitLab": "https://gitlab.com/{name}/-/commit/{commit}",
    "GitLabSelfManaged": "https://gitlab.example.com/{name}/-/commit/{commit}",
    CODECOMMIT: "https://console.aws.amazon.com/codesuite/codecommit/repositories/{name}/commit/{commit}",
}
"""Where a commit can be looked at, by provider."""

Files = Mapping[str, "str | bytes | None"]


@dataclass(eq=False)
class RemoteRepository:
    """One repository.

    Attributes:
        name: ``owner/name``; for CodeCommit the name alone.
        provider: such as ``GitHub``.
        tags: the commit of each tag.
        pull_requests: all of them, the oldest first.
        revoked: OAuth tokens that it does not accept any more.
    """

    account: Account = field(repr=False)
    name: str
    provider: str
    tags: dict[str, str] = field(default_factory=dict)
    pull_requests: list[PullRequest] = field(default_factory=list, repr=False)
    revoked: set[str] = field(default_factory=set, repr=False)
    _own: History = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._own = History(self.name)

    @property
    def history(self) -> History:
        """Its commits and branches."""
        if self.provider != CODECOMMIT:
            return self._own
        return history_of(codecommit_backends[self.account.id][self.account.region].repositories[self.name])

    def commit(self, at: str = "main") -> Commit:
        """Return the newest commit of a branch, the one of a tag, or the one of an id.

        Args:
            at: a branch, a tag or an id.

        Raises:
            PipesimError: there is no such commit.
        """
        try:
            return self.history.commit(self.tags.get(at, at))
        except CodeCommitError as error:
            raise PipesimError(f"repository {self.name}: {error.message}") from None

    def url_of(self, commit: str) -> str:
        """Return where a commit can be looked at."""
        return SITES[self.provider].format(name=self.name, commit=commit)

    def push(
        self,
        files: Files,
        branch: str = "main",
        message: str = "",
        *,
        author: str = "Ana",
        email: str = "ana@example.com",
    ) -> Commit:
        """Commit files to a branch and push it; a branch that is not there begins at the default branch.

        Args:
            files: contents by path, as text or bytes; None deletes the file.
            branch: the branch.
            message: what the author says of it.
            author: who.
            email: their address.

        Raises:
            PipesimError: nothing would change, or a file to delete is not there.
        """
        with swap.inside(self.account):
            history = self.history
            created = branch not in history.branches
            if created and history.default is not None:
                history.create_branch(branch, history.branches[history.default])
            before = history.branches.get(branch)
            try:
                made = history.add(
                    branch,
                    parent=before,
                    puts={path: File(_bytes(body)) for path, body in files.items() if body is not None},
                    deletes=tuple(path for path, body in files.items() if body is None),
                    message=message,
                    author=author,
                    email=email,
                )
            except CodeCommitError as error:
                if created:
                    history.branches.pop(branch, None)
                raise PipesimError(f"repository {self.name}, branch {branch}: {error.message}") from None
            changed = self.changed(before, made.id)
            git_signals.pushed(self, triggers.Push(branch, None, changed, made.id, created), made, before)
            for request in self.pull_requests:
                if request.is_open and request.source == branch:
                    git_signals.requested(self, request.event("UPDATED"), made, request)
        self.account.settle()
        return made

    def branch(self, name: str, at: str | None = None) -> Commit:
        """Push a new branch that points at a commit that is there already.

        Args:
            name: its name.
            at: a branch, a tag or an id; None: the default branch.

        Raises:
            PipesimError: the branch exists, or the commit does not.
        """
        with swap.inside(self.account):
            made = self.commit(at or self.history.default or "main")
            try:
                self.history.create_branch(name, made.id)
            except CodeCommitError as error:
                raise PipesimError(f"repository {self.name}: {error.message}") from None
            git_signals.pushed(self, triggers.Push(name, None, (), made.id, True), made, None)
        self.account.settle()
        return made

    def tag(self, name: str, commit: str | None = None) -> Commit:
        """Tag a commit and push the tag.

        Args:
            name: such as ``v1.0``.
            commit: a branch or an id; None: the default branch's newest.

        Raises:
            PipesimError: there is no such commit.
        """
        with swap.inside(self.account):
            made = self.commit(commit or self.history.default or "main")
            before, self.tags[name] = self.tags.get(name), made.id
            git_signals.pushed(self, triggers.Push(None, name, (), made.id), made, before)
        self.account.settle()
        return made

    def open_pull_request(
        self, source: str, target: str = "main", title: str = "", files: Files | None = None
    ) -> PullRequest:
        """Ask for a branch to be merged into another.

        Args:
            source: the branch with the changes.
            target: the branch that is to take them.
            title: what it is about.
            files: pushed to the source branch first.

        Raises:
            PipesimError: a branch is not there.
        """
        if files is not None:
            self.push(files, source, title)
        with swap.inside(self.account):
            for branch in (source, target):
                if branch not in self.history.branches:
                    raise PipesimError(f"repository {self.name} has no branch {branch!r}: push to it first")
            request = PullRequest(self, len(self.pull_requests) + 1, source, target, title or source)
            self.pull_requests.append(request)
            git_signals.requested(self, request.event("OPEN"), self.commit(source), request)
        self.account.settle()
        return request

    def changed(self, before: str | None, after: str) -> tuple[str, ...]:
        """Return the paths in which two commits differ, in alphabetical order.

        Args:
            before: a commit's id; None: nothing was there.
            after: a commit's id.
        """
        old = self.history.commit(before).files if before is not None else {}
        new = self.history.commit(after).files
        return tuple(sorted(path for path in {*old, *new} if old.get(path) != new.get(path)))


@dataclass(eq=False)
class PullRequest:
    """One pull request.

    Attributes:
        repository: where.
        number: 1, 2, …
        source, target: the branch with the changes, and the one that is to take them.
        title: what it is about.
        status: ``open``, ``closed`` or ``merged``.
    """

    repository: RemoteRepository
    number: int
    source: str
    target: str
    title: str
    status: str = "open"

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor merged."""
        return self.status == "open"

    @property
    def changed_files(self) -> tuple[str, ...]:
        """The paths that it changes, seen from where its branch began."""
        return self.repository.changed(self._base(), self.repository.history.branches[self.source])

    def push(self, files: Files, message: str = "") -> Commit:
        """Push another commit to its branch, which updates it.

        Args:
            files: contents by path; None deletes the file.
            message: what the author says of it.
        """
        return self.repository.push(files, self.source, message or self.title)

    def close(self) -> None:
        """Close it without merging; Bitbucket tells nobody of that."""
        self._refuse_over()
        with swap.inside(self.repository.account):
            self.status = "closed"
            if self.repository.provider != "Bitbucket":
                self._tell_closed()
        self.repository.account.settle()

    def merge(self) -> Commit:
        """Put its changes on the target branch as one commit; that is a closing and a push.

        Raises:
            PipesimError: the target branch has changed the same files, or it is not open.
        """
        self._refuse_over()
        history = self.repository.history
        base = history.commit(self._base() or history.branches[self.source]).files
        ours, theirs = history.head(self.target).files, history.head(self.source).files
        changed = self.changed_files
        conflicts = [path for path in changed if ours.get(path) not in (base.get(path), theirs.get(path))]
        if conflicts:
            raise PipesimError(
                f"pull request {self.number} cannot be merged: {self.target} changed {', '.join(conflicts)}, too"
            )
        files = {path: theirs[path].content if path in theirs else None for path in changed}
        with swap.inside(self.repository.account):
            self.status = "merged"
            self._tell_closed()
        files = {path: body for path, body in files.items() if body is not None or path in ours}
        return self.repository.push(files, self.target, f"{self.title} (#{self.number})")

    def event(self, event: str) -> triggers.PullRequest:
        """Return what a trigger is told of it.

        Args:
            event: ``OPEN``, ``UPDATED`` or ``CLOSED``.
        """
        head = self.repository.history.branches[self.source]
        return triggers.PullRequest(event, self.source, self.target, self.changed_files, head)

    def _tell_closed(self) -> None:
        git_signals.requested(self.repository, self.event("CLOSED"), self.repository.commit(self.source), self)

    def _refuse_over(self) -> None:
        if not self.is_open:
            raise PipesimError(f"pull request {self.number} is {self.status} already")

    def _base(self) -> str | None:
        """The newest commit that both branches have."""
        history = self.repository.history
        theirs = set(_line(history, history.branches[self.target]))
        return next((id for id in _line(history, history.branches[self.source]) if id in theirs), None)


class Remotes:
    """All repositories outside of AWS that a cloud knows, shared by its accounts."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], RemoteRepository] = {}

    def find(self, provider: str, name: str) -> RemoteRepository | None:
        """Return a repository, or None when there is none."""
        return self._known.get((provider, name))

    def repository(self, account: Account, name: str, provider: str) -> RemoteRepository:
        """Return a repository; one that is not there is made, empty.

        Args:
            account: the account in which CodeCommit is meant, and any account of the cloud otherwise.
            name: ``owner/name``, or the name alone for CodeCommit.
            provider: where.

        Raises:
            PipesimError: the provider is not known, or the name is no name there.
        """
        if provider not in SITES:
            raise PipesimError(f"unknown provider {provider!r} (must be one of {', '.join(SITES)})")
        if provider == CODECOMMIT:
            _in_codecommit(account, name)
        elif "/" not in name.strip("/"):
            raise PipesimError(f"a repository of {provider} is called owner/name, not {name!r}")
        key = (provider if provider != CODECOMMIT else f"{account.id}/{account.region}", name)
        if key not in self._known:
            self._known[key] = RemoteRepository(account, name, provider)
        return self._known[key]


def connect(account: Account, provider: str = "GitHub", name: str | None = None) -> str:
    """Make a connection, complete its handshake, and return its ARN.

    Args:
        account: where.
        provider: such as ``GitHub``.
        name: the connection's name; None: that of the provider.

    Raises:
        PipesimError: the provider is not known.
    """
    if provider not in PROVIDERS:
        raise PipesimError(f"unknown provider {provider!r} (must be one of {', '.join(PROVIDERS)})")
    client = account.client("codeconnections")
    backend = codeconnections_backends[account.id][account.region]
    given = {"ProviderType": provider}
    if provider in ("GitHubEnterpriseServer", "GitLabSelfManaged"):
        endpoint = SITES[provider].split("/{name}")[0]
        host = client.create_host(Name=provider, ProviderType=provider, ProviderEndpoint=endpoint)["HostArn"]
        backend.complete(host)
        given = {"HostArn": host}
    arn = str(client.create_connection(ConnectionName=name or provider.lower()[:32], **given)["ConnectionArn"])
    backend.complete(arn)
    return arn


def handshake(account: Account, arn: str) -> None:
    """Complete the handshake of a pending connection, or set a pending host up, as a person does in the console.

    Args:
        account: whose it is.
        arn: of the connection or the host.
    """
    codeconnections_backends[account.id][arn.split(":")[3]].complete(arn)


def _in_codecommit(account: Account, name: str) -> None:
    client = account.client("codecommit")
    if name not in [one["repositoryName"] for one in client.list_repositories()["repositories"]]:
        client.create_repository(repositoryName=name)


def _line(history: History, commit: str) -> Iterator[str]:
    """A commit and those before it, by the first parent."""
    while True:
        yield commit
        parents = history.commits[commit].parents
        if not parents:
            return
        commit = parents[0]


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


__all__ = ["CODECOMMIT", "SITES", "PullRequest", "RemoteRepository", "Remotes", "connect", "handshake"]
