"""The command line as a person types it: output, exit status, clear sentences for bad input."""

from __future__ import annotations

import csv
import io
import itertools
import json
import subprocess
import sys

import pytest

from pipesim.cli import commands, main
from pipesim.formats.samples import sample, sample_profile
from tests.terminal import python_at_a_terminal

SHOP = str(sample("e-commerce"))
SHOP_PROFILE = str(sample_profile("e-commerce"))
SKETCH = "GitHub -> CodeBuild -> Manual Approval -> Elastic Beanstalk"


@pytest.fixture
def pipesim(capsys):
    """Run the command line in this process and return (exit status, standard output, standard error)."""

    def go(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ending:
            main(list(arguments))
        said = capsys.readouterr()
        return ending.value.code, said.out, said.err

    return go


def write(tmp_path, document) -> str:
    path = tmp_path / "pipeline.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return str(path)


def shop() -> dict:
    document = json.loads(sample("startup").read_text(encoding="utf-8"))
    return document.get("pipeline", document)


@pytest.mark.parametrize("command", sorted(commands.commands))
def test_help_shows_examples(pipesim, command):
    status, out, _ = pipesim(command, "--help")

    assert status == 0
    assert "Usage: pipesim" in out
    assert command == "fidelity" or "Examples:" in out


def test_check_of_a_sound_pipeline(pipesim):
    status, out, _ = pipesim("check", SHOP)

    assert (status, out) == (0, "e-commerce: no problems found\n")


def test_check_lists_every_problem(pipesim, tmp_path):
    document = shop()
    document["stages"][1]["actions"][0]["actionTypeId"]["provider"] = "CodeBuilt"
    document["stages"][1]["actions"][0]["runOrder"] = 0
    status, out, _ = pipesim("check", write(tmp_path, document))

    assert status == 1
    assert "stages[1].actions[0].runOrder" in out
    assert "CodeBuild'" in out
    assert "2 problems found" in out


def test_check_as_json(pipesim, tmp_path):
    document = shop()
    document["stages"] = document["stages"][:1]
    status, out, _ = pipesim("check", write(tmp_path, document), "--format", "json")

    assert status == 1
    assert json.loads(out)[0]["code"] == "InvalidStructureException"


@pytest.mark.parametrize("suffix", ["svg", "png", "dot"])
def test_draw(pipesim, tmp_path, suffix):
    target = tmp_path / f"out.{suffix}"
    status, _, err = pipesim("draw", SHOP, "-o", str(target))

    assert (status, target.stat().st_size > 1000) == (0, True), err


def test_draw_to_an_unknown_format(pipesim, tmp_path):
    status, _, err = pipesim("draw", SHOP, "-o", str(tmp_path / "out.docx"))

    assert status == 2
    assert "svg" in err


def test_run_text(pipesim):
    status, out, _ = pipesim("run", SKETCH, "--executions", "3", "--every", "20m", "--seed", "1")

    assert status == 0
    assert "E3" in out
    assert "lead time" in out


def lines(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


def test_run_jsonl_is_ordered(pipesim):
    status, out, _ = pipesim("run", SHOP, "--profile", SHOP_PROFILE, "--executions", "4", "--format", "jsonl")
    events = lines(out)

    assert status == 0
    assert [e["seq"] for e in events] == list(range(len(events)))
    assert all(a["time"] <= b["time"] for a, b in itertools.pairwise(events))
    assert {"time", "seq", "kind"} <= set.intersection(*(set(e) for e in events))
    assert {e["execution"] for e in events if e["kind"] == "ExecutionStarted"} == {"E1", "E2", "E3", "E4"}


def test_same_seed_same_bytes_in_another_process_another_seed_not():
    def run(seed: int) -> bytes:
        command = [sys.executable, "-c", "from pipesim.cli import main; main()", "run", SHOP, "--format", "jsonl"]
        return subprocess.run([*command, "--seed", str(seed)], capture_output=True, check=True).stdout

    assert run(3) == run(3) != run(4)


def test_run_csv(pipesim):
    _, jsonl, _ = pipesim("run", SKETCH, "--executions", "2", "--format", "jsonl")
    status, out, _ = pipesim("run", SKETCH, "--executions", "2", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))

    assert status == 0
    assert [row["kind"] for row in rows] == [event["kind"] for event in lines(jsonl)]


def test_run_for_a_while_stops_there(pipesim):
    _, out, _ = pipesim("run", SHOP, "--for", "1d", "--every", "2h", "--format", "jsonl")
    events = lines(out)

    assert events[-1]["time"] <= 86400
    assert [e["time"] for e in events if e["kind"] == "ExecutionStarted"] == [7200.0 * n for n in range(13)]


def test_save_and_show(pipesim, tmp_path):
    folder = tmp_path / "out"
    status, out, _ = pipesim("run", SHOP, "--profile", SHOP_PROFILE, "--executions", "3", "--save", str(folder))

    assert status == 0
    assert {"trace.jsonl", "timeline.svg", "timeline.png", "diagram.svg", "diagram.png", "executions.csv"} <= {
        path.name for path in folder.iterdir()
    }

    status, out, _ = pipesim("show", str(folder / "trace.jsonl"), "--at", "3m")

    assert status == 0
    assert "Build: InProgress (E1)" in out

    board = tmp_path / "board.html"
    status, _, _ = pipesim("show", str(folder / "trace.jsonl"), "--at", "10m", "-o", str(board))

    assert status == 0
    assert "In progress" in board.read_text(encoding="utf-8")


def test_show_simulates_a_pipeline_first(pipesim):
    status, out, _ = pipesim("show", SHOP, "--at", "10m")

    assert status == 0
    assert "(E1" in out


def test_fidelity(pipesim):
    status, out, _ = pipesim("fidelity")

    assert status == 0
    assert "not modelled" in out.lower()


def fifty_one_stages() -> dict:
    document = shop()
    last = document["stages"][-1]
    document["stages"] = document["stages"][:1] + [{**last, "name": f"S{n}"} for n in range(50)]
    return document


def with_name(name: str) -> dict:
    document = shop()
    document["name"] = name
    return document


def unknown_provider() -> dict:
    document = shop()
    document["stages"][1]["actions"][0]["actionTypeId"]["provider"] = "CodeBuilt"
    return document


def wrong_types() -> dict:
    document = shop()
    document["stages"] = {"Source": []}
    return document


BAD_PIPELINES = {
    "empty": "",
    "truncated": json.dumps(shop())[:200],
    "not JSON": "hello: world",
    "a list": "[1, 2]",
    "a number": "NaN",
    "wrong types": wrong_types(),
    "unknown provider": unknown_provider(),
    "51 stages": fifty_one_stages(),
    "a name with markup": with_name("<img src=x onerror=alert(1)>"),
    "nothing in it": {},
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("document", BAD_PIPELINES.values(), ids=BAD_PIPELINES.keys())
@pytest.mark.parametrize("command", ["run", "draw"])
def test_a_pipeline_that_cannot_be_used(pipesim, tmp_path, command, document):
    more = ("-o", str(tmp_path / "out.svg")) if command == "draw" else ()
    status, out, err = pipesim(command, write(tmp_path, document), *more)

    assert status == 2
    assert out == ""
    assert err.startswith("pipesim: ")
    assert "Traceback" not in err


def test_no_file(pipesim):
    status, _, err = pipesim("run", "nobody.json")

    assert status == 2
    assert "nobody.json" in err


def test_a_huge_file(pipesim, tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.write(b'{"name": "')
        file.truncate(50 * 2**20)
    status, _, err = pipesim("run", str(path))

    assert status == 2
    assert "MB" in err or "MiB" in err


BAD_PROFILES = {
    "NaN": '[actions."Build/Frontend"]\nduration = nan\n',
    "negative": '[actions."Build/Frontend"]\nduration = "-3m"\n',
    "an unknown action": '[actions."Build/Frontent"]\nduration = "3m"\n',
    "odds above one": '[actions."Build/Frontend"]\nfails = 1.5\n',
    "no TOML": "][",
}


@pytest.mark.parametrize("text", BAD_PROFILES.values(), ids=BAD_PROFILES.keys())
def test_a_profile_that_cannot_be_used(pipesim, tmp_path, text):
    path = tmp_path / "profile.toml"
    path.write_text(text, encoding="utf-8")
    status, out, err = pipesim("run", SHOP, "--profile", str(path))

    assert (status, out) == (2, "")
    assert err.startswith("pipesim: ")


@pytest.mark.parametrize("option", [("--every", "-5m"), ("--every", "nan"), ("--for", "soon"), ("--executions", "0")])
def test_options_that_make_no_sense(pipesim, option):
    status, _, err = pipesim("run", SHOP, *option)

    assert status == 2
    assert option[0] in err


def test_an_arrow_sketch_with_a_typo(pipesim):
    status, _, err = pipesim("run", "GitHub -> CodeBuilt -> S3")

    assert status == 2
    assert "CodeBuild" in err


def test_python_dash_m_is_the_same_program():
    done = subprocess.run([sys.executable, "-m", "pipesim", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("pipesim, version ")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_sees_how_far_a_run_is_even_one_that_tells_no_width():
    status, seen = python_at_a_terminal("-m", "pipesim", "run", SHOP, "--executions", "40")

    assert status == 0
    assert "simulating:" in seen
    assert "/40 [" in seen
