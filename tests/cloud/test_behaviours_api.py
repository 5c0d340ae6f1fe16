"""Behaviours that people get wrong, seen through boto3: what the engine's own tests show, an API client sees too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption
from tests.cloud.codepipeline.test_state import check, fail
from tests.cloud.shop import Shop, approval, deploy, refusal, source, stage


def lasts(shop: Shop, **seconds: float) -> None:
    """Let actions take so many seconds."""
    account = shop.cloud.account
    actions = {name: ActionAssumption(duration=Constant(float(value))) for name, value in seconds.items()}
    account.assumptions = replace(account.assumptions, actions={**account.assumptions.actions, **actions})


def statuses(shop: Shop) -> dict[str, str]:
    return {each["pipelineExecutionId"]: each["status"] for each in shop.executions()}


def busy(shop: Shop, **members: Any) -> list[str]:
    """A pipeline whose first execution works for an hour in Build; two more have come after it."""
    lasts(shop, Fetch=1, Compile=3600)
    shop.create(stage("Source", source()), stage("Build", deploy("Compile")), stage("End", deploy("Copy")), **members)
    shop.cloud.advance(minutes=1)
    ids = [shop.newest()]
    for _ in range(2):
        ids.append(shop.start())
        shop.cloud.advance(minutes=1)
    return ids


def test_superseding_happens_between_stages_only(shop: Shop) -> None:
    first, second, third = busy(shop)
    assert statuses(shop) == {first: "InProgress", second: "Superseded", third: "InProgress"}
    shop.idle()

    assert statuses(shop) == {first: "Succeeded", second: "Superseded", third: "Succeeded"}
    with pytest.raises(ClientError) as error:
        shop.retry("Build", second)
    assert refusal(error.value)[0] == "StageNotRetryableException"


def test_a_queue_keeps_its_order(shop: Shop) -> None:
    ids = busy(shop, executionMode="QUEUED", pipelineType="V2")
    queue = [each["pipelineExecutionId"] for each in shop.state()["Build"]["inboundExecutions"]]
    assert queue == ids[1:]
    shop.idle()

    compiled = [row for row in reversed(shop.actions()) if row["actionName"] == "Compile"]
    assert [row["pipelineExecutionId"] for row in compiled] == ids
    assert set(statuses(shop).values()) == {"Succeeded"}


def test_failure_unlocks_and_only_the_latest_is_retried(shop: Shop) -> None:
    fail(shop, "Build/Compile")
    lasts(shop, Fetch=1)
    shop.create(stage("Source", source()), stage("Build", deploy("Compile")))
    shop.client.disable_stage_transition(
        pipelineName="shop", stageName="Build", transitionType="Inbound", reason="wait"
    )
    shop.idle()
    first = shop.newest()
    shop.client.enable_stage_transition(pipelineName="shop", stageName="Build", transitionType="Inbound")
    second = shop.start()
    shop.idle()

    assert statuses(shop) == {first: "Failed", second: "Succeeded"}
    with pytest.raises(ClientError) as error:
        shop.retry("Build", first)
    assert refusal(error.value)[0] == "NotLatestPipelineExecutionException"


def test_stopping_unlocks(shop: Shop) -> None:
    first, _, third = busy(shop)
    shop.stop(first, abandon=True)
    shop.cloud.advance(seconds=5)

    assert statuses(shop)[first] == "Stopped"
    assert shop.state()["Build"]["latestExecution"] == {"pipelineExecutionId": third, "status": "InProgress"}


def test_a_disabled_transition_supersedes_too(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("End", deploy()))
    call = {"pipelineName": "shop", "stageName": "End", "transitionType": "Inbound"}
    shop.client.disable_stage_transition(reason="frozen", **call)
    shop.idle()
    first = shop.newest()
    second = shop.start()
    shop.idle()
    third = shop.start()
    shop.idle()
    shop.client.enable_stage_transition(**call)
    shop.idle()

    assert statuses(shop) == {first: "Superseded", second: "Superseded", third: "Succeeded"}


def test_after_thirty_days_nobody_enters(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("End", deploy()))
    call = {"pipelineName": "shop", "stageName": "End", "transitionType": "Inbound"}
    shop.client.disable_stage_transition(reason="frozen", **call)
    shop.idle()
    shop.cloud.advance(days=31)
    shop.client.enable_stage_transition(**call)
    shop.idle()

    assert statuses(shop) == {shop.newest(): "InProgress"}
    assert "latestExecution" not in shop.state()["End"]


def test_peers_run_to_their_end(shop: Shop) -> None:
    fail(shop, "End/A")
    lasts(shop, B=600)
    shop.create(stage("Source", source()), stage("End", deploy("A"), deploy("B"), deploy("C", runOrder=2)))
    shop.cloud.advance(minutes=2)
    assert shop.action_state("End", "A")["latestExecution"]["status"] == "Failed"
    assert shop.state()["End"]["latestExecution"]["status"] == "InProgress"
    execution = shop.newest()
    with pytest.raises(ClientError) as error:
        shop.retry("End", execution, "ALL_ACTIONS")
    assert refusal(error.value)[0] == "StageNotRetryableException"
    shop.retry("End", execution)
    shop.idle()

    names = [row["actionName"] for row in shop.actions()]
    assert sorted(names) == ["A", "A", "B", "C", "Fetch"]
    assert shop.execution(execution)["status"] == "Succeeded"


def test_a_stage_whose_peer_failed_ends_failed(shop: Shop) -> None:
    fail(shop, "End/A")
    shop.create(stage("Source", source()), stage("End", deploy("A"), deploy("B"), deploy("C", runOrder=2)))
    shop.idle()

    assert shop.state()["End"]["latestExecution"]["status"] == "Failed"
    assert "latestExecution" not in shop.action_state("End", "C")
    assert shop.action_state("End", "B")["latestExecution"]["status"] == "Succeeded"


def test_an_update_cancels_what_runs(shop: Shop) -> None:
    first, second, third = busy(shop)
    shop.client.update_pipeline(pipeline=shop.client.get_pipeline(name="shop")["pipeline"])
    shop.idle()

    assert statuses(shop) == {first: "Cancelled", second: "Superseded", third: "Cancelled"}
    compiled = next(row for row in shop.actions() if row["actionName"] == "Compile")
    assert compiled["status"] == "Succeeded"


def test_a_stopped_waiter_is_dead(shop: Shop) -> None:
    first, _, third = busy(shop)
    shop.stop(third)
    shop.idle()

    assert (statuses(shop)[first], statuses(shop)[third]) == ("Succeeded", "Stopped")
    with pytest.raises(ClientError) as error:
        shop.retry("Build", third)
    assert refusal(error.value)[0] == "StageNotRetryableException"


def test_a_skipped_stage(shop: Shop) -> None:
    entry = {"conditions": [{"result": "SKIP", "rules": [check("a", "b")]}]}
    shop.create(
        stage("Source", source()), stage("Maybe", deploy("Perhaps"), beforeEntry=entry), stage("End", deploy()),
        pipelineType="V2",
    )  # fmt: skip
    shop.idle()
    execution = shop.newest()

    assert shop.state()["Maybe"]["latestExecution"]["status"] == "Skipped"
    assert shop.execution(execution)["status"] == "Succeeded"
    assert "Perhaps" not in {row["actionName"] for row in shop.actions()}
    for call, code in (
        (lambda: shop.retry("Maybe", execution), "StageNotRetryableException"),
        (lambda: shop.rollback("Maybe", execution), "UnableToRollbackStageException"),
        (
            lambda: shop.client.override_stage_condition(
                pipelineName="shop", stageName="Maybe", pipelineExecutionId=execution, conditionType="BEFORE_ENTRY"
            ),
            "ConditionNotOverridableException",
        ),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert refusal(error.value)[0] == code


def test_result_or_conditions_but_not_both(shop: Shop) -> None:
    failure = {"result": "ROLLBACK", "conditions": [{"result": "ROLLBACK", "rules": [check("a", "b")]}]}
    with pytest.raises(ClientError) as error:
        shop.create(stage("Source", source()), stage("End", deploy(), onFailure=failure), pipelineType="V2")

    assert refusal(error.value) == (
        "InvalidStageDeclarationException",
        "The following stage cannot have a failure exit gate configured with both top level result and conditions:"
        " 'End'",
    )


def test_one_automatic_retry(shop: Shop) -> None:
    fail(shop, "End/Copy", 1, 2, 3)
    shop.create(stage("Source", source()), stage("End", deploy(), onFailure={"result": "RETRY"}), pipelineType="V2")
    shop.idle()

    assert [row["status"] for row in shop.actions() if row["actionName"] == "Copy"] == ["Failed", "Failed"]
    assert shop.executions()[0]["status"] == "Failed"
    metadata = {"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}
    assert shop.state()["End"]["retryStageMetadata"] == metadata


def test_an_automatic_rollback(shop: Shop) -> None:
    fail(shop, "End/Copy", 2)
    shop.create(stage("Source", source()), stage("End", deploy(), onFailure={"result": "ROLLBACK"}), pipelineType="V2")
    shop.idle()
    good = shop.newest()
    bad = shop.start()
    shop.idle()
    rollback, failed, _ = shop.executions()

    assert (failed["pipelineExecutionId"], failed["status"]) == (bad, "Failed")
    assert rollback["trigger"]["triggerType"] == "AutomatedRollback"
    assert rollback["trigger"]["triggerDetail"] == f'{{"FailedPipelineExecutionId":"{bad}"}}'
    assert rollback["rollbackMetadata"]["rollbackTargetPipelineExecutionId"] == good
    assert rollback["status"] == "Succeeded"


def test_a_retried_approval_has_a_new_token(shop: Shop) -> None:
    shop.create()
    shop.idle()
    old, execution = shop.token(), shop.newest()
    shop.answer("Rejected", "no")
    shop.idle()
    shop.retry("Gate", execution)
    shop.idle()

    assert shop.token() != old
    with pytest.raises(ClientError) as error:
        shop.answer(token=old)
    assert refusal(error.value)[0] == "InvalidApprovalTokenException"


def test_an_approval_that_nobody_answers(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Gate", approval(timeoutInMinutes=60)), pipelineType="V2")
    shop.idle()
    shop.cloud.advance(minutes=59)
    assert shop.executions()[0]["status"] == "InProgress"
    shop.cloud.advance(minutes=2)

    assert shop.executions()[0]["status"] == "Failed"
    latest = shop.action_state()["latestExecution"]
    assert latest["status"] == "Failed"
    assert "token" not in latest


def test_long_names_are_cut_in_object_keys(shop: Shop) -> None:
    name = "a-very-long-pipeline-name"
    fetch = source(artifact="BuildArtifactOut")
    copy = {**deploy(), "inputArtifacts": [{"name": "BuildArtifactOut"}]}
    shop.create(stage("Source", fetch), stage("End", copy), name=name)
    shop.idle()

    (artifact,) = shop.actions(name)[0]["input"]["inputArtifacts"]
    pipeline, cut, rest = artifact["s3location"]["key"].split("/")
    assert (pipeline, cut) == ("a-very-long-pipeline", "BuildArtif")
    assert len(rest.removesuffix(".zip")) == 7


def test_an_empty_value_of_a_configuration(shop: Shop) -> None:
    import boto3
    from botocore.config import Config

    client = boto3.client("codepipeline", region_name="us-east-1", config=Config(parameter_validation=False))
    document = shop.document(stage("Source", source()), stage("Gate", approval(configuration={"CustomData": ""})))
    with pytest.raises(ClientError) as error:
        client.create_pipeline(pipeline=document)

    assert refusal(error.value)[0] == "ValidationException"


@pytest.mark.parametrize("order", [0, 1000])
def test_run_orders_out_of_range(shop: Shop, order: int) -> None:
    import boto3
    from botocore.config import Config

    client = boto3.client("codepipeline", region_name="us-east-1", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as error:
        client.create_pipeline(pipeline=shop.document(stage("Source", source()), stage("End", deploy(runOrder=order))))

    assert refusal(error.value)[0] == "ValidationException"


def test_webhooks_are_paged_with_capitals(shop: Shop) -> None:
    shop.create()
    for number in range(3):
        shop.client.put_webhook(
            webhook={
                "name": f"hook-{number}",
                "targetPipeline": "shop",
                "targetAction": "Fetch",
                "filters": [{"jsonPath": "$.ref"}],
                "authentication": "UNAUTHENTICATED",
                "authenticationConfiguration": {},
            }
        )
    first = shop.client.list_webhooks(MaxResults=2)
    second = shop.client.list_webhooks(MaxResults=2, NextToken=first["NextToken"])

    assert len(first["webhooks"]) == 2
    assert [each["definition"]["name"] for each in second["webhooks"]] == ["hook-2"]
    assert "NextToken" not in second


def test_delete_webhook_is_idempotent(shop: Shop) -> None:
    shop.client.delete_webhook(name="nothing")
