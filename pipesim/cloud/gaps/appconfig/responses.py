"""The operations about environments, strategies and deployments.

Source: AWS AppConfig API reference; botocore's model.
"""

from __future__ import annotations

import json
from typing import Any

from moto.appconfig.models import Application
from moto.appconfig.responses import AppConfigResponse as MotoResponse
from moto.core.utils import utcnow

from pipesim.cloud.gaps.appconfig import models
from pipesim.cloud.gaps.appconfig.models import Environment, Strategy


class AppConfigResponse(MotoResponse):
    """moto's AppConfig with environments and deployments."""

    def list_applications(self) -> str:
        """ListApplications."""
        return json.dumps({"Items": [one.to_json() for one in self.appconfig_backend.applications.values()]})

    def create_environment(self) -> str:
        """CreateEnvironment."""
        application, id = self._application(), models.new_id()
        made = Environment(
            id, self._get_param("Name"), self._get_param("Description") or "", self._get_param("Monitors") or []
        )
        models.environments_of(application)[id] = made
        return json.dumps(made.told(application.id))

    def get_environment(self) -> str:
        """GetEnvironment."""
        return json.dumps(self._environment().told(self._get_param("ApplicationId")))

    def update_environment(self) -> str:
        """UpdateEnvironment."""
        environment = self._environment()
        environment.name = self._get_param("Name") or environment.name
        environment.description = self._get_param("Description") or environment.description
        if (monitors := self._get_param("Monitors")) is not None:
            environment.monitors = monitors
        return json.dumps(environment.told(self._get_param("ApplicationId")))

    def list_environments(self) -> str:
        """ListEnvironments."""
        application = self._application()
        found = [one.told(application.id) for one in models.environments_of(application).values()]
        return json.dumps({"Items": found})

    def create_deployment_strategy(self) -> str:
        """CreateDeploymentStrategy."""
        given: dict[str, Any] = json.loads(self.body)
        made = Strategy(
            models.new_id(),
            given["Name"],
            int(given["DeploymentDurationInMinutes"]),
            int(given.get("FinalBakeTimeInMinutes", 0)),
            float(given["GrowthFactor"]),
            given.get("GrowthType", "LINEAR"),
        )
        models.strategies_of(self.appconfig_backend)[made.id] = made
        return json.dumps(made.told())

    def get_deployment_strategy(self) -> str:
        """GetDeploymentStrategy."""
        return json.dumps(models.strategy_of(self.appconfig_backend, self._get_param("DeploymentStrategyId")).told())

    def list_deployment_strategies(self) -> str:
        """ListDeploymentStrategies."""
        return json.dumps({"Items": [one.told() for one in models.strategies_of(self.appconfig_backend).values()]})

    def start_deployment(self) -> str:
        """StartDeployment."""
        given: dict[str, Any] = json.loads(self.body)
        made = models.begin(
            self.appconfig_backend,
            self._get_param("ApplicationId"),
            self._get_param("EnvironmentId"),
            given["ConfigurationProfileId"],
            given["DeploymentStrategyId"],
            given["ConfigurationVersion"],
            given.get("Description", ""),
        )
        return self._told(made)

    def get_deployment(self) -> str:
        """GetDeployment."""
        return self._told(models.deployment_of(self._environment(), int(self._get_param("DeploymentNumber"))))

    def list_deployments(self) -> str:
        """ListDeployments, the newest first."""
        found = [json.loads(self._told(one)) for one in reversed(self._environment().deployments)]
        return json.dumps({"Items": found})

    def stop_deployment(self) -> str:
        """StopDeployment: one that is under way is rolled back."""
        found = models.deployment_of(self._environment(), int(self._get_param("DeploymentNumber")))
        if found.state(utcnow()) in ("DEPLOYING", "BAKING"):
            found.stopped = utcnow()
        return self._told(found)

    def _application(self) -> Application:
        return self.appconfig_backend.get_application(self._get_param("ApplicationId"))

    def _environment(self) -> Environment:
        return models.environment_of(self._application(), self._get_param("EnvironmentId"))

    def _told(self, one: models.Deployment) -> str:
        return json.dumps(models.tell(self._get_param("ApplicationId"), self._get_param("EnvironmentId"), one))
