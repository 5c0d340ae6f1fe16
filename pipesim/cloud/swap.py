"""Putting pipesim's CodePipeline in moto's place, and taking it out again.

moto finds a service by a table of patterns and the handlers in the service's ``urls`` module. One row of it is
replaced while a cloud is open; and every call, in this process or over HTTP, is wrapped so that it sees
the virtual time and holds the account's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from moto.codepipeline import urls as moto_urls
from moto.core.botocore_stubber import BotocoreStubber
from moto.moto_api._internal import mock_random

from pipesim.cloud import gaps, permissions, source_events
from pipesim.cloud.artifacts import expire_daily
from pipesim.cloud.codepipeline import models, urls
from pipesim.cloud.codepipeline.webhook_door import answering
from pipesim.cloud.signals import moto_cloudwatch, moto_events, trail
from pipesim.cloud.virtual_time import VIRTUAL_TIME
from pipesim.errors import PipesimError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

_busy = threading.Lock()


@contextmanager
def swapped(account: Account) -> Iterator[None]:
    """Let moto answer for CodePipeline from this account and its siblings.

    Args:
        account: any account of the cloud.

    Raises:
        PipesimError: another cloud is open in this process.
    """
    if not _busy.acquire(blocking=False):
        raise PipesimError("another cloud is open in this process: close it first, moto's tables are shared by all")
    original_call = BotocoreStubber.__call__
    original_paths = dict(moto_urls.url_paths)

    def call(self: BotocoreStubber, event_name: str, request: Any, **members: Any) -> Any:
        with inside(account):
            inner = account.trail.enter() or account.env.moving
            try:
                response = original_call(self, event_name, request, **members)
            finally:
                account.trail.leave()
            trail.called(account, event_name, request, response, inner)
            return response

    luck = mock_random.getstate()
    mock_random.seed(account.seed)
    permissions.install()
    gaps.install()
    moto_events.install()
    source_events.install()
    moto_cloudwatch.install()
    trail.install()
    models.ACCOUNTS.bind(account)
    moto_urls.url_paths.update(urls.url_paths)
    BotocoreStubber.__call__ = call  # type: ignore[method-assign]
    try:
        with answering(account):
            yield
    finally:
        BotocoreStubber.__call__ = original_call  # type: ignore[method-assign]
        moto_urls.url_paths.clear()
        moto_urls.url_paths.update(original_paths)
        models.ACCOUNTS.bind(None)
        trail.uninstall()
        moto_cloudwatch.uninstall()
        source_events.uninstall()
        moto_events.uninstall()
        gaps.uninstall()
        permissions.uninstall()
        mock_random.setstate(luck)
        _busy.release()


@contextmanager
def inside(account: Account) -> Iterator[None]:
    """One call to any service: with the lock, up to date with the wall clock, and in virtual time."""
    with account.lock:
        account.catch_up()
        with VIRTUAL_TIME.at(account.now):
            expire_daily(account)
            yield
        account.env.tell()
