"""One page about a class: who is stuck where. It opens without a network, and every word of a learner is only text."""

from __future__ import annotations

import html
from collections import Counter
from pathlib import Path

from pipesim.classroom.course import find
from pipesim.classroom.submissions import Class, Standing, read_class
from pipesim.errors import SourceError

SIGNS = {"passed": ("✓", "right"), "stuck": ("✗", "stuck"), "begun": ("◐", "begun"), "untouched": ("·", "not answered")}
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #c8ced6; --passed: #d3ecd9; --stuck: #f8d0cc;
  --begun: #fdeec2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #16191d; --line: #444b55; --passed: #1f4a2b;
  --stuck: #6a231d; --begun: #574310; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { border: 1px solid var(--line); padding: .3rem .6rem; }
th { text-align: left; } th[scope=row] { position: sticky; left: 0; background: var(--paper); }
td.mark { text-align: center; white-space: nowrap; } .wide { overflow-x: auto; }
.passed { background: var(--passed); } .stuck { background: var(--stuck); font-weight: 700; }
.begun { background: var(--begun); }
"""


def write_report(folder: Path, target: Path) -> Class:
    """Write the page about a folder of submissions and return what was read.

    Args:
        folder: see `pipesim.classroom.submissions.read_class`.
        target: the HTML file.

    Raises:
        SourceError: nothing can be read there, or the page cannot be written.
    """
    found = read_class(folder)
    try:
        target.write_text(page(found), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"cannot write {target}: {error.strerror or error}") from None
    return found


def page(found: Class) -> str:
    """Return the page.

    Args:
        found: the class.
    """
    body = [
        "<h1>How the class is doing</h1>",
        f"<p>{len(found.learners)} learners, {len(found.exercises)} exercises. Read from the feedback that is saved in"
        " the notebooks; an exercise that was never answered is not counted as wrong.</p>",
        "<h2>Who is stuck where</h2>",
        _stuck(found),
        "<h2>Everybody</h2>",
        _grid(found),
    ]
    if found.unreadable:
        rows = "".join(f"<li>{html.escape(name)}: {html.escape(why)}</li>" for name, why in found.unreadable.items())
        body += ["<h2>Could not be read</h2>", f"<ul>{rows}</ul>"]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>How the class is doing</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head><body>"
        + "".join(body)
        + "</body></html>\n"
    )


def _stuck(found: Class) -> str:
    rows = []
    for id in found.exercises:
        here = [one for one in found.standings if one.exercise == id]
        stuck = [one for one in here if one.stuck]
        if not stuck:
            continue
        parts = Counter(part for one in stuck for part in one.missing)
        worst = ", ".join(f"{part} ({count})" for part, count in parts.most_common(3))
        names = ", ".join(one.learner for one in stuck)
        passed = sum(one.passed for one in here)
        rows.append((len(stuck), id, _title(id), f"{passed} of {len(here)}", names, worst))
    if not rows:
        return "<p>Nobody: whoever tried an exercise twice has it right.</p>"
    rows.sort(key=lambda row: -row[0])
    head = "".join(
        f"<th scope='col'>{word}</th>" for word in ("Exercise", "What it asks", "Right", "Stuck", "Missing part")
    )
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row[1:]) + "</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _grid(found: Class) -> str:
    head = "".join(
        f"<th scope='col' title='{html.escape(_title(id), True)}'>{html.escape(id)}</th>" for id in found.exercises
    )
    by = {(one.learner, one.exercise): one for one in found.standings}
    rows = []
    for name in found.learners:
        cells = "".join(_cell(by[name, id]) for id in found.exercises)
        total = sum(by[name, id].score for id in found.exercises)
        rows.append(f"<tr><th scope='row'>{html.escape(name)}</th>{cells}<td class='mark'>{total:g}</td></tr>")
    legend = ", ".join(f"{sign} {word}" for sign, word in SIGNS.values())
    return (
        f"<p>{legend}; the number is that of different answers.</p><div class='wide'><table><thead><tr>"
        f"<th scope='col'>Learner</th>{head}<th scope='col'>Points</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(one: Standing) -> str:
    state = "passed" if one.passed else "stuck" if one.stuck else "begun" if one.attempt else "untouched"
    sign, word = SIGNS[state]
    tries = f" {one.attempt}" if one.attempt else ""
    return f"<td class='mark {state}' title='{html.escape(', '.join(one.missing) or word, True)}'>{sign}{tries}</td>"


def _title(id: str) -> str:
    try:
        return find(id).title
    except SourceError:
        return ""
