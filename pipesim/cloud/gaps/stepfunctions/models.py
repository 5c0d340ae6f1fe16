"""moto's interpreter of the states language, made to fit: one thread, and no real waiting.

The interpreter runs each execution, each branch and each task in a thread of its own and really sleeps. Here
all of it runs in the thread that called, so that a call costs no wall time, the order is always the same, and
tasks reach the mocked services inside the step that started them. How long the execution would have taken is added
up: branches of a Parallel state at the same time, items of a Map state one after the other.

A task that waits for a token or for an activity is answered during its own call or times out.
Source: Amazon States Language specification; AWS Step Functions Developer Guide.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

PATIENCE = 7 * 24 * 3600.0
"""Seconds that an execution waits in one place at most: as long as CodePipeline waits for it."""


class Waited:
    """Seconds that an execution has waited in virtual time.

    Attributes:
        now: since its start.
    """

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        """Let time pass, without end only up to a limit."""
        self.now += max(0.0, min(float(seconds), PATIENCE))
        if self.now > 2 * PATIENCE:
            raise TimeoutError(f"the execution waited for more than {2 * PATIENCE:g} s")


LOG = logging.getLogger("moto.stepfunctions.parser.asl.component.eval_component")
"""Where moto's interpreter prints its insides when a machine fails, which is no news to anybody."""

_waited: ContextVar[Waited | None] = ContextVar("waited", default=None)
_account: ContextVar[Account | None] = ContextVar("account", default=None)
_originals: list[tuple[Any, str, Any]] = []


@contextmanager
def interpreting(account: Account) -> Iterator[Waited]:
    """While inside, executions that start tell how long they waited, and their tasks run functions of the account.

    Args:
        account: the mocked account.
    """
    waited = Waited()
    tokens = _waited.set(waited), _account.set(account)
    level = LOG.level
    LOG.setLevel(logging.CRITICAL)
    try:
        yield waited
    finally:
        LOG.setLevel(level)
        _waited.reset(tokens[0])
        _account.reset(tokens[1])


class _Inline:
    """A thread that does its work at once, in the thread that starts it."""

    native_id = 0

    def __init__(self, target: Callable[..., Any], args: tuple[Any, ...] = (), **_: Any) -> None:
        self._target = target
        self._args = args

    def start(self) -> None:
        """Do the work."""
        self._target(*self._args)

    def join(self, timeout: float | None = None) -> None:
        """The work is done."""

    def is_alive(self) -> bool:
        """The work is done."""
        return False


def install() -> None:
    """Make the interpreter fit; without effect the second time."""
    if _originals:
        return
    import threading

    from moto.stepfunctions.parser import models as parser_models  # noqa: F401
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
    from moto.stepfunctions.parser.asl.component.program import program
    from moto.stepfunctions.parser.asl.component.state.exec import execute_state
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import inline_iteration_component
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branch_worker, branches_decl
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
    from moto.stepfunctions.parser.asl.eval.callback import callback
    from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for
    from moto.stepfunctions.parser.backend import execution_worker

    inline = SimpleNamespace(**{**vars(threading), "Thread": _Inline})
    asleep = SimpleNamespace(sleep=_sleep)
    for module in (program, inline_iteration_component, branch_worker, state_task_service_callback):
        _swap(module, "threading", inline)
    for module in (execute_state, execution_worker):
        _swap(module, "Thread", _Inline)
    for module in (retrier_decl, state_task_service_callback):
        _swap(module, "time", asleep)
    _swap(wait_function.WaitFunction, "_wait_interval", lambda self, env, wait_seconds: _sleep(wait_seconds))
    _swap(callback.CallbackEndpoint, "wait", _wait_for_an_answer)
    _swap(callback.ActivityTaskStartEndpoint, "wait", _wait_for_a_worker)
    _swap(callback.HeartbeatEndpoint, "clear_and_wait", _wait_for_a_heartbeat)
    _swap(branch_worker.BranchWorker, "start", _branching(branch_worker.BranchWorker.start))
    _swap(branches_decl.BranchWorkerPool, "wait", _join)
    _swap(lambda_eval_utils, "boto_client_for", _client_for(boto_client_for))


def uninstall() -> None:
    """Leave the interpreter as it was, and forget its state machines."""
    if _originals:
        from moto.stepfunctions.parser.models import stepfunctions_parser_backends

        stepfunctions_parser_backends.reset()
    while _originals:
        owner, name, original = _originals.pop()
        setattr(owner, name, original)


def _swap(owner: Any, name: str, replacement: Any) -> None:
    _originals.append((owner, name, getattr(owner, name)))
    setattr(owner, name, replacement)


def _sleep(seconds: float) -> None:
    if (waited := _waited.get()) is not None:
        waited.sleep(seconds)


def _wait_for_an_answer(self: Any, timeout: float | None = None) -> Any:
    if not self._notify_event.is_set():
        _sleep(PATIENCE if timeout is None else timeout)
    return self._outcome


def _wait_for_a_worker(self: Any, timeout_seconds: float) -> Any:
    if not self._next_activity_task_start_event.is_set():
        _sleep(timeout_seconds)
    return getattr(self, "_outcome", None)


def _wait_for_a_heartbeat(self: Any) -> bool:
    if self._next_heartbeat_event.is_set():
        self._next_heartbeat_event.clear()
        return True
    _sleep(self._heartbeat_seconds)
    return False


def _branching(start: Callable[[Any], None]) -> Callable[[Any], None]:
    """Let every branch of a Parallel state begin at the same time."""

    def start_branch(self: Any) -> None:
        waited = _waited.get()
        begun = 0.0 if waited is None else waited.now
        start(self)
        if waited is not None:
            pool = self._branch_worker_comm
            pool.pipesim_ends = max(getattr(pool, "pipesim_ends", begun), waited.now)
            waited.now = begun

    return start_branch


def _join(self: Any) -> None:
    """A Parallel state ends with its last branch."""
    if (waited := _waited.get()) is not None:
        waited.now = max(waited.now, getattr(self, "pipesim_ends", 0.0))


def _client_for(original: Callable[..., Any]) -> Callable[..., Any]:
    """Let tasks run the account's functions for real."""

    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        from pipesim.cloud.codepipeline.models import ACCOUNTS

        client = original(region=region, service=service, state_credentials=state_credentials)
        account = _account.get() or ACCOUNTS.current
        return client if account is None else _Functions(account, client, region)

    return client_for


class _Functions:
    """A client of Lambda that runs Python handlers in a child process, and asks moto about any other."""

    def __init__(self, account: Account, client: Any, region: str) -> None:
        self._account = account
        self._client = client
        self._region = region

    def invoke(self, **parameters: Any) -> Any:
        """Call a function and wait for its end."""
        from moto.awslambda.models import lambda_backends

        from pipesim.cloud.lambda_runner import is_runnable, run_function

        name = str(parameters["FunctionName"]).split(":function:")[-1].split(":")[0]
        function = lambda_backends[self._account.id][self._region].get_function(name)
        if not is_runnable(function):
            return self._client.invoke(**parameters)
        event = json.loads(parameters.get("Payload") or "{}")
        called = run_function(self._account, function, event, f"{name}-{len(json.dumps(event))}")
        if called.error:
            kind, _, said = called.error.partition(": ")
            body: Any = {"errorType": kind, "errorMessage": said}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": _stream(body)}
        return {"StatusCode": 200, "Payload": _stream(called.result), "ExecutedVersion": "$LATEST"}


def _stream(value: Any) -> BytesIO:
    return BytesIO(json.dumps(value).encode())
