"""What moto's CloudFormation lacks for pipelines: their resource types, rollback, and outputs of change sets.

moto's CloudFormation takes seconds to import, so the gap is filled when the service is first called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto import backends

SERVICE = "cloudformation"

_original: list[Callable[..., Any]] = []
_filled: list[Callable[[], None]] = []


def install() -> None:
    """Fill the gap as soon as somebody calls CloudFormation; without effect the second time."""
    if _original:
        return
    get_backend: Callable[..., Any] = backends.get_backend
    _original.append(get_backend)

    def filling(name: str) -> Any:
        if name == SERVICE:
            fill()
        return get_backend(name)

    backends.get_backend = filling


def fill() -> None:
    """Fill the gap now; without effect the second time."""
    if _filled:
        return
    from pipesim.cloud.gaps.cloudformation import resource_types, stacks

    resource_types.register()
    stacks.install()
    _filled.extend((resource_types.unregister, stacks.uninstall))


def uninstall() -> None:
    """Leave moto as it was."""
    while _filled:
        _filled.pop()()
    while _original:
        backends.get_backend = _original.pop()
