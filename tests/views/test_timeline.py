import itertools
import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.patches import Rectangle

from pipesim.assumptions.profile import load_profile
from pipesim.engine.simulate import simulate
from pipesim.errors import SourceError
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.views.execution_gantt import needed_end
from pipesim.views.lanes import BarKind, execution_lanes
from pipesim.views.passages import passages
from pipesim.views.stage_lanes import rows_of, stage_lanes
from pipesim.views.timeline import timeline
from tests.views import stories
from tests.views.stories import Story

STORIES = ("five_changes", "queued", "parallel", "troubles", "overnight", "many", "one", "empty")


def of_kind(picture, kind):
    return [
        a for axes in picture.figure.axes for a in axes.get_children() if (a.get_gid() or "").startswith(f"{kind}-")
    ]


def texts(picture):
    found = [text for axes in picture.figure.axes for text in axes.texts] + list(picture.figure.texts)
    return [text for text in found if text.get_text()]


def words(picture):
    return [text.get_text() for text in texts(picture)]


def boxes(picture):
    renderer = picture.figure.canvas.get_renderer()
    return [(text.get_text(), text.get_window_extent(renderer)) for text in texts(picture)]


def overlapping(picture):
    return [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(boxes(picture), 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 3
    ]


def outside(picture):
    width, height = picture.figure.get_size_inches() * picture.figure.dpi
    return [t for t, b in boxes(picture) if b.x0 < -1 or b.y0 < -1 or b.x1 > width + 1 or b.y1 > height + 1]


def lanes_of(trace):
    return execution_lanes(trace, trace.end, list(passages(trace, trace.end).values()))


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("by", ["execution", "stage"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_overlaps_another_or_leaves_the_picture(name, by, theme):
    picture = timeline(getattr(stories, name)(), by=by, theme=theme)

    assert overlapping(picture) == []
    assert outside(picture) == []


@pytest.mark.parametrize("width", [5.0, 8.0, 20.0])
@pytest.mark.parametrize("by", ["execution", "stage"])
def test_narrow_and_wide_pictures_keep_their_texts_apart(width, by):
    picture = timeline(stories.troubles(), by=by, width=width)

    assert overlapping(picture) == []
    assert outside(picture) == []


@pytest.mark.parametrize("name", ["five_changes", "troubles", "parallel"])
def test_labels_lie_inside_their_bars(name):
    picture = timeline(getattr(stories, name)())
    renderer = picture.figure.canvas.get_renderer()
    bars = [bar.get_window_extent(renderer) for kind in ("work", "wait", "hold") for bar in of_kind(picture, kind)]
    labels = [
        t for t in of_kind(picture, "label") if t.get_text() not in ("now",) and not t.get_text().startswith("retried")
    ]

    assert labels
    for label in labels:
        box = label.get_window_extent(renderer)
        assert any(b.x0 <= box.x0 and box.x1 <= b.x1 and b.y0 <= box.y0 + 3 and box.y1 - 3 <= b.y1 for b in bars), label


def test_five_changes_say_what_happened():
    picture = timeline(stories.five_changes())
    found = words(picture)

    assert picture.title == "shop · 5 changes in 1 h 52 min, SUPERSEDED"
    assert "» superseded by #4" in found
    assert "✗ failed: SecurityScan" in found
    assert found.count("waits for Approval") == 2
    assert "Approval: waits for an answer" in found
    assert "… 22 min so far" in found
    assert "▶ 1 h 23 min so far" in found
    assert "now" in found
    assert picture.figure.axes[0].get_xlabel() == "minutes since 09:00 UTC Mon 2 Mar 2026"


def test_bars_are_where_the_trace_says():
    picture = timeline(stories.five_changes())
    waits = {(round(bar.get_x() / 60), round((bar.get_x() + bar.get_width()) / 60)) for bar in of_kind(picture, "wait")}

    assert len(of_kind(picture, "work")) == 4 + 3 + 4 + 4 + 4
    assert waits == {(70, 90), (90, 112)}
    assert len(of_kind(picture, "hold")) == 1


def test_waiting_is_hatched_and_work_is_not():
    picture = timeline(stories.five_changes())

    assert all(bar.get_hatch() for bar in [*of_kind(picture, "wait"), *of_kind(picture, "hold")])
    assert not any(bar.get_hatch() for bar in of_kind(picture, "work"))


def test_the_two_ways_of_waiting_are_hatched_differently():
    picture = timeline(stories.five_changes())

    assert {b.get_hatch() for b in of_kind(picture, "wait")}.isdisjoint(
        {b.get_hatch() for b in of_kind(picture, "hold")}
    )


def test_the_alternative_text_tells_the_facts():
    alt = timeline(stories.five_changes()).alt

    for fact in (
        "pipeline shop",
        "mode SUPERSEDED",
        "09:00 UTC Mon 2 Mar 2026",
        "5 executions in 1 h 52 min, 3 in progress, 1 superseded, 1 failed",
        "#2 failed: SecurityScan in Test",
        "#3 superseded by #4",
        "#4 in progress in Approval",
        "2 waited in front of a stage, at most 22 min for Approval",
    ):
        assert fact in alt


def test_troubles_are_marked():
    found = words(timeline(stories.troubles(), width=26))

    assert "#3 · rollback to #1" in found
    assert "✓ Staging rolled back in 8 min" in found
    assert "✗ rejected: Stakeholders" in found
    assert "✗ failed: Deploy" in found
    assert "■ stopped: wrong branch" in found
    assert "Test, attempt 2" in found
    assert "retried after 18 min" in found
    assert "Staging: transition disabled" in found
    assert "Approval: answered after 15 min" in found


def test_a_failure_names_its_stage_where_the_bar_cannot():
    wide, narrow = timeline(stories.troubles(), width=26), timeline(stories.troubles(), width=8)

    assert "✗ failed: Deploy" in words(wide)
    assert "✗ failed: Deploy in Staging" in words(narrow)


def test_a_skipped_stage_is_named_where_the_execution_ends():
    story = Story()
    story.start(0, 1)
    story.stage(1, "Source", 0, 2)
    story.add(2, EventKind.STAGE_ENTERED, 1, "Build", attempt=1)
    story.add(2.1, EventKind.STAGE_SKIPPED, 1, "Build", attempt=1)
    story.stage(1, "Test", 3, 9)
    story.add(9, EventKind.EXECUTION_SUCCEEDED, 1)

    assert "✓ 9 min, Build skipped" in words(timeline(story.trace()))


def test_waiting_for_a_pool_names_the_pool():
    lanes = lanes_of(stories.parallel())
    held = [bar for lane in lanes for bar in lane.bars if bar.kind is BarKind.HOLD and bar.stage == "Build"]

    assert [bar.labels[0] for bar in held] == ["Build: waits for builds"] * 3
    assert [bar.end - bar.start for bar in held] == [360.0] * 3


def test_an_answered_approval_is_not_red_because_a_later_action_failed():
    story = Story("shop", {"Approve": ["Ask", "Ship"]})
    story.start(0, 1)
    story.add(0, EventKind.STAGE_ENTERED, 1, "Approve", attempt=1)
    story.add(0, EventKind.ACTION_STARTED, 1, "Approve", "Ask", 1)
    story.add(0, EventKind.APPROVAL_REQUESTED, 1, "Approve", "Ask", 1, token="t")
    story.add(60, EventKind.APPROVAL_ANSWERED, 1, "Approve", "Ask", 1, status="Approved", by="ann")
    story.add(60, EventKind.ACTION_SUCCEEDED, 1, "Approve", "Ask", 1)
    story.add(60, EventKind.ACTION_STARTED, 1, "Approve", "Ship", 1)
    story.add(90, EventKind.ACTION_FAILED, 1, "Approve", "Ship", 1, code="JobFailed")
    story.add(90, EventKind.STAGE_FAILED, 1, "Approve", attempt=1)
    story.add(90, EventKind.EXECUTION_FAILED, 1, "Approve")
    trace = story.trace()
    (lane,) = lanes_of(trace)
    (stage,) = stage_lanes(trace, trace.end, list(passages(trace).values()))

    assert [(bar.kind, bar.status) for bar in lane.bars] == [
        (BarKind.HOLD, "Succeeded"),
        (BarKind.WORK, "Failed"),
    ]
    assert lane.bars[0].labels[0] == "Approve: answered after 1 h"
    assert [bar.labels[0] for bar in stage.inside] == ["#1 answered after 1 h", "✗ #1"]


def test_a_stage_is_not_held_while_another_of_its_actions_works():
    story = Story("shop", {"Build": ["A", "B"]})
    story.start(0, 1)
    story.add(0, EventKind.STAGE_ENTERED, 1, "Build", attempt=1)
    for action in ("A", "B"):
        story.add(0, EventKind.ACTION_STARTED, 1, "Build", action, 1)
    story.add(0, EventKind.ACTION_WAITING, 1, "Build", "A", 1, pool="builds")
    story.add(5, EventKind.ACTION_SUCCEEDED, 1, "Build", "B", 1)
    story.add(8, EventKind.ACTION_WORKING, 1, "Build", "A", 1, pool="builds")
    story.add(12, EventKind.ACTION_SUCCEEDED, 1, "Build", "A", 1)
    story.add(12, EventKind.STAGE_SUCCEEDED, 1, "Build", attempt=1)
    (lane,) = lanes_of(story.trace())

    assert [(bar.kind, bar.start / 60, bar.end / 60) for bar in lane.bars] == [
        (BarKind.WORK, 0, 5),
        (BarKind.HOLD, 5, 8),
        (BarKind.WORK, 8, 12),
    ]


def test_the_past_can_be_looked_at():
    picture = timeline(stories.five_changes(), until=75 * 60)

    assert "» superseded by #4" not in words(picture)
    assert "4 executions" in picture.alt
    (line,) = [line for line in picture.figure.axes[0].lines if line.get_gid() == "now"]
    assert line.get_xdata()[0] == 75 * 60


def test_a_finished_trace_has_no_now():
    assert "now" not in words(timeline(stories.queued()))


def test_stages_show_who_holds_them_and_the_queue_in_front():
    trace = stories.five_changes()
    lanes = {lane.name: lane for lane in stage_lanes(trace, trace.end, list(passages(trace).values()))}

    assert [bar.labels[-1] for bar in lanes["Build"].inside] == ["#1", "#2", "#3", "#4", "#5"]
    assert [bar.labels for bar in lanes["Test"].inside][1] == ("✗ #2", "✗#2", "✗")
    assert [bar.labels[0] for bar in lanes["Approval"].queue] == ["#3 superseded by #4", "#4 waits"]
    assert {bar.action for bar in lanes["Test"].actions} == {"Unit", "SecurityScan"}
    assert lanes["Test"].action_rows == 2


def test_stages_are_in_the_order_of_the_pipeline_from_top_to_bottom():
    picture = timeline(stories.five_changes(), by="stage")
    names = [(t.get_position()[1], t.get_text()) for t in of_kind(picture, "lane") if t.get_text() != "waiting"]

    assert [name for _, name in sorted(names, reverse=True)] == list(stories.STAGES)


def test_a_long_queue_becomes_a_level_with_its_height_in_words():
    picture = timeline(stories.queued(12), by="stage")

    assert any(word.startswith("up to 8 waiting at once") for word in words(picture))


def test_parallel_executions_lie_in_rows_of_their_stage():
    trace = stories.parallel()
    lanes = {lane.name: lane for lane in stage_lanes(trace, trace.end, list(passages(trace).values()))}

    assert lanes["Build"].inside_rows == 5
    for one, other in itertools.combinations(lanes["Build"].inside, 2):
        assert one.row != other.row or one.end <= other.start or other.end <= one.start


def test_rows_are_reused_as_soon_as_they_are_free():
    assert rows_of([(0, 4), (1, 2), (2, 3), (4, 5)]) == [0, 1, 1, 0]


def test_a_pipeline_without_executions_says_so():
    picture = timeline(stories.empty())

    assert words(picture) == ["quiet · no execution has started"]
    assert "no execution has started" in picture.alt


def test_one_execution_is_a_picture_of_one_lane():
    picture = timeline(stories.one())

    assert len(of_kind(picture, "lane")) == 1
    assert "✓ 3 min" in words(picture)
    assert "1 execution in 3 min, 1 succeeded" in picture.alt


def test_an_execution_that_has_just_started():
    story = Story()
    story.start(0, 1)
    picture = timeline(story.trace())

    assert "▶ starting" in words(picture)


@pytest.mark.parametrize("by", ["execution", "stage"])
def test_only_the_newest_of_very_many_are_drawn_and_it_says_so(by):
    picture = timeline(stories.many(450, "QUEUED"), by=by)

    assert "The last 200 of 450 executions; the earlier ones are not shown." in words(picture)
    assert "the last 200 of 450" in picture.alt
    assert picture.figure.get_figheight() < 20
    assert overlapping(picture) == []


def test_thin_lanes_mark_their_ends_with_shapes_instead_of_words():
    picture = timeline(stories.many(200))

    assert len(of_kind(picture, "note")) == 0
    assert {line.get_marker() for line in of_kind(picture, "end")} == {"X", ">"}
    assert 20 < len(of_kind(picture, "lane")) < 200
    assert overlapping(picture) == []


def test_names_with_markup_stay_text():
    story = Story("<b>$x$</b>", {"<Source>": ["a&b"], "Build$": ['"q"']})
    story.start(0, 1, change="<script>alert(1)</script>")
    story.stage(1, "<Source>", 0, 30)
    story.stage(1, "Build$", 30, 60, fails=('"q"',))
    story.add(60, EventKind.EXECUTION_FAILED, 1, "Build$")
    picture = timeline(story.trace())

    assert "<Source>" in words(picture)
    assert "<script>" not in picture._repr_html_()
    root = ElementTree.fromstring(picture.to_bytes("svg"))
    assert "<b>$x$</b>" in root.get("aria-label")


def test_the_svg_parses_and_names_its_bars():
    root = ElementTree.fromstring(timeline(stories.five_changes()).to_bytes("svg"))
    ids = [element.get("id") or "" for element in root.iter()]

    assert len([i for i in ids if i.startswith("work-")]) == 19
    assert len([i for i in ids if i.startswith("wait-")]) == 2


def test_dark_has_its_own_opaque_face():
    picture = timeline(stories.one(), theme="dark")

    assert picture.figure.get_facecolor() == (13 / 255, 17 / 255, 23 / 255, 1.0)


def test_the_title_can_be_chosen_and_a_file_written(tmp_path):
    picture = timeline(stories.one(), title="my title", path=tmp_path / "t.svg")

    assert picture.title == "my title"
    assert "my title" in words(picture)
    assert (tmp_path / "t.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "action"}, "'execution' or 'stage'"),
        ({"theme": "pink"}, "'pink'"),
        ({"until": -1}, "from 0 on"),
        ({"until": float("nan")}, "from 0 on"),
        ({"width": 0}, "from 4 to 60"),
        ({"last": 0}, "at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(options, says):
    with pytest.raises(SourceError, match=says):
        timeline(stories.one(), **options)


def test_an_axis_reaches_far_enough_for_the_text_behind_the_last_bar():
    high = needed_end([(90.0, 40.0), (100.0, 10.0)], 0.0, 100.0, 200.0)

    assert (high - 90.0) / high * 200.0 == pytest.approx(40.0)


def test_days_are_named_over_an_overnight_wait():
    picture = timeline(stories.overnight())

    assert {"Tue 3 Mar", "Wed 4 Mar"} <= set(words(picture))
    assert picture.figure.axes[0].get_xlabel().startswith("hours since 14:00 UTC")


def test_bars_are_rectangles_wide_enough_to_be_seen():
    picture = timeline(stories.many(60))
    axes = picture.figure.axes[0]
    points = axes.bbox.width / picture.figure.dpi * 72 / (axes.get_xlim()[1] - axes.get_xlim()[0])

    assert all(isinstance(bar, Rectangle) and bar.get_width() * points >= 1.19 for bar in of_kind(picture, "work"))


def test_an_action_too_short_for_its_name_has_it_beside():
    trap = load("GitHub -> CodeBuild -> [Manual Approval | Elastic Beanstalk] (Production)")
    slow = load_profile('approvals."*" = {response = "2h"}\nactions."Deploy/ElasticBeanstalk".duration = "2m"')

    picture = timeline(simulate(trap, slow, seed=1), by="stage")

    assert "ElasticBeanstalk" in words(picture)
    assert overlapping(picture) == [] == outside(picture)
