from __future__ import annotations

import copy
import json
from pathlib import Path

import botocore.session
import pytest

from pipesim.definition.checking import check
from pipesim.definition.document import parse_document
from pipesim.definition.rules import RULES
from pipesim.errors import DeclarationError

SAMPLES = Path(__file__).parents[2] / "data" / "invalid"
NAMES = [rule.name for rule in RULES]


def sample(name: str) -> dict:
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_sample_that_breaks_it_and_no_other(name):
    problems = check(sample(name))

    assert [problem.rule for problem in problems] == [name]


def test_every_sample_belongs_to_a_rule():
    assert sorted(path.stem for path in SAMPLES.glob("*.json")) == sorted(NAMES)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_problems_carry_the_code_that_the_table_names(rule):
    (problem,) = check(sample(rule.name))

    assert problem.code == rule.code
    assert problem.path
    assert problem.message


@pytest.mark.parametrize("name", NAMES)
def test_samples_that_can_be_read_give_the_same_problem_as_pipelines(name):
    try:
        pipeline = parse_document(sample(name))
    except DeclarationError as error:
        assert [problem.rule for problem in error.problems] == [name]
    else:
        assert check(pipeline) == check(sample(name))


def test_every_code_is_one_that_create_pipeline_may_answer():
    model = botocore.session.Session().get_service_model("codepipeline")
    known = {shape.name for shape in model.operation_model("CreatePipeline").error_shapes}

    assert {rule.code for rule in RULES} <= known


def test_the_table_says_whose_words_each_message_is():
    assert {rule.wording for rule in RULES} == {"service", "ours"}
    assert all(rule.source and rule.summary.endswith(".") for rule in RULES)


SERVICE_TEXTS = {
    "too-few-stages": "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline",
    "too-many-stages": "Pipeline has too many stages. There can only be up to 50 stages in a pipeline",
    "first-stage-not-source": "Pipeline should start with a stage that only contains source actions",
    "source-after-first-stage": "Source actions can only be included in the first stage of the pipeline",
    "stage-name-duplicate": "Stage name 'Deploy' is used more than once",
    "too-few-artifacts": "Action Compile declares 0 input artifacts which is less than the minimum count (1)",
    "missing-configuration": (
        "Action configuration for action 'Release' is missing required configuration 'DeploymentGroupName'"
    ),
    "unknown-configuration": (
        "Action configuration for action 'Compile' contains unknown configuration 'EnvironmentVariable'"
    ),
    "v1-variables": "Pipeline variable can only be used with V2 pipelines",
    "v1-triggers": "Triggers on tag can only be used with V2 pipelines",
    "v1-execution-mode": "QUEUED or PARALLEL mode can only be used with V2 pipelines",
    "v1-conditions": "Stage level conditions can only be used with V2 pipelines.",
    "v1-action": "Commands Action can only be used with V2 pipelines.",
    "trigger-source-action": "Triggers for connections must reference a CodeStarSourceConnection action.",
    "on-failure-result-and-conditions": (
        "The following stage cannot have a failure exit gate configured with both top level result and conditions: "
        "'Deploy'"
    ),
    "parallel-failure-rollback": (
        "Failure conditions with rollback result type cannot be added to a PARALLEL pipeline."
    ),
    "variable-name-duplicate": ("Variable names must be unique. The following variable name is already in use: Target"),
    "variable-in-source-action": (
        "Variables at the pipeline level cannot be used in source actions.\nStageName=[Source], ActionName=[Fetch], "
        "ActionConfigurationKey=[S3ObjectKey], VariableReferenceText=[variables.Key]"
    ),
    "store-of-region-missing": (
        "Your pipeline must have an artifact store, such as an artifact bucket, for each region where you have an "
        "action. The following region is missing in 'pipeline.artifactStores': eu-west-1."
    ),
}


@pytest.mark.parametrize("name", sorted(SERVICE_TEXTS))
def test_the_services_own_words_are_kept(name):
    (problem,) = check(sample(name))

    assert problem.message == SERVICE_TEXTS[name]
    assert next(rule for rule in RULES if rule.name == name).wording == "service"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("unknown-member", "did you mean 'runOrder'?"),
        ("unknown-action-type", "did you mean 'CodeBuild'?"),
        ("unknown-configuration", "did you mean 'EnvironmentVariables'?"),
        ("input-artifact-unknown", "did you mean 'BuildOutput'?"),
        ("undeclared-variable", "did you mean 'Target'?"),
        ("unknown-namespace", "did you mean 'FetchVariables'?"),
        ("unknown-rule-type", "did you mean 'CloudWatchAlarm'?"),
        ("unknown-value", "did you mean 'QUEUED'?"),
    ],
)
def test_slips_of_the_pen_are_understood(name, hint):
    (problem,) = check(sample(name))

    assert problem.hint == hint


def test_the_samples_are_one_step_from_a_valid_declaration():
    repaired = sample("missing-member")
    repaired["roleArn"] = "arn:aws:iam::111122223333:role/pipeline"

    assert check(repaired) == ()
    broken = copy.deepcopy(repaired)
    broken["stages"][0]["actions"][0]["actionTypeId"]["owner"] = "ThirdParty"
    assert [problem.rule for problem in check(broken)] == ["unknown-action-type"]
