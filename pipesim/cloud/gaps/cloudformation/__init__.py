"""A stack has outputs after a change set was executed, too: moto works them out only on create and update."""

from __future__ import annotations

from collections.abc import Callable

from moto.cloudformation.models import CloudFormationBackend

NAME = "execute_change_set"

_originals: list[Callable[..., None]] = []


def install() -> None:
    """Fill the gap; without effect the second time."""
    if _originals:
        return
    original = CloudFormationBackend.execute_change_set

    def execute_change_set(self: CloudFormationBackend, change_set_name: str, stack_name: str | None = None) -> None:
        original(self, change_set_name, stack_name)
        change_set = self.describe_change_set(change_set_name)
        assert change_set is not None
        stack = self.stacks[change_set.stack_id]
        stack._parse_template()
        stack.output_map = stack._create_output_map()

    _originals.append(original)
    setattr(CloudFormationBackend, NAME, execute_change_set)


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        setattr(CloudFormationBackend, NAME, _originals.pop())
