"""Polled S3 sources as answers of the service show them.

Source: recorded answers of the service (docs/fidelity.md says how far they can be trusted).
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud.shop import Shop, approval, refusal, source, stage, unchecked
from tests.cloud.test_polling import allow, polled, upload

__all__ = ["polled"]

POLL = "PollForSourceChanges"
CREATE = "CreatePipeline"
RECORDED = {"true": POLL, None: POLL, "True": POLL, "false": CREATE, "False": CREATE, "yes": CREATE, "1": CREATE}
ADMITTED = ["True", "TRUE", "False", "FALSE", "1", "0", "yes", " true ", "null"]


def watching(word: str | None, key: str = "code.zip", name: str = "S3Input", artifact: str = "Code") -> dict[str, Any]:
    configuration = {"S3Bucket": "code", "S3ObjectKey": key}
    if word is not None:
        configuration["PollForSourceChanges"] = word
    return {**source(name, artifact), "configuration": configuration}


def stages(*sources: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return stage("Source", *sources), stage("Gate", approval())


def update(shop: Shop, *sources: dict[str, Any]) -> None:
    shop.client.update_pipeline(pipeline=shop.document(*stages(*sources)))


def wait(shop: Shop) -> None:
    shop.cloud.advance(minutes=3)


def details(shop: Shop) -> list[dict[str, str]]:
    return [each["trigger"] for each in shop.executions()]


def bound(shop: Shop) -> list[str]:
    """The versions that the executions took, the newest first."""
    return [each["sourceRevisions"][0]["revisionId"] for each in shop.executions()]


@pytest.mark.parametrize("word", ADMITTED)
def test_any_word_is_admitted(polled: Shop, word: str) -> None:
    assert polled.create(*stages(watching(word)))["version"] == 1


def test_an_empty_word_is_not_admitted(polled: Shop) -> None:
    with pytest.raises(ClientError) as error:
        Shop(polled.cloud, unchecked()).create(*stages(watching("")))

    assert refusal(error.value)[0] == "ValidationException"
    assert "length greater than or equal to 1" in refusal(error.value)[1]


@pytest.mark.parametrize(("word", "trigger"), RECORDED.items())
def test_who_starts_the_first_execution(polled: Shop, word: str | None, trigger: str) -> None:
    version = upload(polled)
    polled.create(*stages(watching(word)))
    wait(polled)
    (only,) = polled.executions()

    assert only["trigger"]["triggerType"] == trigger
    assert only["trigger"]["triggerDetail"].startswith("S3Input" if trigger == POLL else "arn:aws:")
    assert only["sourceRevisions"][0]["revisionId"] == version
    (revision,) = polled.execution(only["pipelineExecutionId"])["artifactRevisions"]
    assert revision["revisionId"] == version


def test_the_same_bytes_and_another_key(polled: Shop) -> None:
    first = upload(polled)
    polled.create(*stages(watching("true")))
    wait(polled)
    second = upload(polled)
    wait(polled)
    upload(polled, "unrelated.zip")
    wait(polled)

    assert first != second
    assert bound(polled) == [second, first]
    assert details(polled) == [{"triggerType": POLL, "triggerDetail": "S3Input"}] * 2


def test_polling_that_is_switched_on_starts_at_the_same_version(polled: Shop) -> None:
    version = upload(polled)
    polled.create(*stages(watching("false")))
    wait(polled)
    update(polled, watching("true"))
    wait(polled)

    assert bound(polled) == [version, version]
    assert [each["triggerType"] for each in details(polled)] == [POLL, CREATE]


def test_polling_that_is_switched_off_and_on_again_starts_nothing(polled: Shop) -> None:
    upload(polled)
    polled.create(*stages(watching("true")))
    wait(polled)
    update(polled, watching("false"))
    wait(polled)
    update(polled, watching("true"))
    polled.cloud.advance(minutes=7)
    assert len(polled.executions()) == 1
    newer = upload(polled)
    wait(polled)

    assert bound(polled)[0] == newer
    assert len(polled.executions()) == 2


def test_a_change_while_polling_is_off_is_seen_when_it_is_on_again(polled: Shop) -> None:
    upload(polled)
    polled.create(*stages(watching("true")))
    wait(polled)
    update(polled, watching("false"))
    changed = upload(polled)
    wait(polled)
    assert len(polled.executions()) == 1
    update(polled, watching("true"))
    wait(polled)

    assert bound(polled)[0] == changed
    assert len(polled.executions()) == 2


def test_an_update_that_changes_nothing_starts_nothing(polled: Shop) -> None:
    upload(polled)
    polled.create(*stages(watching("true")))
    wait(polled)
    update(polled, watching("true"))
    wait(polled)

    assert len(polled.executions()) == 1


def test_another_key_is_another_source(polled: Shop) -> None:
    upload(polled)
    other = upload(polled, "alternate.zip")
    polled.create(*stages(watching("true")))
    wait(polled)
    update(polled, watching("true", "alternate.zip"))
    wait(polled)

    assert bound(polled)[0] == other
    assert len(polled.executions()) == 2


def test_two_polled_sources_start_two_executions_with_both_revisions(polled: Shop) -> None:
    versions = {upload(polled), upload(polled, "more.zip")}
    more = watching("true", "more.zip", "More", "Extra")
    polled.create(*stages(watching("true"), more), executionMode="QUEUED", pipelineType="V2")
    wait(polled)

    assert sorted(each["triggerDetail"] for each in details(polled)) == ["More", "S3Input"]
    for each in polled.executions():
        assert {revision["revisionId"] for revision in each["sourceRevisions"]} == versions


def test_a_source_that_is_missing(polled: Shop) -> None:
    polled.create(*stages(watching("true")))
    wait(polled)
    shown = polled.state()["Source"]

    assert polled.executions() == []
    assert "latestExecution" not in shown
    (fetch,) = shown["actionStates"]
    assert sorted(fetch) == ["actionName", "entityUrl", "latestExecution"]
    assert sorted(fetch["latestExecution"]) == ["errorDetails", "lastStatusChange", "status"]
    assert fetch["latestExecution"]["status"] == "Failed"
    assert fetch["latestExecution"]["errorDetails"]["code"] == "ConfigurationError"


def test_a_source_that_is_denied_and_given_back(polled: Shop) -> None:
    upload(polled)
    polled.create(*stages(watching("true")))
    wait(polled)
    before = polled.state()["Source"]["latestExecution"]
    polled.cloud.client("iam").delete_role_policy(RoleName="pipeline", PolicyName="all")
    missed = upload(polled)
    wait(polled)
    shown = polled.state()["Source"]

    (fetch,) = shown["actionStates"]
    assert shown["latestExecution"] == before
    assert sorted(fetch) == ["actionName", "entityUrl", "latestExecution"]
    assert fetch["latestExecution"]["status"] == "Failed"
    assert fetch["latestExecution"]["errorDetails"]["code"] == "PermissionError"
    assert len(polled.executions()) == 1

    allow(polled)
    polled.cloud.advance(hours=2)
    assert bound(polled)[0] == missed
    assert len(polled.executions()) == 2
