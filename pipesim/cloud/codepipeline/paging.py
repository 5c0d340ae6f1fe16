"""Long lists in pages: tokens that nobody needs to understand."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

from pipesim.errors import Refused

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

T = TypeVar("T")


def page(
    account: Account, names: Sequence[str], parameters: Mapping[str, Any], *, scope: str, size: int
) -> tuple[Sequence[str], str | None]:
    """Return one page of a sorted list of names, and the token of the next; names that come or go do no harm.

    Args:
        account: whose list it is.
        names: sorted.
        parameters: ``nextToken`` and ``maxResults``.
        scope: which list it is: a token of another list is refused.
        size: entries of a page when the caller does not say.

    Raises:
        Refused: InvalidNextTokenException.
    """
    token = parameters.get("nextToken")
    after = None if token is None else _open(account, token, scope)
    rest = [name for name in names if after is None or name > after]
    chosen = rest[: parameters.get("maxResults") or size]
    return chosen, _seal(account, chosen[-1], scope) if len(chosen) < len(rest) else None


def newest_first(
    account: Account, rows: Sequence[T], parameters: Mapping[str, Any], *, scope: str, size: int = 100
) -> tuple[list[T], str | None]:
    """Return one page of a list that grows at its end, the newest entry first, and the token of the next page.

    Args:
        account: whose list it is.
        rows: the oldest first; what is added later does not shift the pages.
        parameters: ``nextToken`` and ``maxResults``.
        scope: which list it is: a token of another list is refused.
        size: entries of a page when the caller does not say.

    Raises:
        Refused: InvalidNextTokenException.
    """
    token = parameters.get("nextToken")
    end = len(rows) if token is None else int(_open(account, token, scope))
    if end > len(rows):
        raise _invalid(str(token))
    start = max(0, end - (parameters.get("maxResults") or size))
    chosen = [rows[place] for place in range(end - 1, start - 1, -1)]
    return chosen, _seal(account, str(start), scope) if start else None


def _seal(account: Account, place: str, scope: str) -> str:
    return urlsafe_b64encode(f"{_mark(account, place, scope)}{place}".encode()).decode()


def _open(account: Account, token: str, scope: str) -> str:
    try:
        text = urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise _invalid(token) from None
    mark, place = text[:MARK], text[MARK:]
    if mark != _mark(account, place, scope):
        raise _invalid(token)
    return place


MARK = 16


def _mark(account: Account, place: str, scope: str) -> str:
    text = f"{account.id}/{account.region}/{account.seed}/{scope}/{place}"
    return blake2b(text.encode(), digest_size=MARK // 2).hexdigest()


def _invalid(token: str) -> Refused:
    return Refused("InvalidNextTokenException", f"The next token '{token}' is not valid")
