"""EKS: manifests and charts, the cluster, the log, and what keeps them from being applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipesim.cloud.artifacts import pack
from pipesim.cloud.deploy_targets import targets_of
from tests.cloud.actions.story import (
    BASE,
    action,
    allow,
    ending,
    go,
    lacks_and_heals,
    loses_its_input,
    make,
    source_bucket,
    status,
)
from tests.cloud.standin import StandIn

NEEDED = ("eks:DescribeCluster", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
WEB = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Service\n"
WEB += b"metadata: {name: web}\n"
FILES = {"k8s/web.yml": WEB, "chart/Chart.yaml": b"name: web\n", "base/kustomization.yaml": b"resources: []\n"}


def cluster(account: StandIn, files: Mapping[str, bytes] = FILES) -> None:
    source_bucket(account, pack(files))
    role = "arn:aws:iam::123456789012:role/eks"
    account.client("eks").create_cluster(name="live", roleArn=role, resourcesVpcConfig={"subnetIds": []})


def deploy(**configuration: str) -> dict[str, Any]:
    given = {"ClusterName": "live", "ManifestFiles": "k8s/web.yml", **configuration}
    members = {key: value for key, value in given.items() if value}
    return action("Deploy", "EKS", configuration=members, inputArtifacts=[{"name": "Code"}], namespace="Eks")


def log(account: StandIn) -> list[str]:
    events = account.client("logs").filter_log_events(logGroupName="/aws/codepipeline/shop")["events"]
    return [one["message"].split(" ", 3)[-1] for one in events]


@pytest.mark.provider("Deploy/EKS", "success")
def test_manifests_are_applied(account: StandIn) -> None:
    cluster(account)
    sim = make(account, deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).message) == ("Succeeded", "")
    assert log(account) == ["deployment/web configured", "service/web configured"]
    [target] = targets_of(account, ending(sim).id)  # type: ignore[arg-type]
    assert (target.id, target.status, [one["name"] for one in target.events]) == ("live", "Succeeded", ["k8s/web.yml"])
    assert ending(sim).variables == {"EKSClusterName": "live"}


@pytest.mark.parametrize(
    "configuration",
    [
        {"ManifestFiles": "", "HelmReleaseName": "web", "HelmChartLocation": "./chart"},
        {"ManifestFiles": "", "KustomizationDirectory": "base"},
    ],
)
def test_charts_and_kustomizations_too(account: StandIn, configuration: dict[str, str]) -> None:
    cluster(account)
    sim = make(account, deploy(**configuration))

    assert status(sim, go(account, sim)) == "Succeeded"


@pytest.mark.provider("Deploy/EKS", "failure")
def test_a_manifest_that_is_no_object(account: StandIn) -> None:
    cluster(account, {**FILES, "k8s/web.yml": b"apiVersion: v1\nmetadata: {name: web}\n"})
    sim = make(account, deploy())

    execution = go(account, sim)

    assert (status(sim, execution), ending(sim).code) == ("Failed", "JobFailed")
    assert 'error validating "k8s/web.yml": error validating data: kind not set' in ending(sim).message
    assert "kind not set" in log(account)[0]
    [target] = targets_of(account, ending(sim).id)  # type: ignore[arg-type]
    assert (target.status, target.events[0]["status"]) == ("Failed", "Failed")


@pytest.mark.provider("Deploy/EKS", "permission")
@pytest.mark.parametrize("taken", [NEEDED[0], NEEDED[2], NEEDED[3]])
def test_the_role_needs_every_permission_and_heals(account: StandIn, taken: str) -> None:
    cluster(account)
    sim = make(account, deploy())
    allow(account, *BASE, *(one for one in NEEDED if one != taken))

    execution = go(account, sim)

    lacks_and_heals(account, sim, execution, taken, NEEDED)


@pytest.mark.provider("Deploy/EKS", "input")
def test_a_missing_input(account: StandIn) -> None:
    cluster(account)
    sim = make(account, deploy(ManifestFiles="k8s/web.yml,k8s/none.yml"))

    execution = go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert "has no file 'k8s/none.yml'" in ending(sim).message
    loses_its_input(account, sim, execution)


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"ClusterName": "none"}, "No cluster found for name: none"),
        ({"ManifestFiles": ""}, "Neither HelmReleaseName"),
        ({"HelmReleaseName": "web"}, "are needed together"),
        ({"HelmReleaseName": "web", "HelmChartLocation": "chart"}, "Helm and kubectl are configured at once"),
    ],
)
def test_a_wrong_configuration(account: StandIn, configuration: dict[str, str], message: str) -> None:
    cluster(account)
    sim = make(account, deploy(**configuration))

    go(account, sim)

    assert ending(sim).code == "ConfigurationError"
    assert message in ending(sim).message
