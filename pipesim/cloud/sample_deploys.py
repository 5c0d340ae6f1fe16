"""The files of an assumed source that deploys read: image definitions, task definitions, AppSpec files, manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from pipesim.definition.model import Action, Pipeline

CONTAINER = "app"
IMAGE = "public.ecr.aws/docker/library/nginx:1.27"
TEMPLATE: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "A small stack for lessons",
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {"TopicArn": {"Value": {"Ref": "Topic"}}},
}


def files_of(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    """Return what a deploy reads out of its input artifacts.

    Args:
        pipeline: whose deploy.
        action: the deploy; others read nothing here.
    """
    maker = _MAKERS.get(action.provider) if action.category == "Deploy" else None
    if maker is not None:
        yield from maker(pipeline, action)


def _ecs(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    name = action.configuration.get("FileName", "imagedefinitions.json")
    yield name, _json([{"name": CONTAINER, "imageUri": IMAGE}])


def _codedeploy_to_ecs(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    configuration = action.configuration
    placeholder = configuration.get("Image1ContainerName")
    container = {
        "name": CONTAINER,
        "image": f"<{placeholder}>" if placeholder else IMAGE,
        "memory": 128,
        "essential": True,
        "portMappings": [{"containerPort": 80}],
    }
    definition = {"family": pipeline.name, "networkMode": "awsvpc", "containerDefinitions": [container]}
    yield configuration.get("TaskDefinitionTemplatePath", "taskdef.json"), _json(definition)
    properties = {
        "TaskDefinition": "<TASK_DEFINITION>",
        "LoadBalancerInfo": {"ContainerName": CONTAINER, "ContainerPort": 80},
    }
    service = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
    yield configuration.get("AppSpecTemplatePath", "appspec.yaml"), _yaml({"version": 0.0, "Resources": [service]})
    yield "imageDetail.json", _json({"ImageURI": IMAGE})


def _stack_set(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    content = {
        "Parameters": [],
        "ParameterOverrides": [],
        "DeploymentTargets": pipeline.role_arn.split(":")[4:5],
        "Regions": [action.region or "us-east-1"],
    }
    for key, value in content.items():
        if path := action.configuration.get(key, "").partition("::")[2]:
            yield path, _json(value)


def _json(content: object) -> bytes:
    return json.dumps(content, indent=2).encode()


def _yaml(content: object) -> bytes:
    return str(yaml.safe_dump(content, sort_keys=False)).encode()


_MAKERS = {
    "ECS": _ecs,
    "CodeDeployToECS": _codedeploy_to_ecs,
    "CloudFormationStackSet": _stack_set,
    "CloudFormationStackInstances": _stack_set,
}
