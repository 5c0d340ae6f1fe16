import re
import shutil
import struct
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.definition.model import Pipeline, Stage
from pipesim.errors import MissingDependency, SourceError
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace
from pipesim.trace.snapshot import PipelineState, StageState, TransitionState
from pipesim.views.diagram import draw
from pipesim.views.diagram_plan import places_of, rows_of
from pipesim.views.render import render
from pipesim.views.theme import DARK, LIGHT
from tests.views.drawings import (
    ROLE,
    SHOP,
    SMALL,
    action,
    everything,
    executions,
    many_actions,
    many_stages,
)

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
PURE = "graphviz-pure"
ENGINES = pytest.mark.parametrize(
    "engine",
    [
        PURE,
        pytest.param(
            "dot",
            marks=[pytest.mark.dot, pytest.mark.skipif(shutil.which("dot") is None, reason="no system Graphviz")],
        ),
    ],
)


def words(diagram):
    """Every text of the picture, as it is written."""
    return [" ".join((text.text or "").split()) for text in ElementTree.fromstring(diagram.svg).iter(f"{SVG}text")]


def tooltips(diagram):
    return [title.text for title in ElementTree.fromstring(diagram.svg).iter(f"{SVG}title")]


def positions(diagram):
    """Where each text stands: x, y, with y growing downwards."""
    texts = ElementTree.fromstring(diagram.svg).iter(f"{SVG}text")
    return {(text.text or "").strip(): (float(text.get("x")), float(text.get("y"))) for text in texts}


def png_size(picture):
    return struct.unpack(">II", picture[16:24])


def made_by(document):
    return Trace(
        [Event(0.0, 0, EventKind.PIPELINE_CREATED, detail={"document": document, "start": "2026-03-02T09:00:00Z"})]
    )


@pytest.mark.parametrize(
    ("name", "diagram"),
    [
        ("small", draw(SMALL, artifacts=True)),
        ("shop_with_everything", draw(SHOP, everything())),
    ],
)
def test_the_dot_text_is_the_golden_one(name, diagram):
    assert diagram.dot == (GOLDEN / f"{name}.dot").read_text(encoding="utf-8")


@ENGINES
@pytest.mark.parametrize(
    ("pipeline", "state"),
    [
        (SMALL, None),
        (SHOP, everything()),
        (many_stages(50), None),
        (many_actions(35), None),
        (Pipeline("empty", ROLE, ()), None),
        (Pipeline("hollow", ROLE, (Stage("Nothing", ()),)), None),
    ],
    ids=["2", "7", "50", "35 actions", "no stage", "no action"],
)
def test_every_size_becomes_a_picture_that_names_everything(engine, pipeline, state):
    diagram = draw(pipeline, state, engine=engine, artifacts=True)
    seen = words(diagram)
    for stage in pipeline.stages:
        assert stage.name in seen
        for each in stage.actions:
            assert each.name in seen
    assert diagram.png.startswith(b"\x89PNG")


def test_a_wide_pipeline_is_wrapped_into_rows_that_fit_a_screen():
    width, height = png_size(draw(many_stages(50), engine=PURE).png)
    assert width < 3000
    assert height < 4000
    assert png_size(draw(SHOP, engine=PURE).png)[1] < 500


@ENGINES
def test_rows_run_like_a_snake_from_the_top(engine):
    where = positions(draw(many_stages(20), engine=engine))
    rows = [[place.stage.name for place in row] for row in rows_of(places_of(many_stages(20), None))]
    assert len(rows) > 2
    for number, row in enumerate(rows):
        across = [where[name][0] for name in row]
        assert across == sorted(across, reverse=number % 2 == 1)
    for above, below in pairwise(rows):
        assert max(where[name][1] for name in above) < min(where[name][1] for name in below)


@given(count=st.integers(1, 50))
def test_rows_hold_every_stage_in_order_and_none_is_left_alone(count):
    places = places_of(many_stages(count), None)
    rows = rows_of(places)
    assert [place for row in rows for place in row] == places
    assert len(rows) == 1 or len(rows[-1]) > 1


