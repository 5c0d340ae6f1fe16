"""Lesson 10: many changes at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import Approver, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import number, same_ids, sound
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import state_at
from pipesim.vocabulary import ExecutionMode, PipelineExecutionStatus

SKETCH = "GitHub -> CodeBuild -> Manual Approval -> Elastic Beanstalk"


def _profile(gap: int, build: int, response: float) -> Assumptions:
    return load_profile(f"""
arrivals = {{ list = ["0m", "{gap}m", "{2 * gap}m", "{3 * gap}m", "{4 * gap}m"] }}
actions."Build/CodeBuild".duration = "{build}m"
actions."Deploy/ElasticBeanstalk".duration = "5m"
approvals."*".response = "{response}m"
""")


def _five_changes(luck: Random) -> Mapping[str, Any]:
    """Five changes, an approver who is slow, and a minute at which somebody waits who has overtaken somebody."""
    pipeline = load(SKETCH)
    gap, build = luck.randint(8, 12), luck.randint(5, 7)
    response = luck.randint(3 * gap + 4, 4 * gap - 2)
    profile = _profile(gap, build, response)
    trace = simulate(pipeline, profile, seed=1)
    candidates = [
        minute for minute in range(3 * gap, 6 * gap) if _replaced_by(trace, _waiting(pipeline, trace, minutes(minute)))
    ]
    return {"pipeline": pipeline, "profile": profile, "minute": luck.choice(candidates)}


def _waiting(pipeline: Pipeline, trace: Trace, time: float) -> tuple[str, ...]:
    return state_at(pipeline, trace, time).stage("Approval").inbound


def _replaced_by(trace: Trace, waiting: Iterable[str]) -> list[str]:
    wanted = set(waiting)
    return [str(event.execution) for event in trace if event.detail.get("by") in wanted]


def _statuses(trace: Trace) -> dict[str, str]:
    return {
        execution.id: execution.status for execution in state_at(trace.pipeline, trace, trace.end).executions.values()
    }


def _all_shipped(trace: Trace) -> bool:
    return set(_statuses(trace).values()) == {PipelineExecutionStatus.SUCCEEDED}


@exercise(
    "10-1",
    "Who waits, and whom did it replace?",
    kind=Kind.PREDICT,
    wants='two ids of executions, such as ("E1", "E2")',
    parts=("who waits", "who was replaced"),
    case=_five_changes,
)
def who_waits(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the trace of the learner's own five changes."""
    waits, replaced = answer
    trace = simulate(case.pipeline, case.profile, seed=1)
    place = _waiting(case.pipeline, trace, minutes(case.minute))
    inside = state_at(case.pipeline, trace, minutes(case.minute)).stage("Approval").occupants
    if same_ids(waits, inside):
        seen = f"{waits} is inside the stage at minute {case.minute}: it has its approval to wait for, not the door"
    else:
        seen = f"{waits} is not in front of Approval at minute {case.minute}"
    marks.part(
        "who waits",
        same_ids(waits, place),
        yes=f"it stands in front of Approval at minute {case.minute}",
        no=seen,
        hint="Simulate your case and look at the timeline: whose hatched bar crosses that minute?",
        stronger="ps.state_at(case.pipeline, trace, ps.minutes(case.minute)).stage('Approval').inbound names it.",
    )
    marks.part(
        "who was replaced",
        same_ids(replaced, _replaced_by(trace, place)[-1:]),
        yes="it stood in the one waiting place when a newer change came",
        no=f"{replaced} was not in that place when the newer change took it",
        hint="Only an execution that waits can be replaced. Who stood in front of Approval just before?",
        stronger="The events of the kind ExecutionSuperseded have a detail 'by'. Find the one with your first answer.",
    )


