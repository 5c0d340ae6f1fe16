"""Lesson 6: tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Any

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number
from pipesim.classroom.runs import REPOSITORY, ended, shop
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.errors import SourceError
from pipesim.formats.load import load
from pipesim.trace.state import state_at
from pipesim.vocabulary import PipelineExecutionStatus

PHONES = ("Google Pixel 6", "Google Pixel 8", "Samsung Galaxy S22", "Samsung Galaxy Tab S8")


def _phones(luck: Random) -> Mapping[str, Any]:
    """Phones and a load test side by side; one or two of the devices fail."""
    broken = sorted(luck.sample(PHONES, luck.choice((1, 2))))
    farm, load_test = luck.randint(8, 12), luck.randint(15, 25)
    failing = f'variables = {{ FailingDevices = "{", ".join(broken)}" }}'
    profile = load_profile(f"""
actions."Test/DeviceFarm" = {{ duration = "{farm}m", fails_on = [1], {failing} }}
actions."Test/Load".duration = "{load_test}m"
""")
    document = shop("GitHub -> [Device Farm | CodeBuild (Load)] (Test) -> S3")
    files = {"app.apk": "app", "tests.zip": "tests", "buildspec.yml": "version: 0.2"}
    minutes = {"DeviceFarm": farm, "Load": load_test}
    return {"pipeline": load(document), "profile": profile, "files": files, "broken": broken, "minutes": minutes}


@exercise(
    "06-1",
    "A phone that fails",
    kind=Kind.PREDICT,
    wants="three things: how many devices pass, the minute of the stage at which it ends, and its status",
    parts=("devices that pass", "when the stage ends", "how the stage ends"),
    case=_phones,
)
def phones(answer: Any, case: Case, marks: Marks) -> None:
    """Run the stage in a mocked account, and ask Device Farm and CodePipeline."""
    from pipesim.cloud.account import Cloud

    passing, minute, status = answer
    with Cloud(seed=1, assumptions=case.profile) as cloud:
        cloud.repository(REPOSITORY).push(case.files)
        record = cloud.provision(case.pipeline)
        cloud.run_until_idle()
        farm = cloud.client("devicefarm", "us-west-2")
        [project] = farm.list_projects()["projects"]
        [run] = farm.list_runs(arn=project["arn"])["runs"]
        jobs = farm.list_jobs(arn=run["arn"])["jobs"]
        stage = cloud.client("codepipeline").get_pipeline_state(name=record.name)["stageStates"][1]
        lasted = max(ended(cloud, record.name, name).seconds for name in ("DeviceFarm", "Load")) / 60
    passed = sum(job["result"] == "PASSED" for job in jobs)
    marks.part(
        "devices that pass",
        close(passing, passed, within=0.1),
        yes=", ".join(f"{job['name']} {job['result']}" for job in jobs),
        no="one device that fails does not spoil the others' results"
        if number(passing) == 0
        else f"of {len(jobs)} devices it is not {passing}",
        hint="The pool has four devices. The run goes over each of them, whatever the others say.",
    )
    given = number(minute)
    marks.part(
        "when the stage ends",
        close(given, lasted, within=1.0),
        yes=f"after {lasted:.0f} minutes: what runs beside the failed action goes on to its end",
        no="at that minute the phones are done, and the other action is still running"
        if close(given, case.minutes["DeviceFarm"], within=1.0)
        else f"{given:g} minutes is too {'long' if given > lasted else 'short'}",
        hint="Does a failed action stop those beside it?",
        stronger="The stage ends when the last of its running actions has ended.",
    )
    truth = stage["latestExecution"]["status"]
    marks.part(
        "how the stage ends",
        str(status).strip().lower() == truth.lower(),
        yes=f"{truth}: one device that fails fails the action, and one action that fails fails the stage",
        no=f"{status} would mean that the change goes on",
        hint="What is a test for, if most devices are enough?",
    )


def _scans(luck: Random) -> Mapping[str, Any]:
    """Two sources: one that is to pass although something is known of it, one that is not."""
    medium = {"requirements.txt": f"requests==2.{luck.choice((28, 29, 30))}.0\n"}
    high = {**medium, "package.json": '{"dependencies": {"lodash": "4.17.20"}}'}
    critical = {"requirements.txt": f"PyYAML==5.{luck.choice((1, 2, 3))}\n"}
    good, bad = luck.choice(((medium, high), (high, critical)))
    rule = "no high and no critical" if good is medium else "at most one high and no critical"
    document = shop("GitHub -> [InspectorScan] (Scan) -> S3")
    document["stages"][1]["actions"][0]["configuration"] = {"InspectorRunMode": "SourceCodeScan"}
    return {"pipeline": load(document), "rule": rule, "passes": good, "must_fail": bad}


@exercise(
    "06-2",
    "A threshold for a scan",
    kind=Kind.BUILD,
    wants="the configuration of the scan: a dictionary of texts",
    parts=("what may pass passes", "what must fail fails", "for the right reason"),
    case=_scans,
)
def thresholds(answer: Any, case: Case, marks: Marks) -> None:
    """Scan both sources in a mocked account with the learner's configuration."""
    from pipesim.cloud.account import Cloud

    document = case.pipeline.to_document()
    document["stages"][1]["actions"][0]["configuration"] = dict(answer)
    with Cloud(seed=1) as cloud:
        repository = cloud.repository(REPOSITORY)
        repository.push(case.passes)
        record = cloud.provision(document)
        cloud.run_until_idle()
        good = ended(cloud, record.name, "InspectorScan")
        repository.push({**dict.fromkeys(set(case.passes) - set(case.must_fail)), **case.must_fail})
        cloud.run_until_idle()
        bad = ended(cloud, record.name, "InspectorScan")
    marks.part(
        "what may pass passes",
        good.status == "Succeeded",
        yes=f"the scan says {good.message}, and lets it pass",
        no=f"the scan says: {good.message}",
        hint="A threshold is the number of findings that is still allowed, for each severity by itself.",
        stronger="MediumThreshold, HighThreshold, CriticalThreshold; one that is left out allows everything.",
    )
    failed = marks.part(
        "what must fail fails",
        bad.status == "Failed",
        yes="it does not get through",
        no=f"it passes: {bad.message}",
        hint="Which severities may not occur at all, or only once? Each has a threshold of its own.",
        stronger="A threshold of '0' allows none; a scan without a threshold never fails.",
    )
    if failed:
        marks.part(
            "for the right reason",
            bad.code == "JobFailed",
            yes=f"it says: {bad.message}",
            no=f"it fails since the configuration is wrong: {bad.message}",
            hint="Keep InspectorRunMode, and write numbers as texts: '1'.",
        )


