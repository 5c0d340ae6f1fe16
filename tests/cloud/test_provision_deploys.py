"""Provisioned pipelines deploy: each provider finds what it needs, and the sample source suits it."""

from __future__ import annotations

from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from tests.cloud.standin import action, document

SOURCE = {
    "name": "Fetch",
    "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
    "configuration": {"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
    "outputArtifacts": [{"name": "Code"}],
}
BLUE_GREEN = {
    "ApplicationName": "shop", "DeploymentGroupName": "live", "TaskDefinitionTemplateArtifact": "Code",
    "AppSpecTemplateArtifact": "Code", "Image1ArtifactName": "Code", "Image1ContainerName": "IMAGE1_NAME",
}  # fmt: skip
TARGETS = {"StackSetName": "net", "DeploymentTargets": "123456789012", "Regions": "us-east-1,eu-west-1"}
FILES = {"StackSetName": "net", "DeploymentTargets": "Code::accounts.json", "Regions": "Code::regions.json"}
CASES: dict[str, tuple[str, dict[str, str]]] = {
    "CodeDeploy": ("CodeDeploy", {"ApplicationName": "shop", "DeploymentGroupName": "live"}),
    "CodeDeployToECS": ("CodeDeployToECS", BLUE_GREEN),
    "ECS": ("ECS", {"ClusterName": "live", "ServiceName": "shop"}),
    "ECS with another file": ("ECS", {"ClusterName": "live", "ServiceName": "shop", "FileName": "images.json"}),
    "ElasticBeanstalk": ("ElasticBeanstalk", {"ApplicationName": "shop", "EnvironmentName": "live"}),
    "StackSet": ("CloudFormationStackSet", {**TARGETS, "TemplatePath": "Code::net.yml"}),
    "StackInstances": ("CloudFormationStackInstances", TARGETS),
    "StackInstances of files": ("CloudFormationStackInstances", FILES),
    "Lambda": ("Lambda", {"FunctionName": "f", "FunctionAlias": "live"}),
    "AppConfig": (
        "AppConfig",
        {
            "Application": "2s2qv57",
            "Environment": "9tm27yd",
            "ConfigurationProfile": "PvjrpU",
            "DeploymentStrategy": "frqt7ir",
            "InputArtifactConfigurationPath": "flags.json",
        },
    ),
    "ServiceCatalog": (
        "ServiceCatalog",
        {
            "ProductId": "prod-1",
            "ProductVersionName": "v-#{codepipeline.PipelineExecutionId}",
            "TemplateFilePath": "topic.json",
        },
    ),
    "EKS": ("EKS", {"ClusterName": "live", "ManifestFiles": "k8s/web.yml"}),
    "EC2": (
        "EC2",
        {
            "InstanceType": "EC2",
            "InstanceTagKey": "Role",
            "TargetDirectory": "/srv",
            "PreScript": "stop.sh",
            "MaxBatch": "1",
        },
    ),
    "S3": ("S3", {"BucketName": "site-of-shop", "Extract": "true", "CannedACL": "public-read"}),
    "CloudFormation": (
        "CloudFormation",
        {"ActionMode": "CREATE_UPDATE", "StackName": "shop", "TemplatePath": "Code::template.yml"},
    ),
}


def deploying(provider: str, configuration: dict[str, str]) -> dict[str, Any]:
    deploy = action("Deploy", provider, configuration=configuration, inputArtifacts=[{"name": "Code"}])
    return document(deploy, source=SOURCE)


@pytest.mark.parametrize("case", CASES)
def test_a_provisioned_deploy_succeeds_twice(case: str) -> None:
    with Cloud(seed=1) as cloud:
        record = cloud.provision(deploying(*CASES[case]))
        cloud.run_until_idle()
        cloud.client("codepipeline").start_pipeline_execution(name="shop")
        cloud.run_until_idle()

        ends = [(one.status.value, one.summary) for one in record.simulation.state.executions.values()]
        failed = [event.detail for event in record.simulation.trace if event.kind.value == "ActionFailed"]
        assert failed == []
        assert [status for status, _ in ends] == ["Succeeded", "Succeeded"]


def test_what_a_deploy_names_is_really_there() -> None:
    with Cloud(seed=1) as cloud:
        cloud.provision(deploying(*CASES["CodeDeployToECS"]))
        cloud.run_until_idle()
        [service] = cloud.client("ecs").describe_services(cluster="shop", services=["live"])["services"]

        assert service["taskDefinition"].endswith("task-definition/shop:1")
        [container] = cloud.client("ecs").describe_task_definition(taskDefinition="shop")["taskDefinition"][
            "containerDefinitions"
        ]
        assert (container["name"], container["image"]) == ("app", "public.ecr.aws/docker/library/nginx:1.27")


def test_a_stack_set_of_the_pipeline_itself_is_not_made_beforehand() -> None:
    sets = action(
        "Deploy", "CloudFormationStackSet", name="Set", runOrder=1, inputArtifacts=[{"name": "Code"}],
        configuration={"StackSetName": "net", "TemplatePath": "Code::net.yml"},
    )  # fmt: skip
    instances = action("Deploy", "CloudFormationStackInstances", name="Do", runOrder=2, configuration=TARGETS)
    with Cloud(seed=1) as cloud:
        cloud.provision(document(sets, instances, source=SOURCE))
        assert cloud.client("cloudformation").list_stack_sets()["Summaries"] == []
        cloud.run_until_idle()

        found = cloud.client("cloudformation").list_stack_instances(StackSetName="net")["Summaries"]
        assert sorted(one["Region"] for one in found) == ["eu-west-1", "us-east-1"]


def test_a_public_site_is_hosted() -> None:
    with Cloud(seed=1) as cloud:
        cloud.provision(deploying(*CASES["S3"]))
        cloud.run_until_idle()

        s3 = cloud.client("s3")
        index = s3.get_bucket_website(Bucket="site-of-shop")["IndexDocument"]["Suffix"]
        assert s3.get_object(Bucket="site-of-shop", Key=index)["Body"].read().startswith(b"<!doctype html>")


def test_the_api_tells_the_targets_of_a_deploy() -> None:
    with Cloud(seed=1) as cloud:
        cloud.provision(deploying(*CASES["EC2"]))
        cloud.run_until_idle()
        client = cloud.client("codepipeline")
        [deploy, _] = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
        members: dict[str, Any] = {"pipelineName": "shop", "actionExecutionId": deploy["actionExecutionId"]}
        pages = client.get_paginator("list_deploy_action_execution_targets").paginate(
            **members, PaginationConfig={"PageSize": 1}
        )
        found = [page["targets"] for page in pages]
        failed = client.list_deploy_action_execution_targets(
            **members, filters=[{"name": "TARGET_STATUS", "values": ["Failed"]}]
        )["targets"]

        instances = cloud.client("ec2").describe_instances()["Reservations"][0]["Instances"]
        assert [len(page) for page in found] == [1, 1]
        assert [page[0]["targetId"] for page in found] == sorted(one["InstanceId"] for one in instances)
        assert [page[0]["status"] for page in found] == ["Succeeded", "Succeeded"]
        assert found[0][0]["endTime"] <= found[1][0]["startTime"]
        assert failed == []


@pytest.mark.parametrize("case", ["CodeDeploy", "CodeDeployToECS", "ECS", "ElasticBeanstalk", "AppConfig", "EC2"])
def test_the_same_seed_gives_the_same_ids(case: str) -> None:
    def ids(seed: int) -> list[Any]:
        with Cloud(seed=seed) as cloud:
            record = cloud.provision(deploying(*CASES[case]))
            cloud.run_until_idle()
            told = cloud.client("codepipeline").list_action_executions(pipelineName="shop")
            deploys = cloud.client("codedeploy").list_deployments()["deployments"]
            ends = [
                one["output"]["executionResult"].get("externalExecutionId") for one in told["actionExecutionDetails"]
            ]
            return [*ends, *deploys, record.simulation.trace.to_jsonl()]

    assert ids(7) == ids(7)
