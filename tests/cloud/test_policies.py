"""Policy documents judged, statement by statement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipesim.cloud.policies import Answer, Request, judge, judge_all

OBJECT = "arn:aws:s3:::bucket/key"
ROLE = "arn:aws:iam::111122223333:role/r"


def policy(**members: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", **members}]}


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({"Resource": "*"}, Answer.ALLOW),
        ({"Resource": OBJECT}, Answer.ALLOW),
        ({"Resource": "arn:aws:s3:::bucket/k?y"}, Answer.ALLOW),
        ({"Resource": "arn:aws:s3:::bucket/*"}, Answer.ALLOW),
        ({"Resource": "arn:aws:s3:::bucket"}, Answer.SILENT),
        ({"Resource": "arn:aws:s3:::bucketXkey"}, Answer.SILENT),
        ({"NotResource": "arn:aws:s3:::other/*"}, Answer.ALLOW),
        ({"Action": ["s3:Put*", "S3:getobject"], "Resource": "*"}, Answer.ALLOW),
        ({"Action": "s3:PutObject", "Resource": "*"}, Answer.SILENT),
        ({"Effect": "Deny", "Resource": OBJECT}, Answer.DENY),
        ({"Resource": "*", "Principal": {"AWS": ROLE}}, Answer.ALLOW),
        ({"Resource": "*", "Principal": "*"}, Answer.ALLOW),
        ({"Resource": "*", "Principal": {"AWS": ["arn:aws:iam::111122223333:role/other"]}}, Answer.SILENT),
        ({"Resource": "*", "NotPrincipal": {"AWS": ROLE}}, Answer.SILENT),
        ({"Resource": "*", "Condition": {"StringEquals": {"aws:requestedregion": "us-east-1"}}}, Answer.ALLOW),
        ({"Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}}, Answer.SILENT),
        ({"Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}, Answer.ALLOW),
        ({"Resource": "*", "Condition": {"StringEquals": {"aws:other": "x"}}}, Answer.SILENT),
        ({"Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:other": "x"}}}, Answer.ALLOW),
        ({"Resource": "*", "Condition": {"Null": {"aws:other": True}}}, Answer.ALLOW),
        ({"Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": True}}}, Answer.ALLOW),
        ({"Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, Answer.SILENT),
    ],
)
def test_one_statement(members: dict[str, Any], answer: Answer) -> None:
    context = {"aws:RequestedRegion": "us-east-1", "aws:SecureTransport": "true"}
    request = Request("s3:GetObject", OBJECT, frozenset({ROLE, "111122223333"}), context)

    assert judge(policy(**members), request) is answer


def test_a_resource_that_nobody_knows() -> None:
    request = Request("codebuild:StartBuild")

    allowed = policy(Action="codebuild:*", Resource="arn:aws:codebuild:us-east-1:1:project/a")
    denied = policy(Effect="Deny", Action="codebuild:*", Resource="arn:aws:codebuild:us-east-1:1:project/a")
    assert judge(allowed, request) is Answer.ALLOW
    assert judge(denied, request) is Answer.SILENT
    assert judge(policy(Effect="Deny", Action="codebuild:*", Resource="*"), request) is Answer.DENY


@pytest.mark.parametrize("broken", ["", "no json", "[]", '{"Statement": "x"}', '{"Statement": [null]}'])
def test_a_document_that_cannot_be_read_says_nothing(broken: str) -> None:
    assert judge(broken, Request("s3:GetObject", OBJECT)) is Answer.SILENT


ANSWERS = st.sampled_from([policy(Resource="*"), policy(Effect="Deny", Resource="*"), policy(Resource="arn:none")])


@given(st.lists(ANSWERS, max_size=6))
def test_one_denial_outweighs_everything_in_any_order(policies: list[dict[str, Any]]) -> None:
    request = Request("s3:GetObject", OBJECT)

    answer = judge_all(policies, request)

    assert answer is judge_all(reversed(policies), request)
    single = {judge(one, request) for one in policies}
    assert (answer is Answer.DENY) == (Answer.DENY in single)
    assert (answer is Answer.ALLOW) == (Answer.ALLOW in single and Answer.DENY not in single)
