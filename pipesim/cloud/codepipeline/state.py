"""GetPipelineState: the fold of the trace in the service's words; its cost does not grow with history.

Which members are there and which are left out: recorded answers of the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipesim.cloud.codepipeline.links import entity_url, revision_url
from pipesim.cloud.codepipeline.pipelines import find
from pipesim.definition.model import Action, Stage
from pipesim.trace.snapshot import ActionExecution, ActionState, ConditionState, PipelineState, RuleState, StageState
from pipesim.vocabulary import ExecutionMode, ExecutionType, PipelineExecutionStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

GATES = {
    "BEFORE_ENTRY": "beforeEntryConditionState",
    "ON_SUCCESS": "onSuccessConditionState",
    "ON_FAILURE": "onFailureConditionState",
}


def get_pipeline_state(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """GetPipelineState: every stage with its transition, its newest execution, its actions and conditions."""
    record = find(account, parameters["name"])
    state = record.simulation.state
    stages: list[dict[str, Any]] = []
    if state.mode is not ExecutionMode.PARALLEL:
        declared = record.pipeline.stages
        kept = record.shown
        stages = [
            _kept(kept, account, state, shown, stage) for shown, stage in zip(state.stages, declared, strict=True)
        ]
    return {
        "pipelineName": state.name,
        "pipelineVersion": state.version,
        "stageStates": stages,
        "created": record.created,
        "updated": record.updated,
    }


def _kept(
    kept: dict[str, tuple[StageState, Stage, dict[str, Any]]],
    account: Account,
    state: PipelineState,
    shown: StageState,
    stage: Stage,
) -> dict[str, Any]:
    """A stage as it was shown before, when nothing has happened in it and nobody waits in front of it."""
    before = kept.get(shown.name)
    if before is not None and before[0] is shown and before[1] is stage:
        return before[2]
    answer = _stage(account, state, shown, stage)
    if not shown.inbound and shown.inbound_ended is None:
        kept[shown.name] = (shown, stage, answer)
    return answer


def _stage(account: Account, state: PipelineState, shown: StageState, stage: Stage) -> dict[str, Any]:
    transition = shown.transition
    arrow: dict[str, Any] = {"enabled": transition.enabled}
    if transition.changed_at is not None:
        arrow["lastChangedAt"] = account.moment(transition.changed_at)
        arrow["lastChangedBy"] = transition.changed_by
    if not transition.enabled:
        arrow["disabledReason"] = transition.reason
    answer: dict[str, Any] = {
        "stageName": shown.name,
        **_inbound(state, shown),
        "inboundTransitionState": arrow,
        "actionStates": [
            _action(account, action, declared, None if shown.latest is None else shown.latest.execution)
            for action, declared in zip(shown.actions, stage.actions, strict=True)
        ],
    }
    latest = shown.latest
    if latest is not None:
        answer["latestExecution"] = {"pipelineExecutionId": latest.execution, "status": latest.status.value}
        if latest.type is ExecutionType.ROLLBACK:
            answer["latestExecution"]["type"] = latest.type.value
    for gate, member in GATES.items():
        if (condition := shown.conditions.get(gate)) is not None:
            answer[member] = _condition(account, condition)
    if shown.retry is not None:
        counts = {
            "autoStageRetryAttempt": shown.retry.automatic,
            "manualStageRetryAttempt": shown.retry.manual,
            "latestRetryTrigger": None if shown.retry.trigger is None else shown.retry.trigger.value,
        }
        answer["retryStageMetadata"] = {name: value for name, value in counts.items() if value}
    return answer


def _inbound(state: PipelineState, shown: StageState) -> dict[str, Any]:
    """Who waits in front of a stage: one in the older member, or the queue in the newer one."""
    if state.mode is ExecutionMode.QUEUED:
        return {"inboundExecutions": [_waiting(state, name) for name in shown.inbound]}
    waiting = shown.inbound[0] if shown.inbound else shown.inbound_ended
    if waiting is None:
        return {"inboundExecutions": []}
    return {"inboundExecution": _waiting(state, waiting), "inboundExecutions": []}


def _waiting(state: PipelineState, name: str) -> dict[str, str]:
    status = state.executions[name].status
    if status is PipelineExecutionStatus.STOPPING:
        status = PipelineExecutionStatus.IN_PROGRESS
    return {"pipelineExecutionId": name, "status": status.value}


def _action(account: Account, shown: ActionState, declared: Action, inside: str | None) -> dict[str, Any]:
    """An action with its newest run, unless that was another execution's and a newer one has entered the stage."""
    answer: dict[str, Any] = {"actionName": shown.name}
    if shown.revision is not None:
        answer["currentRevision"] = {
            "revisionId": shown.revision.id,
            "revisionChangeId": shown.revision.change_id or shown.revision.id,
            "created": account.moment(shown.revision.created or 0.0),
        }
        if url := shown.revision.url or revision_url(account, declared, shown.revision.id):
            answer["revisionUrl"] = url
    run = shown.latest
    if run is not None and run.execution in (None, inside):
        answer["latestExecution"] = _run(account, run, declared)
    if url := entity_url(account, declared):
        answer["entityUrl"] = url
    return answer


def _run(account: Account, run: ActionExecution, declared: Action) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if run.id is not None:
        answer["actionExecutionId"] = run.id
    answer["status"] = run.status.value
    if run.token is not None:
        answer["token"] = run.token
    if run.summary:
        answer["summary"] = run.summary
    if declared.is_approval and not (run.updated_by or run.code):
        return answer
    answer["lastStatusChange"] = account.moment(run.changed)
    if run.updated_by:
        answer["lastUpdatedBy"] = run.updated_by
        return answer
    if run.external_id:
        answer["externalExecutionId"] = run.external_id
    if run.external_url:
        answer["externalExecutionUrl"] = run.external_url
    if run.percent is not None:
        answer["percentComplete"] = run.percent
    if run.code:
        answer["errorDetails"] = {"code": run.code, "message": run.message}
    return answer


def _condition(account: Account, condition: ConditionState) -> dict[str, Any]:
    latest: dict[str, Any] = {"status": condition.status.value}
    if condition.summary:
        latest["summary"] = condition.summary
    return {
        "latestExecution": latest,
        "conditionStates": [
            {
                "latestExecution": {**latest, "lastStatusChange": account.moment(condition.changed)},
                "ruleStates": [_rule(account, rule) for rule in condition.rules],
            }
        ],
    }


def _rule(account: Account, rule: RuleState) -> dict[str, Any]:
    latest: dict[str, Any] = {"status": rule.status.value, "lastStatusChange": account.moment(rule.changed)}
    if rule.id is not None:
        latest["ruleExecutionId"] = rule.id
    if rule.summary:
        latest["summary"] = rule.summary
    if rule.code:
        latest["errorDetails"] = {"code": rule.code, "message": rule.message}
    return {"ruleName": rule.name, "latestExecution": latest}
