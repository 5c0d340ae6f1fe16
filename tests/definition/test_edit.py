from __future__ import annotations

import pytest
from hypothesis import given

from pipesim.definition import edit
from pipesim.definition.model import Action, ActionTypeId, ArtifactStore, Stage, Variable
from tests.definition.test_checking import shop
from tests.strategies import pipelines

ASK = Action("Ask", ActionTypeId("Approval", "AWS", "Manual"))
GATE = Stage("Gate", (ASK,))


def names(pipeline) -> list[str]:
    return [stage.name for stage in pipeline.stages]


@given(pipelines())
def test_what_is_put_in_can_be_taken_out(pipeline):
    last = pipeline.stages[-1].name

    assert edit.without_stage(edit.with_stage(pipeline, GATE), "Gate") == pipeline
    assert edit.without_action(edit.with_action(pipeline, last, ASK), last, "Ask") == pipeline
    assert edit.move_stage(edit.move_stage(pipeline, last, 0), last, len(pipeline.stages) - 1) == pipeline


def test_stages_are_put_before_and_after():
    assert names(edit.with_stage(shop(), GATE)) == ["Source", "Build", "Gate"]
    assert names(edit.with_stage(shop(), GATE, before="Build")) == ["Source", "Gate", "Build"]
    assert names(edit.with_stage(shop(), GATE, after="Source")) == ["Source", "Gate", "Build"]


def test_actions_and_stages_are_replaced():
    assert edit.replace_action(shop(), "Build", "Compile", ASK).stage("Build").actions == (ASK,)
    assert names(edit.replace_stage(shop(), "Build", GATE)) == ["Source", "Gate"]


def test_the_original_stays():
    pipeline = shop()
    edit.with_stage(pipeline, GATE)
    edit.with_mode(pipeline, "PARALLEL")

    assert pipeline == shop()


def test_members_of_the_pipeline():
    assert edit.with_mode(edit.with_type(shop(), "V1"), "PARALLEL").pipeline_type == "V2"
    assert edit.with_mode(edit.with_type(shop(), "V1"), "SUPERSEDED").pipeline_type == "V1"
    assert edit.with_name(shop(), "other").name == "other"
    assert edit.with_variables(shop(), [Variable("a")]).variables == (Variable("a"),)
    assert edit.with_triggers(shop(), []).triggers == ()
    assert edit.with_store(shop(), ArtifactStore("more")).artifact_store == ArtifactStore("more")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: edit.without_stage(p, "Nope"),
        lambda p: edit.with_stage(p, GATE, before="Nope"),
        lambda p: edit.without_action(p, "Build", "Nope"),
        lambda p: edit.with_action(p, "Nope", ASK),
    ],
)
def test_unknown_names_are_refused(change):
    with pytest.raises(KeyError, match="Nope"):
        change(shop())
