"""Lesson 17: the enterprise's pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import days, hours, minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.formats.samples import sample
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.measures import measure
from pipesim.trace.state import state_at
from pipesim.whatif.compare import compare
from pipesim.whatif.scenario import Edit, Scenario
from pipesim.whatif.structure import remove_action
from pipesim.whatif.timing import approver_response, duration

GROUPS = ("development", "staging", "production")
MANAGER, EXECUTIVE = "ReleaseManager", "Executive"
SCANS = ("StaticAnalysis", "DependencyScan")
WORK = """
actions."Source/CodeCommit".duration = "5s"
actions."Build/CodeBuild".duration = "{build}m"
actions."SecurityTest/StaticAnalysis".duration = "11m"
actions."SecurityTest/DependencyScan".duration = "4m"
actions."Development/Deploy".duration = "6m"
actions."IntegrationTest/Integration".duration = "{tests}m"
actions."Staging/Deploy".duration = "9m"
actions."LoadTest/Load".duration = "{load}m"
actions."Production/Deploy".duration = "20m"
pools.builds = {{ capacity = 20, when_full = "queue" }}
"""
MANAGED = (
    'approvals."Approval/ReleaseManager" = {{ response = "{}", hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" }}'
)
DECIDED = 'approvals."Production/Executive" = {{ response = "{}", hours = "{}", time_zone = "UTC" }}'
QUICK = 'approvals."{}".response = "20m"'


def _enterprise() -> Pipeline:
    return load(sample("enterprise"))


def _one_change(luck: Random) -> Mapping[str, Any]:
    """One change in the middle of the week, and two people with calendars of their own."""
    day, hour = luck.choice((("Wednesday", 4), ("Thursday", 5))), luck.choice((9, 10))
    manager, executive = luck.choice((1, 2)), luck.choice((5, 6))
    times = {"build": luck.randint(10, 18), "tests": luck.randint(30, 40), "load": luck.randint(40, 60)}
    profile = load_profile(
        f'start = 2026-03-{day[1]:02d}T{hour:02d}:00:00Z\narrivals = {{ list = ["0m"] }}\n'
        + WORK.format(**times)
        + MANAGED.format(f"{manager}h")
        + "\n"
        + DECIDED.format(f"{executive}h", "Mon-Thu 10:00-16:00")
    )
    return {
        "pipeline": _enterprise(),
        "profile": profile,
        "pushed": f"{day[0]} {hour}:00",
        "manager_hours": manager,
        "executive_hours": executive,
    }


@exercise(
    "17-1",
    "Two calendars",
    kind=Kind.PREDICT,
    wants="a number of hours from the push to the end of the deployment to production",
    parts=("hours to production",),
    case=_one_change,
    points=2,
)
def two_calendars(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the lead time of the simulated change, and with that of a world without calendars."""
    truth = _hours_on_the_way(case.pipeline, case.profile)
    tireless = {
        "Approval/ReleaseManager": Approver(response=Constant(hours(case.manager_hours))),
        "Production/Executive": Approver(response=Constant(hours(case.executive_hours))),
    }
    actions = case.profile.actions
    without = _hours_on_the_way(case.pipeline, Assumptions(actions=actions, approvals=tireless))
    given = number(answer)
    if close(given, without, within=0.75):
        seen = f"{given:g} hours would do if both worked day and night"
    elif given > 10 * truth:
        seen = f"{given:g} hours is far too long: are those minutes or seconds?"
    elif given > truth:
        seen = f"{given:g} hours is too long"
    else:
        seen = f"{given:g} hours is too short: when is the executive in the office?"
    marks.part(
        "hours to production",
        close(given, truth, within=0.75),
        yes=f"the simulation says {truth:.1f} hours",
        no=seen,
        hint="Follow the change stage by stage with a clock in hand. Which hours of which days count for whom?",
        stronger="Simulate case.profile (seed 1) and take lead_time_s of ps.executions_table, divided by 3600.",
    )


def _hours_on_the_way(pipeline: Pipeline, profile: Assumptions) -> float:
    trace = simulate(pipeline, profile, seed=1, executions=1)
    first = next(iter(state_at(pipeline, trace, trace.end).executions.values()))
    return ((first.ended or trace.end) - first.started) / 3600


def _fortnight(luck: Random) -> Mapping[str, Any]:
    """Two weeks in which one of four places is much slower than the others."""
    slow = luck.choice(("manager", "executive", "tests", "load"))
    times = {"build": 14, "tests": 30, "load": 40}
    people = [QUICK.format("Approval/ReleaseManager"), QUICK.format("Production/Executive")]
    if slow == "manager":
        people[0] = MANAGED.format(f"{luck.randint(4, 6)}h")
    elif slow == "executive":
        people[1] = DECIDED.format(f"{luck.randint(4, 6)}h", "Mon-Fri 09:00-17:00")
    else:
        times[slow] = luck.randint(150, 240)
    profile = load_profile(
        'arrivals = { office = { per_day = 9, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" } }\n'
        + WORK.format(**times)
        + "\n".join(people)
    )
    pipeline = _enterprise()
    return {"trace": simulate(pipeline, profile, seed=luck.randint(1, 99), until=days(14))}


