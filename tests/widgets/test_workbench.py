"""The workbench as a Python object, and the page that is served: no browser."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

import pipesim
from pipesim.assumptions.arrivals import Poisson
from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cli import commands
from pipesim.engine import Approve
from pipesim.errors import DeclarationError, MissingDependency, SourceError
from pipesim.widgets import Workbench
from pipesim.widgets.workbench import BUILD, RUN, WHAT_IF

page: ModuleType = import_module("pipesim.cli.app")
SKETCH = "GitHub -> CodeBuild -> Manual Approval -> S3"


def click(bench: Workbench, place: int) -> None:
    bench._buttons[place].click()


def test_the_main_story():
    bench = Workbench(SKETCH, seed=3)
    assert bench.tab == BUILD
    click(bench, 0)
    assert bench.tab == RUN
    player = bench.player
    assert player is not None
    player.advance(hours=1)
    player.do(Approve("Approval"))
    player.advance(hours=1)
    assert player.film.kinds[-1] == "ExecutionSucceeded"

    click(bench, 2)
    assert bench.tab == WHAT_IF
    assert bench.whatif is not None
    bench.whatif.pin()
    bench.whatif.turn("duration Build/CodeBuild", 1200.0)
    assert bench.whatif.comparison.difference("now").low > 0
    assert bench._tabs.children == (bench.builder, player, bench.whatif)


def test_changes_by_hand_in_the_run_and_as_assumed_in_the_knobs():
    assumed = Assumptions(arrivals=Poisson(3.0), actions={"CodeBuild": ActionAssumption(pipesim.Constant(77.0))})
    bench = Workbench(SKETCH, assumed)
    player = bench.run()
    player.advance(days=1)
    assert player.film.kinds.count("ExecutionStarted") == 1
    assert player.film.kinds[-1] == "ApprovalRequested"
    facts = player.film.at(("action", "Build", "CodeBuild"), player.place)
    assert facts["lasted"] == 77.0
    assert bench.ask().baseline.assumptions.arrivals == Poisson(3.0)


def test_a_new_declaration_is_put_in_force_while_the_old_one_runs():
    bench = Workbench(SKETCH)
    with pytest.raises(SourceError, match="Nothing runs yet"):
        bench.update()
    player = bench.run()
    bench.builder.apply({"op": "remove", "path": "stages[2]"})
    click(bench, 1)
    assert bench.player is player
    assert player.film.kinds.count("PipelineUpdated") == 1
    assert len(player.film.pipeline.stages) == 3
    first = player
    assert bench.run() is not first


def test_what_is_wrong_is_said_and_nothing_is_lost():
    bench = Workbench()
    for place in (0, 2):
        click(bench, place)
        assert "not complete yet" in bench.message
        assert "role=" in bench._said.value
    assert bench.tab == BUILD
    bench.builder.load(SKETCH)
    bench.message = "<img src=x onerror=alert(1)>"
    assert "<img" not in bench._said.value
    click(bench, 0)
    assert bench.message == bench._said.value == ""
    with pytest.raises(DeclarationError):
        Workbench().run()


def test_the_notebook_that_is_served_makes_the_workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    document = pipesim.load(SKETCH).to_document()
    monkeypatch.chdir(tmp_path)
    made = page.notebook(document, 'name = "mine"\n', 7)
    monkeypatch.chdir(tmp_path.parent)
    (cell,) = made["cells"]
    room: dict[str, Any] = {}
    *before, last = cell["source"].splitlines()
    exec("\n".join(before), room)
    bench = eval(last, room)
    assert isinstance(bench, Workbench)
    assert Path.cwd() == tmp_path  # what is saved stays where the command was given
    assert (bench.seed, bench.assumptions.name) == (7, "mine")
    assert bench.builder.pipeline == pipesim.load(SKETCH)
    empty = page.notebook(None, None, 0)
    assert "Workbench(None, assumptions, seed=0)" in empty["cells"][0]["source"]
    said = page.command(tmp_path / "a.ipynb", 9000, dark=True)
    assert "--Voila.ip=127.0.0.1" in said
    assert {"--port=9000", "--theme=dark"} <= set(said)


def test_without_voila_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    answer = CliRunner().invoke(commands, ["app"])
    assert isinstance(answer.exception, MissingDependency)
    assert "pipesim[dashboard]" in str(answer.exception)


def test_a_broken_file_is_told_before_anything_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(page, "find_spec", lambda name: object())
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    answer = CliRunner().invoke(commands, ["app", str(broken)])
    assert isinstance(answer.exception, SourceError)