@ENGINES
def test_parallel_actions_are_stacked_in_the_order_of_the_declaration(engine):
    where = positions(draw(many_actions(5), engine=engine))
    heights = [where[f"Service{i:02}"][1] for i in range(5)]
    assert heights == sorted(heights)
    assert len({where[f"Service{i:02}"][0] for i in range(5)}) == 1


@ENGINES
def test_many_parallel_actions_stand_in_columns(engine):
    where = positions(draw(many_actions(35), engine=engine))
    places = [where[f"Service{i:02}"] for i in range(35)]
    columns = sorted({x for x, _ in places})
    assert len(columns) == 5
    assert [columns.index(x) for x, _ in places] == [i // 7 for i in range(35)]


@ENGINES
def test_groups_follow_each_other_in_the_order_of_run_order(engine):
    diagram = draw(SHOP, engine=engine)
    where = positions(diagram)
    assert where["SecurityScan"][0] == where["EndToEnd"][0] < where["Report"][0]
    assert {"run order 1", "run order 2"} <= set(words(diagram))


def test_for_a_projector_fewer_columns_stand_side_by_side():
    places = places_of(many_stages(9), None)
    for columns in (1, 4, 6):
        rows = rows_of(places, columns)
        assert [place for row in rows for place in row] == places
        assert all(len(row) == 1 or sum(place.width for place in row) <= columns for row in rows)
    assert len(rows_of(places, 1)) == 9 > len(rows_of(places, 4)) >= len(rows_of(places, 6)) > 1
    wide, narrow = (png_size(draw(many_stages(9), columns=columns, engine=PURE).png) for columns in (None, 3))
    assert narrow[0] < wide[0] / 2 and narrow[1] > wide[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
@ENGINES
def test_everything_of_a_state_is_written(engine, theme):
    seen = words(draw(SHOP, everything(), engine=engine, theme=theme))
    for expected in (
        "✓ Succeeded",
        "… Waiting for builds",
        "✗ Failed, attempt 2",
        "‖ disabled",
        "◇ Abandoned, #2",
        "↷ Skipped",
        "◧ Stopping",
        "► Waits for approval",
        "▶ In progress, 40 %",
        "inside: #2 c0ffee2",
        "waiting: #3 c0ffee3",
        "waiting: #4 c0ffee4",
        "rollback to #2",
        "◊ entry: failed → skip",
        "◊ entry: overridden",
        "◊ success: not checked",
        "◊ failure: → rollback",
        "○ Not started",
        "Manual approval",
    ):
        assert expected in seen, expected
    assert any("QUEUED mode" in text and "after 1h 30m" in text for text in seen)


@ENGINES
def test_tooltips_tell_the_rest_and_nothing_internal(engine):
    told = tooltips(draw(SHOP, everything(), engine=engine))
    assert any('disabled by ops: release freeze till "Monday"' in text for text in told)
    assert any("two tests failed" in text for text in told)
    assert not [text for text in told if re.fullmatch(r"(s\d+g\d+|d\d+|cluster_\d+)(->.*)?", text)]


def test_the_declaration_alone_has_no_status_words():
    seen = " ".join(words(draw(SHOP, engine=PURE)))
    assert "Not started" not in seen
    assert "◊ entry: 1 rule → skip" in seen


def test_artifacts_stand_on_edges_only_on_request():
    assert "BackendApp" not in draw(SHOP).dot
    diagram = draw(SHOP, artifacts=True, engine=PURE)
    assert {"BackendApp", "FrontendApp", "Code"} <= set(words(diagram))
    assert "s1g0:a0:e -> s6g0:a0:w" in diagram.dot


def test_executions_in_parallel_mode_are_named_and_counted():
    inside = tuple(f"E{n}" for n in range(1, 7))
    stage = StageState("Build", occupants=inside, actions=())
    pipeline = Pipeline("p", ROLE, (Stage("Build", (action("Compile"),)),), execution_mode="PARALLEL")
    seen = words(draw(pipeline, PipelineState("p", 1, 0.0, (stage,), executions(6)), engine=PURE))
    assert {"▶ In progress", "inside: #1 c0ffee1", "inside: #3 c0ffee3", "and 3 more"} <= set(seen)
    assert "inside: #4 c0ffee4" not in seen


def test_the_theme_colours_the_picture():
    light, dark = draw(SHOP, everything()), draw(SHOP, everything(), theme="dark")
    assert LIGHT.statuses["Failed"].fill in light.dot
    assert DARK.statuses["Failed"].fill in dark.dot
    assert DARK.background in dark.dot
    assert draw(SMALL, theme=DARK).dot == draw(SMALL, theme="dark").dot


def test_long_names_are_cut_in_the_middle_and_told_whole_in_the_tooltip():
    name = "integration-tests-of-the-payment-service-in-the-second-region"
    diagram = draw(Pipeline("p", ROLE, (Stage("Build", (action(name),)),)), engine=PURE)
    assert name not in words(diagram)
    assert any(re.fullmatch(r"integ.+….+region", text) for text in words(diagram))
    assert any(name in text for text in tooltips(diagram))


def test_cards_are_equally_wide_whatever_they_say():
    short = draw(Pipeline("p", ROLE, (Stage("S", (action("a"),)),)), engine=PURE)
    long = draw(Pipeline("p", ROLE, (Stage("W" * 100, (action("W" * 100, "W" * 30),)),)), engine=PURE)

    def card(diagram):
        shapes = ElementTree.fromstring(diagram.svg).iter(f"{SVG}polygon")
        spans = []
        for shape in shapes:
            xs = [float(point.split(",")[0]) for point in shape.get("points").split()]
            spans.append(round(max(xs) - min(xs)))
        return sorted(spans)

    assert card(short)[-2] == card(long)[-2]


NASTY = st.one_of(
    st.text(min_size=1, max_size=40),
    st.text(st.sampled_from("<>&\"'\\\n\t{}|[]:;%#→é日\u202e\x00"), min_size=1, max_size=20),
    st.sampled_from(
        ["<img src=x onerror=alert(1)>", "</title><script>x</script>", "\\N\\G\\", "<b>", "&lt;", "&amp;#60;", "]]>"]
    ),
)


@settings(max_examples=60)
@given(name=NASTY, stage=NASTY, act=NASTY, provider=NASTY, reason=NASTY, change=NASTY)
def test_no_name_breaks_the_text_or_becomes_markup(name, stage, act, provider, reason, change):
    pipeline = Pipeline(name, ROLE, (SMALL.stages[0], Stage(stage, (action(act, provider, inputs=["Code"]),))))
    door = StageState(stage, transition=TransitionState(False, reason, 0.0, "ops"), inbound=("E1", "E2"))
    known = executions(2)
    state = PipelineState(name, 1, 0.0, (door,), known.set("E1", replace(known["E1"], change=change)))
    diagram = draw(pipeline, state, artifacts=True, engine=PURE)
    parts = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(diagram.svg).iter()}
    assert parts <= {"svg", "g", "title", "desc", "polygon", "path", "text", "polyline", "ellipse"}
    html = diagram._repr_html_()
    assert "<img" not in html
    assert "<script" not in html


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", 'a "b" \\n & c', "<b>bold</b>", "&lt;"])
@ENGINES
def test_a_nasty_name_is_shown_as_it_is_written(engine, name):
    diagram = draw(Pipeline(name, ROLE, (Stage(name, (action(name),)),)), engine=engine)
    assert name[:5] in " ".join(words(diagram))
    assert f"stage {name}" in tooltips(diagram)


def test_a_picture_is_saved_by_its_suffix(tmp_path):
    diagram = draw(SMALL, engine=PURE)
    for suffix, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("dot", b"digraph"), ("PNG", b"\x89PNG")):
        assert diagram.save(tmp_path / f"picture.{suffix}").read_bytes().startswith(start)
    draw(SMALL, engine=PURE, path=tmp_path / "bare", format="png")
    assert (tmp_path / "bare").read_bytes() == diagram.png


