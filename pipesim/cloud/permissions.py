"""Who may do what: sessions under assumed roles, and IAM bound for the service's own calls alone.

moto knows IAM's roles and policies and can refuse calls, but only everybody's at once.
Here a call is judged when, and only when, its access key was given out by this module: what the
service does for an action, what a build does under its project's role, what a learner's function does
under its own. Everybody else calls as freely as under plain moto.

A call must pass the role's own policies, the session's policy where there is one, the bucket's policy,
and for encrypted objects the key's policy. Across accounts both sides must agree.
Source: AWS Identity and Access Management User Guide, "Policy evaluation logic"; AWS CodePipeline User
Guide, "Create a pipeline that uses resources from another account".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.core.utils import utcnow
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import sts_backends

from pipesim.cloud.policies import Answer, Request, is_about_everyone, judge, judge_all, statements
from pipesim.cloud.session_client import SessionClient, shared_client

if TYPE_CHECKING:
    from pipesim.cloud.account import Account
    from pipesim.engine.action import ActionRun

CODEPIPELINE = "codepipeline.amazonaws.com"
ASSUMING: ContextVar[str] = ContextVar("the service that assumes a role", default=CODEPIPELINE)
LIFETIME = timedelta(hours=1)
JOB_LIFETIME = timedelta(minutes=15)
QUICK = Config(retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=True)

SPEAK_JSON = frozenset({"appconfig", "awslambda", "eks", "lambda", "inspector-scan"})
"""Services whose errors are JSON although their calls bear no target."""

ENCRYPTING = {"PutObject": "kms:GenerateDataKey"}
DECRYPTING = {"GetObject": "kms:Decrypt", "GetObjectVersion": "kms:Decrypt"}


@dataclass(frozen=True, slots=True)
class Session:
    """Credentials under an assumed role.

    Attributes:
        role: the role's ARN.
        name: the session's name.
        access_key, secret_key, token: the credentials.
        expires: when they lapse, in virtual time; None: never, for the service itself renews them.
        policy: what the session narrows the role to; None: nothing.
    """

    role: str
    name: str
    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)
    expires: datetime | None = None
    policy: str | None = None

    @property
    def account(self) -> str:
        """The account that the role belongs to."""
        return self.role.split(":")[4]

    @property
    def arn(self) -> str:
        """The name under which the session calls."""
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role.rsplit('/', 1)[-1]}/{self.name}"

    @property
    def principals(self) -> frozenset[str]:
        """The names by which a resource policy may mean the caller."""
        return frozenset({self.role, self.arn, self.account, f"arn:aws:iam::{self.account}:root"})


_bound: dict[str, Session] = {}
_clients: WeakKeyDictionary[Account, dict[tuple[str, ...], Any]] = WeakKeyDictionary()
_sessions: WeakKeyDictionary[Account, dict[tuple[str, ...], Session]] = WeakKeyDictionary()
_originals: list[tuple[Any, str, Any]] = []


def install() -> None:
    """Bind IAM in moto for the calls of the sessions given out here; without effect the second time."""
    if _originals:
        return
    original = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def authorize(self: Any, request_class: type, resource: str = "*") -> None:
        session = _bound.get(self.access_key)
        if session is None:
            original(self, request_class, resource)
        else:
            _authorize(self, session, resource)

    _swap(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", authorize)
    _swap(FakeBucket, "get_permission", _permission_for_everyone)


def uninstall() -> None:
    """Take it out of moto again and forget every session."""
    while _originals:
        owner, name, original = _originals.pop()
        setattr(owner, name, original)
    _bound.clear()


def role_client(account: Account, run: ActionRun, service: str, region: str | None = None) -> Any:
    """Return a boto3 client that acts for an action: under the action's role, else the pipeline's.

    Args:
        account: the mocked account.
        run: the action at work.
        service: such as ``s3``.
        region: where the service is called; None: the action's region.

    Raises:
        ClientError: AccessDenied, because the role cannot be assumed.
    """
    session = session_of(account, run)
    return client(account, session, service, region or run.plan.action.region or account.region)


def session_of(account: Account, run: ActionRun) -> Session:
    """Return the session under which an action works; the trust of its roles is judged anew every time.

    Raises:
        ClientError: AccessDenied, because a role cannot be assumed.
    """
    return role_session(
        account, run.execution.plan.pipeline.role_arn, run.plan.action.role_arn, run.sim.plan.pipeline.name
    )


def role_session(account: Account, pipeline_role: str, action_role: str | None, name: str) -> Session:
    """Assume a pipeline's role, and from there an action's where it has one of its own.

    Args:
        account: the mocked account.
        pipeline_role: ARN of the pipeline's role.
        action_role: ARN of the action's role, or None.
        name: the session's name, cut at 64 characters.

    Raises:
        ClientError: AccessDenied, because a role cannot be assumed.
    """
    session = assume(account, pipeline_role, CODEPIPELINE, name)
    if action_role is None or action_role == pipeline_role:
        return session
    request = Request("sts:AssumeRole", action_role, session.principals, _context(session, account.region))
    if judge_all(_policies_of(session), request) is not Answer.ALLOW:
        raise access_denied(
            f"User: {session.arn} is not authorized to perform: sts:AssumeRole on resource: {action_role}", "AssumeRole"
        )
    return assume(account, action_role, session, name)


def assume(account: Account, role: str, caller: str | Session, name: str, *, policy: str | None = None) -> Session:
    """Assume a role when its trust policy lets the caller.

    Args:
        account: the mocked account.
        role: the role's ARN.
        caller: a service such as ``codepipeline.amazonaws.com``, or a session.
        name: the session's name, cut at 64 characters.
        policy: what the session is narrowed to; such a session lapses after 15 minutes.

    Raises:
        ClientError: AccessDenied, because the role does not exist or does not trust the caller.
    """
    if not trusts(role, caller):
        who = "CodePipeline" if caller == CODEPIPELINE else caller if isinstance(caller, str) else caller.arn
        raise access_denied(f"{who} is not authorized to perform AssumeRole on role {role}", "AssumeRole")
    key = (role, _session_name(name))
    known = _sessions.setdefault(account, {})
    if policy is None and key in known and known[key].access_key in _bound:
        return known[key]
    narrowing = {"Policy": policy} if policy is not None else {}
    lifetime = JOB_LIFETIME if policy is not None else LIFETIME
    before = ASSUMING.set(caller if isinstance(caller, str) else CODEPIPELINE)
    try:
        answer = account.client("sts").assume_role(
            RoleArn=role,
            RoleSessionName=_session_name(name),
            DurationSeconds=int(lifetime.total_seconds()),
            **narrowing,
        )["Credentials"]
    finally:
        ASSUMING.reset(before)
    session = Session(
        role,
        _session_name(name),
        answer["AccessKeyId"],
        answer["SecretAccessKey"],
        answer["SessionToken"],
        None if policy is None else account.now.replace(tzinfo=None) + lifetime,
        policy,
    )
    _bound[session.access_key] = session
    if policy is None:
        known[key] = session
    else:
        _forget_lapsed(account.id)
    return session


def _session_name(name: str) -> str:
    """A name that STS takes: 2 to 64 characters."""
    return name[:64] if len(name) > 1 else f"{name}-"


def _forget_lapsed(account: str) -> None:
    """Let moto forget sessions that have lapsed: it looks for a caller in all of them, one by one."""
    backend, now = sts_backends[account]["aws"], utcnow()
    backend.assumed_roles = [
        role
        for role in backend.assumed_roles
        if role.expiration > now or (role.access_key_id in _bound and _bound[role.access_key_id].expires is None)
    ]


def trusts(role: str, caller: str | Session) -> bool:
    """Whether a role exists and its trust policy lets a service, or a session, assume it."""
    try:
        document = _role(role).assume_role_policy_document
    except (NotFoundException, LookupError):
        return False
    principals = frozenset({caller}) if isinstance(caller, str) else caller.principals
    context = {} if isinstance(caller, str) else _context(caller, "")
    return judge(document, Request("sts:AssumeRole", "", principals, context)) is Answer.ALLOW


def narrowed_session(account: Account, run: ActionRun, policy: str) -> Session:
    """Return credentials of the role that an action works under, narrowed by a session policy, for 15 minutes.

    Args:
        account: the mocked account.
        run: the action at work.
        policy: the policy document as JSON text.

    Raises:
        ClientError: AccessDenied, because a role cannot be assumed.
    """
    pipeline, action = run.execution.plan.pipeline, run.plan.action
    session = session_of(account, run)
    caller = (
        CODEPIPELINE
        if session.role == pipeline.role_arn
        else role_session(account, pipeline.role_arn, None, session.name)
    )
    return assume(account, action.role_arn or pipeline.role_arn, caller, session.name, policy=policy)


def require(session: Session, action: str, resource: str) -> None:
    """Refuse what a session's policies do not allow, where no operation of the API stands for the permission.

    Args:
        session: who wants it.
        action: such as ``codecommit:UploadArchive``.
        resource: the ARN that it is about.

    Raises:
        ClientError: AccessDenied.
    """
    if not may(session, action, resource):
        name = action.split(":")[1]
        raise access_denied(
            f"User: {session.arn} is not authorized to perform: {action} on resource: {resource} because no"
            " identity-based policy allows it",
            name,
        )


def may(session: Session, action: str, resource: str) -> bool:
    """Whether a session's policies allow something.

    Args:
        session: who wants it.
        action: such as ``codestar-connections:UseConnection``.
        resource: the ARN that it is about.
    """
    region = resource.split(":")[3] if resource.startswith("arn:") else ""
    request = Request(action, resource, session.principals, _context(session, region))
    return _permitted(session, request, None, session.account)


def bound(access_key: str) -> Session | None:
    """Return the session that an access key was given out for; None: it was given out by nobody here."""
    return _bound.get(access_key)


def own_answer(role: str, action: str, resource: str) -> Answer:
    """What a role's own policies answer to a request, resource policies left aside.

    Args:
        role: the role's ARN.
        action: such as ``codebuild:StartBuild``.
        resource: the ARN that it is about; empty when nobody knows.
    """
    session = Session(role, "", "", "", "")
    region = resource.split(":")[3] if resource.startswith("arn:") else ""
    return judge_all(_policies_of(session), Request(action, resource, frozenset({role}), _context(session, region)))


def client(account: Account, session: Session, service: str, region: str) -> Any:
    """Return a boto3 client that calls with a session's credentials.

    Args:
        account: the mocked account.
        session: whose credentials.
        service: such as ``s3``.
        region: where.
    """
    known = _clients.setdefault(account, {})
    key = (service, region)
    if key not in known:
        known[key] = shared_client(service, region, QUICK)
    return SessionClient(known[key], ReadOnlyCredentials(session.access_key, session.secret_key, session.token, None))


def access_denied(message: str, operation: str) -> ClientError:
    """The error with which a service refuses a call."""
    return ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, operation)


def _swap(owner: Any, name: str, replacement: Callable[..., Any]) -> None:
    _originals.append((owner, name, getattr(owner, name)))
    setattr(owner, name, replacement)


def _role(arn: str) -> Any:
    return iam_backends[arn.split(":")[4]]["aws"].get_role_by_arn(arn)


def _policies_of(session: Session) -> list[str]:
    """The documents of a role's own policies; none when the role is gone."""
    with suppress(NotFoundException, LookupError):
        role = _role(session.role)
        managed = [
            version.document
            for policy in role.managed_policies.values()
            for version in policy.versions
            if version.is_default
        ]
        return [*role.policies.values(), *managed]
    return []


