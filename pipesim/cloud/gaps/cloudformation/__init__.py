"""A stack has outputs after a change set was executed, too: moto works them out only on create and update.

moto's CloudFormation takes seconds to import, so this gap is filled when the first action needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NAME = "execute_change_set"

_originals: list[tuple[type, Callable[..., None]]] = []


def install() -> None:
    """Fill the gap; without effect the second time."""
    if _originals:
        return
    from moto.cloudformation.models import CloudFormationBackend

    original = CloudFormationBackend.execute_change_set

    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        original(self, change_set_name, stack_name)
        stack = self.stacks[self.describe_change_set(change_set_name).stack_id]
        stack._parse_template()
        stack.output_map = stack._create_output_map()

    _originals.append((CloudFormationBackend, original))
    setattr(CloudFormationBackend, NAME, execute_change_set)


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        backend, original = _originals.pop()
        setattr(backend, NAME, original)
