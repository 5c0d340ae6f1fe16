"""Colours, symbols and words of everything that is shown, in one place.

No meaning hangs on colour alone: each status has its own word, symbol and shape, and where two
statuses share a family of colours, the hatch differs. The main statuses stay apart for people who
cannot tell red from green, and in grey print; a test simulates both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from immutabledict import immutabledict

from pipesim.errors import SourceError
from pipesim.trace.events import EventKind

NOT_STARTED = "NotStarted"
WAITING = "Waiting"
DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class StatusStyle:
    """How one status looks.

    Attributes:
        fill: pale colour of panels and backgrounds.
        edge: strong colour of borders, bars and marks.
        text: colour of words, readable on `fill`, on the theme's card and on its background.
        symbol: one sign for SVG and matplotlib (every sign is in DejaVu Sans).
        word: what to write, such as ``In progress``.
        hatch: matplotlib's hatch pattern, empty for a plain area.
        on_edge: colour of words written on `edge`.
        shape: a plain sign that small fonts have too (the WGL4 set), for pictures made without a browser.
    """

    fill: str
    edge: str
    text: str
    symbol: str
    word: str
    hatch: str
    on_edge: str
    shape: str


@dataclass(frozen=True, slots=True)
class EventStyle:
    """How one kind of event looks: a colour for marks, a sign and a few words."""

    colour: str
    symbol: str
    word: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One palette.

    Attributes:
        name: ``light`` or ``dark``.
        background: colour behind a picture.
        card: colour of an action's card.
        panel: colour of a quiet panel.
        ink: colour of the main text.
        muted: colour of secondary text, still readable on background, panel and card.
        line: colour of arrows and axes.
        grid: colour of faint lines.
        series: colours of things that have no status, in order of use.
        font: the font of diagrams.
        statuses: the style of each status by its value.
    """

    name: str
    background: str
    card: str
    panel: str
    ink: str
    muted: str
    line: str
    grid: str
    series: tuple[str, ...]
    font: str
    statuses: Mapping[str, StatusStyle]


WORDS: Mapping[str, tuple[str, str, str, str]] = immutabledict(
    {
        # status: symbol, shape, word, hatch
        NOT_STARTED: ("○", "○", "Not started", ""),
        WAITING: ("…", "…", "Waiting", "////"),
        "InProgress": ("▶", "►", "In progress", ""),
        "Succeeded": ("✓", "√", "Succeeded", ""),
        "Failed": ("✗", "×", "Failed", ""),
        "Errored": ("!", "!", "Errored", "**"),
        "Stopping": ("◧", "□", "Stopping", "||"),
        "Stopped": ("■", "■", "Stopped", "++"),
        "Abandoned": ("◇", "◊", "Abandoned", "xx"),
        "Cancelled": ("⊘", "¤", "Cancelled", "\\\\\\\\"),
        "Superseded": ("»", "»", "Superseded", ".."),
        "Skipped": ("↷", "→", "Skipped", "--"),
        "Overridden": ("↑", "↑", "Overridden", "oo"),
        DISABLED: ("‖", "‖", "Disabled", "||||"),
    }
)

_LIGHT: Mapping[str, tuple[str, str, str, str]] = {
    # status: fill, edge, text, on_edge
    NOT_STARTED: ("#f6f8fa", "#8c959f", "#57606a", "#000000"),
    WAITING: ("#fff4d6", "#e0a92e", "#7a5200", "#000000"),
    "InProgress": ("#ddeeff", "#0a62c9", "#0a55b0", "#ffffff"),
    "Succeeded": ("#dcf5ea", "#118561", "#0b6b4d", "#ffffff"),
    "Failed": ("#fde3e1", "#970d1a", "#970d1a", "#ffffff"),
    "Errored": ("#fde3e1", "#970d1a", "#970d1a", "#ffffff"),
    "Stopping": ("#f1e8fd", "#a97bea", "#6235a8", "#000000"),
    "Stopped": ("#f1e8fd", "#a97bea", "#6235a8", "#000000"),
    "Abandoned": ("#f1e8fd", "#a97bea", "#6235a8", "#000000"),
    "Cancelled": ("#eaeef2", "#8c959f", "#424a53", "#000000"),
    "Superseded": ("#eaeef2", "#8c959f", "#424a53", "#000000"),
    "Skipped": ("#f6f8fa", "#8c959f", "#57606a", "#000000"),
    "Overridden": ("#dcf5ea", "#118561", "#0b6b4d", "#ffffff"),
    DISABLED: ("#eaeef2", "#24292f", "#24292f", "#ffffff"),
}

