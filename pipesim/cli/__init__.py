"""The command line: ``pipesim check | draw | run | show | serve | whatif | lab | app | classroom | fidelity``.

Exit status: 0 all is well, 1 problems were found, 2 the input cannot be used.
"""

from __future__ import annotations

import sys

import click

from pipesim import __version__
from pipesim.cli.app import app
from pipesim.cli.check import check
from pipesim.cli.classroom import classroom
from pipesim.cli.draw import draw
from pipesim.cli.fidelity import fidelity
from pipesim.cli.lab import lab
from pipesim.cli.run import run
from pipesim.cli.serve import serve
from pipesim.cli.show import show
from pipesim.cli.whatif import whatif
from pipesim.errors import PipesimError

CANNOT_USE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pipesim")
def commands() -> None:
    """Read, simulate and see AWS CodePipeline pipelines.

    FILE is a declaration in CodePipeline's own JSON (what `aws codepipeline get-pipeline` prints),
    a file that holds an arrow sketch, or the sketch itself: "GitHub -> CodeBuild -> S3".

    \b
    Examples:
      pipesim check pipeline.json
      pipesim draw pipeline.json -o pipeline.svg
      pipesim run pipeline.json --executions 6 --every 20m --save out
      pipesim show out/trace.jsonl --at 1h30m

    Exit status: 0 all is well, 1 problems were found, 2 the input cannot be used.
    """


for command in (check, draw, run, show, serve, whatif, lab, app, classroom, fidelity):
    commands.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; pipesim's own errors become one clear sentence and exit status 2.

    Args:
        arguments: the words after ``pipesim``; None: those of this process.
    """
    try:
        commands.main(arguments, prog_name="pipesim", standalone_mode=True)
    except PipesimError as error:
        click.echo(f"pipesim: {error}", err=True)
        sys.exit(CANNOT_USE)
