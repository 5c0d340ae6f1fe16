"""The CodeDeploy deploy, in place: a revision is registered, a deployment made, and its end awaited.

moto keeps applications, groups and deployments; instances it does not touch. How long a deployment takes and
whether it succeeds is therefore assumed; what can be seen beforehand is not: the application and the group must
exist, the role may deploy, and the revision holds an AppSpec file.

Source: AWS CodePipeline User Guide, "CodeDeploy action reference"; AWS CodeDeploy User Guide, "Add an AppSpec
file to a revision".
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import simpy
from moto.codedeploy.models import codedeploy_backends

from pipesim.cloud.artifacts import Archive, read, store_of
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.permissions import role_client, session_of
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

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
    record = _record(account, run, deployment)
    _begin(account, record)
    outcome = yield from spend_time(run)
    if outcome.failure is None and not _has_appspec(archive):
        outcome = Outcome.failed(f"Deployment {deployment} failed: {NO_APPSPEC}", FailureType.JOB_FAILED)
    _end(account, record, failure=outcome.message if outcome.failure is not None else "")
    link = execution_url(account, run, deployment)
    summary = "" if outcome.failure is not None else "Deployment Succeeded"
    return replace(outcome, summary=summary, external_id=deployment, external_url=link)


def _has_appspec(archive: Archive) -> bool:
    return any(archive.read(name) is not None for name in APPSPEC)


def _record(account: Account, run: ActionRun, deployment: str) -> Any:
    """moto's own record of the deployment, in the account and region in which the action works."""
    region = run.plan.action.region or account.region
    return codedeploy_backends[session_of(account, run).account][region].get_deployment(deployment)


def _begin(account: Account, record: Any) -> None:
    record.status = "InProgress"
    record.start_time = account.now
    record.creator = "user"
    record.deployment_overview["InProgress"] = 1


def _end(account: Account, record: Any, *, failure: str) -> None:
    record.status = "Failed" if failure else "Succeeded"
    record.complete_time = account.now
    record.deployment_overview["InProgress"] = 0
    record.deployment_overview[record.status] = 1
    if failure:
        record.additional_deployment_status_info = failure
