from dataclasses import replace

import pytest

from pipesim.assumptions.distributions import Constant, LogNormal
from pipesim.assumptions.model import DEFAULT_APPROVER, ActionAssumption, Approver, Assumptions, Pool, RuleAssumption
from pipesim.assumptions.resolve import UNKNOWN_DURATION, resolve
from pipesim.catalog.action_types import ACTION_TYPES, find_action_type
from pipesim.catalog.rule_types import RULE_TYPES, find_rule_type
from pipesim.definition.model import (
    Action,
    ActionTypeId,
    Condition,
    OnFailure,
    Pipeline,
    Rule,
    RuleTypeId,
    Stage,
)
from pipesim.errors import AssumptionError


def action(name: str, category: str, provider: str, owner: str = "AWS") -> Action:
    return Action(name, ActionTypeId(category, owner, provider))


ALARM = Rule("Alarm", RuleTypeId("CloudWatchAlarm"))
WINDOW = Rule("Window", RuleTypeId("DeploymentWindow"))
LAMBDA = Rule("Ask", RuleTypeId("LambdaInvoke"))
SHOP = Pipeline(
    "shop",
    "arn:aws:iam::111122223333:role/pipeline",
    (
        Stage("Source", (action("Checkout", "Source", "CodeCommit"),)),
        Stage(
            "Build",
            (
                action("Frontend", "Build", "CodeBuild"),
                action("Backend", "Build", "CodeBuild"),
                action("Legacy", "Build", "OurJenkins", "Custom"),
            ),
        ),
        Stage("Approve", (action("Stakeholders", "Approval", "Manual"), action("Legal", "Approval", "Manual"))),
        Stage(
            "Deploy",
            (action("Production", "Deploy", "CodeDeploy"),),
            before_entry=(Condition((WINDOW,)),),
            on_success=(Condition((ALARM,)),),
            on_failure=OnFailure(conditions=(Condition((LAMBDA,)),)),
        ),
    ),
)
ONE, TWO, THREE = (ActionAssumption(Constant(value)) for value in (1, 2, 3))


def test_without_assumptions_the_catalog_answers():
    resolved = resolve(SHOP)
    build = find_action_type("Build", "AWS", "CodeBuild")

    assert resolved.action("Build", "Frontend").duration.quantile(0.5) == pytest.approx(build.duration.median)
    assert resolved.action("Build", "Frontend").duration.quantile(0.95) == pytest.approx(build.duration.p95)
    assert resolved.action("Build", "Frontend").pool == build.pool == "builds"
    assert resolved.action("Source", "Checkout").pool == ""
    assert resolved.action("Build", "Legacy").duration == UNKNOWN_DURATION
    assert resolved.approver("Approve", "Stakeholders") == DEFAULT_APPROVER


def test_nothing_is_left_open():
    resolved = resolve(SHOP)

    assert {(stage.name, part.name) for stage, part in SHOP.actions()} == set(resolved.actions)
    assert {("Approve", "Stakeholders"), ("Approve", "Legal")} == set(resolved.approvers)
    assert {("Deploy", "Window"), ("Deploy", "Alarm"), ("Deploy", "Ask")} == set(resolved.rules)
    for assumption in resolved.actions.values():
        assert assumption.duration.sample is not None
        assert assumption.pool is not None
    for stage, rule in resolved.rules:
        assert resolved.rule(stage, rule).duration.quantile(0.5) >= 0


def test_the_most_particular_key_wins_whole():
    table = {"Build/Frontend": ActionAssumption(fails=0.5), "Frontend": TWO, "Build/CodeBuild": THREE}

    resolved = resolve(SHOP, Assumptions(actions=table))
    less = resolve(SHOP, Assumptions(actions={key: table[key] for key in list(table)[1:]}))

    assert resolved.action("Build", "Frontend").fails == 0.5
    assert resolved.action("Build", "Frontend").duration == resolve(SHOP).action("Build", "Frontend").duration
    assert resolved.action("Build", "Backend").duration == Constant(3)
    assert less.action("Build", "Frontend").duration == Constant(2)


def test_an_empty_pool_name_takes_an_action_out_of_its_pool():
    resolved = resolve(SHOP, Assumptions(actions={"Frontend": ActionAssumption(pool="")}))

    assert (resolved.action("Build", "Frontend").pool, resolved.action("Build", "Backend").pool) == ("", "builds")


