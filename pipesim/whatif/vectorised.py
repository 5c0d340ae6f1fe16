"""The fast path: many replications at once as arrays, equal to the engine event for event.

Both read the same draws (`pipesim.assumptions.streams.Family`). `can_run` says whether a model is one of those
that it can run; `run` computes when everybody started, entered and left every stage, and how each execution ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.model import Assumptions
from pipesim.catalog.limits import CONCURRENT_EXECUTIONS
from pipesim.definition.model import Pipeline
from pipesim.engine.simulation import refuse_problems
from pipesim.errors import AssumptionError
from pipesim.vocabulary import ExecutionMode, PipelineExecutionStatus
from pipesim.whatif.careful import (
    ABSENT,
    FAILED,
    IN_PROGRESS,
    SPARE_ROWS,
    SUCCEEDED,
    SUPERSEDED,
    AnyPassages,
    Careful,
    Lives,
)
from pipesim.whatif.doors import Passages, pass_freely, pass_queued, pass_superseded
from pipesim.whatif.draws import Draws
from pipesim.whatif.readiness import CannotRun, FastStage, fast_stages
from pipesim.whatif.starts import find_starts
from pipesim.whatif.swift import Flow, swift_freely, swift_queued, swift_superseded
from pipesim.whatif.walk import Attempts, Guide, Walked

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]
Whole = NDArray[np.int64]
NEVER = np.inf
STATUSES = (
    PipelineExecutionStatus.IN_PROGRESS,
    PipelineExecutionStatus.SUCCEEDED,
    PipelineExecutionStatus.FAILED,
    PipelineExecutionStatus.SUPERSEDED,
)
"""What the codes of `Result.status` mean."""
KEPT = 32
LARGEST_PIECE = 2**25 - 2**16


@dataclass(frozen=True, slots=True)
class ActionTimes:
    """One attempt of one action by every execution of every replication: a row a replication, a column an execution.

    Attributes:
        started: seconds since the start; infinite where it never began.
        ended: seconds; infinite where it never ended.
        answered: when an approval was answered; None for other actions, infinite where nobody answered.
        failed: which of those that ended failed.
    """

    started: Times
    ended: Times
    answered: Times | None
    failed: Flags


@dataclass(frozen=True)
class Result:
    """What happened in a block of replications.

    Arrays have a row a replication and a column an execution, in the order in which executions start; replications
    with fewer executions are padded. Times are seconds since the start; what never happened is infinite.

    Attributes:
        pipeline: the declaration.
        assumptions: what was assumed.
        first: the number of the first replication.
        until: when nobody looked any more; None: everything came to its end.
    """

    pipeline: Pipeline
    assumptions: Assumptions
    first: int
    until: float | None
    _last_change: Times
    _guides: tuple[Guide, ...]
    _lives: Lives

    @property
    def undecided(self) -> Flags:
        """Which replications only the engine can tell, because the order of simultaneous events matters."""
        return self._lives.undecided

    @cached_property
    def _endings(self) -> tuple[Times, Codes]:
        if self._lives.finished is None or self._lives.codes is None:
            return endings(self._lives.started, self._lives.passages)
        return self._lives.finished, self._lives.codes

    @property
    def replications(self) -> int:
        """How many replications there are."""
        return int(self._lives.started.shape[1])

    @property
    def executions(self) -> int:
        """The largest number of executions that a replication has."""
        return len(self._lives.started)

    @property
    def started(self) -> Times:
        """When each execution started."""
        return self._lives.started.T / 1000.0

    @property
    def arrived(self) -> Times:
        """When the change of each execution arrived: earlier than `started` where a poll had to find it."""
        return self._lives.arrived.T / 1000.0

    @property
    def status(self) -> Codes:
        """How each execution stands at the end: a place in `STATUSES`, or -1 where there is none."""
        return self.codes.T

    @property
    def ended(self) -> Times:
        """When each execution came to its end."""
        return self.finished.T / 1000.0

    @cached_property
    def horizon(self) -> float:
        """The last moment that is looked at, in milliseconds; infinite when everything came to its end."""
        return NEVER if self.until is None else self.until * 1000.0

    @cached_property
    def codes(self) -> Codes:
        """The statuses, a row an execution."""
        if self.until is None:
            return self._endings[1]
        open_still = np.isfinite(self._lives.started) & (self._endings[0] > self.horizon)
        return np.where(open_still, np.int8(IN_PROGRESS), self._endings[1])

    @cached_property
    def finished(self) -> Times:
        """When executions came to their end, in milliseconds, a row an execution."""
        return self._cut(self._endings[0])

    @cached_property
    def ends(self) -> Times:
        """When each replication ended, in seconds: `until`, or its last event."""
        if self.until is not None:
            return np.full(self.replications, float(self.until))
        last = np.where(np.isfinite(self._endings[0]), self._endings[0], 0.0).max(axis=0, initial=0.0)
        ends: Times = np.maximum(last, self._last_change) / 1000.0
        return ends

    @property
    def superseded_by(self) -> Whole:
        """The column of the execution that superseded each one; -1 where none did."""
        by = np.full(self._lives.started.shape, -1, dtype=np.int64)
        for passages in self._lives.passages:
            if passages.superseded is None:
                continue
            following = np.full(self.replications, -1)
            for row in range(self.executions - 1, -1, -1):
                gone = passages.superseded[row] & (self.codes[row] == SUPERSEDED)
                by[row, gone] = following[gone]
                following[np.isfinite(passages.reached[row]) & (self._lives.target[row] < 0)] = row
        return by.T

    @property
    def rollback_target(self) -> Whole:
        """The column of the execution whose stage a rollback runs again; -1 for everything that is no rollback."""
        return self._lives.target.T

    def reached(self, stage: int) -> Times:
        """When each execution reached the door of a stage, by the stage's place."""
        return self._cut(self._lives.passages[stage].reached).T / 1000.0

    def entered(self, stage: int) -> Times:
        """When each execution entered a stage."""
        return self._cut(self.entries(stage)).T / 1000.0

    def left(self, stage: int) -> Times:
        """When each execution left a stage, for good or failed."""
        return self._cut(self.exits(stage)).T / 1000.0

    def stage_failed(self, stage: int) -> Flags:
        """Which executions failed in a stage, for good."""
        failed = self._lives.passages[stage].failed
        left = self.exits(stage)
        there = np.isfinite(left) & (left <= self.horizon)
        return (np.zeros(there.shape, dtype=bool) if failed is None else failed & there).T

    def attempts(self, stage: int) -> dict[tuple[str, int], ActionTimes]:
        """Return the attempts of a stage's actions, by action and attempt.

        Args:
            stage: the stage's place.
        """
        found: dict[tuple[str, int], ActionTimes] = {}
        for one in self.walk(stage):
            for number in np.unique(one.attempt):
                found[one.action.name, int(number)] = self._attempt(one, int(number), found, stage)
        return found

    def retried(self, stage: int) -> Times:
        """When each execution failed in a stage and was retried at once by the stage's own retry."""
        moments = np.full(self._lives.started.shape, NEVER)
        walked = self._walked(stage)
        if walked.retried is not None and walked.first_end is not None:
            moments.ravel()[walked.retried] = walked.first_end
        return self._cut(moments).T / 1000.0

    def entries(self, stage: int) -> Times:
        """When executions entered a stage, in milliseconds, a row an execution; infinite where they never do."""
        passages = self._lives.passages[stage]
        if passages.superseded is None:
            return passages.entered
        return np.where(passages.superseded, NEVER, passages.entered)

    def exits(self, stage: int) -> Times:
        """When executions left a stage, in milliseconds, a row an execution; infinite where they never do."""
        passages = self._lives.passages[stage]
        if passages.superseded is None:
            return passages.left
        return np.where(passages.superseded, NEVER, passages.left)

    def walk(self, stage: int) -> Sequence[Attempts]:
        """Return the attempts of a stage's actions as `Guide.walk` tells them; those at infinity did not happen."""
        return self._walked(stage).attempts

    def _walked(self, stage: int) -> Walked:
        guide, passages = self._guides[stage], self._lives.passages[stage]
        return guide.walk(slice(self.executions), self.entries(stage), passages.begun)

    def _attempt(
        self, one: Attempts, number: int, found: dict[tuple[str, int], ActionTimes], stage: int
    ) -> ActionTimes:
        shape = self._lives.started.shape
        chosen = np.ones(one.start.shape, dtype=bool) if one.began is None else one.began.copy()
        if not isinstance(one.attempt, int):
            chosen &= one.attempt == number
        chosen = np.broadcast_to(chosen, one.start.shape)
        moments = (one.start, one.end, one.end if one.answered is None else one.answered)
        values = [np.where(chosen, times, NEVER) for times in moments]
        failed = np.zeros(one.start.shape, dtype=bool) if one.failed is None else one.failed & chosen
        if one.where is not None:
            flat = [np.full(shape, NEVER) for _ in values]
            for whole, part in zip(flat, values, strict=True):
                whole.ravel()[one.where] = part
            bad = np.zeros(shape, dtype=bool)
            bad.ravel()[one.where] = failed
            values, failed = flat, bad
        start, end, answered = (self._cut(times) for times in values)
        failed = failed & np.isfinite(end)
        earlier = found.get((one.action.name, number))
        result = ActionTimes(
            start.T / 1000.0, end.T / 1000.0, answered.T / 1000.0 if one.action.approval else None, failed.T
        )
        if earlier is None:
            return result
        both = result.answered
        if both is not None and earlier.answered is not None:
            both = np.minimum(earlier.answered, both)
        return ActionTimes(
            np.minimum(earlier.started, result.started),
            np.minimum(earlier.ended, result.ended),
            both,
            earlier.failed | result.failed,
        )

    def _cut(self, times: Times) -> Times:
        """Times in milliseconds, infinite where they lie beyond the end."""
        return times if self.until is None else np.where(times > self.horizon, NEVER, times)


