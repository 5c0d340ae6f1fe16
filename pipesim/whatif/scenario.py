"""What is asked about: a pipeline with its assumptions, and how long to look at it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pipesim.assumptions.arrivals import At, Every, Once
from pipesim.assumptions.model import Assumptions
from pipesim.definition.model import Pipeline
from pipesim.errors import AssumptionError

DAY = 86_400.0
ORDINARY_INTERVAL = 20 * 60.0
NOTHING_NEW = "changes nothing here"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A pipeline and its assumptions under a name.

    Attributes:
        pipeline: the declaration.
        assumptions: what AWS does not write down.
        name: what it is called in tables and pictures.
        changes: what was changed against the scenario that it was made from, in words.
    """

    pipeline: Pipeline
    assumptions: Assumptions = field(default_factory=Assumptions)
    name: str = "baseline"
    changes: tuple[str, ...] = ()

    def named(self, name: str) -> Scenario:
        """Return the same scenario under another name."""
        return replace(self, name=name)

    @property
    def difference(self) -> str:
        """The changes as one phrase."""
        return "; ".join(self.changes) or "as it is"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a scenario that says in words what it is; edits are composed with ``|``, left to right.

    Attributes:
        text: the change in words.
        function: what it does: a scenario in, a new scenario out.
        parts: the edits that it is composed of; none: it is one by itself.
    """

    text: str
    function: Callable[[Scenario], Scenario] = field(repr=False)
    parts: tuple[Edit, ...] = ()

    def __call__(self, scenario: Scenario) -> Scenario:
        """Return the changed scenario, which says so where nothing has changed; the given one stays as it is.

        Raises:
            AssumptionError: the scenario does not have what is to be changed.
        """
        if self.parts:
            return apply_all(scenario, self.parts)
        changed = self.function(scenario)
        same = changed.pipeline == scenario.pipeline and changed.assumptions == scenario.assumptions
        text = f"{self.text} ({NOTHING_NEW})" if same else self.text
        return replace(changed, name=scenario.name, changes=(*scenario.changes, text))

    def __or__(self, other: Edit) -> Edit:
        """Return the edit that does this one and then the other."""
        if not isinstance(other, Edit):
            return NotImplemented
        return compose(self, other)

    def __str__(self) -> str:
        return self.text


def compose(*edits: Edit) -> Edit:
    """Return one edit that does several, in this order."""

    def apply(scenario: Scenario) -> Scenario:
        for edit in edits:
            scenario = edit.function(scenario)
        return scenario

    return Edit("; ".join(edit.text for edit in edits) or "nothing", apply, edits)


@dataclass(frozen=True, slots=True)
class Horizon:
    """How long each replication looks.

    Attributes:
        executions: how many changes arrive at most; None: as many as the arrivals give.
        until: seconds after which to stop looking; None: until everything has ended.
        warm_up: seconds at the beginning that are not measured.
    """

    executions: int | None = None
    until: float | None = None
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        if self.executions is not None and self.executions < 1:
            raise AssumptionError(f"executions must be 1 or more, not {self.executions}")
        if self.until is not None and not (math.isfinite(self.until) and self.until > 0):
            raise AssumptionError(f"a replication must last longer than 0 s, not {self.until}")
        if not (math.isfinite(self.warm_up) and self.warm_up >= 0):
            raise AssumptionError(f"the warm-up must be a number of seconds from 0 on, not {self.warm_up}")
        if self.until is not None and self.warm_up >= self.until:
            raise AssumptionError(
                f"the warm-up ({self.warm_up:g} s) leaves nothing of a replication of {self.until:g} s; look longer"
            )

    def __str__(self) -> str:
        from pipesim.trace.wording import spell

        parts = []
        if self.executions is not None:
            parts.append(f"{self.executions:,} changes")
        if self.until is not None:
            parts.append(spell(self.until))
        text = " or ".join(parts) or "until everything has ended"
        return (
            f"{text}, of which the first {spell(self.warm_up)} are warm-up" if self.warm_up else f"{text}, from empty"
        )


def as_scenario(thing: Any, assumptions: Assumptions | None = None, name: str = "baseline") -> Scenario:
    """Return a scenario from a scenario, a pipeline, or a (pipeline, assumptions) pair.

    Raises:
        AssumptionError: it is none of these.
    """
    if isinstance(thing, Scenario):
        return thing if assumptions is None else replace(thing, assumptions=assumptions)
    if isinstance(thing, Pipeline):
        return Scenario(thing, assumptions or Assumptions(), name)
    if isinstance(thing, tuple) and len(thing) == 2 and isinstance(thing[0], Pipeline):
        return Scenario(thing[0], thing[1] or Assumptions(), name)
    raise AssumptionError(f"{type(thing).__name__} is no scenario: give a pipeline, with its assumptions")


def flowing(scenario: Scenario) -> Scenario:
    """Return the scenario with changes that keep coming: a single arrival becomes one every 20 minutes."""
    arrivals = scenario.assumptions.arrivals
    if not isinstance(arrivals, Once):
        return scenario
    return replace(
        scenario, assumptions=replace(scenario.assumptions, arrivals=Every(ORDINARY_INTERVAL, first=arrivals.at))
    )


def is_finite(scenario: Scenario) -> bool:
    """Whether the scenario's changes come to an end by themselves."""
    return isinstance(scenario.assumptions.arrivals, Once | At)


def apply_all(scenario: Scenario, edits: Iterable[Edit]) -> Scenario:
    """Return the scenario after all these edits, in order."""
    for edit in edits:
        scenario = edit(scenario)
    return scenario
