"""Every public name is shown: in a lesson, or in an example that runs."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipesim

ROOT = Path(__file__).parents[2]
PARSER = doctest.DocTestParser()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def examples() -> Iterator[str]:
    """The source of every example of the package and of the documents that run."""
    yield from (one.source for one in PARSER.get_examples(read(ROOT / "docs" / "integrations.md")))
    for path in (ROOT / "pipesim").rglob("*.py"):
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield from (one.source for one in PARSER.get_examples(ast.get_docstring(node) or ""))


def names_in(source: str) -> Iterator[str]:
    """The names that a piece of code uses: as they stand, or as members of the package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            yield node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("ps", "pipesim"):
            yield node.attr


SHOWN = {
    name
    for source in (*examples(), *map(read, (ROOT / "notebooks" / "source").glob("*.py")))
    for name in names_in(source)
}


@pytest.mark.parametrize("name", pipesim.__all__)
def test_a_public_name_is_shown(name: str) -> None:
    assert name in SHOWN, f"pipesim.{name} stands in no lesson and in no example"


def test_a_name_that_nobody_shows_is_noticed() -> None:
    assert {"load", "simulate"} <= set(names_in("ps.load(a).simulate\nsimulate(b)"))
    assert "simulate" not in set(names_in("ps.load(a).simulate"))
