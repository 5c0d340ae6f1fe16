"""The knobs of a scenario: what can be turned, which values are offered, and the edit that each value stands for.

A knob's value is plain: seconds, odds from 0 to 1, changes a day, a count, or a text. None means "without": no limit
of a pool, nobody who answers, hours round the clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipesim.assumptions.arrivals import Arrivals, At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.faults import suggest
from pipesim.assumptions.resolve import Resolved, resolve
from pipesim.errors import AssumptionError
from pipesim.trace.wording import spell
from pipesim.vocabulary import ExecutionMode
from pipesim.whatif.scenario import Edit, Scenario
from pipesim.whatif.structure import execution_mode
from pipesim.whatif.timing import (
    approver_hours,
    approver_response,
    arrivals,
    duration,
    failure_odds,
    pool,
    scale_arrivals,
)

DAY = 86_400.0
ENOUGH = 36
FACTORS = (
    0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
    1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0,
)  # fmt: skip
ODDS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
PLACES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 60)
ANSWERS = (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0)
HOURS = ("Mon-Fri 09:00-17:00", "Mon-Fri 08:00-20:00", "Mon-Fri 09:00-12:00", "Mon-Sun 09:00-17:00", "Wed 09:00-12:00")

Value = Any


@dataclass(frozen=True, slots=True)
class Call:
    """One edit as the call that makes it, so that it can be made and written.

    Attributes:
        function: a function of `pipesim.edit`.
        arguments: what it is called with.
    """

    function: Callable[..., Edit]
    arguments: tuple[Any, ...]

    @property
    def edit(self) -> Edit:
        """The edit itself."""
        return self.function(*self.arguments)

    @property
    def code(self) -> str:
        """The call as Python code, with `pipesim.edit` as ``edit`` and the arguments' classes imported.

        >>> Call(duration, ("Build/CodeBuild", 240.0)).code
        "edit.duration('Build/CodeBuild', 240.0)"
        """
        return f"edit.{self.function.__name__}({', '.join(map(repr, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Knob:
    """Something that can be turned.

    Attributes:
        name: what it is called in settings, such as ``"duration Build/CodeBuild"`` or ``"mode"``.
        kind: ``mode``, ``arrivals``, ``pool``, ``duration``, ``fails``, ``answer``, ``rejects`` or ``hours``.
        label: what it is called on the page.
        group: the heading under which it stands.
        start: the value that the scenario came with.
        offers: the values that a slider stops at, in order; any other sensible one can be set from Python.
        target: what is edited: ``Stage/Action``, or a pool's name.
        zone: the time zone of working hours.
        holidays: the holidays of working hours.
        plan: the arrivals that are made more or less frequent.
    """

    name: str
    kind: str
    label: str
    group: str
    start: Value
    offers: tuple[Value, ...]
    target: str = ""
    zone: str = "UTC"
    holidays: tuple[date, ...] = ()
    plan: Arrivals | None = None

    @property
    def is_choice(self) -> bool:
        """Whether its values have no order: a list to choose from rather than a slider."""
        return self.kind in ("mode", "hours")

    def checked(self, value: Value) -> Value:
        """Return the value when it makes sense.

        Raises:
            AssumptionError: it does not; the message says what would.
        """
        if value is None and None in self.offers:
            return None
        if self.kind == "mode":
            if value not in list(ExecutionMode):
                raise AssumptionError(f"{self.name}: {value!r} is no execution mode{suggest(value, ExecutionMode)}")
            return str(value)
        if self.kind == "hours":
            if not isinstance(value, str):
                raise AssumptionError(f"{self.name}: {value!r} is not text such as 'Mon-Fri 09:00-17:00'")
            return WorkingHours.parse(value, self.zone).text
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise AssumptionError(f"{self.name}: {value!r} is not a number")
        if self.kind == "pool":
            if value != int(value) or value < 1:
                raise AssumptionError(f"{self.name}: {value!r} is no number of places; give 1 or more")
            return int(value)
        if self.kind in ("fails", "rejects"):
            if not 0 <= value <= 1:
                raise AssumptionError(f"{self.name}: {value!r} are no odds; give 0 to 1")
        elif value <= 0 or value > 1e10:
            raise AssumptionError(f"{self.name}: {value!r} must be above 0")
        return float(value)

    def call(self, value: Value) -> Call:
        """Return the edit that sets it to this value."""
        match self.kind:
            case "mode":
                return Call(execution_mode, (value,))
            case "arrivals":
                if isinstance(self.plan, At | Once):
                    return Call(arrivals, (Poisson(value / 24),))
                return Call(scale_arrivals, (value / self.start,))
            case "pool":
                return Call(pool, (self.target, value))
            case "duration":
                return Call(duration, (self.target, value))
            case "answer":
                return Call(approver_response, (self.target, value))
            case "hours":
                if value is None or not self.holidays:
                    return Call(approver_hours, (self.target, value, self.zone))
                return Call(approver_hours, (self.target, WorkingHours.parse(value, self.zone, self.holidays)))
            case _:
                return Call(failure_odds, (self.target, value))

    def text(self, value: Value) -> str:
        """Return a value as people read it."""
        if value is None:
            return {"pool": "no limit", "answer": "nobody answers"}.get(self.kind, "round the clock")
        match self.kind:
            case "duration" | "answer":
                return spell(value)
            case "fails" | "rejects":
                return f"{value:.1%}".replace(".0%", "%").replace("%", " %")
            case "arrivals":
                day = "working day" if isinstance(self.plan, OfficeHours) else "day"
                return f"{value:.3g} a {day}"
            case "hours":
                return f"{value} {self.zone}"
            case _:
                return str(value)


def knobs_of(scenario: Scenario) -> tuple[Knob, ...]:
    """Return everything of a scenario that can be turned, the whole pipeline first, then stage by stage.

    Raises:
        AssumptionError: an assumption names something that the declaration does not have.
    """
    resolved = resolve(scenario.pipeline, scenario.assumptions)
    return (*_flow(scenario, resolved), *_of_actions(scenario, resolved))


def find_knob(knobs: tuple[Knob, ...], name: str) -> Knob:
    """Return the knob of a name.

    Raises:
        AssumptionError: there is none; the message names the nearest.
    """
    for knob in knobs:
        if knob.name == name:
            return knob
    raise AssumptionError(f"there is no knob {name!r}{suggest(str(name), [knob.name for knob in knobs])}")


def changes_a_day(plan: Arrivals) -> float:
    """Return how many changes a plan lets arrive on a day, on a working day for office hours; 1 for others' plans."""
    if isinstance(plan, Every):
        return DAY / plan.interval
    if isinstance(plan, Poisson):
        return plan.per_hour * 24
    if isinstance(plan, OfficeHours):
        return plan.per_day
    if isinstance(plan, Weekly):
        return sum(plan.per_hour) / 7
    if isinstance(plan, At) and plan.moments and plan.moments[-1] > 0:
        return len(plan.moments) / max(1.0, plan.moments[-1] / DAY)
    return 1.0


