"""Which action type a person means: by its provider's name, by a common name, or by a misspelling of either.

The common names stand in ``names.toml`` beside this file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cache

from pipesim.catalog import action_types
from pipesim.catalog.action_types import ActionType, find_action_type, read_table

CLOSE = 0.7
"""How alike two names must be (difflib's ratio) for one to be suggested for the other."""


def resolve_name(name: str, category: str | None = None) -> ActionType | None:
    """Return the action type that a common name means, or None when it means none.

    A label in brackets is left out when the name with it means nothing: ``CodeDeploy (Staging)``.

    Args:
        name: a provider's name or a common one, such as ``Manual Approval``; case, spaces, signs and a
            leading AWS or Amazon do not matter.
        category: look only among types of this category; None: all, the likeliest first.

    >>> resolve_name("Manual Approval").provider
    'Manual'
    >>> resolve_name("CodeBuild", "Test").category
    'Test'
    >>> resolve_name("Amazon ECS (blue/green)").provider
    'CodeDeployToECS'
    """
    for text in (name, re.sub(r"\([^)]*\)", "", name)):
        found = next(_in(category, _meanings().get(_plain(text), ())), None)
        if found is not None:
            return found
    return None


def suggest_provider(text: str, category: str | None = None) -> str | None:
    """Return the provider that was probably meant, or None when nothing comes near.

    The text itself is never suggested.

    Args:
        text: what was written where a provider's name belongs.
        category: suggest only providers of this category; None: of any.

    >>> suggest_provider("CodeBiuld")
    'CodeBuild'
    >>> suggest_provider("Beanstalk", "Deploy")
    'ElasticBeanstalk'
    >>> suggest_provider("qwerty") is None
    True
    """
    names = {plain: known for plain, found in _meanings().items() for known in _first(_in(category, found))}
    near = difflib.get_close_matches(_plain(text), names, n=3, cutoff=CLOSE)
    return next((names[plain].provider for plain in near if names[plain].provider != text), None)


def _in(category: str | None, types: Iterable[ActionType]) -> Iterator[ActionType]:
    return (known for known in types if category is None or known.category == category)


def _first(types: Iterator[ActionType]) -> Iterator[ActionType]:
    first = next(types, None)
    if first is not None:
        yield first


def _plain(name: str) -> str:
    """A name without case, spaces, signs and the maker's name."""
    words = re.sub(r"^\s*(aws|amazon)\b", "", name.lower())
    return re.sub(r"[^a-z0-9]", "", words)


@cache
def _meanings() -> dict[str, tuple[ActionType, ...]]:
    """What each plain name may mean, the likeliest first: common names, then providers' own."""
    meanings: dict[str, tuple[ActionType, ...]] = {}
    for name, ids in read_table("names.toml")["names"].items():
        found = (find_action_type(*id_.split("/")) for id_ in ids)
        meanings[_plain(name)] = tuple(known for known in found if known is not None)
    for known in action_types.ACTION_TYPES:
        plain = _plain(known.provider)
        meanings[plain] = tuple(dict.fromkeys((*meanings.get(plain, ()), known)))
    return meanings
