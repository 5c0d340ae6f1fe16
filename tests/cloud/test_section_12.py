"""The numbered cases of the behaviour reference, each under its number, as an API client sees them.

What needs more than a shop has a place of its own: pushes and their filters (40 to 43) in
tests/cloud/actions/test_connections.py, Elastic Beanstalk's permissions (53) in test_elastic_beanstalk.py there. No API
shows a bill (51): tests/trace/test_cost.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption
from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from tests.cloud.codepipeline.test_state import check, fail
from tests.cloud.shop import Shop, action, approval, deploy, refusal, source, stage, trust, unchecked
from tests.cloud.test_conformance import put_code

EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


@pytest.fixture
def real() -> Iterator[Shop]:
    """A cloud with real actions, buckets, a source object and a role that may do everything."""
    with Cloud(seed=1) as cloud:
        shop = Shop(cloud)
        put_code(shop)
        yield shop


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


def rolled_back(shop: Shop) -> tuple[str, str, str]:
    """Two releases of a pipeline, and a rollback of its Test stage to the first; their ids."""
    shop.create(
        stage("Source", source()), stage("Test", deploy("Check", "#{variables.Release}")), stage("Prod", deploy()),
        variables=[{"name": "Release", "defaultValue": "v1"}], pipelineType="V2",
    )  # fmt: skip
    shop.idle()
    first = shop.newest()
    second = shop.start(variables=[{"name": "Release", "value": "v2"}])
    shop.idle()
    rollback = shop.rollback("Test", first)
    shop.idle()
    return first, second, rollback


def declared(shop: Shop, configuration: str = "#{variables.Needed}") -> None:
    variables = [{"name": "Needed"}, {"name": "Given", "defaultValue": "g"}]
    gate = approval(configuration={"CustomData": configuration})
    shop.create(stage("Source", source()), stage("Gate", gate), pipelineType="V2", variables=variables)


HANDLER = "def handler(event, context):\n    job = event['CodePipeline.job']['id']\n"
REPORT = "    boto3.client('codepipeline').put_job_success_result(jobId=job)\n"


def invoking(shop: Shop, code: str, *later: dict[str, Any]) -> str:
    """A pipeline that calls a function which declares an output; its first execution's id."""
    iam = shop.cloud.client("iam")
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]["Arn"]
    iam.put_role_policy(RoleName="function", PolicyName="all", PolicyDocument=EVERYTHING)
    shop.cloud.client("lambda").create_function(
        FunctionName="f", Runtime="python3.11", Role=role, Handler="app.handler",
        Code={"ZipFile": pack({"app.py": code.encode()})},
    )  # fmt: skip
    call = action(
        "Invoke", "Lambda", "Call", configuration={"FunctionName": "f"}, inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Made"}],
    )  # fmt: skip
    stages = [stage("Source", source()), stage("Call", call)]
    for each in later:
        stages.append(stage(each["name"], {**each, "inputArtifacts": [{"name": "Made"}]}))
    shop.create(*stages)
    return shop.newest()


def test_case_01_superseding_only_between_stages(shop: Shop) -> None:
    lasts(shop, Fetch=1, Compile=3600)
    shop.create(stage("Source", source()), stage("Build", deploy("Compile")))
    shop.cloud.advance(minutes=1)
    first = shop.newest()
    second = shop.start()
    shop.cloud.advance(minutes=1)

    build = shop.state()["Build"]
    assert build["latestExecution"] == {"pipelineExecutionId": first, "status": "InProgress"}
    assert build["inboundExecution"] == {"pipelineExecutionId": second, "status": "InProgress"}
    assert statuses(shop) == {first: "InProgress", second: "InProgress"}


def test_case_02_one_slot(shop: Shop) -> None:
    first, second, third = busy(shop)
    assert statuses(shop) == {first: "InProgress", second: "Superseded", third: "InProgress"}
    shop.idle()

    assert statuses(shop) == {first: "Succeeded", second: "Superseded", third: "Succeeded"}


