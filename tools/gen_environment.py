"""Write environment.yml for conda users from pyproject.toml, or check that it is up to date.

python tools/gen_environment.py            write it
python tools/gen_environment.py --check    exit 1 when the committed file differs
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "environment.yml"

CONDA_NAMES = {"graphviz": "python-graphviz", "matplotlib": "matplotlib-base", "tzdata": "python-tzdata"}
"""Where conda-forge calls a package differently: there ``graphviz`` is the C program and ``tzdata`` a data folder."""

ONLY_ON_PYPI = {"ciw", "graphviz-pure"}
"""A simulator to compare with, without which two tests are skipped, and a layout engine for machines without Graphviz;
conda users get Graphviz itself."""

HEADER = """\
# Generated from pyproject.toml by tools/gen_environment.py; change it there.
# Use: conda env create -f environment.yml && conda activate pipesim
"""


def conda_spec(requirement: str) -> str | None:
    """Return the conda spelling of one requirement, or None when conda does not need it."""
    parsed = Requirement(requirement)
    if parsed.name in ONLY_ON_PYPI:
        return None
    return CONDA_NAMES.get(parsed.name, parsed.name) + str(parsed.specifier)


def environment(project: dict[str, object]) -> str:
    """Return the text of environment.yml for the ``[project]`` table of a pyproject.toml."""
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *extras["dashboard"], *extras["test"]]
    specs = sorted({spec for requirement in requirements if (spec := conda_spec(requirement))} | {"graphviz"})
    lines = [f"python{project['requires-python']}", *specs, "pip"]
    return (
        HEADER
        + "name: pipesim\nchannels:\n  - conda-forge\n  - nodefaults\ndependencies:\n"
        + "".join(f'  - "{line}"\n' if ">" in line else f"  - {line}\n" for line in lines)
        + "  - pip:\n      - -e .\n"
    )


def main(arguments: list[str]) -> int:
    """Write the file, or compare it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = environment(project)
    if arguments == ["--check"]:
        if TARGET.read_text(encoding="utf-8") == wanted:
            return 0
        print("environment.yml is not what pyproject.toml says: run python tools/gen_environment.py", file=sys.stderr)
        return 1
    TARGET.write_text(wanted, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
