"""Rules about members that only some providers take: commands, time-outs, notifications, primary sources."""

from __future__ import annotations

from collections.abc import Iterator

from pipesim.definition.model import Action
from pipesim.definition.paths import join
from pipesim.definition.reading import did_you_mean
from pipesim.definition.rules.actions import COMMANDS
from pipesim.definition.rules.subject import PlacedAction, Subject
from pipesim.definition.rules.table import ACTION, OBSERVED, RECORDED, Found, rule
from pipesim.definition.variables import find_references
from pipesim.vocabulary import ActionOwner


@rule(
    "commands-missing",
    "A Commands action has commands.",
    code=ACTION,
    wording="ours",
    source="user guide page action-reference-Commands",
)
def commands_missing(subject: Subject) -> Iterator[Found]:
    """Find Commands actions without commands."""
    for placed in subject.actions:
        if _is_commands(placed.action) and not placed.action.commands:
            yield Found(
                join(placed.path, "commands"),
                f"The following action must contain a commands field: {placed.action.name}.",
                "commands is a member of the action itself, beside configuration",
            )


@rule(
    "commands-not-allowed",
    "Only Commands actions have commands, and output artifacts with files.",
    code=ACTION,
    wording="service",
    source=f"user guide page action-reference-Commands; {OBSERVED}",
)
def commands_not_allowed(subject: Subject) -> Iterator[Found]:
    """Find commands, or files of output artifacts, in actions of other providers."""
    for placed in subject.actions:
        if _is_commands(placed.action):
            continue
        members = ["commands"] if placed.action.commands else []
        for index, artifact in enumerate(placed.action.output_artifacts):
            if artifact.files:
                members.append(join("outputArtifacts", index, "files"))
        for member in members:
            yield Found(
                f"{placed.path}.{member}",
                f"The following action cannot contain a commands field: {placed.action.name}. "
                "To use the commands field, use a compute action.",
                f"{placed.action.provider} takes neither commands nor files of output artifacts",
            )


@rule(
    "compute-member-not-allowed",
    "Only Commands actions list output variables and environment variables.",
    code=ACTION,
    wording="ours",
    source="user guide page action-reference-Commands",
)
def compute_member_not_allowed(subject: Subject) -> Iterator[Found]:
    """Find outputVariables and environmentVariables in actions of other providers."""
    for placed in subject.actions:
        if _is_commands(placed.action):
            continue
        for member, given in (
            ("outputVariables", placed.action.output_variables),
            ("environmentVariables", placed.action.environment_variables),
        ):
            if given:
                yield Found(
                    join(placed.path, member),
                    f"The following action cannot contain the field {member}: {placed.action.name}. "
                    "To use it, use a compute action.",
                    _CODEBUILD_HINTS[member] if placed.action.provider == "CodeBuild" else "",
                )


_CODEBUILD_HINTS = {
    "outputVariables": "CodeBuild puts out what its buildspec lists under exported-variables",
    "environmentVariables": "CodeBuild takes EnvironmentVariables as JSON text inside its configuration",
}


@rule(
    "timeout-not-allowed",
    "Only manual approvals have a time-out of their own.",
    code=ACTION,
    wording="ours",
    source="ActionDeclaration in botocore's CodePipeline model; user guide page limits",
)
def timeout_not_allowed(subject: Subject) -> Iterator[Found]:
    """Find time-outs of actions that are no approvals."""
    for placed in subject.actions:
        if placed.action.timeout_in_minutes is not None and not placed.action.is_approval:
            yield Found(
                join(placed.path, "timeoutInMinutes"),
                f"Action '{placed.action.name}' cannot declare timeoutInMinutes: it is supported for manual approval "
                "actions only",
                "the time-outs of other actions are fixed by the service",
            )