def can_run(pipeline: Pipeline, assumptions: Assumptions | None = None) -> str | None:
    """Return why the fast path cannot run a model, in one phrase; None when it can.

    Args:
        pipeline: the declaration.
        assumptions: what is assumed; None: the catalog's.

    Raises:
        DeclarationError: the declaration breaks rules.
        AssumptionError: an assumption names something that the declaration does not have.

    >>> import pipesim
    >>> can_run(pipesim.load("GitHub -> CodeBuild -> S3")) is None
    True
    """
    try:
        _prepare(pipeline, assumptions or Assumptions())
    except CannotRun as why:
        return str(why)
    return None


def run(
    pipeline: Pipeline,
    assumptions: Assumptions | None = None,
    *,
    draws: Draws,
    executions: int | None = None,
    until: float | None = None,
) -> Result:
    """Run a block of replications.

    Args:
        pipeline: the declaration.
        assumptions: what is assumed; None: the catalog's durations, one change.
        draws: the replications' luck, which also says how many there are.
        executions: how many changes arrive at most; None: as many as the arrivals give.
        until: seconds after which to stop looking; None: until everything has ended.

    Raises:
        CannotRun: the model needs the engine; ask `can_run` before.
        DeclarationError: the declaration breaks rules.
        AssumptionError: an assumption makes no sense, or changes arrive for ever and neither
            `executions` nor `until` says when to stop.
    """
    from pipesim.whatif.scenario import Scenario, is_finite

    assumptions = assumptions or Assumptions()
    if executions is None and until is None and not is_finite(Scenario(pipeline, assumptions)):
        raise AssumptionError("changes arrive for ever: say when to stop with executions=… or until=…")
    _hold_memory()
    stages = _prepare(pipeline, assumptions)
    return _Run(pipeline, assumptions, stages, draws, executions, until).result()


