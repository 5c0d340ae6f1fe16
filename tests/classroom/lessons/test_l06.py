"""Lesson 6: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

from itertools import combinations

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada")


@pytest.mark.parametrize("name", NAMES)
def test_the_phones(name: str) -> None:
    case = ps.classroom.case("06-1", of=name)
    passing, minute = 4 - len(case.broken), case.minutes["Load"]

    assert "all right" in told("06-1", (passing, minute, "Failed"), name)
    wrong = told("06-1", (0, case.minutes["DeviceFarm"], "Succeeded"), name)
    assert "does not spoil the others" in wrong
    assert "the other action is still running" in wrong
    assert "would mean that the change goes on" in wrong
    assert "too long" in told("06-1", (4, 2 * minute, "Failed"), name)
    assert "nothing can be made of" in told("06-1", "Failed", name)


@pytest.mark.parametrize("name", NAMES)
def test_the_thresholds(name: str) -> None:
    case = ps.classroom.case("06-2", of=name)
    mode = {"InspectorRunMode": "SourceCodeScan"}
    right = {**mode, "CriticalThreshold": "0", "HighThreshold": "1" if "at most one" in case.rule else "0"}

    assert "all right" in told("06-2", right, name)
    assert "it passes: critical" in told("06-2", mode, name)
    strict = told("06-2", {**mode, "MediumThreshold": "0", "HighThreshold": "0"}, name)
    assert "✗ not yet  what may pass passes: the scan says: Vulnerability thresholds exceeded" in strict
    assert "the configuration is wrong" in told("06-2", {**mode, "HighThreshold": "few"}, name)
    assert "nothing can be made of" in told("06-2", 7, name)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_worth_its_time(name: str) -> None:
    case = ps.classroom.case("06-3", of=name)
    found = {}
    for names in (one for many in (1, 2, 3) for one in combinations(case.minutes, many)):
        if sum(case.minutes[one] for one in names) + 1 < case.limit:
            pipeline, profile = case.choose(*names)
            trace = ps.simulate(pipeline, profile, seed=1, executions=case.changes)
            found[names] = int((ps.executions_table(trace)["status"] == "Failed").sum())
    best, worst = max(found, key=found.__getitem__), min(found, key=found.__getitem__)

    assert "all right" in told("06-3", (best, found[best]), name)
    assert "stops more" in told("06-3", (worst, found[worst]), name)
    assert "is not what the simulation says" in told("06-3", (best, found[best] + 4), name)
    assert "are allowed" in told("06-3", (tuple(case.minutes), 70), name)
    assert "no test Smoke" in told("06-3", (["Smoke"], 7), name)
