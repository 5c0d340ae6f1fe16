"""A fit told to people: text, a table of pandas, and one page that opens without a network."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pipesim
from pipesim.assumptions.distributions import Bootstrap, Distribution, Empirical, Mixture
from pipesim.assumptions.profile import to_toml
from pipesim.trace.wording import calendar, columns, spell
from pipesim.views.chart import html_table
from pipesim.whatif.fit_actions import Fit, Odds
from pipesim.whatif.fit_check import SHARES
from pipesim.whatif.report import STYLE, Page

if TYPE_CHECKING:
    import pandas as pd

    from pipesim.whatif.fit import Fitted

Rows = list[Sequence[str]]
MEDIAN, LATE = SHARES.index(0.5), SHARES.index(0.95)
PICTURES = 8


def to_text(fitted: Fitted) -> str:
    """Return all that a fit says as plain text."""
    parts = [f"Assumptions for {fitted.pipeline.name}, fitted to its history", *_opening(fitted)]
    for heading, rows in _tables(fitted):
        parts += ["", heading, columns(rows)]
    parts += ["", *(f"Note: {note}" for note in fitted.notes)]
    return "\n".join(parts).rstrip() + "\n"


def to_page(fitted: Fitted) -> Page:
    """Return all that a fit says as one page: tables, quantile plots, the profile."""
    title = f"Fitted to history: {fitted.pipeline.name}"
    parts = [f"<h1>{html.escape(title)}</h1>", f"<p>{'<br>'.join(map(html.escape, _opening(fitted)))}</p>"]
    for heading, rows in _tables(fitted):
        parts.append(f'<h2>{html.escape(heading)}</h2><div class="wide">{html_table(rows)}</div>')
    if fitted.notes:
        parts.append(f"<ul>{''.join(f'<li>{html.escape(note)}</li>' for note in fitted.notes)}</ul>")
    if fitted.compared:
        parts.append("<h2>Quantiles: simulated against held-back history</h2>")
        parts += _pictures(fitted)
    parts.append(f"<h2>The profile</h2><pre>{html.escape(to_toml(fitted.assumptions))}</pre>")
    parts.append(f"<p>pipesim {pipesim.__version__}</p>")
    return Page(
        title,
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n",
    )


def to_frame(fitted: Fitted) -> pd.DataFrame:
    """Return one row for each action and approval; durations are seconds."""
    import pandas as pd

    compared = {one.what: one for one in fitted.compared}
    rows = []
    for key, what, fit, odds in _fits(fitted):
        chosen = fit.distribution
        held = compared.get(f"{what} {key}")
        rows.append(
            {
                "action": key,
                "kind": "response" if what == "answer to" else "duration",
                "distribution": fit.name,
                "parameters": "" if chosen is None else _parameters(chosen),
                "complete": fit.complete,
                "censored": fit.censored,
                "mean": None if chosen is None else chosen.mean,
                "median": None if chosen is None else chosen.quantile(0.5),
                "p95": None if chosen is None else chosen.quantile(0.95),
                "aic": fit.candidates[0].aic if fit.candidates else None,
                "ks": None if fit.goodness is None else fit.goodness.kolmogorov_smirnov,
                "ad": None if fit.goodness is None else fit.goodness.anderson_darling,
                "held_back_ks": None if fit.held_back is None else fit.held_back.kolmogorov_smirnov,
                "held_back_p": None if fit.held_back is None else fit.held_back.p,
                "fails": odds.share,
                "fails_low": odds.low,
                "fails_high": odds.high,
                "held_back": None if held is None else held.observed,
                "wasserstein": None if held is None else held.distance,
                "wasserstein_usual": None if held is None else held.usual,
            }
        )
    return pd.DataFrame(rows)


def describe(distribution: Distribution | None) -> str:
    """Return a distribution in words.

    >>> from pipesim.assumptions.distributions import LogNormal
    >>> describe(LogNormal(360, 660))
    'log-normal, median 6 min, 95 % within 11 min'
    """
    match distribution:
        case None:
            return "unknown"
        case Empirical(values) | Bootstrap(values):
            return f"{len(values)} observed values, median {spell(distribution.quantile(0.5))}"
    names = {"LogNormal": "log-normal", "TruncatedNormal": "normal above 0", "Shifted": "shifted log-normal"}
    if isinstance(distribution, Mixture):
        parts = zip(distribution.weights, distribution.parts, strict=True)
        return "mixture, " + ", ".join(f"{weight:.0%} near {spell(part.quantile(0.5))}" for weight, part in parts)
    kind = type(distribution).__name__
    named = names.get(kind, kind.lower())
    return f"{named}, median {spell(distribution.quantile(0.5))}, 95 % within {spell(distribution.quantile(0.95))}"


def _fits(fitted: Fitted) -> Iterator[tuple[str, str, Fit, Odds]]:
    for action in fitted.actions:
        yield action.key, "duration of", action.duration, action.fails
    for approval in fitted.approvals:
        yield approval.key, "answer to", approval.response, approval.rejects


def _opening(fitted: Fitted) -> list[str]:
    trace = fitted.history
    lines = [
        f"{len(trace.executions)} executions from {calendar(trace.start, 0)} UTC, {spell(trace.end)} in all",
        f"{len(fitted.used)} used for the fit, the latest {len(fitted.held_back)} held back"
        if fitted.held_back
        else f"all {len(fitted.used)} used for the fit, none held back",
        f"Changes arrive: {_arrivals(fitted)}",
    ]
    if fitted.compared:
        close = sum(one.close for one in fitted.compared)
        lines.append(
            f"On held-back history {close} of {len(fitted.compared)} measures lie as near to the simulation as "
            "chance alone lets them"
        )
    return lines


def _arrivals(fitted: Fitted) -> str:
    best = fitted.arrivals[0]
    others = ", ".join(f"{plan.name} {plan.aic - best.aic:+.0f}" for plan in fitted.arrivals[1:3])
    return f"{best.name}" + (f" (AIC of the next: {others})" if others else "")


def _tables(fitted: Fitted) -> Iterator[tuple[str, Rows]]:
    headings = ["action", "distribution", "seen", "cut off", "KS", "A²", "next best by AIC", "held back: KS", "p"]
    rows: Rows = [headings]
    for key, _, fit, _ in _fits(fitted):
        good = fit.goodness
        rows.append(
            (
                key,
                describe(fit.distribution),
                str(fit.complete),
                str(fit.censored),
                "–" if good is None else f"{good.kolmogorov_smirnov:.3f}",
                "–" if good is None or good.anderson_darling is None else f"{good.anderson_darling:.2f}",
                f"{fit.candidates[1].name} {fit.candidates[1].aic - fit.candidates[0].aic:+.1f}"
                if len(fit.candidates) > 1
                else "–",
                *_held_back(fit),
            )
        )
    yield "Durations and answers", rows
    rows = [("action", "failed or rejected", "odds", "95 % interval", "failing attempts last")]
    for action in fitted.actions:
        after = "as long as good ones" if action.fails_after is None else describe(action.fails_after.distribution)
        rows.append((action.key, *_odds(action.fails), after if action.fails.count else "–"))
    for approval in fitted.approvals:
        rows.append((approval.key, *_odds(approval.rejects), "–"))
    yield "Failures and rejections", rows
    if fitted.approvals:
        rows = [("approval", "hours")]
        for approval in fitted.approvals:
            hours = approval.hours
            rows.append((approval.key, "round the clock" if hours is None else f"{hours.text} {hours.time_zone}"))
        yield "When people answer", rows
    if fitted.compared:
        yield "Simulated against held-back history", _compared_rows(fitted)


def _compared_rows(fitted: Fitted) -> Rows:
    rows: Rows = [
        (
            "measure",
            "values",
            "median, real",
            "simulated",
            "95 % within, real",
            "simulated",
            "Wasserstein",
            "by chance",
            "",
        )
    ]
    for one in fitted.compared:
        rows.append(
            (
                one.what,
                str(one.observed),
                spell(one.observed_quantiles[MEDIAN]),
                spell(one.simulated_quantiles[MEDIAN]),
                spell(one.observed_quantiles[LATE]),
                spell(one.simulated_quantiles[LATE]),
                spell(one.distance),
                f"up to {spell(one.usual)}",
                "close" if one.close else "apart",
            )
        )
    return rows


def _held_back(fit: Fit) -> tuple[str, str]:
    good = fit.held_back
    if good is None or good.p is None:
        return "–", "–"
    return f"{good.kolmogorov_smirnov:.3f}", f"{good.p:.2f}"


def _odds(odds: Odds) -> tuple[str, str, str]:
    return f"{odds.count} of {odds.of}", f"{odds.share:.1%}", f"{odds.low:.1%} to {odds.high:.1%}"


def _pictures(fitted: Fitted) -> Iterator[str]:
    """The quantile plots of those measures that people ask for first, and of the actions that lie furthest off."""
    general = [one for one in fitted.compared if " of " not in one.what]
    rest = sorted(
        (one for one in fitted.compared if " of " in one.what), key=lambda one: one.distance / max(one.usual, 1e-9)
    )
    for one in [*general, *reversed(rest)][:PICTURES]:
        chart = one.plot()
        data = base64.b64encode(chart.to_bytes("svg")).decode("ascii")
        yield f'<figure><img alt="{html.escape(chart.alt)}" src="data:image/svg+xml;base64,{data}"></figure>'


def _parameters(distribution: Any) -> str:
    if isinstance(distribution, Empirical | Bootstrap):
        return f"{len(distribution.values)} values"
    if isinstance(distribution, Mixture):
        pairs = zip(distribution.weights, distribution.parts, strict=True)
        return " + ".join(f"{weight:g} × ({_parameters(part)})" for weight, part in pairs)
    parts = []
    for member in fields(distribution):
        value = getattr(distribution, member.name)
        parts.append(f"{member.name}={_parameters(value) if is_dataclass(value) else f'{value:g}'}")
    return ", ".join(parts)
