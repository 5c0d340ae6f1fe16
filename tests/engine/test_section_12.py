"""The behaviour reference's numbered cases that need no API, each under its number."""

from __future__ import annotations

import pytest

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, RuleAssumption
from pipesim.assumptions.units import days, minutes
from pipesim.definition.checking import check
from pipesim.definition.model import (
    Condition,
    Criteria,
    OnFailure,
    OutputArtifact,
    PushFilter,
    Rule,
    RuleTypeId,
    Stage,
    Trigger,
    Variable,
)
from pipesim.definition.triggers import Push
from pipesim.engine import (
    Approve,
    DisableTransition,
    EnableTransition,
    Override,
    Retry,
    Rollback,
    Start,
    Stop,
    Update,
)
from pipesim.errors import Refused
from pipesim.trace.events import EventKind
from pipesim.vocabulary import StageExecutionStatus

from .builders import SOURCE, approval, assume, build, found, make_pipeline, simulation, source_stage, status, times


def refused(sim, command) -> str:
    """Send a command that must be refused, leaving the trace as it is, and return the code."""
    before = len(sim.trace)
    with pytest.raises(Refused) as refusal:
        sim.send(command)

    assert len(sim.trace) == before
    return refusal.value.code


def rule(provider: str, name: str = "Gate", **configuration: str) -> Condition:
    return Condition((Rule(name, RuleTypeId(provider), configuration),))


def test_01_superseding_only_between_stages():
    sim = simulation(make_pipeline("Build", "Prod"), assume({"Build/Work": 600, "Prod/Work": 10}, [0, 60]))
    sim.advance(to=120)

    state = sim.state
    assert state.stage("Build").occupants == ("E1",)
    assert state.stage("Build").inbound == ("E2",)
    assert status(sim, "E2") == "InProgress"

    sim.run()

    assert times(sim, EventKind.ACTION_SUCCEEDED, execution="E1", stage="Build") == [601.0]


def test_02_one_slot():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 600}, [0, 60, 120]))
    sim.advance(to=130)

    assert status(sim, "E2") == "Superseded"
    assert sim.state.stage("Build").inbound == ("E3",)

    sim.run()

    assert status(sim, "E2") == "Superseded"
    assert times(sim, EventKind.STAGE_ENTERED, execution="E3", stage="Build") == [601.0]
    assert found(sim, EventKind.EXECUTION_SUPERSEDED)[0].detail["by"] == "E3"


def test_03_superseded_is_not_retryable():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 600}, [0, 60, 120]))
    sim.advance(to=130)

    assert refused(sim, Retry("Build", "E2")) == "StageNotRetryableException"


def test_04_failure_unlocks():
    fails_first = {"Build/Work": ActionAssumption(Constant(600), fails_on=(1,))}
    sim = simulation(make_pipeline("Build"), assume({}, [0, 60], fails_first))
    sim.advance(to=601)

    assert status(sim, "E1") == "Failed"
    assert times(sim, EventKind.STAGE_ENTERED, execution="E2", stage="Build") == [601.0]
    assert refused(sim, Retry("Build", "E1")) == "NotLatestPipelineExecutionException"


def test_05_stop_unlocks():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 600}, [0, 60]))
    sim.advance(to=100)
    sim.send(Stop("E1", abandon=True, reason="wrong version"))
    sim.advance(to=100)

    assert status(sim, "E1") == "Stopped"
    assert times(sim, EventKind.STAGE_ENTERED, execution="E2", stage="Build") == [100.0]


def test_05_stop_does_not_let_in_through_a_disabled_transition():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 600}, [0, 60]))
    sim.advance(to=100)
    sim.send(DisableTransition("Build", "freeze"))
    sim.send(Stop("E1", abandon=True))
    sim.advance(to=1000)

    assert times(sim, EventKind.STAGE_ENTERED, execution="E2", stage="Build") == []
    assert sim.state.stage("Build").inbound == ("E2",)


