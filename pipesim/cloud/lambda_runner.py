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
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive
from pipesim.cloud.loopback import Loopback
from pipesim.cloud.permissions import Session, assume, client

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

LAMBDA = "lambda.amazonaws.com"
BOOTSTRAP = Path(__file__).with_name("lambda_bootstrap.py")
LONGEST = 15.0
"""Wall seconds after which a function is ended here, however long its own limit is."""

MOST_OUTPUT = 256 * 1024
"""How many bytes of what a function prints are kept; the rest is read and thrown away."""

INTERPRETER_MIB = 768
FILES_MIB = 512
CHUNK = 64 * 1024


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
    with tempfile.TemporaryDirectory(prefix="pipesim-") as place, Loopback(account) as services:
        folder, answer = Path(place, "code"), Path(place, "answer.json")
        try:
            _unpack(Archive(function.code_bytes), folder)
        except ActionFailed as broken:
            return Invocation(f"The function's code cannot be used: {broken}")
        given = _given(function, event, request_id, folder, answer)
        environment = _environment(function, session, services.url, place)
        invocation = _run(services, given, environment, answer, place)
    _write_log(account, session, function, request_id, invocation)
    return invocation


def _given(function: Any, event: Mapping[str, Any], request_id: str, folder: Path, answer: Path) -> dict[str, Any]:
    timeout = min(float(function.timeout), LONGEST)
    memory = int(function.memory_size)
    return {
        "event": event,
        "handler": function.handler,
        "folder": str(folder),
        "answer": str(answer),
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


def _run(
    services: Loopback, given: Mapping[str, Any], environment: Mapping[str, str], answer: Path, place: str
) -> Invocation:
    child = subprocess.Popen(
        [sys.executable, "-I", "-B", "-u", str(BOOTSTRAP)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=place,
        start_new_session=True,
    )
    assert child.stdin is not None and child.stdout is not None
    late = threading.Event()

    def end_it() -> None:
        late.set()
        _kill(child)

    deadline = threading.Timer(given["timeout"], end_it)
    printed = bytearray()
    reader = threading.Thread(target=_collect, args=(child.stdout, printed), daemon=True)
    reader.start()
    deadline.start()
    try:
        with suppress(BrokenPipeError), child.stdin:
            child.stdin.write(json.dumps(given).encode())
        services.serve_while(lambda: child.poll() is None)
    finally:
        deadline.cancel()
        _kill(child)
        child.wait()
        reader.join(1.0)
        child.stdout.close()
    output = printed.decode("utf-8", errors="replace")
    if late.is_set():
        return Invocation(f"Task timed out after {given['timeout']:.2f} seconds", output=output)
    return _ended(child.returncode, answer, output)


def _ended(status: int, answer: Path, output: str) -> Invocation:
    try:
        said = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Invocation(f"Runtime exited with error: exit status {status}", output=output)
    if "error" in said:
        return Invocation(f"{said['error']['errorType']}: {said['error']['errorMessage']}", output=output)
    return Invocation(result=said["result"], output=output)


def _collect(pipe: IO[bytes], printed: bytearray) -> None:
    """Read all that the child prints, and keep as much as is allowed."""
    with suppress(OSError, ValueError):
        while chunk := pipe.read1(CHUNK):  # type: ignore[attr-defined]
            printed += chunk[: MOST_OUTPUT - len(printed)]


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


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
