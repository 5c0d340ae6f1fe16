"""CodeBuild: batches, several inputs, test reports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipesim.assumptions.model import ActionAssumption
from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    files_of,
    go,
    lacks_and_heals,
    lasting,
    make,
    outputs,
    retry,
    source_bucket,
    status,
)
from tests.cloud.actions.test_codebuild import BUILD_ROLE, BUILDING, SOURCE, SPEC, build, messages, project
from tests.cloud.standin import BUCKET, StandIn

NEEDED = ("codebuild:StartBuildBatch", "codebuild:BatchGetBuildBatches")
BATCH = b"""version: 0.2
env: {exported-variables: [CODEBUILD_BATCH_BUILD_IDENTIFIER, LEVEL]}
batch:
  build-graph:
    - identifier: both
      depend-on: [linux, windows]
    - identifier: linux
      env: {variables: {LEVEL: debug}}
    - identifier: windows
      buildspec: windows.yml
phases:
  build: {commands: [make]}
artifacts: {files: ['out.bin']}
"""
WINDOWS = b"version: 0.2\nphases: {build: {commands: [nmake]}}\nartifacts: {files: [win.exe]}\n"
FILES = {"buildspec.yml": BATCH, "windows.yml": WINDOWS}
JUNIT = b"""<testsuite name="shop"><testcase classname="cart" name="adds" time="0.5"/>
<testcase classname="cart" name="pays" time="1.5"><failure message="declined"/></testcase>
<testcase classname="cart" name="ships"><skipped/></testcase></testsuite>"""


def checking(**members: Any) -> dict[str, Any]:
    """The same action in the category of tests."""
    return {**build(**members), "actionTypeId": {**build()["actionTypeId"], "category": "Test"}}


def batch(**configuration: str) -> dict[str, Any]:
    return build(configuration={"BatchEnabled": "true", **configuration})


def batching(account: StandIn, files: dict[str, bytes] = FILES, **members: Any) -> Any:
    client = project(account, files, buildBatchConfig={"serviceRole": BUILD_ROLE}, **members)
    allow(account, *BUILDING, "codebuild:StartBuild", role="build")
    return client


@pytest.mark.provider("Build/CodeBuild", "success")
@pytest.mark.parametrize("combined", [True, False])
def test_a_batch_runs_its_builds_when_their_turn_comes(account: StandIn, combined: bool) -> None:
    client = batching(account)
    sim = make(account, batch(CombineArtifacts=str(combined).lower()), Do=lasting(100))

    execution = go(account, sim, 150)
    [id] = client.list_build_batches_for_project(projectName="app")["ids"]
    [halfway] = client.batch_get_build_batches(ids=[id])["buildBatches"]
    account.advance(600)
    [ended] = client.batch_get_build_batches(ids=[id])["buildBatches"]

    assert (halfway["buildBatchStatus"], halfway["currentPhase"]) == ("IN_PROGRESS", "IN_PROGRESS")
    assert [group["identifier"] for group in halfway["buildGroups"]] == ["linux", "windows", "both"]
    assert (ended["buildBatchStatus"], ended["complete"], status(sim, execution)) == ("SUCCEEDED", True, "Succeeded")
    assert (ended["endTime"] - ended["startTime"]).total_seconds() == 200
    assert ending(sim).external_id == id
    assert {group["currentBuildSummary"]["buildStatus"] for group in ended["buildGroups"]} == {"SUCCEEDED"}
    [written] = outputs(sim)
    wanted = {"out.bin", "win.exe"} if combined else {"linux/out.bin", "both/out.bin", "windows/win.exe"}
    assert set(files_of(account, written["Built"])) == wanted
    assert len(client.list_builds_for_project(projectName="app")["ids"]) == 3
    assert sim.executions[execution].outputs["Build"]["CODEBUILD_BATCH_BUILD_IDENTIFIER"] == "both"


@pytest.mark.provider("Build/CodeBuild", "failure")
def test_a_build_that_fails_fails_the_batch_and_those_that_wait_for_it(account: StandIn) -> None:
    client = batching(account, {**FILES, "windows.yml": WINDOWS.replace(b"nmake", b"exit 2")})
    sim = make(account, batch())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "windows: Build terminated with state: FAILED. Phase: BUILD" in ending(sim).message
    assert "executing command: exit 2. Reason: exit status 2" in ending(sim).message
    [told] = client.batch_get_build_batches(ids=[ending(sim).external_id])["buildBatches"]
    statuses = {group["identifier"]: group["currentBuildSummary"]["buildStatus"] for group in told["buildGroups"]}
    assert statuses == {"linux": "SUCCEEDED", "windows": "FAILED", "both": "STOPPED"}
    assert not outputs(sim)


def test_a_failure_that_is_ignored(account: StandIn) -> None:
    spec = b"batch: {build-list: [{identifier: a}, {identifier: b, ignore-failure: true}]}"
    batching(account, {"buildspec.yml": spec})
    sim = make(account, batch(), Do=ActionAssumption(fails_on=(1,)))

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"


def test_a_matrix_of_builds(account: StandIn) -> None:
    spec = b"batch: {build-matrix: {dynamic: {env: {variables: {PYTHON: ['3.11', '3.12'], OS: [a, b, c]}}}}}"
    client = batching(account, {"buildspec.yml": spec})
    sim = make(account, batch())

    go(account, sim)

    ids = client.list_builds_for_project(projectName="app")["ids"]
    given = [
        {one["name"]: one["value"] for one in told["environment"]["environmentVariables"]}
        for told in client.batch_get_builds(ids=ids)["builds"]
    ]
    assert {(one["PYTHON"], one["OS"]) for one in given} == {(p, o) for p in ("3.11", "3.12") for o in "abc"}


@pytest.mark.provider("Build/CodeBuild", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_the_permissions_of_batches_and_heals(account: StandIn, taken: str) -> None:
    batching(account)
    sim = make(account, batch())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


def test_the_role_of_batches_starts_the_builds(account: StandIn) -> None:
    batching(account)
    allow(account, *BUILDING, role="build")
    sim = make(account, batch())

    go(account, sim)

    assert "is not authorized to perform: codebuild:StartBuild" in ending(sim).message


@pytest.mark.provider("Build/CodeBuild", "input")
def test_an_input_that_is_gone(account: StandIn) -> None:
    batching(account)
    sim = make(account, batch())
    allow(account, *BASE)
    execution = go(account, sim)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert (ending(sim).code, "NoSuchKey" in ending(sim).message) == ("ConfigurationError", True)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (b"version: 0.2", "the buildspec has no 'batch' section"),
        (b"batch: {build-list: [{env: {}}]}", "not written as a build-graph, build-list or build-matrix"),
        (b"batch: {build-graph: [{identifier: a, depend-on: [b]}]}", "wait for each other, or for none: a"),
    ],
)
def test_a_buildspec_without_a_good_batch(account: StandIn, spec: bytes, message: str) -> None:
    batching(account, {"buildspec.yml": spec})
    sim = make(account, batch())

    go(account, sim)

    assert "Phase: DOWNLOAD_BATCHSPEC, Code: YAML_FILE_ERROR" in ending(sim).message
    assert message in ending(sim).message


def test_a_project_without_batches(account: StandIn) -> None:
    project(account, FILES)
    sim = make(account, batch())

    go(account, sim)

    assert "Error calling startBuildBatch: Project does not have a batch configuration" in ending(sim).message


def test_several_inputs_have_a_primary_source(account: StandIn) -> None:
    client = project(account)
    source_bucket(account, pack({"buildspec.yml": SPEC, "lib.js": b""}), "library")
    more = action(
        "Build",
        "CodeBuild",
        configuration={"ProjectName": "app", "PrimarySource": "Code"},
        inputArtifacts=[{"name": "Made"}, {"name": "Code"}],
        outputArtifacts=[{"name": "Built"}],
        runOrder=2,
    )
    first = build(configuration={})
    first |= {"name": "First", "outputArtifacts": [{"name": "Made"}], "namespace": "First"}
    sim = make(account, first, more)

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    [told] = client.batch_get_builds(ids=[ending(sim).external_id])["builds"]
    assert [one["sourceIdentifier"] for one in told["secondarySources"]] == ["Made"]
    assert "/Code/" in told["sourceVersion"]
    assert set(files_of(account, outputs(sim)[0]["Built"])) == {"site/index.html", "site/css/main.css", "bundle.js"}


REPORTS = SPEC + b"reports: {unit: {files: ['junit.xml']}}\n"
REPORTING = ("codebuild:CreateReportGroup", "codebuild:CreateReport", "codebuild:BatchPutTestCases",
             "codebuild:UpdateReport")  # fmt: skip


@pytest.mark.provider("Test/CodeBuild", "success")
def test_a_report_has_the_cases_of_a_junit_file(account: StandIn) -> None:
    client = project(account, {**SOURCE, "buildspec.yml": REPORTS, "junit.xml": JUNIT})
    allow(account, *BUILDING, *REPORTING, role="build")
    sim = make(account, checking())

    execution = go(account, sim)

    assert status(sim, execution) == "Succeeded"
    [group] = client.list_report_groups()["reportGroups"]
    assert group.endswith(":report-group/app-unit")
    [arn] = client.list_reports_for_report_group(reportGroupArn=group)["reports"]
    [report] = client.batch_get_reports(reportArns=[arn])["reports"]
    assert (report["status"], report["testSummary"]["total"]) == ("FAILED", 3)
    assert report["testSummary"]["statusCounts"] == {"SUCCEEDED": 1, "FAILED": 1, "SKIPPED": 1}
    assert report["executionId"].endswith(ending(sim).external_id)
    cases = client.describe_test_cases(reportArn=arn)["testCases"]
    assert [(one["name"], one["status"], one["message"]) for one in cases][1] == ("pays", "FAILED", "declined")
    [told] = client.batch_get_builds(ids=[ending(sim).external_id])["builds"]
    assert told["reportArns"] == [arn]


@pytest.mark.provider("Test/CodeBuild", "failure")
def test_a_test_that_fails_is_the_last_case_of_its_report(account: StandIn) -> None:
    client = project(account, {**SOURCE, "buildspec.yml": REPORTS})
    allow(account, *BUILDING, *REPORTING, role="build")
    sim = make(account, checking(), Do=ActionAssumption(fails_on=(1,)))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    [arn] = client.list_reports()["reports"]
    cases = client.describe_test_cases(reportArn=arn)["testCases"]
    assert [(one["name"], one["status"]) for one in cases] == [("npm test", "SUCCEEDED"), ("npm run build", "FAILED")]


@pytest.mark.provider("Test/CodeBuild", "permission")
def test_without_the_permission_there_is_no_report_and_without_the_build_no_test(account: StandIn) -> None:
    client = project(account, {**SOURCE, "buildspec.yml": REPORTS})
    sim = make(account, checking())
    allow(account, *BASE, "codebuild:BatchGetBuilds")

    execution = go(account, sim)
    assert ending(sim).code == "PermissionError"
    assert "is not authorized to perform: codebuild:StartBuild" in ending(sim).message
    allow(account, *BASE, "codebuild:BatchGetBuilds", "codebuild:StartBuild")
    retry(account, sim, execution)

    assert status(sim, execution) == "Succeeded"
    assert not client.list_reports()["reports"]
    said = [line for line in messages(account, ending(sim).external_id) if "report unit" in line]
    assert len(said) == 1 and "codebuild:CreateReportGroup" in said[0]


@pytest.mark.provider("Test/CodeBuild", "input")
def test_an_input_of_a_test_that_is_gone(account: StandIn) -> None:
    project(account)
    allow(account, *BASE)
    sim = make(account, checking())
    execution = go(account, sim)
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])

    retry(account, sim, execution)

    assert (ending(sim).code, "NoSuchKey" in ending(sim).message) == ("ConfigurationError", True)


def test_report_groups_are_made_by_hand_too(account: StandIn) -> None:
    client = project(account)

    made = client.create_report_group(name="load", type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"})

    arn = made["reportGroup"]["arn"]
    assert client.batch_get_report_groups(reportGroupArns=[arn, "x"])["reportGroupsNotFound"] == ["x"]
    assert json.dumps(client.list_report_groups()["reportGroups"]) == f'["{arn}"]'
