"""The Lambda invoke: the learner's own function is called with a job and reports its end.

The function runs for real (`pipesim.cloud.lambda_runner`) when the assumed duration is over, so that what
it does and reports stands at that moment. It runs as an asynchronous invocation: a call that raises or takes too
long is repeated after one minute and after two more. A function in another language than Python is not run:
it succeeds as assumed.
Source: AWS CodePipeline User Guide, "AWS Lambda invoke action reference" and "Invoke an AWS Lambda function in a
pipeline"; AWS Lambda Developer Guide, "Error handling for asynchronous invocation"; recorded answers of the
service for messages and ids.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.codepipeline.job_data import lambda_event
from pipesim.cloud.codepipeline.jobs import LAMBDA, wait_for_job
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.lambda_runner import is_runnable, run_function
from pipesim.cloud.permissions import require, role_client, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.cloud.codepipeline.job import Job
    from pipesim.engine.action import ActionRun

REPEATS = (60.0, 120.0)
"""Seconds before a failed asynchronous invocation is made again."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Call the function with a job, and wait until it is answered."""
    function = _find(account, run)
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    if is_runnable(function):
        job = account.jobs.open(run, LAMBDA)
        outcome = yield from wait_for_job(account, run, job, lambda job: _invoke(account, function, job, REPEATS))
    name = run.configuration["FunctionName"]
    return replace(outcome, external_id=name, external_url=execution_url(account, run, name))


def _find(account: Account, run: ActionRun) -> Any:
    """Return moto's record of the function.

    Raises:
        ActionFailed: it does not exist.
        ClientError: the role may not invoke it.
    """
    session = session_of(account, run)
    region = run.plan.action.region or account.region
    name = run.configuration["FunctionName"].split(":function:")[-1].split(":")[0]
    known = role_client(account, run, "lambda").get_paginator("list_functions").paginate()
    if not any(function["FunctionName"] == name for page in known for function in page["Functions"]):
        raise ActionFailed(
            f"The AWS Lambda function {run.configuration['FunctionName']} does not exist.",
            FailureType.CONFIGURATION_ERROR,
        )
    function = lambda_backends[session.account][region].get_function(name)
    require(session, "lambda:InvokeFunction", f"arn:aws:lambda:{region}:{session.account}:function:{name}")
    return function


def _invoke(account: Account, function: Any, job: Job, repeats: tuple[float, ...]) -> Outcome | None:
    """Call the function; when the call goes wrong, plan to do it again."""
    if job.is_over:
        return None
    attempt = len(REPEATS) - len(repeats)
    request_id = f"{job.id[:-1]}{attempt}" if attempt else job.id
    invocation = run_function(account, function, lambda_event(account, job), request_id)
    if invocation.error and repeats:
        again = job.run.sim.env.timeout(repeats[0])
        assert again.callbacks is not None
        again.callbacks.append(lambda _: _repeat(account, function, job, repeats[1:]))
    return None


def _repeat(account: Account, function: Any, job: Job, repeats: tuple[float, ...]) -> None:
    """Call the function again, unless its job is over or its artifacts can no longer be reached."""
    with suppress(ClientError):
        _invoke(account, function, job, repeats)
