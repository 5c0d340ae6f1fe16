"""The S3 deployment as answers of the service show it: what is admitted, what is written, and how it fails.

Source: recorded answers of the service (docs/fidelity.md says how far they can be trusted).
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud
from tests.cloud.shop import Shop, action, refusal, source, stage, unchecked
from tests.cloud.test_conformance import put_code

MIME = {
    "README": "application/octet-stream",
    "UPPER.HTML": "text/html",
    "app.js": "application/x-javascript",
    "asset.bin": "application/octet-stream",
    "config.xml": "application/xml",
    "font.woff2": "application/octet-stream",
    "image.jpg": "image/jpeg",
    "image.png": "image/png",
    "image.svg": "image/svg+xml",
    "index.html": "text/html",
    "nested/config.json": "application/json",
    "plain.txt": "text/plain",
    "source.map": "application/octet-stream",
    "style.css": "text/css",
}
IMPOSSIBLE = "Action configuration for action 'Deploy' {0}"


@pytest.fixture
def yard() -> Iterator[Shop]:
    """A cloud with real actions, three versioned buckets and a role that may do everything."""
    with Cloud(seed=1) as cloud:
        shop = Shop(cloud)
        put_code(shop)
        yield shop


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, body in entries:
            archive.writestr(name, body)
    return packed.getvalue()


def run(shop: Shop, body: bytes | None = None, **configuration: str) -> dict[str, Any]:
    """Deploy a source object; what the state says of the deployment's newest run."""
    if body is not None:
        shop.cloud.client("s3").put_object(Bucket="code", Key="code.zip", Body=body)
    create(shop, BucketName="site", **configuration)
    shop.idle()
    return dict(shop.action_state("Deploy", "Deploy")["latestExecution"])


def create(shop: Shop, **configuration: str) -> None:
    deploy = action("Deploy", "S3", "Deploy", configuration=configuration, inputArtifacts=[{"name": "Code"}])
    shop.create(stage("Source", source()), stage("Deploy", deploy))


def written(shop: Shop) -> list[str]:
    listed = shop.cloud.client("s3").list_objects_v2(Bucket="site")
    return [each["Key"] for each in listed.get("Contents", [])]


def test_what_is_admitted(yard: Shop) -> None:
    for configuration, code, message in (
        ({"Extract": "true"}, "InvalidActionDeclarationException", "is missing required configuration 'BucketName'"),
        ({"BucketName": "site"}, "InvalidActionDeclarationException", "is missing required configuration 'Extract'"),
        (
            {"BucketName": "site", "Extract": "true", "Unknown": "x"},
            "InvalidActionDeclarationException",
            "contains unknown configuration 'Unknown'",
        ),
        (
            {"BucketName": "site", "Extract": "true", "ContentType": "text/html"},
            "InvalidActionDeclarationException",
            "contains unknown configuration 'ContentType'",
        ),
        ({"BucketName": "site", "Extract": ""}, "ValidationException", None),
    ):
        with pytest.raises(ClientError) as error:
            create(Shop(yard.cloud, unchecked()), **configuration)
        assert refusal(error.value)[0] == code
        if message is None:
            assert "length greater than or equal to 1" in refusal(error.value)[1]
        else:
            assert refusal(error.value)[1] == IMPOSSIBLE.format(message)


@pytest.mark.parametrize("word", ["True", "TRUE", "False", "FALSE", "1", "0", "yes", " true ", "null"])
def test_extract_is_judged_when_it_runs(yard: Shop, word: str) -> None:
    latest = run(yard, Extract=word)

    assert latest["status"] == "Failed"
    assert latest["errorDetails"] == {
        "code": "ConfigurationError",
        "message": f"Invalid value for configuration property '{word}': 'Extract'. Edit your pipeline and set"
        " 'Extract' to either 'true' or 'false'.",
    }


def test_one_object_without_a_key(yard: Shop) -> None:
    latest = run(yard, Extract="false")

    assert latest["errorDetails"] == {
        "code": "ConfigurationError",
        "message": "When the extract feature is disabled, you must provide an object. Edit your pipeline to fix the"
        " configuration.",
    }
    assert written(yard) == []


