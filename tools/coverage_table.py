"""Write docs/coverage.md from notebooks/coverage.toml: every point of the course, and where it is covered.

python tools/coverage_table.py            write the table
python tools/coverage_table.py --check    exit 1 when it differs or a point leads nowhere
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "notebooks" / "coverage.toml"
TARGET = ROOT / "docs" / "coverage.md"
HEAD = """# Coverage: every point of the course, and where it is taught, practised and tested

Generated from `notebooks/coverage.toml` by `python tools/coverage_table.py`; change it there.
A test holds that every lesson, exercise and test named here exists, and that nothing is left open.
"""


def topics() -> list[dict[str, Any]]:
    """Return the topics as they stand in the file."""
    with SOURCE.open("rb") as file:
        return list(tomllib.load(file)["topic"])


def lessons() -> dict[int, Path]:
    """Return the source of every lesson by its number."""
    return {int(path.stem[:2]): path for path in sorted((ROOT / "notebooks" / "source").glob("*.py"))}


def faults() -> Iterator[str]:
    """Yield what leads nowhere."""
    from pipesim.classroom import exercises

    known = {one.id for one in exercises()}
    there = lessons()
    for topic in topics():
        for point in topic["points"]:
            where = f"{topic['title']}: {point['says']}"
            if point["lesson"] not in there:
                yield f"{where}: there is no lesson {point['lesson']}"
            if point["exercise"] not in known:
                yield f"{where}: there is no exercise {point['exercise']!r}"
            if not _exists(point["test"]):
                yield f"{where}: there is no test {point['test']!r}"


def table() -> str:
    """Return the document."""
    there = lessons()
    lines = [HEAD]
    for topic in topics():
        lines += [f"## {topic['title']}", "", "| point | lesson | exercise | test |", "|---|---|---|---|"]
        for point in topic["points"]:
            name = there[point["lesson"]].stem
            lesson = f"[{point['lesson']}](../notebooks/{name}.ipynb)"
            path, _, test = point["test"].partition("::")
            shown = f"[`{test or Path(path).name}`](../{path})"
            lines.append(f"| {point['says']} | {lesson} | {point['exercise']} | {shown} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Write the table, or compare it."""
    found = list(faults())
    for fault in found:
        print(fault, file=sys.stderr)
    if found:
        return 1
    if arguments == ["--check"]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != table():
            print("docs/coverage.md is out of date: run python tools/coverage_table.py", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(table(), encoding="utf-8", newline="\n")
    return 0


def _exists(test: str) -> bool:
    path, _, name = test.partition("::")
    if not path or not (ROOT / path).is_file():
        return False
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    return name in names if name else bool(names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
