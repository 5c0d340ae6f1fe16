"""What happens when an event reaches a target of a rule: a queue, a topic, a function, a log group, a pipeline …

What reaches the target is the event, a part of it (``InputPath``), a constant (``Input``) or a text made from it
(``InputTransformer``). A role is asked for where the service wants one: pipelines, builds and state machines; its trust
and its permissions are judged. Resource policies of queues, topics and functions are not. What cannot be delivered
goes to the target's dead-letter queue, where it has one, and is noted in `Bus.failures`.
Source: Amazon EventBridge User Guide, "Event bus targets", "Input transformation", "Using dead-letter queues", "Using
IAM roles"; AWS CodePipeline User Guide, "Start a pipeline with source revision overrides" (a pipeline's input).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from botocore.exceptions import ClientError
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends

from pipesim.cloud import permissions
from pipesim.cloud.lambda_runner import is_runnable, run_function
from pipesim.engine.commands import SourceRevision, Start
from pipesim.errors import PipesimError, Refused
from pipesim.vocabulary import TriggerType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

EVENTS = "events.amazonaws.com"
REPEATS = (60.0, 120.0)
"""Seconds before a failed asynchronous invocation of a function is made again."""

PLACEHOLDER = re.compile(r'(")?<([A-Za-z0-9_.\-]+)>(")?')
RESERVED = {"aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time", "aws.events.event.json"}


class Undeliverable(PipesimError):
    """A target cannot take an event."""


def deliver(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any]) -> None:
    """Bring an event to one target of a rule; a failure is noted and raises nothing.

    Args:
        account: whose rule it is.
        rule: moto's record of it.
        target: as ``PutTargets`` took it.
        event: in its envelope.
    """
    arn = str(target["Arn"])
    try:
        send = TARGETS.get(_kind_of(arn))
        if send is None:
            raise Undeliverable(f"targets like {arn} are not modelled")
        send(account, rule, target, event, text_of(target, event, rule))
    except Refused as refused:
        give_up(account, rule, target, event, f"{refused.code}: {refused.message}")
    except ClientError as error:
        detail = error.response.get("Error", {})
        give_up(account, rule, target, event, f"{detail.get('Code', '')}: {detail.get('Message', error)}")
    except PipesimError as error:
        give_up(account, rule, target, event, str(error))


def give_up(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], reason: str) -> None:
    """Note that a target was not reached, and put the event into its dead-letter queue."""
    account.bus.fail(str(event.get("id", "")), rule.name, target["Id"], reason)
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if queue:
        attributes = {"ERROR_CODE": reason.split(":")[0], "ERROR_MESSAGE": reason, "RULE_ARN": rule.arn}
        attributes["TARGET_ARN"] = target["Arn"]
        try:
            send_message(account, queue, json.dumps(event), attributes)
        except ClientError as error:
            account.bus.fail(str(event.get("id", "")), rule.name, queue, f"dead-letter queue: {error}")


def text_of(target: Mapping[str, Any], event: Mapping[str, Any], rule: Any) -> str:
    """Return what a target is given: JSON text, or whatever an input template makes of the event.

    Args:
        target: as ``PutTargets`` took it.
        event: in its envelope.
        rule: moto's record of the rule.
    """
    if target.get("Input"):
        return str(target["Input"])
    if path := target.get("InputPath"):
        return json.dumps(_at(path, event))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {name: _at(path, event) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values["aws.events.rule-arn"], values["aws.events.rule-name"] = rule.arn, rule.name
    values["aws.events.event.ingestion-time"], values["aws.events.event.json"] = event["time"], event
    values["aws.events.event"] = {name: value for name, value in event.items() if name != "detail"}
    return _filled(str(transformer["InputTemplate"]), values)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Put values into an input template; quotes around a placeholder are kept for text alone."""

    def value(found: re.Match[str]) -> str:
        before, name, after = found[1] or "", found[2], found[3] or ""
        if name not in values:
            return found[0]
        given = values[name]
        if isinstance(given, str):
            within = json.dumps(given)[1:-1] if inside(found) else given
            return f"{before}{within}{after}" if before or inside(found) else json.dumps(given)
        text = json.dumps(given)
        if before and after:
            return text
        return f"{before}{json.dumps(text)[1:-1] if inside(found) else text}{after}"

    def inside(found: re.Match[str]) -> bool:
        quotes = re.sub(r"\\.", "", template[: found.start(2)]).count('"')
        return quotes % 2 == 1

    return PLACEHOLDER.sub(value, template)


