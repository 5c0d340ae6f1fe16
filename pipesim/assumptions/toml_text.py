"""Tables as TOML text: the small part of TOML 1.0 (toml.io) that a profile needs.

Python reads TOML but does not write it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from pipesim.assumptions.faults import BARE_KEY


def to_text(tables: Mapping[str, Any]) -> str:
    """Write plain members first, then one header for each table of tables.

    >>> print(to_text({"name": "shop", "pools": {"builds": {"capacity": 3}}}), end="")
    name = "shop"
    <BLANKLINE>
    [pools.builds]
    capacity = 3
    """
    return "\n".join(_lines(tables)).lstrip("\n") + "\n"


def _lines(tables: Mapping[str, Any]) -> Iterator[str]:
    for key, value in tables.items():
        if not isinstance(value, Mapping):
            yield f"{_key(key)} = {to_value(value)}"
    for key, value in tables.items():
        if isinstance(value, Mapping):
            of_tables = bool(value) and all(isinstance(member, Mapping) for member in value.values())
            parts = {f"{_key(key)}.{_key(name)}": part for name, part in value.items()} if of_tables else {}
            for header, part in (parts or {_key(key): value}).items():
                yield ""
                yield f"[{header}]"
                yield from (f"{_key(name)} = {to_value(member)}" for name, member in part.items())


def to_value(value: Any) -> str:
    """Write one value on one line.

    >>> to_value({"low": "1m", "values": [1, 2.5, True]})
    '{ low = "1m", values = [1, 2.5, true] }'
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case int() | float():
            return repr(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Mapping():
            inner = ", ".join(f"{_key(name)} = {to_value(member)}" for name, member in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list() | tuple():
            return f"[{', '.join(to_value(item) for item in value)}]"
    raise TypeError(f"TOML cannot hold {value!r}")


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else to_value(name)
