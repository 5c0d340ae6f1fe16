"""Lesson 13: events, alarms, and the record of calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from functools import cache
from random import Random
from typing import Any

from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close
from pipesim.cloud.account import Cloud, PipelineRecord
from pipesim.cloud.signals.patterns import matches, problem_of
from pipesim.cloud.signals.pipeline_events import ACTION
from pipesim.definition.model import Pipeline
from pipesim.engine.commands import Break, Repair
from pipesim.formats.load import load

NAMES = ("shop", "orders", "billing", "search", "stock")
OTHER = "blog"
SKETCH = "S3 -> CodeBuild -> [Tests (UnitTests)] (Test) -> [CodeBuild (Image)] (Package) -> S3"


def _pipeline(name: str) -> Pipeline:
    """Two builds in different stages, and a test that CodeBuild runs, too."""
    return replace(load(SKETCH), name=name)


def _watched(luck: Random) -> Mapping[str, Any]:
    name = luck.choice(NAMES)
    return {"name": name, "pipeline": _pipeline(name)}


@exercise(
    "13-1",
    "Failed builds, and nothing else",
    kind=Kind.WRITE,
    wants="an event pattern, as a dictionary or as JSON",
    parts=(
        "a pattern",
        "every failed build",
        "each once",
        "no other failure",
        "nothing but failures",
        "no other pipeline",
    ),
    case=_watched,
)
def failed_builds(answer: Any, case: Case, marks: Marks) -> None:
    """Let builds, tests and deployments fail in a cloud, and see which of the events the pattern catches."""
    pattern = json.loads(answer) if isinstance(answer, str) else dict(answer)
    problem = problem_of(pattern)
    sound = marks.part(
        "a pattern",
        not problem,
        yes="EventBridge would take it",
        no=f"EventBridge refuses it: {problem}",
        hint="Every value stands in a list, even a single one.",
    )
    if not sound:
        return
    events = _a_bad_day(case.name)
    caught = [event for event in events if matches(pattern, event)]
    builds = [event for event in events if _is_failed_build(event) and event["detail"]["pipeline"] == case.name]
    found = [event for event in builds if event in caught]
    marks.part(
        "every failed build",
        len(found) == len(builds),
        yes=f"{len(builds)} builds failed, and it caught {len(builds)}",
        no=f"{len(builds)} builds failed, and it caught {len(found)} of these events",
        hint="The event of an action says its category. Print one of cloud.events() and look.",
        stronger='The detail has "type": {"category": …}, and a stage may have any name.',
    )
    higher = [event for event in caught if _failed(event) and event["detail-type"] != ACTION]
    marks.part(
        "each once",
        not higher,
        yes="stages and executions that fail for the same reason stay silent",
        no=f"{len(higher)} events of stages or executions came along",
        hint="One failure is announced on three levels. How does a pattern choose one?",
        stronger="Ask for the detail-type of action events.",
    )
    others = sorted(
        {str(event["detail"]["action"]) for event in caught if _failed_action(event) and not _is_failed_build(event)}
    )
    marks.part(
        "no other failure",
        not others,
        yes="failed tests and deployments stay silent",
        no=f"it also caught failures of {', '.join(others)}",
        hint="Tests may run in CodeBuild as well. What tells them from builds?",
        stronger="Not the provider: the category.",
    )
    rest = sorted({str(event["detail"].get("state")) for event in caught if not _failed(event)})
    marks.part(
        "nothing but failures",
        not rest,
        yes="what starts, succeeds or is stopped stays silent",
        no=f"it also caught the states {', '.join(rest)}",
        hint="Which state of an action is meant?",
    )
    foreign = sum(event["detail"].get("pipeline") != case.name for event in caught)
    marks.part(
        "no other pipeline",
        not foreign,
        yes="other pipelines may fail as they like",
        no=f"{foreign} of the events caught came from another pipeline",
        hint="The detail names the pipeline.",
    )


def _failed(event: Mapping[str, Any]) -> bool:
    return bool(event["detail"].get("state") == "FAILED")


def _failed_action(event: Mapping[str, Any]) -> bool:
    return _failed(event) and event["detail-type"] == ACTION


def _is_failed_build(event: Mapping[str, Any]) -> bool:
    return _failed_action(event) and event["detail"]["type"]["category"] == "Build"


@cache
def _a_bad_day(name: str) -> list[dict[str, Any]]:
    """The events of a day on which everything fails once, one build is stopped, and another pipeline fails as well."""
    with Cloud(seed=1, actions="assumed") as cloud:
        record, other = cloud.provision(_pipeline(name)), cloud.provision(_pipeline(OTHER))
        cloud.run_until_idle()
        for stage, action in record.pipeline.actions():
            _fail(cloud, record, stage.name, action.name)
        _fail(cloud, other, "Build", "CodeBuild")
        client = cloud.client("codepipeline")
        started = client.start_pipeline_execution(name=name)["pipelineExecutionId"]
        cloud.advance(seconds=30)
        client.stop_pipeline_execution(pipelineName=name, pipelineExecutionId=started, abandon=True)
        cloud.run_until_idle()
        return cloud.events()


def _fail(cloud: Cloud, record: PipelineRecord, stage: str, action: str) -> None:
    """Let one execution fail at an action."""
    record.simulation.send(Break(stage, action, message="exit status 1"))
    cloud.client("codepipeline").start_pipeline_execution(name=record.name)
    cloud.run_until_idle()
    record.simulation.send(Repair(stage, action))


def _trouble(luck: Random) -> Mapping[str, Any]:
    return {"name": luck.choice(NAMES), "failures": luck.choice((2, 3, 4)), "minutes": luck.choice((30, 60, 120))}


@exercise(
    "13-2",
    "An alarm for real trouble",
    kind=Kind.BUILD,
    wants="a dictionary of what put_metric_alarm takes",
    parts=(
        "accepted",
        "silent when all is well",
        "others do not count",
        "a single failure is no trouble",
        "goes off",
        "calms down",
    ),
    case=_trouble,
)
def alarm(answer: Any, case: Case, marks: Marks) -> None:
    """Put the alarm into a cloud of its own, and let executions succeed and fail under its eyes."""
    from botocore.exceptions import BotoCoreError, ClientError

    with Cloud(seed=1, actions="assumed") as cloud:
        cloudwatch, pipelines = cloud.client("cloudwatch"), cloud.client("codepipeline")
        own, other = cloud.provision(_pipeline(case.name)), cloud.provision(_pipeline(OTHER))
        cloud.run_until_idle()
        problem = ""
        try:
            cloudwatch.put_metric_alarm(**answer)
        except (BotoCoreError, ClientError) as error:
            problem = str(error)
        accepted = marks.part(
            "accepted",
            not problem,
            yes="CloudWatch takes it",
            no=f"CloudWatch refuses it: {problem}",
            hint="The error names what is missing or wrong. The lesson has an example.",
        )
        if not accepted:
            return

        def sounds(after: float) -> bool:
            cloud.advance(minutes=after)
            (found,) = cloudwatch.describe_alarms(AlarmNames=[answer["AlarmName"]])["MetricAlarms"]
            return bool(found["StateValue"] == "ALARM")

        def failing(record: PipelineRecord, times: int) -> bool:
            """Fail several times, five minutes apart; whether the alarm is on at the end."""
            on = False
            for _ in range(times):
                _fail(cloud, record, "Source", "S3")
                on = sounds(5) or on
            return on

        pipelines.start_pipeline_execution(name=own.name)
        marks.part(
            "silent when all is well",
            not sounds(3 * case.minutes),
            yes="good executions, and none at all, leave it silent",
            no="it goes off although nothing has failed",
            hint="What does it make of a time without any data? And which metric does it look at?",
            stronger="TreatMissingData, and FailedPipelineExecutions.",
        )
        marks.part(
            "others do not count",
            not failing(other, case.failures),
            yes=f"{case.failures} failures of another pipeline leave it silent",
            no=f"{case.failures} failures of another pipeline set it off",
            hint="Without a dimension, the metric counts the whole account.",
            stronger='Dimensions=[{"Name": "PipelineName", "Value": …}].',
        )
        cloud.advance(minutes=4 * case.minutes)
        few = failing(own, case.failures - 1)
        cloud.advance(minutes=4 * case.minutes)
        late = failing(own, 1)
        cloud.advance(minutes=4 * case.minutes)
        marks.part(
            "a single failure is no trouble",
            not few and not late,
            yes=f"{case.failures - 1} in {case.minutes} minutes leave it silent, and so do old ones",
            no=f"{case.failures - 1} in {case.minutes} minutes set it off" if few else "it still counts old failures",
            hint="From how many on should it go off? And over what time does it count?",
            stronger=f"Sum over {case.minutes} minutes, in seconds, and compare with {case.failures}.",
        )
        marks.part(
            "goes off",
            failing(own, case.failures),
            yes=f"{case.failures} failures within {case.failures * 5} minutes set it off",
            no=f"{case.failures} failures within {case.failures * 5} minutes leave it silent",
            hint="Which statistic counts failures? Is the threshold itself included, and does the namespace exist?",
            stronger="Sum, GreaterThanOrEqualToThreshold, AWS/CodePipeline, and the pipeline's own name.",
        )
        stays_on = sounds(4 * case.minutes)
        for _ in range(case.failures):
            _fail(cloud, own, "Source", "S3")
        stays_on = sounds(4 * case.minutes) or stays_on
        marks.part(
            "calms down",
            not stays_on,
            yes=f"{4 * case.minutes} minutes without a failure silence it",
            no=f"{4 * case.minutes} minutes later it is still on",
            hint="When nothing fails there are no data. What should that mean?",
            stronger='TreatMissingData="notBreaching".',
        )


@dataclass(frozen=True, slots=True)
class People:
    """Who does what in a night: one looks, one closes the door for a moment, one another door, and so on."""

    onlooker: str
    brief: str
    elsewhere: str
    refused: str
    closer: str
    opener: str


@dataclass(frozen=True, slots=True)
class Night:
    """What people do in one night; they are cast, and the clock is set, by a learner's luck.

    Attributes:
        name, stage: the pipeline and the stage whose door is closed for long.
    """

    name: str
    stage: str
    _other_stage: str
    _people: People
    _minutes: int
    _pauses: tuple[int, ...]

    def __call__(self, cloud: Cloud) -> None:
        """Let the night pass in an open cloud.

        Args:
            cloud: without a pipeline of this name.
        """
        cloud.provision(_pipeline(self.name))
        cloud.run_until_idle()
        who, pause = self._people, iter(self._pauses)
        here, there = self._door(self.stage), self._door(self._other_stage)
        client = {name: _as(cloud, name) for name in astuple(who)}

        def later() -> None:
            cloud.advance(minutes=next(pause))

        later()
        client[who.onlooker].get_pipeline_state(name=self.name)
        client[who.brief].disable_stage_transition(**here, reason="Just a moment")
        later()
        client[who.brief].enable_stage_transition(**here)
        client[who.elsewhere].disable_stage_transition(**there, reason="Later")
        later()
        with suppress(client[who.refused].exceptions.ClientError):
            client[who.refused].disable_stage_transition(**{**here, "pipelineName": f"{self.name}-prod"}, reason="Stop")
        later()
        client[who.closer].disable_stage_transition(**here, reason="Maintenance")
        cloud.advance(minutes=self._minutes)
        client[who.opener].enable_stage_transition(**here)
        later()
        client[who.elsewhere].enable_stage_transition(**there)
        client[who.onlooker].get_pipeline_state(name=self.name)

    def _door(self, stage: str) -> dict[str, str]:
        return {"pipelineName": self.name, "stageName": stage, "transitionType": "Inbound"}

    def __repr__(self) -> str:
        return f"what happened to {self.name} in the night: call it with an open cloud"


def _as(cloud: Cloud, name: str) -> Any:
    """A client of a user of that name."""
    import boto3

    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    secrets = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return boto3.client("codepipeline", cloud.account.region, **secrets)


def _night(luck: Random) -> Mapping[str, Any]:
    names = luck.sample(("aiko", "bela", "chidi", "dana", "emil", "fatou", "greta", "hugo"), 6)
    people = People(*names)
    stage, other = luck.sample(("Test", "Package", "Deploy"), 2)
    name = luck.choice(NAMES)
    pauses = tuple(luck.randint(11, 49) for _ in range(5))
    happens = Night(name, stage, other, people, luck.randint(250, 420), pauses)
    return {"name": name, "stage": stage, "happens": happens}


@exercise(
    "13-3",
    "The night nobody released",
    kind=Kind.FIND,
    wants="a pair: a user's name, and a number of minutes",
    parts=("who closed it", "for how long"),
    case=_night,
    points=4,
)
def who_was_it(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the night as it was cast."""
    given, minutes = answer
    night: Night = case.happens
    who = night._people
    name = str(given).strip().lower()
    told = {
        who.onlooker: f"{who.onlooker} only looked",
        who.brief: f"{who.brief} closed it for some minutes, and opened it again",
        who.elsewhere: f"{who.elsewhere} closed the transition into another stage",
        who.refused: f"{who.refused} tried it with a pipeline that does not exist, and was refused",
        who.opener: f"{who.opener} opened it in the morning",
    }
    marks.part(
        "who closed it",
        name == who.closer,
        yes=f"it was {who.closer}",
        no=told.get(name, f"no {given!r} was at work in that night"),
        hint="Look up DisableStageTransition in CloudTrail. Which of these calls was for this stage?",
        stronger="requestParameters in CloudTrailEvent names the stage; an errorCode says that a call was refused.",
    )
    marks.part(
        "for how long",
        close(minutes, night._minutes, within=1.0),
        yes=f"{night._minutes} minutes",
        no=f"it was not closed for {minutes} minutes",
        hint="When was EnableStageTransition called for this stage, after that?",
        stronger="The difference of two EventTime values, in minutes.",
    )
