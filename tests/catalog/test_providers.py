from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipesim.catalog.action_types import ACTION_TYPES, find_action_type, read_table
from pipesim.catalog.providers import resolve_name, suggest_provider

PROVIDERS = sorted({known.provider for known in ACTION_TYPES})
NAMES = read_table("names.toml")["names"]


@pytest.mark.parametrize(
    ("name", "category", "id_"),
    [
        ("Manual Approval", None, "Approval/AWS/Manual"),
        ("GitHub", None, "Source/AWS/CodeStarSourceConnection"),
        ("GitHub v1", None, "Source/ThirdParty/GitHub"),
        ("Bitbucket", None, "Source/AWS/CodeStarSourceConnection"),
        ("Elastic Beanstalk", None, "Deploy/AWS/ElasticBeanstalk"),
        ("AWS Elastic Beanstalk", None, "Deploy/AWS/ElasticBeanstalk"),
        ("Step Functions", None, "Invoke/AWS/StepFunctions"),
        ("Device Farm", None, "Test/AWS/DeviceFarm"),
        ("CodeDeploy", None, "Deploy/AWS/CodeDeploy"),
        ("CodeDeploy (ECS)", None, "Deploy/AWS/CodeDeployToECS"),
        ("CodeDeploy (Staging)", None, "Deploy/AWS/CodeDeploy"),
        ("load test", None, "Test/Custom/BlazeMeter"),
        ("CodeBuild", None, "Build/AWS/CodeBuild"),
        ("CodeBuild", "Test", "Test/AWS/CodeBuild"),
        ("CodeBuild (Service A)", "Build", "Build/AWS/CodeBuild"),
        ("Jenkins", None, "Build/Custom/Jenkins"),
        ("jenkins", "Test", "Test/Custom/Jenkins"),
        ("S3", None, "Source/AWS/S3"),
        ("Amazon S3", "Deploy", "Deploy/AWS/S3"),
        ("Lambda (Notification)", None, "Invoke/AWS/Lambda"),
        ("Lambda", "Deploy", "Deploy/AWS/Lambda"),
        ("CODECOMMIT", None, "Source/AWS/CodeCommit"),
    ],
)
def test_names_mean_types(name, category, id_):
    assert resolve_name(name, category) == find_action_type(*id_.split("/"))


@pytest.mark.parametrize("name", ["", "()", "…", "Teapot", "Build the moon"])
def test_names_that_mean_nothing(name):
    assert resolve_name(name) is None


def test_a_name_means_nothing_in_a_category_where_it_does_not_exist():
    assert resolve_name("Manual Approval", "Build") is None
    assert resolve_name("CodeBuild", "Nonsense") is None


@pytest.mark.parametrize("known", ACTION_TYPES, ids=lambda known: f"{known.category}-{known.owner}-{known.provider}")
def test_every_type_but_the_old_github_is_found_by_its_own_name_in_its_category(known):
    if known.provider == "GitHub":
        assert resolve_name("GitHub version 1") is known
    else:
        assert resolve_name(known.provider, known.category) is known


@pytest.mark.parametrize("name", NAMES)
def test_every_common_name_means_types_that_exist_the_first_first(name):
    types = [find_action_type(*id_.split("/")) for id_ in NAMES[name]]
    assert None not in types
    assert resolve_name(name) is types[0]
    for known in types:
        assert resolve_name(name, known.category) is known


@pytest.mark.parametrize(
    ("text", "category", "provider"),
    [
        ("CodeBiuld", None, "CodeBuild"),
        ("codebuild", "Build", "CodeBuild"),
        ("CodeDeployToEcs", "Deploy", "CodeDeployToECS"),
        ("Beanstalk", "Deploy", "ElasticBeanstalk"),
        ("ElasticBeanStalk", None, "ElasticBeanstalk"),
        ("Bitbucket", "Source", "CodeStarSourceConnection"),
        ("GitHub", "Source", "CodeStarSourceConnection"),
        ("CodeStarConnection", "Source", "CodeStarSourceConnection"),
        ("ManualApproval", "Approval", "Manual"),
        ("Cloudformation", None, "CloudFormation"),
        ("StepFunction", "Invoke", "StepFunctions"),
    ],
)
def test_misspellings_are_recognised(text, category, provider):
    assert suggest_provider(text, category) == provider


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_written_is_never_suggested(provider):
    assert suggest_provider(provider) != provider


def test_a_suggestion_stays_in_the_category():
    assert suggest_provider("CodeBiuld", "Approval") is None
    assert suggest_provider("Lamda", "Deploy") == "Lambda"


@given(st.text(max_size=40), st.sampled_from([None, "Source", "Build", "Test", "Deploy", "Approval", "Invoke", "Nope"]))
def test_any_text_is_answered_with_another_provider_or_none(text, category):
    suggested = suggest_provider(text, category)
    assert suggested is None or (suggested in PROVIDERS and suggested != text)
    assert resolve_name(text, category) is None or category in (None, resolve_name(text, category).category)


@given(st.sampled_from([provider for provider in PROVIDERS if len(provider) > 6]), st.data())
def test_a_letter_left_out_is_forgiven(provider, data):
    index = data.draw(st.integers(0, len(provider) - 1))
    assert suggest_provider(provider[:index] + provider[index + 1 :]) is not None
