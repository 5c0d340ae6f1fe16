"""A source action: take a while, then pin the revision of what was fetched.

Connections and webhooks run the change that started them, and so does the older
road of polling; only in PARALLEL mode do CodeCommit and S3 sources take the newest
change there is when the action begins, and so does the rollback of a source stage,
whose execution nevertheless reports the target's revision.
Source: CodePipeline User Guide, "How executions are processed in PARALLEL mode";
recorded answers of the service for the rollback.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import ExecutionType, SourceRevisionType

if TYPE_CHECKING:
    from pipesim.engine.action import ActionRun

Variable = Callable[["ActionRun", str, str], str]

TAKES_THE_NEWEST = frozenset({"CodeCommit", "S3", "ECR"})


def fetch(run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Fetch the source and say which revision it was."""
    change = _change(run)
    outcome: Outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    revision = _override(run) or revision_of(run.plan.action.provider, change)
    variables = source_variables(run, revision, change)
    if run.plan.assumption.variables:
        variables.update(run.plan.assumption.variables)
    return Outcome(revision={"id": revision, "summary": f"change {change}"}, variables=variables, external_id=revision)


def revision_of(provider: str, change: str) -> str:
    """Return the revision by which a provider knows a change: a commit id, a version id, a digest.

    Args:
        provider: the source provider, such as ``CodeCommit``.
        change: the change's label.

    >>> revision_of("CodeCommit", "fix-login")
    'eff1965577a12efafdad1d05394297d224362c79'
    """
    if provider == "ECR":
        return "sha256:" + sha256(change.encode()).hexdigest()
    digest = sha1(change.encode(), usedforsecurity=False).hexdigest()
    return digest[:32] if provider == "S3" else digest


def _change(run: ActionRun) -> str:
    """The change that the action fetches."""
    sim, execution = run.sim, run.execution
    if execution.type == ExecutionType.ROLLBACK:
        return sim.newest_change
    newest = run.plan.action.provider in TAKES_THE_NEWEST
    if newest and not sim.admission.has_locks and sim.head > execution.head:
        return sim.newest_change
    return execution.change


def _override(run: ActionRun) -> str | None:
    """The revision that somebody asked for; another object key is no revision but another object."""
    for revision in run.execution.revisions:
        if revision.action == run.plan.action.name:
            if revision.type != SourceRevisionType.S3_OBJECT_KEY:
                return revision.value
            run.configuration = {**run.configuration, "S3ObjectKey": revision.value}
    return None


def source_variables(run: ActionRun, revision: str, change: str) -> dict[str, str]:
    """The output variables that the service documents for this source provider."""
    values = ((key, VARIABLES[key](run, revision, change)) for key in run.plan.documented_variables if key in VARIABLES)
    return {key: value for key, value in values if value}


def _configured(*keys: str) -> Variable:
    """A variable that repeats the first of these configuration values that is there."""

    def value(run: ActionRun, revision: str, change: str) -> str:
        return next((run.configuration[key] for key in keys if key in run.configuration), "")

    return value


def _date(run: ActionRun, revision: str, change: str) -> str:
    return run.sim.clock.isoformat(timespec="seconds").replace("+00:00", "Z")


def _image(run: ActionRun, revision: str, change: str) -> str:
    registry = f"{run.sim.account}.dkr.ecr.{run.sim.region}.amazonaws.com"
    return f"{registry}/{run.configuration.get('RepositoryName', '')}@{revision}"


def _commit_url(run: ActionRun, revision: str, change: str) -> str:
    owner, repository = (run.configuration.get(key, "") for key in ("Owner", "Repo"))
    return f"https://github.com/{owner}/{repository}/commit/{revision}"


VARIABLES: dict[str, Variable] = {
    "CommitId": lambda run, revision, change: revision,
    "VersionId": lambda run, revision, change: revision,
    "ImageDigest": lambda run, revision, change: revision,
    "ETag": lambda run, revision, change: revision[:32],
    "CommitMessage": lambda run, revision, change: f"change {change}",
    "AuthorDate": _date,
    "CommitterDate": _date,
    "RepositoryName": _configured("RepositoryName", "Repo"),
    "BranchName": _configured("BranchName", "Branch"),
    "FullRepositoryName": _configured("FullRepositoryId"),
    "ConnectionArn": _configured("ConnectionArn"),
    "BucketName": _configured("S3Bucket"),
    "ObjectKey": _configured("S3ObjectKey"),
    "ImageTag": lambda run, revision, change: run.configuration.get("ImageTag", "latest"),
    "RegistryId": lambda run, revision, change: run.sim.account,
    "ImageURI": _image,
    "CommitUrl": _commit_url,
}