def test_what_cannot_be_saved_is_refused_with_the_way_out(tmp_path):
    diagram = draw(SMALL, engine=PURE)
    with pytest.raises(SourceError, match=r"must end in one of \.svg, \.png, \.pdf, \.dot"):
        diagram.save(tmp_path / "picture.jpg")
    with pytest.raises(SourceError, match="cannot write"):
        diagram.save(tmp_path / "nowhere" / "picture.svg")
    with pytest.raises(MissingDependency, match="no PDF"):
        diagram.save(tmp_path / "picture.pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.dot
@pytest.mark.skipif(shutil.which("dot") is None, reason="no system Graphviz")
def test_a_pdf_is_made_where_an_engine_can():
    assert draw(SMALL, engine="dot").pdf.startswith(b"%PDF")


def test_a_trace_gives_the_state_at_a_moment_and_the_declaration_in_force():
    document = SMALL.to_document()
    grown = replace(SMALL, stages=(*SMALL.stages, Stage("Deploy", (action("Ship", "CodeDeploy"),))))
    events = [
        *made_by(document),
        Event(1.0, 1, EventKind.EXECUTION_STARTED, "E1", detail={"number": 1}),
        Event(1.0, 2, EventKind.STAGE_ENTERED, "E1", "Source", attempt=1),
        Event(60.0, 3, EventKind.PIPELINE_UPDATED, detail={"document": grown.to_document(), "version": 2}),
    ]
    trace = Trace(events)
    early = words(draw(SMALL, trace=trace, at=30.0, engine=PURE))
    assert "inside: #1" in early
    assert "Deploy" not in early
    assert "Deploy" in words(draw(SMALL, trace=trace, engine=PURE))
    assert "inside: #1" not in words(draw(SMALL, trace=trace, at=0.0, engine=PURE))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"at": 3.0}, "give the trace too"),
        ({"theme": "blue"}, "no theme 'blue'"),
        ({"format": "gif"}, "svg, png, pdf, dot"),
        ({"trace": made_by(SMALL.to_document()), "at": float("nan")}, "no moment of a trace"),
        ({"trace": made_by(SMALL.to_document()), "at": -1.0}, "0 or more"),
        ({"trace": made_by(SMALL.to_document()), "state": everything()}, "not both"),
        ({"columns": 0}, "columns=0 is no number of columns"),
        ({"columns": True}, "columns=True"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, said):
    with pytest.raises(SourceError, match=said):
        draw(SMALL, **arguments)


def test_the_picture_in_a_notebook_is_inline_and_named_for_screen_readers():
    diagram = draw(SHOP, everything(), engine=PURE, theme="dark")
    shown = diagram._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert "<?xml" not in shown["text/html"]
    assert f"background:{DARK.background}" in shown["text/html"]
    root = ElementTree.fromstring(shown["text/html"])
    svg = root.find(f"{SVG}svg")
    assert svg.get("role") == "img"
    assert svg.find(f"{SVG}title").text == "Pipeline shop, QUEUED mode"
    assert "Approval: In progress, inside: #2 c0ffee2, 2 waiting." in svg.find(f"{SVG}desc").text
    assert not [element for element in root.iter() if element.get("id")]
    width = float(svg.get("width").removesuffix("pt"))
    assert f"max-width:100%;min-width:{width * 0.65:.0f}pt" in svg.get("style")


def test_the_same_pipeline_gives_the_same_bytes():
    assert draw(SHOP, everything(), engine=PURE).svg == draw(SHOP, everything(), engine=PURE).svg
    assert render(draw(SMALL).dot, "svg", PURE) == render(draw(SMALL).dot, "svg", PURE)
