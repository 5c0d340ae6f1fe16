"""CloudFormation actions: each mode, templates and parameters out of artifacts, outputs into variables."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation.models import cloudformation_backends

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption
from pipesim.engine.commands import Retry
from tests.cloud.standin import BUCKET, StandIn, action, allow_everything, document, sourcing, standing_in, start

TEMPLATE = """
Parameters:
  Name: {Type: String, Default: first}
  Bucket: {Type: String, Default: none}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref Name}
Outputs:
  QueueUrl: {Value: !Ref Queue}
  From: {Value: !Ref Bucket}
"""
TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
ROLE = json.dumps(
    {
        "Resources": {
            "R": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {"Statement": []}, "RoleName": "r"},
            }
        }
    }
)
FILES = {
    "t.yaml": TEMPLATE,
    "topic.json": TOPIC,
    "role.json": ROLE,
    "broken.json": "{no",
    "empty.yaml": "Resources:",
    "settings.json": json.dumps({"Parameters": {"Name": "from-file"}, "Tags": {"team": "shop"}}),
    "values.json": json.dumps({"queue": "from-param"}),
}


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        yield account


def deploy(name: str = "Do", order: int = 1, output: str | None = None, **configuration: str) -> dict[str, Any]:
    return action(
        "Deploy",
        "CloudFormation",
        name=name,
        runOrder=order,
        configuration={"StackName": "s", **configuration},
        inputArtifacts=[{"name": "Code"}],
        namespace=f"{name}Variables",
        **({"outputArtifacts": [{"name": output}]} if output else {}),
    )


def run(account: StandIn, *actions: dict[str, Any], files: dict[str, str] = FILES, name: str = "shop") -> Any:
    sim = account.create(
        document(*actions, name=name),
        {"Source/S3": sourcing(files)},
        actions={"Deploy/CloudFormation": ActionAssumption(duration=Constant(20))},
    )
    start(sim)
    account.advance(120)
    return sim


def latest(sim: Any, index: int = 0) -> Any:
    return sim.state.stage("Work").actions[index].latest


def stack(account: StandIn, name: str = "s") -> dict[str, Any]:
    return account.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


CREATE = {"ActionMode": "CREATE_UPDATE", "TemplatePath": "Code::t.yaml"}


@pytest.mark.provider("Deploy/CloudFormation", "success")
def test_create_update_creates_and_then_updates(account: StandIn) -> None:
    sim = run(account, deploy(**CREATE))

    done = latest(sim)
    assert (done.status, done.summary) == ("Succeeded", "Stack s was created.")
    assert done.external_id == stack(account)["StackId"]
    assert done.external_id in done.external_url
    assert done.variables == {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/first", "From": "none"}
    assert stack(account)["StackStatus"] == "CREATE_COMPLETE"
    created = stack(account)["CreationTime"]
    assert (created - account.start).total_seconds() == pytest.approx(21, abs=2)

    start(sim)
    account.advance(120)
    assert latest(sim).summary == "Stack s was updated."


def test_a_stack_that_is_as_wanted_already_is_no_failure(account: StandIn) -> None:
    sim = run(account, deploy(**CREATE, ParameterOverrides='{"Name": "same", "Bucket": "same"}'))
    start(sim)
    account.advance(120)

    done = latest(sim)
    assert (done.status, done.summary) == ("Succeeded", "Stack s was left as it is.")
    assert done.variables["From"] == "same"


def test_parameters_come_from_the_file_the_overrides_and_the_artifacts(account: StandIn) -> None:
    overrides = {
        "Name": {"Fn::GetParam": ["Code", "values.json", "queue"]},
        "Bucket": {"Fn::GetArtifactAtt": ["Code", "BucketName"]},
    }
    settings = {"TemplateConfiguration": "Code::settings.json"}
    sim = run(account, deploy(**CREATE, **settings, ParameterOverrides=json.dumps(overrides)))

    assert latest(sim).variables["From"] == BUCKET
    assert latest(sim).variables["QueueUrl"].endswith("/from-param")
    assert stack(account)["Tags"] == [{"Key": "team", "Value": "shop"}]


@pytest.mark.parametrize("attribute", ["ObjectKey", "URL"])
def test_other_attributes_of_artifacts(account: StandIn, attribute: str) -> None:
    overrides = json.dumps({"Bucket": {"Fn::GetArtifactAtt": ["Code", attribute]}})

    sim = run(account, deploy(**CREATE, ParameterOverrides=overrides))

    key = next(iter(sim.executions.values())).artifacts["Code"]
    url = f"https://s3-us-east-1.amazonaws.com/{BUCKET}/{key}"
    assert latest(sim).variables["From"] == {"ObjectKey": key, "URL": url}[attribute]


def test_outputs_become_an_artifact_when_a_file_is_named(account: StandIn) -> None:
    sim = run(account, deploy(**CREATE, output="Outs", OutputFileName="outputs.json"))

    key = latest(sim).outputs["Outs"]
    body = account.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    found = json.loads(zipfile.ZipFile(io.BytesIO(body)).read("outputs.json"))
    assert found == latest(sim).variables


def test_without_a_file_name_nothing_is_written(account: StandIn) -> None:
    sim = run(account, deploy(**CREATE, output="Outs"))

    assert latest(sim).outputs == {}


def test_delete_only(account: StandIn) -> None:
    delete = deploy("Delete", 2, ActionMode="DELETE_ONLY")
    sim = run(account, deploy(**CREATE), delete)

    assert latest(sim, 1).status == "Succeeded"
    with pytest.raises(ClientError, match="does not exist"):
        stack(account)
    assert "QueueUrls" not in account.client("sqs").list_queues()
    again = run(account, deploy(ActionMode="DELETE_ONLY"), name="again")
    assert latest(again).status == "Succeeded"


def test_change_sets(account: StandIn) -> None:
    name = {"ChangeSetName": "changes"}
    make = deploy("Make", 1, ActionMode="CHANGE_SET_REPLACE", TemplatePath="Code::t.yaml", **name)
    sim = run(account, make)
    assert latest(sim).summary == "Change set changes was created."
    assert latest(sim).variables == {}
    assert stack(account)["StackStatus"] == "REVIEW_IN_PROGRESS"

    other = run(account, {**make, "configuration": {**make["configuration"], "StackName": "other"}}, name="other")
    assert latest(other).status == "Succeeded"
    again = run(account, make, deploy("Do", 2, ActionMode="CHANGE_SET_EXECUTE", **name), name="again")

    assert latest(again, 1).variables["QueueUrl"].endswith("/first")
    assert stack(account)["StackStatus"] == "CREATE_COMPLETE"
    assert stack(account, "other")["StackStatus"] == "REVIEW_IN_PROGRESS"
    start(again)
    account.advance(120)
    assert [latest(again, i).status for i in (0, 1)] == ["Succeeded", "Succeeded"]
    names = [s["StackName"] for s in account.client("cloudformation").describe_stacks()["Stacks"]]
    assert sorted(names) == ["other", "s"]


def test_a_change_set_is_executed_once(account: StandIn) -> None:
    name = {"ChangeSetName": "changes"}
    sim = run(
        account,
        deploy("Make", 1, ActionMode="CHANGE_SET_REPLACE", TemplatePath="Code::t.yaml", **name),
        deploy("Do", 2, ActionMode="CHANGE_SET_EXECUTE", **name),
        deploy("Twice", 3, ActionMode="CHANGE_SET_EXECUTE", **name),
    )

    assert latest(sim, 2).code == "JobFailed"
    assert "EXECUTE_COMPLETE" in latest(sim, 2).message


def test_replace_on_failure_replaces_what_create_update_gives_up(account: StandIn) -> None:
    run(account, deploy(**CREATE), name="first")
    (record,) = cloudformation_backends[account.id][account.region].stacks.values()
    before, record.status = record.stack_id, "ROLLBACK_FAILED"

    given_up = run(account, deploy(**CREATE), name="second")
    assert latest(given_up).message == "Stack:s is in ROLLBACK_FAILED state and can not be updated."
    replaced = run(account, deploy(ActionMode="REPLACE_ON_FAILURE", TemplatePath="Code::t.yaml"), name="third")

    assert latest(replaced).summary == "Stack s was created."
    assert stack(account)["StackId"] != before
    once_more = run(account, deploy(ActionMode="REPLACE_ON_FAILURE", TemplatePath="Code::t.yaml"), name="fourth")
    assert latest(once_more).summary == "Stack s was updated."


@pytest.mark.provider("Deploy/CloudFormation", "failure")
@pytest.mark.parametrize(
    ("configuration", "code", "message"),
    [
        ({"ActionMode": "CREATE_UPDATE", "TemplatePath": "Code::nope.yaml"}, "ConfigurationError", "[nope.yaml]"),
        ({"ActionMode": "CREATE_UPDATE", "TemplatePath": "Other::t.yaml"}, "ConfigurationError", "[Other]"),
        ({"ActionMode": "CREATE_UPDATE", "TemplatePath": "t.yaml"}, "ConfigurationError", "Artifact::file"),
        ({"ActionMode": "CREATE_UPDATE"}, "ConfigurationError", "TemplatePath"),
        ({"ActionMode": "CREATE_UPDATE", "TemplatePath": "Code::broken.json"}, "JobFailed", "neither JSON nor YAML"),
        ({"ActionMode": "CREATE_UPDATE", "TemplatePath": "Code::empty.yaml"}, "JobFailed", "Resources"),
        (
            {"ActionMode": "CREATE_UPDATE", "TemplatePath": "Code::role.json", "Capabilities": "CAPABILITY_IAM"},
            "JobFailed",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        ({**CREATE, "ParameterOverrides": '{"Nope": "1"}'}, "JobFailed", "Parameters: [Nope] do not exist"),
        ({**CREATE, "ParameterOverrides": "{no"}, "ConfigurationError", "not valid JSON"),
        ({**CREATE, "ParameterOverrides": "[1]"}, "ConfigurationError", "not a JSON object"),
        ({**CREATE, "ParameterOverrides": '{"Name": {"Fn::GetParam": ["Code"]}}'}, "ConfigurationError", "Name"),
        (
            {**CREATE, "ParameterOverrides": '{"Name": {"Fn::GetParam": ["Code", "values.json", "nope"]}}'},
            "ConfigurationError",
            "nope",
        ),
        (
            {**CREATE, "ParameterOverrides": '{"Name": {"Fn::GetArtifactAtt": ["Code", "Colour"]}}'},
            "ConfigurationError",
            "Colour",
        ),
        ({"ActionMode": "CHANGE_SET_EXECUTE", "ChangeSetName": "nope"}, "ConfigurationError", "[nope]"),
        ({"ActionMode": "CHANGE_SET_EXECUTE"}, "ConfigurationError", "ChangeSetName"),
        ({"ActionMode": "EXPLODE"}, "ConfigurationError", "EXPLODE"),
    ],
)
def test_what_is_wrong_is_named(account: StandIn, configuration: dict[str, str], code: str, message: str) -> None:
    sim = run(account, deploy(**configuration))

    assert (latest(sim).status, latest(sim).code) == ("Failed", code)
    assert message in latest(sim).message
    assert account.client("cloudformation").describe_stacks()["Stacks"] == []


def test_acknowledged_capabilities(account: StandIn) -> None:
    template = {"ActionMode": "CREATE_UPDATE", "TemplatePath": "Code::role.json"}

    sim = run(account, deploy(**template, Capabilities="CAPABILITY_NAMED_IAM"))

    assert latest(sim).status == "Succeeded"
    assert account.client("iam").get_role(RoleName="r")


@pytest.mark.provider("Deploy/CloudFormation", "permission")
def test_a_role_without_the_permission_fails_until_it_has_it(account: StandIn) -> None:
    allow_everything(account, but="cloudformation:CreateStack")
    sim = run(account, deploy(**CREATE))
    assert (latest(sim).status, latest(sim).code) == ("Failed", "PermissionError")
    assert "cloudformation:CreateStack" in latest(sim).message

    allow_everything(account)
    sim.send(Retry("Work", next(iter(sim.executions))))
    account.advance(60)

    assert latest(sim).status == "Succeeded"


@pytest.fixture
def role(account: StandIn) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return account.client("iam").create_role(RoleName="stacks", AssumeRolePolicyDocument=document)["Role"]["Arn"]


def test_a_role_for_the_stack_must_be_passed_and_be_cloudformations(account: StandIn, role: str) -> None:
    assert latest(run(account, deploy(**CREATE, RoleArn=role))).status == "Succeeded"
    assert cloudformation_backends[account.id][account.region].describe_stacks("s")[0].role_arn == role

    stranger = role.replace("stacks", "pipeline")
    refused = latest(run(account, deploy(**CREATE, RoleArn=stranger), name="stranger"))
    assert (refused.code, refused.message) == (
        "ConfigurationError",
        f"Role {stranger} is invalid or cannot be assumed",
    )
    allow_everything(account, but="iam:PassRole")
    refused = latest(run(account, deploy(**CREATE, RoleArn=role), name="denied"))
    assert refused.code == "PermissionError"
    assert "iam:PassRole" in refused.message


@pytest.mark.provider("Deploy/CloudFormation", "input")
def test_the_artifact_is_gone(account: StandIn) -> None:
    sim = account.create(
        document(deploy(**CREATE)),
        {"Source/S3": sourcing(FILES)},
        actions={"Deploy/CloudFormation": ActionAssumption(duration=Constant(20))},
    )
    start(sim)
    account.advance(10)
    key = next(iter(sim.executions.values())).artifacts["Code"]
    account.client("s3").delete_object(Bucket=BUCKET, Key=key)
    account.advance(60)

    assert (latest(sim).status, latest(sim).code) == ("Failed", "ConfigurationError")
    assert "NoSuchKey" in latest(sim).message
