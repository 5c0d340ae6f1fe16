"""Lesson 10: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan")


def moment(name: str) -> tuple[str, str, str]:
    """Who is inside Approval, who waits in front of it, and whom that one replaced."""
    mine = ps.classroom.case("10-1", of=name)
    trace = ps.simulate(mine.pipeline, mine.profile, seed=1)
    stage = ps.state_at(mine.pipeline, trace, ps.minutes(mine.minute)).stage("Approval")
    replaced = [event.execution for event in trace if event.detail.get("by") == stage.inbound[0]]
    return stage.occupants[0], stage.inbound[0], str(replaced[-1])


@pytest.mark.parametrize("name", NAMES)
def test_who_waits(name: str) -> None:
    inside, waiting, replaced = moment(name)

    assert "all right" in told("10-1", (waiting, replaced), name)
    assert "all right" in told("10-1", (waiting.lower(), replaced), name)
    assert f"{inside} is inside the stage" in told("10-1", (inside, waiting), name)
    assert "1 of 2 right" in told("10-1", (waiting, inside), name)
    assert "E9 is not in front of Approval" in told("10-1", ("E9", "E9"), name)
    assert "ValueError" in told("10-1", waiting + "x" * 5, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_queue(name: str) -> None:
    pipeline = ps.classroom.case("10-2", of=name).pipeline
    document = pipeline.to_document()

    assert "ended as Superseded" in told("10-2", pipeline, name)
    assert "all right" in told("10-2", {**document, "executionMode": "QUEUED", "pipelineType": "V2"}, name)
    assert "the service refuses it" in told("10-2", {**document, "executionMode": "QUEUED", "pipelineType": "V1"}, name)
    parallel = told("10-2", {**document, "executionMode": "PARALLEL", "pipelineType": "V2"}, name)
    assert "in the mode PARALLEL" in parallel and "3 of 4 right" in parallel
    short = ps.edit.execution_mode("QUEUED")(ps.edit.Scenario(ps.load("GitHub -> CodeBuild -> Elastic Beanstalk")))
    assert "should stay as they are" in told("10-2", short.pipeline, name)


@pytest.mark.parametrize("name", NAMES)
def test_how_fast(name: str) -> None:
    passing = [minute for minute in range(40) if "all right" in told("10-3", minute, name)]

    assert len(passing) == 1
    assert "would do as well" in told("10-3", passing[0] - 1, name)
    assert "does not get there" in told("10-3", passing[0] + 1, name)
    assert "nobody answers before being asked" in told("10-3", -4, name)
    assert "a yes or no is no number" in told("10-3", True, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_door(name: str) -> None:
    case = ps.classroom.case("10-4", of=name)
    close = (ps.minutes(case.closed_from), ps.DisableTransition("Deploy", "holiday"))
    late = (ps.minutes(case.closed_from + 10), ps.DisableTransition("Deploy", "holiday"))
    opened = (ps.minutes(case.closed_until), ps.EnableTransition("Deploy"))
    early = (ps.minutes(case.closed_until - 60), ps.EnableTransition("Deploy"))

    assert "all right" in told("10-4", [close, opened], name)
    assert "afterwards nobody goes in" in told("10-4", [close], name)
    assert "is still open" in told("10-4", [late, opened], name)
    assert "enter Deploy in that time" in told("10-4", [close, early], name)
    assert "pipesim says" in told("10-4", [(0, ps.DisableTransition("Deplyo", "typing error"))], name)