def _context(session: Session, region: str, headers: Mapping[str, str] | None = None) -> dict[str, str]:
    context = {
        "aws:PrincipalArn": session.role,
        "aws:PrincipalAccount": session.account,
        "aws:RequestedRegion": region,
        "aws:SecureTransport": "true",
        "aws:SourceAccount": session.account,
    }
    for name, value in (headers or {}).items():
        if name.lower().startswith("x-amz-"):
            context[f"s3:{name.lower()}"] = value
    return context


def _authorize(handler: Any, session: Session, resource: str) -> None:
    """Judge one call of a bound session; raise the service's refusal."""
    service, action = handler.service_name, handler._get_action()
    service = {"awslambda": "lambda", "events": "events", "logs": "logs", "stepfunctions": "states"}.get(
        service, service
    )
    name = f"{service}:{action}"
    if session.expires is not None and utcnow() > session.expires:
        _refuse(handler, session, name, resource, "the security token included in the request is expired")
    if service == "s3":
        _authorize_s3(handler, session, action, resource)
        return
    target = _resource_of(handler, service, session) if resource == "*" else resource
    request = Request(name, target, session.principals, _context(session, handler.region))
    if not _permitted(session, request, None, session.account):
        _refuse(handler, session, name, target, "no identity-based policy allows it")


