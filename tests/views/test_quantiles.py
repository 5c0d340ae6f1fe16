import pytest

from pipesim.errors import SourceError
from pipesim.views.quantiles import quantile_plot

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
ALIKE = (60.0, 120.0, 180.0, 240.0, 300.0)


def texts(chart):
    return [text.get_text().strip() for text in chart.figure.axes[0].texts]


def test_the_points_are_the_quantiles_and_lie_on_the_diagonal_where_both_are_alike():
    chart = quantile_plot(SHARES, ALIKE, ALIKE, what="lead time", counts=(40, 800))
    lines = {line.get_label(): line for line in chart.figure.axes[0].get_lines()}

    assert list(lines["history"].get_xdata()) == list(lines["history"].get_ydata()) == [1, 2, 3, 4, 5]
    assert list(lines["spread alike"].get_xdata()) == list(lines["spread alike"].get_ydata())
    assert chart.figure.axes[0].get_xlabel() == "simulated lead time (minutes)"
    assert {"5%", "50%", "95%"} <= set(texts(chart))


def test_the_table_and_the_sentence_say_the_numbers():
    band = (tuple(value * 0.9 for value in ALIKE), tuple(value * 1.1 for value in ALIKE))
    chart = quantile_plot(SHARES, (60, 125, 190, 240, 500), ALIKE, band, what="lead time")

    assert chart.rows[3] == ("50%", "3.17", "3", "2.7 to 3.3")
    assert "4 of 5 observed quantiles lie in the band" in chart.alt
    assert len(chart.rows) == 6


def test_values_far_apart_are_drawn_by_powers():
    far = (1.0, 10.0, 100.0, 1000.0, 10_000.0)

    assert quantile_plot(SHARES, far, far, what="answer").figure.axes[0].get_xscale() == "log"
    assert quantile_plot(SHARES, ALIKE, ALIKE, what="answer").figure.axes[0].get_xscale() == "linear"


def test_values_without_spread_are_said_in_words():
    chart = quantile_plot(SHARES, (60,) * 5, (60,) * 5, what="duration")

    assert texts(chart) == ["every observed and simulated duration is 60 seconds"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_is_drawn_in_both_themes(theme):
    assert quantile_plot(SHARES, ALIKE, ALIKE, (ALIKE, ALIKE), what="lead time", theme=theme).to_bytes("svg")


def test_nothing_to_draw_is_refused():
    with pytest.raises(SourceError, match="nothing to draw"):
        quantile_plot((), (), (), what="lead time")
    with pytest.raises(SourceError, match="5 shares and lists of 4, 5"):
        quantile_plot(SHARES, ALIKE[:4], ALIKE, what="lead time")