def test_case_03_superseded_is_not_retryable(shop: Shop) -> None:
    _, second, _ = busy(shop)
    with pytest.raises(ClientError) as error:
        shop.retry("Build", second)

    assert refusal(error.value)[0] == "StageNotRetryableException"
    assert statuses(shop)[second] == "Superseded"


def test_case_04_failure_unlocks(shop: Shop) -> None:
    lasts(shop, Fetch=1)
    account = shop.cloud.account
    assumed = {**account.assumptions.actions, "Build/Compile": ActionAssumption(Constant(600.0), fails_on=(1,))}
    account.assumptions = replace(account.assumptions, actions=assumed)
    shop.create(stage("Source", source()), stage("Build", deploy("Compile")))
    shop.cloud.advance(minutes=1)
    first = shop.newest()
    second = shop.start()
    shop.cloud.advance(minutes=1)
    assert shop.state()["Build"]["inboundExecution"]["pipelineExecutionId"] == second
    shop.idle()

    assert statuses(shop) == {first: "Failed", second: "Succeeded"}
    rows = {row["pipelineExecutionId"]: row for row in shop.actions() if row["actionName"] == "Compile"}
    assert rows[second]["startTime"] == rows[first]["lastUpdateTime"]
    with pytest.raises(ClientError) as error:
        shop.retry("Build", first)
    assert refusal(error.value)[0] == "NotLatestPipelineExecutionException"


def test_case_05_stopping_unlocks(shop: Shop) -> None:
    first, _, third = busy(shop)
    shop.stop(first, abandon=True)
    shop.cloud.advance(seconds=5)

    assert statuses(shop)[first] == "Stopped"
    assert shop.state()["Build"]["latestExecution"] == {"pipelineExecutionId": third, "status": "InProgress"}


def test_case_06_a_disabled_transition_supersedes_too(shop: Shop) -> None:
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


def test_case_07_a_queue_keeps_its_order(shop: Shop) -> None:
    ids = busy(shop, executionMode="QUEUED", pipelineType="V2")
    queue = [each["pipelineExecutionId"] for each in shop.state()["Build"]["inboundExecutions"]]
    assert queue == ids[1:]
    shop.idle()

    compiled = [row for row in reversed(shop.actions()) if row["actionName"] == "Compile"]
    assert [row["pipelineExecutionId"] for row in compiled] == ids
    assert set(statuses(shop).values()) == {"Succeeded"}


def test_case_08_the_51st_queued_execution(shop: Shop) -> None:
    shop.create(executionMode="QUEUED", pipelineType="V2")
    for _ in range(49):
        shop.start()
    with pytest.raises(ClientError) as error:
        shop.start()

    assert refusal(error.value)[0] == "ConcurrentPipelineExecutionsLimitExceededException"


def test_case_09_parallel_has_no_stage_state(shop: Shop) -> None:
    shop.create(executionMode="PARALLEL", pipelineType="V2")
    shop.idle()

    assert shop.executions()[0]["status"] == "InProgress"
    assert all("latestExecution" not in each for each in shop.state().values())
    assert [row["actionName"] for row in shop.actions()] == ["Ok", "Fetch"]


def test_case_10_peers_run_to_their_end(shop: Shop) -> None:
    fail(shop, "End/A")
    shop.create(stage("Source", source()), stage("End", deploy("A"), deploy("B"), deploy("C", runOrder=2)))
    shop.idle()

    assert shop.state()["End"]["latestExecution"]["status"] == "Failed"
    assert "latestExecution" not in shop.action_state("End", "C")
    assert shop.action_state("End", "B")["latestExecution"]["status"] == "Succeeded"


def test_case_11_sparse_run_orders(shop: Shop) -> None:
    lasts(shop, A=60, B=60, C=60)
    actions = [deploy(name, runOrder=order) for name, order in (("C", 999), ("A", 1), ("B", 5))]
    shop.create(stage("Source", source()), stage("End", *actions))
    shop.idle()
    rows = {row["actionName"]: row for row in shop.actions()}

    assert rows["A"]["lastUpdateTime"] <= rows["B"]["startTime"]
    assert rows["B"]["lastUpdateTime"] <= rows["C"]["startTime"]
    for order in (0, 1000):
        with pytest.raises(ClientError) as error:
            unchecked().update_pipeline(
                pipeline=shop.document(stage("Source", source()), stage("End", deploy(runOrder=order)))
            )
        assert refusal(error.value)[0] in ("ValidationException", "InvalidActionDeclarationException")


