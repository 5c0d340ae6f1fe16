"""The unit of each measure, and numbers written with it."""

from __future__ import annotations

import math

from pipesim.trace.wording import spell

UNITS: dict[str, str] = {
    "throughput": "executions an hour",
    "deployment_frequency": "deployments a day",
    "change_failure_rate": "share",
    "work_in_progress": "executions",
    "approvals_wasted": "approvals",
    "quota_failures": "failures",
}
PREFIXES: dict[str, str] = {"cost": "USD", "utilisation": "share", "pool": "share"}
SPELT = ("s", "USD", "share")
SECONDS = ("lead_time", "change_lead_time", "waiting", "working", "production_age", "time_to_restore", "critical")


def unit_of(measure: str) -> str:
    """Return the unit of a measure: "s", "USD", "share", "executions" …

    >>> unit_of("lead_time.p95"), unit_of("cost.v2"), unit_of("superseded")
    ('s', 'USD', 'executions')
    """
    head = measure.partition(".")[0]
    if head in SECONDS or measure == "lead_time_for_changes":
        return "s"
    return UNITS.get(measure) or PREFIXES.get(head) or "executions"


def with_unit(measure: str, value: float) -> str:
    """Return a value of a measure as people read it.

    >>> with_unit("lead_time", 5400), with_unit("cost.v2", 1.5), with_unit("change_failure_rate", 0.051)
    ('1 h 30 min', '1.50 USD', '5.1 %')
    """
    if math.isnan(value):
        return "none"
    if math.isinf(value):
        return "∞"
    unit = unit_of(measure)
    text = number_text(measure, value)
    return text if unit in SPELT else f"{text} {unit}"


def number_text(measure: str, value: float) -> str:
    """Return a value of a measure without the unit, unless it is a time, money or a share.

    >>> number_text("shipped", 12.25), number_text("lead_time", 90), number_text("cost.v2", 1234.5)
    ('12.25', '1 min 30 s', '1,234.50 USD')
    """
    if math.isnan(value):
        return "none"
    if math.isinf(value):
        return "∞"
    text = _text(unit_of(measure), value)
    return text if any(digit in text for digit in "123456789") else text.removeprefix("-")


def difference_text(measure: str, value: float) -> str:
    """Return a difference as `number_text` does, with its sign where there is something to be seen.

    >>> difference_text("shipped", 2), difference_text("change_failure_rate", -0.0001)
    ('+2', '0.0 %')
    """
    text = number_text(measure, value)
    return f"+{text}" if value > 0 and any(digit in text for digit in "123456789") else text


def _text(unit: str, value: float) -> str:
    if unit == "s":
        return spell(value)
    if unit == "USD":
        return f"{value:,.2f} USD"
    if unit == "share":
        return f"{value:.1%}".replace("%", " %")
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def heading_of(measure: str) -> str:
    """Return a measure's name as a heading, with its unit where its numbers do not show it.

    >>> heading_of("shipped"), heading_of("lead_time")
    ('shipped (executions)', 'lead time')
    """
    unit = unit_of(measure)
    return title_of(measure) if unit in SPELT else f"{title_of(measure)} ({unit})"


def title_of(measure: str) -> str:
    """Return a measure's name as a heading.

    >>> title_of("waiting.stage lock"), title_of("lead_time.p95")
    ('waiting for stage lock', 'lead time, 95th percentile')
    """
    head, _, rest = measure.partition(".")
    words = head.replace("_", " ")
    if head == "waiting":
        return f"waiting for {rest}" if rest != "delay" else "small delays of the service"
    if head == "critical":
        return f"{rest} alone on the critical path"
    if head == "cost":
        names = {"v1": "cost as V1", "v2": "cost as V2", "builds": "cost of builds", "total": "cost with builds"}
        return names.get(rest, f"cost {rest}")
    if rest.startswith("p") and rest[1:].isdigit():
        return f"{words}, {rest[1:]}th percentile"
    return f"{words} of {rest}" if rest else words
