from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from pipesim.catalog import action_types
from pipesim.catalog.action_types import ACTION_TYPES, find_action_type
from tests.catalog.model import fits

EVERY_TYPE = pytest.mark.parametrize(
    "known", ACTION_TYPES, ids=[f"{known.category}/{known.owner}/{known.provider}" for known in ACTION_TYPES]
)

LISTED_BY_THE_SERVICE = {
    ("Source", "S3"): "S3Bucket S3ObjectKey",
    ("Source", "CodeCommit"): "RepositoryName BranchName",
    ("Source", "ECR"): "RepositoryName",
    ("Source", "CodeStarSourceConnection"): "ConnectionArn FullRepositoryId BranchName",
    ("Build", "CodeBuild"): "ProjectName",
    ("Build", "ECRBuildAndPublish"): "ECRRepositoryName",
    ("Test", "CodeBuild"): "ProjectName",
    ("Test", "DeviceFarm"): "ProjectId DevicePoolArn AppType TestType",
    ("Deploy", "S3"): "BucketName Extract",
    ("Deploy", "CloudFormation"): "ActionMode StackName",
    ("Deploy", "CloudFormationStackSet"): "StackSetName TemplatePath",
    ("Deploy", "CloudFormationStackInstances"): "StackSetName DeploymentTargets Regions",
    ("Deploy", "CodeDeploy"): "ApplicationName DeploymentGroupName",
    (
        "Deploy",
        "CodeDeployToECS",
    ): "ApplicationName DeploymentGroupName TaskDefinitionTemplateArtifact AppSpecTemplateArtifact",
    ("Deploy", "ECS"): "ClusterName ServiceName",
    ("Deploy", "EKS"): "ClusterName",
    ("Deploy", "EC2"): "InstanceType InstanceTagKey",
    ("Deploy", "Lambda"): "FunctionName",
    ("Deploy", "ElasticBeanstalk"): "ApplicationName EnvironmentName",
    (
        "Deploy",
        "AppConfig",
    ): "Application Environment ConfigurationProfile DeploymentStrategy InputArtifactConfigurationPath",
    ("Deploy", "OpsWorks"): "DeploymentType StackId",
    ("Deploy", "ServiceCatalog"): "ProductId",
    ("Approval", "Manual"): "",
    ("Invoke", "Lambda"): "FunctionName",
    ("Invoke", "StepFunctions"): "StateMachineArn",
    ("Invoke", "CodePipeline"): "PipelineName",
    ("Invoke", "InspectorScan"): "InspectorRunMode",
    ("Compute", "Commands"): "",
}
"""The service's own list of types with owner AWS, as recorded in September 2026, with the required keys."""

EMITTED = {
    ("Source", "AWS", "CodeCommit"): "AuthorDate BranchName CommitId CommitMessage CommitterDate RepositoryName",
    (
        "Source",
        "AWS",
        "CodeStarSourceConnection",
    ): "AuthorDate BranchName CommitId CommitMessage ConnectionArn FullRepositoryName",
    (
        "Source",
        "ThirdParty",
        "GitHub",
    ): "AuthorDate BranchName CommitId CommitMessage CommitterDate CommitUrl RepositoryName",
    ("Source", "AWS", "S3"): "BucketName ETag ObjectKey VersionId",
    ("Source", "AWS", "ECR"): "ImageDigest ImageTag ImageURI RegistryId RepositoryName",
    ("Deploy", "AWS", "CloudFormationStackSet"): "OperationId StackSetId",
    ("Deploy", "AWS", "CloudFormationStackInstances"): "OperationId StackSetId",
    ("Invoke", "AWS", "StepFunctions"): "StateMachineArn ExecutionArn",
    ("Build", "AWS", "ECRBuildAndPublish"): "ECRImageDigestId ECRRepositoryName",
    ("Deploy", "AWS", "EKS"): "EKSClusterName",
    ("Deploy", "AWS", "Lambda"): "FunctionVersion",
    ("Invoke", "AWS", "InspectorScan"): "HighestScannedSeverity",
}
"""Who emits which output variables (AWS CodePipeline User Guide, reference-variables and the action references)."""

