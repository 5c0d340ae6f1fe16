"""Lesson 11: when things go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.engine.commands import Stop
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.snapshot import ExecutionState
from pipesim.trace.state import state_at
from pipesim.vocabulary import ExecutionType, PipelineExecutionStatus

TWO_BUILDS = "GitHub -> [CodeBuild (App) | CodeBuild (Docs)] (Build) -> CodeDeploy"


def _executions(trace: Trace) -> list[ExecutionState]:
    return list(state_at(trace.pipeline, trace, trace.end).executions.values())


def _stopping(luck: Random) -> Mapping[str, Any]:
    """Two builds side by side, and the minute at which somebody presses Stop."""
    app, docs = luck.randint(14, 20), luck.randint(9, 12)
    profile = load_profile(f"""
actions."Build/App".duration = "{app}m"
actions."Build/Docs".duration = "{docs}m"
actions."Deploy/CodeDeploy".duration = "5m"
""")
    given = {"pipeline": load(TWO_BUILDS), "profile": profile, "stop_at": luck.randint(3, 7)}
    return given | {"minutes": {"App": app, "Docs": docs}}


@exercise(
    "11-1",
    "Stop and wait, or abandon",
    kind=Kind.PREDICT,
    wants="two numbers of minutes: when the execution has stopped after stop and wait, and after stop and abandon",
    parts=("stop and wait", "stop and abandon"),
    case=_stopping,
)
def stopping(answer: Any, case: Case, marks: Marks) -> None:
    """Send both commands, in two simulations, and see when the execution has stopped."""
    waits, abandons = (number(one) for one in answer)
    truth = {abandon: _stopped(case, abandon=abandon) / 60 for abandon in (False, True)}
    if close(waits, case.stop_at, within=0.5):
        seen = "what is running when somebody presses Stop may still end"
    elif close(waits, case.minutes["Docs"], within=1.0):
        seen = "the other build is still running then"
    else:
        seen = (
            f"after {waits:g} minutes it is not" if waits < truth[False] else f"it has stopped before {waits:g} minutes"
        )
    marks.part(
        "stop and wait",
        close(waits, truth[False], within=1.0),
        yes="it waits for what is running, and starts nothing new",
        no=seen,
        hint="Which actions run at that minute? When is the last of them done?",
        stronger="Simulate with commands=[(ps.minutes(case.stop_at), ps.Stop('E1'))] and look at the timeline.",
    )
    marks.part(
        "stop and abandon",
        close(abandons, truth[True], within=0.5),
        yes="it does not wait for anything",
        no=f"after {abandons:g} min is {'too late' if abandons > truth[True] else 'too early'}",
        hint="To abandon is to stop looking: what happens to the execution at that moment?",
        stronger="ps.Stop('E1', abandon=True) ends the execution when it is sent.",
    )


def _stopped(case: Case, *, abandon: bool) -> float:
    command = (minutes(case.stop_at), Stop("E1", abandon=abandon))
    trace = simulate(case.pipeline, case.profile, seed=1, commands=[command])
    return next(event.time for event in trace if event.kind == EventKind.EXECUTION_STOPPED)


def _flaky(luck: Random) -> Mapping[str, Any]:
    """The build of the app fails once; the documentation is built well and is expensive."""
    fails, docs = luck.randint(2, 5), luck.randint(6, 9)
    profile = load_profile(f"""
actions."Build/App" = {{ duration = "{luck.randint(6, 9)}m", fails_on = [1], fails_after = "{fails}m" }}
actions."Build/Docs".duration = "{docs}m"
actions."Deploy/CodeDeploy".duration = "5m"
""")
    return {"pipeline": load(TWO_BUILDS), "profile": profile, "failed_at": docs, "deadline": luck.randint(40, 50)}


@exercise(
    "11-2",
    "Save what was good",
    kind=Kind.WRITE,
    wants="a list of pairs (seconds, command)",
    parts=("the change arrives", "before the deadline", "nothing is built twice that was good"),
    case=_flaky,
)
def save(answer: Any, case: Case, marks: Marks) -> None:
    """Run the learner's commands and count how often each action ran."""
    trace = simulate(case.pipeline, case.profile, seed=1, commands=list(answer))
    first = _executions(trace)[0]
    arrived = marks.part(
        "the change arrives",
        first.status == PipelineExecutionStatus.SUCCEEDED,
        yes="the same execution, E1, reaches production",
        no=f"E1 ends as {first.status}",
        hint="A failed stage can be retried, once it has failed. Which command is it, and what does it want to know?",
        stronger="ps.Retry(stage, execution) has a third argument, the mode.",
    )
    if not arrived:
        return
    ended = (first.ended or trace.end) / 60
    marks.part(
        "before the deadline",
        ended <= case.deadline,
        yes=f"after {ended:.0f} minutes, in time",
        no=f"after {ended:.0f} minutes; at most {case.deadline} were allowed",
        hint="When did the stage fail? Nothing is won by waiting longer.",
    )
    runs = sum(event.kind == EventKind.ACTION_STARTED and event.action == "Docs" for event in trace)
    marks.part(
        "nothing is built twice that was good",
        runs == 1,
        yes="Docs was built once",
        no=f"Docs was built {runs} times",
        hint="There are two modes of a retry. One of them runs all actions of the stage again.",
        stronger='The mode is "FAILED_ACTIONS".',
    )


