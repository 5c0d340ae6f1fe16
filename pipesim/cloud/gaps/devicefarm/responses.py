"""Device Farm's operations, as far as a pipeline and its people need them.

Source: AWS Device Farm API reference; botocore's Device Farm model.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import BaseResponse

from pipesim.cloud.gaps.devicefarm.models import DeviceFarmBackend, devicefarm_backends


class DeviceFarmResponse(BaseResponse):
    """Each method is one operation."""

    def __init__(self) -> None:
        super().__init__(service_name="devicefarm")

    @property
    def backend(self) -> DeviceFarmBackend:
        """The farm as the caller's account sees it."""
        found: DeviceFarmBackend = devicefarm_backends[self.current_account][self.region]
        return found

    def create_project(self) -> str:
        """CreateProject."""
        return json.dumps({"project": self.backend.create_project(self._given()["name"]).told})

    def get_project(self) -> str:
        """GetProject."""
        return json.dumps({"project": self.backend.project(self._given()["arn"]).told})

    def list_projects(self) -> str:
        """ListProjects: all of them, or the one of an ARN."""
        arn = self._given().get("arn")
        listed = [self.backend.project(arn)] if arn else list(self.backend.projects.values())
        return json.dumps({"projects": [one.told for one in listed]})

    def list_devices(self) -> str:
        """ListDevices."""
        return json.dumps({"devices": self.backend.devices()})

    def create_device_pool(self) -> str:
        """CreateDevicePool."""
        given = self._given()
        pool = self.backend.create_pool(given["projectArn"], given["name"], given["rules"], given.get("maxDevices"))
        return json.dumps({"devicePool": pool})

    def get_device_pool(self) -> str:
        """GetDevicePool."""
        return json.dumps({"devicePool": self.backend.pool(self._given()["arn"])})

    def list_device_pools(self) -> str:
        """ListDevicePools."""
        return json.dumps({"devicePools": list(self.backend.project(self._given()["arn"]).pools.values())})

    def create_upload(self) -> str:
        """CreateUpload."""
        given = self._given()
        return json.dumps({"upload": self.backend.upload(given["projectArn"], given["name"], given["type"])})

    def get_upload(self) -> str:
        """GetUpload."""
        return json.dumps({"upload": self.backend.uploaded(self._given()["arn"])})

    def list_uploads(self) -> str:
        """ListUploads."""
        return json.dumps({"uploads": list(self.backend.project(self._given()["arn"]).uploads.values())})

    def schedule_run(self) -> str:
        """ScheduleRun."""
        given = self._given()
        minutes = given.get("executionConfiguration", {}).get("jobTimeoutMinutes")
        run = self.backend.schedule(
            given["projectArn"],
            given.get("devicePoolArn", ""),
            given["test"],
            name=given.get("name", "run"),
            app=given.get("appArn"),
            minutes=minutes,
        )
        return json.dumps({"run": run.told})

    def get_run(self) -> str:
        """GetRun."""
        return json.dumps({"run": self.backend.run(self._given()["arn"]).told})

    def list_runs(self) -> str:
        """ListRuns."""
        runs = self.backend.project(self._given()["arn"]).runs
        return json.dumps({"runs": [self.backend.run(arn).told for arn in runs]})

    def list_jobs(self) -> str:
        """ListJobs: how a run went on each device."""
        return json.dumps({"jobs": self.backend.run(self._given()["arn"]).jobs})

    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = json.loads(self.body or "{}")
        return given
