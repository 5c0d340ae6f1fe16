"""Lesson 18: the microservices pipeline."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import hours
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.cloud.account import Cloud
from pipesim.definition.model import Pipeline
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.formats.samples import sample
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.vocabulary import ActionCategory
from pipesim.whatif.compare import compare
from pipesim.whatif.scenario import Edit
from pipesim.whatif.structure import serialise
from pipesim.whatif.timing import pool, scale_duration

SERVICES = ("checkout", "catalogue", "search", "invoices", "wish-list")


def _services() -> Pipeline:
    return load(sample("microservices"))


def _narrow(luck: Random) -> Mapping[str, Any]:
    """Two builds at once in an account that may run only one, or two."""
    lengths = luck.sample(range(3, 10), 2)
    times = {
        "Build/ServiceA": lengths[0],
        "Build/ServiceB": lengths[1],
        "Deploy/ServiceA": (deploys := luck.sample(range(6, 13), 2))[0],
        "Deploy/ServiceB": deploys[1],
        "ApiTest/Api": luck.randint(4, 7),
    }
    return {"pipeline": _services(), "minutes": times} | {
        name: _profile(times, capacity) for name, capacity in (("wide", 2), ("narrow", 1))
    }


def _profile(times: Mapping[str, int], capacity: int) -> Assumptions:
    lines = [f'actions."{name}".duration = "{length}m"' for name, length in times.items()]
    builds = f'pools.builds = {{ capacity = {capacity}, when_full = "queue" }}'
    return load_profile("\n".join(['arrivals = { list = ["0m"] }', builds, *lines]))


@exercise(
    "18-1",
    "Side by side, if there is room",
    kind=Kind.PREDICT,
    wants="two numbers of minutes: when the API test is done with two builds at once, and with one at a time",
    parts=("two builds at once", "one build at a time"),
    case=_narrow,
)
def side_by_side(answer: Any, case: Case, marks: Marks) -> None:
    """Compare with the end of the API test in two simulations."""
    wide, narrow = (number(one) for one in answer)
    truths = {name: _tested(simulate(case.pipeline, case[name], seed=1)) / 60 for name in ("wide", "narrow")}
    if close(wide, sum(case.minutes.values()), within=0.9):
        seen = f"{wide:g} minutes would be one thing after another"
    else:
        seen = f"after {wide:g} minutes is too {'late' if wide > truths['wide'] else 'early'}"
    marks.part(
        "two builds at once",
        close(wide, truths["wide"], within=0.9),
        yes=f"after {truths['wide']:.1f} minutes: of each pair only the slower one counts",
        no=seen,
        hint="The next stage starts when both actions of the stage before are done.",
        stronger="The slower build, plus the slower deployment, plus the test.",
    )
    if close(narrow, truths["wide"], within=0.9):
        seen = "one of the builds has to wait for the other now"
    elif close(narrow, sum(case.minutes.values()), within=0.9):
        seen = "only builds need room in CodeBuild; deployments do not wait for each other"
    else:
        seen = f"after {narrow:g} minutes is too {'late' if narrow > truths['narrow'] else 'early'}"
    marks.part(
        "one build at a time",
        close(narrow, truths["narrow"], within=0.9),
        yes=f"after {truths['narrow']:.1f} minutes: side by side in the picture, one after the other in the account",
        no=seen,
        hint="Both builds are started at once, and one of them waits until the other is done.",
        stronger="Both builds, plus the slower deployment, plus the test.",
    )


def _tested(trace: Trace) -> float:
    return next(event.time for event in trace if event.kind == EventKind.ACTION_SUCCEEDED and event.stage == "ApiTest")


def _hasty(luck: Random) -> Mapping[str, Any]:
    """Services built one after the other, and a notification that does not wait for the test."""
    document = _services().to_document()
    build, deploy, test, notify = document["stages"][1:]
    build["actions"][1]["runOrder"] = 2
    if luck.random() < 0.5:
        deploy["actions"][0]["runOrder"] = 2
    else:
        deploy["actions"][1]["runOrder"] = 2
    test["actions"] += notify["actions"]
    del document["stages"][4]
    bad = luck.choice((2, 3))
    profile = load_profile(f"""
