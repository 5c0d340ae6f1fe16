"""Job workers: programs outside AWS that do the work of custom actions.

A worker asks for jobs, takes one, does the work and reports: PollForJobs, AcknowledgeJob,
PutJobSuccessResult or PutJobFailureResult. This one lives in virtual time, so that a
worker that polls twice a minute for a week costs a moment.

Source: CodePipeline User Guide, "Create a job worker for your custom action".

>>> import pipesim as ps
>>> class Signer(ps.JobWorker):
...     def work(self, job):
...         return {"executionDetails": {"summary": "signed"}}
>>> with ps.Cloud(seed=1) as cloud:
...     record = cloud.provision("S3 -> Jenkins")
...     signer = cloud.hire(Signer, category="Build", provider="Jenkins")
...     cloud.run_until_idle()
...     cloud.client("codepipeline").list_pipeline_executions(pipelineName=record.name)[
...         "pipelineExecutionSummaries"
...     ][0]["status"]
'Succeeded'
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.vocabulary import ActionOwner, FailureType, JobStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, Cloud


class JobFailed(Exception):
    """Raised by `JobWorker.work`: the job failed, and its action will.

    Args:
        message: why, in one sentence.
        type: the failure type.
        external_id: the id of the work at the worker's place.
    """

    def __init__(
        self, message: str, type: FailureType | str = FailureType.JOB_FAILED, *, external_id: str = ""
    ) -> None:
        super().__init__(message)
        self.type = FailureType(type)
        self.external_id = external_id


class JobWorker:
    """A worker for one custom action type; subclass it and say what `work` does.

    Args:
        cloud: the cloud, or one account of it, whose jobs it works on.
        category: of the action type, such as ``Build``.
        provider: of the action type.
        version: of the action type.
        interval: seconds between two polls.
        query: works only on jobs whose queryable property has this value.
    """

    def __init__(
        self,
        cloud: Cloud | Account,
        category: str,
        provider: str,
        version: str = "1",
        *,
        interval: float = 30.0,
        query: Mapping[str, str] | None = None,
    ) -> None:
        account: Any = getattr(cloud, "account", cloud)
        self.account: Account = account
        self.client = self.account.client("codepipeline")
        self.interval = interval
        self._wanted: dict[str, Any] = {
            "actionTypeId": {
                "category": category,
                "owner": ActionOwner.CUSTOM.value,
                "provider": provider,
                "version": version,
            },
            **({"queryParam": dict(query)} if query else {}),
        }
        self._process: simpy.Process | None = None

    def prepare(self) -> None:
        """Make ready before the first poll, such as by creating the action type that is polled for."""

    def work(self, job: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Do the work and return more members of the success report, or raise `JobFailed`.

        Args:
            job: as PollForJobs handed it out: ``id``, ``nonce``, ``accountId``, ``data``.
        """
        return None

    def takes(self, job: Mapping[str, Any]) -> float:
        """Return how many seconds of virtual time the work takes."""
        return 60.0

    def start(self) -> None:
        """Go to work: poll from now on, until `stop`."""
        if self._process is None:
            self.account.jobs.note_worker(self._wanted["actionTypeId"], 1)
            self._process = self.account.env.process(self._live())

    def stop(self) -> None:
        """Stop polling; work in hand is never reported."""
        if self._process is not None:
            self.account.jobs.note_worker(self._wanted["actionTypeId"], -1)
            if self._process.is_alive:
                self._process.interrupt("the worker was stopped")
            self._process = None

    def _live(self) -> Generator[simpy.Event, Any, None]:
        try:
            while True:
                for job in self._taken():
                    yield self.account.env.timeout(self.takes(job))
                    self._report(job)
                yield self.account.env.timeout(self.interval)
        except simpy.Interrupt:
            return

    def _taken(self) -> Iterator[Mapping[str, Any]]:
        for job in self.client.poll_for_jobs(**self._wanted)["jobs"]:
            if self.client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])["status"] == JobStatus.IN_PROGRESS:
                yield job

    def _report(self, job: Mapping[str, Any]) -> None:
        try:
            report = self.work(job) or {}
        except JobFailed as failed:
            details = {"type": failed.type.value, "message": str(failed)}
            if failed.external_id:
                details["externalExecutionId"] = failed.external_id
            self._fail(job, details)
        else:
            self._succeed(job, report)

    def _succeed(self, job: Mapping[str, Any], report: Mapping[str, Any]) -> None:
        self.client.put_job_success_result(jobId=job["id"], **report)

    def _fail(self, job: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        self.client.put_job_failure_result(jobId=job["id"], failureDetails=details)