@lru_cache(maxsize=512)
def _path(path: str) -> Any:
    quoted = ".".join(f"'{part}'" if "-" in part and "'" not in part else part for part in path.split("."))
    return parse(quoted)


def _at(path: str, event: Mapping[str, Any]) -> Any:
    if path == "$":
        return event
    try:
        found = _path(path).find(event)
    except JSONPathError as error:
        raise Undeliverable(f"ValidationException: {path} is no JSON path: {error}") from None
    return found[0].value if found else None


def _kind_of(arn: str) -> str:
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    return f"events/{parts[5].split('/')[0]}" if service == "events" else service


# --- one function a kind of target -----------------------------------------------------------------


def _to_queue(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    send_message(account, target["Arn"], text, {}, group)


def send_message(
    account: Account, arn: str, text: str, attributes: Mapping[str, str], group: str | None = None
) -> None:
    """Put a message into a queue.

    Args:
        account: who sends.
        arn: the queue's.
        text: the message.
        attributes: of the message, text all of them.
        group: of a FIFO queue; None: it is none.

    Raises:
        ClientError: there is no such queue, or it refuses.
    """
    _, _, _, region, owner, name = arn.split(":")
    members: dict[str, Any] = {"MessageGroupId": group} if group else {}
    members["MessageAttributes"] = {
        key: {"DataType": "String", "StringValue": value[:250] or "-"} for key, value in attributes.items()
    }
    queues = account.client("sqs", region)
    url = queues.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"]
    queues.send_message(QueueUrl=url, MessageBody=text, **members)


def _to_topic(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    account.client("sns", target["Arn"].split(":")[3]).publish(TopicArn=target["Arn"], Message=text)


def _to_log_group(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    parts = target["Arn"].split(":")
    logs, group, stream = account.client("logs", parts[3]), parts[6], event["id"]
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    except logs.exceptions.ResourceAlreadyExistsException:
        stream = f"{stream}/{target['Id']}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    stamp = int(account.now.timestamp() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": stamp, "message": text}])


