"""On the last line of a cell every result shows its text and a picture, and nothing in it is markup."""

from __future__ import annotations

import pytest

import pipesim as ps

PIPELINE = ps.load("GitHub -> CodeBuild -> S3")
EVIL = "<img onerror=alert(1)>"


@pytest.fixture(scope="module")
def results() -> dict[str, object]:
    changes = {EVIL: ps.edit.scale_duration("CodeBuild", 0.5)}
    return {
        "comparison": ps.compare(PIPELINE, changes, n=5, days=2, progress=False),
        "sensitivity": ps.sensitivity(PIPELINE, n=5, days=2, progress=False),
        "sweep": ps.sweep(PIPELINE, lambda value: ps.edit.scale_duration("CodeBuild", value), [1, 2], n=5, days=2),
        "choice": ps.best(PIPELINE, changes, first=5, at_most=20, days=2, progress=False),
    }


@pytest.mark.parametrize("name", ["comparison", "sensitivity", "sweep", "choice"])
def test_text_and_picture(results: dict[str, object], name: str) -> None:
    shown = results[name]._repr_html_()  # type: ignore[attr-defined]

    assert "<pre" in shown and 'src="data:image/png' in shown
    assert EVIL not in shown


def test_a_fit_shows_its_tables() -> None:
    shown = ps.fit(ps.simulate(PIPELINE, seed=1, executions=60), replications=2)._repr_html_()

    assert "Durations and answers" in shown
