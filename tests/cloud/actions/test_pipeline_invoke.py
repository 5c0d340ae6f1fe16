"""Another pipeline is started: with variables, with source revisions, under the role's permission."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from pipesim.cloud.artifacts import pack
from pipesim.errors import PipesimError
from tests.cloud.actions.estate_story import SOURCE, action, deny, error, put, result, retry, run, stand_up
from tests.cloud.standin import document


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=1) as cloud:
        yield cloud


def invoke(**configuration: str) -> dict[str, Any]:
    return action("Invoke", "CodePipeline", configuration={"PipelineName": "deploy", **configuration})


def stand_both_up(cloud: Cloud, **configuration: str) -> None:
    stand_up(cloud, invoke(**configuration))
    copy = action(
        "Deploy",
        "S3",
        name="Copy",
        configuration={"BucketName": "site", "Extract": "false", "ObjectKey": "#{variables.key}.zip"},
        inputArtifacts=[{"name": "Code"}],
    )
    second = document(copy, source=SOURCE, name="deploy")
    cloud.provision({**second, "variables": [{"name": "key", "defaultValue": "plain"}]})
    cloud.advance(hours=1)


def executions(cloud: Cloud) -> list[dict[str, Any]]:
    answer = cloud.client("codepipeline").list_pipeline_executions(pipelineName="deploy")
    return list(answer["pipelineExecutionSummaries"])


@pytest.mark.provider("Invoke/CodePipeline", "success")
def test_another_pipeline_runs_with_variables_and_a_revision(cloud: Cloud) -> None:
    stand_both_up(cloud)
    s3 = cloud.client("s3")
    old = s3.head_object(Bucket="source", Key="app.zip")["VersionId"]
    s3.put_object(Bucket="source", Key="app.zip", Body=pack({"new.txt": b""}))
    revision = {"actionName": "Fetch", "revisionType": "S3_OBJECT_VERSION_ID", "revisionValue": old}
    cloud.provision(
        document(
            invoke(
                Variables=json.dumps([{"name": "key", "value": "#{codepipeline.PipelineExecutionId}"}]),
                SourceRevisions=json.dumps([revision]),
            ),
            source=SOURCE,
        )
    )
    ended = run(cloud)

    named = result(ended)["externalExecutionId"]
    [started] = [one for one in executions(cloud) if one["pipelineExecutionId"] == named]
    assert (ended["status"], started["status"]) == ("Succeeded", "Succeeded")
    assert started["trigger"]["triggerType"] == "StartPipelineExecution"
    assert started["sourceRevisions"][0]["revisionId"] == old
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="site")["Contents"]]
    assert f"{ended['pipelineExecutionId']}.zip" in keys


@pytest.mark.provider("Invoke/CodePipeline", "failure")
def test_a_pipeline_that_does_not_exist(cloud: Cloud) -> None:
    stand_up(cloud, invoke(PipelineName="nowhere"))
    cloud.advance(hours=1)

    code, message = error(run(cloud))
    assert code == "ConfigurationError"
    assert "nowhere" in message and "PipelineNotFoundException" in message


@pytest.mark.provider("Invoke/CodePipeline", "permission")
def test_the_role_must_start_it_and_heals(cloud: Cloud) -> None:
    stand_both_up(cloud)
    before = len(executions(cloud))
    lost = run(cloud, taken=("codepipeline:StartPipelineExecution",))

    code, message = error(lost)
    assert code == "PermissionError"
    assert "is not authorized to perform: codepipeline:StartPipelineExecution" in message
    assert len(executions(cloud)) == before
    deny(cloud)
    assert retry(cloud, lost["pipelineExecutionId"])["status"] == "Succeeded"
    assert len(executions(cloud)) == before + 1


@pytest.mark.provider("Invoke/CodePipeline", "input")
@pytest.mark.parametrize("configuration", [{"Variables": "key=v"}, {"SourceRevisions": '[{"actionName": "Fetch"}]'}])
def test_what_is_handed_over_must_be_whole(cloud: Cloud, configuration: dict[str, str]) -> None:
    stand_both_up(cloud, **configuration)
    ended = run(cloud)

    code, message = error(ended)
    assert code == "ConfigurationError"
    assert message.startswith(f"The value of {next(iter(configuration))} is not a JSON list of objects with")


def test_the_started_pipeline_is_not_waited_for(cloud: Cloud) -> None:
    stand_both_up(cloud)
    cloud.client("codepipeline").disable_stage_transition(
        pipelineName="deploy", stageName="Work", transitionType="Inbound", reason="freeze"
    )

    assert run(cloud)["status"] == "Succeeded"
    assert executions(cloud)[0]["status"] == "InProgress"


@pytest.mark.parametrize("progression", ["manual", "immediate"])
def test_a_pipeline_that_starts_itself_is_an_error_that_names_it(
    progression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipesim.cloud.idle.MOST_STARTS", 5)
    with Cloud(seed=1, progression=progression) as cloud:
        with pytest.raises(
            PipesimError, match=r"pipeline 'shop' started more than 5 executions .* by StartPipelineExecution"
        ):
            stand_up(cloud, invoke(PipelineName="shop"))
            cloud.run_until_idle()
        before = len(cloud.account.pipelines["shop"].simulation.executions)
        cloud.advance(minutes=10)
        assert len(cloud.account.pipelines["shop"].simulation.executions) > before


def test_many_changes_at_once_are_not_taken_for_a_pipeline_that_starts_itself(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipesim.cloud.idle.MOST_STARTS", 5)
    stand_both_up(cloud)
    for number in range(12):
        put(cloud, {"index.html": b"%d" % number})
    started = cloud.account.pipelines["shop"].simulation.executions
    before = len(started)
    cloud.run_until_idle()

    assert len(started) == before + 12
