"""Laws that every trace keeps, whatever the pipeline, the luck and the commands."""

from __future__ import annotations

import itertools
from collections import Counter

from pipesim.trace.events import EventKind as K
from pipesim.trace.log import Trace

ACTION_ENDS = {K.ACTION_SUCCEEDED, K.ACTION_FAILED, K.ACTION_ABANDONED}
STAGE_ENDS = {K.STAGE_SUCCEEDED, K.STAGE_FAILED, K.STAGE_STOPPED, K.STAGE_SKIPPED, K.STAGE_CANCELLED}
FINAL = {
    K.EXECUTION_SUCCEEDED, K.EXECUTION_FAILED, K.EXECUTION_SUPERSEDED, K.EXECUTION_CANCELLED, K.EXECUTION_STOPPED,
}  # fmt: skip


def check_laws(trace: Trace, *, finished: bool) -> None:
    """Assert every law.

    Args:
        trace: what happened.
        finished: whether the simulation ran to its end, so that nothing may be left open.
    """
    time_never_runs_back(trace)
    every_started_action_ends_once(trace, finished=finished)
    one_execution_in_a_locked_stage(trace)
    only_waiting_executions_are_superseded(trace)
    final_states_change_by_retry_alone(trace)
    queued_keeps_the_order(trace)


def time_never_runs_back(trace: Trace) -> None:
    for before, after in itertools.pairwise(trace):
        assert before.time <= after.time
        assert before.seq + 1 == after.seq


def every_started_action_ends_once(trace: Trace, *, finished: bool) -> None:
    open_actions: set[tuple] = set()
    for event in trace:
        key = (event.execution, event.stage, event.action, event.attempt)
        if event.kind is K.ACTION_STARTED:
            assert key not in open_actions
            open_actions.add(key)
        elif event.kind in ACTION_ENDS:
            assert key in open_actions, event
            open_actions.remove(key)
    assert not (finished and open_actions)


def one_execution_in_a_locked_stage(trace: Trace) -> None:
    mode = trace.pipeline.execution_mode
    inside: dict[str, str] = {}
    for event in trace:
        if event.kind is K.PIPELINE_UPDATED:
            mode = event.detail["document"]["executionMode"]
        if mode == "PARALLEL":
            return
        if event.kind is K.STAGE_ENTERED or event.kind is K.STAGE_RESUMED:
            assert inside.get(event.stage) in (None, event.execution), event
            inside[event.stage] = event.execution
        elif event.kind in STAGE_ENDS and not event.detail.get("retry_pending"):
            assert inside.pop(event.stage) == event.execution


def only_waiting_executions_are_superseded(trace: Trace) -> None:
    waiting: dict[str, str] = {}
    for event in trace:
        if event.kind is K.EXECUTION_WAITING:
            waiting[event.execution] = event.stage
        elif event.kind is K.EXECUTION_SUPERSEDED:
            assert waiting[event.execution] == event.stage
        elif event.kind is K.STAGE_ENTERED:
            waiting.pop(event.execution, None)


def final_states_change_by_retry_alone(trace: Trace) -> None:
    over: Counter[str] = Counter()
    for event in trace:
        if event.execution is None:
            continue
        if event.kind in FINAL:
            assert not over[event.execution], event
            over[event.execution] = 1
        elif event.kind is K.EXECUTION_RESUMED:
            over[event.execution] = 0
        elif event.kind not in (K.CONDITION_OVERRIDDEN, K.STAGE_OVERRIDDEN):
            assert not over[event.execution], event


def queued_keeps_the_order(trace: Trace) -> None:
    """In QUEUED mode those who wait in front of a stage enter in the order in which they came."""
    if trace.pipeline.execution_mode != "QUEUED" or any(e.kind is K.PIPELINE_UPDATED for e in trace):
        return
    line: dict[str, list[str]] = {}
    for event in trace:
        queue = line.setdefault(event.stage or "", [])
        if event.kind is K.EXECUTION_WAITING:
            queue.append(event.execution)
        elif event.kind is K.EXECUTION_STOPPED and event.execution in queue:
            queue.remove(event.execution)
        elif event.kind is K.STAGE_ENTERED and event.execution in queue:
            assert queue.pop(0) == event.execution
