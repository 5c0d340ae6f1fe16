"""What happened in one replication as a plain set of facts, told by the engine's trace and by the fast path."""

from __future__ import annotations

import math

import numpy as np

from pipesim.trace.events import EventKind as K
from pipesim.trace.log import Trace
from pipesim.whatif.vectorised import STATUSES, Result

ENDINGS = {
    K.EXECUTION_SUCCEEDED: "Succeeded",
    K.EXECUTION_FAILED: "Failed",
    K.EXECUTION_SUPERSEDED: "Superseded",
}
ACTIONS = {K.ACTION_SUCCEEDED: "succeeded", K.ACTION_FAILED: "failed", K.APPROVAL_ANSWERED: "answered"}


def engine_story(trace: Trace) -> set[tuple]:
    """Return the facts of a trace."""
    facts: set[tuple] = set()
    for event in trace:
        name, kind = event.execution, event.kind
        if kind is K.EXECUTION_STARTED:
            target = event.detail.get("rollback_target")
            facts.add((name, "started", event.time, event.detail.get("arrived", event.time), target))
        elif kind in ENDINGS:
            facts.add((name, ENDINGS[kind], event.time, event.detail.get("by")))
        elif kind is K.STAGE_ENTERED:
            facts.add((name, "entered", event.stage, event.time))
        elif kind is K.STAGE_SUCCEEDED or kind is K.STAGE_FAILED:
            word = "retried" if event.detail.get("retry_pending") else "left"
            facts.add((name, word, event.stage, event.time, kind is K.STAGE_FAILED))
        elif kind is K.ACTION_STARTED:
            facts.add((name, "began", event.stage, event.action, event.attempt, event.time))
        elif kind in ACTIONS:
            facts.add((name, ACTIONS[kind], event.stage, event.action, event.attempt, event.time))
    return facts


def fast_story(result: Result, place: int) -> set[tuple]:
    """Return the facts of one replication of a block."""
    facts: set[tuple] = set()
    names = [f"E{number + 1}" for number in result.numbers[place]]
    started, arrived = result.started[place], result.arrived[place]
    status, ended, by = result.status[place], result.ended[place], result.superseded_by[place]
    targets = result.rollback_target[place]
    for row in np.flatnonzero(np.isfinite(started)):
        target = None if targets[row] < 0 else names[targets[row]]
        facts.add((names[row], "started", started[row], arrived[row], target))
        if status[row] > 0:
            replacement = names[by[row]] if by[row] >= 0 else None
            facts.add((names[row], STATUSES[status[row]].value, ended[row], replacement))
        else:
            assert math.isinf(ended[row])
    for number, stage in enumerate(result.pipeline.stages):
        entered, left = result.entered(number)[place], result.left(number)[place]
        failed, retried = result.stage_failed(number)[place], result.retried(number)[place]
        for row in np.flatnonzero(np.isfinite(entered)):
            facts.add((names[row], "entered", stage.name, entered[row]))
            if math.isfinite(left[row]):
                facts.add((names[row], "left", stage.name, left[row], bool(failed[row])))
            if math.isfinite(retried[row]):
                facts.add((names[row], "retried", stage.name, retried[row], True))
        for (action, attempt), times in result.attempts(number).items():
            for row in np.flatnonzero(np.isfinite(times.started[place])):
                begun, end = times.started[place, row], times.ended[place, row]
                facts.add((names[row], "began", stage.name, action, attempt, begun))
                if math.isfinite(end):
                    word = "failed" if times.failed[place, row] else "succeeded"
                    facts.add((names[row], word, stage.name, action, attempt, end))
                if times.answered is not None and math.isfinite(times.answered[place, row]):
                    facts.add((names[row], "answered", stage.name, action, attempt, times.answered[place, row]))
    return facts
