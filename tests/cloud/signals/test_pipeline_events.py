"""CodePipeline's events say what the trace says, with the members and states that are documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud.account import Cloud
from tests.cloud.shop import NAME, Shop, approval, deploy, source, stage

PIPELINE = "CodePipeline Pipeline Execution State Change"
STAGE = "CodePipeline Stage Execution State Change"
ACTION = "CodePipeline Action Execution State Change"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    assumptions = Assumptions(actions={"Out/Copy": ActionAssumption(fails_on=(1,))})
    with Cloud(actions="assumed", seed=1, assumptions=assumptions) as cloud:
        yield cloud


def said(shop: Shop, kind: str, execution: str | None = None) -> list[tuple[str, ...]]:
    """Where and in which state, for each event of one kind."""
    return [
        tuple(detail[name] for name in ("stage", "action", "state") if name in detail)
        for detail in details(shop, kind)
        if execution in (None, detail["execution-id"])
    ]


def details(shop: Shop, kind: str, **members: Any) -> list[dict[str, Any]]:
    pattern = {"detail-type": [kind], **({"detail": {n: [v] for n, v in members.items()}} if members else {})}
    return [event["detail"] for event in shop.cloud.events(pattern)]


def test_every_level_announces_its_states_in_order(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()

    assert said(shop, PIPELINE) == [("STARTED",), ("FAILED",)]
    assert said(shop, STAGE) == [("Source", "STARTED"), ("Source", "SUCCEEDED"), ("Out", "STARTED"), ("Out", "FAILED")]
    assert said(shop, ACTION) == [
        ("Source", "Fetch", "STARTED"),
        ("Source", "Fetch", "SUCCEEDED"),
        ("Out", "Copy", "STARTED"),
        ("Out", "Copy", "FAILED"),
    ]
    assert [detail["pipeline-execution-attempt"] for detail in details(shop, STAGE)] == [0.0] * 4
    assert {detail["pipeline-execution-attempt"] for detail in details(shop, PIPELINE)} == {1.0}


def test_the_envelope_names_the_pipeline_and_the_moment(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()

    history = {row["actionExecutionId"]: row for row in shop.actions()}
    (event,) = shop.cloud.events({"detail": {"state": ["FAILED"], "action": [{"exists": True}]}})
    row = history[event["detail"]["action-execution-id"]]
    assert event["source"] == "aws.codepipeline"
    assert event["resources"] == [f"arn:aws:codepipeline:us-east-1:123456789012:{NAME}"]
    assert event["time"] == f"{row['lastUpdateTime']:%Y-%m-%dT%H:%M:%SZ}"
    detail = event["detail"]
    assert detail["start-time"] == row["startTime"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert detail["type"] == {"owner": "AWS", "provider": "S3", "category": "Deploy", "version": "1"}
    assert detail["version"] == 1.0
    assert detail["region"] == "us-east-1"
    assert [each["name"] for each in detail["input-artifacts"]] == ["Code"]
    assert detail["input-artifacts"] == row["input"]["inputArtifacts"]
    result = row["output"]["executionResult"]
    assert detail["execution-result"] == {
        "external-execution-summary": result["externalExecutionSummary"],
        "error-code": result["errorDetails"]["code"],
    }


def test_a_retry_is_announced_and_counts_in_all_levels(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    shop.retry("Out", shop.newest())
    shop.idle()

    assert said(shop, PIPELINE) == [("STARTED",), ("FAILED",), ("RESUMED",), ("SUCCEEDED",)]
    resumed, succeeded = details(shop, STAGE)[-2:]
    assert (resumed["state"], succeeded["state"]) == ("RESUMED", "SUCCEEDED")
    assert "stage-last-retry-attempt-time" in resumed
    assert ["last-retry-attempt-time" in each for each in details(shop, PIPELINE)] == [False, False, True, False]
    assert {each["pipeline-execution-attempt"] for each in (resumed, succeeded)} == {2.0}
    assert details(shop, ACTION)[-1]["pipeline-execution-attempt"] == 2.0
    assert [each["pipeline-execution-attempt"] for each in details(shop, PIPELINE)] == [1.0, 1.0, 2.0, 2.0]


def test_what_started_an_execution_is_said(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    execution = shop.start()
    shop.idle()

    first, ended, second, last = details(shop, PIPELINE)
    assert first["execution-trigger"]["trigger-type"] == "CreatePipeline"
    assert second["execution-id"] == last["execution-id"] == execution
    assert second["execution-trigger"] == {
        "trigger-type": "StartPipelineExecution",
        "trigger-detail": shop.execution(execution)["trigger"]["triggerDetail"],
    }
    assert "execution-trigger" not in ended | last


def test_a_rejection_has_its_error_code_in_the_event_alone(shop: Shop) -> None:
    shop.create()
    shop.idle()
    shop.answer("Rejected", "not today")
    shop.idle()

    _, rejected = details(shop, ACTION, action="Ok")
    assert rejected["state"] == "FAILED"
    assert rejected["execution-result"]["error-code"] == "JobFailed"
    assert rejected["execution-result"]["external-execution-summary"] == "not today"
    [told] = [each for each in shop.actions() if each["actionName"] == "Ok"]
    assert "errorDetails" not in told["output"]["executionResult"]


def test_an_approval_says_nothing_of_artifacts_and_a_stop_says_why(shop: Shop) -> None:
    shop.create()
    shop.idle()
    shop.stop(shop.newest(), abandon=True, reason="wrong day")
    shop.idle()

    started, abandoned = details(shop, ACTION, action="Ok")
    assert "input-artifacts" not in started
    assert abandoned["state"] == "ABANDONED"
    assert said(shop, PIPELINE) == [("STARTED",), ("STOPPING",), ("STOPPED",)]
    assert [each.get("stop-execution-comments") for each in details(shop, PIPELINE)] == [None, "wrong day", "wrong day"]
    assert said(shop, STAGE)[-2:] == [("Gate", "STOPPING"), ("Gate", "STOPPED")]


def test_superseded_and_canceled_are_announced(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Gate", approval()), stage("Out", deploy()))
    shop.idle()
    first = shop.newest()
    second = shop.start()
    shop.idle()
    third = shop.start()
    shop.idle()
    shop.client.update_pipeline(pipeline=shop.document(stage("Source", source()), stage("Gate", approval("Other"))))
    shop.idle()

    assert ("SUPERSEDED",) in said(shop, PIPELINE, second)
    assert said(shop, PIPELINE, first)[-1] == ("CANCELED",)
    assert ("Gate", "CANCELED") in said(shop, STAGE, first)
    assert said(shop, PIPELINE, third)[-1] == ("CANCELED",)


def test_a_rollback_says_that_it_is_one(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()), pipelineType="V2")
    shop.idle()
    shop.retry("Out", shop.newest())
    shop.idle()
    good = shop.newest()
    shop.start()
    shop.idle()
    execution = shop.rollback("Out", good)
    shop.idle()

    started = next(each for each in details(shop, PIPELINE) if each["execution-id"] == execution)
    assert started["execution-trigger"]["trigger-type"] == "ManualRollback"
    assert said(shop, STAGE, execution) == [("Out", "STARTED"), ("Out", "SUCCEEDED")]


def test_metrics_of_executions_stand_in_cloudwatch(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    shop.retry("Out", shop.newest())
    shop.idle()
    summary = shop.executions()[0]

    cloudwatch = shop.cloud.client("cloudwatch")
    shop.cloud.advance(minutes=1)

    def statistics(name: str, dimensions: list[dict[str, str]], statistic: str) -> list[float]:
        answer = cloudwatch.get_metric_statistics(
            Namespace="AWS/CodePipeline",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=summary["startTime"],
            EndTime=shop.cloud.now,
            Period=86400,
            Statistics=[statistic],
        )
        return [point[statistic] for point in answer["Datapoints"]]

    own = [{"Name": "PipelineName", "Value": NAME}]
    assert statistics("FailedPipelineExecutions", own, "Sum") == [1.0]
    took = (summary["lastUpdateTime"] - summary["startTime"]).total_seconds()
    assert statistics("PipelineDuration", own, "Maximum") == [pytest.approx(took)]
    found = cloudwatch.list_metrics(Namespace="AWS/CodePipeline")["Metrics"]
    assert {metric["MetricName"] for metric in found} == {"PipelineDuration", "FailedPipelineExecutions"}
    assert [] in [metric["Dimensions"] for metric in found]
