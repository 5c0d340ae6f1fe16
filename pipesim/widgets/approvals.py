"""The inbox of a stakeholder: what waits for an answer, in all pipelines of a mocked cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipesim.errors import SourceError
from pipesim.trace.events import EventKind
from pipesim.trace.wording import calendar, spell
from pipesim.vocabulary import ApprovalStatus
from pipesim.widgets.desk import Desk, desk_module

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

MOST_ANSWERS = 20


@dataclass(frozen=True, slots=True)
class Request:
    """One approval that waits.

    Attributes:
        pipeline, stage, action: where.
        execution: the pipeline execution's id.
        token: what an answer must carry.
        text: what the approver is told (the action's CustomData).
        link: what is to be reviewed (the action's ExternalEntityLink).
        changes: what the execution brings, one line a source.
        since: when it was asked for, in seconds since the cloud's start.
        expires: when it times out; None: never.
    """

    pipeline: str
    stage: str
    action: str
    execution: str
    token: str
    text: str
    link: str
    changes: tuple[str, ...]
    since: float
    expires: float | None


class Approvals(Desk):
    """An inbox: each approval that waits, with message, link and how long already; answered with a comment.

    Answers go through PutApprovalResult, as those of the console do.

    Args:
        cloud: an open cloud.

    >>> import pipesim
    >>> with pipesim.Cloud() as cloud:
    ...     _ = cloud.provision("S3 -> Manual Approval -> S3")
    ...     inbox = Approvals(cloud)
    ...     cloud.run_until_idle()
    ...     inbox.approve(inbox.waiting[0].token, "looks good")
    ...     inbox.waiting
    ()
    """

    _esm = desk_module("approvals.js")
    orders: ClassVar[Mapping[str, str]] = {"approve": "approve", "reject": "reject"}

    def __init__(self, cloud: Any, **traits: Any) -> None:
        super().__init__(cloud, **traits)
        self.refresh()

    @property
    def waiting(self) -> tuple[Request, ...]:
        """What waits for an answer now, the longest-waiting first."""
        found = [request for account, record in self._pipelines() for request in _requests(account, record)]
        return tuple(sorted(found, key=lambda request: request.since))

    @property
    def answers(self) -> tuple[dict[str, Any], ...]:
        """The last answers, the newest first: where, who, approved or rejected, comment and when."""
        found: list[dict[str, Any]] = [
            {
                "pipeline": record.name,
                "stage": event.stage,
                "action": event.action,
                "status": str(event.detail.get("status", "")),
                "comment": str(event.detail.get("summary", "")),
                "by": str(event.detail.get("by", "")),
                "time": event.time,
            }
            for _, record in self._pipelines()
            for event in record.simulation.events_from(0)
            if event.kind is EventKind.APPROVAL_ANSWERED
        ]
        return tuple(sorted(found, key=lambda one: -one["time"])[:MOST_ANSWERS])

    def approve(self, token: str, comment: str = "") -> None:
        """Approve what waits under a token.

        Args:
            token: of a `Request`.
            comment: what the history shows.

        Raises:
            SourceError: nothing waits under it.
            ClientError: the service refuses the answer.
        """
        self._answer(token, comment, ApprovalStatus.APPROVED)

    def reject(self, token: str, comment: str = "") -> None:
        """Reject what waits under a token; see `approve`."""
        self._answer(token, comment, ApprovalStatus.REJECTED)

    def facts(self) -> dict[str, Any]:
        """Return what the page shows, as JSON has it."""
        now, start = self.cloud.time, self.cloud.account.start
        return {
            "now": calendar(start, now),
            "waiting": [
                {
                    "where": f"{one.pipeline}: {one.stage} / {one.action}",
                    "token": one.token,
                    "text": one.text,
                    "link": one.link,
                    "changes": list(one.changes),
                    "since": f"asked for at {calendar(start, one.since)}, waits for {spell(now - one.since)}",
                    "expires": "" if one.expires is None else f"times out in {spell(max(0.0, one.expires - now))}",
                }
                for one in self.waiting
            ],
            "answers": [
                {
                    "status": "Succeeded" if one["status"] == ApprovalStatus.APPROVED else "Failed",
                    "text": f"{one['pipeline']}: {one['stage']} / {one['action']} {one['status'].lower()}"
                    f" at {calendar(start, one['time'])}" + (f": {one['comment']}" if one["comment"] else ""),
                }
                for one in self.answers
            ],
        }

    def _answer(self, token: str, comment: str, status: ApprovalStatus) -> None:
        self._insist_that_it_is_open()
        for account, record in self._pipelines():
            for request in _requests(account, record):
                if request.token == token:
                    account.client("codepipeline").put_approval_result(
                        pipelineName=request.pipeline,
                        stageName=request.stage,
                        actionName=request.action,
                        result={"summary": comment, "status": status.value},
                        token=token,
                    )
                    self.notice = f"{request.stage} / {request.action} of {request.pipeline} {status.value.lower()}"
                    return
        raise SourceError("nothing waits under this token any more: somebody else has answered, or it timed out")

    def _pipelines(self) -> Iterator[tuple[Account, PipelineRecord]]:
        for account in list(self.cloud.account.family.values()):
            for record in list(account.pipelines.values()):
                yield account, record


def _requests(account: Account, record: PipelineRecord) -> Iterator[Request]:
    state = record.simulation.state
    for stage in state.stages:
        for action in stage.actions:
            run = action.latest
            if run is None or run.token is None or run.execution is None:
                continue
            declared = record.pipeline.stage(stage.name).action(action.name)
            configuration = {**declared.configuration, **_resolved(record, stage.name, action.name)}
            execution = state.executions[run.execution]
            yield Request(
                pipeline=record.name,
                stage=stage.name,
                action=action.name,
                execution=run.execution,
                token=run.token,
                text=str(configuration.get("CustomData", "")),
                link=str(configuration.get("ExternalEntityLink", "")),
                changes=tuple(f"{name}: {r.id} {r.summary}".strip() for name, r in execution.revisions.items()),
                since=run.started,
                expires=run.expires,
            )


def _resolved(record: PipelineRecord, stage: str, action: str) -> Mapping[str, Any]:
    """The configuration with its variables filled in, where the newest run was given one."""
    for event in reversed(record.simulation.events_from(0)):
        if event.kind is EventKind.ACTION_STARTED and (event.stage, event.action) == (stage, action):
            found: Mapping[str, Any] = event.detail.get("configuration") or {}
            return found
    return {}
