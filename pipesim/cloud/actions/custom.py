"""Custom and partners' actions: their work is a job that somebody outside polls for.

Source: CodePipeline User Guide, "Create and add a custom action in CodePipeline".
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

import simpy

from pipesim.cloud.codepipeline.jobs import CUSTOM, THIRD_PARTY, wait_for_job
from pipesim.engine.behaviours.work import work
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import JobStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Open a job for a worker of the customer's own and wait until it is answered."""
    return (yield from wait_for_job(account, run, account.jobs.open(run, CUSTOM)))


def act_partner(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Open a job for a partner.

    A partner's service lies outside the account, and most simulations have none: unless somebody
    polls for such jobs or has taken this one by then, the partner is assumed to answer after the duration that is
    assumed of the action.
    """
    job = account.jobs.open(run, THIRD_PARTY)
    if account.jobs.has_worker(run):
        return (yield from wait_for_job(account, run, job))
    assumed = run.sim.env.process(work(run))
    yield assumed | job.finished
    if job.status in (JobStatus.QUEUED, JobStatus.DISPATCHED):
        job.expire()
        return cast(Outcome, assumed.value)
    return (yield from wait_for_job(account, run, job))
