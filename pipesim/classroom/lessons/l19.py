"""Lesson 19: good practice, measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import minutes
from pipesim.classroom.exercise import Case, Kind, exercise
from pipesim.classroom.feedback import Marks
from pipesim.classroom.judging import close, number, sound
from pipesim.cloud.account import Cloud
from pipesim.cloud.policies import Answer, Request, judge
from pipesim.definition.model import Pipeline
from pipesim.engine.commands import Command, Rollback, Start
from pipesim.engine.simulate import simulate
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import state_at
from pipesim.vocabulary import ExecutionType

SLOW_FIRST = (
    "GitHub -> CodeBuild -> [CodeBuild (Integration) -> CodeBuild (UnitTests) -> CodeBuild (Lint)] (Test) -> S3"
)
FORBIDDEN = {
    "s3:DeleteBucket": "arn:aws:s3:::{bucket}",
    "s3:DeleteObject": "arn:aws:s3:::{bucket}/anything",
    "s3:PutBucketPolicy": "arn:aws:s3:::{bucket}",
    "codebuild:DeleteProject": "arn:aws:codebuild:us-east-1:123456789012:project/{project}",
    "codebuild:CreateProject": "arn:aws:codebuild:us-east-1:123456789012:project/another",
    "iam:CreateRole": "arn:aws:iam::123456789012:role/another",
    "iam:PutRolePolicy": "arn:aws:iam::123456789012:role/CodePipelineServiceRole",
    "kms:ScheduleKeyDeletion": "arn:aws:kms:us-east-1:123456789012:key/some",
    "ec2:RunInstances": "arn:aws:ec2:us-east-1:123456789012:instance/*",
}


def _slow_first(luck: Random) -> Mapping[str, Any]:
    """The slowest test first, the quickest last; the quick ones find most mistakes."""
    integration, units, lint = luck.randint(16, 24), luck.randint(4, 7), luck.randint(1, 2)
    profile = load_profile(f"""
arrivals = {{ every = "2h" }}
actions."Build/CodeBuild".duration = "2m"
actions."Test/Integration" = {{ duration = "{integration}m", fails = 0.05 }}
actions."Test/UnitTests" = {{ duration = "{units}m", fails = 0.2 }}
actions."Test/Lint" = {{ duration = "{lint}m", fails = 0.3 }}
""")
    document = load(SLOW_FIRST).to_document()
    for action in document["stages"][2]["actions"]:
        action["inputArtifacts"] = [{"name": "BuildOutput"}]
    document["stages"][3]["actions"][0]["inputArtifacts"] = [{"name": "BuildOutput"}]
    return {"pipeline": load(document), "profile": profile, "at_most": lint + units + 5, "changes": 200}


@exercise(
    "19-1",
    "Fail fast",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration",
    parts=("accepted", "no test is left out", "bad news come early", "without building more than before"),
    case=_slow_first,
)
def fail_fast(answer: Any, case: Case, marks: Marks) -> None:
    """Measure how long failing changes take to fail, and how many minutes of tests all changes take."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted = {action.name for _, action in case.pipeline.actions()}
    found = {action.name for _, action in pipeline.actions()}
    kept = marks.part(
        "no test is left out",
        found == wanted,
        yes="all three are there",
        no=f"missing: {', '.join(sorted(wanted - found))}" if wanted - found else f"new: {', '.join(found - wanted)}",
        hint="Change the order, not the tests.",
    )
    if not kept:
        return
    old, new = (simulate(one, case.profile, seed=1, executions=case.changes) for one in (case.pipeline, pipeline))
    told, news = _time_to_bad_news(old) / 60, _time_to_bad_news(new) / 60
    marks.part(
        "bad news come early",
        news <= case.at_most,
        yes=f"a bad change is told after {news:.1f} minutes on average, instead of {told:.1f}",
        no=f"a bad change is told after {news:.1f} minutes on average; at most {case.at_most} are asked for",
        hint="Which test is the quickest, and which one finds most?",
        stronger="Give the quick tests a lower runOrder than the slow one.",
    )
    ratio = _tested(new) / _tested(old)
    marks.part(
        "without building more than before",
        ratio < 1.0,
        yes=f"all tests together take {1 - ratio:.0%} less time",
        no=f"all tests together take {ratio - 1:.0%} more time than before",
        hint="Side by side is quick, but everything runs for every change. What is never started costs nothing.",
    )


def _time_to_bad_news(trace: Trace) -> float:
    """Mean time from start to failure, in seconds, of the executions that fail."""
    states = state_at(trace.pipeline, trace, trace.end).executions.values()
    lengths = [(one.ended or trace.end) - one.started for one in states if one.status == "Failed"]
    return sum(lengths) / max(len(lengths), 1)


