"""Text that is safe and short enough for the label of a diagram."""

from __future__ import annotations

import html
import re

import graphviz

ELLIPSIS = "…"
UNNAMED = "(no name)"
# Control characters, text direction overrides, lone surrogates and non-characters: what XML forbids or what
# would let a name disturb its surroundings.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff]")
_NARROW = frozenset("iIjlft.,:;!|'`()[]{}/\\ -r")
_WIDE = frozenset("mwMW@%")


def plain(text: object) -> str:
    """Return text on one line without characters that cannot be printed; never empty.

    >>> plain("Deploy\\nto\\x00 production")
    'Deploy to production'
    """
    line = "".join(" " if ord(sign) & 0xFFFE == 0xFFFE else sign for sign in _UNPRINTABLE.sub(" ", str(text)))
    return " ".join(line.split()) or UNNAMED


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width of text in Arial, in points, rather too wide than too narrow.

    Args:
        text: one line.
        size: the font's size in points.
        bold: whether it is set bold.
    """
    return sum(_sign_width(sign) for sign in text) * size * (1.07 if bold else 1.0)


def shorten(text: object, width: float, size: float, *, bold: bool = False) -> str:
    """Return text cut in its middle so that it fits.

    Args:
        text: any text; it is made plain first.
        width: the room, in points.
        size: the font's size in points.
        bold: whether it is set bold.

    >>> shorten("integration-tests-of-the-payment-service-in-eu-west-1", 130, 12)
    'integratio…-eu-west-1'
    """
    line = plain(text)
    if text_width(line, size, bold=bold) <= width:
        return line
    keep = len(line) - 1
    while keep > 2:
        head = (keep + 1) // 2
        cut = line[:head].rstrip() + ELLIPSIS + line[len(line) - (keep - head) :].lstrip()
        if text_width(cut, size, bold=bold) <= width:
            return cut
        keep -= 1
    return line[0] + ELLIPSIS


def markup(text: object) -> str:
    """Return text escaped for an HTML-like label.

    >>> markup("<img onerror='x'>")
    '&lt;img onerror=&#x27;x&#x27;&gt;'
    """
    return html.escape(plain(text))


def attribute(*lines: object) -> str:
    """Return lines of text escaped for an ordinary attribute, such as a tooltip."""
    # The library marks the text as no markup by its type, so it must stay of that type.
    text: str = graphviz.escape("\n".join(plain(line).replace("&", "&amp;") for line in lines))
    return text


def _sign_width(sign: str) -> float:
    if sign in _NARROW:
        return 0.34
    if sign in _WIDE:
        return 0.95
    if ord(sign) >= 0x1100:
        return 1.0
    return 0.7 if sign.isupper() else 0.56
