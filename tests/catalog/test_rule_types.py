from __future__ import annotations

import pytest

from pipesim.catalog import rule_types
from pipesim.catalog.action_types import find_action_type
from pipesim.catalog.rule_types import GATE_RESULTS, RULE_TYPES, find_rule_type
from tests.catalog.model import fits

EVERY_RULE = pytest.mark.parametrize("known", RULE_TYPES, ids=[known.provider for known in RULE_TYPES])

REQUIRED = {
    "CloudWatchAlarm": {"AlarmName"},
    "CodeBuild": {"ProjectName"},
    "Commands": set(),
    "DeploymentWindow": {"Cron"},
    "LambdaInvoke": {"FunctionName"},
    "VariableCheck": {"Variable", "Value", "Operator"},
}
"""AWS CodePipeline User Guide, rule-reference pages."""


def test_the_six_rules_ask_for_what_the_guide_says():
    assert {known.provider: set(known.required) for known in RULE_TYPES} == REQUIRED


@EVERY_RULE
def test_a_rule_keeps_the_constraints_of_the_service(known):
    assert find_rule_type(known.provider) is known
    assert fits("RuleProvider", known.provider)
    names = [key.name for key in known.properties]
    assert len(names) == len(set(names))
    assert sorted((*known.required, *known.optional)) == sorted(names)
    for key in known.properties:
        assert fits("RuleConfigurationKey", key.name)
        assert fits("Description", key.description)


@EVERY_RULE
def test_a_rule_says_what_it_rests_on(known):
    assert 0 <= known.duration.median <= known.duration.p95
    assert known.duration.assumed and known.duration.source
    assert f"rule-reference-{known.provider}" in known.source
    assert known.description.endswith(".")


@EVERY_RULE
def test_only_two_rules_may_skip_and_all_may_do_the_rest(known):
    assert known.allows("beforeEntry", "SKIP") is (known.provider in {"LambdaInvoke", "VariableCheck"})
    assert known.allows("beforeEntry", "FAIL")
    assert known.allows("onSuccess", "ROLLBACK") and known.allows("onSuccess", "FAIL")
    assert known.allows("onFailure", "ROLLBACK")
    assert not known.allows("onSuccess", "SKIP")
    assert not known.allows("onFailure", "RETRY")
    assert not known.allows("beforeEntry", "ROLLBACK")
    assert not known.allows("never", "FAIL")


def test_gates_are_members_of_a_stage_in_the_service():
    from tests.catalog.model import service

    assert set(GATE_RESULTS) <= set(service().shape_for("StageDeclaration").members)
    for results in GATE_RESULTS.values():
        assert all(fits("Result", result) for result in results)


def test_rules_that_run_builds_take_a_place_in_the_pool_and_need_what_the_action_needs():
    builders = {known.provider for known in RULE_TYPES if known.pool == "builds"}
    assert builders == {"CodeBuild", "Commands"}
    for category, provider in (("Build", "CodeBuild"), ("Compute", "Commands")):
        action = find_action_type(category, "AWS", provider)
        assert set(find_rule_type(provider).permissions) <= set(action.permissions)


def test_commands_end_after_55_minutes_and_others_as_declared():
    assert {known.provider: known.timeout for known in RULE_TYPES if known.timeout is not None} == {"Commands": 3300}


def test_unknown_names():
    assert find_rule_type("VariableCheque") is None
    with pytest.raises(AttributeError, match="RULE_TIPES"):
        _ = rule_types.RULE_TIPES