OPEN = {
    ("Build", "CodeBuild"),
    ("Test", "CodeBuild"),
    ("Compute", "Commands"),
    ("Deploy", "CloudFormation"),
    ("Invoke", "Lambda"),
}
"""Whose output variables have names of the user's own."""

ON_CODEBUILD = {
    ("Build", "CodeBuild"),
    ("Test", "CodeBuild"),
    ("Build", "ECRBuildAndPublish"),
    ("Deploy", "EKS"),
    ("Invoke", "InspectorScan"),
    ("Compute", "Commands"),
}


def id_of(known):
    return known.category, known.owner, known.provider, known.version


def test_the_catalog_has_exactly_the_types_that_the_service_lists_with_their_required_keys():
    ours = {(t.category, t.provider): set(t.required) for t in ACTION_TYPES if t.owner == "AWS"}
    assert {type_: set(keys.split()) for type_, keys in LISTED_BY_THE_SERVICE.items()} == ours
    assert len(ours) == 28


def test_the_listed_types_have_as_many_keys_as_the_service_lists():
    assert sum(len(t.properties) for t in ACTION_TYPES if t.owner == "AWS") == 181


def test_types_of_others_have_the_owner_that_the_guide_gives():
    others = {(t.category, t.owner, t.provider) for t in ACTION_TYPES if t.owner != "AWS"}
    assert others == {
        ("Source", "ThirdParty", "GitHub"),
        ("Build", "Custom", "Jenkins"),
        ("Test", "Custom", "Jenkins"),
        ("Build", "Custom", "CloudBees"),
        ("Build", "Custom", "TeamCity"),
        ("Test", "Custom", "BlazeMeter"),
        ("Test", "ThirdParty", "GhostInspector"),
        ("Test", "ThirdParty", "StormRunnerLoad"),
        ("Test", "ThirdParty", "Nouvola"),
        ("Test", "ThirdParty", "Runscope"),
        ("Deploy", "ThirdParty", "AlexaSkillsKit"),
        ("Deploy", "Custom", "XebiaLabs"),
        ("Invoke", "ThirdParty", "Snyk"),
    }


def test_no_type_stands_twice():
    assert [id_ for id_, count in Counter(map(id_of, ACTION_TYPES)).items() if count > 1] == []


@EVERY_TYPE
def test_a_type_is_found_by_its_id_and_by_no_other(known):
    assert find_action_type(*id_of(known)) is known
    assert find_action_type(known.category, known.owner, known.provider, "2") is None
    assert find_action_type(known.category, known.owner, known.provider + "x") is None


@EVERY_TYPE
def test_an_id_keeps_the_constraints_of_the_service(known):
    assert fits("ActionCategory", known.category)
    assert fits("ActionOwner", known.owner)
    assert fits("ActionProvider", known.provider)
    assert fits("Version", known.version)


@EVERY_TYPE
def test_artifact_counts_are_ranges(known):
    for least, most in (known.inputs, known.outputs):
        assert 0 <= least <= most <= 10
    assert (known.inputs == (0, 0) and known.outputs == (1, 1)) or known.category != "Source"


@EVERY_TYPE
def test_keys_are_unique_fit_the_service_and_are_either_required_or_optional(known):
    names = [key.name for key in known.properties]
    assert len(names) == len(set(names))
    assert sorted((*known.required, *known.optional)) == sorted(names)
    for key in known.properties:
        assert fits("ActionConfigurationKey", key.name)
        assert fits("Description", key.description)
        assert fits("ActionConfigurationPropertyType", key.type)
        assert not (key.secret and key.queryable)


@EVERY_TYPE
def test_variables_fit_the_service_and_are_unique(known):
    assert len(known.output_variables) == len(set(known.output_variables))
    for name in known.output_variables:
        assert fits("OutputVariablesKey", name)


@EVERY_TYPE
def test_permissions_are_iam_actions_and_unique(known):
    assert len(known.permissions) == len(set(known.permissions))
    for permission in known.permissions:
        service, _, action = permission.partition(":")
        assert service.replace("-", "").isalnum() and service.islower()
        assert action == "*" or (action.isalnum() and action[0].isupper())
    assert known.permissions or known.owner == "ThirdParty"


@EVERY_TYPE
def test_durations_say_what_they_rest_on(known):
    assert 0 < known.duration.median < known.duration.p95 < known.timeout
    assert len(known.duration.source.split()) >= 6
    assert known.duration.assumed is ("recorded answers of the service" not in known.duration.source)


