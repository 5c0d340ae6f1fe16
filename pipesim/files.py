"""Where the files lie that come with pipesim: in an installed wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

from pipesim.errors import SourceError

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Return a folder that comes with pipesim.

    Args:
        name: ``data``, ``docs`` or ``notebooks``.

    Raises:
        SourceError: the installation lacks it; the message says how to repair it.

    >>> shipped("data").is_dir()
    True
    """
    places = (PACKAGE / f"_{name}", PACKAGE.parent / name)
    for place in places:
        if place.is_dir():
            return place
    looked = " and ".join(str(place) for place in places)
    raise SourceError(f"The folder {name} of pipesim is missing (looked in {looked}). Install pipesim again.")
