from __future__ import annotations

import pytest
from hypothesis import given, settings

from pipesim.trace.events import EventKind
from pipesim.trace.measures import Spread, measure
from pipesim.trace.spans import spans
from tests.trace.conftest import Story
from tests.trace.strategies import stories

K = EventKind


def test_one_shipped_execution(shipped: Story) -> None:
    shipped.end = 208.0
    measures = measure(shipped.trace)

    assert (measures.started, measures.shipped, measures.failed, measures.unfinished) == (1, 1, 0, 0)
    assert (measures.lead_time.count, measures.lead_time.mean) == (1, 104.0)
    assert measures.throughput == pytest.approx(3600 / 208)
    assert measures.work_in_progress == pytest.approx(0.5)
    assert measures.stage_utilisation == {"Source": 2 / 208, "Build": 30 / 208, "Prod": 69 / 208}
    assert {reason: seconds for reason, seconds in measures.waiting.items() if seconds} == {
        "approval": 60.0,
        "delay": 8.0,
    }
    assert measures.working == 2 + 10 + 30 + 4
    assert measures.action_durations["Build", "Api"].mean == 30.0


def test_lead_time_begins_when_the_change_arrives(story: Story) -> None:
    story.at(10).start("E1", arrived=4.0).at(20).tell(K.EXECUTION_SUCCEEDED, "E1")

    assert measure(story.trace).lead_time.mean == 16.0


def test_a_superseded_change_is_carried_by_a_later_execution(story: Story) -> None:
    for number in (1, 2, 3, 4):
        story.at(number).start(f"E{number}")
    story.at(10).tell(K.EXECUTION_SUPERSEDED, "E1", "Prod", by="E2").tell(K.EXECUTION_FAILED, "E2")
    story.at(30).tell(K.EXECUTION_SUCCEEDED, "E3").tell(K.EXECUTION_SUPERSEDED, "E4", "Prod", by="E5")
    measures = measure(story.trace)

    assert (measures.superseded, measures.carried, measures.failed, measures.shipped) == (2, 1, 1, 1)
    assert (measures.change_lead_time.count, measures.change_lead_time.longest) == (2, 29.0)
    assert measures.lead_time.longest == 27.0


def test_a_change_is_in_production_with_the_first_execution_that_holds_it(story: Story) -> None:
    story.start("E1", mode="PARALLEL").start("E2", mode="PARALLEL").start("E3", mode="PARALLEL")
    story.at(30).tell(K.EXECUTION_SUCCEEDED, "E2").at(50).tell(K.EXECUTION_SUCCEEDED, "E1")
    story.at(70).tell(K.EXECUTION_SUCCEEDED, "E3")
    measures = measure(story.trace)

    assert (measures.lead_time.shortest, measures.lead_time.p50, measures.lead_time.longest) == (30.0, 50.0, 70.0)
    changes = measures.change_lead_time
    assert (changes.shortest, changes.p50, changes.longest, changes.count) == (30.0, 30.0, 70.0, 3)


def test_a_rollback_ships_nothing(shipped: Story) -> None:
    shipped.at(200).start("E2", execution_type="ROLLBACK", rollback_target="E1").tell(K.EXECUTION_SUCCEEDED, "E2")
    measures = measure(shipped.trace)

    assert (measures.shipped, measures.rolled_back, measures.lead_time.count) == (1, 1, 1)


def test_how_executions_end_is_counted(story: Story) -> None:
    for number in (1, 2, 3, 4):
        story.start(f"E{number}")
    story.at(5).tell(K.EXECUTION_STOPPED, "E1").tell(K.EXECUTION_CANCELLED, "E2").tell(K.EXECUTION_FAILED, "E3")
    story.tell(K.CHANGE_IGNORED).tell(K.EXECUTION_RESUMED, "E3", attempt=2)
    story.tell(K.STAGE_RESUMED, "E3", "Build", attempt=2)
    measures = measure(story.trace)

    assert (measures.stopped, measures.cancelled, measures.failed, measures.unfinished) == (1, 1, 0, 2)
    assert (measures.ignored, measures.retries, measures.shipped) == (1, 1, 0)


