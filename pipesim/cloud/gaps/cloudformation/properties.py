"""A template's properties as a service's API takes them, by the shapes of botocore's model.

Templates write names in PascalCase where most APIs write camelCase; the rest is the same but for a few lists that
templates wrap. Source: AWS CloudFormation Template Reference; botocore's models.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel


class PropertyError(ValueError):
    """A property that the type does not have, or lacks."""


@cache
def model_of(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.Session().get_service_model(service)


def request(service: str, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an operation takes, out of a template's properties.

    Args:
        service: as boto3 calls it.
        operation: such as ``CreateProject``.
        properties: of the template, references resolved.

    Raises:
        PropertyError: with CloudFormation's sentence.
    """
    made: dict[str, Any] = translate(model_of(service).operation_model(operation).input_shape, properties)
    return made


def translate(shape: Any, value: Any, path: str = "#") -> Any:
    """Return a value of a template as a shape wants it: names, and text that stands for numbers or truth.

    Raises:
        PropertyError: with CloudFormation's sentence.
    """
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return _structure(shape, value, path)
        case "list":
            if isinstance(value, Mapping) and len(value) == 1:
                (value,) = value.values()
            entries = value if isinstance(value, list) else [value]
            return [translate(shape.member, entry, f"{path}/{number}") for number, entry in enumerate(entries)]
        case "map" if isinstance(value, list):
            return {entry["Key"]: translate(shape.value, entry["Value"], path) for entry in value}
        case "map" if isinstance(value, Mapping):
            return {str(key): translate(shape.value, entry, f"{path}/{key}") for key, entry in value.items()}
        case "boolean" if isinstance(value, str):
            return value.lower() == "true"
        case "integer" | "long" if isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
        case "string" if isinstance(value, bool):
            return str(value).lower()
        case "string" if isinstance(value, (int, float)):
            return str(value)
    return value


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> dict[str, Any]:
    names = {name.lower(): name for name in shape.members}
    made = {}
    for key, entry in value.items():
        if key.lower() not in names:
            raise PropertyError(f"{path}: extraneous key [{key}] is not permitted")
        name = names[key.lower()]
        made[name] = translate(shape.members[name], entry, f"{path}/{key}")
    for name in shape.required_members:
        if name not in made:
            raise PropertyError(f"{path}: required key [{name[:1].upper()}{name[1:]}] not found")
    return made
