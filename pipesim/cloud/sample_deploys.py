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


def _ec2(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    for key in ("PreScript", "PostScript"):
        if path := action.configuration.get(key):
            yield path, f"#!/bin/sh\necho {key}\n".encode()
    if path := action.configuration.get("DeploySpec"):
        yield path, _yaml({"version": 0.1, "files": [{"source": "/", "destination": "/srv"}]})


def _eks(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    configuration = action.configuration
    for path in _listed(configuration.get("ManifestFiles", "")):
        yield path, _yaml({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": pipeline.name.lower()}})
    for path in _listed(configuration.get("HelmValuesFiles", "")):
        yield path, _yaml({"image": IMAGE})
    for key, file in (("HelmChartLocation", "Chart.yaml"), ("KustomizationDirectory", "kustomization.yaml")):
        if folder := configuration.get(key, "").removeprefix("./").strip("/"):
            yield f"{folder}/{file}", _yaml({"apiVersion": "v2", "name": pipeline.name.lower(), "version": "1.0.0"})


def _appconfig(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    yield action.configuration["InputArtifactConfigurationPath"], _json({"feature": {"enabled": True}})


def _service_catalog(pipeline: Pipeline, action: Action) -> Iterator[tuple[str, bytes]]:
    template = action.configuration.get("TemplateFilePath", "product.json")
    if path := action.configuration.get("ConfigurationFilePath"):
        properties = {"TemplateFilePath": f"/{template}"}
        yield path, _json({"SchemaVersion": "1.0", "ProductVersionName": "sample", "Properties": properties})
    yield template.lstrip("/"), _json(TEMPLATE)


def _listed(text: str) -> list[str]:
    return [one.strip().removeprefix("./") for one in text.split(",") if one.strip()]


def _json(content: object) -> bytes:
    return json.dumps(content, indent=2).encode()


def _yaml(content: object) -> bytes:
    return str(yaml.safe_dump(content, sort_keys=False)).encode()


_MAKERS = {
    "AppConfig": _appconfig,
    "EC2": _ec2,
    "EKS": _eks,
    "ServiceCatalog": _service_catalog,
    "ECS": _ecs,
    "CodeDeployToECS": _codedeploy_to_ecs,
    "CloudFormationStackSet": _stack_set,
    "CloudFormationStackInstances": _stack_set,
}
