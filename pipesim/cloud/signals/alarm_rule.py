"""The CloudWatchAlarm rule of a stage condition: it watches an alarm of the mocked account.

Source: AWS CodePipeline User Guide, "CloudWatchAlarm" in the rule structure reference.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from botocore.exceptions import ClientError

from pipesim.cloud import permissions
from pipesim.engine.behaviours.rules import judge_rule
from pipesim.engine.outcome import Outcome
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.gate import Gate
    from pipesim.engine.plan import RulePlan

LOOK_EVERY = 60.0


def judge(account: Account, gate: Gate, plan: RulePlan) -> Generator[simpy.Event, Any, Outcome]:
    """Watch the alarm for as long as the rule says; it must stay out of the states that are named."""
    outcome = yield from judge_rule(gate, plan)
    if outcome.failure is not None:
        return outcome
    rule, pipeline = plan.rule, gate.passage.execution.plan.pipeline
    configuration = rule.configuration
    name = configuration["AlarmName"]
    states = {one.strip() for one in configuration.get("AlarmStates", "ALARM").split(",")}
    end = account.env.now + float(configuration.get("WaitTime") or 0) * LOOK_EVERY
    while True:
        try:
            session = permissions.role_session(account, pipeline.role_arn, rule.role_arn, pipeline.name)
            region = rule.region or account.region
            cloudwatch = permissions.client(account, session, "cloudwatch", region)
            alarms = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        except ClientError as error:
            message = error.response.get("Error", {}).get("Message", str(error))
            return Outcome.failed(f"Rule '{rule.name}': {message}", FailureType.PERMISSION_ERROR)
        found = [*alarms.get("MetricAlarms", ()), *alarms.get("CompositeAlarms", ())]
        if not found:
            return Outcome.failed(f"Rule '{rule.name}': alarm {name} does not exist.", FailureType.CONFIGURATION_ERROR)
        if found[0]["StateValue"] in states:
            return Outcome.failed(f"Rule '{rule.name}': alarm {name} is in state {found[0]['StateValue']}.")
        if account.env.now >= end:
            return Outcome(summary=f"alarm {name} is in state {found[0]['StateValue']}")
        yield account.env.timeout(min(LOOK_EVERY, end - account.env.now))
