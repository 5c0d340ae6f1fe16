"""``pipesim check``: every problem of a declaration at once."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

PROBLEMS_FOUND = 1


@click.command()
@click.argument("file")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the problems.",
)
def check(file: str, output_format: str) -> None:
    """Check a declaration: every problem, with its path, the service's wording, and a hint.

    \b
    Examples:
      pipesim check pipeline.json
      pipesim check pipeline.json --format json
      pipesim check "GitHub -> CodeBuild -> Elastic Beanstalk"
    """
    from pipesim.definition.checking import check as find_problems
    from pipesim.errors import DeclarationError
    from pipesim.formats.load import load

    name = file
    try:
        pipeline = load(file)
        name = pipeline.name
        problems = find_problems(pipeline)
    except DeclarationError as error:
        if not error.problems:
            raise
        problems = error.problems
    if output_format == "json":
        click.echo(json.dumps([asdict(problem) for problem in problems], indent=2))
    elif not problems:
        click.echo(f"{name}: no problems found")
    else:
        for problem in problems:
            click.echo(f"{problem.path or '(document)'}: {problem.message}")
            click.echo(f"    rule {problem.rule}, {problem.code}")
            if problem.hint:
                click.echo(f"    {problem.hint}")
        click.echo("1 problem found" if len(problems) == 1 else f"{len(problems)} problems found")
    if problems:
        sys.exit(PROBLEMS_FOUND)
