"""The rule types of stage conditions: configuration keys, permissions, durations.

The facts stand in ``rule_types.toml`` beside this file, one table a type, each with its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from immutabledict import immutabledict

from pipesim.catalog.action_types import MINUTE, AssumedDuration, Property, read_table, to_duration
from pipesim.vocabulary import Result

RULE_TYPES: tuple[RuleType, ...]
"""Every rule type, in the order of their names."""

GATE_RESULTS: Mapping[str, tuple[Result, ...]] = immutabledict(
    beforeEntry=(Result.FAIL, Result.SKIP), onSuccess=(Result.FAIL, Result.ROLLBACK), onFailure=(Result.ROLLBACK,)
)
"""What a condition may do at each gate when it is not met (AWS CodePipeline User Guide, stage-conditions)."""


@dataclass(frozen=True, slots=True)
class RuleType:
    """What AWS knows of one kind of rule, and what this project assumes of it.

    Attributes:
        provider: such as ``VariableCheck``.
        properties: the configuration keys.
        skips: whether a condition with this rule may skip its stage.
        permissions: IAM actions that the role running it needs.
        duration: how long it takes.
        timeout: seconds until it times out; None: as long as the declaration says.
        pool: what it needs a place in; None for nothing.
        description: one sentence.
        source: where the row comes from.
    """

    provider: str
    properties: tuple[Property, ...]
    skips: bool
    permissions: tuple[str, ...]
    duration: AssumedDuration
    timeout: float | None
    pool: str | None
    description: str
    source: str

    def allows(self, gate: str, result: str) -> bool:
        """Whether a condition with this rule may have this result at this gate.

        Args:
            gate: ``beforeEntry``, ``onSuccess`` or ``onFailure``.
            result: such as ``SKIP``, which only rules with `skips` may have.

        Source: AWS CodePipeline User Guide, stage-conditions.

        >>> find_rule_type("VariableCheck").allows("beforeEntry", "SKIP")
        True
        >>> find_rule_type("CloudWatchAlarm").allows("beforeEntry", "SKIP")
        False
        """
        return result in GATE_RESULTS.get(gate, ()) and (self.skips or result != Result.SKIP)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the configuration keys that a declaration must give."""
        return tuple(known.name for known in self.properties if known.required)

    @property
    def optional(self) -> tuple[str, ...]:
        """The names of the configuration keys that a declaration may leave out."""
        return tuple(known.name for known in self.properties if not known.required)


def find_rule_type(provider: str) -> RuleType | None:
    """Return the rule type of this provider, or None when there is none.

    Args:
        provider: such as ``VariableCheck``.

    Source: AWS CodePipeline User Guide, rule-reference pages.

    >>> find_rule_type("VariableCheck").required
    ('Variable', 'Value', 'Operator')
    """
    return next((known for known in _table() if known.provider == provider), None)


@cache
def _table() -> tuple[RuleType, ...]:
    return tuple(_to_rule_type(row) for row in read_table("rule_types.toml")["rule_type"])


def _to_rule_type(row: dict[str, Any]) -> RuleType:
    return RuleType(
        provider=row["provider"],
        properties=tuple(Property(**known) for known in row["properties"]),
        skips=row.get("skips", False),
        permissions=tuple(row["permissions"]),
        duration=to_duration(row["duration"]),
        timeout=row["timeout"] * MINUTE if "timeout" in row else None,
        pool=row.get("pool"),
        description=row["description"],
        source=row["source"],
    )


def __getattr__(name: str) -> tuple[RuleType, ...]:
    if name == "RULE_TYPES":
        return _table()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
