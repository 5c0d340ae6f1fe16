"""Compare an action's error with the account: which policy, key, object or name stands behind it.

Source: AWS CodePipeline User Guide, "Troubleshooting CodePipeline"; AWS Identity and Access Management User
Guide, "Policy evaluation logic".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipesim.cloud.explanation import Cause, Certainty
from pipesim.cloud.permissions import own_answer, trusts
from pipesim.cloud.policies import Answer, Request, judge
from pipesim.definition.model import Action, ArtifactStore
from pipesim.vocabulary import FailureType

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

REFUSED = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<permission>[\w-]+:\w+)"
    r"(?: on resource: \"?(?P<resource>[^\s\"]*[^\s\".,]))?"
)
ASSUMED = re.compile(r"AssumeRole on (?:role|resource:?) (?P<role>arn:\S+)")
SAID_OF_ARTIFACTS = re.compile(
    r"input artifact|artifact paths|secondary.artifact|UPLOAD_ARTIFACTS|archive is malformed"
    r"|(?:does not exist|not found|missing)[^.]* in (?:the )?(?:input )?artifact|appspec",
    re.IGNORECASE,
)
SAID_OF_QUOTAS = re.compile(r"AccountLimitExceeded|LimitExceeded|Cannot have more than|quota", re.IGNORECASE)
SAID_OF_CONNECTIONS = re.compile(r"connection\b.*(?:pending|not available|not be available|handshake)", re.IGNORECASE)
SAID_OF_MISSING = re.compile(
    r"does not exist|cannot be found|not found|no such|DoesNotExist|must be|invalid", re.IGNORECASE
)
SAID_OF_TIME = re.compile(r"did not end within|not answered within|no result|timed? ?out", re.IGNORECASE)


LIST_BUILDS = "aws codebuild list-builds --sort-order DESCENDING"


def log_of(function: str) -> str:
    """Return the command that shows what a function has printed."""
    name = function.split(":function:")[-1].split(":")[0]
    return f"aws logs filter-log-events --log-group-name {shlex.quote(f'/aws/lambda/{name}')}"


def where(account: Account, action: Action) -> str:
    """Return the option of a command that says where an action works; empty where that goes without saying."""
    return _at(action.region or account.region)


def _at(region: str) -> str:
    return "" if region == "us-east-1" else f" --region {region}"


def _named(given: Mapping[str, str], key: str, before: str) -> str:
    """The name in a configuration that may hold an ARN instead."""
    return given.get(key, "").split(before)[-1]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The likely cause of an action's error.

    Attributes:
        cause: the likely cause.
        certainty: how sure that is.
        evidence: what was looked at, one sentence each.
        next_step: what to do, one sentence.
        command: the command that does it, or shows more; "" when the retry alone does.
    """

    cause: Cause
    certainty: Certainty
    evidence: tuple[str, ...]
    next_step: str
    command: str = ""


def diagnose(
    account: Account, record: PipelineRecord, execution: str, stage: str, action: Action, code: str, message: str
) -> Diagnosis:
    """Say why an action failed.

    Args:
        account: the mocked account.
        record: the pipeline.
        execution: the execution's id.
        stage: the stage's name.
        action: the failed action.
        code: its error code.
        message: its error message.
    """
    if action.is_approval:
        return Diagnosis(
            Cause.APPROVAL_REJECTED,
            Certainty.CERTAIN,
            ("the approval was not given",),
            "Speak with who decided, and put right what was objected to.",
        )
    if SAID_OF_CONNECTIONS.search(message):
        arn = action.configuration.get("ConnectionArn", "ARN")
        return Diagnosis(
            Cause.CONNECTION,
            Certainty.LIKELY,
            (f"the action uses connection {arn}",),
            "Complete the connection's handshake in the console.",
            f"aws codeconnections get-connection --connection-arn {arn}" + where(account, action),
        )
    if "KMS." in message or re.search(r"to perform: kms:", message):
        return _key(account, record, message)
    if (refused := REFUSED.search(message)) or (ASSUMED.search(message) or code == FailureType.PERMISSION_ERROR):
        return _refusal(account, record, action, message, refused)
    if SAID_OF_QUOTAS.search(message):
        return Diagnosis(
            Cause.QUOTA,
            Certainty.LIKELY,
            ("the message speaks of a limit of the account",),
            "Wait until others are done, or ask for a higher quota.",
            LIST_BUILDS + where(account, action),
        )
    if SAID_OF_ARTIFACTS.search(message):
        return _artifact(account, record, execution, action)
    if action.provider == "Lambda" and SAID_OF_TIME.search(message):
        function = action.configuration.get("FunctionName", "")
        return Diagnosis(
            Cause.HANDLER_SILENT,
            Certainty.LIKELY,
            (f"function {function} reported no result for its job before the time was over",),
            "Let the handler call PutJobSuccessResult or PutJobFailureResult on every path.",
            log_of(function) + where(account, action),
        )
    if action.type.owner == "Custom" and SAID_OF_TIME.search(message):
        return Diagnosis(
            Cause.WORKER_ABSENT,
            Certainty.LIKELY,
            (f"nobody reported a result for the job of {action.provider} before the time was over",),
            "Start the job worker.",
        )
    if code in (FailureType.CONFIGURATION_ERROR, "ConfigurationError") or SAID_OF_MISSING.search(message):
        return _configuration(account, action, code)
    if code == FailureType.SYSTEM_UNAVAILABLE:
        return Diagnosis(Cause.SERVICE, Certainty.LIKELY, ("the service was unavailable",), "Wait a little.")
    return _work(account, record, execution, stage, action)


