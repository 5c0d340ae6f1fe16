"""The log of an action in the mocked account, as CloudWatch Logs keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.definition.model import Action

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

MOST_LINES = 2000

Facts = Mapping[str, Any]


def log_of(account: Account, pipeline: str, action: Action, facts: Facts) -> dict[str, Any]:
    """Return where an action's log stands and what it says.

    Args:
        account: where the pipeline lives.
        pipeline: its name.
        action: the action as it is declared.
        facts: what the film knows of its newest run (`pipesim.widgets.details.action_facts`).

    Returns:
        ``group``, ``stream`` and ``lines``; empty when the action writes no log, or has not yet.
    """
    region = action.region or account.region
    try:
        if action.provider == "CodeBuild" and facts.get("external"):
            build = account.client("codebuild", region).batch_get_builds(ids=[facts["external"]])["builds"][0]
            place = build["logs"]
            return _stream(account, region, place["groupName"], place["streamName"])
        if action.provider == "Lambda":
            said = {**action.configuration, **facts.get("configuration", {})}.get("FunctionName", "")
            name = said.split(":function:")[-1].split(":")[0]
            return _while_it_ran(account, region, f"/aws/lambda/{name}", facts)
        if action.provider == "Commands" and facts.get("id"):
            return _stream(account, region, f"/aws/codepipeline/{pipeline}", facts["id"])
    except (ClientError, LookupError):
        return {}
    return {}


def _stream(account: Account, region: str, group: str, stream: str) -> dict[str, Any]:
    logs = account.client("logs", region)
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, limit=MOST_LINES)
    return {"group": group, "stream": stream, "lines": [_line(event) for event in answer["events"]]}


def _while_it_ran(account: Account, region: str, group: str, facts: Facts) -> dict[str, Any]:
    """What was written to a group between an action's start and its end, from whichever stream."""
    begin = account.moment(facts["started"])
    end = account.moment(facts["ended"]) if "ended" in facts else account.now
    events = account.client("logs", region).filter_log_events(
        logGroupName=group,
        startTime=int(begin.timestamp() * 1000),
        endTime=int(end.timestamp() * 1000) + 1,
        limit=MOST_LINES,
    )["events"]
    streams = dict.fromkeys(event["logStreamName"] for event in events)
    return {"group": group, "stream": ", ".join(streams), "lines": [_line(event) for event in events]}


def _line(event: Mapping[str, Any]) -> str:
    moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return f"{moment:%H:%M:%S} {event['message']}".rstrip()
