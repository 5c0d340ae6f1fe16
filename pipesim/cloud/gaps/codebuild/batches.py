"""Batches of builds. Source: AWS CodeBuild API reference, BuildBatch; User Guide, "Run builds in batches"."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from moto.codebuild.models import CodeBuildBackend
from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.moto_api._internal import mock_random

CONFIGURATION = "buildBatchConfig"

_batches: WeakKeyDictionary[CodeBuildBackend, dict[str, dict[str, Any]]] = WeakKeyDictionary()


def batches_of(backend: CodeBuildBackend) -> dict[str, dict[str, Any]]:
    """The batches that belong to moto's backend, by id, the oldest first."""
    return _batches.setdefault(backend, {})


def start(backend: CodeBuildBackend, project: dict[str, Any], source_version: str) -> dict[str, Any]:
    """Start a batch; somebody else starts its builds.

    Args:
        backend: moto's.
        project: moto's description of the project.
        source_version: what is built.
    """
    known, id = batches_of(backend), f"{project['name']}:{mock_random.uuid4()}"
    now = iso_8601_datetime_with_milliseconds()
    number = 1 + sum(one["projectName"] == project["name"] for one in known.values())
    known[id] = {
        "id": id,
        "arn": f"arn:aws:codebuild:{backend.region_name}:{backend.account_id}:build-batch/{id}",
        "projectName": project["name"],
        "buildBatchNumber": number,
        "buildBatchStatus": "IN_PROGRESS",
        "currentPhase": "SUBMITTED",
        "startTime": now,
        "sourceVersion": source_version,
        "complete": False,
        "initiator": "rootme",
        "serviceRole": project["serviceRole"],
        CONFIGURATION: project.get(CONFIGURATION, {}),
        "phases": [{"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED", "startTime": now, "endTime": now}],
        "buildGroups": [],
    }
    return known[id]


def enter(batch: dict[str, Any], phase: str) -> None:
    """A batch comes into its next phase."""
    now = iso_8601_datetime_with_milliseconds()
    last = batch["phases"][-1]
    last.setdefault("endTime", now)
    last.setdefault("phaseStatus", "SUCCEEDED")
    batch["phases"].append({"phaseType": phase, "startTime": now})
    batch["currentPhase"] = phase


def end(batch: dict[str, Any], status: str) -> None:
    """A batch is over."""
    if status != "SUCCEEDED":
        batch["phases"][-1]["phaseStatus"] = status
    enter(batch, status if status != "TIMED_OUT" else "FAILED")
    batch.update(buildBatchStatus=status, complete=True, endTime=batch["phases"][-1]["startTime"])
