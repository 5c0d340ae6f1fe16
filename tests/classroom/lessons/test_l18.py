"""Lesson 18: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan")
FUNCTION = """
import json

import boto3


def handler(event, context):
    job = event["CodePipeline.job"]
    wish = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
    boto3.client("sns").publish(TopicArn=wish["topic"], Message=wish["service"] + " is out")
    boto3.client("codepipeline").put_job_success_result(jobId=job["id"])
"""
REPORT = '    boto3.client("codepipeline").put_job_success_result(jobId=job["id"])\n'


@pytest.mark.parametrize("name", NAMES)
def test_side_by_side(name: str) -> None:
    case = ps.classroom.case("18-1", of=name)
    builds = [case.minutes[f"Build/Service{one}"] for one in "AB"]
    deploys = [case.minutes[f"Deploy/Service{one}"] for one in "AB"]
    rest = max(deploys) + case.minutes["ApiTest/Api"]
    wide, narrow, everything = max(builds) + rest, sum(builds) + rest, sum(case.minutes.values())

    assert "all right" in told("18-1", (wide, narrow), name)
    assert "one thing after another" in told("18-1", (everything, narrow), name)
    assert "has to wait for the other now" in told("18-1", (wide, wide), name)
    assert "only builds need room" in told("18-1", (wide, everything), name)
    assert "too early" in told("18-1", (1, narrow), name)
    assert "nothing can be made of" in told("18-1", wide, name)


def mended(case: Any) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(case.pipeline.to_document())
    for stage in document["stages"][1:3]:
        for action in stage["actions"]:
            action["runOrder"] = 1
    document["stages"][3]["actions"][1]["runOrder"] = 2
    return document


@pytest.mark.parametrize("name", NAMES)
def test_told_too_early(name: str) -> None:
    case = ps.classroom.case("18-2", of=name)
    said = told("18-2", case.pipeline, name)
    assert "of the build and the deploy actions" in said.replace(" actions and the ", " and the ")
    assert f"the team was told that {case.bad} is out" in said

    right = mended(case)
    assert "all right" in told("18-2", right, name)
    behind = copy.deepcopy(right)
    behind["stages"].append({"name": "Tell", "actions": [behind["stages"][3]["actions"].pop()]})
    assert "all right" in told("18-2", behind, name)

    early = copy.deepcopy(right)
    early["stages"][2]["actions"] += early["stages"][3]["actions"][:1]
    early["stages"][3]["actions"] = early["stages"][3]["actions"][1:]
    assert "while something is still being deployed" in told("18-2", early, name)
    silent = copy.deepcopy(right)
    del silent["stages"][3]["actions"][1]
    assert "missing or new: Invoke Notify" in told("18-2", silent, name)
    half = copy.deepcopy(right)
    half["stages"][1]["actions"][1]["runOrder"] = 2
    assert "of the build actions one waits for the other" in told("18-2", half, name)


@pytest.mark.parametrize("name", ("", "bob"))
def test_the_function(name: str) -> None:
    service = ps.classroom.case("18-3", of=name).service
    assert "all right" in told("18-3", FUNCTION, name)
    fixed = FUNCTION.replace('wish["service"]', repr(service))
    assert "when " in (said := told("18-3", fixed, name)) and "it said" in said


def test_functions_that_fall_short() -> None:
    assert "nobody told the pipeline" in told("18-3", FUNCTION.replace(REPORT, ""), "")
    quiet = "\n".join(line for line in FUNCTION.splitlines() if "sns" not in line)
    assert "no message came, and the function ended well" in told("18-3", quiet, "")
    assert "the log says" in told("18-3", FUNCTION.replace('["UserParameters"]', '["Parameters"]'), "")
    assert "does not say" in told("18-3", FUNCTION.replace('wish["service"] + ', '"it" + '), "")
    assert "nothing can be made of" in told("18-3", 5, "")


@pytest.mark.parametrize("name", ("", "bob"))
def test_worth_it(name: str) -> None:
    case = ps.classroom.case("18-4", of=name)
    found = ps.compare((case.pipeline, case.profile), case.changes, n=10, days=2, seed=1, progress=False)
    gains = {change: found.difference(change, "lead_time").estimate / 60 for change in case.changes}
    first, second, worst = sorted(gains, key=lambda change: gains[change])

    assert first == ("room for two builds" if name == "" else "quicker deployments")
    assert "all right" in told("18-4", (first, -gains[first]), name)
    assert "another one wins more" in told("18-4", (second, -gains[second]), name)
    assert "it makes things slower" in told("18-4", (worst, -gains[worst]), name)
    assert "is not what is seen" in told("18-4", (first, gains[first]), name)
    assert "no change 'magic'" in told("18-4", ("magic", 5), name)
