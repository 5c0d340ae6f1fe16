"""CodeBuild's operations where moto invents what happened, or refuses what the service accepts."""

from __future__ import annotations

import json
from typing import Any, cast

from moto.codebuild.exceptions import InvalidInputException, ResourceNotFoundException
from moto.codebuild.responses import CodeBuildResponse as MotoResponse
from moto.core.responses import ActionResult
from moto.core.utils import unix_time

from pipesim.cloud.gaps.codebuild import batches
from pipesim.cloud.gaps.codebuild.models import RUNNING, is_of_a_pipeline
from pipesim.cloud.gaps.codebuild.reports import book_of


class CodeBuildResponse(MotoResponse):
    """moto's answers; builds that a pipeline started are told as they are. Each method is one operation."""

    def create_project(self) -> ActionResult:
        """CreateProject; a project that a pipeline feeds names no place of its source and its artifacts."""
        given = json.loads(self.body)
        bare = [given[part] for part in ("source", "artifacts") if _is_fed_by_a_pipeline(given.get(part))]
        for part in bare:
            part["location"] = "CODEPIPELINE"
        self.body = json.dumps(given)
        answer = super().create_project()
        if configured := given.get(batches.CONFIGURATION):
            self.codebuild_backend.codebuild_projects[given["name"]].project_metadata[batches.CONFIGURATION] = (
                configured
            )
        if bare:
            kept = self.codebuild_backend.codebuild_projects[given["name"]].project_metadata
            for part in ("source", "artifacts"):
                if kept[part].get("location") == "CODEPIPELINE":
                    del kept[part]["location"]
        return answer

    def update_project(self) -> ActionResult:
        """UpdateProject: what is given takes the place of what was; the builds stay."""
        given, backend = json.loads(self.body), self.codebuild_backend
        name = given.get("name", "")
        if name not in backend.codebuild_projects:
            raise ResourceNotFoundException(f"Project cannot be found: {name}")
        old = backend.codebuild_projects.pop(name)
        kept, history = old.project_metadata, backend.build_history.get(name, [])
        named = (
            *("description", "source", "artifacts", "environment", "serviceRole", "tags", "cache", "timeoutInMinutes"),
            *("queuedTimeoutInMinutes", "sourceVersion", "logsConfig", "vpcConfig", batches.CONFIGURATION),
        )
        before = {part: kept[part] for part in named if kept.get(part) is not None}
        self.body = json.dumps({**before, **given}, default=str)
        try:
            answer = self.create_project()
        except Exception:
            backend.codebuild_projects[name] = old
            raise
        backend.build_history[name] = history
        backend.codebuild_projects[name].project_metadata["created"] = kept["created"]
        return answer

    def batch_get_builds(self) -> ActionResult:
        """BatchGetBuilds."""
        ids = [build_id.split(":build/")[-1] for build_id in self._get_param("ids")]
        known = {
            build["id"]: build
            for builds in list(self.codebuild_backend.build_metadata_history.values())
            for build in builds
            if build["id"] in ids and is_of_a_pipeline(build)
        }
        for build_id in known:
            if build_id in RUNNING:
                RUNNING[build_id].tell()
        if len(known) == len(ids):
            missing: list[str] = []
            return ActionResult({"builds": [known[build_id] for build_id in ids], "buildsNotFound": missing})
        self.body = json.dumps({"ids": [build_id for build_id in ids if build_id not in known]})
        answer = super().batch_get_builds()
        found = cast(dict[str, Any], answer.result)
        return ActionResult({**found, "builds": [*known.values(), *found["builds"]]})

    def start_build_batch(self) -> ActionResult:
        """StartBuildBatch; the builds are started by whoever drives the batch."""
        name = str(self._get_param("projectName"))
        backend = self.codebuild_backend
        if name not in backend.codebuild_projects:
            place = f"{self.region}:{self.current_account}"
            raise ResourceNotFoundException(f"Project cannot be found: arn:aws:codebuild:{place}:project/{name}")
        project = backend.codebuild_projects[name].project_metadata
        if batches.CONFIGURATION not in project:
            raise InvalidInputException("Project does not have a batch configuration (buildBatchConfig)")
        return ActionResult({"buildBatch": batches.start(backend, project, self._get_param("sourceVersion") or "")})

    def batch_get_build_batches(self) -> ActionResult:
        """BatchGetBuildBatches."""
        known, ids = batches.batches_of(self.codebuild_backend), list(self._get_param("ids"))
        found = [known[one] for one in ids if one in known]
        return ActionResult({"buildBatches": found, "buildBatchesNotFound": [one for one in ids if one not in known]})

    def list_build_batches_for_project(self) -> ActionResult:
        """ListBuildBatchesForProject, the newest first."""
        name = self._get_param("projectName")
        known = batches.batches_of(self.codebuild_backend)
        return ActionResult({"ids": [id for id, one in reversed(known.items()) if one["projectName"] == name]})

    def create_report_group(self) -> ActionResult:
        """CreateReportGroup."""
        book = book_of(self.codebuild_backend)
        given = {key: self._get_param(key) for key in ("type", "exportConfig", "tags") if self._get_param(key)}
        return ActionResult({"reportGroup": book.group(book.arn_of(self._get_param("name")), unix_time(), given)})

    def list_report_groups(self) -> ActionResult:
        """ListReportGroups."""
        return ActionResult({"reportGroups": list(book_of(self.codebuild_backend).groups)})

    def batch_get_report_groups(self) -> ActionResult:
        """BatchGetReportGroups."""
        known, arns = book_of(self.codebuild_backend).groups, self._get_param("reportGroupArns")
        found = [known[arn] for arn in arns if arn in known]
        return ActionResult({"reportGroups": found, "reportGroupsNotFound": [arn for arn in arns if arn not in known]})

    def list_reports(self) -> ActionResult:
        """ListReports, the newest first."""
        return ActionResult({"reports": list(reversed(book_of(self.codebuild_backend).reports))})

    def list_reports_for_report_group(self) -> ActionResult:
        """ListReportsForReportGroup, the newest first."""
        reports, group = book_of(self.codebuild_backend).reports, self._get_param("reportGroupArn")
        return ActionResult({"reports": [a for a, one in reversed(reports.items()) if one["reportGroupArn"] == group]})

    def batch_get_reports(self) -> ActionResult:
        """BatchGetReports."""
        known, arns = book_of(self.codebuild_backend).reports, self._get_param("reportArns")
        found = [known[arn] for arn in arns if arn in known]
        return ActionResult({"reports": found, "reportsNotFound": [arn for arn in arns if arn not in known]})

    def describe_test_cases(self) -> ActionResult:
        """DescribeTestCases."""
        known, arn = book_of(self.codebuild_backend).cases, self._get_param("reportArn")
        if arn not in known:
            raise ResourceNotFoundException(f"Report cannot be found: {arn}")
        return ActionResult({"testCases": known[arn]})

    def stop_build(self) -> ActionResult:
        """StopBuild."""
        build_id = str(self._get_param("id")).split(":build/")[-1]
        if build_id not in RUNNING:
            return super().stop_build()
        return ActionResult({"build": RUNNING[build_id].stop()})


def _is_fed_by_a_pipeline(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "CODEPIPELINE" and not part.get("location")
