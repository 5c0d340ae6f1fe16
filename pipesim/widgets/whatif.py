"""What if, with sliders: every knob of a scenario, and at once what it does to lead time, waits and cost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile import to_toml
from pipesim.definition.model import Pipeline
from pipesim.errors import AssumptionError, PipesimError
from pipesim.whatif.blocks import VECTORISED, choose_engine
from pipesim.whatif.compare import Comparison
from pipesim.whatif.results import Replications
from pipesim.whatif.run import Course, Experiment, extend, gather, prepare
from pipesim.whatif.scenario import DAY, Horizon, Scenario, as_scenario, flowing
from pipesim.whatif.units import heading_of
from pipesim.widgets.assets import module, palette, read
from pipesim.widgets.forecast import NOW, forecast
from pipesim.widgets.knobs import Knob, Value, find_knob, knobs_of, length_for

KEPT = 24
"""How many settings are remembered with their results, so that going back costs nothing."""

REPORT = 0.25
IMPORTED = ("OfficeHours", "Poisson", "WorkingHours")
MEASURES = (
    "lead_time",
    "lead_time.p95",
    "waiting.stage lock",
    "waiting.approval",
    "waiting.pool",
    "shipped",
    "superseded",
    "failed",
    "cost.total",
)


class WhatIf(anywidget.AnyWidget):
    """Sliders and choices for everything that is assumed, and what comes of it, drawn anew at every turn.

    Each setting runs the same replications with the same luck. Where the fast path can, that takes a moment; where
    only the engine can, `n_slow` replications run in a thread and what is there so far is shown.

    Args:
        pipeline: the declaration, or a scenario.
        assumptions: what AWS does not write down; None: what the catalog assumes.
        n: how many replications.
        n_slow: how many where the fast path cannot run the scenario.
        days: how long each replication looks; None, without executions: so long that some forty changes arrive.
        executions: how many changes arrive in each at most.
        seed: the one number on which all luck hangs.

    Attributes:
        settings: the knobs that were turned, by name: ``{"pool builds": 3, "mode": "QUEUED"}``; empty: none.
            `knobs` tells the names and the values.
        measure: whose distribution is drawn.
        pinned: the settings of the baseline to compare with; None: nothing is pinned.
        busy: whether the engine is running in its thread.
        progress: how many replications of the present settings are there, of how many.
        message: why the present settings cannot be simulated; empty when they can.
        view: what the page shows (see `pipesim.widgets.forecast.forecast`).

    Raises:
        DeclarationError: the declaration breaks rules.
        AssumptionError: an assumption or an argument makes no sense.

    >>> import pipesim
    >>> whatif = WhatIf(pipesim.load("GitHub -> CodeBuild -> S3"), n=50)
    >>> whatif.pin()
    >>> whatif.settings = {"duration Build/CodeBuild": 600}
    >>> whatif.comparison.difference("now", "lead_time").excludes_zero
    True
    """

    _esm = module("dom.js", "whatif.js")
    _css = palette(".ps-box") + read("box.css") + read("whatif.css")

    knobs: traitlets.List[Any] = traitlets.List(read_only=True).tag(sync=True)
    measures: traitlets.List[Any] = traitlets.List(read_only=True).tag(sync=True)
    title = traitlets.Unicode(read_only=True).tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    measure = traitlets.Unicode("lead_time").tag(sync=True)
    pinned: traitlets.Dict[str, Any] | Any = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.List([0, 0]).tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        pipeline: Pipeline | Scenario,
        assumptions: Assumptions | None = None,
        *,
        n: int = 1000,
        n_slow: int = 100,
        days: float | None = None,
        executions: int | None = None,
        seed: int = 0,
        **traits: Any,
    ) -> None:
        for name, count in (("n", n), ("n_slow", n_slow)):
            if isinstance(count, bool) or not isinstance(count, int) or count < 2:
                raise AssumptionError(f"{name}={count!r} is no number of replications; give 2 or more")
        self.baseline = as_scenario(pipeline, assumptions)
        self.n, self.n_slow, self.seed = n, n_slow, seed
        self.days = length_for(flowing(self.baseline)) if days is None and executions is None else days
        self.executions = executions
        self.horizon = Horizon(executions, None if self.days is None else self.days * DAY)
        if self.days is not None or (executions or 0) > 1:
            self.baseline = flowing(self.baseline)
        choose_engine(self.baseline, self.horizon)
        self._knobs = knobs_of(self.baseline)
        self._kept: dict[str, Replications] = {}
        self._turn = 0
        self._worker: threading.Thread | None = None
        self._lock = threading.RLock()
        super().__init__(**traits)
        self.set_trait("knobs", [self._described(knob) for knob in self._knobs])
        self.set_trait("measures", [[name, heading_of(name)] for name in MEASURES])
        self.set_trait("title", self.baseline.pipeline.name)
        self.on_msg(self._hear)
        self.observe(self._follow, ["settings", "pinned", "measure"])
        self._redo()

    # --- what it is asked ------------------------------------------------------------------------

    @property
    def knob_names(self) -> tuple[str, ...]:
        """The names of all knobs."""
        return tuple(knob.name for knob in self._knobs)

    def knob(self, name: str) -> Knob:
        """Return a knob: its start, the values offered, what it edits.

        Raises:
            AssumptionError: there is none of this name.
        """
        return find_knob(self._knobs, name)

    def turn(self, name: str, value: Value) -> None:
        """Set one knob and leave the others as they are.

        Args:
            name: the knob's name, such as ``"pool builds"``.
            value: seconds, odds, changes a day, a count or a text, as the knob has it.

        Raises:
            TraitError: there is no such knob, or the value makes no sense.
        """
        self.settings = {**self.settings, name: value}

    def reset(self) -> None:
        """Set every knob to where it was."""
        self.settings = {}

    def pin(self) -> None:
        """Keep the present settings as the baseline to compare with."""
        self.pinned = dict(self.settings)

    def unpin(self) -> None:
        """Compare with nothing."""
        self.pinned = None

    def halt(self) -> None:
        """Stop the engine; what it has simulated so far stays."""
        self._turn += 1
        self._join()
        self.busy = False

    @property
    def scenario(self) -> Scenario:
        """The pipeline and the assumptions with the present settings.

        Raises:
            AssumptionError: a setting cannot be made, such as a mode that the pipeline's type does not have.
        """
        return self._scenario(self.settings)

    @property
    def result(self) -> Replications:
        """The replications of the present settings; where the engine is still at work, it is waited for.

        Raises:
            PipesimError: the present settings cannot be simulated.
        """
        self._join()
        return self._result(self.settings)

    @property
    def comparison(self) -> Comparison:
        """The pinned baseline and the present settings (as ``"now"``), replication by replication.

        Raises:
            AssumptionError: nothing is pinned.
        """
        if self.pinned is None:
            raise AssumptionError("nothing is pinned: call pin() at the settings to compare with")
        return Comparison(self._result(self.pinned), {NOW: self.result})

    @property
    def code(self) -> str:
        """Python code that gives the same numbers."""
        calls = [knob.call(value) for knob, value in self._turned(self.settings)]
        edits = "\n    | ".join(call.code for call in calls)
        text = to_toml(self.baseline.assumptions)
        names = ["edit", *(name for name in IMPORTED if f"{name}(" in edits)]
        n = self._replications(self.scenario)
        lines = ["import datetime\n" if "datetime." in edits else "", "import pipesim\n"]
        lines.append(f"from pipesim import {', '.join(names)}\n" if calls else "")
        lines.append(
            f"\npipeline = pipesim.load({_literal(json.dumps(self.baseline.pipeline.to_document(), indent=1))})\n"
        )
        lines.append(f"assumptions = pipesim.load_profile({_literal(text)})\n")
        lines.append("scenario = pipesim.Scenario(pipeline, assumptions)\n")
        lines.append(f"change = (\n    {edits}\n)\nscenario = change(scenario)\n" if calls else "")
        horizon = f"days={self.days!r}" if self.days is not None else ""
        horizon += f"{', ' if horizon else ''}executions={self.executions!r}" if self.executions is not None else ""
        lines.append(f"result = pipesim.replicate(scenario, n={n}, {horizon}, seed={self.seed})\nprint(result)\n")
        return "".join(lines)

    @property
    def toml(self) -> str:
        """The present assumptions as a profile; the execution mode, which no profile holds, stands in a comment."""
        scenario = self.scenario
        mode = scenario.pipeline.execution_mode
        said = f"# execution mode of the pipeline: {mode}\n" if mode != self.baseline.pipeline.execution_mode else ""
        return said + to_toml(scenario.assumptions)

    def __repr__(self) -> str:
        turned = ", ".join(f"{name}={value!r}" for name, value in self.settings.items()) or "as it is"
        return f"<WhatIf of {self.baseline.pipeline.name!r}: {turned}>"

    # --- inside ----------------------------------------------------------------------------------

    @traitlets.validate("settings")
    def _check_settings(self, proposal: Any) -> dict[str, Value]:
        return self._checked(proposal["value"])

    @traitlets.validate("pinned")
    def _check_pinned(self, proposal: Any) -> dict[str, Value] | None:
        return None if proposal["value"] is None else self._checked(proposal["value"])

    @traitlets.validate("measure")
    def _check_measure(self, proposal: Any) -> str:
        if proposal["value"] not in MEASURES:
            raise traitlets.TraitError(f"{proposal['value']!r} is not drawn; choose one of {', '.join(MEASURES)}")
        return str(proposal["value"])

    def _checked(self, settings: Mapping[str, Value]) -> dict[str, Value]:
        """The settings that differ from where the knobs were."""
        found = {}
        try:
            for name, value in settings.items():
                knob = find_knob(self._knobs, name)
                checked = knob.checked(value)
                if checked != knob.start:
                    found[name] = checked
        except AssumptionError as error:
            raise traitlets.TraitError(str(error)) from None
        return found

    def _turned(self, settings: Mapping[str, Value]) -> list[tuple[Knob, Value]]:
        """The turned knobs in the order of the page, so that the same settings are the same edits."""
        return [(knob, settings[knob.name]) for knob in self._knobs if knob.name in settings]

    def _scenario(self, settings: Mapping[str, Value]) -> Scenario:
        scenario = self.baseline
        for knob, value in self._turned(settings):
            scenario = knob.call(value).edit(scenario)
        return scenario

    def _replications(self, scenario: Scenario) -> int:
        return self.n if choose_engine(scenario, self.horizon)[0] == VECTORISED else min(self.n, self.n_slow)

    def _course(self, settings: Mapping[str, Value]) -> tuple[Course, Experiment, int]:
        scenario = self._scenario(settings)
        how = Experiment(self.seed, progress=False, patience=float("inf"))
        course = prepare([scenario], self.horizon, how)[0]
        return course, how, self.n if course.engine == VECTORISED else min(self.n, self.n_slow)

    def _result(self, settings: Mapping[str, Value]) -> Replications:
        """The finished replications of some settings, run here when they are not remembered."""
        with self._lock:
            known = self._kept.pop(key := _key(settings), None)
            if known is None:
                course, how, n = self._course(settings)
                extend([course], n, how)
                known = gather(course, how)
            self._remember(key, known)
            return known

    def _remember(self, key: str, result: Replications) -> None:
        self._kept[key] = result
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def _follow(self, change: Any) -> None:
        self._redo()

    def _redo(self) -> None:
        """Show what the present settings give; the engine works in a thread, which the next turn of a knob stops."""
        began = time.perf_counter()
        self._turn += 1
        self._join()
        settings = dict(self.settings)
        try:
            course, how, n = self._course(settings)
        except PipesimError as error:
            self._say(str(error))
            return
        self.message = ""
        if course.engine == VECTORISED or _key(settings) in self._kept:
            self._attempt(lambda: self._show(self._result(settings), n, began))
            self.busy = False
            return
        self.busy, self.progress = True, [0, n]
        turn = self._turn
        self._worker = threading.Thread(
            target=self._attempt,
            args=(lambda: self._go_on(turn, settings, course, how, n, began),),
            daemon=True,
            name="pipesim what if",
        )
        self._worker.start()

    def _go_on(
        self, turn: int, settings: Mapping[str, Value], course: Course, how: Experiment, n: int, began: float
    ) -> None:
        told = 0.0
        while course.done < n and turn == self._turn:
            extend([course], min(n, max(2, course.done + 1)), how)
            if time.perf_counter() - told > REPORT or course.done >= n:
                self._show(gather(course, how), n, began)
                told = time.perf_counter()
        if course.done >= n:
            with self._lock:
                self._remember(_key(settings), gather(course, how))
        if turn == self._turn:
            self.busy = False

    def _show(self, result: Replications, n: int, began: float) -> None:
        with self._lock:
            before = None if self.pinned is None else self._result(self.pinned)
            facts = forecast(result, self.measure, before)
        self.progress = [result.n, n]
        values = {knob.name: self.settings.get(knob.name, knob.start) for knob in self._knobs}
        self.view = {
            **facts,
            "texts": {knob.name: knob.text(values[knob.name]) for knob in self._knobs},
            "settings": dict(self.settings),
            "took": round((time.perf_counter() - began) * 1000, 1),
        }

    def _attempt(self, do: Callable[[], None]) -> None:
        try:
            do()
        except PipesimError as error:
            self._say(str(error))

    def _say(self, text: str) -> None:
        self.message = text
        self.busy = False

    def _join(self) -> None:
        worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join()
            self._worker = None

    def _described(self, knob: Knob) -> dict[str, Any]:
        return {
            "name": knob.name,
            "label": knob.label,
            "group": knob.group,
            "choice": knob.is_choice,
            "start": knob.start,
            "offers": [[value, knob.text(value)] for value in knob.offers],
        }

    def _hear(self, _: Any, content: Mapping[str, Any], buffers: Any) -> None:
        """Answer what a button of the page asks for."""
        what = content.get("do")
        if what == "halt":
            self.halt()
        elif what in ("python", "toml"):
            try:
                self.send({"text": self.code if what == "python" else self.toml, "what": what})
            except PipesimError as error:
                self._say(str(error))


def _key(settings: Mapping[str, Value]) -> str:
    return json.dumps(settings, sort_keys=True)


def _literal(text: str) -> str:
    """A text as a Python literal that people can read."""
    return repr(text) if "'''" in text or text.endswith("'") else f"r'''{text}'''"
