"""What does not come to an end is stopped; what does is left in peace."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from pipesim.classroom.patience import TooLong, patience


def busy(seconds: float) -> int:
    turns, end = 0, time.process_time() + seconds
    while time.process_time() < end:
        turns += 1
    return turns


def test_an_endless_loop_is_stopped_even_if_it_catches_every_exception() -> None:
    with pytest.raises(TooLong), patience(computing=0.1):
        while True:
            with suppress(Exception):
                busy(0.01)


def test_naps_without_end_are_stopped_by_the_clock() -> None:
    with pytest.raises(TooLong), patience(waiting=0.3):
        while True:
            time.sleep(0.01)


def test_what_ends_in_time_is_left_alone_and_so_is_what_follows() -> None:
    with patience(computing=5):
        assert busy(0.05) > 0
    assert busy(0.5) > 0


def test_only_the_thread_that_asked_is_stopped() -> None:
    said: list[str] = []

    def work() -> None:
        try:
            with patience(waiting=0.3):
                while True:
                    time.sleep(0.01)
        except TooLong:
            said.append("stopped")

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(30)

    assert said == ["stopped"]
