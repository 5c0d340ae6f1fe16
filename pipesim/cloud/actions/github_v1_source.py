"""The GitHub source of version 1: a branch that is read with an OAuth token.

The role needs no permission for GitHub: the token is what lets the service in, and GitHub may revoke it.
Source: AWS CodePipeline User Guide of 2022, "GitHub version 1 source action structure reference" and
"Troubleshooting CodePipeline" (the message about the token).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.connection_source import asked, newest
from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import pack, write
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.cloud.repositories import RemoteRepository
    from pipesim.engine.action import ActionRun


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Fetch the newest commit of the branch, or the one that the start of the execution asked for."""
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    repository = opened(account, run.configuration)
    commit = newest(repository, run.configuration["Branch"], asked(run))
    body = pack({path: file.content for path, file in commit.files.items()}, run.sim.clock)
    outputs = write(account, run, {artifact.name: body for artifact in run.plan.action.output_artifacts})
    date, url = f"{commit.date:%Y-%m-%dT%H:%M:%SZ}", repository.url_of(commit.id)
    variables = {
        "AuthorDate": date,
        "BranchName": run.configuration["Branch"],
        "CommitId": commit.id,
        "CommitMessage": commit.message,
        "CommitterDate": date,
        "CommitUrl": url,
        "RepositoryName": run.configuration["Repo"],
        **run.plan.assumption.variables,
    }
    revision = {"id": commit.id, "change_id": commit.id, "summary": commit.message, "url": url}
    return Outcome(revision=revision, variables=variables, outputs=outputs, external_id=commit.id)


def opened(account: Account, configuration: Mapping[str, str]) -> RemoteRepository:
    """Return the repository that an action reads, if its token lets it in.

    Args:
        account: the mocked account.
        configuration: the action's.

    Raises:
        ActionFailed: the repository is not there, or the token was revoked.
    """
    owner, name = configuration["Owner"], configuration["Repo"]
    found = account.remotes.find("GitHub", f"{owner}/{name}")
    if found is None:
        raise ActionFailed(
            f'Either the GitHub repository "{name}" does not exist, or you do not have access to it.',
            FailureType.CONFIGURATION_ERROR,
        )
    if configuration["OAuthToken"] in found.revoked:
        raise ActionFailed(
            f'Could not access the GitHub repository: "{name}". The access token might be invalid or has been revoked.'
            " Edit the pipeline to reconnect with GitHub.",
            FailureType.PERMISSION_ERROR,
        )
    return found