@rule(
    "primary-source",
    "A CodeBuild action with several input artifacts names one of them as PrimarySource.",
    code=ACTION,
    wording="ours",
    source="user guide page action-reference-CodeBuild",
)
def primary_source(subject: Subject) -> Iterator[Found]:
    """Find CodeBuild actions with several inputs and no primary one, or with one that is no input."""
    for placed in subject.actions:
        action = placed.action
        if action.provider != "CodeBuild" or action.type.owner != ActionOwner.AWS:
            continue
        path, named = join(placed.path, "configuration", "PrimarySource"), action.configuration.get("PrimarySource")
        if named is None and len(action.input_artifacts) > 1:
            yield Found(
                path,
                f"Action configuration for action '{action.name}' must name one of its input artifacts as "
                f"'PrimarySource', because it has {len(action.input_artifacts)}",
                f"one of {', '.join(action.input_artifacts)}",
            )
        elif named is not None and named not in action.input_artifacts and not find_references(named):
            yield Found(
                path,
                f"'PrimarySource' of action '{action.name}' names '{named}', which is not an input artifact of it",
                did_you_mean(named, action.input_artifacts) or f"inputs: {', '.join(action.input_artifacts) or 'none'}",
            )


@rule(
    "notification-arn-format",
    "An approval's NotificationArn is an ARN.",
    code=ACTION,
    wording="service",
    source=RECORDED,
)
def notification_arn_format(subject: Subject) -> Iterator[Found]:
    """Find notification ARNs that lack a part."""
    for placed, arn in _notification_arns(subject):
        if len(_parts(arn)) != 6:
            yield Found(
                join(placed.path, "configuration", "NotificationArn"),
                f"The ARN {arn} you specified for sending notifications for the approval action "
                f"{placed.action.name} contains a format error.",
                "a topic's ARN looks like arn:aws:sns:us-east-1:123456789012:TOPIC",
            )


@rule(
    "notification-arn-service",
    "An approval's NotificationArn names an SNS topic.",
    code=ACTION,
    wording="service",
    source=RECORDED,
)
def notification_arn_service(subject: Subject) -> Iterator[Found]:
    """Find notification ARNs of another service."""
    for placed, arn in _notification_arns(subject):
        parts = _parts(arn)
        if len(parts) == 6 and parts[2] != "sns":
            yield Found(
                join(placed.path, "configuration", "NotificationArn"),
                f"The ARN {arn} has been specified for sending notifications for the approval action "
                f"{placed.action.name}, but the AWS service for this ARN cannot be used to send approval requests.",
                "give the ARN of an SNS topic",
            )


@rule(
    "notification-arn-region",
    "An approval's topic lies in the region of the pipeline.",
    code=ACTION,
    wording="service",
    source=RECORDED,
)
def notification_arn_region(subject: Subject) -> Iterator[Found]:
    """Find topics in another region, where the pipeline's own region is known."""
    for placed, arn in _notification_arns(subject):
        parts = _parts(arn)
        if subject.region and len(parts) == 6 and parts[2] == "sns" and parts[3] != subject.region:
            yield Found(
                join(placed.path, "configuration", "NotificationArn"),
                f"The ARN {arn} has been specified for sending notifications for the approval action "
                f"{placed.action.name}, but the ARN is not in the same region as the pipeline.",
                f"the pipeline is in {subject.region}",
            )


def _is_commands(action: Action) -> bool:
    return action.provider == COMMANDS and action.type.owner == ActionOwner.AWS


def _notification_arns(subject: Subject) -> Iterator[tuple[PlacedAction, str]]:
    for placed in subject.actions:
        arn = placed.action.configuration.get("NotificationArn")
        if placed.action.is_approval and arn and not find_references(arn):
            yield placed, arn


def _parts(arn: str) -> list[str]:
    """Return the six parts of an ARN, or nothing when it has not all of them."""
    parts = arn.split(":", 5)
    whole = len(parts) == 6 and parts[0] == "arn" and all(parts[index] for index in (1, 2, 4, 5))
    return parts if whole else []
