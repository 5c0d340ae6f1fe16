"""Lesson 9: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan")


@pytest.mark.parametrize("name", NAMES)
def test_the_weekend(name: str) -> None:
    case = ps.classroom.case("09-1", of=name)
    right = 64 + case.work_hours

    assert "all right" in told("09-1", right, name)
    assert "worked through the evening" in told("09-1", case.work_hours, name)
    assert "Saturday were a working day" in told("09-1", right - 48, name)
    assert "too long" in told("09-1", 200, name)
    assert "ValueError" in told("09-1", "Monday", name)


@pytest.mark.parametrize("name", NAMES)
def test_the_trap(name: str) -> None:
    document = ps.classroom.case("09-2", of=name).pipeline.to_document()
    asis = told("09-2", document, name)
    assert "but the deployment started after" in asis and "and yet it was deployed" in asis and "2 of 4 right" in asis

    mended = copy.deepcopy(document)
    mended["stages"][2]["actions"][1]["runOrder"] = 2
    assert "all right" in told("09-2", mended, name)

    backwards = copy.deepcopy(document)
    backwards["stages"][2]["actions"][0]["runOrder"] = 2
    assert "and yet it was deployed" in told("09-2", backwards, name)

    apart = copy.deepcopy(document)
    deploy = apart["stages"][2]["actions"].pop(1)
    apart["stages"].append({"name": "Deploy", "actions": [deploy]})
    assert "a newer change may overtake" in told("09-2", apart, name)

    without = copy.deepcopy(document)
    del without["stages"][2]["actions"][0]
    assert "there is no approval any more" in told("09-2", without, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_gate(name: str) -> None:
    case = ps.classroom.case("09-3", of=name)
    document = case.pipeline.to_document()
    assert "reads 'nothing'" in told("09-3", document, name) and "nobody is told" in told("09-3", document, name)

    document["pipelineType"] = "V2"
    action = document["stages"][2]["actions"][0]
    action["configuration"] = {"CustomData": case.says, "NotificationArn": case.topic}
    action["timeoutInMinutes"] = case.hours * 60
    assert "all right" in told("09-3", document, name)

    action["timeoutInMinutes"] = case.hours * 30
    assert "it fails after" in told("09-3", document, name) and "4 of 5" not in told("09-3", document, name)
    action["timeoutInMinutes"] = case.hours * 60
    action["configuration"]["NotificationArn"] = "arn:aws:sns:us-east-1:111122223333:others"
    assert "another topic is told" in told("09-3", document, name)
    assert "there is no manual approval" in told("09-3", "GitHub -> S3", name)


@pytest.mark.parametrize("name", NAMES)
def test_two_designs(name: str) -> None:
    passing = [vain for vain in range(1, 60) if "all right" in told("09-4", ("one_stage", vain), name)]

    assert len(passing) == 1 and passing[0] > 5
    assert "are overtaken while they wait" in told("09-4", ("own_stage", passing[0]), name)
    assert "is not the difference" in told("09-4", ("one_stage", passing[0] + 3), name)
    assert "no design 'both'" in told("09-4", ("both", 3), name)
    assert "nothing can be made of" in told("09-4", "one_stage", name)
