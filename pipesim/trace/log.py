"""The trace: all that happened in one life of a pipeline, in order.

`Trace` holds the events; `TraceWriter` appends them to a file and keeps none, for runs
whose history would not fit in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TextIO, overload

from pipesim.definition.document import parse_document
from pipesim.definition.model import Pipeline
from pipesim.errors import TraceError
from pipesim.trace.events import Event, EventKind
from pipesim.trace.lines import read_events, to_line


class Trace(Sequence[Event]):
    """The events of one simulation, or of a real pipeline's history.

    Args:
        events: in order; the first one says which pipeline was created.
        end: how long the trace is known to last, in seconds; None: until its last event.

    Raises:
        TraceError: times or sequence numbers go back, or `end` lies before the last event.

    >>> Trace(end=60).end
    60.0
    """

    def __init__(self, events: Iterable[Event] = (), *, end: float | None = None) -> None:
        self._events = tuple(events)
        for before, event in zip(self._events, self._events[1:], strict=False):
            if event.time < before.time or event.seq <= before.seq:
                raise TraceError(f"event {event.seq} at {event.time} s follows event {before.seq} at {before.time} s")
        last = self._events[-1].time if self._events else 0.0
        if end is not None and not end >= last:
            raise TraceError(f"a trace cannot end at {end} s: its last event is at {last} s")
        self._end = last if end is None else float(end)

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Event, ...]: ...
    def __getitem__(self, place: int | slice) -> Event | tuple[Event, ...]:
        return self._events[place]

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        return self._events == other._events and self._end == other._end

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Trace of {len(self._events)} events, {len(self.executions)} executions, {self._end:g} s>"

    @cached_property
    def pipeline(self) -> Pipeline:
        """The declaration that the trace begins with.

        Raises:
            TraceError: the first event does not create a pipeline.
        """
        return parse_document(self._created.detail["document"], source="the trace's first event")

    @cached_property
    def start(self) -> datetime:
        """The calendar moment of time zero, in UTC.

        Raises:
            TraceError: the first event does not say it.
        """
        text = self._created.detail.get("start")
        try:
            moment = datetime.fromisoformat(text or "")
        except (TypeError, ValueError) as error:
            raise TraceError(f"the trace's first event has no usable start: {text!r}") from error
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    @property
    def end(self) -> float:
        """How long the trace lasts, in seconds."""
        return self._end

    @property
    def executions(self) -> tuple[str, ...]:
        """The ids of all executions, in the order in which they first appear."""
        return tuple(self._by_execution)

    def of(self, execution: str) -> tuple[Event, ...]:
        """Return the events of one execution.

        Raises:
            TraceError: the trace knows no such execution.
        """
        try:
            return self._by_execution[execution]
        except KeyError:
            known = self.executions
            shown = ", ".join(known[:5]) + (f" … {known[-1]}" if len(known) > 5 else "")
            raise TraceError(f"no execution '{execution}' in this trace; it has {shown or 'none'}") from None

    def to_jsonl(self) -> str:
        """Return the events as JSON lines; the same events give the same text."""
        return "".join(f"{to_line(event)}\n" for event in self._events)

    def write_jsonl(self, path: str | Path) -> None:
        """Write the events to a file as JSON lines (UTF-8)."""
        with TraceWriter(path) as writer:
            for event in self._events:
                writer.append(event)

    @classmethod
    def from_jsonl(cls, text: str, *, end: float | None = None) -> Trace:
        """Read a trace from JSON lines.

        Args:
            text: what `to_jsonl` gave.
            end: how long the trace is known to last, in seconds; None: until its last event.

        Raises:
            TraceError: a line is no event (the message says which), or there is none.
        """
        return cls._read(text.removeprefix("\ufeff").split("\n"), end)

    @classmethod
    def read_jsonl(cls, path: str | Path, *, end: float | None = None) -> Trace:
        """Read a trace from a file of JSON lines.

        Args:
            path: the file, in UTF-8.
            end: how long the trace is known to last, in seconds; None: until its last event.

        Raises:
            TraceError: the file cannot be read, a line is no event, or there is none.
        """
        try:
            with Path(path).open(encoding="utf-8-sig") as file:
                return cls._read(file, end)
        except (OSError, UnicodeDecodeError) as error:
            raise TraceError(f"cannot read the trace '{path}': {error}") from error

    @classmethod
    def _read(cls, lines: Iterable[str], end: float | None) -> Trace:
        trace = cls(read_events(lines), end=end)
        if not trace:
            raise TraceError("there is no event in it; a trace begins with PipelineCreated")
        return trace

    @property
    def _created(self) -> Event:
        if not self._events or self._events[0].kind is not EventKind.PIPELINE_CREATED:
            raise TraceError("a trace begins with PipelineCreated; this one does not, so its pipeline is unknown")
        if "document" not in self._events[0].detail:
            raise TraceError("the trace's first event holds no document, so its pipeline is unknown")
        return self._events[0]

    @cached_property
    def _by_execution(self) -> dict[str, tuple[Event, ...]]:
        parts: dict[str, list[Event]] = {}
        for event in self._events:
            if event.execution is not None:
                parts.setdefault(event.execution, []).append(event)
        return {execution: tuple(part) for execution, part in parts.items()}


class TraceWriter(AbstractContextManager["TraceWriter"]):
    """Appends events to a file, one JSON line each, and keeps none.

    Args:
        target: a path, which is created or emptied, or an open text file, which stays open.

    Attributes:
        count: how many events it has written.

    Raises:
        TraceError: the file cannot be created.
    """

    def __init__(self, target: str | Path | TextIO) -> None:
        self._opened = ExitStack()
        if isinstance(target, str | Path):
            try:
                opened = Path(target).open("w", encoding="utf-8", newline="\n")  # noqa: SIM115 (the stack closes it)
            except OSError as error:
                raise TraceError(f"cannot write the trace to '{target}': {error}") from error
            self._file: TextIO = self._opened.enter_context(opened)
        else:
            self._file = target
        self.count = 0

    def append(self, event: Event) -> None:
        """Write one event.

        Raises:
            TraceError: the event holds what JSON cannot.
        """
        self._file.write(f"{to_line(event)}\n")
        self.count += 1

    def flush(self) -> None:
        """Hand everything written so far to the file system."""
        self._file.flush()

    def close(self) -> None:
        """Flush, and close the file when the writer opened it."""
        if not self._file.closed:
            self._file.flush()
        self._opened.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