def test_06_disabled_transition_also_supersedes():
    sim = simulation(make_pipeline("Test", "Prod"), assume({"Test/Work": 10, "Prod/Work": 10}, [0, 60, 120]))
    sim.send(DisableTransition("Prod", "freeze"))
    sim.advance(to=300)
    sim.send(EnableTransition("Prod"))
    sim.run()

    assert [status(sim, name) for name in ("E1", "E2", "E3")] == ["Superseded", "Superseded", "Succeeded"]
    assert [(e.time, e.execution) for e in found(sim, EventKind.STAGE_ENTERED, stage="Prod")] == [(300.0, "E3")]


def test_07_queued_keeps_order():
    sim = simulation(make_pipeline("Build", mode="QUEUED"), assume({"Build/Work": 600}, [0, 10, 20]))
    sim.advance(to=30)

    assert sim.state.stage("Build").inbound == ("E2", "E3")

    sim.run()

    assert [e.execution for e in found(sim, EventKind.STAGE_ENTERED, stage="Build")] == ["E1", "E2", "E3"]
    assert [status(sim, name) for name in ("E1", "E2", "E3")] == ["Succeeded"] * 3


def test_08_the_51st_queued_execution_is_refused():
    sim = simulation(make_pipeline("Build", mode="QUEUED"), assume({"Build/Work": 600}))
    for _ in range(50):
        sim.send(Start())

    assert refused(sim, Start()) == "ConcurrentPipelineExecutionsLimitExceededException"


def test_08_a_change_over_the_limit_fails_without_a_summary():
    sim = simulation(make_pipeline("Build", mode="QUEUED"), assume({"Build/Work": 600}, [0] * 51))
    sim.advance(to=5)

    assert status(sim, "E51") == "Failed"
    assert not sim.state.executions["E51"].summary


def test_09_parallel_has_no_stage_state():
    sim = simulation(make_pipeline("Build", mode="PARALLEL"), assume({"Build/Work": 600}, [0, 10]))
    sim.advance(to=30)

    stage = sim.state.stage("Build")
    assert stage.latest is None
    assert stage.occupants == ("E1", "E2")
    assert {"E1", "E2"} == {e.execution for e in found(sim, EventKind.ACTION_STARTED, stage="Build")}


def test_10_parallel_peers_survive():
    stage = Stage("Test", (build("A"), build("B"), build("C", 2)))
    failing = {"Test/A": ActionAssumption(Constant(10), fails=1.0)}
    sim = simulation(make_pipeline(stage), assume({"Test/B": 100, "Test/C": 5}, [0], failing))
    sim.run()

    assert times(sim, EventKind.ACTION_SUCCEEDED, action="B") == [101.0]
    assert times(sim, EventKind.ACTION_STARTED, action="C") == []
    assert times(sim, EventKind.STAGE_FAILED) == [101.0]


def test_11_sparse_run_order():
    stage = Stage("Test", (build("Last", 999), build("First", 1), build("Middle", 5)))
    pipeline = make_pipeline(stage)
    sim = simulation(pipeline, assume({"First": 10, "Middle": 10, "Last": 10}, [0]))
    sim.run()

    assert check(pipeline) == ()
    assert [times(sim, EventKind.ACTION_STARTED, action=n)[0] for n in ("First", "Middle", "Last")] == [1.0, 11.0, 21.0]


@pytest.mark.parametrize("run_order", [0, 1000])
def test_11_run_order_outside_1_to_999_is_a_problem(run_order):
    problems = check(make_pipeline(Stage("Test", (build("Only", run_order),))))

    assert [problem.path for problem in problems] == ["stages[1].actions[0].runOrder"]
    assert problems[0].code in ("ValidationException", "InvalidActionDeclarationException")


def test_12_all_sources_run():
    from dataclasses import replace

    second = replace(SOURCE, name="Config", output_artifacts=(OutputArtifact("Settings"),))
    sim = simulation(make_pipeline(source_stage(SOURCE, second), "Build"), assume({"Build/Work": 5}, [0, 100]))
    sim.run()

    assert {"Checkout", "Config"} == {
        e.action for e in found(sim, EventKind.ACTION_STARTED, execution="E2", stage="Source")
    }


