"""Traces and states as short tables."""

from __future__ import annotations

from pipesim.definition.model import Stage
from pipesim.engine import DisableTransition, Stop
from pipesim.trace.summary import format_executions, format_state

from ..engine.builders import approval, assume, make_pipeline, simulation


def test_why_each_execution_ended():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 600}, [0, 60, 120]))
    sim.advance(to=130)
    sim.send(Stop("E3", reason="not this one"))
    text = format_executions(sim.trace)

    assert "before Build, by E3" in text
    assert "not this one" in text
    assert "in Build" in text


def test_many_executions_are_shortened():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 1}, [10.0 * n for n in range(60)]))
    sim.run()
    lines = format_executions(sim.trace).splitlines()

    assert len(lines) == 1 + 25 + 1 + 25
    assert "10 more" in lines[26]
    assert lines[-1].startswith("E60")


def test_nothing_has_started():
    assert format_executions(simulation(make_pipeline("Build"), assume()).trace) == "no execution has started"


def test_state_in_words():
    sim = simulation(make_pipeline(Stage("Gate", (approval(),)), "Prod"), assume({"Prod/Work": 5}, [0, 10]))
    sim.send(DisableTransition("Prod", "freeze"))
    sim.advance(to=20)
    text = format_state(sim.state, sim.assumptions.start)

    assert "at 00:00:20 (Mon 2 Mar 09:00:20 UTC)" in text
    assert ".. E2 waits\nGate: InProgress (E1)\n    Approve: InProgress (E1)" in text
    assert "-- transition disabled: freeze --\nProd: not started" in text
