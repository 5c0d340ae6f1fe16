"""The fast path: many replications at once as arrays, equal to the engine event for event.

Both read the same draws (`pipesim.assumptions.streams.Family`). `can_run` says whether a model is one of those
that it can run; `run` computes when everybody started, entered and left every stage, and how each execution ended.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.streams import ROLLBACK_LOT
from pipesim.catalog.limits import CONCURRENT_EXECUTIONS
from pipesim.definition.model import Pipeline
from pipesim.engine.simulation import refuse_problems
from pipesim.errors import AssumptionError
from pipesim.vocabulary import ExecutionMode, PipelineExecutionStatus
from pipesim.whatif.backs import Back, Backs, Returns
from pipesim.whatif.careful import (
    ABSENT,
    FAILED,
    IN_PROGRESS,
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
from pipesim.whatif.walk import PIECE, Attempts, Guide, Walked

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
LARGEST_PIECE = 32 * 2**20
MEMORY_KEPT = 256 * 2**20
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h


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

    def followed_by(self, other: ActionTimes | None, shape: tuple[int, ...]) -> ActionTimes:
        """Return these and then others; None: nothing, of this shape."""
        never, no = np.full(shape, NEVER), np.zeros(shape, dtype=bool)
        started, ended, answered, failed = (
            (never, never, never, no) if other is None else (other.started, other.ended, other.answered, other.failed)
        )
        return ActionTimes(
            np.concatenate((self.started, started), axis=1),
            np.concatenate((self.ended, ended), axis=1),
            None if self.answered is None or answered is None else np.concatenate((self.answered, answered), axis=1),
            np.concatenate((self.failed, failed), axis=1),
        )


@dataclass(frozen=True)
class Result:
    """What happened in a block of replications.

    Arrays have a row a replication and a column an execution: those that changes start in the order of their starts,
    then rollbacks in the order of theirs; `numbers` tells who came when among all. Replications with fewer executions
    are padded. Times are seconds since the start; what never happened is infinite.

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
    _back_guides: Callable[[int, int], Guide]
    _lives: Lives
    _backs: Backs | None

    @property
    def undecided(self) -> Flags:
        """Which replications only the engine can tell, because the order of simultaneous events matters."""
        return self._lives.undecided

    @cached_property
    def _endings(self) -> tuple[Times, Codes]:
        finished, codes = self._lives.finished, self._lives.codes
        if finished is None or codes is None:
            finished, codes = endings(self._lives.started, self._lives.passages)
        if self._backs is None:
            return finished, codes
        ended = np.where(self._backs.failed, np.int8(FAILED), np.int8(SUCCEEDED))
        ended[self._backs.stage < 0] = ABSENT
        return np.concatenate((finished, self._backs.end)), np.concatenate((codes, ended))

    @property
    def replications(self) -> int:
        """How many replications there are."""
        return int(self._lives.started.shape[1])

    @property
    def executions(self) -> int:
        """How many columns there are: the largest number of changes, and the largest number of rollbacks."""
        return len(self._lives.started) + (0 if self._backs is None else len(self._backs.start))

    @cached_property
    def _started(self) -> Times:
        return self._lives.started if self._backs is None else np.concatenate((self._lives.started, self._backs.start))

    @property
    def started(self) -> Times:
        """When each execution started."""
        return self._started.T / 1000.0

    @property
    def arrived(self) -> Times:
        """When the change of each execution arrived: earlier than `started` where a poll had to find it."""
        arrived = self._lives.arrived
        return (arrived if self._backs is None else np.concatenate((arrived, self._backs.start))).T / 1000.0

    @property
    def numbers(self) -> Whole:
        """The number of each execution, from 0, in the order in which they start; meaningless where there is none."""
        started = self._lives.started
        ordinary = np.broadcast_to(np.arange(len(started))[:, None], started.shape)
        if self._backs is None:
            return ordinary.T
        back = np.array(np.broadcast_to(np.arange(len(self._backs.start))[:, None], self._backs.start.shape))
        ordinary = ordinary.copy()
        for place, start in enumerate(self._backs.start):
            ordinary += start < started
            back[place] += (started <= start).sum(axis=0)
        return np.concatenate((ordinary, back)).T

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
        open_still = np.isfinite(self._started) & (self._endings[0] > self.horizon)
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

    def deliveries(self) -> Iterator[tuple[Times, Times, Flags]]:
        """Yield when changes arrived and when they had passed all stages, in seconds, and which of them did.

        A row an execution and a column a replication, a few rows at a time; rollbacks, which deliver no change, are
        not among them.
        """
        for begin in range(0, len(self._lives.started), PIECE):
            rows = slice(begin, begin + PIECE)
            left, through = self._lives.passages[-1].passed(rows, self.horizon)
            yield self._lives.arrived[rows] / 1000.0, left / 1000.0, through

    @property
    def superseded_by(self) -> Whole:
        """The column of the execution that superseded each one; -1 where none did."""
        rows = len(self._lives.started)
        by = np.full((self.executions, self.replications), -1, dtype=np.int64)
        for passages in self._lives.passages:
            if passages.superseded is None:
                continue
            following = np.full(self.replications, -1)
            for row in range(rows - 1, -1, -1):
                gone = passages.superseded[row] & (self.codes[row] == SUPERSEDED)
                by[row, gone] = following[gone]
                following[np.isfinite(passages.reached[row])] = row
        return by.T

    @cached_property
    def rollback_target(self) -> Whole:
        """The column of the execution whose stage a rollback runs again; -1 for everything that is no rollback."""
        none = np.broadcast_to(np.int64(-1), self._lives.started.shape)
        return (none if self._backs is None else np.concatenate((none, self._backs.target))).T

    def reached(self, stage: int) -> Times:
        """When each execution reached the door of a stage, by the stage's place."""
        return self._seen(self._lives.passages[stage].reached, stage, "start")

    def entered(self, stage: int) -> Times:
        """When each execution entered a stage."""
        return self._seen(self._entries(stage), stage, "start")

    def left(self, stage: int) -> Times:
        """When each execution left a stage, for good or failed."""
        return self._seen(self._exits(stage), stage, "end")

    def stage_failed(self, stage: int) -> Flags:
        """Which executions failed in a stage, for good."""
        failed = self._lives.passages[stage].failed
        left = self._exits(stage)
        there: Flags = np.zeros(left.shape, dtype=bool)
        if failed is not None:
            there = np.isfinite(left) & (left <= self.horizon) & failed
        if self._backs is None:
            return there.T
        seen = (self._backs.stage == stage) & self._backs.failed & (self._backs.end <= self.horizon)
        return np.concatenate((there, seen)).T

    def attempts(self, stage: int) -> dict[tuple[str, int], ActionTimes]:
        """Return the attempts of a stage's actions, by action and attempt.

        Args:
            stage: the stage's place.
        """
        found = self._attempts_of(self._walked(stage).attempts, self._lives.started.shape)
        if self._backs is None:
            return found
        inside = self._backs.stage == stage
        more: dict[tuple[str, int], ActionTimes] = {}
        if inside.any():
            guide = self._back_guides(stage, int(self._backs.ordinal.max()) + 1)
            entry = np.where(inside, self._backs.start, NEVER)
            ordinal = np.where(inside, self._backs.ordinal, 0)
            nothing = np.zeros(entry.shape, dtype=np.int64)
            begun = {action.key: self._backs.begun.get(action.key, nothing) for action in guide.scripted}
            more = self._attempts_of(guide.walk(ordinal, entry, begun).attempts, entry.shape)
        padding = self._backs.start.T.shape
        return {key: times.followed_by(more.get(key), padding) for key, times in found.items()}

    def transfers(self, stage: int) -> dict[str, float]:
        """Return for how many seconds each of a stage's actions copies artifacts before it works."""
        return {action.name: action.transfer / 1000.0 for action in self._guides[stage].stage.actions}

    def retried(self, stage: int) -> Times:
        """When each execution failed in a stage and was retried at once by the stage's own retry."""
        moments = np.full(self._lives.started.shape, NEVER)
        walked = self._walked(stage)
        if walked.retried is not None and walked.first_end is not None:
            moments.ravel()[walked.retried] = walked.first_end
        return self._seen(moments, stage, None)

    def _entries(self, stage: int) -> Times:
        """When executions entered a stage, in milliseconds, a row an execution; infinite where they never do."""
        passages = self._lives.passages[stage]
        if passages.superseded is None:
            return passages.entered
        return np.where(passages.superseded, NEVER, passages.entered)

    def _exits(self, stage: int) -> Times:
        """When executions left a stage, in milliseconds, a row an execution; infinite where they never do."""
        passages = self._lives.passages[stage]
        if passages.superseded is None:
            return passages.left
        return np.where(passages.superseded, NEVER, passages.left)

    def _walked(self, stage: int) -> Walked:
        guide, passages = self._guides[stage], self._lives.passages[stage]
        return guide.walk(slice(len(self._lives.started)), self._entries(stage), passages.begun)

    def _seen(self, times: Times, stage: int, member: str | None) -> Times:
        """Times as they are shown, those of rollbacks in a stage after them."""
        if self._backs is not None:
            extra = np.full(self._backs.start.shape, NEVER)
            if member is not None:
                extra = np.where(self._backs.stage == stage, getattr(self._backs, member), NEVER)
            times = np.concatenate((times, extra))
        return self._cut(times).T / 1000.0

    def _attempts_of(self, attempts: Sequence[Attempts], shape: tuple[int, ...]) -> dict[tuple[str, int], ActionTimes]:
        found: dict[tuple[str, int], ActionTimes] = {}
        for one in attempts:
            for number in np.unique(one.attempt):
                key = one.action.name, int(number)
                found[key] = self._attempt(one, int(number), found.get(key), shape)
        return found

    def _attempt(self, one: Attempts, number: int, earlier: ActionTimes | None, shape: tuple[int, ...]) -> ActionTimes:
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


