"""Policy documents judged: identity policies, resource policies, trust policies and key policies.

moto keeps the documents and knows who calls; its own judge leaves out principals, resources and
conditions, which are what a lesson about permissions is about.
Source: AWS Identity and Access Management User Guide, "Policy evaluation logic" and
"IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any


class Answer(Enum):
    """What a policy says about a request: yes, no, or nothing."""

    ALLOW = "Allow"
    DENY = "Deny"
    SILENT = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that policies are asked about.

    Attributes:
        action: such as ``s3:PutObject``.
        resource: the ARN that it is about; empty when nobody knows, and then a statement about any resource counts
            for it, and one that denies some resource only does not count against it.
        principals: the names by which a resource policy may call the caller: ARNs, an account id, a service.
        context: condition keys and their values, such as ``aws:PrincipalAccount``.
    """

    action: str
    resource: str = ""
    principals: frozenset[str] = frozenset()
    context: Mapping[str, str] = field(default_factory=dict)


def judge(policy: str | Mapping[str, Any], request: Request) -> Answer:
    """Say what one policy document answers to a request.

    Args:
        policy: the document, as JSON text or parsed.
        request: who wants what of which resource.

    >>> judge('{"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}', Request("s3:GetObject"))
    <Answer.ALLOW: 'Allow'>
    """
    answer = Answer.SILENT
    for statement in statements(policy):
        if _concerns(statement, request):
            if statement.get("Effect") == Answer.DENY.value:
                return Answer.DENY
            answer = Answer.ALLOW
    return answer


def judge_all(policies: Iterable[str | Mapping[str, Any]], request: Request) -> Answer:
    """Say what several policies answer together: one denial outweighs all, else one permission is enough."""
    answers = {judge(policy, request) for policy in policies}
    return next((one for one in (Answer.DENY, Answer.ALLOW) if one in answers), Answer.SILENT)


def statements(policy: str | Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The statements of a policy document; none when the document cannot be read."""
    document = _parse(policy) if isinstance(policy, str) else policy
    found = document.get("Statement", ()) if isinstance(document, Mapping) else ()
    return tuple(one for one in _listed(found) if isinstance(one, Mapping))


def is_about_everyone(statement: Mapping[str, Any]) -> bool:
    """Whether a statement of a resource policy concerns every caller under every condition."""
    principal = statement.get("Principal")
    if isinstance(principal, Mapping):
        principal = principal.get("AWS")
    return not statement.get("Condition") and "*" in _listed(principal)


@lru_cache(maxsize=512)
def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


@lru_cache(maxsize=4096)
def _glob(pattern: str, *, any_case: bool = False) -> re.Pattern[str]:
    text = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if any_case else 0))


def _matches(patterns: Any, value: str, *, any_case: bool = False) -> bool:
    return any(_glob(str(one), any_case=any_case).fullmatch(value) for one in _listed(patterns))


def _concerns(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _about_action(statement, request.action)
        and _about_resource(statement, request.resource)
        and _about_principal(statement, request.principals)
        and all(
            _holds(operator, key, values, request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _about_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not _matches(statement["NotAction"], action, any_case=True)
    return _matches(statement.get("Action"), action, any_case=True)


def _about_resource(statement: Mapping[str, Any], resource: str) -> bool:
    if not resource:
        return statement.get("Effect") == Answer.ALLOW.value or "*" in _listed(statement.get("Resource", "*"))
    if "NotResource" in statement:
        return not _matches(statement["NotResource"], resource)
    return "Resource" not in statement or _matches(statement["Resource"], resource)


def _about_principal(statement: Mapping[str, Any], principals: frozenset[str]) -> bool:
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], principals)
    return "Principal" not in statement or _names(statement["Principal"], principals)


def _names(principal: Any, principals: frozenset[str]) -> bool:
    listed = [one for value in principal.values() for one in _listed(value)] if isinstance(principal, Mapping) else []
    return any(one == "*" or one in principals for one in listed or _listed(principal))


def _equals(actual: str, wanted: list[str]) -> bool:
    return actual in wanted


def _equals_in_any_case(actual: str, wanted: list[str]) -> bool:
    return actual.lower() in [one.lower() for one in wanted]


def _is_like(actual: str, wanted: list[str]) -> bool:
    return _matches(wanted, actual)


OPERATORS: dict[str, Callable[[str, list[str]], bool]] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_in_any_case,
    "StringLike": _is_like,
    "ArnEquals": _is_like,
    "ArnLike": _is_like,
    "Bool": _equals_in_any_case,
    "NumericEquals": _equals,
}
"""The condition operators that are judged, besides their ``Not`` twins, ``…IfExists`` and ``Null``."""


def _holds(operator: str, key: str, values: Any, context: Mapping[str, str]) -> bool:
    """Whether one condition holds; a condition with an operator that is not judged does not."""
    wanted = [str(value).lower() if isinstance(value, bool) else str(value) for value in _listed(values)]
    actual = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return str(actual is None).lower() in wanted
    lenient = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    negated = "Not" in operator
    test = OPERATORS.get(operator.replace("Not", "", 1))
    if test is None:
        return False
    if actual is None:
        return lenient or negated
    return test(actual, wanted) != negated
