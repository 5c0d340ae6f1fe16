"""What moto's CloudFormation gets wrong for pipelines.

- A stack has outputs after a change set was executed, too: moto works them out only on create and update.
- The stacks of a stack set have names from which resources can be named: ``StackSet-NAME`` (moto has a colon there).

moto's CloudFormation takes seconds to import, so this gap is filled when the first action needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EXECUTE, CREATE = "execute_change_set", "create_stack"

_originals: list[tuple[type, str, Callable[..., Any]]] = []


def install() -> None:
    """Fill the gap; without effect the second time."""
    if _originals:
        return
    from moto.cloudformation.models import CloudFormationBackend

    execute, create = CloudFormationBackend.execute_change_set, CloudFormationBackend.create_stack

    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        execute(self, change_set_name, stack_name)
        stack = self.stacks[self.describe_change_set(change_set_name).stack_id]
        stack._parse_template()
        stack.output_map = stack._create_output_map()

    def create_stack(self: Any, name: str, *args: Any, **members: Any) -> Any:
        return create(self, name.replace("StackSet:", "StackSet-", 1), *args, **members)

    for verb, original, better in ((EXECUTE, execute, execute_change_set), (CREATE, create, create_stack)):
        _originals.append((CloudFormationBackend, verb, original))
        setattr(CloudFormationBackend, verb, better)


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        backend, verb, original = _originals.pop()
        setattr(backend, verb, original)
