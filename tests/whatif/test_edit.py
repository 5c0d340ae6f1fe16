"""Edits: what they change, what they leave, and that what comes out is sound."""

from __future__ import annotations

from dataclasses import replace

import pytest

import pipesim
from pipesim import edit
from pipesim.assumptions.distributions import Constant, LogNormal
from pipesim.assumptions.resolve import resolve
from pipesim.errors import AssumptionError
from pipesim.whatif.changes import FORMS, parse_change
from pipesim.whatif.compare import compare


@pytest.fixture(scope="module")
def shop() -> edit.Scenario:
    profile = pipesim.load_profile(pipesim.sample_profile("e-commerce"))
    return edit.Scenario(pipesim.load(pipesim.sample("e-commerce")), profile)


def orders(scenario: edit.Scenario, stage: str) -> dict[str, int]:
    return {action.name: action.run_order for action in scenario.pipeline.stage(stage).actions}


def sound(scenario: edit.Scenario) -> edit.Scenario:
    assert [str(problem) for problem in pipesim.check(scenario.pipeline)] == []
    resolve(scenario.pipeline, scenario.assumptions)
    pipesim.simulate(scenario.pipeline, scenario.assumptions, executions=1)
    return scenario


EXAMPLES = [
    "mode=QUEUED", "parallelise Production", "serialise Build", "split Build after UnitTests",
    "own stage Production/HealthCheck",
    "move Approval/Stakeholders before Staging", "retry Test", "rollback Staging", "remove Test/SecurityScan",
    "remove Build/Package", "add Test/Lint=3m", "delays=off", "transfer=50MB", "size Build/Package=500MB",
    "fails Test/EndToEnd=5%", "fails Approval/Stakeholders=0.5", "hours Stakeholders=Mon-Fri 09:00-17:00 Asia/Kolkata",
    "answer Stakeholders=2h", "arrivals*2", "arrivals=20/day", "arrivals=3 per hour", "arrivals=every 45m",
    "Test/EndToEnd*0.5", "Test/* * 2", "* * 1.5", "builds=4", "Test/EndToEnd=12m", "BlueGreen=1h",
]  # fmt: skip


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_change_gives_a_pipeline_that_runs(shop: edit.Scenario, text: str) -> None:
    changed = sound(edit.parse_change(text)(shop))

    assert changed.changes
    assert (changed.pipeline, changed.assumptions) != (shop.pipeline, shop.assumptions)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.meaning)
def test_every_form_reads_its_own_example(form: object) -> None:
    for example in form.example.split(", "):  # type: ignore[attr-defined]
        assert edit.parse_change(example).text


def test_a_change_that_nobody_knows_lists_the_forms() -> None:
    with pytest.raises(AssumptionError, match="parallelise Test"):
        edit.parse_change("make it faster")


def test_parallelise_respects_artifacts(shop: edit.Scenario) -> None:
    changed = edit.parallelise("Build")(edit.serialise("Build")(shop))

    assert orders(edit.serialise("Build")(shop), "Build") == {
        "Frontend": 1, "Backend": 2, "UnitTests": 3, "Package": 4,
    }  # fmt: skip
    assert orders(changed, "Build") == {"Frontend": 1, "Backend": 1, "UnitTests": 1, "Package": 2}


def test_parallelise_keeps_an_approval_where_it_is() -> None:
    pipeline = pipesim.load("GitHub -> CodeBuild -> Manual Approval -> S3")
    stages = pipeline.stages
    actions = [action for stage in stages[1:] for action in stage.actions]
    merged = replace(stages[1], name="All", actions=tuple(replace(a, run_order=i) for i, a in enumerate(actions, 1)))
    one = edit.Scenario(replace(pipeline, stages=(stages[0], merged)))

    assert list(orders(edit.parallelise("All")(one), "All").values()) == [1, 2, 3]


def test_assumptions_follow_an_action_into_its_new_stage(shop: edit.Scenario) -> None:
    changed = edit.split_stage("Test", after="Integration", name="Slow")(edit.serialise("Test")(shop))

    assert [stage.name for stage in changed.pipeline.stages][2:4] == ["Test", "Slow"]
    assert resolve(changed.pipeline, changed.assumptions).action("Slow", "EndToEnd").duration == LogNormal(1440, 2160)
    assert "Test/EndToEnd" not in changed.assumptions.actions


