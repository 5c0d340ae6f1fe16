"""The rules of stage conditions: what each looks at, and when it is met.

Source: CodePipeline User Guide, "Rule structure reference".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import simpy

from pipesim.definition.variables import resolve
from pipesim.engine.cron import Cron
from pipesim.engine.outcome import SUCCEEDED, Outcome
from pipesim.errors import DeclarationError
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.engine.gate import Gate
    from pipesim.engine.plan import RulePlan


def judge_rule(gate: Gate, plan: RulePlan) -> Generator[simpy.Event, Any, Outcome]:
    """Carry one rule out and return whether it is met."""
    provider = plan.rule.type.provider
    if provider == "VariableCheck":
        return _check_variable(gate, plan)
    if provider == "DeploymentWindow":
        return (yield from _wait_for_window(gate, plan))
    return (yield from _take_a_while(gate, plan))


def _take_a_while(gate: Gate, plan: RulePlan) -> Generator[simpy.Event, Any, Outcome]:
    """A rule that asks another service: as long and as well as is assumed."""
    sim, execution = gate.sim, gate.passage.execution
    ordinal = sim.count_run(f"rule {plan.key}")
    index, attempt = execution.index, execution.lot + execution.attempt
    fails = ordinal in plan.assumption.fails_on or (
        plan.odds is not None and plan.odds.draw(index, attempt) < plan.assumption.fails
    )
    duration = plan.duration.draw(index, attempt)
    yield sim.env.timeout(min(duration, plan.timeout))
    if duration > plan.timeout:
        return Outcome.failed(f"Rule '{plan.rule.name}' did not end within its limit of {plan.timeout:g} s.")
    if fails:
        return Outcome.failed(f"Rule '{plan.rule.name}' was not met, as assumed.")
    return SUCCEEDED


def _contains(actual: str, wanted: str) -> bool:
    return wanted in actual


def _matches(actual: str, wanted: str) -> bool:
    return re.search(wanted, actual) is not None


COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "EQ": str.__eq__,
    "NE": str.__ne__,
    "CONTAINS": _contains,
    "MATCHES": _matches,
}


def _check_variable(gate: Gate, plan: RulePlan) -> Outcome:
    """Compare the value of a variable with a given one, at once."""
    configuration = plan.rule.configuration
    try:
        actual, wanted = (resolve(configuration[key], gate.passage.execution.lookup) for key in ("Variable", "Value"))
    except KeyError as missing:
        return Outcome.failed(
            f"Rule '{plan.rule.name}': #{{{missing.args[0]}}} has no value in this execution.",
            FailureType.CONFIGURATION_ERROR,
        )
    operator = configuration.get("Operator", "EQ")
    try:
        met = COMPARISONS[operator](actual, wanted)
    except KeyError:
        return Outcome.failed(
            f"Rule '{plan.rule.name}': unknown operator '{operator}' (must be one of {', '.join(COMPARISONS)}).",
            FailureType.CONFIGURATION_ERROR,
        )
    except re.error as broken:
        return Outcome.failed(
            f"Rule '{plan.rule.name}': '{wanted}' is no regular expression ({broken}).", FailureType.CONFIGURATION_ERROR
        )
    if met:
        return Outcome(summary=f"{actual} {operator} {wanted}")
    return Outcome.failed(f"Rule '{plan.rule.name}': '{actual}' {operator} '{wanted}' does not hold.")


def _wait_for_window(gate: Gate, plan: RulePlan) -> Generator[simpy.Event, Any, Outcome]:
    """Wait until the deployment window opens, no longer than the rule's limit."""
    configuration = plan.rule.configuration
    try:
        window = Cron(configuration["Cron"], configuration.get("TimeZone", "UTC"))
    except DeclarationError as broken:
        return Outcome.failed(f"Rule '{plan.rule.name}': {broken}", FailureType.CONFIGURATION_ERROR)
    delay = window.seconds_until_open(gate.sim.clock, plan.timeout)
    if delay is None:
        yield gate.sim.env.timeout(plan.timeout)
        return Outcome.failed(f"Rule '{plan.rule.name}': the deployment window did not open within {plan.timeout:g} s.")
    yield gate.sim.env.timeout(delay)
    return SUCCEEDED