@EVERY_TYPE
def test_every_row_is_described_and_names_its_source(known):
    assert known.description.endswith(".")
    assert "AWS CodePipeline User Guide" in known.source
    assert ("ListActionTypes" in known.source) is (known.owner == "AWS")


@EVERY_TYPE
def test_links_are_templates_of_this_type(known):
    for url in filter(None, (known.entity_url, known.execution_url, known.revision_url)):
        assert fits("UrlTemplate", url)
        assert "us-east-1" not in url
        for key in url.split("{Config:")[1:]:
            assert key.split("}")[0] in (*known.required, *known.optional)


@pytest.mark.parametrize(("type_", "names"), EMITTED.items(), ids=["/".join(type_) for type_ in EMITTED])
def test_producers_emit_what_is_documented(type_, names):
    assert set(find_action_type(*type_).output_variables) == set(names.split())


def test_nobody_else_emits_variables():
    assert {id_of(known)[:3] for known in ACTION_TYPES if known.output_variables} == set(EMITTED)
    assert {(known.category, known.provider) for known in ACTION_TYPES if known.open_variables} == OPEN


def test_the_pool_of_builds_is_for_what_runs_on_codebuild():
    assert {(known.category, known.provider) for known in ACTION_TYPES if known.pool == "builds"} == ON_CODEBUILD
    assert {known.pool for known in ACTION_TYPES} == {"builds", None}
    for known in ACTION_TYPES:
        assert (known.pool is None or known.provider == "CodeBuild") or "CodeBuild compute" in known.note


def test_v2_only_types_are_those_that_the_guide_marks():
    assert {(known.category, known.provider) for known in ACTION_TYPES if known.v2_only} == {
        ("Build", "ECRBuildAndPublish"),
        ("Compute", "Commands"),
        ("Deploy", "EKS"),
        ("Deploy", "EC2"),
        ("Deploy", "Lambda"),
        ("Invoke", "CodePipeline"),
    }


@pytest.mark.parametrize(
    ("type_", "hours"),
    [
        (("Approval", "AWS", "Manual"), 7 * 24),
        (("Deploy", "AWS", "CloudFormation"), 3 * 24),
        (("Deploy", "AWS", "CloudFormationStackSet"), 3 * 24),
        (("Deploy", "AWS", "CodeDeploy"), 5 * 24),
        (("Deploy", "AWS", "CodeDeployToECS"), 5 * 24),
        (("Build", "AWS", "CodeBuild"), 36),
        (("Test", "AWS", "CodeBuild"), 8),
        (("Invoke", "AWS", "Lambda"), 24),
        (("Invoke", "AWS", "StepFunctions"), 7 * 24),
        (("Deploy", "AWS", "S3"), 1.5),
        (("Compute", "AWS", "Commands"), 55 / 60),
        (("Deploy", "AWS", "ECS"), 1),
        (("Source", "AWS", "S3"), 1),
        (("Build", "Custom", "Jenkins"), 24),
    ],
)
def test_timeouts_are_those_of_the_guide(type_, hours):
    assert find_action_type(*type_).timeout == pytest.approx(hours * 3600)


def test_secrets_are_marked():
    secrets = {(known.provider, key.name) for known in ACTION_TYPES for key in known.properties if key.secret}
    assert secrets == {
        ("GitHub", "OAuthToken"),
        ("AlexaSkillsKit", "ClientSecret"),
        ("AlexaSkillsKit", "RefreshToken"),
    }


def test_unpublished_keys_are_said_to_be_unknown():
    unknown = {known.provider for known in ACTION_TYPES if not known.keys_known}
    assert unknown == {
        *("CloudBees", "TeamCity", "BlazeMeter", "GhostInspector", "StormRunnerLoad"),
        *("Nouvola", "Runscope", "XebiaLabs", "Snyk"),
    }
    assert all(known.owner != "AWS" for known in ACTION_TYPES if not known.keys_known)


def test_importing_the_module_reads_no_table():
    code = "import sys, pipesim.catalog.action_types as a; sys.exit(a._table.cache_info().currsize)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_name_that_the_module_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="ACTION_TIPES"):
        _ = action_types.ACTION_TIPES
