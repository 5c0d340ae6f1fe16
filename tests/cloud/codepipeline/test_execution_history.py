from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.cloud.codepipeline.test_state import check, fail
from tests.cloud.shop import Shop, deploy, refusal, source, stage

NOWHERE = "00000000-0000-4000-8000-000000000000"


def quick(shop: Shop, executions: int = 1, **members: object) -> None:
    """A pipeline of Source and Out that ran so many times."""
    shop.create(stage("Source", source()), stage("Out", deploy()), **members)
    shop.idle()
    for _ in range(executions - 1):
        shop.start()
        shop.idle()


def test_an_execution_with_its_revisions(shop: Shop) -> None:
    quick(shop)
    execution = shop.execution(shop.newest())

    assert execution["status"] == "Succeeded"
    assert execution["executionMode"] == "SUPERSEDED"
    (revision,) = execution["artifactRevisions"]
    assert revision["name"] == "Code"
    assert not {"executionType", "variables", "statusSummary", "rollbackMetadata"} & set(execution)


def test_executions_come_newest_first_in_pages_that_do_not_shift(shop: Shop) -> None:
    quick(shop, 5)
    ids = [each["pipelineExecutionId"] for each in shop.executions()]
    first = shop.client.list_pipeline_executions(pipelineName="shop", maxResults=2)
    shop.start()
    second = shop.client.list_pipeline_executions(pipelineName="shop", maxResults=2, nextToken=first["nextToken"])
    third = shop.client.list_pipeline_executions(pipelineName="shop", maxResults=2, nextToken=second["nextToken"])

    pages = [first, second, third]
    shown = [each["pipelineExecutionId"] for page in pages for each in page["pipelineExecutionSummaries"]]
    assert shown == ids
    assert "nextToken" not in third
    started = [each["startTime"] for each in shop.executions()]
    assert started == sorted(started, reverse=True)


def test_a_token_of_another_list_is_refused(shop: Shop) -> None:
    quick(shop, 3)
    token = shop.client.list_pipeline_executions(pipelineName="shop", maxResults=1)["nextToken"]
    for wrong in (token, "abc", token[:-2]):
        with pytest.raises(ClientError) as error:
            shop.client.list_action_executions(pipelineName="shop", nextToken=wrong)
        assert refusal(error.value)[0] == "InvalidNextTokenException"


def test_executions_that_succeeded_in_a_stage(shop: Shop) -> None:
    fail(shop, "Out/Copy", 2)
    quick(shop, 3)
    newest, failed, oldest = (each["pipelineExecutionId"] for each in shop.executions())

    def succeeded(name: str) -> list[str]:
        found = shop.executions(filter={"succeededInStage": {"stageName": name}})
        return [each["pipelineExecutionId"] for each in found]

    assert succeeded("Out") == [newest, oldest]
    assert succeeded("Source") == [newest, failed, oldest]


def test_actions_with_input_and_output(shop: Shop) -> None:
    quick(shop)
    copy, fetch = shop.actions()

    assert copy["actionName"] == "Copy"
    assert copy["input"]["inputArtifacts"] == fetch["output"]["outputArtifacts"]
    (artifact,) = fetch["output"]["outputArtifacts"]
    assert artifact["s3location"]["bucket"] == "artifacts"
    assert artifact["s3location"]["key"].startswith("shop/Code/")
    assert set(fetch["output"]["outputVariables"]) == {"BucketName", "ETag", "ObjectKey", "VersionId"}
    assert fetch["input"]["region"] == "us-east-1"
    assert not {"roleArn", "namespace"} & set(fetch["input"])


def test_an_action_that_runs_has_no_result(shop: Shop) -> None:
    shop.create()
    shop.cloud.advance(seconds=0.5)
    (fetch,) = shop.actions()

    assert fetch["status"] == "InProgress"
    assert fetch["output"] == {"outputArtifacts": [], "outputVariables": {}}
    assert fetch["startTime"] == fetch["lastUpdateTime"]


def test_resolved_and_raw_configuration(shop: Shop) -> None:
    shop.create(
        stage("Source", source()),
        stage("Out", deploy(key="#{variables.Release}", namespace="Site", roleArn=shop.role)),
        variables=[{"name": "Release", "defaultValue": "v1"}],
    )
    shop.idle()
    copy = shop.actions()[0]["input"]

    assert copy["configuration"]["ObjectKey"] == "#{variables.Release}"
    assert copy["resolvedConfiguration"]["ObjectKey"] == "v1"
    assert copy["namespace"] == "Site"
    assert copy["roleArn"] == shop.role
    assert shop.execution(shop.newest())["variables"] == [{"name": "Release", "resolvedValue": "v1"}]


def test_a_failed_action_tells_its_message_as_summary(shop: Shop) -> None:
    fail(shop, "Out/Copy")
    quick(shop)
    result = shop.actions()[0]["output"]["executionResult"]

    assert result["errorDetails"] == {"code": "JobFailed"}
    assert "failed on attempt 1" in result["externalExecutionSummary"]


def test_a_retry_adds_a_row_and_keeps_the_old_one(shop: Shop) -> None:
    fail(shop, "Out/Copy")
    quick(shop)
    execution = shop.newest()
    assert shop.retry("Out", execution) == execution
    shop.idle()
    again, before, _ = shop.actions()

    assert (again["status"], before["status"]) == ("Succeeded", "Failed")
    assert again["actionExecutionId"] != before["actionExecutionId"]
    assert shop.execution(execution)["status"] == "Succeeded"


