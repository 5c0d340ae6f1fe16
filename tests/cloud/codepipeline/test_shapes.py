from __future__ import annotations

import json

import pytest

from pipesim.cloud.codepipeline.shapes import read
from pipesim.errors import Refused


def refusal(operation: str, body: object) -> tuple[str, str]:
    with pytest.raises(Refused) as error:
        read(operation, json.dumps(body))
    return error.value.code, error.value.message


def test_a_good_request_comes_through() -> None:
    assert read("GetPipeline", '{"name": "shop", "version": 2}') == {"name": "shop", "version": 2}
    assert read("ListPipelines", "") == {}


def test_missing_members() -> None:
    found = refusal("ListActionExecutions", {"pipelineName": "p", "filter": {"latestInPipelineExecution": {}}})

    where = "filter.latestInPipelineExecution"
    end = "failed to satisfy constraint: Member must not be null"
    message = f"2 validation errors detected: Value at '{where}.pipelineExecutionId' {end}; "
    assert found == ("ValidationException", f"{message}Value at '{where}.startTimeRange' {end}")


def test_enumerations_are_listed_in_order() -> None:
    body = {"pipelineName": "p", "stageName": "s", "transitionType": "Sideways"}
    code, message = refusal("EnableStageTransition", body)

    assert code == "ValidationException"
    assert message.endswith("Member must satisfy enum value set: [Inbound, Outbound]")


def test_entries_are_counted_from_one() -> None:
    code, message = refusal("StartPipelineExecution", {"name": "p", "variables": [{"name": "A", "value": ""}]})

    assert code == "ValidationException"
    assert message == (
        "1 validation error detected: Value at 'variables.1.member.value' failed to satisfy constraint: Member must"
        " have length greater than or equal to 1"
    )


def test_values_of_a_map() -> None:
    code, message = refusal(
        "PutJobSuccessResult", {"jobId": "0" * 8 + "-0000-4000-8000-000000000000", "outputVariables": {"a b": "x"}}
    )

    assert code == "ValidationException"
    assert "Map keys must satisfy constraint: [" in message


def test_numbers_have_bounds() -> None:
    code, message = refusal("ListPipelines", {"maxResults": 1001})

    assert code == "ValidationException"
    assert message.endswith(
        "Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"
    )


@pytest.mark.parametrize("body", ["[]", '{"name": 3}', '{"name": "p", "variables": {}}', "{", '"x"', '{"name": true}'])
def test_what_cannot_be_read(body: str) -> None:
    with pytest.raises(Refused) as error:
        read("StartPipelineExecution", body)
    assert error.value.code == "SerializationException"