def test_a_duration_as_text_keeps_the_shape(shop: edit.Scenario) -> None:
    changed = edit.duration("Test/EndToEnd", "12m")(shop)

    assert resolve(changed.pipeline, changed.assumptions).action("Test", "EndToEnd").duration == LogNormal(720, 1080)
    exact = edit.duration("Test/EndToEnd", Constant(60))(shop)
    assert exact.assumptions.actions["Test/EndToEnd"].duration == Constant(60)


def test_edits_compose_left_to_right_and_say_what_they_do(shop: edit.Scenario) -> None:
    change = edit.pool("builds", 3) | edit.execution_mode("queued")
    changed = change(shop)

    assert change.text == "builds=3; mode QUEUED"
    assert changed.changes == ("builds=3", "mode QUEUED")
    assert changed.assumptions.pools["builds"].capacity == 3
    assert shop.assumptions.pools["builds"].capacity == 6


def test_removing_an_action_hands_its_input_on(shop: edit.Scenario) -> None:
    changed = sound(edit.remove_action("Build/Package")(shop))

    users = [a.input_artifacts for _, a in changed.pipeline.actions()]
    assert not any("Package" in inputs for inputs in users)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("builds=-1", "'builds=-1': '-1' is neither a number of places"),
        ("builds=many", "nor a duration, such as 'Test/EndToEnd=12m'"),
        ("Test/EndToEnd=-4m", "'-4m' is negative"),
        ("arrivals=-3/day", "'arrivals=-3/day': '-3/day' is neither a rate"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_what_would(text: str, message: str) -> None:
    with pytest.raises(AssumptionError) as raised:
        parse_change(text)

    assert message in str(raised.value)


def test_there_are_two_modes_of_retry() -> None:
    with pytest.raises(AssumptionError, match="did you mean 'ALL_ACTIONS'"):
        edit.retry("Test", "ALL_ACTION")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit.parallelise("Tset"), "did you mean 'Test'"),
        (edit.duration("HealthCheck", "1m"), "may be any of Staging/HealthCheck, Production/HealthCheck"),
        (edit.duration("Approval/Stakeholders", "1m"), "is an approval"),
        (edit.approver_hours("Test/EndToEnd", None), "is no approval"),
        (edit.pool("biulds", 3), "did you mean 'builds'"),
        (edit.remove_action("Source/CodeCommit"), "is a source"),
        (edit.split_stage("Test", after="EndToEnd"), "nothing to split"),
        (edit.add_action("Test/EndToEnd", "1m"), "is there already"),
        (edit.own_stage("Approval/Stakeholders"), "already has a stage of its own"),
        (edit.rollback("Source"), "cannot roll back"),
        (edit.move_approval("Test/EndToEnd", "Staging"), "is no approval"),
    ],
    ids=str,
)
def test_what_cannot_be_changed_says_why(shop: edit.Scenario, change: edit.Edit, message: str) -> None:
    with pytest.raises(AssumptionError, match=message):
        change(shop)


def test_twice_the_commits(shop: edit.Scenario) -> None:
    assert edit.scale_arrivals(2)(shop).assumptions.arrivals == pipesim.Every(600)
    with pytest.raises(AssumptionError, match="single change"):
        edit.scale_arrivals(2)(edit.Scenario(shop.pipeline))


MOVES = ["own stage Production/BlueGreen", "split Test after Integration as Slow"]


@pytest.mark.parametrize("text", MOVES)
def test_what_is_moved_keeps_its_luck(shop: edit.Scenario, text: str) -> None:
    """All work takes as long in every execution that comes through in both worlds."""
    loose = edit.parse_change("mode=PARALLEL")(edit.parse_change("delays=off")(edit.pool("builds", 400)(shop)))
    stages = tuple(replace(stage, on_failure=None) for stage in loose.pipeline.stages)
    calm = replace(loose, pipeline=replace(loose.pipeline, stages=stages))
    calm = edit.parse_change("remove Approval/Stakeholders")(edit.parse_change("serialise Test")(calm))
    found = compare(calm, {"moved": text}, n=5, executions=30)

    assert found.baseline.engine_used == "vectorised"
    assert abs(found.differences("moved", "working")).max() == 0
    assert abs(found.differences("moved", "shipped")).max() == 0


def test_a_change_that_changes_nothing_says_so(shop: edit.Scenario) -> None:
    found = compare(shop, ["mode=SUPERSEDED", "builds=7"], n=2, executions=3)

    assert "mode SUPERSEDED (changes nothing here)" in str(found)
    assert str(found).count("changes nothing") == 1
    both = (edit.parse_change("mode=SUPERSEDED") | edit.parse_change("builds=7"))(shop)
    assert both.changes == ("mode SUPERSEDED (changes nothing here)", "builds=7")