def _flow(scenario: Scenario, resolved: Resolved) -> Iterator[Knob]:
    modes = tuple(str(mode) for mode in ExecutionMode)
    yield Knob("mode", "mode", "Execution mode", "", str(scenario.pipeline.execution_mode), modes)
    plan = scenario.assumptions.arrivals
    if isinstance(plan, Every | Poisson | OfficeHours | Weekly | At | Once):
        rate = changes_a_day(plan)
        yield Knob("arrivals", "arrivals", "Commits", "", rate, _around(rate), plan=plan)
    used = dict.fromkeys(one.pool for one in resolved.actions.values() if one.pool)
    for name in used:
        known = scenario.assumptions.pools.get(name)
        start = None if known is None else known.capacity
        offers = sorted({*PLACES, *(() if start is None else (start,))})
        label = "Builds at once" if name == "builds" else f"Places in {name}"
        yield Knob(f"pool {name}", "pool", label, "", start, (*offers, *(() if start else (None,))), target=name)


def _of_actions(scenario: Scenario, resolved: Resolved) -> Iterator[Knob]:
    for stage in scenario.pipeline.stages:
        for action in stage.actions:
            target = f"{stage.name}/{action.name}"
            if action.is_approval:
                yield from _of_approval(target, stage.name, action.name, resolved)
                continue
            assumed = resolved.action(stage.name, action.name)
            middle = 0.0 if assumed.duration is None else assumed.duration.quantile(0.5)
            if middle > 0:
                offers = _around(middle)
                yield Knob(f"duration {target}", "duration", f"{action.name} takes", stage.name, middle, offers, target)
            offers = tuple(sorted({*ODDS, assumed.fails}))
            yield Knob(f"fails {target}", "fails", f"{action.name} fails", stage.name, assumed.fails, offers, target)


def _of_approval(target: str, stage: str, action: str, resolved: Resolved) -> Iterator[Knob]:
    who = resolved.approver(stage, action)
    middle = None if who.response is None else who.response.quantile(0.5)
    offers: tuple[Value, ...] = (*ANSWERS, None) if not middle else _around(middle)
    yield Knob(f"answer {target}", "answer", f"{action} answered after", stage, middle or None, offers, target)
    odds = tuple(sorted({*ODDS, who.rejects}))
    yield Knob(f"rejects {target}", "rejects", f"{action} rejected", stage, who.rejects, odds, target)
    hours = who.hours or WorkingHours()
    start = None if who.hours is None else hours.text
    texts = tuple(dict.fromkeys((None, start, *HOURS)))
    zone, holidays = hours.time_zone, hours.holidays
    yield Knob(f"hours {target}", "hours", f"{action} answered", stage, start, texts, target, zone, holidays)


def _around(start: float) -> tuple[float, ...]:
    """Values below and above, a tenth to tenfold, in round numbers; the start itself stays exact."""
    return tuple(start if factor == 1.0 else _round(start * factor) for factor in FACTORS)


def _round(value: float) -> float:
    return round(value, 2 - math.floor(math.log10(value)) - 1) if value < 100 else float(round(value))


def length_for(scenario: Scenario) -> float:
    """Return how many days to look so that some forty changes arrive: from half a day to 30 days."""
    rate = changes_a_day(scenario.assumptions.arrivals)
    return next((days for days in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0) if rate * days >= ENOUGH), 30.0)
