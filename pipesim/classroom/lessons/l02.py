"""Lesson 2: stages and actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import minutes
from pipesim.catalog.action_types import ACTION_TYPES
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.log import Trace
from pipesim.trace.spans import spans
from pipesim.vocabulary import ActionOwner

BRANCHES = "GitHub -> [CodeBuild (Frontend) | CodeBuild (Backend) | CodeBuild (Docs) -> CodeBuild (Package)] -> S3"
KINDS = {
    "Source": ("CodeCommit", "ECR", "S3", "CodeStarSourceConnection"),
    "Build": ("CodeBuild", "ECRBuildAndPublish"),
    "Test": ("DeviceFarm", "CodeBuild"),
    "Deploy": ("CodeDeploy", "CloudFormation", "ElasticBeanstalk", "ECS"),
    "Approval": ("Manual",),
    "Invoke": ("Lambda", "StepFunctions"),
}


def _branches(luck: Random) -> Mapping[str, Any]:
    """A stage with two action groups, every action with its own fixed time; one of the first group is the longest."""
    times = dict(zip(("Frontend", "Backend", "Docs"), luck.sample(range(4, 20, 2), 3), strict=True))
    times["Package"] = luck.randint(2, 5)
    return {"pipeline": load(BRANCHES), "profile": _profile(times), "minutes": times}


def _profile(times: Mapping[str, int], stage: str = "Build") -> Assumptions:
    lines = [f'actions."{stage}/{name}".duration = "{length}m"' for name, length in times.items()]
    return load_profile("\n".join([*lines, 'actions."Deploy/S3".duration = "1m"']))


def _stage_seconds(trace: Trace, stage: str) -> float:
    return next(one.end - one.start for one in spans(trace) if one.level == "stage" and one.stage == stage)


@exercise(
    "02-1",
    "How long does the stage take?",
    kind=Kind.PREDICT,
    wants="a number of minutes",
    parts=("length of the stage",),
    case=_branches,
    points=2,
)
def how_long(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the span of the stage in a simulation."""
    truth = _stage_seconds(simulate(case.pipeline, case.profile, seed=1), "Build") / 60
    given = number(answer)
    if close(given, sum(case.minutes.values()), within=1):
        seen = f"{given:g} minutes is all four added up, but three of them run at the same time"
    elif close(given, max(case.minutes.values()), within=1):
        seen = f"{given:g} minutes is the longest action alone; Package begins only after it"
    else:
        seen = f"{given:g} minutes is too {'long' if given > truth else 'short'}"
    marks.part(
        "length of the stage",
        close(given, truth, within=1),
        yes=f"the simulation says {truth:.1f} minutes: the longest of those side by side, then Package",
        no=seen,
        hint="Which actions have the same runOrder? They start together, and the group ends with its last.",
        stronger="Take the longest of the group with runOrder 1 and add the group with runOrder 2.",
    )


@exercise(
    "02-2",
    "Find the bottleneck",
    kind=Kind.FIND,
    wants="the name of an action, such as 'Docs'",
    parts=("the action that counts",),
    case=_branches,
    luck_of="02-1",
    points=2,
)
def bottleneck(answer: Any, case: Case, marks: Marks) -> None:
    """Make the named action two minutes faster and see whether the stage ends earlier."""
    name = str(answer).strip()
    if name not in case.minutes:
        raise ValueError(f"no action {name!r} in the stage (there are {', '.join(case.minutes)})")
    before = _stage_seconds(simulate(case.pipeline, case.profile, seed=1), "Build")
    won = before - _stage_seconds(simulate(case.pipeline, _faster(case.profile, name), seed=1), "Build")
    parallel = name != "Package"
    marks.part(
        "the action that counts",
        won > 60 and parallel,
        yes=f"two minutes less of {name} are {won / 60:.0f} minutes less of the stage",
        no=f"two minutes less of {name} change nothing: the group still waits for another"
        if parallel
        else "Package always counts, but it is not one of the three side by side",
        hint="Of the three that start together, for which do the others wait?",
        stronger="ps.critical_path_table(trace, 'E1') lists the steps that add up to the lead time.",
    )


