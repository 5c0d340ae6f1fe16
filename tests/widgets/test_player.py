"""The player as a Python object, and its film against the board: no browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import traitlets

import pipesim
from pipesim.assumptions.arrivals import Every
from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions
from pipesim.engine import (
    Approve,
    Break,
    DisableTransition,
    EnableTransition,
    Reject,
    Repair,
    Retry,
    Rollback,
    Simulation,
    Start,
    Stop,
)
from pipesim.errors import PipesimError, Refused, SourceError
from pipesim.trace.events import EventKind
from pipesim.trace.log import Trace
from pipesim.trace.state import Fold
from pipesim.views.panels import ended_lines, panels
from pipesim.widgets import Player
from pipesim.widgets.assets import STATIC, module, palette
from pipesim.widgets.film import LEGEND, Film
from pipesim.widgets.live import COMMANDS, command_from

HERE = Path(__file__).parent
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="no Node.js on this machine")


def sketch() -> pipesim.Pipeline:
    return replace(pipesim.load("GitHub -> CodeBuild -> Manual Approval -> S3"), pipeline_type="V2")


def live(**members: Any) -> Simulation:
    """One change at a time, by hand; builds take two minutes; nobody approves."""
    actions = {
        "CodeBuild": ActionAssumption(Constant(120.0)),
        "GitHub": ActionAssumption(Constant(5.0)),
        "S3": ActionAssumption(Constant(10.0)),
    }
    return Simulation(
        sketch(), Assumptions(arrivals=pipesim.At(()), actions=actions, approvals={"*": Approver()}), **members
    )


def story(name: str, executions: int, seed: int = 3) -> Trace:
    pipeline = pipesim.load(pipesim.sample(name))
    assumptions = Assumptions(arrivals=Every(240.0))
    return pipesim.simulate(pipeline, assumptions, seed=seed, executions=executions, until=30_000)


def interrupted() -> Trace:
    """A life with a disabled transition, a stop, a rejection, a retry, a rollback and a broken build."""
    sim = live(seed=5)
    place = [stage.name for stage in sketch().stages]
    sim.send(Start(change="first"))
    sim.advance(minutes=5)
    sim.send(Approve(place[2], summary="fine"))
    sim.advance(minutes=5)
    sim.send(DisableTransition(place[2], "holidays"))
    sim.send(Break(place[1], "CodeBuild", "JobFailed", "red"))
    sim.send(Start(change="second"))
    sim.advance(minutes=4)
    sim.send(Repair(place[1], "CodeBuild"))
    sim.send(Retry(place[1], "E2"))
    sim.advance(minutes=4)
    sim.send(Start(change="third"))
    sim.advance(minutes=4)
    sim.send(EnableTransition(place[2]))
    sim.advance(minutes=1)
    sim.send(Reject(place[2], summary="no"))
    sim.send(Start(change="fourth"))
    sim.advance(seconds=20)
    sim.send(Stop("E4", reason="wrong one"))
    sim.advance(minutes=10)
    sim.send(Rollback(place[3], "E1"))
    sim.advance(minutes=10)
    return sim.trace


def run_node(script: Path, folder: Path, text: str = "", *options: str) -> str:
    shutil.copy(STATIC / "board.js", folder / "board.mjs")
    shutil.copy(script, folder / script.name)
    command = [str(NODE), *options, str(folder / script.name)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- the browser's half -----------------------------------------------------------------------------


@needs_node
def test_the_arithmetic_of_the_board(tmp_path: Path):
    assert "# fail 0" in run_node(HERE / "board.test.mjs", tmp_path, "", "--test")


def pruned(shown: Any, like: Any) -> Any:
    """What the browser shows, without what only it needs."""
    if isinstance(like, dict):
        return {name: pruned(shown[name], like[name]) for name in like}
    if isinstance(like, list | tuple):
        assert len(shown) == len(like)
        return [pruned(a, b) for a, b in zip(shown, like, strict=True)]
    return shown


@needs_node
@pytest.mark.parametrize(
    "make",
    [
        interrupted,
        lambda: story("startup", 12),
        lambda: story("parallel-mode", 8),
        lambda: story("conditions", 10),
        lambda: story("superseded", 25),
    ],
    ids=["interrupted", "startup", "parallel", "conditions", "superseded"],
)
def test_the_browser_says_what_the_board_says_at_every_event(make: Any, tmp_path: Path):
    trace = make()
    film = Film(trace.pipeline, trace.start)
    film.extend(trace, trace.end)
    fold = Fold(trace.pipeline)
    moments, expected = [], []
    for place, event in enumerate(trace, 1):
        fold.apply(event)
        after = trace[place].time if place < len(trace) else trace.end
        clock = event.time + (after - event.time) * (place % 3) / 2
        state = fold.snapshot(clock)
        moments.append((place, clock))
        plain = json.loads(json.dumps([asdict(panel) for panel in panels(fold.pipeline, state)]))
        expected.append((plain, json.loads(json.dumps([asdict(line) for line in ended_lines(state)]))))

    answers = json.loads(
        run_node(HERE / "look_up.mjs", tmp_path, json.dumps({"film": film.to_json(), "moments": moments}))
    )

    for (place, clock), (plain, ended), answer in zip(moments, expected, answers, strict=True):
        assert pruned(answer["panels"], plain) == plain, (place, clock, trace[place - 1])
        assert answer["ended"] == ended, (place, clock)


@needs_node
def test_the_browser_reads_out_the_same_details(tmp_path: Path):
    trace = interrupted()
    player = Player(trace)
    player.seek(trace.end)

    answer = json.loads(
        run_node(
            HERE / "look_up.mjs",
            tmp_path,
            json.dumps({"film": player.film.to_json(), "moments": [(player.place, player.clock)]}),
        )
    )[0]

    labels = []
    for stage in trace.pipeline.stages:
        for action in stage.actions:
            player.selection = ["action", stage.name, action.name]
            labels.append([label for label, _ in player.details])
    assert answer["labels"] == labels
    assert all(labels)


def test_a_film_in_parts_is_the_film_in_one():
    trace = interrupted()
    whole, grown = Film(trace.pipeline, trace.start), Film(trace.pipeline, trace.start)
    whole.extend(trace, trace.end)
    columns: dict[str, list[Any]] = {}
    for first in range(0, len(trace), 7):
        known = len(grown)
        grown.extend(trace[first : first + 7])
        part = grown.part(known)
        assert part["from"] == known
        for name, column in part.items():
            if isinstance(column, list) and name != "cells":
                columns.setdefault(name, []).extend(column)

    expected = whole.part()
    assert columns == {name: expected[name] for name in columns}
    assert part["cells"] == expected["cells"]


def test_executions_are_followed_through_every_event():
    """What the film leaves out of looking is nothing that the fold would have said."""
    from pipesim.widgets.details import execution_facts

    for trace in (interrupted(), story("conditions", 10), story("parallel-mode", 8)):
        film, fold = Film(trace.pipeline, trace.start), Fold(trace.pipeline)
        for event in trace:
            film.extend([event])
            fold.apply(event)
            for id, execution in fold.snapshot(event.time).executions.items():
                shown = dict(film.at(("execution", id), len(film)))
                shown.pop("name")
                assert shown == execution_facts(execution), event


def test_opening_ten_thousand_events_takes_less_than_a_second():
    pipeline = pipesim.load(pipesim.sample("e-commerce"))
    trace = pipesim.simulate(pipeline, seed=1, executions=280)
    assert len(trace) >= 10_000

    began = time.process_time()
    player = Player(trace)
    player.film.to_json()
    assert time.process_time() - began < 1.5  # a second on a quiet machine; the browser's part is measured there


# --- the player as a Python object ------------------------------------------------------------------


def test_it_stands_at_the_beginning_and_steps_through_what_happens_at_one_moment():
    trace = interrupted()
    player = Player(trace)
    assert (player.clock, player.live, player.playing) == (0.0, False, False)

    at_zero = player.place
    player.step()
    assert player.place == at_zero + 1
    assert player.clock == trace[at_zero].time
    player.step(-1)
    assert player.place == at_zero
    player.step(10**9)
    assert (player.place, player.clock) == (len(trace), trace[-1].time)
    player.seek(10**9)
    assert player.clock == trace.end
    player.seek(-5)
    assert (player.clock, player.place) == (0.0, at_zero)


def test_the_next_interesting_event():
    player = Player(interrupted())
    met = []
    while player.place < len(player.film) and len(met) < 500:
        player.next_interesting()
        met.append(player.film.kinds[player.place - 1])

    assert {"ActionFailed", "ApprovalRequested", "ExecutionStopped", "TransitionDisabled"} <= set(met)
    assert "ActionStarted" not in met[:-1]


def test_play_and_pause():
    player = Player(interrupted())
    player.seek(player.film.end)
    player.play()
    assert (player.playing, player.clock) == (True, 0.0)
    player.pause()
    assert not player.playing


def test_picture_table_and_details_say_the_same():
    trace = interrupted()
    player = Player(trace)
    failed = next(e for e in trace if e.kind is EventKind.ACTION_FAILED)
    player.seek(failed.time)
    player.selection = ["action", failed.stage, failed.action]

    details = dict(player.details)
    assert details["Error code"] == "JobFailed"
    assert details["Error message"] == "red"
    assert details["Status"] == "Failed"
    assert details["Duration"] == "2 min"
    assert details["Pipeline execution"] == "#2 · second (E2)"
    row = player.table[player.table["action"] == failed.action].iloc[0]
    assert (row["status"], row["execution"], row["what"]) == ("Failed", "#2 · second", "red")
    card = next(card for panel in player.picture.panels for card in panel.cards if card.name == failed.action)
    assert card.status == "Failed"
    assert list(player.table["action"]) == [a.name for stage in trace.pipeline.stages for a in stage.actions]

    player.selection = ["execution", "E2"]
    assert dict(player.details)["Change"] == "second"
    player.selection = []
    assert player.details == []


def test_the_log_follows_and_is_filtered():
    player = Player(interrupted())
    player.seek(player.film.end)
    assert len(player.log) == len(player.film)
    player.filter = "E2 FAILED"
    assert player.log
    assert all("E2" in line and "failed" in line for line in player.log)
    player.seek(0)
    assert player.log == []


def test_without_a_widget_manager_it_is_a_picture():
    player = Player(interrupted())
    data, _ = player._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in data
    assert 'class="psb psb-auto"' in data["text/html"]
    assert data["text/html"] == player._repr_html_()
    assert len(data["text/plain"]) < 120


def test_names_with_markup_stay_text():
    pipeline = sketch()
    nasty = "<img src=x onerror=alert(1)>"
    stages = tuple(
        replace(stage, actions=tuple(replace(a, name=f"{nasty}{a.name}") for a in stage.actions))
        for stage in pipeline.stages
    )
    player = Player(_renamed(replace(pipeline, stages=stages)))

    assert "<img" not in player._repr_html_()
    assert "&lt;img" in player._repr_html_()


def _renamed(pipeline: pipesim.Pipeline) -> Trace:
    """A trace of a declaration that the engine would refuse for its names."""
    trace = pipesim.simulate(sketch(), seed=1)
    first = trace[0]
    created = first._replace(detail={**first.detail, "document": pipeline.to_document()})
    return Trace([created], end=10.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clock", -1.0),
        ("clock", float("nan")),
        ("place", -1),
        ("place", 10**9),
        ("speed", 0.0),
        ("speed", float("nan")),
        ("selection", ["stage"]),
        ("selection", ["cell", "x"]),
    ],
)
def test_what_a_trait_does_not_take(name: str, value: Any):
    player = Player(interrupted())
    before = getattr(player, name)

    with pytest.raises(traitlets.TraitError):
        setattr(player, name, value)
    assert getattr(player, name) == before


def test_what_it_does_not_play():
    with pytest.raises(SourceError, match="not Pipeline"):
        Player(sketch())  # type: ignore[arg-type]
    player = Player(interrupted())
    for ask in (lambda: player.do(Start()), lambda: player.advance(minutes=1), lambda: player.run()):
        with pytest.raises(SourceError, match="give the player a Simulation"):
            ask()


def test_everything_that_python_writes_the_browser_has_words_for():
    assert {word["word"] for word in LEGEND["words"].values()} >= {"In progress", "Waiting", "Disabled"}
    for kind in EventKind:
        assert LEGEND["kinds"][kind.value]["status"] in LEGEND["words"]
    css = palette(".ps-player")
    for status in LEGEND["words"]:
        assert f".ps-is-{status}{{" in css


def test_the_module_is_whole():
    text = module("board.js", "dom.js", "player.js")

    assert 'from "./' not in text
    assert text.count("export default") == 1
    assert "innerHTML" not in text
    assert "insertAdjacentHTML" not in text


# --- with a simulation behind it ----------------------------------------------------------------------


def order(player: Player, **content: Any) -> None:
    """What a button of the page sends."""
    player._hear(player, content, [])


def test_a_change_goes_through_by_buttons():
    player = Player(live())
    stages = [stage.name for stage in sketch().stages]
    order(player, do="start", change="c0ffee", variables={})
    assert player.film.kinds[-1] == "ExecutionStarted"
    player.advance(minutes=5)
    assert player.clock == 300.0
    player.selection = ["action", stages[2], sketch().stages[2].actions[0].name]
    token = player.film.at(tuple(player.selection), player.place)["token"]

    order(player, do="approve", stage=stages[2], action=player.selection[2], summary="go", token=token)
    assert player.refusal == {}
    player.run()
    assert player.trace[-1].kind is EventKind.EXECUTION_SUCCEEDED
    assert dict(player.details)["Summary"] == "go"
    assert (player.place, player.clock) == (len(player.trace), player.trace.end)


def test_a_refusal_is_the_services_own_and_goes_away_with_the_next_command():
    player = Player(live())
    stages = [stage.name for stage in sketch().stages]
    order(player, do="retry", stage=stages[1], execution="E1", mode="FAILED_ACTIONS")
    assert player.refusal["code"] == "StageNotRetryableException"
    assert stages[1] in player.refusal["message"]

    with pytest.raises(Refused, match="PipelineExecutionNotStoppable"):
        player.do(Stop("E9"))
    assert player.refusal["code"] == "PipelineExecutionNotStoppableException"
    player.do(Start())
    assert player.refusal == {}


@pytest.mark.parametrize("content", [{}, {"do": "fly"}, {"do": "stop"}, {"do": "advance", "goal": "time"}])
def test_what_no_button_sends(content: dict[str, Any]):
    player = Player(live())
    order(player, **content)

    assert player.refusal["code"] == "PipesimError"


def test_every_command_of_the_page_can_be_made():
    named = {"stage": "S", "action": "A", "execution": "E1", "target": "E1", "condition": "ON_SUCCESS"}
    said = {"change": "", "summary": "", "reason": "r", "mode": "ALL_ACTIONS", "code": "JobFailed", "message": "m"}
    for name in COMMANDS:
        assert command_from({"do": name, "variables": {}, **named, **said})
    with pytest.raises(PipesimError, match="needs stage"):
        command_from({"do": "enable"})


def test_breaking_and_repairing():
    player = Player(live())
    stage, action = sketch().stages[1].name, sketch().stages[1].actions[0].name
    order(player, do="break", stage=stage, action=action, code="JobFailed", message="red")
    assert player.broken == [f"{stage}/{action}"]
    order(player, do="start", change="", variables={})
    player.advance(minutes=5)
    assert player.film.at(("action", stage, action), player.place)["message"] == "red"
    order(player, do="repair", stage=stage, action=action)
    assert player.broken == []
    order(player, do="retry", stage=stage, execution="E1", mode="ALL_ACTIONS")
    player.advance(minutes=5)
    assert player.film.at(("action", stage, action), player.place)["status"] == "Succeeded"


def test_stepping_makes_things_happen_one_moment_at_a_time():
    player = Player(live())
    player.do(Start())
    before = len(player.film)
    player.step()
    assert len(player.film) > before
    player.next_interesting()
    assert player.film.kinds[-1] in ("ApprovalRequested", "ExecutionWaiting", "ActionWaiting")


def test_what_happens_outside_is_seen_at_the_next_look():
    sim = live()
    player = Player(sim)
    sim.send(Start())
    sim.advance(seconds=30)
    player.advance(seconds=1)

    assert len(player.film) == len(sim.trace)
    assert player.clock == 31.0


def endless() -> Simulation:
    return Simulation(sketch(), Assumptions(arrivals=Every(60.0)), seed=1)


def test_stop_works_at_once_while_a_long_run_goes_on(monkeypatch: pytest.MonkeyPatch):
    """No clock of the wall is asked: after Stop at most the one moment passes that was being simulated."""
    simulation = endless()
    player = Player(simulation)
    assert player._live is not None
    stop, passes, begun, late = player._live._stop, simulation.advance, threading.Event(), []

    def advance(to: float) -> None:
        begun.set()
        if stop.is_set():
            late.append(to)
        passes(to)

    monkeypatch.setattr(simulation, "advance", advance)
    player.run(wait=False)
    assert begun.wait(20)
    assert player.busy
    order(player, do="halt")

    assert len(late) <= 1  # it may have begun just before
    assert not player.busy
    assert not player._live.busy
    stands = len(simulation.trace)
    assert len(player.film) == stands > 0
    assert player.film.end == simulation.now
    time.sleep(0.05)
    assert len(simulation.trace) == stands


def test_commands_come_between_while_a_long_run_goes_on():
    player = Player(endless())
    player.run(wait=False)
    try:
        for number in range(5):
            assert player.do(Start(change=f"mine{number}")) is not None
    finally:
        player.halt()

    assert sum(e.detail.get("change", "").startswith("mine") for e in player.trace) == 5
    assert [e.seq for e in player.trace] == list(range(len(player.trace)))


def test_playing_live_lets_time_pass_at_the_chosen_speed():
    player = Player(live())
    player.do(Start())
    player.speed = 600.0
    player.play()
    time.sleep(0.6)
    player.pause()

    assert 100 < player.clock < 2000
    assert not player.playing


def test_a_run_rests_when_nothing_is_left_to_happen():
    player = Player(live())
    player.run(wait=False)
    assert player._live is not None
    player._live.join(5)

    assert not player.busy
    assert player.notice.startswith("Nothing happens any more")
    player.do(Start())
    assert player.notice == ""


def test_time_passes_in_an_idle_simulation_so_that_one_can_start_something():
    player = Player(live())
    player.speed = 1000.0
    player.play()
    time.sleep(0.4)
    assert player.playing
    player.do(Start())
    started = player.trace[-1].time
    player.pause()

    assert started > 50
    assert player.film.end >= started


def test_a_restored_page_gets_what_it_lacks():
    player = Player(live())
    sent: list[Any] = []
    player.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    player.do(Start())
    order(player, do="film", **{"from": 0})

    assert sent[0]["film"]["from"] == 1
    assert sent[1]["film"]["from"] == 0
    assert len(sent[1]["film"]["time"]) == len(player.film)
    assert json.loads(player.get_state()["film"])["time"] == list(player.film.times)


def test_a_trace_without_its_declaration_is_given_one():
    trace = pipesim.simulate(sketch(), seed=1)
    bare = Trace([trace[0]._replace(detail={"start": trace[0].detail["start"]}), *trace[1:]], end=trace.end)
    with pytest.raises(pipesim.TraceError):
        Player(bare)

    player = Player(bare, sketch(), height=300)
    player.seek(trace.end)
    assert player.height == "300px"
    assert list(player.table["action"]) == [a.name for stage in sketch().stages for a in stage.actions]
    assert player.picture.panels[0].status == "Succeeded"


def test_a_simulation_that_keeps_no_events_cannot_be_watched():
    with pytest.raises(pipesim.TraceError):
        Player(live(sink=lambda event: None))