@dataclass(frozen=True)
class Tests:
    """Four tests of which some are chosen; called with names, it gives the pipeline and its profile.

    Attributes:
        minutes: how long each of them takes.
        odds: the share of changes that each of them stops.
    """

    minutes: Mapping[str, int]
    odds: Mapping[str, float]

    def __call__(self, *names: str) -> tuple[Pipeline, Assumptions]:
        """Return the pipeline with these tests, one after the other, and what is assumed of it."""
        unknown = sorted(set(names) - set(self.minutes))
        if unknown or not names:
            raise SourceError(f"no test {', '.join(unknown) or 'at all'} (there are {', '.join(self.minutes)})")
        chosen = [one for one in self.minutes if one in names]
        document = load(f"GitHub -> [{' -> '.join(f'CodeBuild ({one})' for one in chosen)}] (Test) -> S3")
        lines = [
            f'actions."Test/{one}" = {{ duration = "{self.minutes[one]}m", fails = {self.odds[one]} }}'
            for one in chosen
        ]
        return document, load_profile("\n".join(['arrivals = { every = "2h" }', *lines]))


def _candidates(luck: Random) -> Mapping[str, Any]:
    """Four tests, one after the other; together they take too long."""
    names = ("Unit", "Api", "Ui", "Load")
    minutes = dict(zip(names, luck.sample([4, 6, 9, 13], 4), strict=True))
    odds = dict(zip(names, luck.sample([0.05, 0.09, 0.14, 0.2], 4), strict=True))
    return {"choose": Tests(minutes, odds), "minutes": minutes, "limit": luck.choice((17, 20, 23)), "changes": 120}


@exercise(
    "06-3",
    "Which tests are worth their time?",
    kind=Kind.CHOOSE,
    wants="a pair: a list of names of tests, and how many of the changes they stop",
    parts=("in time", "no better choice", "the evidence"),
    case=_candidates,
)
def worth(answer: Any, case: Case, marks: Marks) -> None:
    """Simulate the learner's choice, and every other choice of the same tests."""
    names, stopped = answer
    caught, longest = _tried(case, (names,) if isinstance(names, str) else tuple(names))
    in_time = marks.part(
        "in time",
        longest <= case.limit,
        yes=f"the slowest change needs {longest:.1f} minutes",
        no=f"the slowest change needs {longest:.1f} minutes, and {case.limit} are allowed",
        hint="Leave tests away, until even a change that passes all of them is through in time.",
    )
    if in_time:
        others = [_tried(case, names) for many in (1, 2, 3, 4) for names in combinations(case.minutes, many)]
        best = max(found for found, took in others if took <= case.limit)
        marks.part(
            "no better choice",
            caught >= best,
            yes=f"no other choice in this time stops more than {caught} of {case.changes} changes",
            no=f"it stops {caught} bad changes; another choice in the same time stops more",
            hint="A long test is not a good one by itself. Try the other choices that fit.",
            stronger="There are fifteen choices, and few that fit: simulate each, and compare what they stop.",
        )
    marks.part(
        "the evidence",
        close(stopped, caught, within=0.5),
        yes=f"{caught} of {case.changes} changes failed",
        no=f"{stopped} is not what the simulation says of {', '.join(names)}",
        hint=f"Simulate your choice with executions={case.changes} and seed=1, and count what failed.",
        stronger="(ps.executions_table(trace)['status'] == 'Failed').sum()",
    )


def _tried(case: Case, names: tuple[str, ...]) -> tuple[int, float]:
    """How many changes were stopped, and the minutes that the slowest needed."""
    pipeline, profile = case.choose(*names)
    trace = simulate(pipeline, profile, seed=1, executions=case.changes)
    found = state_at(pipeline, trace, trace.end).executions.values()
    failed = sum(one.status == PipelineExecutionStatus.FAILED for one in found)
    return failed, max((one.ended or trace.end) - one.started for one in found) / 60
