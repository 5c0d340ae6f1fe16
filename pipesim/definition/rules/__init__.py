"""Every rule that a declaration can break, as a table: one function a rule, grouped by subject."""

from __future__ import annotations

from pipesim.definition.rules import (
    actions,
    artifacts,
    conditions,
    providers,
    regions,
    shape,
    stages,
    triggers,
    variables,
    versions,
)
from pipesim.definition.rules.subject import Subject
from pipesim.definition.rules.table import REGISTERED, DeclarationRule, Found

RULES: tuple[DeclarationRule, ...] = tuple(REGISTERED.values())
"""All rules; those without a `find` are rules of shape."""

__all__ = [
    "RULES",
    "DeclarationRule",
    "Found",
    "Subject",
    "actions",
    "artifacts",
    "conditions",
    "providers",
    "regions",
    "shape",
    "stages",
    "triggers",
    "variables",
    "versions",
]
