"""``pipesim whatif`` on the command line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipesim.cli import commands, main
from pipesim.formats.samples import sample, sample_profile

LINE = "GitHub -> CodeBuild -> S3"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["whatif", *arguments])


def test_changes_are_made_together_and_compared(tmp_path: Path) -> None:
    page, table = tmp_path / "whatif.html", tmp_path / "whatif.csv"
    found = run(
        str(sample("e-commerce")), "--profile", str(sample_profile("e-commerce")), "--change", "parallelise Test",
        "--change", "builds=6", "--variant", "Test/EndToEnd*0.5", "--replications", "6", "--executions", "20",
        "--report", str(page), "--csv", str(table),
    )  # fmt: skip

    assert found.exit_code == 0, found.output
    assert "parallelise Test; builds=6" in found.output
    assert "Test/EndToEnd × 0.5" in found.output
    assert "± " in found.output
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert len(rows) == 3 * 6
    assert {"scenario", "replication", "lead_time", "cost.total"} <= {*rows[0]}


def test_without_a_change_it_tells_how_things_are() -> None:
    found = run(LINE, "--executions", "30", "--until", "lead_time 10%")

    assert found.exit_code == 0, found.output
    assert "Hoad" in found.output
    assert "lead time" in found.output


def test_who_asks_about_one_change_alone_is_told_so() -> None:
    alone = run(LINE, "--replications", "5", "--change", "builds=6")
    several = run(LINE, "--replications", "5", "--change", "builds=6", "--executions", "5")

    assert "one change runs alone" in alone.stderr
    assert "one change runs alone" not in alone.stdout + several.output


def test_warm_up_and_length(tmp_path: Path) -> None:
    found = run(LINE, "--change", "arrivals=6/hour", "--for", "1d", "--warm-up", "2h", "--replications", "3")

    assert found.exit_code == 0, found.output
    assert "warm-up 2 h" in found.output


def test_sensitivity_and_selection() -> None:
    assert (
        "duration of Build/CodeBuild" in run(LINE, "--sensitivity", "--replications", "5", "--executions", "10").output
    )
    chosen = run(LINE, "--best", "--variant", "CodeBuild*0.5", "--executions", "10").output
    assert "CodeBuild*0.5 has the smallest lead time" in chosen


def test_the_forms_of_a_change_are_listed() -> None:
    found = run("--list-changes", "anything")

    assert "parallelise Test" in found.output
    assert "mode=QUEUED" in found.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LINE, "--change", "make it fast"), "is no change that pipesim knows"),
        ((LINE, "--change", "parallelise Tset"), "there is no stage 'Tset'"),
        ((LINE, "--replications", "5", "--until", "lead_time 5%"), "not both"),
        ((LINE, "--warm-up", "soon", "--for", "1d"), "is not a duration"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["whatif", *arguments])

    assert left.value.code == 2
    assert message in capsys.readouterr().err


def test_best_needs_something_to_choose_from() -> None:
    assert run(LINE, "--best").exit_code == 2
    assert run(LINE, "--best", "--sensitivity").exit_code == 2
