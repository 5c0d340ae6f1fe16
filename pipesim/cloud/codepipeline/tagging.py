"""Tags of pipelines, custom action types and webhooks, by ARN."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipesim.cloud.codepipeline.exceptions import no_such_resource
from pipesim.cloud.codepipeline.paging import page
from pipesim.cloud.codepipeline.tags import read_tags, refuse_too_many
from pipesim.errors import Refused

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

ARN = re.compile(r"arn:aws(-[\w]+)*:codepipeline:[a-z0-9-]+:[0-9]{12}:.+")
PAGE = 100


def list_tags_for_resource(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """ListTagsForResource: the tags by key."""
    arn = parameters["resourceArn"]
    tags = _tags_of(account, arn)
    chosen, token = page(account, sorted(tags), parameters, scope=f"tags/{arn}", size=PAGE)
    answer: dict[str, Any] = {"tags": [{"key": key, "value": tags[key]} for key in chosen]}
    return answer if token is None else answer | {"nextToken": token}


def tag_resource(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """TagResource: add tags, or give known keys new values."""
    arn = parameters["resourceArn"]
    tags = _tags_of(account, arn)
    new = read_tags(parameters["tags"], arn=arn)
    refuse_too_many({**tags, **new}, arn=arn)
    tags.update(new)
    return {}


def untag_resource(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """UntagResource: take tags away; keys that are not there do no harm."""
    tags = _tags_of(account, parameters["resourceArn"])
    for key in parameters["tagKeys"]:
        tags.pop(key, None)
    return {}


def _tags_of(account: Account, arn: str) -> dict[str, str]:
    if not ARN.fullmatch(arn):
        raise Refused("InvalidArnException", f"'{arn}' is not the ARN of a CodePipeline resource")
    name = arn.split(":", 5)[5]
    if name.startswith("webhook:"):
        tags = account.webhooks.tags_of(arn)
    elif name.startswith("actiontype:"):
        tags = account.custom_types.tags_of(arn)
    else:
        tags = account.pipelines[name].tags if name in account.pipelines else None
    if tags is None:
        raise no_such_resource(account.id, arn.rpartition(":")[2])
    return tags
