"""One job: a piece of an action that somebody outside works on and reports about.

Source: CodePipeline User Guide, "Create and add a custom action in CodePipeline";
API reference, Job, JobData, ThirdPartyJob; what result calls answer when they come twice
or too late was seen in recorded answers of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from pipesim.errors import Refused
from pipesim.vocabulary import JobStatus

if TYPE_CHECKING:
    import simpy

    from pipesim.engine.action import ActionRun
    from pipesim.engine.outcome import Outcome

ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class Continuation:
    """A job is done, the action is not: what the next job is handed.

    Attributes:
        token: the worker's own note, handed back word for word.
        percent: how far the worker says it is, 0 to 100; None: it does not say.
        summary: what it says about the work.
        external_id: the id of the work at the worker's place.
    """

    token: str
    percent: int | None = None
    summary: str = ""
    external_id: str = ""


@dataclass(slots=True, eq=False)
class Job:
    """One job of an action execution.

    Attributes:
        id: its name, a UUID; a continued action goes on under a new one.
        run: the action execution that waits for it.
        executor: who works on it: ``"Custom"``, ``"ThirdParty"`` or ``"Lambda"``.
        finished: the SimPy event that carries an `Outcome` or a `Continuation`.
        outputs: the object key reserved for each output artifact.
        time_limit: seconds within which it must be answered; None: only the action's own limit.
        continuation_token: what the job before it handed on; None for the first.
        status: JobStatus.
        nonce: proves that an acknowledgement speaks of the newest dispatch; "" before the first.
        dispatched: when it was last handed out, in seconds; None: never.
        result: the status and the details of the result call that was accepted.
    """

    id: str
    run: ActionRun
    executor: str
    finished: simpy.Event
    outputs: Mapping[str, str] = field(default_factory=dict)
    time_limit: float | None = None
    continuation_token: str | None = None
    status: JobStatus = JobStatus.QUEUED
    nonce: str = ""
    dispatched: float | None = None
    result: tuple[JobStatus, Mapping[str, Any]] | None = None

    @property
    def client_id(self) -> str:
        """For third-party jobs: the customer, as the partner knows it."""
        action = self.run.plan.action
        return str(uuid5(NAMESPACE_OID, f"{self.run.sim.account}/{action.category}/{action.provider}"))

    @property
    def is_over(self) -> bool:
        """Whether nobody needs to work on it any more."""
        return self.status in ENDED or self.run.ended

    def take(self, status: JobStatus, details: Mapping[str, Any], value: Outcome | Continuation) -> None:
        """Accept a result, or the same result once more.

        Args:
            status: Succeeded or Failed.
            details: what the caller reported; a repeat must report the same.
            value: what the waiting action is told.

        Raises:
            Refused: the job ended otherwise, or with other details.
        """
        if self.result is not None:
            self._compare(status, details)
            return
        if self.status is JobStatus.TIMED_OUT:
            raise Refused("InvalidJobStateException", f"Job with id {self.id} has already terminated")
        if self.status is not JobStatus.IN_PROGRESS:
            raise Refused(
                "InvalidJobStateException",
                f"Job with id {self.id} is in state {self.status.value}: a job must be acknowledged before its result"
                " is reported",
            )
        self.status = status
        self.result = (status, details)
        self.finished.succeed(value)

    def give_up(self, outcome: Outcome) -> None:
        """End the job before anybody has worked on it.

        Args:
            outcome: what the waiting action is told.
        """
        if self.status not in ENDED:
            self.status = JobStatus.FAILED
            self.result = (JobStatus.FAILED, {})
            self.finished.succeed(outcome)

    def expire(self) -> None:
        """Nobody answered in time."""
        if self.status not in ENDED:
            self.status = JobStatus.TIMED_OUT

    def _compare(self, status: JobStatus, details: Mapping[str, Any]) -> None:
        assert self.result is not None
        if self.result[0] is not status:
            raise Refused("InvalidJobStateException", f"Job with id {self.id} has already terminated")
        if self.result[1] != details:
            raise Refused(
                "InvalidJobStateException",
                f"The status of job with id {self.id} is already set to the desired value. It cannot be updated with"
                " the same status, but different result or output variables.",
            )


def client_token(client_id: str) -> str:
    """Return the secret that a third-party partner shows together with a client id.

    In the real service a customer's connection to the partner agrees on it; here it follows from the id.

    Args:
        client_id: what PollForThirdPartyJobs answered.
    """
    return str(uuid5(NAMESPACE_OID, f"client token of {client_id}"))
