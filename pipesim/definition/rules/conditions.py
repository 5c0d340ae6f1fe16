"""Rules about stage conditions: allowed results, complete rules, nothing that contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator

from pipesim.catalog import rule_types
from pipesim.catalog.rule_types import find_rule_type
from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean
from pipesim.definition.rules.actions import COMMANDS
from pipesim.definition.rules.subject import BEFORE_ENTRY, ON_FAILURE, ON_SUCCESS, Subject
from pipesim.definition.rules.table import OBSERVED, STAGE, Found, rule
from pipesim.vocabulary import ExecutionMode, Result

GUIDE = "user guide page stage-conditions"

RESULTS = {
    BEFORE_ENTRY: (Result.FAIL, Result.SKIP),
    ON_SUCCESS: (Result.FAIL, Result.ROLLBACK),
    ON_FAILURE: (Result.ROLLBACK,),
}
"""Which results a condition may have at each gate."""

PLAIN_FAILURE_RESULTS = (Result.ROLLBACK, Result.RETRY)
"""What a stage may do on failure without a condition."""


@rule(
    "on-failure-result-and-conditions",
    "onFailure has a result or conditions, not both.",
    code=STAGE,
    wording="service",
    source=OBSERVED,
)
def on_failure_result_and_conditions(subject: Subject) -> Iterator[Found]:
    """Find failure gates with both."""
    for placed in subject.stages:
        failure = placed.stage.on_failure
        if failure is not None and failure.result is not None and failure.conditions:
            yield Found(
                join(placed.path, "onFailure"),
                "The following stage cannot have a failure exit gate configured with both top level result and "
                f"conditions: '{placed.stage.name}'",
                "keep one of the two",
            )


@rule(
    "on-failure-empty",
    "onFailure says what happens: a result or conditions.",
    code=STAGE,
    wording="ours",
    source=f"FailureConditions in botocore's CodePipeline model; {GUIDE}",
)
def on_failure_empty(subject: Subject) -> Iterator[Found]:
    """Find failure gates with neither."""
    for placed in subject.stages:
        failure = placed.stage.on_failure
        if failure is not None and failure.result is None and not failure.conditions:
            yield Found(
                join(placed.path, "onFailure"),
                f"The failure exit gate of stage '{placed.stage.name}' has neither a result nor conditions",
                'for example "onFailure": {"result": "ROLLBACK"}',
            )


@rule(
    "on-failure-result",
    "Without a condition a failed stage rolls back or retries.",
    code=STAGE,
    wording="ours",
    source=f"{GUIDE}; user guide pages stage-rollback and stage-retry",
)
def on_failure_result(subject: Subject) -> Iterator[Found]:
    """Find plain results that a failure gate cannot have."""
    for placed in subject.stages:
        failure = placed.stage.on_failure
        if failure is not None and failure.result is not None and failure.result not in PLAIN_FAILURE_RESULTS:
            yield Found(
                join(placed.path, "onFailure", "result"),
                f"The failure exit gate of stage '{placed.stage.name}' cannot have the result {failure.result}",
                f"allowed are {_words(PLAIN_FAILURE_RESULTS)}",
            )


@rule(
    "retry-mode-without-retry",
    "A retry configuration goes with the result RETRY.",
    code=STAGE,
    wording="ours",
    source="user guide page stage-retry",
)
def retry_mode_without_retry(subject: Subject) -> Iterator[Found]:
    """Find retry configurations beside another result."""
    for placed in subject.stages:
        failure = placed.stage.on_failure
        if failure is None or failure.retry_mode is None or failure.result == Result.RETRY:
            continue
        if failure.result is not None or failure.conditions:
            yield Found(
                join(placed.path, "onFailure", "retryConfiguration"),
                f"The failure exit gate of stage '{placed.stage.name}' configures a retry without the result RETRY",
                "set the result to RETRY or leave the retry configuration out",
            )


@rule(
    "condition-result",
    "A condition's result is one that its gate allows.",
    code=STAGE,
    wording="ours",
    source=GUIDE,
)
def condition_result(subject: Subject) -> Iterator[Found]:
    """Find conditions with a result that their gate does not know."""
    for placed in subject.conditions:
        result = placed.condition.result
        if result is not None and result not in RESULTS[placed.gate]:
            yield Found(
                join(placed.path, "result"),
                f"A {placed.gate} condition cannot have the result {result}: stage '{placed.stage.name}'",
                f"allowed are {_words(RESULTS[placed.gate])}",
            )


@rule(
    "skip-rule",
    "A condition that skips its stage uses only the rules LambdaInvoke and VariableCheck.",
    code=STAGE,
    wording="ours",
    source=GUIDE,
)
def skip_rule(subject: Subject) -> Iterator[Found]:
    """Find rules that cannot skip a stage in conditions that would."""
    for placed in subject.rules:
        skips = placed.of.gate == BEFORE_ENTRY and placed.of.condition.result == Result.SKIP
        provider = placed.rule.type.provider
        type_ = find_rule_type(provider)
        if skips and type_ is not None and not type_.skips:
            able = " and ".join(known.provider for known in rule_types.RULE_TYPES if known.skips)
            yield Found(
                join(placed.path, "ruleTypeId"),
                f"The rule {provider} cannot be used with the result SKIP: stage '{placed.of.stage.name}'",
                f"rules that can skip are {able}",
            )


@rule(
    "condition-without-rules",
    "A condition has one rule at least.",
    code=STAGE,
    wording="ours",
    source="user guide page limits",
)
def condition_without_rules(subject: Subject) -> Iterator[Found]:
    """Find conditions without rules."""
    for placed in subject.conditions:
        if not placed.condition.rules:
            yield Found(
                join(placed.path, "rules"),
                f"The {placed.gate} condition of stage '{placed.stage.name}' has no rules",
                "a condition has 1 to 5 rules",
            )


@rule(
    "unknown-rule-type",
    "A rule's provider is one of the service's rules.",
    code=STAGE,
    wording="ours",
    source="user guide page rule-reference",
)
def unknown_rule_type(subject: Subject) -> Iterator[Found]:
    """Find rules of a provider or version that does not exist."""
    for placed in subject.rules:
        type_ = placed.rule.type
        if find_rule_type(type_.provider) is None or type_.version != "1":
            known = [known.provider for known in rule_types.RULE_TYPES]
            yield Found(
                join(placed.path, "ruleTypeId"),
                f"RuleType (Category: '{type_.category}', Provider: '{type_.provider}', Owner: '{type_.owner}', "
                f"Version: '{type_.version}') in rule '{placed.rule.name}' is not available",
                did_you_mean(type_.provider, known) or f"rules: {', '.join(known)}; each in version 1",
            )


@rule(
    "missing-rule-configuration",
    "Every required key of the rule is configured.",
    code=STAGE,
    wording="ours",
    source="user guide page rule-reference",
)
def missing_rule_configuration(subject: Subject) -> Iterator[Found]:
    """Find required keys of rules that are absent."""
    for placed in subject.rules:
        type_ = find_rule_type(placed.rule.type.provider)
        for name in type_.required if type_ is not None else ():
            if name not in placed.rule.configuration:
                yield Found(
                    join(placed.path, "configuration", name),
                    f"Rule configuration for rule '{placed.rule.name}' is missing required configuration '{name}'",
                    did_you_mean(name, placed.rule.configuration),
                )


@rule(
    "unknown-rule-configuration",
    "Only keys of the rule are configured.",
    code=STAGE,
    wording="ours",
    source="user guide page rule-reference",
)
def unknown_rule_configuration(subject: Subject) -> Iterator[Found]:
    """Find configuration keys that the rule does not have."""
    for placed in subject.rules:
        type_ = find_rule_type(placed.rule.type.provider)
        if type_ is None:
            continue
        known = (*type_.required, *type_.optional)
        absent = [name for name in type_.required if name not in placed.rule.configuration]
        for key in placed.rule.configuration:
            if key not in known and not any(did_you_mean(name, [key]) for name in absent):
                yield Found(
                    join(placed.path, "configuration", key),
                    f"Rule configuration for rule '{placed.rule.name}' contains unknown configuration '{key}'",
                    did_you_mean(key, known) or f"known keys: {', '.join(known) or 'none'}",
                )


@rule(
    "rule-commands",
    "The Commands rule has commands, and no other rule has.",
    code=STAGE,
    wording="ours",
    source="user guide page rule-reference-Commands",
)
def rule_commands(subject: Subject) -> Iterator[Found]:
    """Find Commands rules without commands, and commands in other rules."""
    for placed in subject.rules:
        wants = placed.rule.type.provider == COMMANDS
        if wants != bool(placed.rule.commands):
            verb = "must" if wants else "cannot"
            yield Found(
                join(placed.path, "commands"),
                f"The following rule {verb} contain a commands field: {placed.rule.name}.",
                "" if wants else f"only the rule {COMMANDS} runs commands",
            )


@rule(
    "parallel-failure-rollback",
    "A PARALLEL pipeline does not roll back on failure.",
    code=STAGE,
    wording="service",
    source=OBSERVED,
)
def parallel_failure_rollback(subject: Subject) -> Iterator[Found]:
    """Find failure gates with the result ROLLBACK in PARALLEL pipelines."""
    if subject.pipeline.execution_mode != ExecutionMode.PARALLEL:
        return
    for placed in subject.stages:
        failure = placed.stage.on_failure
        if failure is not None and failure.result == Result.ROLLBACK and not failure.conditions:
            yield _parallel(join(placed.path, "onFailure", "result"), "Failure conditions")
    for gated in subject.conditions:
        if gated.gate == ON_FAILURE and gated.condition.result == Result.ROLLBACK:
            yield _parallel(join(gated.path, "result"), "Failure conditions")


@rule(
    "parallel-success-rollback",
    "A PARALLEL pipeline does not roll back on success either.",
    code=STAGE,
    wording="ours",
    source=GUIDE,
)
def parallel_success_rollback(subject: Subject) -> Iterator[Found]:
    """Find success conditions with the result ROLLBACK in PARALLEL pipelines."""
    for placed in subject.conditions:
        rolls = placed.gate == ON_SUCCESS and placed.condition.result == Result.ROLLBACK
        if rolls and subject.pipeline.execution_mode == ExecutionMode.PARALLEL:
            yield _parallel(join(placed.path, "result"), "Success conditions")


def _parallel(path: str, what: str) -> Found:
    message = f"{what} with rollback result type cannot be added to a PARALLEL pipeline."
    return Found(path, message, "take the mode SUPERSEDED or QUEUED, or another result")


def _words(results: tuple[Result, ...]) -> str:
    return " and ".join(result.value for result in results)
