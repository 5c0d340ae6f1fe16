"""The operations about revisions.

Source: AWS CodeDeploy API reference; botocore's CodeDeploy model.
"""

from __future__ import annotations

import json
from typing import Any

from botocore import xform_name
from moto.codedeploy.exceptions import DeploymentGroupAlreadyExistsException
from moto.codedeploy.responses import CodeDeployResponse as MotoResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import unix_time

from pipesim.cloud.gaps.codedeploy import models, progress
from pipesim.cloud.gaps.codedeploy.configs import alarms_of, config_of

CHANGEABLE = {
    member: xform_name(member)
    for member in (
        "deploymentConfigName", "ec2TagFilters", "onPremisesInstanceTagFilters", "autoScalingGroups", "serviceRoleArn",
        "triggerConfigurations", "alarmConfiguration", "autoRollbackConfiguration", "outdatedInstancesStrategy",
        "deploymentStyle", "blueGreenDeploymentConfiguration", "loadBalancerInfo", "ec2TagSet", "ecsServices",
        "onPremisesTagSet", "terminationHookEnabled",
    )
}  # fmt: skip
"""What UpdateDeploymentGroup changes, and what moto calls it."""


class CodeDeployResponse(MotoResponse):
    """moto's CodeDeploy with revisions, targets and configurations."""

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

    def create_deployment(self) -> ActionResult:
        """CreateDeployment, with an id as the service gives them."""
        answer: Any = super().create_deployment()
        return ActionResult({"deploymentId": progress.rename(self.codedeploy_backend, answer.result["deploymentId"])})

    def get_deployment(self) -> Any:
        """GetDeployment, with errors and rollbacks."""
        answer: Any = super().get_deployment()
        answer.result["deploymentInfo"].update(self._told(self._get_param("deploymentId")))
        return answer

    def batch_get_deployments(self) -> Any:
        """BatchGetDeployments, with errors and rollbacks."""
        answer: Any = super().batch_get_deployments()
        for info in answer.result["deploymentsInfo"]:
            info.update(self._told(info["deploymentId"]))
        return answer

    def get_deployment_group(self) -> Any:
        """GetDeploymentGroup, with its alarms."""
        answer: Any = super().get_deployment_group()
        info = answer.result["deploymentGroupInfo"]
        group = self.codedeploy_backend.get_deployment_group(info["applicationName"], info["deploymentGroupName"])
        info["alarmConfiguration"] = alarms_of(group)
        return answer

    def delete_application(self) -> EmptyResult:
        """DeleteApplication, with its groups."""
        name = self._get_param("applicationName")
        self.codedeploy_backend.get_application(name)
        del self.codedeploy_backend.applications[name]
        self.codedeploy_backend.deployment_groups.pop(name, None)
        return EmptyResult()

    def update_deployment_group(self) -> ActionResult:
        """UpdateDeploymentGroup: what is given is changed, the rest stays."""
        application, name = self._get_param("applicationName"), self._get_param("currentDeploymentGroupName")
        group = self.codedeploy_backend.get_deployment_group(application, name)
        for member, attribute in CHANGEABLE.items():
            if (value := self._get_param(member)) is not None:
                setattr(group, attribute, value)
        if new := self._get_param("newDeploymentGroupName"):
            groups = self.codedeploy_backend.deployment_groups[application]
            if new != name and new in groups:
                raise DeploymentGroupAlreadyExistsException(f"Deployment group {new} already exists.")
            group.deployment_group_name = new
            groups[new] = groups.pop(name)
        return ActionResult({"hooksNotCleanedUp": []})

    def delete_deployment_group(self) -> ActionResult:
        """DeleteDeploymentGroup; without effect when there is none."""
        groups = self.codedeploy_backend.deployment_groups.get(self._get_param("applicationName"), {})
        groups.pop(self._get_param("deploymentGroupName"), None)
        return ActionResult({"hooksNotCleanedUp": []})

    def get_deployment_config(self) -> ActionResult:
        """GetDeploymentConfig of the service's own configurations."""
        name = self._get_param("deploymentConfigName")
        return ActionResult({"deploymentConfigInfo": config_of(name)})

    def list_deployment_targets(self) -> ActionResult:
        """ListDeploymentTargets."""
        record = self.codedeploy_backend.get_deployment(self._get_param("deploymentId"))
        return ActionResult({"targetIds": [one.id for one in progress.progress_of(record).targets]})

    def get_deployment_target(self) -> ActionResult:
        """GetDeploymentTarget."""
        record = self.codedeploy_backend.get_deployment(self._get_param("deploymentId"))
        target = progress.target_of(record, self._get_param("targetId"))
        return ActionResult({"deploymentTarget": progress.described(record, [target])[0]})

    def batch_get_deployment_targets(self) -> ActionResult:
        """BatchGetDeploymentTargets."""
        record = self.codedeploy_backend.get_deployment(self._get_param("deploymentId"))
        targets = [progress.target_of(record, id) for id in self._get_param("targetIds") or ()]
        return ActionResult({"deploymentTargets": progress.described(record, targets)})

    def _told(self, id: str) -> dict[str, Any]:
        known = progress.progress_of(self.codedeploy_backend.get_deployment(id))
        return {"errorInformation": known.error, "rollbackInfo": known.rollback}
