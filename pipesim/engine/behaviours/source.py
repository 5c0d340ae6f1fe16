"""A source action: take a while, then pin the revision of what was fetched.

Connections and webhooks run the change that started them, and so does the older
road of polling; only in PARALLEL mode do CodeCommit and S3 sources take the newest
change there is when the action begins, and so does the rollback of a source stage,
whose execution nevertheless reports the target's revision.
Source: CodePipeline User Guide, "How executions are processed in PARALLEL mode";
recorded answers of the service for the rollback.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import ExecutionType

if TYPE_CHECKING:
    from pipesim.engine.action import ActionRun

TAKES_THE_NEWEST = frozenset({"CodeCommit", "S3", "ECR"})


def fetch(run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Fetch the source and say which revision it was."""
    change = _change(run)
    outcome: Outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    revision = _override(run) or revision_of(run.plan.action.provider, change)
    variables = {**source_variables(run, revision, change), **run.plan.assumption.variables}
    return replace(
        outcome,
        revision={"id": revision, "summary": f"change {change}"},
        variables=variables,
        external_id=revision,
    )


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
    for revision in run.execution.revisions:
        if revision.action == run.plan.action.name:
            return revision.value
    return None


def source_variables(run: ActionRun, revision: str, change: str) -> Mapping[str, str]:
    """The output variables that the service documents for this source provider."""
    keys = run.plan.documented_variables
    if not keys:
        return {}
    configuration = run.configuration
    now = run.sim.clock.isoformat(timespec="seconds").replace("+00:00", "Z")
    known = {
        "CommitId": revision,
        "VersionId": revision,
        "ImageDigest": revision,
        "ETag": revision[:32],
        "CommitMessage": f"change {change}",
        "AuthorDate": now,
        "CommitterDate": now,
        "RepositoryName": configuration.get("RepositoryName") or configuration.get("Repo", ""),
        "BranchName": configuration.get("BranchName") or configuration.get("Branch", ""),
        "FullRepositoryName": configuration.get("FullRepositoryId", ""),
        "ConnectionArn": configuration.get("ConnectionArn", ""),
        "BucketName": configuration.get("S3Bucket", ""),
        "ObjectKey": configuration.get("S3ObjectKey", ""),
        "ImageTag": configuration.get("ImageTag", "latest"),
        "RegistryId": run.sim.account,
        "ImageURI": f"{run.sim.account}.dkr.ecr.{run.sim.region}.amazonaws.com/"
        f"{configuration.get('RepositoryName', '')}@{revision}",
        "CommitUrl": "https://github.com/"
        f"{configuration.get('Owner', '')}/{configuration.get('Repo', '')}/commit/{revision}",
    }
    return {key: known[key] for key in keys if known.get(key)}
