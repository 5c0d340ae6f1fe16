"""Intervals: what took from when to when, and why somebody waited.

Everything is read off the trace alone. Per execution, the spans of level "action" and the waits
without an action cover its whole life from start to end; pool and approval waits, and the delay
between an answer and the action's end, lie inside their action's span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import ACTION_ENDS, CONDITION_CHANGES, EXECUTION_ENDS, STAGE_ENDS

K = EventKind

LEVELS = ("execution", "stage", "wait", "action")
REASONS = ("stage lock", "transition", "approval", "pool", "condition", "retry", "delay")


@dataclass(frozen=True, slots=True)
class Span:
    """An interval between two events of one thing.

    Attributes:
        level: "execution", "stage", "action" or "wait".
        reason: for waits one of `REASONS`: "stage lock" and "transition" at a stage's door, "pool" and
            "approval" inside an action, "condition" while rules run, "retry" from a failure until somebody
            retries, "delay" for the service's own small pauses; None for the other levels.
        execution: the pipeline execution's id.
        stage: the stage; for a delay between stages the one that was left, for a wait at a door the one behind it.
        action: the action; None for executions, stages and waits outside an action.
        attempt: which attempt, from 1; None for waits outside an action.
        start: in seconds.
        end: in seconds; the end of the trace while it is open.
        status: how it ended, in the service's word; "InProgress" while it is open; for a wait at a door
            only when the execution never entered (Superseded, Stopped, Cancelled, Failed), else None.
        open: whether it goes on at the end of the trace.
        opened: the sequence number of the event that began it.
        closed: the sequence number of the event that ended it; None while it is open.
    """

    level: str
    reason: str | None
    execution: str
    stage: str | None
    action: str | None
    attempt: int | None
    start: float
    end: float
    status: str | None
    open: bool
    opened: int = 0
    closed: int | None = None

    @property
    def duration(self) -> float:
        """How long it is, in seconds."""
        return self.end - self.start


def spans(trace: Trace, until: float | None = None) -> tuple[Span, ...]:
    """Return every span of a trace, by start, executions before stages before waits before actions.

    Args:
        trace: what happened.
        until: look no further than this, in seconds; None: to the trace's end.

    >>> import pipesim as ps
    >>> [span.stage for span in spans(ps.simulate(ps.load("S3 -> S3"))) if span.level == "stage"]
    ['Source', 'Deploy']
    """
    end = trace.end if until is None else until
    closures = _closures(trace, end)
    found: list[Span] = []
    for execution in trace.executions:
        found.extend(_Life(execution, closures, end).read(trace.of(execution)))
    return tuple(sorted(found, key=_order))


def spans_of(trace: Trace, execution: str, until: float | None = None) -> tuple[Span, ...]:
    """Return the spans of one execution, in the order of `spans`.

    Args:
        trace: what happened.
        execution: the pipeline execution's id.
        until: look no further than this, in seconds; None: to the trace's end.

    Raises:
        TraceError: the trace knows no such execution.
    """
    end = trace.end if until is None else until
    return tuple(sorted(_Life(execution, _closures(trace, end), end).read(trace.of(execution)), key=_order))


@dataclass(slots=True)
class _Open:
    """Something that has begun and not ended."""

    event: Event
    stage: str | None
    action: str | None = None
    attempt: int | None = None


@dataclass(slots=True)
class _Life:
    """Reads the spans of one execution off its events, in one pass."""

    execution: str
    closures: Mapping[str, Sequence[tuple[float, float]]]
    until: float
    found: list[Span] = field(default_factory=list)
    life: _Open | None = None
    attempt: int = 1
    door: _Open | None = None
    stages: dict[str, _Open] = field(default_factory=dict)
    actions: dict[tuple[str | None, str | None], _Open] = field(default_factory=dict)
    inner: dict[tuple[str | None, str | None], tuple[str, _Open]] = field(default_factory=dict)
    conditions: dict[tuple[str | None, str], _Open] = field(default_factory=dict)
    failed: dict[str | None, _Open] = field(default_factory=dict)

    def read(self, events: Iterable[Event]) -> list[Span]:
        last: Event | None = None
        for event in events:
            if event.time > self.until:
                break
            self._take(event)
            last = event
        if last is not None:
            self._close_open()
            self._fill_gaps()
        return self.found

    def _take(self, event: Event) -> None:
        kind = event.kind
        place = (event.stage, event.action)
        if kind is K.EXECUTION_STARTED:
            self.life = _Open(event, None)
        elif kind is K.EXECUTION_WAITING:
            self.door = _Open(event, event.stage)
        elif kind in EXECUTION_ENDS:
            self._end_execution(event)
        elif kind is K.EXECUTION_RESUMED:
            self.attempt = event.attempt or self.attempt + 1
            self.life = _Open(event, event.stage)
            self._end_failure(event, None)
        elif kind is K.STAGE_ENTERED:
            self._end_door(event, None)
            self.stages[_text(event.stage)] = _Open(event, event.stage, attempt=event.attempt or 1)
        elif kind in STAGE_ENDS:
            self._end_stage(event)
        elif kind is K.STAGE_RESUMED:
            self._resume_stage(event)
        elif kind is K.ACTION_STARTED:
            self.actions[place] = _Open(event, *place, event.attempt or 1)
        elif kind in ACTION_ENDS:
            self._end_inner(event)
            self._end_action(event)
        elif kind is K.ACTION_WAITING:
            self._begin_inner(event, "pool")
        elif kind is K.ACTION_WORKING:
            self._end_inner(event)
        elif kind is K.APPROVAL_REQUESTED:
            self._begin_inner(event, "approval")
        elif kind is K.APPROVAL_ANSWERED:
            self._end_inner(event)
            self._begin_inner(event, "delay")
        elif kind is K.CONDITION_STARTED:
            self.conditions[event.stage, _text(event.detail.get("condition"))] = _Open(event, event.stage)
        elif kind in CONDITION_CHANGES:
            self._end_condition(event)

    def _end_execution(self, event: Event) -> None:
        status = EXECUTION_ENDS[event.kind]
        self._end_door(event, status)
        if self.life is not None:
            self._add("execution", None, self.life, event, status, attempt=self.attempt)
            self.life = None
        self.failed[None] = _Open(event, event.stage)

    def _end_stage(self, event: Event) -> None:
        begun = self.stages.pop(_text(event.stage), None)
        if begun is not None:
            self._add("stage", None, begun, event, STAGE_ENDS[event.kind])
        if event.detail.get("retry_pending"):
            self.failed[event.stage] = _Open(event, event.stage)

    def _resume_stage(self, event: Event) -> None:
        self._end_failure(event, event.stage)
        running = self.stages.get(_text(event.stage))
        if running is not None:
            self._add("stage", None, running, event, "Failed")
        self.stages[_text(event.stage)] = _Open(event, event.stage, attempt=event.attempt or 2)

    def _end_failure(self, event: Event, key: str | None) -> None:
        begun = self.failed.pop(key, None)
        if begun is not None:
            begun.stage = event.stage or begun.stage
            self._add("wait", "retry", begun, event, None)

    def _end_door(self, event: Event, status: str | None) -> None:
        if self.door is None:
            return
        begun, self.door = self.door, None
        self._add_door(begun, event.time, status, event.seq)

    def _add_door(self, begun: _Open, end: float, status: str | None, closed: int | None) -> None:
        pieces = list(_split(begun.event.time, end, self.closures.get(_text(begun.stage), ())))
        for place, (start, stop, reason) in enumerate(pieces):
            last = place + 1 == len(pieces)
            self.found.append(
                Span(
                    "wait",
                    reason,
                    self.execution,
                    begun.stage,
                    None,
                    None,
                    start,
                    stop,
                    status if last else None,
                    last and closed is None,
                    begun.event.seq,
                    closed,
                )
            )

    def _begin_inner(self, event: Event, reason: str) -> None:
        place = (event.stage, event.action)
        self.inner[place] = reason, _Open(event, *place, event.attempt or 1)

    def _end_inner(self, event: Event) -> None:
        reason, begun = self.inner.pop((event.stage, event.action), (None, None))
        if begun is not None and event.time > begun.event.time:
            self._add("wait", reason, begun, event, None)

    def _end_action(self, event: Event) -> None:
        begun = self.actions.pop((event.stage, event.action), None)
        if begun is not None:
            self._add("action", None, begun, event, ACTION_ENDS[event.kind])

    def _end_condition(self, event: Event) -> None:
        begun = self.conditions.pop((event.stage, _text(event.detail.get("condition"))), None)
        if begun is not None and event.time > begun.event.time:
            self._add("wait", "condition", begun, event, None)

    def _add(
        self,
        level: str,
        reason: str | None,
        begun: _Open,
        event: Event,
        status: str | None,
        attempt: int | None = None,
    ) -> None:
        if level == "wait" and event.time == begun.event.time:
            return
        self.found.append(
            Span(
                level,
                reason,
                self.execution,
                begun.stage,
                begun.action,
                begun.attempt if attempt is None else attempt,
                begun.event.time,
                event.time,
                status,
                False,
                begun.event.seq,
                event.seq,
            )
        )

    def _close_open(self) -> None:
        if self.door is not None:
            self._add_door(self.door, self.until, "InProgress", None)
        going_on: list[tuple[str, str | None, _Open]] = []
        if self.life is not None:
            self.life.attempt = self.attempt
            going_on.append(("execution", None, self.life))
        going_on += [("stage", None, begun) for begun in self.stages.values()]
        going_on += [("action", None, begun) for begun in self.actions.values()]
        going_on += [("wait", reason, begun) for reason, begun in self.inner.values()]
        going_on += [("wait", "condition", begun) for begun in self.conditions.values()]
        going_on += [("wait", "retry", begun) for key, begun in self.failed.items() if key is not None]
        for level, reason, begun in going_on:
            self.found.append(
                Span(
                    level,
                    reason,
                    self.execution,
                    begun.stage,
                    begun.action,
                    begun.attempt,
                    begun.event.time,
                    self.until,
                    "InProgress",
                    True,
                    begun.event.seq,
                )
            )

    def _fill_gaps(self) -> None:
        covering = sorted(
            (span for span in self.found if span.level == "action" or (span.level == "wait" and span.action is None)),
            key=lambda span: (span.start, span.end),
        )
        for life in [span for span in self.found if span.level == "execution"]:
            reached, stage = life.start, None
            for span in covering:
                if span.end < life.start or span.start > life.end:
                    continue
                if span.start > reached:
                    self.found.append(self._delay(stage, reached, span.start, life, open=False))
                if span.end >= reached:
                    reached, stage = span.end, span.stage
            if life.end > reached:
                self.found.append(self._delay(stage, reached, life.end, life, open=life.open))

    def _delay(self, stage: str | None, start: float, end: float, life: Span, *, open: bool) -> Span:
        status = "InProgress" if open else None
        return Span(
            "wait", "delay", self.execution, stage, None, None, start, end, status, open, life.opened, life.closed
        )


def _closures(trace: Iterable[Event], until: float) -> dict[str, list[tuple[float, float]]]:
    closed: dict[str, float] = {}
    found: dict[str, list[tuple[float, float]]] = {}
    for event in trace:
        if event.time > until:
            break
        if event.kind is K.TRANSITION_DISABLED:
            closed.setdefault(_text(event.stage), event.time)
        elif event.kind is K.TRANSITION_ENABLED:
            start = closed.pop(_text(event.stage), None)
            if start is not None:
                found.setdefault(_text(event.stage), []).append((start, event.time))
    for stage, start in closed.items():
        found.setdefault(stage, []).append((start, until))
    return found


def _split(start: float, end: float, closures: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float, str]]:
    """Cut a wait at a door into pieces by what it waited for; empty pieces are left out."""
    reached = start
    for closed, opened in closures:
        closed, opened = max(closed, reached), min(opened, end)
        if closed >= opened:
            continue
        if closed > reached:
            yield reached, closed, "stage lock"
        yield closed, opened, "transition"
        reached = opened
    if reached < end:
        yield reached, end, "stage lock"


def _text(name: str | None) -> str:
    return name or ""


def _order(span: Span) -> tuple[float, int, int, float]:
    return span.start, LEVELS.index(span.level), span.opened, span.end
