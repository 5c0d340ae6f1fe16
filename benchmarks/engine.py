"""How fast the engine is, beside a hand-written SimPy script of the same model, and how it grows.

The model: four locked stages (one source, two parallel builds, one test, one deploy), log-normal
durations, SUPERSEDED, a change every few minutes, no delays, no failures. Both write down when each
stage was wanted, entered and left and when each action began and ended. The last line is JSON:

    time_vs_handwritten_simpy   seconds an action execution, ours over theirs, median of several rounds
    growth_exponent             slope of log(time) over log(executions): 1 is linear
    peak_mib                    peak memory of our process for the largest run, its trace streamed to a file

Run: python benchmarks/engine.py [--executions 100000]
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import simpy

from pipesim.assumptions.arrivals import Every
from pipesim.assumptions.distributions import LogNormal
from pipesim.assumptions.model import ActionAssumption, Assumptions, Delays
from pipesim.definition.model import Action, ActionTypeId, ArtifactStore, OutputArtifact, Pipeline, Stage
from pipesim.engine import Simulation
from pipesim.trace.log import TraceWriter

INTERVAL = 400.0
STAGES = {"Source": ["Checkout"], "Build": ["Front", "Back"], "Test": ["Unit"], "Deploy": ["Ship"]}
MEDIAN, P95 = 300.0, 600.0


def make_pipeline() -> Pipeline:
    source = Action(
        "Checkout",
        ActionTypeId("Source", "AWS", "S3"),
        configuration={"S3Bucket": "source-bucket", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
        output_artifacts=(OutputArtifact("Code"),),
    )
    stages = [Stage("Source", (source,))]
    for name, actions in list(STAGES.items())[1:]:
        builds = tuple(
            Action(
                action,
                ActionTypeId("Build", "AWS", "CodeBuild"),
                configuration={"ProjectName": action},
                input_artifacts=("Code",),
            )
            for action in actions
        )
        stages.append(Stage(name, builds))
    role = "arn:aws:iam::111122223333:role/pipeline"
    return Pipeline("bench", role, tuple(stages), artifact_store=ArtifactStore("artifact-bucket"))


def assumptions() -> Assumptions:
    duration = ActionAssumption(LogNormal(MEDIAN, P95), pool="")
    actions = {f"{stage}/{action}": duration for stage, names in STAGES.items() for action in names}
    return Assumptions(actions=actions, arrivals=Every(INTERVAL), delays=Delays.none())


def run_ours(executions: int, sink=None) -> tuple[float, int]:
    """Seconds of the run, and how many actions were started."""
    sim = Simulation(make_pipeline(), assumptions(), seed=1, executions=executions, sink=sink, keep=100)
    begin = time.perf_counter()
    sim.run()
    seconds = time.perf_counter() - begin
    return seconds, sum(sim.run_counts.values())


def run_handwritten(executions: int) -> tuple[float, int]:
    """The same model as one would write it by hand: a process a change, a lock a stage, a record an action."""
    env = simpy.Environment()
    rng = np.random.default_rng(1)
    sigma = math.log(P95 / MEDIAN) / 1.6448536269514722
    records: list[tuple[int, str, str, float, float]] = []
    passages: list[tuple[int, str, float, float, float | None]] = []

    class Lock:
        def __init__(self) -> None:
            self.busy = False
            self.waiter: simpy.Event | None = None

        def ask(self) -> simpy.Event:
            event = env.event()
            if not self.busy:
                self.busy = True
                event.succeed(True)
            else:
                if self.waiter is not None:
                    self.waiter.succeed(False)
                self.waiter = event
            return event

        def free(self) -> None:
            if self.waiter is None:
                self.busy = False
            else:
                waiter, self.waiter = self.waiter, None
                waiter.succeed(True)

    locks = {stage: Lock() for stage in STAGES}

    def act(number: int, stage: str, action: str):
        begin = env.now
        yield env.timeout(float(rng.lognormal(math.log(MEDIAN), sigma)))
        records.append((number, stage, action, begin, env.now))

    def change(number: int):
        for stage, actions in STAGES.items():
            wanted = env.now
            entered = yield locks[stage].ask()
            begin = env.now
            if not entered:
                passages.append((number, stage, wanted, begin, None))
                return
            yield env.all_of([env.process(act(number, stage, action)) for action in actions])
            passages.append((number, stage, wanted, begin, env.now))
            locks[stage].free()

    def arrivals():
        for number in range(executions):
            env.process(change(number))
            yield env.timeout(INTERVAL)

    env.process(arrivals())
    begin = time.perf_counter()
    env.run()
    return time.perf_counter() - begin, len(records)


def compare(executions: int, rounds: int) -> float:
    ratios = []
    for _ in range(rounds):
        gc.collect()
        theirs = run_handwritten(executions)
        gc.collect()
        ours = run_ours(executions)
        ratios.append((ours[0] / ours[1]) / (theirs[0] / theirs[1]))
        print(
            f"ours {ours[0] / ours[1] * 1e6:.1f} us an action, by hand {theirs[0] / theirs[1] * 1e6:.1f} us an action"
        )
    return statistics.median(ratios)


def grow(sizes: list[int]) -> float:
    """The slope of log(time) over log(size) of runs whose trace goes to a file."""
    points = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder, TraceWriter(Path(folder) / "trace.jsonl") as writer:
            seconds, _ = run_ours(size, writer.append)
        print(f"{size} executions streamed to a file: {seconds:.2f} s")
        points.append((math.log(size), math.log(seconds)))
    return float(np.polyfit(*zip(*points, strict=True), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of:
        with tempfile.TemporaryDirectory() as folder, TraceWriter(Path(folder) / "trace.jsonl") as writer:
            run_ours(options.peak_of, writer.append)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    gc.collect()
    gc.freeze()  # what was imported is not searched for garbage again, for neither of the two
    ratio = compare(min(options.executions, 5000), rounds=5)
    exponent = grow([options.executions // 16, options.executions // 4, options.executions])
    peaks = {}
    for size in (options.executions // 10, options.executions):
        command = [sys.executable, __file__, "--peak-of", str(size)]
        peaks[size] = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(f"{size} executions: peak {peaks[size]:.0f} MiB")
    print(
        json.dumps(
            {
                "time_vs_handwritten_simpy": round(ratio, 2),
                "growth_exponent": round(exponent, 3),
                "peak_mib": round(peaks[options.executions], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
