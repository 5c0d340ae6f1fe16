"""Lesson 16: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan")


@pytest.mark.parametrize("name", NAMES)
def test_how_many(name: str) -> None:
    case = ps.classroom.case("16-1", of=name)
    passing = [count for count in range(12) if "all right" in told("16-1", count, name)]

    assert len(passing) == 1 and 1 < passing[0] < case.changes
    assert "every change that came in" in told("16-1", case.changes, name)
    assert "more than once" in told("16-1", 1, name)
    assert "too many" in told("16-1", 40, name)
    assert "ValueError" in told("16-1", "half of them", name)


@pytest.mark.parametrize("name", NAMES[:3])
def test_shipping_more(name: str) -> None:
    case = ps.classroom.case("16-2", of=name)
    compared = ps.compare((case.pipeline, case.profile), case.changes, n=60, days=20, seed=1, progress=False)
    gains = {one: compared.difference(one, "shipped").estimate for one in case.changes if one != "a queue"}
    best = max(gains, key=lambda one: float(gains[one]))
    worst = min(gains, key=lambda one: float(gains[one]))

    assert "all right" in told("16-2", (best, gains[best]), name)
    assert "2 of 3 right" in told("16-2", (best, gains[best] * 2 + 5), name)
    assert "fewer than another one" in told("16-2", (worst, gains[worst]), name)
    queue = told("16-2", ("a queue", 10), name)
    assert "changes take longer than today" in queue and "0 of 3 right" in queue
    assert "no change 'more coffee'" in told("16-2", ("more coffee", 3), name)
    assert "ValueError" in told("16-2", best, name)


def grown(name: str, *, test: str = "Build", commit: bool = True, minutes: int | None = None) -> dict[str, Any]:
    case = ps.classroom.case("16-3", of=name)
    document: dict[str, Any] = case.pipeline.to_document()
    build, founder = document["stages"][1]["actions"], document["stages"][2]["actions"][0]
    kind = build[0]["actionTypeId"] | {"category": "Test"}
    action = build[0] | {"name": "Tests", "actionTypeId": kind, "outputArtifacts": []}
    if test:
        next(stage for stage in document["stages"] if stage["name"] == test)["actions"].append(action)
    document["stages"][0]["actions"][0]["namespace"] = "SourceVariables"
    if commit:
        founder["configuration"]["CustomData"] = "#{SourceVariables.CommitId}?"
    founder["timeoutInMinutes"] = case.hours * 60 if minutes is None else minutes
    return document


@pytest.mark.parametrize("name", NAMES)
def test_growing_up(name: str) -> None:
    pipeline = ps.classroom.case("16-3", of=name).pipeline

    assert "all right" in told("16-3", grown(name), name)
    assert "there is no test in it" in told("16-3", grown(name, test=""), name)
    assert "the founder is asked all the same" in told("16-3", grown(name, test="Deploy"), name)
    assert "the question reads: Ready for our users?" in told("16-3", grown(name, commit=False), name)
    assert "fails after 1.0 hours" in told("16-3", grown(name, minutes=60), name)
    untouched = told("16-3", pipeline, name)
    assert "2 of 5 right" in untouched and "168.0 hours" in untouched
    without = grown(name)
    without["stages"].pop(2)
    assert "nobody is asked any more" in told("16-3", without, name)
    misspelt = grown(name)
    misspelt["stages"][2]["actions"][0]["configuration"]["CustomData"] = "#{SourceVariable.CommitId}"
    assert "the service refuses it" in told("16-3", misspelt, name)


def answering(summary: str, *, status: str = "Approved", careful: bool = True) -> Any:
    def answer(codepipeline: Any, name: str) -> None:
        latest = codepipeline.get_pipeline_state(name=name)["stageStates"][2]["actionStates"][0]["latestExecution"]
        if latest["status"] == "InProgress" or not careful:
            codepipeline.put_approval_result(
                pipelineName=name,
                stageName="Approval",
                actionName="Founder",
                token=latest.get("token", "00000000-0000-0000-0000-000000000000"),
                result={"summary": summary, "status": status},
            )

    return answer


def test_answering() -> None:
    wanted = ps.classroom.case("16-4", of="").summary

    assert "all right" in told("16-4", answering(wanted))
    assert "the history says 'ok'" in told("16-4", answering("ok"))
    rejected = told("16-4", answering(wanted, status="Rejected"))
    assert "the approval is Failed" in rejected and "nothing was deployed" in rejected
    careless = told("16-4", answering(wanted, careful=False))
    assert "called when nobody is asked, it ends with" in careless and "3 of 4 right" in careless
    assert "the approval is InProgress" in told("16-4", lambda codepipeline, name: None)
    assert "your function ended with TypeError" in told("16-4", lambda codepipeline: None)
    assert "hand over the function itself" in told("16-4", 5)
