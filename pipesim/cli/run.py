"""``pipesim run``: simulate a pipeline and show what happened."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, TextIO

import click

from pipesim.cli.common import Duration, load_assumptions, load_sound

if TYPE_CHECKING:
    from pipesim.assumptions.model import Assumptions
    from pipesim.engine.simulation import Simulation
    from pipesim.trace.log import Trace

ORDINARY_EXECUTIONS = 5
ORDINARY_INTERVAL = 20 * 60.0
EVENT_COLUMNS = ("time", "seq", "kind", "execution", "stage", "action", "attempt")


@click.command()
@click.argument("file")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "jsonl", "csv"]),
    default="text",
    show_default=True,
    help="text: tables for people; jsonl and csv: one event a line.",
)
@click.option("--executions", type=click.IntRange(min=1), help="How many changes arrive.")
@click.option("--every", type=Duration(), help="How long from one change to the next, such as 20m.")
@click.option("--for", "how_long", type=Duration(), help="How long to look, such as 5d.")
@click.option("--seed", type=int, default=0, show_default=True, help="The number on which all luck hangs.")
@click.option("--profile", type=click.Path(), help="Assumptions: durations, odds, arrivals, people (TOML).")
@click.option("--save", type=click.Path(file_okay=False), help="Write trace, timeline, diagram and tables here.")
@click.option("--events", is_flag=True, help="With text: also list every event.")
def run(
    file: str,
    output_format: str,
    executions: int | None,
    every: float | None,
    how_long: float | None,
    seed: int,
    profile: str | None,
    save: str | None,
    events: bool,
) -> None:
    """Simulate a pipeline with changes flowing through it.

    Without --every, --for or --profile, five changes arrive, one every 20 minutes. Durations come from
    the profile, else from the catalog.

    \b
    Examples:
      pipesim run pipeline.json
      pipesim run pipeline.json --executions 6 --every 20m --save out
      pipesim run pipeline.json --for 5d --profile team.toml --seed 7 --format jsonl > trace.jsonl
    """
    from pipesim.engine.simulate import simulate

    pipeline = load_sound(file)
    assumptions, executions = _arrivals(load_assumptions(profile), executions, every, how_long)
    with _progress(executions, how_long) as report:
        trace = simulate(pipeline, assumptions, seed=seed, executions=executions, until=how_long, progress=report)
    if save is not None:
        _save(trace, Path(save))
    if output_format == "jsonl":
        sys.stdout.write(trace.to_jsonl())
    elif output_format == "csv":
        _write_csv(trace, sys.stdout)
    else:
        _print_text(trace, events)
        if save is not None:
            click.echo(f"saved to {Path(save)}: {', '.join(sorted(path.name for path in Path(save).iterdir()))}")


def _arrivals(
    assumptions: Assumptions, executions: int | None, every: float | None, how_long: float | None
) -> tuple[Assumptions, int | None]:
    """Settle when changes arrive and how many, from the profile and the options."""
    from pipesim.assumptions.arrivals import Every, Once

    if every is not None:
        if every <= 0:
            raise click.BadParameter("must be more than 0", param_hint="--every")
        assumptions = replace(assumptions, arrivals=Every(every))
    elif isinstance(assumptions.arrivals, Once) and (executions is None or executions > 1):
        assumptions = replace(assumptions, arrivals=Every(ORDINARY_INTERVAL, first=assumptions.arrivals.at))
    if executions is None and how_long is None:
        executions = ORDINARY_EXECUTIONS
    return assumptions, executions


@contextmanager
def _progress(executions: int | None, how_long: float | None) -> Iterator[Callable[[Simulation], object]]:
    """A bar on a terminal: simulated time where it is limited, else executions that have ended."""
    from tqdm import tqdm

    if how_long is not None:
        total, unit = round(how_long / 3600, 2), "h"
    else:
        total, unit = executions or 0, "execution"
    size = get_terminal_size()  # tqdm shows nothing where the terminal tells none
    with tqdm(
        total=total, unit=unit, desc="simulating", disable=None, leave=False, file=sys.stderr,
        ncols=size.columns, nrows=size.lines,
    ) as bar:  # fmt: skip

        def report(sim: Simulation) -> None:
            done = sim.now / 3600 if how_long is not None else sim.started - sim.unfinished
            bar.update(round(done - bar.n, 2))

        yield report


def _print_text(trace: Trace, events: bool) -> None:
    from pipesim.trace.cost import cost
    from pipesim.trace.measures import measure
    from pipesim.trace.summary import format_executions
    from pipesim.trace.text import format_trace

    if events:
        click.echo(format_trace(trace, trace.start))
        click.echo()
    click.echo(format_executions(trace))
    click.echo()
    click.echo(str(measure(trace)))
    click.echo()
    click.echo(str(cost(trace)))


def _write_csv(trace: Trace, target: TextIO) -> None:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow((*EVENT_COLUMNS, "detail"))
    for event in trace:
        columns = [getattr(event, name) for name in EVENT_COLUMNS]
        writer.writerow([*columns, json.dumps(dict(event.detail), default=dict) if event.detail else ""])


def _save(trace: Trace, folder: Path) -> None:
    """Write everything that a person may want to keep."""
    from pipesim.errors import SourceError
    from pipesim.trace.measures import measure
    from pipesim.trace.summary import format_executions
    from pipesim.views.board import board
    from pipesim.views.diagram import draw
    from pipesim.views.tables import executions_table, spans_table
    from pipesim.views.timeline import timeline

    try:
        folder.mkdir(parents=True, exist_ok=True)
        trace.write_jsonl(folder / "trace.jsonl")
        (folder / "summary.txt").write_text(f"{format_executions(trace)}\n\n{measure(trace)}\n", encoding="utf-8")
        executions_table(trace).to_csv(folder / "executions.csv", index=False)
        spans_table(trace).to_csv(folder / "spans.csv", index=False)
        picture = timeline(trace)
        diagram = draw(trace.pipeline, trace=trace)
        for suffix in ("svg", "png"):
            picture.save(folder / f"timeline.{suffix}")
            diagram.save(folder / f"diagram.{suffix}")
        board(trace, trace.end).save(folder / "board.html")
    except OSError as error:
        raise SourceError(f"cannot write to {folder}: {error.strerror or error}") from None
