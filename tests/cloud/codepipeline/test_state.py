from __future__ import annotations

import time
from typing import Any

from tests.cloud.shop import Shop, action, approval, deploy, source, stage


def test_the_whole_answer(shop: Shop) -> None:
    shop.create()
    answer = shop.client.get_pipeline_state(name="shop")

    assert answer["pipelineName"] == "shop"
    assert answer["pipelineVersion"] == 1
    assert answer["created"] == answer["updated"] == shop.cloud.now
    assert [stage["stageName"] for stage in answer["stageStates"]] == ["Source", "Gate", "Out"]


def test_a_stage_that_nobody_entered(shop: Shop) -> None:
    shop.create()

    assert shop.state()["Out"] == {
        "stageName": "Out",
        "inboundExecutions": [],
        "inboundTransitionState": {"enabled": True},
        "actionStates": [
            {
                "actionName": "Copy",
                "entityUrl": "https://console.aws.amazon.com/s3/buckets/site/?region=us-east-1&tab=overview",
            }
        ],
    }


def test_a_source_action_that_runs_and_one_that_ended(shop: Shop) -> None:
    shop.create()
    shop.cloud.advance(seconds=0.5)
    running = shop.action_state("Source", "Fetch")
    shop.idle()
    ended = shop.action_state("Source", "Fetch")

    assert set(running["latestExecution"]) == {"actionExecutionId", "status", "lastStatusChange"}
    assert running["latestExecution"]["status"] == "InProgress"
    assert ended["latestExecution"]["status"] == "Succeeded"
    assert ended["currentRevision"]["revisionId"] == ended["latestExecution"]["externalExecutionId"]


def test_a_failed_action_has_its_error_and_no_summary(shop: Shop) -> None:
    fail(shop, "Out/Copy")
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()

    latest = shop.action_state("Out", "Copy")["latestExecution"]
    assert latest["status"] == "Failed"
    assert latest["errorDetails"]["code"] == "JobFailed"
    assert "summary" not in latest


def test_transitions(shop: Shop) -> None:
    shop.create()
    shop.client.disable_stage_transition(
        pipelineName="shop", stageName="Out", transitionType="Inbound", reason="no deployments on Friday"
    )
    disabled = shop.state()["Out"]["inboundTransitionState"]
    shop.cloud.advance(seconds=10)
    shop.client.enable_stage_transition(pipelineName="shop", stageName="Out", transitionType="Inbound")
    enabled = shop.state()["Out"]["inboundTransitionState"]

    assert disabled["enabled"] is False
    assert disabled["disabledReason"] == "no deployments on Friday"
    assert enabled["enabled"] is True
    assert "disabledReason" not in enabled
    assert (enabled["lastChangedAt"] - disabled["lastChangedAt"]).total_seconds() == 10
    assert enabled["lastChangedBy"].endswith(":user/moto")


def test_superseded_mode_shows_one_waiter_in_the_older_member(shop: Shop) -> None:
    shop.create()
    shop.idle()
    first = shop.newest()
    second = shop.start()
    shop.idle()

    gate = shop.state()["Gate"]
    assert gate["inboundExecution"] == {"pipelineExecutionId": second, "status": "InProgress"}
    assert gate["inboundExecutions"] == []
    assert gate["latestExecution"]["pipelineExecutionId"] == first
    assert shop.token()


def test_queued_mode_shows_the_queue(shop: Shop) -> None:
    shop.create(executionMode="QUEUED", pipelineType="V2")
    shop.idle()
    waiting = [shop.start(), shop.start()]
    shop.idle()

    gate = shop.state()["Gate"]
    assert [each["pipelineExecutionId"] for each in gate["inboundExecutions"]] == waiting
    assert "inboundExecution" not in gate


def test_parallel_mode_shows_no_stages(shop: Shop) -> None:
    shop.create(executionMode="PARALLEL", pipelineType="V2")
    shop.idle()

    assert shop.client.get_pipeline_state(name="shop")["stageStates"] == []


