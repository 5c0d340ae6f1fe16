"""Lesson 7: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada")
APPSPEC = """version: 0.0
os: linux
files: [{source: /, destination: /var/www}]
hooks:
  ValidateService: [{location: scripts/check.sh, timeout: 60}]
"""
ASKS = "#!/bin/sh\ncurl --fail http://localhost/health || exit 1\n"
BACK = {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]}


@pytest.mark.parametrize("name", NAMES)
def test_one_instance_is_down(name: str) -> None:
    case = ps.classroom.case("07-1", of=name)
    right = (case.down - 1, case.instances - case.down)

    assert "all right" in told("07-1", right, name)
    on = told("07-1", (case.instances - 1, 0), name)
    assert "if the deployment went on behind the one that is down" in on and "0 is too few" in on
    assert "0 is too few" in told("07-1", (0, case.instances - 1), name)
    assert "is too many" in told("07-1", (right[0], right[1] + 1), name)
    assert "nothing can be made of" in told("07-1", right[0], name)


@pytest.mark.parametrize("name", [*NAMES, "bob", "cleo", "dan"])
def test_a_revision_has_two_faults(name: str) -> None:
    files = ps.classroom.case("07-2", of=name).files
    elsewhere = "appspec.yml" not in files
    appspec = next(content for path, content in files.items() if path.endswith("appspec.yml"))
    misspelt = "scripts/check.sh" not in appspec
    ends_badly = "|| exit 1" not in files["scripts/check.sh"]

    assert elsewhere + misspelt + ends_badly == 2


@pytest.mark.parametrize("name", NAMES)
def test_mend_a_revision(name: str) -> None:
    files = ps.classroom.case("07-2", of=name).files
    right = {"appspec.yml": APPSPEC, "scripts/check.sh": ASKS}

    asis = told("07-2", files, name)
    assert "all right" in told("07-2", right, name)
    assert "1 of 3 right" in asis and "There may be a second fault behind it" in asis
    assert "did not find an AppSpec file" in told("07-2", {"scripts/check.sh": ASKS}, name)
    missing = told("07-2", {"appspec.yml": APPSPEC}, name)
    assert (
        "Script does not exist at specified location" in missing and "there is no scripts/check.sh any more" in missing
    )
    content = told("07-2", {**right, "scripts/check.sh": "#!/bin/sh\nexit 0\n"}, name)
    assert "does not ask any more" in content and "2 of 3 right" in content
    unhooked = APPSPEC.partition("hooks:")[0]
    assert "goes out all the same" in told("07-2", {**right, "appspec.yml": unhooked}, name)
    early = APPSPEC.replace("ValidateService", "BeforeInstall")
    assert "stopped at BeforeInstall, not at" in told("07-2", {**right, "appspec.yml": early}, name)
    assert "exit code 1" in told("07-2", {**right, "scripts/check.sh": ASKS + "exit 1\n"}, name)
    assert "nothing can be made of" in told("07-2", "appspec.yml", name)


@pytest.mark.parametrize("name", NAMES)
def test_in_place_or_blue_green(name: str) -> None:
    case = ps.classroom.case("07-3", of=name)
    config: Any = case.settings["blue_green"]["blueGreenDeploymentConfiguration"]
    wait = config["terminateBlueInstancesOnDeploymentSuccess"]["terminationWaitTimeInMinutes"]

    assert "all right" in told("07-3", ("blue_green", case.instances, wait), name)
    wrong = told("07-3", ("in_place", 0, 0), name)
    assert "instances that customers are using" in wrong and "0 of 3 right" in wrong
    assert "0 minutes is not the difference" in wrong and "0 is not what" in wrong
    assert "no way 'canary'" in told("07-3", ("canary", case.instances, wait), name)
    assert "nothing can be made of" in told("07-3", "blue_green", name)


@pytest.mark.parametrize("name", NAMES)
def test_back_when_the_alarm_rings(name: str) -> None:
    case = ps.classroom.case("07-4", of=name)
    alarms = {"enabled": True, "alarms": [{"name": case.alarm}]}

    def answer(**settings: Any) -> str:
        return told("07-4", settings, name)

    assert "all right" in answer(alarmConfiguration=alarms, autoRollbackConfiguration=BACK)
    only = answer(alarmConfiguration=alarms)
    assert "the fleet is left as it was" in only and "2 of 4 right" in only
    assert "the deployment ends as Succeeded" in answer(autoRollbackConfiguration=BACK)
    on_alarm = {**BACK, "events": ["DEPLOYMENT_STOP_ON_ALARM"]}
    late = answer(alarmConfiguration=alarms, autoRollbackConfiguration=on_alarm)
    assert "nobody takes it back" in late and "3 of 4 right" in late
    other = {"enabled": True, "alarms": [{"name": "others"}]}
    assert f"the alarm {case.alarm} rings" in answer(alarmConfiguration=other, autoRollbackConfiguration=BACK)
    off = answer(alarmConfiguration={**alarms, "enabled": False}, autoRollbackConfiguration=BACK)
    assert "the deployment ends as Succeeded" in off
    assert "nothing can be made of" in answer(alarms=[case.alarm])


def test_a_cloud_that_is_still_open_is_told() -> None:
    with ps.Cloud(actions="assumed"):
        assert "another cloud is open" in told("07-1", (1, 2))
