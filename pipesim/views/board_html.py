"""A board as HTML that stands alone: no script, no font, no file from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pipesim.views.panels import Card, Line, Panel
from pipesim.views.theme import DARK, DISABLED, LIGHT, WAITING, WORDS, Theme

LAYOUT = """
.psb{font:13px/1.4 var(--jp-ui-font-family,system-ui,"Segoe UI",Arial,sans-serif);color:var(--psb-ink);
background:var(--psb-back);padding:10px 12px;border-radius:6px}
.psb *{box-sizing:border-box}
.psb p{margin:0}
.psb .psb-title{font-weight:600;font-size:15px}
.psb .psb-moment{color:var(--psb-muted);margin-bottom:8px}
.psb ol,.psb ul{list-style:none;margin:0;padding:0}
.psb .psb-stages{display:flex;flex-wrap:wrap;align-items:stretch;row-gap:14px}
.psb .psb-stage{display:flex;align-items:flex-start}
.psb .psb-door{width:128px;padding:6px 4px 0;text-align:center;color:var(--psb-muted);font-size:12px}
.psb .psb-door.psb-quiet{width:40px}
.psb .psb-stage:first-child .psb-door.psb-quiet{display:none}
.psb .psb-arrow{display:block;font-size:17px;line-height:1.2}
.psb .psb-panel{width:190px;border:1.5px solid var(--edge);background:var(--fill);border-radius:8px;padding:8px}
.psb .psb-name{font-weight:600;font-size:14px;overflow-wrap:anywhere}
.psb .psb-status{color:var(--text);font-weight:600}
.psb .psb-token{display:inline-block;border:1.5px solid var(--edge);border-radius:999px;padding:0 7px;
margin:2px 2px 0 0;background:var(--psb-card);color:var(--text);font-size:12px;overflow-wrap:anywhere}
.psb .psb-door .psb-token{border-style:dashed;max-width:120px;padding:0 5px;font-size:11px}
.psb .psb-card{background:var(--psb-card);border-left:5px solid var(--edge);border-radius:4px;
padding:5px 8px;margin-top:6px}
.psb .psb-action{font-weight:600;overflow-wrap:anywhere}
.psb .psb-small{color:var(--psb-muted);font-size:12px;overflow-wrap:anywhere}
.psb .psb-line{color:var(--text);font-size:12px;overflow-wrap:anywhere}
.psb .psb-ended{margin-top:10px;color:var(--psb-muted)}
.psb .psb-ended li{display:inline-block;margin-right:14px;color:var(--text)}
"""

PAGE = "body{margin:0}body .psb{border-radius:0;min-height:100vh}"


def board_html(alt: str, title: str, moment: str, panels: Sequence[Panel], ended: Sequence[Line], theme: str) -> str:
    """Return a board as one HTML element with its own style.

    Args:
        alt: a sentence that says what the board shows.
        title: the title.
        moment: the line below it.
        panels: the stages.
        ended: the executions that ended last.
        theme: ``light``, ``dark``, or ``auto`` to follow JupyterLab or the browser.
    """
    stages = "".join(_stage(panel) for panel in panels)
    last = "".join(f'<li class="psb-{line.status}">{_signed(line)}</li>' for line in ended)
    footer = f'<div class="psb-ended">Ended, the newest first<ul>{last}</ul></div>' if ended else ""
    return (
        f"<style>{style(theme)}</style>"
        f'<div class="psb psb-{theme}" role="group" aria-label="{escape(alt)}">'
        f'<p class="psb-title">{escape(title)}</p><p class="psb-moment">{escape(moment)}</p>'
        f'<ol class="psb-stages">{stages}</ol>{footer}</div>'
    )


def page(title: str, body: str) -> str:
    """Return a whole HTML page around a board."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{PAGE}</style></head><body>{body}</body></html>\n"
    )