arrivals = {{ every = "2h" }}
actions."Build/ServiceA".duration = "{luck.randint(4, 6)}m"
actions."Build/ServiceB".duration = "{luck.randint(4, 6)}m"
actions."Deploy/ServiceA".duration = "{luck.randint(7, 9)}m"
actions."Deploy/ServiceB".duration = "{luck.randint(7, 9)}m"
actions.Api = {{ duration = "5m", fails_on = [{bad}] }}
""")
    return {"pipeline": load(document), "profile": profile, "bad": f"E{bad}", "changes": 4}


@exercise(
    "18-2",
    "Told too early",
    kind=Kind.REPAIR,
    wants="a pipeline or its declaration",
    parts=("accepted", "nothing is left out", "side by side", "tested when both are out", "told when it is true"),
    case=_hasty,
)
def told_too_early(answer: Any, case: Case, marks: Marks) -> None:
    """Send four changes through, one of which fails its test, and see what overlaps and who is told."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = sorted((action.category, action.name) for _, action in case.pipeline.actions())
    found = sorted((action.category, action.name) for _, action in pipeline.actions())
    there = marks.part(
        "nothing is left out",
        wanted == found,
        yes="two builds, two deployments, a test, a notification",
        no=f"missing or new: {', '.join(sorted({f'{kind} {name}' for kind, name in set(wanted) ^ set(found)}))}"
        if set(wanted) != set(found)
        else "something is there twice",
        hint="Change the order only; a stage may be added.",
    )
    if not there:
        return
    trace = simulate(pipeline, case.profile, seed=1, executions=case.changes)
    apart = [kind for kind in (ActionCategory.BUILD, ActionCategory.DEPLOY) if not _overlap(pipeline, trace, kind)]
    marks.part(
        "side by side",
        not apart,
        yes="the two services are built at the same time, and deployed at the same time",
        no=f"of the {' and the '.join(f'{kind} actions'.lower() for kind in apart)} one waits for the other",
        hint="Neither service needs anything of the other one.",
        stronger="Actions of one stage with the same runOrder start together.",
    )
    test = _span(pipeline, trace, "E1", ActionCategory.TEST)
    out = _span(pipeline, trace, "E1", ActionCategory.DEPLOY)
    marks.part(
        "tested when both are out",
        bool(test and out) and min(test)[0] >= max(end for _, end in out),
        yes="the API test starts after the last deployment",
        no="the API is tested while something is still being deployed",
        hint="The test belongs behind both deployments.",
    )
    told = {event.execution for event in trace if event.kind == EventKind.ACTION_STARTED and event.action == "Notify"}
    good = {f"E{number}" for number in range(1, case.changes + 1)} - {case.bad}
    marks.part(
        "told when it is true",
        told == good,
        yes=f"nobody was told of {case.bad}, which failed its test",
        no=f"the team was told that {case.bad} is out, and it failed its test"
        if case.bad in told
        else "not everybody was told of the good changes",
        hint="What starts together with the test does not know how it ends.",
        stronger="Give the notification a higher runOrder than the test, or a stage of its own behind it.",
    )


def _span(pipeline: Pipeline, trace: Trace, execution: str, category: ActionCategory) -> list[tuple[float, float]]:
    """Start and end of one execution's actions of one category."""
    wanted = {(stage.name, action.name) for stage, action in pipeline.actions() if action.category == category}
    times: dict[tuple[str | None, str | None], list[float]] = {}
    for event in trace:
        if event.execution == execution and (event.stage, event.action) in wanted:
            times.setdefault((event.stage, event.action), []).append(event.time)
    return [(min(one), max(one)) for one in times.values()]


def _overlap(pipeline: Pipeline, trace: Trace, category: ActionCategory) -> bool:
    (began, ended), (other_began, other_ended) = _span(pipeline, trace, "E1", category)
    return began < other_ended and other_began < ended


def _message(luck: Random) -> Mapping[str, Any]:
    """Which service is out, and where the team wants to read it."""
    service = luck.choice(SERVICES)
    return {"service": service, "parameters": {"topic": "arn:aws:sns:us-east-1:123456789012:team", "service": service}}


@exercise(
    "18-3",
    "Tell the team",
    kind=Kind.WRITE,
    wants="the source text of a Python file with a function handler(event, context)",
    parts=("the team is told", "it reads which service", "the pipeline goes on"),
    case=_message,
)
def tell(answer: Any, case: Case, marks: Marks) -> None:
    """Run the learner's function as the last action of a pipeline, with two services, and read the team's queue."""
    if not isinstance(answer, str):
        raise TypeError("the source of a file is a text")
    service, other = case.service, next(one for one in SERVICES if one != case.service)
    status, messages, log = _run_function(answer, service)
    last = next((line.strip() for line in reversed(log) if "Error" in line), "")
    marks.part(
        "the team is told",
        bool(messages),
        yes=f"a message came: {messages[0]!r}" if messages else "",
        no=f"no message came; the log says: {last[:200]}" if last else "no message came, and the function ended well",
        hint="The event holds the job; UserParameters, in the action's configuration there, is a JSON text.",
        stronger='json.loads(event["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]["UserParameters"])'
        ' has the topic; boto3.client("sns").publish(TopicArn=…, Message=…) tells.',
    )
    if messages:
        again = _run_function(answer, other)[1]
        marks.part(
            "it reads which service",
            any(service in one for one in messages) and any(other in one for one in again),
            yes="with another service it says the other name",
            no=f"the message does not say {service}"
            if not any(service in one for one in messages)
            else f"when {other} was deployed, it said {again[0]!r}"
            if again
            else "with another service it said nothing",
            hint="The name is in the UserParameters, beside the topic.",
        )
    marks.part(
        "the pipeline goes on",
        status == "Succeeded",
        yes="the action succeeds as soon as the function reports",
        no="the action is still waiting: nobody told the pipeline that the job is done"
        if status == "InProgress"
        else f"the action ends as {status}",
        hint="A function that returns has not reported. Which call of CodePipeline does?",
        stronger='boto3.client("codepipeline").put_job_success_result(jobId=event["CodePipeline.job"]["id"])',
    )


