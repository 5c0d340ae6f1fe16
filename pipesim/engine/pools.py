"""Something limited that actions share, such as the account's concurrent builds."""

from __future__ import annotations

import simpy

from pipesim.assumptions.model import Pool


class PoolInUse(simpy.Resource):
    """A pool while a simulation runs: a SimPy resource that knows its name.

    Attributes:
        name: what it is called, such as ``builds``.
        fails_when_full: whether one too many fails instead of waiting.
    """

    def __init__(self, env: simpy.Environment, name: str, pool: Pool) -> None:
        super().__init__(env, capacity=pool.capacity)
        self.name = name
        self.fails_when_full = pool.when_full == "fail"

    @property
    def is_full(self) -> bool:
        """Whether no place is free."""
        return self.count >= self.capacity
