"""docs/api.md says what the code says, and has a row for every operation."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipesim.cloud.codepipeline.models import OPERATIONS
from pipesim.cloud.codepipeline.shapes import service_model
from tests.test_notebooks import load_tool

tool = load_tool("api_table")


def test_the_committed_table_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--check"]) == 0, capsys.readouterr().err


def test_every_operation_has_a_row_and_nothing_else_has() -> None:
    assert list(tool.ROWS) == sorted(service_model().operation_names) == sorted(OPERATIONS)


def test_a_table_that_is_out_of_date_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "TARGET", tmp_path / "api.md")
    tool.main([])
    assert tool.main(["--check"]) == 0
    (tmp_path / "api.md").write_text("something else", encoding="utf-8")

    assert tool.main(["--check"]) == 1
    assert "run python tools/api_table.py" in capsys.readouterr().err


def test_every_row_says_what_holds() -> None:
    for name, row in tool.ROWS.items():
        assert row.holds.endswith("."), name
        assert row.lacks == "-" or row.lacks.endswith("."), name
