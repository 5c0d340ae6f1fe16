from itertools import combinations

import numpy as np
import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font

from pipesim import vocabulary
from pipesim.errors import SourceError
from pipesim.trace.events import EventKind
from pipesim.views.theme import (
    DARK,
    DISABLED,
    EVENTS,
    LIGHT,
    NOT_STARTED,
    WAITING,
    event_style,
    find_theme,
    status_style,
)

# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
EYES = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
MAIN = (NOT_STARTED, WAITING, "InProgress", "Succeeded", "Failed")
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)


def linear(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def oklab(rgb):
    """Ottosson (2020)."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    axes = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return axes @ np.cbrt(cones @ rgb)


def seen_apart(one, other, eye):
    def seen(colour):
        return oklab(np.clip(EYES[eye] @ linear(colour), 0, 1))

    return float(np.linalg.norm(seen(one) - seen(other)))


@THEMES
@pytest.mark.parametrize("eye", EYES)
def test_the_main_statuses_are_told_apart_by_colour(theme, eye):
    for one, other in combinations(MAIN, 2):
        apart = seen_apart(theme.statuses[one].edge, theme.statuses[other].edge, eye)
        assert apart > 0.09, (one, other, apart)


@THEMES
@pytest.mark.parametrize("eye", EYES)
def test_every_pair_differs_in_colour_or_in_hatch_and_always_in_sign_and_word(theme, eye):
    for one, other in combinations(theme.statuses.values(), 2):
        assert one.word != other.word
        assert one.symbol != other.symbol
        assert one.shape != other.shape
        assert one.hatch != other.hatch or seen_apart(one.edge, other.edge, eye) > 0.09, (one.word, other.word)


@THEMES
def test_in_grey_print_the_main_statuses_differ_in_lightness_or_hatch(theme):
    for one, other in combinations([theme.statuses[name] for name in MAIN], 2):
        grey = abs(luminance(one.edge) ** (1 / 2.4) - luminance(other.edge) ** (1 / 2.4))
        assert grey > 0.05 or one.hatch != other.hatch, (one.word, other.word, grey)


@THEMES
def test_words_are_readable_wherever_they_stand(theme):
    for place in (theme.background, theme.card, theme.panel):
        assert contrast(theme.ink, place) >= 7
        assert contrast(theme.muted, place) >= 4.5
    for style in theme.statuses.values():
        for place in (style.fill, theme.card, theme.background):
            assert contrast(style.text, place) >= 4.5, (style.word, place)
        assert contrast(style.on_edge, style.edge) >= 4.5, style.word


@pytest.mark.parametrize(
    "statuses",
    [
        vocabulary.PipelineExecutionStatus,
        vocabulary.StageExecutionStatus,
        vocabulary.ActionExecutionStatus,
        vocabulary.ConditionExecutionStatus,
        vocabulary.RuleExecutionStatus,
    ],
)
def test_every_status_of_the_service_has_a_style(statuses):
    for status in statuses:
        style = status_style(status, DARK)
        assert style.word.replace(" ", "").lower() == status.value.lower()


def test_what_is_not_a_status_of_the_service_has_a_style_too():
    assert status_style(None) == status_style(NOT_STARTED)
    assert status_style(WAITING).word == "Waiting"
    assert status_style(DISABLED).word == "Disabled"


def test_every_kind_of_event_has_an_entry_in_its_own_words():
    assert set(EVENTS) == set(EventKind)
    words = [event_style(kind).word for kind in EventKind]
    assert len(set(words)) == len(words)
    assert event_style(EventKind.ACTION_FAILED, DARK).colour == DARK.statuses["Failed"].edge


def test_every_sign_is_in_the_font_that_matplotlib_brings():
    signs = get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap()
    for style in LIGHT.statuses.values():
        for sign in style.symbol + style.shape:
            assert ord(sign) in signs, sign


def test_unknown_names_are_refused_with_the_choices():
    with pytest.raises(SourceError, match="'light' or 'dark'"):
        find_theme("blue")
    with pytest.raises(SourceError, match=r"unknown status 'Done'.*Succeeded"):
        status_style("Done")
    assert find_theme(DARK) is DARK
