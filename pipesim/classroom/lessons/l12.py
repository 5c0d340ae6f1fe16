"""Lesson 12: environments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.arrivals import At
from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import Approver, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import hours
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import as_pipeline, close, number, sound
from pipesim.definition.checking import check
from pipesim.definition.model import Pipeline
from pipesim.definition.triggers import Push, starts
from pipesim.engine.commands import Start
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import state_at
from pipesim.vocabulary import ActionCategory

FOUR = (
    "GitHub -> CodeBuild -> S3 (Development) -> [CodeDeploy (Deploy) -> CodeBuild (Regression)] (Testing)"
    " -> S3 (Staging) -> S3 (Production)"
)
THREE = "GitHub -> CodeBuild -> CloudFormation (Testing) -> CloudFormation (Staging) -> CloudFormation (Production)"
ENVIRONMENTS = ("Testing", "Staging", "Production")


def _row(luck: Random) -> Mapping[str, Any]:
    """Two changes, the second on the heels of the first, and one stage that takes long."""
    times = {
        "Build": luck.randint(3, 5),
        "Development": luck.randint(1, 2),
        "Testing, deploy": luck.randint(3, 5),
        "Testing, regression": luck.randint(18, 26),
        "Staging": luck.randint(2, 4),
        "Production": luck.randint(5, 9),
    }
    gap = luck.randint(6, 8)
    profile = load_profile(f"""
arrivals = {{ list = ["0m", "{gap}m"] }}
actions."Build/CodeBuild".duration = "{times["Build"]}m"
actions."Development/S3".duration = "{times["Development"]}m"
actions."Testing/Deploy".duration = "{times["Testing, deploy"]}m"
actions."Testing/Regression".duration = "{times["Testing, regression"]}m"
actions."Staging/S3".duration = "{times["Staging"]}m"
actions."Production/S3".duration = "{times["Production"]}m"
""")
    return {"pipeline": load(FOUR), "profile": profile, "gap": gap, "minutes": times}


@exercise(
    "12-1",
    "Two changes, four environments",
    kind=Kind.PREDICT,
    wants="two numbers of minutes since the start: when the first change is in production, and when the second one is",
    parts=("the first change", "the second change"),
    case=_row,
)
def row(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the ends of two simulated executions."""
    given = [number(one) for one in answer]
    if len(given) != 2:
        raise ValueError(f"{len(given)} numbers: two were asked for")
    trace = simulate(case.pipeline, case.profile, seed=1)
    first, second = ((one.ended or trace.end) / 60 for one in _executions(trace))
    marks.part(
        "the first change",
        close(given[0], first, within=1.5),
        yes=f"after {first:.1f} minutes: nobody was in its way",
        no=f"after {given[0]:g} minutes is too {'late' if given[0] > first else 'early'}",
        hint="Nothing of the first change runs side by side: add up.",
    )
    if close(given[1], first + case.gap, within=1.5):
        seen = "that is where it would be if it never had to wait"
    elif close(given[1], 2 * first, within=1.5):
        seen = "it does not wait until the first one is in production: a stage is free as soon as it has been left"
    elif close(given[1], second - case.gap, within=1.5):
        seen = "that is how long it takes; the minutes since the start were asked for"
    else:
        seen = f"after {given[1]:g} minutes is too {'late' if given[1] > second else 'early'}"
    marks.part(
        "the second change",
        close(given[1], second, within=1.5),
        yes=f"after {second:.1f} minutes: it had to wait in front of Testing",
        no=seen,
        hint="A stage takes one change at a time. Where does the second one meet the first?",
        stronger="It enters Testing when the first one leaves it. From there on nobody is in its way.",
    )


def _copied(luck: Random) -> Mapping[str, Any]:
    """Three deployments whose settings were copied, with a different slip for each learner."""
    document = load(THREE).to_document()
    document["pipelineType"] = "V2"
    document["variables"] = [{"name": "LogLevel", "defaultValue": "info"}]
    document["stages"][0]["actions"][0]["namespace"] = "SourceVariables"
    wrong = luck.choice(ENVIRONMENTS[:2]).lower()
    frozen = luck.choice(("latest", "1.0", "main"))
    level = luck.choice(("debug", "warning"))
    for stage in document["stages"][2:]:
        settings = {"Environment": wrong, "Release": frozen, "LogLevel": level}
        stage["actions"][0]["configuration"]["ParameterOverrides"] = json.dumps(settings)
    return {"pipeline": load(document)}


