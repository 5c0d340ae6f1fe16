"""The constraints that botocore's service model carries: patterns, lengths, ranges, enumerations.

Nothing is copied by hand: a walker follows the input shape of CreatePipeline beside the document.
Messages have the form of recorded answers of the service, which does not repeat the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pipesim.definition.paths import join, split
from pipesim.definition.problems import Problem
from pipesim.definition.reading import did_you_mean, shown, whole_number

CODE = "ValidationException"


@cache
def declaration_shape() -> Any:
    """Return the shape ``PipelineDeclaration`` of botocore's CodePipeline model."""
    import botocore.session

    model = botocore.session.Session().get_service_model("codepipeline")
    return model.operation_model("CreatePipeline").input_shape.members["pipeline"]


def broken_constraints(declaration: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return every value of a bare declaration that breaks a constraint of the service's model.

    Values of the wrong type, unknown members and missing ones are left to `read_document`.
    At most one problem is reported for each value.
    """
    return tuple(_walk(declaration_shape(), declaration, ""))


def service_path(path: str) -> str:
    """Return a path as the service writes it: list positions count from 1 and are followed by ``member``.

    >>> service_path("stages[1].actions[0].name")
    'pipeline.stages.2.member.actions.1.member.name'
    """
    steps = (f"{step + 1}.member" if isinstance(step, int) else step for step in split(path))
    return ".".join(("pipeline", *steps))


def _walk(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            for name, member in shape.members.items():
                if value.get(name) is not None:
                    yield from _walk(member, value[name], join(path, name))
        case "list" if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            yield from _size(shape, value, path)
            for index, entry in enumerate(value):
                yield from _entry(shape.member, entry, join(path, index), path)
        case "map" if isinstance(value, Mapping):
            yield from _size(shape, value, path)
            for key, entry in value.items():
                if isinstance(key, str):
                    yield from _map_entry(shape, key, entry, path)
        case "string":
            text = value if isinstance(value, str) else _version_text(value)
            if text is not None and (broken := _text(shape, text)):
                yield _problem(path, broken, text, shape)
        case "integer":
            number = whole_number(value)
            if number is not None and (broken := _number(shape, number)):
                yield _problem(path, broken, number, shape)


def _entry(shape: Any, value: Any, path: str, list_path: str) -> Iterator[Problem]:
    """Check an entry of a list; for plain texts the service names the list and all their constraints."""
    if shape.type_name != "string":
        yield from _walk(shape, value, path)
    elif isinstance(value, str) and (broken := _text(shape, value)):
        yield _problem(path, broken, value, shape, at=list_path, form="Member must satisfy constraint: [{}]")


def _map_entry(shape: Any, key: str, value: Any, path: str) -> Iterator[Problem]:
    where = join(path, key)
    if broken := _text(shape.key, key):
        yield _problem(where, broken, key, shape.key, at=path, form="Map keys must satisfy constraint: [{}]")
    elif shape.value.type_name != "string":
        yield from _walk(shape.value, value, where)
    elif isinstance(value, str) and (broken := _text(shape.value, value)):
        yield _problem(where, broken, value, shape.value, at=path, form="Map value must satisfy constraint: [{}]")


def _size(shape: Any, value: Any, path: str) -> Iterator[Problem]:
    if broken := _bounds(shape, len(value), "length"):
        yield _problem(path, broken, value, shape)


def _text(shape: Any, text: str) -> str:
    if "enum" in shape.metadata and text not in shape.metadata["enum"]:
        return f"Member must satisfy enum value set: [{', '.join(sorted(shape.metadata['enum']))}]"
    if broken := _bounds(shape, len(text), "length"):
        return broken
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, text, re.ASCII):
        return f"Member must satisfy regular expression pattern: {pattern}"
    return ""


def _number(shape: Any, number: int) -> str:
    return _bounds(shape, number, "value")


def _bounds(shape: Any, size: int, what: str) -> str:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        return f"Member must have {what} greater than or equal to {low}"
    if high is not None and size > high:
        return f"Member must have {what} less than or equal to {high}"
    return ""


def _problem(path: str, broken: str, value: Any, shape: Any, *, at: str = "", form: str = "{}") -> Problem:
    if form != "{}":
        bounds = shape.metadata
        parts = [f"Member must have length less than or equal to {bounds['max']}"] if "max" in bounds else []
        parts += [f"Member must have length greater than or equal to {bounds['min']}"] if "min" in bounds else []
        parts += [f"Member must satisfy regular expression pattern: {bounds['pattern']}"] if "pattern" in bounds else []
        broken = form.format(", ".join(parts) or broken)
    message = (
        f"1 validation error detected: Value at '{service_path(at or path)}' failed to satisfy constraint: {broken}"
    )
    return Problem(path, rule_of(path, broken, shape), CODE, message, _hint(value, shape))


def rule_of(path: str, broken: str, shape: Any) -> str:
    """Return the short name of the rule that a constraint belongs to."""
    steps = [step for step in split(path) if isinstance(step, str)]
    last = steps[-1] if steps else ""
    if "enum" in shape.metadata:
        return "unknown-value"
    if last in ("runOrder", "timeoutInMinutes", "conditions", "rules"):
        return _BY_MEMBER[last]
    if len(steps) > 1 and steps[-2] == "configuration":
        return "configuration-value"
    if shape.type_name == "list":
        return "list-size"
    if shape.type_name == "integer":
        return "number-range"
    if "pattern" in broken and last in ("name", "provider", "namespace"):
        return "name-pattern"
    return "text-pattern" if "pattern:" in broken and "length" not in broken else "text-length"


_BY_MEMBER = {
    "runOrder": "run-order",
    "timeoutInMinutes": "timeout-range",
    "conditions": "condition-count",
    "rules": "rule-count",
}


def _hint(value: Any, shape: Any) -> str:
    bounds = shape.metadata
    if "enum" in bounds:
        return did_you_mean(str(value), bounds["enum"]) or f"{shown(value)} is none of them"
    if shape.type_name == "integer":
        return f"{value} is given; allowed are {_range(bounds)}"
    size = "entries" if shape.type_name in ("list", "map") else "characters"
    if _bounds(shape, len(value), "length"):
        return f"{len(value)} {size} are given; allowed are {_range(bounds)}"
    return f"{shown(value)} does not fit; {_READABLE.get(bounds['pattern'], 'see the pattern')}"


def _range(bounds: Mapping[str, Any]) -> str:
    low, high = bounds.get("min", 0), bounds.get("max")
    if high is None:
        return f"{low} and more"
    return f"{low} to {high}" if low != high else f"exactly {low}"


_READABLE = {
    r"[A-Za-z0-9.@\-_]+": "allowed are letters, digits and . @ - _ without spaces",
    r"[A-Za-z0-9@\-_]+": "allowed are letters, digits and @ - _ without spaces",
    r"[a-zA-Z0-9_\-]+": "allowed are letters, digits and _ - without dots or spaces",
    r"[0-9A-Za-z_-]+": "allowed are letters, digits and _ - without dots or spaces",
    r"[a-zA-Z0-9\-\.]+": "allowed are letters, digits and - . as in the name of a bucket",
    r"[A-Za-z0-9_]+": "allowed are letters, digits and _",
    r"arn:aws(-[\w]+)*:iam::[0-9]{12}:role/.*": "a role's ARN looks like arn:aws:iam::123456789012:role/NAME",
    r".*": "line breaks are not allowed",
}


def _version_text(value: Any) -> str | None:
    number = whole_number(value) if not isinstance(value, str) else None
    return None if number is None else str(number)
