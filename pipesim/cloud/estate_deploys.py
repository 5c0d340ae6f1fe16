"""What deploys need to be there: services on clusters, deployment groups, stack sets, web sites."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipesim.cloud.sample_deploys import CONTAINER, IMAGE, TEMPLATE

if TYPE_CHECKING:
    from pipesim.cloud.estate import Estate
    from pipesim.definition.model import Action


def ecs_service(estate: Estate, action: Action) -> None:
    """Let the cluster and the service of an ECS deploy be there."""
    _service(estate, action, action.configuration["ClusterName"], action.configuration["ServiceName"])


def ecs_deployment_group(estate: Estate, action: Action) -> None:
    """Let a blue/green deployment group be there, and the service that it replaces.

    The action names neither cluster nor service: they are called after the application and the group.
    """
    from pipesim.cloud.estate import owner_of

    codedeploy = estate.of(action, "codedeploy")
    application, group = action.configuration["ApplicationName"], action.configuration["DeploymentGroupName"]
    with suppress(codedeploy.exceptions.ApplicationAlreadyExistsException):
        codedeploy.create_application(applicationName=application, computePlatform="ECS")
    known = codedeploy.list_deployment_groups(applicationName=application)["deploymentGroups"]
    if group in known:
        return
    _service(estate, action, application, group)
    statement = {"Effect": "Allow", "Action": ["ecs:*", "elasticloadbalancing:*", "lambda:*"], "Resource": "*"}
    role = estate.service_role(
        "CodeDeployECSRole", "codedeploy.amazonaws.com", statement, owner=owner_of(action.role_arn)
    )
    codedeploy.create_deployment_group(
        applicationName=application,
        deploymentGroupName=group,
        serviceRoleArn=role,
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
        deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
        ecsServices=[{"clusterName": application, "serviceName": group}],
    )


def _service(estate: Estate, action: Action, cluster: str, name: str) -> None:
    ecs: Any = estate.of(action, "ecs")
    ecs.create_cluster(clusterName=cluster)
    if ecs.describe_services(cluster=cluster, services=[name])["services"]:
        return
    container = {"name": CONTAINER, "image": IMAGE, "memory": 128, "cpu": 64}
    ecs.register_task_definition(family=name, containerDefinitions=[container])
    ecs.create_service(cluster=cluster, serviceName=name, taskDefinition=name, desiredCount=1)


def stack_set(estate: Estate, action: Action) -> None:
    """Let the stack set be there that gets instances, unless another action of the pipeline makes it."""
    name = action.configuration["StackSetName"]
    others = (other for _, other in estate.pipeline.actions() if other.provider == "CloudFormationStackSet")
    if any(other.configuration["StackSetName"] == name for other in others):
        return
    cloudformation = estate.of(action, "cloudformation")
    try:
        cloudformation.describe_stack_set(StackSetName=name)
    except cloudformation.exceptions.StackSetNotFoundException:
        cloudformation.create_stack_set(StackSetName=name, TemplateBody=json.dumps(TEMPLATE))


def website(estate: Estate, action: Action) -> None:
    """Let the bucket be there; one whose objects everybody may read is a web site."""
    from pipesim.cloud.estate import owner_of

    name = action.configuration["BucketName"]
    s3 = estate.bucket(name, action.region, owner_of(action.role_arn))
    if action.configuration.get("CannedACL", "").startswith("public-read"):
        s3.put_bucket_website(
            Bucket=name,
            WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}},
        )
