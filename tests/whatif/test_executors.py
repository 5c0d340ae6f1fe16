"""Work elsewhere: the same numbers, nothing lost when workers die, Ctrl-C keeps what is finished."""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from pipesim.whatif.compare import compare
from pipesim.whatif.executors import WorkerLost, run_pieces, workers
from pipesim.whatif.replicate import replicate
from tests.terminal import python_at_a_terminal
from tests.whatif.models import pooled


def twice(task: int) -> int:
    return 2 * task


def die_once(task: tuple[int, str]) -> int:
    number, mark = task
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return 2 * number


def die_always(task: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return task


def processes() -> Executor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


@pytest.mark.parametrize(
    "on", [None, 2, processes, lambda: ThreadPoolExecutor(3)], ids=["here", "2", "pool", "threads"]
)
def test_every_piece_is_done_once(on: object) -> None:
    found: dict[int, int] = {}

    assert run_pieces(twice, range(20), on, found.__setitem__)
    assert found == {place: 2 * place for place in range(20)}


def test_a_worker_that_dies_loses_nothing(tmp_path: Path) -> None:
    found: dict[int, int] = {}
    tasks = [(number, str(tmp_path / "mark")) for number in range(12)]

    assert run_pieces(die_once, tasks, 2, found.__setitem__)
    assert (tmp_path / "mark").exists()
    assert found == {number: 2 * number for number in range(12)}


def test_a_broken_executor_of_ones_own_is_made_good_here(tmp_path: Path) -> None:
    found: dict[int, int] = {}
    tasks = [(number, str(tmp_path / "mark")) for number in range(12)]
    with processes() as pool, pytest.warns(RuntimeWarning, match="run here"):
        assert run_pieces(die_once, tasks, pool, found.__setitem__)

    assert len(found) == 12


def test_work_that_always_kills_its_worker_is_given_up() -> None:
    with pytest.raises(WorkerLost, match="3 times"):
        run_pieces(die_always, [1], 1)


def test_an_error_of_the_work_is_not_hidden() -> None:
    with pytest.raises(TypeError):
        run_pieces(twice, [None], 1)  # type: ignore[list-item]


def test_ctrl_c_keeps_what_is_finished() -> None:
    calls = []

    def press(done: int, whole: int) -> None:
        calls.append(done)
        if done >= 6:
            raise KeyboardInterrupt

    result = replicate(pooled(), n=500, executions=20, seed=4, progress=press)

    assert result.interrupted
    assert 2 <= result.n < 500
    whole = replicate(pooled(), n=result.n, executions=20, seed=4)
    np.testing.assert_array_equal(result.sample("lead_time"), whole.sample("lead_time"))
    assert "interrupted" in str(result)


def test_ctrl_c_leaves_pairs() -> None:
    def press(done: int, whole: int) -> None:
        if done >= 30:
            raise KeyboardInterrupt

    found = compare(pooled(), ["Build/CodeBuild*0.5"], n=3000, executions=10, progress=press)

    assert len(found.differences("Build/CodeBuild*0.5", "lead_time")) >= 2
    numbers = [result.replications.tolist() for result in found.all.values()]
    assert numbers[0] == numbers[1] == list(range(len(numbers[0])))


def test_ctrl_c_before_anything_is_finished_returns_nothing() -> None:
    def press(done: int, whole: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(pooled(), ["Build/CodeBuild*0.5"], n=3000, executions=10, progress=press)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_sees_how_far_it_is_even_one_that_tells_no_width() -> None:
    code = (
        "from pipesim.whatif.replicate import replicate; from tests.whatif.models import pooled\n"
        "replicate(pooled(), n=40, executions=5)"
    )
    status, seen = python_at_a_terminal("-c", code)

    assert status == 0
    assert "what if:" in seen
    assert "/40 [" in seen


def test_processes_give_the_same_numbers() -> None:
    here = replicate(pooled(), n=60, executions=20, seed=9)

    assert here.engine_used == "simpy"
    there = replicate(pooled(), n=60, executions=20, seed=9, on=2)

    for measure in here.samples:
        np.testing.assert_array_equal(here.sample(measure), there.sample(measure))


@pytest.fixture(scope="module")
def cluster() -> object:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as local,
        distributed.Client(local) as client,
    ):
        yield client


def test_a_dask_cluster_gives_the_same_numbers(cluster: object) -> None:
    here = replicate(pooled(), n=60, executions=20, seed=9)
    there = replicate(pooled(), n=60, executions=20, seed=9, on=cluster)

    assert workers(cluster) == 2
    for measure in here.samples:
        np.testing.assert_array_equal(here.sample(measure), there.sample(measure))


def test_a_dask_worker_that_dies_loses_nothing(cluster: object, tmp_path: Path) -> None:
    found: dict[int, int] = {}
    tasks = [(number, str(tmp_path / "mark")) for number in range(12)]

    assert run_pieces(die_once, tasks, cluster, found.__setitem__)
    assert found == {number: 2 * number for number in range(12)}
