"""Put another handler behind a service's addresses in moto, and take it away again."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any


class Swap:
    """One service whose handler is exchanged while it is installed.

    Args:
        paths: moto's table of the service's addresses.
        handler: what answers instead.
    """

    def __init__(self, paths: MutableMapping[str, Callable[..., Any]], handler: Callable[..., Any]) -> None:
        self._paths = paths
        self._handler = handler
        self._originals: dict[str, Callable[..., Any]] = {}

    def install(self) -> None:
        """Put the handler in; without effect the second time."""
        if not self._originals:
            self._originals = dict(self._paths)
            self._paths.update(dict.fromkeys(self._paths, self._handler))

    def uninstall(self) -> None:
        """Put moto's own handler back."""
        self._paths.update(self._originals)
        self._originals = {}
