"""CloudTrail's event history: every call of people and of the services that act for them can be looked up.

A call is kept as it came and is only read when somebody looks it up. What the service does in the name of a pipeline's
role has the role's session as its user and ``invokedBy`` says ``codepipeline.amazonaws.com``. Unlike the real event
history, which holds management events alone, calls about data (objects, messages, invocations) can be looked up too;
they say so (``managementEvent`` false). The mock's own bookkeeping is left out.
Source: AWS CloudTrail User Guide, "CloudTrail record contents", "Viewing recent management events"; CodePipeline User
Guide, "Logging CodePipeline API calls with AWS CloudTrail"; CloudTrail API reference, LookupEvents.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError

from pipesim.cloud import permissions
from pipesim.cloud.codepipeline.models import ACCOUNTS

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

MOST_CALLS = 20_000
"""How many calls a cloud remembers; older ones are forgotten."""

MOST_BYTES = 32_768
"""How much of a request is kept."""

PAGE = 50
ADMIN = "testing"
CODEPIPELINE = permissions.CODEPIPELINE
READING = (
    "AssumeRole",
    "Get",
    "List",
    "Describe",
    "BatchGet",
    "Head",
    "Lookup",
    "Search",
    "Select",
    "Test",
    "Simulate",
)
DATA = frozenset(
    {
        *(
            f"s3:{name}"
            for name in ("GetObject", "PutObject", "DeleteObject", "HeadObject", "CopyObject", "UploadPart")
        ),
        *("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sns:Publish", "lambda:Invoke"),
        *("logs:PutLogEvents", "monitoring:PutMetricData", "events:PutEvents"),
    }
)
SECRETS = re.compile(r"(?i)(secret|password|token)")
ATTRIBUTES = {
    "EventId": "EventId",
    "EventName": "EventName",
    "ReadOnly": "ReadOnly",
    "Username": "Username",
    "EventSource": "EventSource",
    "AccessKeyId": "AccessKeyId",
}


@dataclass(slots=True, eq=False)
class Call:
    """One call as it came.

    Attributes:
        number: counts the calls of the cloud.
        moment: when, in virtual time.
        service: the name that it was signed for, such as ``s3``.
        operation: such as ``PutObject``.
        key: the access key that signed it.
        region: where it went.
        session: the session that made it; None: a person, or the service itself.
        by_service: the service that made it itself; empty: nobody.
        url, body: the request; the body is cut.
        code: the error; empty when it succeeded.
    """

    number: int
    moment: datetime
    service: str
    operation: str
    key: str
    region: str
    session: permissions.Session | None
    by_service: str
    url: str
    body: Any
    code: str


class Trail:
    """The calls of one cloud.

    Args:
        account: any account of it.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._calls: deque[Call] = deque(maxlen=MOST_CALLS)
        self._count = 0
        self._inside = threading.local()

    def __len__(self) -> int:
        return len(self._calls)

    def enter(self) -> bool:
        """Note that this thread makes a call; return whether it makes another one already."""
        depth = getattr(self._inside, "depth", 0)
        self._inside.depth = depth + 1
        return bool(depth)

    def leave(self) -> None:
        """Undo one `enter`."""
        self._inside.depth -= 1

    @property
    def is_inside(self) -> bool:
        """Whether this thread makes a call."""
        return getattr(self._inside, "depth", 0) > 0

    def note(
        self, service: str, operation: str, key: str, region: str, url: str, body: Any, code: str, inner: bool
    ) -> None:
        """Keep one call, unless it is the mock's own bookkeeping.

        Args:
            service, operation, key, region, url, body, code: see `Call`.
            inner: it was made while something else was going on, and not by a person.
        """
        session = permissions.bound(key)
        by_service = ""
        if session is None and inner and key == ADMIN:
            if operation != "AssumeRole":
                return
            by_service = permissions.ASSUMING.get()
        self._count += 1
        kept = body[:MOST_BYTES] if isinstance(body, (str, bytes)) and f"{service}:{operation}" not in DATA else None
        moment = self._account.now
        self._calls.append(
            Call(self._count, moment, service, operation, key, region, session, by_service, url, kept, code)
        )

    def records(self, owner: str, region: str) -> Iterator[dict[str, Any]]:
        """Yield the events of one account and region as LookupEvents gives them, the newest first.

        Args:
            owner: the account's twelve digits.
            region: where.
        """
        for call in reversed(self._calls):
            if call.region == region and (call.session.account if call.session else self._account.id) == owner:
                yield self._event(call, owner)

    def _event(self, call: Call, owner: str) -> dict[str, Any]:
        identity, user = self._identity(call, owner)
        parameters = _parameters(call)
        id = str(uuid5(NAMESPACE_URL, f"{self._account.seed}/{owner}/call {call.number}"))
        reads = call.operation.startswith(READING)
        source = f"{call.service}.amazonaws.com"
        origin = identity.get("invokedBy", "127.0.0.1")
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": f"{call.moment:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": source,
            "eventName": call.operation,
            "awsRegion": call.region,
            "sourceIPAddress": origin,
            "userAgent": identity.get("invokedBy", "Boto3"),
            "requestParameters": parameters or None,
            "responseElements": None,
            "eventID": id,
            "readOnly": reads,
            "eventType": "AwsApiCall",
            "managementEvent": f"{call.service}:{call.operation}" not in DATA,
            "recipientAccountId": owner,
        }
        record["eventCategory"] = "Management" if record["managementEvent"] else "Data"
        if call.code:
            record["errorCode"] = call.code
        return {
            "EventId": id,
            "EventName": call.operation,
            "ReadOnly": str(reads).lower(),
            "AccessKeyId": "" if call.by_service else call.key,
            "EventTime": call.moment.timestamp(),
            "EventSource": source,
            "Username": user,
            "Resources": _resources(call.service, parameters),
            "CloudTrailEvent": json.dumps(record),
        }

    def _identity(self, call: Call, owner: str) -> tuple[dict[str, Any], str]:
        if call.by_service:
            return {"type": "AWSService", "invokedBy": call.by_service}, call.by_service
        session = call.session
        if session is None:
            from moto.sts.models import sts_backends

            id, arn, account = sts_backends[owner]["aws"].get_caller_identity(call.key, call.region)
            user = str(arn).rsplit("/", 1)[-1]
            kind = "AssumedRole" if ":assumed-role/" in arn else "IAMUser"
            said = {"type": kind, "principalId": id, "arn": arn, "accountId": account, "accessKeyId": call.key}
            return {**said, "userName": user}, user
        role = session.role.rsplit("/", 1)[-1]
        issuer = {"type": "Role", "arn": session.role, "accountId": session.account, "userName": role}
        identity: dict[str, Any] = {
            "type": "AssumedRole",
            "arn": session.arn,
            "accountId": session.account,
            "accessKeyId": session.access_key,
            "sessionContext": {"sessionIssuer": issuer},
        }
        if any(session.name == name[:64] for account in self._account.family.values() for name in account.pipelines):
            identity["invokedBy"] = CODEPIPELINE
        return identity, session.name


