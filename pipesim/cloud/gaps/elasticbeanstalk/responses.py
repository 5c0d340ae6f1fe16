"""The operations about versions, updates and events.

Source: AWS Elastic Beanstalk API reference; botocore's model.
"""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.elasticbeanstalk.responses import EBResponse as MotoResponse

from pipesim.cloud.gaps.elasticbeanstalk import models


class ElasticBeanstalkResponse(MotoResponse):
    """moto's Elastic Beanstalk with versions and updates."""

    def create_application_version(self) -> ActionResult:
        """CreateApplicationVersion."""
        made = models.create_version(
            self.elasticbeanstalk_backend,
            self._get_param("ApplicationName"),
            self._get_param("VersionLabel"),
            self._get_param("SourceBundle") or {},
        )
        return ActionResult({"ApplicationVersion": made})

    def describe_application_versions(self) -> ActionResult:
        """DescribeApplicationVersions."""
        name, labels = self._get_param("ApplicationName"), self._get_param("VersionLabels")
        backend = self.elasticbeanstalk_backend
        applications = [models.application_of(backend, name)] if name else list(backend.applications.values())
        found = [one for each in applications for one in models.versions_of(each).versions.values()]
        return ActionResult(
            {"ApplicationVersions": [one for one in found if not labels or one["VersionLabel"] in labels]}
        )

    def update_environment(self) -> ActionResult:
        """UpdateEnvironment to another version."""
        environment = models.update(
            self.elasticbeanstalk_backend,
            self._get_param("ApplicationName"),
            self._get_param("EnvironmentName"),
            self._get_param("VersionLabel"),
        )
        return ActionResult(environment)

    def describe_environments(self) -> ActionResult:
        """DescribeEnvironments, of an application and by name where asked."""
        name, wanted = self._get_param("ApplicationName"), self._get_param("EnvironmentNames")
        found = [
            one
            for one in self.elasticbeanstalk_backend.describe_environments()
            if (not name or one.application_name == name) and (not wanted or one.environment_name in wanted)
        ]
        return ActionResult({"Environments": found})

    def describe_events(self) -> ActionResult:
        """DescribeEvents, the newest first."""
        name, environment = self._get_param("ApplicationName"), self._get_param("EnvironmentName")
        events = [
            event
            for application in self.elasticbeanstalk_backend.applications.values()
            if not name or application.application_name == name
            for event in models.versions_of(application).events
            if not environment or event["EnvironmentName"] == environment
        ]
        return ActionResult({"Events": events[::-1]})
