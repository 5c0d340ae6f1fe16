"""What single actions need to be there: projects, repositories, buckets, functions, topics, applications.

Each function stands up what one kind of action names in its configuration and leaves alone what is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.cloud import estate_deploys, estate_sources
from pipesim.cloud.artifacts import pack
from pipesim.cloud.estate_checks import device_farm, scanned_image, state_machine
from pipesim.cloud.sample_source import HANDLER, source_files
from pipesim.definition.model import Action, Pipeline
from pipesim.vocabulary import ActionOwner

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

LOGGING = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
STORING = (
    "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketVersioning",
    "s3:GetBucketAcl", "s3:GetBucketLocation",
)  # fmt: skip
"""The artifact base set: what every role needs on the artifact bucket."""

ENCRYPTING = ("kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
REPORTING = ("codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult")
CLONING = ("codecommit:GitPull", "codeconnections:UseConnection", "codestar-connections:UseConnection")
REPORTING_TESTS = (
    "codebuild:CreateReportGroup", "codebuild:CreateReport", "codebuild:UpdateReport", "codebuild:BatchPutTestCases",
)  # fmt: skip
BATCHING = ("codebuild:StartBuild", "codebuild:StopBuild", "codebuild:RetryBuild")
POLICY = "pipesim"


class Estate:
    """The place where things are stood up: an account and its neighbours.

    Args:
        account: the mocked account.
        pipeline: whose actions need them.
    """

    def __init__(self, account: Account, pipeline: Pipeline) -> None:
        self.account = account
        self.pipeline = pipeline
        self._neighbours: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, region: str | None = None, owner: str | None = None) -> Any:
        """Return a client that may do everything, also in another account.

        Args:
            service: such as ``s3``.
            region: where; None: the account's own region.
            owner: the account; None: this one.
        """
        region = region or self.account.region
        if owner is None or owner == self.account.id:
            return self.account.client(service, region)
        key = (owner, service, region)
        if key not in self._neighbours:
            import boto3

            keys = self.account.client("sts").assume_role(
                RoleArn=f"arn:aws:iam::{owner}:role/administrator", RoleSessionName="pipesim"
            )["Credentials"]
            self._neighbours[key] = boto3.client(
                service,
                region_name=region,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )
        return self._neighbours[key]

    def of(self, action: Action, service: str) -> Any:
        """Return a client of the account and region in which an action works."""
        return self.client(service, action.region, owner_of(action.role_arn))

    def role(self, arn: str, trusted: Mapping[str, Any], statements: Iterable[Mapping[str, Any]]) -> None:
        """Let a role be there, trust somebody, and have these permissions besides what it has.

        Args:
            arn: its ARN.
            trusted: the principal of its trust policy.
            statements: of the inline policy that is written.
        """
        iam = self.client("iam", owner=owner_of(arn))
        path, _, name = arn.split(":role", 1)[1].rpartition("/")
        trust = {"Version": "2012-10-17", "Statement": [_allow("sts:AssumeRole", Principal=trusted)]}
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(Path=f"{path}/", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName=self._policy_name(iam, name, policy), PolicyDocument=policy)

    def _policy_name(self, iam: Any, role: str, policy: str) -> str:
        """A name under which nothing is lost that another pipeline's estate gave the same role."""
        with suppress(iam.exceptions.NoSuchEntityException):
            there = iam.get_role_policy(RoleName=role, PolicyName=POLICY)["PolicyDocument"]
            if any(one not in json.loads(policy)["Statement"] for one in there["Statement"]):
                return f"{POLICY}-{self.pipeline.name}"
        return POLICY

    def service_role(self, name: str, service: str, *statements: Mapping[str, Any], owner: str | None = None) -> str:
        """Let a role for a service be there, and return its ARN.

        Args:
            name: its name.
            service: such as ``codebuild.amazonaws.com``.
            statements: of its policy.
            owner: the account; None: this one.
        """
        arn = f"arn:aws:iam::{owner or self.account.id}:role/service-role/{name[:64]}"
        self.role(arn, {"Service": service}, statements)
        return arn

    def bucket(self, name: str, region: str | None = None, owner: str | None = None) -> Any:
        """Let a versioned bucket be there, and return a client that reaches it.

        Args:
            name: its name.
            region: where; None: the account's own region.
            owner: the account; None: this one.
        """
        region = region or self.account.region
        s3 = self.client("s3", region, owner)
        try:
            s3.head_bucket(Bucket=name)
        except ClientError:
            place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3.create_bucket(Bucket=name, **place)
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return s3

    def artifact_resources(self) -> list[str]:
        """The ARNs of the artifact buckets and of everything in them."""
        stores = [*self.pipeline.artifact_stores.values()]
        if self.pipeline.artifact_store is not None:
            stores.append(self.pipeline.artifact_store)
        return [f"arn:aws:s3:::{store.location}{rest}" for store in stores for rest in ("", "/*")]