@exercise(
    "12-2",
    "Copied and forgotten",
    kind=Kind.REPAIR,
    wants="a pipeline or its declaration",
    parts=("accepted", "each its own environment", "the commit everywhere", "the log level of the execution"),
    case=_copied,
)
def copied(answer: Any, case: Case, marks: Marks) -> None:
    """Start an execution with a log level of its own and read what each deployment was given."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    trace = simulate(pipeline, _quiet(), seed=1, commands=[(0.0, Start()), (hours(9), _loud(pipeline))])
    given = {id: _settings(trace, id) for id in ("E1", "E2")}
    missing = [name for name in ENVIRONMENTS if any(name not in seen for seen in given.values())]
    if missing:
        marks.part(
            "each its own environment",
            False,
            no=f"nothing with settings is deployed in {', '.join(missing)}",
            hint="Keep the three deployments and their ParameterOverrides, a JSON text.",
        )
        return
    wrong = {name: seen.get("Environment") for name, seen in given["E1"].items() if name in ENVIRONMENTS}
    wrong = {name: value for name, value in wrong.items() if value != name.lower()}
    marks.part(
        "each its own environment",
        not wrong,
        yes="each stage deploys with its own name",
        no="; ".join(f"{name} is told that it is {value!r}" for name, value in wrong.items()),
        hint="Environment is the only setting that differs from stage to stage.",
        stronger="Go through document['stages'][2:] and write stage['name'].lower() into each.",
    )
    commits = {id: _commit(trace, id) for id in given}
    stale = [id for id, seen in given.items() if any(one.get("Release") != commits[id] for one in seen.values())]
    marks.part(
        "the commit everywhere",
        not stale,
        yes="two executions released two commits, the same one in all three environments",
        no=f"{stale[0]} brought the commit {commits[stale[0]][:7]}, and "
        f"{_first(given[stale[0]], 'Release', commits[stale[0]])!r} was released"
        if stale
        else "",
        hint="The source action has a namespace. What does it put out?",
        stronger="The reference is #{SourceVariables.CommitId}.",
    )
    levels = {id: {one.get("LogLevel") for one in seen.values()} for id, seen in given.items()}
    marks.part(
        "the log level of the execution",
        levels["E1"] == {"info"} and levels["E2"] == {"trace"},
        yes="the default when nobody says anything, else what the start said",
        no=f"an execution that was started with the level 'trace' deployed with {_listed(levels['E2'])}"
        if levels["E2"] != {"trace"}
        else f"without a wish the level is {_listed(levels['E1'])}, the default should stay 'info'",
        hint="A pipeline variable is referred to by #{variables.…}.",
        stronger="The reference is #{variables.LogLevel}, and the pipeline's variables stay as they are.",
    )


def _quiet() -> Assumptions:
    return Assumptions(arrivals=At(()))


def _loud(pipeline: Pipeline) -> Start:
    declared = {one.name for one in pipeline.variables}
    return Start(variables={"LogLevel": "trace"} if "LogLevel" in declared else {})


def _settings(trace: Trace, execution: str) -> dict[str, Mapping[str, Any]]:
    """The parameters with which each stage of one execution deployed, references filled in."""
    found: dict[str, Mapping[str, Any]] = {}
    for event in trace:
        if event.kind != EventKind.ACTION_STARTED or event.execution != execution:
            continue
        text = _configuration(trace.pipeline, event).get("ParameterOverrides")
        if text is not None:
            found[str(event.stage)] = json.loads(text)
    return found


def _configuration(pipeline: Pipeline, event: Event) -> Mapping[str, str]:
    """With what an action ran: what the event says where variables were filled in, else what is declared."""
    declared = pipeline.stage(str(event.stage)).action(str(event.action)).configuration
    filled: Mapping[str, str] = event.detail.get("configuration", declared)
    return filled


def _commit(trace: Trace, execution: str) -> str:
    return next(
        str(event.detail["variables"]["CommitId"])
        for event in trace
        if event.kind == EventKind.ACTION_SUCCEEDED and event.execution == execution and "variables" in event.detail
    )


def _first(seen: Mapping[str, Mapping[str, Any]], name: str, wanted: str) -> Any:
    return next(one.get(name) for one in seen.values() if one.get(name) != wanted)


def _listed(values: set[Any]) -> str:
    return " and ".join(sorted(repr(one) for one in values))


def _gates(luck: Random) -> Mapping[str, Any]:
    """Who is asked before production: two or three people."""
    everybody = ("Security", "ProductOwner", "Legal", "Operations", "Support")
    return {"people": tuple(luck.sample(everybody, luck.randint(2, 3)))}


@exercise(
    "12-3",
    "Different gates",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration",
    parts=(
        "accepted",
        "three environments in order",
        "nobody before testing",
        "one before staging",
        "all before production",
        "each can say no",
    ),
    case=_gates,
)
def gates(answer: Any, case: Case, marks: Marks) -> None:
    """Answer late, one after the other, and see what has been deployed meanwhile."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    deploying = list(
        dict.fromkeys(stage.name for stage, action in pipeline.actions() if action.category == ActionCategory.DEPLOY)
    )
    there = marks.part(
        "three environments in order",
        deploying == list(ENVIRONMENTS),
        yes="testing, staging, production",
        no=f"the stages that deploy are {', '.join(deploying) or 'none'}",
        hint="Three stages with these names, each with a deployment in it.",
    )
    if not there:
        return
    asked = _asked_before(pipeline)
    marks.part(
        "nobody before testing",
        not asked["Testing"],
        yes="machines go ahead on their own there",
        no=f"{_names(asked['Testing'])} must answer before anything is tested",
        hint="A question costs time. Is anything protected by it here?",
    )
    marks.part(
        "one before staging",
        len(asked["Staging"]) == 1,
        yes=f"{_names(asked['Staging'])} is asked before staging is touched",
        no=f"{len(asked['Staging'])} people are asked before staging is touched",
        hint="An approval before the deployment: in the same stage with a lower runOrder, or in a stage before it.",
    )
    people = [action for _, action in asked["Production"]]
    together = len({stage for stage, _ in asked["Production"]}) == 1 and _at_once(pipeline, asked["Production"])
    marks.part(
        "all before production",
        sorted(people) == sorted(case.people) and together,
        yes=f"{_names(asked['Production'])} are asked at the same time, and production waits for all of them",
        no=f"asked before production: {_names(asked['Production']) or 'nobody'}"
        if sorted(people) != sorted(case.people)
        else "they are asked one after the other",
        hint="Actions of one stage with the same runOrder start together. The deployment comes after them.",
        stronger="All approvals with runOrder 1, the deployment with runOrder 2. The names are those of the case.",
    )
    through = [place for place in asked["Production"] if _deployed(pipeline, asked, no=place)]
    marks.part(
        "each can say no",
        bool(asked["Production"]) and not through,
        yes="one no is enough, and production stays as it was",
        no=f"{_names(through)} said no, and it was deployed all the same" if through else "nobody can say no",
        hint="What has the same runOrder as an approval does not wait for it.",
    )


