"""Random pipelines, random assumptions, random commands: the laws hold."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pipesim.assumptions.arrivals import At
from pipesim.assumptions.distributions import Uniform
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Delays, Pool, RuleAssumption
from pipesim.definition.model import Condition, OnFailure, Rule, RuleTypeId, Stage
from pipesim.engine import (
    Approve,
    DisableTransition,
    EnableTransition,
    Override,
    Reject,
    Retry,
    Rollback,
    Simulation,
    Start,
    Stop,
    Update,
    simulate,
)
from pipesim.errors import Refused
from pipesim.trace.log import Trace
from pipesim.trace.state import state_at

from ..strategies import pipelines
from .laws import check_laws


@st.composite
def assumptions_for(draw, pipeline):
    """Durations, odds and people for one pipeline; changes come in the first few minutes."""
    arrivals = sorted(draw(st.lists(st.integers(0, 400), max_size=8)))
    actions = {
        f"{stage.name}/{action.name}": ActionAssumption(
            Uniform(0, draw(st.integers(1, 200))),
            fails=draw(st.sampled_from([0.0, 0.0, 0.3])),
            pool=draw(st.sampled_from(["", "builds"])),
        )
        for stage, action in pipeline.actions()
        if not action.is_approval
    }
    approvals = any(action.is_approval for _, action in pipeline.actions())
    return Assumptions(
        actions=actions,
        arrivals=At(tuple(float(time) for time in arrivals)),
        approvals={"*": Approver(draw(st.sampled_from([None, Uniform(10, 300)])), rejects=0.2)} if approvals else {},
        pools={"builds": Pool(draw(st.integers(1, 3)), draw(st.sampled_from(["queue", "fail"])))},
        rules={"CloudWatchAlarm": RuleAssumption(Uniform(0, 50), fails=0.4)},
        delays=draw(st.sampled_from([Delays(), Delays.none()])),
    )


def gate(provider: str, result: str) -> Condition:
    configuration = {
        "CloudWatchAlarm": {"AlarmName": "errors"},
        "VariableCheck": {
            "Variable": "#{codepipeline.PipelineExecutionId}",
            "Value": "E[1357]$",
            "Operator": "MATCHES",
        },
    }[provider]
    return Condition((Rule("Gate", RuleTypeId(provider), configuration),), result)


@st.composite
def guarded(draw, stage: Stage, mode: str) -> Stage:
    """A stage that may have conditions at its gates and an automatic retry or rollback."""
    rollback = [] if mode == "PARALLEL" else ["ROLLBACK"]
    entry = draw(st.sampled_from([(), (), (gate("VariableCheck", "SKIP"),), (gate("CloudWatchAlarm", "FAIL"),)]))
    success = draw(st.sampled_from([(), (), *((gate("CloudWatchAlarm", result),) for result in ("FAIL", *rollback))]))
    failure = draw(st.sampled_from([None, None, *(OnFailure(result=result) for result in ("RETRY", *rollback))]))
    return replace(stage, before_entry=entry, on_success=success, on_failure=failure)


@st.composite
def scenes(draw):
    pipeline = draw(pipelines())
    if pipeline.pipeline_type == "V2":
        first, *rest = pipeline.stages
        stages = tuple(draw(guarded(stage, pipeline.execution_mode)) for stage in rest)
        pipeline = replace(pipeline, stages=(first, *stages))
    return pipeline, draw(assumptions_for(pipeline)), draw(st.integers(0, 2**32))


slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


@slow
@given(scenes())
def test_the_laws_hold(scene):
    pipeline, assumptions, seed = scene
    trace = simulate(pipeline, assumptions, seed=seed)

    check_laws(trace, finished=True)


@slow
@given(scenes(), st.lists(st.integers(0, 300), max_size=6))
def test_stepping_equals_running_through(scene, steps):
    pipeline, assumptions, seed = scene
    whole = simulate(pipeline, assumptions, seed=seed)
    sim = Simulation(pipeline, assumptions, seed=seed)
    for step in steps:
        sim.advance(seconds=step)
    sim.run()

    assert list(whole) == list(sim.trace)


@slow
@given(scenes())
def test_same_seed_same_trace_and_the_trace_survives_writing(scene):
    pipeline, assumptions, seed = scene
    trace = simulate(pipeline, assumptions, seed=seed)
    text = trace.to_jsonl()

    assert text == simulate(pipeline, assumptions, seed=seed).to_jsonl()
    assert text == Trace.from_jsonl(text).to_jsonl()


class Commands(RuleBasedStateMachine):
    """A simulation with somebody pressing every button at random."""

    @initialize(scene=scenes())
    def begin(self, scene):
        self.pipeline, assumptions, seed = scene
        self.sim = Simulation(self.pipeline, assumptions, seed=seed)

    def send(self, command):
        before = len(self.sim.trace)
        try:
            self.sim.send(command)
        except Refused:
            assert len(self.sim.trace) == before

    @rule(seconds=st.integers(0, 200))
    def advance(self, seconds):
        self.sim.advance(seconds=seconds)

    @rule()
    def start(self):
        self.send(Start())

    @rule(stage=st.integers(0, 9), approve=st.booleans())
    def answer(self, stage, approve):
        self.send((Approve if approve else Reject)(self.stage(stage)))

    @rule(execution=st.integers(1, 12), abandon=st.booleans())
    def stop(self, execution, abandon):
        self.send(Stop(f"E{execution}", abandon=abandon))

    @rule(
        stage=st.integers(0, 9), execution=st.integers(1, 12), mode=st.sampled_from(["FAILED_ACTIONS", "ALL_ACTIONS"])
    )
    def retry(self, stage, execution, mode):
        self.send(Retry(self.stage(stage), f"E{execution}", mode))

    @rule(
        stage=st.integers(0, 9), execution=st.integers(1, 12), condition=st.sampled_from(["BEFORE_ENTRY", "ON_SUCCESS"])
    )
    def override(self, stage, execution, condition):
        self.send(Override(self.stage(stage), f"E{execution}", condition))

    @rule(stage=st.integers(0, 9), execution=st.integers(1, 12))
    def roll_back(self, stage, execution):
        self.send(Rollback(self.stage(stage), f"E{execution}"))

    @rule(stage=st.integers(0, 9), enable=st.booleans())
    def turn_transition(self, stage, enable):
        name = self.stage(stage)
        self.send(EnableTransition(name) if enable else DisableTransition(name, "freeze"))

    @rule()
    def update(self):
        self.send(Update(self.pipeline))

    @precondition(lambda self: hasattr(self, "sim"))
    @rule()
    def state_is_the_fold(self):
        assert self.sim.state == state_at(self.pipeline, self.sim.trace, self.sim.now)

    def stage(self, number):
        return self.pipeline.stages[number % len(self.pipeline.stages)].name

    def teardown(self):
        if not hasattr(self, "sim"):
            return
        for stage in self.pipeline.stages:
            self.send(EnableTransition(stage.name))
        self.sim.run()
        check_laws(self.sim.trace, finished=True)
        assert all(execution.finished or execution.lapsed for execution in self.sim.executions.values())


TestCommands = Commands.TestCase
TestCommands.settings = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60, stateful_step_count=30
)
