import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.assumptions import streams as module
from pipesim.assumptions.distributions import Constant, Exponential, LogNormal, Uniform
from pipesim.assumptions.streams import Streams
from pipesim.errors import AssumptionError

BUILD = LogNormal(360, 660)
STORED = [522.878, 72.409, 516.714, 406.294]
PLACES = st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 4)), min_size=1, max_size=30)


class Untouchable:
    """A generator that fails when it is used."""

    def __getattr__(self, name):
        raise AssertionError(f"the generator's {name} was used")


@given(PLACES, st.randoms())
@settings(max_examples=25, deadline=None)
def test_any_order_of_draws_gives_the_same_numbers(places, random):
    first, second = (Streams(1).stream("Build/Web/duration", BUILD) for _ in range(2))
    shuffled = list(places)
    random.shuffle(shuffled)

    drawn = {place: first.draw(*place) for place in places}

    assert drawn == {place: second.draw(*place) for place in shuffled}


def test_draws_return_after_their_block_was_forgotten():
    stream = Streams(1).stream("a", BUILD)
    early = [stream.draw(index, attempt) for attempt in (1, 2) for index in range(3)]
    for index in range(0, 200_000, 64):
        stream.draw(index)
        stream.draw(index, 2)

    assert early == [stream.draw(index, attempt) for attempt in (1, 2) for index in range(3)]
    assert len(stream._blocks) <= module.KEPT
    assert len(stream._later) <= module.KEPT


@given(st.integers(0, 5000), st.integers(0, 3000), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_table_holds_the_very_draws(first, count, attempt):
    stream = Streams(5).stream("a", BUILD)

    table = stream.table(count, first, attempt)

    assert [stream.draw(index, attempt) for index in range(first, first + count)] == table.tolist()


def test_name_seed_and_attempt_each_change_the_luck():
    base = Streams(1).odds("a").table(1000)
    others = [
        Streams(2).odds("a").table(1000),
        Streams(1).odds("b").table(1000),
        Streams(1).odds("a").table(1000, 0, 2),
    ]

    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.12
        assert not np.isin(other, base).any()


def test_blocks_do_not_repeat():
    table = Streams(1).odds("a").table(50_000)
    retries = Streams(1).odds("a").table(50_000, 0, 2)

    assert len(np.unique(np.concatenate((table, retries)))) == 100_000
    assert table.mean() == pytest.approx(0.5, abs=0.01)
    assert abs(np.corrcoef(table[:-1], table[1:])[0, 1]) < 0.02


def test_changing_one_streams_distribution_leaves_the_others_alone():
    def luck(build):
        streams = Streams(9)
        build_stream, test_stream = streams.stream("Build", build), streams.stream("Test", Exponential(60))
        return [(build_stream.draw(index), test_stream.draw(index)) for index in range(2000)]

    slow, fast = luck(Uniform(100, 200)), luck(Uniform(10, 20))

    assert [test for _, test in slow] == [test for _, test in fast]
    assert all(left > right for (left, _), (right, _) in zip(slow, fast, strict=True))


def test_odds_are_from_zero_up_to_but_not_including_one():
    table = Streams(3).odds("fails").table(100_000)

    assert table.min() >= 0
    assert table.max() < 1
    assert table.mean() == pytest.approx(0.5, abs=0.005)


def test_a_constant_never_touches_the_generator(monkeypatch):
    monkeypatch.setattr(module.np, "random", Untouchable())
    stream = Streams(1).stream("a", Constant(480))

    assert 480.0 == stream.draw(123_456) == stream.draw(3, attempt=7)
    assert stream.table(3).tolist() == [480.0] * 3


def test_another_process_gives_the_same_numbers():
    code = (
        "from pipesim.assumptions.streams import Streams\n"
        "from pipesim.assumptions.distributions import LogNormal\n"
        "s = Streams(7).stream('Build/Web/duration', LogNormal(360, 660))\n"
        "print([s.draw(5000), s.draw(3), s.draw(3, 2)], Streams(7).generator('arrivals').random())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    stream = Streams(7).stream("Build/Web/duration", BUILD)

    drawn = [stream.draw(5000), stream.draw(3), stream.draw(3, 2)]
    assert {f"{drawn} {Streams(7).generator('arrivals').random()}\n"} == outputs


def test_draws_are_the_same_on_every_machine_and_in_every_version():
    stream = Streams(42).stream("Build/Web/duration", Uniform(0, 1000))

    assert [stream.draw(0), stream.draw(1), stream.draw(5000), stream.draw(0, 2)] == STORED


@pytest.mark.parametrize("seed", [-1, 0, 2**200, np.int64(5)])
def test_any_whole_number_is_a_seed(seed):
    assert 0 <= Streams(seed).odds("a").draw(0) < 1


@pytest.mark.parametrize("seed", [1.5, "1", None])
def test_other_seeds_are_refused(seed):
    with pytest.raises(AssumptionError, match="is not a whole number"):
        Streams(seed)


def test_what_is_no_distribution_is_refused():
    with pytest.raises(AssumptionError, match="8 is not a distribution"):
        Streams(1).stream("a", 8)


@pytest.mark.parametrize(("index", "attempt"), [(-1, 1), (0, 0), (-1, 2)])
def test_indices_and_attempts_below_the_first_are_refused(index, attempt):
    with pytest.raises(ValueError, match="indices start at 0"):
        Streams(1).odds("a").draw(index, attempt)
