"""The S3 source and the S3 deploy on the mocked account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipesim.cloud import artifacts
from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from pipesim.engine.commands import SourceRevision
from tests.cloud.actions.story import (
    BASE,
    FILES,
    action,
    allow,
    body,
    ending,
    files_of,
    go,
    lasting,
    make,
    outputs,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import BUCKET, StandIn

DEPLOY = {"BucketName": "site", "Extract": "true"}


def deploy(**configuration: str) -> dict[str, Any]:
    return action(
        "Deploy",
        "S3",
        configuration={**DEPLOY, **configuration},
        inputArtifacts=[{"name": "Code"}],
        namespace="Deployed",
    )


def site(account: StandIn) -> Any:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="site")
    return s3


def keys(account: StandIn, bucket: str = "site") -> list[str]:
    return [one["Key"] for one in account.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_source_hands_the_newest_version_on(account: StandIn) -> None:
    source_bucket(account, b"old")
    version = account.client("s3").put_object(
        Bucket="source", Key="app.zip", Body=pack(FILES), Metadata={"codepipeline-artifact-revision-summary": "fix"}
    )
    site(account)
    sim = make(account, deploy())

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    revision = sim.executions[execution].source_revisions["Fetch"]
    assert revision == {"id": version["VersionId"], "change_id": version["ETag"].strip('"'), "summary": "fix"}
    [written] = outputs(sim, "Fetch")
    assert written["Code"].startswith("shop/Code/") and written["Code"].endswith(".zip")
    assert files_of(account, written["Code"]) == FILES
    stored = account.client("s3").head_object(Bucket=BUCKET, Key=written["Code"])
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["LastModified"] >= account.start


def test_source_takes_the_version_that_the_start_asks_for(account: StandIn) -> None:
    first = source_bucket(account)
    source_bucket_again = account.client("s3").put_object(Bucket="source", Key="app.zip", Body=b"newer")
    site(account)
    sim = make(account, deploy())

    execution = go(account, sim, revisions=(SourceRevision("Fetch", "S3_OBJECT_VERSION_ID", first),))

    assert first != source_bucket_again["VersionId"]
    assert status(sim, execution) == "Succeeded"
    assert sim.executions[execution].source_revisions["Fetch"]["id"] == first


@pytest.mark.parametrize(
    ("trouble", "message"),
    [("no object", "does not exist"), ("no versions", "must be versioned"), ("no bucket", "source")],
)
def test_source_without_its_object_fails(account: StandIn, trouble: str, message: str) -> None:
    s3 = account.client("s3")
    if trouble != "no bucket":
        s3.create_bucket(Bucket="source")
    if trouble == "no object":
        s3.put_bucket_versioning(Bucket="source", VersioningConfiguration={"Status": "Enabled"})
    sim = make(account, deploy())

    execution = go(account, sim)

    assert status(sim, execution) == "Failed"
    latest = ending(sim, "Source", "Fetch")
    assert latest.code == "ConfigurationError"
    assert message in latest.message


@pytest.mark.parametrize("taken", ["s3:GetObject", "s3:GetObjectVersion", "s3:GetBucketVersioning", "s3:PutObject"])
def test_source_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    source_bucket(account)
    site(account)
    sim = make(account, deploy())
    allow(account, *(one for one in BASE if one != taken))

    execution = go(account, sim)

    latest = ending(sim, "Source", "Fetch")
    assert latest.code == "PermissionError"
    assert "permissions required to access the Amazon S3 bucket" in latest.message
    assert status(sim, execution) == "Failed"
    allow(account, *BASE)
    retry(account, sim, execution, "Source")
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Deploy/S3", "success")
def test_deploy_unpacks(account: StandIn) -> None:
    source_bucket(account)
    s3 = site(account)
    sim = make(account, deploy(CacheControl="max-age=60"))

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    assert set(keys(account)) == set(FILES)
    stored = s3.get_object(Bucket="site", Key="index.html")
    assert (stored["ContentType"], stored["CacheControl"]) == ("text/html", "max-age=60")
    latest = ending(sim)
    assert (latest.summary, latest.external_id) == ("Deployment Succeeded", "site")


def test_deploy_keeps_a_prefix_literally(account: StandIn) -> None:
    source_bucket(account)
    site(account)
    sim = make(account, deploy(ObjectKey="prefix/"))

    go(account, sim)

    assert set(keys(account)) == {f"prefix//{name}" for name in FILES}
    assert ending(sim).external_id == "site/prefix/"


def test_deploy_of_one_object_is_the_same_bytes(account: StandIn) -> None:
    source_bucket(account)
    site(account)
    sim = make(account, deploy(Extract="false", ObjectKey="releases/{datetime}/{uuid}.zip"))

    go(account, sim)

    [key] = keys(account)
    assert key.startswith("releases/2026-03-02_09-00-") and key.endswith(".zip") and len(key) == 69
    assert body(account, key, "site") == pack(FILES)


@pytest.mark.parametrize(
    ("configuration", "code", "message"),
    [
        ({"Extract": "false"}, "ConfigurationError", "When the extract feature is disabled"),
        ({"Extract": "True"}, "ConfigurationError", "Invalid value for configuration property 'True': 'Extract'"),
        ({"BucketName": "elsewhere"}, "ConfigurationError", "'elsewhere' does not exist"),
    ],
)
def test_deploy_with_a_wrong_configuration(
    account: StandIn, configuration: dict[str, str], code: str, message: str
) -> None:
    source_bucket(account)
    site(account)
    sim = make(account, deploy(**configuration))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", code)
    assert message in ending(sim).message
    assert keys(account) == []


@pytest.mark.provider("Deploy/S3", "failure")
@pytest.mark.parametrize("broken", [b"no zip at all", pack(FILES)[:-30], pack(FILES)[:20] + pack(FILES)[25:]])
def test_deploy_of_a_broken_archive(account: StandIn, broken: bytes) -> None:
    source_bucket(account, broken)
    site(account)
    sim = make(account, deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert ending(sim).message == "The archive is malformed."


def test_deploy_of_an_archive_too_large(account: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "MOST_BYTES", 1_000_000)
    source_bucket(account, pack({f"{n}": bytes(400_000) for n in range(4)}))
    site(account)
    sim = make(account, deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "too large: it unpacks to 1600000 bytes" in ending(sim).message


def test_deploy_stops_at_a_name_that_climbs(account: StandIn) -> None:
    source_bucket(account, pack({"one.txt": b"1", "nested/../two.txt": b"2", "three.txt": b"3"}))
    site(account)
    sim = make(account, deploy())

    go(account, sim)

    assert ending(sim).message == "The file name nested/../two.txt contains invalid sequence: dot-dot-slash."
    assert keys(account) == ["one.txt"]


@pytest.mark.provider("Deploy/S3", "permission")
@pytest.mark.parametrize("taken", ["s3:PutObject", "s3:PutObjectAcl"])
def test_deploy_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    source_bucket(account)
    site(account)
    sim = make(account, deploy(CannedACL="public-read"))
    iam, statement = account.client("iam"), {"Effect": "Deny", "Action": taken, "Resource": "arn:aws:s3:::site/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="pipeline", PolicyName="taken", PolicyDocument=policy)

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert "permissions to call s3.putObject for the deployment bucket, site" in ending(sim).message
    assert f"is not authorized to perform: {taken}" in ending(sim).message
    iam.delete_role_policy(RoleName="pipeline", PolicyName="taken")
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Deploy/S3", "success")
def test_deploy_of_a_web_site(account: StandIn) -> None:
    source_bucket(account)
    s3 = site(account)
    s3.put_bucket_website(Bucket="site", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    sim = make(account, deploy(CannedACL="public-read", CacheControl="no-store", KMSEncryptionKeyARN=key))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).message) == ("Succeeded", "")
    index = s3.get_bucket_website(Bucket="site")["IndexDocument"]["Suffix"]
    page = s3.get_object(Bucket="site", Key=index)
    assert page["Body"].read() == FILES["index.html"]
    assert (page["CacheControl"], page["ServerSideEncryption"], page["SSEKMSKeyId"]) == ("no-store", "aws:kms", key)
    everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    grants = s3.get_object_acl(Bucket="site", Key=index)["Grants"]
    assert {"Grantee": everyone, "Permission": "READ"} in grants


@pytest.mark.provider("Deploy/S3", "permission")
def test_deploy_denied_by_the_bucket_heals(account: StandIn) -> None:
    source_bucket(account)
    s3 = site(account)
    _deny_site(account)
    sim = make(account, deploy())

    execution = go(account, sim)

    assert ending(sim).code == "PermissionError"
    assert ending(sim).message.startswith(
        "You do not have sufficient permissions to call s3.putObject for the deployment bucket,"
    )
    s3.put_object(Bucket="site", Key="by-hand", Body=b"")
    s3.delete_bucket_policy(Bucket="site")
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"
    assert len(outputs(sim, "Fetch")) == 1


@pytest.mark.provider("Deploy/S3", "input")
def test_missing_input_is_a_configuration_error(account: StandIn) -> None:
    source_bucket(account)
    site(account)
    sim = make(account, deploy(), Do=lasting(100))

    execution = go(account, sim, 50)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])
    account.advance(3600)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "ConfigurationError")
    assert "NoSuchKey" in ending(sim).message


def test_a_bucket_deleted_in_mid_flight(account: StandIn) -> None:
    source_bucket(account)
    site(account)
    sim = make(account, deploy(), Do=lasting(100))

    execution = go(account, sim, 50)
    _delete_bucket(account, BUCKET)
    account.advance(3600)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "ConfigurationError")
    assert f"The Amazon S3 bucket named {BUCKET} does not exist" in ending(sim).message


@pytest.mark.parametrize(("days", "ends"), [(2.9, "Succeeded"), (3.7, "Failed")])
def test_a_lifecycle_rule_takes_artifacts_away(account: StandIn, days: float, ends: str) -> None:
    source_bucket(account)
    site(account)
    account.client("s3").put_bucket_lifecycle_configuration(
        Bucket=BUCKET,
        LifecycleConfiguration={
            "Rules": [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "shop/"}, "Expiration": {"Days": 3}}]
        },
    )
    sim = make(account, deploy())
    _deny_site(account)
    execution = go(account, sim, days * 86400)
    account.client("s3").delete_bucket_policy(Bucket="site")

    retry(account, sim, execution)

    assert status(sim, execution) == ends
    if ends == "Failed":
        assert ending(sim).code == "ConfigurationError"


def _deny_site(account: StandIn) -> None:
    account.client("s3").put_bucket_policy(
        Bucket="site",
        Policy='{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS":'
        ' "arn:aws:iam::123456789012:role/pipeline"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::site/*"}]}',
    )


def _delete_bucket(account: StandIn, name: str) -> None:
    s3 = account.client("s3")
    listed = s3.list_object_versions(Bucket=name)
    for version in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=name)


def test_what_expires_is_gone_for_everybody() -> None:
    with Cloud() as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="old-things")
        s3.put_bucket_versioning(Bucket="old-things", VersioningConfiguration={"Status": "Enabled"})
        rule = {
            "ID": "old", "Status": "Enabled", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 1},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 2},
        }  # fmt: skip
        s3.put_bucket_lifecycle_configuration(Bucket="old-things", LifecycleConfiguration={"Rules": [rule]})
        for key in ("a", "b"):
            s3.put_object(Bucket="old-things", Key=key, Body=b"")

        cloud.advance(days=1.5)
        assert [one["Key"] for one in s3.list_objects_v2(Bucket="old-things")["Contents"]] == ["a", "b"]
        cloud.advance(days=1)

        assert [one["Key"] for one in s3.list_objects_v2(Bucket="old-things")["Contents"]] == ["b"]
        listed = s3.list_object_versions(Bucket="old-things", Prefix="a")
        assert listed["DeleteMarkers"][0]["LastModified"] == cloud.now.replace(microsecond=0)
        assert len(listed["Versions"]) == 1
        cloud.advance(days=4)
        assert "Versions" not in s3.list_object_versions(Bucket="old-things", Prefix="a")


def test_what_expires_is_gone_however_time_was_moved() -> None:
    with Cloud() as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="old-things")
        rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
        s3.put_bucket_lifecycle_configuration(Bucket="old-things", LifecycleConfiguration={"Rules": [rule]})
        s3.put_object(Bucket="old-things", Key="a", Body=b"")

        cloud.account.env.timeout(3 * 86400)
        cloud.account.env.run_while(lambda: True)

        assert cloud.time == 3 * 86400
        assert "Contents" not in s3.list_objects_v2(Bucket="old-things")
