"""Write the golden traces anew: one trace for every pipeline in data/, with its profile where it has one.

Run it when the behaviour was meant to change, and read the difference before committing it.
"""

from __future__ import annotations

from pathlib import Path

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.engine import simulate
from pipesim.formats.load import load
from pipesim.formats.samples import profile_names, sample, sample_names, sample_profile
from pipesim.trace.log import Trace

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "golden"
EXECUTIONS = 4
SEED = 11


def golden_trace(name: str) -> Trace:
    """Simulate one pipeline of data/ as its golden trace was made."""
    assumptions = load_profile(sample_profile(name)) if name in profile_names() else Assumptions()
    return simulate(load(sample(name)), assumptions, seed=SEED, executions=EXECUTIONS)


def main() -> None:
    for name in sample_names():
        golden_trace(name).write_jsonl(FOLDER / f"{name}.jsonl")
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
