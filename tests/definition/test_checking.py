from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipesim.definition.checking import check
from pipesim.definition.document import to_document
from pipesim.definition.edit import with_mode
from pipesim.definition.model import (
    Action,
    ActionTypeId,
    ArtifactStore,
    Condition,
    OnFailure,
    OutputArtifact,
    Pipeline,
    Rule,
    RuleTypeId,
    Stage,
    Variable,
)
from pipesim.definition.paths import position
from tests.strategies import ROLE, documents, pipelines


def rules_of(subject, **options) -> list[str]:
    return [problem.rule for problem in check(subject, **options)]


def shop(**changes) -> Pipeline:
    source = Action(
        "Fetch",
        ActionTypeId("Source", "AWS", "S3"),
        configuration={"S3Bucket": "sources", "S3ObjectKey": "shop.zip"},
        output_artifacts=(OutputArtifact("SourceOutput"),),
    )
    build = Action(
        "Compile",
        ActionTypeId("Build", "AWS", "CodeBuild"),
        configuration={"ProjectName": "shop"},
        input_artifacts=("SourceOutput",),
    )
    pipeline = Pipeline(
        name="shop",
        role_arn=ROLE,
        artifact_store=ArtifactStore("artifacts"),
        stages=(Stage("Source", (source,)), Stage("Build", (build,))),
        pipeline_type="V2",
    )
    return replace(pipeline, **changes)


def with_build(pipeline: Pipeline, **changes) -> Pipeline:
    source, build = pipeline.stages
    return replace(pipeline, stages=(source, replace(build, actions=(replace(build.actions[0], **changes),))))


@given(st.one_of(pipelines(), pipelines(gates=True)))
def test_valid_pipelines_have_no_problems(pipeline):
    assert check(pipeline) == ()
    assert check(to_document(pipeline)) == ()


@settings(max_examples=100)
@given(documents())
def test_problems_are_in_document_order_without_duplicates(document):
    problems = check(document)
    places = [position(document.get("pipeline", document), problem.path) for problem in problems]

    assert places == sorted(places)
    assert len(set(problems)) == len(problems)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just([]) | st.just({})


@settings(max_examples=150)
@given(pipelines(), st.data(), values)
def test_any_value_anywhere_is_judged_and_never_crashes(pipeline, data, value):
    document = to_document(pipeline)
    node = document
    while isinstance(node, (dict, list)) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], (dict, list)) or data.draw(st.booleans()):
            node[key] = value
            break
        node = node[key]
    for problem in check(document):
        assert str(problem)
        assert "\n" not in str(problem)


def first_stage(pipeline: Pipeline) -> Stage:
    return pipeline.stages[0]


MUTATIONS = {
    "too-few-stages": lambda p: replace(p, stages=p.stages[:1]),
    "stage-name-duplicate": lambda p: replace(p, stages=(*p.stages, replace(p.stages[-1], name="Source"))),
    "stage-without-actions": lambda p: replace(p, stages=(*p.stages, Stage("Later", ()))),
    "source-after-first-stage": lambda p: replace(
        p, stages=(*p.stages, Stage("Later", (*p.stages[1].actions, replace(p.stages[0].actions[0], name="Again"))))
    ),
    "first-stage-not-source": lambda p: replace(
        p,
        stages=(
            replace(
                first_stage(p),
                actions=(*first_stage(p).actions, Action("Ask", ActionTypeId("Approval", "AWS", "Manual"))),
            ),
            *p.stages[1:],
        ),
    ),
    "action-name-duplicate": lambda p: replace(
        p, stages=(p.stages[0], replace(p.stages[1], actions=p.stages[1].actions * 2), *p.stages[2:])
    ),
    "run-order": lambda p: replace(
        p, stages=(*p.stages, Stage("Later", (Action("Ask", ActionTypeId("Approval", "AWS", "Manual"), run_order=0),)))
    ),
    "no-artifact-store": lambda p: replace(p, artifact_store=None),
    "both-artifact-stores": lambda p: replace(p, artifact_stores={"us-east-1": ArtifactStore("artifacts")}),
    "unknown-action-type": lambda p: replace(
        p, stages=(*p.stages, Stage("Later", (Action("Act", ActionTypeId("Deploy", "AWS", "CodeBuild")),)))
    ),
    "missing-configuration": lambda p: replace(
        p, stages=(*p.stages, Stage("Later", (Action("Act", ActionTypeId("Invoke", "AWS", "Lambda")),)))
    ),
    "too-few-artifacts": lambda p: replace(
        p,
        stages=(
            *p.stages,
            Stage(
                "Later", (Action("Act", ActionTypeId("Build", "AWS", "CodeBuild"), configuration={"ProjectName": "x"}),)
            ),
        ),
    ),
    "v1-variables": lambda p: replace(
        p, pipeline_type="V1", execution_mode="SUPERSEDED", variables=(Variable("a", "b"),)
    ),
    "v1-execution-mode": lambda p: replace(p, pipeline_type="V1", execution_mode="PARALLEL"),
    "name-pattern": lambda p: replace(p, name="<script>alert(1)</script>"),
}


