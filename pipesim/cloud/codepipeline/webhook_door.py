"""What is posted to a webhook's address from this process arrives, too, when ``requests`` posts it.

moto answers for AWS's own addresses alone; a webhook's is none of them. Over HTTP the server takes such posts itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from moto.core.models import responses_mock
from responses import CallbackResponse

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

ADDRESS = re.compile(r"https://[a-z0-9-]+\.webhooks\.aws/trigger(\?.*)?")
HERE = "127.0.0.1"


@contextmanager
def answering(account: Account) -> Iterator[None]:
    """Let the webhooks of an account and its siblings answer while the block runs.

    Args:
        account: any account of the cloud.
    """

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        token = parse_qs(urlsplit(request.url).query).get("t", [""])[0]
        body = request.body or b""
        status, message = deliver(account, token, request.headers, body.encode() if isinstance(body, str) else body)
        return status, {"Content-Type": "application/json"}, json.dumps({"message": message})

    door = CallbackResponse(method="POST", url=ADDRESS, callback=answer)
    responses_mock.add(door)
    try:
        yield
    finally:
        responses_mock.remove(door)


def deliver(account: Account, token: str, headers: Any, body: bytes, address: str = HERE) -> tuple[int, str]:
    """Hand a request to the webhook that it is for, in whichever account of the cloud it is.

    Args:
        account: any account of the cloud.
        token: the unguessable part of the address.
        headers: of the request.
        body: the payload.
        address: where it comes from.

    Returns:
        The HTTP status and a sentence.
    """
    status, message = 404, "There is no webhook at this address"
    for each in list(account.family.values()):
        status, message = each.webhooks.receive(token, headers, body, address)
        if status != 404:
            each.settle()
            break
    return status, message
