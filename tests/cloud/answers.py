"""Holding an answer against the output shape of its operation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipesim.cloud.codepipeline.shapes import broken_constraints, operation_model

BREAKS_ITS_OWN_LIMITS = {"ListActionTypes"}
"""The service lists types of its own with more inputs and more properties than the model allows."""


def refuse_strange(operation: str, answer: Mapping[str, Any]) -> None:
    """Raise AssertionError for members that the shape does not know, missing ones, wrong types and values."""
    model = operation_model(operation)
    assert model is not None
    if model.output_shape is None:
        assert not answer, f"{operation} answers nothing, here {answer}"
        return
    _walk(model.output_shape, answer, operation)
    if operation not in BREAKS_ITS_OWN_LIMITS:
        assert not list(broken_constraints(model.output_shape, answer)), operation


def _walk(shape: Any, value: Any, path: str) -> None:
    assert value is not None, f"{path} is null: absent members are left out"
    match shape.type_name:
        case "structure":
            strange = set(value) - set(shape.members)
            assert not strange, f"{path} has no member {strange}"
            for name, entry in value.items():
                _walk(shape.members[name], entry, f"{path}.{name}")
        case "list":
            for number, entry in enumerate(value):
                _walk(shape.member, entry, f"{path}[{number}]")
        case "map":
            for key, entry in value.items():
                _walk(shape.value, entry, f"{path}.{key}")
        case "timestamp":
            assert isinstance(value, datetime | float), path
        case "string":
            assert isinstance(value, str), path
        case "boolean":
            assert isinstance(value, bool), path
        case _:
            assert isinstance(value, int), path


def members(answer: Any) -> Any:
    """The names of an answer's members, as deep as it goes: what two answers must have in common."""
    if isinstance(answer, Mapping):
        return {name: members(value) for name, value in answer.items() if name != "ResponseMetadata"}
    if isinstance(answer, list):
        return [members(entry) for entry in answer]
    return ...
