"""A profile: assumptions as a TOML text that a person can write.

    name = "shop"
    start = 2026-03-02T09:00:00Z

    [arrivals]
    every = "20m"    # or list = ["0m", "25m"], poisson_per_hour = 3, once = "0s",
                     # office = { per_day = 20, hours = "Mon-Fri 09:00-17:00", time_zone = "Europe/Berlin" }

                     # weekly = { time_zone = "Europe/Berlin", Mon = [24 changes an hour, one for each hour], Tue = … }

    [actions."Build/Frontend"]
    duration = { median = "6m", p95 = "11m" }
    fails_on = [2]

    [approvals."Approve/Stakeholders"]
    response = { median = "25m", p95 = "3h" }    # or "never": a command must answer
    hours = "Mon-Fri 09:00-17:00"
    time_zone = "Europe/Berlin"

    [pools.builds]
    capacity = 3

    [delays]         # or: delays = false
    between_stages = "0.4s"

A duration is text (``"8m"``), a number of seconds, or a table: ``{ median, p95 }`` log-normal, ``{ low, high }``
uniform, ``{ low, mode, high }`` triangular, ``{ mean }`` exponential, ``{ values = [...] }`` observed,
``{ pert = { low, mode, high } }``, ``{ weibull = { shape, scale } }``, ``{ gamma = { shape, scale } }``,
``{ normal = { centre, spread } }``, ``{ bootstrap = { values = [...], weights = [...] } }``, ``{ by, rest }`` shifted,
``{ mixture = [{ weight, of }, ...] }``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipesim.assumptions.faults import under
from pipesim.assumptions.model import Assumptions
from pipesim.assumptions.profile_reader import read_assumptions
from pipesim.assumptions.profile_writer import write_assumptions
from pipesim.assumptions.toml_text import to_text
from pipesim.errors import AssumptionError

LARGEST = 10_000_000


def load_profile(source: str | Path | Mapping[str, Any]) -> Assumptions:
    """Read a profile.

    Arguments:
        source: the path of a TOML file, TOML text, or the mapping that TOML would give.
            A text is taken for a path when it is one line without ``=`` or ``[``, or when such a file exists.

    Raises:
        AssumptionError: when the file cannot be read, is no TOML, or holds something that makes no sense;
            the message names file, member and value.

    >>> load_profile('[actions."Build/Frontend"]\\nduration = "8m"').actions["Build/Frontend"].duration
    Constant(value=480.0)
    """
    if isinstance(source, Mapping):
        return read_assumptions(source)
    if isinstance(source, Path) or _is_path(source):
        try:
            return read_assumptions(_parse(_read(Path(source))))
        except AssumptionError as error:
            raise AssumptionError(f"profile {str(source)!r}: {error}") from None
    with under("profile"):
        data = _parse(source)
    return read_assumptions(data)


def to_toml(assumptions: Assumptions) -> str:
    """Write assumptions as a profile; `load_profile` gives equal assumptions back.

    Raises:
        AssumptionError: when a distribution or a plan of arrivals is a class of one's own, which TOML cannot hold.

    >>> print(to_toml(Assumptions(name="shop")), end="")
    name = "shop"
    start = 2026-03-02T09:00:00Z
    <BLANKLINE>
    [arrivals]
    once = "0s"
    """
    return to_text(write_assumptions(assumptions))


def _is_path(source: str) -> bool:
    if not isinstance(source, str):
        raise AssumptionError(f"a profile is a path, TOML text or a mapping, not {type(source).__name__}")
    if "\n" in source or not source.strip():
        return False
    if not any(sign in source for sign in "=["):
        return True
    try:
        return Path(source).exists()
    except (OSError, ValueError):
        return False


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            raise AssumptionError("is a directory; name a TOML file")
        if not path.exists():
            raise AssumptionError("there is no such file")
        if not path.is_file():
            raise AssumptionError("is not a plain file")
        if path.stat().st_size > LARGEST:
            raise AssumptionError(f"is larger than {LARGEST // 1_000_000} MB; a profile is a page of text")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AssumptionError(f"is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except (OSError, ValueError) as error:
        if isinstance(error, AssumptionError):
            raise
        raise AssumptionError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except ValueError as error:
        raise AssumptionError(f"is not valid TOML: {error}") from None
    except RecursionError:
        raise AssumptionError("is not valid TOML: nested too deeply") from None
