"""What a child process runs to call a learner's handler; it imports nothing of pipesim.

It reads one JSON document from standard input: the event, the handler's name, the folder of the code, the
limits, and where to write what the handler returned or raised.
"""

import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

MEBIBYTE = 2**20


def limit(memory_mib: int, cpu_seconds: int, file_mib: int) -> None:
    """Set the limits of this process where the platform has them: memory, processor time, size of files."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, memory_mib * MEBIBYTE),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_mib * MEBIBYTE),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            continue


def main() -> None:
    """Call the handler once and write down how it ended."""
    given = json.load(sys.stdin)
    sys.path.insert(0, given["folder"])
    limit(given["memory"], given["cpu"], given["file"])
    deadline = time.monotonic() + given["timeout"]
    context = SimpleNamespace(
        **given["context"], get_remaining_time_in_millis=lambda: max(0, int(1000 * (deadline - time.monotonic())))
    )
    try:
        module, _, name = given["handler"].rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        answer = {"result": handler(given["event"], context)}
        text = json.dumps(answer)
    except BaseException as error:
        traceback.print_exc()
        text = json.dumps({"error": {"errorType": type(error).__name__, "errorMessage": str(error)[:2000]}})
    Path(given["answer"]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