def _tested(trace: Trace) -> float:
    """Seconds of all tests, by their starts and ends."""
    began: dict[tuple[Any, ...], float] = {}
    total = 0.0
    for event in trace:
        key = (event.execution, event.action, event.attempt)
        if event.kind == EventKind.ACTION_STARTED and event.stage == "Test":
            began[key] = event.time
        elif event.kind in (EventKind.ACTION_SUCCEEDED, EventKind.ACTION_FAILED) and key in began:
            total += event.time - began[key]
    return total


def _outage(luck: Random) -> Mapping[str, Any]:
    """A bad release is out; the team can roll back, or revert the commit and send it through."""
    build, tests, deploy = luck.randint(6, 9), luck.randint(12, 18), luck.randint(5, 8)
    profile = load_profile(f"""
arrivals = {{ list = ["0m", "90m"] }}
actions."Build/CodeBuild".duration = "{build}m"
actions."Test/Test".duration = "{tests}m"
actions."Deploy/CodeDeploy".duration = "{deploy}m"
""")
    document = load("GitHub -> CodeBuild -> Tests -> CodeDeploy").to_document()
    pipeline = load({**document, "pipelineType": "V2"})
    return {"pipeline": pipeline, "profile": profile, "noticed_at": 150, "good": "E1"}


@exercise(
    "19-2",
    "The way back",
    kind=Kind.CHOOSE,
    wants="two numbers of minutes from the moment it is noticed: with a rollback, and with a reverted commit",
    parts=("rollback", "reverted commit"),
    case=_outage,
)
def way_back(answer: Any, case: Case, marks: Marks) -> None:
    """Simulate both ways back and measure until production is good again."""
    given = [number(one) for one in answer]
    noticed = minutes(case.noticed_at)
    ways: dict[str, Command] = {"rollback": Rollback("Deploy", case.good), "reverted commit": Start(change="revert")}
    truths = {}
    for way, command in ways.items():
        trace = simulate(case.pipeline, case.profile, seed=1, commands=[(noticed, command)])
        last = list(state_at(case.pipeline, trace, trace.end).executions.values())[-1]
        assert (last.type == ExecutionType.ROLLBACK) == (way == "rollback")
        truths[way] = ((last.ended or trace.end) - noticed) / 60
    for way, one in zip(truths, given, strict=True):
        marks.part(
            way,
            close(one, truths[way], within=1.0),
            yes=f"{truths[way]:.1f} minutes",
            no=f"{one:g} minutes is too {'long' if one > truths[way] else 'short'}",
            hint="Which stages does it pass through? A rollback belongs to one stage.",
            stronger="Simulate with commands=[(ps.minutes(case.noticed_at), …)] and look at the last execution.",
        )


def _shop(luck: Random) -> Mapping[str, Any]:
    return {"pipeline": load("S3 -> CodeBuild -> S3")}


@exercise(
    "19-3",
    "As little as possible",
    kind=Kind.WRITE,
    wants="an IAM policy as a dictionary with Version and Statement",
    parts=("a policy", "the pipeline runs with it", "no stars for actions", "nothing that it does not need"),
    case=_shop,
    points=6,
)
def least_privilege(answer: Any, case: Case, marks: Marks) -> None:
    """Run the pipeline in an account of its own with this policy alone, then ask for what it should not allow."""
    policy = json.loads(answer) if isinstance(answer, str) else dict(answer)
    statements = policy["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    marks.part(
        "a policy",
        policy.get("Version") == "2012-10-17" and all({"Effect", "Action", "Resource"} <= set(one) for one in listed),
        yes="it has a version, and each statement an effect, actions and resources",
        no="Version should be 2012-10-17, and each statement needs Effect, Action and Resource",
        hint="Look at the policy that ps.Cloud.provision wrote; iam.get_role_policy shows it.",
    )
    failure, bucket, project = _run_with(policy, case.pipeline)
    marks.part(
        "the pipeline runs with it",
        not failure,
        yes="a change goes from source to target under this policy alone",
        no=failure,
        hint="The message names what was not allowed. Add exactly that.",
        stronger="The catalog knows what each action needs; the role that `provision` made has it all, and a bit more.",
    )
    actions = [action for one in listed for action in _listed(one["Action"])]
    stars = [action for action in actions if "*" in action]
    marks.part(
        "no stars for actions",
        not stars,
        yes="every action is named",
        no=f"{', '.join(stars)} allows more than anybody has looked at",
        hint="Name the actions one by one.",
    )
    allowed = [action for action, where in FORBIDDEN.items() if _allows(policy, action, where, bucket, project)]
    marks.part(
        "nothing that it does not need",
        not allowed,
        yes="it may delete nothing, create nothing, and change no permission",
        no=f"it allows {', '.join(allowed)}",
        hint="A pipeline that only reads, builds and writes needs no right to delete.",
    )


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _allows(policy: Mapping[str, Any], action: str, where: str, bucket: str, project: str) -> bool:
    request = Request(action, where.format(bucket=bucket, project=project), frozenset(), {})
    return judge(policy, request) is Answer.ALLOW