def test_13_update_cancels():
    pipeline = make_pipeline("Build", "Prod")
    sim = simulation(pipeline, assume({"Build/Work": 600, "Prod/Work": 5}, [0, 60]))
    sim.advance(to=100)
    sim.send(Update(make_pipeline("Build", "Prod", "After")))

    assert sim.state.version == 2
    assert status(sim, "E2") == "Cancelled"
    assert status(sim, "E1") == "InProgress"

    sim.run()

    assert status(sim, "E1") == "Cancelled"
    assert times(sim, EventKind.EXECUTION_CANCELLED, execution="E1") == [601.0]
    assert [e.execution for e in found(sim, EventKind.EXECUTION_STARTED)] == ["E1", "E2"]


def test_13_update_calls_an_open_approval_off():
    pipeline = make_pipeline(Stage("Gate", (approval(),)))
    sim = simulation(pipeline, assume({}, [0]))
    sim.advance(to=100)
    sim.send(Update(make_pipeline(Stage("Gate", (approval(),)), "After")))
    sim.run()

    assert status(sim, "E1") == "Cancelled"
    assert found(sim, EventKind.ACTION_FAILED)[0].detail["summary"] == "The approval action has been canceled."


def test_14_create_starts():
    from pipesim.assumptions.model import Assumptions

    sim = simulation(make_pipeline("Build"), Assumptions())
    sim.run()

    assert found(sim, EventKind.EXECUTION_STARTED)[0].detail["trigger_type"] == "CreatePipeline"


def test_14_polling_sources_start_by_poll():
    from dataclasses import replace

    from pipesim.assumptions.model import Assumptions

    polling = replace(SOURCE, configuration={"S3Bucket": "source-bucket", "S3ObjectKey": "app.zip"})
    sim = simulation(make_pipeline(source_stage(polling), "Build"), Assumptions())
    sim.run()

    started = found(sim, EventKind.EXECUTION_STARTED)
    assert [e.detail["trigger_type"] for e in started] == ["PollForSourceChanges"]
    assert [e.detail["trigger_detail"] for e in started] == ["Checkout"]


def test_15_after_30_days_the_waiter_does_not_enter():
    sim = simulation(make_pipeline("Prod"), assume({"Prod/Work": 5}, [0]))
    sim.send(DisableTransition("Prod", "freeze"))
    sim.advance(days=31)
    sim.send(EnableTransition("Prod"))
    sim.advance(days=1)

    assert times(sim, EventKind.STAGE_ENTERED, stage="Prod") == []
    assert status(sim, "E1") == "InProgress"

    sim.send(Start())
    sim.run()

    assert [e.execution for e in found(sim, EventKind.STAGE_ENTERED, stage="Prod")] == ["E2"]


def test_15_within_30_days_it_enters():
    sim = simulation(make_pipeline("Prod"), assume({"Prod/Work": 5}, [0]))
    sim.send(DisableTransition("Prod", "freeze"))
    sim.advance(days=29)
    sim.send(EnableTransition("Prod"))
    sim.run()

    assert [days(29)] == times(sim, EventKind.STAGE_ENTERED, stage="Prod")


def test_16_retry_keeps_the_id():
    output = build("Work", output_artifacts=(OutputArtifact("App"),))
    sim = simulation(
        make_pipeline(Stage("Build", (output,)), "Prod"),
        assume({"Prod/Work": 5}, [0], {"Build/Work": ActionAssumption(Constant(60), fails_on=(1,))}),
    )
    sim.run()
    first_keys = [e.detail["outputs"] for e in found(sim, EventKind.ACTION_SUCCEEDED, stage="Source")]

    assert sim.send(Retry("Build", "E1")) == "E1"
    assert status(sim, "E1") == "InProgress"

    sim.run()

    attempts = found(sim, EventKind.ACTION_STARTED, stage="Build")
    assert [e.attempt for e in attempts] == [1, 2]
    assert first_keys == [e.detail["inputs"] for e in attempts[1:]]
    assert len(found(sim, EventKind.ACTION_FAILED)) == 1
    assert status(sim, "E1") == "Succeeded"


