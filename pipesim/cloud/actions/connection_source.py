"""The connection source: a commit of GitHub, Bitbucket or GitLab becomes the output artifact.

Source: AWS CodePipeline User Guide, "CodeStarSourceConnection for Bitbucket Cloud, GitHub, …"; messages from its
"Troubleshooting CodePipeline". How the service speaks of a pending connection is not published: the words are ours.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.codecommit_source import CLONE
from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import REFERENCE, pack, write
from pipesim.cloud.gaps.codecommit.exceptions import CodeCommitError
from pipesim.cloud.gaps.codecommit.models import Commit
from pipesim.cloud.gaps.codeconnections.models import AVAILABLE
from pipesim.cloud.git_signals import connection_of
from pipesim.cloud.permissions import may, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType, SourceRevisionType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.cloud.repositories import RemoteRepository
    from pipesim.engine.action import ActionRun

CONNECTING = ("codeconnections:UseConnection", "codestar-connections:UseConnection")
"""Either name of the permission will do."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Fetch the commit that started the execution, or the newest of the branch."""
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    given = run.configuration
    arn, name, branch = given["ConnectionArn"], given["FullRepositoryId"], given["BranchName"]
    session = session_of(account, run)
    if not any(may(session, action, arn) for action in CONNECTING):
        needed = f"{arn.split(':')[2]}:UseConnection" if arn.startswith("arn:") else CONNECTING[0]
        raise ActionFailed(
            f"Unable to use Connection: {arn}. The provided role does not have sufficient permissions. (User:"
            f" {session.arn} is not authorized to perform: {needed} on resource: {arn})",
            FailureType.PERMISSION_ERROR,
        )
    repository = _repository(account, arn, name)
    commit = newest(repository, branch, asked(run))
    if given.get("OutputArtifactFormat") == CLONE:
        reference = {"connection": arn, "repository": name, "branch": branch, "commit": commit.id}
        files = {REFERENCE: json.dumps(reference).encode()}
    else:
        files = {path: file.content for path, file in commit.files.items()}
    body = pack(files, run.sim.clock)
    outputs = write(account, run, {artifact.name: body for artifact in run.plan.action.output_artifacts})
    variables = {
        "AuthorDate": f"{commit.date:%Y-%m-%dT%H:%M:%SZ}",
        "BranchName": branch,
        "CommitId": commit.id,
        "CommitMessage": commit.message,
        "ConnectionArn": arn,
        "FullRepositoryName": name,
        **run.plan.assumption.variables,
    }
    return Outcome(
        revision=revision_of(repository, commit), variables=variables, outputs=outputs, external_id=commit.id
    )


def newest(repository: RemoteRepository, branch: str, commit: str | None = None) -> Commit:
    """Return the newest commit of a branch, or another one.

    Args:
        repository: where.
        branch: the branch.
        commit: another commit than the newest.

    Raises:
        ActionFailed: the branch or the commit is not there.
    """
    try:
        return repository.history.commit(commit) if commit else repository.history.head(branch)
    except CodeCommitError:
        what = f"Commit [{commit}]" if commit else f"Branch [{branch}]"
        raise ActionFailed(
            f"[{repository.provider}] No {what} found for FullRepositoryName [{repository.name}]",
            FailureType.CONFIGURATION_ERROR,
        ) from None


def revision_of(repository: RemoteRepository, commit: Commit) -> dict[str, str]:
    """Return the source revision that a commit stands for."""
    return {
        "id": commit.id,
        "change_id": commit.id,
        "summary": json.dumps({"ProviderType": repository.provider, "CommitMessage": commit.message}),
        "url": repository.url_of(commit.id),
    }


def asked(run: ActionRun) -> str | None:
    """Return the commit that the start of the execution asked for; None: the newest."""
    for revision in run.execution.revisions:
        if revision.action == run.plan.action.name and revision.type == SourceRevisionType.COMMIT_ID:
            return revision.value
    return None


def _repository(account: Account, arn: str, name: str) -> RemoteRepository:
    connection = connection_of(account, arn)
    if connection is None:
        raise ActionFailed(f"The connection {arn} does not exist.", FailureType.CONFIGURATION_ERROR)
    if connection["ConnectionStatus"] != AVAILABLE:
        raise ActionFailed(
            f"Unable to use Connection: {arn}. The connection is not available: its status is"
            f" {connection['ConnectionStatus']}. Complete the handshake in the console (Update pending connection).",
            FailureType.CONFIGURATION_ERROR,
        )
    provider = connection["ProviderType"]
    found = account.remotes.find(provider, name)
    if found is None:
        raise ActionFailed(
            f"[{provider}] No repository found for FullRepositoryName [{name}]", FailureType.CONFIGURATION_ERROR
        )
    return found
