"""Stack sets and their instances: real stacks in several regions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    go,
    loses_its_input,
    make,
    retry,
    source_bucket,
    status,
)
from tests.cloud.standin import StandIn

SET = ("CreateStackSet", "CreateStackInstances", "DescribeStackSet", "DescribeStackSetOperation")
INSTANCES = ("CreateStackInstances", "DescribeStackSetOperation")
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "shop"}}}})
OF = {"CloudFormationStackSet": SET, "CloudFormationStackInstances": INSTANCES}


def deploy(provider: str, **configuration: str) -> dict[str, Any]:
    given = {"StackSetName": "net", "DeploymentTargets": "123456789012", "Regions": "us-east-1,eu-west-1"}
    if provider == "CloudFormationStackSet":
        given["TemplatePath"] = "Code::template.json"
    return action("Deploy", provider, configuration={**given, **configuration}, inputArtifacts=[{"name": "Code"}])


def ready(account: StandIn, provider: str) -> None:
    source_bucket(account, pack({"template.json": TEMPLATE.encode()}))
    if provider == "CloudFormationStackInstances":
        account.client("cloudformation").create_stack_set(StackSetName="net", TemplateBody=TEMPLATE)


def provided(case: str) -> Any:
    def mark(test: Any) -> Any:
        for provider in OF:
            test = pytest.mark.provider(f"Deploy/{provider}", case)(test)
        return pytest.mark.parametrize("provider", OF)(test)

    return mark


@provided("success")
def test_stacks_stand_in_every_region(account: StandIn, provider: str) -> None:
    ready(account, provider)
    sim = make(account, deploy(provider))

    execution = go(account, sim)

    found = account.client("cloudformation").list_stack_instances(StackSetName="net")["Summaries"]
    assert (status(sim, execution), ending(sim).message) == ("Succeeded", "")
    assert sorted((one["Account"], one["Region"]) for one in found) == [
        ("123456789012", "eu-west-1"),
        ("123456789012", "us-east-1"),
    ]
    for region in ("eu-west-1", "us-east-1"):
        [topic] = account.client("sns", region).list_topics()["Topics"]
        assert topic["TopicArn"].endswith(":shop")


@provided("failure")
def test_a_target_that_is_refused(account: StandIn, provider: str) -> None:
    ready(account, provider)
    sim = make(account, deploy(provider, DeploymentTargets="ou-ab12-12345678"))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert "SELF_MANAGED permission model can only have accounts as target" in ending(sim).message


@provided("permission")
def test_the_role_needs_every_permission_and_heals(account: StandIn, provider: str) -> None:
    ready(account, provider)
    sim = make(account, deploy(provider))
    needed = tuple(f"cloudformation:{one}" for one in OF[provider])
    allow(account, *BASE, *needed[1:])

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert f"is not authorized to perform: {needed[0]}" in ending(sim).message
    allow(account, *BASE, *needed)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


@pytest.mark.provider("Deploy/CloudFormationStackSet", "input")
def test_a_missing_input(account: StandIn) -> None:
    ready(account, "CloudFormationStackSet")
    sim = make(account, deploy("CloudFormationStackSet", TemplatePath="Code::none.json"))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert ending(sim).message == "File [none.json] does not exist in artifact [Code]"
    loses_its_input(account, sim, execution)


@pytest.mark.provider("Deploy/CloudFormationStackInstances", "input")
def test_a_stack_set_that_is_missing(account: StandIn) -> None:
    ready(account, "CloudFormationStackSet")
    sim = make(account, deploy("CloudFormationStackInstances"))

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "net" in ending(sim).message


def test_an_update_reaches_the_stacks(account: StandIn) -> None:
    ready(account, "CloudFormationStackSet")
    sim = make(account, deploy("CloudFormationStackSet"))
    go(account, sim)
    account.client("s3").put_object(
        Bucket="source", Key="app.zip", Body=pack({"template.json": TEMPLATE.replace("shop", "store").encode()})
    )

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).message) == ("Succeeded", "")
    for region in ("eu-west-1", "us-east-1"):
        [topic] = account.client("sns", region).list_topics()["Topics"]
        assert topic["TopicArn"].endswith(":store")
