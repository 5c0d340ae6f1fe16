"""All at one place: build a pipeline, watch it run, turn the knobs. The page that ``pipesim app`` opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets
import traitlets

from pipesim.assumptions.arrivals import At
from pipesim.assumptions.model import Approver, Assumptions
from pipesim.definition.model import Pipeline
from pipesim.engine import Simulation, Start, Update
from pipesim.errors import PipesimError, SourceError
from pipesim.widgets.builder import Builder
from pipesim.widgets.player import Player
from pipesim.widgets.whatif import WhatIf

BUILD, RUN, WHAT_IF = range(3)
TITLES = ("Build", "Run", "What if")
NOTHING_RUNS = "Nothing runs yet: build a pipeline and press Run."
NOTHING_ASKED = "Press What if, and the knobs of the pipeline as it stands appear here."

READABLE = "<style>.ps-app .lm-TabBar-tabLabel{color:var(--jp-ui-font-color1,#1f2328)}</style>"
"""Lumino's labels of closed tabs have too little contrast."""


class Workbench(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A builder, a player and the knobs, each in a tab, with buttons that hand the pipeline on.

    Args:
        pipeline: what to begin with: whatever `pipesim.load` takes; None: a pipeline without stages.
        assumptions: what AWS does not write down; changes are started and approvals answered by hand in the Run
            tab, the What if tab takes arrivals and approvers from here.
        seed: the number on which all luck hangs.

    Attributes:
        builder: the builder.
        player: the player of the simulation that runs; None before `run`.
        whatif: the knobs; None before `ask`.
        tab: which tab is open: 0, 1 or 2.
        message: what went wrong last; empty when nothing did.

    >>> bench = Workbench("GitHub -> CodeBuild -> S3")
    >>> bench.run().film.kinds[-1]
    'ExecutionStarted'
    """

    tab = traitlets.Int(0)
    message = traitlets.Unicode("")

    def __init__(self, pipeline: Any = None, assumptions: Assumptions | None = None, *, seed: int = 0) -> None:
        self.assumptions = assumptions or Assumptions()
        self.seed = seed
        self.builder = Builder(pipeline)
        self.player: Player | None = None
        self.whatif: WhatIf | None = None
        self._tabs = ipywidgets.Tab([self.builder, _hint(NOTHING_RUNS), _hint(NOTHING_ASKED)], titles=TITLES)
        self._said = ipywidgets.HTML()
        buttons = [
            _button("▶ Run", "Run the pipeline as it stands, with a first change", self.run, "ps-app-run", "primary"),
            _button("Update", "Put the pipeline as it stands in force while it runs", self.update, "ps-app-update"),
            _button("What if", "Turn the knobs of the pipeline as it stands", self.ask, "ps-app-ask"),
        ]
        self._buttons = [ipywidgets.Button(**members) for members, *_ in buttons]
        for button, (_, do, name) in zip(self._buttons, buttons, strict=True):
            button.add_class(name)
            button.on_click(self._trying(do))
        self._buttons[1].disabled = True
        bar = ipywidgets.HBox(self._buttons, layout=ipywidgets.Layout(flex_flow="row wrap"))
        super().__init__([ipywidgets.HTML(READABLE), bar, self._said, self._tabs])
        self.add_class("ps-app")
        traitlets.link((self, "tab"), (self._tabs, "selected_index"))

    def run(self) -> Player:
        """Simulate the pipeline as it stands, start a first change, and return the player.

        Raises:
            DeclarationError: something is missing or wrong.
            AssumptionError: an assumption names something that the pipeline does not have.
        """
        pipeline = self.builder.pipeline
        by_hand = replace(self.assumptions, arrivals=At(()), approvals={"*": Approver()})
        simulation = Simulation(pipeline, by_hand, seed=self.seed)
        if self.player is not None:
            self.player.halt()
            self.player.close()
        simulation.send(Start())
        self.player = Player(simulation)
        self._show(RUN, self.player)
        self._buttons[1].disabled = False
        return self.player

    def update(self) -> None:
        """Put the pipeline as it stands in force while the old one runs.

        Raises:
            DeclarationError: something is missing or wrong.
            SourceError: nothing runs.
            Refused: the service would refuse it, such as another name.
        """
        if self.player is None:
            raise SourceError(NOTHING_RUNS)
        self.player.do(Update(self.builder.pipeline))
        self.tab = RUN

    def ask(self) -> WhatIf:
        """Show the knobs of the pipeline as it stands, and return them.

        Raises:
            DeclarationError: something is missing or wrong.
            AssumptionError: an assumption names something that the pipeline does not have.
        """
        pipeline: Pipeline = self.builder.pipeline
        fresh = WhatIf(pipeline, self.assumptions, seed=self.seed)
        if self.whatif is not None:
            self.whatif.halt()
            self.whatif.close()
        self.whatif = fresh
        self._show(WHAT_IF, fresh)
        return fresh

    def _show(self, place: int, widget: ipywidgets.Widget) -> None:
        children = list(self._tabs.children)
        children[place] = widget
        self._tabs.children = children
        self.tab = place

    def _trying(self, do: Callable[[], Any]) -> Callable[[Any], None]:
        def click(_: Any) -> None:
            self.message = ""
            try:
                do()
            except PipesimError as error:
                self.message = str(error)

        return click

    @traitlets.observe("message")
    def _say(self, change: Any) -> None:
        text = escape(change["new"])
        self._said.value = f'<pre role="alert" style="white-space:pre-wrap">{text}</pre>' if text else ""


def _button(
    text: str, tooltip: str, do: Callable[[], Any], name: str, style: str = ""
) -> tuple[dict[str, Any], Callable[[], Any], str]:
    return {"description": text, "tooltip": tooltip, "button_style": style}, do, name


def _hint(text: str) -> ipywidgets.HTML:
    return ipywidgets.HTML(f"<p>{escape(text)}</p>")