def _bad_release(luck: Random) -> Mapping[str, Any]:
    """Three changes an hour apart; the deployment of the second one or the third one fails."""
    bad = luck.choice((2, 3))
    profile = load_profile(f"""
arrivals = {{ list = ["0m", "60m", "120m"] }}
actions."Build/CodeBuild".duration = "{luck.randint(5, 9)}m"
actions."Deploy/CodeDeploy" = {{ duration = "{luck.randint(8, 12)}m", fails_on = [{bad}] }}
""")
    return {"pipeline": load("GitHub -> CodeBuild -> CodeDeploy"), "profile": profile, "bad": f"E{bad}"}


@exercise(
    "11-3",
    "Back to the last good release",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration",
    parts=("accepted", "goes back by itself", "to the last good one", "good changes still pass"),
    case=_bad_release,
)
def roll_back(answer: Any, case: Case, marks: Marks) -> None:
    """Send the three changes through and look for the rollback."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    found = _executions(simulate(pipeline, case.profile, seed=1))
    rollbacks = [one for one in found if one.type == ExecutionType.ROLLBACK]
    back = marks.part(
        "goes back by itself",
        len(rollbacks) == 1 and rollbacks[0].status == PipelineExecutionStatus.SUCCEEDED,
        yes=f"after the failure of {case.bad} a rollback starts, and succeeds",
        no="after the failed deployment nothing happens" if not rollbacks else f"{len(rollbacks)} rollbacks started",
        hint="A stage may say what is to happen when it fails: look at data/pipelines/rollback.json.",
        stronger='The stage Deploy needs "onFailure": {"result": "ROLLBACK"}, and the pipeline the type V2.',
    )
    if back:
        good = f"E{int(case.bad[1:]) - 1}"
        marks.part(
            "to the last good one",
            rollbacks[0].rollback_target == good,
            yes=f"what {good} had deployed runs again",
            no=f"it goes back to {rollbacks[0].rollback_target}",
            hint="Which execution was the last to succeed in that stage?",
        )
    others = [one for one in found if one.type != ExecutionType.ROLLBACK and one.id != case.bad]
    marks.part(
        "good changes still pass",
        len(others) == 2 and all(one.status == PipelineExecutionStatus.SUCCEEDED for one in others),
        yes="both good changes were deployed",
        no=", ".join(f"{one.id} ends as {one.status}" for one in others) or "there are no others",
        hint="A rollback belongs to the stage that deploys, not to the build.",
    )


def _weather(luck: Random) -> Mapping[str, Any]:
    """A build that fails now and then for no reason, and a way to live with it."""
    odds = luck.choice((0.2, 0.25, 0.3))
    profile = load_profile(f"""
arrivals = {{ every = "1h" }}
actions."Build/CodeBuild" = {{ duration = "6m", fails = {odds} }}
actions."Deploy/CodeDeploy".duration = "5m"
""")
    return {"pipeline": load("GitHub -> CodeBuild -> CodeDeploy"), "profile": profile, "odds": odds, "changes": 400}


@exercise(
    "11-4",
    "A build that fails for no reason",
    kind=Kind.CHOOSE,
    wants="a pair: a pipeline, and the share of changes (0 to 1) that reach production with it",
    parts=("accepted", "it tries again by itself", "the evidence"),
    case=_weather,
)
def weather(answer: Any, case: Case, marks: Marks) -> None:
    """Send many changes through the learner's pipeline and compare the share with the learner's."""
    given, share = answer
    pipeline = sound(given, marks, "accepted")
    if pipeline is None:
        return
    truth = _share(simulate(pipeline, case.profile, seed=1, executions=case.changes))
    before = _share(simulate(case.pipeline, case.profile, seed=1, executions=case.changes))
    marks.part(
        "it tries again by itself",
        truth > before + case.odds / 2,
        yes=f"{truth:.0%} of the changes get through instead of {before:.0%}",
        no=f"{truth:.0%} of the changes get through; without any help it were {before:.0%}",
        hint="A stage may retry itself when it fails. Which stage fails here?",
        stronger='The stage Build needs "onFailure": {"result": "RETRY"}, and the pipeline the type V2.',
    )
    seen = number(share)
    marks.part(
        "the evidence",
        close(seen, truth, within=0.04),
        yes=f"{truth:.1%} in {case.changes} changes; with odds of {case.odds:g} one retry leaves about the square",
        no=f"{seen:g} is no share between 0 and 1" if not 0 <= seen <= 1 else f"{seen:.0%} is not what it does",
        hint=f"Simulate {case.changes} changes with your pipeline and count those that succeeded.",
        stronger="A change is lost only when both tries fail. How likely is that?",
    )


def _share(trace: Trace) -> float:
    found = _executions(trace)
    return sum(one.status == PipelineExecutionStatus.SUCCEEDED for one in found) / len(found)
