"""InspectorScan: packages of sources and images, their vulnerabilities, and thresholds."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    files_of,
    go,
    make,
    outputs,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import BUCKET, StandIn

LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
PULLING = ("ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability")
SOURCE = {
    "requirements.txt": b"requests==2.30.0\nPyYAML==5.3\nflask>=2\n",
    "web/package.json": json.dumps({"dependencies": {"lodash": "^4.17.20", "react": "latest"}}).encode(),
}


def scan(**configuration: str) -> dict[str, Any]:
    return action(
        "Invoke",
        "InspectorScan",
        configuration={"InspectorRunMode": "SourceCodeScan", **configuration},
        inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Report"}],
        namespace="Scan",
    )


@pytest.mark.provider("Invoke/InspectorScan", "success")
def test_a_source_is_scanned(account: StandIn) -> None:
    source_bucket(account, pack(SOURCE))
    sim = make(account, scan())

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    assert sim.executions[execution].outputs["Scan"] == {"HighestScannedSeverity": "CRITICAL"}
    report = files_of(account, outputs(sim)[0]["Report"])
    packages = [one["purl"] for one in json.loads(report["inspector_sbom.json"])["components"]]
    assert packages == ["pkg:npm/lodash@4.17.20", "pkg:pypi/pyyaml@5.3", "pkg:pypi/requests@2.30.0"]
    rows = report["inspector_scan_report.csv"].decode().splitlines()[1:]
    assert {row.split(",")[0] for row in rows} == {
        "CVE-2020-14343", "CVE-2021-23337", "CVE-2023-32681", "CVE-2024-35195",
    }  # fmt: skip
    assert ending(sim).summary == "critical 1, high 1, medium 2, low 0"


@pytest.mark.provider("Invoke/InspectorScan", "failure")
def test_more_than_a_threshold_fails(account: StandIn) -> None:
    source_bucket(account, pack(SOURCE))
    sim = make(account, scan(MediumThreshold="1", CriticalThreshold="1"))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert ending(sim).message == "Vulnerability thresholds exceeded: 2 medium (threshold 1)."
    account.client("s3").put_object(
        Bucket="source", Key="app.zip", Body=pack({"requirements.txt": b"requests==2.32.0\n"})
    )
    clean = go(account, sim)
    assert sim.executions[clean].outputs["Scan"] == {"HighestScannedSeverity": "NONE"}


@pytest.mark.provider("Invoke/InspectorScan", "permission")
@pytest.mark.parametrize("taken", ["inspector-scan:ScanSbom", *LOGGING])
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    source_bucket(account, pack(SOURCE))
    needed = ("inspector-scan:ScanSbom", *LOGGING)
    sim = make(account, scan())
    allow(account, *BASE, *(one for one in needed if one != taken))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert f"is not authorized to perform: {taken}" in ending(sim).message
    allow(account, *BASE, *needed)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Invoke/InspectorScan", "input")
def test_a_missing_input(account: StandIn) -> None:
    source_bucket(account, pack(SOURCE))
    sim = make(account, scan(LowThreshold="0"))
    allow(account, *BASE)
    execution = go(account, sim)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert (ending(sim).code, "NoSuchKey" in ending(sim).message) == ("ConfigurationError", True)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"HighThreshold": "few"}, "HighThreshold is 'few': it must be a whole number."),
        ({"InspectorRunMode": "ECRImageScan"}, "ECRImageScan needs ECRRepositoryName."),
    ],
)
def test_a_wrong_configuration(account: StandIn, configuration: dict[str, str], message: str) -> None:
    source_bucket(account, pack(SOURCE))
    sim = make(account, scan(**configuration))

    go(account, sim)

    assert (ending(sim).code, ending(sim).message) == ("ConfigurationError", message)


def test_an_image_is_scanned_that_an_action_pushed(account: StandIn) -> None:
    source_bucket(account, pack({**SOURCE, "Dockerfile": b"FROM python:3.12"}))
    account.client("ecr").create_repository(repositoryName="shop")
    publish = action(
        "Build",
        "ECRBuildAndPublish",
        name="Push",
        configuration={"ECRRepositoryName": "shop", "ImageTags": "v1"},
        inputArtifacts=[{"name": "Code"}],
    )
    image = {"InspectorRunMode": "ECRImageScan", "ECRRepositoryName": "shop", "ImageTag": "v1"}
    look = {**scan(**image), "runOrder": 2}
    del look["inputArtifacts"]
    sim = make(account, publish, look)

    execution = go(account, sim)
    assert sim.executions[execution].outputs["Scan"] == {"HighestScannedSeverity": "CRITICAL"}
    account.client("ecr").batch_delete_image(repositoryName="shop", imageIds=[{"imageTag": "v1"}])
    allow(account, *BASE, *LOGGING, "inspector-scan:ScanSbom", "ecr:BatchGetImage")
    go(account, sim)

    assert ending(sim, name="Push").code == "PermissionError"


@pytest.mark.parametrize(
    ("taken", "code"), [(one, "PermissionError") for one in PULLING] + [("", "ConfigurationError")]
)
def test_an_image_must_be_there_and_open(account: StandIn, taken: str, code: str) -> None:
    source_bucket(account, pack(SOURCE))
    account.client("ecr").create_repository(repositoryName="shop")
    sim = make(account, scan(InspectorRunMode="ECRImageScan", ECRRepositoryName="shop", ImageTag="v1"))
    allow(account, *BASE, *LOGGING, "inspector-scan:ScanSbom", *(one for one in PULLING if one != taken))

    go(account, sim)

    assert ending(sim).code == code
    assert (taken or "The image shop:v1 does not exist") in ending(sim).message


def test_what_is_no_bill_of_materials_is_refused(account: StandIn) -> None:
    client = boto3.client("inspector-scan", region_name="us-east-1")

    with pytest.raises(ClientError) as caught:
        client.scan_sbom(sbom={"bomFormat": "SPDX"})

    assert caught.value.response["Error"]["Code"] == "ValidationException"
