"""Event patterns: whether an event is one that a rule asks for.

A pattern is JSON shaped like the event: a leaf is a list of values or of tests, any of which may hold; all named
members must hold. moto has a matcher too; this one also looks into lists of objects, tells ``true`` from ``1``, knows
lists inside ``anything-but`` tests, and refuses tests that do not exist.
Source: Amazon EventBridge User Guide, "Creating Amazon EventBridge event patterns" and "Comparison operators".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import eq, ge, gt, le, lt
from typing import Any

from pipesim.errors import PipesimError

OR = "$or"
MISSING: Any = object()
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, "=": eq, ">=": ge, ">": gt}


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether an event is one that a pattern asks for.

    Args:
        pattern: as ``PutRule`` takes it, parsed; an empty one asks for everything.
        event: the event, or the part of it that the pattern speaks of.

    >>> matches({"source": ["aws.s3"], "detail": {"size": [{"numeric": [">", 5]}]}}, {"source": "aws.s3",
    ...     "detail": {"size": 9}})
    True
    """
    for name, wanted in pattern.items():
        if name == OR and isinstance(wanted, Sequence):
            if not any(matches(each, event) for each in wanted):
                return False
            continue
        value = event.get(name, MISSING) if isinstance(event, Mapping) else MISSING
        if isinstance(wanted, Mapping):
            if not any(matches(wanted, each) for each in _objects(value)):
                return False
        elif not any(_holds(test, value) for test in wanted):
            return False
    return True


def problem_of(pattern: Any) -> str:
    """Return what is wrong with a pattern, in the service's words; empty when nothing is.

    Args:
        pattern: parsed.
    """
    if not isinstance(pattern, Mapping):
        return "Filter is not an object"
    for name, wanted in pattern.items():
        if name == OR and isinstance(wanted, list):
            found = next((found for each in wanted if (found := problem_of(each))), "")
        elif isinstance(wanted, Mapping):
            found = problem_of(wanted) if wanted else "Empty objects are not allowed"
        elif not isinstance(wanted, list):
            found = f"'{name}' must be an object or an array"
        elif not wanted:
            found = "Empty arrays are not allowed"
        else:
            found = next((found for test in wanted if (found := _problem_of_test(test))), "")
        if found:
            return found
    return ""


def read(pattern: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a pattern, parsed and found good.

    Raises:
        PipesimError: it is no pattern.
    """
    try:
        parsed = json.loads(pattern) if isinstance(pattern, str) else pattern
    except ValueError:
        raise PipesimError(f"event pattern is not JSON: {str(pattern)[:60]!r}") from None
    if problem := problem_of(parsed):
        raise PipesimError(f"event pattern cannot be used: {problem}")
    assert isinstance(parsed, Mapping)
    return parsed


def _objects(value: Any) -> Iterator[Any]:
    """What a nested pattern is asked about: the object, each object of a list, or one without members."""
    if isinstance(value, list) and value:
        yield from value
    else:
        yield value if isinstance(value, Mapping) else {}


def _holds(test: Any, value: Any) -> bool:
    if isinstance(test, Mapping):
        kind, operand = next(iter(test.items()))
        if kind == "exists":
            return bool(operand) is (value is not MISSING and not isinstance(value, Mapping))
        if value is MISSING:
            return False
        ask = TESTS[kind]
        return any(ask(operand, each) for each in (value if isinstance(value, list) else (value,)))
    if value is MISSING:
        return False
    return any(_same(test, each) for each in (value if isinstance(value, list) else (value,)))


def _same(wanted: Any, value: Any) -> bool:
    return isinstance(wanted, bool) is isinstance(value, bool) and bool(wanted == value)


def _each(operand: Any) -> Any:
    return operand if isinstance(operand, list) else (operand,)


def _starts(operand: Any, value: Any) -> bool:
    return isinstance(value, str) and any(_folded(one, value, str.startswith) for one in _each(operand))


def _ends(operand: Any, value: Any) -> bool:
    return isinstance(value, str) and any(_folded(one, value, str.endswith) for one in _each(operand))


def _folded(operand: Any, value: str, ask: Callable[[str, str], bool]) -> bool:
    if isinstance(operand, Mapping):
        return ask(value.casefold(), str(operand["equals-ignore-case"]).casefold())
    return ask(value, operand)


def _equals_ignoring_case(operand: Any, value: Any) -> bool:
    return isinstance(value, str) and any(one.casefold() == value.casefold() for one in _each(operand))


def _is_like(operand: Any, value: Any) -> bool:
    return isinstance(value, str) and any(_wildcard(one).fullmatch(value) for one in _each(operand))


@lru_cache(maxsize=256)
def _wildcard(operand: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|\*|[^*\\]+|\\", operand)
    return re.compile("".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts), re.S)


def _compares(operand: Any, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return all(COMPARISONS[sign](value, limit) for sign, limit in zip(operand[::2], operand[1::2], strict=True))


def _differs(operand: Any, value: Any) -> bool:
    if isinstance(operand, Mapping):
        kind, inner = next(iter(operand.items()))
        return not TESTS[kind](inner, value)
    return not any(_same(one, value) for one in _each(operand))


def _lies_within(operand: Any, value: Any) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": _starts,
    "suffix": _ends,
    "equals-ignore-case": _equals_ignoring_case,
    "wildcard": _is_like,
    "numeric": _compares,
    "anything-but": _differs,
    "cidr": _lies_within,
}
NEGATED = ("prefix", "suffix", "equals-ignore-case", "wildcard")


def _problem_of_test(test: Any) -> str:
    if not isinstance(test, Mapping):
        return "" if test is None or isinstance(test, (str, bool, int, float)) else "Match value must be a scalar"
    if len(test) != 1:
        return "Only one key allowed in match expression"
    kind, operand = next(iter(test.items()))
    if kind == "exists":
        return "" if isinstance(operand, bool) else "exists match pattern must be either true or false."
    if kind not in TESTS:
        return f"Unrecognized match type {kind}"
    if kind == "numeric":
        good = (
            isinstance(operand, list) and len(operand) in (2, 4) and all(sign in COMPARISONS for sign in operand[::2])
        )
        numbers = good and all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in operand[1::2])
        return "" if numbers else "Value of numeric must be an array of comparisons and numbers"
    if kind == "anything-but" and isinstance(operand, Mapping):
        inner = next(iter(operand), "")
        return _problem_of_test(operand) if inner in NEGATED else f"Unsupported anything-but pattern: {inner}"
    if kind in NEGATED and not all(_is_text(kind, one) for one in _each(operand)):
        return f"{kind} match pattern must be a string"
    return "Malformed CIDR, one '/' required" if kind == "cidr" and not _is_network(operand) else ""


def _is_text(kind: str, operand: Any) -> bool:
    """Whether an operand is text, or what may stand in its place where case does not count."""
    if isinstance(operand, Mapping) and kind in ("prefix", "suffix"):
        return set(operand) == {"equals-ignore-case"} and isinstance(operand["equals-ignore-case"], str)
    return isinstance(operand, str)


def _is_network(operand: Any) -> bool:
    try:
        ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False
    return True