_DARK: Mapping[str, tuple[str, str, str, str]] = {
    NOT_STARTED: ("#1b222b", "#4a5a70", "#a9b3bd", "#ffffff"),
    WAITING: ("#3b2f10", "#f2cc60", "#f2cc60", "#000000"),
    "InProgress": ("#10294a", "#4f9cf5", "#79b8ff", "#000000"),
    "Succeeded": ("#0f3328", "#4cc9a0", "#5fd6af", "#000000"),
    "Failed": ("#471a1d", "#ea4446", "#ff9a94", "#000000"),
    "Errored": ("#471a1d", "#ea4446", "#ff9a94", "#000000"),
    "Stopping": ("#33244f", "#c297ff", "#d2b3ff", "#000000"),
    "Stopped": ("#33244f", "#c297ff", "#d2b3ff", "#000000"),
    "Abandoned": ("#33244f", "#c297ff", "#d2b3ff", "#000000"),
    "Cancelled": ("#262d36", "#7d8590", "#b9c2cb", "#000000"),
    "Superseded": ("#262d36", "#7d8590", "#b9c2cb", "#000000"),
    "Skipped": ("#1b222b", "#7d8590", "#a9b3bd", "#000000"),
    "Overridden": ("#0f3328", "#4cc9a0", "#5fd6af", "#000000"),
    DISABLED: ("#262d36", "#f0f3f6", "#f0f3f6", "#000000"),
}


def _statuses(colours: Mapping[str, tuple[str, str, str, str]]) -> Mapping[str, StatusStyle]:
    styles = {}
    for status, (symbol, shape, word, hatch) in WORDS.items():
        fill, edge, text, on_edge = colours[status]
        styles[status] = StatusStyle(fill, edge, text, symbol, word, hatch, on_edge, shape)
    return immutabledict(styles)


LIGHT = Theme(
    name="light",
    background="#ffffff",
    card="#ffffff",
    panel="#f6f8fa",
    ink="#1f2328",
    muted="#57606a",
    line="#57606a",
    grid="#d8dee4",
    series=("#0a62c9", "#e0a92e", "#118561", "#a97bea", "#24292f", "#56b4e9"),
    font="Arial",
    statuses=_statuses(_LIGHT),
)
DARK = Theme(
    name="dark",
    background="#0d1117",
    card="#161b22",
    panel="#1b222b",
    ink="#f0f3f6",
    muted="#a9b3bd",
    line="#a9b3bd",
    grid="#30363d",
    series=("#4f9cf5", "#f2cc60", "#4cc9a0", "#c297ff", "#f0f3f6", "#8ecbf5"),
    font="Arial",
    statuses=_statuses(_DARK),
)
THEMES: Mapping[str, Theme] = immutabledict({"light": LIGHT, "dark": DARK})

