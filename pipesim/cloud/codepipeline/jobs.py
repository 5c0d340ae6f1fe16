"""The jobs of an account: opened by actions, worked on from outside, answered through the API.

Each method named like an operation takes the operation's parameters as they came and
returns what the service would answer. Source: API reference (PollForJobs … PutThirdPartyJobFailureResult);
CodePipeline User Guide, "Create and add a custom action" and "Invoke an AWS Lambda function";
recorded answers of the service for repeats, continuation and refusals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import simpy
from botocore.exceptions import ClientError

from pipesim.catalog.action_types import find_action_type
from pipesim.catalog.limits import LAMBDA_JOB_TIMEOUT, OUTPUT_VARIABLES_SIZE
from pipesim.cloud.actions.failures import failure_of
from pipesim.cloud.codepipeline.job import Continuation, Job, client_token
from pipesim.cloud.codepipeline.job_data import job_data, third_party_data
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.engine.outcome import SUCCEEDED, Outcome
from pipesim.errors import Refused
from pipesim.trace.events import EventKind
from pipesim.vocabulary import ActionCategory, ActionOwner, FailureType, JobStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

CUSTOM = "Custom"
THIRD_PARTY = "ThirdParty"
LAMBDA = "Lambda"

REOFFER = 60.0
"""Seconds after which a job that was handed out and not acknowledged is handed out again.
The service publishes no figure; this one is assumed."""

BATCH = 1
"""How many jobs one poll hands out when it does not say."""

HandOver = Callable[[Job], Outcome | None]
TypeKey = tuple[str, str, str, str]


class Jobs:
    """Every job of one account and region.

    Args:
        account: whose jobs they are.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._jobs: dict[str, Job] = {}
        self._open: dict[TypeKey, dict[str, Job]] = {}
        self._newest: dict[ActionRun, Job] = {}
        self._workers: Counter[TypeKey] = Counter()

    # --- what behaviours call --------------------------------------------------------------------

    def open(self, run: ActionRun, executor: str = CUSTOM, continuation_token: str | None = None) -> Job:
        """Open a job for an action.

        Args:
            run: the action execution that will wait for it.
            executor: ``"Custom"``, ``"ThirdParty"`` (both are polled for) or ``"Lambda"`` (handed over).
            continuation_token: what the job before it handed on.
        """
        job = Job(
            id=self._new_id(run),
            run=run,
            executor=executor,
            finished=run.sim.env.event(),
            outputs=run.sim.new_keys(run),
            time_limit=self._time_limit(run, executor),
            continuation_token=continuation_token,
        )
        self._jobs[job.id] = self._newest[run] = job
        if executor == LAMBDA:
            job.status = JobStatus.IN_PROGRESS
        else:
            self._open.setdefault(_type_key(run), {})[job.id] = job
        return job

    def find(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            Refused: there is none of this id.
        """
        try:
            return self._jobs[job_id]
        except KeyError:
            raise Refused("JobNotFoundException", f"Job with id '{job_id}' does not exist") from None

    def of(self, run: ActionRun) -> Job | None:
        """Return the newest job of an action; None: it never opened one."""
        return self._newest.get(run)

    def newest(self, execution: str, stage: str, action: str) -> Job | None:
        """Return the newest job of an action of an execution; None: it never opened one, or waits for none any more.

        Args:
            execution: the pipeline execution's id.
            stage: the stage's name.
            action: the action's name.
        """
        for run, job in reversed(self._newest.items()):
            if (run.execution.id, run.passage.plan.stage.name, run.plan.action.name) == (execution, stage, action):
                return job
        return None

    def waits_for_somebody(self, run: ActionRun) -> bool:
        """Whether an action can go on only when somebody outside the account answers its job.

        That is not so while its job is answered and about to be continued, while a worker in virtual time
        polls for its type, or while a partner that nobody plays is assumed to be at work.
        """
        job = self._newest.get(run)
        if job is None or job.is_over or self.has_worker(run):
            return False
        return job.executor != THIRD_PARTY or job.status is JobStatus.IN_PROGRESS

    def has_worker(self, run: ActionRun) -> bool:
        """Whether a worker in virtual time polls for jobs of this action's type."""
        return self._workers[_type_key(run)] > 0

    def forget(self, run: ActionRun) -> None:
        """An action waits for no job any more; results of its jobs are still taken."""
        self._newest.pop(run, None)

    def note_worker(self, type_id: Mapping[str, str], change: int) -> None:
        """Take note that a worker in virtual time begins (1) or ceases (-1) to poll for a type."""
        self._workers[(type_id["category"], type_id["owner"], type_id["provider"], type_id["version"])] += change

    def __len__(self) -> int:
        return len(self._jobs)

    # --- custom actions --------------------------------------------------------------------------

    def poll_for_jobs(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """PollForJobs: hand out jobs of a custom action type."""
        type_id = parameters["actionTypeId"]
        if type_id["owner"] != ActionOwner.CUSTOM:
            raise _no_such_type(type_id, "only custom action types (owner Custom) can be polled for with PollForJobs")
        known = self._account.custom_types.polled(type_id)
        wanted = dict(parameters.get("queryParam") or {})
        for name in wanted:
            if name not in known.queryable:
                raise Refused(
                    "ValidationException",
                    f"'{name}' is not a queryable property of action type {type_id['provider']}"
                    f" (queryable: {', '.join(known.queryable) or 'none'})",
                )
        jobs = self._dispatch(type_id, parameters.get("maxBatchSize"), wanted)
        return {"jobs": [offer for job in jobs if (offer := self._offer(job)) is not None]}

    def acknowledge_job(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """AcknowledgeJob: a worker takes the job that it was handed; the answer is the job's status."""
        return self._acknowledge(self._find(parameters, CUSTOM), parameters["nonce"])

    def get_job_details(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """GetJobDetails: what a job is about, with fresh credentials."""
        job = self._find(parameters, CUSTOM, LAMBDA)
        data = job_data(self._account, job)
        return {"jobDetails": {"id": job.id, "accountId": self._account.id, "data": data}}

    def put_job_success_result(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """PutJobSuccessResult: the job is done; with a continuation token the action goes on."""
        return self._succeed(self._find(parameters, CUSTOM, LAMBDA), parameters)

    def put_job_failure_result(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """PutJobFailureResult: the job failed, and the action with it."""
        return self._fail(self._find(parameters, CUSTOM, LAMBDA), parameters)

    # --- third parties ---------------------------------------------------------------------------

    def poll_for_third_party_jobs(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """PollForThirdPartyJobs: hand out ids of jobs of a partner's action type."""
        type_id = parameters["actionTypeId"]
        if type_id["owner"] != ActionOwner.THIRD_PARTY or find_action_type(**type_id) is None:
            raise _no_such_type(type_id, "only a partner's action types (owner ThirdParty) can be polled for here")
        jobs = self._dispatch(type_id, parameters.get("maxBatchSize"), {})
        return {"jobs": [{"clientId": job.client_id, "jobId": job.id} for job in jobs]}

    def acknowledge_third_party_job(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """AcknowledgeThirdPartyJob: a partner takes a job."""
        return self._acknowledge(self._of_partner(parameters), parameters["nonce"])

    def get_third_party_job_details(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """GetThirdPartyJobDetails: what a partner's job is about, with its nonce."""
        job = self._of_partner(parameters)
        data = third_party_data(self._account, job)
        return {"jobDetails": {"id": job.id, "nonce": job.nonce, "data": data}}

    def put_third_party_job_success_result(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """PutThirdPartyJobSuccessResult: the partner's job is done."""
        return self._succeed(self._of_partner(parameters), parameters)

    def put_third_party_job_failure_result(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """PutThirdPartyJobFailureResult: the partner's job failed."""
        return self._fail(self._of_partner(parameters), parameters)

    # --- inside ----------------------------------------------------------------------------------

    def _find(self, parameters: Mapping[str, Any], *executors: str) -> Job:
        job = self.find(parameters["jobId"])
        if job.executor not in executors:
            raise Refused("JobNotFoundException", f"Job with id '{job.id}' does not exist")
        return job

    def _of_partner(self, parameters: Mapping[str, Any]) -> Job:
        job = self._find(parameters, THIRD_PARTY)
        if parameters["clientToken"] != client_token(job.client_id):
            raise Refused("InvalidClientTokenException", f"The client token does not belong to job '{job.id}'")
        return job

    def _dispatch(self, type_id: Mapping[str, str], size: int | None, wanted: Mapping[str, str]) -> list[Job]:
        key = (type_id["category"], type_id["owner"], type_id["provider"], type_id["version"])
        line = self._open.get(key, {})
        for job in [job for job in line.values() if job.is_over]:
            del line[job.id]
        now = self._account.env.now
        free = [
            job
            for job in line.values()
            if (job.dispatched is None or now - job.dispatched >= REOFFER)
            and all(job.run.configuration.get(name) == value for name, value in wanted.items())
        ]
        chosen = free[: size or BATCH]
        for job in chosen:
            job.status = JobStatus.DISPATCHED
            job.dispatched = now
            job.nonce = str(int.from_bytes(blake2b(f"{job.id}/{now}".encode(), digest_size=7).digest(), "big"))
        return chosen

    def _offer(self, job: Job) -> dict[str, Any] | None:
        """A job as its worker gets it; None when the role gives no credentials for it, which fails the action."""
        try:
            data = job_data(self._account, job)
        except ClientError as error:
            job.give_up(failure_of(error, job.run))
            return None
        return {"id": job.id, "nonce": job.nonce, "accountId": self._account.id, "data": data}

    def _acknowledge(self, job: Job, nonce: str) -> dict[str, Any]:
        if not job.nonce or nonce != job.nonce:
            raise Refused(
                "InvalidNonceException",
                f"The nonce '{nonce}' is not the one that job '{job.id}' was last handed out with",
            )
        if job.status is JobStatus.DISPATCHED:
            job.status = JobStatus.IN_PROGRESS
            self._open.get(_type_key(job.run), {}).pop(job.id, None)
        return {"status": job.status.value}

    def _succeed(self, job: Job, parameters: Mapping[str, Any]) -> dict[str, Any]:
        token = parameters.get("continuationToken")
        variables = dict(parameters.get("outputVariables") or {})
        if token and variables:
            raise Refused(
                "ValidationException", "A job can not contain both a continuation token and output variables."
            )
        size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
        if size > OUTPUT_VARIABLES_SIZE:
            raise Refused(
                "OutputVariablesSizeExceededException",
                f"The output variables of job '{job.id}' take {size} bytes; together they may take at most"
                f" {OUTPUT_VARIABLES_SIZE}",
            )
        details = parameters.get("executionDetails") or {}
        value: Outcome | Continuation
        if token:
            value = Continuation(
                token,
                details.get("percentComplete"),
                details.get("summary", ""),
                details.get("externalExecutionId", ""),
            )
        else:
            value = self._success(job, details, variables, parameters.get("currentRevision"))
        job.take(JobStatus.SUCCEEDED, _without_ids(parameters), value)
        return {}

    def _fail(self, job: Job, parameters: Mapping[str, Any]) -> dict[str, Any]:
        details = parameters["failureDetails"]
        external_id = _external_id(job, details.get("externalExecutionId", ""))
        outcome = Outcome(
            failure=FailureType(details["type"]),
            message=details["message"],
            external_id=external_id,
            external_url=execution_url(self._account, job.run, external_id),
        )
        job.take(JobStatus.FAILED, _without_ids(parameters), outcome)
        return {}

    def _success(
        self, job: Job, details: Mapping[str, Any], variables: Mapping[str, str], revision: Mapping[str, Any] | None
    ) -> Outcome:
        external_id = _external_id(job, details.get("externalExecutionId", ""))
        return Outcome(
            summary="" if job.executor == LAMBDA else details.get("summary", ""),
            external_id=external_id,
            external_url=execution_url(self._account, job.run, external_id),
            variables=variables,
            outputs=job.outputs,
            revision=_revision(job, revision),
        )

    def _new_id(self, run: ActionRun) -> str:
        name = f"{run.sim.plan.pipeline.name}/{run.id}/{len(self._jobs)}"
        return str(UUID(bytes=blake2b(name.encode(), digest_size=16).digest(), version=4))

    def _time_limit(self, run: ActionRun, executor: str) -> float | None:
        if executor == LAMBDA:
            return LAMBDA_JOB_TIMEOUT
        limit: float | None = self._account.custom_types.job_timeout(_type_key(run))
        return limit


def wait_for_job(
    account: Account, run: ActionRun, job: Job, hand_over: HandOver | None = None
) -> Generator[simpy.Event, Any, Outcome]:
    """Wait until a job, and every job that continues it, is answered or too late.

    A continuation token ends the job and not the action: some 30 seconds later a new job
    of the same action execution carries the token.

    Args:
        account: whose jobs they are.
        run: the action execution.
        job: the first job, open.
        hand_over: called with every job, the first included, where nobody polls for it; an
            outcome that it returns ends the action at once.
    """
    try:
        return (yield from _answers(account, run, job, hand_over))
    finally:
        account.jobs.forget(run)


def _answers(
    account: Account, run: ActionRun, job: Job, hand_over: HandOver | None
) -> Generator[simpy.Event, Any, Outcome]:
    deadline = run.sim.env.now + run.plan.timeout
    while True:
        if hand_over is not None and (outcome := hand_over(job)) is not None:
            job.expire()
            return outcome
        limit = deadline - run.sim.env.now
        if job.time_limit is not None:
            limit = min(limit, job.time_limit)
        yield job.finished | run.timer(limit)
        run.clear_timers()
        if run.ended:
            return SUCCEEDED
        if not job.finished.triggered:
            job.expire()
            return Outcome.failed(f"The job {job.id} was not answered within its limit of {limit:g} s.")
        answer = cast(Outcome | Continuation, job.finished.value)
        if isinstance(answer, Outcome):
            return answer
        _report_progress(run, answer)
        yield run.timer(run.sim.delays.continuation_tick)
        run.clear_timers()
        job = account.jobs.open(run, job.executor, answer.token)


def _report_progress(run: ActionRun, answer: Continuation) -> None:
    detail: dict[str, Any] = {}
    if answer.percent is not None:
        detail["percent"] = answer.percent
    if answer.summary:
        detail["summary"] = answer.summary
    if answer.external_id:
        detail["external_id"] = answer.external_id
    if detail:
        run.emit(EventKind.ACTION_PROGRESSED, **detail)


def _revision(job: Job, given: Mapping[str, Any] | None) -> dict[str, str] | None:
    """What a source worker fetched; actions of other categories pin no revision."""
    if given is None or job.run.plan.action.category != ActionCategory.SOURCE:
        return None
    revision = {"id": given["revision"], "change_id": given["changeIdentifier"]}
    if summary := given.get("revisionSummary"):
        revision["summary"] = summary
    return revision


def _external_id(job: Job, given: str) -> str:
    """What history shows: of Lambda jobs the function, whatever the function reports."""
    return job.run.configuration.get("FunctionName", "") if job.executor == LAMBDA else given


def _without_ids(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in parameters.items() if name not in ("jobId", "clientToken") and value is not None
    }


def _type_key(run: ActionRun) -> TypeKey:
    type_id = run.plan.action.type
    return (type_id.category, type_id.owner, type_id.provider, type_id.version)


def _no_such_type(type_id: Mapping[str, str], why: str) -> Refused:
    name = "/".join(type_id[part] for part in ("category", "owner", "provider", "version"))
    return Refused("ActionTypeNotFoundException", f"The action type {name} cannot be polled for: {why}")
