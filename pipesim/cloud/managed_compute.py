"""Actions that run on build machines which CodePipeline manages: a place among the builds, a log, a duration.

The log is written under the role that the action works under: group ``/aws/codepipeline/PIPELINE``, a stream for each
action execution. Source: AWS CodePipeline User Guide, "Commands action reference" (service role policy, viewing logs).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.permissions import role_client
from pipesim.engine.behaviours.work import draw, overdue
from pipesim.engine.outcome import Outcome
from pipesim.trace.events import EventKind

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun


@dataclass(slots=True)
class ActionLog:
    """The log of one action execution.

    Attributes:
        account: the mocked account.
        run: the action.
        lines: what it says, in order.
    """

    account: Account
    run: ActionRun
    lines: list[str] = field(default_factory=list)

    @property
    def group(self) -> str:
        """The log group."""
        return f"/aws/codepipeline/{self.run.sim.plan.pipeline.name}"

    @property
    def url(self) -> str:
        """Where the console shows it."""
        region = self.run.plan.action.region or self.account.region
        group = self.group.replace("/", "$252F")
        return (
            f"https://console.aws.amazon.com/cloudwatch/home?region={region}"
            f"#logsV2:log-groups/log-group/{group}/log-events/{self.run.id}"
        )

    def open(self) -> None:
        """Make the stream, and the group when it is missing.

        Raises:
            ClientError: the role may not.
        """
        logs = self._client()
        try:
            logs.create_log_stream(logGroupName=self.group, logStreamName=self.run.id)
        except logs.exceptions.ResourceNotFoundException:
            logs.create_log_group(logGroupName=self.group)
            logs.create_log_stream(logGroupName=self.group, logStreamName=self.run.id)

    def say(self, *lines: str) -> None:
        """Add lines."""
        self.lines += lines

    def close(self) -> None:
        """Write what was said.

        Raises:
            ClientError: the role may not.
        """
        stamp = int(self.account.now.timestamp() * 1000)
        head = f"[Container] {self.account.now:%Y/%m/%d %H:%M:%S}"
        events = [{"timestamp": stamp, "message": f"{head} {line}"} for line in self.lines]
        if events:
            self._client().put_log_events(logGroupName=self.group, logStreamName=self.run.id, logEvents=events)

    def _client(self) -> Any:
        return role_client(self.account, self.run, "logs")


def on_managed_compute(
    account: Account, run: ActionRun, finish: Callable[[ActionLog, str | None], Outcome]
) -> Generator[simpy.Event, Any, Outcome]:
    """Wait for a machine, let the work take its time, and do it at the end.

    Args:
        account: the mocked account.
        run: the action.
        finish: does the work and says how it ended; its second argument is the message with which the action is
            assumed to fail, or None.
    """
    place = run.sim.pools.get(run.plan.pool)
    if place is not None and place.fails_when_full and place.is_full:
        raise ActionFailed(
            f"Cannot have more than {place.capacity} builds in queue for the account"
            " (Service: AWSCodeBuild; Error Code: AccountLimitExceededException)"
        )
    with place.request() if place is not None else nullcontext() as request:
        if request is not None and not request.triggered:
            run.emit(EventKind.ACTION_WAITING, pool=run.plan.pool)
            yield request
            if not run.ended:
                run.emit(EventKind.ACTION_WORKING, pool=run.plan.pool)
        log = ActionLog(account, run)
        log.open()
        duration, fails = draw(run)
        if duration > run.plan.timeout:
            yield run.sim.env.timeout(run.plan.timeout)
            return overdue(run)
        yield run.sim.env.timeout(duration)
        try:
            outcome = finish(log, (run.plan.assumption.message or "exit status 1") if fails else None)
        except Exception:
            with suppress(ClientError):
                log.close()
            raise
        log.close()
        return outcome
