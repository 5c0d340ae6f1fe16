from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.cloud.shop import Shop, refusal

ARN = "arn:aws:codepipeline:us-east-1:123456789012:shop"


def tags(shop: Shop, arn: str = ARN) -> list[tuple[str, str]]:
    return [(tag["key"], tag["value"]) for tag in shop.client.list_tags_for_resource(resourceArn=arn)["tags"]]


def test_tags_come_and_go(shop: Shop) -> None:
    shop.client.create_pipeline(pipeline=shop.document(), tags=[{"key": "team", "value": "a"}])
    shop.client.tag_resource(resourceArn=ARN, tags=[{"key": "team", "value": "b"}, {"key": "cost", "value": "1"}])
    assert tags(shop) == [("cost", "1"), ("team", "b")]

    shop.client.untag_resource(resourceArn=ARN, tagKeys=["team", "nothing"])
    assert tags(shop) == [("cost", "1")]


def test_system_tags_are_refused(shop: Shop) -> None:
    shop.create()
    with pytest.raises(ClientError) as error:
        shop.client.tag_resource(resourceArn=ARN, tags=[{"key": "aws:x", "value": "y"}])

    assert refusal(error.value) == (
        "InvalidTagsException",
        "Not allowed to modify system tags. System tags start with 'aws:'. msg=[Caller is an end user and not allowed"
        " to mutate system tags]",
    )


def test_fifty_are_enough(shop: Shop) -> None:
    shop.client.create_pipeline(pipeline=shop.document(), tags=[{"key": "one", "value": "1"}])
    with pytest.raises(ClientError) as error:
        shop.client.tag_resource(resourceArn=ARN, tags=[{"key": f"k{n}", "value": ""} for n in range(50)])

    assert refusal(error.value) == ("TooManyTagsException", f"Tag limit exceeded for resource [{ARN}].")
    assert tags(shop) == [("one", "1")]


@pytest.mark.parametrize("operation", ["list_tags_for_resource", "tag_resource", "untag_resource"])
def test_unknown_resources(shop: Shop, operation: str) -> None:
    more = {"tag_resource": {"tags": []}, "untag_resource": {"tagKeys": []}}.get(operation, {})
    with pytest.raises(ClientError) as error:
        getattr(shop.client, operation)(resourceArn=ARN, **more)

    message = "The account with id '123456789012' does not include a pipeline with the name 'shop'"
    assert refusal(error.value) == ("ResourceNotFoundException", message)


def test_what_is_no_arn_of_the_service(shop: Shop) -> None:
    with pytest.raises(ClientError) as error:
        shop.client.list_tags_for_resource(resourceArn="arn:aws:s3:::bucket")

    assert refusal(error.value)[0] in ("InvalidArnException", "ValidationException")


def test_custom_types_and_webhooks_have_tags_too(shop: Shop) -> None:
    shop.client.create_custom_action_type(
        category="Build",
        provider="Mill",
        version="1",
        inputArtifactDetails={"minimumCount": 0, "maximumCount": 1},
        outputArtifactDetails={"minimumCount": 0, "maximumCount": 1},
        tags=[{"key": "a", "value": "b"}],
    )
    arn = "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Build/Mill/1"

    assert tags(shop, arn) == [("a", "b")]