def _authorize_s3(handler: Any, session: Session, action: str, resource: str) -> None:
    bucket_name, _, key_name = resource.rsplit(":::", 1)[-1].partition("/")
    bucket = None
    with suppress(S3ClientError):
        bucket = s3_backends[session.account]["aws"].get_bucket(bucket_name)
    context = _context(session, handler.region, handler.headers)
    request = Request(f"s3:{action}", resource, session.principals, context)
    policy = bucket.policy.decode() if bucket is not None and bucket.policy else None
    owner = session.account if bucket is None else bucket.account_id
    if not _permitted(session, request, policy, owner):
        _refuse(handler, session, f"s3:{action}", resource, "no policy allows it, or one denies it")
    if bucket is None:
        return
    key_id = None
    if (needed := ENCRYPTING.get(action)) is not None:
        key_id = handler.headers.get("x-amz-server-side-encryption-aws-kms-key-id") or _default_key(bucket)
    elif (needed := DECRYPTING.get(action)) is not None:
        stored = bucket.keys.get(key_name)
        key_id = getattr(stored, "kms_key_id", None) if getattr(stored, "encryption", None) == "aws:kms" else None
    if key_id and needed:
        _authorize_key(handler, session, needed, key_id, bucket)
    elif needed and session.account != owner and _is_under_the_managed_key(handler, bucket, key_name, action):
        _refuse(handler, session, needed, "alias/aws/s3", "the AWS managed key of another account cannot be used")


