"""A cursor over untrusted data that notes every problem instead of stopping at the first."""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipesim.definition.paths import join
from pipesim.definition.problems import Problem

LARGEST_INTEGER = 2**31 - 1
"""The largest Integer of the service's model, which is 32 bits wide."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother, _SHORT.maxdict, _SHORT.maxlist = 2, 60, 60, 3, 3


def shown(value: Any) -> str:
    """Return a short text for any value, however deep or long it is.

    >>> shown("x" * 500) == "'" + "x" * 27 + "..." + "x" * 28 + "'"
    True
    """
    try:
        return _SHORT.repr(value)
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to show"


def kind(value: Any) -> str:
    """Return JSON's word for the type of a value.

    >>> kind(True), kind(1.5), kind({}), kind(None)
    ('true or false', 'number', 'object', 'null')
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case Mapping():
            return "object"
        case Sequence():
            return "list"
        case _:
            return type(value).__name__


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return "did you mean …?" for the nearest choice, or the empty text when none is near.

    >>> did_you_mean("runorder", ["name", "runOrder"])
    "did you mean 'runOrder'?"
    """
    by_lower = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean '{by_lower[near[0]]}'?" if near else ""


def whole_number(value: Any) -> int | None:
    """Return a whole number that is written as a number or as text, or None for anything else.

    >>> whole_number("3"), whole_number(3.0), whole_number(True), whole_number(float("nan"))
    (3, 3, None, None)
    """
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case str() if _INTEGER.fullmatch(value.strip()):
            return int(value)
        case _:
            return None


class Cursor:
    """One value of a document, its path, and the list of problems that all cursors share.

    An absent member and ``null`` mean the same, as in AWS's JSON protocol.
    """

    def __init__(self, value: Any, path: str = "", problems: list[Problem] | None = None) -> None:
        self.value = value
        self.path = path
        self.problems: list[Problem] = [] if problems is None else problems
        self._known: dict[str, None] = {}

    def note(self, rule: str, message: str, *, path: str | None = None, hint: str = "") -> None:
        """Add a problem at this cursor, or at `path`."""
        where = self.path if path is None else path
        self.problems.append(Problem(where, rule, "ValidationException", message, hint))

    def is_object(self) -> bool:
        """Whether this is an object; a problem is noted when it is not."""
        return isinstance(self.value, Mapping) or self._wrong("object")

    def child(self, name: str) -> Cursor | None:
        """Return the cursor of a member, or None when the member is absent."""
        self._known[name] = None
        value = self.value.get(name) if isinstance(self.value, Mapping) else None
        return None if value is None else Cursor(value, join(self.path, name), self.problems)

    def required(self, name: str) -> Cursor | None:
        """Return the cursor of a member that must be there; note its absence."""
        found = self.child(name)
        if found is None and isinstance(self.value, Mapping):
            likely = did_you_mean(name, [key for key in self.value if isinstance(key, str) and key not in self._known])
            self.note("missing-member", f"'{name}' is missing", path=join(self.path, name), hint=likely)
        return found

    def close(self) -> None:
        """Note every member that nobody asked for."""
        if not isinstance(self.value, Mapping):
            return
        for key in self.value:
            if not isinstance(key, str):
                self.note("unknown-member", f"member names must be text, not {shown(key)}")
            elif key not in self._known:
                absent = [name for name in self._known if self.value.get(name) is None]
                hint = did_you_mean(key, absent) or "members here: " + ", ".join(self._known)
                self.note("unknown-member", f"unknown member {shown(key)}", path=join(self.path, key), hint=hint)

    def items(self) -> Iterator[Cursor]:
        """Yield the cursors of a list's entries; note when this is no list."""
        if not isinstance(self.value, Sequence) or isinstance(self.value, str | bytes):
            self._wrong("list")
            return
        for index, value in enumerate(self.value):
            yield Cursor(value, join(self.path, index), self.problems)

    def entries(self) -> Iterator[tuple[str, Cursor]]:
        """Yield the names and cursors of a free mapping, such as a configuration."""
        if not self.is_object():
            return
        for key, value in self.value.items():
            if isinstance(key, str):
                yield key, Cursor(value, join(self.path, key), self.problems)
            else:
                self.note("wrong-type", f"keys must be text, not {shown(key)}")

    def text(self) -> str:
        """Return the text that stands here; the empty text, and a problem, when it is something else."""
        if not isinstance(self.value, str):
            self._wrong("text")
            return ""
        if not _encodable(self.value):
            self.note("wrong-type", f"the text {shown(self.value)} holds half a character (a lone surrogate)")
            return ""
        return self.value

    def integer(self, default: int) -> int:
        """Return the whole number that stands here, written as a number or as text."""
        number = whole_number(self.value)
        if number is None:
            self._wrong("whole number")
            return default
        if abs(number) > LARGEST_INTEGER:
            self.note("wrong-type", f"{shown(number)} is beyond the service's 32-bit numbers")
            return default
        return number

    def version(self) -> str:
        """Return a version, which may be written as text or as a whole number."""
        if isinstance(self.value, str):
            return self.text()
        return str(self.integer(1))

    def _wrong(self, wanted: str) -> bool:
        article = {"object": "an ", "text": ""}.get(wanted, "a ")
        hint = ""
        if wanted == "text" and isinstance(self.value, bool | int | float):
            hint = "write it in quotes"
        elif wanted == "text" and isinstance(self.value, Mapping | list | tuple):
            hint = "write it as one text; structured values go in as JSON text"
        message = f"must be {article}{wanted}, not {kind(self.value)} ({shown(self.value)})"
        self.note("wrong-type", message, hint=hint)
        return False


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
