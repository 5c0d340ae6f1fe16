"""Botocore's model of CodePipeline, for tests that hold the catalog against it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any


@cache
def service() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("codepipeline")


def fits(shape_name: str, value: Any) -> bool:
    """Whether a value keeps the length, range, pattern and enumeration of a shape."""
    shape = service().shape_for(shape_name)
    limits = shape.metadata
    size = value if isinstance(value, int) else len(value)
    return (
        limits.get("min", size) <= size <= limits.get("max", size)
        and ("pattern" not in limits or re.fullmatch(limits["pattern"], value) is not None)
        and (not getattr(shape, "enum", None) or value in shape.enum)
    )


def most(shape_name: str) -> int:
    return service().shape_for(shape_name).metadata["max"]


def least(shape_name: str) -> int:
    return service().shape_for(shape_name).metadata["min"]
