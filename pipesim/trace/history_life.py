"""The life of one real execution: its records put in order, its stage executions, its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipesim.definition.model import Pipeline
from pipesim.errors import TraceError
from pipesim.trace.history_records import DONE, ENDED, SAME, ActionRecord, ExecutionRecord

STAGE_ENDS = {
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "STOPPED": "Stopped",
    "CANCELED": "Cancelled",
}


@dataclass(slots=True)
class Visit:
    """One execution inside one stage, from entering, or from a retry, to the end.

    Attributes:
        runs: the attempts of its actions, by start.
        entered: when it began.
        ended: when it ended; None while it goes on.
        status: InProgress, Succeeded, Failed, Stopped or Cancelled.
        number: 1 for the first time in this stage, 2 for its first retry.
    """

    stage: str
    runs: list[ActionRecord] = field(default_factory=list)
    entered: float = 0.0
    ended: float | None = None
    status: str = "InProgress"
    number: int = 1

    @property
    def running(self) -> bool:
        """Whether an action has not ended."""
        return any(run.end is None for run in self.runs)

    @property
    def troubled(self) -> bool:
        """Whether an action failed or was given up."""
        return any(run.status in ("Failed", "Abandoned") for run in self.runs)

    @property
    def last(self) -> float:
        """When its last action ended, or the stage began."""
        return max((run.end for run in self.runs if run.end is not None), default=self.entered)


@dataclass(slots=True)
class Life:
    """One execution with its stage executions in order."""

    record: ExecutionRecord
    start: float
    visits: list[Visit]
    status: str
    end: float | None


def complete(execution: ExecutionRecord, runs: list[ActionRecord]) -> None:
    """Give every attempt of an execution a start and, where something else came after it, an end.

    Args:
        execution: what is known of the execution.
        runs: the attempts of its actions; they are changed.

    Raises:
        TraceError: the times contradict each other.
    """
    for run in runs:
        if run.start is not None and run.end is not None and run.end < run.start:
            if run.start - run.end > SAME:
                raise TraceError(
                    f"action execution {run.id or run.key} of {run.execution} ends {run.start - run.end:g} s before "
                    "it starts; correct its startTime or lastUpdateTime"
                )
            run.end = run.start
    for run in runs:
        if run.start is None:
            assert run.end is not None
            earlier = [other.end for other in runs if other is not run and other.end is not None]
            known = [time for time in earlier if time <= run.end]
            begin = execution.start if execution.start is not None and execution.start <= run.end else run.end
            run.start, run.inferred = max([begin, *known]), "start"
    runs.sort(key=lambda run: (run.begun, run.key))
    for place, run in enumerate(runs):
        if run.end is not None:
            continue
        later = [other.begun for other in runs[place + 1 :] if other.stage != run.stage or other.action == run.action]
        if later:
            run.end, run.inferred = min(later), "end"
            again = any(other.action == run.action and other.stage == run.stage for other in runs[place + 1 :])
            run.status = "Failed" if again else "Succeeded"
        elif execution.status in ENDED and execution.updated >= run.begun:
            run.end, run.inferred = execution.updated, "end"
            run.status = "Succeeded" if execution.status == "Succeeded" else _how(execution, runs)
    if runs and execution.start is not None and runs[0].begun < execution.start:
        gap = execution.start - runs[0].begun
        if gap > SAME:
            raise TraceError(
                f"action execution {runs[0].id or runs[0].key} starts {gap:g} s before its execution {execution.id}; "
                "correct a startTime"
            )
        execution.start = runs[0].begun


def make_life(execution: ExecutionRecord, runs: Sequence[ActionRecord], pipeline: Pipeline) -> Life | None:
    """Put the completed records of one execution together; None when no record says when it was.

    Args:
        execution: what is known of it.
        runs: the attempts of its actions, by start.
        pipeline: the declaration.

    Raises:
        TraceError: a record names a stage or an action that the pipeline does not have.
    """
    start = execution.start
    if start is None:
        times = [runs[0].begun] if runs else [time for time, _, _ in execution.stages]
        if not times:
            return None
        start = min(times)
    visits = _visits(runs)
    _use_stage_events(visits, execution, pipeline)
    for visit, following in pairwise(visits):
        visit.ended = min(visit.last if visit.ended is None else visit.ended, following.entered)
        if visit.status not in ENDED:
            visit.status = "Failed" if following.stage == visit.stage or visit.troubled else "Succeeded"
    _check(visits, execution, pipeline)
    start = min([start, *(visit.entered for visit in visits)])
    life = Life(execution, start, visits, "InProgress", None)
    _finish(life, pipeline)
    return life


def _how(execution: ExecutionRecord, runs: Sequence[ActionRecord]) -> str:
    failed = any(run.status == "Failed" for run in runs)
    return "Failed" if execution.status == "Failed" and not failed else "Abandoned"


def _visits(runs: Sequence[ActionRecord]) -> list[Visit]:
    """Cut the attempts into stage executions: a repeated action, or one after a failure has ended, begins a retry."""
    visits: list[Visit] = []
    counts: dict[str, int] = {}
    for run in runs:
        current = visits[-1] if visits else None
        if current is None or current.stage != run.stage or _begins_retry(run, current, visits):
            counts[run.stage] = counts.get(run.stage, 0) + 1
            current = Visit(run.stage, entered=run.begun, number=counts[run.stage])
            visits.append(current)
        current.runs.append(run)
    return visits


def _begins_retry(run: ActionRecord, current: Visit, visits: Sequence[Visit]) -> bool:
    if any(other.action == run.action for other in current.runs):
        return True
    seen = any(other.action == run.action for visit in visits if visit.stage == run.stage for other in visit.runs)
    over = not current.running and current.last <= run.begun
    return seen and over and current.troubled


def _use_stage_events(visits: list[Visit], execution: ExecutionRecord, pipeline: Pipeline) -> None:
    """Let EventBridge's stage events say when a stage began and ended, where they know more than the actions."""
    places = {stage.name: place for place, stage in enumerate(pipeline.stages)}
    told: list[Visit] = []
    for time, stage, state in sorted(execution.stages, key=lambda entry: (entry[0], entry[2] not in STAGE_ENDS)):
        open_one = next((one for one in reversed(told) if one.stage == stage and one.ended is None), None)
        if state in ("STARTED", "RESUMED"):
            if open_one is None or time - open_one.entered > SAME:
                told.append(Visit(stage, entered=time))
        elif state in STAGE_ENDS and open_one is not None:
            open_one.ended, open_one.status = time, STAGE_ENDS[state]
    for one in told:
        match = next(
            (
                visit
                for visit in visits
                if visit.stage == one.stage
                and visit.entered >= one.entered - SAME
                and (one.ended is None or visit.entered <= one.ended + SAME)
            ),
            None,
        )
        if match is None:
            if one.stage in places and not any(visit.stage == one.stage for visit in visits):
                visits.append(one)
            continue
        if match.entered - one.entered > SAME:
            match.entered = one.entered
        if one.ended is not None and not match.running:
            match.status = one.status
            match.ended = one.ended if one.ended - match.last > SAME else match.last
    visits.sort(key=lambda visit: (visit.entered, places.get(visit.stage, 0)))


