"""The glob patterns of Git triggers, compiled to regular expressions.

Source: user guide page "Working with glob patterns in syntax" (syntax-glob). That upper and lower case count, and
that ``**/x`` wants a slash, is assumed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipesim.errors import DeclarationError


@lru_cache(maxsize=4096)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a glob pattern; it is meant for a full match.

    ``*`` stays inside one path segment, ``**`` crosses segments, ``?`` is one character of a segment, ``[…]`` is a
    set with ``!`` and ranges, ``{a,b}`` are choices that do not nest, and a backslash takes the next sign as it is.

    Raises:
        DeclarationError: a set or a group is not closed, groups nest, or nothing follows a backslash.

    >>> bool(compile_glob("src/**.py").fullmatch("src/a/b.py")), bool(compile_glob("src/*.py").fullmatch("src/a/b.py"))
    (True, False)
    """
    translated, rest, in_group = "", pattern, False
    while rest:
        sign, rest = rest[0], rest[1:]
        match sign:
            case "*":
                across = rest.startswith("*")
                rest = rest.lstrip("*") if across else rest
                translated += ".*" if across else "[^/]*"
            case "?":
                translated += "[^/]"
            case "\\":
                if not rest:
                    raise _broken(pattern, "nothing follows the backslash at its end")
                translated, rest = translated + re.escape(rest[0]), rest[1:]
            case "[":
                members, closed, rest = rest.partition("]")
                if not closed or members in ("", "!"):
                    raise _broken(pattern, "the set that '[' opens is empty or not closed by ']'")
                translated += _set(pattern, members)
            case "{":
                if in_group:
                    raise _broken(pattern, "groups in braces cannot be nested")
                translated, in_group = translated + "(?:", True
            case "}" if in_group:
                translated, in_group = translated + ")", False
            case "," if in_group:
                translated += "|"
            case _:
                translated += re.escape(sign)
    if in_group:
        raise _broken(pattern, "the group that '{' opens is not closed by '}'")
    return re.compile(translated, re.DOTALL)


def glob_matches(pattern: str, text: str) -> bool:
    """Whether a glob pattern fits a whole text.

    >>> glob_matches("release-[0-9]*", "release-24.1"), glob_matches("docs/*", "docs/a/b")
    (True, False)
    """
    return compile_glob(pattern).fullmatch(text) is not None


def _set(pattern: str, members: str) -> str:
    negated = members.startswith("!")
    signs = members[1:] if negated else members
    parts, index = [], 0
    while index < len(signs):
        if index + 2 < len(signs) and signs[index + 1] == "-":
            first, last = signs[index], signs[index + 2]
            if first > last:
                raise _broken(pattern, f"the range {first}-{last} is upside down")
            parts.append(f"{re.escape(first)}-{re.escape(last)}")
            index += 3
        else:
            parts.append(re.escape(signs[index]))
            index += 1
    return f"(?!/)[{'^' if negated else ''}{''.join(parts)}]"


def _broken(pattern: str, why: str) -> DeclarationError:
    return DeclarationError(f"the glob pattern {pattern!r} is malformed: {why}")