def test_case_12_all_sources_run(shop: Shop) -> None:
    shop.create(stage("Source", source(), source("Other", "Extra")), stage("Gate", approval()))
    shop.idle()
    call = {"pipelineName": "shop", "stageName": "Source", "actionName": "Fetch"}
    revision = {"revisionId": "r1", "revisionChangeId": "c1", "created": 0}
    execution = shop.client.put_action_revision(actionRevision=revision, **call)["pipelineExecutionId"]
    shop.idle()

    rows = shop.actions(filter={"pipelineExecutionId": execution})
    assert sorted(row["actionName"] for row in rows if row["stageName"] == "Source") == ["Fetch", "Other"]


def test_case_13_an_update_cancels_what_runs(shop: Shop) -> None:
    first, second, third = busy(shop)
    shop.client.update_pipeline(pipeline=shop.client.get_pipeline(name="shop")["pipeline"])
    shop.idle()

    assert statuses(shop) == {first: "Cancelled", second: "Superseded", third: "Cancelled"}
    compiled = next(row for row in shop.actions() if row["actionName"] == "Compile")
    assert compiled["status"] == "Succeeded"


def test_case_14_create_starts(shop: Shop) -> None:
    shop.create()
    (only,) = shop.executions()
    polled = source()
    del polled["configuration"]["PollForSourceChanges"]
    shop.create(stage("Source", polled), stage("Gate", approval()), name="polled")
    shop.cloud.advance(hours=1)

    assert only["trigger"]["triggerType"] == "CreatePipeline"
    assert "CreatePipeline" not in {each["trigger"]["triggerType"] for each in shop.executions("polled")}


def test_case_15_after_thirty_days_nobody_enters(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("End", deploy()))
    call = {"pipelineName": "shop", "stageName": "End", "transitionType": "Inbound"}
    shop.client.disable_stage_transition(reason="frozen", **call)
    shop.idle()
    shop.cloud.advance(days=31)
    shop.client.enable_stage_transition(**call)
    shop.idle()

    assert statuses(shop) == {shop.newest(): "InProgress"}
    assert "latestExecution" not in shop.state()["End"]


def test_case_16_a_retry_keeps_the_id(shop: Shop) -> None:
    fail(shop, "End/Copy")
    made = {"outputArtifacts": [{"name": "Made"}]}
    build = action(
        "Build", "CodeBuild", "Make", configuration={"ProjectName": "p"}, inputArtifacts=[{"name": "Code"}], **made
    )
    shop.create(stage("Source", source()), stage("End", build, deploy("Copy", runOrder=2)))
    shop.idle()
    execution = shop.newest()
    old = shop.actions()
    assert shop.retry("End", execution, "ALL_ACTIONS") == execution
    assert shop.execution(execution)["status"] == "InProgress"
    shop.idle()
    rows = shop.actions()

    assert rows[-len(old) :] == old
    assert len(rows) == len(old) + 2
    assert len({row["actionExecutionId"] for row in rows}) == len(rows)
    keys = [row["output"]["outputArtifacts"][0]["s3location"]["key"] for row in rows if row["actionName"] == "Make"]
    assert len(set(keys)) == 2


def test_case_17_a_retry_while_peers_run(shop: Shop) -> None:
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


def test_case_18_the_number_of_the_attempt_is_global(shop: Shop) -> None:
    fail(shop, "Test/Check")
    shop.create(stage("Source", source()), stage("Test", deploy("Check")), stage("End", deploy("Copy")))
    shop.idle()
    shop.retry("Test", shop.newest())
    shop.idle()

    events = shop.cloud.events({"detail-type": ["CodePipeline Stage Execution State Change"]})
    attempts = [(one["detail"]["stage"], one["detail"]["pipeline-execution-attempt"]) for one in events]
    assert attempts == [("Source", 0.0)] * 2 + [("Test", 0.0)] * 2 + [("Test", 2.0)] * 2 + [("End", 2.0)] * 2


