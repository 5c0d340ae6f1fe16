"""boto3 clients that many sessions share: one for each service and region, whoever calls.

A client of boto3 costs some milliseconds and a third of a megabyte, and every pipeline has a session of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import boto3
import botocore.session
from botocore.credentials import Credentials, ReadOnlyCredentials

_caller: ContextVar[ReadOnlyCredentials] = ContextVar("_caller")


class CallersCredentials(Credentials):  # type: ignore[misc]
    """The credentials of whoever calls at the moment."""

    def __init__(self) -> None:
        super().__init__("nobody", "nobody")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the caller's credentials."""
        return _caller.get()


class SessionClient:
    """A boto3 client that calls with a session's credentials; it is used like any other.

    Args:
        client: made by `shared_client`.
        credentials: of the session.
    """

    def __init__(self, client: Any, credentials: ReadOnlyCredentials) -> None:
        self._client = client
        self._credentials = credentials

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name in ("meta", "exceptions") or not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            with _calling(self._credentials):
                return found(*arguments, **named)

        return call

    def get_paginator(self, operation: str) -> SessionPaginator:
        """Return a paginator of the operation."""
        return SessionPaginator(self._client.get_paginator(operation), self._credentials)


class SessionPaginator:
    """A paginator that asks for every page with a session's credentials.

    Args:
        paginator: of the shared client.
        credentials: of the session.
    """

    def __init__(self, paginator: Any, credentials: ReadOnlyCredentials) -> None:
        self._paginator = paginator
        self._credentials = credentials

    def paginate(self, **parameters: Any) -> Iterator[Any]:
        """Yield the pages."""
        pages = iter(self._paginator.paginate(**parameters))
        while True:
            with _calling(self._credentials):
                page = next(pages, None)
            if page is None:
                return
            yield page


def shared_client(service: str, region: str, config: Any) -> Any:
    """Return a boto3 client that signs with the credentials of whoever calls.

    Args:
        service: such as ``s3``.
        region: where.
        config: botocore's configuration of it.
    """
    session = botocore.session.Session()
    session._credentials = CallersCredentials()
    return boto3.Session(botocore_session=session).client(service, region_name=region, config=config)


@contextmanager
def _calling(credentials: ReadOnlyCredentials) -> Iterator[None]:
    token = _caller.set(credentials)
    try:
        yield
    finally:
        _caller.reset(token)
