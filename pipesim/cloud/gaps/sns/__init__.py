"""Subscriptions of topics that moto carries out in its own way: functions really run, and nothing leaves the machine.

A subscription to a web address is called when that is an address of this machine; another's is noted in
`Bus.failures`. Source: Amazon SNS Developer Guide, "Fanout to Lambda functions", "Amazon SNS dead-letter queues".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.sns.models import Subscription
from requests.exceptions import RequestException

from pipesim.cloud.codepipeline.models import ACCOUNTS
from pipesim.cloud.signals.targets import Undeliverable, invoke_later, send_message

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

HERE = frozenset({"127.0.0.1", "::1", "localhost"})

_original: list[Callable[..., Any]] = []


def install() -> None:
    """Carry such subscriptions out here; without effect the second time."""
    if _original:
        return
    publish: Callable[..., Any] = Subscription.publish
    _original.append(publish)

    def publish_here(self: Subscription, message: str, message_id: str, **given: Any) -> None:
        if self.protocol == "lambda":
            _to_function(self, message, message_id, **given)
        elif self.protocol in ("http", "https"):
            _to_address(self, partial(publish, self, message, message_id, **given))
        else:
            publish(self, message, message_id, **given)

    Subscription.publish = publish_here  # type: ignore[method-assign, assignment]


def uninstall() -> None:
    """Leave moto as it was."""
    if _original:
        Subscription.publish = _original.pop()  # type: ignore[method-assign]


def _to_function(
    self: Subscription,
    message: str,
    message_id: str,
    subject: str | None = None,
    message_attributes: dict[str, Any] | None = None,
    message_structure: str | None = None,
    **_: Any,
) -> None:
    wanted = self._filter_policy_matcher
    if wanted is not None and not wanted.matches(message_attributes, message):
        return
    if message_structure == "json":
        message = self._parse_message_structure(message, self.protocol)
    account = _account_of(self)
    told = {
        "SignatureVersion": "1",
        "Timestamp": iso_8601_datetime_with_milliseconds(),
        "Signature": "EXAMPLE",
        "SigningCertUrl": "EXAMPLE",
        "MessageId": message_id,
        "Message": message,
        "MessageAttributes": {
            name: {"Type": each["Type"], "Value": str(each["Value"])}
            for name, each in (message_attributes or {}).items()
        },
        "Type": "Notification",
        "UnsubscribeUrl": "EXAMPLE",
        "TopicArn": self.topic_arn,
        "Subject": subject,
    }
    record = {"EventVersion": "1.0", "EventSubscriptionArn": self.arn, "EventSource": "aws:sns", "Sns": told}
    text = json.dumps({"Records": [record]})
    gave_up = partial(_give_up, account, self, text)

    def call() -> None:
        try:
            invoke_later(account, self.endpoint, text, f"{message_id}/{self.arn}", gave_up)
        except Undeliverable as error:
            gave_up(str(error))

    account.bus.soon(call, f"topic {self.topic.name}")


def _to_address(self: Subscription, publish: Callable[[], object]) -> None:
    if urlsplit(self.endpoint).hostname in HERE:
        with suppress(RequestException):
            publish()
            return
        why = "nobody answers there"
    else:
        why = "addresses outside of this machine are not called"
    account = _account_of(self)
    account.bus.fail("", self.topic_arn, self.endpoint, why)


def _give_up(account: Account, subscription: Subscription, text: str, why: str) -> None:
    """Note what did not arrive, and put it into the subscription's dead-letter queue where it has one."""
    account.bus.fail("", subscription.topic_arn, subscription.endpoint, why)
    redrive = json.loads(subscription.attributes.get("RedrivePolicy") or "{}")
    if queue := redrive.get("deadLetterTargetArn"):
        try:
            send_message(account, queue, json.loads(text)["Records"][0]["Sns"]["Message"], {})
        except ClientError as error:
            account.bus.fail("", subscription.topic_arn, queue, f"dead-letter queue: {error}")


def _account_of(subscription: Subscription) -> Account:
    return ACCOUNTS.find(subscription.account_id, subscription.topic.sns_backend.region_name)
