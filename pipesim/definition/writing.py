"""The model to AWS's JSON of a pipeline, the service's defaults filled in."""

from __future__ import annotations

from typing import Any

from pipesim.definition.model import (
    Action,
    ArtifactStore,
    Condition,
    Criteria,
    OnFailure,
    Pipeline,
    Rule,
    Stage,
    Trigger,
    Variable,
)


def to_document(pipeline: Pipeline) -> dict[str, Any]:
    """Return the declaration as GetPipeline gives it back, the service's defaults filled in.

    ``version``, ``executionMode``, ``pipelineType`` and every action's ``runOrder``, ``configuration`` and
    artifact lists are always there; other members only when they were given.

    Source: GetPipeline in botocore's CodePipeline model; recorded answers of the service.
    """
    document: dict[str, Any] = {"name": pipeline.name, "roleArn": pipeline.role_arn}
    if pipeline.artifact_store is not None:
        document["artifactStore"] = _store_document(pipeline.artifact_store)
    if pipeline.artifact_stores:
        document["artifactStores"] = {
            region: _store_document(store) for region, store in pipeline.artifact_stores.items()
        }
    document["stages"] = [_stage_document(stage) for stage in pipeline.stages]
    document["version"] = pipeline.version
    document["executionMode"] = pipeline.execution_mode
    document["pipelineType"] = pipeline.effective_type
    if pipeline.variables:
        document["variables"] = [_variable_document(variable) for variable in pipeline.variables]
    if pipeline.triggers:
        document["triggers"] = [_trigger_document(trigger) for trigger in pipeline.triggers]
    return document


def _stage_document(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = {"name": stage.name}
    if stage.blockers:
        document["blockers"] = [{"name": blocker.name, "type": blocker.type} for blocker in stage.blockers]
    document["actions"] = [_action_document(action) for action in stage.actions]
    if stage.on_failure is not None:
        document["onFailure"] = _failure_document(stage.on_failure)
    if stage.on_success:
        document["onSuccess"] = {"conditions": [_condition_document(c) for c in stage.on_success]}
    if stage.before_entry:
        document["beforeEntry"] = {"conditions": [_condition_document(c) for c in stage.before_entry]}
    return document


def _action_document(action: Action) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": action.name,
        "actionTypeId": {
            "category": action.type.category,
            "owner": action.type.owner,
            "provider": action.type.provider,
            "version": action.type.version,
        },
        "runOrder": action.run_order,
        "configuration": dict(action.configuration),
    }
    if action.commands:
        document["commands"] = list(action.commands)
    document["outputArtifacts"] = [
        {"name": artifact.name} | ({"files": list(artifact.files)} if artifact.files else {})
        for artifact in action.output_artifacts
    ]
    document["inputArtifacts"] = [{"name": name} for name in action.input_artifacts]
    if action.output_variables:
        document["outputVariables"] = list(action.output_variables)
    _add_given(
        document,
        roleArn=action.role_arn,
        region=action.region,
        namespace=action.namespace,
        timeoutInMinutes=action.timeout_in_minutes,
    )
    if action.environment_variables:
        document["environmentVariables"] = [
            {"name": variable.name, "value": variable.value, "type": variable.type}
            for variable in action.environment_variables
        ]
    return document


def _failure_document(failure: OnFailure) -> dict[str, Any]:
    document: dict[str, Any] = {}
    _add_given(document, result=failure.result)
    if failure.retry_mode is not None:
        document["retryConfiguration"] = {"retryMode": failure.retry_mode}
    if failure.conditions:
        document["conditions"] = [_condition_document(condition) for condition in failure.conditions]
    return document


def _condition_document(condition: Condition) -> dict[str, Any]:
    document: dict[str, Any] = {}
    _add_given(document, result=condition.result)
    if condition.rules:
        document["rules"] = [_rule_document(rule) for rule in condition.rules]
    return document


def _rule_document(rule: Rule) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": rule.name,
        "ruleTypeId": {
            "category": rule.type.category,
            "owner": rule.type.owner,
            "provider": rule.type.provider,
            "version": rule.type.version,
        },
        "configuration": dict(rule.configuration),
    }
    if rule.commands:
        document["commands"] = list(rule.commands)
    document["inputArtifacts"] = [{"name": name} for name in rule.input_artifacts]
    _add_given(document, roleArn=rule.role_arn, region=rule.region, timeoutInMinutes=rule.timeout_in_minutes)
    return document


def _store_document(store: ArtifactStore) -> dict[str, Any]:
    document: dict[str, Any] = {"type": store.type, "location": store.location}
    if store.encryption_key is not None:
        document["encryptionKey"] = {"id": store.encryption_key.id, "type": store.encryption_key.type}
    return document


def _variable_document(variable: Variable) -> dict[str, Any]:
    document: dict[str, Any] = {"name": variable.name}
    _add_given(document, defaultValue=variable.default_value, description=variable.description)
    return document


def _trigger_document(trigger: Trigger) -> dict[str, Any]:
    git: dict[str, Any] = {"sourceActionName": trigger.source_action_name}
    if trigger.push:
        git["push"] = [
            _criteria_members(tags=push.tags, branches=push.branches, filePaths=push.file_paths)
            for push in trigger.push
        ]
    if trigger.pull_request:
        git["pullRequest"] = [
            ({"events": list(pull.events)} if pull.events else {})
            | _criteria_members(branches=pull.branches, filePaths=pull.file_paths)
            for pull in trigger.pull_request
        ]
    return {"providerType": trigger.provider_type, "gitConfiguration": git}


def _criteria_members(**criteria: Criteria | None) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, wanted in criteria.items():
        if wanted is not None:
            patterns = {"includes": list(wanted.includes), "excludes": list(wanted.excludes)}
            document[name] = {key: value for key, value in patterns.items() if value}
    return document


def _add_given(document: dict[str, Any], **members: Any) -> None:
    document.update((name, value) for name, value in members.items() if value is not None)
