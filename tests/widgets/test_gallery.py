"""The gallery as a Python object, and the notebook that serves it: no browser."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from pipesim.errors import SourceError
from pipesim.widgets import Gallery
from pipesim.widgets.gallery import EXHIBITS, PICTURE, PLAY, WHAT_IF, WORKBENCH


@pytest.mark.parametrize("name", [name for name in EXHIBITS if name != WORKBENCH])
def test_a_pipeline_opens_as_picture_film_and_knobs(name: str):
    gallery = Gallery(dark=True, seed=2)
    gallery.opened = name
    assert "<svg" in gallery._tabs.children[PICTURE].value

    gallery.tab = PLAY
    assert gallery._tabs.children[PLAY] is gallery.player
    assert gallery.player.film.pipeline.name == name
    assert "ExecutionSucceeded" in gallery.player.film.kinds or "ApprovalRequested" in gallery.player.film.kinds

    gallery.tab = WHAT_IF
    assert gallery._tabs.children[WHAT_IF] is gallery.whatif
    assert gallery.whatif.title == name
    gallery.opened = ""
    assert (gallery.player, gallery.whatif, gallery.tab) == (None, None, PICTURE)


def test_the_page_turns_the_tabs_and_selects_none_for_a_moment():
    gallery = Gallery()
    gallery.opened = "startup"
    for index, tab in ((1, 1), (None, 1), (0, 0)):
        gallery._tabs.selected_index = index
        assert gallery.tab == tab
    assert gallery.player is not None


def test_every_card_opens_its_own_and_the_workbench_keeps_what_was_built():
    gallery = Gallery()
    for card, name in zip(gallery._cards[1].children, EXHIBITS, strict=True):
        card.children[1].click()
        assert gallery.opened == name
        gallery.opened = ""
    bench = gallery.workbench
    gallery.opened = WORKBENCH
    assert gallery.workbench is bench and bench in gallery.children


def test_what_is_not_in_the_gallery_is_told():
    with pytest.raises(SourceError, match=r"no 'shop' in the gallery .*startup"):
        Gallery().opened = "shop"


def test_the_notebook_that_is_served_makes_the_gallery():
    (cell,) = import_module("pipesim.cli.app").gallery(3, True)["cells"]
    room: dict[str, Any] = {}
    *before, last = cell["source"].splitlines()
    exec("\n".join(before), room)
    gallery = eval(last, room)
    assert (gallery.theme, gallery.seed) == ("dark", 3)
