import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime

import pytest

from pipesim.errors import SourceError
from pipesim.views.figures import Picture, Ruler, midnights, new_figure, one_line, time_ticks, write


def picture(text: str = "hello") -> Picture:
    figure = new_figure(3, 1, "#123456")
    axes = figure.add_axes((0, 0, 1, 1))
    write(axes, 0.5, 0.5, text, size=9, colour="#ffffff")
    return Picture(figure, alt='one <picture> & "more"', title="t")


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_it_is_saved_in_the_format_of_its_name(tmp_path, suffix, begins):
    path = picture().save(tmp_path / f"p.{suffix.upper()}")

    assert path.read_bytes().startswith(begins)


@pytest.mark.parametrize("name", ["p.gif", "p", "p.html"])
def test_other_endings_are_refused_with_the_way_out(tmp_path, name):
    with pytest.raises(SourceError, match=r"\.svg or \.png or \.pdf"):
        picture().save(tmp_path / name)


def test_a_missing_folder_is_a_sentence_and_no_traceback_of_the_system(tmp_path):
    with pytest.raises(SourceError, match=r"cannot write .*No such file"):
        picture().save(tmp_path / "none" / "p.png")


def test_an_unknown_format_is_named():
    with pytest.raises(SourceError, match="'bmp'"):
        picture().to_bytes("bmp")


def test_the_same_picture_gives_the_same_svg():
    assert picture().to_bytes("svg") == picture().to_bytes("svg")


def test_svg_and_html_carry_the_alternative_text_escaped():
    root = ElementTree.fromstring(picture().to_bytes("svg"))
    html = picture()._repr_html_()

    assert root.get("aria-label") == 'one <picture> & "more"'
    assert root.get("role") == "img"
    assert 'alt="one &lt;picture&gt; &amp; &quot;more&quot;"' in html
    assert 'src="data:image/png;base64,' in html


def test_dollars_and_rare_characters_are_plain_text(recwarn):
    picture("cost $x^2$ 漢字 \ue000").to_bytes("svg")

    assert not list(recwarn)


def test_a_figure_may_be_made_when_first_needed():
    made = []

    def make():
        made.append(1)
        return new_figure(1, 1, "#ffffff")

    lazy = Picture(make, alt="a")
    assert not made
    assert lazy.figure is lazy.figure
    assert made == [1]


def test_pyplot_stays_untouched():
    import matplotlib.pyplot

    before = matplotlib.pyplot.get_fignums()
    picture().to_bytes("png")

    assert matplotlib.pyplot.get_fignums() == before


def test_a_ruler_measures_and_shortens():
    ruler = Ruler()

    assert ruler.width("wide wide", 9) > ruler.width("wide", 9) > ruler.width("i", 9) > 0
    assert ruler.width("wide", 9, "bold") > ruler.width("wide", 9)
    short = ruler.shortened("a very long name indeed", 50, 9)
    assert short.endswith("…") and ruler.width(short, 9) <= 50
    assert ruler.shortened("short", 500, 9) == "short"
    assert ruler.first_fitting(("a very long name", "name", "n"), ruler.width("name", 9), 9) == "name"
    assert ruler.first_fitting(("name",), 1, 9) is None


@pytest.mark.parametrize("span", [0.5, 5, 60, 119, 600, 7200, 14399, 50_000, 250_000, 1e6, 3e7, 1e9])
def test_an_axis_of_time_has_few_ticks_inside_its_span(span):
    _, places, labels = time_ticks(3.0, 3.0 + span)

    assert 2 <= len(places) <= 13
    assert len(set(labels)) == len(labels)
    assert all(3.0 <= place <= 3.0 + span for place in places)


def test_midnights_are_named():
    start = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)

    assert midnights(start, 0, 40 * 3600) == [(36000.0, "Tue 3 Mar"), (122400.0, "Wed 4 Mar")]
    assert midnights(start, 0, 3600) == []


def test_one_line_keeps_no_control_character():
    assert one_line("a\x00b\nc\u2028d\ud800e") == "a b c d e"