def test_a_waiter_that_was_stopped(shop: Shop) -> None:
    shop.create()
    shop.idle()
    second = shop.start()
    shop.idle()
    shop.stop(second)

    assert shop.state()["Gate"]["inboundExecution"] == {"pipelineExecutionId": second, "status": "Stopped"}


def test_an_action_that_the_newer_execution_has_not_begun_shows_no_run(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Gate", deploy(), approval(runOrder=2)))
    shop.idle()
    shop.answer()
    shop.idle()
    shop.start()
    while shop.state()["Gate"]["latestExecution"]["status"] != "InProgress":
        shop.cloud.advance(seconds=0.1)

    assert shop.action_state() == {"actionName": "Ok"}


def test_conditions_and_their_rules(shop: Shop) -> None:
    shop.create(
        stage("Source", source()),
        stage("Out", deploy(), beforeEntry={"conditions": [{"result": "FAIL", "rules": [check("yes", "no")]}]}),
        pipelineType="V2",
    )
    shop.idle()

    gate = shop.state()["Out"]["beforeEntryConditionState"]
    assert gate["latestExecution"]["status"] == "Failed"
    (condition,) = gate["conditionStates"]
    assert "lastStatusChange" in condition["latestExecution"]
    (rule,) = condition["ruleStates"]
    assert rule["ruleName"] == "Check"
    assert rule["latestExecution"]["status"] == "Failed"
    assert rule["latestExecution"]["errorDetails"]["code"] == "JobFailed"
    (row,) = shop.client.list_rule_executions(pipelineName="shop")["ruleExecutionDetails"]
    assert row["ruleExecutionId"] == rule["latestExecution"]["ruleExecutionId"]
    assert shop.state()["Out"]["latestExecution"]["status"] == "Failed"


def test_retries_are_counted(shop: Shop) -> None:
    fail(shop, "Out/Copy", 1, 2)
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    for _ in range(2):
        shop.retry("Out", shop.newest())
        shop.idle()

    metadata = {"manualStageRetryAttempt": 2, "latestRetryTrigger": "ManualStageRetry"}
    assert shop.state()["Out"]["retryStageMetadata"] == metadata
    assert shop.state()["Out"]["latestExecution"]["status"] == "Succeeded"


def test_an_approvals_link_is_its_entity(shop: Shop) -> None:
    link = "https://example.com/review"
    shop.create(stage("Source", source()), stage("Gate", approval(configuration={"ExternalEntityLink": link})))

    assert shop.action_state()["entityUrl"] == link


def test_the_cost_does_not_grow_with_history(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    client = shop.cloud.account
    record = client.pipelines["shop"]

    def cost() -> float:
        from pipesim.cloud.codepipeline.state import get_pipeline_state

        best = float("inf")
        for _ in range(7):
            began = time.perf_counter()
            for _ in range(20):
                get_pipeline_state(client, {"name": "shop"}, "")
            best = min(best, time.perf_counter() - began)
        return best

    few = cost()
    for _ in range(300):
        record.simulation.send(started())
        shop.idle()

    assert len(shop.cloud.account.pipelines["shop"].simulation.events_from(0)) > 2000
    assert cost() < 2.5 * few


def started() -> Any:
    from pipesim.engine.commands import Start

    return Start()


def check(actual: str, wanted: str) -> dict[str, Any]:
    return {
        "name": "Check",
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "VariableCheck", "version": "1"},
        "configuration": {"Variable": actual, "Value": wanted, "Operator": "EQ"},
    }


def fail(shop: Shop, key: str, *runs: int) -> None:
    """Let an action fail on these of its runs; without runs: on the first."""
    from dataclasses import replace

    from pipesim.assumptions.model import ActionAssumption

    account = shop.cloud.account
    actions = {**account.assumptions.actions, key: ActionAssumption(fails_on=runs or (1,))}
    account.assumptions = replace(account.assumptions, actions=actions)


__all__ = ["action", "check", "fail"]
