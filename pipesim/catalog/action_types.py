"""The action types of CodePipeline: artifact counts, configuration keys, variables, permissions, durations.

The facts stand in ``action_types.toml`` beside this file, one table a type, each with its
source; they are read once, when first asked for. A new provider is one more table there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

MINUTE = 60.0

ACTION_TYPES: tuple[ActionType, ...]
"""Every action type, in the order of the categories: Source, Build, Test, Deploy, Approval, Invoke, Compute."""


@dataclass(frozen=True, slots=True)
class Property:
    """One configuration key of an action type or a rule type.

    Attributes:
        name: the key, such as ``ProjectName``.
        required: whether a declaration without it is refused.
        key: whether it is part of what identifies the action's work, as AWS marks it.
        secret: whether its value is never shown again.
        queryable: whether a job worker may poll for jobs by its value.
        description: what it means.
        type: ``String``, ``Number`` or ``Boolean``; AWS's own types leave it out, and values are text.
    """

    name: str
    required: bool = False
    key: bool = False
    secret: bool = False
    queryable: bool = False
    description: str = ""
    type: str = "String"


@dataclass(frozen=True, slots=True)
class AssumedDuration:
    """How long something works unless a profile says otherwise.

    Attributes:
        median: seconds that half of the runs stay below.
        p95: seconds that 95 of 100 runs stay below.
        source: where a recorded figure comes from, or why this order of magnitude was chosen.
        assumed: whether no figure for it is published or recorded.
    """

    median: float
    p95: float
    source: str
    assumed: bool = True


@dataclass(frozen=True, slots=True)
class ActionType:
    """What AWS knows of one kind of action, and what this project assumes of it.

    Attributes:
        category: such as ``Build``; see `pipesim.vocabulary.ActionCategory`.
        owner: ``AWS``, ``ThirdParty`` or ``Custom``.
        provider: such as ``CodeBuild``.
        version: ``"1"`` for every type of this catalog.
        inputs: the least and the largest number of input artifacts.
        outputs: the least and the largest number of output artifacts.
        properties: the configuration keys.
        output_variables: the names it always emits.
        v2_only: whether a V1 pipeline may not use it.
        permissions: IAM actions that the role running it needs.
        duration: how long it works.
        timeout: seconds until it times out (AWS CodePipeline User Guide, limits).
        pool: what it needs a place in: ``"builds"``, the account's concurrent builds; None for nothing.
        description: one sentence.
        entity_url: template of the link to the thing it works on; empty where AWS gives none.
        execution_url: template of the link to one run of it; empty where AWS gives none.
        source: where the row comes from.
        revision_url: template of the link to a source revision; empty where AWS gives none.
        open_variables: where output variables with names of the user's own come from; empty: it has none.
        keys_known: False where AWS does not publish the keys, so that any key may stand in a configuration.
        note: what else one must know of it; empty for nothing.
    """

    category: str
    owner: str
    provider: str
    version: str
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    properties: tuple[Property, ...]
    output_variables: tuple[str, ...]
    v2_only: bool
    permissions: tuple[str, ...]
    duration: AssumedDuration
    timeout: float
    pool: str | None
    description: str
    entity_url: str
    execution_url: str
    source: str
    revision_url: str = ""
    open_variables: str = ""
    keys_known: bool = True
    note: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the configuration keys that a declaration must give."""
        return tuple(known.name for known in self.properties if known.required)

    @property
    def optional(self) -> tuple[str, ...]:
        """The names of the configuration keys that a declaration may leave out."""
        return tuple(known.name for known in self.properties if not known.required)


def find_action_type(category: str, owner: str, provider: str, version: str = "1") -> ActionType | None:
    """Return the action type with this id, or None when the catalog does not know it.

    Args:
        category: such as ``Build``.
        owner: such as ``AWS``.
        provider: such as ``CodeBuild``.
        version: such as ``1``.

    Source: the service's own list of action types, and the AWS CodePipeline User Guide.

    >>> find_action_type("Build", "AWS", "CodeBuild").required
    ('ProjectName',)
    >>> find_action_type("Build", "AWS", "CodeBiuld") is None
    True
    """
    return _by_id().get((category, owner, provider, version))


def read_table(name: str) -> dict[str, Any]:
    """Read a table of facts that lies beside this module.

    Args:
        name: the file's name, such as ``action_types.toml``.
    """
    return tomllib.loads(files("pipesim.catalog").joinpath(name).read_text(encoding="utf-8"))


def to_duration(row: Mapping[str, Any]) -> AssumedDuration:
    """Read a duration of a table: seconds, and either ``measured`` or ``assumed`` with its reason.

    Args:
        row: ``median`` and ``p95`` in seconds, and the reason under ``measured`` or ``assumed``.
    """
    assumed = "measured" not in row
    return AssumedDuration(row["median"], row["p95"], row["assumed" if assumed else "measured"], assumed)


def _to_action_type(row: Mapping[str, Any]) -> ActionType:
    return ActionType(
        category=row["category"],
        owner=row["owner"],
        provider=row["provider"],
        version=row.get("version", "1"),
        inputs=(row["inputs"][0], row["inputs"][1]),
        outputs=(row["outputs"][0], row["outputs"][1]),
        properties=tuple(Property(**known) for known in row.get("properties", ())),
        output_variables=tuple(row.get("output_variables", ())),
        v2_only=row.get("v2_only", False),
        permissions=tuple(row.get("permissions", ())),
        duration=to_duration(row["duration"]),
        timeout=row["timeout"] * MINUTE,
        pool=row.get("pool"),
        description=row["description"],
        entity_url=row.get("entity_url", ""),
        execution_url=row.get("execution_url", ""),
        source=row["source"],
        revision_url=row.get("revision_url", ""),
        open_variables=row.get("open_variables", ""),
        keys_known=row.get("keys_known", True),
        note=row.get("note", ""),
    )


@cache
def _table() -> tuple[ActionType, ...]:
    return tuple(_to_action_type(row) for row in read_table("action_types.toml")["action_type"])


@cache
def _by_id() -> dict[tuple[str, str, str, str], ActionType]:
    return {(known.category, known.owner, known.provider, known.version): known for known in _table()}


def __getattr__(name: str) -> tuple[ActionType, ...]:
    if name == "ACTION_TYPES":
        return _table()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