def test_case_19_a_second_stop(shop: Shop) -> None:
    shop.create()
    shop.idle()
    execution = shop.newest()
    shop.stop(execution)
    with pytest.raises(ClientError) as error:
        shop.stop(execution)
    assert refusal(error.value)[0] == "DuplicatedStopRequestException"
    shop.stop(execution, abandon=True)
    shop.idle()

    assert shop.execution(execution)["status"] == "Stopped"


def test_case_20_approving_while_stopping(shop: Shop) -> None:
    shop.create()
    shop.idle()
    execution = shop.newest()
    shop.stop(execution)
    answer = shop.answer(summary="fine")
    shop.idle()

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert shop.execution(execution)["status"] == "Stopped"
    assert "latestExecution" not in shop.state()["Out"]


def test_case_21_a_stopped_waiter_is_dead(shop: Shop) -> None:
    first, _, third = busy(shop)
    shop.stop(third)
    shop.idle()

    assert (statuses(shop)[first], statuses(shop)[third]) == ("Succeeded", "Stopped")
    with pytest.raises(ClientError) as error:
        shop.retry("Build", third)
    assert refusal(error.value)[0] == "StageNotRetryableException"


def test_case_22_a_rollback_is_one_stage(shop: Shop) -> None:
    first, second, rollback = rolled_back(shop)
    (row,) = shop.actions(filter={"pipelineExecutionId": rollback})

    assert (row["stageName"], row["input"]["resolvedConfiguration"]["ObjectKey"]) == ("Test", "v1")
    assert shop.state()["Prod"]["latestExecution"]["pipelineExecutionId"] == second
    assert shop.execution(rollback)["executionType"] == "ROLLBACK"
    for member in ("variables", "artifactRevisions"):
        assert shop.execution(rollback)[member] == shop.execution(first)[member]


def test_case_23_the_version_of_a_rollbacks_target(shop: Shop) -> None:
    first, _, _ = rolled_back(shop)
    shop.client.update_pipeline(pipeline=shop.client.get_pipeline(name="shop")["pipeline"])
    with pytest.raises(ClientError) as error:
        shop.rollback("Test", first)

    assert refusal(error.value)[0] == "PipelineExecutionOutdatedException"


def test_case_24_no_rollback_of_a_rollback(shop: Shop) -> None:
    _, _, rollback = rolled_back(shop)
    with pytest.raises(ClientError) as error:
        shop.rollback("Test", rollback)

    assert refusal(error.value)[0] == "UnableToRollbackStageException"


def test_case_25_the_type_of_an_execution(shop: Shop) -> None:
    first, _, rollback = rolled_back(shop)

    assert "executionType" not in shop.execution(first)
    assert shop.execution(rollback)["executionType"] == "ROLLBACK"
    assert [each.get("executionType") for each in shop.executions()] == ["ROLLBACK", None, None]


def test_case_26_a_skipped_stage(shop: Shop) -> None:
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


def test_case_27_a_condition_on_success(shop: Shop) -> None:
    gate = {"conditions": [{"result": "FAIL", "rules": [check("a", "b")]}]}
    shop.create(
        stage("Source", source()), stage("Test", deploy("Check"), onSuccess=gate), stage("End", deploy()),
        pipelineType="V2",
    )  # fmt: skip
    shop.idle()
    execution = shop.newest()
    assert shop.state()["Test"]["latestExecution"]["status"] == "Failed"
    assert shop.action_state("Test", "Check")["latestExecution"]["status"] == "Succeeded"
    shop.client.override_stage_condition(
        pipelineName="shop", stageName="Test", pipelineExecutionId=execution, conditionType="ON_SUCCESS"
    )
    shop.idle()

    assert shop.execution(execution)["status"] == "Succeeded"
    assert shop.state()["End"]["latestExecution"]["pipelineExecutionId"] == execution