def owner_of(arn: str | None) -> str | None:
    """Return the account that an ARN names; None without an ARN."""
    return arn.split(":")[4] if arn else None


def stand_up(estate: Estate, action: Action) -> None:
    """Let everything be there that an action names.

    Args:
        estate: where.
        action: which action.
    """
    if action.type.owner == ActionOwner.CUSTOM:
        _custom_type(estate, action)
    elif (maker := MAKERS.get(f"{action.category}/{action.provider}")) is not None:
        maker(estate, action)


def function(estate: Estate, name: str, lambda_: Any, owner: str | None) -> None:
    """Let a function be there that reports success."""
    name = name.split(":function:")[-1].split(":")[0]
    with suppress(lambda_.exceptions.ResourceNotFoundException):
        lambda_.get_function(FunctionName=name)
        return
    statement = _allow([*REPORTING, *LOGGING], Resource="*")
    role = estate.service_role(f"{name}-role", "lambda.amazonaws.com", statement, owner=owner)
    lambda_.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": pack({"app.py": HANDLER})},
        Timeout=10,
    )


def project(estate: Estate, name: str, codebuild: Any, owner: str | None) -> None:
    """Let a build project be there that a pipeline feeds, with a role of its own."""
    name = name.split(":project/")[-1]
    if codebuild.batch_get_projects(names=[name])["projects"]:
        return
    role = estate.service_role(
        f"codebuild-{name}-service-role",
        "codebuild.amazonaws.com",
        _allow(LOGGING, Resource="*"),
        _allow(STORING, Resource=estate.artifact_resources()),
        _allow((*ENCRYPTING, *CLONING, *REPORTING_TESTS, *BATCHING), Resource="*"),
        owner=owner,
    )
    codebuild.create_project(
        name=name,
        source={"type": "CODEPIPELINE"},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=role,
        buildBatchConfig={"serviceRole": role},
    )


def _s3_source(estate: Estate, action: Action) -> None:
    bucket, key = action.configuration["S3Bucket"], action.configuration["S3ObjectKey"]
    s3 = estate.bucket(bucket, action.region, owner_of(action.role_arn))
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=pack(source_files(estate.pipeline)))
    estate_sources.rule(estate, action)


def _codecommit_source(estate: Estate, action: Action) -> None:
    _codecommit_repository(estate, action)
    estate_sources.rule(estate, action)


def _codecommit_repository(estate: Estate, action: Action) -> None:
    codecommit = estate.of(action, "codecommit")
    name, branch = action.configuration["RepositoryName"], action.configuration["BranchName"]
    with suppress(codecommit.exceptions.RepositoryNameExistsException):
        codecommit.create_repository(repositoryName=name)
    branches = codecommit.list_branches(repositoryName=name)["branches"]
    if branch in branches:
        return
    if branches:
        head = codecommit.get_branch(repositoryName=name, branchName=branches[0])["branch"]["commitId"]
        codecommit.create_branch(repositoryName=name, branchName=branch, commitId=head)
        return
    codecommit.create_commit(
        repositoryName=name,
        branchName=branch,
        authorName="pipesim",
        email="pipesim@example.com",
        commitMessage="First commit",
        putFiles=[{"filePath": path, "fileContent": body} for path, body in source_files(estate.pipeline).items()],
    )


def _codebuild(estate: Estate, action: Action) -> None:
    project(estate, action.configuration["ProjectName"], estate.of(action, "codebuild"), owner_of(action.role_arn))


def _lambda(estate: Estate, action: Action) -> None:
    function(estate, action.configuration["FunctionName"], estate.of(action, "lambda"), owner_of(action.role_arn))


def _approval(estate: Estate, action: Action) -> None:
    if topic := action.configuration.get("NotificationArn"):
        parts = topic.split(":")
        if len(parts) == 6:
            estate.client("sns", parts[3], parts[4]).create_topic(Name=parts[5])


def _codedeploy(estate: Estate, action: Action) -> None:
    codedeploy = estate.of(action, "codedeploy")
    application, group = action.configuration["ApplicationName"], action.configuration["DeploymentGroupName"]
    with suppress(codedeploy.exceptions.ApplicationAlreadyExistsException):
        codedeploy.create_application(applicationName=application, computePlatform="Server")
    role = estate.service_role(
        "CodeDeployServiceRole",
        "codedeploy.amazonaws.com",
        _allow(["ec2:*", "autoscaling:*", "elasticloadbalancing:*", "ecs:*"], Resource="*"),
        owner=owner_of(action.role_arn),
    )
    with suppress(codedeploy.exceptions.DeploymentGroupAlreadyExistsException):
        codedeploy.create_deployment_group(applicationName=application, deploymentGroupName=group, serviceRoleArn=role)


