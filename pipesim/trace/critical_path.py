"""What an execution's end depended on, step by step.

Walking back from the end: the action that ended last before the next one began is the one that was
waited for, so it is on the path; what lies between two such actions is a wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipesim.trace.log import Trace
from pipesim.trace.spans import Span, spans_of


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a critical path.

    Attributes:
        kind: "action" for work, "wait" otherwise.
        reason: why it waited, one of `pipesim.trace.spans.REASONS`; None for work.
        stage: the stage; for a delay between stages the one that was left.
        action: the action that works, or that waits for a pool or an approval; None for other waits.
        attempt: the action's attempt; None without an action.
        start: in seconds.
        end: in seconds; the next step's start.
        exclusive: seconds by which the execution would have ended earlier, had this step taken no time,
            because nothing beside it would have held the execution up: for an action the part after
            the last of its peers ended, for other waits the whole.
    """

    kind: str
    reason: str | None
    stage: str | None
    action: str | None
    attempt: int | None
    start: float
    end: float
    exclusive: float

    @property
    def duration(self) -> float:
        """How long it took, in seconds."""
        return self.end - self.start


def critical_path(trace: Trace, execution: str) -> tuple[Step, ...]:
    """Return the steps from an execution's start to its end, without a gap and without an overlap.

    An execution that was retried counts from its first start to its last end; one that goes on ends with the trace.

    Args:
        trace: what happened.
        execution: the pipeline execution's id.

    Raises:
        TraceError: the trace knows no such execution.

    >>> import pipesim as ps
    >>> path = critical_path(ps.simulate(ps.load("S3 -> CodeBuild -> S3")), "E1")
    >>> [step.action for step in path if step.action]
    ['S3', 'CodeBuild', 'S3']
    """
    return path_through(spans_of(trace, execution))


def path_through(found: Sequence[Span]) -> tuple[Step, ...]:
    """Return the steps of the execution that has these spans.

    Args:
        found: all spans of one execution.
    """
    lives = [span for span in found if span.level == "execution"]
    if not lives:
        return ()
    everything = [span for span in found if span.level == "action"]
    actions = sorted(everything, key=_closing)
    waits = [span for span in found if span.level == "wait"]
    outer = [wait for wait in waits if wait.action is None]

    steps: list[Step] = []
    reached = max(life.end for life in lives)
    attempt = 1
    while actions:
        action = actions.pop()
        steps.extend(reversed(list(_between(outer, action.end, reached, action.stage, attempt))))
        peers = [peer for peer in everything if _beside(peer, action)]
        inner = [wait for wait in waits if _inside(wait, action)]
        steps.extend(reversed(list(_pieces(action, inner, peers))))
        reached, attempt = action.start, action.attempt or 1
        while actions and _closing(actions[-1])[0] > action.opened:
            actions.pop()
    start = min(life.start for life in lives)
    steps.extend(reversed(list(_between(outer, start, reached, None, attempt))))
    return tuple(reversed(steps))


def _closing(action: Span) -> tuple[float, int]:
    return float("inf") if action.closed is None else action.closed, -action.opened


def _beside(peer: Span, action: Span) -> bool:
    return peer.stage == action.stage and peer.opened != action.opened and peer.opened < _closing(action)[0]


def _inside(wait: Span, action: Span) -> bool:
    return (
        (wait.stage, wait.action) == (action.stage, action.action)
        and wait.opened > action.opened
        and wait.opened < _closing(action)[0]
    )


def _pieces(action: Span, inner: Sequence[Span], peers: Sequence[Span]) -> Iterator[Step]:
    alone = max((peer.end for peer in peers), default=action.start)
    alone = min(max(alone, action.start), action.end)

    def piece(reason: str | None, start: float, end: float) -> Step:
        kind = "action" if reason is None else "wait"
        exclusive = max(0.0, end - max(start, alone))
        return Step(kind, reason, action.stage, action.action, action.attempt, start, end, exclusive)

    reached = action.start
    for wait in inner:
        if wait.start > reached:
            yield piece(None, reached, wait.start)
        yield piece(wait.reason, wait.start, wait.end)
        reached = wait.end
    if reached < action.end or not inner:
        yield piece(None, reached, action.end)


def _between(waits: Sequence[Span], start: float, end: float, stage: str | None, next_attempt: int) -> Iterator[Step]:
    def step(reason: str | None, place: str | None, begin: float, stop: float) -> Step:
        return Step("wait", reason, place, None, None, begin, stop, stop - begin)

    filler = "retry" if next_attempt > 1 else "delay"
    reached = start
    for wait in waits:
        begin, stop = max(wait.start, reached), min(wait.end, end)
        if begin >= stop:
            continue
        if begin > reached:
            yield step(filler, stage, reached, begin)
        yield step(wait.reason, wait.stage, begin, stop)
        reached = stop
    if reached < end:
        yield step(filler, stage, reached, end)