Place = tuple[str, str]


def _asked_before(pipeline: Pipeline) -> dict[str, list[Place]]:
    """Whose answer each environment waits for that the environment before it did not wait for."""
    approvals = [(stage.name, action.name) for stage, action in pipeline.actions() if action.is_approval]
    found: dict[str, list[Place]] = {name: [] for name in ENVIRONMENTS}
    for place in approvals:
        trace = _answered(pipeline, [one for one in approvals if one != place])
        began = _deployments(trace, pipeline)
        blocked = next((name for name in ENVIRONMENTS if name not in began), None)
        if blocked:
            found[blocked].append(place)
    return found


def _answered(pipeline: Pipeline, places: list[Place], no: Place | None = None) -> Trace:
    """One change; these people say yes after an hour, one says no after two, the others never answer."""
    answers = {f"{stage}/{action}": Approver(response=Constant(hours(1))) for stage, action in places}
    refusal = {f"{no[0]}/{no[1]}": Approver(response=Constant(hours(2)), rejects=1.0)} if no else {}
    approvals = {"*": Approver(), **answers, **refusal}
    return simulate(pipeline, Assumptions(arrivals=At((0.0,)), approvals=approvals), seed=1, until=hours(100))


def _deployments(trace: Trace, pipeline: Pipeline) -> set[str]:
    deploys = {
        (stage.name, action.name) for stage, action in pipeline.actions() if action.category == ActionCategory.DEPLOY
    }
    return {str(event.stage) for event in trace if event.kind == EventKind.ACTION_STARTED and _place(event) in deploys}


def _place(event: Event) -> Place:
    return str(event.stage), str(event.action)


def _at_once(pipeline: Pipeline, places: list[Place]) -> bool:
    orders = {pipeline.stage(stage).action(action).run_order for stage, action in places}
    return len(orders) == 1


def _deployed(pipeline: Pipeline, asked: Mapping[str, list[Place]], no: Place) -> bool:
    """Whether production is deployed to although one person says no and all others say yes."""
    yes = [place for name in ENVIRONMENTS for place in asked[name] if place != no]
    return "Production" in _deployments(_answered(pipeline, yes, no), pipeline)


