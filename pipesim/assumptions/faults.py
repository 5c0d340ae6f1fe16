"""Faults of assumptions: each names the member, the value and the way out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import SupportsFloat

from pipesim.errors import AssumptionError

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
LONGEST = 100 * 365.25 * 86_400.0


class AssumptionFault(AssumptionError):
    """A fault that knows where it stands; its text is ``path: explanation``.

    Attributes:
        path: the members that lead to the fault, outermost first.
        explanation: the value, what is wrong with it and what to write instead.
    """

    def __init__(self, path: tuple[str, ...], explanation: str) -> None:
        super().__init__(path, explanation)
        self.path = path
        self.explanation = explanation

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.explanation}"


def dotted(path: Iterable[str]) -> str:
    """Write a path as TOML would.

    >>> dotted(("actions", "Build/Frontend", "fails"))
    'actions."Build/Frontend".fails'
    """
    return ".".join(key if BARE_KEY.fullmatch(key) else f'"{key}"' for key in path)


@contextmanager
def under(*keys: str) -> Iterator[None]:
    """Put the keys in front of the path of every fault raised inside."""
    try:
        yield
    except AssumptionFault as fault:
        raise AssumptionFault((*keys, *fault.path), fault.explanation) from None
    except AssumptionError as error:
        raise AssumptionFault(keys, str(error)) from None


def suggest(word: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"``, or the choices when none is near.

    >>> suggest("duratoin", ["duration", "fails"])
    "; did you mean 'duration'?"
    >>> suggest("colour", ["duration", "fails"])
    "; choose from 'duration', 'fails'"
    """
    known = sorted({str(choice) for choice in choices})
    lowered = {choice.lower(): choice for choice in known}
    near = get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {lowered[near[0]]!r}?"
    if not known:
        return ""
    shown = ", ".join(repr(choice) for choice in known[:12])
    return f"; choose from {shown}{', …' if len(known) > 12 else ''}"


def number(member: str, value: object) -> float:
    """Return the value as a finite float; a fault names the member."""
    if isinstance(value, bool) or not isinstance(value, SupportsFloat):
        raise AssumptionFault((member,), f"{value!r} is not a number")
    try:
        result = float(value)
    except OverflowError:
        raise AssumptionFault((member,), f"{value!r} is too large") from None
    if not math.isfinite(result):
        raise AssumptionFault((member,), f"{result!r} is not a finite number")
    return result


def duration(member: str, value: object) -> float:
    """Return the value as seconds: finite, not negative and at most 100 years."""
    result = number(member, value)
    if result < 0:
        raise AssumptionFault((member,), f"{result:g} s is negative; a duration is 0 s or longer")
    if result > LONGEST:
        raise AssumptionFault((member,), f"{result:g} s is longer than 100 years")
    return result + 0.0


def odds(member: str, value: object) -> float:
    """Return the value as odds between 0 and 1."""
    result = number(member, value)
    if not 0 <= result <= 1:
        raise AssumptionFault((member,), f"{result:g} is not between 0 and 1; 5 in 100 is written 0.05")
    return result + 0.0


def whole(member: str, value: object, least: int) -> int:
    """Return the value as a whole number of at least `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise AssumptionFault((member,), f"{value!r} is not a whole number")
    result = int(value.__index__())
    if result < least:
        raise AssumptionFault((member,), f"{result} is too small; the least is {least}")
    return result
