"""Stacks with pipelines and what belongs to them: made by the services' own doors, updated, rolled back, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation import parsing

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from tests.cloud.shop import Shop, approval, source, stage, trust

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Branch": {"Type": "String", "Default": "main"}},
    "Resources": {
        "Line": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "Name": "shop",
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "ArtifactStore": {"Type": "S3", "Location": {"Ref": "Artifacts"}},
                "Stages": [
                    {
                        "Name": "Source",
                        "Actions": [
                            {
                                "Name": "Fetch",
                                "ActionTypeId": {
                                    "Category": "Source", "Owner": "AWS", "Provider": "CodeCommit", "Version": "1",
                                },
                                "Configuration": {
                                    "RepositoryName": {"Fn::GetAtt": ["Repository", "Name"]},
                                    "BranchName": {"Fn::Sub": "${Branch}"},
                                    "PollForSourceChanges": False,
                                },
                                "OutputArtifacts": [{"Name": "Code"}],
                            }
                        ],
                    },
                    {
                        "Name": "Build",
                        "Actions": [
                            {
                                "Name": "Build",
                                "ActionTypeId": {
                                    "Category": "Build", "Owner": "AWS", "Provider": "CodeBuild", "Version": 1,
                                },
                                "RunOrder": "1",
                                "Configuration": {"ProjectName": {"Ref": "Project"}},
                                "InputArtifacts": [{"Name": "Code"}],
                            }
                        ],
                    },
                ],
                "Tags": [{"Key": "team", "Value": "shop"}],
            },
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": "line",
                "AssumeRolePolicyDocument": json.loads(
                    trust(["codepipeline.amazonaws.com", "codebuild.amazonaws.com"])
                ),
                "Policies": [
                    {
                        "PolicyName": "all",
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                        },
                    }
                ],
            },
        },
        "Artifacts": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": "artifacts", "VersioningConfiguration": {"Status": "Enabled"}},
            "DeletionPolicy": "Retain",
        },
        "Repository": {
            "Type": "AWS::CodeCommit::Repository",
            "Properties": {
                "RepositoryName": "code",
                "Code": {"S3": {"Bucket": "seeds", "Key": "seed.zip"}, "BranchName": "main"},
            },
        },
        "Project": {
            "Type": "AWS::CodeBuild::Project",
            "Properties": {
                "ServiceRole": {"Fn::GetAtt": ["Role", "Arn"]},
                "Source": {"Type": "CODEPIPELINE", "BuildSpec": "version: 0.2\nphases: {build: {commands: [echo]}}"},
                "Artifacts": {"Type": "CODEPIPELINE"},
                "Environment": {
                    "Type": "LINUX_CONTAINER", "ComputeType": "BUILD_GENERAL1_SMALL",
                    "Image": "aws/codebuild/standard:7.0",
                },
                "TimeoutInMinutes": "20",
            },
        },
    },
    "Outputs": {
        "Name": {"Value": {"Ref": "Line"}},
        "Version": {"Value": {"Fn::GetAtt": ["Line", "Version"]}},
        "Clone": {"Value": {"Fn::GetAtt": ["Repository", "CloneUrlHttp"]}},
        "Project": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}},
    },
}  # fmt: skip


@pytest.fixture
def real() -> Iterator[Cloud]:
    with Cloud(seed=1) as cloud:
        cloud.client("s3").create_bucket(Bucket="seeds")
        cloud.client("s3").put_object(Bucket="seeds", Key="seed.zip", Body=pack({"readme.md": b"hello"}))
        yield cloud


def capital(value: Any) -> Any:
    """A declaration as a template writes it; configurations keep their keys."""
    if isinstance(value, list):
        return [capital(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key[0].upper() + key[1:]: one if key == "configuration" else capital(one) for key, one in value.items()}


def template_of(shop: Shop, *stages: dict[str, Any], **resources: Any) -> dict[str, Any]:
    properties = capital(shop.document(*stages))
    return {"Resources": {"Line": {"Type": "AWS::CodePipeline::Pipeline", "Properties": properties}, **resources}}


def create(cloud: Cloud, template: dict[str, Any], name: str = "s", **members: Any) -> dict[str, Any]:
    members.setdefault("Capabilities", ["CAPABILITY_NAMED_IAM"])
    cloud.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template), **members)
    return stack(cloud, name)


def update(cloud: Cloud, template: dict[str, Any], **members: Any) -> dict[str, Any]:
    cloud.client("cloudformation").update_stack(StackName="s", TemplateBody=json.dumps(template), **members)
    return stack(cloud)


def stack(cloud: Cloud, name: str = "s") -> dict[str, Any]:
    return cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def outputs(told: dict[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in told["Outputs"]}


def names(cloud: Cloud) -> list[str]:
    return [one["name"] for one in cloud.client("codepipeline").list_pipelines()["pipelines"]]


def test_a_stack_yields_a_pipeline_that_runs(real: Cloud) -> None:
    told = create(real, TEMPLATE)

    assert told["StackStatus"] == "CREATE_COMPLETE"
    assert outputs(told)["Name"] == "shop"
    assert outputs(told)["Version"] == "1"
    assert outputs(told)["Clone"].endswith("/v1/repos/code")
    assert ":project/s-Project-" in outputs(told)["Project"]
    real.run_until_idle()
    (execution,) = Shop(real).executions()
    assert execution["status"] == "Succeeded"
    client = real.client("codepipeline")
    assert client.get_pipeline(name="shop")["pipeline"]["stages"][0]["actions"][0]["configuration"] == {
        "RepositoryName": "code", "BranchName": "main", "PollForSourceChanges": "false",
    }  # fmt: skip
    arn = client.get_pipeline(name="shop")["metadata"]["pipelineArn"]
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "shop"}]


def test_an_update_changes_the_pipeline_and_a_deletion_takes_all_away(real: Cloud) -> None:
    create(real, TEMPLATE)
    real.run_until_idle()
    told = update(real, TEMPLATE, Parameters=[{"ParameterKey": "Branch", "ParameterValue": "next"}])

    assert told["StackStatus"] == "UPDATE_COMPLETE"
    pipeline = real.client("codepipeline").get_pipeline(name="shop")["pipeline"]
    assert pipeline["version"] == 2
    assert pipeline["stages"][0]["actions"][0]["configuration"]["BranchName"] == "next"

    real.client("cloudformation").delete_stack(StackName="s")
    assert names(real) == []
    assert real.client("codebuild").list_projects()["projects"] == []
    assert real.client("codecommit").list_repositories()["repositories"] == []
    assert {one["Name"] for one in real.client("s3").list_buckets()["Buckets"]} == {"artifacts", "seeds"}


def test_the_project_keeps_its_builds_when_it_is_updated(real: Cloud) -> None:
    create(real, TEMPLATE)
    real.run_until_idle()
    template = json.loads(json.dumps(TEMPLATE))
    template["Resources"]["Project"]["Properties"]["Description"] = "new"
    update(real, template)

    client = real.client("codebuild")
    (name,) = client.list_projects()["projects"]
    assert client.batch_get_projects(names=[name])["projects"][0]["description"] == "new"
    assert len(client.list_builds_for_project(projectName=name)["ids"]) == 1


def test_a_refusal_rolls_the_stack_back_with_the_services_reason(cloud: Cloud, shop: Shop) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}
    template = template_of(shop, stage("Source", source()), Queue=queue)
    template["Resources"]["Line"]["DependsOn"] = "Queue"
    told = create(cloud, template)

    assert told["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "failed to create: [Line]" in told["StackStatusReason"]
    assert "Pipeline has only 1 stage(s)" in told["StackStatusReason"]
    assert "InvalidRequest" in told["StackStatusReason"]
    assert "QueueUrls" not in cloud.client("sqs").list_queues()
    assert names(cloud) == []
    events = cloud.client("cloudformation").describe_stack_events(StackName="s")["StackEvents"]
    seen = [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(events)]
    assert seen[-3:] == [("Line", "CREATE_FAILED"), ("s", "ROLLBACK_IN_PROGRESS"), ("s", "ROLLBACK_COMPLETE")]


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"),
        ({"DisableRollback": True}, "CREATE_FAILED"),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE"),
        ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE"),
        ({"DisableRollback": False}, "ROLLBACK_COMPLETE"),
    ],
)
def test_a_creation_that_fails_is_left_or_deleted_when_it_says_so(
    cloud: Cloud, shop: Shop, wanted: dict[str, Any], status: str
) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}
    template = template_of(shop, stage("Source", source()), Queue=queue)
    template["Resources"]["Line"]["DependsOn"] = "Queue"
    client = cloud.client("cloudformation")

    id = client.create_stack(StackName="s", TemplateBody=json.dumps(template), **wanted)["StackId"]

    told = stack(cloud, id)
    assert told["StackStatus"] == status
    assert "Pipeline has only 1 stage(s)" in told["StackStatusReason"]
    assert ("QueueUrls" in cloud.client("sqs").list_queues()) == (status == "CREATE_FAILED")
    client.delete_stack(StackName="s")
    assert "QueueUrls" not in cloud.client("sqs").list_queues()
    assert stack(cloud, id)["StackStatus"] == "DELETE_COMPLETE"


def test_two_wishes_for_a_failure_are_refused(cloud: Cloud, shop: Shop) -> None:
    with pytest.raises(ClientError, match="cannot specify both the DisableRollback and OnFailure"):
        create(cloud, template_of(shop), OnFailure="DELETE", DisableRollback=True)
    assert cloud.client("cloudformation").list_stacks()["StackSummaries"] == []


def test_a_repository_is_changed_in_place(cloud: Cloud) -> None:
    def template(**properties: str) -> dict[str, Any]:
        made = {"Type": "AWS::CodeCommit::Repository", "Properties": properties}
        return {
            "Resources": {"Code": made},
            "Outputs": {"Clone": {"Value": {"Fn::GetAtt": ["Code", "CloneUrlHttp"]}}},
        }

    create(cloud, template(RepositoryName="code"))
    commit = cloud.repository("code", provider="CodeCommit").push({"a": "b"})
    client = cloud.client("codecommit")
    before = client.get_repository(repositoryName="code")["repositoryMetadata"]

    told = update(cloud, template(RepositoryName="shop", RepositoryDescription="What we sell"))

    assert told["StackStatus"] == "UPDATE_COMPLETE", told.get("StackStatusReason")
    after = client.get_repository(repositoryName="shop")["repositoryMetadata"]
    assert after["repositoryId"] == before["repositoryId"]
    assert after["repositoryDescription"] == "What we sell"
    assert after["Arn"].endswith(":shop")
    assert outputs(told)["Clone"].endswith("/repos/shop")
    assert client.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"] == commit.id
    assert [one["repositoryName"] for one in client.list_repositories()["repositories"]] == ["shop"]
    cloud.client("cloudformation").delete_stack(StackName="s")
    assert client.list_repositories()["repositories"] == []


def test_a_deployment_group_is_changed_in_place(cloud: Cloud, shop: Shop) -> None:
    def template(**properties: Any) -> dict[str, Any]:
        given = {"ApplicationName": "app", "DeploymentGroupName": "g", "ServiceRoleArn": shop.role, **properties}
        app = {"Type": "AWS::CodeDeploy::Application", "Properties": {"ApplicationName": "app"}}
        group = {"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": given, "DependsOn": "App"}
        return {"Resources": {"App": app, "Group": group}}

    def told() -> dict[str, Any]:
        client = cloud.client("codedeploy")
        return client.get_deployment_group(applicationName="app", deploymentGroupName="g")["deploymentGroupInfo"]

    tag = {"Key": "a", "Value": "b", "Type": "KEY_AND_VALUE"}
    create(cloud, template(Ec2TagFilters=[tag]))
    before = told()
    assert before["ec2TagFilters"] == [tag]

    update(cloud, template(DeploymentConfigName="CodeDeployDefault.AllAtOnce", AutoScalingGroups=["fleet"]))

    after = told()
    assert after["deploymentGroupId"] == before["deploymentGroupId"]
    assert after["deploymentConfigName"] == "CodeDeployDefault.AllAtOnce"
    assert after["ec2TagFilters"] == []


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("CodePipeline::Pipeline", {}),
        ("CodePipeline::CustomActionType", {"Category": "Test", "Provider": "Mine", "Version": "1"}),
        ("CodeBuild::Project", {"Name": "shop"}),
        ("CodeCommit::Repository", {"RepositoryName": "shop"}),
        ("CodeDeploy::Application", {"ApplicationName": "shop"}),
        ("CodeDeploy::DeploymentGroup", {"ApplicationName": "taken", "DeploymentGroupName": "g"}),
    ],
)
def test_a_name_that_is_taken_takes_the_stack_back(
    cloud: Cloud, shop: Shop, kind: str, properties: dict[str, Any]
) -> None:
    details = {"MinimumCount": 0, "MaximumCount": 1}
    more: dict[str, dict[str, Any]] = {
        "CodePipeline::Pipeline": capital(shop.document()),
        "CodePipeline::CustomActionType": {"InputArtifactDetails": details, "OutputArtifactDetails": details},
        "CodeBuild::Project": {
            **TEMPLATE["Resources"]["Project"]["Properties"], "ServiceRole": shop.role,
        },
        "CodeDeploy::DeploymentGroup": {"ServiceRoleArn": shop.role},
    }  # fmt: skip
    cloud.client("codedeploy").create_application(applicationName="taken")
    resource = {"Type": f"AWS::{kind}", "Properties": {**more.get(kind, {}), **properties}}
    template = {"Resources": {"It": resource}}
    assert create(cloud, template, "first")["StackStatus"] == "CREATE_COMPLETE"

    told = create(cloud, template, "second")

    assert told["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "failed to create: [It]" in told["StackStatusReason"]
    assert "(HandlerErrorCode: AlreadyExists)" in told["StackStatusReason"]
    client = cloud.client("cloudformation")
    client.delete_stack(StackName="second")
    assert create(cloud, template, "third")["StackStatus"] == "ROLLBACK_COMPLETE"
    client.delete_stack(StackName="third")
    client.delete_stack(StackName="first")
    assert create(cloud, template, "fourth")["StackStatus"] == "CREATE_COMPLETE"


def test_an_update_that_is_refused_leaves_all_as_it_was(cloud: Cloud, shop: Shop) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    create(cloud, template_of(shop, Topic=topic))
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}}
    told = update(cloud, template_of(shop, stage("Source", source()), Queue=queue))

    assert told["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "failed to update: [Line]" in told["StackStatusReason"]
    assert "QueueUrls" not in cloud.client("sqs").list_queues()
    assert len(cloud.client("sns").list_topics()["Topics"]) == 1
    pipeline = cloud.client("codepipeline").get_pipeline(name="shop")["pipeline"]
    assert (pipeline["version"], len(pipeline["stages"])) == (1, 3)
    assert len(shop.executions()) == 1
    assert update(cloud, template_of(shop))["StackStatus"] == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Colour": "red"}, "#: extraneous key [Colour] is not permitted"),
        ({"Stages": [{"Name": "Source"}]}, "#/Stages/0: required key [Actions] not found"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "not authorized to perform AssumeRole"),
    ],
)
def test_wrong_properties_are_named(cloud: Cloud, shop: Shop, change: dict[str, Any], reason: str) -> None:
    template = template_of(shop)
    template["Resources"]["Line"]["Properties"].update(change)

    told = create(cloud, template)
    assert told["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason in told["StackStatusReason"]


def test_a_new_name_makes_a_new_pipeline(cloud: Cloud, shop: Shop) -> None:
    template = template_of(shop)
    create(cloud, template)
    template["Resources"]["Line"]["Properties"]["Name"] = "store"
    update(cloud, template)

    assert names(cloud) == ["store"]


def test_without_a_name_one_is_made_up_and_stays(cloud: Cloud, shop: Shop) -> None:
    template = template_of(shop)
    del template["Resources"]["Line"]["Properties"]["Name"]
    create(cloud, template)
    (name,) = names(cloud)
    assert name.startswith("s-Line-")

    template["Resources"]["Line"]["Properties"]["Stages"].pop()
    update(cloud, template)
    assert names(cloud) == [name]


def test_transitions_are_disabled_and_enabled(cloud: Cloud, shop: Shop) -> None:
    template = template_of(shop)
    properties = template["Resources"]["Line"]["Properties"]
    properties["DisableInboundStageTransitions"] = [{"StageName": "Out", "Reason": "freeze"}]
    create(cloud, template)
    assert shop.state()["Out"]["inboundTransitionState"]["disabledReason"] == "freeze"

    del properties["DisableInboundStageTransitions"]
    properties["RestartExecutionOnUpdate"] = True
    update(cloud, template)
    assert shop.state()["Out"]["inboundTransitionState"]["enabled"] is True
    assert len(shop.executions()) == 2


def test_a_role_of_the_stack_must_be_allowed_what_it_does(cloud: Cloud, shop: Shop) -> None:
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="stacks", AssumeRolePolicyDocument=trust("cloudformation.amazonaws.com"))
    arn = role["Role"]["Arn"]
    told = create(cloud, template_of(shop), RoleARN=arn)
    assert told["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    assert "is not authorized to perform: codepipeline:CreatePipeline" in told["StackStatusReason"]
    assert "AccessDenied" in told["StackStatusReason"]

    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "codepipeline:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="stacks", PolicyName="p", PolicyDocument=json.dumps(policy))
    assert create(cloud, template_of(shop), "t", RoleARN=arn)["StackStatus"] == "CREATE_COMPLETE"


def test_the_other_types(cloud: Cloud, shop: Shop) -> None:
    github = {
        "name": "Fetch",
        "actionTypeId": {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"},
        "configuration": {
            "Owner": "o",
            "Repo": "r",
            "Branch": "main",
            "OAuthToken": "t",
            "PollForSourceChanges": "false",
        },
        "outputArtifacts": [{"name": "Code"}],
    }  # fmt: skip
    tagged = [{"Key": "a", "Value": "b", "Type": "KEY_AND_VALUE"}]
    types: dict[str, tuple[str, dict[str, Any]]] = {
        "Hook": (
            "CodePipeline::Webhook",
            {
                "Authentication": "GITHUB_HMAC", "AuthenticationConfiguration": {"SecretToken": "hush"},
                "Filters": [{"JsonPath": "$.ref", "MatchEquals": "refs/heads/{Branch}"}],
                "TargetPipeline": {"Ref": "Line"}, "TargetAction": "Fetch",
                "TargetPipelineVersion": {"Fn::GetAtt": ["Line", "Version"]}, "RegisterWithThirdParty": True,
            },
        ),
        "Worker": (
            "CodePipeline::CustomActionType",
            {
                "Category": "Test", "Provider": "Mine", "Version": 1,
                "InputArtifactDetails": {"MinimumCount": 0, "MaximumCount": "1"},
                "OutputArtifactDetails": {"MinimumCount": 0, "MaximumCount": 0},
                "ConfigurationProperties": [{"Name": "P", "Key": True, "Required": True, "Secret": "false"}],
            },
        ),
        "App": ("CodeDeploy::Application", {"ComputePlatform": "Server"}),
        "Group": (
            "CodeDeploy::DeploymentGroup",
            {
                "ApplicationName": {"Ref": "App"}, "DeploymentGroupName": "g", "ServiceRoleArn": shop.role,
                "Ec2TagSet": {"Ec2TagSetList": [{"Ec2TagGroup": tagged}]},
                "DeploymentConfigName": "CodeDeployDefault.OneAtATime",
            },
        ),
        "Hub": ("CodeConnections::Connection", {"ConnectionName": "hub", "ProviderType": "GitHub"}),
        "Star": ("CodeStarConnections::Connection", {"ConnectionName": "star", "ProviderType": "GitHub"}),
        "Rule": (
            "CodeStarNotifications::NotificationRule",
            {
                "Name": "failed", "DetailType": "FULL",
                "EventTypeIds": ["codepipeline-pipeline-pipeline-execution-failed"],
                "Resource": {"Fn::Sub": "arn:aws:codepipeline:${AWS::Region}:${AWS::AccountId}:${Line}"},
                "Targets": [{"TargetType": "SNS", "TargetAddress": {"Ref": "Topic"}}], "Tags": {"team": "shop"},
            },
        ),
    }  # fmt: skip
    resources = {name: {"Type": f"AWS::{kind}", "Properties": given} for name, (kind, given) in types.items()}
    resources["Topic"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    template = template_of(shop, stage("Source", github), stage("Gate", approval()), **resources)
    template["Outputs"] = {
        "Url": {"Value": {"Fn::GetAtt": ["Hook", "Url"]}},
        "App": {"Value": {"Ref": "App"}},
        "Hub": {"Value": {"Ref": "Hub"}},
        "Status": {"Value": {"Fn::GetAtt": ["Star", "ConnectionStatus"]}},
        "Rule": {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}},
    }
    told = create(cloud, template)
    assert told["StackStatus"] == "CREATE_COMPLETE", told.get("StackStatusReason")

    found = outputs(told)
    (hook,) = shop.client.list_webhooks()["webhooks"]
    assert (hook["url"], hook["definition"]["targetPipeline"]) == (found["Url"], "shop")
    custom = shop.client.list_action_types(actionOwnerFilter="Custom")["actionTypes"]
    assert [one["id"]["provider"] for one in custom] == ["Mine"]
    group = cloud.client("codedeploy").get_deployment_group(applicationName=found["App"], deploymentGroupName="g")
    tags = group["deploymentGroupInfo"]["ec2TagSet"]["ec2TagSetList"]
    assert tags == [tagged]
    assert found["Hub"].startswith("arn:aws:codeconnections:")
    assert found["Status"] == "PENDING"
    rule = cloud.client("codestar-notifications").describe_notification_rule(Arn=found["Rule"])
    assert (rule["Name"], rule["Tags"]) == ("failed", {"team": "shop"})

    cloud.client("cloudformation").delete_stack(StackName="s")
    assert shop.client.list_webhooks()["webhooks"] == []
    assert shop.client.list_action_types(actionOwnerFilter="Custom")["actionTypes"] == []
    assert cloud.client("codedeploy").list_applications()["applications"] == []
    assert cloud.client("codeconnections").list_connections()["Connections"] == []
    assert cloud.client("codestar-notifications").list_notification_rules()["NotificationRules"] == []


def test_a_change_set_makes_a_pipeline_or_takes_the_stack_back(cloud: Cloud, shop: Shop) -> None:
    client = cloud.client("cloudformation")
    for name, template in (("good", template_of(shop)), ("bad", template_of(shop, stage("Source", source())))):
        client.create_change_set(
            StackName=name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=json.dumps(template)
        )
        client.execute_change_set(StackName=name, ChangeSetName="first")
        if name == "good":
            assert names(cloud) == ["shop"]
        client.delete_change_set(StackName=name, ChangeSetName="first")
    assert stack(cloud, "good")["StackStatus"] == "CREATE_COMPLETE"
    assert stack(cloud, "bad")["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_pipeline_deploys_a_pipeline() -> None:
    assumptions = Assumptions(actions={"Deploy/CloudFormation": ActionAssumption(duration=Constant(30))})
    with Cloud(seed=1, assumptions=assumptions) as cloud:
        cloud.provision("S3 -> CloudFormation")
        document = cloud.client("codepipeline").get_pipeline(name=names(cloud)[0])["pipeline"]
        given = document["stages"][0]["actions"][0]["configuration"]
        deployed = next(
            action
            for each in document["stages"]
            for action in each["actions"]
            if action["actionTypeId"]["provider"] == "CloudFormation"
        )
        path = deployed["configuration"]["TemplatePath"].split("::")[1]
        shop = Shop(cloud)
        cloud.client("s3").create_bucket(Bucket="artifacts")
        body = pack(
            {path: json.dumps(template_of(shop, stage("Source", source()), stage("Gate", approval()))).encode()}
        )
        cloud.client("s3").put_object(Bucket=given["S3Bucket"], Key=given["S3ObjectKey"], Body=body)
        cloud.advance(minutes=30)

        assert "shop" in names(cloud)
        assert len(shop.executions()) == 1


def test_moto_forgets_the_types_again() -> None:
    before = parsing.random_suffix
    with Cloud(actions="assumed") as cloud:
        cloud.client("cloudformation").list_stacks()
        assert "AWS::CodePipeline::Pipeline" in parsing.get_model_map()

    assert "AWS::CodePipeline::Pipeline" not in parsing.get_model_map()
    assert parsing.random_suffix is before


def test_what_a_template_itself_gets_wrong_is_refused(cloud: Cloud, shop: Shop) -> None:
    template = template_of(shop)
    template["Outputs"] = {"O": {"Value": {"Fn::GetAtt": ["Line", "Colour"]}}}
    with pytest.raises(ClientError, match="Colour"):
        create(cloud, template)
    assert cloud.client("cloudformation").describe_stacks()["Stacks"] == []
