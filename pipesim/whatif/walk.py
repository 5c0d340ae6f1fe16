"""One stage walked through by many executions at once: groups of actions, failures, time limits, one retry.

What `pipesim.engine.passage` and the ordinary behaviours do for one execution, done for arrays of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipesim.assumptions.distributions import Distribution
from pipesim.vocabulary import StageRetryMode
from pipesim.whatif.draws import Draws
from pipesim.whatif.readiness import FastAction, FastStage
from pipesim.whatif.working_time import WorkingTime

Times = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
NEVER = np.inf
PAST_ALL = np.array(2**40)
PIECE = 32
"""Rows that are worked on at once, where all rows would not fit into the processor's cache."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts of one action by many executions.

    Attributes:
        action: the action.
        where: which entries of the walk (flat places); None: all.
        attempt: the number of each attempt, or one number for all.
        began: which of them began; None: all.
        start, end: in milliseconds; meaningless where it did not begin.
        answered: when an approval was answered: before the end by the approval tick, or infinite where nobody did.
        failed: which failed; None: none.
    """

    action: FastAction
    where: Whole | None
    attempt: Whole | int
    began: Flags | None
    start: Times
    end: Times
    answered: Times | None
    failed: Flags | None


@dataclass(slots=True)
class Walked:
    """How a walk ended.

    Attributes:
        end: when each execution was through, in milliseconds.
        failed: which failed; None: none.
        attempts: every attempt of every action, in the order of the groups, the retry's after.
        retried: the flat places of those that failed once and were retried; None: none.
        first_end: when their first round ended.
    """

    end: Times
    failed: Flags | None = None
    attempts: list[Attempts] = field(default_factory=list)
    retried: Whole | None = None
    first_end: Times | None = None


class Guide:
    """Walks executions through one stage.

    Args:
        stage: the stage.
        draws: the replications' luck.
        rows: how many executions there are.
        start: the calendar moment of time zero.
        ranked: runs are counted by when they begin, not by who comes first (PARALLEL mode).
        lot: what is added to the number of an attempt when it draws: `ROLLBACK_LOT` for rollbacks.

    Attributes:
        undecided: replications of which it cannot be told which run of a scripted action came first.
    """

    def __init__(
        self, stage: FastStage, draws: Draws, rows: int, start: datetime, *, ranked: bool = False, lot: int = 0
    ) -> None:
        self.undecided: Flags | None = None
        self._lot = lot
        self._ranked = ranked
        self.stage = stage
        self.draws = draws
        self.rows = rows
        self.scripted = tuple(action for action in stage.actions if action.script)
        self._hours = {action.key: WorkingTime(action.hours, start) for action in stage.actions if action.hours}

    @cached_property
    def _late(self) -> dict[str, bool]:
        return {action.key: action.may_be_late and self._is_late(action) for action in self.stage.actions}

    @cached_property
    def may_fail(self) -> bool:
        """Whether an execution can fail in this stage."""
        return any(action.may_fail or self._late[action.key] for action in self.stage.actions)

    @cached_property
    def _script_ends(self) -> dict[str, int]:
        return {action.key: action.script[-1] for action in self.scripted}

    def is_steady(self, counts: Mapping[str, Whole]) -> bool:
        """Whether from now on everybody takes as long as `durations` says: no script goes on, nobody keeps hours.

        Args:
            counts: how often each scripted action has begun.
        """
        if self._hours or self._ranked:
            return False
        return all(int(counts[key].min()) >= last for key, last in self._script_ends.items())

    def durations(self, rows: int) -> tuple[Times, Flags | None]:
        """Return how long each of the first `rows` executions takes whenever it comes, and which fail by chance."""
        return self.draws.once(("durations", self.stage, rows, self._lot), lambda: self._durations(rows))

    def takes_time(self, rows: int) -> bool:
        """Whether all of those `durations` are longer than nothing."""

        def work() -> tuple[bool, int]:
            return bool(self.durations(rows)[0].min(initial=NEVER) > 0), 8

        return self.draws.once(("takes time", self.stage, rows, self._lot), work)

    def _durations(self, rows: int) -> tuple[tuple[Times, Flags | None], int]:
        actions = list(self.stage.actions)
        if len(actions) == 1 and not self.may_fail and not actions[0].approval and not actions[0].transfer:
            assert actions[0].duration is not None
            return (self._table(actions[0], 1, "duration")[:rows], None), 0
        took = np.empty((rows, self.draws.count))
        failed = np.zeros(took.shape, dtype=bool) if self.may_fail else None
        for begin in range(0, rows, PIECE):
            piece = slice(begin, min(begin + PIECE, rows))
            walked = self.walk(piece, np.zeros((1, 1)), dict.fromkeys(self._script_ends, PAST_ALL))
            took[piece] = walked.end
            if failed is not None and walked.failed is not None:
                failed[piece] = walked.failed
        return (took, failed), took.nbytes + (0 if failed is None else failed.nbytes)

    def step(self, row: int, entry: Times, begun: Mapping[str, Whole], columns: Whole | None = None) -> Walked:
        """Walk one execution of every replication through: `walk`, but quickly where one person's answer is all.

        Args:
            row: which execution.
            entry, begun, columns: as in `walk`.
        """
        if self._lone_answer is None:
            return self.walk(row, entry, begun, columns)
        action, tables = self._lone_answer

        def fetch(kind: str) -> Times:
            drawn: Times = tables[kind][row]
            return drawn if columns is None else drawn.take(columns)

        end, _, failed = self._attempt(action, entry, None, fetch)
        return Walked(end, failed)

    @cached_property
    def _lone_answer(self) -> tuple[FastAction, dict[str, Times]] | None:
        """The stage's only action, and what it draws, where it is an approval whose failing has no sequel."""
        action, *others = self.stage.actions
        if others or not action.approval or action.script or action.duration is None or self.stage.retry is not None:
            return None
        kinds = ["duration", "odds"] if action.odds > 0 else ["duration"]
        return action, {kind: self._table(action, 1, kind) for kind in kinds}

    def walk(
        self, row: int | slice | Whole, entry: Times, begun: Mapping[str, Whole], columns: Whole | None = None
    ) -> Walked:
        """Walk executions through the stage.

        Args:
            row: which execution of every replication, or a slice of them, or an array of which one of each.
            entry: when each enters, in milliseconds.
            begun: how often each action with scripted failures had begun before.
            columns: which replications; None: all.
        """
        shape = self._shape(row, columns)
        now = np.broadcast_to(entry, shape)
        walked = Walked(now)
        running: Flags | None = None
        counts = {key: np.broadcast_to(count, shape) for key, count in begun.items()}
        first: dict[str, tuple[Flags | None, Flags | None]] = {}

        def fetch(action: FastAction, attempt: int, kind: str) -> Times:
            table = self._table(action, attempt, kind)
            if not isinstance(row, int | slice):
                return table[row, np.arange(self.draws.count) if columns is None else columns]
            return table[row] if columns is None else table[row][..., columns]

        for group in self.stage.groups:
            places = _Places(self.stage.crowd, len(group), now)
            bad: Flags | None = None
            for action in group:
                start = places.next_start()
                ordinal = self._ordinals(action, start, running, counts)

                def fetch_first(kind: str, action: FastAction = action) -> Times:
                    return fetch(action, 1, kind)

                attempt = self._attempt(action, start, ordinal, fetch_first)
                places.take(attempt[0], running)
                walked.attempts.append(Attempts(action, None, 1, running, start, *attempt))
                if attempt[2] is not None:
                    bad = attempt[2] if bad is None else bad | attempt[2]
                first[action.key] = running, attempt[2]
                if ordinal is not None and not self._ranked:
                    counts[action.key] = ordinal if running is None else np.where(running, ordinal, ordinal - 1)
            end = places.end()
            now = end if running is None else np.where(running, end, now)
            if bad is not None:
                running = ~bad if running is None else running & ~bad
        walked.end = now
        if running is not None:
            walked.failed = ~running
            if self.stage.retry is not None:
                self._retry(walked, first, counts, fetch)
        return walked

    def _retry(
        self,
        walked: Walked,
        first: Mapping[str, tuple[Flags | None, Flags | None]],
        counts: Mapping[str, Whole],
        fetch: Callable[[FastAction, int, str], Times],
    ) -> None:
        """Let those who failed try once more."""
        assert walked.failed is not None
        where = np.flatnonzero(walked.failed)
        if not where.size:
            return
        walked.retried = where
        now = walked.end.ravel()[where]
        walked.first_end = now
        everything = self.stage.retry == StageRetryMode.ALL_ACTIONS
        running: Flags = np.ones(where.size, dtype=bool)
        for group in self.stage.groups:
            places = _Places(self.stage.crowd, len(group), now)
            bad: Flags = np.zeros(where.size, dtype=bool)
            for action in group:
                start = places.next_start()
                before, failed = (None if flags is None else flags.ravel()[where] for flags in first[action.key])
                tried = np.ones(where.size, dtype=bool) if before is None else before
                done = tried if failed is None else tried & ~failed
                began = running if everything else running & ~done
                number = np.where(tried, 2, 1)
                ordinal = counts[action.key].ravel()[where] + 1 if action.script else None

                def fetch_flat(kind: str, action: FastAction = action, tried: Flags = tried) -> Times:
                    again = fetch(action, 2, kind).ravel()[where]
                    return again if tried.all() else np.where(tried, again, fetch(action, 1, kind).ravel()[where])

                attempt = self._attempt(action, start, ordinal, fetch_flat)
                places.take(attempt[0], began)
                walked.attempts.append(Attempts(action, where, number, began, start, *attempt))
                if attempt[2] is not None:
                    bad = bad | (attempt[2] & began)
            now = np.where(running, places.end(), now)
            running = running & ~bad
        end, failed_at_last = walked.end.copy().ravel(), walked.failed.copy().ravel()
        end[where] = now
        failed_at_last[where] = ~running
        walked.end, walked.failed = end.reshape(walked.end.shape), failed_at_last.reshape(walked.failed.shape)

    def _attempt(
        self, action: FastAction, start: Times, ordinal: Whole | None, fetch: Callable[[str], Times]
    ) -> tuple[Times, Times | None, Flags | None]:
        """When an attempt ends, when it was answered, and whether it failed."""
        failed: Flags | None = None
        if action.duration is None:
            return start + action.timeout, np.full(start.shape, NEVER), np.ones(start.shape, dtype=bool)
        if action.odds > 0:
            failed = fetch("odds") < action.odds
        if ordinal is not None:
            scripted = ordinal == action.script[0]
            for run in action.script[1:]:
                scripted |= ordinal == run
            failed = scripted if failed is None else failed | scripted
        took = fetch("duration")
        if failed is not None and action.failing is not None:
            took = np.where(failed, fetch("failing"), took)
        if action.hours is not None:
            took = self._hours[action.key].elapsed(start, took)
        if action.transfer:
            took = took + action.transfer
        late = took > action.timeout if self._late[action.key] or action.hours is not None else None
        if late is not None and late.any():
            failed = late if failed is None else failed | late
        else:
            late = None
        if not action.approval:
            return start + (took if late is None else np.minimum(took, action.timeout)), None, failed
        answered = start + took
        if late is None:
            return answered + action.tick, answered, failed
        return (
            np.where(late, start + action.timeout, answered + action.tick),
            np.where(late, NEVER, answered),
            failed,
        )

    def _ordinals(
        self, action: FastAction, start: Times, running: Flags | None, counts: Mapping[str, Whole]
    ) -> Whole | None:
        """Which run of the whole simulation each of these is; None where nobody counts."""
        if not action.script:
            return None
        if not self._ranked:
            return counts[action.key] + 1
        begins = start if running is None else np.where(running, start, NEVER)
        order = np.argsort(begins, axis=0, kind="stable")
        ordinal = np.empty(begins.shape, dtype=np.int64)
        np.put_along_axis(ordinal, order, np.arange(1, len(begins) + 1)[:, None], axis=0)
        sorted_begins = np.take_along_axis(begins, order, axis=0)
        scripted = np.isin(np.arange(1, len(begins) + 1), action.script)
        equal = (sorted_begins[1:] == sorted_begins[:-1]) & np.isfinite(sorted_begins[1:])
        tied = (equal & (scripted[1:] != scripted[:-1])[:, None]).any(axis=0)
        self.undecided = tied if self.undecided is None else self.undecided | tied
        return ordinal

    def _is_late(self, action: FastAction) -> bool:
        """Whether one of the draws at hand is beyond the time limit."""
        if action.duration is None or action.hours is not None:
            return True
        kinds = ["duration"] if action.failing is None else ["duration", "failing"]
        attempts = (1, 2) if self.stage.retry else (1,)
        limit = action.timeout - action.transfer
        return any(self._longest(action, attempt, kind) > limit for kind in kinds for attempt in attempts)

    def _longest(self, action: FastAction, attempt: int, kind: str) -> float:
        stream, drawn = self._stream(action, kind)
        return self.draws.longest(stream, drawn, self.rows, attempt + self._lot)

    def _table(self, action: FastAction, attempt: int, kind: str) -> Times:
        attempt += self._lot
        if kind == "odds":
            return self.draws.uniforms(f"fails {action.luck}", self.rows, attempt)
        stream, drawn = self._stream(action, kind)
        return self.draws.milliseconds(stream, drawn, self.rows, attempt)

    def _stream(self, action: FastAction, kind: str) -> tuple[str, Distribution]:
        if kind == "failing":
            assert action.failing is not None
            return f"fails after {action.luck}", action.failing
        assert action.duration is not None
        return action.stream, action.duration

    def _shape(self, row: int | slice | Whole, columns: Whole | None) -> tuple[int, ...]:
        if not isinstance(row, int | slice):
            return row.shape
        wide = self.draws.count if columns is None else len(columns)
        return (wide,) if isinstance(row, int) else (len(range(*row.indices(self.rows))), wide)


