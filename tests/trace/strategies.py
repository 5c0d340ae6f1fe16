"""Random traces: valid stories of several executions, and events of any content."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipesim.trace.events import Event, EventKind
from pipesim.trace.lines import COLUMNS
from tests.trace.conftest import Story

K = EventKind
NAMES = st.text(min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
DETAILS = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name not in COLUMNS),
    JSON.filter(lambda value: value is not None),
    max_size=4,
)


@st.composite
def any_events(draw: st.DrawFn) -> list[Event]:
    """Events in order with any content at all."""
    time = 0.0
    events = []
    for seq in range(draw(st.integers(1, 6))):
        time += draw(st.floats(0, 1e9))
        optional = st.none() | NAMES
        attempt = draw(st.none() | st.integers(1, 9))
        columns: tuple[Any, ...] = (draw(optional), draw(optional), draw(optional), attempt, draw(DETAILS))
        events.append(Event(time, seq, draw(st.sampled_from(EventKind)), *columns))
    return events


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A SUPERSEDED pipeline of three stages with a lock each, told by a small walk of its own.

    Executions arrive, wait, overtake each other, fail and succeed; transitions close and open;
    actions may wait for a pool and approvals for an answer.
    """
    story = Story()
    names = [stage["name"] for stage in story.document["stages"]]
    inside: dict[str, str] = {}
    waiting: dict[str, str] = {}
    closed: set[str] = set()
    running: dict[str, dict[str, list[str]]] = {}
    started = 0
    pause = st.sampled_from([0.0, 0.5, 1.0, 7.25])

    def groups(stage: str) -> list[list[str]]:
        return {"Source": [["Fetch"]], "Build": [["Web", "Api"]], "Prod": [["Sign"], ["Ship"]]}[stage]

    def begin_group(execution: str, stage: str, group: int) -> None:
        running[execution] = {name: ["run"] for name in groups(stage)[group]}
        running[execution]["#group"] = [str(group)]
        for name in groups(stage)[group]:
            story.begin(execution, stage, name)
            if name == "Sign":
                story.tell(K.APPROVAL_REQUESTED, execution, stage, name, 1, token=f"{execution}-t")
            elif stage == "Build" and draw(st.booleans()):
                story.tell(K.ACTION_WAITING, execution, stage, name, 1, pool="builds")
                running[execution][name] = ["wait"]

    def enter(execution: str, stage: str) -> None:
        waiting.pop(stage, None)
        inside[stage] = execution
        story.enter(execution, stage)
        begin_group(execution, stage, 0)

    def arrive(execution: str, stage: str) -> None:
        if stage not in inside and stage not in closed:
            enter(execution, stage)
            return
        story.tell(K.EXECUTION_WAITING, execution, stage)
        if stage in waiting:
            story.tell(K.EXECUTION_SUPERSEDED, waiting[stage], stage, by=execution)
        waiting[stage] = execution

    def release(stage: str) -> None:
        running.pop(inside.pop(stage))
        if stage in waiting and stage not in closed:
            enter(waiting[stage], stage)

    def step(stage: str, name: str) -> None:
        execution = inside[stage]
        mood = running[execution][name][0]
        if mood == "wait":
            story.tell(K.ACTION_WORKING, execution, stage, name, 1, pool="builds")
            running[execution][name] = ["run"]
            return
        if name == "Sign" and mood == "run" and draw(st.booleans()):
            story.tell(K.APPROVAL_ANSWERED, execution, stage, name, 1, status="Approved", by="bob")
            running[execution][name] = ["answered"]
            return
        failed = draw(st.integers(0, 4)) == 0
        story.fail(execution, stage, name, code="JobFailed") if failed else story.done(execution, stage, name)
        running[execution][name] = ["failed" if failed else "done"]
        moods = [value[0] for key, value in running[execution].items() if key != "#group"]
        if not set(moods) <= {"done", "failed"}:
            return
        group = int(running[execution]["#group"][0])
        if "failed" in moods:
            story.leave(execution, stage, K.STAGE_FAILED).tell(K.EXECUTION_FAILED, execution)
            release(stage)
        elif group + 1 < len(groups(stage)):
            begin_group(execution, stage, group + 1)
        else:
            story.leave(execution, stage)
            place = names.index(stage)
            if place + 1 == len(names):
                story.tell(K.EXECUTION_SUCCEEDED, execution)
            release(stage)
            if place + 1 < len(names):
                arrive(execution, names[place + 1])

    for _ in range(draw(st.integers(1, 40))):
        story.at(story.time + draw(pause))
        ready = [
            (stage, name)
            for stage, execution in inside.items()
            for name, value in running[execution].items()
            if name != "#group" and value[0] not in ("done", "failed")
        ]
        what = draw(st.sampled_from(["arrive", "toggle", *["step"] * 6]))
        if what == "arrive" or not ready:
            started += 1
            story.start(f"E{started}", change=f"c{started}")
            arrive(f"E{started}", "Source")
        elif what == "toggle":
            stage = draw(st.sampled_from(names))
            if stage in closed:
                closed.remove(stage)
                story.tell(K.TRANSITION_ENABLED, stage=stage)
                if stage in waiting and stage not in inside:
                    enter(waiting[stage], stage)
            else:
                closed.add(stage)
                story.tell(K.TRANSITION_DISABLED, stage=stage, reason="frozen")
        else:
            step(*draw(st.sampled_from(ready)))
    return story
