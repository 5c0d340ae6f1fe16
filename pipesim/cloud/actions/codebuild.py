"""CodeBuild: a build is started under the pipeline's role and runs under its project's.

What really happens on the account: the project is looked up, the build appears with its phases, the
project's role reads the inputs, writes logs and outputs. The buildspec is read and its commands are not
executed: how long they take and whether they fail is assumed (`ActionAssumption.fails`, ``fails_on``).
Source: AWS CodePipeline User Guide, "AWS CodeBuild build and test action reference".
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import simpy
from moto.codebuild.models import codebuild_backends

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.artifacts import read_all, store_of
from pipesim.cloud.build_reports import report
from pipesim.cloud.builds import BuildFailed, Workshop
from pipesim.cloud.gaps.codebuild.models import PHASES, PIPELINE, RunningBuild
from pipesim.cloud.permissions import role_client, session_of
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.trace.events import EventKind
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

OVERRIDES = {"buildspecOverride": "BuildspecOverride", "serviceRoleOverride": "ServiceRoleArnOverride"}
MINUTES = 60
DEFAULT_TIMEOUT = 60


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Start the build, wait for a place, let it run, and hand on what it made; a batch is several builds."""
    if run.configuration.get("BatchEnabled", "").lower() == "true":
        from pipesim.cloud.actions.codebuild_batch import act_batch

        return (yield from act_batch(account, run))
    read_all(account, run)
    place = run.sim.pools.get(run.plan.pool)
    if place is not None and place.fails_when_full and place.is_full:
        raise ActionFailed(
            f"Error calling startBuild: Cannot have more than {place.capacity} builds in queue for the account"
            " (Service: AWSCodeBuild; Error Code: AccountLimitExceededException)"
        )
    stopped = run.sim.env.event()
    shop = _start(account, run)
    build = RunningBuild(shop.record, lambda: account.now, draw(run)[0], stopped.succeed)
    with place.request() if place is not None else nullcontext() as request:
        if request is not None and not request.triggered:
            run.emit(EventKind.ACTION_WAITING, pool=run.plan.pool)
            yield request | stopped
            if not run.ended and request.triggered:
                run.emit(EventKind.ACTION_WORKING, pool=run.plan.pool)
        if not stopped.triggered:
            build.begin()
            duration, status, failed = foresee(shop)
            yield run.sim.env.timeout(duration) | stopped
        if stopped.triggered:
            status, failed = "STOPPED", None
        return _end(shop, build, status, failed)


def _start(account: Account, run: ActionRun) -> Workshop:
    """Start the build under the action's role and write into moto's record what a pipeline's build is."""
    given = variables_given(run.configuration)
    build = role_client(account, run, "codebuild").start_build(**start_parameters(account, run, given))["build"]
    return workshop(account, run, build["id"], given)


def primary_of(run: ActionRun) -> str:
    """The input artifact that is the source.

    Raises:
        ActionFailed: the configuration names another.
    """
    action = run.plan.action
    primary = run.configuration.get("PrimarySource") or action.input_artifacts[0]
    if primary not in action.input_artifacts:
        raise ActionFailed(
            f"PrimarySource '{primary}' is not an input artifact of action '{action.name}'"
            f" ({', '.join(action.input_artifacts)}).",
            FailureType.CONFIGURATION_ERROR,
        )
    return primary


def start_parameters(account: Account, run: ActionRun, given: list[dict[str, str]]) -> dict[str, Any]:
    """What StartBuild and StartBuildBatch are told.

    Args:
        account: the mocked account.
        run: the action.
        given: environment variables.
    """
    configuration = run.configuration
    return {
        "projectName": configuration["ProjectName"],
        "sourceVersion": (f"arn:aws:s3:::{store_of(account, run).location}/{run.execution.artifacts[primary_of(run)]}"),
        "artifactsOverride": {"type": "CODEPIPELINE"},
        "environmentVariablesOverride": given,
        **{key: configuration[name] for key, name in OVERRIDES.items() if name in configuration},
    }


def workshop(account: Account, run: ActionRun, build_id: str, given: list[dict[str, str]]) -> Workshop:
    """Return the workshop of a build that was started.

    Args:
        account: the mocked account.
        run: the action that it works for.
        build_id: the build.
        given: its environment variables.
    """
    region = run.plan.action.region or account.region
    backend = codebuild_backends[session_of(account, run).account][region]
    name = build_id.rsplit(":", 1)[0]
    project = backend.codebuild_projects[name].project_metadata
    record = next(one for one in reversed(backend.build_metadata_history[name]) if one["id"] == build_id)
    _describe(account, run, project, record, given)
    record["buildNumber"] = len(backend.build_history[name])
    return Workshop(account, run, project, record, primary_of(run), given, region)


