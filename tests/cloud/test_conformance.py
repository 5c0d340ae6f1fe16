"""Situations of which answers of the service were recorded, built again and compared member by member.

The expected members are written down here; identifiers and times differ, of course.
Source: recorded answers of the service (docs/fidelity.md says how far they can be trusted).
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud
from pipesim.cloud.codepipeline.responses import CodePipelineResponse
from tests.cloud.answers import members
from tests.cloud.codepipeline.test_state import fail
from tests.cloud.shop import Shop, action, approval, deploy, refusal, source, stage, unchecked

CALLER = "arn:aws:iam::123456789012:user/Delegated"
SOURCE_RUN = ["actionExecutionId", "externalExecutionId", "lastStatusChange", "status"]


@pytest.fixture(autouse=True)
def caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CodePipelineResponse, "caller", CALLER)


def gated(shop: Shop, **members: Any) -> str:
    """Source and Approval, as in the recorded life of a pipeline; the approval is open."""
    approve = approval("Ok", configuration={"CustomData": "lifecycle approval"})
    shop.create(stage("Source", source()), stage("Gate", approve), **members)
    shop.idle()
    return shop.newest()


# --- approvals -----------------------------------------------------------------------------------


def test_an_open_approval(shop: Shop) -> None:
    gated(shop)
    latest = shop.action_state()["latestExecution"]

    assert sorted(latest) == ["actionExecutionId", "status", "token"]
    assert latest["token"] == latest["actionExecutionId"]
    row = shop.actions()[0]
    assert row["status"] == "InProgress"
    assert row["actionExecutionId"] == latest["token"]
    assert row["startTime"] == row["lastUpdateTime"]
    assert members(row["output"]) == {"outputArtifacts": [], "outputVariables": {}}
    assert "updatedBy" not in row


def test_an_answered_approval_and_the_lag_of_everything_else(shop: Shop) -> None:
    execution = gated(shop)
    shop.answer(summary="looks good")
    answered = shop.cloud.now
    latest = shop.action_state()["latestExecution"]

    assert sorted(latest) == ["actionExecutionId", "lastStatusChange", "lastUpdatedBy", "status", "summary"]
    assert latest["status"] == "Succeeded"
    assert latest["lastUpdatedBy"] == CALLER
    assert shop.actions()[0]["status"] == "InProgress"
    assert shop.execution(execution)["status"] == "InProgress"

    shop.idle()
    row = shop.actions()[0]
    assert row["updatedBy"] == CALLER
    assert row["output"]["executionResult"] == {
        "externalExecutionId": row["actionExecutionId"],
        "externalExecutionSummary": "looks good",
    }
    assert 25 <= (row["lastUpdateTime"] - answered).total_seconds() <= 45
    assert shop.execution(execution)["status"] == "Succeeded"


@pytest.mark.parametrize(("status", "verb"), [("Approved", "Approved"), ("Rejected", "Rejected")])
def test_an_empty_summary_names_the_caller(shop: Shop, status: str, verb: str) -> None:
    gated(shop)
    shop.answer(status, "")

    assert shop.action_state()["latestExecution"]["summary"] == f"{verb} by {CALLER}"


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
@pytest.mark.parametrize("summary", ["", "   "])
def test_a_required_summary(shop: Shop, status: str, summary: str) -> None:
    shop.create(stage("Source", source()), stage("Gate", approval(configuration={"IsSummaryRequired": "true"})))
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.answer(status, summary)

    assert refusal(error.value) == (
        "InvalidApprovalTokenException",
        "Action 'Ok' in stage 'Gate' requires a summary. Provide a summary in the approval result and try again.",
    )
    latest = shop.action_state()["latestExecution"]
    assert sorted(latest) == ["actionExecutionId", "status", "token"]
    shop.answer(status, "with reasons", token=latest["token"])
    assert shop.action_state()["latestExecution"]["summary"] == "with reasons"


def test_a_rejection_has_no_error_details(shop: Shop) -> None:
    gated(shop)
    shop.answer("Rejected", "no")
    latest = shop.action_state()["latestExecution"]
    shop.idle()

    assert sorted(latest) == ["actionExecutionId", "lastStatusChange", "lastUpdatedBy", "status", "summary"]
    assert latest["status"] == "Failed"
    assert sorted(shop.actions()[0]["output"]["executionResult"]) == ["externalExecutionId", "externalExecutionSummary"]


# --- the source stage and the whole state --------------------------------------------------------


def test_the_state_of_a_pipeline_at_its_approval(shop: Shop) -> None:
    gated(shop)
    answer = shop.client.get_pipeline_state(name="shop")
    first, second = answer["stageStates"]

    assert sorted(name for name in answer if name != "ResponseMetadata") == [
        "created", "pipelineName", "pipelineVersion", "stageStates", "updated",
    ]  # fmt: skip
    common = ["actionStates", "inboundExecutions", "inboundTransitionState", "latestExecution", "stageName"]
    assert sorted(first) == sorted(second) == common
    (fetch,) = first["actionStates"]
    assert sorted(fetch) == ["actionName", "currentRevision", "entityUrl", "latestExecution"]
    # Recorded answers of S3 sources hold the revisionId alone; the service's own model requires all three.
    assert sorted(fetch["currentRevision"]) == ["created", "revisionChangeId", "revisionId"]
    assert sorted(fetch["latestExecution"]) == SOURCE_RUN
    assert fetch["entityUrl"] == "https://console.aws.amazon.com/s3/home?region=us-east-1#"
    assert sorted(first["latestExecution"]) == ["pipelineExecutionId", "status"]


def test_an_execution_in_progress(shop: Shop) -> None:
    execution = shop.execution(gated(shop))

    assert members(execution) == {
        "pipelineName": ...,
        "pipelineVersion": ...,
        "pipelineExecutionId": ...,
        "status": ...,
        "artifactRevisions": [{"name": ..., "revisionId": ..., "revisionSummary": ...}],
        "trigger": {"triggerType": ..., "triggerDetail": ...},
        "executionMode": ...,
    }
    assert execution["trigger"] == {"triggerType": "CreatePipeline", "triggerDetail": CALLER}


def test_a_running_execution_was_updated_when_it_started(shop: Shop) -> None:
    gated(shop)
    (summary,) = shop.executions()

    assert summary["startTime"] == summary["lastUpdateTime"]
    assert summary["sourceRevisions"][0]["actionName"] == "Fetch"


# --- stopping ------------------------------------------------------------------------------------


def test_stop_and_wait(shop: Shop) -> None:
    execution = gated(shop)
    token = shop.token()
    assert shop.stop(execution, reason="lifecycle stop")["pipelineExecutionId"] == execution
    stopping = shop.execution(execution)

    assert stopping["status"] == "Stopping"
    assert "statusSummary" not in stopping
    assert shop.state()["Gate"]["latestExecution"]["status"] == "Stopping"
    with pytest.raises(ClientError) as error:
        shop.stop(execution)
    assert refusal(error.value) == (
        "DuplicatedStopRequestException",
        f"The execution with ID {execution} in shop is already in a stopping state. If you already chose to stop and"
        " wait, you cannot make that request again. You can choose to stop and abandon now, but be aware that this"
        " option can lead to failed actions. If you already chose to stop and abandon, you cannot make that request"
        " again.",
    )

    shop.answer(token=token, summary="after the stop")
    shop.idle()
    stopped = shop.execution(execution)
    assert (stopped["status"], stopped["statusSummary"]) == ("Stopped", "lifecycle stop")
    (summary,) = shop.executions()
    assert summary["stopTrigger"] == {"reason": "lifecycle stop"}
    with pytest.raises(ClientError) as error:
        shop.stop(execution)
    assert refusal(error.value) == (
        "PipelineExecutionNotStoppableException",
        f"The pipeline execution with ID '{execution}' in 'shop' can't be stopped now. Either it does not exist in the"
        " pipeline, or the pipeline execution has no action executions in progress.",
    )


def test_stop_without_a_reason(shop: Shop) -> None:
    execution = gated(shop)
    shop.stop(execution, abandon=True)
    shop.idle()
    (summary,) = shop.executions()

    assert summary["status"] == "Stopped"
    assert not {"statusSummary", "stopTrigger"} & set(summary)


def test_stop_and_abandon(shop: Shop) -> None:
    execution = gated(shop)
    token = shop.token()
    shop.stop(execution, abandon=True, reason="lifecycle abandon")
    shop.cloud.advance(seconds=1)
    with pytest.raises(ClientError) as error:
        shop.stop(execution, abandon=True)
    assert refusal(error.value)[0] == "PipelineExecutionNotStoppableException"
    with pytest.raises(ClientError) as error:
        shop.answer(token=token)

    assert refusal(error.value) == (
        "InvalidApprovalTokenException",
        "The pipeline shop has been updated, and the approval request you responded to is now out of date.",
    )
    latest = shop.action_state()["latestExecution"]
    assert sorted(latest) == ["actionExecutionId", "status", "summary"]
    assert (latest["status"], latest["summary"]) == ("Abandoned", "The approval action has been canceled.")
    row = shop.actions()[0]
    assert row["status"] == "Abandoned"
    assert members(row["output"]) == {"outputArtifacts": [], "outputVariables": {}}
    assert "updatedBy" not in row


def test_an_update_while_an_approval_is_open(shop: Shop) -> None:
    gated(shop)
    token = shop.token()
    shop.client.update_pipeline(pipeline=shop.document(stage("Source", source()), stage("Gate", approval())))
    latest = shop.action_state()["latestExecution"]

    assert latest["status"] == "Failed"
    assert latest["summary"] == "The approval action has been canceled."
    with pytest.raises(ClientError) as error:
        shop.answer(token=token)
    assert "has been updated" in refusal(error.value)[1]


# --- rollback ------------------------------------------------------------------------------------


def released(shop: Shop) -> tuple[str, str]:
    """A pipeline of three stages with a variable, run twice; the ids of the runs."""
    shop.create(
        stage("Source", source(namespace="Src")),
        stage("Deploy", deploy(key="#{variables.Release}")),
        stage("Downstream", deploy("Final")),
        variables=[{"name": "Release", "defaultValue": "v1"}],
        pipelineType="V2",
    )
    shop.idle()
    first = shop.newest()
    second = shop.start(variables=[{"name": "Release", "value": "v2"}])
    shop.idle()
    return first, second


def test_a_rollback(shop: Shop) -> None:
    first, second = released(shop)
    rollback = shop.rollback("Deploy", first)
    running = shop.execution(rollback)
    shop.idle()
    execution = shop.execution(rollback)

    assert running["status"] == "InProgress"
    assert execution["status"] == "Succeeded"
    assert execution["executionType"] == "ROLLBACK"
    assert execution["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert execution["trigger"]["triggerType"] == "ManualRollback"
    assert json.loads(execution["trigger"]["triggerDetail"]) == {"AwsUserArn": CALLER}
    assert execution["variables"] == [{"name": "Release", "resolvedValue": "v1"}]
    assert execution["artifactRevisions"] == shop.execution(first)["artifactRevisions"]
    state = shop.state()
    assert state["Deploy"]["latestExecution"] == {
        "pipelineExecutionId": rollback,
        "status": "Succeeded",
        "type": "ROLLBACK",
    }
    for name in ("Source", "Downstream"):
        assert state[name]["latestExecution"] == {"pipelineExecutionId": second, "status": "Succeeded"}
    (row,) = shop.actions(filter={"pipelineExecutionId": rollback})
    assert row["input"]["resolvedConfiguration"]["ObjectKey"] == "v1"
    newest = shop.executions()[0]
    assert newest["executionType"] == "ROLLBACK"
    assert "executionType" not in shop.executions()[1]


def test_rollback_refusals(shop: Shop) -> None:
    first, _ = released(shop)
    unknown = "e0678417-dff5-4143-a453-615c227bb984"
    pattern = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    cases = [
        ("Missing", first, "StageNotFoundException", "Pipeline 'shop' does not have a stage with name 'Missing'"),
        (
            "Deploy",
            unknown,
            "PipelineExecutionNotFoundException",
            f"Target Pipeline Execution with id '{unknown}' does not exist in pipeline with name 'shop'",
        ),
        (
            "Deploy",
            "not-an-id",
            "ValidationException",
            "1 validation error detected: Value at 'targetPipelineExecutionId' failed to satisfy constraint: Member"
            f" must satisfy regular expression pattern: {pattern}",
        ),
    ]
    for stage_name, target, code, message in cases:
        with pytest.raises(ClientError) as error:
            shop.rollback(stage_name, target)
        assert refusal(error.value) == (code, message)

    rollback = shop.rollback("Deploy", first)
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.rollback("Deploy", rollback)
    assert refusal(error.value) == (
        "UnableToRollbackStageException",
        f"Target Pipeline Execution with id '{rollback}' has not completed in stage with name 'Deploy'",
    )
    shop.client.update_pipeline(pipeline=shop.client.get_pipeline(name="shop")["pipeline"])
    with pytest.raises(ClientError) as error:
        shop.rollback("Deploy", first)
    assert refusal(error.value) == (
        "PipelineExecutionOutdatedException",
        "Pipeline 'shop' has been updated since the rollback request was made.",
    )


def test_rollback_of_a_stage_that_is_in_use(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Gate", approval()), pipelineType="V2")
    shop.idle()
    first = shop.newest()
    shop.answer()
    shop.idle()
    second = shop.start()
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.rollback("Gate", first)
    assert refusal(error.value) == (
        "UnableToRollbackStageException",
        "Pipeline 'shop' cannot start rollback since stage Gate is in progress.",
    )
    with pytest.raises(ClientError) as error:
        shop.rollback("Gate", second)
    assert refusal(error.value)[0] == "UnableToRollbackStageException"


# --- variables and tokens ------------------------------------------------------------------------


def needy(shop: Shop) -> None:
    shop.create(
        stage("Source", source()),
        stage("Gate", approval(configuration={"CustomData": "Zulu=#{variables.Zulu};Alpha=#{variables.Alpha}"})),
        variables=[{"name": "Zulu", "defaultValue": "z-default"}, {"name": "Alpha", "description": "required"}],
        pipelineType="V2",
        executionMode="QUEUED",
    )


def test_a_required_variable_without_a_value(shop: Shop) -> None:
    needy(shop)
    first = shop.newest()
    started = shop.start()
    for execution in (first, started):
        found = shop.execution(execution)
        assert found["status"] == "Failed"
        assert found["statusSummary"] == "Values for required variables haven't been provided: Alpha"
        assert found["artifactRevisions"] == []
        assert "variables" not in found
        assert shop.actions(filter={"pipelineExecutionId": execution}) == []
    with pytest.raises(ClientError) as error:
        shop.stop(started, abandon=True)
    assert refusal(error.value)[0] == "PipelineExecutionNotStoppableException"


def test_overrides_and_resolved_configuration(shop: Shop) -> None:
    needy(shop)
    given = [{"name": "Alpha", "value": "a"}, {"name": "Unknown", "value": "dropped"}]
    execution = shop.start(variables=given)
    shop.idle()

    found = {each["name"]: each["resolvedValue"] for each in shop.execution(execution)["variables"]}
    assert found == {"Alpha": "a", "Zulu": "z-default"}
    row = shop.actions()[0]["input"]
    assert row["configuration"]["CustomData"] == "Zulu=#{variables.Zulu};Alpha=#{variables.Alpha}"
    assert row["resolvedConfiguration"]["CustomData"] == "Zulu=z-default;Alpha=a"


def test_one_text_with_two_codes(shop: Shop) -> None:
    needy(shop)
    text = "Variable names must be unique. The following variable name is already in use: Alpha"
    twice = [{"name": "Alpha", "value": "first"}, {"name": "Alpha", "value": "last"}]
    with pytest.raises(ClientError) as start:
        shop.start(variables=twice)
    declared = [{"name": "Alpha", "defaultValue": "one"}, {"name": "Alpha", "defaultValue": "two"}]
    with pytest.raises(ClientError) as update:
        shop.client.update_pipeline(pipeline=shop.document(variables=declared, pipelineType="V2"))

    assert refusal(start.value) == ("ValidationException", text)
    assert refusal(update.value) == ("InvalidStructureException", text)


def test_the_same_token_gives_the_same_execution(shop: Shop) -> None:
    needy(shop)
    token = "ba925b85-9eba-40e6-a8c0-b0b64a608c85"
    first = shop.start(clientRequestToken=token, variables=[{"name": "Alpha", "value": "a"}])
    again = shop.start(clientRequestToken=token, variables=[{"name": "Alpha", "value": "b"}])

    assert again == first
    assert len(shop.executions()) == 2
    with pytest.raises(ClientError) as error:
        shop.start(clientRequestToken=token, variables=[{"name": "Alpha", "value": "b"}] * 2)
    assert refusal(error.value)[0] == "ValidationException"


def test_an_old_run_keeps_its_version_and_its_values(shop: Shop) -> None:
    needy(shop)
    execution = shop.start(variables=[{"name": "Alpha", "value": "a"}])
    shop.idle()
    shop.client.update_pipeline(pipeline=shop.document(pipelineType="V2"))
    found = shop.execution(execution)

    assert found["pipelineVersion"] == 1
    assert {each["name"] for each in found["variables"]} == {"Alpha", "Zulu"}


# --- filters, retries ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            {"latestInPipelineExecution": {}},
            "2 validation errors detected: Value at 'filter.latestInPipelineExecution.pipelineExecutionId' failed to"
            " satisfy constraint: Member must not be null; Value at 'filter.latestInPipelineExecution.startTimeRange'"
            " failed to satisfy constraint: Member must not be null",
        ),
        (
            {
                "latestInPipelineExecution": {
                    "pipelineExecutionId": "c5230a9d-1820-45e9-9b59-ea116e718f13",
                    "startTimeRange": "Unknown",
                }
            },
            "1 validation error detected: Value at 'filter.latestInPipelineExecution.startTimeRange' failed to satisfy"
            " constraint: Member must satisfy enum value set: [All, Latest]",
        ),
    ],
)
def test_filters_that_are_no_filters(shop: Shop, wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as error:
        unchecked().list_action_executions(pipelineName="missing", filter=wanted)

    assert refusal(error.value) == ("ValidationException", message)


@pytest.mark.parametrize("both", [False, True])
def test_filters_of_a_pipeline_that_is_missing(shop: Shop, both: bool) -> None:
    execution = "c5230a9d-1820-45e9-9b59-ea116e718f13"
    wanted: dict[str, Any] = {
        "latestInPipelineExecution": {"pipelineExecutionId": execution, "startTimeRange": "All"},
        **({"pipelineExecutionId": execution} if both else {}),
    }
    with pytest.raises(ClientError) as error:
        shop.client.list_action_executions(pipelineName="missing", filter=wanted)

    assert refusal(error.value) == (
        "PipelineNotFoundException",
        "The account with AWS account ID '123456789012' does not include a pipeline named 'missing'",
    )


def test_a_retry(shop: Shop) -> None:
    fail(shop, "Out/Copy")
    shop.create(stage("Source", source()), stage("Out", deploy(), deploy("Other")))
    shop.idle()
    execution = shop.newest()
    failed = shop.action_state("Out", "Copy")["latestExecution"]
    assert sorted(failed) == ["actionExecutionId", "errorDetails", "lastStatusChange", "status"]
    assert shop.retry("Out", execution) == execution
    shop.idle()
    again = shop.action_state("Out", "Copy")["latestExecution"]

    assert again["actionExecutionId"] != failed["actionExecutionId"]
    assert shop.state()["Out"]["retryStageMetadata"] == {
        "manualStageRetryAttempt": 1,
        "latestRetryTrigger": "ManualStageRetry",
    }
    assert [row["actionName"] for row in shop.actions()].count("Other") == 1


def test_a_waiter_in_front_of_an_occupied_stage(shop: Shop) -> None:
    gated(shop)
    token = shop.token()
    waiting = shop.start()
    shop.idle()
    gate = shop.state()["Gate"]

    assert gate["inboundExecution"] == {"pipelineExecutionId": waiting, "status": "InProgress"}
    assert gate["inboundExecutions"] == []
    assert shop.token() == token


def test_appconfig_needs_its_strategy(shop: Shop) -> None:
    configuration = {"Application": "a", "Environment": "e", "ConfigurationProfile": "p"}
    with pytest.raises(ClientError) as error:
        shop.create(
            stage("Source", source()),
            stage("Out", action("Deploy", "AppConfig", configuration=configuration, inputArtifacts=[{"name": "Code"}])),
        )

    assert refusal(error.value) == (
        "InvalidActionDeclarationException",
        "Action configuration for action 'AppConfig' is missing required configuration 'DeploymentStrategy'",
    )


# --- actions that touch the account --------------------------------------------------------------


def test_a_pipeline_from_bucket_to_bucket() -> None:
    with Cloud(seed=1) as cloud:
        shop = Shop(cloud)
        put_code(shop)
        shop.create(
            stage("Source", source(namespace="Src")),
            stage("Deploy", deploy(key="#{variables.Release}")),
            variables=[{"name": "Release", "defaultValue": "v1"}],
            pipelineType="V2",
        )
        shop.idle()
        version = shop.action_state("Source", "Fetch")["currentRevision"]["revisionId"]
        state, execution, (copied, fetched) = shop.state(), shop.execution(shop.newest()), shop.actions()

    text = f"Amazon S3 version id: {version}"
    run = {"actionExecutionId": ..., "status": ..., "summary": ..., "lastStatusChange": ..., "externalExecutionId": ...}
    assert members(state["Source"]["actionStates"][0]["latestExecution"]) == run
    assert state["Source"]["actionStates"][0]["latestExecution"]["summary"] == text
    deployed = state["Deploy"]["actionStates"][0]
    assert members(deployed) == {"actionName": ..., "entityUrl": ..., "latestExecution": run}
    assert deployed["latestExecution"]["summary"] == "Deployment Succeeded"
    assert deployed["latestExecution"]["externalExecutionId"] == "site/v1"
    assert execution["artifactRevisions"] == [{"name": "Code", "revisionId": version, "revisionSummary": text}]
    assert fetched["output"]["executionResult"] == {"externalExecutionId": version, "externalExecutionSummary": text}
    assert members(fetched["output"]) == {
        "outputArtifacts": [{"name": ..., "s3location": {"bucket": ..., "key": ...}}],
        "executionResult": {"externalExecutionId": ..., "externalExecutionSummary": ...},
        "outputVariables": {"BucketName": ..., "ETag": ..., "ObjectKey": ..., "VersionId": ...},
    }
    assert members(copied["output"]) == {
        "outputArtifacts": [],
        "executionResult": {"externalExecutionId": ..., "externalExecutionSummary": ...},
        "outputVariables": {},
    }
    assert copied["output"]["executionResult"]["externalExecutionId"] == "site/v1"
    assert copied["input"]["inputArtifacts"] == fetched["output"]["outputArtifacts"]


def put_code(shop: Shop) -> None:
    """A source bucket with a zip, a bucket for artifacts, a bucket to deploy to, and a role that may use them."""
    s3 = shop.cloud.client("s3")
    for bucket in ("code", "artifacts", "site"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", "hello")
    s3.put_object(Bucket="code", Key="code.zip", Body=packed.getvalue())
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam = shop.cloud.client("iam")
    iam.put_role_policy(RoleName="pipeline", PolicyName="all", PolicyDocument=json.dumps(policy))
