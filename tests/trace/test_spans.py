from __future__ import annotations

import pytest
from hypothesis import given, settings

from pipesim.errors import TraceError
from pipesim.trace.events import EventKind
from pipesim.trace.spans import Span, spans, spans_of
from tests.trace.conftest import Story
from tests.trace.strategies import stories

K = EventKind


def waits(found: tuple[Span, ...]) -> list[tuple[str | None, str | None, float, float]]:
    return [(span.reason, span.stage, span.start, span.end) for span in found if span.level == "wait"]


def test_a_passage_as_spans(shipped: Story) -> None:
    found = spans(shipped.trace)

    (execution,) = [span for span in found if span.level == "execution"]
    assert (execution.start, execution.end, execution.status, execution.open) == (0.0, 104.0, "Succeeded", False)
    stages = [(span.stage, span.start, span.end, span.status) for span in found if span.level == "stage"]
    assert stages == [
        ("Source", 1.0, 3.0, "Succeeded"),
        ("Build", 4.0, 34.0, "Succeeded"),
        ("Prod", 35.0, 104.0, "Succeeded"),
    ]
    actions = [(span.action, span.start, span.end) for span in found if span.level == "action"]
    assert actions == [
        ("Fetch", 1.0, 3.0),
        ("Web", 4.0, 14.0),
        ("Api", 4.0, 34.0),
        ("Sign", 35.0, 100.0),
        ("Ship", 100.0, 104.0),
    ]
    assert waits(found) == [
        ("delay", None, 0.0, 1.0),
        ("delay", "Source", 3.0, 4.0),
        ("delay", "Build", 34.0, 35.0),
        ("approval", "Prod", 35.0, 95.0),
        ("delay", "Prod", 95.0, 100.0),
    ]


def test_a_wait_at_a_door_is_split_by_its_reason(story: Story) -> None:
    story.start("E1").tell(K.EXECUTION_WAITING, "E1", "Prod")
    story.at(10).tell(K.TRANSITION_DISABLED, stage="Prod", reason="frozen")
    story.at(12).tell(K.TRANSITION_DISABLED, stage="Prod", reason="still frozen")
    story.at(30).tell(K.TRANSITION_ENABLED, stage="Prod").tell(K.TRANSITION_DISABLED, stage="Build", reason="other")
    story.at(35).enter("E1", "Prod")

    assert waits(spans(story.trace)) == [
        ("stage lock", "Prod", 0.0, 10.0),
        ("transition", "Prod", 10.0, 30.0),
        ("stage lock", "Prod", 30.0, 35.0),
    ]


def test_a_transition_closed_before_the_arrival_counts_from_the_arrival(story: Story) -> None:
    story.tell(K.TRANSITION_DISABLED, stage="Prod", reason="frozen")
    story.at(50).start("E1").tell(K.EXECUTION_WAITING, "E1", "Prod")
    story.at(60).tell(K.CHANGE_IGNORED)

    (wait,) = [span for span in spans(story.trace) if span.level == "wait"]
    assert (wait.reason, wait.start, wait.end, wait.open, wait.status) == ("transition", 50.0, 60.0, True, "InProgress")


def test_a_superseded_waiter_never_entered(story: Story) -> None:
    story.start("E1").tell(K.EXECUTION_WAITING, "E1", "Prod")
    story.at(4).tell(K.EXECUTION_SUPERSEDED, "E1", "Prod", by="E2")

    (wait,) = [span for span in spans(story.trace) if span.level == "wait"]
    assert (wait.reason, wait.end, wait.status, wait.open) == ("stage lock", 4.0, "Superseded", False)
    (execution,) = [span for span in spans(story.trace) if span.level == "execution"]
    assert execution.status == "Superseded"


