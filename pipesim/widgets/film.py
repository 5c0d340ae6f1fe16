"""A trace as the browser gets it: its events in columns, and what each of them changed on the board.

The fold is run here and nowhere else. What it changes is written down cell by cell; a cell is the door of a
stage, the stage itself, an action, an execution, the list of those that ended last, or the declaration. The
browser looks a moment up and never works one out.
"""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pipesim.definition.model import Pipeline
from pipesim.trace.events import Event, EventKind
from pipesim.trace.snapshot import ActionExecution, ActionState, StageState
from pipesim.trace.state import EXECUTION_ENDS, Fold
from pipesim.trace.text import sentence
from pipesim.trace.wording import clock
from pipesim.views.panels import MOST_ENDED, ended_line, token_text
from pipesim.views.theme import EVENTS, WORDS
from pipesim.vocabulary import ConditionType, FailureType
from pipesim.widgets.details import FIELDS, action_facts, door_facts, execution_facts, stage_facts

K = EventKind
INTERESTING = frozenset(
    {
        K.PIPELINE_UPDATED,
        K.TRANSITION_DISABLED,
        K.TRANSITION_ENABLED,
        K.POLL_FAILED,
        K.EXECUTION_WAITING,
        K.EXECUTION_FAILED,
        K.EXECUTION_SUPERSEDED,
        K.EXECUTION_CANCELLED,
        K.EXECUTION_STOPPING,
        K.EXECUTION_STOPPED,
        K.EXECUTION_RESUMED,
        K.EXECUTION_SUCCEEDED,
        K.STAGE_FAILED,
        K.STAGE_SKIPPED,
        K.ACTION_WAITING,
        K.ACTION_FAILED,
        K.ACTION_ABANDONED,
        K.APPROVAL_REQUESTED,
        K.APPROVAL_ANSWERED,
        K.CONDITION_FAILED,
        K.CONDITION_ERRORED,
        K.CONDITION_OVERRIDDEN,
    }
)
"""Kinds at which "next interesting event" stops: something fails, waits, is decided, or is over."""

WITHIN_A_STAGE = frozenset(kind for kind in K if kind.startswith(("Action", "Approval", "Condition", "Rule")))
"""Kinds that leave the pipeline execution as it is, unless they pin a source revision."""

Address = tuple[str, ...]


