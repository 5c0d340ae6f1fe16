"""Jenkins, CloudBees and TeamCity: custom action types, and the workers that a learner may replace."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getsource
from typing import Any

import pytest

from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud.account import Cloud
from pipesim.cloud.ci import SERVERS, BuildServer, Jenkins, TeamCity, build_server
from pipesim.cloud.workers import JobFailed
from tests.cloud.actions.estate_story import (
    FILES,
    action,
    deny,
    error,
    put,
    result,
    retry,
    run,
    stand_up,
    told,
    written,
)

CONFIGURATIONS = {
    "Jenkins": {"ProjectName": "shop"},
    "CloudBees": {"ProjectName": "shop"},
    "TeamCity": {
        "TeamCityServerURL": "https://teamcity.example.com",
        "BuildConfigurationID": "shop",
        "ActionID": "shop-build",
    },
}
LINKS = {
    "Jenkins": "https://jenkins.example.com/job/shop/2/",
    "CloudBees": "https://cloudbees.example.com/master-1/job/shop/2/",
    "TeamCity": "https://teamcity.example.com/viewLog.html?buildId=2&tab=buildResultsDiv",
}


def for_each(kind: str) -> Any:
    """Run a test for each server; each run is a proof for its provider."""
    marks = [pytest.param(name, marks=pytest.mark.provider(f"Build/{name}", kind), id=name) for name in CONFIGURATIONS]
    return pytest.mark.parametrize("name", marks)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=1) as cloud:
        yield cloud


def build(name: str, **members: Any) -> dict[str, Any]:
    return action(
        "Build",
        name,
        "Custom",
        configuration=CONFIGURATIONS[name],
        inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Built"}],
        **members,
    )


@for_each("success")
def test_a_build_hands_on_what_it_made(cloud: Cloud, name: str) -> None:
    class Compiling(SERVERS[name]):  # type: ignore[misc]
        def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
            return {**files, f"{project}.jar": b"compiled"}

    stand_up(cloud, build(name))
    cloud.hire(Compiling)
    cloud.advance(hours=1)
    ended = run(cloud)

    assert ended["status"] == "Succeeded"
    assert written(cloud, ended) == {**FILES, "shop.jar": b"compiled"}
    assert result(ended)["externalExecutionId"] == "2"
    assert result(ended)["externalExecutionUrl"] == LINKS[name]


@for_each("failure")
def test_a_build_that_fails(cloud: Cloud, name: str) -> None:
    class Strict(SERVERS[name]):  # type: ignore[misc]
        def build(self, project: str, files: dict[str, bytes]) -> dict[str, bytes]:
            if "Jenkinsfile" not in files:
                raise JobFailed(f"{project}: no Jenkinsfile in the workspace")
            return files

    stand_up(cloud, build(name))
    cloud.hire(Strict)
    cloud.advance(hours=1)
    ended = run(cloud)

    assert ended["status"] == "Failed"
    assert error(ended) == ("JobFailed", "shop: no Jenkinsfile in the workspace")
    assert result(ended)["externalExecutionId"] == "2"
    put(cloud, {"Jenkinsfile": b"pipeline {}"})
    assert run(cloud)["status"] == "Succeeded"


@for_each("permission")
def test_the_job_reaches_no_more_than_the_pipelines_role(cloud: Cloud, name: str) -> None:
    stand_up(cloud, build(name))
    cloud.hire(SERVERS[name])
    cloud.advance(hours=1)
    lost = run(cloud, taken=("s3:PutObject",))

    code, message = error(lost)
    assert code == "PermissionError"
    assert "is not authorized to perform: s3:PutObject" in message
    deny(cloud)
    assert retry(cloud, lost["pipelineExecutionId"])["status"] == "Succeeded"


@for_each("input")
def test_an_input_that_is_gone(cloud: Cloud, name: str) -> None:
    stand_up(cloud, build(name))
    cloud.hire(SERVERS[name])
    cloud.advance(hours=1)

    code, message = error(run(cloud, lost="Code"))
    assert code == "ConfigurationError"
    assert message.startswith("The input artifact 'Code' could not be downloaded: NoSuchKey")


def test_without_a_worker_the_action_waits_until_it_is_too_late(cloud: Cloud) -> None:
    stand_up(cloud, build("Jenkins"))
    cloud.advance(hours=23)
    [waiting] = [one for one in cloud.client("codepipeline").list_action_executions(pipelineName="shop")[
        "actionExecutionDetails"
    ] if one["actionName"] == "Do"]  # fmt: skip
    assert waiting["status"] == "InProgress"
    cloud.advance(hours=2)

    code, message = error(told(cloud, waiting["pipelineExecutionId"]))
    assert (code, "was not answered within its limit" in message) == ("JobFailed", True)


def test_a_project_polls_for_its_own_jobs_alone(cloud: Cloud) -> None:
    stand_up(cloud, build("Jenkins"))
    server = cloud.hire(Jenkins, projects=("other",))
    cloud.advance(hours=1)

    assert not server.builds
    server.projects = ("other", "shop")
    cloud.advance(hours=1)
    assert server.builds == {"shop": 1}


def test_what_is_assumed_of_the_action_holds() -> None:
    assumptions = Assumptions(actions={"Do": ActionAssumption(fails_on=(1,), message="disk full")})
    with Cloud(seed=1, assumptions=assumptions) as cloud:
        stand_up(cloud, build("Jenkins"))
        cloud.hire(Jenkins)
        cloud.advance(hours=1)
        [first] = cloud.client("codepipeline").list_pipeline_executions(pipelineName="shop")[
            "pipelineExecutionSummaries"
        ]
        failed = told(cloud, first["pipelineExecutionId"])

        assert error(failed) == ("JobFailed", "disk full")
        assert retry(cloud, first["pipelineExecutionId"])["status"] == "Succeeded"


def test_the_action_types_are_those_of_the_plugins(cloud: Cloud) -> None:
    cloud.hire(TeamCity)
    cloud.hire(Jenkins, category="Test", url="https://ci.shop.example/")

    types = {
        one["id"]["provider"]: one
        for one in cloud.client("codepipeline").list_action_types(actionOwnerFilter="Custom")["actionTypes"]
    }
    properties = types["TeamCity"]["actionConfigurationProperties"]
    assert [(one["name"], one["queryable"]) for one in properties] == [
        ("TeamCityServerURL", False),
        ("BuildConfigurationID", False),
        ("ActionID", True),
    ]
    assert types["Jenkins"]["settings"]["entityUrlTemplate"] == "https://ci.shop.example/job/{Config:ProjectName}/"
    assert types["Jenkins"]["id"]["category"] == "Test"


def test_a_learner_reads_one_in_one_screen() -> None:
    assert all(len(getsource(server).splitlines()) < 45 for server in SERVERS.values())
    assert len(getsource(BuildServer.work).splitlines()) < 25
    assert len(getsource(build_server).splitlines()) < 170
