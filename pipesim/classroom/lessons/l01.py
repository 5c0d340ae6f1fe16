"""Lesson 1: what a pipeline is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.profile import load_profile
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import as_pipeline, close, number, same_ids, sound
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.log import Trace
from pipesim.trace.state import state_at
from pipesim.vocabulary import PipelineExecutionStatus

SOURCES = ("GitHub", "CodeCommit", "S3")
TARGETS = ("Elastic Beanstalk", "CodeDeploy", "S3")
CONSTANT = """
arrivals = {{ list = ["0m"] }}
actions."Build/CodeBuild".duration = "{build}m"
actions."Test/Test".duration = "{test}m"
actions."Deploy/S3".duration = "{deploy}m"
approvals."*".response = "{answer}m"
"""


def _one_change(luck: Random) -> Mapping[str, Any]:
    """One change, and a time for everything that it passes."""
    times = {name: luck.randint(low, high) for name, low, high in _RANGES}
    pipeline = load("GitHub -> CodeBuild -> Tests -> Manual Approval -> S3")
    return {"pipeline": pipeline, "profile": load_profile(CONSTANT.format(**times)), "minutes": times}


_RANGES = (("build", 4, 9), ("test", 6, 15), ("answer", 20, 50), ("deploy", 2, 6))


@exercise(
    "01-1",
    "From commit to production",
    kind=Kind.PREDICT,
    wants="a number of minutes",
    parts=("lead time",),
    case=_one_change,
    points=2,
)
def lead_time(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the lead time of the simulated change."""
    truth = _lead_time(simulate(case.pipeline, case.profile, seed=1)) / 60
    slowest = max(case.minutes.values())
    given = number(answer)
    if close(given, slowest, within=1.5):
        seen = f"{given:g} minutes is the longest step alone; the others take their time, too"
    elif given > 5 * truth:
        seen = f"{given:g} minutes is far too long: are those seconds?"
    else:
        seen = f"{given:g} minutes is too {'long' if given > truth else 'short'}"
    marks.part(
        "lead time",
        close(given, truth, within=1.5),
        yes=f"the simulation says {truth:.1f} minutes; the part of a minute is what the service itself needs",
        no=seen,
        hint="Nothing runs at the same time here: follow the arrows and add up.",
        stronger="Add the minutes of build, test, answer and deploy; finding the change takes only seconds.",
    )


def _lead_time(trace: Trace) -> float:
    first = next(iter(state_at(trace.pipeline, trace, trace.end).executions.values()))
    return (first.ended or trace.end) - first.started


def _wanted(luck: Random) -> Mapping[str, Any]:
    return {"source": luck.choice(SOURCES), "target": luck.choice(TARGETS)}


@exercise(
    "01-2",
    "Sketch a pipeline",
    kind=Kind.BUILD,
    wants='a sketch, such as "GitHub -> CodeBuild -> S3", or a pipeline',
    parts=("accepted", "source", "built before it is deployed", "a person in between", "target"),
    case=_wanted,
)
def sketch(answer: Any, case: Case, marks: Marks) -> None:
    """Look at what a change passes on its way through the learner's pipeline."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    source, target = load(f"{case.source} -> {case.target}").actions()
    passed = _passed(pipeline)
    marks.part(
        "source",
        passed[:1] == [_kind(source[1])],
        yes=f"changes come from {case.source}",
        no=f"changes come from {passed[0][1]}, not from {case.source}",
        hint="The first word of a sketch is where changes come from.",
    )
    categories = [category for category, _ in passed]
    built = "Build" in categories and "Deploy" in categories and categories.index("Build") < categories.index("Deploy")
    marks.part(
        "built before it is deployed",
        built,
        yes="CodeBuild builds it first",
        no="what is deployed was never built" if "Build" not in categories else "it is deployed before it is built",
        hint="CodeBuild belongs between source and target.",
    )
    asked = "Approval" in categories and categories.index("Approval") < len(categories) - categories[::-1].index(
        "Deploy"
    )
    marks.part(
        "a person in between",
        asked and categories.index("Approval") > 0,
        yes="a person decides before it is deployed",
        no="nobody is asked before it is deployed",
        hint='The words "Manual Approval" are a step of their own.',
    )
    marks.part(
        "target",
        passed[-1] == _kind(target[1]),
        yes=f"it ends in {case.target}",
        no=f"the last step is {passed[-1][1]}, not {case.target}",
        hint="The last word of a sketch is where the change goes.",
    )


def _passed(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Category and provider of every action in the order in which one change finishes them."""
    trace = simulate(pipeline, seed=1)
    actions = {(stage.name, action.name): _kind(action) for stage, action in pipeline.actions()}
    ended = [(event.stage, event.action) for event in trace if event.kind == "ActionSucceeded"]
    return [actions[str(stage), str(action)] for stage, action in ended]