def _check(visits: Sequence[Visit], execution: ExecutionRecord, pipeline: Pipeline) -> None:
    for visit in visits:
        stage = next((stage for stage in pipeline.stages if stage.name == visit.stage), None)
        known = {action.name for action in stage.actions} if stage is not None else set()
        for name in [run.action for run in visit.runs] or ([] if stage is not None else [""]):
            if name not in known:
                raise TraceError(
                    f"execution {execution.id} ran {visit.stage}/{name}, which pipeline '{pipeline.name}' does not "
                    "have; leave pipeline away to infer it from the history, or give the version that ran"
                )


def _finish(life: Life, pipeline: Pipeline) -> None:
    """Say how the execution and its last stage execution ended."""
    record, last = life.record, life.visits[-1] if life.visits else None
    status = record.status if record.status in ENDED else None
    if last is None:
        life.status = status or "InProgress"
        life.end = record.updated if status else None
        return
    if last.running:
        last.ended, last.status = None, "InProgress"
        return
    reached = last.last if last.ended is None else last.ended
    stale = status is not None and record.updated < last.last - SAME
    if stale or status is None:
        status = _conclude(life, last, pipeline)
        if status is None:
            if last.status not in ENDED and _is_complete(life, last, pipeline):
                last.ended, last.status = reached, "Succeeded"
            return
        life.status, life.end = status, reached
    else:
        life.status, life.end = status, max(record.updated, reached)
    if last.status in ENDED:
        last.ended = reached
    elif life.status == "Failed":
        last.status, last.ended = "Failed", reached if last.troubled else life.end
    elif life.status == "Stopped":
        waited = life.end - last.last > SAME and not last.troubled and _is_complete(life, last, pipeline)
        last.status, last.ended = ("Succeeded", reached) if waited else ("Stopped", life.end)
    elif life.status == "Cancelled":
        last.status, last.ended = "Cancelled", reached
    else:
        last.status, last.ended = "Succeeded", reached


def _conclude(life: Life, last: Visit, pipeline: Pipeline) -> str | None:
    """The execution's status where no summary tells it: Failed, Succeeded, or None for one that goes on."""
    if last.status == "Failed" or last.troubled:
        return "Failed"
    final = pipeline.stages[-1].name if life.record.type != "ROLLBACK" else last.stage
    return "Succeeded" if last.stage == final and _is_complete(life, last, pipeline) else None


def _is_complete(life: Life, last: Visit, pipeline: Pipeline) -> bool:
    stage = next(stage for stage in pipeline.stages if stage.name == last.stage)
    done = {
        run.action
        for visit in life.visits
        if visit.stage == last.stage
        for run in visit.runs
        if run.status == "Succeeded"
    }
    return last.status == "Succeeded" or {action.name for action in stage.actions} <= done


def is_done(run: ActionRecord) -> bool:
    """Whether an attempt has ended."""
    return run.status in DONE and run.end is not None
