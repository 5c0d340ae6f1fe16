"""Charts of numbers: alternative text, the table beside, units, grey print, names that are hostile."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from pipesim.errors import SourceError
from pipesim.views.bands import bands
from pipesim.views.chart import Chart
from pipesim.views.ecdf import ecdf
from pipesim.views.frontier import best_of_both, frontier
from pipesim.views.heatmap import heatmap
from pipesim.views.paired import Pairs, paired
from pipesim.views.stacks import stacks
from pipesim.views.tornado import Bar, tornado
from pipesim.views.wip import wip

RNG = np.random.default_rng(1)
LONG = RNG.lognormal(9, 0.3, 80)
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOSTILE = "<b>$x_1$</b> & \n" + "long " * 30

CHARTS: dict[str, Callable[[str, str], Chart]] = {
    "ecdf": lambda name, theme: ecdf({name: LONG, "other": LONG * 2}, "s", "lead time", theme=theme),
    "bands": lambda name, theme: bands([1, 2], [LONG, LONG * 2], "s", "lead time", name, theme=theme),
    "wip": lambda name, theme: wip(
        np.linspace(0, 864_000, 50), RNG.poisson(4, (20, 50)), START, warm_up=90_000, name=name, theme=theme
    ),
    "paired": lambda name, theme: paired(
        {name: Pairs(LONG - 9000, -500, -700, -300), "no": Pairs([], math.nan, math.nan, math.nan, "unstable: x")},
        "s", "lead time", theme=theme,
    ),
    "tornado": lambda name, theme: tornado(
        [Bar(name, (-60, -70, -50), (80, 70, 90)), Bar("b", (math.nan,) * 3, (5, 1, 9))], "s", "lead time", 900,
        theme=theme,
    ),
    "stacks": lambda name, theme: stacks({name: {"work": 100, "approval": 300, "pool": 0}}, theme=theme),
    "frontier": lambda name, theme: frontier(
        {name: (60, 3), "b": (80, 2), "c": (90, 9), "d": (math.nan, 1)}, theme=theme
    ),
    "heatmap": lambda name, theme: heatmap(
        [[60, 120], [math.nan, 90]], [1, 2], [3, 4], "s", "lead time", (name, "k"), theme=theme
    ),
}  # fmt: skip
each = pytest.mark.parametrize("kind", CHARTS)


@each
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_draws_in_both_themes_with_its_alternative_text(kind: str, theme: str) -> None:
    chart = CHARTS[kind]("plain", theme)
    tree = ElementTree.fromstring(chart.to_bytes("svg"))

    assert tree.get("aria-label") == chart.alt
    assert len(chart.alt) > 40
    assert chart.to_bytes("png").startswith(b"\x89PNG")


@each
def test_the_table_stands_beside_the_picture(kind: str) -> None:
    chart = CHARTS[kind]("plain", "light")

    assert len(chart.rows) >= 2
    assert {len(row) for row in chart.rows} == {len(chart.rows[0])}
    assert "<table>" in chart._repr_html_()
    assert "<img" in chart._repr_html_()


@each
def test_names_of_any_kind_are_only_text(kind: str) -> None:
    chart = CHARTS[kind](HOSTILE, "light")

    assert "<b>" not in chart._repr_html_()
    ElementTree.fromstring(chart.to_bytes("svg"))


@each
def test_units_are_said(kind: str) -> None:
    chart = CHARTS[kind]("plain", "light")
    words = " ".join(cell for row in chart.rows for cell in row) + chart.title + chart.alt

    assert any(unit in words for unit in ("minutes", "seconds", "hours", "executions"))


def test_curves_differ_in_more_than_colour() -> None:
    axes = CHARTS["ecdf"]("plain", "light").figure.axes[0]
    first, second = axes.get_lines()

    assert first._dash_pattern != second._dash_pattern


def test_stacked_parts_differ_in_hatching() -> None:
    patches = CHARTS["stacks"]("plain", "light").figure.axes[0].patches

    assert len({patch.get_hatch() for patch in patches}) == 2


def test_an_ecdf_reaches_its_quantiles() -> None:
    line = ecdf({"a": np.array([60.0, 120, 180, 240, math.nan])}, "s", "lead time").figure.axes[0].get_lines()[0]
    minutes, shares = line.get_data()

    assert list(minutes) == [1, 1, 2, 3, 4]
    assert list(shares) == [0, 0.25, 0.5, 0.75, 1]


def test_the_frontier_is_what_nothing_beats() -> None:
    assert best_of_both({"a": (1, 9), "b": (2, 9), "c": (3, 1), "d": (3, 4)}) == ["a", "c"]


def test_the_heat_map_finds_the_smallest() -> None:
    assert "smallest, 60 seconds, at 1 and 3" in CHARTS["heatmap"]("plain", "light").alt


@pytest.mark.parametrize(
    "draw",
    [
        lambda: ecdf({}, "s", "x"),
        lambda: bands([], [], "s", "x", "k"),
        lambda: paired({}, "s", "x"),
        lambda: tornado([], "s", "x", 1),
        lambda: stacks({}),
        lambda: frontier({}),
        lambda: heatmap([], [], [], "s", "x", ("a", "b")),
        lambda: wip([], [], START),
    ],
)
def test_nothing_to_draw_is_said(draw: Callable[[], Chart]) -> None:
    with pytest.raises(SourceError, match="nothing to draw"):
        draw()


def test_samples_without_numbers_say_so() -> None:
    chart = ecdf({"a": np.array([math.nan, math.nan])}, "s", "lead time")

    assert b"<svg" in chart.to_bytes("svg")
    assert chart.rows[1] == ("a", "–", "–", "–", "0")


def test_no_theme_of_that_name() -> None:
    with pytest.raises(SourceError, match="no theme 'pink'"):
        ecdf({"a": LONG}, "s", "lead time", theme="pink")


def test_names_of_scenarios_that_lie_close_do_not_cover_each_other() -> None:
    close = {
        "own stage Production/BlueGreen": (16_440.0, 213.1),
        "baseline": (16_500.0, 213.2),
        "far": (15_600.0, 197.5),
    }
    figure = frontier(close).figure
    names = [text for text in figure.axes[0].texts if text.get_text() in close]
    boxes = [text.get_window_extent() for text in names]

    assert len(names) == len(close)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
