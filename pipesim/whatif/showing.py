"""How results look on the last line of a notebook's cell: their text, and the most telling picture."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipesim.whatif.pictures import Result


def text_html(thing: object) -> str:
    """Return the text of a result as HTML; columns stay in line, nothing in it is markup.

    Args:
        thing: anything whose text is written for people.

    >>> text_html("a < b")
    '<pre style="...">a &lt; b</pre>'
    """
    style = "font-family:var(--jp-code-font-family,monospace);line-height:1.35;overflow-x:auto;white-space:pre"
    return f'<pre style="{style}">{html.escape(str(thing))}</pre>'


def result_html(result: Result) -> str:
    """Return text and first picture of a result.

    Args:
        result: a comparison, a sweep, a sensitivity analysis or a choice.
    """
    from pipesim.whatif.pictures import each_chart

    return text_html(result) + next(each_chart(result)).picture_html()
