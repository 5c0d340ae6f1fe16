"""Lesson 14: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import pipesim as ps
from pipesim.classroom.lessons.l14 import FAULTS, LOSSES
from tests.classroom.lessons.telling import told

NAMES = ("", *"abcdefghijklmnop")
STATEMENT = {
    "Effect": "Allow",
    "Action": "codebuild:StartBuild",
    "Resource": "arn:aws:codebuild:us-east-1:123456789012:project/s3-to-s3-build",
}
WAITING = "approval waiting"


def who_has(fault: str) -> str:
    """A learner whose luck is this fault."""
    return next(name for name in NAMES if ps.classroom.case("14-1", of=name).happens._fault == fault)


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def allow(
    cloud: ps.Cloud, case: Any, action: str = "codebuild:StartBuild", resource: str = STATEMENT["Resource"]
) -> None:
    document = json.dumps(policy({"Effect": "Allow", "Action": action, "Resource": resource}))
    cloud.client("iam").put_role_policy(RoleName=case.role, PolicyName="mended", PolicyDocument=document)


def open_door(cloud: ps.Cloud, case: Any) -> None:
    stage = cloud.explain(case.name).stage
    door = {"pipelineName": case.name, "stageName": stage, "transitionType": "Inbound"}
    cloud.client("codepipeline").enable_stage_transition(**door)


def enable_keys(cloud: ps.Cloud, case: Any) -> None:
    kms = cloud.client("kms")
    for key in kms.list_keys()["Keys"]:
        kms.enable_key(KeyId=key["KeyId"])


REMEDIES: dict[str, Callable[[ps.Cloud, Any], object]] = {
    "transition disabled": open_door,
    "permission": allow,
    "bucket policy": lambda cloud, case: cloud.client("s3").delete_bucket_policy(Bucket=case.bucket),
    "KMS key": enable_keys,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_find_and_heal(fault: str) -> None:
    name = who_has(fault)
    case = ps.classroom.case("14-1", of=name)
    with ps.Cloud(seed=1) as cloud:
        case.happens(cloud)
        stage = cloud.explain(case.name).stage

        assert "all right" in told("14-1", (stage, fault), name)
        assert "all right" in told("14-1", (f"{stage}/CodeBuild", fault), name)
        other = next(one for one in ("Source", "Build", "Deploy") if one != stage)
        wrong_place = told("14-1", (other, fault), name)
        assert f"nothing is wrong with {other}" in wrong_place and "1 of 2 right" in wrong_place
        assert "there is no stage 'Production'" in told("14-1", ("Production", fault), name)
        assert "is none of the causes" in told("14-1", (stage, "gremlins"), name)
        if fault == "transition disabled":
            assert "an action would have failed, but none has" in told("14-1", (stage, "permission"), name)
            assert "would be told in other words" in told("14-1", (stage, WAITING), name)
        else:
            assert "nothing would fail, but an action has failed" in told("14-1", (stage, WAITING), name)
            assert "would be told in other words" in told("14-1", (stage, "configuration"), name)

        sick = told("14-2", cloud, name)
        assert "it did not get past" in sick and "3 of 4 right" in sick
        REMEDIES[fault](cloud, case)
        assert "all right" in told("14-2", cloud, name)
        assert "all right" in told("14-1", (stage, fault), name), "healing does not change what it was"


def test_ways_to_heal_that_are_none() -> None:
    name = who_has("permission")
    case = ps.classroom.case("14-2", of=name)
    with ps.Cloud(seed=1) as cloud:
        assert f"it has no pipeline {case.name}" in told("14-2", cloud, name)
        case.happens(cloud)
        allow(cloud, case, "*", "*")
        wide = told("14-2", cloud, name)
        assert "iam:CreateRole" in wide and "3 of 4 right" in wide

        codepipeline = cloud.client("codepipeline")
        document = codepipeline.get_pipeline(name=case.name)["pipeline"]
        codepipeline.update_pipeline(pipeline={**document, "executionMode": "QUEUED", "pipelineType": "V2"})
        assert "the declaration was changed" in told("14-2", cloud, name)
    assert "it is closed" in told("14-2", cloud, name)
    assert "nothing can be made of" in told("14-2", "healed", name)
    assert "nothing is answered yet" in told("14-2", ..., name)


def test_the_cause_is_found_in_a_cloud_of_its_own() -> None:
    name = "somebody else"
    case = ps.classroom.case("14-1", of=name)
    passing = [
        cause
        for cause in case.causes
        if any("all right" in told("14-1", (stage, cause), name) for stage in ("Source", "Build", "Deploy"))
    ]
    assert len(passing) == 1


def needed(case: Any) -> list[dict[str, Any]]:
    """What the messages ask for, one after the other."""
    with ps.Cloud(seed=1) as cloud:
        case.happens(cloud)
        found = []
        while (said := cloud.explain(case.name)).cause == "permission":
            action, _, thing = said.evidence[0].partition(" was refused ")[2].partition(" on ")
            found.append({"Effect": "Allow", "Action": action, "Resource": thing})
            document = json.dumps(policy(*found))
            cloud.client("iam").put_role_policy(RoleName=case.role, PolicyName="more", PolicyDocument=document)
            cloud.client("codepipeline").start_pipeline_execution(name=case.name)
            cloud.run_until_idle()
        return found


@pytest.mark.parametrize("sketch", LOSSES)
def test_one_message_after_the_other(sketch: str) -> None:
    name = next(name for name in NAMES if ps.classroom.case("14-3", of=name).happens._lost == LOSSES[sketch])
    case = ps.classroom.case("14-3", of=name)
    right = needed(case)

    assert [one["Action"] for one in right] == [*LOSSES[sketch]]
    assert "all right" in told("14-3", policy(*right), name)
    assert "all right" in told("14-3", json.dumps(policy(*right)), name)
    first = told("14-3", policy(right[0]), name)
    assert "it does not get past" in first and LOSSES[sketch][1] in first and "3 of 4 right" in first
    everywhere = [{**one, "Resource": "*"} for one in right]
    assert "on things of other teams" in told("14-3", policy(*everywhere), name)


def test_policies_that_give_too_much() -> None:
    case = ps.classroom.case("14-3", of="")
    stars = told("14-3", policy({"Effect": "Allow", "Action": "*", "Resource": "*"}))
    assert "* was not missing" in stars and "on things of other teams" in stars and "2 of 4 right" in stars
    more = [{"Effect": "Allow", "Action": [*case.happens._lost, "iam:CreateRole"], "Resource": "*"}]
    assert "iam:CreateRole was not missing" in told("14-3", policy(*more))
    assert "Version should be" in told("14-3", {"Statement": [STATEMENT]})
    assert "nothing can be made of" in told("14-3", {"Allow": "everything"})
    with ps.Cloud(actions="assumed"):
        assert "another cloud is open" in told("14-3", policy(STATEMENT))