@pytest.mark.parametrize("rule", sorted(MUTATIONS))
@settings(max_examples=15)
@given(pipeline=pipelines())
def test_each_mutation_of_a_valid_pipeline_is_found(rule, pipeline):
    assert rule in rules_of(MUTATIONS[rule](pipeline))


@given(pipelines(modes=["QUEUED"]), st.data())
def test_an_input_that_nobody_makes_is_found(pipeline, data):
    makers = [(stage, action) for stage, action in pipeline.actions() if action.output_artifacts]
    used = {name for _, action in pipeline.actions() for name in action.input_artifacts}
    stage, maker = data.draw(st.sampled_from(makers))
    lost = maker.output_artifacts[0].name
    renamed = replace(maker, output_artifacts=(OutputArtifact("Renamed"),))
    actions = tuple(renamed if action is maker else action for action in stage.actions)
    stages = tuple(replace(one, actions=actions) if one is stage else one for one in pipeline.stages)

    assert ("input-artifact-unknown" in rules_of(replace(pipeline, stages=stages))) == (lost in used)


def test_a_shape_problem_has_no_follow_ups():
    document = to_document(shop())
    del document["stages"][0]["actions"][0]["actionTypeId"]

    assert rules_of(document) == ["missing-member"]


def test_a_broken_type_does_not_hide_what_is_wrong_with_the_whole():
    document = to_document(shop())
    document["stages"] = document["stages"][:1]
    document["stages"][0]["actions"][0]["actionTypeId"]["category"] = "Sauce"

    assert rules_of(document) == ["too-few-stages", "unknown-value"]


def test_a_broken_name_is_one_problem():
    assert rules_of(shop(name="")) == ["text-length"]
    assert rules_of(with_build(shop(), name="a b")) == ["name-pattern"]


def test_problems_of_shape_do_not_hide_other_stages():
    document = to_document(shop())
    document["surprise"] = 1
    document["stages"][1]["name"] = "Source"

    assert rules_of(document) == ["stage-name-duplicate", "unknown-member"]


@pytest.mark.parametrize("nonsense", [None, 5, "x", [], math.nan, {"pipeline": None}])
def test_nonsense_is_a_problem_and_no_error(nonsense):
    assert check(nonsense)


def test_names_with_markup_come_out_as_text():
    (problem,) = check(shop(name="<img src=x onerror=alert(1)>"))

    assert problem.rule == "name-pattern"
    assert "<img" in problem.hint


@pytest.mark.parametrize("order", [1, 5, 999])
def test_run_orders_may_have_gaps(order):
    assert check(with_build(shop(), run_order=order)) == ()


@pytest.mark.parametrize("order", [0, 1000, -1])
def test_run_orders_outside_1_to_999_are_refused(order):
    (problem,) = check(with_build(shop(), run_order=order))

    assert (problem.rule, problem.code) == ("run-order", "ValidationException")


def test_an_artifact_of_the_same_group_is_not_there_yet():
    source, build = shop().stages
    compile_ = replace(build.actions[0], output_artifacts=(OutputArtifact("BuildOutput"),))
    test = replace(build.actions[0], name="Check", input_artifacts=("BuildOutput",))
    together = replace(shop(), stages=(source, Stage("Build", (compile_, test))))
    after = replace(shop(), stages=(source, Stage("Build", (replace(test, run_order=2), compile_))))

    (problem,) = check(together)
    assert problem.rule == "input-artifact-unknown"
    assert "runOrder" in problem.hint
    assert check(after) == ()


