"""Paths inside a document, such as ``stages[1].actions[0].configuration.ProjectName``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_#@:/-]+")
_TOKEN = re.compile(r'\.?([A-Za-z0-9_#@:/-]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')


def join(base: str, *steps: str | int) -> str:
    """Return the path that leads from `base` through member names and list positions.

    >>> join("stages", 1, "actions", 0, "configuration", "a.b")
    'stages[1].actions[0].configuration["a.b"]'
    """
    path = base
    for step in steps:
        if isinstance(step, int):
            path = f"{path}[{step}]"
        elif _PLAIN.fullmatch(step):
            path = f"{path}.{step}" if path else step
        else:
            path = f"{path}[{json.dumps(step)}]"
    return path


def split(path: str) -> tuple[str | int, ...]:
    """Return the steps of a path; the inverse of `join`.

    >>> split('stages[1].configuration["a.b"]')
    ('stages', 1, 'configuration', 'a.b')
    """
    steps: list[str | int] = []
    for name, position, quoted in _TOKEN.findall(path):
        steps.append(name or (int(position) if position else str(json.loads(quoted))))
    return tuple(steps)


def position(document: Any, path: str) -> tuple[int, ...]:
    """Return where a path stands in a document, as a key to sort by.

    A member that the document lacks sorts after the members that it has.
    """
    here: list[int] = []
    node = document
    for step in split(path):
        if isinstance(step, int):
            here.append(step)
            items = node if isinstance(node, Sequence) and not isinstance(node, str) else ()
            node = items[step] if step < len(items) else None
        elif isinstance(node, Mapping):
            names = list(node)
            here.append(names.index(step) if step in node else len(names))
            node = node.get(step)
        else:
            break
    return tuple(here)
