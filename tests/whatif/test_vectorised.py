"""The fast path and the engine tell the same story."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import pipesim
from pipesim.assumptions.arrivals import At, Every, OfficeHours, Poisson
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Constant, Empirical, Exponential, LogNormal, Triangular, Uniform
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Delays, Pool
from pipesim.assumptions.streams import Streams, sibling
from pipesim.definition.model import OnFailure
from pipesim.engine import simulate
from pipesim.whatif.draws import Draws, TableCache
from pipesim.whatif.fast import FastSamples
from pipesim.whatif.observed import observe
from pipesim.whatif.vectorised import can_run, run
from pipesim.whatif.working_time import WorkingTime

from ..assumptions.strategies import distributions
from ..strategies import pipelines
from .stories import engine_story, fast_story

EUROPE = WorkingHours.parse("Mon-Fri 09:00-17:00", "Europe/Berlin")
NIGHT = WorkingHours.parse("Tue-Sat 22:00-06:00", "America/New_York")
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=120)

durations = st.one_of(
    st.builds(Uniform, st.integers(0, 50), st.integers(50, 900)),
    st.builds(LogNormal, st.integers(20, 300), st.integers(300, 2000)),
    st.builds(Exponential, st.integers(1, 900)),
    st.builds(Constant, st.integers(0, 600)),
    st.just(Constant(0)),
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
            sizes=draw(st.sampled_from([{}, {out.name: 5_000_000 for out in action.output_artifacts}])),
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
@given(
    models(),
    st.integers(0, 2**20),
    st.integers(0, 1500),
    st.sampled_from([None, 3000.0, 40_000.0]),
    st.sampled_from([1, 8, 15, 80]),
)
def test_both_tell_the_same_story(model, family, first, until, executions):
    pipeline, assumptions = model
    assume(can_run(pipeline, assumptions) is None)
    result = run(pipeline, assumptions, draws=Draws(family, first, 3), executions=executions, until=until)

    measured = FastSamples(result)
    for place in np.flatnonzero(~result.undecided):
        tell_the_same(result, int(place), family, first, executions, until, measured)


def tell_the_same(result, place, family, first, executions, until=None, measured=None):
    seed = sibling(family, first + place)
    trace = simulate(result.pipeline, result.assumptions, seed=seed, executions=executions, until=until)
    if measured is not None:
        found = {name: float(measured[name][place]) for name in measured}
        assert found == pytest.approx(observe(trace), rel=1e-9, abs=1e-6, nan_ok=True)
    story = engine_story(trace)
    assert fast_story(result, place) == story
    assert result.ends[place] == pytest.approx(trace.end)
    return story


def line(mode: str, **more: OnFailure | None):
    pipeline = pipesim.load("GitHub -> CodeBuild -> S3")
    stages = tuple(replace(stage, on_failure=more.get(stage.name)) for stage in pipeline.stages)
    return replace(pipeline, execution_mode=mode, pipeline_type="V2", stages=stages)


def busy(**more: ActionAssumption) -> Assumptions:
    actions = {"GitHub": ActionAssumption(Uniform(1, 9)), "CodeBuild": ActionAssumption(LogNormal(300, 500), pool="")}
    return Assumptions(arrivals=Poisson(8), actions={**actions, "S3": ActionAssumption(Uniform(60, 500)), **more})


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED"])
def test_rollbacks_in_two_stages_shift_the_numbers_of_those_who_come_later(mode):
    back = OnFailure("ROLLBACK")
    failing = {
        "CodeBuild": ActionAssumption(LogNormal(300, 500), fails=0.3, pool=""),
        "S3": ActionAssumption(Uniform(60, 500), fails=0.3),
    }
    result = run(line(mode, Build=back, Deploy=back), busy(**failing), draws=Draws(3, 0, 5), executions=40)

    assert not result.undecided.any()
    for place in range(5):
        story = tell_the_same(result, place, 3, 0, 40)
        assert sum(fact[1] == "started" and fact[4] is not None for fact in story) > 3


def test_a_rollback_leaves_the_luck_of_later_changes_alone():
    failing = busy(S3=ActionAssumption(Uniform(60, 500), fails=0.3))
    with_it = run(line("QUEUED", Deploy=OnFailure("ROLLBACK")), failing, draws=Draws(3, 0, 20), executions=40)
    without = run(line("QUEUED"), failing, draws=Draws(3, 0, 20), executions=40)

    assert with_it.executions > without.executions == 40
    for stage in range(3):
        took = [one.left(stage)[:, :40] - one.entered(stage)[:, :40] for one in (with_it, without)]
        assert np.allclose(*took)
        assert np.array_equal(with_it.stage_failed(stage)[:, :40], without.stage_failed(stage))
    for place in range(5):
        tell_the_same(with_it, place, 3, 0, 40)


@pytest.mark.parametrize("mode", ["QUEUED", "PARALLEL"])
def test_the_fifty_first_unfinished_execution_fails_at_its_start(mode):
    crowded = replace(busy(CodeBuild=ActionAssumption(LogNormal(9000, 20_000), pool="")), arrivals=Poisson(60))
    result = run(line(mode), crowded, draws=Draws(3, 0, 3), executions=150)
    refused = (result.status == 2) & np.isinf(result.entered(0))

    assert (refused.sum(axis=1) > 20).all()
    for place in range(3):
        tell_the_same(result, place, 3, 0, 150)


def test_a_sixth_action_waits_for_a_place_in_parallel_mode():
    pipeline = line("PARALLEL")
    build = pipeline.stages[1].actions[0]
    many = tuple(replace(build, name=f"Build{number}", output_artifacts=()) for number in range(8))
    deploy = replace(pipeline.stages[2].actions[0], input_artifacts=pipeline.stages[0].actions[0].output_artifacts[:0])
    source = pipeline.stages[0].actions[0].output_artifacts[0].name
    stages = (
        pipeline.stages[0],
        replace(pipeline.stages[1], actions=many, on_failure=OnFailure("RETRY")),
        replace(pipeline.stages[2], actions=(replace(deploy, input_artifacts=(source,)),)),
    )
    assumed = busy(**{"Build/CodeBuild": ActionAssumption()})
    actions = {f"Build{number}": ActionAssumption(Uniform(60, 600), fails=0.1, pool="") for number in range(8)}
    assumed = replace(assumed, actions={**actions, "GitHub": ActionAssumption(Uniform(1, 9))})
    result = run(replace(pipeline, stages=stages), assumed, draws=Draws(4, 510, 4), executions=20)

    starts = [result.attempts(1)[f"Build{number}", 1].started for number in range(8)]
    assert (starts[5] > starts[0]).all()
    for place in range(4):
        tell_the_same(result, place, 4, 510, 20)


@pytest.mark.parametrize("mode", ["SUPERSEDED", "QUEUED", "PARALLEL"])
def test_a_pool_that_is_never_full_holds_nobody_up(mode):
    pipeline = line(mode)
    build = replace(pipeline.stages[1].actions[0], name="Check", output_artifacts=())
    stages = (*pipeline.stages, replace(pipeline.stages[1], name="Again", actions=(build,)))
    assumed = replace(
        busy(CodeBuild=ActionAssumption(LogNormal(300, 500), pool="builds")),
        pools={"builds": Pool(1)},
        arrivals=Poisson(1),
    )
    assumed = replace(assumed, actions={**assumed.actions, "Check": ActionAssumption(Uniform(60, 500), pool="builds")})
    result = run(replace(pipeline, stages=stages), assumed, draws=Draws(3, 0, 16), executions=8)

    assert 0 < result.undecided.sum() < 16
    for place in range(16):
        trace = simulate(result.pipeline, assumed, seed=sibling(3, place), executions=8)
        waited = any(event.kind.value == "ActionWaiting" for event in trace)
        assert waited <= result.undecided[place]
        if not result.undecided[place]:
            assert fast_story(result, place) == engine_story(trace)


def test_blocks_do_not_change_what_happens():
    model = line("SUPERSEDED", Build=OnFailure("RETRY")), busy(S3=ActionAssumption(Exponential(300), fails=0.2))
    whole = run(*model, draws=Draws(5, 500, 40), executions=50)
    cache = TableCache()
    parts = [run(*model, draws=Draws(5, first, 10, cache), executions=50) for first in (500, 510, 520, 530, 520)]

    for name in ("started", "ended", "status", "superseded_by"):
        joined = np.concatenate([getattr(part, name) for part in parts[:4]])
        assert np.array_equal(joined, getattr(whole, name))
        assert np.array_equal(getattr(parts[4], name), getattr(parts[2], name))


def test_the_cache_forgets_what_was_used_least():
    cache = TableCache(limit=100)
    for name in "abc":
        cache.put(name, name.upper(), 40)
    cache.get("b")
    cache.put("d", "D", 40)
    cache.put("huge", "H", 101)

    assert [cache.get(name) for name in ("a", "b", "c", "d", "huge")] == [None, "B", None, "D", None]


PLACED = ActionAssumption(Uniform(1, 2), pool="builds")
POOLED = Assumptions(arrivals=Poisson(8), actions={"CodeBuild": PLACED}, pools={"builds": Pool(1)})


@pytest.mark.parametrize(
    ("change", "assumed", "why"),
    [
        (lambda p: p, busy(), None),
        (lambda p: p, POOLED, None),
        (
            lambda p: p,
            replace(
                busy(CodeBuild=ActionAssumption(Uniform(1, 2), sizes={"Other": 9}, pool="")),
                delays=Delays(transfer_rate=1e6),
            ),
            "artifacts that are not its own",
        ),
        (lambda p: replace(p, execution_mode="PARALLEL"), POOLED, None),
        (
            lambda p: replace(p, stages=(p.stages[0], replace(p.stages[1], actions=(
                *p.stages[1].actions, replace(p.stages[1].actions[0], name="Other", output_artifacts=())
            )), *p.stages[2:])),
            replace(POOLED, actions={**POOLED.actions, "Other": PLACED}),
            "pool 'builds' has 1 places",
        ),
        (lambda p: p, replace(busy(), delays=replace(Delays(), between_stages=0.0004)), "not a whole number of milli"),
        (
            lambda p: replace(p, execution_mode="PARALLEL", stages=tuple(
                replace(stage, on_failure=OnFailure("RETRY")) if stage.name == "Build" else stage for stage in p.stages
            )),
            busy(CodeBuild=ActionAssumption(Uniform(1, 2), fails_on=(2,))),
            "scripted failures",
        ),
    ],
)  # fmt: skip
def test_what_it_cannot_run_it_names(change, assumed, why):
    found = can_run(change(line("QUEUED")), assumed)

    assert found is None if why is None else why in found


@given(st.sampled_from([EUROPE, NIGHT, WorkingHours.parse("daily 00:00-24:00")]), st.integers(0, 3 * 10**10), st.data())
@settings(max_examples=200, deadline=None)
def test_working_time_passes_as_in_the_calendar(hours, moment, data):
    start = Assumptions().start
    working = data.draw(st.integers(0, 10**8) | st.sampled_from([0, 8 * 3_600_000, 16 * 3_600_000]))
    asked = start + timedelta(milliseconds=moment)
    answered = hours.advance(asked, working / 1000)
    elapsed = WorkingTime(hours, start).elapsed(np.array([moment, np.inf]), np.array([float(working)] * 2))

    assert elapsed.tolist() == [(answered - asked) / timedelta(milliseconds=1), 0.0]


@given(distributions, st.integers(1, 2**40), st.integers(0, 2000), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_the_tables_hold_what_the_engine_draws(distribution, family, first, attempt):
    table = Draws(family, first, 2).milliseconds("duration A/B", distribution, 45, attempt)
    streams = [Streams(sibling(family, first + place)).stream("duration A/B", distribution) for place in range(2)]

    for place, stream in enumerate(streams):
        assert (table[:, place] / 1000).tolist() == [stream.draw(row, attempt) for row in range(45)]
        assert stream.table(30, 11, attempt).tolist() == (table[11:41, place] / 1000).tolist()


def test_siblings_share_no_luck():
    table = Draws(1, 0, 600).uniforms("coin", 200)
    other = Draws(2, 0, 600).uniforms("coin", 200)

    assert len(np.unique(table)) == table.size
    assert not np.isin(table, other).any()
    assert abs(np.corrcoef(table[:, 0], table[:, 1])[0, 1]) < 0.25
    assert table.mean() == pytest.approx(0.5, abs=0.005)


def test_a_sibling_has_a_generator_of_its_own():
    first, again, other = (Streams(sibling(1, number)).generator("arrivals") for number in (3, 3, 4))
    numbers = first.random(30)

    assert numbers.tolist() == [again.random() for _ in range(30)]
    assert numbers.tolist() == Draws(1, 3, 1).uniforms("arrivals", 30)[:, 0].tolist()
    assert first.exponential(2.0) == again.exponential(2.0)
    assert not np.isin(other.random(30), numbers).any()


@pytest.mark.parametrize(("family", "number"), [(-1, 0), (1 << 48, 0), (0, -1), (0, 1 << 32)])
def test_there_are_only_so_many_siblings(family, number):
    with pytest.raises(ValueError, match="there is no sibling"):
        sibling(family, number)