def test_one_object_is_the_sources_bytes(yard: Shop) -> None:
    body = zipped(("index.html", b"hello"), ("image.png", b"x"))
    latest = run(yard, body, Extract="false", ObjectKey="raw/source.zip")
    stored = yard.cloud.client("s3").get_object(Bucket="site", Key="raw/source.zip")

    assert (latest["status"], latest["summary"]) == ("Succeeded", "Deployment Succeeded")
    assert latest["externalExecutionId"] == "site/raw/source.zip"
    assert stored["Body"].read() == body
    assert stored["ContentType"] == "application/octet-stream"


def test_files_folders_and_content_types(yard: Shop) -> None:
    body = zipped(("nested/", b""), *((name, b"plain text") for name in MIME))
    latest = run(yard, body, Extract="true", CacheControl="private, max-age=60", CannedACL="private")
    s3 = yard.cloud.client("s3")

    assert latest["externalExecutionId"] == "site"
    assert written(yard) == sorted(MIME)
    heads = {name: s3.head_object(Bucket="site", Key=name) for name in MIME}
    assert {name: head["ContentType"] for name, head in heads.items()} == MIME
    assert {head["CacheControl"] for head in heads.values()} == {"private, max-age=60"}
    (grant,) = s3.get_object_acl(Bucket="site", Key="index.html")["Grants"]
    assert grant["Permission"] == "FULL_CONTROL"


def test_a_prefix_is_put_in_front_with_its_slash(yard: Shop) -> None:
    latest = run(yard, zipped(("index.html", b"a"), ("nested/config.json", b"b")), Extract="true", ObjectKey="prefix/")

    assert written(yard) == ["prefix//index.html", "prefix//nested/config.json"]
    assert latest["externalExecutionId"] == "site/prefix/"


def test_a_key_of_the_account_encrypts(yard: Shop) -> None:
    key = yard.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    body = zipped(("a", b"a"))
    run(yard, body, Extract="false", ObjectKey="kms/source.zip", KMSEncryptionKeyARN=key)
    stored = yard.cloud.client("s3").get_object(Bucket="site", Key="kms/source.zip")

    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", key)
    assert stored["Body"].read() == body


def test_no_zip(yard: Shop) -> None:
    latest = run(yard, b"this is no zip", Extract="true")

    assert latest["errorDetails"] == {"code": "JobFailed", "message": "The archive is malformed."}


def test_strange_names_are_written_one_after_the_other(yard: Shop) -> None:
    link = zipfile.ZipInfo("nested/link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    body = zipped(
        ("/leading.txt", b"leading"),
        (link, b"../target.txt"),
        ("duplicate.txt", b"first duplicate\n"),
        ("duplicate.txt", b"last duplicate\n"),
        ("windows\\key.txt", b"backslash"),
        ("nested/../relative.txt", b"relative"),
        ("never.txt", b"never"),
    )
    latest = run(yard, body, Extract="true")
    s3 = yard.cloud.client("s3")

    assert latest["errorDetails"] == {
        "code": "ConfigurationError",
        "message": "The file name nested/../relative.txt contains invalid sequence: dot-dot-slash.",
    }
    assert written(yard) == ["/leading.txt", "duplicate.txt", "nested/link", "windows/key.txt"]
    assert s3.get_object(Bucket="site", Key="/leading.txt")["Body"].read() == b"leading"
    assert s3.get_object(Bucket="site", Key="nested/link")["Body"].read() == b"../target.txt"
    versions = s3.list_object_versions(Bucket="site", Prefix="duplicate.txt")["Versions"]
    assert len(versions) == 2
    assert s3.get_object(Bucket="site", Key="duplicate.txt")["Body"].read() == b"last duplicate\n"


def test_a_denied_deployment_and_its_retry(yard: Shop) -> None:
    s3 = yard.cloud.client("s3")
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": yard.role},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::site/*",
    }
    s3.put_bucket_policy(Bucket="site", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    denied = run(yard, Extract="true")
    execution = yard.newest()
    assert yard.execution(execution)["status"] == "Failed"
    assert denied["errorDetails"]["code"] == "PermissionError"
    assert denied["errorDetails"]["message"].startswith(
        "You do not have sufficient permissions to call s3.putObject for the deployment bucket,"
    )
    fetched = of_source(yard)
    s3.delete_bucket_policy(Bucket="site")

    assert yard.retry("Deploy", execution) == execution
    yard.idle()
    assert yard.execution(execution)["status"] == "Succeeded"
    assert of_source(yard) == fetched
    assert len(fetched) == 1


def of_source(shop: Shop) -> list[dict[str, Any]]:
    return [row for row in shop.actions() if row["stageName"] == "Source"]