def test_16_all_actions_write_new_keys():
    stage = Stage("Build", (build("Good", output_artifacts=(OutputArtifact("App"),)), build("Bad")))
    sim = simulation(
        make_pipeline(stage),
        assume({"Build/Good": 5}, [0], {"Build/Bad": ActionAssumption(Constant(60), fails_on=(1,))}),
    )
    sim.run()
    sim.send(Retry("Build", "E1", "ALL_ACTIONS"))
    sim.run()

    keys = [e.detail["outputs"]["App"] for e in found(sim, EventKind.ACTION_SUCCEEDED, action="Good")]
    assert len(set(keys)) == 2


def test_17_retry_while_peers_run():
    stage = Stage("Test", (build("A"), build("B")))
    sim = simulation(
        make_pipeline(stage), assume({"Test/B": 100}, [0], {"Test/A": ActionAssumption(Constant(10), fails_on=(1,))})
    )
    sim.advance(to=20)

    assert refused(sim, Retry("Test", "E1", "ALL_ACTIONS")) == "StageNotRetryableException"

    sim.send(Retry("Test", "E1"))
    sim.run()

    assert times(sim, EventKind.ACTION_STARTED, action="A") == [1.0, 20.0]
    assert times(sim, EventKind.ACTION_STARTED, action="B") == [1.0]
    assert status(sim, "E1") == "Succeeded"


def test_18_the_attempt_number_is_global():
    sim = simulation(
        make_pipeline("Deploy", "After"),
        assume({"After/Work": 5}, [0], {"Deploy/Work": ActionAssumption(Constant(10), fails_on=(1,))}),
    )
    sim.run()
    sim.send(Retry("Deploy", "E1"))
    sim.run()

    assert found(sim, EventKind.EXECUTION_RESUMED)[0].attempt == 2
    assert sim.state.executions["E1"].attempt == 2


def test_19_second_stop():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 600}, [0]))
    sim.advance(to=10)
    sim.send(Stop("E1"))

    assert status(sim, "E1") == "Stopping"
    assert refused(sim, Stop("E1")) == "DuplicatedStopRequestException"

    sim.send(Stop("E1", abandon=True))
    sim.advance(to=10)

    assert status(sim, "E1") == "Stopped"
    assert refused(sim, Stop("E1", abandon=True)) == "PipelineExecutionNotStoppableException"


def test_20_approve_while_stopping():
    sim = simulation(make_pipeline(Stage("Gate", (approval(),)), "Prod"), assume({"Prod/Work": 5}, [0]))
    sim.advance(to=10)
    sim.send(Stop("E1", reason="not today"))
    sim.send(Approve("Gate", summary="fine"))
    sim.run()

    assert status(sim, "E1") == "Stopped"
    assert times(sim, EventKind.STAGE_ENTERED, stage="Prod") == []
    assert sim.state.executions["E1"].stop_reason == "not today"


def test_21_a_stopped_waiter_is_dead():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 600}, [0, 60]))
    sim.advance(to=100)
    sim.send(Stop("E2"))
    sim.run()

    assert status(sim, "E2") == "Stopped"
    assert times(sim, EventKind.STAGE_ENTERED, execution="E2", stage="Build") == []
    assert refused(sim, Retry("Build", "E2")) == "StageNotRetryableException"


def v2(*stages, **members):
    return make_pipeline(*stages, pipeline_type="V2", **members)


def test_22_rollback_is_one_stage():
    pipeline = v2("Test", "Prod", variables=(Variable("COLOUR", "blue"),))
    sim = simulation(pipeline, assume({"Test/Work": 5, "Prod/Work": 5}))
    first = sim.send(Start(variables={"COLOUR": "green"}))
    sim.run()
    second = sim.send(Start())
    sim.run()
    third = sim.send(Rollback("Test", first))
    sim.run()

    state = sim.state
    rolled = state.executions[third]
    assert ("ROLLBACK", first, "ManualRollback") == (rolled.type, rolled.rollback_target, rolled.trigger_type)
    assert [e.stage for e in found(sim, EventKind.STAGE_ENTERED, execution=third)] == ["Test"]
    assert state.stage("Prod").latest.execution == second
    assert dict(rolled.variables) == {"COLOUR": "green"}
    inputs = [e.detail["inputs"] for e in found(sim, EventKind.ACTION_STARTED, stage="Test")]
    assert inputs[0] == inputs[2] != inputs[1]
    assert status(sim, third) == "Succeeded"


