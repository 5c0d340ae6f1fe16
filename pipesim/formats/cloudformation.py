"""A pipeline as ``AWS::CodePipeline::Pipeline`` of a CloudFormation template, in and out.

A template writes the declaration's members in PascalCase, and artifact stores by region as a list. Names are turned
along botocore's own shape of the declaration, so that the keys of configurations stay as they are.
Source: AWS CloudFormation template reference, "AWS::CodePipeline::Pipeline".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pipesim.definition.constraints import declaration_shape
from pipesim.definition.model import Pipeline
from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean
from pipesim.definition.writing import to_document
from pipesim.errors import SourceError
from pipesim.formats.intrinsics import Template
from pipesim.formats.template_yaml import dump_yaml

PIPELINE = "AWS::CodePipeline::Pipeline"
_NOT_DECLARED = ("DisableInboundStageTransitions", "RestartExecutionOnUpdate", "Tags")


def from_template(
    document: Mapping[str, Any],
    *,
    resource: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    origin: str = "the template",
) -> dict[str, Any]:
    """Return the declaration that a template makes, as CodePipeline's JSON.

    Closed transitions, tags and ``RestartExecutionOnUpdate`` are no part of a declaration and are left out.

    Args:
        document: the template, its functions in their long form.
        resource: the logical id of the pipeline; needed when the template has several.
        parameters: values of its parameters by name; the rest takes its default.
        origin: where it comes from, for messages.

    Raises:
        SourceError: there is no such pipeline or several, or a value cannot be resolved.

    >>> found = from_template({"Resources": {"Shop": {"Type": "AWS::CodePipeline::Pipeline", "Properties": {
    ...     "Name": {"Fn::Sub": "shop-${AWS::Region}"}, "RoleArn": "arn:aws:iam::111122223333:role/p", "Stages": []}}}})
    >>> found["name"], found["roleArn"]
    ('shop-us-east-1', 'arn:aws:iam::111122223333:role/p')
    """
    template = Template(document, parameters or {}, origin)
    logical_id = _choose(template, resource)
    path = join("Resources", logical_id, "Properties")
    properties = template.resolve(template.resources[logical_id].get("Properties") or {}, path)
    if not isinstance(properties, Mapping):
        template.refuse(path, "it is no object")
    kept = {key: value for key, value in properties.items() if key not in _NOT_DECLARED}
    declaration = _declared(declaration_shape(), kept)
    return {"name": template.name(logical_id, path), **declaration}


def to_template(pipeline: Pipeline, *, logical_id: str = "Pipeline") -> dict[str, Any]:
    """Return a template that makes this pipeline; `pipesim.load` reads it back as the same pipeline.

    The number of the version is the service's own and is not written.

    >>> from pipesim.formats.load import load
    >>> template = to_template(load("GitHub -> CodeBuild -> S3"))
    >>> template["Resources"]["Pipeline"]["Properties"]["Stages"][1]["Actions"][0]["ActionTypeId"]["Provider"]
    'CodeBuild'
    """
    return template_of(to_document(pipeline), logical_id=logical_id)


def template_of(declaration: Mapping[str, Any], *, logical_id: str = "Pipeline") -> dict[str, Any]:
    """Return a template for a bare declaration, which may be unfinished."""
    members = {key: value for key, value in declaration.items() if key != "version"}
    properties = _templated(declaration_shape(), members)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {logical_id: {"Type": PIPELINE, "Properties": properties}},
    }


def to_template_text(pipeline: Pipeline | Mapping[str, Any], *, form: Literal["yaml", "json"] = "yaml") -> str:
    """Return the template as the text of a file.

    Args:
        pipeline: a pipeline or a bare declaration.
        form: ``yaml`` or ``json``.

    >>> from pipesim.formats.load import load
    >>> print(to_template_text(load("GitHub -> CodeBuild -> S3"))[:38])
    AWSTemplateFormatVersion: '2010-09-09'
    """
    template = to_template(pipeline) if isinstance(pipeline, Pipeline) else template_of(pipeline)
    return dump_yaml(template) if form == "yaml" else json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _choose(template: Template, wanted: str | None) -> str:
    kinds = {name: str(one.get("Type")) if isinstance(one, Mapping) else "" for name, one in template.resources.items()}
    found = [name for name, kind in kinds.items() if kind == PIPELINE]
    if wanted is not None:
        if wanted in found:
            return wanted
        hint = did_you_mean(wanted, found) or f"its pipelines are {', '.join(found) or 'none'}"
        raise SourceError(f"{template.origin} has no pipeline '{wanted}': {hint}.")
    if not found:
        others = ", ".join(sorted(set(kinds.values()))[:6]) or "no resources"
        raise SourceError(f"{template.origin} is a CloudFormation template without a pipeline: it has {others}.")
    if len(found) > 1:
        raise SourceError(
            f"{template.origin} has {len(found)} pipelines: {', '.join(found)}. "
            f"Choose one: load(…, resource='{found[0]}'), or write #{found[0]} after the path."
        )
    return found[0]


def _declared(shape: Any, value: Any) -> Any:
    """Turn a value of the template into the declaration's, beside its shape."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            members = {}
            for key, one in value.items():
                name = str(key)[:1].lower() + str(key)[1:]
                members[name] = _declared(shape.members[name], one) if name in shape.members else one
            return members
        case "list" if isinstance(value, list):
            return [_declared(shape.member, one) for one in value]
        case "map" if isinstance(value, list):
            stores = [one if isinstance(one, Mapping) else {} for one in value]
            return {str(one.get("Region")): _declared(shape.value, one.get("ArtifactStore")) for one in stores}
        case "map" if isinstance(value, Mapping):
            return {str(key): _declared(shape.value, one) for key, one in value.items()}
        case "string" if isinstance(value, bool):
            return str(value).lower()
        case "string" if isinstance(value, int | float):
            return str(value)
    return value


def _templated(shape: Any, value: Any) -> Any:
    """Turn a value of the declaration into the template's, beside its shape."""
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            members = {}
            for name, one in value.items():
                known = shape.members.get(name)
                members[f"{name[:1].upper()}{name[1:]}"] = one if known is None else _templated(known, one)
            return members
        case "list" if isinstance(value, list):
            return [_templated(shape.member, one) for one in value]
        case "map" if isinstance(value, Mapping) and shape.value.type_name == "structure":
            return [{"Region": key, "ArtifactStore": _templated(shape.value, one)} for key, one in value.items()]
    return value
