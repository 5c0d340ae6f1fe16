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


def template(bucket: str, output: str, tag: str = "") -> str:
    tags = f", Tags: [{{Key: team, Value: {tag}}}]" if tag else ""
    return f"""Resources:
  Bucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {bucket}{tags}}}}}
Outputs:
  {output}: {{Value: !Ref Bucket}}
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_stack_then_a_place_to_run(name: str) -> None:
    case = ps.classroom.case("07-5", of=name)
    [hook] = [path for path in case.files if path.startswith(".platform")]
    right = {**case.files, hook: ASKS, "template.yaml": template(case.bucket, case.output, case.team)}

    assert "all right" in told("07-5", right, name)
    untouched = told("07-5", case.files, name)
    assert "File [template.yaml] does not exist" in untouched and "1 of 5 right" in untouched
    sick = told("07-5", {**right, hook: case.files[hook]}, name)
    assert f"Command {hook} failed" in sick and "4 of 5 right" in sick
    blind = told("07-5", {**right, hook: "#!/bin/sh\n"}, name)
    assert "no hook asks the application any more" in blind and "4 of 5 right" in blind


def test_a_stack_that_is_not_as_wanted() -> None:
    case = ps.classroom.case("07-5")
    [hook] = [path for path in case.files if path.startswith(".platform")]

    def answer(text: str) -> str:
        return told("07-5", {**case.files, hook: ASKS, "template.yaml": text})

    assert "its tag team says nothing" in answer(template(case.bucket, case.output))
    assert "its tag team says nobody" in answer(template(case.bucket, case.output, "nobody"))
    assert f"made no bucket that is called {case.bucket}" in answer(template("shop-other", case.output))
    assert "the stack puts out {'Other': " in answer(template(case.bucket, "Other"))
    assert "is neither JSON nor YAML" in answer("Resources: [")
    assert "nothing can be made of" in told("07-5", "template.yaml")
    assert "nothing is answered yet" in told("07-5", {})


def test_a_cloud_that_is_still_open_is_told() -> None:
    with ps.Cloud(actions="assumed"):
        assert "another cloud is open" in told("07-1", (1, 2))
