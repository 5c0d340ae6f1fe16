from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.errors import TraceError
from pipesim.trace.events import Event, EventKind
from pipesim.trace.state import BRANCHES, Fold, RetryMetadata, Revision, TransitionState, state_at, states_at
from pipesim.vocabulary import (
    ActionExecutionStatus,
    ConditionExecutionStatus,
    ExecutionMode,
    ExecutionType,
    PipelineExecutionStatus,
    Result,
    RetryTrigger,
    RuleExecutionStatus,
    StageExecutionStatus,
    TriggerType,
)
from tests.trace.conftest import Story, action, document
from tests.trace.strategies import stories

K = EventKind


def test_every_kind_of_event_has_a_branch() -> None:
    assert set() == set(EventKind) - set(BRANCHES)


# --- an ordinary passage -------------------------------------------------------------------------


def test_nothing_has_happened_yet(story: Story) -> None:
    state = story.state()

    assert (state.name, state.version, state.time) == ("shop", 1, 0.0)
    assert [stage.name for stage in state.stages] == ["Source", "Build", "Prod"]
    assert all(stage.latest is None and stage.transition == TransitionState() for stage in state.stages)
    assert [action.latest for action in state.stage("Build").actions] == [None, None]
    assert state.executions == {}


def test_a_passage_in_pictures(shipped: Story) -> None:
    source = shipped.state(1.5)
    assert source.stage("Source").latest.status == StageExecutionStatus.IN_PROGRESS
    assert source.stage("Source").occupants == ("E1",)
    assert source.executions["E1"].stage == "Source"

    between = shipped.state(3.5)
    assert between.stage("Source").latest.status == StageExecutionStatus.SUCCEEDED
    assert between.stage("Source").occupants == ()
    assert Revision("r1", "etag", "first", 3.0) == between.stage("Source").action("Fetch").revision
    assert between.stage("Build").latest is None

    building = shipped.state(20)
    assert [action.latest.status for action in building.stage("Build").actions] == ["Succeeded", "InProgress"]

    end = shipped.state(104)
    run = end.executions["E1"]
    assert run.status == PipelineExecutionStatus.SUCCEEDED
    assert (run.started, run.ended, run.updated, run.stage, run.waiting) == (0.0, 104.0, 104.0, "Prod", False)
    assert (
        run.change,
        run.trigger_type,
        run.trigger_detail,
    ) == ("c0ffee1", TriggerType.START_PIPELINE_EXECUTION, "ann")
    assert {"Fetch": Revision("r1", "etag", "first", 3.0)} == run.revisions
    assert run.finished


def test_a_stage_keeps_its_own_newest_execution(shipped: Story) -> None:
    shipped.at(110).start("E2").enter("E2", "Source")
    state = shipped.state()

    assert state.stage("Source").latest.execution == "E2"
    assert state.stage("Prod").latest.execution == "E1"
    assert state.stage("Source").action("Fetch").latest.id == "E1-Fetch-1"


def test_an_answered_approval_flips_before_the_action_ends(shipped: Story) -> None:
    def sign(time: float):  # type: ignore[no-untyped-def]
        return shipped.state(time).stage("Prod").action("Sign").latest

    opened = sign(94)
    assert (opened.status, opened.token, opened.expires) == ("InProgress", "t-1", 1000.0)

    answered = sign(96)
    assert (answered.status, answered.token, answered.ended) == ("Succeeded", None, None)
    assert (answered.summary, answered.updated_by, answered.changed) == ("go", "bob", 95.0)

    ended = sign(101)
    assert (ended.status, ended.summary, ended.changed, ended.ended) == ("Succeeded", "go", 95.0, 100.0)


def test_a_rejection(story: Story) -> None:
    story.start("E1").enter("E1", "Prod").begin("E1", "Prod", "Sign")
    story.tell(K.APPROVAL_REQUESTED, "E1", "Prod", "Sign", 1, token="t")
    story.at(3).tell(K.APPROVAL_ANSWERED, "E1", "Prod", "Sign", 1, status="Rejected", summary="no", by="bob")
    latest = story.state().stage("Prod").action("Sign").latest

    assert (
        latest.status,
        latest.summary,
        latest.token,
        latest.changed,
    ) == (ActionExecutionStatus.FAILED, "no", None, 3.0)


