"""Action types: what an account sees, makes, deletes and updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.definition.document import parse_document
from pipesim.errors import Refused
from tests.cloud.standin import StandIn, action, document, standing_in


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        yield account


def definition(version: str = "1", **members: Any) -> dict[str, Any]:
    return {
        "category": "Build",
        "provider": "Hudson",
        "version": version,
        "configurationProperties": [
            {"name": "ProjectName", "required": True, "key": True, "secret": False, "queryable": True},
            {"name": "Token", "required": False, "key": False, "secret": True},
        ],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        **members,
    }


def refused(code: str, message: str = "") -> Any:
    return pytest.raises(Refused, match=f"^{code}: .*{message}")


def test_a_created_type_is_listed(account: StandIn) -> None:
    types = account.custom_types
    made = types.create_custom_action_type({**definition(), "tags": [{"key": "team", "value": "shop"}]})

    entry = made["actionType"]
    assert entry["id"] == {"category": "Build", "owner": "Custom", "provider": "Hudson", "version": "1"}
    assert entry["settings"] == {}
    assert made["tags"] == [{"key": "team", "value": "shop"}]
    assert types.list_action_types({"actionOwnerFilter": "Custom"}) == {"actionTypes": [entry]}
    assert entry in types.list_action_types({})["actionTypes"]
    arn = "arn:aws:codepipeline:us-east-1:123456789012:actiontype:Custom/Build/Hudson/1"
    assert types.tags_of(arn) == {"team": "shop"}
    assert types.tags_of(arn[:-1] + "2") is None


def test_the_list_holds_the_services_own_types(account: StandIn) -> None:
    own = account.custom_types.list_action_types({"actionOwnerFilter": "AWS"})["actionTypes"]

    ids = {tuple(entry["id"].values()) for entry in own}
    assert len(ids) == len(own) >= 28
    s3 = next(e for e in own if e["id"]["category"] == "Source" and e["id"]["provider"] == "S3")
    assert s3 == {
        "id": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "settings": {"entityUrlTemplate": "https://console.aws.amazon.com/s3/home?region=us-east-1#"},
        "actionConfigurationProperties": s3["actionConfigurationProperties"],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 0},
        "outputArtifactDetails": {"minimumCount": 1, "maximumCount": 1},
    }
    assert s3["actionConfigurationProperties"][0] == {
        "name": "S3Bucket",
        "required": True,
        "key": True,
        "secret": False,
        "queryable": False,
        "description": s3["actionConfigurationProperties"][0]["description"],
    }
    assert not {e["id"]["owner"] for e in account.custom_types.list_action_types({})["actionTypes"]} & {"Custom"}
    with refused("InvalidNextTokenException"):
        account.custom_types.list_action_types({"nextToken": "x"})


def test_deleting_marks_and_only_the_same_definition_restores(account: StandIn) -> None:
    types = account.custom_types
    types.create_custom_action_type(definition())
    known = {"category": "Build", "provider": "Hudson", "version": "1"}

    assert types.delete_custom_action_type(known) == {}
    assert types.delete_custom_action_type(known) == {}
    assert types.delete_custom_action_type({**known, "provider": "Nobody"}) == {}
    assert types.list_action_types({"actionOwnerFilter": "Custom"})["actionTypes"] == []
    changed = definition(inputArtifactDetails={"minimumCount": 0, "maximumCount": 4})
    with refused("ActionTypeAlreadyExistsException", "already exists with a different definition"):
        types.create_custom_action_type(changed)
    types.create_custom_action_type(definition())
    types.create_custom_action_type({**changed, "version": "2"})
    versions = [e["id"]["version"] for e in types.list_action_types({"actionOwnerFilter": "Custom"})["actionTypes"]]
    assert versions == ["1", "2"]


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        (
            {"outputArtifactDetails": {"minimumCount": 3, "maximumCount": 1}},
            "ValidationException",
            r"Maximum Number of Artifacts \(1\) has to be greater than or equal to minimum \(3\)\.",
        ),
        ({"category": "Approval"}, "ValidationException", "Approval"),
        (
            {
                "configurationProperties": [
                    {"name": n, "required": True, "key": True, "secret": False, "queryable": True} for n in ("A", "B")
                ]
            },
            "ValidationException",
            "At most one",
        ),
        (
            {
                "configurationProperties": [
                    {"name": "A", "required": False, "key": True, "secret": False, "queryable": True}
                ]
            },
            "ValidationException",
            "must be required",
        ),
        (
            {
                "configurationProperties": [
                    {"name": "A", "required": True, "key": True, "secret": True, "queryable": True}
                ]
            },
            "ValidationException",
            "must not be secret",
        ),
        (
            {"configurationProperties": [{"name": "A", "required": True, "key": True, "secret": False}] * 2},
            "ValidationException",
            "unique",
        ),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidTagsException", "system tags"),
        ({"tags": [{"key": "x", "value": ""}] * 2}, "InvalidTagsException", "twice"),
        ({"tags": [{"key": str(i), "value": ""} for i in range(51)]}, "TooManyTagsException", "Tag limit exceeded"),
    ],
)
def test_wrong_definitions(account: StandIn, members: dict[str, Any], code: str, message: str) -> None:
    with refused(code, message):
        account.custom_types.create_custom_action_type({**definition(), **members})
    assert account.custom_types.list_action_types({"actionOwnerFilter": "Custom"})["actionTypes"] == []


def test_fifty_types_are_enough(account: StandIn) -> None:
    for version in range(50):
        account.custom_types.create_custom_action_type(definition(str(version)))

    with refused("LimitExceededException", "50"):
        account.custom_types.create_custom_action_type(definition("51"))
    account.custom_types.create_custom_action_type(definition("1"))


def test_pipelines_use_types_that_exist(account: StandIn) -> None:
    build = action("Build", "Hudson", "Custom", configuration={"ProjectName": "shop"})
    pipeline = parse_document(document(build))

    with refused(
        "InvalidActionDeclarationException",
        r"ActionType \(Category: 'Build', Provider: 'Hudson', Owner: 'Custom', Version: '1'\) in action 'Do' is not"
        " available in region 'US_EAST_1'",
    ):
        account.custom_types.refuse_unavailable(pipeline)
    account.custom_types.create_custom_action_type(definition())
    account.custom_types.refuse_unavailable(pipeline)
    with refused("InvalidActionDeclarationException", "missing required configuration 'ProjectName'"):
        account.custom_types.refuse_unavailable(parse_document(document({**build, "configuration": {}})))
    with refused("InvalidActionDeclarationException", "unknown configuration 'Colour'"):
        wrong = {**build, "configuration": {"ProjectName": "a", "Colour": "red"}}
        account.custom_types.refuse_unavailable(parse_document(document(wrong)))


PARTNER = {"category": "Test", "owner": "ThirdParty", "provider": "GhostInspector", "version": "1"}


def test_a_partners_type_is_described_and_updated(account: StandIn) -> None:
    types = account.custom_types
    before = types.get_action_type(PARTNER)["actionType"]
    assert before["executor"]["type"] == "JobWorker"

    after = {
        **before,
        "description": "faster",
        "executor": {**before["executor"], "jobTimeout": 120},
        "urls": {"configurationUrl": "https://ghost.example"},
    }
    assert types.update_action_type({"actionType": after}) == {}

    assert types.get_action_type(PARTNER)["actionType"] == after
    assert types.job_timeout(tuple(PARTNER.values())) == 120
    shown = [e for e in types.list_action_types({})["actionTypes"] if e["id"] == PARTNER]
    assert [e["settings"] for e in shown] == [{"thirdPartyConfigurationUrl": "https://ghost.example"}]
    assert {p["name"] for p in shown[0]["actionConfigurationProperties"]} == {p["name"] for p in before["properties"]}


def test_types_that_cannot_be_described_or_updated(account: StandIn) -> None:
    types = account.custom_types
    aws = {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"}
    declaration = types.get_action_type(PARTNER)["actionType"]

    with refused("ActionTypeNotFoundException"):
        types.get_action_type(aws)
    with refused("ActionTypeNotFoundException"):
        types.get_action_type({**PARTNER, "provider": "Nobody"})
    with refused("ValidationException", "AWS|ThirdParty"):
        types.get_action_type({**PARTNER, "owner": "Custom"})
    with refused("ActionTypeNotFoundException"):
        types.update_action_type({"actionType": {**declaration, "id": {**PARTNER, "version": "7"}}})
    with refused("RequestFailedException"):
        types.update_action_type({"actionType": {**declaration, "id": aws}})
    with refused("ValidationException", "lambdaExecutorConfiguration"):
        executor = {"type": "Lambda", "configuration": {"jobWorkerExecutorConfiguration": {}}}
        types.update_action_type({"actionType": {**declaration, "executor": executor}})
