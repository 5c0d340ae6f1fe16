"""A player with a mocked account behind it: no browser."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import pipesim
from pipesim.cloud.account import Cloud
from pipesim.engine import Approve, Break, DisableTransition, Repair, Retry, Start, Stop, Update
from pipesim.errors import PipesimError, Refused, SourceError
from pipesim.widgets import Player

HANDLER = """
import boto3
def handler(event, context):
    print("checking", event["CodePipeline.job"]["id"][:4] != "")
    boto3.client("codepipeline").put_job_success_result(jobId=event["CodePipeline.job"]["id"])
"""


def declared(arrows: str = "S3 -> CodeBuild -> Manual Approval -> S3") -> pipesim.Pipeline:
    """A pipeline that nothing starts by itself."""
    made = pipesim.load(arrows)
    source = made.stages[0].actions[0]
    quiet = replace(source, configuration={**source.configuration, "PollForSourceChanges": "false"})
    stages = (replace(made.stages[0], actions=(quiet,)), *made.stages[1:])
    return replace(made, name="shop", pipeline_type="V2", stages=stages)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=3) as cloud:
        yield cloud


def quiet(cloud: Cloud, pipeline: pipesim.Pipeline) -> Player:
    """A player of a new pipeline, whose first execution, which its creation starts, is abandoned."""
    record = cloud.provision(pipeline)
    (first,) = record.simulation.executions
    record.simulation.send(Stop(first, abandon=True))
    return Player(cloud, pipeline.name)


@pytest.fixture
def player(cloud: Cloud) -> Player:
    return quiet(cloud, declared())


def order(player: Player, **content: Any) -> None:
    player._hear(player, content, [])


def select(player: Player, place: int) -> None:
    stage = player.film.pipeline.stages[place]
    player.selection = ["action", stage.name, stage.actions[0].name]


def test_a_change_goes_through_by_buttons(cloud: Cloud, player: Player):
    assert player.live
    stages = [stage.name for stage in player.film.pipeline.stages]
    order(player, do="start", change="", variables={})
    player.run()
    assert player.film.kinds[-1] == "ApprovalRequested"
    assert player.notice.startswith("Nothing happens any more")
    approval = declared().stages[2].actions[0].name
    order(player, do="approve", stage=stages[2], action=approval, summary="fine")
    player.run()

    answer = cloud.client("codepipeline").list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert [one["status"] for one in answer] == ["Succeeded", "Stopped"]
    assert set(player.table["status"]) == {"Succeeded"}
    assert player.clock == cloud.time
    assert repr(player).startswith("<Player of a cloud")


def test_the_log_of_a_build_is_shown_and_that_of_others_is_not(cloud: Cloud, player: Player):
    player.do(Start())
    player.run()
    select(player, 1)

    assert player.logs["group"].startswith("/aws/codebuild/")
    assert any("Phase complete: BUILD State: SUCCEEDED" in line for line in player.logs["lines"])
    kept = cloud.client("logs").get_log_events(
        logGroupName=player.logs["group"], logStreamName=player.logs["stream"], startFromHead=True
    )["events"]
    assert [line[9:] for line in player.logs["lines"]] == [event["message"].rstrip() for event in kept]
    select(player, 0)
    assert player.logs == {}
    select(player, 1)
    player.seek(0)
    assert player.logs == {}


def test_a_broken_build_tells_why_in_its_log(player: Player):
    stage, action = declared().stages[1].name, declared().stages[1].actions[0].name
    player.do(Break(stage, action, message="The tests are red."))
    assert player.broken == [f"{stage}/{action}"]
    player.do(Start())
    player.run()
    select(player, 1)
    assert dict(player.details)["Status"] == "Failed"
    player.do(Repair(stage, action))
    execution = list(player.film.names)[-1]
    player.do(Retry(stage, execution))
    player.run()
    assert dict(player.details)["Status"] == "Succeeded"
    assert any("SUCCEEDED" in line for line in player.logs["lines"])


def test_the_log_of_a_function(cloud: Cloud):
    pipeline = declared("S3 -> Lambda")
    player = quiet(cloud, pipeline)
    name = pipeline.stages[1].actions[0].configuration["FunctionName"]
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("index.py", HANDLER)
    functions = cloud.client("lambda")
    functions.update_function_code(FunctionName=name, ZipFile=body.getvalue())
    functions.update_function_configuration(FunctionName=name, Handler="index.handler", Runtime="python3.12")
    player.do(Start())
    player.run()
    select(player, 1)

    assert player.logs["group"] == f"/aws/lambda/{name}"
    assert any(line.endswith("checking True") for line in player.logs["lines"])
    assert player.logs["lines"][-1].partition("END RequestId: ")[2]


def test_what_happens_outside_is_seen_at_once(cloud: Cloud, player: Player):
    known = len(player.film)
    cloud.client("codepipeline").start_pipeline_execution(name="shop")
    assert len(player.film) > known
    cloud.run_until_idle()
    assert player.film.kinds[-1] == "ApprovalRequested"
    assert player.clock == cloud.time
    known = len(player.film)
    player.close()
    cloud.client("codepipeline").start_pipeline_execution(name="shop")
    assert len(player.film) == known


def test_refusals_are_the_services(player: Player):
    with pytest.raises(Refused) as refused:
        player.do(Stop("nobody"))
    assert refused.value.code == "PipelineExecutionNotStoppableException"
    assert player.refusal["code"] == "PipelineExecutionNotStoppableException"
    order(player, do="approve", stage=declared().stages[2].name, action="Nobody", summary="")
    assert player.refusal["code"]


def test_a_stage_is_closed_and_a_new_declaration_put_in_force(cloud: Cloud, player: Player):
    stage = declared().stages[3].name
    player.do(DisableTransition(stage, "holidays"))
    answer = cloud.client("codepipeline").get_pipeline_state(name="shop")["stageStates"][3]
    assert answer["inboundTransitionState"]["disabledReason"] == "holidays"

    shorter = replace(declared(), stages=(*declared().stages[:2], declared().stages[3]))
    player.do(Update(shorter))
    found = cloud.client("codepipeline").get_pipeline(name="shop")["pipeline"]
    assert (found["version"], len(found["stages"])) == (2, 3)
    assert len(player.film.at(("pipeline",), player.place)["stages"]) == 3


def test_playing_stops_and_steps(player: Player):
    player.do(Start())
    before = len(player.film)
    player.step()
    assert len(player.film) > before
    player.speed = 3600.0
    player.play()
    deadline = time.perf_counter() + 20
    while player.clock < 600 and time.perf_counter() < deadline:
        time.sleep(0.05)
    player.pause()
    stands = player.clock
    assert stands >= 600
    assert player.clock == stands
    assert player.film.kinds[-1] == "ApprovalRequested"


def test_which_pipeline_is_meant(cloud: Cloud):
    with pytest.raises(SourceError, match="there is none yet"):
        Player(cloud)
    cloud.provision(declared())
    cloud.provision(replace(declared("S3 -> S3"), name="site"))
    with pytest.raises(SourceError, match="say which pipeline"):
        Player(cloud)
    with pytest.raises(SourceError, match="did you mean 'site'"):
        Player(cloud, "sites")
    assert Player(cloud, "site").film.pipeline.name == "site"
    assert Player(cloud, declared()).film.pipeline.name == "shop"
    with pytest.raises(SourceError, match="only a cloud has several"):
        Player(pipesim.Simulation(declared()), "shop")


def test_a_closed_cloud_takes_no_orders():
    with Cloud() as cloud:
        cloud.provision(declared())
        player = Player(cloud)
    with pytest.raises(PipesimError, match="the cloud is closed"):
        player.do(Start())
    with pytest.raises(PipesimError, match="the cloud is closed"):
        player.advance(minutes=1)
    order(player, do="start", change="", variables={})
    assert "closed" in player.refusal["message"]


def test_approvals_with_the_token_that_is_open(cloud: Cloud, player: Player):
    player.do(Start())
    player.run()
    stage = declared().stages[2]
    player.do(Approve(stage.name, stage.actions[0].name, "ok", player.trace[-1].detail.get("token")))
    assert "ApprovalAnswered" in player.film.kinds
