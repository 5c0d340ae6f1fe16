"""The machine: one pipeline, its assumptions, one seed, and time that moves when told to.

Everything that happens is written into the trace by `Simulation.emit` and nowhere else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b, sha1
from typing import Any, cast
from uuid import UUID

from immutabledict import immutabledict
from simpy.core import EmptySchedule

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.streams import ROLLBACK_LOT, Streams
from pipesim.assumptions.units import days as in_days
from pipesim.assumptions.units import hours as in_hours
from pipesim.assumptions.units import minutes as in_minutes
from pipesim.definition.checking import check
from pipesim.definition.model import Pipeline
from pipesim.engine import handling
from pipesim.engine.action import ActionRun
from pipesim.engine.admission import ADMISSIONS
from pipesim.engine.arrivals import Source
from pipesim.engine.behaviours import Behaviour
from pipesim.engine.clock import Clock
from pipesim.engine.commands import Command, Start
from pipesim.engine.door import Door
from pipesim.engine.execution import Execution
from pipesim.engine.keys import artifact_key
from pipesim.engine.outcome import Outcome
from pipesim.engine.passage import Passage
from pipesim.engine.plan import ActionPlan, Plan, StagePlan, make_plan
from pipesim.engine.pools import PoolInUse
from pipesim.engine.process import live
from pipesim.errors import AssumptionError, DeclarationError, TraceError
from pipesim.trace.events import NOTHING, Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import Fold, PipelineState
from pipesim.vocabulary import (
    ExecutionType,
    PipelineExecutionStatus,
    StageExecutionStatus,
    TriggerType,
)

STEPS_BETWEEN_REPORTS = 2000


class Simulation:
    """One pipeline being simulated.

    Args:
        pipeline: the declaration; it must be free of problems.
        assumptions: what AWS does not write down; None: the catalog's.
        seed: the one number on which all luck hangs.
        executions: how many changes arrive at most; None: as many as the arrivals give.
        behaviours: what actions do, by ``Category/Provider``, where it is not the ordinary.
        sink: receives every event instead of the memory; None: `trace` keeps them.
        keep: how many finished executions stay known to commands; None: all.
        uuids: True: executions and actions are named by UUIDs, as the service does.
        account: the twelve digits of the account.
        region: where the pipeline lives.
        env: the clock to live by, where several pipelines share one; None: a clock of its own.
        pools: pools that several pipelines share; None: those of the assumptions.
        strict: refuse assumptions about actions that this declaration does not have; off where one set of
            assumptions serves several pipelines.

    Raises:
        DeclarationError: the declaration breaks rules.
        AssumptionError: an assumption names something that the declaration does not have.

    >>> import pipesim
    >>> sim = Simulation(pipesim.load("GitHub -> CodeBuild -> Manual Approval -> S3"), seed=1)
    >>> sim.advance(minutes=10)
    >>> sim.now
    600.0
    """

    def __init__(
        self,
        pipeline: Pipeline,
        assumptions: Assumptions | None = None,
        *,
        seed: int = 0,
        executions: int | None = None,
        behaviours: Mapping[str, Behaviour] | None = None,
        sink: Callable[[Event], object] | None = None,
        keep: int | None = None,
        uuids: bool = False,
        account: str = "111122223333",
        region: str = "us-east-1",
        env: Clock | None = None,
        pools: Mapping[str, PoolInUse] | None = None,
        strict: bool = True,
    ) -> None:
        refuse_problems(pipeline)
        self.assumptions = assumptions or Assumptions()
        self.seed = seed
        self.account: str = account
        self.region: str = region
        self.delays = self.assumptions.delays
        self.env = env or Clock()
        self.shows_action_ids = uuids
        self.head = 0
        self.newest_change = ""
        self.unfinished = 0
        self.last_start = 0.0
        self.executions: dict[str, Execution] = {}
        self.tokens: dict[str, str] = {}
        self.answered: dict[str, str] = {}
        self.broken: dict[str, Outcome] = {}
        self.streams = Streams(seed)
        self._behaviours = behaviours or {}
        self.doors: dict[str, Door] = {stage.name: Door(stage.name) for stage in pipeline.stages}
        self.admission = ADMISSIONS[pipeline.execution_mode]()
        if pools is None:
            pools = {name: PoolInUse(self.env, name, pool) for name, pool in self.assumptions.pools.items()}
        self.pools = pools
        self.plan: Plan = make_plan(
            pipeline, self.assumptions, self.streams, self._behaviours, self.pools, strict=strict
        )
        self._first_pipeline = pipeline
        self._started = 0
        self._rolled_back: Counter[str] = Counter()
        self._runs: Counter[str] = Counter()
        self._keep = keep
        self._finished: list[str] = []
        self._awaited = 0
        self._events: list[Event] = []
        self._count = 0
        self._record = self._events.append if sink is None else sink
        self._fold: Fold | None = None
        self._folded = 0
        start = self.assumptions.start
        created: dict[str, Any] = {"document": immutabledict(pipeline.to_document()), "start": start.isoformat()}
        if self.pools:
            created["pools"] = {name: pool.capacity for name, pool in self.pools.items()}
        self.emit(EventKind.PIPELINE_CREATED, detail=created)
        self._source = Source(self, executions)

    # --- time ------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return float(self.env.now)

    @property
    def clock(self) -> datetime:
        """The calendar moment of now, in UTC."""
        return self.assumptions.start + timedelta(seconds=self.env.now)

    def advance(
        self, to: float | None = None, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Let time pass: everything due up to that moment happens, and the simulation stands there.

        Args:
            to: seconds since the start.
            seconds, minutes, hours, days: or how far from now.

        Raises:
            AssumptionError: the moment lies in the past, or is no number.
            Refused: a scheduled command was refused; the simulation can go on.
        """
        if to is None:
            to = self.now + seconds + in_minutes(minutes) + in_hours(hours) + in_days(days)
        if not math.isfinite(to) or to < self.now:
            raise AssumptionError(f"cannot advance to {to} s: the simulation stands at {self.now} s")
        self.env.advance(to)

    @property
    def next_due(self) -> float:
        """When something is due next, in seconds since the start; infinite when nothing is without a command."""
        return float(self.env.peek())

    def run(self, progress: Callable[[Simulation], object] | None = None) -> None:
        """Go on until nothing can happen any more without a command.

        Args:
            progress: called now and then with the simulation, for a progress bar.
        """
        step = self.env.step
        while self.unfinished or self._awaited:
            try:
                for _ in range(STEPS_BETWEEN_REPORTS):
                    step()
                    if not (self.unfinished or self._awaited):
                        return
            except EmptySchedule:
                return
            if progress is not None:
                progress(self)

    @property
    def started(self) -> int:
        """How many executions have started so far."""
        return self._started

    # --- commands --------------------------------------------------------------------------------

    def send(self, command: Command) -> str | None:
        """Carry a command out now.

        Args:
            command: what to do.

        Returns:
            The execution's id for commands that start or resume one, else None.

        Raises:
            Refused: the service would refuse it; nothing has changed.
        """
        return handling.handle(self, command)

    def schedule(self, time: float, command: Command) -> None:
        """Carry a command out later.

        Args:
            time: seconds since the start.
            command: what to do then.

        Raises:
            AssumptionError: the time lies in the past.
        """
        if not math.isfinite(time) or time < self.now:
            raise AssumptionError(f"cannot schedule a command for {time} s: the simulation stands at {self.now} s")
        self.expect()
        event = self.env.timeout(time - self.now)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._carry_out(command))

    def expect(self, more: int = 1) -> None:
        """Note that `more` things will happen by themselves, so that `run` waits for them."""
        self._awaited += more

    # --- what is seen ----------------------------------------------------------------------------

    @property
    def trace(self) -> Trace:
        """All that has happened so far; TraceError when a sink receives it instead."""
        self._refuse_without_memory()
        return Trace(self._events, end=self.now)

    def events_from(self, seq: int) -> tuple[Event, ...]:
        """Return what has happened since: the events from this place on; the cost does not grow with history.

        Args:
            seq: the place of the first one wanted, from 0.
        """
        return tuple(self._events[seq:])

    @property
    def state(self) -> PipelineState:
        """What the console would show now; the cost does not grow with history.

        TraceError when a sink receives the events instead.
        """
        self._refuse_without_memory()
        if self._fold is None:
            self._fold = Fold(self._first_pipeline)
        for event in self._events[self._folded :]:
            self._fold.apply(event)
        self._folded = len(self._events)
        return self._fold.snapshot(self.now)

    # --- what the rooms of the engine call -------------------------------------------------------

    def emit(
        self,
        kind: EventKind,
        execution: str | None = None,
        stage: str | None = None,
        action: str | None = None,
        attempt: int | None = None,
        detail: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Write one event into the trace."""
        if type(detail) is not immutabledict:
            detail = immutabledict(detail) if detail else NOTHING
        record = (self.env.now, self._count, kind, execution, stage, action, attempt, detail)
        self._record(tuple.__new__(Event, record))
        self._count += 1

    def listen(self, listener: Callable[[Event], object]) -> None:
        """Tell a listener of every event from now on, as soon as it is written down.

        Args:
            listener: it must not send commands; what it wants done it schedules on the clock.
        """
        record = self._record

        def record_and_tell(event: Event) -> None:
            record(event)
            listener(event)

        self._record = record_and_tell

    @property
    def run_counts(self) -> Mapping[str, int]:
        """How often each action and rule has begun."""
        return self._runs

    def count_run(self, key: str) -> int:
        """Count one more run of an action or rule and return how many there were."""
        self._runs[key] += 1
        return self._runs[key]

    def action_id(self, execution: Execution, plan: ActionPlan, attempt: int) -> str:
        """Name an action execution."""
        name = f"{execution.id}/{plan.key}/{attempt}"
        return self._uuid(name) if self.shows_action_ids else name

    def rule_id(self, passage: Passage, gate: str, rule: str) -> dict[str, str]:
        """Name a rule execution, where executions are named by UUIDs."""
        if not self.shows_action_ids:
            return {}
        execution, stage = passage.execution, passage.plan.stage.name
        return {"id": self._uuid(f"{execution.id}/{stage}/{gate}/{rule}/{execution.attempt}")}

    def new_keys(self, run: ActionRun) -> dict[str, str]:
        """Return a new object key for every output artifact of an action's attempt."""
        action = run.plan.action
        pipeline = self.plan.pipeline.name
        return {
            artifact.name: artifact_key(pipeline, artifact.name, f"{self.seed}/{run.id}", action.category)
            for artifact in action.output_artifacts
        }

    def new_change(self) -> str:
        """A new change is there: return its label."""
        self.head += 1
        self.newest_change = sha1(f"{self.seed}/{self.head}".encode(), usedforsecurity=False).hexdigest()[:7]
        return self.newest_change

    def start(self, command: Start, *, arrived: float | None = None) -> Execution:
        """Start an execution; the command was found good."""
        execution = self._new_execution(command.change or self.new_change())
        if command.change:
            self.head += 1
            self.newest_change = command.change
            execution.head = self.head
        values = {v.name: v.default_value for v in self.plan.pipeline.variables}
        values.update((name, value) for name, value in dict(command.variables).items() if name in values)
        missing = [name for name, value in values.items() if value is None]
        execution.variables = immutabledict({} if missing else cast(dict[str, str], values))
        execution.revisions = command.revisions
        detail: dict[str, Any] = {"trigger_type": command.trigger_type, "change": execution.change}
        if command.trigger_detail is not None:
            detail["trigger_detail"] = command.trigger_detail
        if arrived is not None and arrived != self.now:
            detail["arrived"] = arrived
        if command.revisions:
            detail["revisions"] = {r.action: {"type": r.type, "value": r.value} for r in command.revisions}
        self._emit_start(execution, detail)
        if missing:
            summary = f"Values for required variables haven't been provided: {', '.join(missing)}"
            self.end(execution, PipelineExecutionStatus.FAILED, EventKind.EXECUTION_FAILED, {"summary": summary})
        elif self.is_full(but_for=1):
            self.end(execution, PipelineExecutionStatus.FAILED, EventKind.EXECUTION_FAILED)
        else:
            self.env.process(live(self, execution, self.plan.stages, delay=self.delays.start))
        return execution

    def is_full(self, but_for: int = 0) -> bool:
        """Whether the pipeline has as many unfinished executions as its mode allows."""
        return self.admission.limit is not None and self.unfinished - but_for >= self.admission.limit

    def resume(self, execution: Execution, stages: tuple[StagePlan, ...], passage: Passage | None) -> None:
        """Let an execution that had ended go on."""
        execution.status = PipelineExecutionStatus.IN_PROGRESS
        self.unfinished += 1
        self.env.process(live(self, execution, stages, passage))

    def roll_back(
        self,
        stage: StagePlan,
        target: Execution,
        trigger: TriggerType,
        trigger_detail: str,
        cause: Execution | None = None,
    ) -> Execution:
        """Start a rollback execution of one stage and let it in at once."""
        execution = self._new_execution(target.change)
        execution.index, execution.lot = self._rolled_back[stage.stage.name], ROLLBACK_LOT
        self._rolled_back[stage.stage.name] += 1
        execution.type = ExecutionType.ROLLBACK.value
        execution.target = target
        execution.cause = cause
        execution.variables = target.variables
        execution.revisions = target.revisions
        execution.source_revisions = dict(target.source_revisions)
        execution.outputs = dict(target.outputs)
        execution.artifacts = dict(target.artifacts)
        execution.sizes = dict(target.sizes)
        self._emit_start(
            execution,
            {
                "trigger_type": trigger.value,
                "trigger_detail": trigger_detail,
                "change": execution.change,
                "execution_type": ExecutionType.ROLLBACK.value,
                "rollback_target": target.id,
            },
        )
        passage = self._enter(execution, stage)
        self.env.process(live(self, execution, (stage,), passage))
        return execution

    def arrive(self, execution: Execution, stage: StagePlan) -> bool:
        """An execution wants to enter a stage: let it in, or let it wait; say whether it is in."""
        door = self.door(stage.stage.name)
        if self.admission.admits(door):
            self._displace(door, execution)
            self._enter(execution, stage)
            return True
        self._displace(door, execution)
        execution.door = door.stage
        execution.admission = self.env.event()
        door.waiting.append(execution)
        self.emit(EventKind.EXECUTION_WAITING, execution.id, door.stage)
        return False

    def admit(self, door: Door) -> None:
        """A door came free or was opened: let in whoever is next."""
        while (waiter := door.next_waiting()) is not None:
            if door.disabled_at is not None or (self.admission.has_locks and door.occupant is not None):
                return
            self.withdraw(waiter)
            stage = waiter.plan.stage(door.stage)
            assert stage is not None and waiter.admission is not None
            self._enter(waiter, stage)
            waiter.admission.succeed(True)

    def withdraw(self, execution: Execution) -> None:
        """Take an execution out of the line in which it waits."""
        assert execution.door is not None
        self.door(execution.door).waiting.remove(execution)
        execution.door = None

    def door(self, stage: str) -> Door:
        """The door of a stage; a stage that an update took away keeps one for those who are inside."""
        try:
            return self.doors[stage]
        except KeyError:
            return self.doors.setdefault(stage, Door(stage))

    def leave(self, execution: Execution, passage: Passage, status: StageExecutionStatus) -> bool:
        """A stage execution has ended: write it down, free the lock, and say whether the execution goes on."""
        passage.status = status
        execution.passage = None
        door = self.door(passage.plan.stage.name)
        passage.emit(_STAGE_ENDINGS[status])
        if status is StageExecutionStatus.SUCCEEDED and not passage.rollback:
            execution.completed.append(door.stage)
            del execution.passages[door.stage]
            if execution.type == ExecutionType.STANDARD:
                door.last_good = execution
        goes_on = status is StageExecutionStatus.SKIPPED or (
            status is StageExecutionStatus.SUCCEEDED and not passage.rollback
        )
        if not goes_on:
            self._end_inside(execution, passage, status)
        if door.occupant is execution:
            door.occupant = None
        if passage.rollback:
            self._roll_back_automatically(execution, passage, door)
        self.admit(door)
        return goes_on

    def stop_here(self, execution: Execution, stage: str | None = None) -> None:
        """End a stopping execution in which nothing runs."""
        detail = {"reason": execution.stop_reason} if execution.stop_reason else NOTHING
        self.end(execution, PipelineExecutionStatus.STOPPED, EventKind.EXECUTION_STOPPED, detail, stage)

    def succeed(self, execution: Execution) -> None:
        """End an execution that came through all its stages."""
        self.end(execution, PipelineExecutionStatus.SUCCEEDED, EventKind.EXECUTION_SUCCEEDED)

    def end(
        self,
        execution: Execution,
        status: PipelineExecutionStatus,
        kind: EventKind,
        detail: Mapping[str, Any] = NOTHING,
        stage: str | None = None,
    ) -> None:
        """Give an execution its final status."""
        execution.status = status
        execution.stopping = False
        execution.admission = None
        self.unfinished -= 1
        self.emit(kind, execution.id, stage, detail=detail)
        if self._keep is not None:
            self._forget_old(execution)

    def replace(self, pipeline: Pipeline) -> None:
        """Run another version of the declaration from now on."""
        self.plan = make_plan(pipeline, self.assumptions, self.streams, self._behaviours, self.pools, strict=False)
        self.admission = ADMISSIONS[pipeline.execution_mode]()
        for name in [name for name in self.doors if self.plan.stage(name) is None and not self.doors[name].occupant]:
            del self.doors[name]
        for stage in pipeline.stages:
            self.door(stage.name).last_good = None

    # --- inside ----------------------------------------------------------------------------------

    def _refuse_without_memory(self) -> None:
        if self._count and not self._events:
            raise TraceError("this simulation keeps no events: they went to its sink; read them there")

    def _carry_out(self, command: Command) -> None:
        self._awaited -= 1
        self.send(command)

    def arrived(self) -> None:
        """One of the things that were expected has happened."""
        self._awaited -= 1

    def _new_execution(self, change: str) -> Execution:
        self._started += 1
        self.last_start = self.now
        number = self._started
        name = self._uuid(f"execution {number}") if self.shows_action_ids else f"E{number}"
        execution = Execution(name, number, self.plan, change, self.head, number - 1 - self._rolled_back.total())
        self.executions[name] = execution
        self.unfinished += 1
        return execution

    def _emit_start(self, execution: Execution, detail: dict[str, Any]) -> None:
        detail = {
            "number": execution.number,
            "version": execution.plan.version,
            "mode": self.admission.mode.value,
            **detail,
        }
        if execution.variables:
            detail["variables"] = execution.variables
        self.emit(EventKind.EXECUTION_STARTED, execution.id, detail=detail)

    def _displace(self, door: Door, newcomer: Execution) -> None:
        old = self.admission.displaced(door)
        if old is None:
            return
        self.withdraw(old)
        admission = old.admission
        self.end(
            old, PipelineExecutionStatus.SUPERSEDED, EventKind.EXECUTION_SUPERSEDED, {"by": newcomer.id}, door.stage
        )
        assert admission is not None
        admission.succeed(False)

    def _enter(self, execution: Execution, stage: StagePlan) -> Passage:
        door = self.door(stage.stage.name)
        if self.admission.has_locks:
            door.occupant = execution
        door.latest = execution
        passage = Passage(self, execution, stage)
        execution.passage = passage
        execution.passages[door.stage] = passage
        passage.emit(EventKind.STAGE_ENTERED)
        return passage

    def _end_inside(self, execution: Execution, passage: Passage, status: StageExecutionStatus) -> None:
        if status is StageExecutionStatus.STOPPED:
            self.stop_here(execution)
        elif status is StageExecutionStatus.CANCELLED:
            self.end(execution, PipelineExecutionStatus.CANCELLED, EventKind.EXECUTION_CANCELLED)
        else:
            self.end(execution, PipelineExecutionStatus.FAILED, EventKind.EXECUTION_FAILED)

    def _roll_back_automatically(self, execution: Execution, passage: Passage, door: Door) -> None:
        target = door.last_good
        stage = self.plan.stage(door.stage)
        if target is execution:
            target = None
        if target is None or stage is None or execution.type == ExecutionType.ROLLBACK:
            return
        detail = f'{{"FailedPipelineExecutionId":"{execution.id}"}}'
        self.roll_back(stage, target, TriggerType.AUTOMATED_ROLLBACK, detail, execution)

    def _forget_old(self, execution: Execution) -> None:
        assert self._keep is not None
        self._finished.append(execution.id)
        if len(self._finished) > 2 * self._keep:
            for name in self._finished[: -self._keep]:
                self.executions.pop(name, None)
            del self._finished[: -self._keep]

    def _uuid(self, name: str) -> str:
        digest = blake2b(f"{self.seed}/{name}".encode(), digest_size=16).digest()
        return str(UUID(bytes=digest, version=4))


_STAGE_ENDINGS = {
    StageExecutionStatus.SUCCEEDED: EventKind.STAGE_SUCCEEDED,
    StageExecutionStatus.FAILED: EventKind.STAGE_FAILED,
    StageExecutionStatus.STOPPED: EventKind.STAGE_STOPPED,
    StageExecutionStatus.SKIPPED: EventKind.STAGE_SKIPPED,
    StageExecutionStatus.CANCELLED: EventKind.STAGE_CANCELLED,
}


def refuse_problems(pipeline: Pipeline) -> None:
    """Raise DeclarationError when a declaration breaks rules, or is none."""
    if not isinstance(pipeline, Pipeline):
        raise DeclarationError(
            f"a {type(pipeline).__name__} is no pipeline: pipesim.load makes one of a declaration, a file or a sketch"
        )
    problems = check(pipeline)
    if problems:
        more = f" (and {len(problems) - 1} more: see pipesim.check)" if len(problems) > 1 else ""
        raise DeclarationError(f"pipeline '{pipeline.name}' cannot run: {problems[0]}{more}", problems)