def _run_function(source: str, service: str) -> tuple[str, list[str], list[str]]:
    """Run one change whose last action is the function: its status, the messages, and the function's log."""
    document = load("S3 -> S3 -> [Lambda (Notify)] (Notification)").to_document()
    configuration = document["stages"][-1]["actions"][0]["configuration"]
    name, pipeline = configuration["FunctionName"], document["name"]
    with Cloud(seed=1) as cloud:
        sns, sqs, functions = (cloud.client(one) for one in ("sns", "sqs", "lambda"))
        topic = sns.create_topic(Name="team")["TopicArn"]
        queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        configuration["UserParameters"] = json.dumps({"topic": topic, "service": service})
        cloud.provision(load(document))
        functions.update_function_code(FunctionName=name, ZipFile=_zipped(source))
        role = functions.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
        allowed = {"Effect": "Allow", "Action": "sns:Publish", "Resource": topic}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        cloud.client("iam").put_role_policy(RoleName=role, PolicyName="tell", PolicyDocument=policy)
        cloud.advance(minutes=5)
        rows = cloud.client("codepipeline").list_action_executions(pipelineName=pipeline)["actionExecutionDetails"]
        status = next((str(row["status"]) for row in rows if row["actionName"] == "Notify"), "never started")
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        messages = [str(json.loads(one["Body"])["Message"]) for one in found]
        logs = cloud.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return status, messages, [str(one["message"]) for one in logs]


def _zipped(source: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", source)
    return packed.getvalue()


def _designs(luck: Random) -> Mapping[str, Any]:
    """A busy team with two services, and three ways to change their pipeline."""
    slow = luck.choice(("builds", "deployments"))
    build, deploy = (luck.randint(9, 11), 5) if slow == "builds" else (4, luck.randint(14, 17))
    profile = load_profile(f"""
arrivals = {{ every = "40m" }}
actions."Build/ServiceA".duration = {{ median = "{build}m", p95 = "{build + 3}m" }}
actions."Build/ServiceB".duration = {{ median = "{build + 1}m", p95 = "{build + 4}m" }}
actions."Deploy/ServiceA".duration = {{ median = "{deploy}m", p95 = "{deploy + 3}m" }}
actions."Deploy/ServiceB".duration = {{ median = "{deploy}m", p95 = "{deploy + 3}m" }}
actions."ApiTest/Api".duration = {{ median = "5m", p95 = "8m" }}
pools.builds = {{ capacity = 1, when_full = "queue" }}
""")
    changes: dict[str, Edit] = {
        "room for two builds": pool("builds", 2),
        "quicker deployments": scale_duration("Deploy/ServiceA", 0.6) | scale_duration("Deploy/ServiceB", 0.6),
        "one deployment at a time": serialise("Deploy"),
    }
    return {"pipeline": _services(), "profile": profile, "changes": changes}


@exercise(
    "18-4",
    "Which change is worth it?",
    kind=Kind.CHOOSE,
    wants="a pair: the name of a change, and by how many minutes it shortens the mean lead time",
    parts=("the best change", "the evidence"),
    case=_designs,
)
def worth_it(answer: Any, case: Case, marks: Marks) -> None:
    """Compare all changes under the same luck."""
    choice, won = answer
    if choice not in case.changes:
        raise ValueError(f"no change {choice!r} (there are {', '.join(case.changes)})")
    found = compare((case.pipeline, case.profile), case.changes, n=10, days=2, seed=1, progress=False)
    gains = {name: found.difference(name, "lead_time") for name in case.changes}
    best = min(gains, key=lambda name: _or_never(gains[name].estimate))
    truth = -gains[choice].estimate / 60
    marks.part(
        "the best change",
        choice == best,
        yes=f"it wins {truth:.1f} minutes on average, more than the others",
        no=f"it wins {truth:.1f} minutes, another one wins more" if truth > 0 else "it makes things slower",
        hint="ps.compare gives all changes the same luck. Read the rows of the lead time.",
        stronger="found = ps.compare((case.pipeline, case.profile), case.changes, n=10, days=2, seed=1), "
        'then found.difference(name, "lead_time").estimate for each name; the more negative, the better.',
    )
    marks.part(
        "the evidence",
        close(won, truth, within=max(0.5, gains[choice].half_width / 60)),
        yes=f"{truth:.1f} ± {gains[choice].half_width / 60:.2f} minutes",
        no=f"{number(won):g} minutes is not what is seen with this change",
        hint="The difference is in seconds there, and negative when the lead time gets shorter.",
    )


def _or_never(estimate: float) -> float:
    return hours(1e6) if estimate != estimate else estimate
