"""Lesson 20: what-if analysis."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import days, minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.whatif.compare import compare
from pipesim.whatif.replicate import replicate
from pipesim.whatif.scenario import Edit
from pipesim.whatif.sensitivity import sensitivity
from pipesim.whatif.structure import execution_mode, parallelise
from pipesim.whatif.timing import approver_response, duration

SKETCH = "GitHub -> [CodeBuild (App) -> CodeBuild (UnitTests)] (Build) -> Tests -> Manual Approval -> CodeDeploy"
ENOUGH = 0.005


def _team(luck: Random) -> Mapping[str, Any]:
    """A team with an office, a build, tests and an approver; one of the three is by far the slowest."""
    slow = luck.choice(("tests", "approver", "deploy"))
    tests, answer, deploy = luck.randint(6, 9), luck.randint(4, 7), luck.randint(4, 6)
    if slow == "tests":
        tests *= 4
    elif slow == "approver":
        answer *= 8
    else:
        deploy *= 7
    profile = load_profile(f"""
arrivals = {{ office = {{ per_day = {luck.randint(6, 9)}, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" }} }}
actions."Build/App" = {{ duration = {{ median = "6m", p95 = "9m" }}, fails = 0.05 }}
actions."Build/UnitTests".duration = {{ median = "3m", p95 = "5m" }}
actions."Test/Test".duration = {{ median = "{tests}m", p95 = "{2 * tests}m" }}
actions."Deploy/CodeDeploy".duration = {{ median = "{deploy}m", p95 = "{2 * deploy}m" }}
approvals."*".response = {{ median = "{answer}m", p95 = "{3 * answer}m" }}
""")
    return {"pipeline": load(SKETCH), "profile": profile}


@exercise(
    "20-1",
    "What moves the lead time most?",
    kind=Kind.FIND,
    wants="an action of the pipeline as stage and name, such as 'Build/App'",
    parts=("the action that moves it",),
    case=_team,
    points=2,
)
def what_moves(answer: Any, case: Case, marks: Marks) -> None:
    """Make each assumption a fifth larger and smaller, and see which one moves the lead time most."""
    swings = sensitivity(case.pipeline, case.profile, n=60, days=20, seed=1, progress=False).swings
    first = str(swings[0].factor.name).rpartition(" of ")[2]
    given = str(answer).strip()
    known = {f"{stage.name}/{action.name}" for stage, action in case.pipeline.actions()}
    if given not in known:
        raise ValueError(f"no action {given!r} (there are {', '.join(sorted(known))})")
    marks.part(
        "the action that moves it",
        given == first,
        yes="a fifth more of it costs more than a fifth of anything else",
        no="another one moves it more",
        hint="ps.sensitivity changes one assumption at a time, and lists the largest swing first.",
        stronger="ps.sensitivity(case.pipeline, case.profile, n=60, days=20, seed=1) and read the first row.",
    )


@exercise(
    "20-2",
    "How many replications?",
    kind=Kind.FIND,
    wants="a whole number of replications",
    parts=("precise enough", "no more than needed"),
    case=_team,
    luck_of="20-1",
)
def how_many(answer: Any, case: Case, marks: Marks) -> None:
    """Run that many replications and look at the half-width of the interval."""
    count = int(number(answer))
    if not 2 <= count <= 5000:
        raise ValueError(f"{count} replications: choose between 2 and 5000")
    mean, half = _interval(case, count)
    enough = marks.part(
        "precise enough",
        half <= ENOUGH * mean,
        yes=f"with {count} replications: {mean / 60:.1f} minutes ± {half / mean:.2%}",
        no=f"with {count} replications: {mean / 60:.1f} minutes ± {half / mean:.2%}, wider than ± {ENOUGH:.1%}",
        hint="Four times as many replications halve the interval.",
        stronger='until=ps.HalfWidth("lead_time", relative=0.005) finds the number by itself; `.n` tells it.',
    )
    if enough:
        fewer = max(2, count // 3)
        marks.part(
            "no more than needed",
            _too_wide(case, fewer),
            yes=f"a third of it, {fewer}, would not do",
            no=f"{fewer} would do as well",
            hint="Precision costs time: look for a number that is just enough.",
        )


def _interval(case: Case, count: int) -> tuple[float, float]:
    """Mean and half-width, in seconds."""
    found = replicate(case.pipeline, case.profile, count, days=20, seed=1, progress=False).interval("lead_time")
    return float(found.estimate), float(found.half_width)


def _too_wide(case: Case, count: int) -> bool:
    mean, half = _interval(case, count)
    return half > ENOUGH * mean


def _history(luck: Random) -> Mapping[str, Any]:
    """Forty working days of a pipeline whose durations nobody wrote down."""
    build, tests = luck.randint(5, 12), luck.randint(10, 25)
    profile = load_profile(f"""
arrivals = {{ office = {{ per_day = 7, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" }} }}
actions."Build/CodeBuild" = {{ duration = {{ median = "{build}m", p95 = "{2 * build}m" }}, fails = 0.1 }}
actions."Test/Test".duration = {{ median = "{tests}m", p95 = "{2 * tests}m" }}
actions."Deploy/S3".duration = {{ median = "2m", p95 = "3m" }}
""")
    pipeline = load("GitHub -> CodeBuild -> Tests -> S3")
    return {"history": simulate(pipeline, profile, seed=luck.randint(1, 99), until=days(56))}


@exercise(
    "20-3",
    "Learn from history",
    kind=Kind.FIND,
    wants="two numbers: the median of Build/CodeBuild in minutes, and its odds of failure (0 to 1)",
    parts=("the median", "the odds"),
    case=_history,
)
def from_history(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with what a fit of the learner's own history says."""
    from pipesim.whatif.fit import fit

    median, odds = (number(one) for one in answer)
    found = fit(case.history, replications=2).assumptions.actions["Build/CodeBuild"]
    assert found.duration is not None
    truth = float(found.duration.quantile(0.5)) / 60
    marks.part(
        "the median",
        close(median, truth, within=0.12 * truth),
        yes=f"half of the builds take less than {truth:.1f} minutes",
        no=f"{median:g} minutes is {'too long' if median > truth else 'too short'}"
        + (": are those seconds?" if median > 20 * truth else ""),
        hint="ps.fit(case.history) names a distribution for each action; or sort the durations of ps.spans_table.",
        stronger='ps.fit(case.history).assumptions.actions["Build/CodeBuild"].duration.quantile(0.5) is in seconds.',
    )
    marks.part(
        "the odds",
        close(odds, found.fails, within=0.03),
        yes=f"{found.fails:.0%} of the builds failed",
        no=f"{odds:g} is no share between 0 and 1" if not 0 <= odds <= 1 else f"{odds:.0%} is not what happened",
        hint="How many actions Build/CodeBuild are there, and how many of them have the status Failed?",
    )


def _choices(luck: Random) -> Mapping[str, Any]:
    given = dict(_team(luck))
    changes: dict[str, Edit] = {
        "build and unit tests at once": parallelise("Build"),
        "an approver who answers in 5 minutes": approver_response("ManualApproval", minutes(5)),
        "tests in half the time": duration("Test/Test", minutes(4)),
        "a queue": execution_mode("QUEUED"),
    }
    return given | {"changes": changes}


@exercise(
    "20-4",
    "Decide, with evidence",
    kind=Kind.CHOOSE,
    wants="a name from case.changes, and by how many minutes it shortens the mean lead time",
    parts=("the best change", "what it wins"),
    case=_choices,
    luck_of="20-1",
)
def decide(answer: Any, case: Case, marks: Marks) -> None:
    """Compare all changes with common random numbers."""
    name, won = answer
    if name not in case.changes:
        raise ValueError(f"no change {name!r} (there are {', '.join(case.changes)})")
    found = _gains(case.pipeline, case.profile, case.changes)
    best = min(found, key=lambda one: found[one][0])
    marks.part(
        "the best change",
        name == best,
        yes="no other shortens it as much",
        no="it makes the lead time longer" if found[name][0] > 0 else "another change wins more",
        hint="ps.compare((pipeline, profile), changes, n=…) puts them side by side.",
        stronger="Look at the row `lead time` of each change; the largest negative difference wins.",
    )
    difference, half_width = found[best]
    marks.part(
        "what it wins",
        name == best and close(number(won), -difference / 60, within=3 * half_width / 60 + 0.5),
        yes=f"{-difference / 60:.1f} minutes, ± {half_width / 60:.1f}",
        no=f"{won} minutes is not what the comparison says of it",
        hint="Take the difference, not the mean; a win is a number above zero.",
        stronger='ps.compare(…).difference(name, "lead_time") has the mean in seconds.',
    )


def _gains(pipeline: Pipeline, profile: Assumptions, changes: Mapping[str, Edit]) -> dict[str, tuple[float, float]]:
    compared = compare((pipeline, profile), changes, n=100, days=20, seed=1, progress=False)
    differences = {name: compared.difference(name, "lead_time") for name in changes}
    return {name: (float(one.estimate), float(one.half_width)) for name, one in differences.items()}