def has_scarce_pools(pipeline: Pipeline, assumptions: Assumptions) -> bool:
    """Whether a pool may be full when an action wants a place; replications in which it is are `undecided`.

    Args:
        pipeline: a declaration that the fast path can run.
        assumptions: what is assumed.
    """
    return any(action.pool for stage in _prepare(pipeline, assumptions) for action in stage.actions)


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

    Handing pages back and asking for them anew for every block can cost as much as all the rest. Only the GNU library
    can be told. Source: mallopt(3).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST_PIECE)
    mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT)


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
        self.guides: Sequence[Guide] = [
            Guide(stage, draws, self.rows, assumptions.start, ranked=self.parallel) for stage in stages
        ]
        self.undecided = self.starts.undecided.copy()
        self.backs: list[Back] = []

    def result(self) -> Result:
        passages = self._pass_all()
        lives = Lives(self.starts.started, self.starts.arrived, passages, None, None, self.undecided)
        columns = np.flatnonzero(self._crowded(passages))
        if columns.size:
            lives = self._with_care(lives, columns)
        backs = self._ordered_backs()
        result = Result(
            self.pipeline, self.assumptions, self.draws.first, self.until, self.starts.last, tuple(self.guides),
            self.back_guide, lives, backs,
        )  # fmt: skip
        for name in sorted({action.pool for stage in self.stages for action in stage.actions if action.pool}):
            self.undecided |= self._full(result, name)
        return result

    def _full(self, result: Result, pool: str) -> Flags:
        """In which replications a pool has no place left for somebody, or may have none."""
        starts, ends = [], []
        for place, stage in enumerate(self.stages):
            names = {action.name for action in stage.actions if action.pool == pool}
            if names:
                for (name, _), times in result.attempts(place).items():
                    if name in names:
                        starts.append(times.started)
                        ends.append(times.ended)
        capacity = self.assumptions.pools[pool].capacity
        begins = np.sort(np.concatenate(starts, axis=1), axis=1)[:, capacity:]
        leaves = np.sort(np.concatenate(ends, axis=1), axis=1)[:, : begins.shape[1]]
        full: Flags = np.any(np.isfinite(begins) & (begins <= leaves), axis=1)
        return full

    def back_guide(self, place: int, rows: int) -> Guide:
        """A guide for so many rollbacks of a stage in each replication."""
        return Guide(self.stages[place], self.draws, rows, self.assumptions.start, lot=ROLLBACK_LOT)

    def _with_care(self, lives: Lives, columns: Whole) -> Lives:
        """Compute some replications one execution after the other instead."""
        returns = [self._returns(place, columns) for place in range(len(self.stages))]
        careful = Careful(self.guides, returns, self.starts, columns, self.delays, locks=not self.parallel)
        special = careful.live()
        self.backs = [back.keep(~np.isin(back.column, columns)) for back in self.backs]
        self.backs += [back for one in returns if one is not None for back in one.found]
        return _joined(lives, special, columns)

    def _rolls_back(self, place: int) -> bool:
        return self.stages[place].rolls_back and self.guides[place].may_fail

    def _returns(self, place: int, columns: Whole, shift: float = 0.0) -> Returns | None:
        if not self._rolls_back(place):
            return None
        return Returns(place, partial(self.back_guide, place), columns, shift)

    def _ordered_backs(self) -> Backs | None:
        """All rollbacks that begin while somebody looks; where their numbers are in doubt, the engine shall tell."""
        horizon = NEVER if self.until is None else self.until * 1000.0
        found = Backs.of(self.backs, self.draws.count, horizon)
        if found is None:
            return None
        there = np.isfinite(found.start)
        self.undecided |= ((found.start[1:] == found.start[:-1]) & there[1:]).any(axis=0)
        if self.starts.polled:
            for start in found.start:
                self.undecided |= ((self.starts.started == start) & np.isfinite(start)).any(axis=0)
        return found

    def _pass_all(self) -> list[AnyPassages]:
        flow = Flow(self.starts.started, None, False)
        found: list[AnyPassages] = []
        for place, guide in enumerate(self.guides):
            shift = float(self.start + place * self.between)
            at_once = not (self.between if place else self.start or not self.starts.polled)
            one: AnyPassages
            tricky = self.keeps_newest and flow.gone is not None and not flow.strict
            plain = not guide.stage.depends_on_time and not self._rolls_back(place)
            swift = not tricky and (plain or self.keeps_newest)
            returns = self._returns(place, np.arange(self.draws.count), shift if swift else 0.0)
            if not swift:
                one = self._pass(guide, flow.true(shift), returns, at_once)
                self.backs += [] if returns is None else returns.found
                flow = Flow.after(one, shift + self.between, self.between)
            elif self.parallel:
                one, flow = swift_freely(guide, flow, shift)
            elif self.keeps_newest:
                final = place == len(self.guides) - 1
                one, flow = swift_superseded(guide, flow, shift, returns, ambiguous=at_once, final=final)
                self.backs += [] if returns is None else returns.found
            else:
                one, flow = swift_queued(guide, flow, shift)
            if one.undecided is not None:
                self.undecided |= one.undecided
            found.append(one)
        return found

    def _pass(self, guide: Guide, reached: Times, returns: Returns | None, at_once: bool) -> Passages:
        if self.parallel:
            return pass_freely(guide, reached)
        if self.keeps_newest:
            return pass_superseded(guide, reached, returns, ambiguous=at_once)
        return pass_queued(guide, reached, returns)

    def _crowded(self, passages: Sequence[AnyPassages]) -> Flags:
        """The replications in which the limit of unfinished executions may have been reached."""
        most = CONCURRENT_EXECUTIONS - len({back.stage for back in self.backs})
        if self.keeps_newest or self.rows <= most:
            return np.zeros(self.draws.count, dtype=bool)
        finished = passages[-1].left
        if any(one.failed is not None for one in passages):
            finished, _ = endings(self.starts.started, passages)
        if self.parallel or finished is not passages[-1].left:
            finished = np.maximum.accumulate(finished[:-most], axis=0)
        started = self.starts.started[most:]
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
    """Put the replications that were computed with care in the places of what they were before."""

    def join(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        whole = np.array(one)
        whole[:, columns] = other
        return whole

    finished, codes = endings(ordinary.started, ordinary.passages)
    assert special.finished is not None and special.codes is not None
    joined: list[AnyPassages] = []
    for one, other in zip(ordinary.passages, special.passages, strict=True):
        failed = np.zeros(finished.shape, dtype=bool) if one.failed is None else one.failed
        assert other.failed is not None
        joined.append(
            Passages(
                join(one.reached, other.reached),
                join(one.entered, other.entered),
                join(one.left, other.left),
                join(failed, other.failed),
                begun={key: join(count, other.begun[key]) for key, count in one.begun.items()},
            )
        )
    undecided = ordinary.undecided
    undecided[columns] |= special.undecided
    return Lives(
        ordinary.started,
        ordinary.arrived,
        joined,
        join(finished, special.finished),
        join(codes, special.codes),
        undecided,
    )
