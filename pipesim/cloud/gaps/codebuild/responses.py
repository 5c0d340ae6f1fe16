"""CodeBuild's operations where moto invents what happened, or refuses what the service accepts."""

from __future__ import annotations

import json
from typing import Any, cast

from moto.codebuild.responses import CodeBuildResponse as MotoResponse
from moto.core.responses import ActionResult

from pipesim.cloud.gaps.codebuild.models import RUNNING, is_of_a_pipeline


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
        if bare:
            kept = self.codebuild_backend.codebuild_projects[given["name"]].project_metadata
            for part in ("source", "artifacts"):
                if kept[part].get("location") == "CODEPIPELINE":
                    del kept[part]["location"]
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

    def stop_build(self) -> ActionResult:
        """StopBuild."""
        build_id = str(self._get_param("id")).split(":build/")[-1]
        if build_id not in RUNNING:
            return super().stop_build()
        return ActionResult({"build": RUNNING[build_id].stop()})


def _is_fed_by_a_pipeline(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "CODEPIPELINE" and not part.get("location")
