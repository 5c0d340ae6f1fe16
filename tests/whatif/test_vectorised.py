"""The fast path and the engine tell the same story."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipesim.assumptions.arrivals import At, Every, OfficeHours, Poisson
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Constant, Empirical, Exponential, LogNormal, Triangular, Uniform
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Delays
from pipesim.assumptions.streams import sibling
from pipesim.definition.model import OnFailure
from pipesim.engine import simulate
from pipesim.whatif.draws import Draws
from pipesim.whatif.vectorised import can_run, run

from ..strategies import pipelines
from .stories import engine_story, fast_story

EUROPE = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin")
NIGHT = WorkingHours.parse("Tue-Sat 22:00-06:00", "America/New_York")
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)

durations = st.one_of(
    st.builds(Uniform, st.integers(0, 50), st.integers(50, 900)),
    st.builds(LogNormal, st.integers(20, 300), st.integers(300, 2000)),
    st.builds(Exponential, st.integers(1, 900)),
    st.builds(Constant, st.integers(0, 600)),
    st.just(Triangular(10, 60, 300)),
    st.just(Empirical((7.0, 61.5, 240.25))),
    st.just(LogNormal(9000, 30_000)),
)
arrivals = st.one_of(
    st.lists(st.integers(0, 3000), max_size=12).map(lambda moments: At(tuple(map(float, moments)))),
    st.builds(Every, st.integers(1, 900), st.integers(0, 100)),
    st.builds(Poisson, st.floats(1, 60)),
    st.builds(OfficeHours, st.integers(5, 200), st.sampled_from([EUROPE, NIGHT])),
)
runs = st.lists(st.integers(1, 6), max_size=2).map(tuple)


@st.composite
def models(draw, **kinds):
    pipeline = draw(pipelines(**kinds))
    if pipeline.pipeline_type == "V2":
        back = [] if pipeline.execution_mode == "PARALLEL" else [OnFailure("ROLLBACK")]
        reactions = [
            None, None, OnFailure("RETRY"), OnFailure("RETRY", "ALL_ACTIONS"), OnFailure("RETRY", "FAILED_ACTIONS"),
            *back,
        ]  # fmt: skip
        stages = [replace(stage, on_failure=draw(st.sampled_from(reactions))) for stage in pipeline.stages[1:]]
        pipeline = replace(pipeline, stages=(pipeline.stages[0], *stages))
    actions = {
        f"{stage.name}/{action.name}": ActionAssumption(
            draw(durations),
            fails=draw(st.sampled_from([0.0, 0.0, 0.2, 0.6])),
            fails_on=draw(st.sampled_from([(), (), draw(runs)])),
            fails_after=draw(st.none() | durations),
            sizes=draw(st.sampled_from([{}, {"Source1Output": 5_000_000}])),
        )
        for stage, action in pipeline.actions()
        if not action.is_approval
    }
    approvals = {
        f"{stage.name}/{action.name}": Approver(
            draw(st.none() | durations),
            rejects=draw(st.sampled_from([0.0, 0.3])),
            rejects_on=draw(st.sampled_from([(), (2,)])),
            hours=draw(st.sampled_from([None, EUROPE, NIGHT])),
        )
        for stage, action in pipeline.actions()
        if action.is_approval
    }
    assumptions = Assumptions(
        actions=actions,
        approvals=approvals,
        arrivals=draw(arrivals),
        delays=draw(
            st.sampled_from([Delays(), Delays.none(), replace(Delays(), polling=0.0, transfer_rate=1e6, start=0.0)])
        ),
    )
    return pipeline, assumptions


@slow
@given(models(), st.integers(0, 2**20), st.integers(0, 1500), st.sampled_from([None, 3000.0, 40_000.0]))
def test_both_tell_the_same_story(model, family, first, until):
    pipeline, assumptions = model
    assume(can_run(pipeline, assumptions) is None)
    result = run(pipeline, assumptions, draws=Draws(family, first, 3), executions=15, until=until)

    for place in range(3):
        if result.undecided[place]:
            continue
        trace = simulate(pipeline, assumptions, seed=sibling(family, first + place), executions=15, until=until)
        assert fast_story(result, place) == engine_story(trace)
        assert result.ends[place] == pytest.approx(trace.end)
