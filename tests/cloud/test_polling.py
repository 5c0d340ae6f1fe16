from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from tests.cloud.shop import Shop, action, approval, source, stage

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def polled() -> Iterator[Shop]:
    """A cloud with real actions, a versioned bucket and a role that may do everything."""
    with Cloud(seed=1) as cloud:
        shop = Shop(cloud)
        s3 = cloud.client("s3")
        for bucket in ("code", "artifacts"):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        allow(shop)
        yield shop


def allow(shop: Shop) -> None:
    shop.cloud.client("iam").put_role_policy(RoleName="pipeline", PolicyName="all", PolicyDocument=json.dumps(ALLOW))


def watching(name: str = "Fetch", artifact: str = "Code", key: str = "code.zip", poll: str | None = None) -> Any:
    configuration = {"S3Bucket": "code", "S3ObjectKey": key}
    if poll is not None:
        configuration["PollForSourceChanges"] = poll
    return {**source(name, artifact), "configuration": configuration}


def create(shop: Shop, *sources: dict[str, Any]) -> None:
    shop.create(stage("Source", *(sources or (watching(),))), stage("Gate", approval()))


def upload(shop: Shop, key: str = "code.zip") -> str:
    answer = shop.cloud.client("s3").put_object(Bucket="code", Key=key, Body=b"PK")
    return str(answer["VersionId"])


def test_the_first_execution_is_the_polls(polled: Shop) -> None:
    version = upload(polled)
    create(polled)
    polled.cloud.advance(seconds=30)
    (execution,) = polled.executions()

    assert execution["trigger"] == {"triggerType": "PollForSourceChanges", "triggerDetail": "Fetch"}
    assert execution["sourceRevisions"][0]["revisionId"] == version


def test_every_polled_source_starts_one(polled: Shop) -> None:
    upload(polled)
    upload(polled, "more.zip")
    create(polled, watching(), watching("More", "Extra", "more.zip"))
    polled.idle()

    details = [each["trigger"]["triggerDetail"] for each in polled.executions()]
    assert sorted(details) == ["Fetch", "More"]
    assert all(len(each["sourceRevisions"]) == 2 for each in polled.executions() if each["status"] != "Superseded")


def test_a_missing_object_starts_nothing_and_shows_why(polled: Shop) -> None:
    create(polled)
    polled.cloud.advance(minutes=10)
    latest = polled.action_state("Source", "Fetch")

    assert polled.executions() == []
    assert latest["latestExecution"]["status"] == "Failed"
    assert latest["latestExecution"]["errorDetails"]["code"] == "ConfigurationError"
    assert "actionExecutionId" not in latest["latestExecution"]
    assert "currentRevision" not in latest

    upload(polled)
    polled.cloud.advance(minutes=2)
    assert len(polled.executions()) == 1


def test_a_role_without_permissions_starts_nothing(polled: Shop) -> None:
    polled.cloud.client("iam").delete_role_policy(RoleName="pipeline", PolicyName="all")
    upload(polled)
    create(polled)
    polled.cloud.advance(minutes=10)

    details = polled.action_state("Source", "Fetch")["latestExecution"]["errorDetails"]
    assert details["code"] == "PermissionError"
    allow(polled)
    polled.cloud.advance(hours=2)
    assert len(polled.executions()) == 1


def test_the_same_bytes_in_a_new_version_count(polled: Shop) -> None:
    upload(polled)
    create(polled)
    polled.cloud.advance(minutes=5)
    upload(polled)
    assert len(polled.executions()) == 1
    polled.cloud.advance(minutes=2)

    assert len(polled.executions()) == 2


@pytest.mark.parametrize("word", ["false", "yes", "1"])
def test_only_true_means_polling(polled: Shop, word: str) -> None:
    create(polled, watching(poll=word))
    upload(polled)
    polled.cloud.advance(minutes=5)

    assert [each["trigger"]["triggerType"] for each in polled.executions()] == ["CreatePipeline"]


def test_run_until_idle_waits_for_a_poll_that_has_news(polled: Shop) -> None:
    create(polled)
    polled.idle()
    upload(polled)
    polled.idle()
    assert len(polled.executions()) == 1
    now = polled.cloud.time
    polled.idle()

    assert polled.cloud.time == now


def test_a_branch_is_polled(polled: Shop) -> None:
    codecommit = polled.cloud.client("codecommit")
    codecommit.create_repository(repositoryName="app")
    fetch = action(
        "Source", "CodeCommit", "Fetch",
        configuration={"RepositoryName": "app", "BranchName": "main"}, outputArtifacts=[{"name": "Code"}],
    )  # fmt: skip
    create(polled, fetch)
    polled.cloud.advance(minutes=3)
    assert polled.executions() == []
    put = {"repositoryName": "app", "branchName": "main", "fileContent": b"hello"}
    commit = codecommit.put_file(filePath="a.txt", **put)["commitId"]
    polled.cloud.advance(minutes=3)

    (execution,) = polled.executions()
    assert execution["sourceRevisions"][0]["revisionId"] == commit


def test_a_month_without_a_change_ends_it_and_costs_little(polled: Shop) -> None:
    upload(polled)
    create(polled)
    began = time.process_time()
    polled.cloud.advance(days=32)

    assert polled.client.get_pipeline(name="shop")["metadata"]["pollingDisabledAt"]
    assert time.process_time() - began < 60
    upload(polled)
    polled.cloud.advance(hours=1)
    assert len(polled.executions()) == 1
    polled.client.update_pipeline(pipeline=polled.client.get_pipeline(name="shop")["pipeline"])
    polled.cloud.advance(hours=1)
    assert len(polled.executions()) == 2
    assert "pollingDisabledAt" not in polled.client.get_pipeline(name="shop")["metadata"]


def test_a_deleted_pipeline_is_polled_no_more(polled: Shop) -> None:
    create(polled)
    record = polled.cloud.account.pipelines["shop"]
    polled.client.delete_pipeline(name="shop")
    upload(polled)
    polled.cloud.advance(hours=1)

    assert record.simulation.started == 0
