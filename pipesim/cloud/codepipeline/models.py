"""The logic behind CodePipeline's API: one row for each operation, and moto's backend around it.

Each operation is a function of the account, the parameters (checked by `shapes.read`) and the caller;
it returns what the service would answer or raises `pipesim.errors.Refused`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BackendDict, BaseBackend

from pipesim.cloud.codepipeline import control, execution_history, pipelines, rule_types, state, tagging
from pipesim.cloud.codepipeline.exceptions import not_built

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

Answer = Mapping[str, Any]
Operation = Callable[["Account", Mapping[str, Any], str], Answer]


def _of(room: str, method: str) -> Operation:
    """An operation that a room of the account answers without asking who calls."""

    def answer(account: Account, parameters: Mapping[str, Any], caller: str) -> Answer:
        found: Answer = getattr(getattr(account, room), method)(parameters)
        return found

    return answer


OPERATIONS: Mapping[str, Operation] = {
    "AcknowledgeJob": _of("jobs", "acknowledge_job"),
    "AcknowledgeThirdPartyJob": _of("jobs", "acknowledge_third_party_job"),
    "CreateCustomActionType": _of("custom_types", "create_custom_action_type"),
    "CreatePipeline": pipelines.create_pipeline,
    "DeleteCustomActionType": _of("custom_types", "delete_custom_action_type"),
    "DeletePipeline": pipelines.delete_pipeline,
    "DeleteWebhook": _of("webhooks", "delete_webhook"),
    "DeregisterWebhookWithThirdParty": _of("webhooks", "deregister_webhook_with_third_party"),
    "DisableStageTransition": control.disable_stage_transition,
    "EnableStageTransition": control.enable_stage_transition,
    "GetActionType": _of("custom_types", "get_action_type"),
    "GetJobDetails": _of("jobs", "get_job_details"),
    "GetPipeline": pipelines.get_pipeline,
    "GetPipelineExecution": execution_history.get_pipeline_execution,
    "GetPipelineState": state.get_pipeline_state,
    "GetThirdPartyJobDetails": _of("jobs", "get_third_party_job_details"),
    "ListActionExecutions": execution_history.list_action_executions,
    "ListActionTypes": _of("custom_types", "list_action_types"),
    "ListDeployActionExecutionTargets": execution_history.list_deploy_action_execution_targets,
    "ListPipelineExecutions": execution_history.list_pipeline_executions,
    "ListPipelines": pipelines.list_pipelines,
    "ListRuleExecutions": execution_history.list_rule_executions,
    "ListRuleTypes": rule_types.list_rule_types,
    "ListTagsForResource": tagging.list_tags_for_resource,
    "ListWebhooks": _of("webhooks", "list_webhooks"),
    "OverrideStageCondition": control.override_stage_condition,
    "PollForJobs": _of("jobs", "poll_for_jobs"),
    "PollForThirdPartyJobs": _of("jobs", "poll_for_third_party_jobs"),
    "PutActionRevision": control.put_action_revision,
    "PutApprovalResult": control.put_approval_result,
    "PutJobFailureResult": _of("jobs", "put_job_failure_result"),
    "PutJobSuccessResult": _of("jobs", "put_job_success_result"),
    "PutThirdPartyJobFailureResult": _of("jobs", "put_third_party_job_failure_result"),
    "PutThirdPartyJobSuccessResult": _of("jobs", "put_third_party_job_success_result"),
    "PutWebhook": _of("webhooks", "put_webhook"),
    "RegisterWebhookWithThirdParty": _of("webhooks", "register_webhook_with_third_party"),
    "RetryStageExecution": control.retry_stage_execution,
    "RollbackStage": control.rollback_stage,
    "StartPipelineExecution": control.start_pipeline_execution,
    "StopPipelineExecution": control.stop_pipeline_execution,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
    "UpdateActionType": _of("custom_types", "update_action_type"),
    "UpdatePipeline": pipelines.update_pipeline,
}


class Accounts:
    """Finds the account that answers for an id and a region: one of the cloud that is open."""

    def __init__(self) -> None:
        self._account: Account | None = None

    def bind(self, account: Account | None) -> None:
        """Answer from the cloud of this account from now on; None: no cloud is open."""
        self._account = account
        codepipeline_backends.clear()

    @property
    def current(self) -> Account | None:
        """Any account of the cloud that is open; None: none is."""
        return self._account

    def find(self, account_id: str, region: str) -> Account:
        """Return the account of this id in this region."""
        assert self._account is not None, "no cloud is open"
        return self._account.sibling(region, account_id)


class CodePipelineBackend(BaseBackend):
    """moto's idea of a service in one account and region; all it knows is in the account.

    It looks the account up at each call and does not keep it: moto's caches never let a backend go.
    """

    @property
    def account(self) -> Account:
        """The account that answers."""
        return ACCOUNTS.find(self.account_id, self.region_name)

    def reset(self) -> None:
        """Forget every pipeline, as moto does between tests."""
        self.account.reset()

    def carry_out(self, operation: str, parameters: Mapping[str, Any], caller: str) -> Answer:
        """Carry an operation out.

        Args:
            operation: its name, such as ``GetPipelineState``.
            parameters: checked.
            caller: the ARN of who calls.

        Raises:
            Refused: with the service's own code.
        """
        if operation not in OPERATIONS:
            raise not_built(operation)
        return OPERATIONS[operation](self.account, parameters, caller)


codepipeline_backends = BackendDict(CodePipelineBackend, "codepipeline")
ACCOUNTS = Accounts()