def test_case_28_result_or_conditions_but_not_both(shop: Shop) -> None:
    failure = {"result": "ROLLBACK", "conditions": [{"result": "ROLLBACK", "rules": [check("a", "b")]}]}
    with pytest.raises(ClientError) as error:
        shop.create(stage("Source", source()), stage("End", deploy(), onFailure=failure), pipelineType="V2")

    assert refusal(error.value) == (
        "InvalidStageDeclarationException",
        "The following stage cannot have a failure exit gate configured with both top level result and conditions:"
        " 'End'",
    )


def test_case_29_one_automatic_retry(shop: Shop) -> None:
    fail(shop, "End/Copy", 1, 2, 3)
    shop.create(stage("Source", source()), stage("End", deploy(), onFailure={"result": "RETRY"}), pipelineType="V2")
    shop.idle()

    assert [row["status"] for row in shop.actions() if row["actionName"] == "Copy"] == ["Failed", "Failed"]
    assert shop.executions()[0]["status"] == "Failed"
    metadata = {"autoStageRetryAttempt": 1, "latestRetryTrigger": "AutomatedStageRetry"}
    assert shop.state()["End"]["retryStageMetadata"] == metadata


def test_case_30_a_retried_approval_has_a_new_token(shop: Shop) -> None:
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


def test_case_31_the_lag_of_an_approval(shop: Shop) -> None:
    shop.create()
    shop.idle()
    shop.answer()
    answered = shop.cloud.now
    assert shop.action_state()["latestExecution"]["status"] == "Succeeded"
    assert shop.actions()[0]["status"] == "InProgress"
    shop.idle()

    row = next(row for row in shop.actions() if row["actionName"] == "Copy")
    assert 28 <= (row["startTime"] - answered).total_seconds() <= 31.5