@exercise(
    "10-2",
    "A queue instead",
    kind=Kind.BUILD,
    wants="a pipeline (or its declaration)",
    parts=("accepted", "the same work", "nobody is overtaken", "in order"),
    case=_five_changes,
    luck_of="10-1",
)
def a_queue(answer: Any, case: Case, marks: Marks) -> None:
    """Run the learner's pipeline with the learner's profile and look at what becomes of the changes."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = [(stage.name, [action.type for action in stage.actions]) for stage in case.pipeline.stages]
    found = [(stage.name, [action.type for action in stage.actions]) for stage in pipeline.stages]
    marks.part(
        "the same work",
        found == wanted,
        yes="stages and actions are those of the case",
        no=f"the stages are {', '.join(name for name, _ in found)}; they should stay as they are in the case",
        hint="Start from case.pipeline.to_document() and change as little as you can.",
    )
    trace = simulate(pipeline, case.profile, seed=1)
    out = [id for id, status in _statuses(trace).items() if status == PipelineExecutionStatus.SUPERSEDED]
    marks.part(
        "nobody is overtaken",
        not out,
        yes="no execution is Superseded",
        no=f"{', '.join(out)} ended as Superseded",
        hint="Which member of a declaration says what happens when changes meet? It has three values.",
        stronger='executionMode "QUEUED" wants pipelineType "V2".',
    )
    entered = [
        str(event.execution) for event in trace if event.kind == EventKind.STAGE_ENTERED and event.stage == "Deploy"
    ]
    marks.part(
        "in order",
        len(entered) == 5 and entered == sorted(entered) and pipeline.execution_mode != ExecutionMode.PARALLEL,
        yes="all five reach Deploy, one after the other, in the order in which they came",
        no=f"Deploy is entered by {', '.join(map(str, entered)) or 'nobody'}, in the mode {pipeline.execution_mode}",
        hint="In PARALLEL the changes run beside each other, and nothing keeps them in order.",
    )


@exercise(
    "10-3",
    "How fast must the approver be?",
    kind=Kind.FIND,
    wants="a whole number of minutes",
    parts=("all are deployed", "no faster than needed"),
    case=_five_changes,
    luck_of="10-1",
)
def how_fast(answer: Any, case: Case, marks: Marks) -> None:
    """Simulate with the learner's number, and with one minute more."""
    response = int(number(answer))
    if response < 0:
        raise ValueError("nobody answers before being asked")
    trace = simulate(case.pipeline, _with_response(case.profile, response), seed=1)
    lost = [id for id, status in _statuses(trace).items() if status != PipelineExecutionStatus.SUCCEEDED]
    marks.part(
        "all are deployed",
        not lost,
        yes=f"with answers after {response} minutes all five changes are deployed",
        no=f"with answers after {response} minutes {', '.join(lost)} does not get there",
        hint="Change the profile's response and simulate again, until nothing is Superseded.",
        stronger="The stage must be free again before the change after the next one comes: compare with the gap.",
    )
    slower = simulate(case.pipeline, _with_response(case.profile, response + 1), seed=1)
    if not lost:
        marks.part(
            "no faster than needed",
            not _all_shipped(slower),
            yes="one minute more, and a change is lost",
            no=f"answers after {response + 1} minutes would do as well",
            hint="Look for the slowest answer that loses nothing.",
            stronger="Try every whole minute from here upwards in a loop, and keep the last one that loses nothing.",
        )


def _with_response(profile: Assumptions, response: float) -> Assumptions:
    return replace(profile, approvals={"*": Approver(response=Constant(minutes(response)))})


def _holiday(luck: Random) -> Mapping[str, Any]:
    """The five changes, and the hours in which nothing may enter Deploy."""
    given = dict(_five_changes(luck))
    begins = luck.randint(10, 20)
    given["profile"] = _with_response(given["profile"], luck.randint(2, 4))
    return given | {"closed_from": begins, "closed_until": begins + luck.randint(150, 200)}


@exercise(
    "10-4",
    "Close the door for a while",
    kind=Kind.BUILD,
    wants="a list of pairs (seconds, command)",
    parts=("closed in time", "nothing enters meanwhile", "opened again"),
    case=_holiday,
)
def close_the_door(answer: Any, case: Case, marks: Marks) -> None:
    """Run the learner's commands and look at who enters Deploy, and when."""
    begins, ends = minutes(case.closed_from), minutes(case.closed_until)
    trace = simulate(case.pipeline, case.profile, seed=1, commands=list(answer))
    entered = [event.time for event in trace if event.kind == EventKind.STAGE_ENTERED and event.stage == "Deploy"]
    transition = state_at(case.pipeline, trace, begins).stage("Deploy").transition
    marks.part(
        "closed in time",
        not transition.enabled,
        yes=f"at minute {case.closed_from} the transition into Deploy is disabled",
        no=f"at minute {case.closed_from} the transition into Deploy is still open",
        hint="A pair (ps.minutes(…), ps.DisableTransition(stage, reason)) is one command.",
    )
    inside = [time for time in entered if begins <= time < ends]
    marks.part(
        "nothing enters meanwhile",
        not inside,
        yes="between the two moments nothing enters Deploy",
        no=f"{len(inside)} enter Deploy in that time, the first at minute {min(inside, default=0.0) / 60:.0f}",
        hint="Look at the timeline: which change enters Deploy too early, or when did the door open?",
    )
    late = [time for time in entered if time >= ends]
    soon = bool(late) and min(late) <= ends + minutes(5)
    marks.part(
        "opened again",
        soon,
        yes=f"soon after minute {case.closed_until} the newest change goes in; those before it are superseded",
        no="afterwards nobody goes in" if not late else f"the first goes in at minute {min(late) / 60:.0f}",
        hint="Which command is the opposite of DisableTransition? It takes the name of the stage.",
        stronger="Add (ps.minutes(case.closed_until), ps.EnableTransition('Deploy')).",
    )