def _faster(profile: Assumptions, name: str) -> Assumptions:
    key = f"Build/{name}"
    found = profile.actions[key]
    assert isinstance(found.duration, Constant)
    quicker = Constant(max(found.duration.value - minutes(2), 1.0))
    return replace(profile, actions={**profile.actions, key: replace(found, duration=quicker)})


def _five_kinds(luck: Random) -> Mapping[str, Any]:
    """Six services, one of each category, in an order of its own."""
    chosen = [luck.choice(providers) for providers in KINDS.values()]
    luck.shuffle(chosen)
    return {"services": tuple(dict.fromkeys(chosen))}


@exercise(
    "02-3",
    "What does each service do?",
    kind=Kind.CHOOSE,
    wants='a dictionary from service to category, such as {"CodeCommit": "Source"}',
    parts=("every service", "right categories"),
    case=_five_kinds,
)
def categories(answer: Any, case: Case, marks: Marks) -> None:
    """Look the answers up in the catalog of action types; some services have several categories."""
    given = {str(key): str(value).strip().capitalize() for key, value in dict(answer).items()}
    missing = [service for service in case.services if service not in given]
    marks.part(
        "every service",
        not missing,
        yes="none is missing",
        no=f"nothing is said of {', '.join(missing)}",
        hint="The keys are the names in `case.services`, written as they are there.",
    )
    wrong = [service for service in case.services if service in given and given[service] not in _categories(service)]
    marks.part(
        "right categories",
        bool(given) and not wrong and not missing,
        yes="each is where the catalog has it",
        no=f"{', '.join(wrong)} can do something else" if wrong else "some are missing",
        hint="Source brings changes, Build and Test run code, Deploy brings them out, Invoke calls, Approval asks.",
        stronger="What does the name say? A commit is kept, a farm tests devices, a function is invoked.",
    )


def _categories(provider: str) -> set[str]:
    owners = (ActionOwner.AWS, ActionOwner.THIRD_PARTY)
    return {str(known.category) for known in ACTION_TYPES if known.provider == provider and known.owner in owners}


def _in_a_row(luck: Random) -> Mapping[str, Any]:
    """Three checks one after the other that need not wait for each other, and a build that needs the source alone."""
    times = {name: luck.randint(5, 12) for name in ("Lint", "UnitTests", "SecurityScan")}
    sketch = "GitHub -> [CodeBuild (Lint) -> CodeBuild (UnitTests) -> CodeBuild (SecurityScan)] -> S3"
    return {
        "pipeline": load(sketch),
        "profile": _profile(times, "Test"),
        "minutes": times,
        "limit": max(times.values()) + 1,
    }


@exercise(
    "02-4",
    "Side by side",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration",
    parts=("accepted", "nothing is left out", "fast enough"),
    case=_in_a_row,
)
def side_by_side(answer: Any, case: Case, marks: Marks) -> None:
    """Simulate the learner's pipeline with the case's profile and measure the stage."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = _names(case.pipeline)
    found = _names(pipeline)
    marks.part(
        "nothing is left out",
        found == wanted,
        yes="all actions are there, each in its stage",
        no="missing: " + ", ".join(f"{stage}/{name}" for stage, name in sorted(wanted - found))
        if wanted - found
        else "added: " + ", ".join(f"{stage}/{name}" for stage, name in sorted(found - wanted)),
        hint="Keep names and stages; change only when an action may start.",
    )
    if found != wanted:
        return
    length = _stage_seconds(simulate(pipeline, case.profile, seed=1), "Test") / 60
    marks.part(
        "fast enough",
        length <= case.limit,
        yes=f"the stage takes {length:.1f} minutes instead of {sum(case.minutes.values())}",
        no=f"the stage takes {length:.1f} minutes; at most {case.limit} were asked for",
        hint="Look at runOrder in the declaration. What does an equal number mean?",
        stronger="Give all three the same runOrder.",
    )


def _names(pipeline: Pipeline) -> set[tuple[str, str]]:
    return {(stage.name, action.name) for stage, action in pipeline.actions()}
