"""The pipelines and profiles that come with pipesim, found in an installed wheel and in a checkout alike."""

from __future__ import annotations

import difflib
from pathlib import Path

from pipesim.errors import SourceError

_PACKAGE = Path(__file__).resolve().parent.parent
_PLACES = (_PACKAGE / "_data", _PACKAGE.parent / "data")


def sample_names() -> tuple[str, ...]:
    """The names of the sample pipelines, such as ``e-commerce``, in alphabetical order."""
    return _names("pipelines", ".json")


def profile_names() -> tuple[str, ...]:
    """The names of the sample profiles; a profile belongs to the pipeline of the same name."""
    return _names("profiles", ".toml")


def sample(name: str) -> Path:
    """Return the path of a sample pipeline.

    Raises:
        SourceError: there is no sample of this name; the message lists what there is.

    >>> sample("startup").name
    'startup.json'
    """
    return _find("pipelines", name, ".json")


def sample_profile(name: str) -> Path:
    """Return the path of a sample profile.

    Raises:
        SourceError: there is no profile of this name; the message lists what there is.

    >>> sample_profile("e-commerce").name
    'e-commerce.toml'
    """
    return _find("profiles", name, ".toml")


def data_folder() -> Path:
    """Return the folder that holds ``pipelines`` and ``profiles``.

    Raises:
        SourceError: the installation has no data; the message says how to repair it.
    """
    for place in _PLACES:
        if (place / "pipelines").is_dir():
            return place
    looked = " and ".join(str(place) for place in _PLACES)
    raise SourceError(f"The sample pipelines are missing (looked in {looked}). Install pipesim again.")


def _names(folder: str, suffix: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (data_folder() / folder).glob(f"*{suffix}")))


def _find(folder: str, name: str, suffix: str) -> Path:
    wanted = name.removesuffix(suffix)
    names = _names(folder, suffix)
    if wanted in names:
        return data_folder() / folder / f"{wanted}{suffix}"
    close = difflib.get_close_matches(wanted, names, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    raise SourceError(f"There is no sample {name!r} among the {folder}.{guess} There are: {', '.join(names)}.")
