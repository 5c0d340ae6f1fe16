"""Lesson 13: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob")
ACTION = "CodePipeline Action Execution State Change"


def pattern(pipeline: str, **detail: Any) -> dict[str, Any]:
    return {
        "source": ["aws.codepipeline"],
        "detail-type": [ACTION],
        "detail": {"pipeline": [pipeline], "state": ["FAILED"], "type": {"category": ["Build"]}, **detail},
    }


@pytest.mark.parametrize("name", NAMES)
def test_failed_builds(name: str) -> None:
    pipeline = ps.classroom.case("13-1", of=name).name
    right = pattern(pipeline)
    assert "all right" in told("13-1", right, name)
    assert "all right" in told("13-1", json.dumps(right), name)

    every = told("13-1", {"source": ["aws.codepipeline"]}, name)
    assert "events of stages or executions came along" in every
    assert "UnitTests" in every and "STOPPED" in every and "came from another pipeline" in every
    assert "2 of 6 right" in every

    unnamed = copy.deepcopy(right)
    del unnamed["detail"]["pipeline"]
    assert "1 of the events caught came from another pipeline" in told("13-1", unnamed, name)
    by_provider = told("13-1", pattern(pipeline, type={"provider": ["CodeBuild"]}), name)
    assert "it also caught failures of UnitTests" in by_provider and "5 of 6 right" in by_provider
    by_stage = told("13-1", pattern(pipeline, stage=["Build"]), name)
    assert "it caught 1 of these events" in by_stage
    no_state = copy.deepcopy(right)
    del no_state["detail"]["state"]
    assert "it also caught the states ABANDONED, STARTED, SUCCEEDED" in told("13-1", no_state, name)
    executions = {**right, "detail-type": ["CodePipeline Pipeline Execution State Change"]}
    assert "it caught 0 of these events" in told("13-1", executions, name)


def test_a_pattern_that_is_none() -> None:
    pipeline = ps.classroom.case("13-1", of="").name
    assert "must be an object or an array" in told("13-1", pattern(pipeline, state="FAILED"))
    assert "nothing can be made of" in told("13-1", "failed builds")
    assert "nothing is answered yet" in told("13-1", ...)


def alarm(case: Any, **changed: Any) -> dict[str, Any]:
    return {
        "AlarmName": "trouble",
        "Namespace": "AWS/CodePipeline",
        "MetricName": "FailedPipelineExecutions",
        "Dimensions": [{"Name": "PipelineName", "Value": case.name}],
        "Statistic": "Sum",
        "Period": case.minutes * 60,
        "EvaluationPeriods": 1,
        "Threshold": case.failures,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **changed,
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm(name: str) -> None:
    case = ps.classroom.case("13-2", of=name)
    assert "all right" in told("13-2", alarm(case), name)
    nervous = told("13-2", alarm(case, Threshold=1), name)
    assert f"{case.failures - 1} in {case.minutes} minutes set it off" in nervous and "5 of 6 right" in nervous
    assert "leave it silent" in told("13-2", alarm(case, ComparisonOperator="GreaterThanThreshold"), name)


def test_other_alarms() -> None:
    case = ps.classroom.case("13-2", of="")
    assert "all right" in told("13-2", alarm(case, TreatMissingData="missing"))
    everyone = told("13-2", alarm(case, Dimensions=[]))
    assert "failures of another pipeline set it off" in everyone and "5 of 6 right" in everyone
    assert "although nothing has failed" in told("13-2", alarm(case, TreatMissingData="breaching"))
    assert "later it is still on" in told("13-2", alarm(case, TreatMissingData="ignore"))
    assert "within 10 minutes leave it silent" in told("13-2", alarm(case, Namespace="CodePipeline"))
    assert "within 10 minutes leave it silent" in told("13-2", alarm(case, Statistic="Average"))
    assert "although nothing has failed" in told("13-2", alarm(case, MetricName="PipelineDuration"))
    assert "it still counts old failures" in told("13-2", alarm(case, Period=86400))
    assert "CloudWatch refuses it" in told("13-2", {"AlarmName": "trouble", "Color": "red"})
    assert "nothing can be made of" in told("13-2", "an alarm")


@pytest.mark.parametrize("name", NAMES)
def test_the_night(name: str) -> None:
    case = ps.classroom.case("13-3", of=name)
    with ps.Cloud(seed=1, actions="assumed") as cloud:
        case.happens(cloud)
        wanted = [{"AttributeKey": "EventSource", "AttributeValue": "codepipeline.amazonaws.com"}]
        calls = cloud.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"][::-1]
        state = cloud.client("codepipeline").get_pipeline_state(name=case.name)
    doors = [stage["inboundTransitionState"]["enabled"] for stage in state["stageStates"]]
    assert all(doors)
    here = [one for one in calls if f'"stageName": "{case.stage}"' in one["CloudTrailEvent"]]
    brief, opened, refused, closed, last = here
    minutes = (last["EventTime"] - closed["EventTime"]).total_seconds() / 60

    assert "all right" in told("13-3", (closed["Username"], minutes), name)
    assert "all right" in told("13-3", (closed["Username"].title(), round(minutes)), name)
    said = told("13-3", (brief["Username"], (opened["EventTime"] - brief["EventTime"]).total_seconds() / 60), name)
    assert "closed it for some minutes, and opened it again" in said and "it was not closed for" in said
    assert "was refused" in told("13-3", (refused["Username"], minutes), name)
    assert "opened it in the morning" in told("13-3", (last["Username"], minutes), name)
    users = {one["Username"]: one for one in calls if "StageTransition" in one["EventName"]}
    other = next(user for user in users if user not in {one["Username"] for one in here})
    assert "another stage" in told("13-3", (other, minutes), name)
    looked = next(one["Username"] for one in calls if one["EventName"] == "GetPipelineState")
    assert "only looked" in told("13-3", (looked, minutes), name)
    assert "no 'nobody' was at work" in told("13-3", ("nobody", minutes), name)
    assert "nothing can be made of" in told("13-3", closed["Username"], name)


def test_nights_differ() -> None:
    casts = {ps.classroom.case("13-3", of=name).happens for name in ("", *"abcdef")}
    assert len(casts) == 7


def test_a_cloud_that_is_still_open_is_told() -> None:
    with ps.Cloud(actions="assumed"):
        assert "another cloud is open" in told("13-2", alarm(ps.classroom.case("13-2", of="")))
