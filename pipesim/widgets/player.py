"""The player: a trace as a film, or a simulation that one takes part in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.units import days as in_days
from pipesim.assumptions.units import hours as in_hours
from pipesim.assumptions.units import minutes as in_minutes
from pipesim.definition.model import Pipeline
from pipesim.engine import Break, Command, Repair, Simulation
from pipesim.errors import PipesimError, Refused, SourceError
from pipesim.trace.events import Event
from pipesim.trace.log import Trace
from pipesim.trace.state import Fold
from pipesim.views.board import Board, board
from pipesim.views.theme import WORDS
from pipesim.widgets.assets import module, palette, read
from pipesim.widgets.details import rows
from pipesim.widgets.film import INTERESTING, Film
from pipesim.widgets.live import After, Goal, Happening, Live, Pace, Until, command_from
from pipesim.widgets.pipeline_of_cloud import PipelineOfCloud

if TYPE_CHECKING:
    from pandas import DataFrame

    from pipesim.cloud.account import Cloud

SPEEDS = (1.0, 10.0, 60.0, 300.0, 1800.0, 3600.0, 21_600.0, 86_400.0, 604_800.0)
"""Simulated seconds in one second of watching."""

WATCHING = 40.0
"""About how many seconds the film of a whole trace takes at the speed chosen for it."""

IDLE = "Nothing happens any more by itself: start a change, or answer what waits."

SELECTIONS: Mapping[str, int] = {"stage": 2, "action": 3, "execution": 2}


class Player(anywidget.AnyWidget):
    """A board that moves: play, pause, scrub and step through a trace, or take part in a simulation.

    Args:
        source: a trace; or a simulation or a cloud, to which the buttons then send commands.
        pipeline: the declaration, for a trace whose first event does not hold it; of a cloud, the pipeline or its
            name, where there are several.
        height: of the board and the log at most, as CSS has it (``"30rem"``), or pixels; None: as they need.

    Attributes:
        clock: the moment shown, in seconds since the start.
        place: how many events have happened by then; tells moments apart at which several things happen.
        playing: whether time passes.
        speed: simulated seconds in one real second.
        selection: ``("stage", name)``, ``("action", stage, name)``, ``("execution", id)`` or ``()``.
        filter: words that a line of the log must contain, all of them.
        artifacts: whether the actions show their artifacts.
        as_table: whether a table stands in the board's place.
        live: whether a simulation or a cloud stands behind it.
        logs: of a selected action in a cloud, where its log stands (``group``, ``stream``) and its ``lines``.
        busy: whether the simulation is running on in its thread.
        broken: the actions that were broken by hand, as ``Stage/Action``.
        refusal: the last command's refusal, as ``code`` and ``message``; empty when it was carried out.
        notice: what else the page should say, such as that nothing is left to happen.

    Raises:
        SourceError: the source is neither a trace nor a simulation nor a cloud, or the cloud has no such pipeline.
        TraceError: the trace does not fit together.

    >>> import pipesim
    >>> player = Player(pipesim.simulate(pipesim.load("GitHub -> CodeBuild -> S3"), seed=1))
    >>> player.seek(20)
    >>> player.table.loc[0, "action"], player.table.loc[0, "status"], player.log[-1]
    ('GitHub', 'Succeeded', '00:00:07.657  E1: CodeBuild started.')
    """

    _esm = module("board.js", "dom.js", "player.js")
    _css = palette(".ps-player") + read("player.css")

    film = traitlets.Instance(Film).tag(
        sync=True, to_json=lambda film, _: film.to_json(), from_json=lambda _, player: player.film
    )
    clock = traitlets.Float(0.0).tag(sync=True)
    place = traitlets.Int(0).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    speed = traitlets.Float(60.0).tag(sync=True)
    speeds = traitlets.List(traitlets.Float(), list(SPEEDS), read_only=True).tag(sync=True)
    selection = traitlets.List(traitlets.Unicode()).tag(sync=True)
    filter = traitlets.Unicode("").tag(sync=True)
    artifacts = traitlets.Bool(False).tag(sync=True)
    as_table = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Unicode("").tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    broken = traitlets.List(traitlets.Unicode()).tag(sync=True)
    logs = traitlets.Dict().tag(sync=True)
    refusal = traitlets.Dict().tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        source: Trace | Simulation | Cloud,
        pipeline: Pipeline | str | None = None,
        *,
        height: str | int | None = None,
    ) -> None:
        driven = _driven(source, pipeline)
        given = pipeline if isinstance(pipeline, Pipeline) and not isinstance(driven, PipelineOfCloud) else None
        self._source = driven
        self._given = given
        trace = driven if isinstance(driven, Trace) else driven.trace
        film = Film(given or trace.pipeline, trace.start if given is None else _start(trace))
        film.extend(trace, trace.end)
        is_live = not isinstance(driven, Trace)
        super().__init__(
            film=film,
            live=is_live,
            clock=film.end if is_live else 0.0,
            place=len(film) if is_live else film.place_at(0.0),
            speed=60.0 if is_live else _speed_for(film.end),
            height=f"{height}px" if isinstance(height, int) else height or "",
        )
        self._live: Live | None = None
        if not isinstance(driven, Trace):
            self.broken = sorted(driven.broken)
            self._live = Live(driven, self._grow, self._show_refusal, self._rest, told=len(film))
        self._logged: tuple[Any, ...] = ()
        self._forget: Callable[[], None] = lambda: None
        if isinstance(driven, PipelineOfCloud):
            self.observe(self._fetch_log, ["selection", "place"])
            self._forget = driven.cloud.watch(self._look)
        self.on_msg(self._hear)

    # --- time ------------------------------------------------------------------------------------

    def play(self) -> None:
        """Let time pass; a film that stands at its end begins again."""
        if not self.live and self.clock >= self.film.end:
            self.seek(0.0)
        self.playing = True

    def pause(self) -> None:
        """Let time stand."""
        self.playing = False

    def seek(self, time: float) -> None:
        """Go to a moment.

        Args:
            time: seconds since the start; before the start and after the end, the nearest moment.
        """
        self.clock = min(max(0.0, float(time)), self.film.end)

    def step(self, n: int = 1) -> None:
        """Go on by so many events, or back; a live player that stands at its end makes the next one happen.

        Args:
            n: how many; below zero: back.
        """
        behind = len(self.film) - self.place
        self._go_to(self.place + n)
        if self._live is not None:
            for _ in range(n - behind):
                self._live.run(Happening(), wait=True)

    def next_interesting(self) -> None:
        """Go on to the next event at which something fails, waits, is decided, or is over."""
        kinds = self.film.kinds
        found = next((p for p in range(self.place, len(kinds)) if kinds[p] in INTERESTING), None)
        if found is not None:
            self._go_to(found + 1)
        elif self._live is not None:
            self._live.run(Happening(INTERESTING), wait=True)
        else:
            self.seek(self.film.end)

    def advance(
        self, to: float | None = None, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Let time pass in the simulation behind the player.

        Args:
            to: seconds since the start.
            seconds, minutes, hours, days: or how far from now.

        Raises:
            SourceError: it plays a trace, in which everything has happened already.
        """
        length = seconds + in_minutes(minutes) + in_hours(hours) + in_days(days)
        self._driven.run(After(length) if to is None else Until(to), wait=True)

    def run(self, *, wait: bool = True) -> None:
        """Go on until nothing can happen any more without a command.

        Args:
            wait: False: in a thread of its own; `halt` stops it.

        Raises:
            SourceError: it plays a trace.
        """
        self._start(Goal(), wait=wait)

    def halt(self) -> None:
        """Stop a run that is going on, and the film."""
        if self._live is not None:
            self._live.stop()
        self.busy = False
        self.playing = False

    def close(self) -> None:
        """Take the player off the page; it no longer follows its cloud."""
        if "_forget" in self.__dict__:
            self._forget()
        super().close()

    def do(self, command: Command) -> str | None:
        """Carry a command out at the present moment of the simulation.

        Args:
            command: such as ``Approve("Staging")``.

        Returns:
            The execution's id for commands that start or resume one, else None.

        Raises:
            SourceError: it plays a trace.
            Refused: the service would refuse it; the page shows why.
        """
        try:
            answer = self._driven.send(command)
        except Refused as refusal:
            self._show_refusal(refusal)
            raise
        self.refusal, self.notice = {}, ""
        if isinstance(command, Break | Repair):
            self.broken = sorted(self._driven.simulation.broken)
        return answer

    # --- what it shows, without moving -----------------------------------------------------------

    @property
    def trace(self) -> Trace:
        """All that has happened so far, also what lies after the clock."""
        return self._source if isinstance(self._source, Trace) else self._source.trace

    @property
    def picture(self) -> Board:
        """The board at the clock, as a picture that stands alone."""
        events = self.trace[: self.place]
        if self._given is None:
            return board(Trace(events, end=max(self.clock, events[-1].time if events else 0.0)), self.clock)
        fold = Fold(self._given)
        for event in events:
            fold.apply(event)
        return board(fold.pipeline, fold.snapshot(self.clock))

    @property
    def table(self) -> DataFrame:
        """What the board shows at the clock, one row an action."""
        import pandas as pd

        film, place = self.film, self.place
        found = []
        for stage in film.at(("pipeline",), place)["stages"]:
            door = film.at(("door", stage["name"]), place) or {"enabled": True}
            inside = film.at(("stage", stage["name"]), place) or {}
            for action in stage["actions"]:
                facts = film.at(("action", stage["name"], action["name"]), place) or {}
                found.append(
                    {
                        "stage": stage["name"],
                        "stage_status": _word(inside.get("status")),
                        "transition": "enabled" if door["enabled"] else "disabled",
                        "waiting": ", ".join(film.names[id] for id in door.get("waiting", ())),
                        "inside": ", ".join(film.names[id] for id in inside.get("inside", ())),
                        "action": action["name"],
                        "status": _word(facts.get("status")),
                        "execution": film.names.get(facts.get("execution", ""), ""),
                        "attempt": facts.get("attempt"),
                        "started_s": facts.get("started"),
                        "ended_s": facts.get("ended"),
                        "what": facts.get("message") or facts.get("code") or facts.get("summary") or "",
                    }
                )
        return pd.DataFrame(found).astype({"attempt": "Int64", "started_s": "float64", "ended_s": "float64"})

    @property
    def details(self) -> list[tuple[str, str]]:
        """What the console's page of the selected thing says at the clock, as (label, text)."""
        if not self.selection:
            return []
        facts = self.film.at(tuple(self.selection), self.place) or {}
        return rows(self.selection[0], facts, self.film.start, self.film.names)

    @property
    def log(self) -> list[str]:
        """The lines of the event log up to the clock that the filter lets through."""
        return self.film.lines(self.place, self.filter)

    def __repr__(self) -> str:
        kind = "cloud" if isinstance(self._source, PipelineOfCloud) else "simulation" if self.live else "trace"
        return f"<Player of a {kind}, {len(self.film)} events, at {self.clock:g} s>"

    def _repr_html_(self) -> str:
        return self.picture.html

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options) or ({}, {})
        return {"text/html": self._repr_html_(), **data}, metadata

    # --- inside ----------------------------------------------------------------------------------

    @property
    def _driven(self) -> Live:
        if self._live is None:
            raise SourceError(
                "everything in a trace has happened already; give the player a Simulation or a Cloud to take part"
            )
        return self._live

    def _go_to(self, place: int) -> None:
        place = min(max(0, place), len(self.film))
        time = self.film.times[place - 1] if place else 0.0
        with self.hold_sync():
            self.set_trait("place", place)
            self.clock = time

    @traitlets.validate("clock")
    def _check_clock(self, proposal: Any) -> float:
        time = float(proposal["value"])
        if not time >= 0:
            raise traitlets.TraitError(f"a player cannot show {time} s: choose a moment from 0 on")
        return time

    @traitlets.validate("place")
    def _check_place(self, proposal: Any) -> int:
        place = int(proposal["value"])
        if not 0 <= place <= len(self.film):
            raise traitlets.TraitError(f"a player cannot show {place} events: there are {len(self.film)}")
        return place

    @traitlets.validate("speed")
    def _check_speed(self, proposal: Any) -> float:
        speed = float(proposal["value"])
        if not 0 < speed <= 1e9:
            raise traitlets.TraitError(f"a player cannot play {speed} times as fast: choose above 0, up to 1e9")
        return speed

    @traitlets.validate("selection")
    def _check_selection(self, proposal: Any) -> list[str]:
        selection = list(proposal["value"])
        if selection and SELECTIONS.get(selection[0]) != len(selection):
            raise traitlets.TraitError(
                f"a player cannot select {selection!r}: choose ('stage', name), ('action', stage, name), "
                "('execution', id) or ()"
            )
        return selection

    @traitlets.observe("clock")
    def _follow_clock(self, change: Any) -> None:
        times, place, clock = self.film.times, self.place, change["new"]
        after_last = place == 0 or times[place - 1] <= clock
        before_next = place == len(times) or times[place] >= clock
        if not (after_last and before_next):
            self.place = self.film.place_at(clock)

    @traitlets.observe("playing")
    def _follow_playing(self, change: Any) -> None:
        if self._live is None:
            return
        if change["new"]:
            self._live.run(Pace(lambda: self.speed))
        else:
            self._live.stop()

    def _grow(self, news: tuple[Event, ...], end: float) -> None:
        """Take in what has happened; the page gets what is new of the film, and then the new moment."""
        film = self.film
        if not news and end <= film.end:
            return
        known = len(film)
        film.extend(news, end)
        self.send({"film": film.part(known)})
        with self.hold_sync():
            self.set_trait("place", len(film))
            self.clock = film.end

    def _rest(self, idle: bool) -> None:
        self.busy = False
        self.playing = False
        self.notice = IDLE if idle else ""

    def _start(self, goal: Goal, *, wait: bool) -> None:
        live = self._driven
        self.refusal, self.notice = {}, ""
        live.stop()
        self.playing = False
        self.busy = not wait
        live.run(goal, wait=wait)

    def _look(self) -> None:
        """Show what has happened outside of the player: calls of boto3, time that a cell lets pass."""
        if self._live is not None:
            self._live.look()

    def _fetch_log(self, _: Any = None) -> None:
        """Read the log of the selected action, when it may have changed."""
        source = self._source
        if not isinstance(source, PipelineOfCloud) or not source.cloud.is_open:
            return
        facts = (self.film.at(tuple(self.selection), self.place) or {}) if self.selection[:1] == ["action"] else {}
        seen = (*self.selection, facts.get("id"), facts.get("external"), facts.get("status"))
        if seen == self._logged:
            return
        self._logged = seen
        self.logs = {}
        if facts:
            from pipesim.widgets.logs import log_of

            _, stage, name = self.selection
            action = next((a for s, a in self.film.pipeline.actions() if (s.name, a.name) == (stage, name)), None)
            if action is not None:
                self.logs = log_of(source.account, source.record.name, action, facts)

    def _show_refusal(self, refusal: Refused) -> None:
        self.refusal = {"code": refusal.code, "message": refusal.message}

    def _hear(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """Do what a button of the page asks for."""
        try:
            self._obey(content)
        except Refused:
            return
        except PipesimError as error:
            self.refusal = {"code": type(error).__name__, "message": str(error)}

    def _obey(self, order: Mapping[str, Any]) -> None:
        what = order.get("do")
        if what == "halt":
            self.halt()
        elif what == "advance":
            self._start(_goal(order), wait=False)
        elif what == "film":
            self.send({"film": self.film.part(min(max(0, int(order.get("from", 0))), len(self.film)))})
        else:
            self.do(command_from(order))


def _goal(order: Mapping[str, Any]) -> Goal:
    goal, seconds = order.get("goal"), order.get("seconds")
    if goal == "event":
        return Happening()
    if goal == "interesting":
        return Happening(INTERESTING)
    if goal == "end":
        return Goal()
    if goal == "time" and isinstance(seconds, int | float) and 0 < seconds < 1e10:
        return After(float(seconds))
    raise PipesimError(f"a simulation cannot go on for {order!r}")


def _driven(source: Any, pipeline: Pipeline | str | None) -> Trace | Simulation | PipelineOfCloud:
    """What the player shows: a trace, a simulation, or the pipeline of a cloud that is meant."""
    if isinstance(source, Trace | Simulation):
        if isinstance(pipeline, str):
            raise SourceError(f"{pipeline!r} names a pipeline, and only a cloud has several")
        return source
    account = sys.modules.get("pipesim.cloud.account")
    if account is not None and isinstance(source, account.Cloud):
        return PipelineOfCloud(source, pipeline.name if isinstance(pipeline, Pipeline) else pipeline)
    raise SourceError(f"a player shows a trace, a simulation or a cloud, not {type(source).__name__}")


def _start(trace: Trace) -> datetime:
    """When a trace began that does not say of which pipeline it is; the usual start where it says nothing at all."""
    text = trace[0].detail.get("start") if trace else None
    if text is None:
        return Assumptions().start
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _speed_for(length: float) -> float:
    return next((speed for speed in SPEEDS if length <= speed * WATCHING), SPEEDS[-1])


def _word(status: str | None) -> str:
    return WORDS[status or "NotStarted"][2]