def _run_with(policy: Mapping[str, Any], pipeline: Pipeline) -> tuple[str, str, str]:
    """Run a change with one policy alone: what failed ("" for nothing), the artifact bucket, the build project."""
    with Cloud(seed=1) as cloud:
        record = cloud.provision(pipeline)
        cloud.run_until_idle()
        iam, role = cloud.client("iam"), record.pipeline.role_arn.rpartition("/")[2]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        iam.put_role_policy(RoleName=role, PolicyName="learner", PolicyDocument=json.dumps(policy))
        codepipeline = cloud.client("codepipeline")
        execution = codepipeline.start_pipeline_execution(name=pipeline.name)["pipelineExecutionId"]
        cloud.run_until_idle()
        details = codepipeline.list_action_executions(
            pipelineName=pipeline.name, filter={"pipelineExecutionId": execution}
        )["actionExecutionDetails"]
        store = record.pipeline.artifact_store
        project = record.pipeline.stages[1].actions[0].configuration["ProjectName"]
    failed = [one for one in details if one["status"] == "Failed"]
    said = failed[0]["output"]["executionResult"] if failed else {}
    why = said.get("errorDetails", {}).get("message") or said.get("externalExecutionSummary", "it failed")
    return (f"{failed[0]['actionName']}: {why}" if failed else ""), store.location if store else "", project


def _straight(luck: Random) -> Mapping[str, Any]:
    """A pipeline that finds out in production what is wrong with a change."""
    profile = load_profile(f"""
arrivals = {{ every = "3h" }}
actions."Build/CodeBuild".duration = "6m"
actions.SmokeTest = {{ duration = "{luck.randint(6, 12)}m", fails = {luck.choice((0.15, 0.2, 0.25))} }}
""")
    sketch = "GitHub -> CodeBuild -> CodeDeploy (Production) -> [CodeBuild (SmokeTest)] (Verify)"
    return {"pipeline": load(sketch), "profile": profile, "changes": 100}


@exercise(
    "19-4",
    "Somewhere else first",
    kind=Kind.BUILD,
    wants="a pipeline or its declaration",
    parts=(
        "accepted",
        "production is still there",
        "deployed somewhere else first",
        "no bad change reaches production",
    ),
    case=_straight,
)
def staged(answer: Any, case: Case, marks: Marks) -> None:
    """Count the changes that fail their smoke test after they have reached production."""
    pipeline = sound(answer, marks, "accepted")
    if pipeline is None:
        return
    wanted, found = _deploys(case.pipeline), _deploys(pipeline)
    there = marks.part(
        "production is still there",
        "Production" in [stage for stage, _ in found] and _has(pipeline, "SmokeTest"),
        yes="production is deployed to, and the smoke test runs",
        no="keep the stage Production and an action SmokeTest",
        hint="Nothing is to be taken away here.",
    )
    marks.part(
        "deployed somewhere else first",
        len(found) > len(wanted) and found[-1][0] == "Production",
        yes=f"first to {found[0][0]}, and to Production last",
        no="the first deployment goes to Production" if found[:1] == wanted[:1] else "Production should come last",
        hint="An environment that looks like production, but has no customers, is usually called staging.",
    )
    if not there:
        return
    trace = simulate(pipeline, case.profile, seed=1, executions=case.changes)
    bad = {event.execution for event in trace if event.kind == EventKind.ACTION_FAILED and event.action == "SmokeTest"}
    reached = {
        event.execution for event in trace if event.kind == EventKind.STAGE_ENTERED and event.stage == "Production"
    }
    marks.part(
        "no bad change reaches production",
        bool(bad) and not bad & reached,
        yes=f"{len(bad)} of {case.changes} changes failed their smoke test, none of them in production",
        no=f"{len(bad & reached)} of {case.changes} changes were in production when their smoke test failed"
        if bad
        else "no smoke test ever failed: does it still run?",
        hint="Where does the smoke test stand: before production, or behind it?",
        stronger="Source, build, staging, smoke test, production: in this order.",
    )


def _deploys(pipeline: Pipeline) -> list[tuple[str, str]]:
    return [(stage.name, action.name) for stage, action in pipeline.actions() if action.category == "Deploy"]


def _has(pipeline: Pipeline, name: str) -> bool:
    return any(action.name == name for _, action in pipeline.actions())
