"""Links to the console: templates of the action types, filled in.

Source: the service's own list of action types, whose templates hold ``{Region}``, ``{Config:Key}``
and ``{ExternalExecutionId}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipesim.catalog.action_types import find_action_type

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.definition.model import Action
    from pipesim.engine.action import ActionRun

PLACEHOLDER = re.compile(r"\{(?:Config:)?([^{}]+)\}")


def execution_url(account: Account, run: ActionRun, external_id: str) -> str:
    """Return where one run of an action can be looked at; empty when its type names no place.

    Args:
        account: where the action runs.
        run: the action execution.
        external_id: the id of the build, deployment, … that it stands for.
    """
    template = account.custom_types.execution_url(run.plan.action.type)
    if "{ExternalExecutionId}" in template and not external_id:
        return ""
    region = run.plan.action.region or account.region
    values = {
        **run.configuration,
        "Region": region,
        "Console": "https://console.aws.amazon.com",
        "ExternalExecutionId": external_id,
    }
    return fill(template, values)


def entity_url(account: Account, action: Action) -> str:
    """Return where the thing that an action works on can be looked at; empty when its type names no place.

    Args:
        account: where the action runs.
        action: as declared.
    """
    known = find_action_type(action.type.category, action.type.owner, action.type.provider, action.type.version)
    template = account.custom_types.entity_url(action.type) if known is None else known.entity_url
    return _complete(template, action, account)


def revision_url(account: Account, action: Action, revision: str) -> str:
    """Return where a source revision can be looked at; empty when the action's type names no place.

    Args:
        account: where the action runs.
        action: as declared.
        revision: such as a commit.
    """
    known = find_action_type(action.type.category, action.type.owner, action.type.provider, action.type.version)
    return "" if known is None else _complete(known.revision_url, action, account, RevisionId=revision)


def _complete(template: str, action: Action, account: Account, **values: str) -> str:
    region = action.region or account.region
    console = "https://console.aws.amazon.com"
    url = fill(template, {**action.configuration, "Region": region, "Console": console, **values})
    return "" if PLACEHOLDER.search(url) else url


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into a template; a placeholder without a value stays as it is.

    >>> fill("https://ci.example/job/{Config:ProjectName}/{ExternalExecutionId}", {"ProjectName": "shop"})
    'https://ci.example/job/shop/{ExternalExecutionId}'
    """
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
