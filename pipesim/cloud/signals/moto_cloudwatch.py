"""moto's CloudWatch led past the account's alarms: new data, new alarms, changes of state."""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse

from pipesim.cloud.codepipeline.models import ACCOUNTS
from pipesim.cloud.signals.alarms import state_of

_originals: list[tuple[type, str, Any]] = []


def install() -> None:
    """Lead it past the alarms; without effect the second time."""
    if _originals:
        return
    put_data = CloudWatchBackend.put_metric_data
    put_alarm = CloudWatchBackend.put_metric_alarm
    update = Alarm.update_state

    def put_metric_data(self: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        known = len(self.metric_data)
        put_data(self, namespace, metric_data)
        ACCOUNTS.find(self.account_id, self.region_name).alarms.took(self.metric_data[known:])

    def put_metric_alarm(self: CloudWatchBackend, **members: Any) -> Alarm:
        alarm = put_alarm(self, **members)
        ACCOUNTS.find(self.account_id, self.region_name).alarms.made(alarm)
        return alarm

    def update_state(self: Alarm, reason: str, reason_data: str, state_value: str) -> None:
        before = state_of(self)
        update(self, reason, reason_data, state_value)
        owner = self.alarm_arn.split(":")[4]
        if cloudwatch_backends[owner][self.region_name].alarms.get(self.name) is self:
            ACCOUNTS.find(owner, self.region_name).alarms.changed(self, before)

    _swap(CloudWatchBackend, "put_metric_data", put_metric_data)
    _swap(CloudWatchBackend, "put_metric_alarm", put_metric_alarm)
    _swap(Alarm, "update_state", update_state)
    _swap(CloudWatchResponse, "put_composite_alarm", CloudWatchResponse.put_metric_alarm)


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        owner, name, original = _originals.pop()
        if original is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


def _swap(owner: type, name: str, replacement: Any) -> None:
    _originals.append((owner, name, owner.__dict__.get(name)))
    setattr(owner, name, replacement)
