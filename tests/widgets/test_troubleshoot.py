"""A broken pipeline is explored and put right: no browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import traitlets
from botocore.exceptions import ClientError

from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud.account import Cloud
from pipesim.errors import PipesimError, SourceError
from pipesim.widgets import Troubleshoot
from pipesim.widgets.desk import desk_module

NOTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud(seed=2) as cloud:
        cloud.provision("S3 -> CodeBuild -> S3")
        yield cloud


def order(desk: Any, **content: Any) -> None:
    desk._hear(desk, content, [])


def builders_role(desk: Troubleshoot) -> dict[str, Any]:
    return next(role for role in desk.roles if any("CodeBuild of" in whom for whom in role["whom"]))


def broken(cloud: Cloud) -> tuple[Troubleshoot, str, str, str]:
    """A desk over a pipeline whose build may do nothing; the role, the policy and its good text."""
    desk = Troubleshoot(cloud)
    role = builders_role(desk)
    policy = next(one for one in role["policies"] if one["inline"])
    desk.save_policy(role["name"], policy["name"], NOTHING)
    desk.let_time_pass()
    return desk, role["name"], policy["name"], policy["text"]


def test_the_failure_is_found_and_healed(cloud: Cloud):
    desk, role, policy, good = broken(cloud)
    failure = desk.failure
    assert failure is not None
    assert failure.run.code
    assert not desk.healed
    assert desk.view["failure"]["where"] == f"{failure.stage} / {failure.action}"

    order(desk, do="retry")
    assert not desk.healed
    order(desk, do="save", role=role, policy=policy, document=good)
    assert "saved" in desk.notice
    order(desk, do="retry")
    assert desk.healed
    assert desk.notice == "It is healed."
    assert desk.view["healed"]
    assert desk.hints == ()
    assert desk.hint() == "Nothing has failed, and nothing stands still."
    desk.retry()
    assert desk.notice.startswith("Nothing has failed")


def test_hints_come_one_by_one_and_the_explanation_last(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    class Explanation:
        stage, cause, certainty, next_step = "Build", "permission", "certain", "Give it back and retry."
        evidence, command = ("the role may not read", "nothing else denies it"), "aws iam put-role-policy"

    monkeypatch.setattr(Cloud, "explain", lambda self, pipeline, execution=None: Explanation())
    desk, *_ = broken(cloud)
    assert desk.view["hints"] == []
    hints = desk.hints
    assert desk.view["left"] == len(hints) >= 4
    failure = desk.failure
    assert failure is not None
    assert failure.stage in hints[0]
    assert failure.run.message in hints[1]
    assert hints[-3:] == (
        "The cause: permission (certain); the role may not read; nothing else denies it",
        "What to do: Give it back and retry.",
        "The command: aws iam put-role-policy",
    )
    order(desk, do="hint")
    assert desk.view["hints"] == [hints[0]]
    assert hints[1] not in json.dumps(desk.view["hints"])
    for _ in hints:
        desk.hint()
    assert desk.view["hints"] == list(hints)
    assert desk.view["left"] == 0


def test_what_does_not_go_on_without_a_failure_is_hinted_at_too(cloud: Cloud):
    cloud.run_until_idle()
    desk = Troubleshoot(cloud, fault="transition disabled")
    order(desk, do="wait")
    assert desk.failure is None
    assert not desk.healed
    where, cause, todo, command = desk.hints
    stage = cloud.explain(desk.view["title"]).stage
    assert where == f"Look at stage {stage}: nothing failed, but the newest execution does not go on there."
    assert cause.startswith("The cause: transition disabled (certain)")
    assert "Enable the transition" in todo
    assert "enable-stage-transition" in command
    assert (desk.view["all"], desk.view["left"]) == (4, 4)
    cloud.client("codepipeline").enable_stage_transition(
        pipelineName=desk.view["title"], stageName=stage, transitionType="Inbound"
    )
    desk.let_time_pass()
    assert desk.healed
    assert desk.hints == ()


def test_an_execution_that_waits_for_another_is_told_what_holds_that_one():
    with Cloud(seed=2) as cloud:
        record = cloud.provision("S3 -> Manual Approval -> S3")
        cloud.run_until_idle()
        desk = Troubleshoot(cloud)
        desk.start()
        first = next(iter(record.simulation.state.executions))
        assert "The cause: waiting for a stage (certain)" in desk.hints[1]
        assert f"{first} is inside stage Approval, and keeps it." in desk.hints
        assert any("approval waiting" in hint for hint in desk.hints)


def test_a_fault_is_broken_on_purpose(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []
    monkeypatch.setattr(
        Cloud, "break_", lambda self, fault, pipeline, *, seed=0: asked.append((fault, pipeline, seed)), raising=False
    )
    name = next(cloud.pipelines()).name
    Troubleshoot(cloud, fault="missing permission", seed=7)
    assert asked == [("missing permission", name, 7)]


def test_roles_and_artifacts_are_those_of_the_account(cloud: Cloud):
    desk = Troubleshoot(cloud)
    desk.let_time_pass()
    assert desk.healed
    iam = cloud.client("iam")
    for role in desk.roles:
        known = iam.list_role_policies(RoleName=role["name"])["PolicyNames"]
        assert [policy["name"] for policy in role["policies"] if policy["inline"]] == known
        assert json.loads(role["trust"])["Statement"]
    assert any("the pipeline" in role["whom"] for role in desk.roles)
    places = desk.artifacts
    assert len(places) >= 2
    assert all(place["files"] for place in places)
    desk.section = "artifacts"
    assert desk.view["artifacts"] == places
    assert desk.view["roles"] == []
    iam.delete_role_policy(
        RoleName=(name := builders_role(desk)["name"]), PolicyName=builders_role(desk)["policies"][0]["name"]
    )
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)
    desk.section = "roles"
    gone = next(role for role in desk.view["roles"] if role["name"] == name)
    assert gone["problem"]


def test_the_log_of_what_failed():
    red = Assumptions(actions={"CodeBuild": ActionAssumption(fails_on=(1,), message="The tests are red.")})
    with Cloud(seed=2, assumptions=red) as cloud:
        cloud.provision("S3 -> CodeBuild -> S3")
        desk = Troubleshoot(cloud)
        assert desk.log == {}
        desk.let_time_pass()
        assert desk.failure is not None
        desk.section = "log"
        assert desk.view["log"] == desk.log
        assert any("The tests are red." in line for line in desk.log["lines"])
        assert any("Read the end of its log" in hint for hint in desk.hints)
        desk.start()
        assert desk.healed


def test_what_is_refused_is_said(cloud: Cloud):
    desk, role, policy, _ = broken(cloud)
    with pytest.raises(ClientError):
        desk.save_policy(role, policy, "{")
    order(desk, do="save", role=role, policy=policy, document="{")
    assert desk.refusal["code"] == "MalformedPolicyDocument"
    order(desk, do="save", role="nobody")
    assert desk.refusal["code"] == "TypeError"
    with pytest.raises(traitlets.TraitError, match="no section"):
        desk.section = "luck"
    with pytest.raises(SourceError, match="no pipeline 'shop'"):
        Troubleshoot(cloud, "shop")
    with pytest.raises(SourceError, match="about a cloud"):
        Troubleshoot(7)
    assert "innerHTML" not in desk_module("troubleshoot.js")


def test_a_closed_cloud_can_be_read_and_takes_no_orders():
    with Cloud(seed=2) as cloud:
        cloud.provision("S3 -> CodeBuild -> S3")
        desk, *_ = broken(cloud)
    desk.refresh()
    assert desk.view["failure"]
    assert desk.view["hints"] == []
    with pytest.raises(PipesimError, match="the cloud is closed"):
        desk.retry()
