"""Invocations of functions by users and by moto's other services: the learner's handler runs, where moto asks Docker.

Functions in other languages are not run and answer ``null``. Source: AWS Lambda API reference, "Invoke"; AWS Lambda
Developer Guide, "Use Lambda recursive loop detection".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaFunction
from moto.moto_api._internal import mock_random

from pipesim.cloud.codepipeline.models import ACCOUNTS
from pipesim.cloud.lambda_runner import is_runnable, run_function
from pipesim.cloud.signals.targets import invoke_later

KIND = "x-amz-invocation-type"
LOG_TAIL = 4096
"""How many bytes of the log Invoke answers with."""

MOST_NESTED = 16
"""How many functions may wait for one another; Lambda stops loops at about this number."""

_nested: ContextVar[int] = ContextVar("functions that wait for one another", default=0)
_original: list[Callable[..., Any]] = []


def install() -> None:
    """Let functions run here; without effect the second time."""
    if not _original:
        _original.append(LambdaFunction.invoke)
        LambdaFunction.invoke = _invoke  # type: ignore[method-assign]


def uninstall() -> None:
    """Leave moto as it was."""
    while _original:
        LambdaFunction.invoke = _original.pop()  # type: ignore[method-assign]


def _invoke(
    self: LambdaFunction, body: Any, request_headers: Mapping[str, str], response_headers: MutableMapping[str, str]
) -> bytes:
    """Invoke, in one of its three kinds."""
    kind = request_headers.get(KIND, "RequestResponse")
    text = body.decode() if isinstance(body, bytes) else body or "{}"
    try:
        event = json.loads(text)
    except ValueError as error:
        raise LambdaClientError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from error
    if kind == "DryRun":
        return b""
    if kind == "Event":
        _call_later(self, text)
        return b""
    return _call(self, event, response_headers)


def _call(function: LambdaFunction, event: Any, headers: MutableMapping[str, str]) -> bytes:
    """Run the handler and answer with what it returns or raises."""
    if _nested.get() >= MOST_NESTED:
        raise LambdaClientError(
            "RecursiveInvocationException",
            f"{MOST_NESTED} functions wait for one another, {function.function_name} among them: a recursive loop.",
        )
    if not is_runnable(function):
        return b"null"
    before = _nested.set(_nested.get() + 1)
    try:
        account = ACCOUNTS.find(function.account_id, function.region)
        called = run_function(account, function, event, str(mock_random.uuid4()))
    finally:
        _nested.reset(before)
    headers["x-amz-executed-version"] = str(function.version)
    headers["x-amz-log-result"] = base64.b64encode(called.output.encode()[-LOG_TAIL:]).decode()
    if not called.error:
        return json.dumps(called.result).encode()
    headers["x-amz-function-error"] = "Unhandled"
    type, colon, message = called.error.partition(": ")
    told = {"errorMessage": message, "errorType": type} if colon else {"errorMessage": type}
    return json.dumps(told).encode()


def _call_later(function: LambdaFunction, text: str) -> None:
    """Run the handler and answer nobody; what fails is repeated."""
    account, arn, key = ACCOUNTS.find(function.account_id, function.region), function.function_arn, mock_random.uuid4()
    bus = account.bus
    bus.soon(
        lambda: invoke_later(account, arn, text, str(key), lambda why: bus.fail(str(key), "", arn, why)),
        f"function {function.function_name}",
    )