def _stores(record: PipelineRecord) -> Iterator[ArtifactStore]:
    pipeline = record.pipeline
    yield from pipeline.artifact_stores.values()
    if pipeline.artifact_store is not None:
        yield pipeline.artifact_store


def _key(account: Account, record: PipelineRecord, message: str) -> Diagnosis:
    found = re.search(r"arn:aws:kms:[\w:/-]+", message)
    key = found[0] if found else "KEY"
    evidence = [f"an object of {', '.join(store.location for store in _stores(record))} is under key {key}"]
    step, command = "Let the key's policy and the role's allow the use of the key.", ""
    if found:
        id, there = key.split(":key/")[-1], _at(key.split(":")[3])
        command = f"aws kms get-key-policy --key-id {id} --policy-name default" + there
        try:
            state = account.client("kms", key.split(":")[3]).describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        except ClientError as error:
            state = error.response["Error"]["Code"]
        evidence.append(f"the key's state is {state}")
        if state == "Disabled":
            step, command = "Enable the key.", f"aws kms enable-key --key-id {id}" + there
        elif state == "PendingDeletion":
            step = "Cancel the key's deletion and enable it."
            command = f"aws kms cancel-key-deletion --key-id {id}" + there
    return Diagnosis(Cause.KMS_KEY, Certainty.CERTAIN if found else Certainty.LIKELY, tuple(evidence), step, command)


def _refusal(
    account: Account, record: PipelineRecord, action: Action, message: str, refused: re.Match[str] | None
) -> Diagnosis:
    role = action.role_arn or record.pipeline.role_arn
    if refused is None:
        assumed = ASSUMED.search(message)
        role = assumed["role"] if assumed else role
        trusted = trusts(role, "codepipeline.amazonaws.com")
        return Diagnosis(
            Cause.PERMISSION,
            Certainty.LIKELY if trusted else Certainty.CERTAIN,
            (f"role {role} {'trusts' if trusted else 'does not exist or does not trust'} CodePipeline",),
            "Let the role exist and trust who must assume it, and give it what the action needs.",
            f"aws iam get-role --role-name {role.rsplit('/', 1)[-1]}",
        )
    permission, resource = refused["permission"], refused["resource"] or ""
    role = _role_of(account, refused["who"], role)
    name = role.rsplit("/", 1)[-1]
    own = own_answer(role, permission, resource)
    found = _bucket_policy(account, role, permission, resource) if permission.startswith("s3:") else None
    if found is Answer.DENY or (found is not None and own is Answer.ALLOW):
        bucket = resource.rsplit(":::", 1)[-1].partition("/")[0]
        says = "denies" if found is Answer.DENY else "does not allow"
        return Diagnosis(
            Cause.BUCKET_POLICY,
            Certainty.CERTAIN if found is Answer.DENY else Certainty.LIKELY,
            (
                f"the policy of bucket {bucket} {says} {permission} to {role}",
                f"the role's own policies say {own.value or 'nothing'}",
            ),
            "Correct the bucket's policy.",
            f"aws s3api get-bucket-policy --bucket {bucket}",
        )
    words = {Answer.DENY: "deny", Answer.SILENT: "do not allow", Answer.ALLOW: "allow"}[own]
    return Diagnosis(
        Cause.PERMISSION,
        Certainty.POSSIBLE if own is Answer.ALLOW else Certainty.CERTAIN,
        (f"{role} was refused {permission} on {resource or '*'}", f"the role's policies {words} it now"),
        f"Give {name} the permission {permission}" + (" and take the denial away." if own is Answer.DENY else "."),
        f"aws iam simulate-principal-policy --policy-source-arn {role} --action-names {permission}"
        + (f" --resource-arns {shlex.quote(resource)}" if resource else "")
        if own is Answer.ALLOW
        else f"aws iam put-role-policy --role-name {name} --policy-name added --policy-document"
        f' \'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{permission}",'
        f'"Resource":"{resource or "*"}"}}]}}\'',
    )