def test_a_star_answers_every_approval_that_has_no_key_of_its_own():
    nobody, quick = Approver(), Approver(Constant(5))

    resolved = resolve(SHOP, Assumptions(approvals={"*": nobody, "Approve/Legal": quick}))

    assert (nobody, quick) == (resolved.approver("Approve", "Stakeholders"), resolved.approver("Approve", "Legal"))


def test_an_approval_is_found_by_its_own_name():
    quick = Approver(Constant(5))

    resolved = resolve(SHOP, Assumptions(approvals={"Legal": quick, "*": Approver()}))

    assert (Approver(), quick) == (resolved.approver("Approve", "Stakeholders"), resolved.approver("Approve", "Legal"))


def test_rules_are_found_by_stage_name_and_provider():
    by = {
        key: RuleAssumption(Constant(value))
        for key, value in (("Deploy/Alarm", 1), ("Ask", 2), ("DeploymentWindow", 3))
    }

    resolved = resolve(SHOP, Assumptions(rules=by))

    assert [Constant(1), Constant(2), Constant(3)] == [
        resolved.rule("Deploy", rule).duration for rule in ("Alarm", "Ask", "Window")
    ]
    alarm = find_rule_type("CloudWatchAlarm").duration
    assert resolve(SHOP).rule("Deploy", "Alarm").duration.quantile(0.5) == pytest.approx(alarm.median)


@pytest.mark.parametrize(
    ("member", "key", "value", "path", "nearest"),
    [
        ("actions", "Build/Frontent", ONE, 'actions."Build/Frontent"', "Build/Frontend"),
        ("actions", "frontend", ONE, "actions.frontend", "Frontend"),
        ("actions", "Build/CodeBild", ONE, 'actions."Build/CodeBild"', "Build/CodeBuild"),
        ("approvals", "Stakeholder", Approver(), "approvals.Stakeholder", "Stakeholders"),
        ("rules", "Alarn", RuleAssumption(), "rules.Alarn", "Alarm"),
        ("pools", "bilds", Pool(1), "pools.bilds", "builds"),
    ],
)
def test_a_key_that_matches_nothing_is_refused_with_the_nearest_one(member, key, value, path, nearest):
    assumptions = Assumptions(**{member: {key: value}})

    with pytest.raises(AssumptionError) as caught:
        resolve(SHOP, assumptions)

    assert str(caught.value) == f"{path}: matches nothing in this pipeline; did you mean {nearest!r}?"
    assert resolve(SHOP, assumptions, strict=False).actions == resolve(SHOP).actions


@pytest.mark.parametrize(
    ("assumptions", "words"),
    [
        (Assumptions(actions={"Stakeholders": ONE}), "actions.Stakeholders: is an approval"),
        (Assumptions(actions={"Approval/Manual": ONE}), 'actions."Approval/Manual": is an approval'),
        (Assumptions(approvals={"Frontend": Approver()}), "approvals.Frontend: is not an approval"),
    ],
)
def test_approvals_and_other_actions_are_not_mixed_up(assumptions, words):
    with pytest.raises(AssumptionError) as caught:
        resolve(SHOP, assumptions)

    assert str(caught.value).startswith(words)


def test_one_profile_may_speak_of_types_that_this_pipeline_does_not_use():
    small = replace(SHOP, stages=SHOP.stages[:1])
    working = [kind for kind in ACTION_TYPES if kind.category != "Approval"]
    every_type = {f"{kind.category}/{kind.provider}": ActionAssumption(fails=0.1) for kind in working}
    every_rule = {kind.provider: RuleAssumption(fails=0.1) for kind in RULE_TYPES}

    resolved = resolve(
        small,
        Assumptions(actions=every_type, rules=every_rule, approvals={"*": Approver()}, pools={"builds": Pool(2)}),
    )

    assert resolved.action("Source", "Checkout").fails == 0.1


def test_a_pool_of_ones_own_is_known_once_an_action_names_it():
    own = Assumptions(actions={"Legacy": ActionAssumption(pool="jenkins")}, pools={"jenkins": Pool(1)})

    assert resolve(SHOP, own).action("Build", "Legacy").pool == "jenkins"


def test_every_duration_of_the_catalog_becomes_a_distribution_with_its_numbers():
    for kind in ACTION_TYPES:
        if kind.category == "Approval":
            continue
        part = Action("Only", ActionTypeId(kind.category, kind.owner, kind.provider, kind.version))
        pipeline = replace(SHOP, stages=(Stage("Stage", (part,)),))

        duration = resolve(pipeline).action("Stage", "Only").duration

        assert duration.quantile(0.5) == pytest.approx(kind.duration.median)
        assert isinstance(duration, LogNormal | Constant)
