"""The account's services on the loopback address, for a child process that this thread waits for.

One thread does it all: while it waits for the child it answers the child's calls itself. So the calls happen
within the step that started the child, at its virtual moment and under its lock, and no order is left to luck.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

ADDRESS = "127.0.0.1"
POLL = 0.01
PATIENCE = 5.0

_applications: WeakKeyDictionary[Account, Any] = WeakKeyDictionary()


class _Handler(MotoRequestHandler):
    """Answers one request and hangs up, says nothing, and does not wait for ever."""

    protocol_version = "HTTP/1.0"
    timeout = PATIENCE

    def log(self, type: str, message: str, *args: Any) -> None:
        """Keep quiet."""


class Loopback:
    """The account's services at an address of this machine that nobody else can reach.

    Args:
        account: the mocked account.
    """

    def __init__(self, account: Account) -> None:
        application = _applications.setdefault(account, DomainDispatcherApplication(create_backend_app))
        self._server: BaseWSGIServer = make_server(ADDRESS, 0, application, request_handler=_Handler)
        self._server.timeout = POLL

    @property
    def url(self) -> str:
        """Where the services are."""
        return f"http://{ADDRESS}:{self._server.server_port}"

    def serve_while(self, running: Callable[[], bool], door: socket.socket | None = None) -> None:
        """Answer calls as long as `running` says so.

        Args:
            running: asked after every call, and when the door opens; without a door every hundredth of a second.
            door: becomes readable when `running` is worth asking; None: there is none.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            if door is not None:
                selector.register(door, selectors.EVENT_READ)
            while running():
                ready = selector.select(POLL if door is None else PATIENCE)
                if any(key.fileobj is self._server for key, _ in ready):
                    self._server.handle_request()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()
