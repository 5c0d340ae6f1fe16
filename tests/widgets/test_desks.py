"""Inbox and event stream as Python objects: no browser."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

import pipesim
from pipesim.cloud.account import Cloud
from pipesim.engine import Stop
from pipesim.errors import PipesimError, SourceError
from pipesim.widgets import Approvals, Events
from pipesim.widgets.desk import PAUSE, desk_module
from pipesim.widgets.events import rule_for

TEXT = "Look at the totals first. <img src=x onerror=alert(1)>"


def asking(name: str = "shop") -> pipesim.Pipeline:
    """A pipeline whose approval says what to look at."""
    made = pipesim.load("S3 -> Manual Approval -> S3")
    approval = made.stages[1].actions[0]
    said = replace(approval, configuration={"CustomData": TEXT, "ExternalEntityLink": "https://example.com/totals"})
    return replace(made, name=name, stages=(made.stages[0], replace(made.stages[1], actions=(said,)), made.stages[2]))


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=2) as cloud:
        yield cloud


def order(desk: Any, **content: Any) -> None:
    desk._hear(desk, content, [])


def settle(desk: Any) -> None:
    """Let the drawing that was put off be done."""
    deadline = time.perf_counter() + 10
    while desk._later is not None and time.perf_counter() < deadline:
        time.sleep(PAUSE / 2)


# --- the inbox ----------------------------------------------------------------------------------------


def test_what_waits_is_shown_as_a_stakeholder_sees_it(cloud: Cloud):
    inbox = Approvals(cloud)
    assert inbox.waiting == ()
    cloud.provision(asking())
    cloud.run_until_idle()
    (request,) = inbox.waiting
    assert (request.pipeline, request.text, request.link) == ("shop", TEXT, "https://example.com/totals")
    assert request.changes
    cloud.advance(hours=2)
    settle(inbox)
    (shown,) = inbox.view["waiting"]
    assert shown["text"] == TEXT
    assert "waits for 2 h" in shown["since"]
    assert shown["expires"].startswith("times out in 6 d")


def test_an_answer_goes_through_the_service(cloud: Cloud):
    cloud.provision(asking())
    inbox = Approvals(cloud)
    cloud.run_until_idle()
    order(inbox, do="approve", token=inbox.waiting[0].token, comment="The totals are right.")

    assert inbox.refusal == {}
    assert "approved" in inbox.notice
    assert inbox.waiting == ()
    cloud.run_until_idle()
    summary = cloud.client("codepipeline").list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert [one["status"] for one in summary] == ["Succeeded"]
    assert inbox.answers[0]["comment"] == "The totals are right."
    settle(inbox)
    assert inbox.view["answers"][0]["status"] == "Succeeded"


def test_a_rejection_and_an_answer_that_comes_too_late(cloud: Cloud):
    cloud.provision(asking())
    inbox = Approvals(cloud)
    cloud.run_until_idle()
    token = inbox.waiting[0].token
    inbox.reject(token, "no")
    cloud.run_until_idle()
    assert inbox.answers[0]["status"] == "Rejected"
    with pytest.raises(SourceError, match="somebody else has answered"):
        inbox.approve(token)
    order(inbox, do="approve", token=token, comment="")
    assert "somebody else" in inbox.refusal["message"]
    order(inbox, do="approve")
    assert inbox.refusal["code"] == "TypeError"
    order(inbox, do="delete everything")


def test_several_pipelines_the_longest_waiting_first(cloud: Cloud):
    cloud.provision(asking("second"))
    cloud.run_until_idle()
    cloud.advance(minutes=5)
    cloud.provision(asking("first"))
    cloud.run_until_idle()
    assert [request.pipeline for request in Approvals(cloud).waiting] == ["second", "first"]


def test_the_service_may_refuse_an_answer(cloud: Cloud):
    cloud.provision(asking())
    inbox = Approvals(cloud)
    cloud.run_until_idle()
    with pytest.raises(ClientError):
        inbox.approve(inbox.waiting[0].token, "x" * 600)
    order(inbox, do="approve", token=inbox.waiting[0].token, comment="x" * 600)
    assert inbox.refusal["code"] == "ValidationException"


def test_an_abandoned_execution_asks_no_more(cloud: Cloud):
    record = cloud.provision(asking())
    inbox = Approvals(cloud)
    cloud.run_until_idle()
    execution = inbox.waiting[0].execution
    record.simulation.send(Stop(execution, abandon=True))
    assert inbox.waiting == ()


# --- the stream ---------------------------------------------------------------------------------------


def builds(cloud: Cloud, *states: str) -> None:
    for state in states:
        cloud.account.bus.publish(
            "aws.codebuild", "CodeBuild Build State Change", {"project-name": "shop", "build-status": state, "n": 1}
        )


def test_events_are_filtered_by_words_and_by_pattern(cloud: Cloud):
    events = Events(cloud)
    builds(cloud, "IN_PROGRESS", "FAILED", "SUCCEEDED")
    cloud.account.bus.publish("aws.ecr", "ECR Image Action", {"result": "FAILED"})
    assert len(events.shown) == 4
    events.words = "codebuild FAILED"
    assert [event["detail"]["build-status"] for event in events.shown] == ["FAILED"]
    events.words = ""
    events.pattern = json.dumps({"detail": {"build-status": [{"prefix": "SUC"}]}})
    assert [event["detail"]["build-status"] for event in events.shown] == ["SUCCEEDED"]
    assert (events.view["count"], events.view["all"]) == (1, 4)
    events.pattern = '{"source": '
    assert events.problem
    assert events.view["rows"] == []
    with pytest.raises(PipesimError):
        _ = events.shown
    events.pattern = ""
    assert events.problem == ""


def test_the_rule_catches_the_event_and_its_kind_alone(cloud: Cloud):
    events = Events(cloud)
    builds(cloud, "IN_PROGRESS", "FAILED", "FAILED")
    with pytest.raises(SourceError, match="no event is selected"):
        _ = events.rule
    events.selection = events.shown[1]["id"]
    assert json.loads(events.view["event"])["id"] == events.selection
    assert json.loads(events.view["rule"]) == events.rule
    events.pattern = json.dumps(events.rule)
    assert [event["detail"]["build-status"] for event in events.shown] == ["FAILED", "FAILED"]
    for event in cloud.events():
        assert event in cloud.events(rule_for(event))


def test_the_stream_follows_the_cloud(cloud: Cloud):
    events = Events(cloud)
    builds(cloud, "IN_PROGRESS")
    cloud.advance(seconds=1)
    settle(events)
    assert events.view["count"] == 1
    events.close()
    builds(cloud, "FAILED")
    cloud.advance(seconds=1)
    assert events._later is None


def test_a_closed_cloud_is_still_read():
    with Cloud() as cloud:
        events, inbox = Events(cloud), Approvals(cloud)
        builds(cloud, "FAILED")
        cloud.advance(seconds=1)
        events.refresh()
    assert events.view["count"] == 1
    with pytest.raises(PipesimError, match="the cloud is closed"):
        inbox.approve("x")


def test_a_desk_stands_in_a_cloud():
    with pytest.raises(SourceError, match="about a cloud"):
        Approvals("shop")
    for name in ("approvals.js", "events.js"):
        text = desk_module(name)
        assert 'from "./' not in text
        assert "innerHTML" not in text
        assert text.count("export default") == 1
