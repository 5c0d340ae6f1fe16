"""Run replications of one or several scenarios, in step, wherever they shall run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import numpy as np

from pipesim.errors import AssumptionError
from pipesim.trace.wording import spell
from pipesim.whatif.blocks import VECTORISED, Block, Task, choose_engine, run_block
from pipesim.whatif.executors import check_place, run_pieces, workers
from pipesim.whatif.precision import LEAST_REPLICATIONS, HalfWidth, WarmUp
from pipesim.whatif.results import About, Replications
from pipesim.whatif.scenario import Horizon, Scenario
from pipesim.whatif.stability import arrival_rate, bottlenecks
from pipesim.whatif.store import LIMIT, Store

CHUNK_SECONDS = 0.2
FAST_BLOCKS = (1024, 512, 256, 128, 64)
FAST_CELLS = 700_000
PATIENCE = 600.0
ORDINARY = HalfWidth("lead_time", relative=0.05, at_most=1000)
Progress = Callable[[int, int], object]


@dataclass(slots=True)
class Experiment:
    """How to run: shared by everything that asks what if.

    Attributes:
        seed: the experiment's seed.
        on: where to run (`pipesim.whatif.executors`).
        progress: True: a bar; False: none; None: a bar where people look; or a function of (done, in all).
        patience: seconds that it may take; beyond, it refuses and says how long it would take.
        memory_limit: bytes of results held in memory, for each scenario.
        spill: folder for what does not fit; None: a temporary one.
    """

    seed: int = 0
    on: Any = None
    progress: bool | Progress | None = None
    patience: float = PATIENCE
    memory_limit: int = LIMIT
    spill: Path | None = None

    def __post_init__(self) -> None:
        check_place(self.on)


@dataclass(slots=True)
class Course:
    """One scenario under way.

    Attributes:
        scenario: what is simulated.
        horizon: how long each replication looks.
        engine: which engine runs it.
        why: why it is not the fast one.
        store: what it has given.
        done: how many replications were asked for so far.
        seconds: seconds of computing so far.
        chunk: how many replications make a piece of work.
        each: seconds that one replication takes, once everything is warm.
    """

    scenario: Scenario
    horizon: Horizon
    engine: str
    why: str
    store: Store
    done: int = 0
    seconds: float = 0.0
    chunk: int = 1
    each: float = 0.0

    def take(self, block: Block) -> None:
        """Keep a finished block."""
        self.store.add(block)
        self.seconds += block.seconds


def run_scenarios(
    scenarios: Sequence[Scenario],
    horizon: Horizon,
    n: int | None,
    until: HalfWidth | None,
    how: Experiment,
    warm_up: WarmUp | None = None,
) -> list[Replications]:
    """Run the same replications of every scenario, block by block, so that Ctrl-C leaves pairs.

    Args:
        scenarios: what to simulate.
        horizon: how long each replication looks.
        n: how many replications; None: see `until`.
        until: the precision at which to stop, reached by the first scenario; None: the ordinary one.
        how: where and how to run.
        warm_up: what is left out at the beginning, for the record.

    Raises:
        AssumptionError: it would take longer than `how.patience` seconds.
    """
    courses = prepare(scenarios, horizon, how)
    if n is not None:
        complete, stopped = extend(courses, n, how), ""
    else:
        with _bar(how.progress, courses) as tick:
            complete, stopped = _until(courses, until or ORDINARY, how, tick)
    if not complete:
        _keep_common(courses)
    return [gather(one, how, warm_up, stopped, complete) for one in courses]


def _keep_common(courses: Sequence[Course]) -> None:
    """Keep of every scenario the replications that all of them have."""
    numbers = reduce(np.intersect1d, (course.store.replications for course in courses))
    for course in courses:
        course.store.keep(numbers)


def check_wish(n: int | None, until: HalfWidth | str | None) -> HalfWidth | None:
    """Return the precision asked for, if one is.

    Raises:
        AssumptionError: n is no number of replications, the text is no precision, or both are given.
    """
    if n is not None and (isinstance(n, bool) or not hasattr(n, "__index__") or n < 1):
        raise AssumptionError(f"n={n!r} is no number of replications; give 1 or more")
    if n is not None and until is not None:
        raise AssumptionError("give either a number of replications or a precision, not both")
    return HalfWidth.parse(until) if isinstance(until, str) else until


def prepare(scenarios: Sequence[Scenario], horizon: Horizon, how: Experiment) -> list[Course]:
    """Return the courses of these scenarios, with nothing run yet."""
    return [_course(scenario, horizon, how, place) for place, scenario in enumerate(scenarios)]


def extend(courses: Sequence[Course], target: int, how: Experiment) -> bool:
    """Run every course up to this many replications; False: Ctrl-C came before.

    Raises:
        AssumptionError: it would take longer than `how.patience` seconds.
    """
    with _bar(how.progress, courses) as tick:
        fresh = [course for course in courses if not course.done]
        return _first(fresh, how, tick, target) and _more(courses, target, how, tick)


def gather(
    course: Course, how: Experiment, warm_up: WarmUp | None = None, stopped: str = "", complete: bool = True
) -> Replications:
    """Return what a course has given so far.

    Raises:
        KeyboardInterrupt: Ctrl-C came before anything was finished.
    """
    if not complete and not course.store.replications.size:
        raise KeyboardInterrupt
    about = About(
        seed=how.seed,
        engine=course.engine,
        why_engine=course.why,
        warm_up=warm_up,
        stopped=stopped,
        interrupted=not complete,
        seconds=course.seconds,
        bottlenecks=bottlenecks(course.scenario),
    )
    return Replications(course.scenario, course.horizon, course.store, about)


def _course(scenario: Scenario, horizon: Horizon, how: Experiment, place: int) -> Course:
    engine, why = choose_engine(scenario, horizon)
    folder = None if how.spill is None else how.spill / f"scenario-{place:05}"
    chunk = _fast_block(scenario, horizon) if engine == VECTORISED else 1
    return Course(scenario, horizon, engine, why, Store(how.memory_limit, folder), chunk=chunk)


def _fast_block(scenario: Scenario, horizon: Horizon) -> int:
    """How many replications the fast path takes at once: many, but not more than memory and caches like."""
    executions = float(horizon.executions or math.inf)
    if horizon.until is not None:
        executions = min(executions, horizon.until * arrival_rate(scenario.pipeline, scenario.assumptions))
    if math.isinf(executions):
        executions = 1.0
    return next((size for size in FAST_BLOCKS if size * executions <= FAST_CELLS), FAST_BLOCKS[-1])


def _first(courses: Sequence[Course], how: Experiment, tick: Progress, most: int) -> bool:
    """Run the first replications of each scenario here: the last of them tells how long the others will take."""
    try:
        for course in courses:
            count = min(course.chunk, most)
            for _ in range(2 if course.engine != VECTORISED and most > 1 else 1):
                task = Task(course.scenario, course.horizon, how.seed, course.done, count, course.engine)
                block = run_block(task)
                course.take(block)
                course.done += count
                tick(count, most * len(courses))
            course.each = max(block.seconds / count, 1e-7)
            if course.engine != VECTORISED:
                course.chunk = max(1, round(CHUNK_SECONDS / course.each))
    except KeyboardInterrupt:
        return False
    if courses:
        _refuse_if_endless(courses, most, how)
    return True


def _refuse_if_endless(courses: Sequence[Course], most: int, how: Experiment) -> None:
    each = sum(course.each for course in courses)
    expected = each * (most - min(course.done for course in courses)) / workers(how.on)
    if expected > how.patience:
        raise AssumptionError(
            f"{most:,} replications of {len(courses)} scenario{'s' if len(courses) > 1 else ''} would take about "
            f"{spell(expected)} ({each * 1000:.3g} ms each), more than patience={how.patience:g} s allows; "
            f"about {max(1, int(how.patience / each * workers(how.on))):,} fit. Ask for a precision instead "
            "(until='lead_time 5%'), use on=… for more workers, or give more patience"
        )


def _more(courses: Sequence[Course], target: int, how: Experiment, tick: Progress) -> bool:
    """Run every scenario up to this many replications; False: Ctrl-C came."""
    tasks: list[tuple[Course, Task]] = []
    for course in courses:
        first = course.done
        fair = max(1, math.ceil((target - first) / (2 * workers(how.on)))) if target > first else 1
        step = course.chunk if how.on is None else min(course.chunk, fair)
        while first < target:
            count = min(step, target - first)
            tasks.append((course, Task(course.scenario, course.horizon, how.seed, first, count, course.engine)))
            first += count
    tasks.sort(key=lambda pair: pair[1].first)

    def take(place: int, block: Block) -> None:
        tasks[place][0].take(block)
        tick(block.count, target * len(courses))

    complete = run_pieces(run_block, [task for _, task in tasks], how.on, take)
    for course in courses:
        course.done = max(course.done, target)
    return complete


def _until(courses: Sequence[Course], wanted: HalfWidth, how: Experiment, tick: Progress) -> tuple[bool, str]:
    """Run until the first scenario's measure is known precisely enough."""
    leader = courses[0]
    target = 2 * LEAST_REPLICATIONS
    if not _first(courses, how, tick, target):
        return False, ""
    result = Replications(leader.scenario, leader.horizon, leader.store, About(how.seed, leader.engine))
    result.sample(wanted.measure)
    while True:
        if not _more(courses, target, how, tick):
            return False, f"interrupted before {wanted} was reached"
        enough = wanted.reached_after(result.sample(wanted.measure))
        if enough is not None and enough <= wanted.at_most:
            for course in courses:
                course.store.keep_first(enough)
            interval = result.interval(wanted.measure, wanted.level, anyway=True)
            return True, (
                f"stopped after {interval.count} replications, when {wanted} was reached ({wanted.level:.0%} interval, "
                "stable under look-ahead; Hoad, Robinson and Davies 2010)"
            )
        interval = result.interval(wanted.measure, wanted.level, anyway=True)
        needed = wanted.missing(interval)
        each = sum(course.each for course in courses) / workers(how.on)
        if target >= wanted.at_most:
            for course in courses:
                course.store.keep_first(wanted.at_most)
            return True, f"stopped at {wanted.at_most:,} replications: {wanted} needs about {needed:,}"
        target = min(wanted.at_most, max(math.ceil(target * 1.5), min(math.ceil(needed * 1.2), 4 * target)))
        spent = each * leader.done
        if spent + each * (target - leader.done) > how.patience:
            return True, (
                f"stopped after {leader.done:,} replications and {spell(spent)}: {wanted} needs about {needed:,}, or "
                f"{spell(each * needed)}; give more patience or more workers"
            )


class _bar:
    """A progress bar, or what stands in for one."""

    def __init__(self, progress: bool | Progress | None, courses: Sequence[Course]) -> None:
        self._progress = progress
        self._done = 0
        self._bar: Any = None
        fast = all(course.engine == VECTORISED for course in courses)
        self._shown = progress is True or (progress is None and not fast)

    def __enter__(self) -> Progress:
        return self._tick

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _tick(self, done: int, whole: int) -> None:
        self._done += done
        if callable(self._progress):
            self._progress(self._done, whole)
        elif self._shown:
            if self._bar is None:
                from tqdm import tqdm

                disable = None if self._progress is None else False
                size = get_terminal_size()
                self._bar = tqdm(
                    total=whole, unit="replication", desc="what if", disable=disable, leave=False,
                    ncols=size.columns, nrows=size.lines,
                )  # fmt: skip
            if self._bar.total != whole:
                self._bar.total = whole
            self._bar.update(done)
