"""Teach moto a service that it does not have, and let it forget the service again."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

from moto import backend_index


class NewService:
    """One service in moto's own layout: its backends, its urls and its responses are in modules beside each other.

    Args:
        name: as moto would call it, such as ``devicefarm``.
        address: a pattern of its addresses.
        backends: its backends; the module beside theirs that is called ``urls`` has its addresses.
    """

    def __init__(self, name: str, address: str, backends: Any) -> None:
        self._name = name
        self._pattern = (name, re.compile(address))
        self._backends = backends
        self._module = ModuleType(f"moto.{name}")
        setattr(self._module, f"{name}_backends", backends)

    def install(self) -> None:
        """Put it into moto's tables; without effect the second time."""
        if self._pattern not in backend_index.backend_url_patterns:
            backend_index.backend_url_patterns.append(self._pattern)
            sys.modules[f"moto.{self._name}"] = self._module

    def uninstall(self) -> None:
        """Take it out again, and forget what it holds."""
        if self._pattern in backend_index.backend_url_patterns:
            backend_index.backend_url_patterns.remove(self._pattern)
            sys.modules.pop(f"moto.{self._name}", None)
            for owned in self._backends.values():
                owned.reset()
