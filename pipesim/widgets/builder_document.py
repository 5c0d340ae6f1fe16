"""Changed copies of a declaration's JSON; the originals stay as they are.

The builder edits the document and not the dataclasses, because a person at work passes through states
that no `Pipeline` can hold: two stages of one name, a timeout of ``soon``, a condition without rules.
Places are the paths that `pipesim.check` writes, such as ``stages[1].actions[0].name``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipesim.definition.paths import join, split

Document = Mapping[str, Any]
Steps = Sequence[str | int]

FILLED = frozenset(
    {
        "artifactStores", "beforeEntry", "branches", "commands", "conditions", "encryptionKey", "environmentVariables",
        "events", "excludes", "filePaths", "files", "includes", "onFailure", "onSuccess", "outputVariables",
        "pullRequest", "push", "retryConfiguration", "tags", "triggers", "variables",
    }
)  # fmt: skip
"""Members that the service wants absent rather than empty."""


def value_at(document: Document, path: str, default: Any = None) -> Any:
    """Return what stands at a path, or the default where nothing does.

    >>> value_at({"stages": [{"name": "Source"}]}, "stages[0].name")
    'Source'
    """
    node: Any = document
    for step in split(path):
        if isinstance(step, int):
            if not isinstance(node, list) or not 0 <= step < len(node):
                return default
            node = node[step]
        elif isinstance(node, Mapping) and step in node:
            node = node[step]
        else:
            return default
    return node


def with_value(document: Document, path: str, value: Any) -> dict[str, Any]:
    """Return the document with a value at a path; objects and lists on the way are made where they are missing.

    >>> with_value({}, "stages[0].name", "Source")
    {'stages': [{'name': 'Source'}]}
    """
    changed: dict[str, Any] = _put(document, split(path), value)
    return changed


def without(document: Document, path: str) -> dict[str, Any]:
    """Return the document without what stands at a path, and without members that the service wants filled.

    >>> without({"triggers": [{}], "name": "shop"}, "triggers[0]")
    {'name': 'shop'}
    """
    steps = split(path)
    changed: dict[str, Any] = _take(document, steps)
    for end in range(len(steps) - 1, 0, -1):
        if steps[end - 1] not in FILLED or value_at(changed, join("", *steps[:end])) not in ({}, []):
            break
        changed = _take(changed, steps[:end])
    return changed


def with_entry(document: Document, path: str, entry: Any, at: int | None = None) -> dict[str, Any]:
    """Return the document with one more entry in the list at a path: at a position, or at its end.

    >>> with_entry({"variables": [{"name": "A"}]}, "variables", {"name": "B"}, 0)["variables"][0]
    {'name': 'B'}
    """
    entries = value_at(document, path)
    entries = list(entries) if isinstance(entries, list) else []
    entries.insert(len(entries) if at is None else at, entry)
    return with_value(document, path, entries)


def _put(node: Any, steps: Steps, value: Any) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        entries = list(node) if isinstance(node, list) else []
        if step == len(entries):
            entries.append(None)
        entries[step] = _put(entries[step], rest, value)
        return entries
    members = dict(node) if isinstance(node, Mapping) else {}
    members[step] = _put(members.get(step), rest, value)
    return members


def _take(node: Any, steps: Steps) -> Any:
    step, *rest = steps
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        inner = [_take(node[step], rest)] if rest else []
        return [*node[:step], *inner, *node[step + 1 :]]
    if isinstance(node, Mapping) and step in node:
        if rest:
            return {**node, str(step): _take(node[str(step)], rest)}
        return {key: value for key, value in node.items() if key != step}
    return node
