"""The pipelines and profiles that come with pipesim, found in an installed wheel and in a checkout alike."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import NoReturn

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


def history_names() -> tuple[str, ...]:
    """The names of the sample histories; a history belongs to the pipeline of the same name."""
    return tuple(sorted(path.name for path in (data_folder() / "histories").iterdir() if path.is_dir()))


def sample_history(name: str) -> Path:
    """Return the folder of a sample history: what the AWS CLI or EventBridge would tell of a pipeline.

    Raises:
        SourceError: there is no history of this name; the message lists what there is.

    >>> sample_history("startup").name
    'startup'
    """
    if name in history_names():
        return data_folder() / "histories" / name
    return _unknown("histories", name, history_names())


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
    return _unknown(folder, name, names)


def _unknown(folder: str, name: str, names: tuple[str, ...]) -> NoReturn:
    close = difflib.get_close_matches(Path(name).stem, names, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    raise SourceError(f"There is no sample {name!r} among the {folder}.{guess} There are: {', '.join(names)}.")
