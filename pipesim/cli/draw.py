"""``pipesim draw``: the diagram of a pipeline, as declared or at a moment of a trace."""

from __future__ import annotations

from pathlib import Path

import click

from pipesim.cli.common import Duration, load_sound


@click.command()
@click.argument("file")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), required=True, help="Where to: .svg, .png, .pdf, .dot."
)
@click.option("--artifacts", is_flag=True, help="Show which artifact goes where.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@click.option(
    "--trace", "trace_file", type=click.Path(exists=True, dir_okay=False), help="Take the state from this trace."
)
@click.option("--at", type=Duration(), help="The moment in the trace, since its start; its end when left out.")
@click.option("--draft", is_flag=True, help="Draw a declaration although it has problems.")
def draw(
    file: str, output: str, artifacts: bool, theme: str, trace_file: str | None, at: float | None, draft: bool
) -> None:
    """Draw a pipeline with Graphviz.

    \b
    Examples:
      pipesim draw pipeline.json -o pipeline.svg
      pipesim draw pipeline.json -o now.png --trace out/trace.jsonl --at 1h
      pipesim draw "GitHub -> [CodeBuild (Web) | CodeBuild (API)] -> S3" -o sketch.svg
    """
    from pipesim.formats.load import load
    from pipesim.trace.log import Trace
    from pipesim.views.diagram import draw as draw_pipeline

    pipeline = load(file) if draft else load_sound(file)
    trace = None if trace_file is None else Trace.read_jsonl(trace_file)
    draw_pipeline(pipeline, trace=trace, at=at, artifacts=artifacts, theme=theme).save(output)
    click.echo(f"{pipeline.name}: drawn to {Path(output)}", err=True)