def _names(places: list[Place]) -> str:
    return ", ".join(action for _, action in places)


def _plan(luck: Random) -> Mapping[str, Any]:
    """Three branches, and how far each may go."""
    document = load(
        "GitHub -> CodeBuild -> S3 (Development) -> S3 (Testing) -> S3 (Staging)"
        " -> [Manual Approval -> S3] (Production)"
    ).to_document()
    for stage in document["stages"][2:]:
        deploy = stage["actions"][-1]
        deploy["configuration"]["BucketName"] = f"portal-{stage['name'].lower()}-111122223333"
    trial = luck.choice(("develop", "next", "experiment"))
    release = luck.choice(("release/2.0", "release/spring", "beta"))
    plan = {trial: ["Development", "Testing"], release: ["Staging"], "main": ["Staging", "Production"]}
    if luck.random() < 0.5:
        plan = {trial: ["Development"], release: ["Testing", "Staging"], "main": ["Staging", "Production"]}
    return {"pipeline": load(document), "environments": plan}


@exercise(
    "12-4",
    "A pipeline for each branch",
    kind=Kind.BUILD,
    wants="a dictionary from each branch to its pipeline",
    parts=(
        "a pipeline for every branch",
        "a push starts its own",
        "the planned environments",
        "production is asked for",
    ),
    case=_plan,
)
def branches(answer: Any, case: Case, marks: Marks) -> None:
    """Push to every branch, and send a change through what it starts."""
    plan = case.environments
    given = {str(branch): as_pipeline(one) for branch, one in dict(answer).items()}
    missing, refused = sorted(set(plan) - set(given)), [one for one in given.values() if check(one)]
    names = [one.name for one in given.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing:
        said = f"there is none for {', '.join(missing)}"
    elif refused:
        said = f"the service refuses {refused[0].name}: {check(refused[0])[0]}"
    else:
        said = f"two pipelines of one account cannot both be called {', '.join(twice)}"
    there = marks.part(
        "a pipeline for every branch",
        not missing and not refused and not twice,
        yes="each with a name of its own",
        no=said,
        hint="Go through the plan; each time start from plan.pipeline.to_document() and give it another name.",
        stronger='A name may hold letters, digits, and . @ - _, so "release/2.0" has to be changed a little.',
    )
    if not there:
        return
    started = {branch: [name for name, one in given.items() if _starts(one, branch)] for branch in plan}
    wrong = {branch: found for branch, found in started.items() if found != [branch]}
    marks.part(
        "a push starts its own",
        not wrong,
        yes="and no other",
        no="; ".join(f"a push to {one} starts {_and(found)}" for one, found in wrong.items()),
        hint="BranchName in the configuration of the source says which branch it listens to.",
    )
    reached = {branch: _reached(given[branch]) for branch in plan}
    astray = {branch: found for branch, found in reached.items() if found != plan[branch]}
    marks.part(
        "the planned environments",
        not astray,
        yes="each change ends where the plan says",
        no="; ".join(f"{branch} goes to {_and(found)}" for branch, found in astray.items()),
        hint="Keep the stages of the plan, and source and build in front of them.",
        stronger='document["stages"] is a list: keep those whose name is wanted.',
    )
    unasked = [branch for branch in plan if "Production" in _reached(given[branch], rejecting=True)]
    marks.part(
        "production is asked for",
        not unasked,
        yes="a no keeps a change out of production",
        no=f"{_and(unasked)} goes to production although the approver said no",
        hint="The template has an approval in its stage Production.",
    )


def _starts(pipeline: Pipeline, branch: str) -> bool:
    sources = [action.name for action in pipeline.stages[0].actions]
    return any(starts(pipeline, name, Push(branch=branch, files=("index.html",))) for name in sources)


def _reached(pipeline: Pipeline, *, rejecting: bool = False) -> list[str]:
    """The environments, by their buckets, to which one change is deployed."""
    approver = load_profile(f'approvals."*" = {{ response = "10m", rejects = {1.0 if rejecting else 0.0} }}')
    trace = simulate(pipeline, approver, seed=1, executions=1)
    buckets = [
        _configuration(pipeline, event).get("BucketName", "")
        for event in trace
        if event.kind == EventKind.ACTION_STARTED
    ]
    return [name for bucket in buckets for name in ("Development", *ENVIRONMENTS) if f"-{name.lower()}-" in bucket]


def _and(names: list[str]) -> str:
    return " and ".join(names) or "nothing"


def _executions(trace: Trace) -> list[Any]:
    return list(state_at(trace.pipeline, trace, trace.end).executions.values())
