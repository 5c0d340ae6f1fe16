from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.cloud.codepipeline.test_state import check, fail
from tests.cloud.shop import Shop, deploy, refusal, source, stage

NOWHERE = "00000000-0000-4000-8000-000000000000"


def test_start_says_who_started(shop: Shop) -> None:
    shop.create()
    execution = shop.execution(shop.start())

    assert execution["trigger"]["triggerType"] == "StartPipelineExecution"
    assert execution["trigger"]["triggerDetail"] == shop.cloud.client("sts").get_caller_identity()["Arn"]


def test_source_revisions_can_be_asked_for(shop: Shop) -> None:
    shop.create()
    revision = {"actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": "v42"}
    execution = shop.start(sourceRevisions=[revision])
    shop.idle()

    assert shop.execution(execution)["artifactRevisions"][0]["revisionId"] == "v42"
    with pytest.raises(ClientError) as error:
        shop.start(sourceRevisions=[{**revision, "actionName": "Ok"}])
    assert refusal(error.value) == (
        "ValidationException",
        "The action name provided in the source revision is not valid. The action must be a source action in your"
        " pipeline.",
    )


def test_a_rejection_fails_the_execution(shop: Shop) -> None:
    shop.create()
    shop.idle()
    shop.answer("Rejected", "not today")
    shop.idle()

    assert shop.executions()[0]["status"] == "Failed"
    assert shop.action_state()["latestExecution"]["summary"] == "not today"
    assert "errorDetails" not in shop.actions()[0]["output"]["executionResult"]


def test_an_answered_approval_cannot_be_answered_again(shop: Shop) -> None:
    shop.create()
    shop.idle()
    token = shop.token()
    shop.answer(token=token)
    with pytest.raises(ClientError) as error:
        shop.answer("Rejected", token=token)

    assert refusal(error.value)[0] == "ApprovalAlreadyCompletedException"


def test_approvals_of_unknown_places(shop: Shop) -> None:
    shop.create()
    shop.idle()
    call = {"pipelineName": "shop", "token": shop.token(), "result": {"status": "Approved", "summary": ""}}
    for stage_name, action_name, code in (
        ("Nowhere", "Ok", "StageNotFoundException"),
        ("Gate", "Nothing", "ActionNotFoundException"),
    ):
        with pytest.raises(ClientError) as error:
            shop.client.put_approval_result(stageName=stage_name, actionName=action_name, **call)
        assert refusal(error.value)[0] == code


def test_in_parallel_mode_the_token_is_in_the_history(shop: Shop) -> None:
    shop.create(executionMode="PARALLEL", pipelineType="V2")
    shop.start()
    shop.idle()
    waiting = [row for row in shop.actions() if row["actionName"] == "Ok"]
    assert len(waiting) == 2
    shop.answer(token=waiting[0]["actionExecutionId"])
    shop.idle()

    statuses = {each["pipelineExecutionId"]: each["status"] for each in shop.executions()}
    assert statuses[waiting[0]["pipelineExecutionId"]] == "Succeeded"
    assert statuses[waiting[1]["pipelineExecutionId"]] == "InProgress"


def test_retry_refusals(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.retry("Out", shop.newest())
    assert refusal(error.value)[0] == "StageNotRetryableException"
    with pytest.raises(ClientError) as error:
        shop.retry("Nowhere", shop.newest())
    assert refusal(error.value) == (
        "StageNotFoundException",
        "Pipeline 'shop' does not have a stage with name 'Nowhere'",
    )


def test_only_the_latest_can_be_retried(shop: Shop) -> None:
    fail(shop, "Out/Copy")
    shop.create(stage("Source", source()), stage("Out", deploy()))
    shop.idle()
    failed = shop.newest()
    shop.start()
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.retry("Out", failed)

    assert refusal(error.value)[0] == "NotLatestPipelineExecutionException"


def test_override(shop: Shop) -> None:
    conditions = {"conditions": [{"result": "FAIL", "rules": [check("a", "b")]}]}
    shop.create(
        stage("Source", source()), stage("Out", deploy(), onSuccess=conditions), stage("End", deploy("Last")),
        pipelineType="V2",
    )  # fmt: skip
    shop.idle()
    execution = shop.newest()
    call = {"pipelineName": "shop", "stageName": "Out", "pipelineExecutionId": execution}
    with pytest.raises(ClientError) as error:
        shop.client.override_stage_condition(conditionType="BEFORE_ENTRY", **call)
    assert refusal(error.value)[0] == "ConditionNotOverridableException"
    shop.client.override_stage_condition(conditionType="ON_SUCCESS", **call)
    shop.idle()

    assert shop.execution(execution)["status"] == "Succeeded"
    assert shop.state()["Out"]["onSuccessConditionState"]["latestExecution"]["status"] == "Overridden"


def test_disabling_needs_a_reason_of_allowed_characters(shop: Shop) -> None:
    shop.create()
    call = {"pipelineName": "shop", "stageName": "Out", "transitionType": "Inbound"}
    with pytest.raises(ClientError) as error:
        shop.client.disable_stage_transition(reason="because; of", **call)

    code, message = refusal(error.value)
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value at 'reason' failed to satisfy constraint: Member must"
    )


def test_a_revision_that_a_source_tells_of(shop: Shop) -> None:
    shop.create()
    shop.idle()
    call = {
        "pipelineName": "shop",
        "stageName": "Source",
        "actionName": "Fetch",
        "actionRevision": {"revisionId": "r1", "revisionChangeId": "c1", "created": 0},
    }
    first = shop.client.put_action_revision(**call)
    again = shop.client.put_action_revision(**call)

    assert first["newRevision"] is True
    assert again["newRevision"] is False
    assert again["pipelineExecutionId"] == first["pipelineExecutionId"]
    assert shop.execution(first["pipelineExecutionId"])["trigger"]["triggerType"] == "PutActionRevision"
    shop.cloud.advance(minutes=1)
    assert shop.execution(first["pipelineExecutionId"])["artifactRevisions"][0]["revisionId"] == "r1"
    with pytest.raises(ClientError) as error:
        shop.client.put_action_revision(**{**call, "stageName": "Gate", "actionName": "Ok"})
    assert refusal(error.value)[0] == "ActionNotFoundException"


def test_too_many_executions(shop: Shop) -> None:
    shop.create(executionMode="QUEUED", pipelineType="V2")
    for _ in range(49):
        shop.start()
    with pytest.raises(ClientError) as error:
        shop.start()

    assert refusal(error.value)[0] == "ConcurrentPipelineExecutionsLimitExceededException"


def test_stopping_what_is_not_there(shop: Shop) -> None:
    shop.create()
    with pytest.raises(ClientError) as error:
        shop.stop(NOWHERE)

    assert refusal(error.value)[0] == "PipelineExecutionNotStoppableException"


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
