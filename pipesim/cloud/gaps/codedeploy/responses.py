"""The operations about revisions.

Source: AWS CodeDeploy API reference; botocore's CodeDeploy model.
"""

from __future__ import annotations

import json
from typing import Any

from moto.codedeploy.responses import CodeDeployResponse as MotoResponse
from moto.core.utils import unix_time

from pipesim.cloud.gaps.codedeploy import models


class CodeDeployResponse(MotoResponse):
    """moto's CodeDeploy with revisions."""

    def register_application_revision(self) -> str:
        """RegisterApplicationRevision."""
        models.register(
            self.codedeploy_backend,
            self._get_param("applicationName"),
            self._get_param("revision"),
            self._get_param("description") or "",
        )
        return ""

    def get_application_revision(self) -> str:
        """GetApplicationRevision."""
        application, location = self._get_param("applicationName"), self._get_param("revision")
        found = models.find(self.codedeploy_backend, application, location)
        deployments = models.deployments_of(self.codedeploy_backend, application, location)
        info: dict[str, Any] = {"description": found.description, "registerTime": found.registered}
        info["deploymentGroups"] = sorted({each.deployment_group_name for each in deployments})
        if deployments:
            info["firstUsedTime"] = unix_time(deployments[0].create_time.replace(tzinfo=None))
            info["lastUsedTime"] = unix_time(deployments[-1].create_time.replace(tzinfo=None))
        return json.dumps({"applicationName": application, "revision": location, "revisionInfo": info})

    def list_application_revisions(self) -> str:
        """ListApplicationRevisions."""
        found = models.all_of(self.codedeploy_backend, self._get_param("applicationName"))
        return json.dumps({"revisions": [each.location for each in found]})
