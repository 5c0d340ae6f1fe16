import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from matplotlib.patches import FancyBboxPatch

from pipesim.cloud.account import Cloud
from pipesim.definition.document import parse_document
from pipesim.errors import SourceError
from pipesim.formats.load import load
from pipesim.trace.events import EventKind
from pipesim.trace.state import state_at
from pipesim.views.board import board
from pipesim.views.panels import MOST_TOKENS
from tests.views import stories
from tests.views.stories import Story

VOID = {"meta", "br", "img"}


class Reader(HTMLParser):
    """Collects the text, the classes and the balance of an HTML document."""

    def __init__(self):
        super().__init__()
        self.stack, self.tags, self.text, self.classes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.classes += (dict(attrs).get("class") or "").split()
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if "style" not in self.stack:
            self.text.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    assert reader.stack == []
    return reader


def text_of(html):
    return " ".join(" ".join(read(html).text).replace("\u00a0", " ").split())


def panel(picture, name):
    return next(panel for panel in picture.panels if panel.name == name)


def shown(picture):
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts if text.get_text()]


def test_it_shows_who_is_inside_and_who_waits():
    picture = board(stories.five_changes())

    assert [line.text for line in panel(picture, "Approval").inside] == ["#1 · c0ffee1"]
    assert [line.text for line in panel(picture, "Approval").door.waiting] == ["#4 · c0ffee4"]
    assert [line.text for line in panel(picture, "Staging").inside] == ["#5 · c0ffee5"]
    assert panel(picture, "Staging").status == "InProgress"


def test_html_says_status_in_words_and_an_open_approval():
    text = text_of(board(stories.five_changes())._repr_html_())

    assert "Approval ▶ In progress ▶ #1 · c0ffee1 Stakeholders Manual approval" in text
    assert "waits for an answer, 1 h 23 min" in text
    assert "waiting … #4 · c0ffee4" in text
    assert "» #3 · c0ffee3 superseded by #4" in text
    assert "✗ #2 · c0ffee2 failed in Test" in text
    assert "10:52 UTC Mon 2 Mar 2026, 1 h 52 min after the start" in text


def test_a_disabled_transition_shows_its_reason_and_who_it_holds():
    picture = board(stories.troubles(), 115 * 60)
    door = panel(picture, "Staging").door

    assert not door.enabled
    assert door.reason == "freeze"
    assert [line.text for line in door.waiting] == ["#2 · c0ffee2", "#4 · c0ffee4"]
    assert "transition disabled freeze" in text_of(picture.html)
    assert "transition disabled (freeze)" in picture.alt


def test_an_enabled_transition_is_quiet():
    assert all(panel.door.enabled for panel in board(stories.five_changes()).panels)
    assert "disabled" not in text_of(board(stories.five_changes()).html)


def test_an_action_that_waits_for_a_pool_says_so():
    card = panel(board(stories.parallel(), 8 * 60), "Build").cards[0]

    assert card.status == "InProgress"
    assert [line.text.replace("\u00a0", " ") for line in card.lines][-1] == "waits for builds, 1 min"


def test_a_failure_shows_its_message():
    card = panel(board(stories.troubles(), 21 * 60), "Test").cards[1]

    assert card.status == "Failed"
    assert [line.text for line in card.lines] == ["It broke."]


def test_a_retry_is_an_attempt():
    assert panel(board(stories.troubles(), 40 * 60), "Test").word == "In progress, attempt 2"


def test_an_action_of_an_older_execution_says_whose_it_is():
    card = panel(board(stories.troubles(), 115 * 60), "Test").cards[0]

    assert card.lines[0].text == "of #2 · c0ffee2"


def test_several_are_inside_in_parallel_mode():
    inside = [line.text for line in panel(board(stories.parallel(), 40 * 60), "Approval").inside]

    assert inside == ["#1 · c0ffee1", "#2 · c0ffee2", "#3 · c0ffee3"]


def test_a_long_queue_is_cut_with_a_count():
    waiting = panel(board(stories.queued(30), 60 * 60), "Build").door.waiting

    assert len(waiting) == MOST_TOKENS
    assert waiting[-1].text.startswith("and ") and waiting[-1].text.endswith(" more")


def test_before_anything_happened():
    picture = board(stories.empty())

    assert {panel.word for panel in picture.panels} == {"Not started"}
    assert "5 stages, 0 executions" in picture.alt


def test_a_pipeline_alone_and_a_pipeline_with_a_state():
    trace = stories.five_changes()
    pipeline = parse_document(stories.document("shop", stories.STAGES, "SUPERSEDED"))
    fresh = board(pipeline)
    later = board(pipeline, state_at(pipeline, trace, 112 * 60))

    assert {card.status for panel in fresh.panels for card in panel.cards} == {"NotStarted"}
    assert later.panels == board(trace).panels
    assert "1 h 52 min after the start" in text_of(later.html)


