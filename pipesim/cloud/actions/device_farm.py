"""Device Farm: the app and its tests are uploaded, and a run goes over every device of the pool.

The tests are not executed. A device fails when the action is assumed to fail; then seeded luck picks one device. A
learner says which ones with the variable ``FailingDevices`` of the action's assumptions: names, separated by commas.
Source: AWS CodePipeline User Guide, "AWS Device Farm test action reference".
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import Archive, read
from pipesim.cloud.gaps.devicefarm.models import Run, devicefarm_backends
from pipesim.cloud.permissions import role_client, session_of
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

REGION = "us-west-2"
"""The only region that has phones."""

FAILING = "FailingDevices"
APPS = {"android": "ANDROID_APP", "ios": "IOS_APP", "web": "WEB_APP"}
BUILT_IN = ("BUILTIN_FUZZ", "BUILTIN_EXPLORER")
CONFIGURED = {
    "FuzzEventCount": "event_count",
    "FuzzEventThrottle": "throttle",
    "FuzzRandomizerSeed": "seed",
}


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Upload, schedule, wait, and look at every device."""
    farm = role_client(account, run, "devicefarm", REGION)
    project = _project(farm, run)
    archive = read(account, run, run.plan.action.input_artifacts[0])
    arn = _schedule(farm, run, project, archive)
    record = _record(account, run, arn)
    record.begin()
    duration, fails = draw(run)
    minutes = 60.0 * int(run.configuration.get("JobTimeoutMinutes", 0))
    limit = min(run.plan.timeout, minutes or run.plan.timeout)
    yield run.sim.env.timeout(min(duration, limit))
    broken = _broken(run, record, fails)
    if duration > limit:
        broken = {job["device"]["name"]: f"The job did not end within {limit / 60:g} minutes" for job in record.jobs}
    record.end(broken)
    told = farm.get_run(arn=arn)["run"]
    return _ended(run, arn, told, record)


def _project(farm: Any, run: ActionRun) -> str:
    """The ARN of the project; the pool must be one of its own."""
    wanted = run.configuration["ProjectId"]
    listed = [one["arn"] for page in farm.get_paginator("list_projects").paginate() for one in page["projects"]]
    arn = next((one for one in listed if one == wanted or one.rsplit(":", 1)[-1] == wanted), None)
    if arn is None:
        raise ActionFailed(f"The Device Farm project {wanted} does not exist.", FailureType.CONFIGURATION_ERROR)
    pool = run.configuration["DevicePoolArn"]
    pools = [
        one["arn"] for page in farm.get_paginator("list_device_pools").paginate(arn=arn) for one in page["devicePools"]
    ]
    if pool not in pools:
        raise ActionFailed(f"The device pool {pool} is none of project {wanted}.", FailureType.CONFIGURATION_ERROR)
    return str(arn)


def _schedule(farm: Any, run: ActionRun, project: str, archive: Archive) -> str:
    """Upload what the run needs, and plan it; return its ARN."""
    configuration = run.configuration
    kind = configuration["TestType"].upper()
    test: dict[str, Any] = {"type": kind}
    parameters = {name: configuration[key] for key, name in CONFIGURED.items() if key in configuration}
    if parameters:
        test["parameters"] = parameters
    given: dict[str, Any] = {}
    if app := configuration.get("App"):
        type = APPS.get(configuration["AppType"].lower(), "ANDROID_APP")
        given["appArn"] = _upload(farm, project, archive, app, type)
    if kind not in BUILT_IN:
        package = configuration.get("Test")
        if not package:
            raise ActionFailed(f"A run of type {kind} needs Test.", FailureType.CONFIGURATION_ERROR)
        test["testPackageArn"] = _upload(farm, project, archive, package, f"{kind}_TEST_PACKAGE")
    if minutes := configuration.get("JobTimeoutMinutes"):
        given["executionConfiguration"] = {"jobTimeoutMinutes": int(minutes)}
    return str(
        farm.schedule_run(
            projectArn=project,
            devicePoolArn=configuration["DevicePoolArn"],
            name=f"{run.sim.plan.pipeline.name}-{run.id}",
            test=test,
            **given,
        )["run"]["arn"]
    )


def _upload(farm: Any, project: str, archive: Archive, path: str, type: str) -> str:
    if archive.read(path) is None:
        raise ActionFailed(f"The input artifact has no file '{path}'.", FailureType.CONFIGURATION_ERROR)
    arn = farm.create_upload(projectArn=project, name=path.rsplit("/", 1)[-1], type=type)["upload"]["arn"]
    status = farm.get_upload(arn=arn)["upload"]["status"]
    if status != "SUCCEEDED":
        raise ActionFailed(f"The upload of '{path}' ended with status {status}.")
    return str(arn)


def _record(account: Account, run: ActionRun, arn: str) -> Run:
    backend = devicefarm_backends[session_of(account, run).account][REGION]
    return next(one.runs[arn] for one in backend.projects.values() if arn in one.runs)


def _broken(run: ActionRun, record: Run, fails: bool) -> dict[str, str]:
    """What goes wrong, by device."""
    assumed = run.plan.assumption
    if not fails:
        return {}
    names = [job["device"]["name"] for job in record.jobs]
    chosen = [name.strip() for name in assumed.variables.get(FAILING, "").split(",") if name.strip() in names]
    if not chosen:
        chosen = [names[(run.execution.number + run.attempt) % len(names)]]
    return dict.fromkeys(chosen, assumed.message or "A test failed")


def _ended(run: ActionRun, arn: str, told: Mapping[str, Any], record: Run) -> Outcome:
    id = arn.rsplit("/", 1)[-1]
    project = run.configuration["ProjectId"].rsplit(":", 1)[-1]
    url = f"https://{REGION}.console.aws.amazon.com/devicefarm/home#/projects/{project}/runs/{id}"
    by_device = ", ".join(f"{job['device']['name']} {job['result']}" for job in record.jobs)
    if told["result"] != "PASSED":
        return Outcome(
            failure=FailureType(run.plan.assumption.code),
            message=f"The run ended with result {told['result']}: {by_device}.",
            external_id=id,
            external_url=url,
        )
    return Outcome(summary=by_device, external_id=id, external_url=url)