def test_23_rollback_target_version():
    sim = simulation(v2("Test"), assume({"Test/Work": 5}, [0]))
    sim.run()
    sim.send(Update(v2("Test", "More")))

    assert refused(sim, Rollback("Test", "E1")) == "PipelineExecutionOutdatedException"


def test_24_no_rollback_of_a_rollback():
    sim = simulation(v2("Test"), assume({"Test/Work": 5}, [0]))
    sim.run()
    rolled = sim.send(Rollback("Test", "E1"))
    sim.run()

    assert refused(sim, Rollback("Test", rolled)) == "UnableToRollbackStageException"
    assert refused(sim, Rollback("Test", "E99")) == "PipelineExecutionNotFoundException"


def test_24_no_rollback_while_the_stage_is_in_progress():
    sim = simulation(v2("Test"), assume({"Test/Work": 50}, [0, 100]))
    sim.advance(to=120)

    assert refused(sim, Rollback("Test", "E1")) == "UnableToRollbackStageException"


def test_25_execution_type_is_absent():
    sim = simulation(v2("Test"), assume({"Test/Work": 5}, [0]))
    sim.run()
    sim.send(Rollback("Test", "E1"))

    standard, rollback = found(sim, EventKind.EXECUTION_STARTED)
    assert "execution_type" not in standard.detail
    assert rollback.detail["execution_type"] == "ROLLBACK"


def test_26_skipped_stage():
    gate = Condition(
        (
            Rule(
                "Gate", RuleTypeId("VariableCheck"), {"Variable": "#{variables.ENV}", "Value": "prod", "Operator": "EQ"}
            ),
        ),
        "SKIP",
    )
    pipeline = v2(Stage("Test", (build("Work"),), before_entry=(gate,)), "Prod", variables=(Variable("ENV", "dev"),))
    sim = simulation(pipeline, assume({"Test/Work": 5, "Prod/Work": 5}, [0]))
    sim.run()

    assert sim.state.stage("Test").latest.status is StageExecutionStatus.SKIPPED
    assert times(sim, EventKind.ACTION_STARTED, stage="Test") == []
    assert status(sim, "E1") == "Succeeded"
    assert refused(sim, Retry("Test", "E1")) == "StageNotRetryableException"
    assert refused(sim, Rollback("Test", "E1")) == "UnableToRollbackStageException"
    assert refused(sim, Override("Test", "E1", "BEFORE_ENTRY")) == "ConditionNotOverridableException"


def test_27_on_success_fail_and_override():
    gate = Condition((Rule("Alarm", RuleTypeId("CloudWatchAlarm"), {"AlarmName": "errors"}),), "FAIL")
    pipeline = v2(Stage("Test", (build("Work"),), on_success=(gate,)), "Prod")
    sim = simulation(
        pipeline,
        assume({"Test/Work": 5, "Prod/Work": 5}, [0], rules={"Alarm": RuleAssumption(Constant(60), fails_on=(1,))}),
    )
    sim.run()

    assert found(sim, EventKind.ACTION_FAILED) == []
    assert sim.state.stage("Test").latest.status is StageExecutionStatus.FAILED
    assert status(sim, "E1") == "Failed"

    sim.send(Override("Test", "E1", "ON_SUCCESS"))
    sim.run()

    assert status(sim, "E1") == "Succeeded"
    assert [e.stage for e in found(sim, EventKind.STAGE_ENTERED)] == ["Source", "Test", "Prod"]
    assert sim.state.stage("Test").conditions["ON_SUCCESS"].status.value == "Overridden"


def test_28_on_failure_is_result_or_conditions():
    both = OnFailure(
        result="ROLLBACK",
        conditions=(Condition((Rule("Alarm", RuleTypeId("CloudWatchAlarm"), {"AlarmName": "errors"}),), "ROLLBACK"),),
    )
    problems = check(v2(Stage("Test", (build("Work"),), on_failure=both)))

    assert [problem.code for problem in problems] == ["InvalidStageDeclarationException"]