def test_all_text_is_escaped():
    story = Story("<i>p</i>", {"<Source>": ["a&b"]})
    story.start(0, 1, change="<script>alert('x')</script>")
    story.add(0, EventKind.STAGE_ENTERED, 1, "<Source>", attempt=1)
    story.add(0, EventKind.ACTION_STARTED, 1, "<Source>", "a&b", 1, id="x")
    story.add(1, EventKind.ACTION_FAILED, 1, "<Source>", "a&b", 1, code="JobFailed", message='<img src=x onerror="y">')
    story.add(1, EventKind.TRANSITION_DISABLED, None, "<Source>", reason="<b>bold</b>", by="ann")
    picture = board(story.trace())
    reader = read(picture.html)

    assert {"script", "img", "i", "b"}.isdisjoint(reader.tags)
    assert '<img src=x onerror="y">' in "".join(reader.text)
    assert "<b>bold</b>" in "".join(reader.text)
    ElementTree.fromstring(picture.to_bytes("svg"))


def test_html_needs_nothing_from_elsewhere():
    html = board(stories.five_changes()).to_bytes("html").decode()

    assert html.startswith("<!DOCTYPE html>")
    assert not any(word in html for word in ("http", "url(", "<script", "@import", "src="))


def test_auto_follows_jupyterlab_and_the_browser():
    html = board(stories.one()).html

    assert "var(--jp-layout-color0,#ffffff)" in html
    assert "[data-jp-theme-light=false] .psb-auto" in html
    assert "prefers-color-scheme:dark" in html


def test_a_chosen_theme_is_opaque_and_its_own():
    html = board(stories.one(), theme="dark").html

    assert "--psb-back:#0d1117" in html
    assert "--jp-layout" not in html


def test_every_status_class_has_its_colours():
    for name in ("five_changes", "troubles", "parallel"):
        html = board(getattr(stories, name)()).html
        for used in {c for c in read(html).classes if c.startswith("psb-") and c[4:5].isupper()}:
            assert f".{used}{{--fill:" in html


@pytest.mark.parametrize("name", ["five_changes", "troubles", "parallel", "queued", "empty"])
@pytest.mark.parametrize("width", [4.0, 11.0, 30.0])
def test_the_drawing_shows_every_stage_and_keeps_texts_apart(name, width):
    picture = board(getattr(stories, name)(), width=width)
    figure = picture.figure
    renderer = figure.canvas.get_renderer()
    stages = [p for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]
    found = [t.get_window_extent(renderer) for t in figure.axes[0].texts if t.get_text()]
    right, top = figure.get_size_inches() * figure.dpi

    areas = [stage.get_window_extent(renderer) for stage in stages]
    assert not any(one.overlaps(other) for place, one in enumerate(areas) for other in areas[place + 1 :])
    assert len(stages) == len(picture.panels)
    assert set(shown(picture)) >= {panel.name for panel in picture.panels}
    assert all(box.x0 >= 0 and box.x1 <= right and box.y0 >= 0 and box.y1 <= top for box in found)
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            wide = min(one.x1, other.x1) - max(one.x0, other.x0)
            high = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert wide <= 1 or high <= 3


@pytest.mark.parametrize("suffix", ["html", "svg", "png", "pdf"])
def test_it_is_saved_in_four_formats(tmp_path, suffix):
    path = tmp_path / f"b.{suffix}"
    board(stories.one(), path=path)

    assert path.stat().st_size > 1000


def test_other_formats_are_refused(tmp_path):
    with pytest.raises(SourceError, match=r"\.html or \.svg"):
        board(stories.one(), path=tmp_path / "b.gif")


@pytest.mark.parametrize(
    ("arguments", "options", "says"),
    [
        ((), {"theme": "pink"}, "'pink'"),
        ((-5,), {}, "from 0 on"),
        ((), {"width": 1}, "from 3 to 100"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(arguments, options, says):
    with pytest.raises(SourceError, match=says):
        board(stories.one(), *arguments, **options)


def test_a_pipeline_has_no_moment():
    pipeline = parse_document(stories.document("shop", stories.STAGES, "SUPERSEDED"))

    with pytest.raises(SourceError, match="needs its state"):
        board(pipeline, 5.0)


def test_a_source_shows_the_message_of_the_commit_and_nothing_twice():
    with Cloud(seed=1) as cloud:
        cloud.repository("ana/shop").push({"index.html": "1"}, message="Fix the price")
        document = load("GitHub -> S3").to_document()
        document["stages"][0]["actions"][0]["configuration"]["FullRepositoryId"] = "ana/shop"
        connected, polled = (cloud.provision(one) for one in (document, "S3 -> S3"))
        cloud.run_until_idle()

        page = board(connected.simulation.trace)._repr_html_()
        other = board(polled.simulation.trace)._repr_html_()

    assert "Fix the price" in page and "ProviderType" not in page
    assert other.count("Amazon S3 version id") == 1
