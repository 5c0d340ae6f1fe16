"""Device Farm: one run over every device of a pool; one device that fails fails the action."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.assumptions.model import ActionAssumption
from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    go,
    lacks_and_heals,
    lasting,
    loses_its_input,
    make,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import StandIn

NEEDED = (
    "devicefarm:ListProjects", "devicefarm:ListDevicePools", "devicefarm:CreateUpload", "devicefarm:GetUpload",
    "devicefarm:ScheduleRun", "devicefarm:GetRun",
)  # fmt: skip
SOURCE = {"app/shop.apk": b"app", "tests.zip": b"tests"}
ANDROID = [{"attribute": "PLATFORM", "operator": "EQUALS", "value": '"ANDROID"'}]


def farm(account: StandIn) -> tuple[Any, str, str]:
    """A project with a pool of every Android phone and tablet."""
    source_bucket(account, pack(SOURCE))
    client = account.client("devicefarm", "us-west-2")
    project = client.create_project(name="shop")["project"]["arn"]
    pool = client.create_device_pool(projectArn=project, name="android", rules=ANDROID)["devicePool"]["arn"]
    return client, project, pool


def check(project: str, pool: str, **configuration: str) -> dict[str, Any]:
    given = {
        "ProjectId": project.rsplit(":", 1)[-1], "DevicePoolArn": pool, "AppType": "Android", "App": "app/shop.apk",
        "TestType": "APPIUM_PYTHON", "Test": "tests.zip", **configuration,
    }  # fmt: skip
    return action("Test", "DeviceFarm", configuration=given, inputArtifacts=[{"name": "Code"}])


@pytest.mark.provider("Test/DeviceFarm", "success")
def test_a_run_goes_over_every_device(account: StandIn) -> None:
    client, project, pool = farm(account)
    sim = make(account, check(project, pool), Do=lasting(600))

    execution = go(account, sim, 300)
    [running] = client.list_runs(arn=project)["runs"]
    account.advance(600)
    [ended] = client.list_runs(arn=project)["runs"]

    assert (running["status"], running["result"]) == ("RUNNING", "PENDING")
    assert (ended["status"], ended["result"], status(sim, execution)) == ("COMPLETED", "PASSED", "Succeeded")
    assert (ended["totalJobs"], ended["completedJobs"], ended["counters"]["passed"]) == (4, 4, 12)
    assert (ended["stopped"] - ended["started"]).total_seconds() == 600
    jobs = client.list_jobs(arn=ended["arn"])["jobs"]
    assert [job["device"]["platform"] for job in jobs] == ["ANDROID"] * 4
    uploads = {one["type"]: one["name"] for one in client.list_uploads(arn=project)["uploads"]}
    assert uploads == {"ANDROID_APP": "shop.apk", "APPIUM_PYTHON_TEST_PACKAGE": "tests.zip"}
    assert ending(sim).external_url.endswith(f"/runs/{ending(sim).external_id}")
    assert ending(sim).summary.startswith("Google Pixel 6 PASSED, ")


@pytest.mark.provider("Test/DeviceFarm", "failure")
def test_one_device_that_fails_fails_the_action(account: StandIn) -> None:
    client, project, pool = farm(account)
    broken = ActionAssumption(
        fails_on=(1,), message="Login button not found", variables={"FailingDevices": "Samsung Galaxy S22"}
    )
    sim = make(account, check(project, pool), Do=broken)

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "Samsung Galaxy S22 FAILED" in ending(sim).message and "Google Pixel 8 PASSED" in ending(sim).message
    [run] = client.list_runs(arn=project)["runs"]
    results = {job["name"]: (job["result"], job["message"]) for job in client.list_jobs(arn=run["arn"])["jobs"]}
    assert (run["result"], run["counters"]["failed"]) == ("FAILED", 1)
    assert results["Samsung Galaxy S22"] == ("FAILED", "Login button not found")
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Test/DeviceFarm", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    _, project, pool = farm(account)
    sim = make(account, check(project, pool))
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Test/DeviceFarm", "input")
def test_a_missing_input(account: StandIn) -> None:
    _, project, pool = farm(account)
    sim = make(account, check(project, pool, App="other.apk"))

    execution = go(account, sim)

    assert (ending(sim).code, ending(sim).message) == (
        "ConfigurationError",
        "The input artifact has no file 'other.apk'.",
    )
    loses_its_input(account, sim, execution)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"ProjectId": "none"}, "The Device Farm project none does not exist."),
        ({"DevicePoolArn": "none"}, "The device pool none is none of project"),
        ({"Test": ""}, "A run of type APPIUM_PYTHON needs Test."),
    ],
)
def test_a_wrong_configuration(account: StandIn, configuration: dict[str, str], message: str) -> None:
    _, project, pool = farm(account)
    declared = check(project, pool, **configuration)
    declared["configuration"] = {key: value for key, value in declared["configuration"].items() if value}
    sim = make(account, declared)

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert ending(sim).message.startswith(message)


def test_a_job_that_takes_too_long(account: StandIn) -> None:
    client, project, pool = farm(account)
    sim = make(account, check(project, pool, TestType="BUILTIN_FUZZ", JobTimeoutMinutes="5"), Do=lasting(900))

    go(account, sim, 310)

    assert ending(sim).code == "JobFailed"
    [run] = client.list_runs(arn=project)["runs"]
    assert {job["message"] for job in client.list_jobs(arn=run["arn"])["jobs"]} == {
        "The job did not end within 5 minutes"
    }


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "names"),
    [
        ("OS_VERSION", "GREATER_THAN", "15.4", {"Apple iPhone 15", "Apple iPad Air"}),
        ("FORM_FACTOR", "IN", ["TABLET"], {"Samsung Galaxy Tab S8", "Apple iPad Air"}),
        ("MODEL", "CONTAINS", "Pixel", {"Google Pixel 6", "Google Pixel 8"}),
    ],
)
def test_pools_have_rules(account: StandIn, attribute: str, operator: str, value: Any, names: set[str]) -> None:
    client, project, _ = farm(account)
    rules = [{"attribute": attribute, "operator": operator, "value": json.dumps(value)}]
    pool = client.create_device_pool(projectArn=project, name="some", rules=rules)["devicePool"]["arn"]

    run = client.schedule_run(projectArn=project, devicePoolArn=pool, test={"type": "BUILTIN_FUZZ"})["run"]

    assert {job["name"] for job in client.list_jobs(arn=run["arn"])["jobs"]} == names
    assert client.get_run(arn=run["arn"])["run"]["result"] == "PASSED"


def test_a_pool_without_devices_is_refused(account: StandIn) -> None:
    client, project, _ = farm(account)
    rules = [{"attribute": "MANUFACTURER", "operator": "EQUALS", "value": '"Nokia"'}]

    with pytest.raises(ClientError, match="No device obeys the rules"):
        client.create_device_pool(projectArn=project, name="none", rules=rules)
