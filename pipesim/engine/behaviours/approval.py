"""Manual approval: ask, wait for a person or the time limit, go on at the next tick.

Source: CodePipeline User Guide, "Manage approval actions"; that an answer moves the
pipeline on only about 30 seconds later was seen in recorded answers of the service.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import simpy

from pipesim.engine.outcome import Outcome
from pipesim.trace.events import EventKind
from pipesim.vocabulary import ApprovalStatus, FailureType

if TYPE_CHECKING:
    from pipesim.engine.action import ActionRun


def wait_for_approval(run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Ask for an approval and wait for its answer."""
    env = run.sim.env
    run.answer = env.event()
    run.sim.answered.pop(run.plan.key, None)
    deadline = run.timer(run.plan.timeout)
    run.emit(EventKind.APPROVAL_REQUESTED, token=run.id, expires=env.now + run.plan.timeout)
    _ask_the_approver(run)
    yield run.answer | deadline
    run.clear_timers()
    if not run.answer.triggered:
        return Outcome.failed("The approval was not answered in time: approval actions time out as failed.")
    status, summary = cast(tuple[ApprovalStatus, str], run.answer.value)
    if run.sim.delays.approval_tick:
        yield env.timeout(run.sim.delays.approval_tick)
    if status == ApprovalStatus.APPROVED:
        return Outcome(summary=summary, external_id=run.id)
    return Outcome(failure=FailureType.JOB_FAILED, message=summary, summary=summary, external_id=run.id)


def _ask_the_approver(run: ActionRun) -> None:
    """Let the modelled approver, if there is one, answer in working time."""
    plan, sim = run.plan, run.sim
    approver = plan.approver
    if approver is None or plan.response is None:
        return
    index, attempt = run.execution.index, run.execution.lot + run.attempt
    response = plan.response.draw(index, attempt)
    if approver.hours is not None:
        asked = sim.clock
        answered = approver.hours.advance(asked, response)
        response = (answered - asked) / timedelta(seconds=1)
    rejected = run.ordinal in approver.rejects_on or (
        plan.odds is not None and plan.odds.draw(index, attempt) < approver.rejects
    )
    status = ApprovalStatus.REJECTED if rejected else ApprovalStatus.APPROVED
    answer = run.timer(response)
    assert answer.callbacks is not None
    answer.callbacks.append(lambda _: run.reply(status, "", approver.name))
