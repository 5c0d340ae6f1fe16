"""What a history says about each action: durations, those that were cut off, failures, answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.spans import Span, spans
from pipesim.vocabulary import ExecutionType

K = EventKind
TICK = 1.0
"""An answer within so many seconds of the action's end was not told apart from it."""


@dataclass(slots=True)
class Durations:
    """The attempts of one action.

    Attributes:
        succeeded: durations of attempts that succeeded, in seconds, without waiting for a pool.
        failed: durations of attempts that failed.
        censored: how long those lasted that run or were given up.
        left_out: attempts whose start or end no record tells.
        codes: how often each failure type was given.
    """

    succeeded: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    censored: list[float] = field(default_factory=list)
    left_out: int = 0
    codes: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True)
class Request:
    """One request for an approval.

    Attributes:
        asked: when, in seconds since the trace's start.
        until: when it was answered, or until when it is known not to have been.
        answered: whether somebody answered.
        rejected: whether the answer was no.
    """

    asked: float
    until: float
    answered: bool
    rejected: bool


@dataclass(slots=True)
class Samples:
    """What some of a history's executions tell.

    Attributes:
        actions: by (stage, action), approvals left out.
        approvals: by (stage, action).
        arrivals: when changes arrived, in seconds since the trace's start.
        lead_times: of executions that shipped, from the change's arrival to the end.
        waiting: how long each execution waited at stage doors, by execution.
        start_pauses: from the start of an execution to its first stage, where nobody was in the way.
        stage_pauses: from the end of a stage to the entry into the next, where nobody was in the way.
    """

    actions: dict[tuple[str, str], Durations] = field(default_factory=lambda: defaultdict(Durations))
    approvals: dict[tuple[str, str], list[Request]] = field(default_factory=lambda: defaultdict(list))
    arrivals: list[float] = field(default_factory=list)
    lead_times: list[float] = field(default_factory=list)
    waiting: dict[str, float] = field(default_factory=dict)
    start_pauses: list[float] = field(default_factory=list)
    stage_pauses: list[float] = field(default_factory=list)


def take_samples(trace: Trace, executions: Collection[str], tick: float) -> Samples:
    """Read off a trace what some of its executions tell.

    Args:
        trace: what happened.
        executions: the executions that count.
        tick: the pause between an approval's answer and the end of its action, in seconds, which is taken off where
            the trace does not tell them apart.
    """
    wanted = set(executions)
    samples = Samples()
    approvals = {(stage.name, action.name) for stage, action in trace.pipeline.actions() if action.is_approval}
    for execution in trace.executions:
        if execution in wanted:
            _take_life(trace, execution, samples)
            samples.waiting[execution] = 0.0
    found = [span for span in spans(trace) if span.execution in wanted]
    inner: dict[tuple[str, str | None, str | None, int | None], list[Span]] = defaultdict(list)
    for span in found:
        if span.level == "wait" and span.action is not None:
            inner[span.execution, span.stage, span.action, span.attempt].append(span)
        elif span.level == "wait" and span.reason in ("stage lock", "transition"):
            samples.waiting[span.execution] += span.duration
        elif span.level == "wait" and span.reason == "delay" and not span.open:
            (samples.start_pauses if span.stage is None else samples.stage_pauses).append(span.duration)
    events = {event.seq: event for event in trace}
    for span in found:
        if span.level != "action" or span.stage is None or span.action is None:
            continue
        place = (span.stage, span.action)
        inside = inner[span.execution, span.stage, span.action, span.attempt]
        inferred = bool(events[span.opened].detail.get("inferred"))
        if place in approvals:
            if not inferred:
                samples.approvals[place].append(_request(span, inside, tick, answered=_was_answered(trace, span)))
            continue
        durations = samples.actions[place]
        length = round(span.duration - sum(wait.duration for wait in inside if wait.reason == "pool"), 3)
        if inferred:
            durations.left_out += 1
        elif span.status == "Succeeded":
            durations.succeeded.append(length)
        elif span.status == "Failed":
            durations.failed.append(length)
            if span.closed is not None:
                durations.codes[str(events[span.closed].detail.get("code", "JobFailed"))] += 1
        else:
            durations.censored.append(length)
    return samples


def moments(seconds: list[float], start: datetime) -> list[datetime]:
    """Return times since the start as calendar moments."""
    return [start + timedelta(seconds=time) for time in seconds]


def _take_life(trace: Trace, execution: str, samples: Samples) -> None:
    started = trace.of(execution)[0]
    if started.detail.get("execution_type") == ExecutionType.ROLLBACK:
        return
    arrived = float(started.detail.get("arrived", started.time))
    samples.arrivals.append(arrived)
    ended = [event for event in trace.of(execution) if event.kind is K.EXECUTION_SUCCEEDED]
    if ended:
        samples.lead_times.append(ended[-1].time - arrived)


def _was_answered(trace: Trace, span: Span) -> bool:
    return any(
        event.kind is K.APPROVAL_ANSWERED
        and span.opened < event.seq
        and (event.stage, event.action, event.attempt) == (span.stage, span.action, span.attempt)
        for event in trace.of(span.execution)
    )


def _request(span: Span, inside: list[Span], tick: float, *, answered: bool) -> Request:
    waited = next((wait for wait in inside if wait.reason == "approval"), None)
    until = span.end if waited is None else waited.end
    if answered and span.end - until < TICK:
        until = max(span.start, span.end - tick)
    return Request(span.start, until, answered, span.status == "Failed")