def test_29_automatic_retry_once():
    stage = Stage("Test", (build("Work"),), on_failure=OnFailure(result="RETRY"))
    sim = simulation(v2(stage), assume({}, [0], {"Test/Work": ActionAssumption(Constant(10), fails=1.0)}))
    sim.run()

    assert [e.attempt for e in found(sim, EventKind.ACTION_STARTED, stage="Test")] == [1, 2]
    assert status(sim, "E1") == "Failed"
    assert sim.state.stage("Test").retry.automatic == 1


def test_32_timeout_is_failure():
    sim = simulation(make_pipeline(Stage("Gate", (approval(),))), assume({}, [0]))
    sim.run()

    assert [1.0 + days(7)] == times(sim, EventKind.ACTION_FAILED)
    assert status(sim, "E1") == "Failed"


def test_32_timeout_in_minutes():
    sim = simulation(make_pipeline(Stage("Gate", (approval(timeout_in_minutes=30),))), assume({}, [0]))
    sim.run()

    assert [1.0 + minutes(30)] == times(sim, EventKind.ACTION_FAILED)


def test_34_a_missing_variable_is_a_failed_execution():
    sim = simulation(v2("Build", variables=(Variable("Alpha"),)), assume({"Build/Work": 5}))
    name = sim.send(Start())

    assert status(sim, name) == "Failed"
    assert sim.state.executions[name].summary == "Values for required variables haven't been provided: Alpha"
    assert found(sim, EventKind.STAGE_ENTERED) == []


def test_35_unknown_override_ignored_duplicate_rejected():
    sim = simulation(v2("Build", variables=(Variable("Alpha", "a"),)), assume({"Build/Work": 5}))
    name = sim.send(Start(variables={"Nobody": "x"}))

    assert dict(sim.state.executions[name].variables) == {"Alpha": "a"}
    assert refused(sim, Start(variables=(("Alpha", "1"), ("Alpha", "2")))) == "ValidationException"


def test_36_single_pass_resolution():
    produce = build("Produce", namespace="made")
    consume = build("Consume", 2, configuration={"ProjectName": "#{made.TEXT}"})
    actions = {"Build/Produce": ActionAssumption(Constant(5), variables={"TEXT": "#{variables.Alpha}"})}
    sim = simulation(
        v2(Stage("Build", (produce, consume)), variables=(Variable("Alpha", "a"),)),
        assume({"Build/Consume": 5}, [0], actions),
    )
    sim.run()

    assert found(sim, EventKind.ACTION_STARTED, action="Consume")[0].detail["configuration"] == {
        "ProjectName": "#{variables.Alpha}"
    }


def test_36_a_key_that_nobody_emitted_fails_the_action():
    produce = build("Produce", namespace="made")
    consume = build("Consume", 2, configuration={"ProjectName": "#{made.TEXT}"})
    actions = {"Build/Produce": ActionAssumption(Constant(5), variables={"OTHER": "x"})}
    sim = simulation(v2(Stage("Build", (produce, consume))), assume({"Build/Consume": 5}, [0], actions))
    sim.run()

    failed = found(sim, EventKind.ACTION_FAILED)[0]
    assert (failed.action, failed.detail["code"]) == ("Consume", "ConfigurationError")
    assert "made.TEXT" in failed.detail["message"]


def test_37_idempotency_token():
    sim = simulation(v2("Build", variables=(Variable("Alpha", "a"),)), assume({"Build/Work": 5}))
    first = sim.send(Start(token="once"))
    before = len(sim.trace)

    assert first == sim.send(Start(token="once", variables={"Alpha": "b"}))
    assert before == len(sim.trace)


@pytest.mark.parametrize("text", ["yes", "1", "false", "False"])
def test_38_poll_for_source_changes_text(text):
    from dataclasses import replace

    from pipesim.assumptions.arrivals import Once
    from pipesim.assumptions.model import Assumptions

    source = replace(SOURCE, configuration={**SOURCE.configuration, "PollForSourceChanges": text})
    pipeline = make_pipeline(source_stage(source), "Build")
    sim = simulation(pipeline, Assumptions(arrivals=Once(30.0)))
    sim.run()

    assert check(pipeline) == ()
    assert times(sim, EventKind.EXECUTION_STARTED) == [30.0]


