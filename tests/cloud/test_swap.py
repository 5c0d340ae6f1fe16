from __future__ import annotations

import boto3
import pytest
from moto import mock_aws
from moto.codepipeline import urls
from moto.codepipeline.responses import CodePipelineResponse
from moto.core.botocore_stubber import BotocoreStubber

from pipesim.cloud.account import Cloud
from pipesim.cloud.codepipeline.models import codepipeline_backends


def test_moto_is_left_as_it_was() -> None:
    paths, call = dict(urls.url_paths), BotocoreStubber.__call__
    with Cloud(actions="assumed") as cloud:
        assert urls.url_paths != paths
        cloud.client("codepipeline").list_pipelines()
        assert codepipeline_backends

    assert urls.url_paths == paths == {"{0}/$": CodePipelineResponse.dispatch}
    assert BotocoreStubber.__call__ is call
    assert not codepipeline_backends


def test_moto_is_left_as_it_was_after_an_error() -> None:
    paths = dict(urls.url_paths)
    with pytest.raises(ZeroDivisionError), Cloud(actions="assumed"):
        raise ZeroDivisionError

    assert urls.url_paths == paths


@mock_aws
def test_motos_own_codepipeline_answers_again() -> None:
    with Cloud(actions="assumed"):
        pass
    client = boto3.client("codepipeline", region_name="us-east-1")

    assert client.list_pipelines()["pipelines"] == []
    with pytest.raises(NotImplementedError):
        client.get_pipeline_state(name="shop")


@mock_aws
def test_what_was_mocked_before_is_still_there() -> None:
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="before")
    with Cloud(actions="assumed") as cloud:
        names = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]

    assert names == ["before"]
