"""Who waited at which stage's door, concluded from who was inside: a history does not tell it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipesim.definition.model import Pipeline
from pipesim.trace.history_life import Life, Visit
from pipesim.vocabulary import ExecutionMode

ORDINARY = 5.0
"""A pause of the service between two stages is shorter than this many seconds."""
LONG = 60.0
"""A pause longer than this many seconds in front of an empty stage is taken for a disabled transition."""
NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait at a door: from when, and since when nobody was inside (None: somebody was until the end)."""

    begun: float
    free: float | None


class Doors:
    """The doors of all stages, as far as the lives of the executions show them.

    Args:
        pipeline: the declaration.
        lives: all executions, by start.
        resolution: seconds by which times may be off.
    """

    def __init__(self, pipeline: Pipeline, lives: Sequence[Life], resolution: float) -> None:
        self._names = [stage.name for stage in pipeline.stages]
        self._guarded = {stage.name for stage in pipeline.stages if stage.before_entry}
        self._locks = pipeline.execution_mode != ExecutionMode.PARALLEL
        self.start_delay, self.between = _pauses(lives)
        self._slack = max(0.05, resolution)
        self._inside: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
        self._reached: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for number, life in enumerate(lives):
            for visit in life.visits:
                end = float("inf") if visit.ended is None else visit.ended
                self._inside[visit.stage].append((visit.entered, end, number))
            for stage, left in _arrivals(life, self._names):
                insort(self._reached[stage], (left + self.pause(left, life), number))
        for inside in self._inside.values():
            inside.sort()

    def pause(self, left: float, life: Life) -> float:
        """The service's ordinary pause after leaving a stage, or after the execution's start."""
        return self.start_delay if left == life.start else self.between

    def next_stage(self, visit: Visit | None) -> str | None:
        """The stage behind the one that was visited; None behind the last."""
        place = 0 if visit is None else self._names.index(visit.stage) + 1
        return self._names[place] if place < len(self._names) else None

    def wait(self, number: int, life: Life, stage: str, left: float, until: float) -> Wait | None:
        """How an execution waited in front of a stage; None when it only made the ordinary pause.

        Args:
            number: the execution's place among the lives.
            life: the execution.
            stage: the stage behind the door.
            left: when it left the stage before, or started.
            until: when it entered, was overtaken, or when the history ends.
        """
        begun = left + self.pause(left, life)
        if until - begun <= self._slack:
            return None
        last_out = self._last_out(stage, number, begun, until) if self._locks else None
        if last_out is None:
            if until - begun <= LONG or stage in self._guarded:
                return None
            return Wait(begun, begun)
        closed = until - last_out > LONG and stage not in self._guarded
        return Wait(begun, last_out if closed else None)

    def overtaker(self, number: int, stage: str, time: float) -> int | None:
        """The newer execution that reached the door of a stage nearest to a time; None when there is none."""
        reached = self._reached[stage]
        place = bisect_left(reached, (time, -1))
        near = reached[max(place - NEIGHBOURS, 0) : place + NEIGHBOURS]
        newer = [(abs(moment - time), other) for moment, other in near if other > number]
        return min(newer)[1] if newer else None

    def overtaken(self, number: int, stage: str, left: float) -> float | None:
        """When a newer execution that entered the stage reached its door, after `left`; None when none did."""
        place = bisect_right(self._inside[stage], (left, float("inf"), 0))
        entered = {other for _, _, other in self._inside[stage][place:] if other > number}
        return next((moment for moment, other in self._reached[stage] if other in entered and moment > left), None)

    def _last_out(self, stage: str, number: int, begun: float, until: float) -> float | None:
        """When the last other execution that was inside meanwhile went out; None when nobody was inside."""
        inside = self._inside[stage]
        place = bisect_left(inside, (until, -1.0, -1))
        meanwhile = [
            min(end, until)
            for _, end, other in inside[max(place - NEIGHBOURS, 0) : place]
            if other != number and end > begun
        ]
        return max(meanwhile, default=None)


def _arrivals(life: Life, names: Sequence[str]) -> list[tuple[str, float]]:
    """When an execution was ready for each stage."""
    found = [(names[0], life.start)] if life.record.type != "ROLLBACK" else []
    for visit in life.visits:
        place = names.index(visit.stage) + 1
        if visit.status == "Succeeded" and visit.ended is not None and place < len(names):
            found.append((names[place], visit.ended))
    return found


def _pauses(lives: Sequence[Life]) -> tuple[float, float]:
    starts: list[float] = []
    between: list[float] = []
    for life in lives:
        if life.visits and life.record.type != "ROLLBACK":
            starts.append(life.visits[0].entered - life.start)
        for before, after in pairwise(life.visits):
            if before.ended is not None and after.stage != before.stage:
                between.append(after.entered - before.ended)
    return _ordinary(starts), _ordinary(between)


def _ordinary(pauses: Sequence[float]) -> float:
    short = [pause for pause in pauses if 0 <= pause <= ORDINARY]
    return round(median(short), 3) if short else 0.0
