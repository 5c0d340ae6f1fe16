"""Webhooks: put, listed, and called from outside."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipesim.errors import Refused
from tests.cloud.standin import StandIn, action, document, sourcing, standing_in

GITHUB = {
    "name": "Fetch",
    "actionTypeId": {"category": "Source", "owner": "ThirdParty", "provider": "GitHub", "version": "1"},
    "configuration": {
        "Owner": "shop",
        "Repo": "front",
        "Branch": "main",
        "OAuthToken": "****",
        "PollForSourceChanges": "false",
    },
    "outputArtifacts": [{"name": "Code"}],
}
PUSH = {"ref": "refs/heads/main", "after": "c0ffee1234", "repository": {"name": "front", "private": False}}
ON_MAIN = {"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}


@pytest.fixture
def account() -> Iterator[StandIn]:
    with standing_in() as account:
        account.create(document(action("Approval", "Manual"), source=GITHUB), {"Source/GitHub": sourcing({"a": "1"})})
        yield account


def webhook(name: str = "hook", **members: Any) -> dict[str, Any]:
    return {
        "name": name,
        "targetPipeline": "shop",
        "targetAction": "Fetch",
        "filters": [ON_MAIN],
        "authentication": "UNAUTHENTICATED",
        "authenticationConfiguration": {},
        **members,
    }


def put(account: StandIn, **members: Any) -> dict[str, Any]:
    return account.webhooks.put_webhook({"webhook": webhook(**members)})["webhook"]


def post(account: StandIn, item: dict[str, Any], payload: Any = PUSH, **members: Any) -> tuple[int, str]:
    token = item["url"].partition("t=")[2].partition("&")[0]
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return account.webhooks.receive(token, members.get("headers", {}), body, members.get("address", "192.0.2.7"))


def executions(account: StandIn) -> list[Any]:
    return list(account.pipelines["shop"].simulation.state.executions.values())


def refused(code: str, message: str = "") -> Any:
    return pytest.raises(Refused, match=f"^{code}: .*{message}")


def test_a_post_starts_the_pipeline(account: StandIn) -> None:
    item = put(account)

    status, _ = post(account, item)

    (execution,) = executions(account)
    assert status == 200
    assert execution.trigger_type == "Webhook"
    assert execution.trigger_detail == item["arn"] == "arn:aws:codepipeline:us-east-1:123456789012:webhook:hook"
    assert execution.change == "c0ffee1"
    (shown,) = account.webhooks.list_webhooks({})["webhooks"]
    assert shown["lastTriggered"] == account.now.timestamp()
    assert "errorCode" not in shown


@pytest.mark.parametrize(
    ("filters", "starts"),
    [
        ([], True),
        ([ON_MAIN], True),
        ([{"jsonPath": "$.ref", "matchEquals": "refs/heads/dev"}], False),
        ([ON_MAIN, {"jsonPath": "$.repository.name", "matchEquals": "{Repo}"}], True),
        ([ON_MAIN, {"jsonPath": "$.repository.name", "matchEquals": "back"}], False),
        ([{"jsonPath": "$.repository.private", "matchEquals": "false"}], True),
        ([{"jsonPath": "$.after"}], True),
        ([{"jsonPath": "$.before"}], False),
        ([{"jsonPath": "$.ref", "matchEquals": "{Nothing}"}], False),
    ],
)
def test_every_filter_must_match(account: StandIn, filters: list[dict[str, str]], starts: bool) -> None:
    status, _ = post(account, put(account, filters=filters))

    assert (status, len(executions(account))) == (200, int(starts))


@pytest.mark.parametrize("digest", ["sha256", "sha1"])
def test_github_signs_with_the_secret(account: StandIn, digest: str) -> None:
    secret = {"authentication": "GITHUB_HMAC", "authenticationConfiguration": {"SecretToken": "s3cret"}}
    item = put(account, **secret)
    body = json.dumps(PUSH).encode()
    header = {"sha256": "X-Hub-Signature-256", "sha1": "X-Hub-Signature"}[digest]
    good = f"{digest}={hmac.new(b's3cret', body, digest).hexdigest()}"

    assert post(account, item, body)[0] == 403
    assert post(account, item, body, headers={header: good[:-1] + "é"})[0] == 403
    assert post(account, item, body + b" ", headers={header: good})[0] == 403
    assert executions(account) == []
    assert account.webhooks.list_webhooks({})["webhooks"][0]["errorCode"] == "AuthenticationFailed"
    assert post(account, item, body, headers={header: good})[0] == 200
    assert len(executions(account)) == 1


def test_the_secret_is_never_shown(account: StandIn) -> None:
    secret = {"authentication": "GITHUB_HMAC", "authenticationConfiguration": {"SecretToken": "s3cret"}}

    assert put(account, **secret)["definition"]["authenticationConfiguration"] == {"SecretToken": "****"}
    assert "s3cret" not in json.dumps(account.webhooks.list_webhooks({}))


def test_only_addresses_of_the_range_are_heard(account: StandIn) -> None:
    allowed = {"authentication": "IP", "authenticationConfiguration": {"AllowedIPRange": "192.0.2.0/24"}}
    item = put(account, **allowed)

    assert post(account, item, address="198.51.100.1")[0] == 403
    assert post(account, item, address="192.0.2.255")[0] == 200


def test_requests_that_start_nothing(account: StandIn) -> None:
    item = put(account)

    assert post(account, item, b"{no")[0] == 400
    assert account.webhooks.receive("guess", {}, b"{}", "192.0.2.7")[0] == 404
    del account.pipelines["shop"]
    assert post(account, item)[0] == 404
    assert account.webhooks.list_webhooks({})["webhooks"][0]["errorCode"] == "PipelineNotFound"


def test_putting_again_replaces_the_definition_and_keeps_the_address(account: StandIn) -> None:
    first = put(account)

    second = put(account, filters=[])

    assert (second["url"], second["definition"]["filters"]) == (first["url"], [])
    assert len(account.webhooks.list_webhooks({})["webhooks"]) == 1


def test_pages_are_written_with_capitals(account: StandIn) -> None:
    for name in ("c", "a", "b"):
        put(account, name=name)

    first = account.webhooks.list_webhooks({"MaxResults": 2})
    second = account.webhooks.list_webhooks({"MaxResults": 2, "NextToken": first["NextToken"]})

    names = [item["definition"]["name"] for item in first["webhooks"] + second["webhooks"]]
    assert (names, "NextToken" in second) == (["a", "b", "c"], False)
    with refused("InvalidNextTokenException"):
        account.webhooks.list_webhooks({"NextToken": "zzz"})


def test_deleting_and_registering(account: StandIn) -> None:
    put(account)
    known = {"webhookName": "hook"}

    assert account.webhooks.register_webhook_with_third_party(known) == {}
    assert account.webhooks.deregister_webhook_with_third_party(known) == {}
    assert account.webhooks.delete_webhook({"name": "hook"}) == {}
    assert account.webhooks.delete_webhook({"name": "hook"}) == {}
    assert account.webhooks.list_webhooks({}) == {"webhooks": []}
    for call in (
        account.webhooks.register_webhook_with_third_party,
        account.webhooks.deregister_webhook_with_third_party,
    ):
        with refused("WebhookNotFoundException"):
            call(known)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"targetPipeline": "nope"}, "PipelineNotFoundException"),
        ({"targetAction": "Do"}, "ValidationException"),
        ({"filters": [{"jsonPath": "$.["}]}, "InvalidWebhookFilterPatternException"),
        ({"filters": [{"jsonPath": "not a path at all"}]}, "InvalidWebhookFilterPatternException"),
        ({"authentication": "GITHUB_HMAC"}, "InvalidWebhookAuthenticationParametersException"),
        (
            {"authentication": "IP", "authenticationConfiguration": {"AllowedIPRange": "everywhere"}},
            "InvalidWebhookAuthenticationParametersException",
        ),
        (
            {"authenticationConfiguration": {"SecretToken": "x"}},
            "InvalidWebhookAuthenticationParametersException",
        ),
    ],
)
def test_wrong_webhooks(account: StandIn, members: dict[str, Any], code: str) -> None:
    with refused(code):
        put(account, **members)
    assert account.webhooks.list_webhooks({}) == {"webhooks": []}