class Film:
    """All that a player shows of a trace, growing as the trace grows.

    Args:
        pipeline: the declaration that the trace begins with.
        start: the calendar moment of time zero.

    Attributes:
        start: the calendar moment of time zero.
        end: how far it reaches, in seconds.
        times: when each event happened, in seconds.
        kinds: of which kind each event is.
        names: what executions are called, by id.
    """

    def __init__(self, pipeline: Pipeline, start: datetime) -> None:
        self.start = start
        self.end = 0.0
        self.times: list[float] = []
        self.kinds: list[str] = []
        self.names: dict[str, str] = {}
        self._fold = Fold(pipeline)
        self._executions: list[str | None] = []
        self._stages: list[str | None] = []
        self._actions: list[str | None] = []
        self._texts: list[str] = []
        self._cells: dict[Address, int] = {}
        self._changes: tuple[list[int], list[int], list[Any]] = ([], [], [])
        self._history: list[tuple[list[int], list[Any]]] = []
        self._seen: dict[str, StageState] = {}
        self._runs: dict[Address, tuple[ActionExecution | None, Any]] = {}
        self._begun: dict[Address, Mapping[str, Any]] = {}
        self._ended: list[tuple[float, int, str]] = []
        self._declared: Pipeline | None = None
        self._write(("pipeline",), 0, _declaration(pipeline))

    def __len__(self) -> int:
        return len(self.times)

    @property
    def pipeline(self) -> Pipeline:
        """The declaration in force at the end."""
        return self._fold.pipeline

    def extend(self, events: Iterable[Event], end: float | None = None) -> None:
        """Take in what happened next.

        Args:
            events: in order.
            end: how far the trace is known to last, in seconds; None: until its last event.

        Raises:
            TraceError: the events do not fit together.
        """
        for event in events:
            self._take(event)
        if end is not None:
            self.end = max(self.end, end)

    def place_at(self, time: float) -> int:
        """Return how many events have happened at a moment, those of that very moment included."""
        return bisect_right(self.times, time)

    def at(self, address: Address, place: int) -> Any:
        """Return what a cell held after so many events; None when it was empty."""
        number = self._cells.get(address)
        if number is None:
            return None
        places, values = self._history[number]
        found = bisect_right(places, place)
        return values[found - 1] if found else None

    def lines(self, place: int, words: str = "") -> list[str]:
        """Return the sentences of the first so many events, those that contain all the words.

        Args:
            place: how many events.
            words: separated by spaces; upper and lower case are the same.
        """
        wanted = words.lower().split()
        told = zip(self.times[:place], self._texts, strict=False)
        return [f"{clock(time)}  {text}" for time, text in told if all(word in text.lower() for word in wanted)]

    def part(self, events: int = 0) -> dict[str, Any]:
        """Return the columns as JSON has them.

        Args:
            events: how many events of it are known already.
        """
        places, cells, values = self._changes
        changes = bisect_right(places, events) if events else 0
        return {
            "from": events,
            "end": self.end,
            "time": self.times[events:],
            "kind": self.kinds[events:],
            "execution": self._executions[events:],
            "stage": self._stages[events:],
            "action": self._actions[events:],
            "text": self._texts[events:],
            "cells": list(self._cells),
            "place": places[changes:],
            "cell": cells[changes:],
            "value": values[changes:],
        }

    def to_json(self) -> str:
        """Return everything, with the words and signs that go with it, as JSON."""
        return json.dumps({**LEGEND, "start": self.start.isoformat(), **self.part()}, separators=(",", ":"))

    # --- inside ----------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        self._fold.apply(event)
        self.times.append(event.time)
        self.kinds.append(event.kind.value)
        self._executions.append(event.execution)
        self._stages.append(event.stage)
        self._actions.append(event.action)
        self._texts.append(sentence(event))
        self.end = max(self.end, event.time)
        place = len(self.times)
        if event.kind is K.ACTION_STARTED:
            self._begun["action", event.stage or "", event.action or ""] = event.detail
        if event.kind is K.PIPELINE_UPDATED:
            self._write(("pipeline",), place, _declaration(self._fold.pipeline))
        for name in self._touched(event):
            stage, before = self._fold.stage(name), self._seen.get(name)
            if before is not stage:
                self._seen[name] = stage
                self._look(stage, before, place)
        if event.execution is not None:
            self._follow(event, place)

    def _touched(self, event: Event) -> tuple[str, ...]:
        """The stages to look at: that of the event, and where an execution stood that has ended."""
        if event.kind in (K.PIPELINE_CREATED, K.PIPELINE_UPDATED):
            return tuple(stage.name for stage in self._fold.pipeline.stages)
        named = [event.stage]
        if event.kind in EXECUTION_ENDS and event.execution is not None:
            named.append(self._fold.execution(event.execution).stage)
        return tuple(name for name in dict.fromkeys(named) if name is not None)

    def _look(self, stage: StageState, before: StageState | None, place: int) -> None:
        if before is None or _door(before) != _door(stage):
            self._write(("door", stage.name), place, door_facts(stage))
        if before is None or _inside(before) != _inside(stage):
            self._write(("stage", stage.name), place, stage_facts(stage))
        for action in stage.actions:
            self._look_at_action(stage.name, action, place)

    def _look_at_action(self, stage: str, action: ActionState, place: int) -> None:
        address = ("action", stage, action.name)
        run = (action.latest, action.revision)
        before = self._runs.get(address)
        if before is not None and before[0] is run[0] and before[1] is run[1]:
            return
        self._runs[address] = run
        self._write(address, place, action_facts(action, self._begun.get(address, {})))

    def _follow(self, event: Event, place: int) -> None:
        assert event.execution is not None
        if event.kind in WITHIN_A_STAGE and "revision" not in event.detail:
            return
        execution = self._fold.execution(event.execution)
        if event.kind is K.EXECUTION_STARTED:
            self.names[execution.id] = token_text(execution, execution.id)
        told = execution_facts(execution)
        told["name"] = self.names.get(execution.id, execution.id)
        self._write(("execution", execution.id), place, told)
        if event.kind in EXECUTION_ENDS:
            insort(self._ended, (event.time, execution.number, execution.id))
        elif event.kind is K.EXECUTION_RESUMED:
            self._ended = [entry for entry in self._ended if entry[2] != execution.id]
        else:
            return
        state = self._fold.snapshot(event.time)
        lines = [ended_line(state.executions[id], state) for *_, id in reversed(self._ended[-MOST_ENDED:])]
        self._write(("ended",), place, [asdict(line) for line in lines])

    def _write(self, address: Address, place: int, value: Any) -> None:
        number = self._cells.setdefault(address, len(self._cells))
        if number == len(self._history):
            self._history.append(([], []))
        places, values = self._history[number]
        if values and values[-1] == value:
            return
        places.append(place)
        values.append(value)
        for column, entry in zip(self._changes, (place, number, value), strict=True):
            column.append(entry)


def _door(stage: StageState) -> tuple[Any, ...]:
    return stage.transition, stage.inbound


def _inside(stage: StageState) -> tuple[Any, ...]:
    return stage.latest, stage.occupants, stage.conditions, stage.retry


def _declaration(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "name": pipeline.name,
        "mode": str(pipeline.execution_mode),
        "variables": [
            {"name": v.name, "default": v.default_value, "description": v.description} for v in pipeline.variables
        ],
        "stages": [
            {
                "name": stage.name,
                "actions": [
                    {
                        "name": action.name,
                        "provider": action.provider,
                        "category": action.category,
                        "order": action.run_order,
                        "approval": action.is_approval,
                        "inputs": list(action.input_artifacts),
                        "outputs": [artifact.name for artifact in action.output_artifacts],
                    }
                    for action in stage.actions
                ],
            }
            for stage in pipeline.stages
        ],
    }


LEGEND: Mapping[str, Any] = {
    "words": {status: {"symbol": symbol, "word": word} for status, (symbol, _, word, _) in WORDS.items()},
    "kinds": {kind.value: {"status": status, "word": word} for kind, (status, word) in EVENTS.items()},
    "interesting": sorted(kind.value for kind in INTERESTING),
    "fields": {thing: [[f.key, f.label, f.kind] for f in fields] for thing, fields in FIELDS.items()},
    "failures": [failure.value for failure in FailureType],
    "gates": [gate.value for gate in ConditionType],
}
