"""Run pieces of work here, in processes, or on a cluster, and lose none.

`on` may be None (here), a number of processes, a `concurrent.futures.Executor`, a function that makes one, or
a Dask client. Pieces are pure functions of their task, so a piece whose worker died is simply done again, and
results do not depend on who did what.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from pipesim.errors import AssumptionError, PipesimError

Task = TypeVar("Task")
Result = TypeVar("Result")
TRIES = 3
AHEAD = 3
NO_PLACE = (
    "on={!r} cannot run anything: give a number of processes, an Executor, a function that makes one, or a Dask client"
)


class WorkerLost(PipesimError, RuntimeError):
    """A piece of work killed its worker again and again, so it is the work that is at fault, or its memory."""


def run_pieces(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    on: Any = None,
    take: Callable[[int, Result], object] = lambda place, result: None,
) -> bool:
    """Run a function on every task, here or elsewhere.

    Args:
        function: an importable function of one task.
        tasks: what to do.
        on: where (see the module).
        take: receives the place and the result of each task as soon as it is finished.

    Returns:
        Whether everything was done; False when Ctrl-C came before, in which case what was finished was taken.

    Raises:
        WorkerLost: a task killed its worker three times.
        AssumptionError: `on` is none of the things that it may be.
    """
    try:
        if on is None:
            for place, task in enumerate(tasks):
                take(place, function(task))
        else:
            _run_elsewhere(function, tasks, on, take)
    except KeyboardInterrupt:
        return False
    return True


def check_place(on: Any) -> None:
    """Refuse what cannot run anything.

    Raises:
        AssumptionError: `on` is none of the things that it may be.
    """
    if isinstance(on, int) and not isinstance(on, bool):
        if on < 1:
            raise AssumptionError(f"on={on} is no number of processes; give 1 or more")
    elif not (on is None or isinstance(on, Executor) or _is_dask(on) or callable(on)):
        raise AssumptionError(NO_PLACE.format(on))


def workers(on: Any) -> int:
    """Return how many workers stand behind `on`, as far as that can be known; at least 1."""
    if on is None:
        return 1
    if isinstance(on, int):
        return max(1, on)
    if _is_dask(on):
        return max(1, int(sum(on.nthreads().values())))
    return max(1, int(getattr(on, "_max_workers", 0) or os.cpu_count() or 1))


def _run_elsewhere(
    function: Callable[[Task], Result], tasks: Sequence[Task], on: Any, take: Callable[[int, Result], object]
) -> None:
    missing = set(range(len(tasks)))
    tries = [0] * len(tasks)
    lost: list[int] = []
    while missing:
        with _executor(on) as executor:
            lost = _round(executor, function, tasks, sorted(missing), missing, take)
        if lost:
            _drop(on)
        for place in lost:
            tries[place] += 1
        if any(count >= TRIES for count in tries):
            worst = max(range(len(tasks)), key=tries.__getitem__)
            raise WorkerLost(
                f"piece {worst} of {len(tasks)} lost its worker {TRIES} times; "
                "it may need more memory than a worker has: ask for fewer replications at once, or run it here"
            )
        if missing and not _renewable(on):
            warnings.warn(
                f"workers died and {type(on).__name__} takes no more work; the last {len(missing)} pieces run here",
                RuntimeWarning,
                stacklevel=4,
            )
            for place in sorted(missing):
                take(place, function(tasks[place]))
            return


def _round(
    executor: Executor,
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    places: Sequence[int],
    missing: set[int],
    take: Callable[[int, Result], object],
) -> list[int]:
    """Submit the tasks at these places, a few ahead of the workers; return those whose worker died."""
    waiting = iter(places)
    running: dict[Future[Result], int] = {}
    lost: list[int] = []
    room = AHEAD * workers(executor)
    broken = False
    try:
        while True:
            while not broken and len(running) < room and (place := next(waiting, None)) is not None:
                try:
                    running[executor.submit(function, tasks[place])] = place
                except RuntimeError:
                    broken = True
            if not running:
                return lost
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                place = running.pop(future)
                try:
                    result = future.result()
                except (BrokenProcessPool, CancelledError):
                    lost.append(place)
                    broken = True
                except Exception as error:
                    if not _worker_died(error):
                        raise
                    lost.append(place)
                else:
                    missing.discard(place)
                    take(place, result)
    finally:
        for future in running:
            future.cancel()


@contextmanager
def _executor(on: Any) -> Iterator[Executor]:
    """Yield an executor; processes stay warm for the next question, one that was given stays open."""
    if _is_dask(on):
        yield on.get_executor(pure=False)
    elif isinstance(on, Executor):
        yield on
    elif isinstance(on, int):
        if on not in _warm:
            _warm[on] = ProcessPoolExecutor(on, mp_context=get_context("spawn"))
        try:
            yield _warm[on]
        except BaseException:
            _drop(on)
            raise
    else:
        made = _make(on)
        try:
            yield made
        except BaseException:
            made.shutdown(wait=False, cancel_futures=True)
            raise
        made.shutdown(wait=False, cancel_futures=True)


_warm: dict[int, ProcessPoolExecutor] = {}


def _drop(on: Any) -> None:
    """Let go of processes that may be broken or busy with what nobody wants any more."""
    pool = _warm.pop(on, None) if isinstance(on, int) else None
    if pool is not None:
        pool.shutdown(wait=False, cancel_futures=True)


def _make(on: Any) -> Executor:
    made = on()
    if not isinstance(made, Executor):
        raise AssumptionError(NO_PLACE.format(on))
    return made


def _renewable(on: Any) -> bool:
    return _is_dask(on) or not isinstance(on, Executor)


def _is_dask(on: Any) -> bool:
    return type(on).__module__.partition(".")[0] == "distributed" and hasattr(on, "get_executor")


def _worker_died(error: Exception) -> bool:
    return type(error).__name__ in ("KilledWorker", "CommClosedError", "FutureCancelledError", "TerminatedWorkerError")
