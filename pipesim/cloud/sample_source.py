"""The source that is assumed of a pipeline: small files that let every action find what it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress

import yaml

from pipesim.cloud import sample_deploys
from pipesim.cloud.sample_deploys import TEMPLATE
from pipesim.definition.model import Action, Pipeline, Rule
from pipesim.definition.variables import references_of

HANDLER = b'''"""A function that tells the pipeline that its job is done."""

import boto3


def handler(event, context):
    job = event["CodePipeline.job"]["id"]
    boto3.client("codepipeline").put_job_success_result(jobId=job)
'''
PARAMETER = re.compile(r'"Fn::GetParam"\s*:\s*\[\s*"([^"]*)"\s*,\s*"([^"]*)"\s*,\s*"([^"]*)"')


def source_files(pipeline: Pipeline) -> dict[str, bytes]:
    """Return the files of a source that suits a pipeline: a page, a buildspec, an AppSpec, and what its actions name.

    Args:
        pipeline: whose templates, parameter files and exported variables are wanted.
    """
    files = {
        "README.md": f"# {pipeline.name}\n".encode(),
        "index.html": f"<!doctype html>\n<title>{pipeline.name}</title>\n".encode(),
        "buildspec.yml": _yaml(_buildspec(pipeline)),
        "appspec.yml": _yaml({"version": 0.0, "os": "linux", "files": [{"source": "/", "destination": "/var/www"}]}),
        "template.yml": _yaml(TEMPLATE),
        "app.py": HANDLER,
    }
    files.update(_named(pipeline))
    return files


def _buildspec(pipeline: Pipeline) -> dict[str, object]:
    """A buildspec that exports every variable that the pipeline reads from its builds."""
    builds = {action.namespace for _, action in pipeline.actions() if action.provider == "CodeBuild"}
    wanted = [key for key in _read_from(pipeline, builds) if not key.startswith("CODEBUILD_")]
    spec: dict[str, object] = {"version": 0.2}
    if wanted:
        spec["env"] = {"exported-variables": wanted}
    if any(action.configuration.get("BatchEnabled", "").lower() == "true" for _, action in pipeline.actions()):
        spec["batch"] = {"build-list": [{"identifier": "build1"}, {"identifier": "build2"}]}
    return {**spec, "phases": {"build": {"commands": ["make", "make test"]}}, "artifacts": {"files": ["**/*"]}}


def _template(pipeline: Pipeline, path: str) -> dict[str, object]:
    """A template with the parameters that any action overrides at this path, and the outputs that are read."""
    users = [action for _, action in pipeline.actions() if action.configuration.get("TemplatePath") == path]
    parameters: dict[str, object] = {}
    for action in users:
        with suppress(ValueError):
            overrides = json.loads(action.configuration.get("ParameterOverrides", "{}"))
            parameters.update({str(name): {"Type": "String"} for name in overrides})
    outputs = {key: {"Value": {"Ref": "Topic"}} for key in _read_from(pipeline, _namespaces(pipeline))}
    return {**TEMPLATE, "Parameters": parameters, "Outputs": {"TopicArn": {"Value": {"Ref": "Topic"}}, **outputs}}


def _namespaces(pipeline: Pipeline) -> set[str | None]:
    return {action.namespace for _, action in pipeline.actions() if action.provider == "CloudFormation"}


def _read_from(pipeline: Pipeline, namespaces: set[str | None]) -> list[str]:
    """The variables that the pipeline reads from these namespaces."""
    users: list[Action | Rule] = [action for _, action in pipeline.actions()]
    users += [rule for stage in pipeline.stages for rule in stage.rules]
    references = (reference for user in users for reference in references_of(user))
    return list(dict.fromkeys(one.key for one in references if one.namespace in namespaces))


def _named(pipeline: Pipeline) -> Iterator[tuple[str, bytes]]:
    """The files that actions name in their configuration."""
    for _, action in pipeline.actions():
        configuration = action.configuration
        template = _template(pipeline, configuration.get("TemplatePath", ""))
        for key, content in (("TemplatePath", template), ("TemplateConfiguration", {"Parameters": {}})):
            if path := configuration.get(key, "").partition("::")[2]:
                yield path, _json(content) if path.endswith(".json") else _yaml(content)
        yield from _of_checks(action)
        yield from sample_deploys.files_of(pipeline, action)
        parameters: dict[str, dict[str, str]] = {}
        for _, path, key in PARAMETER.findall(configuration.get("ParameterOverrides", "")):
            parameters.setdefault(path, {})[key] = key
        for path, values in parameters.items():
            yield path, _json(values)


def _of_checks(action: Action) -> Iterator[tuple[str, bytes]]:
    """What builds of images, runs on devices and state machines read."""
    configuration = action.configuration
    if action.provider == "ECRBuildAndPublish":
        path = configuration.get("DockerFilePath", "").removeprefix("./").strip("/")
        whole = path if path.rsplit("/", 1)[-1].startswith("Dockerfile") else f"{path}/Dockerfile".lstrip("/")
        yield whole, b"FROM public.ecr.aws/docker/library/python:3.12\nCOPY . .\n"
    if action.provider == "DeviceFarm":
        for key in ("App", "Test"):
            if name := configuration.get(key):
                yield name, f"{key} of lessons\n".encode()
    if action.provider == "StepFunctions" and configuration.get("InputType") == "FilePath":
        yield configuration.get("Input", "input.json"), _json({})


def _yaml(content: object) -> bytes:
    return str(yaml.safe_dump(content, sort_keys=False)).encode()


def _json(content: object) -> bytes:
    return json.dumps(content, indent=2).encode()
