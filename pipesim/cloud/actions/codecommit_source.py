"""The CodeCommit source: the newest commit of a branch becomes the output artifact.

Source: AWS CodePipeline User Guide, "CodeCommit source action reference".
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import simpy
from moto.codecommit.models import codecommit_backends

from pipesim.cloud.artifacts import REFERENCE, pack, write
from pipesim.cloud.gaps.codecommit.models import history_of
from pipesim.cloud.permissions import require, role_client, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import SourceRevisionType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

CLONE = "CODEBUILD_CLONE_REF"
ARCHIVING = ("codecommit:UploadArchive", "codecommit:GetUploadArchiveStatus")


@dataclass(frozen=True, slots=True)
class CommitRevision:
    """One commit of a source repository.

    Attributes:
        repository, branch: where it stands.
        id: its id: the source revision.
        message: what its author said.
        authored, committed: when, as ISO 8601 in UTC.
    """

    repository: str
    branch: str
    id: str
    message: str
    authored: str
    committed: str


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Fetch the newest commit, or the one that the start of the execution asked for."""
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    codecommit = role_client(account, run, "codecommit")
    found = newest(codecommit, run.configuration, commit=_asked(run))
    session = session_of(account, run)
    region = run.plan.action.region or account.region
    resource = f"arn:aws:codecommit:{region}:{session.account}:{found.repository}"
    if run.configuration.get("OutputArtifactFormat") == CLONE:
        codecommit.get_repository(repositoryName=found.repository)
        reference = {"repository": resource, "branch": found.branch, "commit": found.id}
        files = {REFERENCE: json.dumps(reference).encode()}
    else:
        for action in ARCHIVING:
            require(session, action, resource)
        commits = history_of(codecommit_backends[session.account][region].repositories[found.repository])
        files = {path: file.content for path, file in commits.commit(found.id).files.items()}
    body = pack(files, run.sim.clock)
    outputs = write(account, run, {artifact.name: body for artifact in run.plan.action.output_artifacts})
    variables = {
        "AuthorDate": found.authored,
        "BranchName": found.branch,
        "CommitId": found.id,
        "CommitMessage": found.message,
        "CommitterDate": found.committed,
        "RepositoryName": found.repository,
        **run.plan.assumption.variables,
    }
    return Outcome(revision=revision_of(found), variables=variables, outputs=outputs, external_id=found.id)


def newest(codecommit: Any, configuration: Mapping[str, str], *, commit: str | None = None) -> CommitRevision:
    """Look which commit of the source branch is the newest.

    Args:
        codecommit: the client that looks, under the action's role.
        configuration: the action's configuration.
        commit: another commit than the newest.

    Raises:
        ClientError: the repository, the branch or the commit does not exist, or looking was refused.
    """
    repository, branch = configuration["RepositoryName"], configuration["BranchName"]
    head = codecommit.get_branch(repositoryName=repository, branchName=branch)["branch"]["commitId"]
    found = codecommit.get_commit(repositoryName=repository, commitId=commit or head)["commit"]
    return CommitRevision(
        repository,
        branch,
        found["commitId"],
        found["message"],
        _iso(found["author"]["date"]),
        _iso(found["committer"]["date"]),
    )


def revision_of(found: CommitRevision) -> dict[str, str]:
    """Return the source revision that a commit stands for."""
    return {"id": found.id, "change_id": found.id, "summary": found.message}


def _asked(run: ActionRun) -> str | None:
    for revision in run.execution.revisions:
        if revision.action == run.plan.action.name and revision.type == SourceRevisionType.COMMIT_ID:
            return revision.value
    return None


def _iso(date: str) -> str:
    return datetime.fromtimestamp(int(date.split()[0]), UTC).isoformat().replace("+00:00", "Z")
