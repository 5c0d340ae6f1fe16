"""What people do with a running pipeline: each call is one command of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipesim.cloud.codepipeline.pipelines import find
from pipesim.engine.commands import (
    Approve,
    DisableTransition,
    EnableTransition,
    Override,
    Reject,
    Retry,
    Rollback,
    SourceRevision,
    Start,
    Stop,
)
from pipesim.errors import Refused
from pipesim.vocabulary import ActionCategory, ApprovalStatus, SourceRevisionType, TriggerType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account


def start_pipeline_execution(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """StartPipelineExecution: run the newest revisions, or those that are asked for."""
    record = find(account, parameters["name"])
    execution = record.simulation.send(
        Start(
            variables=tuple((each["name"], each["value"]) for each in parameters.get("variables") or ()),
            revisions=tuple(
                SourceRevision(each["actionName"], each["revisionType"], each["revisionValue"])
                for each in parameters.get("sourceRevisions") or ()
            ),
            token=parameters.get("clientRequestToken"),
            trigger_type=TriggerType.START_PIPELINE_EXECUTION.value,
            trigger_detail=caller,
        )
    )
    return {"pipelineExecutionId": execution}


def stop_pipeline_execution(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """StopPipelineExecution: stop and wait, or stop and abandon."""
    record = find(account, parameters["pipelineName"])
    execution = record.simulation.send(
        Stop(
            parameters["pipelineExecutionId"],
            abandon=bool(parameters.get("abandon")),
            reason=parameters.get("reason") or "",
            by=caller,
        )
    )
    return {"pipelineExecutionId": execution}


def retry_stage_execution(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """RetryStageExecution: run the failed actions, or all, of a stage again under the same id."""
    record = find(account, parameters["pipelineName"])
    command = Retry(parameters["stageName"], parameters["pipelineExecutionId"], parameters["retryMode"])
    return {"pipelineExecutionId": record.simulation.send(command)}


def rollback_stage(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """RollbackStage: run one stage as an earlier execution ran it."""
    record = find(account, parameters["pipelineName"])
    command = Rollback(parameters["stageName"], parameters["targetPipelineExecutionId"], by=caller)
    return {"pipelineExecutionId": record.simulation.send(command)}


def override_stage_condition(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """OverrideStageCondition: set the verdict of a condition aside."""
    record = find(account, parameters["pipelineName"])
    record.simulation.send(
        Override(parameters["stageName"], parameters["pipelineExecutionId"], parameters["conditionType"], by=caller)
    )
    return {}


def disable_stage_transition(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """DisableStageTransition: let nothing new enter a stage."""
    record = find(account, parameters["pipelineName"])
    record.simulation.send(
        DisableTransition(parameters["stageName"], parameters["reason"], parameters["transitionType"], by=caller)
    )
    return {}


def enable_stage_transition(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """EnableStageTransition: let executions enter a stage again."""
    record = find(account, parameters["pipelineName"])
    record.simulation.send(EnableTransition(parameters["stageName"], parameters["transitionType"], by=caller))
    return {}


def put_approval_result(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """PutApprovalResult: answer an approval; the pipeline goes on some 30 seconds later."""
    record = find(account, parameters["pipelineName"])
    result = parameters["result"]
    command = Approve if result["status"] == ApprovalStatus.APPROVED else Reject
    record.simulation.send(
        command(
            parameters["stageName"],
            parameters["actionName"],
            summary=result["summary"],
            token=parameters["token"],
            by=caller,
        )
    )
    return {"approvedAt": account.now}


def put_action_revision(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """PutActionRevision: a source tells of a revision; one that is new starts an execution."""
    record = find(account, parameters["pipelineName"])
    simulation = record.simulation
    plan = simulation.plan.stage(parameters["stageName"])
    if plan is None:
        raise Refused(
            "StageNotFoundException",
            f"Pipeline '{record.name}' does not have a stage with name '{parameters['stageName']}'",
        )
    action = next((each for each in plan.stage.actions if each.name == parameters["actionName"]), None)
    if action is None or action.category != ActionCategory.SOURCE:
        raise Refused(
            "ActionNotFoundException",
            f"Stage '{plan.stage.name}' does not have a source action with name '{parameters['actionName']}'",
        )
    revision = parameters["actionRevision"]["revisionId"]
    executions = simulation.state.executions
    for name in reversed(record.history.refresh().executions):
        execution = executions[name]
        pinned = execution.revisions.get(action.name)
        asked = execution.overrides.get(action.name, {}).get("value")
        if revision in (asked, None if pinned is None else pinned.id):
            return {"newRevision": False, "pipelineExecutionId": execution.id}
    started = simulation.send(
        Start(
            revisions=(SourceRevision(action.name, SourceRevisionType.COMMIT_ID.value, revision),),
            trigger_type=TriggerType.PUT_ACTION_REVISION.value,
            trigger_detail=caller,
        )
    )
    return {"newRevision": True, "pipelineExecutionId": started}
