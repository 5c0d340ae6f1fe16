"""From the tables of a TOML profile to assumptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from immutabledict import immutabledict

from pipesim.assumptions import distributions as kinds
from pipesim.assumptions.arrivals import Arrivals, At, Every, OfficeHours, Once, Poisson, Weekly
from pipesim.assumptions.calendars import DAY_NAMES, WorkingHours
from pipesim.assumptions.distributions import Distribution
from pipesim.assumptions.faults import AssumptionFault, suggest, under
from pipesim.assumptions.model import (
    DEFAULT_APPROVER,
    ActionAssumption,
    Approver,
    Assumptions,
    Delays,
    Pool,
    RuleAssumption,
)
from pipesim.assumptions.units import parse_duration
from pipesim.errors import AssumptionError

Reader = Callable[[Any], Any]
FORMS: dict[frozenset[str], type] = {
    frozenset({"median", "p95"}): kinds.LogNormal,
    frozenset({"low", "high"}): kinds.Uniform,
    frozenset({"low", "mode", "high"}): kinds.Triangular,
    frozenset({"mean"}): kinds.Exponential,
}
NESTED: dict[str, tuple[type, tuple[str, ...]]] = {
    "pert": (kinds.Pert, ("low", "mode", "high")),
    "weibull": (kinds.Weibull, ("shape", "scale")),
    "gamma": (kinds.Gamma, ("shape", "scale")),
    "normal": (kinds.TruncatedNormal, ("centre", "spread")),
}
FORMS_ADVICE = "{ median, p95 }, { low, high }, { low, mode, high }, { mean } or { values = [...] }"
PLANS = ("every", "list", "poisson_per_hour", "office", "weekly", "once")


def read_assumptions(data: Mapping[str, Any]) -> Assumptions:
    """Return the assumptions that the tables of a profile describe.

    Raises:
        AssumptionError: for an unknown member (with a suggestion) or a value that makes no sense;
            the message begins with the member's path.
    """
    members = read_table(
        data,
        {
            "name": _text,
            "start": _moment,
            "arrivals": read_arrivals,
            "actions": _each(_action),
            "approvals": _each(_approver),
            "rules": _each(_rule),
            "pools": _each(_pool),
            "delays": _delays,
        },
    )
    return Assumptions(**members)


def read_table(table: object, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """Return the members of a table, each read by its reader; unknown members are faults."""
    if not isinstance(table, Mapping):
        raise AssumptionError(f"{table!r} is not a table; its members are {', '.join(readers)}")
    members = {}
    for key, value in table.items():
        if key not in readers:
            raise AssumptionFault((str(key),), f"unknown member{suggest(str(key), readers)}")
        with under(key):
            members[key] = readers[key](value)
    return members


def read_distribution(value: object) -> Distribution:
    """Return the distribution that a duration of a profile describes."""
    if not isinstance(value, Mapping):
        return kinds.Constant(parse_duration(value))
    plain = dict.fromkeys(("median", "p95", "low", "high", "mode", "mean"), parse_duration)
    members = read_table(
        value,
        {
            **plain,
            "values": _list_of_durations,
            "by": parse_duration,
            "rest": read_distribution,
            "mixture": _mixture,
            "bootstrap": _bootstrap,
            **{name: _nested(kind, names) for name, (kind, names) in NESTED.items()},
        },
    )
    if form := FORMS.get(frozenset(members)):
        return _distribution(form(**members))
    if members.keys() == {"values"}:
        return kinds.Empirical(members["values"])
    if members.keys() == {"by", "rest"}:
        return kinds.Shifted(**members)
    if len(members) == 1 and (found := next(iter(members.values()))) and isinstance(found, Distribution):
        return found
    given = ", ".join(members) or "nothing"
    raise AssumptionError(f"a table with {given} describes no distribution; write {FORMS_ADVICE}")


def read_arrivals(value: object) -> Arrivals:
    """Return the plan of arrivals that a profile describes."""
    members = read_table(
        value,
        {
            "every": parse_duration,
            "first": parse_duration,
            "list": _list_of_durations,
            "poisson_per_hour": _poisson,
            "office": _office,
            "weekly": _weekly,
            "once": lambda moment: Once(parse_duration(moment)),
        },
    )
    plans = [plan for plan in PLANS if plan in members]
    if len(plans) != 1:
        given = " and ".join(plans) or "none"
        raise AssumptionError(f"exactly one plan is needed, found {given}; choose one of {', '.join(PLANS)}")
    if "first" in members and plans != ["every"]:
        raise AssumptionFault(("first",), "belongs to every; write list = [...] for single moments")
    if plans == ["every"]:
        return _every(members["every"], members.get("first", 0.0))
    plan: Arrivals = At(members["list"]) if plans == ["list"] else members[plans[0]]
    return plan


def _every(interval: float, first: float) -> Arrivals:
    try:
        return Every(interval, first)
    except AssumptionFault as fault:
        raise AssumptionFault(("every",), fault.explanation) from None


def _poisson(per_hour: float) -> Arrivals:
    try:
        return Poisson(per_hour)
    except AssumptionFault as fault:
        raise AssumptionError(fault.explanation) from None


def _action(value: object) -> ActionAssumption:
    duration = {"duration": read_distribution, "fails_after": read_distribution}
    others = ("fails", "fails_on", "code", "message", "variables", "sizes", "pool")
    return ActionAssumption(**read_table(value, duration | dict.fromkeys(others, _as_it_is)))


def _approver(value: object) -> Approver:
    plain = dict.fromkeys(("rejects", "rejects_on", "name", "hours", "time_zone", "holidays"), _as_it_is)
    members = read_table(value, plain | {"response": _response})
    hours = _working_hours(members)
    return Approver(**({"response": DEFAULT_APPROVER.response} | members), hours=hours)


def _rule(value: object) -> RuleAssumption:
    readers = {"duration": read_distribution, "fails": _as_it_is, "fails_on": _as_it_is}
    return RuleAssumption(**read_table(value, readers))


def _pool(value: object) -> Pool:
    members = read_table(value, {"capacity": _as_it_is, "when_full": _as_it_is})
    if "capacity" not in members:
        raise AssumptionFault(("capacity",), "is missing; write how many actions may work at once")
    return Pool(**members)


def _delays(value: object) -> Delays:
    if isinstance(value, bool):
        return Delays() if value else Delays.none()
    times = ("start", "between_stages", "approval_tick", "continuation_tick", "polling")
    return Delays(**read_table(value, dict.fromkeys(times, parse_duration) | {"transfer_rate": _as_it_is}))


def _response(value: object) -> Distribution | None:
    return None if value == "never" else read_distribution(value)


def _office(value: object) -> OfficeHours:
    plain = dict.fromkeys(("per_day", "hours", "time_zone", "holidays"), _as_it_is)
    members = read_table(value, plain)
    if "per_day" not in members:
        raise AssumptionFault(("per_day",), "is missing; write how many changes a working day brings")
    return OfficeHours(members["per_day"], _working_hours(members) or WorkingHours())


def _weekly(value: object) -> Weekly:
    readers = dict.fromkeys(DAY_NAMES, _list) | {"time_zone": _text, "holidays": _list}
    members = read_table(value, readers)
    rates: list[Any] = []
    for day in DAY_NAMES:
        hours = members.get(day, [0.0] * 24)
        if len(hours) != 24:
            raise AssumptionFault((day,), f"has {len(hours)} rates; give 24, one for each hour of the day")
        rates.extend(hours)
    return Weekly(tuple(rates), members.get("time_zone", "UTC"), tuple(members.get("holidays", ())))


def _working_hours(members: dict[str, Any]) -> WorkingHours | None:
    text = members.pop("hours", None)
    zone = members.pop("time_zone", None)
    holidays = members.pop("holidays", None)
    if text is None:
        for key, value in (("time_zone", zone), ("holidays", holidays)):
            if value is not None:
                raise AssumptionFault((key,), f"{value!r} needs hours, such as hours = 'Mon-Fri 09:00-17:00'")
        return None
    if holidays is not None and not isinstance(holidays, list | tuple):
        raise AssumptionFault(("holidays",), f"{holidays!r} is not a list of dates such as [2026-12-25]")
    return WorkingHours.parse(text, "UTC" if zone is None else zone, holidays or ())


def _mixture(value: object) -> Distribution:
    if not isinstance(value, list | tuple):
        raise AssumptionError(f"{value!r} is not a list of {{ weight, of }}")
    parts = [read_table(part, {"weight": _as_it_is, "of": read_distribution}) for part in value]
    for part in parts:
        if part.keys() != {"weight", "of"}:
            raise AssumptionError("each part of a mixture needs weight and of")
    return kinds.Mixture(tuple(part["weight"] for part in parts), tuple(part["of"] for part in parts))


def _bootstrap(value: object) -> Distribution:
    members = read_table(value, {"values": _list_of_durations, "weights": _list})
    if "values" not in members:
        raise AssumptionFault(("values",), "is missing")
    return kinds.Bootstrap(members["values"], tuple(members.get("weights", ())))


def _nested(kind: type, names: tuple[str, ...]) -> Reader:
    def read(value: object) -> Distribution:
        readers = {name: _as_it_is if name == "shape" else parse_duration for name in names}
        members = read_table(value, readers)
        if missing := [name for name in names if name not in members]:
            raise AssumptionFault((missing[0],), "is missing")
        return _distribution(kind(**members))

    return read


def _each(reader: Reader) -> Reader:
    def read(table: object) -> Mapping[str, Any]:
        if not isinstance(table, Mapping):
            raise AssumptionError(f"{table!r} is not a table of names")
        return immutabledict(read_table(table, dict.fromkeys(table, reader)))

    return read


def _list_of_durations(value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple):
        raise AssumptionError(f"{value!r} is not a list of durations such as ['0m', '25m']")
    return tuple(parse_duration(item) for item in value)


def _list(value: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise AssumptionError(f"{value!r} is not a list of numbers")
    return value


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        kind = "a date without a time" if isinstance(value, date) else "not a moment"
        raise AssumptionError(f"{value!s} is {kind}; write 2026-03-02T09:00:00Z, without quotes")
    if value.utcoffset() is None:
        raise AssumptionError(f"{value} has no time zone; write {value.isoformat()}Z or an offset such as +01:00")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise AssumptionError(f"{value!r} is not text")
    return value


def _as_it_is(value: Any) -> Any:
    return value


def _distribution(value: Any) -> Distribution:
    return kinds.distribution("duration", value)
