"""A learner's Python function, run for real: in a child process, with limits, against the mocked account.

The child has the function's code, its environment variables and credentials of its role, and finds the
account's services at a loopback address. What is limited: wall time, processor time, memory, the size
of files and of what it prints. It is no prison: run functions that you would run yourself.
Source: AWS Lambda Developer Guide, "Lambda quotas", "Define Lambda function handler in Python".
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive
from pipesim.cloud.loopback import Loopback
from pipesim.cloud.nursery import bear
from pipesim.cloud.permissions import Session, assume, client

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

LAMBDA = "lambda.amazonaws.com"
ANSWER = "answer.json"
LONGEST = 15.0
"""The longest limit of a function here, in seconds; a longer one of its own is cut down to it."""

GRACE = 5.0
"""Wall seconds that a function may take beyond its limit, so that a busy machine changes no result: what
computes too long is ended by the processor time that it used."""

MOST_OUTPUT = 256 * 1024
"""How many bytes of what a function prints are kept; the rest is read and thrown away."""

INTERPRETER_MIB = 768
FILES_MIB = 512
CHUNK = 64 * 1024
PATIENCE = 1.0
OUT_OF_TIME = getattr(signal, "SIGXCPU", 24)


@dataclass(frozen=True, slots=True)
class Invocation:
    """How one call of a function ended.

    Attributes:
        error: what was raised, or that it took too long; empty when the handler returned.
        result: what the handler returned.
        output: what it printed, cut at a limit.
    """

    error: str = ""
    result: Any = None
    output: str = ""


def is_runnable(function: Any) -> bool:
    """Whether a function of moto's is one that can be run here: Python, with its code in a zip."""
    return str(function.run_time or "").startswith("python") and bool(function.code_bytes)


def run_function(account: Account, function: Any, event: Mapping[str, Any], request_id: str) -> Invocation:
    """Call a function once and wait for its end.

    Args:
        account: the mocked account.
        function: moto's record of it.
        event: what the handler is given.
        request_id: names the invocation.
    """
    try:
        session = assume(account, function.role, LAMBDA, function.function_name)
    except ClientError:
        return Invocation(f"The role defined for the function cannot be assumed by Lambda: {function.role}")
    with tempfile.TemporaryDirectory(prefix="pipesim-") as name, Loopback(account) as services:
        place = Path(name)
        try:
            _unpack(Archive(function.code_bytes), place / "code")
        except ActionFailed as broken:
            return Invocation(f"The function's code cannot be used: {broken}")
        given = _given(function, event, request_id, place)
        given["environment"] = _environment(function, session, services.url, name)
        invocation = _run(services, given, place)
    _write_log(account, session, function, request_id, invocation)
    return invocation


def _given(function: Any, event: Mapping[str, Any], request_id: str, place: Path) -> dict[str, Any]:
    timeout = min(float(function.timeout), LONGEST)
    memory = int(function.memory_size)
    return {
        "event": event,
        "handler": function.handler,
        "place": str(place),
        "folder": str(place / "code"),
        "answer": str(place / ANSWER),
        "timeout": timeout,
        "memory": memory + INTERPRETER_MIB,
        "cpu": int(timeout) + 1,
        "file": FILES_MIB,
        "context": {
            "function_name": function.function_name,
            "function_version": "$LATEST",
            "invoked_function_arn": function.function_arn,
            "memory_limit_in_mb": str(memory),
            "aws_request_id": request_id,
            "log_group_name": function.logs_group_name,
            "log_stream_name": request_id,
        },
    }


def _environment(function: Any, session: Session, url: str, place: str) -> dict[str, str]:
    """The child's environment: nothing of this process's own but where programs are."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    return {
        **kept,
        **{str(name): str(value) for name, value in (function.environment_vars or {}).items()},
        "AWS_ACCESS_KEY_ID": session.access_key,
        "AWS_SECRET_ACCESS_KEY": session.secret_key,
        "AWS_SESSION_TOKEN": session.token,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "HOME": place,
        "TMPDIR": place,
        "NO_PROXY": "127.0.0.1",
        "PYTHONIOENCODING": "utf-8",
        "TZ": "UTC",
    }


def _run(services: Loopback, given: Mapping[str, Any], place: Path) -> Invocation:
    """Let a child process call the handler, and answer its calls until it ends or is too late."""
    request = place / "request.json"
    request.write_text(json.dumps(given), encoding="utf-8")
    printed = bytearray()
    reading, printing = os.pipe()
    reader = threading.Thread(target=_collect, args=(reading, printed), daemon=True)
    reader.start()
    try:
        child = bear(request, printing)
    finally:
        os.close(printing)
    late = threading.Event()

    def end_it() -> None:
        late.set()
        child.kill()

    deadline = threading.Timer(given["timeout"] + GRACE, end_it)
    deadline.start()
    try:
        services.serve_while(child.is_running, child.door)
    finally:
        deadline.cancel()
        child.kill()
        status = child.wait()
        reader.join(PATIENCE)
    output = printed.decode("utf-8", errors="replace")
    if late.is_set() or status == -OUT_OF_TIME:
        return Invocation(f"Task timed out after {given['timeout']:.2f} seconds", output=output)
    return _ended(status, place / ANSWER, output)


def _ended(status: int, answer: Path, output: str) -> Invocation:
    try:
        said = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Invocation(f"Runtime exited with error: exit status {status}", output=output)
    if "error" in said:
        return Invocation(f"{said['error']['errorType']}: {said['error']['errorMessage']}", output=output)
    return Invocation(result=said["result"], output=output)


def _collect(reading: int, printed: bytearray) -> None:
    """Read all that the child prints, and keep as much as is allowed."""
    with suppress(OSError):
        while chunk := os.read(reading, CHUNK):
            printed += chunk[: max(0, MOST_OUTPUT - len(printed))]
    os.close(reading)


def _unpack(archive: Archive, folder: Path) -> None:
    """Put the code's files into a folder, and none outside of it."""
    folder.mkdir()
    for name, body in archive.files():
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ActionFailed(f"the file name {name} leads out of the code's folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def _write_log(account: Account, session: Session, function: Any, request_id: str, invocation: Invocation) -> None:
    """Write what the function printed into its log; without effect when its role may not."""
    lines = [f"START RequestId: {request_id} Version: $LATEST", *invocation.output.splitlines()]
    if invocation.error:
        lines.append(f"[ERROR] {invocation.error}")
    lines.append(f"END RequestId: {request_id}")
    stamp = int(account.now.timestamp() * 1000)
    group, stream = function.logs_group_name, request_id
    logs = client(account, session, "logs", function.region)
    with suppress(ClientError):
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=group)
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": stamp, "message": line[:200_000] or " "} for line in lines[-5000:]]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
