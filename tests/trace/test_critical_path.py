from __future__ import annotations

import pytest
from hypothesis import given, settings

from pipesim.errors import TraceError
from pipesim.trace.critical_path import Step, critical_path
from pipesim.trace.events import EventKind
from tests.trace.conftest import Story
from tests.trace.strategies import stories

K = EventKind


def brief(step: Step) -> tuple[str | None, str | None, float, float, float]:
    return step.action or step.stage, step.reason, step.start, step.end, step.exclusive


def test_the_longest_of_each_group_and_the_waits_between(shipped: Story) -> None:
    assert [brief(step) for step in critical_path(shipped.trace, "E1")] == [
        (None, "delay", 0.0, 1.0, 1.0),
        ("Fetch", None, 1.0, 3.0, 2.0),
        ("Source", "delay", 3.0, 4.0, 1.0),
        ("Api", None, 4.0, 34.0, 20.0),
        ("Build", "delay", 34.0, 35.0, 1.0),
        ("Sign", "approval", 35.0, 95.0, 60.0),
        ("Sign", "delay", 95.0, 100.0, 5.0),
        ("Ship", None, 100.0, 104.0, 4.0),
    ]
    assert [step.kind for step in critical_path(shipped.trace, "E1")].count("action") == 3


def test_waiting_for_a_pool_is_told_from_work(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.tell(K.ACTION_WAITING, "E1", "Build", "Api", 1, pool="builds")
    story.at(10).done("E1", "Build", "Web").tell(K.ACTION_WORKING, "E1", "Build", "Api", 1, pool="builds")
    story.at(15).done("E1", "Build", "Api").leave("E1", "Build").tell(K.EXECUTION_SUCCEEDED, "E1")

    assert [brief(step) for step in critical_path(story.trace, "E1")] == [
        ("Api", "pool", 0.0, 10.0, 0.0),
        ("Api", None, 10.0, 15.0, 5.0),
    ]


def test_peers_that_end_together_have_no_exclusive_time(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.at(8).done("E1", "Build", "Web").done("E1", "Build", "Api").leave("E1", "Build")
    story.tell(K.EXECUTION_SUCCEEDED, "E1")

    assert [brief(step) for step in critical_path(story.trace, "E1")] == [("Api", None, 0.0, 8.0, 0.0)]


def test_an_action_without_duration_beside_the_path_is_not_on_it(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.done("E1", "Build", "Web").at(8).done("E1", "Build", "Api").leave("E1", "Build")
    story.tell(K.EXECUTION_SUCCEEDED, "E1")

    assert [step.action for step in critical_path(story.trace, "E1")] == ["Api"]


def test_a_retry_beside_a_running_peer(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.at(10).fail("E1", "Build", "Web")
    story.at(12).tell(K.STAGE_RESUMED, "E1", "Build", attempt=2).begin("E1", "Build", "Web", attempt=2)
    story.at(20).done("E1", "Build", "Api").at(40).done("E1", "Build", "Web", 2).leave("E1", "Build")
    story.tell(K.EXECUTION_SUCCEEDED, "E1")

    assert [(step.attempt, *brief(step)) for step in critical_path(story.trace, "E1")] == [
        (1, "Web", None, 0.0, 10.0, 0.0),
        (None, "Build", "retry", 10.0, 12.0, 2.0),
        (2, "Web", None, 12.0, 40.0, 20.0),
    ]


def test_a_retry_of_a_failed_execution(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.at(5).fail("E1", "Build", "Web").leave("E1", "Build", K.STAGE_FAILED).tell(K.EXECUTION_FAILED, "E1")
    story.at(60).tell(K.EXECUTION_RESUMED, "E1", "Build", attempt=2).tell(K.STAGE_RESUMED, "E1", "Build", attempt=2)
    story.begin("E1", "Build", "Web", attempt=2)
    story.at(66).done("E1", "Build", "Web", 2).leave("E1", "Build").tell(K.EXECUTION_SUCCEEDED, "E1")

    assert [brief(step)[:4] for step in critical_path(story.trace, "E1")] == [
        ("Web", None, 0.0, 5.0),
        ("Build", "retry", 5.0, 60.0),
        ("Web", None, 60.0, 66.0),
    ]


def test_an_execution_that_goes_on_ends_with_the_trace(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web").begin("E1", "Build", "Api")
    story.at(9).done("E1", "Build", "Web").at(12).tell(K.CHANGE_IGNORED)

    assert [brief(step) for step in critical_path(story.trace, "E1")] == [("Api", None, 0.0, 12.0, 3.0)]


def test_an_unknown_execution_is_named(story: Story) -> None:
    with pytest.raises(TraceError, match="no execution 'E1' in this trace; it has none"):
        critical_path(story.trace, "E1")


@settings(max_examples=100)
@given(stories())
def test_steps_tile_the_life_of_an_execution(story: Story) -> None:
    for execution in story.trace.executions:
        events = story.trace.of(execution)
        end = events[-1].time if story.state().executions[execution].finished else story.trace.end
        steps = critical_path(story.trace, execution)
        reached = events[0].time
        for step in steps:
            assert step.start == reached
            assert step.end >= step.start
            assert 0.0 <= step.exclusive <= step.duration
            reached = step.end
        assert reached == end
        assert sum(step.duration for step in steps) == pytest.approx(end - events[0].time)
