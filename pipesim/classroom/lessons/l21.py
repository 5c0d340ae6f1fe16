"""Lesson 21: your own pipeline, and the capstone."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.model import Approver, Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import hours
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import as_pipeline, sound
from pipesim.definition.checking import check
from pipesim.definition.model import Action, Pipeline
from pipesim.engine.commands import Approve, Command, Reject
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.trace.state import state_at
from pipesim.vocabulary import ActionCategory, PipelineExecutionStatus
from pipesim.whatif.replicate import replicate

TEAM = (
    "GitHub -> CodeBuild -> [CodeBuild (UnitTests) -> CodeBuild (Integration) -> CodeBuild (SecurityScan)] (Test)"
    " -> CodeDeploy (Staging) -> Manual Approval (Quality) -> Manual Approval (Business) -> CodeDeploy (Production)"
)
MINUTES, DOLLARS = 60.0, 40.0


def _shelf(luck: Random) -> Mapping[str, Any]:
    """A declaration that somebody wrote by hand, with three mistakes in three places."""
    document = copy.deepcopy(load("GitHub -> CodeBuild -> Tests -> Manual Approval -> S3").to_document())
    stages = document["stages"]
    first = luck.choice(("provider", "owner"))
    if first == "provider":
        stages[1]["actions"][0]["actionTypeId"]["provider"] = "Codebuild"
    else:
        stages[1]["actions"][0]["actionTypeId"]["owner"] = "ThirdParty"
    if luck.random() < 0.5:
        del stages[2]["actions"][0]["configuration"]["ProjectName"]
    else:
        stages[2]["name"] = "Test stage"
    if luck.random() < 0.5:
        stages[4]["actions"][0]["inputArtifacts"][0]["name"] = "Build-Output!"
    else:
        document["stages"][3]["actions"][0]["runOrder"] = 0
    return {"declaration": document}


@exercise(
    "21-1",
    "Read what somebody else wrote",
    kind=Kind.REPAIR,
    wants="the repaired declaration (a dictionary) or a pipeline",
    parts=("fewer problems", "accepted", "the same steps", "a change gets through"),
    case=_shelf,
)
def read(answer: Any, case: Case, marks: Marks) -> None:
    """Count the problems that are left, then send a change through."""
    if not (isinstance(answer, Mapping) and answer.get("pipeline", answer).get("stages")):
        as_pipeline(answer)  # what has no stages has no problems to count
    before, after = len(check(case.declaration)), len(check(answer))
    marks.part(
        "fewer problems",
        after < before,
        yes=f"{after} of {before} are left" if after else "none is left",
        no=f"there are {after} problems, as many as before" if after == before else f"there are {after} problems now",
        hint="ps.check(declaration) names the place of each: stages[1].actions[0] is the first action of `Build`.",
        stronger="Change one thing at a time and check again.",
    )
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = [_kind(action) for _, action in load("GitHub -> CodeBuild -> Tests -> Manual Approval -> S3").actions()]
    found = [_kind(action) for _, action in pipeline.actions()]
    marks.part(
        "the same steps",
        found == wanted,
        yes="source, build, tests, approval and deployment",
        no="the steps are " + ", ".join(f"{category} by {provider}" for category, provider in found),
        hint="Mend, do not remove: five stages, five actions.",
    )
    trace = simulate(pipeline, seed=1, executions=1)
    states = list(state_at(pipeline, trace, trace.end).executions.values())
    marks.part(
        "a change gets through",
        bool(states) and states[0].status == PipelineExecutionStatus.SUCCEEDED,
        yes="it reaches S3",
        no=f"it ends as {states[0].status if states else 'nothing'}",
        hint="ps.draw(pipeline, trace=ps.simulate(pipeline, seed=1)) shows how far it gets.",
    )


def _kind(action: Action) -> tuple[str, str]:
    return str(action.category), str(action.provider)


def _crowded(luck: Random) -> Mapping[str, Any]:
    """A pipeline in which one stage is busy nearly all the time."""
    slow = luck.choice(("Test", "Staging", "Approval"))
    times = {name: luck.randint(3, 5) for name in ("Build", "Test", "Staging", "Approval", "Production")}
    times[slow] = luck.randint(13, 16)
    profile = load_profile(f"""
arrivals = {{ poisson_per_hour = 3.3 }}
actions."Build/CodeBuild".duration = {{ median = "{times["Build"]}m", p95 = "{2 * times["Build"]}m" }}
actions."Test/Test".duration = {{ median = "{times["Test"]}m", p95 = "{times["Test"] + 4}m" }}
actions."Staging/CodeDeploy".duration = {{ median = "{times["Staging"]}m", p95 = "{times["Staging"] + 4}m" }}
actions."Production/CodeDeploy".duration = {{ median = "{times["Production"]}m", p95 = "{2 * times["Production"]}m" }}
approvals."*".response = {{ median = "{times["Approval"]}m", p95 = "{times["Approval"] + 4}m" }}
""")
    sketch = "GitHub -> CodeBuild -> Tests -> CodeDeploy (Staging) -> Manual Approval -> CodeDeploy (Production)"
    return {"pipeline": load(sketch), "profile": profile}


@exercise(
    "21-2",
    "Where does the time go?",
    kind=Kind.FIND,
    wants="the name of a stage, such as 'Build'",
    parts=("the busiest stage",),
    case=_crowded,
    points=2,
)
def busiest(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the utilisation of the stages in two weeks of replications."""
    names = [stage.name for stage in case.pipeline.stages]
    given = str(answer).strip()
    if given not in names:
        raise ValueError(f"no stage {given!r} (there are {', '.join(names)})")
    found = replicate(case.pipeline, case.profile, 20, days=14, seed=1, progress=False)
    shares = {name: float(found.interval(f"utilisation.{name}").estimate) for name in names}
    first = max(names, key=lambda name: shares[name])
    marks.part(
        "the busiest stage",
        given == first,
        yes=f"it is busy {shares[first]:.0%} of the time; everybody else waits for it",
        no=f"it is busy {shares[given]:.0%} of the time, another one more",
        hint="A stage holds one execution at a time. Which one is hardly ever free?",
        stronger="ps.replicate(…).interval('utilisation.Test').estimate, and the same for the other stages.",
    )


