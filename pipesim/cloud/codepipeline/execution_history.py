"""Executions and their history: GetPipelineExecution and the calls that list.

Which members are there and which are left out: recorded answers of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pipesim.cloud.codepipeline.history import ActionRow, History, RuleRow
from pipesim.cloud.codepipeline.links import revision_url
from pipesim.cloud.codepipeline.paging import newest_first
from pipesim.cloud.codepipeline.pipelines import find
from pipesim.cloud.deploy_targets import targets_of
from pipesim.definition.model import Pipeline
from pipesim.errors import Refused
from pipesim.trace.snapshot import ExecutionState
from pipesim.vocabulary import (
    ActionCategory,
    ActionExecutionStatus,
    ExecutionType,
    PipelineExecutionStatus,
    RuleExecutionStatus,
    StartTimeRange,
)

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

Row = TypeVar("Row", ActionRow, RuleRow)


def get_pipeline_execution(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """GetPipelineExecution: one execution with its revisions and variables."""
    record = find(account, parameters["pipelineName"])
    execution = find_execution(record, parameters["pipelineExecutionId"])
    answer: dict[str, Any] = {
        "pipelineName": record.name,
        "pipelineVersion": execution.version,
        "pipelineExecutionId": execution.id,
        "status": execution.status.value,
        **_summary_of(execution),
        "artifactRevisions": _artifact_revisions(account, record, execution),
    }
    if execution.variables:
        answer["variables"] = [{"name": n, "resolvedValue": v} for n, v in sorted(execution.variables.items())]
    return {"pipelineExecution": answer | _about(execution)}


def list_pipeline_executions(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """ListPipelineExecutions: the newest first, all or those that succeeded in a stage."""
    record = find(account, parameters["pipelineName"])
    executions = record.simulation.state.executions
    stage = ((parameters.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
    history = record.history.refresh()
    ids = history.executions
    if stage is not None:
        ids = [name for name in ids if name in history.succeeded_in(stage)]
    chosen, token = newest_first(account, ids, parameters, scope=f"executions/{record.name}/{stage or ''}")
    summaries = [_execution_summary(account, record, executions[name]) for name in chosen]
    return _paged("pipelineExecutionSummaries", summaries, token)


def list_action_executions(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """ListActionExecutions: every action execution, the newest first."""
    record = _find_with_history(account, parameters)
    history = record.history.refresh()
    rows = _filtered(record, history.actions, history.actions_of, parameters)
    scope = f"actions/{record.name}/{parameters.get('filter') or ''}"
    chosen, token = newest_first(account, rows, parameters, scope=scope)
    return _paged("actionExecutionDetails", [_action_detail(account, row) for row in chosen], token)


def list_rule_executions(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """ListRuleExecutions: every rule execution, the newest first."""
    record = _find_with_history(account, parameters)
    history = record.history.refresh()
    rows = _filtered(record, history.rules, history.rules_of, parameters)
    scope = f"rules/{record.name}/{parameters.get('filter') or ''}"
    chosen, token = newest_first(account, rows, parameters, scope=scope)
    return _paged("ruleExecutionDetails", [_rule_detail(account, row) for row in chosen], token)


def list_deploy_action_execution_targets(
    account: Account, parameters: Mapping[str, Any], caller: str
) -> dict[str, Any]:
    """ListDeployActionExecutionTargets: the targets of one deploy action, in the order of deployment."""
    name, wanted = parameters.get("pipelineName"), parameters["actionExecutionId"]
    records = account.pipelines.values() if name is None else (find(account, name),)
    rows = (record.history.refresh().action(wanted) for record in records)
    row = next((row for row in rows if row is not None), None)
    if row is None or row.action.category != ActionCategory.DEPLOY:
        raise Refused(
            "ActionExecutionNotFoundException",
            f"There is no deploy action execution with id '{wanted}' in this account",
        )
    filters = {one["name"]: one["values"] for one in parameters.get("filters") or ()}
    statuses = filters.get("TARGET_STATUS")
    targets = [one for one in targets_of(account, wanted) if not statuses or one.status in statuses]
    scope = f"targets/{wanted}/{sorted(statuses or ())}"
    chosen, token = newest_first(account, targets[::-1], parameters, scope=scope)
    return _paged("targets", [one.told() for one in chosen], token)


def find_execution(record: PipelineRecord, execution: str) -> ExecutionState:
    """Return an execution of a pipeline.

    Raises:
        Refused: PipelineExecutionNotFoundException.
    """
    try:
        return record.simulation.state.executions[execution]
    except KeyError:
        raise Refused(
            "PipelineExecutionNotFoundException",
            f"Pipeline Execution with id '{execution}' does not exist in pipeline with name '{record.name}'",
        ) from None


def _find_with_history(account: Account, parameters: Mapping[str, Any]) -> PipelineRecord:
    name = parameters["pipelineName"]
    if name not in account.pipelines and parameters.get("filter"):
        raise Refused(
            "PipelineNotFoundException",
            f"The account with AWS account ID '{account.id}' does not include a pipeline named '{name}'",
        )
    return find(account, name)


def _filtered(record: PipelineRecord, rows: list[Row], rows_of: Any, parameters: Mapping[str, Any]) -> list[Row]:
    wanted = parameters.get("filter") or {}
    execution, latest = wanted.get("pipelineExecutionId"), wanted.get("latestInPipelineExecution")
    if execution is not None:
        find_execution(record, execution)
        rows = rows_of(execution)
    if latest is None:
        return rows
    of = latest["pipelineExecutionId"]
    if execution not in (None, of):
        return []
    found: list[Row] = rows_of(of, latest=latest["startTimeRange"] == StartTimeRange.LATEST)
    return found


def _paged(member: str, entries: list[dict[str, Any]], token: str | None) -> dict[str, Any]:
    return {member: entries} if token is None else {member: entries, "nextToken": token}


# --- what a pipeline execution shows ---------------------------------------------------------------


def _summary_of(execution: ExecutionState) -> dict[str, str]:
    shown = execution.summary and execution.status is not PipelineExecutionStatus.STOPPING
    return {"statusSummary": execution.summary} if shown else {}


def _about(execution: ExecutionState) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if execution.trigger_type is not None:
        trigger = {"triggerType": execution.trigger_type.value, "triggerDetail": execution.trigger_detail}
        answer["trigger"] = {name: value for name, value in trigger.items() if value}
    answer["executionMode"] = execution.mode.value
    if execution.type is ExecutionType.ROLLBACK:
        answer["executionType"] = execution.type.value
        answer["rollbackMetadata"] = {"rollbackTargetPipelineExecutionId": execution.rollback_target}
    return answer


def _execution_summary(account: Account, record: PipelineRecord, execution: ExecutionState) -> dict[str, Any]:
    ended = execution.started if execution.ended is None else execution.ended
    answer: dict[str, Any] = {
        "pipelineExecutionId": execution.id,
        "status": execution.status.value,
        **_summary_of(execution),
        "startTime": account.moment(execution.started),
        "lastUpdateTime": account.moment(ended),
        "sourceRevisions": [],
    }
    pipeline = record.versions[execution.version - 1]
    for name, revision in execution.revisions.items():
        entry = {"actionName": name, "revisionId": revision.id}
        if revision.summary:
            entry["revisionSummary"] = revision.summary
        if url := revision.url or _revision_url(account, pipeline, name, revision.id):
            entry["revisionUrl"] = url
        answer["sourceRevisions"].append(entry)
    if execution.stop_reason:
        answer["stopTrigger"] = {"reason": execution.stop_reason}
    return answer | _about(execution)


def _artifact_revisions(account: Account, record: PipelineRecord, execution: ExecutionState) -> list[dict[str, Any]]:
    pipeline = record.versions[execution.version - 1]
    found = []
    for action in pipeline.stages[0].actions:
        revision = execution.revisions.get(action.name)
        if revision is None:
            continue
        for artifact in action.output_artifacts:
            entry: dict[str, Any] = {"name": artifact.name, "revisionId": revision.id}
            if revision.summary:
                entry["revisionSummary"] = revision.summary
            if url := revision.url or _revision_url(account, pipeline, action.name, revision.id):
                entry["revisionUrl"] = url
            found.append(entry)
    return found


def _revision_url(account: Account, pipeline: Pipeline, action: str, revision: str) -> str:
    for declared in pipeline.stages[0].actions:
        if declared.name == action:
            return revision_url(account, declared, revision)
    return ""


# --- what an action execution shows ----------------------------------------------------------------


def _action_detail(account: Account, row: ActionRow) -> dict[str, Any]:
    action = row.action
    answer: dict[str, Any] = {
        "pipelineExecutionId": row.execution,
        "actionExecutionId": row.id,
        "pipelineVersion": row.pipeline.version,
        "stageName": row.stage,
        "actionName": action.name,
        "startTime": account.moment(row.started),
        "lastUpdateTime": account.moment(row.updated),
        "status": row.status.value,
    }
    ended = row.status is not ActionExecutionStatus.IN_PROGRESS
    if row.updated_by and ended:
        answer["updatedBy"] = row.updated_by
    resolved = action.configuration if row.configuration is None else row.configuration
    inputs: dict[str, Any] = {
        "actionTypeId": {
            "category": action.type.category,
            "owner": action.type.owner,
            "provider": action.type.provider,
            "version": action.type.version,
        },
        "configuration": dict(action.configuration),
        "resolvedConfiguration": dict(resolved),
        "region": action.region or account.region,
        "inputArtifacts": artifacts_of(account, row, row.inputs),
    }
    if action.role_arn is not None:
        inputs["roleArn"] = action.role_arn
    if action.namespace is not None:
        inputs["namespace"] = action.namespace
    answer["input"] = inputs
    output: dict[str, Any] = {"outputArtifacts": artifacts_of(account, row, row.outputs)}
    if result := result_of(row, ended):
        output["executionResult"] = result
    output["outputVariables"] = dict(row.variables)
    answer["output"] = output
    return answer


def result_of(row: ActionRow, ended: bool) -> dict[str, Any]:
    """Return what an action execution shows of how it went; empty while it is at work or when it was abandoned."""
    if not ended or row.status is ActionExecutionStatus.ABANDONED:
        return {}
    result: dict[str, Any] = {}
    if row.external_id:
        result["externalExecutionId"] = row.external_id
    if summary := row.summary or row.message:
        result["externalExecutionSummary"] = summary
    if row.external_url:
        result["externalExecutionUrl"] = row.external_url
    if row.code and not row.updated_by:
        result["errorDetails"] = {"code": row.code}
    return result


def artifacts_of(account: Account, row: ActionRow, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return where the artifacts of these keys lie, as the service writes it."""
    pipeline = row.pipeline
    store = pipeline.artifact_stores.get(row.action.region or account.region) or pipeline.artifact_store
    bucket = "" if store is None else store.location
    return [{"name": name, "s3location": {"bucket": bucket, "key": key}} for name, key in keys.items()]


