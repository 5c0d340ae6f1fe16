"""Build the notebooks from notebooks/source/*.py, the only files that people edit.

    python tools/build_notebooks.py            write notebooks/*.ipynb and notebooks/solutions/*.ipynb
    python tools/build_notebooks.py --check    exit 1 when a committed notebook differs

The sources are in jupytext's percent format. A cell tagged ``solution`` is complete in
``solutions/`` and only an invitation in the learner's notebook. So is a cell tagged ``exercise:10-1``, the answer
to that exercise of `pipesim.classroom`; the learner's notebook leaves the answer's variable open, so that the
cell tagged ``check:10-1`` after it can say what is missing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode, v4

from pipesim.classroom.release import answers_of

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
INVITATION = "# Write your code here."
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def build(source: str, *, solutions: bool) -> str:
    """Return the text of the notebook for one source.

    Args:
        source: the text of a percent-format script.
        solutions: True: everything; False: the learner's, solutions taken out.
    """
    cells = [_cell(cell, place, solutions) for place, cell in enumerate(jupytext.reads(source, fmt="py:percent").cells)]
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook = v4.new_notebook(cells=cells, metadata=metadata, nbformat_minor=5)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def targets() -> Iterator[tuple[Path, str]]:
    """Yield every notebook that the sources make, with its text."""
    for path in sorted((NOTEBOOKS / "source").glob("*.py")):
        source = path.read_text(encoding="utf-8")
        yield NOTEBOOKS / f"{path.stem}.ipynb", build(source, solutions=False)
        yield NOTEBOOKS / "solutions" / f"{path.stem}.ipynb", build(source, solutions=True)


def stale() -> list[Path]:
    """Return the notebooks that differ from their source, are missing, or have no source."""
    wanted = dict(targets())
    present = {*NOTEBOOKS.glob("*.ipynb"), *(NOTEBOOKS / "solutions").glob("*.ipynb")}
    changed = [path for path, text in wanted.items() if path in present and path.read_text(encoding="utf-8") != text]
    return sorted([*changed, *(present ^ wanted.keys())])


def main(arguments: list[str]) -> int:
    """Write the notebooks, or compare them."""
    if arguments == ["--check"]:
        for path in (differing := stale()):
            print(f"{path.name} is not what its source says: run python tools/build_notebooks.py", file=sys.stderr)
        return 1 if differing else 0
    for path, text in targets():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return 0


def _cell(cell: NotebookNode, place: int, solutions: bool) -> NotebookNode:
    """Return the cell as the notebook keeps it: its text, its tags, an id made of its place."""
    tags = cell.metadata.get("tags", [])
    text = cell.source
    if not solutions and ("solution" in tags or any(tag.startswith("exercise:") for tag in tags)):
        text, tags = _invitation(text), [tag for tag in tags if tag != "solution"]
    make = v4.new_code_cell if cell.cell_type == "code" else v4.new_markdown_cell
    return make(text, id=str(place), metadata={"tags": tags} if tags else {})


def _invitation(text: str) -> str:
    """The invitation, and after it every variable of an answer, still open."""
    return "\n".join([INVITATION, *(f"{name} = ..." for name in answers_of(text))])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
