"""``pipesim whatif``: change something and see what it does, with intervals."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipesim.cli.common import Duration, load_assumptions, load_sound

DAY = 86_400.0
ALONE = (
    "note: one change runs alone here, so nobody waits for a lock or a place; for more give --profile, --for or "
    "--executions, or --change 'arrivals=20/day'"
)


def _help(context: click.Context, option: click.Parameter, value: bool) -> None:
    from pipesim.whatif.changes import change_help

    if value:
        click.echo(change_help())
        context.exit()


@click.command(name="whatif")
@click.argument("file")
@click.option("--change", "changes", multiple=True, help="A change; several are made together. See --list-changes.")
@click.option("--variant", "variants", multiple=True, help="A change of its own, compared beside the others.")
@click.option(
    "--list-changes", is_flag=True, is_eager=True, expose_value=False, callback=_help, help="List what can be changed."
)
@click.option("--replications", type=click.IntRange(min=1), help="How many simulations of each scenario.")
@click.option("--until", help="Or the precision to reach, such as 'lead_time 5%'.")
@click.option("--for", "how_long", type=Duration(), help="How long each looks, such as 30d.")
@click.option("--executions", type=click.IntRange(min=1), help="How many changes arrive in each.")
@click.option("--warm-up", type=str, help="What is not measured at the beginning: 'auto', or such as 2d.")
@click.option("--seed", type=int, default=0, show_default=True, help="The number on which all luck hangs.")
@click.option("--profile", type=click.Path(), help="Assumptions: durations, odds, arrivals, people (TOML).")
@click.option("--workers", type=click.IntRange(min=1), help="Processes to share the work.")
@click.option("--sensitivity", is_flag=True, help="Say which assumption moves the lead time most.")
@click.option("--best", "choose", is_flag=True, help="Choose the best variant, with a stated error probability.")
@click.option("--measure", default="lead_time", show_default=True, help="For --sensitivity, --best and pictures.")
@click.option("--report", "report_path", type=click.Path(dir_okay=False), help="Write one HTML page with pictures.")
@click.option("--csv", "csv_path", type=click.Path(dir_okay=False), help="Write one row a replication.")
@click.option("--patience", type=Duration(), default=600.0, help="How long it may take, such as 1h (10 minutes).")
def whatif(
    file: str,
    changes: tuple[str, ...],
    variants: tuple[str, ...],
    replications: int | None,
    until: str | None,
    how_long: float | None,
    executions: int | None,
    warm_up: str | None,
    seed: int,
    profile: str | None,
    workers: int | None,
    sensitivity: bool,
    choose: bool,
    measure: str,
    report_path: str | None,
    csv_path: str | None,
    patience: float,
) -> None:
    """Simulate a pipeline many times, as it is and changed, under the same luck.

    Without --replications or --until, as many simulations are run as the mean lead time needs to be
    known to within 5 %.

    \b
    Examples:
      pipesim whatif pipeline.json --change "parallelise Test" --change "builds=6" --replications 1000
      pipesim whatif pipeline.json --profile team.toml --variant "mode=QUEUED" --variant "arrivals*2" --for 30d
      pipesim whatif pipeline.json --profile team.toml --sensitivity --report whatif.html
      pipesim whatif --list-changes
    """
    from pipesim.assumptions.arrivals import Once
    from pipesim.assumptions.units import parse_duration
    from pipesim.whatif.best import best
    from pipesim.whatif.changes import parse_change
    from pipesim.whatif.compare import compare
    from pipesim.whatif.replicate import replicate
    from pipesim.whatif.scenario import Scenario, apply_all, compose
    from pipesim.whatif.sensitivity import sensitivity as analyse

    if sensitivity and choose:
        raise click.UsageError("ask either for --sensitivity or for --best")
    scenario = Scenario(load_sound(file), load_assumptions(profile))
    edits = [parse_change(text) for text in changes]
    others = {text: parse_change(text) for text in variants}
    if edits:
        others = {compose(*edits).text: compose(*edits), **others}
    start = None if warm_up is None else warm_up if warm_up == "auto" else parse_duration(warm_up)
    days = None if how_long is None else how_long / DAY
    result: object
    if sensitivity:
        result = analyse(
            apply_all(scenario, edits), measure=measure, n=replications, until=until, days=days,
            executions=executions, warm_up=start, seed=seed, on=workers, patience=patience,
        )  # fmt: skip
    elif choose:
        if not others:
            raise click.UsageError("--best needs something to choose from: give --variant at least once")
        result = best(
            scenario, others, measure, days=days, executions=executions, warm_up=start, seed=seed, on=workers,
            patience=patience,
        )  # fmt: skip
    elif others:
        result = compare(
            scenario, others, n=replications, until=until, days=days, executions=executions,
            warm_up=start, seed=seed, on=workers, patience=patience,
        )  # fmt: skip
    else:
        result = replicate(
            scenario, n=replications, until=until, days=days, executions=executions, warm_up=start,
            seed=seed, on=workers, patience=patience,
        )  # fmt: skip
    click.echo(str(result))
    if isinstance(scenario.assumptions.arrivals, Once) and days is None and (executions or 1) == 1:
        click.echo(ALONE, err=True)
    _write(result, measure, report_path, csv_path)


def _write(result: object, measure: str, report_path: str | None, csv_path: str | None) -> None:
    from pipesim.errors import SourceError
    from pipesim.whatif.report import report

    if report_path is not None:
        report(result, report_path, measure)  # type: ignore[arg-type]
        click.echo(f"wrote {report_path}", err=True)
    if csv_path is not None:
        frame = result.to_frame()  # type: ignore[attr-defined]
        try:
            frame.to_csv(sys.stdout if csv_path == "-" else Path(csv_path), index=False)
        except OSError as error:
            raise SourceError(f"cannot write {csv_path!r}: {error.strerror or error}") from error
        if csv_path != "-":
            click.echo(f"wrote {csv_path}", err=True)
