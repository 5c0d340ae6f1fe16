"""The same account over HTTP: for the AWS CLI, any SDK, and functions in processes of their own.

All services answer on one port of the loopback address; moto finds out from the signature which
service is meant. Two addresses are pipesim's own: ``/moto-api/pipesim/clock`` reads and moves the clock,
``/moto-api/pipesim/webhooks/<token>`` takes what a third party posts to a webhook.
"""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from pipesim.cloud.codepipeline.webhook_door import deliver
from pipesim.cloud.swap import inside
from pipesim.errors import PipesimError, SourceError

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

LOOPBACK = "127.0.0.1"
BACKLOG = 128
CLOCK = "/moto-api/pipesim/clock"
WEBHOOKS = "/moto-api/pipesim/webhooks/"
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}

Environ = dict[str, Any]


class Server:
    """An account and its siblings served over HTTP.

    Args:
        account: of an open cloud.
        port: 0: any free one.

    Raises:
        SourceError: the port is taken.
    """

    def __init__(self, account: Account, port: int = 0) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self._account = account
        with _listening(port) as listener:
            self._server: BaseWSGIServer = make_server(
                LOOPBACK,
                port,
                Application(account),
                threaded=True,
                request_handler=MotoRequestHandler,
                fd=listener.fileno(),
            )
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, name="pipesim-server", daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self._server.port}"

    def start(self) -> Server:
        """Begin to answer."""
        for account in self._account.family.values():
            account.endpoint = self.url
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer no more."""
        for account in self._account.family.values():
            account.endpoint = ""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()


def _listening(port: int) -> socket.socket:
    """Open the port here: Werkzeug prints advice of its own and ends the program where it cannot."""
    try:
        return socket.create_server((LOOPBACK, port), backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SourceError(f"port {port} of {LOOPBACK} cannot be used: {reason}; choose another with --port") from None


class Application:
    """The WSGI application: moto's, with the lock held and in virtual time, and pipesim's own addresses.

    Args:
        account: any account of the cloud.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        _read_body(environ)
        if path == CLOCK:
            return _reply(start_response, *self._clock(environ))
        if path.startswith(WEBHOOKS):
            with inside(self._account):
                return _reply(start_response, *self._webhook(environ, path.removeprefix(WEBHOOKS)))
        with inside(self._account):
            answer = self._moto(environ, start_response)
            try:
                return [b"".join(answer)]
            finally:
                if hasattr(answer, "close"):
                    answer.close()

    def _clock(self, environ: Environ) -> tuple[int, dict[str, Any]]:
        clock = self._account.env
        method = environ["REQUEST_METHOD"]
        if method == "POST":
            try:
                wanted = json.loads(environ["wsgi.input"].read() or b"{}")
                if wanted.get("run_until_idle"):
                    self._account.run_until_idle()
                else:
                    clock.move(seconds=float(wanted["advance"]))
            except PipesimError as error:
                return 400, {"error": str(error)}
            except (ValueError, TypeError, KeyError, AttributeError):
                return 400, {"error": 'send {"advance": seconds} or {"run_until_idle": true}'}
        elif method != "GET":
            return 405, {"error": "GET reads the clock, POST moves it"}
        with clock.lock:
            clock.catch_up()
            return 200, {
                "now": clock.moment.isoformat(timespec="milliseconds"),
                "time": clock.now,
                "clock": clock.progression,
                "speed": clock.speed,
            }

    def _webhook(self, environ: Environ, token: str) -> tuple[int, dict[str, Any]]:
        if environ["REQUEST_METHOD"] != "POST":
            return 405, {"message": "a webhook takes POST"}
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        body = environ["wsgi.input"].read()
        address = environ.get("REMOTE_ADDR", LOOPBACK)
        status, message = deliver(self._account, token, headers, body, address)
        return status, {"message": message}


def _read_body(environ: Environ) -> None:
    """Read the whole request before the lock is taken, so that a slow client keeps nobody waiting."""
    stream = environ["wsgi.input"]
    if length := environ.get("CONTENT_LENGTH"):
        environ["wsgi.input"] = io.BytesIO(stream.read(int(length)))
    elif environ.get("wsgi.input_terminated"):
        body = stream.read()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    else:
        environ["wsgi.input"] = io.BytesIO()


def _reply(start_response: Callable[..., Any], status: int, body: dict[str, Any]) -> list[bytes]:
    text = json.dumps(body).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
    start_response(f"{status} {REASONS[status]}", headers)
    return [text]