@cache
def _hold_memory() -> None:
    """Let the C library keep the memory of arrays that are given up, once for the process.

    Handing pages back and asking for them anew for every block costs half as much as the block's random numbers.
    The GNU library adapts: after a large piece was given up, pieces up to that size come from memory that it keeps,
    up to twice as much of it; other libraries take no notice. Source: mallopt(3), M_MMAP_THRESHOLD.
    """
    np.empty(LARGEST_PIECE, dtype=np.uint8)


_sound: deque[Pipeline] = deque(maxlen=KEPT)
_prepared: deque[tuple[Pipeline, Assumptions, tuple[FastStage, ...]]] = deque(maxlen=KEPT)


def _prepare(pipeline: Pipeline, assumptions: Assumptions) -> tuple[FastStage, ...]:
    """What the fast path needs of a model, remembered from block to block."""
    for known, assumed, stages in list(_prepared):
        if known is pipeline and assumed is assumptions:
            return stages
    if not any(known is pipeline for known in list(_sound)):
        refuse_problems(pipeline)
        _sound.append(pipeline)
    stages = fast_stages(pipeline, assumptions)
    _prepared.append((pipeline, assumptions, stages))
    return stages


class _Run:
    """One block being computed."""

    def __init__(
        self,
        pipeline: Pipeline,
        assumptions: Assumptions,
        stages: tuple[FastStage, ...],
        draws: Draws,
        executions: int | None,
        until: float | None,
    ) -> None:
        self.pipeline = pipeline
        self.assumptions = assumptions
        self.draws = draws
        self.until = until
        self.mode = pipeline.execution_mode
        self.starts = find_starts(pipeline, assumptions, draws, executions, until)
        self.rows = len(self.starts.started)
        self.stages = stages
        self.start = round(assumptions.delays.start * 1000.0)
        self.between = round(assumptions.delays.between_stages * 1000.0)
        self.delays = (self.start, self.between)
        self.parallel = self.mode == ExecutionMode.PARALLEL
        self.keeps_newest = self.mode == ExecutionMode.SUPERSEDED
        back = any(stage.rolls_back and any(action.may_fail for action in stage.actions) for stage in stages)
        drawn = self.rows + (self.rows // 8 + SPARE_ROWS if back else 0)
        self.guides: Sequence[Guide] = [
            Guide(stage, draws, drawn, assumptions.start, ranked=self.parallel) for stage in stages
        ]
        self.undecided = self.starts.undecided.copy()

    def result(self) -> Result:
        passages = self._pass_all()
        lives = Lives(
            self.starts.started,
            self.starts.arrived,
            passages,
            None,
            None,
            np.broadcast_to(np.int64(-1), self.starts.started.shape),
            self.undecided,
        )
        columns = np.flatnonzero(self._rolled_back(passages) | self._crowded(passages))
        if columns.size:
            careful = Careful(
                self.mode,
                self.stages,
                self.draws,
                self.starts,
                columns,
                self.delays,
                self.assumptions.start,
                self.guides,
                NEVER if self.until is None else self.until * 1000.0,
            )
            special, self.guides = careful.live()
            lives = _joined(lives, special, columns)
        return Result(
            self.pipeline, self.assumptions, self.draws.first, self.until, self.starts.last, tuple(self.guides), lives
        )

    def _pass_all(self) -> list[AnyPassages]:
        flow = Flow(self.starts.started, None, False)
        found: list[AnyPassages] = []
        for place, guide in enumerate(self.guides):
            shift = float(self.start + place * self.between)
            at_once = not (self.between if place else self.start or not self.starts.polled)
            one: AnyPassages
            tricky = self.keeps_newest and flow.gone is not None and not flow.strict
            if guide.stage.depends_on_time or tricky:
                one = self._pass(guide, flow.true(shift), at_once)
                flow = Flow.after(one, shift + self.between, self.between)
            elif self.parallel:
                one, flow = swift_freely(guide, flow, shift)
            elif self.keeps_newest:
                one, flow = swift_superseded(guide, flow, shift, ambiguous=at_once)
            else:
                one, flow = swift_queued(guide, flow, shift)
            if one.undecided is not None:
                self.undecided |= one.undecided
            found.append(one)
        return found

    def _pass(self, guide: Guide, reached: Times, at_once: bool) -> Passages:
        if self.parallel:
            return pass_freely(guide, reached)
        if self.keeps_newest:
            return pass_superseded(guide, reached, ambiguous=at_once)
        return pass_queued(guide, reached)

    def _rolled_back(self, passages: Sequence[AnyPassages]) -> Flags:
        """The replications in which a stage failed that rolls back by itself."""
        found = np.zeros(self.draws.count, dtype=bool)
        for guide, one in zip(self.guides, passages, strict=True):
            if guide.stage.rolls_back and one.failed is not None:
                failed = one.failed & np.isfinite(one.reached)
                found |= (failed if one.superseded is None else failed & ~one.superseded).any(axis=0)
        return found

    def _crowded(self, passages: Sequence[AnyPassages]) -> Flags:
        """The replications in which the limit of unfinished executions may have been reached."""
        if self.keeps_newest or self.rows <= CONCURRENT_EXECUTIONS:
            return np.zeros(self.draws.count, dtype=bool)
        finished = passages[-1].left
        if any(one.failed is not None for one in passages):
            finished, _ = endings(self.starts.started, passages)
        if self.parallel or finished is not passages[-1].left:
            finished = np.maximum.accumulate(finished[:-CONCURRENT_EXECUTIONS], axis=0)
        started = self.starts.started[CONCURRENT_EXECUTIONS:]
        late = finished[: len(started)] >= started
        late &= np.isfinite(started)
        crowded: Flags = np.any(late, axis=0)
        if self.parallel and any(guide.scripted for guide in self.guides):
            self.undecided |= crowded
            return np.zeros(self.draws.count, dtype=bool)
        return crowded


def endings(started: Times, passages: Sequence[AnyPassages]) -> tuple[Times, Codes]:
    """Return when executions come to their end, and how.

    Args:
        started: when each starts; infinite where there is none.
        passages: how they come through the stages.
    """
    finished = np.array(passages[-1].left)
    codes = np.where(np.isfinite(started), np.int8(SUCCEEDED), np.int8(ABSENT))
    for one in passages:
        superseded, failed = one.superseded, one.failed
        if superseded is not None:
            gone = np.flatnonzero(superseded)
            codes.ravel()[gone] = SUPERSEDED
            finished.ravel()[gone] = one.replaced_at(gone)
        if failed is not None:
            failed = failed & np.isfinite(one.reached)
            if superseded is not None:
                failed &= ~superseded
            np.putmask(codes, failed, FAILED)
            np.copyto(finished, one.left, where=failed)
    return finished, codes


def _joined(ordinary: Lives, special: Lives, columns: Whole) -> Lives:
    """Put the replications that were computed carefully in the places of what they were before."""
    rows = max(len(ordinary.started), len(special.started))

    def join(one: NDArray[Any], other: NDArray[Any], fill: object) -> NDArray[Any]:
        whole = np.full((rows, one.shape[1]), fill, dtype=other.dtype)
        whole[: len(one)] = one
        whole[:, columns] = fill
        whole[: len(other), columns] = other
        return whole

    def flags(one: Flags | None, shape: tuple[int, ...]) -> Flags:
        return np.zeros(shape, dtype=bool) if one is None else one

    finished, codes = endings(ordinary.started, ordinary.passages)
    assert special.finished is not None and special.codes is not None
    joined: list[AnyPassages] = []
    for one, other in zip(ordinary.passages, special.passages, strict=True):
        shape, there = one.reached.shape, other.reached.shape
        superseded = one.superseded is not None or other.superseded is not None
        joined.append(
            Passages(
                join(one.reached, other.reached, NEVER),
                join(one.entered, other.entered, NEVER),
                join(one.left, other.left, NEVER),
                join(flags(one.failed, shape), flags(other.failed, there), False),
                join(flags(one.superseded, shape), flags(other.superseded, there), False) if superseded else None,
                None,
                {key: join(count, other.begun[key], 0) for key, count in one.begun.items()},
            )
        )
    undecided = ordinary.undecided.copy()
    undecided[columns] |= special.undecided
    return Lives(
        join(ordinary.started, special.started, NEVER),
        join(ordinary.arrived, special.arrived, NEVER),
        joined,
        join(finished, special.finished, NEVER),
        join(codes, special.codes, ABSENT),
        join(ordinary.target, special.target, -1),
        undecided,
    )
