"""Lesson 21: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo")


@pytest.mark.parametrize("name", NAMES)
def test_three_mistakes(name: str) -> None:
    declaration = ps.classroom.case("21-1", of=name).declaration
    good = ps.load("GitHub -> CodeBuild -> Tests -> Manual Approval -> S3").to_document()

    assert len(ps.check(declaration)) == 3
    assert "all right" in told("21-1", good, name)
    assert "as many as before" in told("21-1", declaration, name)
    half = copy.deepcopy(declaration)
    half["stages"][1] = good["stages"][1]
    assert "2 of 3 are left" in told("21-1", half, name) and "1 of 4 right" in told("21-1", half, name)
    assert "the steps are" in told("21-1", ps.load("GitHub -> CodeBuild -> S3"), name)


@pytest.mark.parametrize("name", NAMES)
def test_the_busiest_stage(name: str) -> None:
    names = ["Source", "Build", "Test", "Staging", "Approval", "Production"]
    passing = [one for one in names if "all right" in told("21-2", one, name)]

    assert len(passing) == 1 and passing[0] in ("Test", "Staging", "Approval")
    assert "another one more" in told("21-2", "Build", name)
    assert "no stage 'Tests'" in told("21-2", "Tests", name)


def parallel(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    for action in changed["stages"][2]["actions"]:
        action["runOrder"] = 1
    return changed


def together(document: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    stages = {stage["name"]: stage for stage in changed["stages"]}
    business = stages["Business"]["actions"][0]
    stages["Quality"]["actions"][0]["name"], business["name"] = "Quality", "Business"
    stages["Quality"]["actions"].append(business)
    changed["stages"].remove(stages["Business"])
    return changed


@pytest.mark.parametrize("name", NAMES)
def test_the_capstone(name: str) -> None:
    document = ps.classroom.case("21-3", of=name).pipeline.to_document()

    assert "all right" in told("21-3", together(parallel(document)), name)
    for only in (document, parallel(document), together(document)):
        assert "the 95th percentile is" in told("21-3", only, name)
    one = parallel(document)
    one["stages"] = [stage for stage in one["stages"] if stage["name"] != "Business"]
    assert "without two approvals" in told("21-3", one, name)
    untested = together(document)
    del untested["stages"][2]["actions"][1]
    assert "missing: Test/Integration" in told("21-3", untested, name)
    trap = parallel(document)
    deploy = trap["stages"].pop()["actions"][0]
    trap["stages"][-1] = {"name": "Production", "actions": [*trap["stages"][-1]["actions"], deploy]}
    assert "without two approvals" in told("21-3", trap, name)
    dear = together(parallel(document))
    dear["pipelineType"] = "V2"
    assert "dollars a month" in told("21-3", dear, name) and "4 of 5 right" in told("21-3", dear, name)
