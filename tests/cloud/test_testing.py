"""`mock_codepipeline` in other people's hands; what moto itself promises still holds."""

from __future__ import annotations

import asyncio
import time
import unittest
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.codepipeline import urls

from pipesim.cloud.account import Cloud
from pipesim.cloud.testing import mock_codepipeline
from pipesim.errors import AssumptionError, PipesimError
from tests.cloud.shop import Shop, deploy, refusal, source, stage


def client() -> Any:
    return boto3.client("codepipeline", region_name="us-east-1")


def plain(shop: Shop, client: Any = None) -> None:
    shop.create(stage("Source", source()), stage("Out", deploy()))


def is_mocked() -> bool:
    return any("pipesim" in handler.__self__.__module__ for handler in urls.url_paths.values())


@mock_codepipeline
def test_as_a_decorator() -> None:
    assert client().list_pipelines()["pipelines"] == []


@mock_codepipeline()
def test_as_a_decorator_with_brackets() -> None:
    assert client().list_pipelines()["pipelines"] == []


@pytest.mark.parametrize("number", [1, 2])
@mock_codepipeline
def test_arguments_come_through_and_nothing_stays(number: int) -> None:
    assert number in (1, 2)
    assert client().list_pipelines()["pipelines"] == []
    client().create_custom_action_type(
        category="Build",
        provider="Mill",
        version="1",
        inputArtifactDetails={"minimumCount": 0, "maximumCount": 1},
        outputArtifactDetails={"minimumCount": 0, "maximumCount": 1},
    )
    assert "Mill" in {each["id"]["provider"] for each in client().list_action_types()["actionTypes"]}


@mock_codepipeline
class TestClass:
    def test_one(self) -> None:
        assert client().list_pipelines()["pipelines"] == []

    def test_two(self) -> None:
        assert is_mocked()


@mock_codepipeline
class TestClassWithSetUp:
    def setup_method(self) -> None:
        assert is_mocked()
        client().list_pipelines()

    def teardown_method(self) -> None:
        assert is_mocked()

    def test_one(self) -> None:
        assert is_mocked()


@mock_codepipeline
class TestCase(unittest.TestCase):
    def setUp(self) -> None:
        self.client = client()

    def test_one(self) -> None:
        self.assertEqual([], self.client.list_pipelines()["pipelines"])

    def tearDown(self) -> None:
        self.assertTrue(is_mocked())


def test_as_a_context_manager() -> None:
    assert not is_mocked()
    with mock_codepipeline() as cloud:
        assert isinstance(cloud, Cloud)
        assert is_mocked()
    assert not is_mocked()


def test_coroutines() -> None:
    @mock_codepipeline
    async def ask() -> list[Any]:
        await asyncio.sleep(0)
        found: list[Any] = client().list_pipelines()["pipelines"]
        return found

    assert asyncio.run(ask()) == []
    assert not is_mocked()


def test_fixtures() -> None:
    @mock_codepipeline
    def fixture() -> Iterator[Any]:
        yield client()

    life = fixture()
    assert next(life).list_pipelines()["pipelines"] == []
    with pytest.raises(StopIteration):
        next(life)
    assert not is_mocked()


def test_immediate_everything_happens_that_needs_no_person() -> None:
    with mock_codepipeline() as cloud:
        shop = Shop(cloud)
        shop.create()
        assert shop.state()["Source"]["latestExecution"]["status"] == "Succeeded"
        shop.answer()

        assert shop.executions()[0]["status"] == "Succeeded"


def test_manual_the_test_lets_time_pass() -> None:
    mock = mock_codepipeline(progression="manual")
    with mock as cloud:
        shop = Shop(cloud)
        plain(shop)
        assert shop.executions()[0]["status"] == "InProgress"
        mock.advance(minutes=5)
        assert shop.executions()[0]["status"] == "Succeeded"
        mock.run_until_idle()
    with pytest.raises(PipesimError, match="no test runs"):
        mock.advance(minutes=5)


def test_time_passes_with_the_wall_clock() -> None:
    with mock_codepipeline(progression="time", speed=1000) as cloud:
        shop = Shop(cloud)
        plain(shop)
        deadline = time.monotonic() + 10
        while shop.executions()[0]["status"] == "InProgress" and time.monotonic() < deadline:
            time.sleep(0.01)

        assert shop.executions()[0]["status"] == "Succeeded"


def test_it_starts_now() -> None:
    with mock_codepipeline() as cloud:
        assert abs((datetime.now(UTC) - cloud.now).total_seconds()) < 60


def test_an_unknown_progression() -> None:
    with pytest.raises(AssumptionError, match="must be one of immediate, manual, time"):
        mock_codepipeline(progression="later")


def test_what_cannot_be_decorated() -> None:
    with pytest.raises(AssumptionError, match="not 3"):
        mock_codepipeline(3)


# --- what moto's own suite asks of CodePipeline ----------------------------------------------------


@pytest.fixture
def mocked() -> Iterator[Shop]:
    with mock_codepipeline() as cloud:
        yield Shop(cloud)


def test_moto_started_executions_succeed_and_are_listed(mocked: Shop) -> None:
    polled = source()
    del polled["configuration"]["PollForSourceChanges"]
    mocked.create(stage("Source", polled), stage("Out", deploy()))
    first, second = mocked.start(), mocked.start()

    assert [each["pipelineExecutionId"] for each in mocked.executions()] == [second, first]
    assert mocked.execution(first)["status"] == "Succeeded"
    assert [each["pipelineExecutionId"] for each in mocked.executions(maxResults=1)] == [second]


def test_moto_variables_of_a_start_are_resolved(mocked: Shop) -> None:
    mocked.create(variables=[{"name": "Release", "defaultValue": "v1"}], pipelineType="V2")
    execution = mocked.start(variables=[{"name": "Release", "value": "v2"}])

    assert mocked.execution(execution)["variables"] == [{"name": "Release", "resolvedValue": "v2"}]


def test_moto_update_and_list(mocked: Shop) -> None:
    plain(mocked)
    mocked.client.update_pipeline(pipeline=mocked.document())
    (entry,) = mocked.client.list_pipelines()["pipelines"]

    assert (entry["name"], entry["version"]) == ("shop", 2)
    assert entry["updated"] >= entry["created"]


def test_moto_unknown_pipelines(mocked: Shop) -> None:
    account = "123456789012"
    with pytest.raises(ClientError) as error:
        mocked.client.update_pipeline(pipeline=mocked.document(name="nothing"))
    assert refusal(error.value) == (
        "ResourceNotFoundException",
        f"The account with id '{account}' does not include a pipeline with the name 'nothing'",
    )
    for call in (
        lambda: mocked.client.get_pipeline(name="nothing"),
        lambda: mocked.client.start_pipeline_execution(name="nothing"),
        lambda: mocked.client.list_pipeline_executions(pipelineName="nothing"),
    ):
        with pytest.raises(ClientError) as error:
            call()
        message = f"Account '{account}' does not have a pipeline with name 'nothing'"
        assert refusal(error.value) == ("PipelineNotFoundException", message)
