"""Events as JSON lines: one flat object a line.

The same event gives the same bytes everywhere: columns first, then the members of the
detail in alphabetical order, floats in their shortest exact form, ASCII only.

    >>> from pipesim.trace.events import Event, EventKind
    >>> to_line(Event(2.5, 7, EventKind.STAGE_ENTERED, "E1", "Build", attempt=1))
    '{"time": 2.5, "seq": 7, "kind": "StageEntered", "execution": "E1", "stage": "Build", "attempt": 1}'
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from immutabledict import immutabledict

from pipesim.errors import TraceError
from pipesim.trace.events import NOTHING, Event, EventKind

COLUMNS = ("time", "seq", "kind", "execution", "stage", "action", "attempt")
KINDS: Mapping[str, EventKind] = immutabledict({kind.value: kind for kind in EventKind})


def to_line(event: Event) -> str:
    """Return the event as one line of JSON, without the line's end.

    Raises:
        TraceError: the detail holds what JSON cannot, or a member named like a column.
    """
    time, seq, kind, execution, stage, action, attempt, detail = event
    if not math.isfinite(time):
        raise TraceError(f"event {seq} ({kind}) has the time {time}; a time is a finite number of seconds")
    parts = [f'{{"time": {float(time)!r}, "seq": {seq}, "kind": "{kind.value}"']
    if execution is not None:
        parts.append(f', "execution": {_quoted(execution)}')
    if stage is not None:
        parts.append(f', "stage": {_quoted(stage)}')
    if action is not None:
        parts.append(f', "action": {_quoted(action)}')
    if attempt is not None:
        parts.append(f', "attempt": {attempt}')
    if detail:
        parts.append(_members(event))
    parts.append("}")
    return "".join(parts)


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """Read events one line at a time; blank lines are passed over.

    Args:
        lines: such as an open file.

    Raises:
        TraceError: a line is no event or out of order; the message says which line.
    """
    before: Event | None = None
    for number, line in enumerate(lines, start=1):
        if line.isspace() or not line:
            continue
        event = _read(line, number)
        if before is not None:
            if event.time < before.time:
                raise TraceError(f"line {number}: the time goes back from {before.time} s to {event.time} s")
            if event.seq <= before.seq:
                raise TraceError(f"line {number}: seq {event.seq} does not follow {before.seq}")
        before = event
        yield event


def _members(event: Event) -> str:
    members = {name: value for name, value in event.detail.items() if value is not None}
    taken = sorted(members.keys() & set(COLUMNS))
    if taken:
        raise TraceError(f"event {event.seq} ({event.kind}): the detail may not use the column names {taken}")
    if not members:
        return ""
    try:
        text: str = _ENCODER.encode(members)
    except (TypeError, ValueError) as error:
        raise TraceError(f"event {event.seq} ({event.kind}) holds what JSON cannot: {error}") from error
    return f", {text[1:-1]}"


def _read(line: str, number: int) -> Event:
    try:
        record = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise TraceError(f"line {number} is not JSON: {error}") from error
    if not isinstance(record, dict):
        raise TraceError(f"line {number} is no JSON object but {line.strip()[:40]!r}")
    kind = record.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise TraceError(f"line {number}: unknown kind of event {kind!r}; see pipesim.trace.events.EventKind")
    time = record.pop("time", None)
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
        raise TraceError(f"line {number}: time must be a finite number of seconds, not {time!r}")
    seq = record.pop("seq", None)
    if isinstance(seq, bool) or not isinstance(seq, int) or seq < 0:
        raise TraceError(f"line {number}: seq must be a whole number from 0, not {seq!r}")
    attempt = record.pop("attempt", None)
    if attempt is not None and (isinstance(attempt, bool) or not isinstance(attempt, int)):
        raise TraceError(f"line {number}: attempt must be a whole number, not {attempt!r}")
    names: list[str | None] = []
    for column in ("execution", "stage", "action"):
        name = record.pop(column, None)
        if name is not None and not isinstance(name, str):
            raise TraceError(f"line {number}: {column} must be text, not {name!r}")
        names.append(name)
    detail = immutabledict(record) if record else NOTHING
    return Event(float(time), seq, KINDS[kind], names[0], names[1], names[2], attempt, detail)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__}")


_ENCODER = json.JSONEncoder(sort_keys=True, allow_nan=False, default=_plain)
_quoted = lru_cache(maxsize=4096)(json.encoder.encode_basestring_ascii)
