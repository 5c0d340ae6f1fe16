"""CloudWatch alarms that change state as virtual time passes.

moto keeps alarms and never looks at them. Here an alarm looks at its metric at each whole minute while the data that it
can see may still change its state: from new data until the data has left its window. A state that `SetAlarmState` gave
stays until then. A change is an event, and reaches the alarm's actions.
Source: Amazon CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data" and "Evaluating an alarm"
(which data count, when an alarm waits), "Alarm events and EventBridge" (the event), "Notifying users on alarm changes"
(the message). How many periods beyond the evaluated ones are looked at, two, is assumed.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from operator import ge, gt, le, lt
from typing import TYPE_CHECKING, Any

import numpy as np
from botocore.exceptions import ClientError
from moto.cloudwatch.models import Alarm, cloudwatch_backends

from pipesim.cloud.signals.targets import Undeliverable, invoke_function

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
MORE_PERIODS = 2
MINUTE = 60
MOST_DATA = 10_000
"""How many values of one metric alarms remember."""

COMPARISONS = {
    "GreaterThanThreshold": (gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (ge, "greater than or equal to"),
    "LessThanThreshold": (lt, "less than"),
    "LessThanOrEqualToThreshold": (le, "less than or equal to"),
}
STATISTICS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")
PERCENTILE = re.compile(r"p(?:100|\d{1,2}(?:\.\d+)?)")
TOKENS = re.compile(r'\(|\)|"[^"]*"|[^\s()"]+')
Key = tuple[str, str, frozenset[tuple[str, str]]]


class Alarms:
    """Looks after the alarms of one account in one region.

    Args:
        account: whose.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._data: dict[Key, deque[Any]] = {}
        self._awake: set[str] = set()

    def took(self, data: Iterable[Any]) -> None:
        """New values have come into CloudWatch: alarms on their metrics look at them at the next whole minute.

        Args:
            data: moto's records.
        """
        fresh = set()
        for each in data:
            key = _key(each.namespace, each.name, each.dimensions)
            self._data.setdefault(key, deque(maxlen=MOST_DATA)).append(each)
            fresh.add(key)
        for alarm in self._all():
            if _metric_of(alarm) in fresh:
                self._wake(alarm)

    def values(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> list[Any]:
        """Return moto's records of one metric, as they came.

        Args:
            namespace, name, dimensions: which; dimensions are names and values.
        """
        return list(self._data.get((namespace, name, frozenset(dimensions.items())), ()))

    def made(self, alarm: Alarm) -> None:
        """An alarm is new, or has been changed: its state is unknown until its first look."""
        alarm.state_value = INSUFFICIENT
        self._wake(alarm)

    def changed(self, alarm: Alarm, before: Mapping[str, Any]) -> None:
        """An alarm may have changed its state: tell everybody who wants to know.

        Args:
            alarm: as it is now.
            before: the state that it had, as `state_of` gave it.
        """
        now = state_of(alarm)
        if now["value"] == before["value"]:
            return
        configuration: dict[str, Any] = {"alarmRule": alarm.rule} if alarm.rule else {"metrics": _metrics(alarm)}
        if alarm.description:
            configuration["description"] = alarm.description
        detail = {"alarmName": alarm.name, "configuration": configuration, "previousState": dict(before), "state": now}
        account = self._account
        account.bus.publish("aws.cloudwatch", "CloudWatch Alarm State Change", detail, resources=(alarm.alarm_arn,))
        if alarm.actions_enabled:
            actions = {ALARM: alarm.alarm_actions, OK: alarm.ok_actions, INSUFFICIENT: alarm.insufficient_data_actions}
            for action in actions[now["value"]] or ():
                account.bus.later(0, lambda action=action: self._act(alarm, str(action), before, now))  # type: ignore[misc]
        for other in self._all():
            if other.rule and alarm.name in other.rule:
                self._judge_composite(other)

    def _all(self) -> list[Alarm]:
        return list(cloudwatch_backends[self._account.id][self._account.region].alarms.values())

    def _wake(self, alarm: Alarm) -> None:
        if alarm.name in self._awake:
            return
        self._awake.add(alarm.name)
        now = self._account.now
        wait = MINUTE - (now.second + now.microsecond / 1e6)
        timer = self._account.env.timeout(wait)
        assert timer.callbacks is not None
        timer.callbacks.append(lambda _: self._look(alarm))

    def _look(self, alarm: Alarm) -> None:
        self._awake.discard(alarm.name)
        backend = cloudwatch_backends[self._account.id][self._account.region]
        if backend.alarms.get(alarm.name) is not alarm:
            return
        if alarm.rule:
            self._judge_composite(alarm)
            return
        if (key := _metric_of(alarm)) is None or not _can_be_judged(alarm):
            return
        window = self._window(alarm, key)
        value, reason, shown = judge(alarm, window)
        if value != alarm.state_value:
            alarm.update_state(reason, json.dumps(shown), value)
        if any(each is not None for each in window) or self._is_expected(alarm, key):
            self._wake(alarm)

    def _is_expected(self, alarm: Alarm, key: Key) -> bool:
        """Whether a value has come that no whole period holds yet."""
        now = self._account.now.replace(tzinfo=None)
        newest = self._data.get(key)
        return bool(newest and newest[-1].timestamp.replace(tzinfo=None) >= now - timedelta(seconds=_period(alarm)))

    def _window(self, alarm: Alarm, key: Key) -> list[float | None]:
        """The values of the periods that the alarm looks at, the newest first; None where there are no data."""
        period, end = _period(alarm), self._account.now.replace(tzinfo=None)
        count = (alarm.evaluation_periods or 1) + MORE_PERIODS
        buckets: list[list[Any]] = [[] for _ in range(count)]
        for each in reversed(self._data.get(key, ())):
            age = (end - each.timestamp.replace(tzinfo=None)).total_seconds()
            if 0 < age <= period * count and (not alarm.unit or alarm.unit == each.unit):
                buckets[int(np.ceil(age / period)) - 1].append(each)
        return [statistic(bucket, _statistic(alarm)) if bucket else None for bucket in buckets]

    def _judge_composite(self, alarm: Alarm) -> None:
        states = {each.name: each.state_value for each in self._all()}
        value = ALARM if holds(str(alarm.rule), states) else OK
        if value != alarm.state_value:
            alarm.update_state(f"The alarm rule {alarm.rule} is {str(value == ALARM).lower()}", "{}", value)

    def _act(self, alarm: Alarm, action: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Bring a change of state to one of the alarm's actions: a topic or a function."""
        account = self._account
        try:
            if ":sns:" in action:
                topics = account.client("sns", action.split(":")[3])
                subject = f'{now["value"]}: "{alarm.name}" in {account.region}'
                message = json.dumps(message_of(account, alarm, before, now))
                topics.publish(TopicArn=action, Subject=subject[:100], Message=message)
            elif ":lambda:" in action:
                event = {
                    "source": "aws.cloudwatch",
                    "alarmArn": alarm.alarm_arn,
                    "accountId": account.id,
                    "time": now["timestamp"],
                    "region": account.region,
                    "alarmData": {"alarmName": alarm.name, "state": now, "previousState": dict(before)},
                }
                key = f"{alarm.alarm_arn}/{now['timestamp']}"
                if error := invoke_function(account, action, json.dumps(event), key):
                    raise Undeliverable(error)
            else:
                raise Undeliverable(f"actions like {action} are not modelled")
        except (ClientError, Undeliverable) as error:
            account.bus.fail(alarm.name, alarm.alarm_arn, action, str(error))


def judge(alarm: Alarm, window: list[float | None]) -> tuple[str, str, dict[str, Any]]:
    """Return the state that an alarm's data ask for, the reason, and the data of the reason.

    Args:
        alarm: moto's record.
        window: the newest period's value first; None where there are no data.
    """
    count = alarm.evaluation_periods or 1
    needed = alarm.datapoints_to_alarm or count
    crosses, words = COMPARISONS[alarm.comparison_operator]
    real = [(age, value) for age, value in enumerate(window) if value is not None][:count]
    bad = sum(1 for _, value in real if crosses(value, alarm.threshold))
    missing = count - len(real)
    treatment = alarm.treat_missing_data or "missing"
    value = _state(alarm, real, bad, missing, needed, treatment, crosses)
    shown = [value for _, value in real]
    data = {
        "version": "1.0",
        "statistic": _statistic(alarm),
        "period": _period(alarm),
        "recentDatapoints": shown[::-1],
        "threshold": alarm.threshold,
    }
    if not real:
        reason = f"no datapoints were received for {count} period{'s' * (count > 1)}"
        if treatment in ("breaching", "notBreaching"):
            how = "Breaching" if treatment == "breaching" else "NonBreaching"
            reason += f" and {count} missing datapoint{'s were' if count > 1 else ' was'} treated as [{how}]"
        return (
            value,
            f"Threshold Crossed: {reason}." if treatment != "missing" else f"Insufficient Data: {reason}",
            data,
        )
    numbers = ", ".join(str(number) for number in shown)
    verb = f"{'were' if len(real) > 1 else 'was'} {'' if value == ALARM else 'not '}{words}"
    direction = f"{alarm.state_value} -> {value} transition"
    return (
        value,
        f"Threshold Crossed: {len(real)} out of the last {count} datapoints [{numbers}] {verb} the threshold"
        f" ({float(alarm.threshold)}) (minimum {needed} datapoint{'s' * (needed > 1)} for {direction}).",
        data,
    )


def _state(
    alarm: Alarm,
    real: list[tuple[int, float]],
    bad: int,
    missing: int,
    needed: int,
    treatment: str,
    crosses: Any,
) -> str:
    if not real:
        kept = str(alarm.state_value)
        return {"breaching": ALARM, "notBreaching": OK, "ignore": kept}.get(treatment, INSUFFICIENT)
    if bad + (missing if treatment == "breaching" else 0) >= needed:
        return ALARM
    if missing and treatment == "ignore":
        return OK if bad + missing < needed else str(alarm.state_value)
    if missing and treatment == "missing" and bad == len(real):
        oldest = max(age for age, value in real if crosses(value, alarm.threshold))
        return ALARM if oldest + 1 >= needed else str(alarm.state_value)
    return OK


def holds(rule: str, states: Mapping[str, str]) -> bool:
    """Whether the rule of a composite alarm holds.

    Args:
        rule: such as ``ALARM("slow") AND NOT ALARM(deploying)``.
        states: the state of each alarm by name.

    >>> holds('ALARM("slow") AND NOT ALARM(busy)', {"slow": "ALARM", "busy": "OK"})
    True
    """
    tokens: deque[str] = deque(TOKENS.findall(rule))

    def either() -> bool:
        found = both()
        while tokens and tokens[0].upper() == "OR":
            tokens.popleft()
            found |= both()
        return found

    def both() -> bool:
        found = one()
        while tokens and tokens[0].upper() == "AND":
            tokens.popleft()
            found &= one()
        return found

    def one() -> bool:
        token = tokens.popleft()
        word = token.upper()
        if word == "NOT":
            return not one()
        if token == "(":
            found = either()
            tokens.popleft()
            return found
        if word in ("TRUE", "FALSE"):
            return word == "TRUE"
        tokens.popleft()
        name = tokens.popleft().strip('"').rsplit(":alarm:", 1)[-1]
        tokens.popleft()
        return states.get(name) == word

    try:
        return either()
    except IndexError:
        return False


def is_statistic(name: str) -> bool:
    """Whether `statistic` knows it: the trimmed means and ranks that CloudWatch knows besides are not modelled."""
    return name in STATISTICS or PERCENTILE.fullmatch(name) is not None


def statistic(data: Iterable[Any], name: str) -> float:
    """Return a statistic of the values of one period.

    Args:
        data: moto's records, at least one: single values, or sums of several.
        name: ``Sum``, ``Average``, ``Minimum``, ``Maximum``, ``SampleCount`` or a percentile such as ``p99``.
    """
    data = list(data)
    if PERCENTILE.fullmatch(name):
        values = [each.value if hasattr(each, "value") else each.max for each in data]
        return float(np.percentile(values, float(name[1:])))
    count = sum(getattr(each, "sample_count", 1) for each in data)
    total = sum(each.value if hasattr(each, "value") else each.sum for each in data)
    if name == "Minimum":
        return float(min(each.value if hasattr(each, "value") else each.min for each in data))
    if name == "Maximum":
        return float(max(each.value if hasattr(each, "value") else each.max for each in data))
    return float({"Sum": total, "SampleCount": count, "Average": total / count}[name])


def state_of(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm's state as its event says it."""
    state = {
        "value": alarm.state_value,
        "reason": alarm.state_reason,
        "timestamp": _stamp(alarm.state_updated_timestamp),
    }
    if alarm.state_reason_data:
        state["reasonData"] = alarm.state_reason_data
    return state


def message_of(account: Account, alarm: Alarm, before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message that a topic is given when an alarm changes its state."""
    message: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account.id,
        "AlarmConfigurationUpdatedTimestamp": _stamp(alarm.configuration_updated_timestamp),
        "NewStateValue": now["value"],
        "NewStateReason": now["reason"],
        "StateChangeTime": now["timestamp"],
        "Region": account.region,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before["value"],
        "OKActions": list(alarm.ok_actions or ()),
        "AlarmActions": list(alarm.alarm_actions or ()),
        "InsufficientDataActions": list(alarm.insufficient_data_actions or ()),
    }
    if alarm.rule:
        return {**message, "AlarmRule": alarm.rule}
    namespace, name, dimensions = _metric_of(alarm) or ("", "", frozenset())
    message["Trigger"] = {
        "MetricName": name,
        "Namespace": namespace,
        "StatisticType": "ExtendedStatistic" if _statistic(alarm).startswith("p") else "Statistic",
        "Statistic": _statistic(alarm).upper(),
        "Unit": alarm.unit,
        "Dimensions": [{"value": value, "name": name} for name, value in sorted(dimensions)],
        "Period": _period(alarm),
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm or alarm.evaluation_periods,
        "ComparisonOperator": alarm.comparison_operator,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.treat_missing_data or "missing",
        "EvaluateLowSampleCountPercentile": alarm.evaluate_low_sample_count_percentile or "",
    }
    return message


def _key(namespace: str, name: str, dimensions: Iterable[Any]) -> Key:
    return namespace, name, frozenset((each.name, each.value) for each in dimensions)


def _query(alarm: Alarm) -> Any:
    """The query of an alarm that is declared with ``Metrics``; None when it computes its metric from others."""
    wanted = [each for each in alarm.metric_data_queries if each.metric_stat is not None]
    return wanted[0] if len(wanted) == 1 == len(alarm.metric_data_queries) else None


def _metric_of(alarm: Alarm) -> Key | None:
    if alarm.metric_data_queries:
        query = _query(alarm)
        if query is None:
            return None
        metric = query.metric_stat.metric
        return _key(metric.namespace, metric.metric_name, metric.dimensions)
    return None if alarm.rule else _key(alarm.namespace, alarm.metric_name, alarm.dimensions)


def _period(alarm: Alarm) -> int:
    query = _query(alarm) if alarm.metric_data_queries else None
    return int((query.metric_stat.period if query else alarm.period) or MINUTE)


def _statistic(alarm: Alarm) -> str:
    query = _query(alarm) if alarm.metric_data_queries else None
    return str((query.metric_stat.stat if query else alarm.statistic or alarm.extended_statistic) or "Average")


def _can_be_judged(alarm: Alarm) -> bool:
    """Whether comparison and statistic are modelled; an alarm on anything else stays without data."""
    return alarm.comparison_operator in COMPARISONS and is_statistic(_statistic(alarm))


def _metrics(alarm: Alarm) -> list[dict[str, Any]]:
    found = _metric_of(alarm)
    if found is None:
        return []
    namespace, name, dimensions = found
    metric = {"namespace": namespace, "name": name, "dimensions": dict(sorted(dimensions))}
    stat = {"metric": metric, "period": _period(alarm), "stat": _statistic(alarm)}
    return [{"id": "m1", "metricStat": stat, "returnData": True}]


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"
