"""Lesson 11: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan")


@pytest.mark.parametrize("name", NAMES)
def test_stopping(name: str) -> None:
    case = ps.classroom.case("11-1", of=name)
    last, now = max(case.minutes.values()), case.stop_at

    assert "all right" in told("11-1", (last, now), name)
    assert "may still end" in told("11-1", (now, now), name)
    assert "the other build is still running" in told("11-1", (case.minutes["Docs"], now), name)
    assert "is too late" in told("11-1", (last, last), name)
    assert "nothing can be made of" in told("11-1", last, name)


@pytest.mark.parametrize("name", NAMES)
def test_saving(name: str) -> None:
    case = ps.classroom.case("11-2", of=name)
    soon, late = ps.minutes(case.failed_at + 2), ps.minutes(case.deadline)

    assert "all right" in told("11-2", [(soon, ps.Retry("Build", "E1"))], name)
    assert "E1 ends as Failed" in told("11-2", [(soon, ps.Start())], name)
    assert "Docs was built 2 times" in told("11-2", [(soon, ps.Retry("Build", "E1", "ALL_ACTIONS"))], name)
    assert "were allowed" in told("11-2", [(late, ps.Retry("Build", "E1"))], name)
    assert "StageNotRetryableException" in told("11-2", [(60, ps.Retry("Build", "E1"))], name)
    assert "nothing can be made of" in told("11-2", ps.Retry("Build", "E1"), name)


@pytest.mark.parametrize("name", NAMES)
def test_back_to_the_last_good_one(name: str) -> None:
    case = ps.classroom.case("11-3", of=name)
    document = {**case.pipeline.to_document(), "pipelineType": "V2"}
    assert "nothing happens" in told("11-3", document, name)

    right = copy.deepcopy(document)
    right["stages"][2]["onFailure"] = {"result": "ROLLBACK"}
    assert "all right" in told("11-3", right, name)

    elsewhere = copy.deepcopy(document)
    elsewhere["stages"][1]["onFailure"] = {"result": "ROLLBACK"}
    assert "nothing happens" in told("11-3", elsewhere, name)

    again = copy.deepcopy(document)
    again["stages"][2]["onFailure"] = {"result": "RETRY"}
    assert "nothing happens" in told("11-3", again, name)
    assert "the service refuses it" in told("11-3", {**right, "pipelineType": "V1"}, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_weather(name: str) -> None:
    case = ps.classroom.case("11-4", of=name)
    document = {**case.pipeline.to_document(), "pipelineType": "V2"}
    right = copy.deepcopy(document)
    right["stages"][1]["onFailure"] = {"result": "RETRY"}
    trace = ps.simulate(ps.load(right), case.profile, seed=1, executions=case.changes)
    share = (ps.executions_table(trace)["status"] == "Succeeded").mean()

    assert "all right" in told("11-4", (right, share), name)
    assert "is not what it does" in told("11-4", (right, 1 - case.odds), name)
    assert "is no share" in told("11-4", (right, 91), name)
    assert "without any help" in told("11-4", (document, 1 - case.odds), name)
    wrong = copy.deepcopy(document)
    wrong["stages"][2]["onFailure"] = {"result": "RETRY"}
    assert "without any help" in told("11-4", (wrong, share), name)