def _role_of(account: Account, caller: str, otherwise: str) -> str:
    """The ARN of the role behind the name of a session."""
    parts = caller.split("/")
    if ":assumed-role/" not in caller or otherwise.rsplit("/", 1)[-1] == parts[1]:
        return otherwise
    try:
        return str(account.client("iam").get_role(RoleName=parts[1])["Role"]["Arn"])
    except ClientError:
        return otherwise


def _bucket_policy(account: Account, role: str, permission: str, resource: str) -> Answer | None:
    """What the bucket's policy says; None when it has none."""
    bucket = resource.rsplit(":::", 1)[-1].partition("/")[0]
    try:
        policy = account.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    except ClientError:
        return None
    owner = role.split(":")[4]
    who = frozenset({role, owner, f"arn:aws:iam::{owner}:root"})
    context = {"aws:PrincipalArn": role, "aws:PrincipalAccount": owner, "aws:SecureTransport": "true"}
    return judge(policy, Request(permission, resource, who, context))


def _artifact(account: Account, record: PipelineRecord, execution: str, action: Action) -> Diagnosis:
    evidence = []
    keys = record.simulation.executions[execution].artifacts if execution in record.simulation.executions else {}
    store = record.pipeline.artifact_stores.get(action.region or account.region) or record.pipeline.artifact_store
    for name in action.input_artifacts:
        if name in keys and store is not None:
            try:
                account.client("s3", action.region).head_object(Bucket=store.location, Key=keys[name])
                evidence.append(f"input artifact {name} is there: s3://{store.location}/{keys[name]}")
            except ClientError:
                evidence.append(f"input artifact {name} is gone: s3://{store.location}/{keys[name]}")
    missing = any("is gone" in fact for fact in evidence)
    return Diagnosis(
        Cause.ARTIFACT,
        Certainty.CERTAIN if missing else Certainty.LIKELY,
        tuple(evidence) or ("the message speaks of an artifact",),
        "Run the stage that makes the artifact again, and keep artifacts long enough."
        if missing
        else "Compare the names of files and artifacts in the buildspec or AppSpec with what the pipeline declares.",
        f"aws s3 ls s3://{store.location}/ --recursive" if store is not None else "",
    )


def _configuration(account: Account, action: Action, code: str) -> Diagnosis:
    set_to = [f"{key} is set to {value!r}" for key, value in action.configuration.items()]
    return Diagnosis(
        Cause.CONFIGURATION,
        Certainty.CERTAIN if code == FailureType.CONFIGURATION_ERROR else Certainty.LIKELY,
        tuple(set_to[:4]) or ("the action has no configuration",),
        "Compare the action's configuration with what exists; correct the one or make the other.",
        shows + where(account, action) if (shows := _showing(action)) else "",
    )


def _showing(action: Action) -> str:
    """The command that shows what an action's configuration names."""
    make = COMMANDS.get(action.provider)
    return make(action.configuration) if make is not None else ""


COMMANDS = {
    "CodeBuild": lambda given: f"aws codebuild batch-get-projects --names {_named(given, 'ProjectName', ':project/')}",
    "Lambda": lambda given: f"aws lambda get-function --function-name {_named(given, 'FunctionName', ':function:')}",
    "CodeDeploy": lambda given: (
        f"aws deploy get-deployment-group --application-name {given.get('ApplicationName', '')}"
        f" --deployment-group-name {given.get('DeploymentGroupName', '')}"
    ),
    "CodeCommit": lambda given: (
        f"aws codecommit get-branch --repository-name {given.get('RepositoryName', '')}"
        f" --branch-name {given.get('BranchName', '')}"
    ),
    "S3": lambda given: f"aws s3api head-bucket --bucket {given.get('S3Bucket') or given.get('BucketName', '')}",
}
"""The command that shows what a provider's configuration names."""


def _work(account: Account, record: PipelineRecord, execution: str, stage: str, action: Action) -> Diagnosis:
    latest = record.simulation.state.stage(stage).action(action.name).latest
    shows = (
        f"aws codepipeline list-action-executions --pipeline-name {record.name}"
        f" --filter pipelineExecutionId={execution}" + _at(account.region)
    )
    if action.provider == "CodeBuild" and latest is not None and latest.execution == execution and latest.external_id:
        batch = action.configuration.get("BatchEnabled", "").lower() == "true"
        operation = "batch-get-build-batches" if batch else "batch-get-builds"
        shows = f"aws codebuild {operation} --ids {latest.external_id}" + where(account, action)
    return Diagnosis(
        Cause.WORK_FAILED,
        Certainty.LIKELY,
        (f"{action.provider} ran and reported a failure; nothing in the account stands in its way",),
        "Read the log of the run, and correct the code.",
        shows,
    )
