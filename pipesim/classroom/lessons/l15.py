"""Lesson 15: the e-commerce pipeline end to end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import hours, minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.formats.samples import sample, sample_profile
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import state_at
from pipesim.vocabulary import ExecutionType, PipelineExecutionStatus
from pipesim.whatif.compare import compare
from pipesim.whatif.scenario import Edit
from pipesim.whatif.structure import execution_mode
from pipesim.whatif.timing import approver_response, scale_duration

RANGES = {
    "Build/Frontend": (4, 7),
    "Build/Backend": (8, 12),
    "Build/UnitTests": (3, 6),
    "Build/Package": (2, 3),
    "Test/Integration": (9, 13),
    "Test/EndToEnd": (20, 28),
    "Test/SecurityScan": (6, 9),
    "Staging/Deploy": (6, 9),
    "Staging/HealthCheck": (1, 2),
    "LoadTest/BlazeMeter": (15, 22),
    "Production/BlueGreen": (16, 24),
    "Production/HealthCheck": (1, 2),
}


def _shop() -> Pipeline:
    return load(sample("e-commerce"))


def _constant(times: Mapping[str, int], *, answer: int, arrivals: str = '{ list = ["0m"] }') -> Assumptions:
    lines = [f'actions."{name}".duration = "{length}m"' for name, length in times.items()]
    return load_profile("\n".join([f"arrivals = {arrivals}", f'approvals."*".response = "{answer}m"', *lines]))


def _walk(luck: Random) -> Mapping[str, Any]:
    """One change through the shop's seven stages, and a time for everything that it passes."""
    times = {name: luck.randint(low, high) for name, (low, high) in RANGES.items()}
    answer = luck.randint(20, 45)
    profile = _constant(times, answer=answer)
    return {"pipeline": _shop(), "profile": profile, "minutes": times, "answer": answer}


