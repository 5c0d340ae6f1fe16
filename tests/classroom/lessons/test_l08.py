"""Lesson 8: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import json
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada")
HEAD = """import boto3


def handler(event, context):
    job = event["CodePipeline.job"]
    codepipeline = boto3.client("codepipeline")
"""
FREEZE = (
    HEAD
    + """    word = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    details = {{"type": "JobFailed", "message": {message}}}
    if word == "{forbidden}":
        {refuse}
    codepipeline.put_job_success_result(jobId=job["id"], outputVariables={{"{variable}": word}})
"""
)
REFUSE = 'return codepipeline.put_job_failure_result(jobId=job["id"], failureDetails=details)'
ROUNDS = (
    HEAD
    + """    number = 1 + int(job["data"].get("continuationToken", "0"))
    more = {{"continuationToken": str(number)}} if number < {rounds} else {{}}
    codepipeline.put_job_success_result(jobId=job["id"], **more)
"""
)


@pytest.mark.parametrize("name", NAMES)
def test_nobody(name: str) -> None:
    case = ps.classroom.case("08-1", of=name)
    silent = "statusCode" in case.code
    calls = 1 if silent else 3

    assert "all right" in told("08-1", (calls, 20), name)
    wrong = told("08-1", (4 - calls, 0), name)
    assert "is not what its log says" in wrong and "told to nobody" in wrong
    assert "too long" in told("08-1", (calls, 1440), name)
    assert "nothing can be made of" in told("08-1", "never", name)


def test_both_kinds_of_silence_occur() -> None:
    codes = {ps.classroom.case("08-1", of=name).code for name in ("", "ada", "bob", "cleo", "dan", "eve")}

    assert len(codes) == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_freeze(name: str) -> None:
    case = ps.classroom.case("08-2", of=name)
    given = {"forbidden": case.forbidden, "variable": case.variable, "refuse": REFUSE, "message": "word"}

    assert "all right" in told("08-2", FREEZE.format(**given), name)
    assert "it hands on {" in told("08-2", FREEZE.format(**{**given, "variable": "Other"}), name)
    raising = told("08-2", FREEZE.format(**{**given, "refuse": "raise ValueError(word)"}), name)
    assert "after 20 minutes: it waited for a report" in raising
    assert "the action is Succeeded" in told("08-2", FREEZE.format(**{**given, "forbidden": "x"}), name)
    assert "the history says: 'no'" not in told("08-2", FREEZE.format(**{**given, "message": "'no'"}), name)
    assert "3 of 4 right" in told("08-2", FREEZE.format(**{**given, "message": "'no'"}), name)
    assert "the function's log says: [ERROR] SyntaxError" in told("08-2", "def handler(event, context)", name)
    assert "was not answered within its limit" in told("08-2", "def handler(event, context):\n    return True\n", name)
    assert "the text of a Python file" in told("08-2", print, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_rounds(name: str) -> None:
    case = ps.classroom.case("08-3", of=name)

    assert "all right" in told("08-3", ROUNDS.format(rounds=case.rounds), name)
    assert f"not {case.rounds}" in told("08-3", ROUNDS.format(rounds=case.rounds + 1), name)
    assert "for ever" in told("08-3", ROUNDS.format(rounds=10**6), name)
    broken = ROUNDS.format(rounds=case.rounds).replace('.get("continuationToken", "0")', '["continuationToken"]')
    assert "the function's log says: [ERROR] KeyError" in told("08-3", broken, name)


def machine(minutes: int, limit: int, word: str, **other: Any) -> dict[str, Any]:
    """A right definition, in which single states are made otherwise."""
    busy = {"Variable": "$.traffic", "NumericGreaterThan": limit, "Next": "Stop"}
    states = {
        "Rest": {"Type": "Wait", "Seconds": 60 * minutes, "Next": "Look"},
        "Look": {"Type": "Choice", "Choices": [busy], "Default": "Go"},
        "Stop": {"Type": "Fail", "Error": "Closed", "Cause": f"the shop is {word}"},
        "Go": {"Type": "Succeed"},
    }
    return {"StartAt": "Rest", "States": {**states, **other}}


@pytest.mark.parametrize("name", NAMES)
def test_the_gate(name: str) -> None:
    case = ps.classroom.case("08-4", of=name)
    given = (case.minutes, case.limit, case.word)

    assert "all right" in told("08-4", machine(*given), name)
    assert "all right" in told("08-4", json.dumps(machine(*given)), name)
    assert "says: Closed: the shop is shut" in told("08-4", machine(case.minutes, case.limit, "shut"), name)
    assert "and the machine stops for them" in told("08-4", machine(case.minutes, case.limit - 1, case.word), name)
    assert "the action is Succeeded" in told("08-4", machine(case.minutes, case.limit + 5, case.word), name)
    assert "which is too short" in told("08-4", machine(case.minutes // 5, case.limit, case.word), name)
    assert "which is too long" in told("08-4", machine(2 * case.minutes, case.limit, case.word), name)


@pytest.mark.parametrize("name", NAMES)
def test_a_gate_that_looks_too_early(name: str) -> None:
    case = ps.classroom.case("08-4", of=name)
    right = machine(case.minutes, case.limit, case.word)
    right["StartAt"], right["States"]["Look"]["Default"] = "Look", "Rest"
    right["States"]["Rest"]["Next"] = "Go"

    said = told("08-4", right, name)

    assert "it looks before it has rested" in said and "4 of 5 right" in said


def test_a_gate_that_is_none() -> None:
    case = ps.classroom.case("08-4", of="")
    given = (case.minutes, case.limit, case.word)

    assert "it is no JSON" in told("08-4", "{'StartAt': 'Rest'}")
    assert "Step Functions refuses it" in told("08-4", {"StartAt": "Rest", "States": {}})
    lost = told("08-4", {**machine(*given), "StartAt": "Nap"})
    assert "1 of 5 right" in lost and "States.Runtime" in lost and "because the machine breaks" in lost
    astray = machine(*given, Look={"Type": "Succeed"})
    assert f"with {case.limit + 1} customers the action is Succeeded" in told("08-4", astray)
    assert "a definition is a dictionary, or text" in told("08-4", 5)
    assert "nothing is answered yet" in told("08-4", ...)
