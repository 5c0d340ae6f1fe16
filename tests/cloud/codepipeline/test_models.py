from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipesim.cloud.codepipeline import responses
from pipesim.cloud.codepipeline.models import OPERATIONS
from pipesim.cloud.codepipeline.shapes import service_model
from pipesim.engine import handling
from tests.cloud.shop import Shop, refusal


def test_every_operation_of_the_service_is_built() -> None:
    assert set(OPERATIONS) == set(service_model().operation_names)
    assert len(OPERATIONS) == 44


def test_an_operation_that_is_not_built_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    without = {name: answer for name, answer in OPERATIONS.items() if name != "ListPipelines"}
    monkeypatch.setattr(responses, "OPERATIONS", without)
    with pytest.raises(ClientError) as error:
        shop.client.list_pipelines()

    code, message = refusal(error.value)
    assert code == "UnknownOperationException"
    assert "'ListPipelines'" in message and "docs/api.md" in message


def test_refusals_on_the_wire(shop: Shop) -> None:
    url = shop.cloud.account.serve()
    status, body, headers = post(url, "GetPipeline", {"name": "nothing"})

    assert status == 400
    assert body["__type"] == headers["x-amzn-errortype"] == "PipelineNotFoundException"
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    status, body, _ = post(url, "GetPipeline", "no JSON")
    assert (status, body["__type"]) == (400, "SerializationException")


def test_moments_are_seconds_with_milliseconds(shop: Shop) -> None:
    shop.create()
    shop.cloud.advance(seconds=0.2)
    _, body, _ = post(shop.cloud.account.serve(), "ListActionExecutions", {"pipelineName": "shop"})

    started = body["actionExecutionDetails"][0]["startTime"]
    assert started == shop.cloud.now.timestamp()
    assert isinstance(started, float)


def post(url: str, operation: str, body: Any) -> tuple[int, dict[str, Any], Any]:
    scope = "Credential=AKIAIOSFODNN7EXAMPLE/20260302/us-east-1/codepipeline/aws4_request"
    request = urllib.request.Request(
        url,
        data=(body if isinstance(body, str) else json.dumps(body)).encode(),
        headers={
            "X-Amz-Target": f"CodePipeline_20150709.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        },
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.load(error), error.headers


def test_a_conflict_has_a_status_of_its_own(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipesim.errors import Refused

    def conflict(*arguments: object) -> None:
        raise Refused("ConflictException", "somebody else was quicker")

    shop.create()
    from pipesim.engine.commands import Start

    monkeypatch.setitem(handling.HANDLERS, Start, conflict)
    with pytest.raises(ClientError) as error:
        shop.start()

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