def _rule_detail(account: Account, row: RuleRow) -> dict[str, Any]:
    rule = row.rule
    inputs: dict[str, Any] = {
        "ruleTypeId": {
            "category": rule.type.category,
            "owner": rule.type.owner,
            "provider": rule.type.provider,
            "version": rule.type.version,
        },
        "configuration": dict(rule.configuration),
        "resolvedConfiguration": dict(rule.configuration if row.configuration is None else row.configuration),
        "region": rule.region or account.region,
        "inputArtifacts": [],
    }
    if rule.role_arn is not None:
        inputs["roleArn"] = rule.role_arn
    answer: dict[str, Any] = {
        "pipelineExecutionId": row.execution,
        "ruleExecutionId": row.id,
        "pipelineVersion": row.pipeline.version,
        "stageName": row.stage,
        "ruleName": rule.name,
        "startTime": account.moment(row.started),
        "lastUpdateTime": account.moment(row.updated),
        "status": row.status.value,
        "input": inputs,
    }
    if row.status is not RuleExecutionStatus.IN_PROGRESS:
        result: dict[str, Any] = {}
        if summary := row.summary or row.message:
            result["externalExecutionSummary"] = summary
        if row.code:
            result["errorDetails"] = {"code": row.code}
        answer["output"] = {"executionResult": result}
    return answer


__all__ = ["History", "find_execution"]