def test_a_pools_use(story: Story) -> None:
    story.events[0] = story.events[0]._replace(detail={**story.events[0].detail, "pools": {"builds": 1, "idle": 2}})
    story.start("E1").enter("E1", "Build")
    story.begin("E1", "Build", "Web", pool="builds").begin("E1", "Build", "Api", pool="builds")
    story.tell(K.ACTION_WAITING, "E1", "Build", "Api", 1, pool="builds")
    story.at(10).done("E1", "Build", "Web").tell(K.ACTION_WORKING, "E1", "Build", "Api", 1, pool="builds")
    story.at(16).done("E1", "Build", "Api").at(20).tell(K.CHANGE_IGNORED)
    pools = measure(story.trace).pools

    assert list(pools) == ["builds", "idle"]
    builds = pools["builds"]
    assert (builds.mean, builds.peak, builds.capacity, builds.waited) == (0.8, 1, 1, 1)
    assert builds.utilisation == 0.8
    assert (pools["idle"].mean, pools["idle"].utilisation) == (0.0, 0.0)


def test_an_action_that_ends_while_it_waits_uses_no_place(story: Story) -> None:
    story.start("E1").enter("E1", "Build").begin("E1", "Build", "Web")
    story.tell(K.ACTION_WAITING, "E1", "Build", "Web", 1, pool="builds")
    story.at(10).tell(K.ACTION_ABANDONED, "E1", "Build", "Web", 1)
    builds = measure(story.trace).pools["builds"]

    assert (builds.mean, builds.peak, builds.waited, builds.utilisation) == (0.0, 0, 1, None)


def test_a_parallel_stage_is_never_more_than_occupied(story: Story) -> None:
    story.start("E1", mode="PARALLEL").enter("E1", "Build").at(2).start("E2", mode="PARALLEL").enter("E2", "Build")
    story.at(6).leave("E1", "Build").at(8).leave("E2", "Build").at(10).tell(K.CHANGE_IGNORED)

    assert measure(story.trace).stage_utilisation["Build"] == 0.8


def test_an_empty_life(story: Story) -> None:
    measures = measure(story.trace)

    assert (measures.started, measures.throughput, measures.work_in_progress, measures.duration) == (0, 0.0, 0.0, 0.0)
    assert measures.lead_time == Spread(0)
    assert str(measures.lead_time) == "none"
    assert str(measures).splitlines()[0] == "executions started    0"
    assert "superseded" not in str(measures)


def test_the_table(shipped: Story) -> None:
    lines = str(measure(shipped.trace)).splitlines()

    assert "  shipped             1  (34.62 an hour)" in lines
    assert (
        "lead time             mean 1 min 44 s, median 1 min 44 s, 95 % within 1 min 44 s, longest 1 min 44 s" in lines
    )
    assert "waiting: approval     1 min" in lines
    assert "stage Prod            66% occupied" in lines
    assert not any(line.startswith(("  stopped", "waiting: pool")) for line in lines)


@settings(max_examples=60)
@given(stories())
def test_little(story: Story) -> None:
    """Work in progress times duration is the sum of what each execution took."""
    measures = measure(story.trace)
    lives = sum(span.duration for span in spans(story.trace) if span.level == "execution")

    assert measures.work_in_progress * measures.duration == pytest.approx(lives)
    assert measures.started == sum(
        (
            measures.shipped,
            measures.rolled_back,
            measures.failed,
            measures.stopped,
            measures.superseded,
            measures.cancelled,
            measures.unfinished,
        )
    )
    assert measures.carried <= measures.superseded
    assert all(0 <= share <= 1 + 1e-9 for share in measures.stage_utilisation.values())
    assert measures.change_lead_time.count == measures.shipped + measures.carried
    for use in measures.pools.values():
        assert 0 <= use.mean <= use.peak