def _is_under_the_managed_key(handler: Any, bucket: Any, key_name: str, action: str) -> bool:
    if action in ENCRYPTING:
        return bool(handler.headers.get("x-amz-server-side-encryption") == "aws:kms")
    return getattr(bucket.keys.get(key_name), "encryption", None) == "aws:kms"


def _authorize_key(handler: Any, session: Session, action: str, key_id: str, bucket: Any) -> None:
    """Judge what S3 asks of KMS in the caller's name; AWS's own key ``aws/s3`` serves everybody in its account."""
    if "alias/aws/" in key_id:
        return
    owner = key_id.split(":")[4] if key_id.startswith("arn:") else bucket.account_id
    region = key_id.split(":")[3] if key_id.startswith("arn:") else bucket.region_name
    backend = kms_backends[owner][region]
    try:
        key = backend.describe_key(key_id)
    except (KeyError, AttributeError):
        raise _S3Refusal("KMS.NotFoundException", f"Key '{key_id}' does not exist") from None
    if key.key_manager == "AWS" or any(alias.startswith("alias/aws/") for alias in key.aliases):
        return
    if key.key_state != "Enabled":
        raise _S3Refusal(
            "KMS.DisabledException" if key.key_state == "Disabled" else "KMS.KMSInvalidStateException",
            f"{key.arn} is {'disabled' if key.key_state == 'Disabled' else 'pending deletion'}.",
        )
    context = {
        **_context(session, region),
        "kms:ViaService": f"s3.{region}.amazonaws.com",
        "kms:CallerAccount": session.account,
    }
    request = Request(action, key.arn, session.principals, context)
    if not _permitted(session, request, key.policy, owner, delegates=False):
        _refuse(handler, session, action, key.arn, "no policy of the role or the key allows it")


def _permitted(session: Session, request: Request, policy: str | None, owner: str, *, delegates: bool = True) -> bool:
    """Judge a request by the role's, the session's and the resource's policies.

    Args:
        session: the caller.
        request: what is asked.
        policy: the resource's own policy, or None.
        owner: the account that the resource belongs to.
        delegates: whether the owner's IAM policies alone may allow it; keys must say so themselves.
    """
    own = judge_all(_policies_of(session), request)
    theirs = Answer.SILENT if policy is None else judge(policy, request)
    if Answer.DENY in (own, theirs):
        return False
    if session.policy is not None and judge(session.policy, request) is not Answer.ALLOW:
        return False
    if session.account != owner or not delegates:
        directly = Request(request.action, request.resource, frozenset({session.role, session.arn}), request.context)
        if session.account == owner and policy is not None and judge(policy, directly) is Answer.ALLOW:
            return True
        return own is Answer.ALLOW and theirs is Answer.ALLOW
    return Answer.ALLOW in (own, theirs)


