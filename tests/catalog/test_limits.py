from __future__ import annotations

import pytest

from pipesim.catalog import limits
from pipesim.catalog.action_types import ACTION_TYPES, find_action_type
from tests.catalog.model import least, most


@pytest.mark.parametrize(
    ("limit", "shape"),
    [
        ("MAX_RUN_ORDER", "ActionRunOrder"),
        ("MAX_VARIABLES", "PipelineVariableDeclarationList"),
        ("MAX_TRIGGERS", "PipelineTriggerDeclarationList"),
        ("MAX_CONDITIONS_PER_GATE", "ConditionList"),
        ("MAX_RULES_PER_CONDITION", "RuleDeclarationList"),
        ("MAX_TIMEOUT_IN_MINUTES", "ActionTimeout"),
        ("MAX_TIMEOUT_IN_MINUTES", "RuleTimeout"),
        ("MAX_NAME", "PipelineName"),
        ("MAX_NAME", "StageName"),
        ("MAX_NAME", "ActionName"),
        ("MAX_NAME", "ArtifactName"),
        ("MAX_CONFIGURATION_KEY", "ActionConfigurationKey"),
        ("MAX_CONFIGURATION_VALUE", "ActionConfigurationValue"),
        ("MAX_CONFIGURATION_KEY", "RuleConfigurationKey"),
        ("MAX_RULE_CONFIGURATION_VALUE", "RuleConfigurationValue"),
        ("MAX_RULE_CONFIGURATION_KEYS", "RuleConfigurationMap"),
        ("MAX_COMMANDS", "CommandList"),
        ("MAX_COMMAND", "Command"),
        ("MAX_COMMANDS_OUTPUT_VARIABLES", "OutputVariableList"),
        ("MAX_ENVIRONMENT_VARIABLES", "EnvironmentVariableList"),
        ("MAX_ARTIFACT_FILES_PATTERNS", "FilePathList"),
        ("MAX_SOURCE_REVISIONS", "SourceRevisionOverrideList"),
        ("MAX_CUSTOM_PROPERTIES", "ActionConfigurationPropertyList"),
    ],
)
def test_limits_agree_with_the_service_model(limit, shape):
    assert getattr(limits, limit) == most(shape)


@pytest.mark.parametrize(
    ("limit", "shape"),
    [
        ("MIN_RUN_ORDER", "ActionRunOrder"),
        ("MIN_TIMEOUT_IN_MINUTES", "ActionTimeout"),
        ("MIN_TIMEOUT_IN_MINUTES", "RuleTimeout"),
    ],
)
def test_lower_limits_agree_with_the_service_model(limit, shape):
    assert getattr(limits, limit) == least(shape)


def test_custom_artifacts_agree_with_the_service_model():
    assert (least("MinimumArtifactCount"), most("MaximumArtifactCount")) == limits.CUSTOM_ARTIFACTS


def test_time_outs_agree_with_the_action_types():
    assert find_action_type("Approval", "AWS", "Manual").timeout == limits.APPROVAL_TIMEOUT
    assert find_action_type("Compute", "AWS", "Commands").timeout == limits.COMMANDS_TIMEOUT
    assert find_action_type("Source", "AWS", "CodeCommit").timeout == limits.ACTION_TIMEOUT
    assert {t.timeout for t in ACTION_TYPES if t.owner == "Custom"} == {limits.CUSTOM_ACTION_TIMEOUT}


def test_sizes_are_of_providers_that_exist():
    sources = {known.provider for known in ACTION_TYPES if known.category == "Source"}
    deployers = {known.provider for known in ACTION_TYPES if known.category == "Deploy"}
    assert set(limits.SOURCE_ARTIFACT_SIZE) <= sources
    assert set(limits.DEPLOY_ARTIFACT_SIZE) <= deployers


def test_a_pipeline_may_have_fewer_actions_than_its_stages_could_hold():
    assert limits.MAX_ACTIONS < limits.MAX_STAGES * limits.MAX_ACTIONS_PER_STAGE
    assert limits.POLLING_PIPELINES < limits.PIPELINES
    assert limits.DISABLED_TRANSITION == 30 * 24 * 3600
