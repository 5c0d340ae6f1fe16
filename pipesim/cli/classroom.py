"""``pipesim classroom``: what a teacher needs around the course."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def classroom() -> None:
    """Release, grade and follow the course.

    \b
    Examples:
      pipesim classroom exercises
      pipesim classroom release course --lesson 10
      pipesim classroom report course/submitted -o class.html
    """


@classroom.command()
def exercises() -> None:
    """List every exercise: id, points, kind, title."""
    from pipesim.classroom.course import exercises

    for one in exercises():
        click.echo(f"{one.id:6} {one.points:4g} points  {one.kind:45} {one.title}")


@classroom.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--lesson", "lessons", multiple=True, help="A lesson's number; may be repeated. Default: all.")
@click.option("--source-only", is_flag=True, help="Write source/ and leave release/ to nbgrader; works without it.")
def release(folder: Path, lessons: tuple[str, ...], source_only: bool) -> None:
    """Make nbgrader's assignments in FOLDER: source/ with hidden tests, release/ without solutions."""
    from pipesim.classroom.release import release

    made = release(folder, lessons, generate=not source_only)
    click.echo(
        f"{len(made)} assignments in {folder / 'source'}" + ("" if source_only else f" and {folder / 'release'}")
    )


@classroom.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("class.html"))
def report(folder: Path, output: Path) -> None:
    """Turn a FOLDER of submissions into one page: who is stuck where.

    FOLDER holds a folder for each learner (nbgrader's submitted/ does). No notebook is executed.
    """
    from pipesim.classroom.report import write_report

    found = write_report(folder, output)
    for name, why in found.unreadable.items():
        click.echo(f"{name}: {why}", err=True)
    stuck = sum(one.stuck for one in found.standings)
    click.echo(f"{output}: {len(found.learners)} learners, {len(found.exercises)} exercises, {stuck} times stuck")
