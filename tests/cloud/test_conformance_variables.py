"""Variables, rollbacks that are stopped, and announcements of approvals, as answers of the service show them.

Source: recorded answers of the service (docs/fidelity.md says how far they can be trusted).
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud.answers import members
from tests.cloud.shop import Shop, approval, deploy, refusal, source, stage, unchecked
from tests.cloud.test_conformance import caller, needy

__all__ = ["caller"]

NAME_PATTERN = r"[A-Za-z0-9@\-_]+"
PATTERN = f"failed to satisfy constraint: Member must satisfy regular expression pattern: {NAME_PATTERN}"
LENGTH = "failed to satisfy constraint: Member must have length greater than or equal to 1"


def refused(shop: Shop, **declaration: Any) -> tuple[str, str]:
    """What UpdatePipeline says of a declaration."""
    declared = {"pipelineType": "V2", "executionMode": "QUEUED", **declaration}
    stages = declared.pop("stages", (stage("Source", source()), stage("Gate", approval())))
    with pytest.raises(ClientError) as error:
        unchecked().update_pipeline(pipeline=shop.document(*stages, **declared))
    return refusal(error.value)


# --- starting with variables ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        [{"name": "Zulu", "value": "z"}],
        [{"name": "Unknown", "value": "x"}],
        [{"name": "alpha", "value": "x"}],
    ],
)
def test_starts_that_lack_a_required_variable(shop: Shop, given: list[dict[str, str]] | None) -> None:
    needy(shop)
    given_or_not = {} if given is None else {"variables": given}
    execution = unchecked().start_pipeline_execution(name="shop", **given_or_not)["pipelineExecutionId"]
    found = shop.execution(execution)

    assert members(found) == members(
        {
            "pipelineName": "shop",
            "pipelineVersion": 1,
            "pipelineExecutionId": execution,
            "status": "Failed",
            "statusSummary": "",
            "artifactRevisions": [],
            "trigger": {"triggerType": "", "triggerDetail": ""},
            "executionMode": "QUEUED",
        }
    )
    assert found["statusSummary"] == "Values for required variables haven't been provided: Alpha"


def test_history_of_a_run_that_lacks_a_variable(shop: Shop) -> None:
    needy(shop)
    (only,) = shop.executions()

    assert sorted(only) == [
        "executionMode", "lastUpdateTime", "pipelineExecutionId", "sourceRevisions", "startTime", "status",
        "statusSummary", "trigger",
    ]  # fmt: skip
    assert only["sourceRevisions"] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "Alpha", "value": ""}, f"1 validation error detected: Value at 'variables.1.member.value' {LENGTH}"),
        (
            {"name": "bad.name", "value": "x"},
            f"1 validation error detected: Value at 'variables.1.member.name' {PATTERN}",
        ),
    ],
)
def test_overrides_that_are_none(shop: Shop, given: dict[str, str], message: str) -> None:
    needy(shop)
    with pytest.raises(ClientError) as error:
        unchecked().start_pipeline_execution(name="shop", variables=[given])

    assert refusal(error.value) == ("ValidationException", message)


def test_one_token_in_any_order_and_with_anything(shop: Shop) -> None:
    needy(shop)
    token = "ba925b85-9eba-40e6-a8c0-b0b64a608c85"
    alpha, middle = {"name": "Alpha", "value": "a"}, {"name": "Zulu", "value": "z"}
    first = shop.start(clientRequestToken=token, variables=[middle, alpha])

    assert shop.start(clientRequestToken=token, variables=[alpha, middle]) == first
    assert shop.start(clientRequestToken=token, variables=[{"name": "Unknown", "value": "x"}]) == first


def test_no_variables_no_member(shop: Shop) -> None:
    needy(shop)
    shop.client.update_pipeline(pipeline=shop.document(pipelineType="V2", executionMode="QUEUED", variables=[]))

    assert "variables" not in shop.execution(shop.start())


# --- declaring variables -------------------------------------------------------------------------


def test_names_and_defaults_that_are_none(shop: Shop) -> None:
    needy(shop)
    at = "Value at 'pipeline.variables.1.member"
    for declared, message in (
        ({"name": "bad.name", "defaultValue": "x"}, f"1 validation error detected: {at}.name' {PATTERN}"),
        (
            {"name": "", "defaultValue": "x"},
            f"2 validation errors detected: {at}.name' {LENGTH}; {at}.name' {PATTERN}",
        ),
        ({"name": "Alpha", "defaultValue": ""}, f"1 validation error detected: {at}.defaultValue' {LENGTH}"),
    ):
        assert refused(shop, variables=[declared]) == ("ValidationException", message)


def test_names_and_order_that_are_kept(shop: Shop) -> None:
    needy(shop)
    declared = [
        {"name": "Middle", "defaultValue": "m"},
        {"name": "A_B-C@1", "defaultValue": "x"},
        {"name": "Alpha", "defaultValue": "a", "description": "now optional"},
        {"name": "Bare"},
    ]
    document = shop.document(pipelineType="V2", executionMode="QUEUED", variables=declared)

    assert shop.client.update_pipeline(pipeline=document)["pipeline"]["variables"] == declared


def test_declarations_that_cannot_be(shop: Shop) -> None:
    needy(shop)
    declared = [{"name": "Zulu", "defaultValue": "z"}]
    reserved = (stage("Source", source(namespace="variables")), stage("Gate", approval()))
    in_source = source()
    in_source["configuration"]["S3ObjectKey"] = "#{variables.Zulu}"
    undeclared = approval("Review", configuration={"CustomData": "#{variables.Unknown}"})

    assert refused(shop, variables=declared, pipelineType="V1", executionMode="SUPERSEDED") == (
        "InvalidStructureException",
        "Pipeline variable can only be used with V2 pipelines",
    )
    assert refused(shop, variables=declared, stages=reserved) == (
        "InvalidStructureException",
        "One or more of the chosen namespaces is reserved. Note that there is a namespace for variables at the pipeline"
        " level.\n",
    )
    assert refused(shop, variables=declared, stages=(stage("Source", in_source), stage("Gate", approval()))) == (
        "InvalidStructureException",
        "Variables at the pipeline level cannot be used in source actions.\nStageName=[Source], ActionName=[Fetch],"
        " ActionConfigurationKey=[S3ObjectKey], VariableReferenceText=[variables.Zulu]",
    )
    code, message = refused(shop, variables=declared, stages=(stage("Source", source()), stage("Gate", undeclared)))
    assert code == "InvalidStructureException"
    assert message.startswith("The referenced variables haven't been declared.\n")


def test_a_source_that_runs(shop: Shop) -> None:
    shop.create()
    shop.cloud.advance(seconds=0.5)
    first, second, _ = shop.state().values()
    (fetch,), (gate,) = first["actionStates"], second["actionStates"]

    assert sorted(fetch) == ["actionName", "entityUrl", "latestExecution"]
    assert sorted(fetch["latestExecution"]) == ["actionExecutionId", "lastStatusChange", "status"]
    assert "latestExecution" not in second
    assert gate == {"actionName": "Ok"}
    (row,) = shop.actions()
    assert row["output"] == {"outputArtifacts": [], "outputVariables": {}}


# --- rollbacks that wait, are stopped and are retried ----------------------------------------------


def gated(shop: Shop, mode: str = "SUPERSEDED") -> str:
    """A stage that deploys and then asks, and an execution that went through it; its id."""
    shop.create(
        stage("Source", source()),
        stage("Deploy", deploy(runOrder=1), approval(runOrder=2)),
        stage("Downstream", deploy("Final")),
        pipelineType="V2",
        executionMode=mode,
    )
    shop.idle()
    shop.answer(stage="Deploy")
    shop.idle()
    return shop.newest()


def open_approval(shop: Shop) -> dict[str, Any]:
    return shop.action_state("Deploy")["latestExecution"]


def test_a_new_execution_in_the_stage_clears_the_answered_approval(shop: Shop) -> None:
    gated(shop)
    answered = open_approval(shop)
    shop.start()
    while shop.state()["Deploy"]["latestExecution"]["status"] != "InProgress":
        shop.cloud.advance(seconds=0.1)
    shown = shop.action_state("Deploy")

    assert answered["status"] == "Succeeded"
    assert shown == {"actionName": "Ok"}


def test_a_rollback_holds_an_approval_and_is_stopped_and_retried(shop: Shop) -> None:
    target = gated(shop)
    stopped = shop.start()
    shop.idle()
    code = "UnableToRollbackStageException"
    busy = (
        code,
        "Pipeline 'shop' cannot start rollback since stage Deploy is in progress.",
    )
    for wanted, said in (
        (target, busy),
        (
            stopped,
            (code, f"Target Pipeline Execution with id '{stopped}' has not completed in stage with name 'Deploy'"),
        ),
    ):
        with pytest.raises(ClientError) as error:
            shop.rollback("Deploy", wanted)
        assert refusal(error.value) == said
    shop.stop(stopped, abandon=True)
    shop.idle()

    rollback = shop.rollback("Deploy", target)
    shop.idle()
    state = shop.state()
    assert state["Deploy"]["latestExecution"] == {
        "pipelineExecutionId": rollback,
        "status": "InProgress",
        "type": "ROLLBACK",
    }
    assert sorted(open_approval(shop)) == ["actionExecutionId", "status", "token"]
    assert state["Downstream"]["latestExecution"]["pipelineExecutionId"] == target
    asked, copied = shop.actions(filter={"pipelineExecutionId": rollback})
    assert asked["startTime"] == asked["lastUpdateTime"]
    assert asked["output"] == {"outputArtifacts": [], "outputVariables": {}}
    assert copied["status"] == "Succeeded"
    with pytest.raises(ClientError) as error:
        shop.rollback("Deploy", target)
    assert refusal(error.value) == busy

    shop.stop(rollback, abandon=True)
    shop.idle()
    assert shop.execution(rollback)["status"] == "Stopped"
    assert shop.retry("Deploy", rollback, "ALL_ACTIONS") == rollback
    shop.idle()
    assert shop.execution(rollback)["status"] == "InProgress"
    shop.stop(rollback, abandon=True)
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.rollback("Deploy", stopped)
    assert refusal(error.value)[1] == (
        f"Target Pipeline Execution with id '{stopped}' has not completed in stage with name 'Deploy'"
    )


def test_a_rollback_that_succeeded_cannot_be_stopped_and_can_be_repeated(shop: Shop) -> None:
    target = gated(shop)
    rollback = shop.rollback("Deploy", target)
    shop.idle()
    shop.answer(stage="Deploy")
    shop.idle()
    with pytest.raises(ClientError) as error:
        shop.stop(rollback, abandon=True)
    assert refusal(error.value) == (
        "PipelineExecutionNotStoppableException",
        f"The pipeline execution with ID '{rollback}' in 'shop' can't be stopped now. Either it does not exist in the"
        " pipeline, or the pipeline execution has no action executions in progress.",
    )
    assert shop.rollback("Deploy", target) not in (rollback, target)


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED", "PARALLEL"])
def test_rolling_back_in_every_mode(shop: Shop, mode: str) -> None:
    shop.create(stage("Source", source()), stage("Deploy", deploy()), pipelineType="V2", executionMode=mode)
    shop.idle()
    rollback = shop.rollback("Deploy", shop.newest())
    shop.idle()

    assert shop.execution(rollback)["status"] == "Succeeded"
    assert shop.execution(rollback)["executionMode"] == mode


def test_rolling_back_the_source_fetches_what_is_there_now(shop: Shop) -> None:
    shop.create(stage("Source", source()), stage("Deploy", deploy()), pipelineType="V2")
    shop.idle()
    first = shop.newest()
    shop.start()
    shop.idle()
    reported = shop.execution(first)["artifactRevisions"]
    rollback = shop.rollback("Source", first)
    shop.idle()

    assert shop.execution(rollback)["status"] == "Succeeded"
    assert shop.execution(rollback)["artifactRevisions"] == reported
    assert [row["stageName"] for row in shop.actions(filter={"pipelineExecutionId": rollback})] == ["Source"]


def test_an_approvals_entity_is_its_link(shop: Shop) -> None:
    link = "https://example.com/owned-review?source=zip&check=1"
    shop.create(stage("Source", source()), stage("Gate", approval(configuration={"ExternalEntityLink": link})))
    shop.idle()

    assert shop.action_state()["entityUrl"] == link
