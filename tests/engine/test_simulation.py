"""What the numbered cases do not say: pools, people, delays, artifacts, conditions, refusals."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, time

import pytest

from pipesim.assumptions.arrivals import Every, Poisson
from pipesim.assumptions.calendars import WorkingHours
from pipesim.assumptions.distributions import Constant, Uniform
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions, Delays, Pool, RuleAssumption
from pipesim.definition.model import Condition, OnFailure, OutputArtifact, Rule, RuleTypeId, Stage, Variable
from pipesim.engine import (
    Approve,
    Break,
    DisableTransition,
    EnableTransition,
    Override,
    Reject,
    Repair,
    Retry,
    Rollback,
    Simulation,
    SourceRevision,
    Start,
    Stop,
    simulate,
)
from pipesim.errors import AssumptionError, DeclarationError, Refused
from pipesim.trace.events import EventKind

from .builders import approval, assume, build, found, make_pipeline, simulation, status, times


def v2(*stages, **members):
    return make_pipeline(*stages, pipeline_type="V2", **members)


def code_of(sim: Simulation, command) -> str:
    before = len(sim.trace)
    with pytest.raises(Refused) as refusal:
        sim.send(command)

    assert len(sim.trace) == before
    return refusal.value.code


# --- pools ------------------------------------------------------------------------------------------


def pooled(when_full: str, capacity: int = 1) -> Simulation:
    stage = Stage("Build", (build("A"), build("B")))
    sim = simulation(
        make_pipeline(stage), assume({"Build/A": 10, "Build/B": 10}, [0], pools={"builds": Pool(capacity, when_full)})
    )
    sim.run()
    return sim


def test_a_full_pool_queues():
    sim = pooled("queue")

    assert times(sim, EventKind.ACTION_WAITING, action="B") == [1.0]
    assert times(sim, EventKind.ACTION_WORKING, action="B") == [11.0]
    assert times(sim, EventKind.ACTION_SUCCEEDED, action="B") == [21.0]


def test_a_full_pool_fails():
    sim = pooled("fail")

    assert found(sim, EventKind.ACTION_FAILED)[0].detail["message"].startswith("Pool 'builds' is exhausted")
    assert times(sim, EventKind.ACTION_SUCCEEDED, action="A") == [11.0]


def test_a_pool_that_is_large_enough_is_not_noticed():
    assert found(pooled("queue", 2), EventKind.ACTION_WAITING) == []


def test_an_abandoned_build_keeps_its_place_until_it_ends():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 100}, [0, 50], pools={"builds": Pool(1)}))
    sim.advance(to=20)
    sim.send(Stop("E1", abandon=True))
    sim.run()

    assert times(sim, EventKind.ACTION_ABANDONED) == [20.0]
    assert times(sim, EventKind.ACTION_WORKING, execution="E2") == [101.0]


# --- people -----------------------------------------------------------------------------------------


def approved_by(approver: Approver, start: datetime | None = None) -> Simulation:
    members = {"start": start} if start else {}
    sim = simulation(
        make_pipeline(Stage("Gate", (approval(),)), "Prod"),
        assume({"Prod/Work": 5}, [0], approvals={"*": approver}, **members),
    )
    sim.run()
    return sim


def test_the_approver_answers():
    sim = approved_by(Approver(Constant(600), name="Ada"))

    answer = found(sim, EventKind.APPROVAL_ANSWERED)[0]
    assert (answer.time, answer.detail["status"], answer.detail["by"]) == (601.0, "Approved", "Ada")
    assert answer.detail["summary"] == "Approved by Ada"


def test_the_approver_rejects_the_first():
    sim = approved_by(Approver(Constant(600), rejects_on=(1,)))

    assert found(sim, EventKind.ACTION_FAILED)[0].detail["code"] == "JobFailed"
    assert status(sim, "E1") == "Failed"


def test_the_approver_sleeps_at_night():
    hours = WorkingHours(days=(0, 1, 2, 3, 4), opens=time(9), closes=time(17))
    sim = approved_by(Approver(Constant(1800), hours=hours), datetime(2026, 3, 2, 16, 45, tzinfo=UTC))

    asked, before_closing = 1.0, 15 * 60 - 1.0
    assert times(sim, EventKind.APPROVAL_ANSWERED) == [asked + before_closing + 16 * 3600 + (1800 - before_closing)]


def test_approval_tick():
    sim = simulation(
        make_pipeline(Stage("Gate", (approval(),)), "Prod"),
        assume({"Prod/Work": 5}, [0], delays=Delays(start=0, between_stages=0)),
    )
    sim.advance(to=10)
    sim.send(Approve("Gate", summary="go"))

    assert sim.state.stage("Gate").actions[0].latest.status.value == "Succeeded"

    sim.run()

    assert times(sim, EventKind.STAGE_ENTERED, stage="Prod") == [40.0]


def test_answers_that_are_refused():
    sim = simulation(make_pipeline(Stage("Gate", (approval(),)), "Prod"), assume({"Prod/Work": 500}, [0]))

    assert code_of(sim, Approve("Nowhere")) == "StageNotFoundException"
    assert code_of(sim, Approve("Gate", "Nobody")) == "ActionNotFoundException"
    assert code_of(sim, Approve("Gate")) == "InvalidApprovalTokenException"

    sim.advance(to=10)

    assert code_of(sim, Approve("Gate", token="wrong")) == "InvalidApprovalTokenException"
    assert code_of(sim, Approve("Gate", summary="x" * 513)) == "ValidationException"

    sim.send(Approve("Gate", token="E1/Gate/Approve/1"))
    sim.advance(to=20)

    assert code_of(sim, Reject("Gate", token="E1/Gate/Approve/1")) == "ApprovalAlreadyCompletedException"


def test_a_summary_that_is_required():
    strict = approval(configuration={"IsSummaryRequired": "true"})
    sim = simulation(make_pipeline(Stage("Gate", (strict,))), assume({}, [0]))
    sim.advance(to=10)

    assert code_of(sim, Approve("Gate", summary=" ")) == "InvalidApprovalTokenException"
    assert code_of(sim, Reject("Gate")) == "InvalidApprovalTokenException"

    sim.send(Approve("Gate", summary="seen"))
    sim.run()

    assert status(sim, "E1") == "Succeeded"


def test_an_old_token_is_dead_after_a_retry():
    sim = simulation(make_pipeline(Stage("Gate", (approval(),))), assume({}, [0]))
    sim.advance(to=10)
    sim.send(Reject("Gate"))
    sim.advance(to=10)
    sim.send(Retry("Gate", "E1"))
    sim.advance(to=20)

    assert code_of(sim, Approve("Gate", token="E1/Gate/Approve/1")) == "InvalidApprovalTokenException"

    sim.send(Approve("Gate", token="E1/Gate/Approve/2"))
    sim.run()

    assert status(sim, "E1") == "Succeeded"


# --- time -------------------------------------------------------------------------------------------


def test_small_delays_can_be_switched_off():
    with_delays = simulate(make_pipeline("Build"), assume({"Build/Work": 10}, [0], delays=Delays()))
    without = simulate(make_pipeline("Build"), assume({"Build/Work": 10}, [0]))

    assert (with_delays.end, without.end) == (11.6, 11.0)


def test_advance_does_what_is_due_at_that_very_moment():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 10}, [0]))
    sim.advance(to=11.0)

    assert status(sim, "E1") == "Succeeded"
    assert sim.now == 11.0


@pytest.mark.parametrize("to", [-1.0, float("nan"), float("inf")])
def test_advance_to_where_one_cannot_go(to):
    with pytest.raises(AssumptionError):
        simulation(make_pipeline("Build"), assume({"Build/Work": 10})).advance(to=to)


def test_an_action_that_takes_too_long_fails():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 40 * 3600}, [0]))
    sim.run()

    assert times(sim, EventKind.ACTION_FAILED) == [1.0 + 36 * 3600]


def test_changes_for_ever_need_an_end():
    with pytest.raises(AssumptionError, match="executions="):
        simulate(make_pipeline("Build"), Assumptions(arrivals=Every(60)))


def test_several_executions_of_a_single_arrival_come_every_20_minutes():
    trace = simulate(make_pipeline("Build"), executions=3)

    assert [e.time for e in trace if e.kind is EventKind.EXECUTION_STARTED] == [0.0, 1200.0, 2400.0]


def test_polling_finds_the_newest_of_several_changes_and_stops_after_30_days():
    from dataclasses import replace

    from .builders import SOURCE, source_stage

    polled = replace(SOURCE, configuration={"S3Bucket": "source-bucket", "S3ObjectKey": "app.zip"})
    arrivals = [10, 20, 100, 40 * 86400]
    sim = simulation(make_pipeline(source_stage(polled), "Build"), assume({"Build/Work": 5}, arrivals))
    sim.run()

    assert times(sim, EventKind.EXECUTION_STARTED) == [60.0, 120.0]
    assert times(sim, EventKind.CHANGE_IGNORED) == [60.0, 40 * 86400.0]


# --- luck -------------------------------------------------------------------------------------------


def test_changing_one_knob_leaves_the_others_luck_alone():
    def durations(front: float) -> dict[str, list[float]]:
        stage = Stage("Build", (build("Front"), build("Back")))
        actions = {
            "Build/Front": ActionAssumption(Uniform(front, front + 50)),
            "Build/Back": ActionAssumption(Uniform(0, 100), fails=0.2),
        }
        trace = simulate(make_pipeline(stage), assume({}, [0, 500, 1000], actions), seed=5)
        begun = {}
        found: dict[str, list] = {"Front": [], "Back": []}
        for event in trace:
            if event.kind is EventKind.ACTION_STARTED:
                begun[event.execution, event.action] = event.time
            elif event.stage == "Build" and event.action:
                length = round(event.time - begun[event.execution, event.action], 3)
                found[event.action].append((event.kind, length))
        return found

    fast, slow = durations(10), durations(200)

    assert fast["Back"] == slow["Back"]
    assert fast["Front"] != slow["Front"]


def test_scripted_failures_count_over_the_whole_simulation():
    actions = {"Build/Work": ActionAssumption(Constant(10), fails_on=(2,), message="flaky", code="SystemUnavailable")}
    sim = simulation(make_pipeline("Build"), assume({}, [0, 100, 200], actions))
    sim.run()

    assert [status(sim, name) for name in ("E1", "E2", "E3")] == ["Succeeded", "Failed", "Succeeded"]
    assert dict(found(sim, EventKind.ACTION_FAILED)[0].detail) == {"code": "SystemUnavailable", "message": "flaky"}


# --- artifacts --------------------------------------------------------------------------------------


def test_sizes_take_time_to_copy():
    actions = {"Source/Checkout": ActionAssumption(Constant(1), sizes={"Code": 50_000_000})}
    assumptions = assume({"Build/Work": 10}, [0], actions, delays=Delays(0, 0, 0, 0, transfer_rate=10_000_000))
    sim = simulation(make_pipeline("Build"), assumptions)
    sim.run()

    assert times(sim, EventKind.ACTION_SUCCEEDED) == [6.0, 21.0]


def test_object_keys_follow_the_service():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 10}, [0, 100]))
    sim.run()

    keys = [e.detail["outputs"]["Code"] for e in found(sim, EventKind.ACTION_SUCCEEDED, action="Checkout")]
    assert all(key.startswith("shop/Code/") and key.endswith(".zip") for key in keys)
    assert len({*keys}) == 2


def test_an_input_of_a_skipped_stage_is_missing():
    gate = Condition(
        (Rule("Gate", RuleTypeId("VariableCheck"), {"Variable": "#{variables.A}", "Value": "2", "Operator": "EQ"}),),
        "SKIP",
    )
    producer = build("Produce", output_artifacts=(OutputArtifact("App"),))
    from dataclasses import replace

    consumer = replace(build("Consume"), input_artifacts=("App",))
    pipeline = v2(
        Stage("Build", (producer,), before_entry=(gate,)), Stage("Use", (consumer,)), variables=(Variable("A", "1"),)
    )
    sim = simulation(pipeline, assume({"Build/Produce": 5, "Use/Consume": 5}, [0]))
    sim.run()

    failed = found(sim, EventKind.ACTION_FAILED)[0]
    assert failed.detail["code"] == "ConfigurationError"
    assert "'App'" in failed.detail["message"]


# --- transitions ------------------------------------------------------------------------------------


def test_outbound_is_the_inbound_of_the_next():
    sim = simulation(make_pipeline("Test", "Prod"), assume({"Test/Work": 5, "Prod/Work": 5}, [0]))
    sim.send(DisableTransition("Test", "freeze", "Outbound"))
    sim.run()

    assert sim.state.stage("Prod").inbound == ("E1",)
    assert code_of(sim, DisableTransition("Prod", "freeze", "Outbound")) == "StageNotFoundException"
    assert code_of(sim, DisableTransition("Prod", "", "Inbound")) == "ValidationException"
    assert code_of(sim, EnableTransition("Prod", "Sideways")) == "ValidationException"


# --- conditions -------------------------------------------------------------------------------------


def guarded(*, entry=(), success=(), failure=None) -> Stage:
    return Stage("Test", (build("Work"),), before_entry=entry, on_success=success, on_failure=failure)


def rules(provider: str, result: str, **configuration: str) -> tuple[Condition, ...]:
    return (Condition((Rule("Gate", RuleTypeId(provider), configuration),), result),)


def alarm(result: str) -> tuple[Condition, ...]:
    return rules("CloudWatchAlarm", result, AlarmName="errors")


def run_guarded(stage: Stage, arrivals=(0,), fails_on=(), rule_fails_on=(), **members) -> Simulation:
    sim = simulation(
        v2(stage, "Prod", **members),
        assume(
            {"Prod/Work": 5},
            list(arrivals),
            {"Test/Work": ActionAssumption(Constant(5), fails_on=fails_on)},
            rules={"Gate": RuleAssumption(Constant(60), fails_on=rule_fails_on)} if stage.rules else {},
        ),
    )
    return sim


def test_entry_condition_fails_the_stage_and_a_retry_asks_again():
    sim = run_guarded(guarded(entry=alarm("FAIL")), rule_fails_on=(1,))
    sim.run()

    assert status(sim, "E1") == "Failed"
    assert found(sim, EventKind.ACTION_STARTED, stage="Test") == []

    sim.send(Retry("Test", "E1"))
    sim.run()

    assert status(sim, "E1") == "Succeeded"
    assert len(found(sim, EventKind.CONDITION_STARTED)) == 2


def test_entry_condition_is_overridden_while_its_rules_run():
    sim = run_guarded(guarded(entry=alarm("FAIL")), rule_fails_on=(1,))
    sim.advance(to=10)
    sim.send(Override("Test", "E1", "BEFORE_ENTRY"))
    sim.run()

    assert times(sim, EventKind.RULE_ABANDONED) == [10.0]
    assert times(sim, EventKind.ACTION_STARTED, stage="Test") == [10.0]
    assert status(sim, "E1") == "Succeeded"


def test_the_lock_is_held_while_rules_run():
    sim = run_guarded(guarded(entry=alarm("FAIL")), arrivals=(0, 10))
    sim.advance(to=30)

    assert sim.state.stage("Test").occupants == ("E1",)
    assert sim.state.stage("Test").inbound == ("E2",)


def test_success_condition_rolls_back():
    sim = run_guarded(guarded(success=alarm("ROLLBACK")), arrivals=(0, 1000), rule_fails_on=(2,))
    sim.run()

    third = sim.state.executions["E3"]
    assert (third.type, third.rollback_target, third.trigger_type) == ("ROLLBACK", "E1", "AutomatedRollback")
    assert status(sim, "E2") == "Failed"
    assert found(sim, EventKind.STAGE_ENTERED, execution="E2", stage="Prod") == []


def test_failure_rolls_back_to_the_newest_success_before_those_who_wait():
    sim = run_guarded(guarded(failure=OnFailure(result="ROLLBACK")), arrivals=(0, 100, 102), fails_on=(2,))
    sim.run()

    rollback = next(e for e in sim.state.executions.values() if e.type == "ROLLBACK")
    assert rollback.rollback_target == "E1"
    assert rollback.trigger_detail == '{"FailedPipelineExecutionId":"E2"}'
    assert status(sim, "E3") == "Succeeded"
    order = [e.execution for e in found(sim, EventKind.STAGE_ENTERED, stage="Test")]
    assert order == ["E1", "E2", rollback.id, "E3"]


def test_without_a_success_there_is_no_rollback():
    sim = run_guarded(guarded(failure=OnFailure(result="ROLLBACK")), fails_on=(1,))
    sim.run()

    assert list(sim.state.executions) == ["E1"]


def test_failure_condition_engages_when_its_rules_are_met():
    stage = guarded(failure=OnFailure(conditions=alarm("ROLLBACK")))
    engaged = run_guarded(stage, arrivals=(0, 100), fails_on=(2,))
    engaged.run()
    not_engaged = run_guarded(stage, arrivals=(0, 100), fails_on=(2,), rule_fails_on=(1,))
    not_engaged.run()

    assert len(engaged.state.executions) == 3
    assert len(not_engaged.state.executions) == 2


def test_deployment_window_waits():
    stage = guarded(entry=rules("DeploymentWindow", "FAIL", Cron="0 * 10-11 ? * MON-FRI"))
    sim = run_guarded(stage)
    sim.run()

    assert times(sim, EventKind.ACTION_STARTED, stage="Test") == [3600.0]


@pytest.mark.parametrize(
    ("operator", "value", "met"),
    [
        ("EQ", "prod-1", True),
        ("EQ", "prod", False),
        ("NE", "prod", True),
        ("CONTAINS", "rod", True),
        ("CONTAINS", "dev", False),
        ("MATCHES", "prod-[0-9]+", True),
        ("MATCHES", "dev.*", False),
    ],
)
def test_variable_check(operator, value, met):
    stage = guarded(entry=rules("VariableCheck", "FAIL", Variable="#{variables.ENV}", Value=value, Operator=operator))
    sim = run_guarded(stage, variables=(Variable("ENV", "prod-1"),))
    sim.run()

    assert (status(sim, "E1") == "Succeeded") is met


def test_stop_and_abandon_gives_rules_up():
    sim = run_guarded(guarded(entry=alarm("FAIL")))
    sim.advance(to=10)
    sim.send(Stop("E1", abandon=True))
    sim.run()

    assert times(sim, EventKind.CONDITION_ABANDONED) == [10.0]
    assert status(sim, "E1") == "Stopped"
    assert found(sim, EventKind.ACTION_STARTED, stage="Test") == []


# --- rollback ---------------------------------------------------------------------------------------


def test_a_stopped_rollback_can_be_retried():
    sim = run_guarded(guarded())
    sim.run()
    rolled = sim.send(Rollback("Test", "E1"))
    sim.advance(seconds=1)
    sim.send(Stop(rolled, abandon=True))
    sim.advance(seconds=1)
    sim.send(Retry("Test", rolled))
    sim.run()

    assert status(sim, rolled) == "Succeeded"
    assert {e.stage for e in found(sim, EventKind.STAGE_ENTERED, execution=rolled)} == {"Test"}


def test_v1_cannot_roll_back():
    sim = simulation(make_pipeline("Test", pipeline_type="V1"), assume({"Test/Work": 5}, [0]))
    sim.run()

    assert code_of(sim, Rollback("Test", "E1")) == "UnableToRollbackStageException"


# --- parallel ---------------------------------------------------------------------------------------


def test_five_actions_at_once_in_parallel_mode():
    stage = Stage("Test", tuple(build(f"A{number}") for number in range(7)))
    sim = simulation(v2(stage, mode="PARALLEL"), assume({"Build/CodeBuild": 10}, [0], pools={}))
    sim.run()

    starts = times(sim, EventKind.ACTION_STARTED, stage="Test")
    assert starts == [1.0] * 5 + [11.0] * 2


# --- starts -----------------------------------------------------------------------------------------


def test_source_revisions_are_taken_and_checked():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 5}))
    name = sim.send(Start(revisions=(SourceRevision("Checkout", "S3_OBJECT_VERSION_ID", "v7"),)))
    sim.run()

    assert found(sim, EventKind.ACTION_SUCCEEDED, action="Checkout")[0].detail["revision"]["id"] == "v7"
    assert sim.state.executions[name].overrides["Checkout"]["value"] == "v7"
    assert code_of(sim, Start(revisions=(SourceRevision("Build", "COMMIT_ID", "x"),))) == "ValidationException"
    assert code_of(sim, Start(revisions=(SourceRevision("Checkout", "BRANCH", "x"),))) == "ValidationException"
    assert code_of(sim, Start(revisions=(SourceRevision("Checkout", "S3_OBJECT_KEY", "x"),))) == "ValidationException"


def test_another_object_key():
    from dataclasses import replace

    from .builders import SOURCE, source_stage

    source = replace(SOURCE, configuration={**SOURCE.configuration, "AllowOverrideForS3ObjectKey": "true"})
    sim = simulation(make_pipeline(source_stage(source), "Build"), assume({"Build/Work": 5}))
    sim.send(Start(revisions=(SourceRevision("Checkout", "S3_OBJECT_KEY", "other.zip"),)))
    sim.run()

    assert found(sim, EventKind.ACTION_SUCCEEDED, action="Checkout")[0].detail["variables"]["ObjectKey"] == "other.zip"


def test_an_event_over_the_limit_starts_an_execution_that_fails():
    sim = simulation(make_pipeline("Build", mode="PARALLEL"), assume({"Build/Work": 600}))
    for _ in range(50):
        sim.send(Start())
    name = sim.send(
        Start(trigger_type="CloudWatchEvent", trigger_detail="arn:aws:events:us-east-1:111122223333:rule/r")
    )

    assert status(sim, name) == "Failed"


def test_a_retry_that_is_already_running():
    actions = {"Build/Work": ActionAssumption(Constant(60), fails_on=(1,))}
    sim = simulation(make_pipeline("Build"), assume({}, [0], actions))
    sim.run()
    sim.send(Retry("Build", "E1"))

    assert code_of(sim, Retry("Build", "E1")) == "ConflictException"


def test_a_rule_that_cannot_be_judged():
    stage = guarded(entry=rules("VariableCheck", "FAIL", Variable="#{variables.ENV}", Value="[", Operator="MATCHES"))
    sim = run_guarded(stage, variables=(Variable("ENV", "prod"),))
    sim.run()

    assert found(sim, EventKind.RULE_FAILED)[0].detail["code"] == "ConfigurationError"
    assert sim.state.stage("Test").conditions["BEFORE_ENTRY"].status.value == "Errored"
    assert status(sim, "E1") == "Failed"


# --- the rest ---------------------------------------------------------------------------------------


def test_a_declaration_with_problems_does_not_run():
    with pytest.raises(DeclarationError) as error:
        simulate(make_pipeline())

    assert error.value.problems


def test_uuids_are_lower_case_and_follow_from_the_seed():
    def first(seed: int) -> str:
        sim = simulation(make_pipeline("Build"), assume({"Build/Work": 5}), uuids=True, seed=seed)
        return sim.send(Start())

    assert first(1) == first(1) != first(2)
    assert first(1) == first(1).lower()
    assert len(first(1)) == 36


def test_a_refusal_can_be_pickled():
    refusal = pickle.loads(pickle.dumps(Refused("StageNotFoundException", "no such stage")))

    assert (refusal.code, refusal.message) == ("StageNotFoundException", "no such stage")


def test_every_refusal_code_exists_in_the_service_model():
    import re
    from pathlib import Path

    import botocore.session

    import pipesim.engine.handling as handling

    model = botocore.session.get_session().get_service_model("codepipeline")
    codes = set(re.findall(r'"(\w+Exception)"', Path(handling.__file__).read_text(encoding="utf-8")))

    assert len(codes) > 10
    assert codes <= set(model.shape_names)


def test_a_command_can_be_scheduled():
    trace = simulate(
        make_pipeline(Stage("Gate", (approval(),)), "Prod"),
        assume({"Prod/Work": 5}, [0]),
        commands=[(120.0, Approve("Gate"))],
    )

    assert [e.time for e in trace if e.kind is EventKind.APPROVAL_ANSWERED] == [120.0]


def test_a_scheduled_command_that_is_refused_raises_and_the_simulation_can_go_on():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 100}, [0]))
    sim.schedule(10, Stop("E9"))
    with pytest.raises(Refused):
        sim.run()
    sim.run()

    assert status(sim, "E1") == "Succeeded"


def test_finished_executions_are_forgotten_when_asked():
    sim = Simulation(
        make_pipeline("Build"),
        assume({"Build/Work": 5}, arrivals=[100.0 * n for n in range(50)]),
        keep=5,
    )
    sim.run()

    assert len(sim.executions) <= 11


def test_events_that_went_to_a_sink_are_not_kept():
    from pipesim.errors import TraceError

    seen = []
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 5}, [0]), sink=seen.append)
    sim.run()

    assert [event.seq for event in seen] == list(range(len(seen)))
    assert seen[-1].kind is EventKind.EXECUTION_SUCCEEDED
    with pytest.raises(TraceError, match="sink"):
        sim.trace  # noqa: B018
    with pytest.raises(TraceError, match="sink"):
        sim.state  # noqa: B018


def test_poisson_arrivals_are_as_many_as_asked():
    trace = simulate(make_pipeline("Build"), Assumptions(arrivals=Poisson(per_hour=60)), executions=20, seed=3)

    assert len(trace.executions) == 20


# --- breaking an action by hand ----------------------------------------------------------------------


def test_a_broken_action_fails_from_its_next_attempt_on_until_it_is_repaired():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 10}, [0]))
    sim.advance(5)
    sim.send(Break("Build", "Work", "ConfigurationError", "No such project."))
    sim.run()
    assert status(sim, "E1") == "Succeeded"  # it had begun before

    sim.send(Start())
    sim.run()
    failed = found(sim, EventKind.ACTION_FAILED)
    assert [(e.execution, e.detail["code"], e.detail["message"]) for e in failed] == [
        ("E2", "ConfigurationError", "No such project.")
    ]
    started = [e.time for e in found(sim, EventKind.ACTION_STARTED) if e.action == "Work"][-1]
    assert failed[0].time == started + 10

    sim.send(Repair("Build", "Work"))
    sim.send(Retry("Build", "E2"))
    sim.run()
    assert status(sim, "E2") == "Succeeded"


def test_what_cannot_be_broken():
    sim = simulation(make_pipeline(Stage("Ask", (approval(),)), "Build"), assume())

    assert code_of(sim, Break("Nowhere", "Work")) == "StageNotFoundException"
    assert code_of(sim, Break("Build", "Play")) == "ActionNotFoundException"
    assert code_of(sim, Break("Ask", "Approve")) == "ValidationException"
    assert code_of(sim, Break("Build", "Work", "Tired")) == "ValidationException"
    assert code_of(sim, Repair("Build", "Play")) == "ActionNotFoundException"


def test_what_is_due_next_and_what_has_happened_since():
    sim = simulation(make_pipeline("Build"), assume({"Build/Work": 10}, [4]))

    sim.advance(0)
    assert sim.next_due == 4
    sim.advance(sim.next_due)
    assert [e.seq for e in sim.events_from(1)] == list(range(1, len(sim.trace)))
    assert sim.now < sim.next_due


@pytest.mark.parametrize("thing", [{"name": "shop"}, "GitHub -> S3", None])
def test_what_is_no_pipeline_is_told(thing):
    with pytest.raises(DeclarationError, match=r"is no pipeline: pipesim\.load makes one"):
        simulate(thing)
