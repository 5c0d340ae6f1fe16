"""What really happened, as a trace: the history of a pipeline in a real account.

`history` reads what the AWS CLI and EventBridge tell, so that timeline, measures and critical path serve a real
pipeline; `pipesim.trace.history_export` writes a trace in the same shapes.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipesim.catalog.limits import APPROVAL_TIMEOUT
from pipesim.definition.model import Pipeline
from pipesim.errors import TraceError
from pipesim.formats.load import load
from pipesim.trace.events import Event, EventKind
from pipesim.trace.history_doors import Doors
from pipesim.trace.history_life import Life, Visit, complete, make_life
from pipesim.trace.history_pipeline import infer_pipeline
from pipesim.trace.history_records import ENDED, SAME, ActionRecord, Gathering, Records, moment
from pipesim.trace.history_sources import WAY_OUT, Source, records_of
from pipesim.trace.log import Trace
from pipesim.vocabulary import ApprovalStatus, RetryTrigger, StageRetryMode

K = EventKind
STAGE_KINDS = {
    "Succeeded": K.STAGE_SUCCEEDED,
    "Failed": K.STAGE_FAILED,
    "Stopped": K.STAGE_STOPPED,
    "Cancelled": K.STAGE_CANCELLED,
}
EXECUTION_KINDS = {
    "Succeeded": K.EXECUTION_SUCCEEDED,
    "Failed": K.EXECUTION_FAILED,
    "Stopped": K.EXECUTION_STOPPED,
    "Superseded": K.EXECUTION_SUPERSEDED,
    "Cancelled": K.EXECUTION_CANCELLED,
}
ACTION_KINDS = {"Succeeded": K.ACTION_SUCCEEDED, "Failed": K.ACTION_FAILED, "Abandoned": K.ACTION_ABANDONED}
AT_ONCE = 5.0
"""An automatic retry begins within this many seconds of the failure."""
CONCLUDED = "concluded from the history: nobody was inside, and yet executions waited"


def history(
    *sources: Source,
    pipeline: str | os.PathLike[str] | Mapping[str, Any] | Pipeline | None = None,
    taken: datetime | str | float | None = None,
) -> Trace:
    """Read the history of a real pipeline as a trace.

    The records may come in any order, in pages, with gaps and duplicates. What they do not tell is concluded and
    documented so: waiting at a stage's door (somebody else was inside, or a newer execution overtook it), a disabled
    transition (nobody was inside for more than a minute), retries (an action that ran again), the end of an action
    whose last record is missing. An approval is answered when its record last changed.

    Args:
        sources: what ``aws codepipeline list-action-executions``, ``aws codepipeline list-pipeline-executions`` or
            EventBridge wrote: paths of files or folders, JSON as text, or parsed JSON, boto3's answers included.
        pipeline: the declaration that ran, in any form that `pipesim.load` takes; None: it is inferred.
        taken: the moment at which the history was read, to which everything unfinished is known to have lasted;
            None: the latest moment that it names.

    Raises:
        SourceError: a source cannot be read, or is no history.
        TraceError: there is no execution in it, records contradict each other, or it names what the pipeline
            does not have.

    >>> from pipesim.trace.history_export import to_history
    >>> import pipesim
    >>> pipeline = pipesim.load("GitHub -> CodeBuild -> S3")
    >>> real = history(to_history(pipesim.simulate(pipeline, seed=1)), pipeline=pipeline)
    >>> real[-1].kind.value
    'ExecutionSucceeded'
    """
    declared = None if pipeline is None else load(pipeline)
    records = _gather(sources, declared)
    runs: dict[str, list[ActionRecord]] = defaultdict(list)
    for record in records.actions:
        runs[record.execution].append(record)
    for execution in records.executions.values():
        complete(execution, runs[execution.id])
    used = declared or infer_pipeline(records)
    found = (make_life(execution, runs[execution.id], used) for execution in records.executions.values())
    lives = sorted((life for life in found if life is not None), key=lambda life: (life.start, life.record.id))
    if not lives:
        raise TraceError("no record says when an execution started; add the lists of executions or of actions")
    return _Writer(used, lives, _end(records, taken)).write()


def _gather(sources: Sequence[Source], declared: Pipeline | None) -> Records:
    gathering = Gathering(None if declared is None else declared.name)
    for source in sources:
        for record in records_of(source):
            gathering.take(record)
    records = gathering.records()
    if not records.executions:
        of = "" if declared is None else f" of pipeline '{declared.name}'"
        raise TraceError(f"the history is empty: it names no execution{of}. {WAY_OUT}")
    if len(records.names) > 1:
        names = ", ".join(f"'{name}'" for name in sorted(records.names))
        raise TraceError(f"the events come from several pipelines ({names}); say which with pipeline=…")
    return records


def _end(records: Records, taken: datetime | str | float | None) -> float:
    if taken is None:
        return records.latest
    try:
        end = moment(taken)
    except ValueError:
        raise TraceError(f"taken={taken!r} is no moment; write ISO 8601 such as '2026-03-02T09:00:00Z'") from None
    if end < records.latest:
        late = datetime.fromtimestamp(records.latest, UTC).isoformat(timespec="seconds")
        raise TraceError(f"taken={taken!r} lies before the latest record, {late}")
    return end


class _Writer:
    """Writes the lives of all executions into one trace."""

    def __init__(self, pipeline: Pipeline, lives: Sequence[Life], end: float) -> None:
        self.pipeline = pipeline
        self.lives = lives
        self.origin = min(life.start for life in lives)
        self.end = max(end, *(time for life in lives for time in _times(life)))
        whole = all(time == int(time) for life in lives for time in _times(life))
        self.doors = Doors(pipeline, lives, 1.0 if whole else 0.001)
        self.approvals = {
            (stage.name, action.name): (
                APPROVAL_TIMEOUT if action.timeout_in_minutes is None else action.timeout_in_minutes * 60.0
            )
            for stage, action in pipeline.actions()
            if action.is_approval
        }
        self.retrying = {
            stage.name
            for stage in pipeline.stages
            if stage.on_failure is not None and str(stage.on_failure.result) == "RETRY"
        }
        self.lines: list[tuple[float, int, EventKind, str | None, str | None, str | None, int | None, dict[str, Any]]]
        self.lines = []
        self.closures: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
        self.number = 0

    def write(self) -> Trace:
        for number, life in enumerate(self.lives):
            self.number = number
            self._conclude_overtaken(life)
            self._write_life(life)
        self._write_closures()
        start = datetime.fromtimestamp(round(self.origin, 3), UTC).isoformat()
        events = [Event(0.0, 0, K.PIPELINE_CREATED, detail={"document": self.pipeline.to_document(), "start": start})]
        for seq, (time, _, *columns) in enumerate(sorted(self.lines, key=lambda line: line[:2]), start=1):
            events.append(Event(time, seq, *columns))  # type: ignore[arg-type]
        return Trace(events, end=max(round(self.end - self.origin, 3), events[-1].time))

    def _add(
        self,
        time: float,
        kind: EventKind,
        life: Life | None,
        stage: str | None = None,
        action: str | None = None,
        attempt: int | None = None,
        **detail: Any,
    ) -> None:
        order = -1 if life is None else self.number
        execution = None if life is None else life.record.id
        kept = {key: value for key, value in detail.items() if value not in (None, "", {})}
        self.lines.append((round(time - self.origin, 3), order, kind, execution, stage, action, attempt, kept))

    def _conclude_overtaken(self, life: Life) -> None:
        """An execution that no summary describes and that a newer one passed at a door was superseded there."""
        last = life.visits[-1] if life.visits else None
        ended = last is None or last.status == "Succeeded"
        if life.status != "InProgress" or life.record.status is not None or not ended:
            return
        stage = self.doors.next_stage(last)
        if stage is None or self.pipeline.execution_mode != "SUPERSEDED":
            return
        left = life.start if last is None or last.ended is None else last.ended
        time = self.doors.overtaken(self.number, stage, left)
        if time is not None:
            life.status, life.end = "Superseded", time

    def _write_life(self, life: Life) -> None:
        begun = len(self.lines)
        self._write_start(life)
        counts: dict[tuple[str, str], int] = defaultdict(int)
        attempt = 1
        left = life.start
        for place, visit in enumerate(life.visits):
            before = life.visits[place - 1] if place else None
            if before is not None and before.stage == visit.stage and visit.number > 1:
                attempt += 1
                self._write_retry(life, before, visit, attempt)
            else:
                if life.record.type != "ROLLBACK":
                    self._write_wait(life, visit.stage, left, visit.entered)
                self._add(visit.entered, K.STAGE_ENTERED, life, visit.stage)
            if place + 1 == len(life.visits) and visit.status == "Stopped":
                self._write_stopping(life, visit)
            self._write_runs(life, visit, counts)
            if visit.ended is not None:
                left = visit.ended
                if not self._goes_on_by_itself(life, place):
                    self._add(visit.ended, STAGE_KINDS[visit.status], life, visit.stage)
        self._write_end(life, left)
        self.lines[begun:] = sorted(self.lines[begun:], key=lambda line: line[0])

    def _write_start(self, life: Life) -> None:
        record = life.record
        versions = [run.version for visit in life.visits for run in visit.runs if run.version]
        change = next((str(one.get("revisionId") or "")[:7] for one in record.revisions), "")
        self._add(
            life.start,
            K.EXECUTION_STARTED,
            life,
            number=self.number + 1,
            version=record.version or next(iter(versions), self.pipeline.version),
            mode=record.mode or str(self.pipeline.execution_mode),
            trigger_type=record.trigger_type,
            trigger_detail=record.trigger_detail,
            change=change or record.id[:7],
            execution_type=record.type if record.type == "ROLLBACK" else None,
            rollback_target=record.rollback_target,
        )

    def _write_wait(self, life: Life, stage: str, left: float, until: float | None) -> None:
        """Write that an execution waited in front of a stage, and that the way was closed where nobody was inside."""
        wait = self.doors.wait(self.number, life, stage, left, self.end if until is None else until)
        if wait is None:
            return
        self._add(wait.begun, K.EXECUTION_WAITING, life, stage)
        if wait.free is not None:
            self.closures[stage].append((wait.free, until))

    def _write_closures(self) -> None:
        for stage, closures in self.closures.items():
            joined: list[list[float | None]] = []
            for closed, opened in sorted(closures, key=lambda pair: pair[0]):
                until = joined[-1][1] if joined else -1.0
                if joined and (until is None or closed <= until):
                    joined[-1][1] = None if until is None or opened is None else max(until, opened)
                else:
                    joined.append([closed, opened])
            for begin, finish in joined:
                assert begin is not None
                self._add(begin, K.TRANSITION_DISABLED, None, stage, reason=CONCLUDED, by="")
                if finish is not None:
                    self._add(finish, K.TRANSITION_ENABLED, None, stage, by="")

    def _goes_on_by_itself(self, life: Life, place: int) -> bool:
        """Whether the end of this stage execution was written by the automatic retry that follows."""
        following = life.visits[place + 1] if place + 1 < len(life.visits) else None
        return following is not None and self._is_automatic(life.visits[place], following)

    def _is_automatic(self, before: Visit, visit: Visit) -> bool:
        assert before.ended is not None
        return (
            visit.stage == before.stage
            and before.number == 1
            and visit.stage in self.retrying
            and visit.entered - before.ended <= AT_ONCE
        )

    def _write_retry(self, life: Life, before: Visit, visit: Visit, attempt: int) -> None:
        assert before.ended is not None
        earlier = [one for one in life.visits[: life.visits.index(visit)] if one.stage == visit.stage]
        done = {run.action for one in earlier for run in one.runs if run.status == "Succeeded"}
        mode = StageRetryMode.ALL_ACTIONS if done & {run.action for run in visit.runs} else None
        detail: dict[str, Any] = {"mode": (mode or StageRetryMode.FAILED_ACTIONS).value}
        if self._is_automatic(before, visit):
            self._add(before.ended, K.STAGE_FAILED, life, visit.stage, retry_pending=True)
            detail |= {"trigger": RetryTrigger.AUTOMATED_STAGE_RETRY.value, "automatic": 1, "manual": 0}
        else:
            self._add(before.ended, EXECUTION_KINDS[before.status], life)
            self._add(visit.entered, K.EXECUTION_RESUMED, life, visit.stage, attempt=attempt)
            detail |= {"trigger": RetryTrigger.MANUAL_STAGE_RETRY.value, "manual": visit.number - 1, "automatic": 0}
        self._add(visit.entered, K.STAGE_RESUMED, life, visit.stage, **detail)

    def _write_runs(self, life: Life, visit: Visit, counts: dict[tuple[str, str], int]) -> None:
        steps: list[tuple[float, int, int, ActionRecord, int]] = []
        for place, run in enumerate(visit.runs):
            counts[run.stage, run.action] += 1
            attempt = counts[run.stage, run.action]
            steps.append((run.begun, 1, place, run, attempt))
            if run.end is not None:
                steps.append((run.end, 0 if run.end > run.begun else 2, place, run, attempt))
        for _, phase, _, run, attempt in sorted(steps, key=lambda step: step[:3]):
            if phase == 1:
                self._write_run(life, run, attempt)
            else:
                self._write_run_end(life, run, attempt)

    def _write_run(self, life: Life, run: ActionRecord, attempt: int) -> None:
        place = (run.stage, run.action)
        self._add(
            run.begun,
            K.ACTION_STARTED,
            life,
            *place,
            attempt,
            id=run.id,
            inputs=dict(run.inputs),
            inferred=run.inferred,
        )
        if place in self.approvals:
            expires = round(run.begun - self.origin + self.approvals[place], 3)
            self._add(
                run.begun, K.APPROVAL_REQUESTED, life, *place, attempt, token=run.id or life.record.id, expires=expires
            )

    def _write_run_end(self, life: Life, run: ActionRecord, attempt: int) -> None:
        assert run.end is not None
        place = (run.stage, run.action)
        if place in self.approvals and self._was_answered(run):
            answer = ApprovalStatus.APPROVED if run.status == "Succeeded" else ApprovalStatus.REJECTED
            self._add(run.end, K.APPROVAL_ANSWERED, life, *place, attempt, status=answer.value, summary=run.summary)
        detail: dict[str, Any] = {
            "summary": run.summary,
            "external_id": run.external_id,
            "external_url": run.external_url,
        }
        if run.status == "Succeeded":
            revision = next((one for one in life.record.revisions if one.get("actionName") == run.action), None)
            if revision is not None and revision.get("revisionId"):
                detail["revision"] = {
                    "id": str(revision["revisionId"]),
                    "summary": str(revision.get("revisionSummary") or ""),
                }
            detail |= {"outputs": dict(run.outputs), "variables": dict(run.variables)}
        elif run.status == "Failed":
            detail |= {"code": run.code or "JobFailed", "message": run.message or run.summary}
        self._add(run.end, ACTION_KINDS[run.status], life, *place, attempt, **detail)

    def _was_answered(self, run: ActionRecord) -> bool:
        assert run.end is not None
        timed_out = run.status == "Failed" and run.end - run.begun >= self.approvals[run.stage, run.action] - SAME
        return run.status != "Abandoned" and not run.inferred and not timed_out

    def _write_stopping(self, life: Life, visit: Visit | None) -> None:
        record = life.record
        given_up = [] if visit is None else [run.end for run in visit.runs if run.status == "Abandoned" and run.end]
        time = record.stopping or min(given_up, default=life.end)
        assert time is not None and life.end is not None
        time = min(max(time, life.start), life.end)
        self._add(time, K.EXECUTION_STOPPING, life, reason=record.stop_reason, abandon=bool(given_up))
        if visit is not None:
            self._add(max(time, visit.entered), K.STAGE_STOPPING, life, visit.stage)

    def _write_end(self, life: Life, left: float) -> None:
        last = life.visits[-1] if life.visits else None
        stage = self.doors.next_stage(last) if last is None or last.status == "Succeeded" else None
        if stage is not None and life.record.type != "ROLLBACK" and life.status not in ("Succeeded", "Failed"):
            self._write_wait(life, stage, left, life.end)
        if life.status not in ENDED or life.end is None:
            return
        if life.status == "Stopped":
            if stage is not None or last is None:
                self._write_stopping(life, None)
            self._add(life.end, K.EXECUTION_STOPPED, life, stage, reason=life.record.stop_reason)
        elif life.status == "Superseded":
            by = self.doors.overtaker(self.number, stage, life.end) if stage is not None else None
            newer = self.lives[by].record.id if by is not None else ""
            self._add(life.end, K.EXECUTION_SUPERSEDED, life, stage, by=newer)
        else:
            summary = life.record.summary if life.status in ("Failed", "Cancelled") else None
            self._add(life.end, EXECUTION_KINDS[life.status], life, summary=summary)


def _times(life: Life) -> list[float]:
    found = [life.start]
    for visit in life.visits:
        found += [time for run in visit.runs for time in (run.start, run.end) if time is not None]
    return found if life.end is None else [*found, life.end]