RESOURCES = {
    "pipelineName": "AWS::CodePipeline::Pipeline",
    "bucketName": "AWS::S3::Bucket",
    "roleArn": "AWS::IAM::Role",
    "projectName": "AWS::CodeBuild::Project",
    "repositoryName": "AWS::CodeCommit::Repository",
    "applicationName": "AWS::CodeDeploy::Application",
    "functionName": "AWS::Lambda::Function",
    "stackName": "AWS::CloudFormation::Stack",
    "stateMachineArn": "AWS::StepFunctions::StateMachine",
    "topicArn": "AWS::SNS::Topic",
}
"""What a parameter names."""

NAMED = {
    "codepipeline": "AWS::CodePipeline::Pipeline",
    "codebuild": "AWS::CodeBuild::Project",
    "events": "AWS::Events::Rule",
}
"""What a service means by ``name``."""

OTHERWISE = {("ecr", "repositoryName"): "AWS::ECR::Repository"}


def _resources(service: str, parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """The resources that a call is about, as far as its parameters name them."""
    inside = parameters.get("pipeline")
    named = inside.get("name") if isinstance(inside, Mapping) else parameters.get("name")
    found = {name: parameters.get(name) for name in RESOURCES} | {"name": named}
    kinds = {**RESOURCES, "name": NAMED.get(service, "")}
    return [
        {"ResourceType": kind, "ResourceName": value}
        for name, value in found.items()
        if isinstance(value, str) and (kind := OTHERWISE.get((service, name), kinds[name]))
    ]


def _parameters(call: Call) -> dict[str, Any]:
    """What was asked for, as far as it was kept; what looks secret is hidden."""
    body = call.body.decode("utf-8", errors="replace") if isinstance(call.body, bytes) else call.body or ""
    address = urlsplit(call.url)
    found: dict[str, Any] = {}
    if body.startswith("{"):
        try:
            found = json.loads(body)
        except ValueError:
            found = {}
    elif call.service == "s3":
        host, path = address.netloc.split(":")[0], unquote(address.path).lstrip("/")
        bucket = host.split(".s3")[0] if ".s3" in host else ""
        if not bucket:
            bucket, _, path = path.partition("/")
        found = {"bucketName": bucket} | ({"key": path} if path else {})
    elif "=" in body:
        found = {name: value for name, value in parse_qsl(body) if name not in ("Action", "Version")}
    if call.service == "lambda" and "/functions/" in address.path:
        found["functionName"] = unquote(address.path.split("/functions/", 1)[1].split("/")[0])
    return {
        f"{name[:1].lower()}{name[1:]}": "HIDDEN_DUE_TO_SECURITY_REASONS" if SECRETS.search(name) else value
        for name, value in found.items()
    }


# --- how calls get here ----------------------------------------------------------------------------

_originals: list[tuple[type, str, Any]] = []


def install() -> None:
    """Listen to calls over HTTP and answer LookupEvents; without effect the second time."""
    if _originals:
        return
    authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def noting(self: Any, request_class: type, resource: str = "*") -> None:
        trail = ACCOUNTS.find(self.current_account, self.region).trail
        code = "AccessDenied"
        try:
            authorize(self, request_class, resource)
            code = ""
        finally:
            if not trail.is_inside:
                name = {"awslambda": "lambda"}.get(self.service_name, self.service_name)
                key = str(self.access_key or ADMIN)
                trail.note(name, str(self._get_action()), key, self.region, str(self.uri), self.body, code, False)

    _swap(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", noting)
    _swap(CloudTrailResponse, "lookup_events", lookup_events)


def uninstall() -> None:
    """Leave moto as it was."""
    while _originals:
        owner, name, original = _originals.pop()
        if original is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original)


def called(account: Account, event_name: str, request: Any, response: Any, inner: bool) -> None:
    """Keep a call that boto3 made in this process.

    Args:
        account: any account of the cloud.
        event_name: botocore's, such as ``before-send.s3.PutObject``.
        request: prepared.
        response: moto's; None when moto did not answer.
        inner: see `Trail.note`.
    """
    signed = request.headers.get("Authorization") or b""
    text = signed.decode() if isinstance(signed, bytes) else signed
    scope = text.partition("Credential=")[2].split("/", 4)
    if len(scope) < 4 or response is None:
        return
    code = ""
    if response.status_code >= 400:
        code = error_code(response)
    operation = event_name.rsplit(".", 1)[-1]
    account.trail.note(scope[3], operation, scope[0], scope[2], request.url, request.body, code, inner)


def error_code(response: Any) -> str:
    """Return the code of the error that a response says."""
    header = response.headers.get("x-amzn-errortype") or response.headers.get("X-Amzn-Errortype")
    if header:
        return str(header).split(":")[0]
    text = response.content.decode("utf-8", errors="replace")
    found = re.search(r"<Code>([^<]+)</Code>|\"(?:__type|code)\":\s*\"(?:[^\"#]*#)?([^\"]+)\"", text)
    return (found[1] or found[2]) if found else str(response.status_code)


def lookup_events(self: CloudTrailResponse) -> str:
    """LookupEvents: the newest first, by one attribute and a range of time."""
    wanted = [(each["AttributeKey"], each["AttributeValue"]) for each in self._get_param("LookupAttributes") or ()]
    size = self._get_int_param("MaxResults", PAGE)
    if not 1 <= size <= PAGE:
        raise JsonRESTError("InvalidMaxResultsException", f"MaxResults must lie between 1 and {PAGE}.")
    if len(wanted) > 1:
        raise JsonRESTError("InvalidLookupAttributesException", "You can only specify one lookup attribute.")
    start, end = (_moment(self._get_param(name)) for name in ("StartTime", "EndTime"))
    if start is not None and end is not None and start > end:
        raise JsonRESTError("InvalidTimeRangeException", "The start time must not lie after the end time.")
    trail = ACCOUNTS.find(self.current_account, self.region).trail
    before = _read_token(self._get_param("NextToken"))
    found: list[dict[str, Any]] = []
    for event in trail.records(self.current_account, self.region):
        if before is not None:
            if event["EventId"] == before:
                before = None
            continue
        if (start is not None and event["EventTime"] < start) or (end is not None and event["EventTime"] > end):
            continue
        if all(_has(event, name, value) for name, value in wanted):
            if len(found) == size:
                token = b64encode(found[-1]["EventId"].encode()).decode()
                return json.dumps({"Events": found, "NextToken": token})
            found.append(event)
    return json.dumps({"Events": found})


def _has(event: Mapping[str, Any], name: str, value: str) -> bool:
    if name == "ResourceName":
        return any(each["ResourceName"] == value for each in event["Resources"])
    if name == "ResourceType":
        return any(each["ResourceType"] == value for each in event["Resources"])
    if name not in ATTRIBUTES:
        raise JsonRESTError("InvalidLookupAttributesException", f"Unknown lookup attribute: {name}")
    return bool(event[ATTRIBUTES[name]] == value)


def _moment(given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, (int, float)):
        return float(given)
    return datetime.fromisoformat(str(given).replace("Z", "+00:00")).replace(tzinfo=UTC).timestamp()


def _read_token(token: str | None) -> str | None:
    if not token:
        return None
    try:
        return b64decode(token, validate=True).decode()
    except ValueError:
        raise JsonRESTError("InvalidNextTokenException", "The token is not one that LookupEvents gave.") from None


def _swap(owner: type, name: str, replacement: Any) -> None:
    _originals.append((owner, name, owner.__dict__.get(name)))
    setattr(owner, name, replacement)
