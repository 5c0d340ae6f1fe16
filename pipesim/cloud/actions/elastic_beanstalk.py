"""The Elastic Beanstalk deploy: the artifact becomes an application version, and the environment runs it.

A learner makes it fail with what lies in the bundle: a deployment hook (``.platform/hooks/…``) that says ``exit 1``
on a line of its own; the environment is degraded then and keeps its version. A role without DescribeEvents does not
see the update end: the action hangs to its time limit, although the environment is long up.
Source: AWS CodePipeline User Guide, "Elastic Beanstalk action reference", "Troubleshooting CodePipeline"; AWS Elastic
Beanstalk Developer Guide, "Platform hooks", "Basic health reporting".
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError
from moto.elasticbeanstalk.models import eb_backends

from pipesim.cloud.actions.failures import DENIED, ActionFailed
from pipesim.cloud.artifacts import Archive, read, store_of
from pipesim.cloud.codepipeline.links import execution_url
from pipesim.cloud.gaps.elasticbeanstalk.models import end_update
from pipesim.cloud.permissions import role_client, session_of
from pipesim.cloud.rollout import EXIT
from pipesim.engine.behaviours.work import draw, overdue
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

HOOKS = ".platform/hooks/"


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Deploy the input artifact."""
    artifact = run.plan.action.input_artifacts[0]
    archive = read(account, run, artifact)
    application, name = run.configuration["ApplicationName"], run.configuration["EnvironmentName"]
    beanstalk = role_client(account, run, "elasticbeanstalk")
    found = beanstalk.describe_environments(ApplicationName=application, EnvironmentNames=[name])["Environments"]
    if not found:
        raise ActionFailed(
            f"No Environment found for EnvironmentName = '{name}' in application '{application}'.",
            FailureType.CONFIGURATION_ERROR,
        )
    label = f"code-pipeline-{run.id}"
    bundle = {"S3Bucket": store_of(account, run).location, "S3Key": run.execution.artifacts[artifact]}
    beanstalk.create_application_version(ApplicationName=application, VersionLabel=label, SourceBundle=bundle)
    beanstalk.update_environment(ApplicationName=application, EnvironmentName=name, VersionLabel=label)
    blind = not _sees_events(beanstalk, name)
    duration, fails = draw(run)
    yield run.sim.env.timeout(min(duration, run.plan.timeout))
    problem = _problem_of(archive)
    if not problem and fails:
        problem = run.plan.assumption.message or "The instances did not get healthy."
    if not problem and duration > run.plan.timeout:
        problem = f"The update did not end within {run.plan.timeout:g} s."
    region = run.plan.action.region or account.region
    backend = eb_backends[session_of(account, run).account][region]
    end_update(backend, application, name, account.now, problem)
    if blind:
        yield run.sim.env.timeout(max(run.plan.timeout - duration, 0))
        return overdue(run)
    if problem:
        raise ActionFailed(
            f"Deployment failed. The environment {name} is degraded: {problem}",
            FailureType(run.plan.assumption.code) if fails else FailureType.JOB_FAILED,
            external_id=label,
        )
    return Outcome(summary="Deployment completed.", external_id=label, external_url=execution_url(account, run, label))


def _sees_events(beanstalk: Any, environment: str) -> bool:
    try:
        beanstalk.describe_events(EnvironmentName=environment)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            return False
        raise
    return True


def _problem_of(archive: Archive) -> str:
    for path in archive.names():
        if path.startswith(HOOKS):
            found = EXIT.search((archive.read(path) or b"").decode(errors="replace"))
            if found is not None and int(found[1]):
                return f"Command {path} failed with error exit status {found[1]}."
    return ""
