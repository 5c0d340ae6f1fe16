"""Many callers at once, in this process and over HTTP: no execution is lost, none is started twice."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pipesim.cloud.account import Cloud
from tests.cloud.shop import Shop, approval, deploy, refusal, source, stage

THREADS = 100
MANY = Config(max_pool_connections=THREADS, retries={"total_max_attempts": 1})


def together(work: Callable[[int], Any]) -> list[Any]:
    """Let a hundred threads begin at the same moment, and return what each of them got."""
    ready = threading.Barrier(THREADS)

    def begin(number: int) -> Any:
        ready.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(begin, range(THREADS)))


@pytest.fixture(params=["in this process", "over HTTP"])
def client(request: pytest.FixtureRequest, cloud: Cloud) -> Any:
    endpoint = cloud.account.serve() if request.param == "over HTTP" else None
    return boto3.client("codepipeline", region_name="us-east-1", endpoint_url=endpoint, config=MANY)


def test_a_hundred_starts_are_a_hundred_executions(cloud: Cloud, client: Any) -> None:
    shop = Shop(cloud, client)
    shop.create(stage("Source", source()), stage("Out", deploy()), name="fast")

    def start(number: int) -> str:
        cloud.advance(seconds=1)
        execution = shop.start("fast")
        shop.state("fast")
        shop.actions("fast")
        return execution

    ids = together(start)
    shop.idle()
    found = everything(client, "fast")

    assert len(set(ids)) == THREADS
    assert set(ids) < {each["pipelineExecutionId"] for each in found}
    assert len(found) == THREADS + 1
    assert {each["status"] for each in found} <= {"Succeeded", "Superseded"}


def everything(client: Any, name: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_pipeline_executions").paginate(pipelineName=name)
    return [each for page in pages for each in page["pipelineExecutionSummaries"]]


def test_one_token_starts_once(cloud: Cloud, client: Any) -> None:
    shop = Shop(cloud, client)
    shop.create()
    ids = together(lambda _: shop.start(clientRequestToken="the-same"))

    assert len(set(ids)) == 1
    assert len(shop.executions()) == 2


def test_one_approval_is_answered_once(cloud: Cloud, client: Any) -> None:
    shop = Shop(cloud, client)
    shop.create()
    shop.idle()
    token = shop.token()

    def answer(number: int) -> str:
        try:
            shop.answer("Approved" if number % 2 else "Rejected", str(number), token=token)
        except ClientError as error:
            return refusal(error)[0]
        return "done"

    outcomes = Counter(together(answer))
    assert outcomes == {"done": 1, "ApprovalAlreadyCompletedException": THREADS - 1}


def test_one_name_is_created_once(cloud: Cloud, client: Any) -> None:
    shop = Shop(cloud, client)

    def create(number: int) -> str:
        try:
            shop.create()
        except ClientError as error:
            return refusal(error)[0]
        return "done"

    assert Counter(together(create)) == {"done": 1, "PipelineNameInUseException": THREADS - 1}


def test_updates_are_counted(cloud: Cloud, client: Any) -> None:
    shop = Shop(cloud, client)
    shop.create()
    versions = together(lambda _: client.update_pipeline(pipeline=shop.document())["pipeline"]["version"])

    assert sorted(versions) == list(range(2, THREADS + 2))


def test_every_thread_moves_the_clock_by_its_own_span(cloud: Cloud) -> None:
    together(lambda _: [cloud.advance(seconds=1) for _ in range(20)])

    assert cloud.time == 20 * THREADS


def test_several_clients_move_the_clock(cloud: Cloud) -> None:
    url = cloud.account.serve() + "/moto-api/pipesim/clock"

    def move(number: int) -> float:
        data = json.dumps({"advance": 1}).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data)) as answer:
            return float(json.load(answer)["time"])

    times = together(move)
    assert cloud.time == THREADS
    assert max(times) == THREADS


def test_reads_go_on_while_somebody_waits_for_the_clock(cloud: Cloud) -> None:
    shop = Shop(cloud)
    shop.create()
    done = threading.Event()

    def run() -> None:
        for _ in range(50):
            cloud.advance(minutes=1)
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    reads = 0
    while not done.is_set() or reads < 5:
        shop.state()
        reads += 1
        time.sleep(0)
    thread.join()

    assert cloud.time == 3000


CALLS = 1000
DOCUMENTED = {
    "ApprovalAlreadyCompletedException",
    "ConcurrentModificationException",
    "ConflictException",
    "DuplicatedStopRequestException",
    "InvalidApprovalTokenException",
    "InvalidJobStateException",
    "InvalidNonceException",
    "NotLatestPipelineExecutionException",
    "PipelineExecutionNotStoppableException",
    "StageNotRetryableException",
}
FINAL = {"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"}


def test_a_thousand_calls_of_all_kinds_lose_nothing(cloud: Cloud, client: Any) -> None:
    shop = Shop(cloud, client)
    mill = {"category": "Build", "owner": "Custom", "provider": "Mill", "version": "1"}
    counts = {"minimumCount": 0, "maximumCount": 1}
    client.create_custom_action_type(
        category="Build", provider="Mill", version="1", inputArtifactDetails=counts, outputArtifactDetails=counts
    )
    build = {"name": "Grind", "actionTypeId": mill}
    shop.create(stage("Source", source()), stage("Mill", build), stage("Gate", approval()), stage("Out", deploy()))
    started: list[str] = []

    def newest() -> str:
        return str(shop.executions(maxResults=1)[0]["pipelineExecutionId"])

    def start() -> None:
        started.append(shop.start())

    def read() -> None:
        shop.state()
        shop.actions(maxResults=5)

    def approve() -> None:
        token = shop.action_state().get("latestExecution", {}).get("token")
        shop.answer(summary="fine", token=token or "00000000-0000-4000-8000-000000000000")

    def stop() -> None:
        shop.stop(newest())

    def retry() -> None:
        shop.retry("Mill", newest())

    def work() -> None:
        for job in client.poll_for_jobs(actionTypeId=mill, maxBatchSize=1)["jobs"]:
            client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
            for _ in range(2):
                client.put_job_success_result(jobId=job["id"])

    def pass_time() -> None:
        cloud.advance(seconds=5)

    kinds: list[Callable[[], None]] = [start, read, approve, stop, work, retry, work, pass_time, start, read]

    def call(number: int) -> str:
        try:
            kinds[number % len(kinds)]()
        except ClientError as error:
            return refusal(error)[0]
        return "done"

    with ThreadPoolExecutor(32) as threads:
        outcomes = Counter(threads.map(call, range(CALLS)))
    assert set(outcomes) <= DOCUMENTED | {"done"}
    assert outcomes["done"] > CALLS / 2

    finish(shop, work)
    found = {each["pipelineExecutionId"]: each["status"] for each in everything(client, "shop")}
    assert len(started) == len(set(started)) == CALLS / 5
    assert len(found) == len(started) + 1
    assert set(started) < set(found)
    assert set(found.values()) <= FINAL


def finish(shop: Shop, work: Callable[[], None]) -> None:
    """Work and approve until nothing is open any more."""
    for _ in range(20):
        shop.idle()
        work()
        token = shop.action_state().get("latestExecution", {}).get("token")
        if token:
            shop.answer(token=token)
