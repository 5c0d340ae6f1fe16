"""What Device Farm keeps. Times are seconds since the epoch; ARNs are of the account and the region of the call.

A run is scheduled and stays so until somebody ends it with `Run.end`: the action of a pipeline does, and a run that
nobody ends has passed when it is looked at. Source: AWS Device Farm API reference.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random

from pipesim.cloud.gaps.devicefarm.exceptions import ArgumentException, NotFoundException

T = TypeVar("T")

SUITES = ("Setup Suite", "Tests", "Teardown Suite")
"""The suites of every job; each counts as one test here."""


@dataclass(slots=True)
class Run:
    """One run of an app's tests on the devices of a pool.

    Attributes:
        told: what GetRun answers.
        jobs: what ListJobs answers, a job for each device.
        driven: whether somebody will end it.
    """

    told: dict[str, Any]
    jobs: list[dict[str, Any]]
    driven: bool = False

    def begin(self) -> None:
        """The devices are at work."""
        self.driven = True
        for one in (self.told, *self.jobs):
            one.update(status="RUNNING", started=unix_time())

    def end(self, broken: Mapping[str, str]) -> None:
        """Every device is done.

        Args:
            broken: what went wrong, by the name of the device.
        """
        for job in self.jobs:
            message = broken.get(job["device"]["name"], "")
            counters = _counters(len(SUITES), failed=bool(message))
            job.update(status="COMPLETED", result="FAILED" if message else "PASSED", stopped=unix_time())
            job.update(counters=counters, message=message or "Successful test lifecycle of Setup Suite")
        keys = self.jobs[0]["counters"] if self.jobs else {}
        self.told.update(
            status="COMPLETED",
            result="FAILED" if any(job["result"] == "FAILED" for job in self.jobs) else "PASSED",
            stopped=unix_time(),
            counters={key: sum(job["counters"][key] for job in self.jobs) for key in keys},
            completedJobs=len(self.jobs),
        )


@dataclass(slots=True)
class Project:
    """One project.

    Attributes:
        told: what GetProject answers.
        pools, uploads: what was made in it, by ARN.
        runs: its runs by ARN, the oldest first.
    """

    told: dict[str, Any]
    pools: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)


class DeviceFarmBackend(BaseBackend):
    """The farm as one account sees it."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.projects: dict[str, Project] = {}

    def create_project(self, name: str, arn: str | None = None) -> Project:
        """Make a project; it has no pool yet."""
        arn = arn or self._arn("project", str(mock_random.uuid4()))
        self.projects[arn] = Project({"arn": arn, "name": name, "created": unix_time()})
        return self.projects[arn]

    def project(self, arn: str) -> Project:
        """Return a project; raise NotFoundException when there is none."""
        return _found(self.projects, arn)

    def create_pool(
        self, project: str, name: str, rules: list[dict[str, Any]], most: int | None, arn: str | None = None
    ) -> dict[str, Any]:
        """Make a pool of the devices that obey all rules."""
        found = self.project(project)
        arn = arn or self._part("devicepool", project)
        pool: dict[str, Any] = {"arn": arn, "name": name, "type": "PRIVATE", "rules": rules}
        if most is not None:
            pool["maxDevices"] = most
        if not self._members(pool):
            raise ArgumentException("No device obeys the rules of the pool.")
        found.pools[arn] = pool
        return pool

    def pool(self, arn: str) -> dict[str, Any]:
        """Return a pool."""
        return _found({key: pool for one in self.projects.values() for key, pool in one.pools.items()}, arn)

    def upload(self, project: str, name: str, type: str) -> dict[str, Any]:
        """Take a file in; it is processed at once."""
        found = self.project(project)
        arn = self._part("upload", project)
        address = f"https://prod-us-west-2-uploads.s3.amazonaws.com/{arn.rsplit(':', 1)[-1]}/{name}"
        found.uploads[arn] = {
            "arn": arn, "name": name, "created": unix_time(), "type": type, "status": "SUCCEEDED", "url": address,
            "category": "PRIVATE",
        }  # fmt: skip
        return found.uploads[arn]

    def uploaded(self, arn: str) -> dict[str, Any]:
        """Return an upload."""
        return _found({key: one for project in self.projects.values() for key, one in project.uploads.items()}, arn)

    def schedule(
        self, project: str, pool: str, test: Mapping[str, Any], *, name: str, app: str | None, minutes: int | None
    ) -> Run:
        """Plan a run on every device of a pool."""
        found, members = self.project(project), self._members(self.pool(pool))
        if app is not None:
            self.uploaded(app)
        if package := test.get("testPackageArn"):
            self.uploaded(package)
        arn = self._part("run", project)
        shared = {"type": test["type"], "created": unix_time(), "status": "SCHEDULING", "result": "PENDING"}
        jobs = [
            {
                "arn": arn.replace(":run:", ":job:") + f"/{number:05d}",
                "name": device["name"],
                "device": device,
                **shared,
                "counters": _counters(0),
            }
            for number, device in enumerate(members)
        ]
        told = {
            "arn": arn,
            "name": name,
            "platform": members[0]["platform"],
            **shared,
            "counters": _counters(0),
            "totalJobs": len(jobs),
            "completedJobs": 0,
            "devicePoolArn": pool,
            "jobTimeoutMinutes": minutes or 150,
        }
        if app is not None:
            told["appUpload"] = app
        found.runs[arn] = Run(told, jobs)
        return found.runs[arn]

    def run(self, arn: str) -> Run:
        """Return a run; one that nobody drives is over by now."""
        run = _found({key: run for one in self.projects.values() for key, run in one.runs.items()}, arn)
        if not run.driven and run.told["status"] != "COMPLETED":
            run.end({})
        return run

    def devices(self) -> list[dict[str, Any]]:
        """Every device of the farm."""
        return [
            {
                "arn": f"arn:aws:devicefarm:{self.region_name}::device:{number:032X}",
                **device,
                "availability": "AVAILABLE",
            }
            for number, device in enumerate(known_devices(), 1)
        ]

    def _members(self, pool: Mapping[str, Any]) -> list[dict[str, Any]]:
        obeying = [device for device in self.devices() if all(_obeys(device, rule) for rule in pool["rules"])]
        return obeying[: pool.get("maxDevices")]

    def _arn(self, kind: str, rest: str) -> str:
        return f"arn:aws:devicefarm:{self.region_name}:{self.account_id}:{kind}:{rest}"

    def _part(self, kind: str, project: str) -> str:
        return self._arn(kind, f"{project.rsplit(':', 1)[-1]}/{mock_random.uuid4()}")


