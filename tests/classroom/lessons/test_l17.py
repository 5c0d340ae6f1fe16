"""Lesson 17: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan", "eve")


@pytest.mark.parametrize("name", NAMES)
def test_two_calendars(name: str) -> None:
    case = ps.classroom.case("17-1", of=name)
    trace = ps.simulate(case.pipeline, case.profile, seed=1)
    truth = ps.executions_table(trace)["lead_time_s"][0] / 3600
    actions = trace.pipeline.actions()
    waits = {action.name: ps.Approver(response=ps.Constant(0.0)) for _, action in actions if action.is_approval}
    quick = ps.Assumptions(actions=case.profile.actions, approvals=waits)
    work = ps.executions_table(ps.simulate(case.pipeline, quick, seed=1, executions=1))["lead_time_s"][0] / 3600
    day_and_night = work + case.manager_hours + case.executive_hours

    assert truth > 20
    assert "all right" in told("17-1", truth, name)
    assert "all right" in told("17-1", f"{truth:.1f}", name)
    assert "worked day and night" in told("17-1", day_and_night, name)
    assert "minutes or seconds" in told("17-1", truth * 60, name)
    assert "too long" in told("17-1", truth + 3, name)
    assert "when is the executive in the office" in told("17-1", 1, name)
    assert "ValueError" in told("17-1", "tomorrow", name)


@pytest.mark.parametrize("name", NAMES)
def test_the_jam(name: str) -> None:
    table = ps.measures_table(ps.classroom.case("17-2", of=name).trace)
    shares = table[table["measure"] == "stage_utilisation"].set_index("of")["value"].sort_values()
    stage, share = shares.index[-1], 100 * shares.iloc[-1]

    assert shares.iloc[-1] > 1.2 * shares.iloc[-2]
    assert "all right" in told("17-2", (stage, share), name)
    assert "a share of one" in told("17-2", (stage, share / 100), name)
    assert "1 of 2 right" in told("17-2", (stage, share + 5), name)
    wrong = told("17-2", (shares.index[-2], shares.iloc[-2]), name)
    assert "another stage is fuller" in wrong and "0 of 2 right" in wrong
    assert "no stage 'Founder'" in told("17-2", ("Founder", 3), name)
    assert "ValueError" in told("17-2", stage, name)


def test_the_jams_differ_between_learners() -> None:
    jams = set()
    for name in NAMES:
        table = ps.measures_table(ps.classroom.case("17-2", of=name).trace)
        jams.add(table[table["measure"] == "stage_utilisation"].set_index("of")["value"].idxmax())

    assert len(jams) > 1


def enterprise() -> dict[str, Any]:
    document: dict[str, Any] = ps.load(ps.sample("enterprise")).to_document()
    return document


def changed(edit: Any) -> dict[str, Any]:
    """The sound pipeline with one thing done to it."""
    document = enterprise()
    edit({stage["name"]: stage for stage in document["stages"]}, document["stages"])
    return document


def beside(stages: Mapping[str, Any], order: list[Any]) -> None:
    stages["Production"]["actions"][1]["runOrder"] = 1


def late(stages: Mapping[str, Any], order: list[Any]) -> None:
    order.insert(order.index(stages["IntegrationTest"]) - 1, order.pop(order.index(stages["Development"])))
    order.insert(order.index(stages["Development"]) + 1, order.pop(order.index(stages["SecurityTest"])))


def early(stages: Mapping[str, Any], order: list[Any]) -> None:
    order.insert(order.index(stages["Approval"]), order.pop(order.index(stages["Staging"])))


def rebuilt(stages: Mapping[str, Any], order: list[Any]) -> None:
    again = stages["Build"]["actions"][0] | {"name": "Again", "outputArtifacts": [{"name": "Again"}]}
    stages["LoadTest"]["actions"].append(again)
    stages["Production"]["actions"][1]["inputArtifacts"] = [{"name": "Again"}]


def test_findings() -> None:
    assert "all right" in told("17-3", enterprise())
    assert "Executive says no, and yet it is deployed to production" in told("17-3", changed(beside))
    assert "although the scan fails, the change is deployed to development" in told("17-3", changed(late))
    assert "ReleaseManager says no, and yet it is deployed to staging" in told("17-3", changed(early))
    assert "2 different packages are deployed" in told("17-3", changed(rebuilt))
    short = told("17-3", changed(lambda stages, order: order.remove(stages["Staging"])))
    assert "deployed to development, production only" in short
    gone = changed(lambda stages, order: order.remove(stages["Approval"]))
    assert "ReleaseManager is not in it any more" in told("17-3", gone)
    assert "no pipeline" in told("17-3", 12)


@pytest.mark.parametrize("name", NAMES)
def test_each_learner_has_two_findings(name: str) -> None:
    declaration = ps.classroom.case("17-3", of=name).declaration

    assert ps.check(declaration) == ()
    assert "4 of 6 right" in told("17-3", declaration, name)
    assert "all right" in told("17-3", enterprise(), name)


@pytest.mark.parametrize("name", NAMES[:4])
def test_still_allowed(name: str) -> None:
    case = ps.classroom.case("17-4", of=name)
    compared = ps.compare((case.pipeline, case.profile), case.changes, n=60, days=20, seed=1, progress=False)
    gains = {one: -compared.difference(one, "lead_time").estimate / 3600 for one in case.changes}
    allowed = sorted((one for one in gains if one != "no executive"), key=lambda one: float(gains[one]))
    best, worst = allowed[-1], allowed[0]

    assert "all right" in told("17-4", (best, gains[best]), name)
    assert "2 of 3 right" in told("17-4", (best, gains[best] * 60), name)
    assert "another one that is allowed wins more" in told("17-4", (worst, gains[worst]), name)
    forbidden = told("17-4", ("no executive", gains["no executive"]), name)
    assert "leaving out an approval" in forbidden and "0 of 3 right" in forbidden
    assert "no change 'a raise'" in told("17-4", ("a raise", 1), name)
    assert "ValueError" in told("17-4", best, name)