class _Places:
    """When the actions of one group begin: at once, or as places come free where only so many may work."""

    def __init__(self, most: int | None, wanted: int, now: Times) -> None:
        self._now = now
        self._crowded = most is not None and wanted > most
        self._first = now
        self._ends: Times | None = None
        self._own = False
        self._slots = [np.full(now.shape, -NEVER)] * (most or 0) if self._crowded else []

    def next_start(self) -> Times:
        """When the next action of the group begins."""
        if self._crowded:
            self._now = np.maximum(self._now, self._slots[0])
        return self._now

    def take(self, end: Times, began: Flags | None) -> None:
        """An action that began (where it did) ends then."""
        ended = end if began is None else np.where(began, end, -NEVER)
        if self._ends is None:
            self._ends = ended if began is None else np.maximum(ended, self._first)
        elif self._own:
            np.maximum(self._ends, ended, out=self._ends)
        else:
            self._ends, self._own = np.maximum(self._ends, ended), True
        if not self._crowded:
            return
        slots = [end if began is None else np.where(began, end, self._slots[0]), *self._slots[1:]]
        for place in range(len(slots) - 1):
            low, high = np.minimum(slots[place], slots[place + 1]), np.maximum(slots[place], slots[place + 1])
            slots[place], slots[place + 1] = low, high
        self._slots = slots

    def end(self) -> Times:
        """When all of the group have ended."""
        assert self._ends is not None
        return np.maximum(self._ends, self._now) if self._crowded else self._ends