def test_case_32_an_approval_that_nobody_answers(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Gate", approval(timeoutInMinutes=60)), pipelineType="V2")
    shop.idle()
    shop.cloud.advance(minutes=59)
    assert shop.executions()[0]["status"] == "InProgress"
    shop.cloud.advance(minutes=2)

    assert shop.executions()[0]["status"] == "Failed"
    latest = shop.action_state()["latestExecution"]
    assert latest["status"] == "Failed"
    assert "token" not in latest


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_case_33_an_empty_summary(shop: Shop, status: str) -> None:
    shop.create(stage("Source", source()), stage("Gate", approval(configuration={"IsSummaryRequired": "true"})))
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.answer(status, "")

    assert refusal(error.value)[0] == "InvalidApprovalTokenException"
    assert shop.token()


def test_case_34_a_missing_variable_is_no_error_of_the_api(shop: Shop) -> None:
    declared(shop)
    execution = shop.start()

    assert shop.execution(execution)["status"] == "Failed"
    assert shop.actions(filter={"pipelineExecutionId": execution}) == []


def test_case_35_unknown_and_repeated_overrides(shop: Shop) -> None:
    declared(shop)
    needed = {"name": "Needed", "value": "n"}
    execution = shop.start(variables=[needed, {"name": "Unknown", "value": "u"}])
    assert {each["name"] for each in shop.execution(execution)["variables"]} == {"Needed", "Given"}
    with pytest.raises(ClientError) as error:
        shop.start(variables=[needed, needed])

    assert refusal(error.value)[0] == "ValidationException"


def test_case_36_values_are_resolved_once(shop: Shop) -> None:
    declared(shop)
    shop.start(variables=[{"name": "Needed", "value": "#{variables.Given}"}])
    shop.idle()

    assert shop.actions()[0]["input"]["resolvedConfiguration"]["CustomData"] == "#{variables.Given}"


def test_case_37_one_token_is_one_execution(shop: Shop) -> None:
    declared(shop)
    ids = [shop.start(clientRequestToken="one-token", variables=[{"name": "Needed", "value": value}]) for value in "ab"]

    assert ids[0] == ids[1]
    assert len(shop.executions()) == 2


@pytest.mark.parametrize("word", ["yes", "1"])
def test_case_38_words_that_do_not_mean_polling(shop: Shop, word: str) -> None:
    fetch = source()
    fetch["configuration"]["PollForSourceChanges"] = word
    shop.create(stage("Source", fetch), stage("Gate", approval()))

    assert [each["trigger"]["triggerType"] for each in shop.executions()] == ["CreatePipeline"]


def test_case_39_the_same_bytes_in_a_new_version(real: Shop) -> None:
    fetch = source()
    fetch["configuration"]["PollForSourceChanges"] = "true"
    real.create(stage("Source", fetch), stage("Gate", approval()))
    real.cloud.advance(minutes=3)
    s3 = real.cloud.client("s3")
    before = s3.get_object(Bucket="code", Key="code.zip")
    after = s3.put_object(Bucket="code", Key="code.zip", Body=before["Body"].read())
    real.cloud.advance(minutes=3)

    assert after["ETag"] == before["ETag"]
    revisions = [each["sourceRevisions"][0]["revisionId"] for each in real.executions()]
    assert revisions == [after["VersionId"], before["VersionId"]]


def test_case_44_long_names_are_cut_in_object_keys(shop: Shop) -> None:
    name = "a-very-long-pipeline-name"
    fetch = source(artifact="BuildArtifactOut")
    copy = {**deploy(), "inputArtifacts": [{"name": "BuildArtifactOut"}]}
    shop.create(stage("Source", fetch), stage("End", copy), name=name)
    shop.idle()

    (artifact,) = shop.actions(name)[0]["input"]["inputArtifacts"]
    pipeline, cut, rest = artifact["s3location"]["key"].split("/")
    assert (pipeline, cut) == ("a-very-long-pipeline", "BuildArtif")
    assert len(rest.removesuffix(".zip")) == 7


def test_case_45_an_output_that_was_never_written(real: Shop) -> None:
    execution = invoking(real, "import boto3\n" + HANDLER + REPORT, deploy("Use"))
    real.cloud.advance(minutes=5)

    assert real.action_state("Call", "Call")["latestExecution"]["status"] == "Succeeded"
    failed = real.action_state("Use", "Use")["latestExecution"]
    assert failed["errorDetails"]["code"] == "ConfigurationError"
    assert real.execution(execution)["status"] == "Failed"


def test_case_46_what_a_handler_returns_is_nothing(real: Shop) -> None:
    execution = invoking(real, HANDLER + "    return {'statusCode': 200}")
    real.cloud.advance(minutes=15)
    assert real.action_state("Call", "Call")["latestExecution"]["status"] == "InProgress"
    real.cloud.advance(minutes=10)

    assert real.execution(execution)["status"] == "Failed"


def test_case_47_deleting_is_idempotent(shop: Shop) -> None:
    for _ in range(2):
        assert shop.client.delete_pipeline(name="nothing")["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert shop.client.delete_webhook(name="nothing")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_case_48_an_empty_value_of_a_configuration(shop: Shop) -> None:
    document = shop.document(stage("Source", source()), stage("Gate", approval(configuration={"CustomData": ""})))
    with pytest.raises(ClientError) as error:
        unchecked().create_pipeline(pipeline=document)

    assert refusal(error.value)[0] == "ValidationException"


def test_case_49_how_statuses_are_spelled(shop: Shop) -> None:
    shop.create()
    shop.idle()
    shop.client.update_pipeline(pipeline=shop.client.get_pipeline(name="shop")["pipeline"])
    shop.idle()
    model = shop.client.meta.service_model

    assert statuses(shop) == {shop.newest(): "Cancelled"}
    assert shop.actions()[0]["status"] == "Failed"
    assert "Cancelled" in model.shape_for("PipelineExecutionStatus").enum
    assert "Cancelled" not in model.shape_for("ActionExecutionStatus").enum
    assert "Abandoned" in model.shape_for("ActionExecutionStatus").enum


def test_case_50_webhooks_are_paged_with_capitals(shop: Shop) -> None:
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


def test_case_52_appconfig_needs_its_strategy(shop: Shop) -> None:
    configuration = {"Application": "a", "Environment": "e", "ConfigurationProfile": "p"}
    out = action("Deploy", "AppConfig", configuration=configuration, inputArtifacts=[{"name": "Code"}])
    with pytest.raises(ClientError) as error:
        shop.create(stage("Source", source()), stage("Out", out))

    assert refusal(error.value)[1].endswith("is missing required configuration 'DeploymentStrategy'")
