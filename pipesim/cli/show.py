"""``pipesim show``: the state of a pipeline at one moment."""

from __future__ import annotations

from pathlib import Path

import click

from pipesim.cli.common import Duration, load_assumptions, load_sound


@click.command()
@click.argument("file")
@click.option("--at", type=Duration(), help="The moment, since the start; the end of the trace when left out.")
@click.option("--seed", type=int, default=0, show_default=True, help="When FILE is a pipeline: the seed.")
@click.option("--profile", type=click.Path(), help="When FILE is a pipeline: the assumptions (TOML).")
@click.option("--executions", type=click.IntRange(min=1), help="When FILE is a pipeline: how many changes arrive.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Draw the board here instead: .html, .png, .svg.")
def show(
    file: str, at: float | None, seed: int, profile: str | None, executions: int | None, output: str | None
) -> None:
    """Show what the console would show at one moment.

    FILE is a trace (.jsonl, as `pipesim run --save` writes it), or a pipeline to be simulated first.

    \b
    Examples:
      pipesim show out/trace.jsonl --at 1h30m
      pipesim show out/trace.jsonl --at 90m -o board.html
      pipesim show pipeline.json --profile team.toml --executions 6 --at 2h
    """
    from pipesim.cli.run import _arrivals
    from pipesim.engine.simulate import simulate
    from pipesim.trace.log import Trace
    from pipesim.trace.state import state_at
    from pipesim.trace.summary import format_state
    from pipesim.views.board import board

    if Path(file).suffix == ".jsonl":
        trace = Trace.read_jsonl(file)
    else:
        pipeline = load_sound(file)
        assumptions, executions = _arrivals(load_assumptions(profile), executions, None, None)
        trace = simulate(pipeline, assumptions, seed=seed, executions=executions, until=at)
    moment = trace.end if at is None else at
    if output is not None:
        board(trace, moment).save(output)
        click.echo(f"{trace.pipeline.name}: board drawn to {output}", err=True)
        return
    click.echo(format_state(state_at(trace.pipeline, trace, moment), trace.start))
