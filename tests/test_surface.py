"""The public surface: what `import pipesim` offers, and what it does not drag in."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pipesim

HEAVY = {"matplotlib", "pandas", "ipywidgets", "anywidget", "moto", "boto3", "botocore", "scipy", "IPython", "flask"}


def test_the_list_is_sorted_and_has_no_doubles():
    names = pipesim.__all__[1:]

    assert names == sorted(set(names))


@pytest.mark.parametrize("name", pipesim.__all__)
def test_every_public_name_exists_and_says_what_it_is(name):
    value = getattr(pipesim, name)

    assert isinstance(value, str) or value.__doc__
    assert name in dir(pipesim)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="simulat"):
        pipesim.simulat  # noqa: B018


def test_import_is_light():
    program = "import sys, pipesim; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert HEAVY.isdisjoint(name.partition(".")[0] for name in loaded)


def test_the_type_checker_sees_the_same_names():
    """The imports under TYPE_CHECKING and the table of homes are the same list."""
    from pathlib import Path

    source = Path(pipesim.__file__).read_text(encoding="utf-8")
    typed = {line.rpartition(" as ")[2] for line in source.splitlines() if line.startswith("    from pipesim")}

    assert typed == set(pipesim.__all__) - {"__version__"}
