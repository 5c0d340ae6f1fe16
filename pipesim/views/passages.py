"""What became of each pipeline execution, and the words for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipesim.trace.events import Event, EventKind
from pipesim.views.figures import count_text, duration_text, one_line
from pipesim.views.theme import WORDS
from pipesim.vocabulary import ExecutionType
from pipesim.vocabulary import PipelineExecutionStatus as Status

ENDS: Mapping[EventKind, Status] = {
    EventKind.EXECUTION_SUCCEEDED: Status.SUCCEEDED,
    EventKind.EXECUTION_FAILED: Status.FAILED,
    EventKind.EXECUTION_SUPERSEDED: Status.SUPERSEDED,
    EventKind.EXECUTION_CANCELLED: Status.CANCELLED,
    EventKind.EXECUTION_STOPPED: Status.STOPPED,
}


@dataclass(slots=True)
class Passage:
    """What one pipeline execution came to, up to the moment that is looked at."""

    id: str
    number: int
    started: float
    change: str | None = None
    execution_type: str = ExecutionType.STANDARD.value
    rollback_target: str | None = None
    mode: str | None = None
    status: str = Status.IN_PROGRESS.value
    ended: float | None = None
    stage: str | None = None
    ended_in: str | None = None
    by: str | None = None
    reason: str = ""
    skipped: list[str] = field(default_factory=list)
    resumed: int = 0
    failed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    rejected: set[tuple[str, str]] = field(default_factory=set)
    condition: dict[str, str] = field(default_factory=dict)

    @property
    def is_rollback(self) -> bool:
        """Whether it is a rollback of one stage."""
        return self.execution_type == ExecutionType.ROLLBACK

    @property
    def is_open(self) -> bool:
        """Whether it had not ended yet."""
        return self.ended is None


def passages(events: Iterable[Event], until: float | None = None) -> dict[str, Passage]:
    """Return what became of every pipeline execution up to a time (seconds), by id, in the order of their start."""
    found: dict[str, Passage] = {}
    for event in events:
        if until is not None and event.time > until:
            break
        if event.execution is None:
            continue
        if event.kind is EventKind.EXECUTION_STARTED:
            found[event.execution] = _started(event, len(found) + 1)
        elif (passage := found.get(event.execution)) is not None:
            _follow(passage, event)
    return found


def _started(event: Event, place: int) -> Passage:
    detail = event.detail
    return Passage(
        id=event.execution or "",
        number=int(detail.get("number", place)),
        started=float(detail.get("arrived", event.time)),
        change=detail.get("change"),
        execution_type=str(detail.get("execution_type", ExecutionType.STANDARD.value)),
        rollback_target=detail.get("rollback_target"),
        mode=detail.get("mode"),
    )


def _follow(passage: Passage, event: Event) -> None:
    kind, stage, detail = event.kind, event.stage or "", event.detail
    if kind in ENDS:
        passage.status, passage.ended = ENDS[kind].value, event.time
        passage.ended_in = event.stage or passage.stage
        passage.by = detail.get("by")
        passage.reason = str(detail.get("reason") or detail.get("summary") or "") or passage.reason
    elif kind is EventKind.EXECUTION_STOPPING:
        passage.status, passage.reason = Status.STOPPING.value, str(detail.get("reason") or "")
    elif kind is EventKind.EXECUTION_RESUMED:
        passage.status, passage.ended, passage.by, passage.reason = Status.IN_PROGRESS.value, None, None, ""
        passage.resumed += 1
    elif kind in (EventKind.EXECUTION_WAITING, EventKind.STAGE_ENTERED):
        passage.stage = event.stage
    elif kind is EventKind.STAGE_RESUMED:
        passage.stage = event.stage
        passage.failed.pop(stage, None)
        passage.condition.pop(stage, None)
    elif kind is EventKind.STAGE_SKIPPED:
        passage.skipped.append(stage)
    elif kind is EventKind.ACTION_FAILED:
        passage.failed[stage].append(event.action or "")
    elif kind is EventKind.APPROVAL_ANSWERED and detail.get("status") == "Rejected":
        passage.rejected.add((stage, event.action or ""))
    elif kind in (EventKind.CONDITION_FAILED, EventKind.CONDITION_ERRORED):
        passage.condition[stage] = str(detail.get("condition") or "condition")


CONDITION_WORDS = {
    "BEFORE_ENTRY": "entry condition",
    "ON_SUCCESS": "success condition",
    "ON_FAILURE": "failure condition",
}


def failure_text(passage: Passage, *, with_stage: bool = False) -> str:
    """Return in a few words why an execution failed, such as ``failed: SecurityScan``, or ``… in Test``."""
    stage = passage.ended_in or ""
    actions = passage.failed.get(stage) or []
    if actions:
        word = "rejected" if all((stage, action) in passage.rejected for action in actions) else "failed"
        more = f" and {len(actions) - 2} more" if len(actions) > 2 else ""
        where = f" in {one_line(stage, 30)}" if with_stage else ""
        return f"{word}: {', '.join(one_line(a, 30) for a in actions[:2])}{more}{where}"
    if stage in passage.condition:
        word = CONDITION_WORDS.get(passage.condition[stage], "condition")
        return f"failed: {word} of {one_line(stage, 30)}"
    return f"failed: {one_line(passage.reason, 50)}" if passage.reason else "failed"


def ending_text(passage: Passage, numbers: Mapping[str, int]) -> str:
    """Return in a few words how an execution ended, or that it has not."""
    if passage.status == Status.FAILED:
        return failure_text(passage)
    if passage.status == Status.SUPERSEDED:
        by = numbers.get(passage.by or "")
        return f"superseded by #{by}" if by else "superseded"
    word = WORDS[passage.status][2].lower()
    if passage.status == Status.STOPPED and passage.reason:
        return f"{word}: {one_line(passage.reason, 50)}"
    return word


def execution_name(passage: Passage, numbers: Mapping[str, int]) -> str:
    """Return what an execution is called in a picture: its number and its change, or what it rolls back to."""
    if passage.is_rollback:
        target = passage.rollback_target or ""
        to = f"#{numbers[target]}" if target in numbers else one_line(target, 12)
        return f"#{passage.number} · rollback to {to}".removesuffix(" to ")
    return f"#{passage.number} · {one_line(passage.change, 20)}" if passage.change else f"#{passage.number}"


def sign(status: str) -> str:
    """Return the sign of a status."""
    return WORDS[status][0]


def tally(keep: Iterable[Passage]) -> dict[str, int]:
    """Return how many executions have each status, in the order in which a title names them."""
    counts: dict[str, int] = {status.value: 0 for status in TALLY_ORDER}
    for passage in keep:
        counts[passage.status] = counts.get(passage.status, 0) + 1
    return {status: count for status, count in counts.items() if count}


TALLY_ORDER = (
    Status.SUCCEEDED,
    Status.IN_PROGRESS,
    Status.STOPPING,
    Status.SUPERSEDED,
    Status.FAILED,
    Status.STOPPED,
    Status.CANCELLED,
)


def headline(name: str, keep: Sequence[Passage], mode: str, length: float) -> str:
    """Return the title of a timeline: the pipeline, how many changes, in how long, in which mode."""
    changes = [passage for passage in keep if not passage.is_rollback]
    rollbacks = len(keep) - len(changes)
    extra = f" and {count_text(rollbacks, 'rollback')}" if rollbacks else ""
    return f"{one_line(name, 60)} · {count_text(len(changes), 'change')}{extra} in {duration_text(length)}, {mode}"