def _describe(
    account: Account, run: ActionRun, project: Mapping[str, Any], record: dict[str, Any], given: list[dict[str, str]]
) -> None:
    group = (
        project.get("logsConfig", {}).get("cloudWatchLogs", {}).get("groupName") or f"/aws/codebuild/{project['name']}"
    )
    stream = record["id"].rsplit(":", 1)[1]
    place = ":".join(project["arn"].split(":")[3:5])
    environment = dict(project["environment"])
    environment["environmentVariables"] = [*environment.get("environmentVariables", []), *given]
    record.update(
        initiator=f"{PIPELINE}{run.sim.plan.pipeline.name}",
        source={"type": "CODEPIPELINE", "buildspec": project["source"].get("buildspec", "")},
        secondarySources=[
            {"type": "CODEPIPELINE", "sourceIdentifier": name}
            for name in run.plan.action.input_artifacts
            if name != primary_of(run)
        ],
        artifacts={"location": f"arn:aws:s3:::{store_of(account, run).location}"},
        environment=environment,
        serviceRole=run.configuration.get("ServiceRoleArnOverride", project["serviceRole"]),
        timeoutInMinutes=project.get("timeoutInMinutes") or DEFAULT_TIMEOUT,
        exportedEnvironmentVariables=[],
        logs={
            "groupName": group,
            "streamName": stream,
            "cloudWatchLogsArn": f"arn:aws:logs:{place}:log-group:{group}:log-stream:{stream}",
            "cloudWatchLogs": {"status": "ENABLED"},
            "s3Logs": {"status": "DISABLED", "encryptionDisabled": False},
        },
    )
    revisions = run.execution.source_revisions.values()
    if resolved := next((revision["id"] for revision in revisions), None):
        record["resolvedSourceVersion"] = resolved


def foresee(shop: Workshop, *, fails: bool | None = None) -> tuple[float, str, BuildFailed | None]:
    """Let the build prepare itself; return how long it goes on, its status then, and what stopped it early.

    Args:
        shop: the build.
        fails: whether it is assumed to fail; None: as is drawn for the action.
    """
    duration, drawn = draw(shop.run)
    limit = min(shop.run.plan.timeout, float(MINUTES * shop.record["timeoutInMinutes"]))
    try:
        shop.prepare()
    except BuildFailed as failed:
        names = list(PHASES)
        share = sum(PHASES[name] for name in names[: names.index(failed.phase) + 1])
        return duration * share, "FAILED", failed
    if duration > limit:
        return limit, "TIMED_OUT", None
    return duration, "FAILED" if (drawn if fails is None else fails) else "SUCCEEDED", None


def close(shop: Workshop, build: RunningBuild, status: str, failed: BuildFailed | None) -> tuple[str, Outcome | None]:
    """End one build; return its status, and how its action ends when the build did not succeed.

    Args:
        shop: the build at work.
        build: the build as it is told.
        status: what became of it, as far as was foreseen.
        failed: what stopped it early; None: nothing.
    """
    assumed = shop.run.plan.assumption
    code, message = FailureType.JOB_FAILED, ""
    try:
        if status == "SUCCEEDED":
            shop.work()
        elif status == "TIMED_OUT":
            failed = BuildFailed("BUILD", "BUILD_TIMED_OUT", "Build has timed out.")
        elif status == "FAILED" and failed is None:
            failed = shop.break_down(assumed.message)
            code, message = FailureType(assumed.code), assumed.message
    except BuildFailed as reason:
        status, failed = "FAILED", reason
    report(shop, status == "SUCCEEDED")
    starts = build.end(status, failed.phase if failed else None, str(failed or ""), failed.code if failed else "")
    shop.write_log(starts, failed)
    if status == "SUCCEEDED":
        exported = shop.exported()
        variables = [{"name": name, "value": value} for name, value in exported.items()]
        shop.record["exportedEnvironmentVariables"] = variables
        return status, None
    why = f" Phase: {failed.phase}, Code: {failed.code}, Message: {failed}" if failed else ""
    return status, Outcome(failure=code, message=message or f"Build terminated with state: {status}.{why}")


def _end(shop: Workshop, build: RunningBuild, status: str, failed: BuildFailed | None) -> Outcome:
    """End the build, and say how the action ends."""
    status, failure = close(shop, build, status, failed)
    id = shop.record["id"]
    url = f"https://console.aws.amazon.com/codebuild/home?region={shop.region}#/builds/{id}/view/new"
    role_client(shop.account, shop.run, "codebuild").batch_get_builds(ids=[id])
    if failure is not None:
        return replace(failure, external_id=id, external_url=url)
    return Outcome(external_id=id, external_url=url, variables=shop.exported(), outputs=shop.outputs)


def variables_given(configuration: Mapping[str, str]) -> list[dict[str, str]]:
    """The environment variables that the action gives its build.

    Args:
        configuration: of the action.

    Raises:
        ActionFailed: they are not written as the service wants them.
    """
    text = configuration.get("EnvironmentVariables")
    if not text:
        return []
    try:
        given = json.loads(text)
        return [
            {"name": str(one["name"]), "value": str(one["value"]), "type": str(one.get("type", "PLAINTEXT"))}
            for one in given
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ActionFailed(
            "The value of EnvironmentVariables is not a JSON list of variables such as"
            ' [{"name": "STAGE", "value": "test", "type": "PLAINTEXT"}].',
            FailureType.CONFIGURATION_ERROR,
        ) from None
