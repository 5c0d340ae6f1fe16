"""The examples of the documents run as they stand, each section in an account of its own."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
HEADING = re.compile(r"^(#{2,3} .+)$", re.MULTILINE)


def sections() -> list[tuple[str, str]]:
    """Every part under a heading of the second or third rank that has an example."""
    pieces = HEADING.split((DOCS / "integrations.md").read_text(encoding="utf-8"))
    named = zip(pieces[1::2], pieces[2::2], strict=True)
    return [(heading.lstrip("# "), text) for heading, text in named if ">>>" in text]


@pytest.mark.parametrize(("heading", "text"), sections(), ids=[heading for heading, _ in sections()])
def test_an_example_of_the_integrations_runs(heading: str, text: str) -> None:
    text = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {}, heading, "docs/integrations.md", 0)
    complaints: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=complaints.append)
    assert outcome.attempted
    assert not outcome.failed, "".join(complaints)