def _capstone(luck: Random) -> Mapping[str, Any]:
    """A team whose pipeline is slow for a reason that lies in its shape, not in its people."""
    profile = load_profile(f"""
arrivals = {{ poisson_per_hour = {luck.choice((0.26, 0.28, 0.3))} }}
actions."Build/CodeBuild" = {{ duration = {{ median = "5m", p95 = "7m" }}, fails = 0.03 }}
actions."Test/UnitTests".duration = {{ median = "{luck.randint(3, 5)}m", p95 = "6m" }}
actions."Test/Integration".duration = {{ median = "{luck.randint(11, 12)}m", p95 = "15m" }}
actions."Test/SecurityScan".duration = {{ median = "{luck.randint(8, 10)}m", p95 = "12m" }}
actions."Staging/CodeDeploy".duration = {{ median = "5m", p95 = "7m" }}
actions."Production/CodeDeploy".duration = {{ median = "6m", p95 = "8m" }}
approvals."*".response = {{ median = "9m", p95 = "20m" }}
""")
    return {"pipeline": load(TEAM), "profile": profile, "minutes": MINUTES, "dollars": DOLLARS}


@exercise(
    "21-3",
    "Under an hour, under forty dollars, with two approvals",
    kind=Kind.CAPSTONE,
    wants="a pipeline or its declaration",
    parts=("accepted", "all the work is done", "two people agree first", "under an hour", "under forty dollars"),
    case=_capstone,
    points=10,
)
def capstone(answer: Any, case: Case, marks: Marks) -> None:
    """Reject and approve, then replicate a month of the learner's pipeline with the team's own habits."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted, found = _work(case.pipeline), _work(pipeline)
    done = marks.part(
        "all the work is done",
        found == wanted,
        yes="every build, test and deployment is still there, under its name and in its stage",
        no="missing: " + ", ".join(sorted(wanted - found))
        if wanted - found
        else "new: " + ", ".join(sorted(found - wanted)),
        hint="Builds, tests and deployments keep their stage and name; approvals may move.",
    )
    agreed = marks.part(
        "two people agree first",
        _needs_both(pipeline),
        yes="nothing reaches production before two approvals, and one no is enough to stop it",
        no="a change can reach production without two approvals",
        hint="Where do the approvals stand? Both must be answered before Production/CodeDeploy starts.",
        stronger="Two approvals side by side, in a stage before Production, wait for both answers at the same time.",
    )
    if not done or not agreed:
        return
    month = replicate(pipeline, case.profile, 60, days=30, seed=1, progress=False)
    slow, cost = (float(month.interval(name).estimate) for name in ("lead_time.p95", "cost.total"))
    marks.part(
        "under an hour",
        slow < case.minutes * 60,
        yes=f"95 of 100 changes take less than {slow / 60:.1f} minutes",
        no=f"the 95th percentile is {slow / 60:.1f} minutes",
        hint="What runs one after the other although it need not? There are two places.",
        stronger="The tests do not need each other, and neither do the two approvers.",
    )
    marks.part(
        "under forty dollars",
        cost < case.dollars,
        yes=f"{cost:.2f} dollars a month",
        no=f"{cost:.2f} dollars a month",
        hint="Which type of pipeline is paid by the minute of its actions, and which by the month?",
        stronger="A V1 pipeline costs a fixed price a month; what only V2 can do has its price.",
    )


def _work(pipeline: Pipeline) -> set[str]:
    return {
        f"{stage.name}/{action.name}"
        for stage, action in pipeline.actions()
        if action.category != ActionCategory.APPROVAL
    }


def _needs_both(pipeline: Pipeline) -> bool:
    """Whether production waits for two answers: with one of them missing, or no, it is never deployed to."""
    asks = [(stage.name, action.name) for stage, action in pipeline.actions() if action.is_approval]
    if len(asks) != 2:
        return False
    nobody = Assumptions(approvals={"*": Approver()})
    everybody: list[tuple[float, Command]] = [(hours(when + 1), Approve(*ask)) for when, ask in enumerate(asks)]
    lives: dict[str, list[tuple[float, Command]]] = {
        "both": everybody,
        "first only": everybody[:1],
        "second says no": [everybody[0], (hours(2), Reject(*asks[1]))],
    }
    deployed = {}
    for name, commands in lives.items():
        trace = simulate(pipeline, nobody, seed=1, executions=1, commands=commands)
        deployed[name] = any(event.kind == EventKind.ACTION_STARTED and event.stage == "Production" for event in trace)
    return deployed == {"both": True, "first only": False, "second says no": False}