def test_the_same_action_name_may_stand_in_two_stages():
    pipeline = shop()
    again = replace(pipeline.stages[1], name="BuildAgain")

    assert check(replace(pipeline, stages=(*pipeline.stages, again))) == ()


def test_custom_actions_are_taken_on_trust_but_counted():
    custom = ActionTypeId("Build", "Custom", "OurJenkins", "7")
    assert check(with_build(shop(), type=custom, configuration={"Anything": "goes"})) == ()

    outputs = tuple(OutputArtifact(f"Output{number}") for number in range(6))
    assert rules_of(with_build(shop(), type=custom, output_artifacts=outputs)) == ["too-many-artifacts"]


def test_a_custom_approval_does_not_exist():
    custom = ActionTypeId("Approval", "Custom", "Boss")
    assert rules_of(with_build(shop(), type=custom, configuration={}, input_artifacts=())) == ["unknown-action-type"]


def test_the_modes_of_v2_need_v2():
    assert rules_of(shop(pipeline_type="V1", execution_mode="QUEUED")) == ["v1-execution-mode"]
    assert check(shop(pipeline_type=None, execution_mode="QUEUED")) == ()
    assert check(with_mode(shop(pipeline_type="V1"), "QUEUED")) == ()


def test_an_action_of_v2_makes_a_v2_pipeline_when_no_type_is_given():
    commands = {
        "type": ActionTypeId("Compute", "AWS", "Commands"),
        "configuration": {},
        "commands": ("make",),
    }
    assert with_build(shop(pipeline_type=None), **commands).effective_type == "V2"
    assert check(with_build(shop(pipeline_type=None), **commands)) == ()
    assert rules_of(with_build(shop(pipeline_type="V1"), **commands)) == ["v1-action"]


def test_the_region_may_be_told():
    abroad = with_build(shop(), region="eu-west-1")

    assert rules_of(abroad, region="us-east-1") == ["cross-region-single-store"]
    assert check(abroad, region="eu-west-1") == ()
    stores = {"eu-west-1": ArtifactStore("artifacts-eu")}
    missing = replace(abroad, artifact_store=None, artifact_stores=stores)
    (problem,) = check(missing, region="us-east-1")
    assert problem.message.endswith("missing in 'pipeline.artifactStores': us-east-1.")


def test_regions_of_a_console_made_pipeline_are_no_cross_region_actions():
    pipeline = with_build(shop(), region="eu-west-1")
    source = pipeline.stages[0]
    fetch = replace(source.actions[0], region="eu-west-1")

    assert check(replace(pipeline, stages=(replace(source, actions=(fetch,)), pipeline.stages[1]))) == ()


def test_success_conditions_may_use_variables_of_their_own_stage_and_entry_conditions_not():
    rule = Rule(
        "Check",
        RuleTypeId("VariableCheck"),
        configuration={"Variable": "#{Compiled.VERSION}", "Value": "1", "Operator": "EQ"},
    )
    pipeline = with_build(shop(), namespace="Compiled")
    source, build = pipeline.stages
    after = replace(build, on_success=(Condition((rule,), "FAIL"),))
    before = replace(build, before_entry=(Condition((rule,), "FAIL"),))

    assert check(replace(pipeline, stages=(source, after))) == ()
    assert rules_of(replace(pipeline, stages=(source, before))) == ["namespace-not-earlier"]


def test_a_stage_may_retry_on_failure():
    source, build = shop().stages
    retry = replace(build, on_failure=OnFailure(result="RETRY", retry_mode="ALL_ACTIONS"))

    assert check(replace(shop(), stages=(source, retry))) == ()


def test_a_thousand_actions_are_checked_in_seconds():
    ask = [Action(f"Ask{number}", ActionTypeId("Approval", "AWS", "Manual")) for number in range(50)]
    stages = (shop().stages[0], *(Stage(f"Gate{number}", tuple(ask)) for number in range(19)))
    start = time.perf_counter()

    assert check(replace(shop(), stages=stages)) == ()
    assert time.perf_counter() - start < 5.0
