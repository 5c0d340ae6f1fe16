"""Provisioning: what a declaration needs is stood up, once, with exactly the permissions needed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from pipesim.cloud.provision import permissions_of
from pipesim.formats.load import load
from pipesim.formats.samples import sample, sample_names
from pipesim.trace.events import EventKind

BASE = {
    "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketVersioning",
    "s3:GetBucketAcl", "s3:GetBucketLocation",
}  # fmt: skip


def policy_of(cloud: Cloud, role: str) -> list[dict[str, Any]]:
    answer = cloud.client("iam").get_role_policy(RoleName=role, PolicyName="pipesim")
    document = answer["PolicyDocument"]
    statements: list[dict[str, Any]] = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    return statements


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_runs_until_somebody_is_needed(name: str) -> None:
    with Cloud(seed=1) as cloud:
        record = cloud.provision(str(sample(name)))
        cloud.run_until_idle()

        failures = [event for event in record.simulation.trace if event.kind is EventKind.ACTION_FAILED]
        assert failures == []
        [execution] = record.simulation.state.executions.values()
        waits = any(action.is_approval or action.type.owner == "Custom" for _, action in record.pipeline.actions())
        assert execution.status.value == ("InProgress" if waits else "Succeeded")


def test_the_role_has_what_the_actions_need_and_no_more() -> None:
    with Cloud() as cloud:
        record = cloud.provision(str(sample("two-stages")))

        granted = {one for statement in policy_of(cloud, "CodePipelineServiceRole") for one in statement["Action"]}

        actions = [action for _, action in record.pipeline.actions()]
        assert granted == BASE | set(permissions_of(actions))
        assert "s3:DeleteObject" not in granted
        trust = cloud.client("iam").get_role(RoleName="CodePipelineServiceRole")["Role"]["AssumeRolePolicyDocument"]
        assert "codepipeline.amazonaws.com" in json.dumps(trust)


def test_the_artifact_bucket_is_versioned_and_encrypted() -> None:
    with Cloud() as cloud:
        record = cloud.provision(str(sample("two-stages")))
        assert record.pipeline.artifact_store is not None
        bucket, s3 = record.pipeline.artifact_store.location, cloud.client("s3")

        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        [rule] = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_twice_changes_nothing() -> None:
    with Cloud() as cloud:
        record = cloud.provision(str(sample("e-commerce")))
        iam, codecommit = cloud.client("iam"), cloud.client("codecommit")
        before = (
            [role["Arn"] for role in iam.list_roles()["Roles"]],
            codecommit.get_branch(repositoryName="shop", branchName="main"),
            cloud.client("codebuild").list_projects()["projects"],
        )
        before[1].pop("ResponseMetadata")

        again = cloud.provision(str(sample("e-commerce")))

        branch = codecommit.get_branch(repositoryName="shop", branchName="main")
        branch.pop("ResponseMetadata")
        after = (
            [role["Arn"] for role in iam.list_roles()["Roles"]],
            branch,
            cloud.client("codebuild").list_projects()["projects"],
        )
        assert before == after
        assert again is record
        assert len(record.versions) == 1


def test_another_declaration_of_the_same_name_updates() -> None:
    pipeline = load("S3 -> CodeBuild -> S3")
    with Cloud() as cloud:
        record = cloud.provision(pipeline)
        changed = pipeline.to_document()
        changed["stages"][1]["actions"][0]["configuration"]["ProjectName"] = "another"

        cloud.provision(changed)

        assert len(record.versions) == 2
        assert "another" in cloud.client("codebuild").list_projects()["projects"]


def test_a_declaration_moves_into_the_account() -> None:
    with Cloud() as cloud:
        record = cloud.provision(str(sample("two-stages")))

        assert ":123456789012:" in record.pipeline.role_arn
        assert "111122223333" not in json.dumps(record.pipeline.to_document())


def test_a_key_that_is_named_and_not_there_is_made() -> None:
    document = load(sample("two-stages")).to_document()
    document["artifactStore"]["encryptionKey"] = {
        "id": "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000",
        "type": "KMS",
    }
    with Cloud() as cloud:
        record = cloud.provision(document)
        cloud.run_until_idle()
        cloud.provision(document)

        store = record.pipeline.artifact_store
        assert store is not None and store.encryption_key is not None
        described = cloud.client("kms").describe_key(KeyId=store.encryption_key.id)["KeyMetadata"]
        assert described["KeyManager"] == "CUSTOMER"
        assert len(record.versions) == 1
        [execution] = record.simulation.state.executions.values()
        assert execution.status.value == "Succeeded"
        key = next(iter(next(iter(record.simulation.executions.values())).artifacts.values()))
        head = cloud.client("s3").head_object(Bucket=store.location, Key=key)
        assert head["SSEKMSKeyId"] == described["Arn"]


def test_what_is_stood_up_and_not_created_can_be_created_by_hand() -> None:
    with Cloud() as cloud:
        codepipeline = cloud.client("codepipeline")
        ready = cloud.provision(str(sample("two-stages")), create=False)
        assert codepipeline.list_pipelines()["pipelines"] == []

        codepipeline.create_pipeline(pipeline=ready.to_document())
        cloud.run_until_idle()

        [execution] = codepipeline.list_pipeline_executions(pipelineName=ready.name)["pipelineExecutionSummaries"]
        assert execution["status"] == "Succeeded"
