"""What deploys need to be there: services on clusters, deployment groups, stack sets, web sites."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.appconfig.models import appconfig_backends
from moto.servicecatalog.models import servicecatalog_backends

from pipesim.cloud.gaps.appconfig.models import Environment, Strategy, environments_of, strategies_of
from pipesim.cloud.sample_deploys import CONTAINER, IMAGE, TEMPLATE

AMI = "ami-12c6146b"
FLEET = 2
"""Instances that are started for a deploy that finds none."""

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


def lambda_function(estate: Estate, action: Action) -> None:
    """Let the function be there, and the alias that is moved."""
    from pipesim.cloud.estate import function, owner_of

    name, alias = action.configuration["FunctionName"], action.configuration.get("FunctionAlias")
    client = estate.of(action, "lambda")
    function(estate, name, client, owner_of(action.role_arn))
    if not alias and not action.configuration.get("PublishedTargetVersion"):
        return
    known = client.list_versions_by_function(FunctionName=name)["Versions"]
    if all(one["Version"] == "$LATEST" for one in known):
        client.publish_version(FunctionName=name)
    if alias and all(one["Name"] != alias for one in client.list_aliases(FunctionName=name)["Aliases"]):
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")


def appconfig(estate: Estate, action: Action) -> None:
    """Let the application, the environment, the profile and the strategy be there, under the ids that are named.

    The service gives ids of its own choice, so they are written straight into it.
    """
    configuration = action.configuration
    backend = _backend(estate, action, appconfig_backends)
    if configuration["Application"] not in backend.applications:
        made = backend.create_application(estate.pipeline.name, None, {})
        made.id = configuration["Application"]
        backend.applications = {one.id: one for one in backend.applications.values()}
    application = backend.applications[configuration["Application"]]
    id = configuration["Environment"]
    environments_of(application).setdefault(id, Environment(id, id))
    id = configuration["ConfigurationProfile"]
    if id not in application.config_profiles:
        where = f"codepipeline://{estate.pipeline.name}"
        made = backend.create_configuration_profile(application.id, id, "", where, "", [], "AWS.Freeform", {})
        made.id = id
        application.config_profiles = {one.id: one for one in application.config_profiles.values()}
    id = configuration["DeploymentStrategy"]
    strategies_of(backend).setdefault(id, Strategy(id, id))


def product(estate: Estate, action: Action) -> None:
    """Let the Service Catalog product be there, under the id that is named."""
    id = action.configuration["ProductId"]
    backend = _backend(estate, action, servicecatalog_backends)
    if id in backend.products:
        return
    estate.of(action, "servicecatalog").create_product(
        Name=estate.pipeline.name, Owner="pipesim", ProductType="CLOUD_FORMATION_TEMPLATE", IdempotencyToken=id
    )
    made = next(reversed(backend.products.values()))
    made.id = id
    backend.products = {one.id: one for one in backend.products.values()}


def cluster(estate: Estate, action: Action) -> None:
    """Let the EKS cluster be there."""
    from pipesim.cloud.estate import owner_of

    name, eks = action.configuration["ClusterName"], estate.of(action, "eks")
    try:
        eks.describe_cluster(name=name)
    except ClientError:
        statement = {"Effect": "Allow", "Action": ["ec2:*", "elasticloadbalancing:*"], "Resource": "*"}
        role = estate.service_role("eksClusterRole", "eks.amazonaws.com", statement, owner=owner_of(action.role_arn))
        eks.create_cluster(name=name, roleArn=role, resourcesVpcConfig={"subnetIds": []})


def fleet(estate: Estate, action: Action) -> None:
    """Let instances with the tag be there."""
    ec2 = estate.of(action, "ec2")
    tag = {"Key": action.configuration["InstanceTagKey"], "Value": action.configuration.get("InstanceTagValue", "web")}
    wanted = [{"Name": f"tag:{tag['Key']}", "Values": [tag["Value"]]}]
    if not ec2.describe_instances(Filters=wanted)["Reservations"]:
        tags = [{"ResourceType": "instance", "Tags": [tag]}]
        ec2.run_instances(ImageId=AMI, MinCount=FLEET, MaxCount=FLEET, TagSpecifications=tags)


def _backend(estate: Estate, action: Action, backends: Any) -> Any:
    from pipesim.cloud.estate import owner_of

    return backends[owner_of(action.role_arn) or estate.account.id][action.region or estate.account.region]
