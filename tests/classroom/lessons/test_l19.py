"""Lesson 19: wrong answers of every likely kind, each with the feedback that it must get."""

from __future__ import annotations

import copy
import json

import pytest

import pipesim as ps
from tests.classroom.lessons.telling import told

NAMES = ("", "ada", "bob")
FILES = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
BUCKETS = ["s3:GetBucketVersioning", "s3:GetBucketAcl", "s3:GetBucketLocation"]
BUILDS = ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]


@pytest.mark.parametrize("name", NAMES)
def test_fail_fast(name: str) -> None:
    document = ps.classroom.case("19-1", of=name).pipeline.to_document()

    def ordered(**order: int) -> dict[str, object]:
        changed = copy.deepcopy(document)
        for action in changed["stages"][2]["actions"]:
            action["runOrder"] = order[action["name"]]
        return changed

    assert "all right" in told("19-1", ordered(Lint=1, UnitTests=2, Integration=3), name)
    assert "all right" in told("19-1", ordered(Lint=1, UnitTests=1, Integration=2), name)
    assert "at most" in told("19-1", document, name)
    together = told("19-1", ordered(Lint=1, UnitTests=1, Integration=1), name)
    assert "more time than before" in together and "2 of 4 right" in together
    less = ordered(Lint=1, UnitTests=2, Integration=3)
    del less["stages"][2]["actions"][0]  # type: ignore[index]
    assert "missing: Integration" in told("19-1", less, name)


@pytest.mark.parametrize("name", NAMES)
def test_the_way_back(name: str) -> None:
    case = ps.classroom.case("19-2", of=name)
    lengths = []
    for command in (ps.Rollback("Deploy", case.good), ps.Start(change="revert")):
        trace = ps.simulate(case.pipeline, case.profile, seed=1, commands=[(ps.minutes(case.noticed_at), command)])
        lengths.append((trace.end - ps.minutes(case.noticed_at)) / 60)

    assert lengths[0] < lengths[1]
    assert "all right" in told("19-2", lengths, name)
    assert "0 of 2 right" in told("19-2", lengths[::-1], name)
    assert "is too long" in told("19-2", (lengths[0], lengths[1] + 30), name)
    assert "nothing can be made of" in told("19-2", lengths[0], name)


def policy(*actions: str) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [*actions], "Resource": "*"}]}


def test_least_privilege() -> None:
    right = policy(*FILES, *BUCKETS, *BUILDS)

    assert "all right" in told("19-3", right)
    assert "all right" in told("19-3", json.dumps(right))
    unbuilt = told("19-3", policy(*FILES, *BUCKETS))
    assert "codebuild:StartBuild" in unbuilt and "3 of 4 right" in unbuilt
    stars = told("19-3", policy("s3:*", "codebuild:*"))
    assert "allows more than anybody has looked at" in stars and "s3:DeleteBucket" in stars
    assert "it allows iam:CreateRole" in told("19-3", policy(*FILES, *BUCKETS, *BUILDS, "iam:CreateRole"))
    assert "Version should be" in told("19-3", {**right, "Version": "2020-01-01"})
    assert "nothing can be made of" in told("19-3", {"Allow": "everything"})


def test_a_cloud_that_is_still_open_is_told() -> None:
    with ps.Cloud(actions="assumed"):
        assert "another cloud is open" in told("19-3", policy(*FILES))


@pytest.mark.parametrize("name", NAMES)
def test_somewhere_else_first(name: str) -> None:
    build = "GitHub -> CodeBuild -> "
    test, out = "[CodeBuild (SmokeTest)] (Verify)", "CodeDeploy (Production)"

    assert "all right" in told("19-4", f"{build}CodeDeploy (Staging) -> {test} -> {out}", name)
    asis = told("19-4", ps.classroom.case("19-4", of=name).pipeline, name)
    assert "the first deployment goes to Production" in asis and "were in production when" in asis
    late = told("19-4", f"{build}CodeDeploy (Staging) -> {out} -> {test}", name)
    assert "were in production when" in late and "3 of 4 right" in late
    assert "keep the stage Production" in told("19-4", f"{build}CodeDeploy (Staging) -> {out}", name)
