"""One HTML page about a result that opens without a network: pictures, tables, assumptions, seed, version."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pipesim
from pipesim.assumptions.profile import to_toml
from pipesim.catalog.prices import PRICES
from pipesim.errors import AssumptionError, SourceError
from pipesim.views.chart import Chart, html_table
from pipesim.views.diagram import draw
from pipesim.whatif.best import Best
from pipesim.whatif.compare import Comparison, difference_cells, title_of_variant
from pipesim.whatif.pictures import charts
from pipesim.whatif.results import FOOTNOTE, MAIN, MARK, Replications, cells
from pipesim.whatif.scenario import Scenario
from pipesim.whatif.sensitivity import Sensitivity
from pipesim.whatif.sweep import Sweep
from pipesim.whatif.units import heading_of

if TYPE_CHECKING:
    from pipesim.whatif.pictures import Result

STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--muted:#57606a;--paper:#fff;--line:#d8dee4}
@media (prefers-color-scheme:dark){:root{--ink:#f0f3f6;--muted:#a9b3bd;--paper:#0d1117;--line:#30363d}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:70rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}
table{border-collapse:collapse;margin:.6rem 0;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding-bottom:.2rem}
th,td{border-bottom:1px solid var(--line);padding:.2rem .7rem;text-align:right}
th:first-child{text-align:left;font-weight:normal}thead th{font-weight:bold}
figure{margin:1rem 0}img{max-width:100%;height:auto}pre{overflow:auto;border:1px solid var(--line);padding:.7rem}
.dark{display:none}
@media (prefers-color-scheme:dark){.dark{display:inline}.light{display:none}}
@media print{.dark{display:none}.light{display:inline}}
.wide{overflow-x:auto}
.facts td{text-align:left}
"""


class Page:
    """An HTML page, ready to be shown in a notebook or written to a file.

    Attributes:
        title: what it is about.
        html: the whole page.
    """

    def __init__(self, title: str, text: str) -> None:
        self.title = title
        self.html = text

    def save(self, path: str | Path) -> Path:
        """Write the page.

        Raises:
            SourceError: the file cannot be written.
        """
        path = Path(path)
        try:
            path.write_text(self.html, encoding="utf-8")
        except OSError as error:
            raise SourceError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        return path

    def __repr__(self) -> str:
        return f"<Page: {self.title}, {len(self.html):,} characters>"

    def _repr_html_(self) -> str:
        source = html.escape(self.html, quote=True)
        return (
            f'<iframe title="{html.escape(self.title)}" srcdoc="{source}" sandbox '
            'style="width:100%;height:40rem;border:1px solid #888"></iframe>'
        )


def report(result: Result, path: str | Path | None = None, measure: str = "lead_time") -> Page:
    """Return one self-contained page about a result, and write it when a path is given.

    Args:
        result: replications, a comparison, a sweep, a sensitivity analysis or a choice.
        path: where to write it; None: nowhere.
        measure: what the pictures show.

    Raises:
        SourceError: the file cannot be written.
    """
    baseline = _baseline(result)
    title = f"What if: {baseline.scenario.pipeline.name}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        "<p>" + "<br>".join(map(html.escape, _opening(result))) + "</p>",
        "<h2>Numbers</h2>",
        *(f'<div class="wide">{table}</div>' for table in _tables(result)),
        "<h2>Pictures</h2>",
        *_pictures(result, measure),
        "<h2>What it rests on</h2>",
        *_foundations(_scenarios(result), baseline),
    ]
    page = Page(
        title,
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n",
    )
    if path is not None:
        page.save(path)
    return page


def replications_html(result: Replications) -> str:
    """Return the main numbers and pictures of replications, for the last line of a notebook's cell."""
    words = "<br>".join(map(html.escape, result.describe()))
    return f"<p>{words}</p>{_main_table(result)}"


def _baseline(result: Result) -> Replications:
    if isinstance(result, Replications):
        return result
    if isinstance(result, Comparison | Sensitivity):
        return result.baseline
    if isinstance(result, Best):
        return next(iter(result.results.values()))
    return next(iter(result.points.values()))


def _scenarios(result: Result) -> list[Scenario]:
    if isinstance(result, Comparison):
        return [one.scenario for one in result.all.values()]
    if isinstance(result, Best):
        return [one.scenario for one in result.results.values()]
    if isinstance(result, Sweep):
        return [one.scenario for one in result.points.values()]
    return [_baseline(result).scenario]