def style(theme: str) -> str:
    """Return the style sheet of a board."""
    if theme != "auto":
        return LAYOUT + _colours(f".psb-{theme}", DARK if theme == "dark" else LIGHT, jupyter=False)
    own = "body:not([data-jp-theme-light])"
    return (
        LAYOUT
        + _colours(".psb-auto", LIGHT, jupyter=True)
        + _colours("[data-jp-theme-light=false] .psb-auto", DARK, jupyter=True)
        + "@media(prefers-color-scheme:dark){"
        + _colours(f"{own} .psb-auto", DARK, jupyter=True)
        + "}\n"
    )


def _colours(scope: str, theme: Theme, *, jupyter: bool) -> str:
    own = {
        "ink": ("--jp-ui-font-color1", theme.ink),
        "muted": ("--jp-ui-font-color2", theme.muted),
        "back": ("--jp-layout-color0", theme.background),
        "card": ("--jp-layout-color0", theme.card),
    }
    base = ";".join(
        f"--psb-{name}:" + (f"var({variable},{colour})" if jupyter else colour)
        for name, (variable, colour) in own.items()
    )
    rules = [f"{scope}{{{base}}}"]
    for status, look in theme.statuses.items():
        rules.append(f"{scope} .psb-{status}{{--fill:{look.fill};--edge:{look.edge};--text:{look.text}}}")
    return "\n".join(rules) + "\n"


def _sign(status: str) -> str:
    return f'<span aria-hidden="true">{escape(WORDS[status][0])}</span> ' if status else ""


def _signed(line: Line) -> str:
    return f"{_sign(line.status)}{escape(line.text)}"


def _token(line: Line, word: str) -> str:
    kind = line.status or "NotStarted"
    return f'<li class="psb-token psb-{kind}" title="{escape(word)}">{_signed(line)}</li>'


def _stage(panel: Panel) -> str:
    inside = "".join(_token(line, WORDS[line.status][2] if line.status else "") for line in panel.inside)
    tokens = f'<ul aria-label="inside">{inside}</ul>' if inside else ""
    lines = "".join(f'<p class="psb-line psb-{line.status}">{_signed(line)}</p>' for line in panel.lines)
    cards = "".join(_card(card) for card in panel.cards)
    return (
        f'<li class="psb-stage">{_door(panel)}<div class="psb-panel psb-{panel.status}">'
        f'<p class="psb-name">{escape(panel.name)}</p>'
        f'<p class="psb-status">{_sign(panel.status)}{escape(panel.word)}</p>{tokens}{lines}<ul>{cards}</ul></div></li>'
    )


def _door(panel: Panel) -> str:
    door = panel.door
    waiting = "".join(_token(line, WORDS[WAITING][2]) for line in door.waiting)
    queue = f'<p>waiting</p><ul aria-label="waiting, first to enter first">{waiting}</ul>' if waiting else ""
    if door.enabled:
        quiet = "" if door.waiting else " psb-quiet"
        return f'<div class="psb-door{quiet}"><span class="psb-arrow" aria-hidden="true">→</span>{queue}</div>'
    reason = f"<p>{escape(door.reason)}</p>" if door.reason else ""
    return (
        f'<div class="psb-door psb-{DISABLED}"><span class="psb-arrow" aria-hidden="true">{WORDS[DISABLED][0]}</span>'
        f'<p class="psb-line"><strong>transition disabled</strong></p>{reason}{queue}</div>'
    )


def _card(card: Card) -> str:
    lines = "".join(
        f'<p class="{"psb-line" if line.status else "psb-small"}{f" psb-{line.status}" if line.status else ""}">'
        f"{_signed(line)}</p>"
        for line in card.lines
    )
    return (
        f'<li class="psb-card psb-{card.status}"><p class="psb-action">{escape(card.name)}</p>'
        f'<p class="psb-small">{escape(card.provider)}</p>'
        f'<p class="psb-line">{_sign(card.status)}{escape(card.word)}</p>{lines}</li>'
    )
