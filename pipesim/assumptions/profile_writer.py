"""From assumptions to the tables of a TOML profile; what is default is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

from pipesim.assumptions import distributions as kinds
from pipesim.assumptions.arrivals import Arrivals, At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import DAY_NAMES, WorkingHours
from pipesim.assumptions.distributions import Distribution
from pipesim.assumptions.faults import under
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Delays, Pool, RuleAssumption
from pipesim.assumptions.units import format_duration, parse_duration
from pipesim.errors import AssumptionError

Table = dict[str, Any]


def write_assumptions(assumptions: Assumptions) -> Table:
    """Return the tables of a profile that `read_assumptions` reads back as equal assumptions."""
    top: Table = {"name": assumptions.name} if assumptions.name else {}
    top["start"] = assumptions.start
    if assumptions.delays == Delays.none():
        top["delays"] = False
    with under("arrivals"):
        top["arrivals"] = write_arrivals(assumptions.arrivals)
    parts: Iterable[tuple[str, Callable[[Any], Table]]] = (
        ("actions", _action),
        ("approvals", _approver),
        ("rules", _rule),
        ("pools", _pool),
    )
    for member, write in parts:
        if table := getattr(assumptions, member):
            top[member] = {}
            for key, value in table.items():
                with under(member, key):
                    top[member][key] = write(value)
    if assumptions.delays not in (Delays(), Delays.none()):
        top["delays"] = _delays(assumptions.delays)
    return top


def write_distribution(distribution: Distribution) -> Any:
    """Return the text, number or table by which a profile describes this distribution.

    Raises:
        AssumptionError: for a class of one's own.
    """
    match distribution:
        case kinds.Constant(value):
            return span(value)
        case kinds.Uniform() | kinds.Triangular() | kinds.LogNormal() | kinds.Exponential():
            return _spans(distribution)
        case kinds.Empirical(values):
            return {"values": [span(value) for value in values]}
        case kinds.Pert():
            return {"pert": _spans(distribution)}
        case kinds.Weibull(shape, scale):
            return {"weibull": {"shape": shape, "scale": span(scale)}}
        case kinds.Gamma(shape, scale):
            return {"gamma": {"shape": shape, "scale": span(scale)}}
        case kinds.Bootstrap(values, weights):
            table = {"values": [span(value) for value in values]}
            return {"bootstrap": table | ({"weights": list(weights)} if weights else {})}
        case kinds.TruncatedNormal():
            return {"normal": _spans(distribution)}
        case kinds.Shifted(by, rest):
            return {"by": span(by), "rest": write_distribution(rest)}
        case kinds.Mixture(weights, parts):
            pairs = zip(weights, parts, strict=True)
            return {"mixture": [{"weight": weight, "of": write_distribution(part)} for weight, part in pairs]}
    raise AssumptionError(f"a profile cannot hold {distribution!r}; use a distribution of pipesim")


def write_arrivals(arrivals: Arrivals) -> Table:
    """Return the table by which a profile describes this plan of arrivals.

    Raises:
        AssumptionError: for a class of one's own.
    """
    match arrivals:
        case Once(at):
            return {"once": span(at)}
        case At(moments):
            return {"list": [span(moment) for moment in moments]}
        case Every(interval, first):
            return {"every": span(interval)} | ({"first": span(first)} if first else {})
        case Poisson(per_hour):
            return {"poisson_per_hour": per_hour}
        case OfficeHours(per_day, hours):
            return {"office": {"per_day": per_day} | _hours(hours)}
        case Weekly():
            return {"weekly": _weekly(arrivals)}
    raise AssumptionError(f"a profile cannot hold {arrivals!r}; use a plan of pipesim")


def _weekly(arrivals: Weekly) -> Table:
    table: Table = {"time_zone": arrivals.time_zone}
    if arrivals.holidays:
        table["holidays"] = list(arrivals.holidays)
    for place, day in enumerate(DAY_NAMES):
        rates = arrivals.per_hour[place * 24 : place * 24 + 24]
        if any(rates):
            table[day] = list(rates)
    return table


def span(duration: float) -> str | float:
    """Return a duration as text for people when that is exact, else the number of seconds."""
    text = format_duration(duration)
    return text if parse_duration(text) == duration else duration


def _spans(distribution: Any) -> Table:
    return {member.name: span(getattr(distribution, member.name)) for member in fields(distribution)}


def _action(action: ActionAssumption) -> Table:
    table = _changed(action, ActionAssumption())
    for member in ("duration", "fails_after"):
        if member in table:
            table[member] = write_distribution(table[member])
    return table


def _approver(approver: Approver) -> Table:
    table = _changed(approver, Approver())
    table.pop("hours", None)
    table["response"] = "never" if approver.response is None else write_distribution(approver.response)
    return table | (_hours(approver.hours) if approver.hours else {})


def _rule(rule: RuleAssumption) -> Table:
    table = _changed(rule, RuleAssumption())
    if "duration" in table:
        table["duration"] = write_distribution(table["duration"])
    return table


def _pool(pool: Pool) -> Table:
    return {"capacity": pool.capacity, "when_full": pool.when_full}


def _delays(delays: Delays) -> Table:
    table = _changed(delays, Delays())
    return {member: value if member == "transfer_rate" else span(value) for member, value in table.items()}


def _hours(hours: WorkingHours) -> Table:
    table: Table = {"hours": hours.text, "time_zone": hours.time_zone}
    return table | ({"holidays": list(hours.holidays)} if hours.holidays else {})


def _changed(value: Any, default: Any) -> Table:
    return {
        member.name: getattr(value, member.name)
        for member in fields(value)
        if getattr(value, member.name) != getattr(default, member.name)
    }
