"""docs/fidelity.md: every row says which of the three it is, and where it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")
WORDS = {"modelled", "assumed", "not modelled"}


def rows() -> list[list[str]]:
    lines = [line for line in TEXT.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not set(row[0]) <= {"-"} and row[1] != "status"]


def test_sections_are_numbered_in_order():
    numbers = [int(number) for number in re.findall(r"^## (\d+) ", TEXT, flags=re.MULTILINE)]

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_a_row_is_whole(row: list[str]):
    assert len(row) == 4
    behaviour, status, what, source = row
    assert behaviour
    assert status in WORDS
    assert source
    if status == "assumed":
        assert what, "an assumption must say what was chosen"


def test_all_three_words_are_used():
    assert {row[1] for row in rows()} == WORDS
