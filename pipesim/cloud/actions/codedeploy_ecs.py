"""The blue/green deploy to ECS: a task definition and an AppSpec file are filled in, and CodeDeploy shifts traffic.

A hook of the AppSpec file names a Lambda function; one that the account does not have fails its lifecycle event.
Source: AWS CodePipeline User Guide, "Amazon ECS and CodeDeploy blue-green action reference", "Tutorial: Create a
pipeline with an Amazon ECR source and ECS-to-CodeDeploy deployment".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy
import yaml
from botocore.exceptions import ClientError
from moto.codedeploy.models import codedeploy_backends
from moto.ecs.models import ecs_backends

from pipesim.cloud.actions.codedeploy import assumed_failure, ended
from pipesim.cloud.actions.ecs_deploy import missing_image, register
from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import read
from pipesim.cloud.permissions import role_client, session_of
from pipesim.cloud.rollout import Rollout, RolloutFailed
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

PLACEHOLDER = "<TASK_DEFINITION>"
IMAGES = range(1, 5)


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Register the task definition, and deploy it."""
    configuration = run.configuration
    application, group = configuration["ApplicationName"], configuration["DeploymentGroupName"]
    text = _text(account, run, "TaskDefinitionTemplate", "taskdef.json")
    appspec = _text(account, run, "AppSpecTemplate", "appspec.yaml")
    images = _images(account, run)
    for name, image in images.items():
        text = text.replace(f"<{name}>", image)
    definition = _parsed(text, "task definition")
    if PLACEHOLDER not in appspec:
        raise ActionFailed(f"The AppSpec file has no placeholder {PLACEHOLDER}.", FailureType.CONFIGURATION_ERROR)
    client = role_client(account, run, "codedeploy")
    client.get_application(applicationName=application)
    arn = register(account, run, role_client(account, run, "ecs"), definition)
    appspec = appspec.replace(PLACEHOLDER, arn)
    hooks = _hooks(_parsed(appspec, "AppSpec"))
    content = {"content": appspec, "sha256": hashlib.sha256(appspec.encode()).hexdigest()}
    revision = {"revisionType": "AppSpecContent", "appSpecContent": content}
    client.register_application_revision(applicationName=application, revision=revision)
    made = client.create_deployment(applicationName=application, deploymentGroupName=group, revision=revision)
    region = run.plan.action.region or account.region
    backend = codedeploy_backends[session_of(account, run).account][region]
    rollout = Rollout(account, backend, backend.get_deployment(made["deploymentId"]))
    duration, fails = draw(run)
    broken = _broken(account, run, hooks)
    if (missing := missing_image(account, run, images.values())) is not None:
        broken["Install"] = ("CannotPullContainerError", f"The image {missing} does not exist.")
    failure = assumed_failure(run, fails)
    code = FailureType(run.plan.assumption.code)
    try:
        yield from rollout.on_ecs(min(duration, run.plan.timeout), broken)
    except RolloutFailed as failed:
        failure, code = failed, FailureType.JOB_FAILED
    if failure is None:
        _take_over(rollout, arn)
    return ended(account, run, rollout, failure, code)


def _text(account: Account, run: ActionRun, what: str, default: str) -> str:
    artifact = run.configuration[f"{what}Artifact"]
    path = run.configuration.get(f"{what}Path", default)
    if artifact not in run.plan.action.input_artifacts:
        raise ActionFailed(f"{what}Artifact '{artifact}' is no input artifact.", FailureType.CONFIGURATION_ERROR)
    body = read(account, run, artifact).read(path)
    if body is None:
        raise ActionFailed(
            f"The input artifact '{artifact}' has no file '{path}' ({what}Path).", FailureType.CONFIGURATION_ERROR
        )
    return body.decode(errors="replace")


def _images(account: Account, run: ActionRun) -> dict[str, str]:
    """The URI of each image by its placeholder, out of imageDetail.json."""
    images = {}
    for number in IMAGES:
        artifact = run.configuration.get(f"Image{number}ArtifactName")
        name = run.configuration.get(f"Image{number}ContainerName")
        if not artifact or not name:
            continue
        if artifact not in run.plan.action.input_artifacts:
            raise ActionFailed(
                f"Image{number}ArtifactName '{artifact}' is no input artifact.", FailureType.CONFIGURATION_ERROR
            )
        body = read(account, run, artifact).read("imageDetail.json")
        try:
            images[name] = str(json.loads(body or b"")["ImageURI"])
        except (ValueError, KeyError, TypeError):
            raise ActionFailed(
                f"The input artifact '{artifact}' has no imageDetail.json with an ImageURI.",
                FailureType.CONFIGURATION_ERROR,
            ) from None
    return images


def _parsed(text: str, what: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        document = None
    if not isinstance(document, Mapping):
        raise ActionFailed(f"The {what} file is neither JSON nor YAML.", FailureType.CONFIGURATION_ERROR)
    return document


def _hooks(appspec: Mapping[str, Any]) -> dict[str, str]:
    """The functions by lifecycle event."""
    return {str(event): str(name) for one in appspec.get("Hooks") or () for event, name in one.items()}


def _broken(account: Account, run: ActionRun, hooks: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    functions, broken = account.client("lambda", run.plan.action.region), {}
    for event, name in hooks.items():
        try:
            functions.get_function(FunctionName=name)
        except ClientError:
            broken[event] = ("HookFailed", f"The hook function {name} does not exist.")
    return broken


def _take_over(rollout: Rollout, arn: str) -> None:
    """The service runs the new task definition from now on."""
    backend = ecs_backends[rollout.backend.account_id][rollout.backend.region_name]
    for target in rollout.progress.targets:
        service = backend.services.get(target.id)
        if service is not None:
            service.task_definition = arn
