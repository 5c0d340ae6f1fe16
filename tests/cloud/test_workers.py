"""A worker in virtual time: it polls, works, and reports, and the pipeline goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import pipesim.cloud.workers as workers
from pipesim.cloud.workers import JobFailed, JobWorker
from pipesim.engine.commands import Stop
from tests.cloud.standin import StandIn, document, sourcing, standing_in, start
from tests.cloud.test_jobs import build, create_type, latest


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        create_type(account)
        yield account


class Api:
    """The operations of jobs as a boto3 client spells them, straight to the account's room."""

    def __init__(self, account: StandIn) -> None:
        self.calls: list[tuple[float, str]] = []
        self._account = account

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            self.calls.append((self._account.env.now, name))
            return getattr(self._account.jobs, name)(parameters)

        return call


class Builder(JobWorker):
    """Builds every project but the broken one."""

    def work(self, job: Mapping[str, Any]) -> dict[str, Any]:
        project = job["data"]["actionConfiguration"]["configuration"]["ProjectName"]
        if project == "broken":
            raise JobFailed("it does not compile", "ConfigurationError")
        if project == "long" and "continuationToken" not in job["data"]:
            return {"continuationToken": "half"}
        return {"executionDetails": {"summary": f"built {project}", "externalExecutionId": "1"}}

    def takes(self, job: Mapping[str, Any]) -> float:
        return 45.0


@pytest.fixture
def worker(account: StandIn) -> Iterator[Builder]:
    worker = Builder(account, "Build", "Hudson", interval=30)
    worker.client = Api(account)
    worker.start()
    yield worker
    worker.stop()


def run(account: StandIn, project: str) -> Any:
    sim = account.create(document(build(project=project)), {"Source/S3": sourcing({"a": "1"})})
    start(sim)
    return sim


def test_it_works_in_virtual_time(account: StandIn, worker: Builder) -> None:
    sim = run(account, "shop")
    account.advance(50)
    assert latest(sim).status == "InProgress"
    account.advance(50)

    assert (latest(sim).status, latest(sim).summary) == ("Succeeded", "built shop")
    polls = [time for time, name in worker.client.calls if name == "poll_for_jobs"]
    assert polls == [0.0, 30.0, 105.0][: len(polls)]
    assert [time for time, name in worker.client.calls if name == "put_job_success_result"] == [75.0]


def test_its_failure_is_the_actions(account: StandIn, worker: Builder) -> None:
    sim = run(account, "broken")
    account.advance(120)

    assert (latest(sim).code, latest(sim).message) == ("ConfigurationError", "it does not compile")


def test_it_goes_on_where_its_token_left_off(account: StandIn, worker: Builder) -> None:
    sim = run(account, "long")
    account.advance(300)

    assert latest(sim).status == "Succeeded"
    assert sum(name == "put_job_success_result" for _, name in worker.client.calls) == 2


def test_a_stopped_worker_does_no_work(account: StandIn, worker: Builder) -> None:
    worker.stop()
    sim = run(account, "shop")
    account.advance(300)

    assert latest(sim).status == "InProgress"
    assert {time for time, _ in worker.client.calls} <= {0.0}


def test_who_waits_for_somebody(account: StandIn, worker: Builder) -> None:
    sim = run(account, "shop")
    account.advance(10)
    (action,) = next(iter(sim.executions.values())).passage.running.values()

    assert not account.jobs.waits_for_somebody(action)
    worker.stop()
    assert account.jobs.waits_for_somebody(action)
    sim.send(Stop(next(iter(sim.executions)), abandon=True))
    assert not account.jobs.waits_for_somebody(action)


def test_a_learner_reads_it_in_one_screen() -> None:
    from inspect import getsource

    assert len(getsource(JobWorker).splitlines()) < 100
    assert len(getsource(workers).splitlines()) < 150
