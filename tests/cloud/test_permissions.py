"""IAM binds what the service does, and nothing else: roles, bucket policies, keys, other accounts."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.authorization import ActionAuthenticatorMixin
from moto.s3.models import FakeBucket

from pipesim.cloud import permissions
from pipesim.cloud.account import Cloud
from pipesim.formats.load import load
from pipesim.formats.samples import sample
from tests.cloud.actions.story import allow

OTHER = "210987654321"


def provisioned(cloud: Cloud, **store: Any) -> Any:
    document = load(sample("two-stages")).to_document()
    document["artifactStore"].update(store)
    record = cloud.provision(document)
    cloud.run_until_idle()
    return record


def start(cloud: Cloud) -> str:
    answer = cloud.client("codepipeline").start_pipeline_execution(name="two-stages")
    cloud.run_until_idle()
    return str(answer["pipelineExecutionId"])


def ending(record: Any, execution: str) -> tuple[str, str, str]:
    """The execution's status, and code and message of the action that failed."""
    state = record.simulation.state
    failed = [
        action.latest
        for stage in state.stages
        for action in stage.actions
        if action.latest is not None and action.latest.execution == execution and action.latest.code
    ]
    status = state.executions[execution].status.value
    return (status, str(failed[0].code), failed[0].message) if failed else (status, "", "")


def test_users_call_freely() -> None:
    with Cloud() as cloud:
        provisioned(cloud)
        for keys in ({}, {"aws_access_key_id": "AKIANOBODY", "aws_secret_access_key": "x"}):
            s3 = boto3.client("s3", region_name="us-east-1", **keys)
            s3.put_object(Bucket="codepipeline-us-east-1-123456789012", Key="by-hand", Body=b"")
        role = boto3.client("sts", region_name="us-east-1").assume_role(
            RoleArn="arn:aws:iam::123456789012:role/nobody", RoleSessionName="me"
        )["Credentials"]
        mine = boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id=role["AccessKeyId"],
            aws_secret_access_key=role["SecretAccessKey"],
            aws_session_token=role["SessionToken"],
        )
        assert mine.list_buckets()["Buckets"]


def test_moto_is_left_as_it_was() -> None:
    before = (ActionAuthenticatorMixin._authenticate_and_authorize_action, FakeBucket.get_permission)

    with Cloud() as cloud:
        provisioned(cloud)
        assert ActionAuthenticatorMixin._authenticate_and_authorize_action is not before[0]

    assert (ActionAuthenticatorMixin._authenticate_and_authorize_action, FakeBucket.get_permission) == before
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bucket")


def test_a_role_that_is_deleted_or_no_longer_trusts() -> None:
    with Cloud() as cloud:
        record = provisioned(cloud)
        iam = cloud.client("iam")
        trust = {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:AssumeRole"},
        }
        iam.update_assume_role_policy(RoleName="CodePipelineServiceRole", PolicyDocument=json.dumps(trust))

        status, code, message = ending(record, start(cloud))

        assert (status, code) == ("Failed", "PermissionError")
        assert "CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::123456789012" in message
        iam.delete_role_policy(RoleName="CodePipelineServiceRole", PolicyName="pipesim")
        iam.delete_role(RoleName="CodePipelineServiceRole")
        assert ending(record, start(cloud))[:2] == ("Failed", "PermissionError")
        provisioned(cloud)
        assert ending(record, start(cloud))[0] == "Succeeded"


@pytest.mark.parametrize(
    "principal", ["*", {"AWS": "*"}, {"AWS": "arn:aws:iam::123456789012:role/service-role/CodePipelineServiceRole"}]
)
def test_a_bucket_policy_denies_and_heals(principal: Any) -> None:
    with Cloud() as cloud:
        record = provisioned(cloud)
        bucket = record.pipeline.artifact_store.location
        statement = {
            "Effect": "Deny", "Principal": principal, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*",
        }  # fmt: skip
        s3 = cloud.client("s3")
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [statement]}))

        status, code, message = ending(record, start(cloud))

        assert (status, code) == ("Failed", "PermissionError")
        assert message.startswith(
            "The service role or action role doesn’t have the permissions required to access the Amazon S3 bucket named"
            f" {bucket}."
        )
        s3.delete_bucket_policy(Bucket=bucket)
        assert ending(record, start(cloud))[0] == "Succeeded"


