"""The CodeDeploy deploy, in place or blue/green: a revision is registered, a deployment made, its end awaited.

How long a deployment takes is assumed; how it goes is in `pipesim.cloud.rollout`: instance by instance, hook by hook.

Source: AWS CodePipeline User Guide, "CodeDeploy action reference"; AWS CodeDeploy User Guide, "Add an AppSpec
file to a revision".
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from moto.codedeploy.models import codedeploy_backends

from pipesim.cloud.artifacts import Archive, read, store_of
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.permissions import role_client, session_of
from pipesim.cloud.rollout import Hooks, Rollout, RolloutFailed, read_hooks
from pipesim.engine.behaviours.work import draw
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

ASSUMED = "ASSUMED"
APPSPEC = ("appspec.yml", "appspec.yaml", "appspec.json")

NO_APPSPEC = (
    "The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path"
    ' "appspec.yml".'
)


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy the input artifact."""
    artifact = run.plan.action.input_artifacts[0]
    archive = read(account, run, artifact)
    configuration = run.configuration
    application, group = configuration["ApplicationName"], configuration["DeploymentGroupName"]
    client = role_client(account, run, "codedeploy")
    client.get_application(applicationName=application)
    revision = {
        "revisionType": "S3",
        "s3Location": {
            "bucket": store_of(account, run).location,
            "key": run.execution.artifacts[artifact],
            "bundleType": "zip",
        },
    }
    client.register_application_revision(applicationName=application, revision=revision)
    deployment = client.create_deployment(applicationName=application, deploymentGroupName=group, revision=revision)[
        "deploymentId"
    ]
    rollout = Rollout(account, *_record(account, run, deployment))
    failure, code = yield from _deploy(run, rollout, archive)
    return ended(account, run, rollout, failure, code)


def ended(
    account: Account, run: ActionRun, rollout: Rollout, failure: RolloutFailed | None, code: FailureType
) -> Outcome:
    """Close a deployment, and say how the action ends.

    Args:
        account: the mocked account.
        run: the action.
        rollout: the deployment.
        failure: what stopped it; None: nothing.
        code: the failure type then.
    """
    rollout.end(failure)
    deployment = rollout.record.deployment_id
    link = execution_url(account, run, deployment)
    if failure is None:
        return Outcome(summary="Deployment Succeeded", external_id=deployment, external_url=link)
    message = failure.message if failure.code == ASSUMED else f"Deployment {deployment} failed: {failure.message}"
    return Outcome(failure=code, message=message, external_id=deployment, external_url=link)


def assumed_failure(run: ActionRun, fails: bool) -> RolloutFailed | None:
    """What stops a deployment that is assumed to fail; None when it is not."""
    if not fails:
        return None
    return RolloutFailed(ASSUMED, run.plan.assumption.message or f"Action '{run.plan.action.name}' failed, as assumed.")


def _deploy(
    run: ActionRun, rollout: Rollout, archive: Archive
) -> Generator[simpy.Event, Any, tuple[RolloutFailed | None, FailureType]]:
    """Go through the deployment; return what stopped it, and the failure type of the action then."""
    duration, fails = draw(run)
    appspec = next((name for name in APPSPEC if archive.read(name) is not None), None)
    try:
        hooks = (
            Hooks({"ApplicationStop": ("UnknownError", NO_APPSPEC)})
            if appspec is None
            else read_hooks(archive, appspec)
        )
        yield from rollout.on_instances(hooks, min(duration, run.plan.timeout))
    except RolloutFailed as failed:
        return failed, FailureType.JOB_FAILED
    return assumed_failure(run, fails), FailureType(run.plan.assumption.code)


def _record(account: Account, run: ActionRun, deployment: str) -> tuple[Any, Any]:
    """moto's CodeDeploy, and its record of the deployment, in the account and region in which the action works."""
    region = run.plan.action.region or account.region
    backend = codedeploy_backends[session_of(account, run).account][region]
    return backend, backend.get_deployment(deployment)
