"""environment.yml names what pyproject.toml names."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.test_notebooks import load_tool

ROOT = Path(__file__).resolve().parents[2]
generator = load_tool("gen_environment")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_committed_file_is_what_pyproject_says():
    assert generator.environment(PROJECT) == (ROOT / "environment.yml").read_text(encoding="utf-8")


def test_the_check_notices_a_difference(monkeypatch, tmp_path, capsys):
    other = tmp_path / "environment.yml"
    other.write_text(generator.environment(PROJECT).replace("simpy>=4.1", "simpy>=3"), encoding="utf-8")
    monkeypatch.setattr(generator, "TARGET", other)

    assert generator.main(["--check"]) == 1
    assert "run python tools/gen_environment.py" in capsys.readouterr().err
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0


def test_names_that_conda_spells_differently():
    assert generator.conda_spec("graphviz>=0.20") == "python-graphviz>=0.20"
    assert generator.conda_spec("matplotlib>=3.9") == "matplotlib-base>=3.9"
    assert generator.conda_spec("tzdata>=2024.1") == "python-tzdata>=2024.1"
    assert generator.conda_spec("simpy>=4.1") == "simpy>=4.1"
    assert generator.conda_spec("graphviz-pure>=0.2,<0.4; platform_machine in 'x86_64'") is None


def test_the_python_floor_and_the_program_graphviz():
    lines = [line.strip(' -"') for line in generator.environment(PROJECT).splitlines()]

    assert f"python{PROJECT['requires-python']}" in lines
    assert "graphviz" in lines
    assert lines[-2:] == ["pip:", "e ."]