def _to_bus(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    _, _, _, region, owner, name = target["Arn"].split(":")
    account.sibling(region, owner).bus.receive(event, name.removeprefix("event-bus/"))


def _to_function(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    key = f"{event['id']}/{target['Id']}"
    invoke_later(account, target["Arn"], text, key, lambda why: give_up(account, rule, target, event, why))


def invoke_later(
    account: Account,
    arn: str,
    text: str,
    key: str,
    gave_up: Callable[[str], object],
    repeats: tuple[float, ...] = REPEATS,
) -> None:
    """Call a function as an asynchronous invocation: one that fails is repeated after one minute and after two more.

    Args:
        account: whose services it finds.
        arn: the function's.
        text: the event as JSON.
        key: names the invocation.
        gave_up: told why, when the last repetition failed, too.
        repeats: seconds before each repetition.

    Raises:
        Undeliverable: there is no such function.
    """
    error = invoke_function(account, arn, text, f"{key}/{len(repeats)}")

    def again() -> None:
        try:
            invoke_later(account, arn, text, key, gave_up, repeats[1:])
        except Undeliverable as gone:
            gave_up(str(gone))

    if error and repeats:
        account.bus.later(repeats[0], again, arn)
    elif error:
        gave_up(error)


def invoke_function(account: Account, arn: str, text: str, key: str) -> str:
    """Run a learner's function with an event.

    Args:
        account: whose services it finds.
        arn: the function's.
        text: the event as JSON.
        key: names the invocation.

    Returns:
        What went wrong; empty when nothing did.

    Raises:
        Undeliverable: there is no such function.
    """
    _, _, _, region, owner, *name = arn.split(":")
    try:
        function = lambda_backends[owner][region].get_function(name[1])
    except (UnknownFunctionException, IndexError):
        raise Undeliverable(f"ResourceNotFoundException: Function not found: {arn}") from None
    if not is_runnable(function):
        return ""
    return run_function(account, function, json.loads(text), str(uuid5(NAMESPACE_URL, key))).error


def _to_pipeline(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    arn = target["Arn"]
    _, _, _, region, owner, name = arn.split(":")
    _require(account, rule, target, "codepipeline:StartPipelineExecution", arn)
    record = account.sibling(region, owner).pipelines.get(name)
    if record is None:
        raise Undeliverable(f"PipelineNotFoundException: Account '{owner}' does not have a pipeline with name '{name}'")
    record.simulation.send(
        Start(
            change=_change_of(event),
            trigger_type=TriggerType.CLOUD_WATCH_EVENT.value,
            trigger_detail=rule.arn,
            **_start_members(target, text),
        )
    )


def _start_members(target: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The variables and source revisions that a constant or a template asks the pipeline to start with."""
    if not (target.get("Input") or target.get("InputTransformer")):
        return {}
    try:
        given = json.loads(text)
    except ValueError:
        raise Undeliverable(f"ValidationException: the pipeline's input is not JSON: {text[:80]}") from None
    if not isinstance(given, Mapping):
        return {}
    return {
        "variables": tuple((each["name"], each["value"]) for each in given.get("variables") or ()),
        "revisions": tuple(
            SourceRevision(each["actionName"], each["revisionType"], each["revisionValue"])
            for each in given.get("sourceRevisions") or ()
        ),
    }


def _change_of(event: Mapping[str, Any]) -> str | None:
    """The label of the change that an event announces, where it says one."""
    detail = event.get("detail") or {}
    revision = detail.get("commitId") or detail.get("image-digest") or (detail.get("object") or {}).get("version-id")
    return str(revision).removeprefix("sha256:")[:7] if revision else None


def _to_state_machine(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    session = _require(account, rule, target, "states:StartExecution", target["Arn"])
    machines = permissions.client(account, session, "stepfunctions", target["Arn"].split(":")[3])
    machines.start_execution(stateMachineArn=target["Arn"], input=text)


def _to_build(account: Account, rule: Any, target: Mapping[str, Any], event: dict[str, Any], text: str) -> None:
    session = _require(account, rule, target, "codebuild:StartBuild", target["Arn"])
    builds = permissions.client(account, session, "codebuild", target["Arn"].split(":")[3])
    builds.start_build(projectName=target["Arn"].split(":project/")[-1])


def _require(account: Account, rule: Any, target: Mapping[str, Any], action: str, arn: str) -> permissions.Session:
    """Return the session of the target's role, when it may do what the rule wants.

    Raises:
        Undeliverable: there is no role.
        ClientError: it does not trust EventBridge or lacks the permission.
    """
    role = target.get("RoleArn") or rule.role_arn
    if not role:
        raise Undeliverable(f"AccessDenied: the target {target['Id']} has no role, and {action} needs one")
    session = permissions.assume(account, role, EVENTS, f"events-{rule.name}")
    permissions.require(session, action, arn)
    return session


Target = Callable[["Account", Any, Mapping[str, Any], dict[str, Any], str], None]
TARGETS: Mapping[str, Target] = {
    "sqs": _to_queue,
    "sns": _to_topic,
    "logs": _to_log_group,
    "lambda": _to_function,
    "codepipeline": _to_pipeline,
    "states": _to_state_machine,
    "codebuild": _to_build,
    "events/event-bus": _to_bus,
}
"""What takes an event, by the service of its ARN."""
