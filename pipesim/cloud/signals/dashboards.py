"""Dashboards: what ``PutDashboard`` took is read, filled with the account's metrics and drawn.

Source: Amazon CloudWatch API reference, "Dashboard body structure and syntax".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends

from pipesim.cloud.signals.alarms import is_statistic, statistic
from pipesim.errors import PipesimError
from pipesim.views.chart import Chart
from pipesim.views.dashboard import Line, Panel, dashboard

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

PERIOD = 300
NO_UNIT = "None"
SIZE = (6, 6)


def draw(account: Account, name: str, theme: str = "light") -> Chart:
    """Draw a dashboard with what the account has measured so far.

    Args:
        account: whose.
        name: the dashboard's name.
        theme: ``light`` or ``dark``.

    Raises:
        PipesimError: there is no such dashboard, or its body is not JSON.
    """
    known = cloudwatch_backends[account.id][account.region].dashboards
    if name not in known:
        raise PipesimError(f"there is no dashboard '{name}' (known: {', '.join(sorted(known)) or 'none'})")
    try:
        widgets = json.loads(str(known[name].body)).get("widgets", [])
    except (ValueError, AttributeError):
        raise PipesimError(f"the body of dashboard '{name}' is not the JSON of a dashboard") from None
    return dashboard(_panels(account, widgets), account.start, account.env.now, name=name, theme=theme)


def _panels(account: Account, widgets: list[Mapping[str, Any]]) -> list[Panel]:
    panels, bottom = [], 0.0
    for widget in widgets:
        wide, tall = (float(widget.get(key, size)) for key, size in zip(("width", "height"), SIZE, strict=True))
        place = (float(widget.get("x", 0)), float(widget.get("y", bottom)), wide, tall)
        bottom = max(bottom, place[1] + tall)
        panels.append(_panel(account, str(widget.get("type")), widget.get("properties") or {}, place))
    return panels


def _panel(
    account: Account, kind: str, properties: Mapping[str, Any], place: tuple[float, float, float, float]
) -> Panel:
    title = str(properties.get("title") or "")
    if kind == "text":
        first, _, rest = str(properties.get("markdown", "")).partition("\n")
        return Panel(first.lstrip("# "), place, text=rest or " ")
    if kind == "alarm":
        states = {each.alarm_arn: each for each in cloudwatch_backends[account.id][account.region].alarms.values()}
        alarms = tuple(
            (arn.rsplit(":", 1)[-1], str(states[arn].state_value) if arn in states else "does not exist")
            for arn in properties.get("alarms", ())
        )
        return Panel(title or "Alarms", place, alarms=alarms)
    if kind != "metric":
        return Panel(title or kind, place, text=f"\nwidgets of type {kind} are not drawn")
    limits = tuple(
        (str(each.get("label", "")), float(each["value"]))
        for each in (properties.get("annotations") or {}).get("horizontal", ())
        if isinstance(each, Mapping) and "value" in each
    )
    alarms = (properties.get("annotations") or {}).get("alarms", ())
    lines = [_line(account, row, options, properties) for row, options in _metrics(properties.get("metrics", ()))]
    for arn in alarms:
        alarm = cloudwatch_backends[account.id][account.region].alarms.get(arn.rsplit(":", 1)[-1])
        if alarm is not None:
            limits += ((alarm.name, float(alarm.threshold)),)
    shows_numbers = properties.get("view") == "singleValue"
    return Panel(title or "Metrics", place, lines=tuple(lines), limits=limits, numbers=shows_numbers)


def _metrics(rows: Any) -> list[tuple[list[str], Mapping[str, Any]]]:
    """The rows of a metric widget written out: ``.`` repeats one value of the row before, ``...`` all that are left."""
    found: list[tuple[list[str], Mapping[str, Any]]] = []
    before: list[str] = []
    for given in rows:
        options = given[-1] if given and isinstance(given[-1], Mapping) else {}
        row = [part for part in given if not isinstance(part, Mapping)]
        if "..." in row:
            at = row.index("...")
            kept = len(row) - at - 1
            row = row[:at] + before[at : len(before) - kept] + row[at + 1 :]
        row = [before[at] if part == "." and at < len(before) else part for at, part in enumerate(row)]
        if row and not options.get("expression"):
            found.append((row, options))
            before = row
    return found


def _line(account: Account, row: list[str], options: Mapping[str, Any], properties: Mapping[str, Any]) -> Line:
    namespace, name, *rest = row
    dimensions = dict(zip(rest[::2], rest[1::2], strict=False))
    period = int(options.get("period") or properties.get("period") or PERIOD)
    stat = str(options.get("stat") or properties.get("stat") or "Average")
    label = str(options.get("label") or " ".join([name, *dimensions.values()]))
    if not is_statistic(stat):
        return Line(f"{label} ({stat} is not drawn)", ())
    buckets: dict[int, list[Any]] = {}
    for each in account.alarms.values(namespace, name, dimensions):
        moment = each.timestamp.replace(tzinfo=account.start.tzinfo)
        buckets.setdefault(int((moment - account.start).total_seconds() // period), []).append(each)
    points = tuple((at * float(period), statistic(data, stat)) for at, data in sorted(buckets.items()))
    return Line(f"{label} ({_measured_in(stat, buckets)})", points)


def _measured_in(stat: str, buckets: Mapping[int, list[Any]]) -> str:
    """The statistic, and the unit of its values where they have one."""
    if stat == "SampleCount":
        return stat
    units = sorted({str(each.unit) for data in buckets.values() for each in data if each.unit} - {NO_UNIT})
    return ", ".join([stat, " or ".join(units)] if units else [stat])
