"""Lesson 9: manual approval."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.model import Approver, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import hours, minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.definition.model import Pipeline
from pipesim.engine.commands import Approve, Reject
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.spans import spans
from pipesim.trace.state import state_at
from pipesim.vocabulary import ActionCategory

FRIDAY = "2026-03-06T{hour:02d}:{minute:02d}:00Z"


def _friday(luck: Random) -> Mapping[str, Any]:
    """A change that comes late on a Friday, and an approver who goes home at five."""
    hour, minute = 15, luck.choice((5, 15, 25, 35, 45))
    work = luck.randint(2, 4)
    profile = load_profile(f"""
start = {FRIDAY.format(hour=hour, minute=minute)}
actions."Build/CodeBuild".duration = "10m"
approvals."*" = {{ response = "{work}h", hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" }}
""")
    pipeline = load("GitHub -> CodeBuild -> Manual Approval -> S3")
    return {"pipeline": pipeline, "profile": profile, "asked": f"Friday {hour}:{minute + 10}", "work_hours": work}


@exercise(
    "09-1",
    "When does the answer come?",
    kind=Kind.PREDICT,
    wants="a number of hours",
    parts=("hours of waiting",),
    case=_friday,
    points=2,
)
def the_weekend(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the time that the approval of a simulated change takes."""
    trace = simulate(case.pipeline, case.profile, seed=1)
    truth = (
        next(one.end - one.start for one in spans(trace) if one.level == "action" and one.stage == "Approval") / 3600
    )
    given = number(answer)
    if close(given, case.work_hours, within=0.6):
        seen = f"{given:g} hours would do if the approver worked through the evening"
    elif close(given, truth - 48, within=1.0):
        seen = f"{given:g} hours would do if Saturday were a working day"
    else:
        seen = f"{given:g} hours is too {'long' if given > truth else 'short'}"
    marks.part(
        "hours of waiting",
        close(given, truth, within=0.6),
        yes=f"the simulation says {truth:.1f} hours: the weekend lies in between",
        no=seen,
        hint="How much of the work is left when the approver goes home at 17:00? When does it go on?",
        stronger="From the question to Friday 17:00, plus the 64 hours to Monday 9:00, plus what is left of the work.",
    )


def _trap(luck: Random) -> Mapping[str, Any]:
    """A stage in which approval and deployment start together."""
    target = luck.choice(("Elastic Beanstalk", "CodeDeploy", "S3"))
    return {"pipeline": load(f"GitHub -> CodeBuild -> [Manual Approval | {target}] (Production)")}


@exercise(
    "09-2",
    "Mend the trap",
    kind=Kind.REPAIR,
    wants="a pipeline or its declaration",
    parts=("accepted", "asked first", "a no is a no", "what was approved is deployed"),
    case=_trap,
)
def trap(answer: Any, case: Case, marks: Marks) -> None:
    """Approve once, reject once, and let a second change come while the first one waits."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    stage = _stage_of(pipeline, ActionCategory.APPROVAL)
    deploys = _stage_of(pipeline, ActionCategory.DEPLOY)
    if not stage or not deploys:
        marks.part(
            "asked first",
            False,
            no="there is no approval any more" if not stage else "nothing is deployed any more",
            hint="Keep both actions; change the order only.",
        )
        return
    yes = simulate(pipeline, _patient(), seed=1, commands=[(hours(2), Approve(stage))])
    began = _began(yes, ActionCategory.DEPLOY)
    marks.part(
        "asked first",
        began is not None and began >= hours(2),
        yes="with an answer after two hours the deployment starts after two hours",
        no="the answer came after two hours, and the deployment never started"
        if began is None
        else f"the answer came after two hours, but the deployment started after {began / 60:.0f} minutes",
        hint="Two actions with the same runOrder start together.",
        stronger="Give the deployment a higher runOrder than the approval.",
    )
    no = simulate(pipeline, _patient(), seed=1, commands=[(hours(2), Reject(stage))])
    marks.part(
        "a no is a no",
        _began(no, ActionCategory.DEPLOY) is None,
        yes="after a rejection nothing is deployed",
        no="the change was rejected, and yet it was deployed",
        hint="What has started before the answer cannot be called back by it.",
    )
    marks.part(
        "what was approved is deployed",
        stage == deploys,
        yes="both are in one stage, so no newer change can come between them",
        no="between the two stages a newer change may overtake the approved one",
        hint="A stage holds one execution at a time. What does that mean for a stage with both actions?",
        stronger="Leave approval and deployment in one stage, one after the other.",
    )


def _patient() -> Assumptions:
    return Assumptions(approvals={"*": Approver()})


def _stage_of(pipeline: Pipeline, category: ActionCategory) -> str:
    return next((stage.name for stage, action in pipeline.actions() if action.category == category), "")


def _began(trace: Trace, category: ActionCategory) -> float | None:
    """When the first action of a category started; None: never."""
    names = {(stage.name, action.name) for stage, action in trace.pipeline.actions() if action.category == category}
    started = (event for event in trace if event.kind == EventKind.ACTION_STARTED)
    return next((event.time for event in started if (event.stage, event.action) in names), None)


def _gate(luck: Random) -> Mapping[str, Any]:
    return {
        "pipeline": load("GitHub -> CodeBuild -> Manual Approval -> S3"),
        "hours": luck.choice((2, 3, 4, 6, 8, 12)),
        "says": luck.choice(("Look at the invoices first", "Is the price list the new one?", "Ask the lawyers")),
        "topic": f"arn:aws:sns:us-east-1:111122223333:approvals-{luck.randint(1, 9)}",
    }


@exercise(
    "09-3",
    "A gate with a time-out",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration",
    parts=("accepted", "what the approver reads", "who is told", "gives up in time", "an answer in time still counts"),
    case=_gate,
)
def gate(answer: Any, case: Case, marks: Marks) -> None:
    """Let nobody answer, and look when the approval gives up."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    found = [action for _, action in pipeline.actions() if action.category == ActionCategory.APPROVAL]
    if not found:
        raise ValueError("there is no manual approval in it")
    marks.part(
        "what the approver reads",
        found[0].configuration.get("CustomData") == case.says,
        yes="the message stands beside the question",
        no=f"the approver reads {found[0].configuration.get('CustomData') or 'nothing'!r}",
        hint="The configuration of a manual approval has a key for free text.",
        stronger="The key is CustomData.",
    )
    marks.part(
        "who is told",
        found[0].configuration.get("NotificationArn") == case.topic,
        yes="the topic gets a message as soon as somebody is asked",
        no="nobody is told" if not found[0].configuration.get("NotificationArn") else "another topic is told",
        hint="Another key of the configuration takes the ARN of an SNS topic.",
        stronger="The key is NotificationArn.",
    )
    stage = _stage_of(pipeline, ActionCategory.APPROVAL)
    trace = simulate(pipeline, _patient(), seed=1)
    waited = next((one.end - one.start for one in spans(trace) if one.level == "action" and one.stage == stage), 0.0)
    marks.part(
        "gives up in time",
        abs(waited - hours(case.hours)) < minutes(10),
        yes=f"without an answer it fails after {waited / 3600:.1f} hours",
        no=f"without an answer it fails after {waited / 3600:.1f} hours, not {case.hours}",
        hint="An action may have its own time-out. In which unit does it count?",
        stronger="timeoutInMinutes belongs to the action, beside its configuration.",
    )
    just = hours(case.hours) - minutes(20)
    late = simulate(pipeline, _patient(), seed=1, commands=[(just, Approve(stage))])
    states = list(state_at(pipeline, late, late.end).executions.values())
    marks.part(
        "an answer in time still counts",
        states[0].status == "Succeeded",
        yes=f"approved after {just / 3600:.1f} hours, the change goes through",
        no=f"approved after {just / 3600:.1f} hours, it ends as {states[0].status}",
        hint="Is the time-out long enough, and does the change go on after the approval?",
    )


def _two_designs(luck: Random) -> Mapping[str, Any]:
    """The approval in a stage of its own, or in the stage of a slow deployment; changes come faster than they leave."""
    own = load("GitHub -> CodeBuild -> Manual Approval -> CodeDeploy")
    together = load("GitHub -> CodeBuild -> [Manual Approval -> CodeDeploy] (Production)")
    gap, deploy = luck.randint(8, 12), luck.randint(25, 35)
    profile = load_profile(f"""
arrivals = {{ every = "{gap}m" }}
actions."Build/CodeBuild".duration = "4m"
actions.CodeDeploy.duration = "{deploy}m"
approvals."*".response = "5m"
""")
    return {"own_stage": own, "one_stage": together, "profile": profile, "hours": 8}


@exercise(
    "09-4",
    "Two designs",
    kind=Kind.CHOOSE,
    wants="a pair: 'own_stage' or 'one_stage', and the approvals that it spares in these hours",
    parts=("the better design", "the evidence"),
    case=_two_designs,
)
def two_designs(answer: Any, case: Case, marks: Marks) -> None:
    """Count, in both designs, the approvals of changes that never reached production."""
    choice, spared = answer
    wasted = {name: _wasted(case[name], case.profile, hours(case.hours)) for name in ("own_stage", "one_stage")}
    better = min(wasted, key=lambda name: wasted[name])
    if choice not in wasted:
        raise ValueError(f"no design {choice!r} (there are {', '.join(wasted)})")
    marks.part(
        "the better design",
        choice == better,
        yes="what is approved there is what is deployed next",
        no="there, approved changes are overtaken while they wait for the deployment",
        hint="After a yes, can a newer change still come in between? Look at both timelines.",
    )
    truth = abs(wasted["own_stage"] - wasted["one_stage"])
    marks.part(
        "the evidence",
        close(spared, truth, within=0.5),
        yes=f"{wasted['own_stage']} approvals in vain against {wasted['one_stage']}",
        no=f"{spared} approvals is not the difference between the two traces",
        hint="Simulate both designs for those hours. Who was approved, and superseded afterwards?",
        stronger="ps.replicate(pipeline, profile, 1, …) has the measure approvals_wasted; or count in ps.events_table.",
    )


def _wasted(pipeline: Pipeline, profile: Assumptions, until: float) -> int:
    """Approvals of executions that were superseded afterwards."""
    trace = simulate(pipeline, profile, seed=1, until=until)
    approvals = {action.name for _, action in pipeline.actions() if action.category == ActionCategory.APPROVAL}
    approved = {
        event.execution for event in trace if event.kind == EventKind.ACTION_SUCCEEDED and event.action in approvals
    }
    return sum(event.kind == EventKind.EXECUTION_SUPERSEDED and event.execution in approved for event in trace)