def _default_key(bucket: Any) -> str | None:
    rule = (bucket.encryption or {}).get("Rule", {})
    rule = rule[0] if isinstance(rule, list) else rule
    return cast("str | None", rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID"))


class _S3Refusal(S3ClientError):
    """S3's answer to a call that is not allowed."""

    status_code = 403

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code


def _refuse(handler: Any, session: Session, action: str, resource: str, reason: str) -> None:
    """Raise the refusal in the form in which the called service writes errors."""
    where = f' on resource: "{resource}"' if resource else ""
    message = f"User: {session.arn} is not authorized to perform: {action}{where} because {reason}"
    if handler.service_name == "s3":
        raise _S3Refusal("AccessDenied", message)
    if handler.headers.get("X-Amz-Target") or handler.service_name in SPEAK_JSON:
        raise JsonRESTError("AccessDeniedException", message)
    raise AccessDeniedError(session.arn, f"{action}{where} because {reason}")


def _permission_for_everyone(self: Any, action: str, resource: str) -> Any:
    """What a bucket's policy says to everybody alike; statements about somebody are judged with the caller known."""
    from moto.iam.access_control import PermissionResult

    answers = {Answer.ALLOW: PermissionResult.PERMITTED, Answer.DENY: PermissionResult.DENIED}
    policy = self.policy.decode() if self.policy else "{}"
    plain = {"Statement": [one for one in statements(policy) if is_about_everyone(one)]}
    return answers.get(judge(plain, Request(action, resource)), PermissionResult.NEUTRAL)


def _resource_of(handler: Any, service: str, session: Session) -> str:
    """The ARN that a call is about, where its parameters say so; empty otherwise."""
    try:
        maker = RESOURCES.get(service)
        return "" if maker is None else maker(_parameters(handler), f"{handler.region}:{session.account}", handler)
    except (KeyError, ValueError, TypeError, IndexError):
        return ""


def _parameters(handler: Any) -> Mapping[str, Any]:
    body = handler.body
    if isinstance(body, (str, bytes)) and body[:1] in ("{", b"{"):
        return cast(Mapping[str, Any], json.loads(body))
    return {name: values[0] for name, values in handler.querystring.items()}


def _stack(given: Mapping[str, Any], place: str, handler: Any) -> str:
    name = given.get("StackName")
    if not name:
        return ""
    return name if name.startswith("arn:") else f"arn:aws:cloudformation:{place}:stack/{name}/*"


def _function(given: Mapping[str, Any], place: str, handler: Any) -> str:
    parts = unquote(handler.path).split("/functions/", 1)
    name = parts[1].split("/")[0] if len(parts) == 2 else ""
    return name if not name or name.startswith("arn:") else f"arn:aws:lambda:{place}:function:{name}"


def _log_group(given: Mapping[str, Any], place: str, handler: Any) -> str:
    return f"arn:aws:logs:{place}:log-group:{given['logGroupName']}:*" if "logGroupName" in given else ""


def _deployment_group(given: Mapping[str, Any], place: str, handler: Any) -> str:
    if "applicationName" not in given:
        return ""
    if "deploymentGroupName" in given:
        return f"arn:aws:codedeploy:{place}:deploymentgroup:{given['applicationName']}/{given['deploymentGroupName']}"
    return f"arn:aws:codedeploy:{place}:application:{given['applicationName']}"


def _project(given: Mapping[str, Any], place: str, handler: Any) -> str:
    name = given["projectName"] if "projectName" in given else given["ids"][0].split(":build/")[-1].rsplit(":", 1)[0]
    return f"arn:aws:codebuild:{place}:project/{name}"


RESOURCES: dict[str, Callable[[Mapping[str, Any], str, Any], str]] = {
    "cloudformation": _stack,
    "codebuild": _project,
    "codecommit": lambda given, place, _: f"arn:aws:codecommit:{place}:{given['repositoryName']}",
    "codedeploy": _deployment_group,
    "codepipeline": lambda given, place, _: f"arn:aws:codepipeline:{place}:{given['name']}",
    "lambda": _function,
    "logs": _log_group,
    "sns": lambda given, place, _: str(given["TopicArn"]),
    "states": lambda given, place, _: str(given["stateMachineArn"]),
    "ecr": lambda given, place, _: f"arn:aws:ecr:{place}:repository/{given['repositoryName']}",
}
"""What a call is about, by service, for policies that name resources; moto itself knows it for S3, IAM, STS and SQS."""