def test_the_bucket_policy_of_the_tutorials_lets_encrypted_objects_in() -> None:
    with Cloud() as cloud:
        record = provisioned(cloud)
        bucket = record.pipeline.artifact_store.location
        everything = {"Principal": "*", "Resource": f"arn:aws:s3:::{bucket}/*", "Effect": "Deny"}
        statements = [
            {
                **everything,
                "Sid": "DenyUnEncryptedObjectUploads",
                "Action": "s3:PutObject",
                "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
            },
            {
                **everything,
                "Sid": "DenyInsecureConnections",
                "Action": "s3:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)

        assert ending(record, start(cloud))[0] == "Succeeded"


def test_a_key_that_is_taken_away_and_given_back() -> None:
    with Cloud() as cloud:
        record = provisioned(cloud, encryptionKey={"id": "alias/artifacts", "type": "KMS"})
        kms = cloud.client("kms")
        key = kms.describe_key(KeyId="alias/artifacts")["KeyMetadata"]["KeyId"]
        kms.disable_key(KeyId=key)

        status, code, message = ending(record, start(cloud))

        assert (status, code) == ("Failed", "PermissionError")
        assert "KMS.DisabledException" in message
        kms.enable_key(KeyId=key)
        assert ending(record, start(cloud))[0] == "Succeeded"


def test_a_key_policy_or_a_role_without_the_key() -> None:
    with Cloud() as cloud:
        record = provisioned(cloud, encryptionKey={"id": "alias/artifacts", "type": "KMS"})
        kms, iam = cloud.client("kms"), cloud.client("iam")
        key = kms.describe_key(KeyId="alias/artifacts")["KeyMetadata"]["KeyId"]
        role = "CodePipelineServiceRole"
        full = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]

        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=full.replace(":root", ":role/admin"))
        assert ending(record, start(cloud))[1] == "PermissionError"

        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=full)
        assert ending(record, start(cloud))[0] == "Succeeded"

        policy = iam.get_role_policy(RoleName=role, PolicyName="pipesim")["PolicyDocument"]
        without = [one for one in policy["Statement"] if "kms:Decrypt" not in one["Action"]]
        allow_only = json.dumps({"Version": "2012-10-17", "Statement": without})
        iam.put_role_policy(RoleName=role, PolicyName="pipesim", PolicyDocument=allow_only)
        status, code, message = ending(record, start(cloud))
        assert (status, code) == ("Failed", "PermissionError")
        assert "kms:GenerateDataKey" in message

        direct = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": record.pipeline.role_arn}, "Action": "kms:*"}]}
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(direct))
        assert ending(record, start(cloud))[0] == "Succeeded"


def cross_account(cloud: Cloud, *, key: bool = True) -> Any:
    """A pipeline whose deployment goes into another account's bucket, under a role of that account."""
    document = load(sample("two-stages")).to_document()
    if key:
        document["artifactStore"]["encryptionKey"] = {"id": "alias/artifacts", "type": "KMS"}
    document["stages"][1]["actions"][0]["roleArn"] = f"arn:aws:iam::{OTHER}:role/deployer"
    record = cloud.provision(document)
    cloud.run_until_idle()
    return record


def first(record: Any) -> tuple[str, str, str]:
    return ending(record, next(iter(record.simulation.executions)))


def test_another_accounts_role_deploys() -> None:
    with Cloud() as cloud:
        record = cross_account(cloud)

        assert first(record) == ("Succeeded", "", "")


def test_another_account_needs_a_key_of_the_customers_own() -> None:
    with Cloud() as cloud:
        status, code, message = first(cross_account(cloud, key=False))

        assert (status, code) == ("Failed", "PermissionError")
        assert "the AWS managed key of another account cannot be used" in message


def test_another_account_needs_the_buckets_policy() -> None:
    with Cloud() as cloud:
        record = cross_account(cloud)
        cloud.client("s3").delete_bucket_policy(Bucket=record.pipeline.artifact_store.location)

        assert ending(record, start(cloud))[:2] == ("Failed", "PermissionError")


def test_another_account_needs_the_keys_policy() -> None:
    with Cloud() as cloud:
        record = cross_account(cloud)
        kms = cloud.client("kms")
        key = kms.describe_key(KeyId="alias/artifacts")["KeyMetadata"]["KeyId"]
        policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy.replace(OTHER, "999999999999"))

        status, code, message = ending(record, start(cloud))

        assert (status, code) == ("Failed", "PermissionError")
        assert "kms:Decrypt" in message


def test_the_pipelines_role_must_be_allowed_to_assume_the_actions_role() -> None:
    with Cloud() as cloud:
        record = cross_account(cloud)
        iam, role = cloud.client("iam"), "CodePipelineServiceRole"
        policy = iam.get_role_policy(RoleName=role, PolicyName="pipesim")["PolicyDocument"]
        policy["Statement"] = [one for one in policy["Statement"] if one["Action"] != "sts:AssumeRole"]
        iam.put_role_policy(RoleName=role, PolicyName="pipesim", PolicyDocument=json.dumps(policy))

        status, code, message = ending(record, start(cloud))

        assert (status, code) == ("Failed", "PermissionError")
        assert f"not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{OTHER}:role/deployer" in message


def test_narrowed_credentials_lapse() -> None:
    with Cloud() as cloud:
        record = provisioned(cloud)
        policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
        session = permissions.assume(
            cloud.account, record.pipeline.role_arn, permissions.CODEPIPELINE, "job", policy=policy
        )
        s3 = permissions.client(cloud.account, session, "s3", "us-east-1")
        bucket = record.pipeline.artifact_store.location
        s3.get_bucket_versioning(Bucket=bucket)

        cloud.advance(minutes=16)

        with pytest.raises(ClientError, match="expired"):
            s3.get_bucket_versioning(Bucket=bucket)


def test_a_policy_about_one_bucket_helps_with_no_other() -> None:
    with Cloud() as cloud:
        record = provisioned(cloud)
        bucket = record.pipeline.artifact_store.location
        iam = cloud.client("iam")
        iam.delete_role_policy(RoleName="CodePipelineServiceRole", PolicyName="pipesim")
        allow(cloud.account, "s3:*", resource=[f"arn:aws:s3:::{bucket}*"], role="CodePipelineServiceRole")

        assert ending(record, start(cloud))[:2] == ("Failed", "PermissionError")

        allow(cloud.account, "s3:*", role="CodePipelineServiceRole")
        assert ending(record, start(cloud))[0] == "Succeeded"
