"""Tags as the API writes them, a list of pairs, and as this project keeps them, a mapping.

Source: API reference, TagResource: at most 50 tags, no key twice, none that begins with ``aws:``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipesim.errors import Refused

MAX_TAGS = 50


def read_tags(given: Iterable[Mapping[str, str]] | None, *, arn: str = "") -> dict[str, str]:
    """Return tags by key.

    Args:
        given: pairs with ``key`` and ``value``; None: none.
        arn: of the resource, for the refusal.

    Raises:
        Refused: a key is reserved or given twice, or there are too many.

    >>> read_tags([{"key": "team", "value": "shop"}])
    {'team': 'shop'}
    """
    tags: dict[str, str] = {}
    for tag in given or ():
        key = tag["key"]
        if key.lower().startswith("aws:"):
            raise Refused(
                "InvalidTagsException",
                "Not allowed to modify system tags. System tags start with 'aws:'. msg=[Caller is an end user and not"
                " allowed to mutate system tags]",
            )
        if key in tags:
            raise Refused("InvalidTagsException", f"The tag key '{key}' is given twice")
        tags[key] = tag["value"]
    refuse_too_many(tags, arn=arn)
    return tags


def write_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as the API shows them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def refuse_too_many(tags: Mapping[str, str], *, arn: str = "") -> None:
    """Raise TooManyTagsException when a resource would have more tags than the service allows."""
    if len(tags) > MAX_TAGS:
        raise Refused("TooManyTagsException", f"Tag limit exceeded for resource [{arn}].")
