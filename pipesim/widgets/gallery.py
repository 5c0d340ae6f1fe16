"""The course's pipelines for a projector: choose one, and see its picture, its day and its knobs in big type."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType
from typing import Any, NamedTuple

import ipywidgets
import traitlets

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile import load_profile
from pipesim.assumptions.units import days
from pipesim.definition.model import Pipeline
from pipesim.engine import simulate
from pipesim.errors import SourceError
from pipesim.formats.load import load
from pipesim.formats.samples import sample, sample_profile
from pipesim.views.diagram import draw
from pipesim.widgets.assets import palette, read
from pipesim.widgets.player import Player
from pipesim.widgets.whatif import WhatIf
from pipesim.widgets.workbench import Workbench

PICTURE, PLAY, WHAT_IF = range(3)
TITLES = ("Picture", "A day as a film", "What if")
WORKBENCH = "workbench"
COLUMNS = 6
"""Cards of a picture side by side, so that the last row of a room can read it."""


class Exhibit(NamedTuple):
    """What stands on a card.

    Attributes:
        title: in large letters.
        text: one sentence about it.
    """

    title: str
    text: str


EXHIBITS: Mapping[str, Exhibit] = MappingProxyType(
    {
        "startup": Exhibit("Startup", "The smallest useful one: a build, and one person who says yes."),
        "e-commerce": Exhibit("E-commerce", "A shop: builds and tests side by side, staging, a yes, blue/green."),
        "enterprise": Exhibit("Enterprise", "Three environments, and two people who must say yes."),
        "microservices": Exhibit("Microservices", "Two services built and deployed side by side, tested together."),
        WORKBENCH: Exhibit("Workbench", "Build a pipeline of your own, run it and turn its knobs."),
    }
)
"""What stands on the cards, by the name of the sample pipeline."""


class Gallery(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The course's four pipelines and the workbench as cards; an open one fills the page.

    Args:
        dark: whether the pictures are drawn for a dark page.
        seed: the number on which all luck hangs.

    Attributes:
        opened: the name of the pipeline that is open, or ``workbench``; empty: the cards are shown.
        tab: which tab of an open pipeline is shown: 0 its picture, 1 a day as a film, 2 the knobs.

    >>> gallery = Gallery(seed=1)
    >>> gallery.opened = "startup"
    >>> gallery.tab = 1
    >>> gallery.player.film.kinds[0]
    'PipelineCreated'
    """

    opened = traitlets.Unicode("")
    tab = traitlets.Int(PICTURE)

    def __init__(self, *, dark: bool = False, seed: int = 0) -> None:
        self.theme = "dark" if dark else "light"
        self.seed = seed
        self.player: Player | None = None
        self.whatif: WhatIf | None = None
        self.workbench: Workbench | None = None
        self._tabs: ipywidgets.Tab | None = None
        self._look = ipywidgets.HTML(f"<style>{palette('.ps-gallery')}{read('gallery.css')}</style>")
        self._cards = self._all_cards()
        super().__init__([self._look, *self._cards])
        self.add_class("ps-gallery")

    @traitlets.validate("opened")
    def _known(self, proposal: Any) -> str:
        name = str(proposal["value"])
        if name and name not in EXHIBITS:
            raise SourceError(f"there is no {name!r} in the gallery (there are {', '.join(EXHIBITS)})")
        return name

    @traitlets.observe("opened")
    def _open(self, change: Any) -> None:
        self._put_away()
        name = change["new"]
        if not name:
            self.children = (self._look, *self._cards)
            return
        back = _button("← All pipelines", "ps-gallery-back", lambda: self.set_trait("opened", ""))
        head = ipywidgets.HBox([back, ipywidgets.HTML(f"<h1>{escape(EXHIBITS[name].title)}</h1>")])
        head.add_class("ps-gallery-head")
        self.children = (self._look, head, self._workbench() if name == WORKBENCH else self._room(name))

    def _turned(self, change: Any) -> None:
        """Follow the page; while its tabs get new children, none is selected for a moment."""
        if change["new"] is not None:
            self.tab = change["new"]

    @traitlets.observe("tab")
    def _fill(self, _: Any = None) -> None:
        """Make what a tab shows when it is first looked at: a film and the knobs take a moment."""
        if self._tabs is None:
            return
        self._tabs.selected_index = self.tab
        pipeline, habits = _exhibit(self.opened)
        if self.tab == PLAY and self.player is None:
            self.player = Player(simulate(pipeline, habits, seed=self.seed, until=days(1)))
            self._put(PLAY, self.player)
        elif self.tab == WHAT_IF and self.whatif is None:
            self.whatif = WhatIf(pipeline, habits, seed=self.seed)
            self._put(WHAT_IF, self.whatif)

    def _room(self, name: str) -> ipywidgets.Tab:
        pipeline, _ = _exhibit(name)
        picture = ipywidgets.HTML(draw(pipeline, theme=self.theme, columns=COLUMNS)._repr_html_())
        picture.add_class("ps-gallery-picture")
        waiting = [ipywidgets.HTML("<p>One moment …</p>") for _ in (PLAY, WHAT_IF)]
        self._tabs = ipywidgets.Tab([picture, *waiting], titles=TITLES)
        self._tabs.observe(self._turned, "selected_index")
        return self._tabs

    def _workbench(self) -> Workbench:
        self.workbench = self.workbench or Workbench(seed=self.seed)
        return self.workbench

    def _put(self, place: int, widget: ipywidgets.Widget) -> None:
        assert self._tabs is not None
        children = list(self._tabs.children)
        children[place] = widget
        self._tabs.children = children

    def _put_away(self) -> None:
        """Stop and close what was open; the workbench keeps what somebody built there."""
        for widget in (self.player, self.whatif):
            if widget is not None:
                widget.halt()
                widget.close()
        tabs, self._tabs, self.player, self.whatif = self._tabs, None, None, None
        self.tab = PICTURE
        if tabs is not None:
            tabs.close()

    def _all_cards(self) -> tuple[ipywidgets.Widget, ...]:
        head = ipywidgets.HTML("<h1>Pipelines</h1>")
        cards = ipywidgets.Box([self._card(name, exhibit) for name, exhibit in EXHIBITS.items()])
        cards.add_class("ps-gallery-cards")
        return head, cards

    def _card(self, name: str, exhibit: Exhibit) -> ipywidgets.VBox:
        picture = facts = ""
        if name != WORKBENCH:
            pipeline, _ = _exhibit(name)
            picture = _image(draw(pipeline, theme=self.theme, columns=COLUMNS).svg, f"Diagram of {exhibit.title}")
            actions = sum(len(stage.actions) for stage in pipeline.stages)
            facts = f"<p class='ps-gallery-facts'>{len(pipeline.stages)} stages, {actions} actions</p>"
        words = f"<h2>{escape(exhibit.title)}</h2><p>{escape(exhibit.text)}</p>{facts}{picture}"
        button = _button(f"Open {exhibit.title}", f"ps-open-{name}", lambda: self.set_trait("opened", name))
        card = ipywidgets.VBox([ipywidgets.HTML(words), button])
        card.add_class("ps-gallery-card")
        return card


def _exhibit(name: str) -> tuple[Pipeline, Assumptions]:
    return load(sample(name)), load_profile(sample_profile(name))


def _image(svg: bytes, words: str) -> str:
    return f"<img alt='{escape(words, True)}' src='data:image/svg+xml;base64,{b64encode(svg).decode()}'>"


def _button(text: str, name: str, do: Callable[[], object]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=text, button_style="primary")
    button.add_class(name)
    button.on_click(lambda _: do())
    return button