@cache
def known_devices() -> tuple[dict[str, str], ...]:
    """The devices that the farm has."""
    text = files("pipesim.cloud.gaps.devicefarm").joinpath("devices.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["device"])


def _found(things: Mapping[str, T], arn: str) -> T:
    if arn not in things:
        raise NotFoundException(arn)
    return things[arn]


def _counters(total: int, *, failed: bool = False) -> dict[str, int]:
    return {
        "total": total, "passed": total - failed, "failed": int(failed), "warned": 0, "errored": 0, "stopped": 0,
        "skipped": 0,
    }  # fmt: skip


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _obeys(device: Mapping[str, str], rule: Mapping[str, str]) -> bool:
    """Whether a device obeys one rule of a pool; a rule about anything else holds for every device."""
    name = ATTRIBUTES.get(rule["attribute"])
    if name is None:
        return True
    wanted = json.loads(rule["value"])
    if rule["attribute"] == "OS_VERSION":
        listed = [_version(one) for one in wanted] if isinstance(wanted, list) else _version(wanted)
        return OPERATORS[rule["operator"]](_version(device[name]), listed)
    return OPERATORS[rule["operator"]](device[name], wanted)


ATTRIBUTES = {
    "ARN": "arn",
    "PLATFORM": "platform",
    "FORM_FACTOR": "formFactor",
    "MANUFACTURER": "manufacturer",
    "MODEL": "model",
    "OS_VERSION": "os",
    "AVAILABILITY": "availability",
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUALS": lambda has, wanted: bool(has == wanted),
    "LESS_THAN": lambda has, wanted: bool(has < wanted),
    "LESS_THAN_OR_EQUALS": lambda has, wanted: bool(has <= wanted),
    "GREATER_THAN": lambda has, wanted: bool(has > wanted),
    "GREATER_THAN_OR_EQUALS": lambda has, wanted: bool(has >= wanted),
    "IN": lambda has, wanted: has in wanted,
    "NOT_IN": lambda has, wanted: has not in wanted,
    "CONTAINS": lambda has, wanted: wanted in has,
}

devicefarm_backends = BackendDict(DeviceFarmBackend, "devicefarm", additional_regions=["us-east-1"])