def test_filters_of_actions(shop: Shop) -> None:
    fail(shop, "Out/Copy")
    quick(shop)
    retried = shop.newest()
    shop.retry("Out", retried)
    shop.idle()
    shop.start()
    shop.idle()

    def rows(**wanted: object) -> list[tuple[str, str]]:
        return [(each["actionName"], each["status"]) for each in shop.actions(filter=wanted)]

    everything = [("Copy", "Succeeded"), ("Copy", "Failed"), ("Fetch", "Succeeded")]
    assert rows(pipelineExecutionId=retried) == everything
    assert rows(latestInPipelineExecution=latest(retried, "All")) == everything
    assert rows(latestInPipelineExecution=latest(retried, "Latest")) == [("Copy", "Succeeded")]
    both = {"pipelineExecutionId": retried, "latestInPipelineExecution": latest(retried, "Latest")}
    assert rows(**both) == [("Copy", "Succeeded")]
    assert rows(**{**both, "pipelineExecutionId": shop.newest()}) == []
    assert rows(latestInPipelineExecution=latest(NOWHERE, "All")) == []
    assert len(shop.actions()) == 5


def latest(execution: str, since: str) -> dict[str, str]:
    return {"pipelineExecutionId": execution, "startTimeRange": since}


def test_unknown_executions(shop: Shop) -> None:
    shop.create()
    with pytest.raises(ClientError) as error:
        shop.actions(filter={"pipelineExecutionId": NOWHERE})
    assert refusal(error.value)[0] == "PipelineExecutionNotFoundException"
    with pytest.raises(ClientError) as error:
        shop.execution(NOWHERE)
    assert refusal(error.value) == (
        "PipelineExecutionNotFoundException",
        f"Pipeline Execution with id '{NOWHERE}' does not exist in pipeline with name 'shop'",
    )


def test_two_wordings_for_an_unknown_pipeline(shop: Shop) -> None:
    with pytest.raises(ClientError) as plain:
        shop.actions("nothing")
    with pytest.raises(ClientError) as filtered:
        shop.actions("nothing", filter={"pipelineExecutionId": NOWHERE})

    account = "123456789012"
    assert refusal(plain.value)[1] == f"Account '{account}' does not have a pipeline with name 'nothing'"
    message = f"The account with AWS account ID '{account}' does not include a pipeline named 'nothing'"
    assert refusal(filtered.value) == ("PipelineNotFoundException", message)


def test_actions_are_paged(shop: Shop) -> None:
    quick(shop, 4)
    pages = shop.client.get_paginator("list_action_executions").paginate(
        pipelineName="shop", PaginationConfig={"PageSize": 3}
    )
    sizes = [len(page["actionExecutionDetails"]) for page in pages]
    assert sizes == [3, 3, 2]


def test_rules_have_a_history(shop: Shop) -> None:
    conditions = {"conditions": [{"result": "FAIL", "rules": [check("a", "a")]}]}
    shop.create(stage("Source", source()), stage("Out", deploy(), onSuccess=conditions), pipelineType="V2")
    shop.idle()
    (rule,) = shop.client.list_rule_executions(pipelineName="shop")["ruleExecutionDetails"]

    assert rule["status"] == "Succeeded"
    assert rule["stageName"] == "Out"
    assert rule["input"]["configuration"]["Operator"] == "EQ"
    assert rule["output"]["executionResult"]["externalExecutionSummary"] == "a EQ a"


def test_targets_of_a_deploy_action(shop: Shop) -> None:
    quick(shop)
    copy, fetch = shop.actions()

    assert (
        shop.client.list_deploy_action_execution_targets(actionExecutionId=copy["actionExecutionId"])["targets"] == []
    )
    for wrong in (fetch["actionExecutionId"], NOWHERE):
        with pytest.raises(ClientError) as error:
            shop.client.list_deploy_action_execution_targets(actionExecutionId=wrong)
        assert refusal(error.value)[0] == "ActionExecutionNotFoundException"


def test_history_reads_only_what_is_new(shop: Shop) -> None:
    quick(shop, 2)
    history = shop.cloud.account.pipelines["shop"].history
    shop.actions()
    rows = list(history.actions)
    shop.start()
    shop.idle()
    shop.actions()

    assert history.actions[: len(rows)] == rows
    assert len(history.actions) == len(rows) + 2


def test_a_rules_configuration_is_shown_raw_and_resolved(shop: Shop) -> None:
    entry = {"conditions": [{"result": "FAIL", "rules": [check("#{variables.Release}", "v1")]}]}
    shop.create(
        stage("Source", source()), stage("Out", deploy(), beforeEntry=entry), pipelineType="V2",
        variables=[{"name": "Release", "defaultValue": "v1"}],
    )  # fmt: skip
    shop.idle()
    (row,) = shop.client.list_rule_executions(pipelineName="shop")["ruleExecutionDetails"]

    assert row["input"]["configuration"]["Variable"] == "#{variables.Release}"
    assert row["input"]["resolvedConfiguration"] == {"Variable": "v1", "Value": "v1", "Operator": "EQ"}
    assert row["status"] == "Succeeded"