def test_39_same_bytes_new_version():
    """Every change that a poll finds starts an execution, whatever its content."""
    from dataclasses import replace

    polling = replace(SOURCE, configuration={"S3Bucket": "source-bucket", "S3ObjectKey": "app.zip"})
    sim = simulation(make_pipeline(source_stage(polling), "Build"), assume({"Build/Work": 5}, [10, 130]))
    sim.run()

    assert times(sim, EventKind.EXECUTION_STARTED) == [60.0, 180.0]
    assert [e.detail["arrived"] for e in found(sim, EventKind.EXECUTION_STARTED)] == [10.0, 130.0]


def test_53_beanstalk_without_describe_events_hangs_to_the_time_limit():
    """The missing permission does not fail the action: it hangs, and its time limit of one hour fails it."""
    from pipesim.definition.model import Action, ActionTypeId

    deploy = Action(
        "Release",
        ActionTypeId("Deploy", "AWS", "ElasticBeanstalk"),
        configuration={"ApplicationName": "shop", "EnvironmentName": "prod"},
        input_artifacts=("Code",),
    )
    sim = simulation(make_pipeline(Stage("Deploy", (deploy,))), assume({"Deploy/Release": days(9)}, [0]))
    sim.run()

    assert times(sim, EventKind.ACTION_FAILED) == [1.0 + 3600]
    assert "limit of 3600 s" in found(sim, EventKind.ACTION_FAILED)[0].detail["message"]


def connection_pipeline(*triggers):
    from pipesim.definition.model import Action, ActionTypeId

    source = Action(
        "Checkout",
        ActionTypeId("Source", "AWS", "CodeStarSourceConnection"),
        configuration={
            "ConnectionArn": "arn:aws:codeconnections:us-east-1:111122223333:connection/abc",
            "FullRepositoryId": "shop/web",
            "BranchName": "main",
        },
        output_artifacts=(OutputArtifact("Code"),),
    )
    return v2(source_stage(source), "Build", triggers=triggers)


def pushed(pipeline, **push) -> list[str]:
    """The executions that a push starts."""
    sim = simulation(pipeline, assume({"Build/Work": 5}, actions={"Source/S3": ActionAssumption()}))
    sim.send(Push(**push))
    sim.run()
    started = [e.execution for e in found(sim, EventKind.EXECUTION_STARTED)]
    assert len(started) + len(found(sim, EventKind.CHANGE_IGNORED)) == 1
    return started


def test_40_excludes_win():
    pipeline = connection_pipeline(
        Trigger("Checkout", push=(PushFilter(branches=Criteria(("main",), ("ma*",))),)),
    )

    assert pushed(pipeline, branch="main") == []


def test_41_one_passing_file_is_enough():
    filters = PushFilter(branches=Criteria(("main",)), file_paths=Criteria(("**",), ("docs/**",)))
    pipeline = connection_pipeline(Trigger("Checkout", push=(filters,)))

    assert pushed(pipeline, branch="main", files=("docs/a", "src/b")) == ["E1"]
    assert pushed(pipeline, branch="main", files=("docs/a",)) == []


def test_42_the_101st_file_is_not_seen():
    filters = PushFilter(branches=Criteria(("main",)), file_paths=Criteria(("src/**",)))
    pipeline = connection_pipeline(Trigger("Checkout", push=(filters,)))
    docs = tuple(f"docs/{number}" for number in range(100))

    assert pushed(pipeline, branch="main", files=(*docs, "src/b")) == []
    assert pushed(pipeline, branch="main", files=(*docs[1:], "src/b")) == ["E1"]


def test_43_triggers_switch_default_detection_off():
    tagged = connection_pipeline(Trigger("Checkout", push=(PushFilter(tags=Criteria(("v*",))),)))

    assert pushed(connection_pipeline(), branch="main") == ["E1"]
    assert pushed(tagged, branch="main") == []
    assert pushed(tagged, tag="v1") == ["E1"]
