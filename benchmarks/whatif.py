"""How fast what-if questions are answered: the fast path beside other simulators and beside drawing the numbers alone.

The model: seven locked stages, one action each, log-normal durations, 200 changes a replication at random, no delays;
1,024 replications in a block, as `replicate` takes them.
Everybody's speed is executions per second of processor time on one core, median of several rounds, all in one process;
ratios of processor times hold on a machine that others use too. Drawing alone is plain NumPy: the same numbers of
log-normal and exponential variates from `numpy.random.default_rng`, nothing done with them. The last line is JSON:

    vs_simpy              the fast path over the model hand-written in SimPy (QUEUED: first come, first served)
    vs_cimba_per_core     over Cimba, a compiled engine, a core each
    vs_drawing            over drawing the random numbers alone: 1 would be no cost beyond the numbers
    superseded_vs_simpy   the same in SUPERSEDED mode, SimPy with its resources as in the QUEUED model; a second
                          hand-written one that uses nothing but SimPy's events is in the table
    superseded_vs_drawing the same in SUPERSEDED mode over drawing the random numbers alone
    interactive_ms        milliseconds of wall time from a moved knob to the interval of the mean lead time:
                          1,000 replications of 30 days at 20 changes a day on the e-commerce sample, after warm-up
    interactive_profile_ms the same with the sample's profile as assumptions: failures, a rollback, working hours

Run: python benchmarks/whatif.py [--rounds 5]      (needs the extra "bench": cimba, ciw, salabim)
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import simpy

import pipesim
from pipesim.assumptions.arrivals import Poisson
from pipesim.assumptions.distributions import LogNormal
from pipesim.assumptions.model import ActionAssumption, Assumptions, Delays
from pipesim.definition.model import Action, ActionTypeId, ArtifactStore, OutputArtifact, Pipeline, Stage
from pipesim.vocabulary import ExecutionMode
from pipesim.whatif.draws import Draws
from pipesim.whatif.replicate import replicate
from pipesim.whatif.vectorised import run

STAGES, EXECUTIONS, COLUMNS = 7, 200, 1024
DURATION = LogNormal(median=300.0, p95=600.0)
MU, SIGMA = math.log(DURATION.median), DURATION.sigma
GAP = 600.0


def make_pipeline(mode: str, stages: int = STAGES) -> Pipeline:
    """A source and builds, one action a stage."""
    source = Action(
        "Work",
        ActionTypeId("Source", "AWS", "S3"),
        configuration={"S3Bucket": "source-bucket", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
        output_artifacts=(OutputArtifact("Code"),),
    )
    build = Action(
        "Work",
        ActionTypeId("Build", "AWS", "CodeBuild"),
        configuration={"ProjectName": "shop"},
        input_artifacts=("Code",),
    )
    parts = (Stage("S0", (source,)), *(Stage(f"S{place}", (build,)) for place in range(1, stages)))
    role = "arn:aws:iam::111122223333:role/pipeline"
    store = ArtifactStore("artifact-bucket")
    return Pipeline("bench", role, parts, artifact_store=store, execution_mode=mode, pipeline_type="V2")


ASSUMED = Assumptions(
    actions={"Work": ActionAssumption(DURATION, pool="")}, arrivals=Poisson(3600.0 / GAP), delays=Delays.none()
)


def fast(mode: str, columns: int = COLUMNS, executions: int = EXECUTIONS, stages: int = STAGES) -> Callable[[], int]:
    """One block of replications on the fast path, other luck every time."""
    pipeline = make_pipeline(mode, stages)
    place = 0

    def once() -> int:
        nonlocal place
        place += columns
        result = run(pipeline, ASSUMED, draws=Draws(1, place, columns), executions=executions)
        assert result.ended.shape == (columns, executions)
        return columns * executions

    return once


def drawing() -> Callable[[], int]:
    """The random numbers alone."""
    generator = np.random.default_rng(1)

    def once() -> int:
        generator.exponential(GAP, (EXECUTIONS, COLUMNS))
        for _ in range(STAGES):
            generator.lognormal(MU, SIGMA, (EXECUTIONS, COLUMNS))
        return EXECUTIONS * COLUMNS

    return once


def own_drawing() -> Callable[[], int]:
    """The random numbers alone, the way in which the fast path draws them."""
    place = 0

    def once() -> int:
        nonlocal place
        place += COLUMNS
        draws = Draws(2, place, COLUMNS)
        draws.uniforms("arrivals", EXECUTIONS)
        for stage in range(STAGES):
            draws.milliseconds(f"duration S{stage}/Work", DURATION, EXECUTIONS)
        return EXECUTIONS * COLUMNS

    return once


def queued_simpy(replications: int = 5) -> Callable[[], int]:
    """Hand-written: one resource a stage."""
    random = Random(1)

    def change(env: simpy.Environment, locks: list[simpy.Resource], log: list[tuple[float, float]]) -> Any:
        arrived = env.now
        for lock in locks:
            with lock.request() as request:
                yield request
                yield env.timeout(random.lognormvariate(MU, SIGMA))
        log.append((arrived, env.now))

    def source(env: simpy.Environment, locks: list[simpy.Resource], log: list[tuple[float, float]]) -> Any:
        for _ in range(EXECUTIONS):
            yield env.timeout(random.expovariate(1 / GAP))
            env.process(change(env, locks, log))

    def once() -> int:
        for _ in range(replications):
            env = simpy.Environment()
            log: list[tuple[float, float]] = []
            env.process(source(env, [simpy.Resource(env) for _ in range(STAGES)], log))
            env.run()
            assert len(log) == EXECUTIONS
        return replications * EXECUTIONS

    return once


def superseded_simpy(replications: int = 5) -> Callable[[], int]:
    """Hand-written: one resource a stage, and whoever waits there gives way to the next one that comes."""
    random = Random(1)

    def change(env: simpy.Environment, locks: list[simpy.Resource], waiting: list[Any], log: list[Any]) -> Any:
        arrived = env.now
        for place, lock in enumerate(locks):
            if waiting[place] is not None:
                waiting[place].succeed()
            with lock.request() as request:
                waiting[place] = replaced = env.event()
                yield request | replaced
                if waiting[place] is replaced:
                    waiting[place] = None
                if not request.triggered:
                    log.append((arrived, env.now, False))
                    return
                yield env.timeout(random.lognormvariate(MU, SIGMA))
        log.append((arrived, env.now, True))

    def source(env: simpy.Environment, locks: list[simpy.Resource], waiting: list[Any], log: list[Any]) -> Any:
        for _ in range(EXECUTIONS):
            yield env.timeout(random.expovariate(1 / GAP))
            env.process(change(env, locks, waiting, log))

    def once() -> int:
        for _ in range(replications):
            env = simpy.Environment()
            log: list[Any] = []
            env.process(source(env, [simpy.Resource(env) for _ in range(STAGES)], [None] * STAGES, log))
            env.run()
            assert len(log) == EXECUTIONS
        return replications * EXECUTIONS

    return once


class Door:
    """A stage with one inside and one waiting."""

    def __init__(self) -> None:
        self.busy = False
        self.waiter: simpy.Event | None = None


def bare_simpy(replications: int = 5) -> Callable[[], int]:
    """The same with nothing of SimPy but its events: as fast as it can be written by hand."""
    random = Random(1)

    def change(env: simpy.Environment, doors: list[Door], log: list[Any]) -> Any:
        arrived = env.now
        for door in doors:
            if door.busy:
                if door.waiter is not None:
                    door.waiter.succeed(False)
                door.waiter = env.event()
                admitted = yield door.waiter
                if not admitted:
                    log.append((arrived, env.now, False))
                    return
            door.busy = True
            yield env.timeout(random.lognormvariate(MU, SIGMA))
            if door.waiter is None:
                door.busy = False
            else:
                waiter, door.waiter = door.waiter, None
                waiter.succeed(True)
        log.append((arrived, env.now, True))

    def source(env: simpy.Environment, doors: list[Door], log: list[Any]) -> Any:
        for _ in range(EXECUTIONS):
            yield env.timeout(random.expovariate(1 / GAP))
            env.process(change(env, doors, log))

    def once() -> int:
        for _ in range(replications):
            env = simpy.Environment()
            log: list[Any] = []
            env.process(source(env, [Door() for _ in range(STAGES)], log))
            env.run()
            assert len(log) == EXECUTIONS
        return replications * EXECUTIONS

    return once


def with_ciw(replications: int = 2) -> Callable[[], int]:
    """Seven nodes in a row in Ciw."""
    import ciw

    routing = [[float(column == row + 1) for column in range(STAGES)] for row in range(STAGES)]
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(1 / GAP), *([None] * (STAGES - 1))],
        service_distributions=[ciw.dists.Lognormal(MU, SIGMA)] * STAGES,
        routing=routing,
        number_of_servers=[1] * STAGES,
    )

    def once() -> int:
        for seed in range(replications):
            ciw.seed(seed)
            ciw.Simulation(network).simulate_until_max_customers(EXECUTIONS)
        return replications * EXECUTIONS

    return once


def with_salabim() -> Callable[[], int]:
    """One resource a stage in salabim, without coroutines of its own threads."""
    import salabim

    salabim.yieldless(False)

    def once() -> int:
        env = salabim.Environment(trace=False, random_seed=1, do_reset=True)
        locks = [salabim.Resource() for _ in range(STAGES)]

        class Change(salabim.Component):
            def process(self) -> Any:
                for lock in locks:
                    yield self.request(lock)
                    yield self.hold(env.random.lognormvariate(MU, SIGMA))
                    self.release(lock)

        class Source(salabim.Component):
            def process(self) -> Any:
                for _ in range(EXECUTIONS):
                    yield self.hold(env.random.expovariate(1 / GAP))
                    Change()

        Source()
        env.run()
        return EXECUTIONS

    return once


def with_cimba(replications: int = 1000) -> Callable[[], int]:
    """Seven servers in a row in Cimba, compiled before the clock starts."""
    import cimba

    lines = [
        "class Line(cimba.Model):",
        f"    gap: cimba.Input[float] = cimba.inputs.dist.exponential(mean={GAP})",
        "    done: cimba.Output[float]",
    ]
    for place in range(STAGES):
        lines.append(f"    work{place}: cimba.Input[float] = cimba.inputs.dist.lognormal(mean={MU}, sigma={SIGMA})")
        lines.append(f"    line{place}: cimba.Container")
    lines += [
        "    @cimba.process",
        "    def arrivals(self):",
        f"        for _ in range({EXECUTIONS}):",
        "            cimba.hold(self.gap.next())",
        "            self.line0.put(1)",
    ]
    for place in range(STAGES):
        onward = f"self.line{place + 1}.put(1)" if place + 1 < STAGES else "self.done = cimba.now()"
        lines += [
            "    @cimba.process",
            f"    def server{place}(self):",
            "        while True:",
            f"            self.line{place}.get(1)",
            f"            cimba.hold(self.work{place}.next())",
            f"            {onward}",
        ]
    model = _class_from("\n".join(lines) + "\n", "Line", {"cimba": cimba})()
    cimba.Experiment(model, replications=2, seed=1).run(workers=1)

    def once() -> int:
        results = cimba.Experiment(model, replications=replications, seed=1).run(workers=1)
        assert np.asarray(results[model].done.values).min() > 0
        return replications * EXECUTIONS

    return once


def _class_from(source: str, name: str, known: dict[str, Any]) -> Any:
    """Make a class from text; its compiler wants to read the text again, so that it must stand in a file."""
    import importlib.util
    import tempfile
    from pathlib import Path

    path = Path(tempfile.mkdtemp()) / "line.py"
    path.write_text("\n".join(f"import {module}" for module in known) + "\nimport cimba.inputs\n" + source)
    spec = importlib.util.spec_from_file_location("line", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["line"] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def speed(once: Callable[[], int]) -> float:
    """Executions a second of processor time."""
    begin = time.process_time()
    done = 0
    while time.process_time() - begin < 0.25:
        done += once()
    return done / (time.process_time() - begin)


def growth(sizes: list[int], make: Callable[[int], Callable[[], int]]) -> float:
    """The slope of log(time) over log(size); 1 is linear."""
    seconds = []
    for size in sizes:
        once = make(size)
        once()
        times = []
        for _ in range(5):
            begin = time.process_time()
            once()
            times.append(time.process_time() - begin)
        seconds.append(min(times))
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def peak_mib(replications: int) -> float:
    """The peak memory of a process that runs so many replications block by block."""
    code = (
        "import sys, resource; sys.path.insert(0, 'benchmarks'); import whatif\n"
        f"once = whatif.fast('QUEUED')\n"
        f"for _ in range({replications} // whatif.COLUMNS): once()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def interactive(rounds: int, assumed: Assumptions) -> tuple[float, float]:
    """Milliseconds of wall and of processor time from a moved knob to an answer, medians."""
    pipeline = pipesim.load(pipesim.sample("e-commerce"))
    assumed = replace(assumed, arrivals=Poisson(20 / 24))
    backend = assumed.actions.get("Build/Backend", ActionAssumption())

    def ask(minutes: float) -> None:
        moved = replace(backend, duration=LogNormal(60 * minutes, 90 * minutes))
        knob = {**assumed.actions, "Build/Backend": moved}
        result = replicate(pipeline, replace(assumed, actions=knob), 1000, days=30, seed=1)
        assert result.engine_used == "vectorised"
        assert result.interval("lead_time").estimate > 0

    wall, processor = [], []
    for number in range(rounds + 2):
        begin, busy = time.perf_counter(), time.process_time()
        ask(8 + number / 4)
        wall.append(1000 * (time.perf_counter() - begin))
        processor.append(1000 * (time.process_time() - busy))
    return statistics.median(wall[2:]), statistics.median(processor[2:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    queued, superseded = ExecutionMode.QUEUED.value, ExecutionMode.SUPERSEDED.value
    rivals = {
        "fast path, QUEUED": fast(queued),
        "fast path, SUPERSEDED": fast(superseded),
        "fast path, PARALLEL": fast(ExecutionMode.PARALLEL.value),
        "SimPy by hand, QUEUED": queued_simpy(),
        "SimPy by hand, SUPERSEDED": superseded_simpy(),
        "SimPy, events alone, SUPERSEDED": bare_simpy(),
        "Ciw": with_ciw(),
        "salabim": with_salabim(),
        "Cimba": with_cimba(),
        "drawing alone, NumPy": drawing(),
        "drawing alone, as the fast path does": own_drawing(),
    }
    speeds: dict[str, list[float]] = {name: [] for name in rivals}
    for once in rivals.values():
        once()
    for _ in range(rounds):
        for name, once in rivals.items():
            speeds[name].append(speed(once))
    for name, found in speeds.items():
        print(f"{name:38} {statistics.median(found):14,.0f} executions a second of processor time")

    def ratio(name: str, other: str) -> float:
        return round(statistics.median(a / b for a, b in zip(speeds[name], speeds[other], strict=True)), 2)

    print(
        f"over drawing as the fast path does it: {ratio('fast path, QUEUED', 'drawing alone, as the fast path does')}"
    )
    exponents = {
        "executions": growth([100, 400, 1600], lambda size: fast(superseded, 512, size)),
        "stages": growth([3, 9, 27], lambda size: fast(superseded, 512, EXECUTIONS, size)),
        "replications": growth([1024, 2048, 4096], lambda size: fast(superseded, size)),
    }
    for what, exponent in exponents.items():
        print(f"time grows with {what} to the power of {exponent:.2f}")
    for replications in (10_000, 100_000):
        print(f"{replications:,} replications, block by block: peak memory {peak_mib(replications):.0f} MiB")
    wall, processor = interactive(9, Assumptions())
    print(f"a knob moved: {wall:.0f} ms of wall time, {processor:.0f} ms of processor time")
    profile = pipesim.load_profile(pipesim.sample_profile("e-commerce"))
    profile_wall, processor = interactive(9, profile)
    print(f"with the profile: {profile_wall:.0f} ms of wall time, {processor:.0f} ms of processor time")
    answer = {
        "vs_simpy": ratio("fast path, QUEUED", "SimPy by hand, QUEUED"),
        "vs_cimba_per_core": ratio("fast path, QUEUED", "Cimba"),
        "vs_drawing": ratio("fast path, QUEUED", "drawing alone, NumPy"),
        "superseded_vs_simpy": ratio("fast path, SUPERSEDED", "SimPy by hand, SUPERSEDED"),
        "superseded_vs_drawing": ratio("fast path, SUPERSEDED", "drawing alone, NumPy"),
        "interactive_ms": round(wall, 1),
        "interactive_profile_ms": round(profile_wall, 1),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
