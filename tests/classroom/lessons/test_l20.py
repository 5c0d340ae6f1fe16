"""Lesson 20: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "cleo")


@pytest.mark.parametrize("name", NAMES)
def test_what_moves_it(name: str) -> None:
    case = ps.classroom.case("20-1", of=name)
    actions = [f"{stage.name}/{action.name}" for stage, action in case.pipeline.actions()]
    passing = [action for action in actions if "all right" in told("20-1", action, name)]

    assert len(passing) == 1 and passing[0] in ("Test/Test", "Approval/ManualApproval", "Deploy/CodeDeploy")
    assert "another one moves it more" in told("20-1", "Build/UnitTests", name)
    assert "no action 'Tests'" in told("20-1", "Tests", name)


@pytest.mark.parametrize("name", NAMES)
def test_how_many(name: str) -> None:
    case = ps.classroom.case("20-2", of=name)
    enough = ps.HalfWidth("lead_time", relative=0.005)
    right = ps.replicate(case.pipeline, case.profile, until=enough, days=20, seed=1).n

    assert "all right" in told("20-2", right, name)
    assert "wider than" in told("20-2", right // 3, name)
    assert "would do as well" in told("20-2", right * 5, name)
    assert "choose between 2 and 5000" in told("20-2", 10**6, name)
    assert "choose between 2 and 5000" in told("20-2", 0, name)


@pytest.mark.parametrize("name", NAMES)
def test_from_history(name: str) -> None:
    build = ps.fit(ps.classroom.case("20-3", of=name).history, replications=2).assumptions.actions["Build/CodeBuild"]
    median, odds = build.duration.quantile(0.5) / 60, build.fails

    assert "all right" in told("20-3", (median, odds), name)
    assert "are those seconds?" in told("20-3", (median * 60, odds), name)
    assert "too short" in told("20-3", (median / 2, odds), name)
    assert "is not what happened" in told("20-3", (median, 0.5), name)
    assert "no share between 0 and 1" in told("20-3", (median, 100 * odds), name)
    assert "nothing can be made of" in told("20-3", median, name)


@pytest.mark.parametrize("name", NAMES)
def test_deciding(name: str) -> None:
    case = ps.classroom.case("20-4", of=name)
    compared = ps.compare((case.pipeline, case.profile), case.changes, n=100, days=20, seed=1)
    gains = {one: -compared.difference(one, "lead_time").estimate / 60 for one in case.changes}
    order = sorted(gains, key=lambda one: gains[one])

    assert "all right" in told("20-4", (order[-1], gains[order[-1]]), name)
    assert "is not what the comparison says" in told("20-4", (order[-1], gains[order[-1]] + 30), name)
    assert "1 of 2 right" in told("20-4", (order[-1], -gains[order[-1]]), name)
    assert "another change wins more" in told("20-4", (order[-2], gains[order[-2]]), name)
    assert "makes the lead time longer" in told("20-4", ("a queue", 3), name)
    assert "no change 'more people'" in told("20-4", ("more people", 3), name)
