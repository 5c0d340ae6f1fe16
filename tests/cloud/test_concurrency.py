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
from tests.cloud.shop import Shop, deploy, refusal, source, stage

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