def _cloudformation(estate: Estate, action: Action) -> None:
    if role := action.configuration.get("RoleArn"):
        estate.role(role, {"Service": "cloudformation.amazonaws.com"}, [_allow("*", Resource="*")])


def _ecr(estate: Estate, action: Action) -> None:
    name = action.configuration.get("RepositoryName") or action.configuration.get("ECRRepositoryName")
    ecr = estate.of(action, "ecr")
    if name:
        with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=name)


def _ecr_source(estate: Estate, action: Action) -> None:
    _ecr(estate, action)
    estate_sources.image(estate, action)
    estate_sources.rule(estate, action)


def _beanstalk(estate: Estate, action: Action) -> None:
    beanstalk = estate.of(action, "elasticbeanstalk")
    application, environment = action.configuration["ApplicationName"], action.configuration["EnvironmentName"]
    known = beanstalk.describe_environments()["Environments"]
    if any(one["EnvironmentName"] == environment for one in known):
        return
    with suppress(ClientError):
        beanstalk.create_application(ApplicationName=application)
    beanstalk.create_environment(
        ApplicationName=application,
        EnvironmentName=environment,
        SolutionStackName="64bit Amazon Linux 2 v3.3.6 running PHP 8.0",
    )


def _custom_type(estate: Estate, action: Action) -> None:
    """Let the custom action type be there: that of a known system, else one with the keys that the action uses."""
    codepipeline = estate.of(action, "codepipeline")
    listed = codepipeline.get_paginator("list_action_types").paginate(actionOwnerFilter="Custom")
    wanted = {
        "category": action.type.category, "owner": "Custom", "provider": action.type.provider,
        "version": action.type.version,
    }  # fmt: skip
    if any(one["id"] == wanted for page in listed for one in page["actionTypes"]):
        return
    if (known := _declaration(action)) is not None:
        codepipeline.create_custom_action_type(**known)
        return
    uses = [one for _, one in estate.pipeline.actions() if one.type == action.type]
    keys = dict.fromkeys(key for one in uses for key in one.configuration)
    codepipeline.create_custom_action_type(
        category=action.type.category,
        provider=action.type.provider,
        version=action.type.version,
        configurationProperties=[
            {"name": key, "required": all(key in one.configuration for one in uses), "key": True, "secret": False}
            for key in keys
        ],
        inputArtifactDetails={"minimumCount": 0, "maximumCount": 5},
        outputArtifactDetails={"minimumCount": 0, "maximumCount": 5},
    )


def _declaration(action: Action) -> dict[str, Any] | None:
    """The action type of a known system, when the action is configured as that system wants it."""
    from pipesim.cloud.ci import SERVERS
    from pipesim.cloud.partners import SERVICES

    server, service = SERVERS.get(action.provider), SERVICES.get(action.provider)
    if server is not None and set(action.configuration) == set(server.keys):
        return server.declaration(action.category)
    if service is not None and set(action.configuration) <= {service.key} and action.category == "Test":
        return service.declaration()
    return None


def _allow(actions: str | Iterable[str], **members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions if isinstance(actions, str) else list(actions), **members}


MAKERS: dict[str, Callable[[Estate, Action], None]] = {
    "Source/S3": _s3_source,
    "Source/CodeCommit": _codecommit_source,
    "Source/ECR": _ecr_source,
    "Source/CodeStarSourceConnection": estate_sources.connection,
    "Source/GitHub": estate_sources.github,
    "Build/CodeBuild": _codebuild,
    "Test/DeviceFarm": device_farm,
    "Invoke/StepFunctions": state_machine,
    "Invoke/InspectorScan": scanned_image,
    "Test/CodeBuild": _codebuild,
    "Build/ECRBuildAndPublish": _ecr,
    "Deploy/S3": estate_deploys.website,
    "Deploy/CodeDeploy": _codedeploy,
    "Deploy/CodeDeployToECS": estate_deploys.ecs_deployment_group,
    "Deploy/CloudFormation": _cloudformation,
    "Deploy/ECS": estate_deploys.ecs_service,
    "Deploy/CloudFormationStackInstances": estate_deploys.stack_set,
    "Deploy/ElasticBeanstalk": _beanstalk,
    "Deploy/Lambda": estate_deploys.lambda_function,
    "Deploy/AppConfig": estate_deploys.appconfig,
    "Deploy/ServiceCatalog": estate_deploys.product,
    "Deploy/EKS": estate_deploys.cluster,
    "Deploy/EC2": estate_deploys.fleet,
    "Approval/Manual": _approval,
    "Invoke/Lambda": _lambda,
}
"""What stands up the needs of an action, by ``Category/Provider``; other providers need nothing here."""
