"""Lesson 16: the startup's pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import hours, minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.formats.samples import sample
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import state_at
from pipesim.vocabulary import ActionCategory, PipelineExecutionStatus
from pipesim.whatif.compare import compare
from pipesim.whatif.scenario import Edit
from pipesim.whatif.structure import execution_mode
from pipesim.whatif.timing import approver_response, duration, pool

GAIN = "shipped"


def _startup() -> Pipeline:
    return load(sample("startup"))


def _afternoon(luck: Random) -> Mapping[str, Any]:
    """Changes at fixed times, and a founder who needs longer than the gap between them."""
    gap = luck.randint(10, 15)
    response = luck.randint(2 * gap + 3, 4 * gap - 3)
    build, changes = luck.randint(3, 6), luck.randint(7, 10)
    times = ", ".join(f'"{gap * place}m"' for place in range(changes))
    profile = load_profile(f"""
arrivals = {{ list = [{times}] }}
actions."Build/CodeBuild".duration = "{build}m"
actions."Deploy/Beanstalk".duration = "4m"
approvals."*".response = "{response}m"
""")
    return {
        "pipeline": _startup(),
        "profile": profile,
        "changes": changes,
        "gap_minutes": gap,
        "founder_minutes": response,
    }


@exercise(
    "16-1",
    "How many reach the users?",
    kind=Kind.PREDICT,
    wants="a whole number of changes",
    parts=("deployments",),
    case=_afternoon,
    points=2,
)
def how_many(answer: Any, case: Case, marks: Marks) -> None:
    """Count what the simulated afternoon deploys."""
    trace = simulate(case.pipeline, case.profile, seed=1)
    truth = len(_ended(trace, PipelineExecutionStatus.SUCCEEDED))
    given = number(answer)
    if close(given, case.changes, within=0.5):
        seen = f"{given:g} is every change that came in; those that wait in front of the founder can be replaced"
    elif close(given, 1, within=0.5):
        seen = "the founder answers more than once that afternoon"
    else:
        seen = f"{given:g} is too {'many' if given > truth else 'few'}"
    marks.part(
        "deployments",
        close(given, truth, within=0.5),
        yes=f"{truth} of {case.changes}; each deployment carries the changes before it as well",
        no=seen,
        hint="The founder is busy with one change at a time; one more can wait. Draw a line of time.",
        stronger="ps.executions_table(ps.simulate(case.pipeline, case.profile, seed=1)) has a column status.",
    )


def _ended(trace: Trace, status: str) -> list[str]:
    states = state_at(trace.pipeline, trace, trace.end).executions.values()
    return [one.id for one in states if one.status == status]


def _bottleneck(luck: Random) -> Mapping[str, Any]:
    """A startup in which either the founder or the build is slow, and four things that could be changed."""
    slow = luck.choice(("founder", "build"))
    founder, build = (luck.randint(45, 60), 4) if slow == "founder" else (5, luck.randint(65, 80))
    profile = load_profile(f"""