@exercise(
    "15-1",
    "Through seven stages",
    kind=Kind.PREDICT,
    wants="two numbers of minutes since the push: when the stakeholders are asked, and when customers have the change",
    parts=("the stakeholders are asked", "customers have it"),
    case=_walk,
)
def walk(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the events of a simulated change."""
    asked, out = (number(one) for one in answer)
    trace = simulate(case.pipeline, case.profile, seed=1)
    question = _first(trace, EventKind.APPROVAL_REQUESTED) / 60
    end = _first(trace, EventKind.EXECUTION_SUCCEEDED) / 60
    before = {name: took for name, took in case.minutes.items() if not name.startswith("Production")}
    if close(asked, sum(before.values()), within=1.5):
        seen = f"{asked:g} minutes is the sum of everything, but much of it runs side by side"
    elif close(asked, question - case.minutes["Build/Package"], within=0.9):
        seen = "one action of the stage Build starts after the others: it needs what they have built"
    else:
        seen = f"after {asked:g} minutes is too {'late' if asked > question else 'early'}"
    marks.part(
        "the stakeholders are asked",
        close(asked, question, within=0.9),
        yes=f"after {question:.1f} minutes: of each group only the slowest counts",
        no=seen,
        hint="Of actions that start together, which one decides when the next may start?",
        stronger="The slower of the builds, plus the package, plus the slowest test, plus staging, plus the load test.",
    )
    if close(
        out, question + sum(case.minutes[f"Production/{name}"] for name in ("BlueGreen", "HealthCheck")), within=1
    ):
        late = "that would be so if nobody had to answer"
    else:
        late = f"after {out:g} minutes is too {'late' if out > end else 'early'}"
    marks.part(
        "customers have it",
        close(out, end, within=2.0),
        yes=f"after {end:.1f} minutes",
        no=late,
        hint="After the question comes the answer, and then one more stage with two actions in a row.",
        stronger="To the first number add the time of the answer, of the deployment, and of the health check.",
    )


def _first(trace: Trace, kind: EventKind) -> float:
    return next(event.time for event in trace if event.kind == kind)


def _decoy(luck: Random) -> Mapping[str, Any]:
    """The longest action has a neighbour that is nearly as long; a shorter one stands alone."""
    times = {name: low for name, (low, _) in RANGES.items()}
    end_to_end = luck.randint(34, 40)
    times |= {"Test/EndToEnd": end_to_end, "Test/Integration": end_to_end - luck.randint(1, 2)}
    times |= {"Build/Backend": (backend := luck.randint(24, 28)), "Build/Frontend": backend - luck.randint(1, 3)}
    alone = luck.choice(("LoadTest/BlazeMeter", "Production/BlueGreen", "Staging/Deploy"))
    times |= {"LoadTest/BlazeMeter": 12, "Production/BlueGreen": 12, "Staging/Deploy": 8, alone: luck.randint(20, 23)}
    return {"pipeline": _shop(), "profile": _constant(times, answer=10), "minutes": times}


@exercise(
    "15-2",
    "Where is the bottleneck?",
    kind=Kind.FIND,
    wants="a pair: an action as 'Stage/Action', and the minutes that are won when it takes half its time",
    parts=("the action", "the minutes"),
    case=_decoy,
)
def bottleneck(answer: Any, case: Case, marks: Marks) -> None:
    """Halve each action in turn and simulate the change again."""
    name, won = answer
    name = str(name).strip()
    if name not in case.minutes:
        raise ValueError(f"no action {name!r} (there are {', '.join(case.minutes)})")
    before = _lead_time(case.pipeline, case.profile)
    wins = {
        other: (before - _lead_time(case.pipeline, _halved(case.profile, other, took))) / 60
        for other, took in case.minutes.items()
    }
    best = max(wins, key=lambda other: wins[other])
    longest = max(case.minutes, key=lambda other: case.minutes[other])
    marks.part(
        "the action",
        name == best,
        yes=f"halving it wins {wins[best]:.1f} minutes, more than any other",
        no=(f"it takes longest, but {wins[name]:.1f} minutes" if name == longest else f"{wins[name]:.1f} minutes")
        + " are all that is won there, and another action wins more",
        hint="Something runs beside the longest action. What is the next stage waiting for when that one gets shorter?",
        stronger="ps.critical_path_table(trace, 'E1') has a column `exclusive_s`: what is won without it.",
    )
    marks.part(
        "the minutes",
        close(won, wins[name], within=0.5),
        yes=f"{wins[name]:.1f} minutes of {before / 60:.0f}",
        no=f"{number(won):g} minutes is not what halving {name} wins",
        hint="Simulate twice, with the profile and with one in which that action takes half its time.",
        stronger="ps.edit.scale_duration(name, 0.5)(ps.edit.Scenario(case.pipeline, case.profile)) makes the second.",
    )


def _halved(profile: Assumptions, action: str, took: float) -> Assumptions:
    shorter = ActionAssumption(duration=Constant(minutes(took) / 2))
    return replace(profile, actions={**profile.actions, action: shorter})


def _lead_time(pipeline: Pipeline, profile: Assumptions) -> float:
    return _first(simulate(pipeline, profile, seed=1), EventKind.EXECUTION_SUCCEEDED)


def _bad_release(luck: Random) -> Mapping[str, Any]:
    """A shop whose production stage looks after nothing, and a release that comes up sick."""
    document = _shop().to_document()
    production = document["stages"][-1]
    del production["onFailure"]
    for action in production["actions"]:
        action["runOrder"] = 1
    bad = luck.choice((2, 3))
    times = {name: luck.randint(low, high) for name, (low, high) in RANGES.items()}
    profile = _constant(times, answer=10, arrivals='{ list = ["0h", "4h", "8h"] }')
    check = ActionAssumption(duration=Constant(minutes(times["Production/HealthCheck"])), fails_on=(bad,))
    profile = replace(profile, actions={**profile.actions, "Production/HealthCheck": check})
    return {"pipeline": load(document), "profile": profile, "bad": f"E{bad}"}


@exercise(
    "15-3",
    "A sick release",
    kind=Kind.REPAIR,
    wants="a pipeline or its declaration",
    parts=(
        "accepted",
        "all seven stages are there",
        "checked when it is out",
        "production goes back by itself",
        "to the last good release",
    ),
    case=_bad_release,
)
def sick(answer: Any, case: Case, marks: Marks) -> None:
    """Send the three releases through and look at production."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = [(stage.name, action.name) for stage, action in case.pipeline.actions()]
    found = [(stage.name, action.name) for stage, action in pipeline.actions()]
    there = marks.part(
        "all seven stages are there",
        sorted(wanted) == sorted(found),
        yes="nothing was taken out",
        no="missing: "
        + (", ".join("/".join(one) for one in wanted if one not in found) or "nothing, but there is more"),
        hint="Only the stage Production needs a change.",
    )
    if not there:
        return
    trace = simulate(pipeline, case.profile, seed=1)
    deployed = _when(trace, EventKind.ACTION_SUCCEEDED, "BlueGreen")
    checked = _when(trace, EventKind.ACTION_STARTED, "HealthCheck")
    early = [id for id in checked if id not in deployed or checked[id] < deployed[id]]
    marks.part(
        "checked when it is out",
        bool(checked) and not early,
        yes="the health check starts when the deployment is done",
        no=f"for {', '.join(early)} the health is checked while the old release still runs",
        hint="Two actions with the same runOrder start together.",
        stronger="The deployment has runOrder 1, the health check 2.",
    )
    states = list(state_at(pipeline, trace, trace.end).executions.values())
    rollbacks = [one for one in states if one.type == ExecutionType.ROLLBACK]
    back = marks.part(
        "production goes back by itself",
        len(rollbacks) == 1 and rollbacks[0].status == PipelineExecutionStatus.SUCCEEDED,
        yes=f"when {case.bad} turns out to be sick, a rollback starts, and succeeds",
        no=f"{case.bad} is sick, and customers keep it"
        if not rollbacks
        else f"{len(rollbacks)} rollbacks were started",
        hint="A stage may say what is to happen when it fails (lesson 11).",
        stronger='The stage Production needs "onFailure": {"result": "ROLLBACK"}.',
    )
    if back:
        good = f"E{int(case.bad[1:]) - 1}"
        marks.part(
            "to the last good release",
            rollbacks[0].rollback_target == good,
            yes=f"customers have {good} again",
            no=f"it goes back to {rollbacks[0].rollback_target}, not to {good}",
            hint="Which execution was the last to succeed in Production?",
        )


def _when(trace: Trace, kind: EventKind, action: str) -> dict[str, float]:
    """When each execution came to this point of an action of the stage Production."""
    return {
        str(event.execution): event.time
        for event in trace
        if event.kind == kind and event.stage == "Production" and event.action == action
    }


def _offers(luck: Random) -> Mapping[str, Any]:
    """A shop with a calm day, and three offers to make it faster."""
    answer, tests = luck.choice((20, 30, 120, 180)), luck.choice((0.5, 0.6, 0.7))
    profile = load_profile(sample_profile("e-commerce"))
    calmer = load_profile(f"""
arrivals = {{ every = "{luck.choice((60, 75, 90))}m" }}
approvals."*".response = {{ median = "{answer}m", p95 = "{2 * answer}m" }}
""")
    profile = replace(profile, arrivals=calmer.arrivals, approvals=calmer.approvals)
    changes: dict[str, Edit] = {
        "quicker end-to-end tests": scale_duration("Test/EndToEnd", tests),
        "a quicker approver": approver_response("Approval/Stakeholders", minutes(luck.choice((10, 15)))),
        "a queue": execution_mode("QUEUED"),
    }
    return {"pipeline": _shop(), "profile": profile, "changes": changes}


@exercise(
    "15-4",
    "Three offers",
    kind=Kind.CHOOSE,
    wants="a pair: the name of a change, and by how many minutes it shortens the mean lead time",
    parts=("the best offer", "the evidence"),
    case=_offers,
)
def offers(answer: Any, case: Case, marks: Marks) -> None:
    """Compare all offers under the same luck."""
    choice, won = answer
    if choice not in case.changes:
        raise ValueError(f"no change {choice!r} (there are {', '.join(case.changes)})")
    found = compare((case.pipeline, case.profile), case.changes, n=60, days=10, seed=1, progress=False)
    gains = {name: found.difference(name, "lead_time") for name in case.changes}
    best = min(gains, key=lambda name: _shift(gains[name].estimate))
    truth = -gains[choice].estimate / 60
    if gains[choice].estimate != gains[choice].estimate:
        seen = "with it, more comes in than goes out, and there is no mean lead time"
    elif not gains[choice].excludes_zero:
        seen = "what it wins may be luck: the interval holds zero"
    else:
        seen = f"it wins {truth:.1f} minutes, another one wins more" if truth > 0 else "it makes things slower"
    marks.part(
        "the best offer",
        choice == best,
        yes=f"of the three it wins most, {truth:.1f} minutes on average",
        no=seen,
        hint="ps.compare gives all changes the same luck. Read the rows of the lead time.",
        stronger="found = ps.compare((case.pipeline, case.profile), case.changes, n=60, days=10, seed=1), "
        'then found.difference(name, "lead_time").estimate for each name; the more negative, the better.',
    )
    marks.part(
        "the evidence",
        close(won, truth, within=max(1.0, gains[choice].half_width / 60)),
        yes=f"{truth:.1f} ± {gains[choice].half_width / 60:.1f} minutes",
        no=f"{number(won):g} minutes is no shorter lead time"
        if number(won) < 0
        else f"{number(won):g} is not what is seen",
        hint="The difference is in seconds there, and negative when it gets shorter.",
    )


def _shift(estimate: float) -> float:
    return hours(1e6) if estimate != estimate else estimate
