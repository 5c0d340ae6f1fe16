"""A simulation that goes on while somebody watches: time passes in a worker thread, commands come between.

One lock keeps them apart: a command is carried out between two moments of the simulation, so that it is sent
at the moment that the watcher sees. The worker lets go of the lock many times a second; a request to stop is
therefore heard at once, however long the run is.
"""

from __future__ import annotations

import math
import threading
import time as wall
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pipesim.engine import (
    Approve,
    Break,
    Command,
    DisableTransition,
    EnableTransition,
    Override,
    Reject,
    Repair,
    Retry,
    Rollback,
    Start,
    Stop,
)
from pipesim.errors import PipesimError, Refused
from pipesim.trace.events import Event, EventKind
from pipesim.trace.log import Trace

SLICE = 0.02
REPORT = 0.1


class Driven(Protocol):
    """What time passes in: a simulation, or a pipeline of a cloud."""

    @property
    def now(self) -> float:
        """Seconds since the start."""

    @property
    def next_due(self) -> float:
        """When something is due next, in seconds; infinite when nothing is without a command."""

    @property
    def trace(self) -> Trace:
        """All that has happened so far."""

    @property
    def broken(self) -> Mapping[str, Any]:
        """The actions that were broken by hand, as ``Stage/Action``."""

    def events_from(self, seq: int) -> tuple[Event, ...]:
        """Return the events from this place on."""

    def advance(self, to: float) -> None:
        """Let time pass until this moment, in seconds."""

    def send(self, command: Command) -> str | None:
        """Carry a command out now."""


class Live:
    """Drives one simulation.

    Args:
        simulation: what is driven; it must keep its events.
        report: called with the events that are new and the moment they lead to, from whichever thread
            time passes in.
        refuse: called when a command that was scheduled earlier is refused while time passes.
        done: called when a run has ended by itself, rather than by `stop`, and told whether nothing is left to
            happen without a command.
        told: how many events the watcher knows already.
    """

    def __init__(
        self,
        simulation: Driven,
        report: Callable[[tuple[Event, ...], float], None],
        refuse: Callable[[Refused], None],
        done: Callable[[bool], None],
        told: int = 0,
    ) -> None:
        self.simulation = simulation
        self._report = report
        self._refuse = refuse
        self._done = done
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None
        self._told = told

    @property
    def busy(self) -> bool:
        """Whether time is passing in the worker thread."""
        return self._worker is not None and self._worker.is_alive()

    def tell(self) -> None:
        """Report what has happened since the last report, wherever it came from."""
        with self._lock:
            news = self.simulation.events_from(self._told)
            self._told += len(news)
            self._report(news, self.simulation.now)

    def look(self) -> None:
        """Report what has happened outside of here, unless somebody is at it already."""
        if not self.busy and self._lock.acquire(blocking=False):
            try:
                self.tell()
            finally:
                self._lock.release()

    def send(self, command: Command) -> str | None:
        """Carry a command out at the present moment.

        Raises:
            Refused: the service would refuse it.
        """
        with self._lock:
            try:
                return self.simulation.send(command)
            finally:
                self.tell()

    def run(self, goal: Goal, *, wait: bool = False) -> None:
        """Let time pass until the goal is reached, nothing is left to happen, or `stop` is called.

        Args:
            goal: what to go on for.
            wait: True: come back when it is done; False: in a worker thread.
        """
        self.stop()
        self._stop.clear()
        if wait:
            self._drive(goal)
            return
        self._worker = threading.Thread(target=self._drive, args=(goal,), daemon=True, name="pipesim player")
        self._worker.start()

    def stop(self) -> None:
        """Let time stand; comes back when it does."""
        self._stop.set()
        worker = self._worker
        if worker is not None and worker is not threading.current_thread():
            worker.join()
        self._worker = None

    def join(self, seconds: float | None = None) -> None:
        """Wait for the worker thread, at most so many seconds; None: as long as it takes."""
        if self._worker is not None:
            self._worker.join(seconds)

    def _drive(self, goal: Goal) -> None:
        goal.begin(self.simulation)
        reported = wall.monotonic()
        try:
            while not self._stop.is_set():
                with self._lock:
                    reached = self._slice(goal)
                if reached or wall.monotonic() - reported > REPORT:
                    self.tell()
                    reported = wall.monotonic()
                if reached:
                    return
                self._stop.wait(goal.pause)
        except Refused as refusal:
            self._refuse(refusal)
        finally:
            self.tell()
            if not self._stop.is_set():
                self._done(not math.isfinite(self.simulation.next_due))

    def _slice(self, goal: Goal) -> bool:
        """Let a little time pass, for as long as a click may have to wait; say whether the goal is reached."""
        simulation = self.simulation
        until = wall.monotonic() + SLICE
        while wall.monotonic() < until and not self._stop.is_set():
            limit = goal.limit(simulation)
            due = simulation.next_due
            if due > limit or not math.isfinite(due):
                if math.isfinite(limit):
                    simulation.advance(max(limit, simulation.now))
                return goal.ends_at_limit
            seq = self._count()
            simulation.advance(max(due, simulation.now))
            if goal.is_reached(simulation.events_from(seq)):
                return True
        return False

    def _count(self) -> int:
        """How many events there are; reports lag behind them."""
        news = self.simulation.events_from(self._told)
        return self._told + len(news)


