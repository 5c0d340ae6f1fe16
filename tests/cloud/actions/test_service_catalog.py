"""Service Catalog: a template becomes a product's new version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pipesim.cloud.artifacts import pack
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    body,
    ending,
    go,
    lacks_and_heals,
    loses_its_input,
    make,
    source_bucket,
    status,
)
from tests.cloud.standin import StandIn

NEEDED = (
    "servicecatalog:ListProvisioningArtifacts", "servicecatalog:CreateProvisioningArtifact",
    "servicecatalog:DescribeProvisioningArtifact", "cloudformation:ValidateTemplate",
)  # fmt: skip
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}).encode()
SETTINGS = {
    "SchemaVersion": "1.0", "ProductVersionName": "from file", "ProductType": "CLOUD_FORMATION_TEMPLATE",
    "Properties": {"TemplateFilePath": "/topic.json"},
}  # fmt: skip
FILES = {"topic.json": TEMPLATE, "settings.json": json.dumps(SETTINGS).encode()}


def product(account: StandIn, files: Mapping[str, bytes] = FILES) -> str:
    source_bucket(account, pack(files))
    made = account.client("servicecatalog").create_product(
        Name="topic", Owner="shop", ProductType="CLOUD_FORMATION_TEMPLATE", IdempotencyToken="1",
        ProvisioningArtifactParameters={"Name": "first", "Info": {"LoadTemplateFromURL": "https://example.com/t"}},
    )  # fmt: skip
    return str(made["ProductViewDetail"]["ProductViewSummary"]["ProductId"])


def deploy(id: str, **configuration: str) -> dict[str, Any]:
    given = {"ProductId": id, "ProductVersionName": "second", "TemplateFilePath": "topic.json", **configuration}
    members = {key: value for key, value in given.items() if value}
    return action("Deploy", "ServiceCatalog", configuration=members, inputArtifacts=[{"name": "Code"}])


def versions(account: StandIn, id: str) -> dict[str, str]:
    told = account.client("servicecatalog").list_provisioning_artifacts(ProductId=id)["ProvisioningArtifactDetails"]
    return {one["Name"]: one["Id"] for one in told}


@pytest.mark.provider("Deploy/ServiceCatalog", "success")
def test_the_template_is_a_new_version(account: StandIn) -> None:
    id = product(account)
    sim = make(account, deploy(id))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).message) == ("Succeeded", "")
    assert list(versions(account, id)) == ["first", "second"]
    assert ending(sim).external_id == versions(account, id)["second"]
    told = account.client("servicecatalog").describe_provisioning_artifact(
        ProductId=id, ProvisioningArtifactId=ending(sim).external_id
    )
    bucket, _, key = told["Info"]["LoadTemplateFromURL"].removeprefix("https://").partition("/")
    assert body(account, key, bucket.removesuffix(".s3.amazonaws.com")) == TEMPLATE


def test_a_configuration_file_says_it_too(account: StandIn) -> None:
    id = product(account)
    sim = make(account, deploy(id, ConfigurationFilePath="settings.json", TemplateFilePath="", ProductVersionName=""))

    assert status(sim, go(account, sim)) == "Succeeded"
    assert list(versions(account, id)) == ["first", "from file"]


@pytest.mark.provider("Deploy/ServiceCatalog", "failure")
def test_a_template_that_is_none(account: StandIn) -> None:
    id = product(account, {**FILES, "topic.json": b'{"Description": "nothing"}'})
    sim = make(account, deploy(id))

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert ending(sim).message.startswith("Template format error")
    assert list(versions(account, id)) == ["first"]


@pytest.mark.provider("Deploy/ServiceCatalog", "permission")
@pytest.mark.parametrize("taken", NEEDED)
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    sim = make(account, deploy(product(account)))
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Deploy/ServiceCatalog", "input")
def test_a_missing_input(account: StandIn) -> None:
    sim = make(account, deploy(product(account), TemplateFilePath="none.json"))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "has no file 'none.json'" in ending(sim).message
    loses_its_input(account, sim, execution)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"ProductId": "prod-none"}, "The Service Catalog product prod-none does not exist"),
        ({"ConfigurationFilePath": "settings.json"}, "are given at once"),
        ({"ConfigurationFilePath": "none.json", "TemplateFilePath": ""}, "has no file 'none.json'"),
        ({"TemplateFilePath": ""}, "ProductVersionName and TemplateFilePath are needed"),
    ],
)
def test_a_wrong_configuration(account: StandIn, configuration: dict[str, str], message: str) -> None:
    sim = make(account, deploy(product(account), **configuration))

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert message in ending(sim).message