def test_an_action_that_waits_for_a_pool_says_so(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.tell(K.ACTION_WAITING, "E1", "Build", "Web", 1, pool="builds")
    story.at(9).tell(K.ACTION_WORKING, "E1", "Build", "Web", 1, pool="builds")

    assert story.state(5).stage("Build").action("Web").latest.waiting_for == "builds"
    assert story.state(9).stage("Build").action("Web").latest.waiting_for is None


def test_progress_and_failure_details(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.at(2).tell(
        K.ACTION_PROGRESSED,
        "E1",
        "Build",
        "Web",
        1,
        percent=40,
        summary="compiling",
        external_id="b:1",
        external_url="u",
    )
    half = story.state().stage("Build").action("Web").latest
    story.at(5).fail("E1", "Build", "Web", code="JobFailed", message="tests are red")
    failed = story.state().stage("Build").action("Web").latest

    assert (
        half.percent,
        half.summary,
        half.external_id,
        half.external_url,
        half.status,
    ) == (40, "compiling", "b:1", "u", "InProgress")
    assert (
        failed.status,
        failed.code,
        failed.message,
        failed.external_id,
        failed.ended,
    ) == ("Failed", "JobFailed", "tests are red", "b:1", 5.0)


def test_outputs_of_an_action(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.done("E1", "Build", "Web", variables={"TAG": "v1"}, outputs={"Site": "shop/Site/abc"}, external_url="u")
    latest = story.state().stage("Build").action("Web").latest

    assert (latest.variables, latest.outputs, latest.external_url) == ({"TAG": "v1"}, {"Site": "shop/Site/abc"}, "u")


# --- doors, transitions, overtaking --------------------------------------------------------------


def test_a_disabled_transition_and_its_reason(story: Story) -> None:
    story.at(5).tell(K.TRANSITION_DISABLED, stage="Prod", reason="frozen", by="ann")
    story.at(9).tell(K.TRANSITION_ENABLED, stage="Prod", by="bob")

    assert TransitionState(False, "frozen", 5.0, "ann") == story.state(5).stage("Prod").transition
    assert TransitionState(True, "", 9.0, "bob") == story.state(9).stage("Prod").transition


def test_a_newer_waiter_supersedes(story: Story) -> None:
    story.start("E1").enter("E1", "Build").start("E2").start("E3")
    story.at(1).tell(K.EXECUTION_WAITING, "E2", "Build")
    story.at(2).tell(K.EXECUTION_WAITING, "E3", "Build").tell(K.EXECUTION_SUPERSEDED, "E2", "Build", by="E3")

    assert story.state(1).stage("Build").inbound == ("E2",)
    assert (story.state(1).executions["E2"].waiting, story.state(1).executions["E2"].stage) == (True, "Build")
    state = story.state(2)
    assert (
        state.stage("Build").inbound,
        state.stage("Build").occupants,
        state.stage("Build").inbound_ended,
    ) == (("E3",), ("E1",), None)
    overtaken = state.executions["E2"]
    assert (
        overtaken.status,
        overtaken.superseded_by,
        overtaken.waiting,
        overtaken.ended,
    ) == ("Superseded", "E3", False, 2.0)


def test_a_queue_keeps_its_order(story: Story) -> None:
    for number in (1, 2, 3):
        story.start(f"E{number}", mode="QUEUED").tell(K.EXECUTION_WAITING, f"E{number}", "Build")
    assert story.state().stage("Build").inbound == ("E1", "E2", "E3")

    story.at(4).enter("E1", "Build")
    assert story.state().stage("Build").inbound == ("E2", "E3")
    assert story.state().executions["E1"].mode == ExecutionMode.QUEUED


def test_a_stopped_waiter_stays_in_sight_until_the_next_one(story: Story) -> None:
    story.start("E1").tell(K.EXECUTION_WAITING, "E1", "Build")
    story.at(1).tell(K.EXECUTION_STOPPING, "E1", reason="mistake", abandon=False)
    story.tell(K.EXECUTION_STOPPED, "E1", "Build", reason="mistake")
    state = story.state()

    assert (state.stage("Build").inbound, state.stage("Build").inbound_ended) == ((), "E1")
    assert (
        state.executions["E1"].status,
        state.executions["E1"].summary,
        state.executions["E1"].stop_reason,
    ) == ("Stopped", "mistake", "mistake")

    story.at(2).start("E2").tell(K.EXECUTION_WAITING, "E2", "Build")
    assert story.state().stage("Build").inbound_ended is None
    waiting, stopped = states_at(story.pipeline, story.events, [0, 1])
    assert (waiting.stage("Build").inbound, stopped.stage("Build").inbound) == (("E1",), ())


def test_parallel_executions_share_a_stage_that_shows_none(story: Story) -> None:
    for execution in ("E1", "E2"):
        story.start(execution, mode="PARALLEL").enter(execution, "Build").begin(execution, "Build", "Web")
    story.at(3).done("E1", "Build", "Web")
    state = story.state().stage("Build")

    assert state.occupants == ("E1", "E2")
    assert state.latest is None
    assert (state.action("Web").latest.execution, state.action("Web").latest.status) == ("E2", "InProgress")

    story.leave("E1", "Build")
    assert story.state().stage("Build").occupants == ("E2",)


# --- stop, fail, retry ---------------------------------------------------------------------------


def test_stop_and_wait(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.at(1).tell(K.EXECUTION_STOPPING, "E1", reason="wrong", abandon=False).tell(K.STAGE_STOPPING, "E1", "Build")
    stopping = story.state()
    story.at(8).done("E1", "Build", "Web").leave("E1", "Build", K.STAGE_STOPPED).tell(K.EXECUTION_STOPPED, "E1")
    stopped = story.state()

    assert (
        stopping.executions["E1"].status,
        stopping.stage("Build").latest.status,
        stopping.executions["E1"].summary,
    ) == ("Stopping", "Stopping", "")
    assert not stopping.executions["E1"].stop_abandons
    assert (
        stopped.executions["E1"].status,
        stopped.stage("Build").latest.status,
        stopped.executions["E1"].summary,
        stopped.stage("Build").occupants,
    ) == ("Stopped", "Stopped", "wrong", ())


def test_stop_and_abandon_kills_the_token(story: Story) -> None:
    story.start("E1").enter("E1", "Prod").begin("E1", "Prod", "Sign")
    story.tell(K.APPROVAL_REQUESTED, "E1", "Prod", "Sign", 1, token="t")
    story.at(2).tell(K.EXECUTION_STOPPING, "E1", abandon=True)
    story.tell(K.ACTION_ABANDONED, "E1", "Prod", "Sign", 1, summary="The approval action has been canceled.")
    latest = story.state().stage("Prod").action("Sign").latest

    assert (
        latest.status,
        latest.token,
        latest.summary,
    ) == ("Abandoned", None, "The approval action has been canceled.")
    assert story.state().executions["E1"].stop_abandons


def test_a_manual_retry_is_a_new_attempt_of_the_same_execution(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.at(2).fail("E1", "Build", "Web", code="JobFailed", message="red").done("E1", "Build", "Api")
    story.leave("E1", "Build", K.STAGE_FAILED).tell(K.EXECUTION_FAILED, "E1", summary="Web failed")
    failed = story.state()
    story.at(60).tell(K.EXECUTION_RESUMED, "E1", "Build", attempt=2)
    story.tell(K.STAGE_RESUMED, "E1", "Build", attempt=2, mode="FAILED_ACTIONS", trigger="ManualStageRetry", manual=1)
    story.begin("E1", "Build", "Web", attempt=2)
    again = story.state()

    assert (
        failed.executions["E1"].status,
        failed.executions["E1"].summary,
        failed.stage("Build").occupants,
    ) == ("Failed", "Web failed", ())
    build, run = again.stage("Build"), again.executions["E1"]
    assert (run.status, run.attempt, run.ended, run.summary) == ("InProgress", 2, None, "")
    assert (
        build.latest.status,
        build.latest.attempt,
        build.latest.ended,
        build.occupants,
    ) == ("InProgress", 2, None, ("E1",))
    assert RetryMetadata(0, 1, RetryTrigger.MANUAL_STAGE_RETRY) == build.retry
    web, api = build.actions
    assert (web.latest.id, web.latest.attempt, web.latest.status, web.latest.code) == ("E1-Web-2", 2, "InProgress", "")
    assert (api.latest.id, api.latest.status) == ("E1-Api-1", "Succeeded")
    assert failed.executions["E1"].status == "Failed"


def test_an_automatic_retry_keeps_the_lock(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.at(2).fail("E1", "Build", "Web").leave("E1", "Build", K.STAGE_FAILED, retry_pending=True)
    assert story.state().stage("Build").occupants == ("E1",)

    story.tell(K.STAGE_RESUMED, "E1", "Build", attempt=2, trigger="AutomatedStageRetry", automatic=1)
    build = story.state().stage("Build")
    assert (build.latest.status, build.occupants) == ("InProgress", ("E1",))
    assert RetryMetadata(1, 0, RetryTrigger.AUTOMATED_STAGE_RETRY) == build.retry


def test_the_next_execution_clears_the_retry_metadata(story: Story) -> None:
    story.start("E1").enter("E1", "Build").leave("E1", "Build", K.STAGE_FAILED)
    story.tell(K.STAGE_RESUMED, "E1", "Build", attempt=2, trigger="ManualStageRetry", manual=1).leave("E1", "Build")
    assert story.state().stage("Build").retry.manual == 1

    story.start("E2").enter("E2", "Build")
    assert story.state().stage("Build").retry is None


# --- rollback, update, polling -------------------------------------------------------------------


def test_a_rollback_runs_one_stage_with_the_targets_revisions(shipped: Story) -> None:
    shipped.at(200).start(
        "E2", execution_type="ROLLBACK", rollback_target="E1", trigger_type="ManualRollback", trigger_detail="ann"
    )
    shipped.enter("E2", "Source").begin("E2", "Source", "Fetch")
    shipped.at(202).done("E2", "Source", "Fetch", revision={"id": "r9"})
    state = shipped.state()

    run = state.executions["E2"]
    assert (
        run.type,
        run.rollback_target,
        run.trigger_type,
    ) == (ExecutionType.ROLLBACK, "E1", TriggerType.MANUAL_ROLLBACK)
    assert run.revisions["Fetch"].id == "r1"
    assert state.stage("Source").action("Fetch").revision.id == "r9"
    assert (state.stage("Source").latest.type, state.stage("Source").latest.execution) == (ExecutionType.ROLLBACK, "E2")
    assert (state.stage("Prod").latest.execution, state.stage("Prod").latest.type) == ("E1", ExecutionType.STANDARD)


def test_an_update_adds_and_removes_stages_and_keeps_the_rest(shipped: Story) -> None:
    shipped.tell(K.TRANSITION_DISABLED, stage="Prod", reason="frozen")
    shipped.start("E2").enter("E2", "Build").begin("E2", "Build", "Web")
    source, _build, prod = document()["stages"]
    audit = {"name": "Audit", "actions": [action("Look", "Approval", "Manual")]}
    prod = {**prod, "actions": [prod["actions"][1], action("Tell", "Approval", "Manual", 3)]}
    shipped.at(120).tell(K.PIPELINE_UPDATED, document=document(version=2, stages=[source, audit, prod]), version=2)
    shipped.at(125).done("E2", "Build", "Web").leave("E2", "Build", K.STAGE_CANCELLED)
    shipped.tell(K.EXECUTION_CANCELLED, "E2", summary="updated")
    state = shipped.state()

    assert (state.version, state.updated, state.created) == (2, 120.0, 0.0)
    assert [stage.name for stage in state.stages] == ["Source", "Audit", "Prod"]
    assert state.stage("Audit").latest is None
    assert (state.stage("Prod").latest.execution, state.stage("Prod").transition.enabled) == ("E1", False)
    ship, tell = state.stage("Prod").actions
    assert ((ship.name, ship.latest.status), (tell.name, tell.latest)) == (("Ship", "Succeeded"), ("Tell", None))
    assert (state.executions["E2"].status, state.executions["E2"].summary) == ("Cancelled", "updated")


def test_a_stage_that_comes_back_after_an_update_starts_afresh(shipped: Story) -> None:
    stages = document()["stages"]
    shipped.at(120).tell(K.PIPELINE_UPDATED, document=document(version=2, stages=stages[:1] + stages[2:]), version=2)
    shipped.at(130).tell(K.PIPELINE_UPDATED, document=document(version=3), version=3)

    assert shipped.state().stage("Build").latest is None
    assert shipped.state().stage("Prod").latest is not None


def test_a_failed_poll_has_neither_execution_nor_revision(shipped: Story) -> None:
    shipped.at(300).tell(K.POLL_FAILED, stage="Source", action="Fetch", code="ConfigurationError", message="no object")
    fetch = shipped.state().stage("Source").action("Fetch")

    assert (
        fetch.latest.id,
        fetch.latest.execution,
        fetch.latest.status,
        fetch.latest.code,
        fetch.latest.message,
    ) == (None, None, "Failed", "ConfigurationError", "no object")
    assert fetch.revision is None


def test_ignored_changes_are_counted(story: Story) -> None:
    assert story.tell(K.CHANGE_IGNORED, reason="filter").tell(K.CHANGE_IGNORED, reason="filter").state().ignored == 2


# --- conditions ----------------------------------------------------------------------------------


def test_an_entry_condition_that_skips_the_stage(story: Story) -> None:
    story.start("E1").enter("E1", "Build").tell(
        K.CONDITION_STARTED, "E1", "Build", condition="BEFORE_ENTRY", result="SKIP"
    )
    story.tell(K.RULE_STARTED, "E1", "Build", condition="BEFORE_ENTRY", rule="Flag", id="r-1")
    running = story.state().stage("Build").conditions["BEFORE_ENTRY"]
    story.at(3).tell(
        K.RULE_FAILED, "E1", "Build", condition="BEFORE_ENTRY", rule="Flag", code="JobFailed", message="off"
    )
    story.tell(K.CONDITION_FAILED, "E1", "Build", condition="BEFORE_ENTRY", result="SKIP", summary="not met")
    story.leave("E1", "Build", K.STAGE_SKIPPED)
    state = story.state().stage("Build")
    gate = state.conditions["BEFORE_ENTRY"]

    assert (running.status, running.rules[0].status) == ("InProgress", "InProgress")
    assert (state.latest.status, state.occupants) == ("Skipped", ())
    assert (
        gate.status,
        gate.result,
        gate.summary,
        gate.changed,
        gate.execution,
    ) == (ConditionExecutionStatus.FAILED, Result.SKIP, "not met", 3.0, "E1")
    (rule,) = gate.rules
    assert (
        rule.name,
        rule.id,
        rule.status,
        rule.code,
        rule.message,
    ) == ("Flag", "r-1", RuleExecutionStatus.FAILED, "JobFailed", "off")


def test_an_overridden_success_condition(story: Story) -> None:
    story.start("E1").enter("E1", "Build")
    story.tell(K.CONDITION_STARTED, "E1", "Build", condition="ON_SUCCESS", result="FAIL")
    story.tell(K.CONDITION_FAILED, "E1", "Build", condition="ON_SUCCESS", result="FAIL")
    story.leave("E1", "Build", K.STAGE_FAILED).tell(K.EXECUTION_FAILED, "E1")
    story.at(9).tell(K.EXECUTION_RESUMED, "E1", "Build", attempt=2)
    story.tell(K.CONDITION_OVERRIDDEN, "E1", "Build", condition="ON_SUCCESS", by="ann")
    story.tell(K.STAGE_OVERRIDDEN, "E1", "Build", condition="ON_SUCCESS")
    state = story.state()

    assert (
        state.stage("Build").latest.status,
        state.stage("Build").conditions["ON_SUCCESS"].status,
        state.executions["E1"].status,
    ) == ("Succeeded", "Overridden", "InProgress")


# --- traces that do not fit ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event(0, 1, K.STAGE_ENTERED, "E9", "Build"), "execution 'E9' never started"),
        (Event(0, 1, K.EXECUTION_WAITING, "E9", "Build"), "E9"),
        (Event(0, 1, K.TRANSITION_DISABLED, stage="Nowhere"), "no stage 'Nowhere', only Source, Build, Prod"),
        (Event(0, 1, K.POLL_FAILED, stage="Source", action="X"), "stage 'Source' has no action 'X', only Fetch"),
        (Event(0, 1, K.EXECUTION_STARTED), "it names no execution"),
        (Event(0, 1, K.EXECUTION_STARTED, "E1", detail={"mode": "FAST"}), "'FAST' is not a valid ExecutionMode"),
        (Event(0, 1, K.PIPELINE_UPDATED), "document"),
    ],
)
def test_an_event_that_does_not_fit_is_named(story: Story, event: Event, message: str) -> None:
    with pytest.raises(TraceError, match=rf"event 1 \({event.kind}\)") as caught:
        Fold(story.pipeline).apply(event)

    assert message in str(caught.value)


def test_an_execution_starts_once(story: Story) -> None:
    with pytest.raises(TraceError, match="execution 'E1' started before"):
        story.start("E1").start("E1").state()


def test_times_must_not_decrease(story: Story) -> None:
    with pytest.raises(ValueError, match=r"must not decrease: 1\.0 s after 2\.0 s"):
        list(states_at(story.pipeline, story.trace, [2.0, 1.0]))


# --- laws ----------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(stories())
def test_folding_on_equals_folding_anew(story: Story) -> None:
    times = sorted({event.time for event in story.events})
    running = list(states_at(story.pipeline, story.events, times))

    for time, state in zip(times, running, strict=True):
        assert state_at(story.pipeline, story.events, time) == state


@settings(max_examples=60)
@given(stories())
def test_an_older_snapshot_does_not_change(story: Story) -> None:
    fold = Fold(story.pipeline)
    seen = []
    for event in story.events:
        fold.apply(event)
        snapshot = fold.snapshot(event.time)
        seen.append((snapshot, dict(snapshot.executions), repr(snapshot.stages)))

    for snapshot, executions, stages in seen:
        assert executions == dict(snapshot.executions)
        assert list(executions) == list(snapshot.executions)
        assert list(reversed(list(executions))) == list(reversed(snapshot.executions))
        assert stages == repr(snapshot.stages)


@settings(max_examples=60)
@given(stories(), st.floats(0, 1))
def test_a_state_makes_sense(story: Story, part: float) -> None:
    state = story.state(story.time * part)

    for stage in state.stages:
        assert len(stage.occupants) <= 1
        assert len(stage.inbound) <= 1
        for name in stage.occupants:
            assert state.executions[name].stage == stage.name
            assert not state.executions[name].waiting
        for name in stage.inbound:
            assert (stage.name, True) == (state.executions[name].stage, state.executions[name].waiting)
            assert not state.executions[name].finished
    places = [name for stage in state.stages for name in (*stage.occupants, *stage.inbound)]
    assert sorted(places) == sorted(execution.id for execution in state.executions.unfinished)


def test_a_finished_execution_costs_a_snapshot_nothing(story: Story) -> None:
    fold = Fold(story.pipeline)
    for number in range(1, 2001):
        story.start(f"E{number}").tell(K.EXECUTION_FAILED, f"E{number}")
    for event in story.events:
        fold.apply(event)
    state = fold.snapshot(0.0)

    assert state.executions.unfinished == ()
    assert len(state.executions) == 2000
    assert state.executions._unfinished == {}
    assert state.executions["E1234"].status == "Failed"
    with pytest.raises(KeyError):
        state.executions["E2001"]


def test_a_view_holds_when_a_retry_brings_an_execution_back(story: Story) -> None:
    fold = Fold(story.pipeline)
    story.start("E1").tell(K.EXECUTION_FAILED, "E1", summary="first").at(1).tell(K.EXECUTION_RESUMED, "E1", attempt=2)
    story.at(2).tell(K.EXECUTION_FAILED, "E1", summary="second")
    views = []
    for event in story.events:
        fold.apply(event)
        views.append(fold.snapshot(event.time).executions)

    assert [view["E1"].status if "E1" in view else None for view in views] == [
        None,
        "InProgress",
        "Failed",
        "InProgress",
        "Failed",
    ]
    assert [views[2]["E1"].summary, views[4]["E1"].summary] == ["first", "second"]
