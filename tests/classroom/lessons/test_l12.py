"""Lesson 12: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan")


@pytest.mark.parametrize("name", NAMES)
def test_two_changes_in_a_row(name: str) -> None:
    case = ps.classroom.case("12-1", of=name)
    first = sum(case.minutes.values())
    behind = first + case.minutes["Testing, deploy"] + case.minutes["Testing, regression"]

    assert "all right" in told("12-1", (first, behind), name)
    assert "if it never had to wait" in told("12-1", (first, first + case.gap), name)
    assert "as soon as it has been left" in told("12-1", (first, 2 * first), name)
    assert "minutes since the start were asked for" in told("12-1", (first, behind - case.gap), name)
    assert "too late" in told("12-1", (3 * first, behind), name)
    assert "too early" in told("12-1", (case.minutes["Production"], behind), name)
    assert "two were asked for" in told("12-1", (first,), name)


def mended(case: Any, **other: str) -> dict[str, Any]:
    document = copy.deepcopy(case.pipeline.to_document())
    for stage in document["stages"][2:]:
        settings = {
            "Environment": stage["name"].lower(),
            "Release": "#{SourceVariables.CommitId}",
            "LogLevel": "#{variables.LogLevel}",
            **other,
        }
        stage["actions"][0]["configuration"]["ParameterOverrides"] = json.dumps(settings)
    return document


@pytest.mark.parametrize("name", NAMES)
def test_copied_settings(name: str) -> None:
    case = ps.classroom.case("12-2", of=name)
    assert "is told that it is" in told("12-2", case.pipeline, name)
    assert "was released" in told("12-2", case.pipeline, name)
    assert "deployed with 'debug'" in (said := told("12-2", case.pipeline, name)) or "with 'warning'" in said

    right = mended(case)
    assert "all right" in told("12-2", right, name)
    assert "Testing is told that it is 'production'" in told("12-2", mended(case, Environment="production"), name)
    assert "'main' was released" in told("12-2", mended(case, Release="main"), name)
    assert "'trace' deployed with 'info'" in told("12-2", mended(case, LogLevel="info"), name)
    assert "the service refuses it" in told("12-2", mended(case, Release="#{Source.CommitId}"), name)

    other = copy.deepcopy(right)
    other["variables"][0]["defaultValue"] = "debug"
    assert "the default should stay 'info'" in told("12-2", other, name)
    fewer = copy.deepcopy(right)
    del fewer["stages"][3]
    assert "is deployed in Staging" in told("12-2", fewer, name)


def gated(people: tuple[str, ...], *, order: int = 2, chain: bool = False) -> dict[str, Any]:
    document = ps.load("GitHub -> CodeBuild -> S3 (Testing) -> [Manual Approval -> S3] (Staging) -> S3 (Production)")
    built = document.to_document()
    asked = (" -> " if chain else " | ").join(f"Manual Approval ({one})" for one in people)
    built["stages"][4]["actions"][0]["runOrder"] = order + (len(people) - 1 if chain else 0)
    built["stages"][4]["actions"] += ps.load(f"S3 -> [{asked}] (Production)").to_document()["stages"][1]["actions"]
    return built


@pytest.mark.parametrize("name", NAMES)
def test_gates(name: str) -> None:
    people = ps.classroom.case("12-3", of=name).people
    right = gated(people)
    assert "all right" in told("12-3", right, name)

    before = copy.deepcopy(right)
    before["stages"].insert(4, {"name": "Ask", "actions": before["stages"][4]["actions"][1:]})
    before["stages"][5]["actions"] = before["stages"][5]["actions"][:1]
    assert "all right" in told("12-3", before, name)

    assert "asked before production: nobody" in told("12-3", gated(people, order=1), name)
    assert "asked one after the other" in told("12-3", gated(people, chain=True), name)
    assert "asked before production: Boss" in told("12-3", gated(("Boss",)), name)
    early = copy.deepcopy(right)
    early["stages"].insert(2, ps.load("S3 -> Manual Approval -> S3").to_document()["stages"][1])
    assert "must answer before anything is tested" in told("12-3", early, name)
    free = copy.deepcopy(right)
    free["stages"][3]["actions"] = free["stages"][3]["actions"][1:]
    assert "0 people are asked before staging" in told("12-3", free, name)
    assert "the stages that deploy are Deploy" in told("12-3", "GitHub -> CodeBuild -> S3", name)


def for_branch(case: Any, branch: str, wanted: list[str], *, listens: str = "", name: str = "") -> dict[str, Any]:
    document = copy.deepcopy(case.pipeline.to_document())
    document["name"] = name or "portal-" + branch.replace("/", "-")
    document["stages"][0]["actions"][0]["configuration"]["BranchName"] = listens or branch
    document["stages"] = document["stages"][:2] + [one for one in document["stages"] if one["name"] in wanted]
    return document


@pytest.mark.parametrize("name", NAMES)
def test_branches(name: str) -> None:
    case = ps.classroom.case("12-4", of=name)
    plan = case.environments
    right = {branch: for_branch(case, branch, wanted) for branch, wanted in plan.items()}
    assert "all right" in told("12-4", right, name)

    assert "there is none for main" in told("12-4", {k: v for k, v in right.items() if k != "main"}, name)
    assert "cannot both be called portal" in told(
        "12-4", {b: for_branch(case, b, wanted, name="portal") for b, wanted in plan.items()}, name
    )
    deaf = {b: for_branch(case, b, wanted, listens="main") for b, wanted in plan.items()}
    assert "starts nothing" in told("12-4", deaf, name)
    everywhere = {b: for_branch(case, b, ["Development", "Testing", "Staging", "Production"]) for b in plan}
    assert "goes to Development and Testing and Staging and Production" in told("12-4", everywhere, name)
    hasty = copy.deepcopy(right)
    hasty["main"]["stages"][-1]["actions"] = hasty["main"]["stages"][-1]["actions"][1:]
    assert "although the approver said no" in told("12-4", hasty, name)
    slash = {**right, "main": for_branch(case, "main", plan["main"], name="portal/main")}
    assert "the service refuses portal/main" in told("12-4", slash, name)
    assert "nothing can be made of" in told("12-4", list(right.values()), name)
