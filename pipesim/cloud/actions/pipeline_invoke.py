"""CodePipeline invoke: another pipeline is started, with variables and source revisions, and not waited for.

That it is not waited for follows from the permissions that the guide asks for: the action may start the pipeline and
may not look at it. Source: AWS CodePipeline User Guide, "AWS CodePipeline invoke action reference".
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.cloud.actions.failures import ActionFailed
from pipesim.cloud.permissions import role_client
from pipesim.engine.behaviours.work import spend_time
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

MEMBERS = {
    "Variables": ("variables", ("name", "value")),
    "SourceRevisions": ("sourceRevisions", ("actionName", "revisionType", "revisionValue")),
}
"""The parameter of StartPipelineExecution that each key stands for, and what an entry of it says."""


def act(account: Account, run: ActionRun) -> Generator[simpy.Event, Any, Outcome]:
    """Start the other pipeline."""
    name = run.configuration["PipelineName"]
    given = {parameter: _entries(run, key, names) for key, (parameter, names) in MEMBERS.items()}
    outcome = yield from spend_time(run)
    if outcome.failure is not None:
        return outcome
    client = role_client(account, run, "codepipeline")
    started = client.start_pipeline_execution(name=name, **{key: value for key, value in given.items() if value})
    execution = started["pipelineExecutionId"]
    region = run.plan.action.region or account.region
    return Outcome(
        summary=f"Started execution {execution} of pipeline {name}.",
        external_id=execution,
        external_url=(
            f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{name}/executions/{execution}"
            f"/timeline?region={region}"
        ),
    )


def _entries(run: ActionRun, key: str, names: tuple[str, ...]) -> list[dict[str, str]]:
    """The entries of a JSON list in the configuration.

    Raises:
        ActionFailed: it is none, or an entry lacks something.
    """
    text = run.configuration.get(key)
    if not text:
        return []
    try:
        return [{name: str(entry[name]) for name in names} for entry in json.loads(text)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ActionFailed(
            f"The value of {key} is not a JSON list of objects with {', '.join(names)}.",
            FailureType.CONFIGURATION_ERROR,
        ) from None
