"""Plausible configuration for the actions of a sketch: every required key, with names made from the labels.

All accounts are 111122223333, the number that AWS's own documentation uses for examples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipesim.catalog.action_types import find_action_type
from pipesim.definition.model import ActionTypeId
from pipesim.formats.sketch_words import BRANDS

ACCOUNT = "111122223333"
REGION = "us-east-1"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/CodePipelineServiceRole"
BUCKET = f"codepipeline-{REGION}-{ACCOUNT}"
CONNECTION_ARN = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/aabbccdd-1122-3344-5566-77889900aabb"

_TEMPLATES: dict[tuple[str, str], dict[str, str]] = {
    ("Source", "CodeCommit"): {"RepositoryName": "{repository}", "BranchName": "main"},
    ("Source", "CodeStarSourceConnection"): {
        "ConnectionArn": CONNECTION_ARN,
        "FullRepositoryId": "example/{repository}",
        "BranchName": "main",
    },
    ("Source", "S3"): {"S3Bucket": "{bucket}", "S3ObjectKey": "source.zip"},
    ("Source", "ECR"): {"RepositoryName": "{repository}", "ImageTag": "latest"},
    ("Build", "CodeBuild"): {"ProjectName": "{pipeline}-{subject}"},
    ("Test", "CodeBuild"): {"ProjectName": "{pipeline}-{subject}"},
    ("Build", "ECRBuildAndPublish"): {"ECRRepositoryName": "{pipeline}-{subject}"},
    ("Test", "DeviceFarm"): {
        "ProjectId": "aabbccdd-1122-3344-5566-77889900aabb",
        "DevicePoolArn": f"arn:aws:devicefarm:us-west-2:{ACCOUNT}:devicepool:"
        "aabbccdd-1122-3344-5566-77889900aabb/00112233-4455-6677-8899-aabbccddeeff",
        "AppType": "Android",
        "TestType": "APPIUM_PYTHON",
        "App": "app.apk",
        "Test": "tests.zip",
    },
    ("Deploy", "CodeDeploy"): {"ApplicationName": "{pipeline}", "DeploymentGroupName": "{subject}"},
    ("Deploy", "CodeDeployToECS"): {
        "ApplicationName": "{pipeline}",
        "DeploymentGroupName": "{subject}",
        "TaskDefinitionTemplateArtifact": "{artifact}",
        "AppSpecTemplateArtifact": "{artifact}",
    },
    ("Deploy", "ECS"): {"ClusterName": "{pipeline}", "ServiceName": "{subject}", "FileName": "imagedefinitions.json"},
    ("Deploy", "EKS"): {"ClusterName": "{pipeline}", "ManifestFiles": "deployment.yaml", "Namespace": "{subject}"},
    ("Deploy", "EC2"): {
        "InstanceType": "EC2",
        "InstanceTagKey": "Environment",
        "InstanceTagValue": "{subject}",
        "TargetDirectory": "/srv/app",
    },
    ("Deploy", "ElasticBeanstalk"): {"ApplicationName": "{pipeline}", "EnvironmentName": "{pipeline}-{subject}"},
    ("Deploy", "CloudFormation"): {
        "ActionMode": "CREATE_UPDATE",
        "StackName": "{pipeline}-{subject}",
        "TemplatePath": "{artifact}::template.yaml",
        "Capabilities": "CAPABILITY_IAM",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/CloudFormationDeployRole",
    },
    ("Deploy", "CloudFormationStackSet"): {
        "StackSetName": "{pipeline}-{subject}",
        "TemplatePath": "{artifact}::template.yaml",
        "DeploymentTargets": ACCOUNT,
        "Regions": REGION,
    },
    ("Deploy", "CloudFormationStackInstances"): {
        "StackSetName": "{pipeline}-{subject}",
        "DeploymentTargets": ACCOUNT,
        "Regions": REGION,
    },
    ("Deploy", "S3"): {"BucketName": "{bucket}", "Extract": "true"},
    ("Deploy", "AppConfig"): {
        "Application": "{pipeline}",
        "Environment": "{subject}",
        "ConfigurationProfile": "settings",
        "DeploymentStrategy": "AppConfig.AllAtOnce",
        "InputArtifactConfigurationPath": "settings.json",
    },
    ("Deploy", "ServiceCatalog"): {"ProductId": "prod-0123456789abc", "ConfigurationFilePath": "configuration.json"},
    ("Deploy", "Lambda"): {"FunctionName": "{pipeline}-{subject}", "FunctionAlias": "live"},
    ("Invoke", "Lambda"): {"FunctionName": "{pipeline}-{subject}"},
    ("Invoke", "StepFunctions"): {
        "StateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{pipeline}}-{{subject}}"
    },
    ("Invoke", "InspectorScan"): {"InspectorRunMode": "SourceCodeScan", "CriticalThreshold": "0"},
    ("Invoke", "CodePipeline"): {"PipelineName": "{pipeline}-next"},
}


def configure(
    action_type: ActionTypeId, *, pipeline: str, subject: str, inputs: Sequence[str], sole: bool
) -> dict[str, str]:
    """Fill in the configuration of one sketched action.

    Args:
        action_type: the type of the action.
        pipeline: the name of the pipeline.
        subject: what the action is about, such as ``Staging``.
        inputs: its input artifacts.
        sole: whether it is the only source, so that the repository carries the pipeline's name.
    """
    words = {
        "pipeline": kebab(pipeline),
        "subject": kebab(subject),
        "repository": kebab(pipeline if sole else subject),
        "bucket": _bucket(f"{kebab(pipeline)}-{kebab(subject)}"),
        "artifact": inputs[-1] if inputs else "",
    }
    template = _TEMPLATES.get((action_type.category, action_type.provider)) if action_type.owner == "AWS" else None
    if template is None:
        template = {key: _plausible(key) for key in _required(action_type)}
    filled = {key: value.format(**words) for key, value in template.items()}
    if action_type.provider == "CodeBuild" and len(inputs) > 1:
        filled["PrimarySource"] = inputs[0]
    if action_type.provider == "CodeDeployToECS":
        for number, artifact in enumerate(inputs, start=1):
            filled[f"Image{number}ArtifactName"] = artifact
            filled[f"Image{number}ContainerName"] = f"IMAGE{number}_NAME"
    return filled


def kebab(name: str) -> str:
    """Write a name in small letters with hyphens.

    >>> kebab("ServiceA"), kebab("CodeDeploy"), kebab("us-east-1")
    ('service-a', 'codedeploy', 'us-east-1')
    """
    joined = re.sub("|".join(BRANDS), lambda match: match.group().capitalize(), name)
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", joined)
    return re.sub(r"[^a-z0-9]+", "-", parted.lower()).strip("-") or "main"


def _bucket(stem: str) -> str:
    return f"{stem[:40].strip('-')}-{ACCOUNT}"


def _required(action_type: ActionTypeId) -> tuple[str, ...]:
    known = find_action_type(action_type.category, action_type.owner, action_type.provider, action_type.version)
    return known.required if known else ()


def _plausible(key: str) -> str:
    if key.endswith("Arn"):
        return f"arn:aws:iam::{ACCOUNT}:role/{{pipeline}}-{{subject}}"
    if key in ("ClientSecret", "RefreshToken", "OAuthToken"):
        return "****"
    return "{pipeline}-{subject}"