def _kind(action: Any) -> tuple[str, str]:
    return str(action.category), str(action.provider)


def _a_day(luck: Random) -> Mapping[str, Any]:
    """Six changes of a small pipeline in which some builds fail."""
    pipeline = load("GitHub -> CodeBuild -> S3")
    failing = sorted(luck.sample(range(1, 7), 2))
    profile = load_profile(f"""
arrivals = {{ every = "30m" }}
actions."Build/CodeBuild" = {{ duration = "{luck.randint(6, 12)}m", fails_on = {failing} }}
""")
    return {"pipeline": pipeline, "trace": simulate(pipeline, profile, executions=6, seed=luck.randint(1, 99))}


@exercise(
    "01-3",
    "Which changes reached production?",
    kind=Kind.FIND,
    wants='a list of ids, such as ["E1", "E4"]',
    parts=("all of them", "no other"),
    case=_a_day,
)
def shipped(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with what the trace says of each execution."""
    states = state_at(case.pipeline, case.trace, case.trace.end).executions.values()
    truth = {one.id for one in states if one.status == PipelineExecutionStatus.SUCCEEDED}
    named = [answer] if isinstance(answer, str) else [str(one).strip().upper() for one in answer]
    missing, wrong = truth - set(named), set(named) - truth
    marks.part(
        "all of them",
        not missing,
        yes=f"{len(truth)} changes got there",
        no=f"{len(missing)} more got there",
        hint="The column `status` of ps.executions_table(case.trace) says how each one ended.",
    )
    marks.part(
        "no other",
        same_ids(sorted(set(named) & truth), truth - missing) and not wrong,
        yes="and nobody else",
        no=f"{', '.join(sorted(wrong))} did not get there",
        hint="Where does the lane of that change end in ps.timeline(case.trace)?",
    )


def _broken(luck: Random) -> Mapping[str, Any]:
    """A declaration with one thing wrong, a different one for each learner."""
    document = load("GitHub -> CodeBuild -> Manual Approval -> S3").to_document()
    text = json.loads(json.dumps(document))
    build, deploy = text["stages"][1]["actions"][0], text["stages"][3]["actions"][0]
    fault = luck.choice(("artifact", "provider", "configuration", "name"))
    if fault == "artifact":
        deploy["inputArtifacts"][0]["name"] += "s"
    elif fault == "provider":
        build["actionTypeId"]["provider"] = "CodeBuilder"
    elif fault == "configuration":
        del deploy["configuration"]["Extract"]
    else:
        text["stages"][2]["name"] = text["stages"][1]["name"]
    return {"declaration": text}


@exercise(
    "01-4",
    "Repair a declaration",
    kind=Kind.REPAIR,
    wants="the repaired declaration (a dictionary) or a pipeline",
    parts=("accepted", "the same steps", "a change gets through"),
    case=_broken,
)
def repaired(answer: Any, case: Case, marks: Marks) -> None:
    """Check it, compare its steps, and send a change through."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = [_kind(action) for _, action in load("GitHub -> CodeBuild -> Manual Approval -> S3").actions()]
    found = [_kind(action) for _, action in as_pipeline(answer).actions()]
    marks.part(
        "the same steps",
        found == wanted,
        yes="source, build, approval and deployment are still there",
        no=f"the steps are {', '.join(provider for _, provider in found)} now",
        hint="Mend what is wrong; do not take it out.",
    )
    trace = simulate(pipeline, seed=1)
    states = list(state_at(pipeline, trace, trace.end).executions.values())
    marks.part(
        "a change gets through",
        bool(states) and states[0].status == PipelineExecutionStatus.SUCCEEDED,
        yes="a change reaches S3",
        no=f"a change ends as {states[0].status if states else 'nothing'}",
        hint="ps.draw(pipeline, trace=ps.simulate(pipeline, seed=1)) shows how far it gets.",
    )