def _opening(result: Result) -> list[str]:
    lines = _baseline(result).describe()
    if isinstance(result, Best):
        return [str(result).partition("\n")[0], *lines[1:]]
    if isinstance(result, Sweep):
        return [f"a sweep of {' and '.join(result.knobs)}", *lines[1:]]
    if isinstance(result, Sensitivity):
        return [f"each assumption moved alone by {result.span:.0%}", *lines]
    return lines


def _tables(result: Result) -> Iterator[str]:
    if isinstance(result, Replications):
        yield _main_table(result)
    elif isinstance(result, Comparison):
        for name, variant in result.variants.items():
            rows: list[tuple[str, ...]] = [("measure", "baseline", "variant", "difference", "95 % interval", "")]
            rows += [
                (heading_of(measure), *difference_cells(result, name, measure))
                for measure in MAIN
                if measure in result.baseline.samples and measure in variant.samples
            ]
            notes = "".join(f"<p>{html.escape(str(found))}</p>" for found in variant.about.bottlenecks)
            yield html_table(rows, title_of_variant(name, variant.scenario)) + notes
    elif isinstance(result, Sweep):
        for measure in ("lead_time", "throughput", "cost.total"):
            rows = [(*result.knobs, "mean", "95 % interval", "9 of 10 replications")]
            rows += [(*map(str, setting), *cells(one, measure)) for setting, one in result.points.items()]
            yield _with_footnote(rows, heading_of(measure))
    elif isinstance(result, Best):
        rows = [("variant", "mean", "95 % interval", "9 of 10 replications", "dropped after (replications)")]
        rows += [
            (name, *cells(one, result.measure), str(result.dropped.get(name, "")))
            for name, one in result.results.items()
        ]
        yield _with_footnote(rows, heading_of(result.measure))
    else:
        yield _main_table(result.baseline)


def _main_table(result: Replications) -> str:
    rows: list[tuple[str, ...]] = [("measure", "mean", "95 % interval", "9 of 10 replications")]
    rows += [(heading_of(measure), *cells(result, measure)) for measure in MAIN if measure in result.samples]
    return _with_footnote(rows, f"mean over {result.n:,} replications")


def _with_footnote(rows: list[tuple[str, ...]], caption: str) -> str:
    table = html_table(rows, caption)
    return f"{table}<p>{FOOTNOTE}</p>" if any(cell.endswith(MARK) for row in rows for cell in row) else table


def _pictures(result: Result, measure: str) -> Iterator[str]:
    try:
        light, dark = (charts(result, measure, theme) for theme in ("light", "dark"))
    except AssumptionError as error:
        yield f"<p>{html.escape(str(error))}</p>"
        return
    for day, night in zip(light, dark, strict=True):
        yield (
            f"<figure>{_image(day, 'light')}{_image(night, 'dark')}"
            f'<figcaption class="wide">{day.table_html()}</figcaption></figure>'
        )


def _image(chart: Chart, name: str) -> str:
    data = base64.b64encode(chart.to_bytes("svg")).decode("ascii")
    return f'<img class="{name}" alt="{html.escape(chart.alt)}" src="data:image/svg+xml;base64,{data}">'


def _foundations(scenarios: list[Scenario], baseline: Replications) -> Iterator[str]:
    facts = [
        ("pipesim", pipesim.__version__),
        ("seed", str(baseline.seed)),
        ("engine", baseline.engine_used),
        ("each replication", str(baseline.horizon)),
        ("prices", f"{PRICES.as_of:%B %Y}, us-east-1 ({PRICES.source})"),
        ("intervals", "Student's t over independent replications; differences are paired (common random numbers)"),
    ]
    yield f'<div class="facts">{html_table([("", ""), *facts])}</div>'
    yield f"<figure>{draw(baseline.scenario.pipeline)._repr_html_()}</figure>"
    for scenario in scenarios:
        named = html.escape(f"Assumptions of {scenario.name}: {scenario.difference}")
        yield f"<details><summary>{named}</summary>"
        yield f"<pre>{html.escape(_assumptions_text(scenario))}</pre></details>"


def _assumptions_text(scenario: Scenario) -> str:
    try:
        return to_toml(scenario.assumptions)
    except AssumptionError:
        return repr(scenario.assumptions)
