"""Every pipeline in data/ still lives the life that was written down for it (tools/make_golden.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipesim.formats.samples import sample_names
from pipesim.trace.log import Trace

from ..engine.laws import check_laws

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))

from make_golden import golden_trace  # noqa: E402


def test_every_pipeline_has_a_golden_trace():
    assert sorted(path.stem for path in HERE.glob("*.jsonl")) == list(sample_names())


@pytest.mark.parametrize("name", sample_names())
def test_golden_trace(name):
    expected = (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    actual = golden_trace(name).to_jsonl().splitlines()

    for number, (want, got) in enumerate(zip(expected, actual, strict=False), 1):
        assert got == want, f"line {number}"
    assert len(actual) == len(expected)


@pytest.mark.parametrize("name", sample_names())
def test_golden_traces_keep_the_laws(name):
    check_laws(Trace.read_jsonl(HERE / f"{name}.jsonl"), finished=True)
