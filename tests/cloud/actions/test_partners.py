"""Test services of partners: jobs in, results with a summary and a link out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from pipesim.cloud.account import Cloud
from pipesim.cloud.partners import SERVICES, GhostInspector, Result
from tests.cloud.actions.estate_story import (
    action,
    deny,
    error,
    result,
    retry,
    run,
    stand_up,
    written,
)


def for_each(kind: str) -> Any:
    """Run a test for each service; each run is a proof for its provider."""
    marks = [pytest.param(name, marks=pytest.mark.provider(f"Test/{name}", kind), id=name) for name in SERVICES]
    return pytest.mark.parametrize("name", marks)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=1) as cloud:
        yield cloud


def check(name: str, test: str = "checkout") -> dict[str, Any]:
    service = SERVICES[name]
    return action(
        "Test",
        name,
        service.owner,
        configuration={service.key: test},
        inputArtifacts=[{"name": "Code"}],
        outputArtifacts=[{"name": "Report"}],
    )


@for_each("success")
def test_a_result_has_a_summary_a_report_and_a_link(cloud: Cloud, name: str) -> None:
    stand_up(cloud, check(name))
    cloud.hire(SERVICES[name])
    cloud.advance(hours=1)
    ended = run(cloud)

    assert ended["status"] == "Succeeded"
    assert result(ended)["externalExecutionSummary"].startswith("checkout: PASSED. ")
    id = result(ended)["externalExecutionId"]
    assert result(ended)["externalExecutionUrl"] == SERVICES[name].result_url.replace("{ExternalExecutionId}", id)
    [(file, report)] = written(cloud, ended).items()
    assert file in ("summary.json", "steps.json") and json.loads(report)


@for_each("failure")
def test_a_test_that_fails(cloud: Cloud, name: str) -> None:
    stand_up(cloud, check(name))
    cloud.hire(SERVICES[name], breaks=("checkout",))
    cloud.advance(hours=1)
    ended = run(cloud)

    code, message = error(ended)
    assert (ended["status"], code) == ("Failed", "JobFailed")
    assert message.startswith("checkout: FAILED. ") and ("errors" in message or "' failed" in message)
    assert result(ended)["externalExecutionUrl"].startswith("https://")


@for_each("permission")
def test_the_role_must_open_the_bucket(cloud: Cloud, name: str) -> None:
    stand_up(cloud, check(name))
    cloud.hire(SERVICES[name])
    cloud.advance(hours=1)
    ended = run(cloud, taken=("s3:GetObject",))

    code, message = error(ended)
    assert code == "PermissionError" and "s3:GetObject" in message
    deny(cloud)
    assert retry(cloud, ended["pipelineExecutionId"])["status"] == "Succeeded"


@for_each("input")
def test_an_input_that_is_gone(cloud: Cloud, name: str) -> None:
    stand_up(cloud, check(name))
    cloud.hire(SERVICES[name])
    cloud.advance(hours=1)

    code, message = error(run(cloud, lost="Code"))
    assert code == "ConfigurationError"
    assert message.startswith("The input artifact 'Code' could not be downloaded: NoSuchKey")


def test_a_test_that_was_never_set_up(cloud: Cloud) -> None:
    stand_up(cloud, check("GhostInspector", "login"))
    cloud.hire(GhostInspector, tests=("checkout",))
    cloud.advance(hours=1)

    assert error(run(cloud)) == ("ConfigurationError", "GhostInspector: there is no test 'login' (checkout)")


def test_nobody_plays_the_partner(cloud: Cloud) -> None:
    stand_up(cloud, check("GhostInspector"))
    cloud.advance(hours=1)

    assert run(cloud)["status"] == "Succeeded"


def test_a_learner_replaces_one_method(cloud: Cloud) -> None:
    class Linked(GhostInspector):
        def run_test(self, test: str, files: Mapping[str, bytes], rng: np.random.Generator) -> Result:
            return Result(b"<p>" in files["index.html"], "the page has a paragraph", {})

    stand_up(cloud, check("GhostInspector"))
    cloud.hire(Linked)
    cloud.advance(hours=1)

    assert result(run(cloud))["externalExecutionSummary"] == "checkout: PASSED. the page has a paragraph"


def test_the_same_seed_measures_the_same() -> None:
    def measured(seed: int) -> str:
        with Cloud(seed=seed) as cloud:
            stand_up(cloud, check("BlazeMeter"))
            cloud.hire(SERVICES["BlazeMeter"])
            cloud.advance(hours=1)
            return str(result(run(cloud))["externalExecutionSummary"])

    assert measured(4) == measured(4) != measured(5)
