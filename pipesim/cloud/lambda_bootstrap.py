"""What a child process runs to call a learner's handler; it imports nothing of pipesim.

``lambda_bootstrap.py REQUEST`` calls a handler once. ``lambda_bootstrap.py --nursery FD`` imports what
functions usually import, waits at a socket, and calls each handler in a fork of itself, which is there
in a hundredth of the time: a warm start.

A request is a JSON file: the event, the handler's name, the folder of the code, the environment, the limits, and
where to write what the handler returned or raised.
"""

import importlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

MEBIBYTE = 2**20
LONGEST_PATH = 4096


def limit(memory_mib: int, cpu_seconds: int, file_mib: int) -> None:
    """Set the limits of this process where the platform has them: memory, processor time, size of files."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    for kind, most in (
        (resource.RLIMIT_AS, memory_mib * MEBIBYTE),
        (resource.RLIMIT_CPU, spent + cpu_seconds),
        (resource.RLIMIT_FSIZE, file_mib * MEBIBYTE),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, hard if kind == resource.RLIMIT_CPU else most))


def call(request: str) -> None:
    """Call the handler that a request names, and write down how it ended."""
    given = json.loads(Path(request).read_text(encoding="utf-8"))
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir(given["place"])
    sys.path.insert(0, given["folder"])
    limit(given["memory"], given["cpu"], given["file"])
    deadline = time.monotonic() + given["timeout"]
    context = SimpleNamespace(
        **given["context"], get_remaining_time_in_millis=lambda: max(0, int(1000 * (deadline - time.monotonic())))
    )
    try:
        module, _, name = given["handler"].rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        text = json.dumps({"result": handler(given["event"], context)})
    except BaseException as error:
        traceback.print_exc()
        text = json.dumps({"error": {"errorType": type(error).__name__, "errorMessage": str(error)[:2000]}})
    Path(given["answer"]).write_text(text, encoding="utf-8")


def warm_up() -> None:
    """Import what functions import, and read the descriptions of the services that they call."""
    with suppress(Exception):
        import boto3

        for service in ("codepipeline", "s3"):
            boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


def nurse(door: socket.socket) -> None:
    """Fork for every request that comes, one after the other, until nobody is at the other end.

    A request is a path, with the descriptor of the pipe to print to. The answers are two lines: the process's id
    at its birth, its exit status at its end.
    """
    warm_up()
    while True:
        path, descriptors, *_ = socket.recv_fds(door, LONGEST_PATH, 1)
        if not path:
            return
        child = os.fork()
        if child == 0:
            door.close()
            os.setsid()
            os.dup2(descriptors[0], 1)
            os.dup2(descriptors[0], 2)
            os.close(descriptors[0])
            call(path.decode())
            sys.stdout.flush()
            os._exit(0)
        os.close(descriptors[0])
        door.sendall(b"%d\n" % child)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        door.sendall(b"%d\n" % status)


if __name__ == "__main__":
    if sys.argv[1] == "--nursery":
        nurse(socket.socket(fileno=int(sys.argv[2])))
    else:
        call(sys.argv[1])