arrivals = {{ office = {{ per_day = {luck.randint(9, 12)}, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" }} }}
actions."Build/CodeBuild" = {{ duration = {{ median = "{build}m", p95 = "{build * 3 // 2}m" }}, fails = 0.1 }}
actions."Deploy/Beanstalk".duration = {{ median = "4m", p95 = "8m" }}
approvals."*".response = {{ median = "{founder}m", p95 = "{3 * founder}m" }}
pools.builds = {{ capacity = 4, when_full = "queue" }}
""")
    changes: dict[str, Edit] = {
        "the founder answers in 3 minutes": approver_response("Approval/Founder", minutes(3)),
        "a build in a third of the time": duration("Build/CodeBuild", minutes(build / 3)),
        "a queue": execution_mode("QUEUED"),
        "twice the concurrent builds": pool("builds", 8),
    }
    return {"pipeline": _startup(), "profile": profile, "changes": changes}


@exercise(
    "16-2",
    "Ship more, wait no longer",
    kind=Kind.CHOOSE,
    wants="a pair: a name from case.changes, and how many more changes it ships in these 20 days",
    parts=("nobody waits longer", "ships the most", "the evidence"),
    case=_bottleneck,
)
def ship_more(answer: Any, case: Case, marks: Marks) -> None:
    """Compare all changes with common random numbers: first the lead time, then what is shipped."""
    name, more = answer
    if name not in case.changes:
        raise ValueError(f"no change {name!r} (there are {', '.join(case.changes)})")
    found = compare((case.pipeline, case.profile), case.changes, n=60, days=20, seed=1, progress=False)
    allowed = {one: found.difference(one, GAIN) for one in case.changes if not _longer(found, one)}
    best = max(allowed, key=lambda one: float(allowed[one].estimate))
    marks.part(
        "nobody waits longer",
        name in allowed,
        yes="the mean lead time does not get longer",
        no="with it, changes take longer than today",
        hint="Look at the row `lead time` of the comparison.",
    )
    marks.part(
        "ships the most",
        name == best,
        yes="of those that make nobody wait longer, it ships the most",
        no="it ships fewer than another one that makes nobody wait longer"
        if name in allowed
        else "that is not allowed at this price",
        hint="ps.compare((pipeline, profile), changes, n=60, days=20, seed=1) has a row `shipped`.",
        stronger="Leave out what makes the lead time longer, then take the largest difference in `shipped`.",
    )
    truth, half = float(allowed[best].estimate), float(allowed[best].half_width)
    marks.part(
        "the evidence",
        name == best and close(more, truth, within=2 * half + 0.3),
        yes=f"{truth:.1f} more, ± {half:.1f}",
        no=f"{more} is not what the comparison says of it",
        hint="Take the difference in 20 days, not the number itself.",
        stronger='ps.compare(…).difference(name, "shipped").estimate',
    )


def _longer(found: Any, name: str) -> bool:
    """Whether a change makes the lead time longer, or so unstable that there is none."""
    try:
        return float(found.difference(name, "lead_time").low) > 0
    except (TypeError, ValueError):
        return True


def _grown_up(luck: Random) -> Mapping[str, Any]:
    return {"pipeline": _startup(), "hours": luck.choice((4, 6, 8, 12, 24))}


@exercise(
    "16-3",
    "The startup grows up",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration",
    parts=("accepted", "tested before anybody is asked", "a yes deploys it", "the founder sees the commit", "gives up"),
    case=_grown_up,
)
def grown_up(answer: Any, case: Case, marks: Marks) -> None:
    """Let tests fail, let the founder say yes, let nobody answer, and read what the founder reads."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    by = {category: _places(pipeline, category) for category in (ActionCategory.TEST, ActionCategory.APPROVAL)}
    if not by[ActionCategory.APPROVAL]:
        raise ValueError("nobody is asked any more: there is no manual approval in it")
    stage, action = by[ActionCategory.APPROVAL][0]
    failing = {f"{one}/{name}": ActionAssumption(fails=1.0) for one, name in by[ActionCategory.TEST]}
    red = simulate(pipeline, Assumptions(approvals={"*": Approver()}, actions=failing), seed=1)
    asked = any(event.kind == EventKind.ACTION_STARTED and event.action == action for event in red)
    marks.part(
        "tested before anybody is asked",
        bool(failing) and not asked,
        yes="when a test fails, the founder is left in peace",
        no="there is no test in it" if not failing else "the test fails, and the founder is asked all the same",
        hint="A test action of CodeBuild may stand in the stage Build, or in a stage of its own before Approval.",
        stronger="Copy the build action: another name, the category Test, no output, and a place before Approval.",
    )
    prompt = Assumptions(approvals={"*": Approver(response=Constant(minutes(2)))})
    green = simulate(pipeline, prompt, seed=1)
    marks.part(
        "a yes deploys it",
        bool(_ended(green, PipelineExecutionStatus.SUCCEEDED)) and bool(_places(pipeline, ActionCategory.DEPLOY)),
        yes="after a yes it is deployed",
        no="after a yes it is not deployed",
        hint="Founder and Beanstalk should still be there, in this order.",
    )
    reads = _reads(pipeline, green, stage, action)
    commit = _commit(green)
    marks.part(
        "the founder sees the commit",
        commit in reads,
        yes=f"the question reads: {reads}",
        no=f"the question reads: {reads or 'nothing'}",
        hint="Give the source action a namespace, and use its variable in CustomData.",
        stronger='With the namespace "SourceVariables" the commit is #{SourceVariables.CommitId}.',
    )
    silent = simulate(pipeline, _patient(), seed=1)
    failed = [event.time for event in silent if event.kind == EventKind.ACTION_FAILED and event.action == action]
    started = [event.time for event in silent if event.kind == EventKind.ACTION_STARTED and event.action == action]
    waited = failed[0] - started[0] if failed and started else 0.0
    marks.part(
        "gives up",
        abs(waited - hours(case.hours)) < minutes(10),
        yes=f"without an answer it fails after {waited / 3600:.1f} hours",
        no=f"without an answer it fails after {waited / 3600:.1f} hours, not {case.hours}",
        hint="An approval may have a time-out of its own; see lesson 9.",
        stronger="timeoutInMinutes belongs to the action, beside its configuration, and counts minutes.",
    )


def _patient() -> Assumptions:
    return Assumptions(approvals={"*": Approver()})


def _places(pipeline: Pipeline, category: str) -> list[tuple[str, str]]:
    return [(stage.name, action.name) for stage, action in pipeline.actions() if action.category == category]


def _reads(pipeline: Pipeline, trace: Trace, stage: str, action: str) -> str:
    """What the approver reads: the CustomData with its variables put in, as far as they are known."""
    found = next(one for place, one in pipeline.actions() if (place.name, one.name) == (stage, action))
    text = str(found.configuration.get("CustomData", ""))
    for event in trace:
        if event.kind == EventKind.ACTION_SUCCEEDED:
            source = next(
                one for place, one in pipeline.actions() if (place.name, one.name) == (event.stage, event.action)
            )
            for name, value in event.detail.get("variables", {}).items():
                text = text.replace(f"#{{{source.namespace}.{name}}}", str(value))
    return text


def _commit(trace: Trace) -> str:
    return next(str(event.detail["variables"]["CommitId"]) for event in trace if "variables" in event.detail)


def _deputy(luck: Random) -> Mapping[str, Any]:
    return {
        "pipeline": _startup(),
        "summary": luck.choice(("Checked on my phone", "Seen, go ahead", "Fine with me", "Good, ship it")),
    }


@exercise(
    "16-4",
    "Answer through the API",
    kind=Kind.WRITE,
    wants="a function of two arguments: a client of CodePipeline, and the name of a pipeline",
    parts=("the question is answered", "it is deployed", "the comment stays", "nothing to answer, nothing done"),
    case=_deputy,
)
def deputy(answer: Any, case: Case, marks: Marks) -> None:
    """Call the function while somebody is asked in a mocked account, and once more when nobody is."""
    if not callable(answer):
        raise TypeError("it cannot be called: hand over the function itself, without parentheses")
    from pipesim.cloud.account import Cloud

    with Cloud(seed=1, actions="assumed") as cloud:
        client = cloud.client("codepipeline")
        record = cloud.provision(case.pipeline)
        cloud.run_until_idle()
        fault = _called(answer, client, record.name)
        cloud.run_until_idle()
        details = client.list_action_executions(pipelineName=record.name)["actionExecutionDetails"]
        founder = next(one for one in details if one["actionName"] == "Founder")
        deployed = [one["status"] for one in details if one["stageName"] == "Deploy"]
        said = founder.get("output", {}).get("executionResult", {}).get("externalExecutionSummary", "")
        second = _called(answer, client, record.name)
    marks.part(
        "the question is answered",
        founder["status"] == "Succeeded",
        yes="the approval succeeded",
        no=f"the approval is {founder['status']}" + (f"; your function ended with {fault}" if fault else ""),
        hint="get_pipeline_state has the token of the open question; put_approval_result wants it back.",
        stronger="state['stageStates'][2]['actionStates'][0]['latestExecution']['token'] is the token.",
    )
    marks.part(
        "it is deployed",
        deployed == ["Succeeded"],
        yes="and the change is in production",
        no=f"the deployment is {deployed[0]}" if deployed else "nothing was deployed",
        hint="The status of the result has to be 'Approved'.",
    )
    marks.part(
        "the comment stays",
        said == case.summary,
        yes=f"the history says {said!r}",
        no=f"the history says {said or 'nothing'!r}",
        hint="The result has a summary beside its status; the case says which.",
    )
    marks.part(
        "nothing to answer, nothing done",
        not second,
        yes="called again, it does nothing",
        no=f"called when nobody is asked, it ends with {second}",
        hint="Answer only while the latest execution of the action is InProgress.",
        stronger="An answered question still shows an execution, but its status is no longer InProgress.",
    )


def _called(function: Callable[..., Any], client: Any, name: str) -> str:
    """Call the learner's function; what goes wrong comes back as words."""
    try:
        function(client, name)
    except Exception as error:
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""
