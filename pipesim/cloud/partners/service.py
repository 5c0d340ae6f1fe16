"""What test services of partners have in common: a job in, a result with a summary and a link out.

Source: CodePipeline API reference, PollForThirdPartyJobs … PutThirdPartyJobFailureResult.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pipesim.cloud.codepipeline.job import client_token
from pipesim.cloud.job_artifacts import fetch, hand_over, reopened
from pipesim.cloud.workers import JobFailed, JobWorker
from pipesim.engine.behaviours.work import draw
from pipesim.vocabulary import ActionOwner, FailureType, JobStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, Cloud


@dataclass(frozen=True, slots=True)
class Result:
    """What a test showed.

    Attributes:
        passed: whether it may go on.
        summary: the numbers, in one line.
        files: what the report holds, by name; it becomes the output artifact, where there is one.
    """

    passed: bool
    summary: str
    files: Mapping[str, bytes]


class TestService(JobWorker, ABC):
    """A test service; make a class from it, and say what `run_test` does.

    Args:
        cloud: whose jobs it works on.
        tests: the tests that were set up there; empty: every one that an action names.
        breaks: the tests that fail, whatever comes.
        interval: seconds between two polls.

    Attributes:
        provider: the provider's name.
        owner: ``ThirdParty``, or ``Custom`` where the customer creates the action type.
        key: the configuration key that names the test; an action that leaves it out is called like its test. The
            partners publish no keys; this one is made up.
        result_url: template of the link to a result.
        runs: how many runs there were.
    """

    __test__ = False

    provider: ClassVar[str] = ""
    owner: ClassVar[str] = ActionOwner.THIRD_PARTY.value
    key: ClassVar[str] = "TestId"
    result_url: ClassVar[str] = ""

    def __init__(
        self,
        cloud: Cloud | Account,
        *,
        tests: tuple[str, ...] = (),
        breaks: tuple[str, ...] = (),
        interval: float = 30.0,
    ) -> None:
        super().__init__(cloud, "Test", self.provider, interval=interval)
        self._wanted["actionTypeId"]["owner"] = self.owner
        self.tests = tests
        self.breaks = breaks
        self.runs = 0

    @abstractmethod
    def run_test(self, test: str, files: Mapping[str, bytes], rng: np.random.Generator) -> Result:
        """Run a test and say what it showed.

        Args:
            test: which one.
            files: the files of all inputs, by name.
            rng: luck that depends on the account's seed and the run alone.
        """

    def work(self, job: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fetch the inputs, run the test, write the report, and tell the result."""
        configuration = job["data"]["actionConfiguration"]["configuration"]
        test = configuration.get(self.key) or job["data"]["pipelineContext"]["action"]["name"]
        if self.tests and test not in self.tests:
            raise JobFailed(
                f"{self.provider}: there is no test '{test}' ({', '.join(self.tests)})", FailureType.CONFIGURATION_ERROR
            )
        self.runs += 1
        run = self.account.jobs.find(job["id"]).run
        rng = np.random.default_rng([getattr(self.account, "seed", 0), self.runs, *self.provider.encode()])
        job = self._reopened(job)
        id = f"{rng.integers(10**8, 10**9)}"
        result = self.run_test(test, fetch(job), rng)
        hand_over(job, result.files, self.account.now)
        if not result.passed or draw(run)[1]:
            raise JobFailed(run.plan.assumption.message or f"{test}: FAILED. {result.summary}", external_id=id)
        return {"executionDetails": {"summary": f"{test}: PASSED. {result.summary}", "externalExecutionId": id}}

    def takes(self, job: Mapping[str, Any]) -> float:
        """As long as is assumed of the action."""
        return draw(self.account.jobs.find(job["id"]).run)[0]

    def prepare(self) -> None:
        """Create the action type where that is the customer's affair."""
        if self.owner != ActionOwner.CUSTOM:
            return
        listed = self.client.list_action_types(actionOwnerFilter=self.owner)["actionTypes"]
        if all(one["id"] != self._wanted["actionTypeId"] for one in listed):
            self.client.create_custom_action_type(**self.declaration())

    @classmethod
    def declaration(cls, *, required: bool = False) -> dict[str, Any]:
        """What CreateCustomActionType is told of it.

        Args:
            required: whether an action must name its test.
        """
        return {
            "category": "Test",
            "provider": cls.provider,
            "version": "1",
            "settings": {"executionUrlTemplate": cls.result_url},
            "configurationProperties": [
                {"name": cls.key, "required": required, "key": True, "secret": False, "description": "The test to run."}
            ],
            "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
            "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        }

    def _taken(self) -> Iterator[Mapping[str, Any]]:
        if self.owner == ActionOwner.CUSTOM:
            yield from super()._taken()
            return
        for offer in self.client.poll_for_third_party_jobs(**self._wanted)["jobs"]:
            secret = {"jobId": offer["jobId"], "clientToken": client_token(offer["clientId"])}
            details = self.client.get_third_party_job_details(**secret)["jobDetails"]
            taken = self.client.acknowledge_third_party_job(nonce=details["nonce"], **secret)
            if taken["status"] == JobStatus.IN_PROGRESS:
                yield {**details, "clientToken": secret["clientToken"]}

    def _reopened(self, job: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.owner == ActionOwner.CUSTOM:
            return reopened(job, self.client.get_job_details)
        return reopened(job, self.client.get_third_party_job_details, clientToken=job["clientToken"])

    def _succeed(self, job: Mapping[str, Any], report: Mapping[str, Any]) -> None:
        if self.owner == ActionOwner.CUSTOM:
            super()._succeed(job, report)
        else:
            self.client.put_third_party_job_success_result(jobId=job["id"], clientToken=job["clientToken"], **report)

    def _fail(self, job: Mapping[str, Any], details: Mapping[str, Any]) -> None:
        if self.owner == ActionOwner.CUSTOM:
            super()._fail(job, details)
        else:
            self.client.put_third_party_job_failure_result(
                jobId=job["id"], clientToken=job["clientToken"], failureDetails=details
            )
