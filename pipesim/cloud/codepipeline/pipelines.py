"""Pipelines: created, updated, read, listed, deleted.

Source: API reference; what is refused in which order as moto does it (a name in use, then the role, then
the structure); wordings from recorded answers of the service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends

from pipesim.catalog.limits import PIPELINES
from pipesim.cloud.codepipeline.exceptions import no_such_pipeline, no_such_resource
from pipesim.cloud.codepipeline.paging import page
from pipesim.cloud.codepipeline.tags import read_tags, write_tags
from pipesim.definition.checking import check
from pipesim.definition.document import parse_document
from pipesim.definition.model import Pipeline
from pipesim.engine.arrivals import POLLERS, polls
from pipesim.engine.commands import Start, Stop, Update
from pipesim.errors import Refused
from pipesim.vocabulary import TriggerType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

SERVICE = "codepipeline.amazonaws.com"
PAGE = 1000


def find(account: Account, name: str) -> PipelineRecord:
    """Return a pipeline.

    Raises:
        Refused: PipelineNotFoundException.
    """
    try:
        return account.pipelines[name]
    except KeyError:
        raise no_such_pipeline(account.id, name) from None


def create_pipeline(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """CreatePipeline: take a declaration in and start its first execution, unless its sources are polled."""
    document = parameters["pipeline"]
    name = document["name"]
    if name in account.pipelines:
        raise Refused(
            "PipelineNameInUseException", f"A pipeline with the name '{name}' already exists in account '{account.id}'"
        )
    refuse_untrusting_role(document["roleArn"])
    if len(account.pipelines) >= PIPELINES:
        raise Refused("LimitExceededException", f"The account has {PIPELINES} pipelines; more are not allowed")
    pipeline = replace(accept(account, document), version=1)
    tags = read_tags(parameters.get("tags"), arn=account.arn_of(name))
    record = account.add(pipeline, tags)
    if not is_polled(pipeline):
        record.simulation.send(Start(trigger_type=TriggerType.CREATE_PIPELINE.value, trigger_detail=caller))
    account.watch(record)
    return {"pipeline": pipeline.to_document(), "tags": write_tags(dict(sorted(tags.items())))}


def update_pipeline(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """UpdatePipeline: put a new version in force; nothing starts."""
    document = parameters["pipeline"]
    record = account.pipelines.get(document["name"])
    if record is None:
        raise no_such_resource(account.id, document["name"])
    refuse_untrusting_role(document["roleArn"])
    pipeline = replace(accept(account, document), version=record.pipeline.version + 1)
    record.behaviours.update(account.behaviours_for(pipeline))
    record.simulation.send(Update(pipeline))
    record.versions.append(pipeline)
    record.updated = account.now
    account.watch(record)
    return {"pipeline": pipeline.to_document()}


def get_pipeline(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """GetPipeline: the declaration with its defaults, the newest version or the one asked for."""
    record = find(account, parameters["name"])
    version = parameters.get("version")
    if version is not None and not 1 <= version <= len(record.versions):
        raise Refused(
            "PipelineVersionNotFoundException",
            f"Pipeline '{record.name}' does not have a version {version}; its newest is {record.pipeline.version}",
        )
    pipeline = record.pipeline if version is None else record.versions[version - 1]
    metadata: dict[str, Any] = {"pipelineArn": record.arn, "created": record.created, "updated": record.updated}
    if record.polling_disabled_at is not None:
        metadata["pollingDisabledAt"] = record.polling_disabled_at
    return {"pipeline": pipeline.to_document(), "metadata": metadata}


def delete_pipeline(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """DeletePipeline: forget a pipeline; what it runs is abandoned; without effect when there is none."""
    record = account.pipelines.pop(parameters["name"], None)
    if record is not None:
        for execution in list(record.simulation.executions.values()):
            if not execution.finished:
                record.simulation.send(Stop(execution.id, abandon=True, by=caller))
    return {}


def list_pipelines(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """ListPipelines: all pipelines by name."""
    names = sorted(account.pipelines)
    chosen, token = page(account, names, parameters, scope="ListPipelines", size=PAGE)
    answer: dict[str, Any] = {"pipelines": [_summary(account.pipelines[name]) for name in chosen]}
    if token is not None:
        answer["nextToken"] = token
    return answer


def accept(account: Account, document: Mapping[str, Any]) -> Pipeline:
    """Read a declaration and refuse it when it breaks rules.

    Raises:
        Refused: with the code and the sentence of the first problem.
    """
    problems = check(document, region=account.region)
    if problems:
        raise Refused(problems[0].code, problems[0].message)
    pipeline = parse_document(document)
    account.custom_types.refuse_unavailable(pipeline)
    return pipeline


def refuse_untrusting_role(arn: str) -> None:
    """Refuse a role that does not exist or does not let the service assume it.

    Raises:
        Refused: InvalidStructureException.
    """
    parts = arn.split(":")
    try:
        role = iam_backends[parts[4]]["aws"].get_role_by_arn(arn)
        statements = json.loads(role.assume_role_policy_document)["Statement"]
    except (NotFoundException, IndexError, KeyError, ValueError):
        statements = []
    if isinstance(statements, Mapping):
        statements = [statements]
    if not any(_lets_assume(statement) for statement in statements):
        raise Refused(
            "InvalidStructureException", f"CodePipeline is not authorized to perform AssumeRole on role {arn}"
        )


def _lets_assume(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = principal.get("Service", ()) if isinstance(principal, Mapping) else ()
    if isinstance(services, str):
        services = (services,)
    return statement.get("Effect", "Allow") == "Allow" and SERVICE in services


def is_polled(pipeline: Pipeline) -> bool:
    """Whether a poll, and not CreatePipeline, starts the first execution."""
    return any(action.provider in POLLERS and polls(action) for action in pipeline.stages[0].actions)


def _summary(record: PipelineRecord) -> dict[str, Any]:
    pipeline = record.pipeline
    return {
        "name": record.name,
        "version": pipeline.version,
        "pipelineType": pipeline.effective_type,
        "executionMode": pipeline.execution_mode,
        "created": record.created,
        "updated": record.updated,
    }
