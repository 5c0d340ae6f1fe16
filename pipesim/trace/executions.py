"""Every execution of a pipeline, kept so that finished ones cost a snapshot nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from pipesim.trace.draft import Draft
from pipesim.trace.snapshot import FINISHED_EXECUTION, ExecutionState


class Executions(Mapping[str, ExecutionState]):
    """The executions as they stood at one moment, by id, in the order of the starts.

    It shares the finished ones with the log it came from, and stays as it was when the log goes on.
    """

    __slots__ = ("_count", "_log", "_unfinished", "_version")

    def __init__(self, log: ExecutionLog, unfinished: dict[str, ExecutionState], count: int, version: int) -> None:
        self._log = log
        self._unfinished = unfinished
        self._count = count
        self._version = version

    @property
    def unfinished(self) -> tuple[ExecutionState, ...]:
        """The executions that are not finished, in the order of the starts."""
        return tuple(sorted(self._unfinished.values(), key=lambda execution: execution.number))

    def __getitem__(self, execution: str) -> ExecutionState:
        found = self._unfinished.get(execution)
        return self._log.finished_at(execution, self._version) if found is None else found

    def __iter__(self) -> Iterator[str]:
        return islice(self._log.order, self._count)

    def __reversed__(self) -> Iterator[str]:
        return (self._log.order[place] for place in range(self._count - 1, -1, -1))

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<{self._count} executions, {len(self._unfinished)} unfinished>"


class ExecutionLog:
    """The running record of all executions.

    Unfinished ones are drafts. A finished one is stored with the log's version at that moment, and stored
    again when a retry brings it back and it finishes anew, so that an older view still finds the older record.
    """

    def __init__(self) -> None:
        self.order: list[str] = []
        self._unfinished: dict[str, Draft[ExecutionState]] = {}
        self._finished: dict[str, list[tuple[int, ExecutionState]]] = {}
        self._version = 0

    def start(self, execution: ExecutionState) -> None:
        """Add an execution; ValueError when its id is taken."""
        if execution.id in self:
            raise ValueError(f"execution '{execution.id}' started before")
        self.order.append(execution.id)
        self._unfinished[execution.id] = Draft(execution)

    def change(self, execution: str, **members: Any) -> None:
        """Set members of one execution; KeyError when it never started."""
        draft = self._unfinished.get(execution)
        if draft is None:
            record = replace(self._finished[execution][-1][1], **members)
            if record.finished:
                self._store(record)
            else:
                self._unfinished[execution] = Draft(record)
            return
        draft.change(**members)
        if members.get("status") in FINISHED_EXECUTION:
            del self._unfinished[execution]
            self._store(draft.record)

    def view(self) -> Executions:
        """Return the executions as they stand; costs by the number of unfinished ones."""
        unfinished = {name: draft.record for name, draft in self._unfinished.items()}
        return Executions(self, unfinished, len(self.order), self._version)

    def finished_at(self, execution: str, version: int) -> ExecutionState:
        """Return a finished execution as it stood at that version of the log; KeyError when it was none."""
        records = self._finished[execution]
        place = bisect_right(records, version, key=lambda entry: entry[0])
        if place == 0:
            raise KeyError(execution)
        return records[place - 1][1]

    def __getitem__(self, execution: str) -> ExecutionState:
        draft = self._unfinished.get(execution)
        return self._finished[execution][-1][1] if draft is None else draft.record

    def __contains__(self, execution: str) -> bool:
        return execution in self._unfinished or execution in self._finished

    def _store(self, record: ExecutionState) -> None:
        self._version += 1
        self._finished.setdefault(record.id, []).append((self._version, record))
