"""The README's two commands: exactly one line each, and they can be taken out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_notebooks import load_tool

ROOT = Path(__file__).resolve().parents[2]
readme_commands = load_tool("readme_commands")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", ["Run", "Test"])
def test_a_section_holds_one_command_that_sets_everything_up(section: str):
    line = readme_commands.command(README, section)

    assert line.startswith("python3 -m venv ")
    assert "pip install" in line


def test_the_tool_prints_the_line(capsys):
    assert readme_commands.main(["Test"]) == 0
    assert capsys.readouterr().out.strip().endswith("-m pytest -q -n auto")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# x\n", "0 sections"),
        ("## Run\n```bash\na\n```\n## Run\n```bash\na\n```\n", "2 sections"),
        ("## Run\nno block\n", "one fenced block"),
        ("## Run\n```bash\na\n```\n```bash\nb\n```\n", "one fenced block"),
        ("## Run\n```python\na\n```\n", "in bash"),
        ("## Run\n```bash\na\nb\n```\n", "2 lines"),
    ],
)
def test_anything_else_is_refused(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        readme_commands.command(text, "Run")


def test_ci_runs_both():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert 'readme_commands.py" Run' in script
    assert 'readme_commands.py" Test' in script