def test_waiting_for_a_pool_lies_inside_the_action(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.tell(K.ACTION_WAITING, "E1", "Build", "Web", 1, pool="builds")
    story.at(7).tell(K.ACTION_WORKING, "E1", "Build", "Web", 1, pool="builds")
    story.at(9).done("E1", "Build", "Web")
    found = spans(story.trace)

    (pool,) = [span for span in found if span.reason == "pool"]
    assert (pool.action, pool.start, pool.end) == ("Web", 0.0, 7.0)
    (web,) = [span for span in found if span.level == "action"]
    assert (web.start, web.end) == (0.0, 9.0)


def test_an_approval_that_times_out_waited_to_its_end(story: Story) -> None:
    story.start("E1").enter("E1", "Prod").begin("E1", "Prod", "Sign")
    story.tell(K.APPROVAL_REQUESTED, "E1", "Prod", "Sign", 1, token="t")
    story.at(300).fail("E1", "Prod", "Sign", code="JobFailed")

    assert waits(spans(story.trace)) == [("approval", "Prod", 0.0, 300.0)]


def test_rules_take_time_too(story: Story) -> None:
    story.start("E1").enter("E1", "Build").tell(K.CONDITION_STARTED, "E1", "Build", condition="BEFORE_ENTRY")
    story.at(20).tell(K.CONDITION_SUCCEEDED, "E1", "Build", condition="BEFORE_ENTRY")

    assert waits(spans(story.trace)) == [("condition", "Build", 0.0, 20.0)]


def test_a_retry_is_a_second_span_and_the_time_between_a_wait(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.at(5).fail("E1", "Build", "Web").leave("E1", "Build", K.STAGE_FAILED).tell(K.EXECUTION_FAILED, "E1")
    story.at(60).tell(K.EXECUTION_RESUMED, "E1", "Build", attempt=2).tell(K.STAGE_RESUMED, "E1", "Build", attempt=2)
    story.begin("E1", "Build", "Web", attempt=2)
    story.at(66).done("E1", "Build", "Web", 2).leave("E1", "Build").tell(K.EXECUTION_SUCCEEDED, "E1")
    found = spans(story.trace)

    executions = [(span.attempt, span.start, span.end, span.status) for span in found if span.level == "execution"]
    assert executions == [(1, 0.0, 5.0, "Failed"), (2, 60.0, 66.0, "Succeeded")]
    stages = [(span.attempt, span.start, span.end, span.status) for span in found if span.level == "stage"]
    assert stages == [(1, 0.0, 5.0, "Failed"), (2, 60.0, 66.0, "Succeeded")]
    assert waits(found) == [("retry", "Build", 5.0, 60.0)]
    assert [span.attempt for span in found if span.level == "action"] == [1, 2]


def test_a_retry_beside_a_running_peer_leaves_no_gap(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.at(10).fail("E1", "Build", "Web")
    story.at(12).tell(K.STAGE_RESUMED, "E1", "Build", attempt=2).begin("E1", "Build", "Web", attempt=2)
    story.at(40).done("E1", "Build", "Web", 2).at(50).done("E1", "Build", "Api").leave("E1", "Build")
    story.tell(K.EXECUTION_SUCCEEDED, "E1")

    assert waits(spans(story.trace)) == []
    assert [(span.attempt, span.start, span.end) for span in spans(story.trace) if span.level == "stage"] == [
        (1, 0.0, 12.0),
        (2, 12.0, 50.0),
    ]


def test_an_automatic_retry_waits_inside_the_stage(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.at(10).fail("E1", "Build", "Web").leave("E1", "Build", K.STAGE_FAILED, retry_pending=True)
    assert [(span.reason, span.open) for span in spans(story.trace) if span.level == "wait"] == [("retry", True)]

    story.at(11).tell(K.STAGE_RESUMED, "E1", "Build", attempt=2).begin("E1", "Build", "Web", attempt=2)
    assert waits(spans(story.trace)) == [("retry", "Build", 10.0, 11.0)]


def test_a_failure_that_nobody_retries_waits_for_nothing(story: Story) -> None:
    story.start("E1").tell(K.EXECUTION_FAILED, "E1").at(100).tell(K.CHANGE_IGNORED)

    assert waits(spans(story.trace)) == []


def test_until_cuts(shipped: Story) -> None:
    found = spans(shipped.trace, until=20.0)

    assert {span.end for span in found if span.open} == {20.0}
    assert [(span.level, span.action) for span in found if span.open] == [
        ("execution", None),
        ("stage", None),
        ("action", "Api"),
    ]
    assert all(span.status == "InProgress" and span.closed is None for span in found if span.open)
    assert max(span.end for span in found) == 20.0


def test_one_executions_spans(story: Story) -> None:
    story.start("E1").start("E2").source("E1")

    assert {span.execution for span in spans_of(story.trace, "E1")} == {"E1"}
    assert len(spans_of(story.trace, "E1")) + len(spans_of(story.trace, "E2")) == len(spans(story.trace))
    with pytest.raises(TraceError, match="no execution 'E7'"):
        spans_of(story.trace, "E7")


@settings(max_examples=100)
@given(stories())
def test_actions_and_outer_waits_cover_a_life_and_waits_do_not_overlap(story: Story) -> None:
    for execution in story.trace.executions:
        found = spans_of(story.trace, execution)
        (life,) = [span for span in found if span.level == "execution"]
        outer = [span for span in found if span.level == "wait" and span.action is None]
        reached = life.start
        for span in sorted((s for s in found if s in outer or s.level == "action"), key=lambda s: (s.start, s.end)):
            assert span.start <= reached
            if span in outer:
                assert span.start == reached
                assert span.duration > 0 or span.open
            reached = max(reached, span.end)
        assert reached == life.end
        for span in found:
            assert life.start <= span.start <= span.end <= life.end
