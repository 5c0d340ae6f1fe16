"""The soak in small: whatever is done to pipelines, every execution comes to an end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


def test_every_execution_comes_to_an_end() -> None:
    command = [sys.executable, str(SOAK), "--pipelines", "12", "--executions", "4", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)

    lines = done.stdout.splitlines()
    last = json.loads(lines[-1])
    assert last["unfinished"] == 0
    assert last["executions"] >= 48
    assert last["peak_mib"] > 0
    statuses = lines[-2]
    for status in ("Succeeded", "Failed", "Stopped", "Cancelled"):
        assert status in statuses
    for refusal in ("JobNotFoundException", "InvalidJobStateException"):
        assert refusal in done.stdout
