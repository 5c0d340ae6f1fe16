"""Webhooks of version 1: a POST to their address starts a pipeline.

Source: API reference, PutWebhook, WebhookDefinition, WebhookFilterRule, WebhookAuthConfiguration,
ListWebhooks; CodePipeline User Guide, "Use webhooks to start a pipeline (GitHub version 1)".
What the address answers to a request that it does not accept is not published: here 403 when it
is not authentic, 400 when it is no JSON, and 200 when the filters let it pass by unheard.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse

from pipesim.catalog.limits import WEBHOOKS
from pipesim.cloud.codepipeline.links import fill
from pipesim.cloud.codepipeline.tags import read_tags, write_tags
from pipesim.definition.model import Action
from pipesim.engine.commands import Start
from pipesim.errors import Refused
from pipesim.vocabulary import ActionCategory, TriggerType, WebhookAuthenticationType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

REDACTED = "****"
PAGE = 100


@dataclass(slots=True)
class Webhook:
    """One webhook.

    Attributes:
        definition: as it was put, its secret included.
        arn: its name in the whole of AWS.
        token: the unguessable part of its address.
        tags: its tags.
        last_triggered: when it last started the pipeline; None: never.
        error: code and sentence of what went wrong last; None: nothing.
        registered: whether the third party was told to call it.
    """

    definition: dict[str, Any]
    arn: str
    token: str
    tags: dict[str, str] = field(default_factory=dict)
    last_triggered: datetime | None = None
    error: tuple[str, str] | None = None
    registered: bool = False


class Webhooks:
    """The webhooks of one account and region.

    Args:
        account: whose webhooks they are.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._webhooks: dict[str, Webhook] = {}

    # --- operations ------------------------------------------------------------------------------

    def put_webhook(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """PutWebhook: make a webhook, or replace the definition of the one with this name."""
        definition = dict(parameters["webhook"])
        tags = read_tags(parameters.get("tags"))
        self._refuse_wrong(definition)
        name = definition["name"]
        known = self._webhooks.get(name)
        if known is None:
            if len(self._webhooks) >= WEBHOOKS:
                raise Refused(
                    "LimitExceededException", f"The account has {WEBHOOKS} webhooks; more than that are not allowed"
                )
            arn = f"arn:aws:codepipeline:{self._account.region}:{self._account.id}:webhook:{name}"
            token = blake2b(f"{arn}/{self._account.now.isoformat()}".encode(), digest_size=24).hexdigest()
            known = self._webhooks[name] = Webhook(definition, arn, token)
        known.definition = definition
        known.tags.update(tags)
        return {"webhook": self._show(known)}

    def delete_webhook(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteWebhook: take a webhook away; without effect when there is none."""
        self._webhooks.pop(parameters["name"], None)
        return {}

    def list_webhooks(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """ListWebhooks: all webhooks by name; its paging members are written with capitals."""
        shown = [self._show(self._webhooks[name]) for name in sorted(self._webhooks)]
        size = parameters.get("MaxResults") or PAGE
        token = parameters.get("NextToken")
        names = [item["definition"]["name"] for item in shown]
        if token is not None and token not in names:
            raise Refused("InvalidNextTokenException", f"The next token '{token}' is not valid")
        first = 0 if token is None else names.index(token)
        answer: dict[str, Any] = {"webhooks": shown[first : first + size]}
        if first + size < len(shown):
            answer["NextToken"] = names[first + size]
        return answer

    def register_webhook_with_third_party(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """RegisterWebhookWithThirdParty: from now on the third party calls the address."""
        self._find(parameters).registered = True
        return {}

    def deregister_webhook_with_third_party(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """DeregisterWebhookWithThirdParty: the third party calls the address no more."""
        self._find(parameters).registered = False
        return {}

    # --- what the other rooms ask ----------------------------------------------------------------

    def receive(self, token: str, headers: Mapping[str, str], body: bytes, address: str) -> tuple[int, str]:
        """Take a POST to a webhook's address: start the pipeline if it is authentic and every filter matches.

        Args:
            token: the unguessable part of the address.
            headers: of the request, whatever their case.
            body: the payload, JSON.
            address: where the request comes from.

        Returns:
            The HTTP status and a sentence.
        """
        with self._account.lock:
            webhook = next((each for each in self._webhooks.values() if each.token == token), None)
            if webhook is None:
                return 404, "There is no webhook at this address"
            if not _is_authentic(webhook.definition, headers, body, address):
                webhook.error = ("AuthenticationFailed", "The request was not authentic")
                return 403, webhook.error[1]
            try:
                payload = json.loads(body)
            except ValueError:
                webhook.error = ("InvalidPayload", "The body of the request is not JSON")
                return 400, webhook.error[1]
            return self._start(webhook, payload)

    def url_of(self, webhook: Webhook) -> str:
        """Return the address of a webhook: on the server's own port when the account is served over HTTP."""
        endpoint = self._account.endpoint
        if endpoint:
            return f"{endpoint}/moto-api/pipesim/webhooks/{webhook.token}"
        return f"https://{self._account.region}.webhooks.aws/trigger?t={webhook.token}&v=1"

    def registered_for(self, repository: str) -> list[Webhook]:
        """Return the webhooks that GitHub calls when somebody pushes to a repository.

        Args:
            repository: ``owner/name``.
        """
        found = []
        for webhook in self._webhooks.values():
            action = self._target(webhook.definition)
            if webhook.registered and action is not None and action.provider == "GitHub":
                given = action.configuration
                if f"{given.get('Owner')}/{given.get('Repo')}" == repository:
                    found.append(webhook)
        return found

    def tags_of(self, arn: str) -> dict[str, str] | None:
        """Return the tags of the webhook with this ARN, to read and to change; None when there is none."""
        return next((webhook.tags for webhook in self._webhooks.values() if webhook.arn == arn), None)

    # --- inside ----------------------------------------------------------------------------------

    def _start(self, webhook: Webhook, payload: Any) -> tuple[int, str]:
        action = self._target(webhook.definition)
        if action is None:
            name = webhook.definition["targetPipeline"]
            webhook.error = ("PipelineNotFound", f"The pipeline '{name}' or its source action does not exist")
            return 404, webhook.error[1]
        if not all(_matches(rule, payload, action) for rule in webhook.definition["filters"]):
            return 200, "The filters of the webhook do not let this request through"
        commit = payload.get("after") if isinstance(payload, dict) else None
        command = Start(
            change=commit[:7] if isinstance(commit, str) and commit else None,
            trigger_type=TriggerType.WEBHOOK.value,
            trigger_detail=webhook.arn,
        )
        try:
            execution = self._account.pipelines[webhook.definition["targetPipeline"]].simulation.send(command)
        except Refused as refused:
            webhook.error = (refused.code, refused.message)
            return 400, refused.message
        webhook.last_triggered = self._account.now
        webhook.error = None
        return 200, f"Started pipeline execution {execution}"

    def _target(self, definition: Mapping[str, Any]) -> Action | None:
        record = self._account.pipelines.get(definition["targetPipeline"])
        if record is None:
            return None
        stage = record.simulation.plan.pipeline.stages[0]
        return next((each for each in stage.actions if each.name == definition["targetAction"]), None)

    def _find(self, parameters: Mapping[str, Any]) -> Webhook:
        name = parameters.get("webhookName")
        if name not in self._webhooks:
            raise Refused("WebhookNotFoundException", f"The webhook '{name}' cannot be found")
        return self._webhooks[name]

    def _refuse_wrong(self, definition: Mapping[str, Any]) -> None:
        pipeline = definition["targetPipeline"]
        if pipeline not in self._account.pipelines:
            raise Refused(
                "PipelineNotFoundException",
                f"Account '{self._account.id}' does not have a pipeline with name '{pipeline}'",
            )
        action = self._target(definition)
        if action is None or action.category != ActionCategory.SOURCE:
            raise Refused(
                "ValidationException",
                f"'{definition['targetAction']}' is no source action in the first stage of pipeline '{pipeline}'",
            )
        for rule in definition["filters"]:
            _parse(rule["jsonPath"])
        _refuse_wrong_authentication(definition["authentication"], definition["authenticationConfiguration"])

    def _show(self, webhook: Webhook) -> dict[str, Any]:
        definition = dict(webhook.definition)
        secrets = dict(definition["authenticationConfiguration"])
        if "SecretToken" in secrets:
            secrets["SecretToken"] = REDACTED
        definition["authenticationConfiguration"] = secrets
        item: dict[str, Any] = {"definition": definition, "url": self.url_of(webhook), "arn": webhook.arn}
        if webhook.error is not None:
            item["errorCode"], item["errorMessage"] = webhook.error
        if webhook.last_triggered is not None:
            item["lastTriggered"] = webhook.last_triggered.timestamp()
        if webhook.tags:
            item["tags"] = write_tags(webhook.tags)
        return item


def _refuse_wrong_authentication(kind: str, configuration: Mapping[str, str]) -> None:
    """Exactly the property that the kind needs: a secret, a range of addresses, or none."""
    needed = {
        WebhookAuthenticationType.GITHUB_HMAC: {"SecretToken"},
        WebhookAuthenticationType.IP: {"AllowedIPRange"},
        WebhookAuthenticationType.UNAUTHENTICATED: set[str](),
    }[WebhookAuthenticationType(kind)]
    if set(configuration) != needed:
        raise Refused(
            "InvalidWebhookAuthenticationParametersException",
            f"Authentication {kind} takes {' and '.join(needed) or 'no property'};"
            f" given: {', '.join(sorted(configuration)) or 'none'}",
        )
    if "AllowedIPRange" in configuration:
        try:
            ip_network(configuration["AllowedIPRange"])
        except ValueError as error:
            raise Refused(
                "InvalidWebhookAuthenticationParametersException", f"AllowedIPRange is no CIDR range: {error}"
            ) from None


def _is_authentic(definition: Mapping[str, Any], headers: Mapping[str, str], body: bytes, address: str) -> bool:
    kind, configuration = definition["authentication"], definition["authenticationConfiguration"]
    if kind == WebhookAuthenticationType.IP:
        return ip_address(address) in ip_network(configuration["AllowedIPRange"])
    if kind == WebhookAuthenticationType.UNAUTHENTICATED:
        return True
    given = {name.lower(): value for name, value in headers.items()}
    secret = configuration["SecretToken"].encode()
    for header, digest in (("x-hub-signature-256", "sha256"), ("x-hub-signature", "sha1")):
        if header in given:
            wanted = f"{digest}={hmac.new(secret, body, digest).hexdigest()}"
            return hmac.compare_digest(wanted.encode(), given[header].encode())
    return False


def _matches(rule: Mapping[str, str], payload: Any, action: Action) -> bool:
    found = [_text(match.value) for match in _parse(rule["jsonPath"]).find(payload)]
    wanted = rule.get("matchEquals")
    if wanted is None:
        return bool(found)
    return fill(wanted, action.configuration) in found


def _parse(path: str) -> Any:
    try:
        return parse(path)
    except (JSONPathError, ValueError, AttributeError, TypeError) as error:
        raise Refused(
            "InvalidWebhookFilterPatternException", f"The filter '{path}' is no JSONPath expression: {error}"
        ) from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
