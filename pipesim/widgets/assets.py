"""The files that a widget brings to the browser: modules joined into one, colours from the theme."""

from __future__ import annotations

import re
from pathlib import Path

from pipesim.views.theme import DARK, LIGHT, Theme

STATIC = Path(__file__).parent / "static"
OWN_IMPORT = re.compile(r'^import [^;]*? from "\./[^"]+";\n', re.MULTILINE)


def module(*names: str) -> str:
    """Return ES modules as one, in this order; what they import from each other stands in the same text.

    Args:
        names: files of the folder ``static``; the last one has the default export.

    >>> OWN_IMPORT.search(module("board.js", "player.js")) is None
    True
    """
    return "\n".join(OWN_IMPORT.sub("", read(name)) for name in names)


def read(name: str) -> str:
    """Return the text of a file of the folder ``static``."""
    return (STATIC / name).read_text(encoding="utf-8")


def palette(scope: str) -> str:
    """Return the theme's colours as CSS variables, light and dark, following JupyterLab or the browser.

    Args:
        scope: the selector of the widget's outermost element.

    >>> "--ps-ink" in palette(".ps-player")
    True
    """
    dark = _colours(DARK)
    return (
        f"{scope}{{{_colours(LIGHT)}}}\n"
        f"[data-jp-theme-light=false] {scope},.theme-dark {scope}{{{dark}}}\n"
        f"@media(prefers-color-scheme:dark){{body:not([data-jp-theme-light]):not(.theme-light) {scope}{{{dark}}}}}\n"
        + "".join(
            f"{scope} .ps-is-{status}{{--fill:var(--ps-{status}-fill);--edge:var(--ps-{status}-edge);"
            f"--text:var(--ps-{status}-text);--on-edge:var(--ps-{status}-on-edge)}}\n"
            for status in LIGHT.statuses
        )
    )


def _colours(theme: Theme) -> str:
    own = {
        "ink": f"var(--jp-ui-font-color1,{theme.ink})",
        "muted": theme.muted,
        "back": f"var(--jp-layout-color0,{theme.background})",
        "card": f"var(--jp-layout-color0,{theme.card})",
        "panel": theme.panel,
        "line": theme.line,
        "grid": theme.grid,
        "accent": theme.statuses["InProgress"].edge,
        "on-accent": theme.statuses["InProgress"].on_edge,
    }
    for status, look in theme.statuses.items():
        own |= {
            f"{status}-fill": look.fill,
            f"{status}-edge": look.edge,
            f"{status}-text": look.text,
            f"{status}-on-edge": look.on_edge,
        }
    scheme = "dark" if theme is DARK else "light"
    return f"color-scheme:{scheme};" + ";".join(f"--ps-{name}:{colour}" for name, colour in own.items())