@exercise(
    "17-2",
    "Where does it jam?",
    kind=Kind.FIND,
    wants="a pair: a stage, and the share of the time (in percent) that it is occupied",
    parts=("the stage", "its share"),
    case=_fortnight,
)
def jam(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the stage that is occupied longest in the learner's trace."""
    name, share = answer
    occupied = measure(case.trace).stage_utilisation
    if name not in occupied:
        raise ValueError(f"no stage {name!r} (there are {', '.join(occupied)})")
    fullest = max(occupied, key=lambda stage: occupied[stage])
    marks.part(
        "the stage",
        name == fullest,
        yes="no other is occupied as long, so none lets fewer changes through",
        no=f"{name} is empty for {1 - occupied[name]:.0%} of the time; another stage is fuller",
        hint="A stage holds one change at a time. Which one is hardly ever empty?",
        stronger="ps.measures_table(case.trace) has the rows stage_utilisation.",
    )
    percent = 100 * occupied[fullest]
    given = number(share)
    marks.part(
        "its share",
        name == fullest and close(given, percent, within=2.0),
        yes=f"{percent:.0f} % of two weeks, nights and weekends included",
        no=f"{given:g} is a share of one, not a percentage" if 0 < given <= 1 else f"{given:g} % is not its share",
        hint="The time from entering to leaving counts, divided by the whole time of the trace.",
        stronger="ps.measures_table(case.trace).query(\"measure == 'stage_utilisation'\"), times a hundred.",
    )


def _audited(luck: Random) -> Mapping[str, Any]:
    """The enterprise's pipeline with two of four findings in it."""
    document = json.loads(json.dumps(_enterprise().to_document()))
    stages = {stage["name"]: stage for stage in document["stages"]}
    order = [stage["name"] for stage in document["stages"]]
    findings = luck.sample(("beside", "late scan", "rebuilt", "before the manager"), 2)
    if "rebuilt" in findings:
        again = dict(stages["Build"]["actions"][0], name="Rebuild", outputArtifacts=[{"name": "Rebuilt"}])
        stages["LoadTest"]["actions"].append(again)
        stages["Production"]["actions"][1]["inputArtifacts"] = [{"name": "Rebuilt"}]
    if "beside" in findings:
        stages["Production"]["actions"][1]["runOrder"] = 1
    if "late scan" in findings:
        order.remove("SecurityTest")
        order.insert(order.index("IntegrationTest"), "SecurityTest")
    if "before the manager" in findings:
        order.remove("Approval")
        order.insert(order.index("Staging") + 1, "Approval")
    document["stages"] = [stages[name] for name in order]
    return {"declaration": document}


@exercise(
    "17-3",
    "The auditor's findings",
    kind=Kind.REPAIR,
    wants="the repaired declaration (a dictionary) or a pipeline",
    parts=(
        "accepted",
        "three environments",
        "scanned before it is deployed",
        "no staging without the release manager",
        "no production without the executive",
        "one package for all",
    ),
    case=_audited,
)
def findings(answer: Any, case: Case, marks: Marks) -> None:
    """Let everything go well; then let a scan fail, and let each of the two people say no."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    keys = {action.name: f"{stage.name}/{action.name}" for stage, action in pipeline.actions()}
    missing = [name for name in (MANAGER, EXECUTIVE, *SCANS) if name not in keys]
    if missing:
        raise ValueError(f"{', '.join(missing)} is not in it any more: an auditor wants to see it")
    good = simulate(pipeline, _answers(), seed=1, executions=1)
    reached = [group for group in GROUPS if _deployed(pipeline, good, group)]
    marks.part(
        "three environments",
        reached == list(GROUPS),
        yes="a good change is deployed to development, staging and production",
        no=f"a good change is deployed to {', '.join(reached) or 'nothing'} only",
        hint="Keep every stage; change the order and the numbers.",
    )
    scanned = []
    for scan in SCANS:
        red = simulate(pipeline, _answers(actions={keys[scan]: ActionAssumption(fails=1.0)}), seed=1, executions=1)
        scanned += [f"{group} ({scan})" for group in GROUPS if _deployed(pipeline, red, group)]
    marks.part(
        "scanned before it is deployed",
        not scanned,
        yes="when a scan fails, nothing is deployed anywhere",
        no=f"although the scan fails, the change is deployed to {scanned[0] if scanned else ''}",
        hint="Where does the stage SecurityTest stand, and what comes before it?",
        stronger="SecurityTest belongs before the first deployment, which is Development.",
    )
    for who, part, group in (
        (MANAGER, "no staging without the release manager", "staging"),
        (EXECUTIVE, "no production without the executive", "production"),
    ):
        refused = simulate(pipeline, _answers(no=keys[who]), seed=1, executions=1)
        through = [one for one in GROUPS[GROUPS.index(group) :] if _deployed(pipeline, refused, one)]
        marks.part(
            part,
            not through,
            yes="after a no, the deployment never starts",
            no=f"{who} says no, and yet it is deployed to {', '.join(through)}",
            hint=f"What has to be over before the deployment to {group} starts? Look at stages and at runOrder.",
            stronger="A higher runOrder, or a later stage, waits for the answer; the same runOrder does not.",
        )
    packages = {group: _deployed(pipeline, good, group) for group in reached}
    different = {key for keys_of in packages.values() for key in keys_of}
    marks.part(
        "one package for all",
        reached == list(GROUPS) and len(different) == 1,
        yes="what was tested is what goes to production, byte for byte",
        no=f"{len(different)} different packages are deployed: production gets one that nobody has tested",
        hint="Compare the input artifacts of the three deployments.",
        stronger="All three deployments take Package; a second build is not needed.",
    )


def _answers(*, no: str = "", actions: Mapping[str, ActionAssumption] | None = None) -> Assumptions:
    """Everybody says yes after a minute, but for one who says no."""
    approvals = {"*": Approver(response=Constant(minutes(1)))}
    if no:
        approvals[no] = Approver(response=Constant(minutes(1)), rejects=1.0)
    return Assumptions(actions=dict(actions or {}), approvals=approvals)


def _deployed(pipeline: Pipeline, trace: Trace, group: str) -> tuple[str, ...]:
    """The objects that are deployed to a group, from the moment at which the deployment starts; empty: never."""
    places = {
        (stage.name, action.name)
        for stage, action in pipeline.actions()
        if action.configuration.get("DeploymentGroupName") == group
    }
    started = (event for event in trace if event.kind == EventKind.ACTION_STARTED)
    found = [event for event in started if (event.stage, event.action) in places]
    return tuple(key for event in found for key in event.detail.get("inputs", {}).values())


def _board(luck: Random) -> Mapping[str, Any]:
    """What the board of directors could decide; one of the proposals is not allowed, though it would win."""
    slow = luck.choice(("manager", "executive"))
    manager = f"{luck.randint(4, 6)}h" if slow == "manager" else "30m"
    executive = f"{luck.randint(4, 6)}h" if slow == "executive" else "1h"
    profile = load_profile(
        'arrivals = { office = { per_day = 8, hours = "Mon-Fri 09:00-17:00", time_zone = "UTC" } }\n'
        + WORK.format(build=14, tests=35, load=45)
        + MANAGED.format(manager)
        + "\n"
        + DECIDED.format(executive, "Mon-Thu 10:00-16:00")
    )
    changes: dict[str, Edit] = {
        "no executive": remove_action("Production/Executive"),
        "the executive answers in 15 minutes": approver_response("Production/Executive", minutes(15)),
        "the release manager answers in 15 minutes": approver_response("Approval/ReleaseManager", minutes(15)),
        "integration tests in half the time": duration("IntegrationTest/Integration", minutes(17)),
    }
    return {"pipeline": _enterprise(), "profile": profile, "changes": changes}


@exercise(
    "17-4",
    "Faster, and still allowed",
    kind=Kind.CHOOSE,
    wants="a pair: a name from case.changes, and by how many hours it shortens the mean lead time",
    parts=("two people still decide", "the best of those", "the evidence"),
    case=_board,
)
def still_allowed(answer: Any, case: Case, marks: Marks) -> None:
    """Compare the changes with common random numbers, and look which of them keep both approvals."""
    name, won = answer
    if name not in case.changes:
        raise ValueError(f"no change {name!r} (there are {', '.join(case.changes)})")
    allowed = {one: change for one, change in case.changes.items() if _approvals(change, case) >= 2}
    found = compare((case.pipeline, case.profile), case.changes, n=60, days=20, seed=1, progress=False)
    gains = {one: found.difference(one, "lead_time") for one in allowed}
    best = min(gains, key=lambda one: float(gains[one].estimate))
    marks.part(
        "two people still decide",
        name in allowed,
        yes="both approvals are still there",
        no="it wins by leaving out an approval that the rules ask for",
        hint="Compliance comes first: how many people decide after this change?",
    )
    marks.part(
        "the best of those",
        name == best,
        yes="of those that are allowed, none shortens the lead time as much",
        no="another one that is allowed wins more" if name in allowed else "first look at what is allowed",
        hint="ps.compare((pipeline, profile), changes, n=60, days=20, seed=1) puts them side by side.",
        stronger="Take the most negative difference in `lead time`, without the forbidden one.",
    )
    truth, half = -float(gains[best].estimate) / 3600, float(gains[best].half_width) / 3600
    marks.part(
        "the evidence",
        name == best and close(won, truth, within=half + 0.3),
        yes=f"{truth:.1f} hours, ± {half:.1f}",
        no=f"{won} hours is not what the comparison says of it",
        hint="Take the difference, not the mean; a win is a number above zero.",
        stronger='-ps.compare(…).difference(name, "lead_time").estimate / 3600',
    )


def _approvals(change: Edit, case: Case) -> int:
    changed = change(Scenario(case.pipeline, case.profile)).pipeline
    return sum(action.is_approval for _, action in changed.actions())
