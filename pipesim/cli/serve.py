"""``pipesim serve``: a mocked AWS account over HTTP, for the AWS CLI and any SDK."""

from __future__ import annotations

import signal
from types import FrameType

import click

from pipesim.cli.common import load_assumptions, load_sound


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option(
    "--clock",
    "progression",
    default="manual",
    show_default=True,
    type=click.Choice(["manual", "time", "immediate"]),
    help="manual: time passes when it is told to; time: with the wall clock; immediate: whatever needs no person"
    " happens at once.",
)
@click.option("--speed", default=1.0, show_default=True, help="With --clock time: virtual seconds a second.")
@click.option("--seed", default=0, show_default=True, help="The number on which all luck hangs.")
@click.option("--profile", help="Assumptions: a TOML file.")
@click.option("--region", default="us-east-1", show_default=True)
@click.option(
    "--actions",
    default="real",
    show_default=True,
    type=click.Choice(["real", "assumed"]),
    help="real: actions touch the mocked account; assumed: they only take their time.",
)
def serve(
    files: tuple[str, ...],
    port: int,
    progression: str,
    speed: float,
    seed: int,
    profile: str | None,
    region: str,
    actions: str,
) -> None:
    """Serve a mocked AWS account in which pipelines really run.

    All services answer on one port of 127.0.0.1. Each FILE is a pipeline: what it needs is stood up, and it is
    created. Ctrl-C ends it.

    \b
    Examples:
      pipesim serve --port 5000 --clock time --speed 60
      aws --endpoint-url http://127.0.0.1:5000 codepipeline list-pipelines
      curl http://127.0.0.1:5000/moto-api/pipesim/clock
      curl -d '{"advance": 600}' http://127.0.0.1:5000/moto-api/pipesim/clock
    """
    from pipesim.cloud.account import Cloud

    pipelines = [load_sound(file) for file in files]
    signal.signal(signal.SIGTERM, _interrupt)
    cloud = Cloud(
        region=region,
        seed=seed,
        assumptions=load_assumptions(profile),
        progression=progression,
        speed=speed,
        actions=actions,
    )
    try:
        with cloud:
            url = cloud.account.serve(port)
            for pipeline in pipelines:
                cloud.provision(pipeline)
            click.echo(f"Serving on {url} (clock: {progression}); set AWS_ENDPOINT_URL={url}. Ctrl-C ends it.")
            signal.pause()
    except KeyboardInterrupt:
        click.echo("Stopped.")


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
