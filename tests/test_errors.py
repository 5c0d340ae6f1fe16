"""How pipesim's errors look in a notebook: the reader's own line and the message."""

from __future__ import annotations

import pytest

import pipesim as ps
from tests.cell import shown


def test_an_error_is_short_in_a_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "import pipesim as ps\nps.load('GitHub -> CodeBild -> S3')")

    assert "SourceError: The sketch cannot be read" in out and "Did you mean 'CodeBuild'" in out
    assert "pipesim/formats" not in out
    assert len(out.splitlines()) < 12


def test_the_whole_of_it_can_be_had(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPESIM_TRACEBACK", "full")

    assert "sketch.py" in shown(capsys, "import pipesim as ps\nps.load('GitHub -> CodeBild -> S3')")


def test_other_errors_are_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    assert "ZeroDivisionError" in shown(capsys, "1 / 0")


def test_the_message_is_all_there() -> None:
    error = ps.Refused("StageNotFoundException", "no stage 'Deplyo'")

    assert error._render_traceback_()[-1].startswith("Refused: ")
    assert "no stage 'Deplyo'" in error._render_traceback_()[-1]
