"""Stand up what a declaration needs, and create the pipeline through the API.

Source: AWS CodePipeline User Guide, "Manage the CodePipeline service role", "Create a pipeline that uses resources
from another account", and the permissions that the catalog names for each action type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipesim.catalog.action_types import find_action_type
from pipesim.catalog.rule_types import find_rule_type
from pipesim.cloud import estate_sources
from pipesim.cloud.estate import ENCRYPTING, STORING, Estate, function, owner_of, project, stand_up
from pipesim.cloud.permissions import CODEPIPELINE
from pipesim.definition.document import parse_document
from pipesim.definition.model import Action, ArtifactStore, EncryptionKey, Pipeline
from pipesim.vocabulary import ActionOwner

if TYPE_CHECKING:
    from pipesim.cloud.account import Account


def provision(account: Account, pipeline: Pipeline, *, create: bool = True) -> Pipeline:
    """Stand up everything that a pipeline needs in a mocked account, then create or update it.

    What is there already stays as it is; doing it twice changes nothing. A declaration that was written for
    another account (its role's) is moved into this one: every mention of that account's number is replaced.

    Args:
        account: the mocked account.
        pipeline: free of problems.
        create: whether to create the pipeline, too.

    Returns:
        The declaration as it stands in the account.

    Raises:
        ClientError: the service refused the declaration.
    """
    pipeline = relocated(pipeline, account.id)
    estate = Estate(account, pipeline)
    pipeline = estate.pipeline = _with_keys(estate)
    _buckets(estate)
    _roles(estate)
    for _, action in pipeline.actions():
        stand_up(estate, action)
    _rules(estate)
    if create:
        _create(account, pipeline)
        estate_sources.webhooks(estate, pipeline)
    return pipeline


def relocated(pipeline: Pipeline, account_id: str) -> Pipeline:
    """Return a declaration with the account of its role replaced everywhere.

    Args:
        pipeline: the declaration.
        account_id: the twelve digits to put in.

    >>> import pipesim
    >>> relocated(pipesim.load("GitHub -> S3"), "123456789012").role_arn
    'arn:aws:iam::123456789012:role/CodePipelineServiceRole'
    """
    old = owner_of(pipeline.role_arn)
    if not old or old == account_id:
        return pipeline
    return parse_document(json.loads(json.dumps(pipeline.to_document()).replace(old, account_id)))


def permissions_of(actions: Iterable[Action]) -> list[str]:
    """Return the permissions that the catalog names for these actions, in alphabetical order."""
    needed: set[str] = set()
    for action in actions:
        known = find_action_type(action.category, action.type.owner, action.provider, action.type.version)
        if known is not None and action.type.owner == ActionOwner.AWS:
            needed.update(known.permissions)
    return sorted(needed)


def _with_keys(estate: Estate) -> Pipeline:
    """The declaration with keys that exist: one that is named and not there is made under an alias of its own."""
    pipeline, home = estate.pipeline, estate.account.region
    stores = {region: _with_key(estate, store, region) for region, store in pipeline.artifact_stores.items()}
    store = pipeline.artifact_store
    return replace(
        pipeline,
        artifact_store=None if store is None else _with_key(estate, store, home),
        artifact_stores=stores,
    )


def _with_key(estate: Estate, store: ArtifactStore, region: str) -> ArtifactStore:
    key = store.encryption_key
    if key is None:
        return store
    kms = estate.client("kms", region)
    with suppress(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=key.id)
        return store
    alias = key.id if key.id.startswith("alias/") else f"alias/{estate.pipeline.name}-artifacts"
    with suppress(kms.exceptions.NotFoundException):
        arn = kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
        return replace(store, encryption_key=EncryptionKey(arn, key.type))
    roots = [f"arn:aws:iam::{owner}:root" for owner in _owners(estate)]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": roots}, "Action": "kms:*", "Resource": "*"}],
    }
    made = kms.create_key(Description=f"Artifacts of {estate.pipeline.name}", Policy=json.dumps(policy))["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    return store if key.id == alias else replace(store, encryption_key=EncryptionKey(made["Arn"], key.type))


def _owners(estate: Estate) -> list[str]:
    """The account itself and those of roles in other accounts."""
    others = {owner_of(action.role_arn) for _, action in estate.pipeline.actions() if action.role_arn}
    return [estate.account.id, *sorted(str(one) for one in others - {estate.account.id})]


def _buckets(estate: Estate) -> None:
    """The artifact buckets: versioned, encrypted, and open to the roles of other accounts."""
    pipeline = estate.pipeline
    stores: dict[str, ArtifactStore] = dict(pipeline.artifact_stores)
    if pipeline.artifact_store is not None:
        stores.setdefault(estate.account.region, pipeline.artifact_store)
    for region, store in stores.items():
        s3 = estate.bucket(store.location, region)
        rule: dict[str, Any] = {"SSEAlgorithm": "aws:kms"}
        if store.encryption_key is not None:
            rule["KMSMasterKeyID"] = store.encryption_key.id
        s3.put_bucket_encryption(
            Bucket=store.location,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]},
        )
        guests = _owners(estate)[1:]
        if guests:
            statement = {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam::{guest}:root" for guest in guests]},
                "Action": [*STORING, "s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{store.location}", f"arn:aws:s3:::{store.location}/*"],
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            s3.put_bucket_policy(Bucket=store.location, Policy=policy)


def _roles(estate: Estate) -> None:
    """The pipeline's role and those of single actions, with what the catalog says that they need."""
    pipeline = estate.pipeline
    actions = [action for _, action in pipeline.actions()]
    own = [action for action in actions if action.role_arn in (None, pipeline.role_arn)]
    others: dict[str, list[Action]] = {}
    for action in actions:
        if action.role_arn not in (None, pipeline.role_arn):
            others.setdefault(str(action.role_arn), []).append(action)
    rules = {permission for stage in pipeline.stages for rule in stage.rules for permission in _rule_permissions(rule)}
    statements = _statements(estate, sorted({*permissions_of(own), *rules}))
    if others:
        statements.append({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": sorted(others)})
    estate.role(pipeline.role_arn, {"Service": CODEPIPELINE}, statements)
    root = f"arn:aws:iam::{owner_of(pipeline.role_arn)}:root"
    for role, users in others.items():
        estate.role(role, {"AWS": root}, _statements(estate, permissions_of(users)))


def _rule_permissions(rule: Any) -> tuple[str, ...]:
    known = find_rule_type(rule.type.provider)
    return known.permissions if known is not None else ()


def _statements(estate: Estate, permissions: list[str]) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": list(STORING), "Resource": estate.artifact_resources()}
    ]
    stores = [*estate.pipeline.artifact_stores.values(), estate.pipeline.artifact_store]
    if any(store is not None and store.encryption_key is not None for store in stores):
        statements.append({"Effect": "Allow", "Action": list(ENCRYPTING), "Resource": "*"})
    if permissions:
        statements.append({"Effect": "Allow", "Action": permissions, "Resource": "*"})
    return statements


def _rules(estate: Estate) -> None:
    """What rules of stage conditions ask: functions, projects, alarms."""
    for stage in estate.pipeline.stages:
        for rule in stage.rules:
            configuration = rule.configuration
            if rule.type.provider == "LambdaInvoke" and (name := configuration.get("FunctionName")):
                function(estate, name, estate.client("lambda", rule.region), None)
            elif rule.type.provider == "CodeBuild" and (name := configuration.get("ProjectName")):
                project(estate, name, estate.client("codebuild", rule.region), None)
            elif rule.type.provider == "CloudWatchAlarm" and (name := configuration.get("AlarmName")):
                cloudwatch = estate.client("cloudwatch", rule.region)
                if not cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
                    cloudwatch.put_metric_alarm(
                        AlarmName=name,
                        Namespace="AWS/ApplicationELB",
                        MetricName="HTTPCode_Target_5XX_Count",
                        Statistic="Sum",
                        Period=60,
                        EvaluationPeriods=1,
                        Threshold=1.0,
                        ComparisonOperator="GreaterThanOrEqualToThreshold",
                    )


def _create(account: Account, pipeline: Pipeline) -> None:
    codepipeline = account.client("codepipeline")
    document = pipeline.to_document()
    record = account.pipelines.get(pipeline.name)
    if record is None:
        codepipeline.create_pipeline(pipeline=document)
    elif record.pipeline != replace(pipeline, version=record.pipeline.version):
        codepipeline.update_pipeline(pipeline=document)
