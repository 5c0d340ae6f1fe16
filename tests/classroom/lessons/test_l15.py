"""Lesson 15: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan")


@pytest.mark.parametrize("name", NAMES)
def test_through_seven_stages(name: str) -> None:
    case = ps.classroom.case("15-1", of=name)
    took = case.minutes
    staging = took["Staging/Deploy"] + took["Staging/HealthCheck"]
    built = took["Build/Backend"] + took["Build/Package"]
    asked = built + took["Test/EndToEnd"] + staging + took["LoadTest/BlazeMeter"]
    out = asked + case.answer + took["Production/BlueGreen"] + took["Production/HealthCheck"]

    assert "all right" in told("15-1", (asked + 0.3, out + 0.8), name)
    everything = sum(length for action, length in took.items() if not action.startswith("Production"))
    assert "much of it runs side by side" in told("15-1", (everything, out), name)
    assert "needs what they have built" in told("15-1", (asked - took["Build/Package"], out), name)
    assert "if nobody had to answer" in told("15-1", (asked, out - case.answer), name)
    assert "is too early" in told("15-1", (1, out), name)
    assert "is too late" in told("15-1", (asked, out * 60), name)
    assert "nothing can be made of" in told("15-1", asked, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_bottleneck(name: str) -> None:
    case = ps.classroom.case("15-2", of=name)
    alone = {action: case.minutes[action] for action in ("LoadTest/BlazeMeter", "Production/BlueGreen")}
    alone["Staging/Deploy"] = case.minutes["Staging/Deploy"]
    best = max(alone, key=lambda action: alone[action])

    assert "all right" in told("15-2", (best, alone[best] / 2), name)
    assert "it takes longest" in told("15-2", ("Test/EndToEnd", case.minutes["Test/EndToEnd"] / 2), name)
    assert "another action wins more" in told("15-2", ("Build/UnitTests", 0), name)
    assert "is not what halving" in told("15-2", (best, alone[best]), name)
    assert "no action 'BlazeMeter'" in told("15-2", ("BlazeMeter", 5), name)
    assert "nothing can be made of" in told("15-2", 5, name)


def mended(case: Any, **stage: Any) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(case.pipeline.to_document())
    document["stages"][-1]["actions"][1]["runOrder"] = 2
    document["stages"][-1].update({"onFailure": {"result": "ROLLBACK"}, **stage})
    return document


@pytest.mark.parametrize("name", NAMES)
def test_a_sick_release(name: str) -> None:
    case = ps.classroom.case("15-3", of=name)
    assert "all right" in told("15-3", mended(case), name)
    said = told("15-3", case.pipeline, name)
    assert "while the old release still runs" in said
    assert f"{case.bad} is sick, and customers keep it" in said

    again = mended(case, onFailure={"result": "RETRY"})
    assert "customers keep it" in told("15-3", again, name)
    elsewhere = mended(case)
    del elsewhere["stages"][-1]["onFailure"]
    elsewhere["stages"][3]["onFailure"] = {"result": "ROLLBACK"}
    assert "customers keep it" in told("15-3", elsewhere, name)
    early = mended(case)
    early["stages"][-1]["actions"][1]["runOrder"] = 1
    assert "while the old release still runs" in told("15-3", early, name)
    unchecked = mended(case)
    del unchecked["stages"][-1]["actions"][1]
    assert "missing: Production/HealthCheck" in told("15-3", unchecked, name)
    assert "the service refuses it" in told("15-3", {**mended(case), "pipelineType": "V1"}, name)


@pytest.mark.parametrize("name", NAMES)
def test_three_offers(name: str) -> None:
    case = ps.classroom.case("15-4", of=name)
    found = ps.compare((case.pipeline, case.profile), case.changes, n=60, days=10, seed=1, progress=False)
    gains = {change: found.difference(change, "lead_time").estimate / 60 for change in case.changes}
    sure = {change: gain for change, gain in gains.items() if gain == gain}
    best = min(sure, key=lambda change: sure[change])
    other = next(change for change in sure if change not in (best, "a queue"))

    assert "all right" in told("15-4", (best, -gains[best]), name)
    assert "another one wins more" in told("15-4", (other, -gains[other]), name)
    queue = told("15-4", ("a queue", 5), name)
    assert any(words in queue for words in ("there is no mean lead time", "may be luck", "slower"))
    assert "is no shorter lead time" in told("15-4", (best, gains[best]), name)
    assert "is not what is seen" in told("15-4", (best, -gains[best] * 60), name)
    assert "no change 'more people'" in told("15-4", ("more people", 5), name)


def test_the_best_offer_is_not_the_same_for_everybody() -> None:
    best = set()
    for name in NAMES:
        case = ps.classroom.case("15-4", of=name)
        found = ps.compare((case.pipeline, case.profile), case.changes, n=20, days=5, seed=1, progress=False)
        gains = {change: found.difference(change, "lead_time").estimate for change in case.changes}
        best.add(min((change for change in gains if gains[change] == gains[change]), key=lambda one: gains[one]))

    assert len(best) > 1
