"""The shapes of botocore's CodePipeline model: what comes in is checked against them.

boto3 checks the shape of a request before it leaves, the service checks the rest: enumerations,
patterns, lengths. The sentences are those of recorded answers of the service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel

from pipesim.errors import Refused

JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": Mapping,
    "map": Mapping,
    "list": list,
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "timestamp": (int, float, str),
}


@cache
def service_model() -> ServiceModel:
    """Return botocore's model of CodePipeline."""
    return botocore.session.Session().get_service_model("codepipeline")


@cache
def operation_model(name: str) -> OperationModel | None:
    """Return the model of an operation, or None when this botocore has none of that name."""
    return service_model().operation_model(name) if name in service_model().operation_names else None


MAY_BE_EMPTY = {"StartPipelineExecution": ("variables",)}
"""Lists that the service takes without an entry, although its model asks for one; source: recorded answers."""


def read(operation: str, body: bytes | str) -> dict[str, Any]:
    """Read the body of a request and check it.

    Args:
        operation: its name, such as ``GetPipelineState``.
        body: JSON.

    Raises:
        Refused: SerializationException for what cannot be read, ValidationException for what breaks constraints.
    """
    try:
        parameters = json.loads(body or "{}")
    except ValueError as error:
        raise Refused("SerializationException", f"The body of the request is not JSON: {error}") from None
    model = operation_model(operation)
    shape = None if model is None else model.input_shape
    if shape is None:
        return {}
    refuse_wrong_types(shape, parameters)
    for name in MAY_BE_EMPTY.get(operation, ()):
        if parameters.get(name) == []:
            del parameters[name]
    problems = list(broken_constraints(shape, parameters))
    if problems:
        errors = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
        raise Refused("ValidationException", f"{errors} detected: {'; '.join(problems)}")
    return dict(parameters)


def refuse_wrong_types(shape: Any, value: Any, path: str = "") -> None:
    """Raise SerializationException when a value has another JSON type than its shape."""
    fits: bool = isinstance(value, JSON_TYPES[shape.type_name])
    if not fits or (isinstance(value, bool) and shape.type_name != "boolean"):
        raise Refused(
            "SerializationException",
            f"{path or 'the request'}: {type(value).__name__} can not be converted to {shape.type_name}",
        )
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                refuse_wrong_types(member, value[name], _join(path, name))
    elif shape.type_name == "list":
        for number, entry in enumerate(value, 1):
            refuse_wrong_types(shape.member, entry, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, entry in value.items():
            refuse_wrong_types(shape.value, entry, f"{path}.{key}")


def broken_constraints(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield a sentence for every constraint of a shape that a value breaks."""
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _sentences(path, _size(shape, len(value)))
            if shape.member.type_name == "string":
                if any(next(_text(shape.member, entry), None) for entry in value):
                    yield _sentence(path, f"Member must satisfy constraint: [{_all_of(shape.member)}]")
            else:
                for number, entry in enumerate(value, 1):
                    yield from broken_constraints(shape.member, entry, f"{path}.{number}.member")
        case "map":
            yield from _sentences(path, _size(shape, len(value)))
            if any(next(_text(shape.key, key), None) for key in value):
                yield _sentence(path, f"Map keys must satisfy constraint: [{_all_of(shape.key)}]")
            if shape.value.type_name == "string":
                if any(next(_text(shape.value, entry), None) for entry in value.values()):
                    yield _sentence(path, f"Map value must satisfy constraint: [{_all_of(shape.value)}]")
            else:
                for key, entry in value.items():
                    yield from broken_constraints(shape.value, entry, f"{path}.{key}")
        case "string":
            yield from _sentences(path, _text(shape, value))
        case "integer" | "long":
            yield from _sentences(path, _size(shape, value, "value"))


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _sentence(_join(path, name), "Member must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from broken_constraints(member, value[name], _join(path, name))


def _text(shape: Any, text: str) -> Iterator[str]:
    choices = shape.metadata.get("enum")
    if choices and text not in choices:
        yield f"Member must satisfy enum value set: [{', '.join(sorted(choices))}]"
        return
    yield from _size(shape, len(text))
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, text, re.ASCII):
        yield f"Member must satisfy regular expression pattern: {pattern}"


def _size(shape: Any, size: int, what: str = "length") -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"Member must have {what} greater than or equal to {low}"
    if high is not None and size > high:
        yield f"Member must have {what} less than or equal to {high}"


def _all_of(shape: Any) -> str:
    limits = shape.metadata
    parts = [f"Member must have length less than or equal to {limits['max']}"] if "max" in limits else []
    parts += [f"Member must have length greater than or equal to {limits['min']}"] if "min" in limits else []
    parts += [f"Member must satisfy regular expression pattern: {limits['pattern']}"] if "pattern" in limits else []
    parts += [f"Member must satisfy enum value set: [{', '.join(sorted(limits['enum']))}]"] if "enum" in limits else []
    return ", ".join(parts)


def _sentences(path: str, broken: Iterator[str]) -> Iterator[str]:
    return (_sentence(path, each) for each in broken)


def _sentence(path: str, broken: str) -> str:
    return f"Value at '{path}' failed to satisfy constraint: {broken}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def write(answer: Mapping[str, Any]) -> str:
    """Write an answer as the service does: compact JSON, moments as seconds since 1970."""
    return json.dumps(answer, default=_plain, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{value!r} has no place in an answer of the service")
