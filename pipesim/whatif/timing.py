"""Edits of the assumptions: how long, how often, how many, when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipesim.assumptions.arrivals import Arrivals, At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Constant, Distribution
from pipesim.assumptions.faults import suggest
from pipesim.assumptions.model import ActionAssumption, Approver, Delays, Pool
from pipesim.assumptions.resolve import Resolved, resolve
from pipesim.assumptions.units import format_duration, parse_duration
from pipesim.definition.model import Action, Stage
from pipesim.errors import AssumptionError
from pipesim.whatif.places import find_action, find_actions, with_assumptions, with_entry
from pipesim.whatif.scaling import positive_factor, scaled
from pipesim.whatif.scenario import Edit, Scenario

Duration = Distribution | float | int | str
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def as_distribution(value: Duration, like: Distribution | None = None) -> Distribution:
    """Return a distribution from one, from seconds, or from text such as ``"8m"``.

    Args:
        value: the distribution, or one duration.
        like: a distribution whose shape a single duration keeps: it is stretched until its median is that duration.

    Raises:
        AssumptionError: it is none of these.
    """
    if isinstance(value, Distribution):
        return value
    wanted = parse_duration(value)
    middle = 0.0 if like is None else like.quantile(0.5)
    return Constant(wanted) if like is None or middle <= 0 or wanted <= 0 else scaled(like, wanted / middle)


def duration(action: str, value: Duration) -> Edit:
    """Return the edit that sets how long an action works.

    Args:
        action: ``Stage/Action``, or ``Stage/*`` or ``*`` for several.
        value: a distribution; or a number of seconds or text such as ``"8m"``: the present distribution
            is stretched until half of its durations are shorter than this, and keeps its shape.
    """

    def change(assumed: ActionAssumption) -> ActionAssumption:
        return replace(assumed, duration=as_distribution(value, assumed.duration))

    return Edit(f"{action} takes {_shown(value)}", lambda one: _change_actions(one, action, change))


def scale_duration(action: str, factor: float) -> Edit:
    """Return the edit that multiplies how long an action (or ``Stage/*``, or ``*``) works."""
    factor = positive_factor(factor)

    def change(assumed: ActionAssumption) -> ActionAssumption:
        assert assumed.duration is not None
        late = None if assumed.fails_after is None else scaled(assumed.fails_after, factor)
        return replace(assumed, duration=scaled(assumed.duration, factor), fails_after=late)

    return Edit(f"{action} × {factor:g}", lambda one: _change_actions(one, action, change))


def failure_odds(action: str, odds: float) -> Edit:
    """Return the edit that sets the odds (0 to 1) that an attempt of an action fails; an approval is rejected."""

    def apply(scenario: Scenario) -> Scenario:
        stage, found = find_action(scenario.pipeline, action)
        if found.is_approval:
            return _change_approver(scenario, stage, found, lambda who: replace(who, rejects=odds))
        return _change_actions(scenario, action, lambda assumed: replace(assumed, fails=odds))

    return Edit(f"{action} fails {odds:.3g}", apply)


def artifact_size(action: str, size: int | str, artifact: str | None = None) -> Edit:
    """Return the edit that sets how large what an action hands on is.

    Args:
        action: ``Stage/Action``.
        size: bytes, or text such as ``"500 MB"``.
        artifact: which artifact; None: each one.
    """
    count = parse_size(size)

    def apply(scenario: Scenario) -> Scenario:
        _, found = find_action(scenario.pipeline, action)
        names = [one.name for one in found.output_artifacts]
        if not names or (artifact is not None and artifact not in names):
            wanted = "any artifact" if artifact is None else repr(artifact)
            raise AssumptionError(f"{action} does not make {wanted}{suggest(artifact or '', names)}")
        sizes = dict.fromkeys([artifact] if artifact else names, count)
        return _change_actions(scenario, action, lambda assumed: replace(assumed, sizes={**assumed.sizes, **sizes}))

    return Edit(f"size of {action} {count:,} bytes", apply)


def transfer_rate(rate: int | str) -> Edit:
    """Return the edit that sets how fast artifacts are copied: bytes, or text such as ``"50 MB"``, a second."""
    count = parse_size(rate)

    def apply(scenario: Scenario) -> Scenario:
        delays = replace(scenario.assumptions.delays, transfer_rate=float(count))
        return with_assumptions(scenario, replace(scenario.assumptions, delays=delays))

    return Edit(f"transfer {count:,} bytes a second", apply)


def delays(on: bool) -> Edit:
    """Return the edit that switches the service's own small delays on or off."""

    def apply(scenario: Scenario) -> Scenario:
        now = scenario.assumptions.delays
        fresh = Delays() if on else Delays.none()
        kept = replace(fresh, polling=now.polling, transfer_rate=now.transfer_rate)
        return with_assumptions(scenario, replace(scenario.assumptions, delays=kept))

    return Edit(f"delays {'on' if on else 'off'}", apply)


def pool(name: str, capacity: int) -> Edit:
    """Return the edit that sets how many actions a pool takes at once; ``builds`` is CodeBuild's."""

    def apply(scenario: Scenario) -> Scenario:
        pools = scenario.assumptions.pools
        resolved = resolve(scenario.pipeline, scenario.assumptions, strict=False)
        used = {one.pool for one in resolved.actions.values() if one.pool}
        if name not in used:
            raise AssumptionError(f"no action uses a pool {name!r}{suggest(name, used)}")
        fresh = Pool(capacity) if name not in pools else replace(pools[name], capacity=capacity)
        return with_assumptions(scenario, replace(scenario.assumptions, pools=with_entry(pools, name, fresh)))

    return Edit(f"{name}={capacity}", apply)


def approver_hours(action: str, hours: WorkingHours | str | None, time_zone: str = "UTC") -> Edit:
    """Return the edit that sets when an approval is answered.

    Args:
        action: ``Stage/Action`` of the approval.
        hours: working hours, or text such as ``"Mon-Fri 09:00-17:00"``; None: round the clock.
        time_zone: of the text, an IANA name such as ``"Asia/Kolkata"``.
    """
    known = WorkingHours.parse(hours, time_zone) if isinstance(hours, str) else hours

    def apply(scenario: Scenario) -> Scenario:
        stage, found = find_action(scenario.pipeline, action)
        return _change_approver(scenario, stage, found, lambda who: replace(who, hours=known))

    shown = "round the clock" if known is None else f"{known.text} {known.time_zone}"
    return Edit(f"{action} answered {shown}", apply)


def approver_response(action: str, value: Duration) -> Edit:
    """Return the edit that sets how much working time passes until an approval is answered (see `duration`)."""

    def apply(scenario: Scenario) -> Scenario:
        stage, found = find_action(scenario.pipeline, action)
        return _change_approver(
            scenario, stage, found, lambda who: replace(who, response=as_distribution(value, who.response))
        )

    return Edit(f"{action} answered after {_shown(value)}", apply)


def arrivals(plan: Arrivals | Duration) -> Edit:
    """Return the edit that sets when changes arrive: a plan, or the time between two (seconds or ``"20m"``)."""
    fresh = Every(parse_duration(plan)) if isinstance(plan, int | float | str) else plan
    if not isinstance(fresh, Arrivals):
        raise AssumptionError(f"{plan!r} is no plan of arrivals; write '20m' or Poisson(per_hour=3)")
    found: Arrivals = fresh
    text = f"every {_shown(plan)}" if isinstance(plan, int | float | str) else _rate_text(found)
    return Edit(f"arrivals {text}", lambda one: with_assumptions(one, replace(one.assumptions, arrivals=found)))


def scale_arrivals(factor: float) -> Edit:
    """Return the edit that lets so many times as many changes arrive: 2 for twice the commits."""
    factor = positive_factor(factor)

    def apply(scenario: Scenario) -> Scenario:
        fresh = more_arrivals(scenario.assumptions.arrivals, factor)
        return with_assumptions(scenario, replace(scenario.assumptions, arrivals=fresh))

    return Edit(f"arrivals × {factor:g}", apply)


def more_arrivals(plan: Arrivals, factor: float) -> Arrivals:
    """Return a plan by which so many times as many changes arrive.

    Raises:
        AssumptionError: the plan is a single change, or of a kind of one's own.
    """
    if isinstance(plan, Every):
        return Every(plan.interval / factor, first=plan.first)
    if isinstance(plan, Poisson):
        return Poisson(plan.per_hour * factor)
    if isinstance(plan, OfficeHours):
        return OfficeHours(plan.per_day * factor, plan.hours)
    if isinstance(plan, Weekly):
        return Weekly(tuple(rate * factor for rate in plan.per_hour), plan.time_zone, plan.holidays)
    if isinstance(plan, At):
        return At(tuple(moment / factor for moment in plan.moments))
    kind = "a single change" if isinstance(plan, Once) else type(plan).__name__
    raise AssumptionError(f"{kind} cannot be made more frequent; say when changes arrive first, such as every 20m")


def parse_size(text: int | float | str) -> int:
    """Return bytes from bytes or from text.

    Raises:
        AssumptionError: it is no size.

    >>> parse_size("1.5 MB"), parse_size(10)
    (1500000, 10)
    """
    units = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
    lowered = str(text).strip().lower().replace("_", "").replace(",", "")
    digits = lowered.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = lowered[len(digits) :].strip()
    try:
        size = float(digits) * units[unit]
    except (ValueError, KeyError):
        raise AssumptionError(f"{text!r} is no size; write bytes, or '500 MB'") from None
    if not 0 <= size < 1e18:
        raise AssumptionError(f"{text!r} is not between 0 and a million terabytes")
    return int(size)


def _change_actions(scenario: Scenario, key: str, change: Any) -> Scenario:
    resolved = resolve(scenario.pipeline, scenario.assumptions, strict=False)
    actions = scenario.assumptions.actions
    several = key.strip().endswith("*")
    for stage, action in find_actions(scenario.pipeline, key):
        if action.is_approval:
            if several:
                continue
            raise AssumptionError(f"{stage.name}/{action.name} is an approval: say how it is answered (approver …)")
        found = resolved.action(stage.name, action.name)
        actions = with_entry(actions, f"{stage.name}/{action.name}", change(_own(found, scenario, stage, action)))
    return with_assumptions(scenario, replace(scenario.assumptions, actions=actions))


def _own(found: ActionAssumption, scenario: Scenario, stage: Stage, action: Action) -> ActionAssumption:
    """The assumption with the catalog's duration filled in, and the pool left to the catalog where it was."""
    tables = scenario.assumptions.actions
    keys = (f"{stage.name}/{action.name}", action.name, f"{action.category}/{action.provider}")
    said = next((tables[key].pool for key in keys if key in tables), None)
    return replace(found, pool=said)


def _change_approver(scenario: Scenario, stage: Stage, action: Action, change: Any) -> Scenario:
    if not action.is_approval:
        raise AssumptionError(f"{stage.name}/{action.name} is no approval")
    resolved: Resolved = resolve(scenario.pipeline, scenario.assumptions, strict=False)
    who: Approver = change(resolved.approver(stage.name, action.name))
    approvals = with_entry(scenario.assumptions.approvals, f"{stage.name}/{action.name}", who)
    return with_assumptions(scenario, replace(scenario.assumptions, approvals=approvals))


def _rate_text(plan: Arrivals) -> str:
    """A plan as people say it."""
    match plan:
        case Poisson(per_hour):
            return f"{per_hour:g} an hour" if per_hour >= 1 else f"{24 * per_hour:g} a day"
        case OfficeHours(per_day):
            return f"{per_day:g} a working day"
        case Every(interval):
            return f"every {format_duration(interval)}"
    return str(plan)


def _shown(value: object) -> str:
    if isinstance(value, int | float):
        return format_duration(value)
    return value if isinstance(value, str) else str(value)
