"""The table of integrations says what the tests showed, and a run that shows something else fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import tests.integrations as integrations
from tests.integrations import BEGIN, COURSE, END, NEVER, Integrations, rewritten, table, written

FILE = "tests/cloud/actions/test_ecs.py"


def test_the_table_has_a_row_for_every_system_of_the_course() -> None:
    rows = table({}).splitlines()[2:]

    assert [row.split(" | ")[1] for row in rows] == [system for _, system, _ in COURSE]
    assert all(row.count(NEVER) == 4 for row in rows)


def test_a_system_that_shares_a_provider_is_shown_by_it() -> None:
    lines = table({"Source/CodeStarSourceConnection": {"failure": {"tests/cloud/actions/test_connection.py"}}})

    [github] = [line for line in lines.splitlines() if line.startswith("| Source | GitHub |")]
    assert github.endswith(
        f"| {NEVER} | [test_connection](../tests/cloud/actions/test_connection.py) | {NEVER} | {NEVER} |"
    )


def test_what_the_course_does_not_name_stands_below() -> None:
    lines = table({"Deploy/EKS": {"success": {FILE}}}).splitlines()

    assert lines[-1].startswith("| Deploy | EKS | [test_ecs]")
    assert "beyond the course" in lines[-3]


def test_a_table_is_written_where_it_belongs() -> None:
    document = f"head\n{BEGIN}\nold\n{END}\nrest"

    new = rewritten(document, "| new |")

    assert (written(new), new.startswith("head\n"), new.endswith("\nrest")) == ("| new |", True, True)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Integrations:
    """A plugin whose document is empty and whose only test of a provider is one of ECS."""
    folder = tmp_path / "tests" / "cloud" / "actions"
    folder.mkdir(parents=True)
    (folder / "test_ecs.py").write_text("@pytest.mark.provider('Deploy/ECS', 'success')")
    (tmp_path / "integrations.md").write_text(f"{BEGIN}\n{END}")
    monkeypatch.setattr(integrations, "ROOT", tmp_path)
    monkeypatch.setattr(integrations, "DOCUMENT", tmp_path / "integrations.md")
    return Integrations()


def session(failed: int = 0, *arguments: str) -> Any:
    option = SimpleNamespace(keyword="", markexpr="")
    return SimpleNamespace(
        testsfailed=failed, config=SimpleNamespace(args=list(arguments), option=option), exitstatus=0
    )


def run(plugin: Integrations, *, passed: bool = True, kind: str = "success", collected: bool = True) -> None:
    mark = SimpleNamespace(args=("Deploy/ECS", kind))
    item: Any = SimpleNamespace(
        nodeid="n", path=integrations.ROOT / FILE, iter_markers=lambda name: [mark], user_properties=[]
    )
    plugin.pytest_collection_modifyitems([item] if collected else [])
    report: Any = SimpleNamespace(
        when="call", passed=passed, skipped=not passed, nodeid="n", user_properties=item.user_properties
    )
    plugin.pytest_runtest_logreport(report)


def test_a_run_fails_that_showed_something_else(plugin: Integrations) -> None:
    run(plugin)
    ended = session()
    plugin.pytest_sessionfinish(ended)

    assert ended.exitstatus == 1
    assert "python tools/integrations_table.py" in plugin.complaint


def test_a_run_that_writes_makes_the_next_one_pass(plugin: Integrations) -> None:
    run(plugin)
    plugin.write = True
    plugin.pytest_sessionfinish(session())
    plugin.write = False
    ended = session()
    plugin.pytest_sessionfinish(ended)

    assert (ended.exitstatus, plugin.complaint) == (0, "")
    assert f"[test_ecs](../{FILE})" in integrations.DOCUMENT.read_text()


@pytest.mark.parametrize("part", ["one test", "deselected", "not collected", "skipped", "failed"])
def test_a_partial_run_says_nothing_about_the_table(plugin: Integrations, part: str) -> None:
    ended = session(1) if part == "failed" else session(0, f"{FILE}::test_x") if part == "one test" else session()
    if part == "deselected":
        plugin.pytest_deselected([SimpleNamespace(get_closest_marker=lambda name: name)])  # type: ignore[list-item]
    run(plugin, passed=part != "skipped", collected=part != "not collected")

    plugin.pytest_sessionfinish(ended)

    assert (ended.exitstatus, plugin.complaint) == (0, "")


def test_a_mark_of_an_unknown_kind_is_refused(plugin: Integrations) -> None:
    with pytest.raises(pytest.UsageError, match="unknown kind 'sucess'"):
        run(plugin, kind="sucess")


def test_one_of_several_processes_leaves_the_table_to_the_one_that_gathers(plugin: Integrations) -> None:
    run(plugin)
    ended = session()
    ended.config.workerinput = {}
    plugin.pytest_sessionfinish(ended)

    assert (ended.exitstatus, plugin.complaint) == (0, "")