class Goal:
    """Go on until everything that happens by itself has happened.

    Attributes:
        pause: how long the worker rests between slices, in seconds of the wall clock.
        ends_at_limit: whether reaching `limit` is the end.
    """

    pause = 0.0
    ends_at_limit = True

    def begin(self, simulation: Driven) -> None:
        """Look at where the simulation stands."""

    def limit(self, simulation: Driven) -> float:
        """Return the moment that may not be passed now, in seconds."""
        return math.inf

    def is_reached(self, news: tuple[Event, ...]) -> bool:
        """Say whether these events are what was waited for."""
        return False


class Until(Goal):
    """Go on to a moment.

    Args:
        time: seconds since the start.
    """

    def __init__(self, time: float) -> None:
        self._time = time

    def limit(self, simulation: Driven) -> float:
        """Return the moment."""
        return self._time


class After(Until):
    """Go on for a while.

    Args:
        seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(math.inf)
        self._seconds = seconds

    def begin(self, simulation: Driven) -> None:
        """The while begins where the simulation stands."""
        self._time = simulation.now + self._seconds


class Happening(Goal):
    """Go on until something happens.

    Args:
        kinds: which kinds count; None: any.
    """

    def __init__(self, kinds: frozenset[EventKind] | None = None) -> None:
        self._kinds = kinds

    def is_reached(self, news: tuple[Event, ...]) -> bool:
        """Say whether one of the kinds is among them."""
        return any(self._kinds is None or event.kind in self._kinds for event in news)


class Pace(Goal):
    """Let time pass as a film does: so many simulated seconds in one real second, until stopped.

    Args:
        speed: asked again and again, so that it may change meanwhile.
    """

    pause = 0.05
    ends_at_limit = False

    def __init__(self, speed: Callable[[], float]) -> None:
        self._speed = speed
        self._seen = wall.monotonic()
        self._goal = 0.0

    def begin(self, simulation: Driven) -> None:
        """The film begins where the simulation stands."""
        self._goal = simulation.now
        self._seen = wall.monotonic()

    def limit(self, simulation: Driven) -> float:
        """Return how far the film has come."""
        now = wall.monotonic()
        self._goal = max(self._goal, simulation.now) + (now - self._seen) * self._speed()
        self._seen = now
        return self._goal


def command_from(order: Mapping[str, Any]) -> Command:
    """Return the command that a button of the page asks for.

    Args:
        order: ``do`` with what to do, and what the command needs besides.

    Raises:
        PipesimError: there is no such command, or a member is missing.
    """
    what = str(order.get("do"))
    if what not in COMMANDS:
        raise PipesimError(f"there is no command {what!r} (must be one of {', '.join(COMMANDS)})")
    make, members = COMMANDS[what]
    missing = [name for name in members if not isinstance(order.get(name), members[name])]
    if missing:
        raise PipesimError(f"the command {what!r} needs {', '.join(missing)}")
    return make(order)


TEXT = {"stage": str}
ACTION = {"stage": str, "action": str}
COMMANDS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Command], Mapping[str, type]]] = {
    "start": (
        lambda o: Start(change=o["change"] or None, variables=o["variables"]),
        {"change": str, "variables": dict},
    ),
    "approve": (
        lambda o: Approve(o["stage"], o["action"], o["summary"], o.get("token")),
        {**ACTION, "summary": str},
    ),
    "reject": (
        lambda o: Reject(o["stage"], o["action"], o["summary"], o.get("token")),
        {**ACTION, "summary": str},
    ),
    "stop": (lambda o: Stop(o["execution"], reason=o["reason"]), {"execution": str, "reason": str}),
    "abandon": (lambda o: Stop(o["execution"], abandon=True, reason=o["reason"]), {"execution": str, "reason": str}),
    "retry": (lambda o: Retry(o["stage"], o["execution"], o["mode"]), {**TEXT, "execution": str, "mode": str}),
    "rollback": (lambda o: Rollback(o["stage"], o["target"]), {**TEXT, "target": str}),
    "disable": (lambda o: DisableTransition(o["stage"], o["reason"]), {**TEXT, "reason": str}),
    "enable": (lambda o: EnableTransition(o["stage"]), TEXT),
    "override": (
        lambda o: Override(o["stage"], o["execution"], o["condition"]),
        {**TEXT, "execution": str, "condition": str},
    ),
    "break": (
        lambda o: Break(o["stage"], o["action"], o["code"], o["message"]),
        {**ACTION, "code": str, "message": str},
    ),
    "repair": (lambda o: Repair(o["stage"], o["action"]), ACTION),
}
