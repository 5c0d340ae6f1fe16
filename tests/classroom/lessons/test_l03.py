"""Lesson 3: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob", "cleo", "dan", "eve")
STEPS = "GitHub -> CodeBuild -> S3 (Staging) -> CodeDeploy (Production)"


def mended(name: str, **inputs: str) -> dict[str, Any]:
    """The case with its outputs as they should be, and other inputs where named."""
    document: dict[str, Any] = ps.classroom.case("03-1", of=name).declaration
    document["stages"][1]["actions"][0]["outputArtifacts"] = [{"name": "BuildOutput"}]
    for stage in document["stages"][1:]:
        usual = "SourceOutput" if stage["name"] == "Build" else "BuildOutput"
        stage["actions"][0]["inputArtifacts"] = [{"name": inputs.get(stage["name"], usual)}]
    return document


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    assert ps.check(ps.classroom.case("03-1", of=name).declaration)
    assert "the service refuses it" in told("03-1", ps.classroom.case("03-1", of=name).declaration, name)
    assert "all right" in told("03-1", mended(name), name)
    assert "all right" in told("03-1", ps.load(STEPS), name)
    one = told("03-1", mended(name, Staging="SourceOutput"), name)
    assert "1 of 2 deployments put the source code" in one and "3 of 4 right" in one
    both = told("03-1", mended(name, Staging="SourceOutput", Production="SourceOutput"), name)
    assert "2 of 2 deployments put the source code" in both
    assert "the steps are" in told("03-1", ps.load("GitHub -> CodeBuild -> S3"), name)
    assert "no pipeline" in told("03-1", 7, name)


def test_the_faults_differ_between_learners() -> None:
    rules = {ps.check(ps.classroom.case("03-1", of=name).declaration)[0].rule for name in NAMES}

    assert len(rules) > 1


def written(name: str) -> tuple[list[tuple[float, int]], Any]:
    case = ps.classroom.case("03-2", of=name)
    noon = ps.days(case.noon_of_day) + ps.hours(12)
    trace = ps.simulate(case.pipeline, case.profile, seed=1, until=noon)
    return [(event.time, size) for event in trace for size in event.detail.get("sizes", {}).values()], case


@pytest.mark.parametrize("name", NAMES)
def test_how_full(name: str) -> None:
    objects, case = written(name)
    noon = case.noon_of_day + 0.5
    right = sum(size for time, size in objects if ceil(time / 86400 + case.kept_days) > noon) / 1e9
    everything = sum(size for _, size in objects) / 1e9
    at_once = sum(size for time, size in objects if time / 86400 + case.kept_days > noon) / 1e9
    without_failures = case.kept_days * 24 // case.every_hours * sum(case.megabytes.values()) / 1000

    assert "all right" in told("03-2", right, name)
    assert "all right" in told("03-2", f"{right:.2f}", name)
    assert "already removed the oldest" in told("03-2", everything, name)
    assert "the very minute" in told("03-2", at_once, name)
    assert "0 of 1 right" in told("03-2", without_failures, name)
    assert "megabytes or bytes" in told("03-2", right * 1e9, name)
    assert "too little" in told("03-2", right / 3, name)
    assert "ValueError" in told("03-2", "a lot", name)


def rules(prefix: str, days: int, noncurrent: int | None = 1, **more: Any) -> dict[str, Any]:
    rule: dict[str, Any] = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": days}}
    if noncurrent:
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": noncurrent}
    return {"Rules": [rule | more]}


@pytest.mark.parametrize("name", NAMES[:3])
def test_cleaning_up(name: str) -> None:
    case = ps.classroom.case("03-3", of=name)
    own, days = case.pipeline[:20], case.kept_days

    assert "all right" in told("03-3", rules(f"{own}/BuildOutpu/", days), name)
    assert "all right" in told("03-3", rules(f"{own}/Build", days, 2), name)
    hidden = told("03-3", rules(f"{own}/BuildOutpu/", days, None), name)
    assert "only hidden" in hidden and "4 of 5 right" in hidden
    assert "builds are gone" in told("03-3", rules(f"{own}/BuildOutpu/", days - 2), name)
    assert "are still there, such as" in told("03-3", rules(f"{own}/BuildOutpu/", days + 2), name)
    assert "are still there, such as" in told("03-3", rules(f"{case.pipeline}/BuildOutput/", days), name)
    assert "are still there, such as" in told("03-3", rules(f"{own}/BuildOutpu/", days, Status="Disabled"), name)
    assert "the source's among them" in told("03-3", rules(f"{own}/", days), name)
    assert "the neighbour's among them" in told("03-3", rules("", days), name)
    assert "S3 refuses it" in told("03-3", {"Rules": [{"ID": "r"}]}, name)
    assert "S3 refuses it" in told("03-3", {"rules": []}, name)


def test_cleaning_up_with_a_cloud_left_open() -> None:
    with ps.Cloud(actions="assumed"):
        assert "pipesim says: another cloud is open" in told("03-3", rules("x", 3))


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_key(name: str) -> None:
    case = ps.classroom.case("03-4", of=name)
    document = case.pipeline.to_document()
    store = document["artifactStore"]
    right = document | {"artifactStore": store | {"encryptionKey": {"id": case.alias, "type": "KMS"}}}
    other = document | {"artifactStore": store | {"encryptionKey": {"id": "alias/another", "type": "KMS"}}}

    assert "all right" in told("03-4", (right, {case.alias}), name)
    assert "there is none yet" in told("03-4", (right, set()), name)
    assert "S3 does not say alias/another" in told("03-4", (right, {"alias/another"}), name)
    assert "ordinary key for S3" in told("03-4", (document, {None}), name)
    assert "the others have alias/another" in told("03-4", (other, {"alias/another"}), name)
    misplaced = document | {"encryptionKey": {"id": case.alias, "type": "KMS"}}
    assert "encryptionKey" in told("03-4", (misplaced, {case.alias}), name)
    assert "0 of 4 right" in told("03-4", document["name"], name)
