"""ListRuleTypes: the rule types of the catalog in the service's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipesim.catalog import rule_types
from pipesim.catalog.rule_types import RuleType
from pipesim.vocabulary import ActionOwner, RuleCategory

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

MOST_INPUTS = 1


def list_rule_types(account: Account, parameters: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """ListRuleTypes: every rule type, all in one page."""
    owner = parameters.get("ruleOwnerFilter")
    shown = rule_types.RULE_TYPES if owner in (None, ActionOwner.AWS) else ()
    return {"ruleTypes": [_entry(known) for known in shown]}


def _entry(known: RuleType) -> dict[str, Any]:
    return {
        "id": {
            "category": RuleCategory.RULE.value,
            "owner": ActionOwner.AWS.value,
            "provider": known.provider,
            "version": "1",
        },
        "ruleConfigurationProperties": [
            {
                "name": each.name,
                "required": each.required,
                "key": each.key,
                "secret": each.secret,
                "queryable": each.queryable,
                **({"description": each.description} if each.description else {}),
            }
            for each in known.properties
        ],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": MOST_INPUTS},
    }