EVENTS: Mapping[EventKind, tuple[str, str]] = immutabledict(
    {
        # kind: the status whose colour and sign it takes, words
        EventKind.PIPELINE_CREATED: (NOT_STARTED, "pipeline created"),
        EventKind.PIPELINE_UPDATED: (NOT_STARTED, "pipeline updated"),
        EventKind.TRANSITION_DISABLED: (DISABLED, "transition disabled"),
        EventKind.TRANSITION_ENABLED: ("InProgress", "transition enabled"),
        EventKind.CHANGE_IGNORED: ("Skipped", "change ignored"),
        EventKind.POLL_FAILED: ("Errored", "poll failed"),
        EventKind.EXECUTION_STARTED: ("InProgress", "execution started"),
        EventKind.EXECUTION_WAITING: (WAITING, "execution waiting"),
        EventKind.EXECUTION_SUCCEEDED: ("Succeeded", "execution succeeded"),
        EventKind.EXECUTION_FAILED: ("Failed", "execution failed"),
        EventKind.EXECUTION_SUPERSEDED: ("Superseded", "execution superseded"),
        EventKind.EXECUTION_CANCELLED: ("Cancelled", "execution cancelled"),
        EventKind.EXECUTION_STOPPING: ("Stopping", "execution stopping"),
        EventKind.EXECUTION_STOPPED: ("Stopped", "execution stopped"),
        EventKind.EXECUTION_RESUMED: ("InProgress", "execution resumed"),
        EventKind.STAGE_ENTERED: ("InProgress", "stage entered"),
        EventKind.STAGE_SUCCEEDED: ("Succeeded", "stage succeeded"),
        EventKind.STAGE_FAILED: ("Failed", "stage failed"),
        EventKind.STAGE_STOPPED: ("Stopped", "stage stopped"),
        EventKind.STAGE_SKIPPED: ("Skipped", "stage skipped"),
        EventKind.STAGE_CANCELLED: ("Cancelled", "stage cancelled"),
        EventKind.STAGE_STOPPING: ("Stopping", "stage stopping"),
        EventKind.STAGE_RESUMED: ("InProgress", "stage retried"),
        EventKind.STAGE_OVERRIDDEN: ("Overridden", "stage overridden"),
        EventKind.ACTION_STARTED: ("InProgress", "action started"),
        EventKind.ACTION_WAITING: (WAITING, "action waiting for a place"),
        EventKind.ACTION_WORKING: ("InProgress", "action working"),
        EventKind.ACTION_PROGRESSED: ("InProgress", "action progressed"),
        EventKind.ACTION_SUCCEEDED: ("Succeeded", "action succeeded"),
        EventKind.ACTION_FAILED: ("Failed", "action failed"),
        EventKind.ACTION_ABANDONED: ("Abandoned", "action abandoned"),
        EventKind.APPROVAL_REQUESTED: (WAITING, "approval requested"),
        EventKind.APPROVAL_ANSWERED: ("InProgress", "approval answered"),
        EventKind.CONDITION_STARTED: ("InProgress", "condition started"),
        EventKind.CONDITION_SUCCEEDED: ("Succeeded", "condition succeeded"),
        EventKind.CONDITION_FAILED: ("Failed", "condition failed"),
        EventKind.CONDITION_ERRORED: ("Errored", "condition errored"),
        EventKind.CONDITION_CANCELLED: ("Cancelled", "condition cancelled"),
        EventKind.CONDITION_ABANDONED: ("Abandoned", "condition abandoned"),
        EventKind.CONDITION_OVERRIDDEN: ("Overridden", "condition overridden"),
        EventKind.RULE_STARTED: ("InProgress", "rule started"),
        EventKind.RULE_SUCCEEDED: ("Succeeded", "rule succeeded"),
        EventKind.RULE_FAILED: ("Failed", "rule failed"),
        EventKind.RULE_ABANDONED: ("Abandoned", "rule abandoned"),
    }
)


def find_theme(theme: str | Theme) -> Theme:
    """Return the theme of this name; a theme is returned as it is.

    Args:
        theme: ``light``, ``dark`` or a `Theme` of your own.

    Raises:
        SourceError: there is no theme of this name.

    >>> find_theme("dark").background
    '#0d1117'
    """
    if isinstance(theme, Theme):
        return theme
    try:
        return THEMES[theme]
    except KeyError:
        raise SourceError(f"there is no theme {theme!r}; choose {' or '.join(map(repr, THEMES))}") from None


def status_style(status: str | None, theme: Theme = LIGHT) -> StatusStyle:
    """Return how a status looks.

    Args:
        status: the value of any status of `pipesim.vocabulary`, `NOT_STARTED`, `WAITING` or `DISABLED`;
            None means not started.
        theme: the palette.

    Raises:
        SourceError: the status is unknown.

    >>> status_style("InProgress").word
    'In progress'
    >>> status_style(None).word
    'Not started'
    """
    key = NOT_STARTED if status is None else str(status)
    try:
        return theme.statuses[key]
    except KeyError:
        raise SourceError(f"unknown status {key!r}; known are {', '.join(theme.statuses)}") from None


def event_style(kind: EventKind, theme: Theme = LIGHT) -> EventStyle:
    """Return how a kind of event looks.

    >>> event_style(EventKind.EXECUTION_SUPERSEDED).word
    'execution superseded'
    """
    status, word = EVENTS[kind]
    style = theme.statuses[status]
    return EventStyle(style.edge, style.symbol, word)
