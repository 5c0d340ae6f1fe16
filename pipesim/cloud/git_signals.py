"""Who hears of a push or a pull request: pipelines through connections, webhooks of version 1, and EventBridge.

Source: AWS CodePipeline User Guide, "Filter triggers on code push or pull request events"; AWS CodeCommit User Guide,
"Monitoring CodeCommit events" (the members of its events); GitHub's documentation of webhook events.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from moto.codecommit.models import codecommit_backends

from pipesim.cloud.codepipeline.webhook_door import deliver
from pipesim.cloud.gaps.codecommit.models import Commit
from pipesim.cloud.gaps.codeconnections.models import AVAILABLE, codeconnections_backends
from pipesim.definition.model import Action
from pipesim.definition.triggers import CONNECTION, Push, starts
from pipesim.definition.triggers import PullRequest as Request
from pipesim.engine.commands import SourceRevision, Start
from pipesim.vocabulary import SourceRevisionType, TriggerType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord
    from pipesim.cloud.repositories import PullRequest, RemoteRepository

GITHUBS_ADDRESS = "192.30.252.1"
"""An address in the range from which GitHub calls webhooks."""


def pushed(repository: RemoteRepository, push: Push, commit: Commit, before: str | None) -> None:
    """Tell of a push of a branch or a tag.

    Args:
        repository: where.
        push: what a trigger is told.
        commit: what the branch or tag points at now.
        before: what it pointed at; None: it is new.
    """
    if repository.provider == "CodeCommit":
        kind, name = ("tag", push.tag) if push.tag is not None else ("branch", push.branch)
        announce_reference(repository.account, repository.name, kind, str(name), commit.id, before)
        return
    _tell_pipelines(repository, push, commit)
    if repository.provider == "GitHub" and push.branch is not None:
        _call_webhooks(repository, push, commit, before)


def requested(repository: RemoteRepository, event: Request, commit: Commit, request: PullRequest) -> None:
    """Tell of what happened to a pull request.

    Args:
        repository: where.
        event: what a trigger is told.
        commit: the newest commit of the source branch.
        request: which.
    """
    if repository.provider == "CodeCommit":
        _announce_request(repository, event, request)
    else:
        _tell_pipelines(repository, event, commit)


def announce_reference(
    account: Account, repository: str, kind: str, name: str, commit: str | None, before: str | None
) -> None:
    """Put CodeCommit's event of a branch or a tag that was made, moved or deleted on the bus.

    Args:
        account: whose repository it is.
        repository: its name.
        kind: ``branch`` or ``tag``.
        name: the branch's or the tag's.
        commit: what it points at now; None: it was deleted.
        before: what it pointed at; None: it is new.
    """
    metadata = codecommit_backends[account.id][account.region].repositories[repository].repository_metadata
    event = "referenceDeleted" if commit is None else "referenceCreated" if before is None else "referenceUpdated"
    detail = {
        "event": event,
        "repositoryName": repository,
        "repositoryId": metadata["repositoryId"],
        "referenceType": kind,
        "referenceName": name,
        "referenceFullName": f"refs/{'heads' if kind == 'branch' else 'tags'}/{name}",
        "callerUserArn": f"arn:aws:iam::{account.id}:user/ana",
    }
    if commit is not None:
        detail["commitId"] = commit
    if before is not None:
        detail["oldCommitId"] = before
    account.bus.publish("aws.codecommit", "CodeCommit Repository State Change", detail, resources=[metadata["Arn"]])


def _announce_request(repository: RemoteRepository, event: Request, request: PullRequest) -> None:
    account = repository.account
    metadata = codecommit_backends[account.id][account.region].repositories[repository.name].repository_metadata
    happened = {
        "OPEN": "pullRequestCreated",
        "UPDATED": "pullRequestSourceBranchUpdated",
        "CLOSED": "pullRequestMergeStatusUpdated" if request.status == "merged" else "pullRequestStatusChanged",
    }[event.event]
    history = repository.history
    detail = {
        "event": happened,
        "pullRequestId": str(request.number),
        "pullRequestStatus": "Open" if request.is_open else "Closed",
        "isMerged": str(request.status == "merged"),
        "repositoryNames": [repository.name],
        "title": request.title,
        "sourceReference": f"refs/heads/{request.source}",
        "destinationReference": f"refs/heads/{request.target}",
        "sourceCommit": event.commit,
        "destinationCommit": history.branches[request.target],
        "callerUserArn": f"arn:aws:iam::{account.id}:user/ana",
    }
    account.bus.publish("aws.codecommit", "CodeCommit Pull Request State Change", detail, resources=[metadata["Arn"]])


def _tell_pipelines(repository: RemoteRepository, event: Push | Request, commit: Commit) -> None:
    """Start every pipeline one of whose source actions uses the repository and lets the event through."""
    for account in list(repository.account.family.values()):
        for record in list(account.pipelines.values()):
            for action in record.pipeline.stages[0].actions:
                if _listens(account, action, repository) and starts(record.pipeline, action.name, event):
                    _start(record, action, repository, event, commit)


def _listens(account: Account, action: Action, repository: RemoteRepository) -> bool:
    """Whether a source action would hear of the repository: its connection is there and available."""
    given = action.configuration
    if action.provider != CONNECTION or given.get("FullRepositoryId") != repository.name:
        return False
    connection = connection_of(account, given.get("ConnectionArn", ""))
    return (
        connection is not None
        and connection["ConnectionStatus"] == AVAILABLE
        and connection["ProviderType"] == repository.provider
    )


def connection_of(account: Account, arn: str) -> dict[str, Any] | None:
    """Return what is known of a connection, in whichever account and region it is; None when there is none.

    Args:
        account: any account of the cloud.
        arn: the connection's.
    """
    parts = arn.split(":")
    region, owner = (parts[3], parts[4]) if len(parts) == 6 else (account.region, account.id)
    backends = codeconnections_backends[owner]
    if region not in backends:
        return None
    known = backends[region].connections.get(parts[-1])
    return None if known is None else known.told


def _start(
    record: PipelineRecord, action: Action, repository: RemoteRepository, event: Push | Request, commit: Commit
) -> None:
    detail = {
        "source": action.name,
        "provider-type": repository.provider,
        "full-repository-name": repository.name,
        "connection-arn": action.configuration["ConnectionArn"],
        "commit-id": commit.id,
        "commit-message": commit.message,
        "author-date": f"{commit.date:%Y-%m-%dT%H:%M:%SZ}",
        "author-display-name": commit.author,
        "author-email": commit.email,
        **_members(event),
    }
    record.simulation.send(
        Start(
            change=commit.id[:7],
            revisions=(SourceRevision(action.name, SourceRevisionType.COMMIT_ID.value, commit.id),),
            trigger_type=TriggerType.WEBHOOK_V2.value,
            trigger_detail=json.dumps(detail),
        )
    )


def _members(event: Push | Request) -> dict[str, str]:
    if isinstance(event, Request):
        return {
            "pull-request-event": event.event, "branch-name": event.source, "target-branch-name": event.target,
        }  # fmt: skip
    return {"tag-name": event.tag} if event.tag is not None else {"branch-name": str(event.branch)}


def _call_webhooks(repository: RemoteRepository, push: Push, commit: Commit, before: str | None) -> None:
    """GitHub posts a push to the webhooks that were registered with it, signed with their secret."""
    body = json.dumps(_payload(repository, push, commit, before)).encode()
    for account in list(repository.account.family.values()):
        for webhook in account.webhooks.registered_for(repository.name):
            secret = webhook.definition["authenticationConfiguration"].get("SecretToken")
            headers = {"X-GitHub-Event": "push", "Content-Type": "application/json"}
            if secret:
                headers["X-Hub-Signature-256"] = f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"
            deliver(account, webhook.token, headers, body, GITHUBS_ADDRESS)


def _payload(repository: RemoteRepository, push: Push, commit: Commit, before: str | None) -> dict[str, Any]:
    owner, _, name = repository.name.rpartition("/")
    old = repository.history.commit(before).files if before is not None else {}
    told = {
        "id": commit.id,
        "message": commit.message,
        "timestamp": f"{commit.date:%Y-%m-%dT%H:%M:%SZ}",
        "url": repository.url_of(commit.id),
        "author": {"name": commit.author, "email": commit.email},
        "added": [path for path in push.files if path not in old],
        "removed": [path for path in push.files if path not in commit.files],
        "modified": [path for path in push.files if path in old and path in commit.files],
    }
    return {
        "ref": f"refs/heads/{push.branch}",
        "before": before or "0" * 40,
        "after": commit.id,
        "created": push.created,
        "deleted": False,
        "forced": False,
        "repository": {"name": name, "full_name": repository.name, "owner": {"name": owner, "login": owner}},
        "pusher": {"name": commit.author, "email": commit.email},
        "commits": [told],
        "head_commit": told,
    }


__all__ = ["announce_reference", "connection_of", "pushed", "requested"]
