"""Stack instances: a stack set that is there gets stacks in more accounts and regions."""

from __future__ import annotations

from pipesim.cloud.actions.stack_sets import act_instances as act

__all__ = ["act"]
