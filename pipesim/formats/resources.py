"""What CloudFormation's ``Ref`` and ``Fn::GetAtt`` answer for resources of a template, with readable names.

Source: AWS CloudFormation template reference, "Return values" of each resource type.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

_ARNS = {
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::IAM::ManagedPolicy": "arn:{partition}:iam::{account}:policy/{name}",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
    "AWS::CodeCommit::Repository": "arn:{partition}:codecommit:{region}:{account}:{name}",
    "AWS::CodePipeline::Pipeline": "arn:{partition}:codepipeline:{region}:{account}:{name}",
    "AWS::CloudWatch::Alarm": "arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::Logs::LogGroup": "arn:{partition}:logs:{region}:{account}:log-group:{name}:*",
    "AWS::SecretsManager::Secret": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{id}",
    "AWS::CodeStarConnections::Connection": "arn:{partition}:codestar-connections:{region}:{account}:connection/{id}",
    "AWS::CodeConnections::Connection": "arn:{partition}:codeconnections:{region}:{account}:connection/{id}",
}
_REF_IS_ARN = frozenset(
    {
        "AWS::SNS::Topic",
        "AWS::IAM::ManagedPolicy",
        "AWS::StepFunctions::StateMachine",
        "AWS::SecretsManager::Secret",
        "AWS::CodeStarConnections::Connection",
        "AWS::CodeConnections::Connection",
        "AWS::ECS::Service",
    }
)


def name_of(logical_id: str, kind: str, properties: Mapping[str, Any]) -> str:
    """Return a resource's name: the one that its properties give, else its logical id.

    >>> name_of("Store", "AWS::S3::Bucket", {"BucketName": "artifacts"}), name_of("Store", "AWS::S3::Bucket", {})
    ('artifacts', 'store')
    """
    given = properties.get(f"{kind.rpartition('::')[2]}Name", properties.get("Name"))
    if isinstance(given, str) and given:
        return given
    return logical_id.lower() if kind == "AWS::S3::Bucket" else logical_id


def arn_of(name: str, kind: str, pseudo: Mapping[str, Any]) -> str:
    """Return a resource's ARN; ids that the service would draw follow from the name.

    >>> arn_of("build", "AWS::CodeBuild::Project",
    ...     {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "111122223333"})
    'arn:aws:codebuild:us-east-1:111122223333:project/build'
    """
    _, service, last = (*kind.split("::"), "", "")[:3]
    pattern = _ARNS.get(kind, f"arn:{{partition}}:{service.lower()}:{{region}}:{{account}}:{last.lower()}/{{name}}")
    return pattern.format(
        partition=pseudo["AWS::Partition"],
        region=pseudo["AWS::Region"],
        account=pseudo["AWS::AccountId"],
        name=name,
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}"),
    )


def reference(name: str, kind: str, pseudo: Mapping[str, Any]) -> str:
    """Return what ``Ref`` answers: the ARN for some types, the name for most."""
    if kind == "AWS::SQS::Queue":
        return f"https://sqs.{pseudo['AWS::Region']}.{pseudo['AWS::URLSuffix']}/{pseudo['AWS::AccountId']}/{name}"
    if kind == "AWS::KMS::Key":
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}"))
    return arn_of(name, kind, pseudo) if kind in _REF_IS_ARN else name


def attribute(name: str, kind: str, wanted: str, pseudo: Mapping[str, Any]) -> str | None:
    """Return what ``Fn::GetAtt`` answers for names and ARNs; None for what only a living resource knows."""
    last = kind.rpartition("::")[2]
    if wanted in ("Arn", f"{last}Arn"):
        return arn_of(name, kind, pseudo)
    if wanted in ("Name", f"{last}Name"):
        return name
    if kind == "AWS::ECR::Repository" and wanted == "RepositoryUri":
        return f"{pseudo['AWS::AccountId']}.dkr.ecr.{pseudo['AWS::Region']}.{pseudo['AWS::URLSuffix']}/{name}"
    return None
