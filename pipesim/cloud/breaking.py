"""Put a fault into a healthy account, for exercises, and put it right again.

Every fault is a change of the mocked account that people make for real: a policy, a key, a deleted project, a closed
transition. Where it goes is chosen by a seed; `Broken` keeps it to itself until asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipesim.cloud.artifacts import pack
from pipesim.cloud.estate import Estate, owner_of, stand_up
from pipesim.cloud.explanation import Cause
from pipesim.cloud.sample_source import HANDLER
from pipesim.cloud.workers import JobWorker
from pipesim.definition.model import Action, ActionTypeId, Pipeline, Stage
from pipesim.engine.commands import Break, Repair
from pipesim.errors import PipesimError
from pipesim.vocabulary import ActionCategory, ExecutionMode, PipelineExecutionStatus

if TYPE_CHECKING:
    from pipesim.cloud.account import Account, PipelineRecord

SILENT = b'"""A function that forgets its job."""\n\n\ndef handler(event, context):\n    print("done")\n'
NEEDED = {
    "CodeBuild": "codebuild:StartBuild",
    "CodeCommit": "codecommit:UploadArchive",
    "CodeDeploy": "codedeploy:CreateDeployment",
    "Lambda": "lambda:InvokeFunction",
}
"""A permission that an action cannot do without, by provider."""


@dataclass(eq=False)
class Broken:
    """A fault in the account.

    Attributes:
        fault: its name, one of `FAULTS`.
        pipeline: the pipeline's name.
        execution: the execution that shows it; "" before one was started.
        cause: what `explain` should find.
    """

    fault: str
    pipeline: str
    execution: str
    cause: Cause
    _secret: str
    _undo: Callable[[], None]
    _repaired: bool = False

    def reveal(self) -> str:
        """Say what was done to the account."""
        return self._secret

    def repair(self) -> None:
        """Put it right; without effect the second time. A failed stage still wants its retry."""
        if not self._repaired:
            self._repaired = True
            self._undo()

    def __repr__(self) -> str:
        return f"Broken(pipeline={self.pipeline!r}, execution={self.execution!r}, repaired={self._repaired})"


class Saboteur:
    """Who breaks things: in one account and pipeline, with luck from a seed.

    Args:
        account: the mocked account.
        record: the healthy pipeline.
        seed: the number that the place is chosen by.
    """

    def __init__(self, account: Account, record: PipelineRecord, seed: int) -> None:
        self.account = account
        self.record = record
        self.luck = Random(f"{seed}/{record.name}")
        self.watched: str | None = None

    @property
    def pipeline(self) -> Pipeline:
        """The declaration in force."""
        return self.record.pipeline

    def choose(self, provider: str) -> tuple[Stage, Action]:
        """Choose an action of a provider.

        Raises:
            PipesimError: the pipeline has none.
        """
        found = [(stage, action) for stage, action in self.pipeline.actions() if action.provider == provider]
        if not found:
            raise PipesimError(f"pipeline '{self.record.name}' has no action of {provider} to break")
        return self.luck.choice(found)

    def of(self, action: Action, service: str) -> Any:
        """A client that may do everything where an action works."""
        return Estate(self.account, self.pipeline).of(action, service)

    def start(self) -> str:
        """Start an execution and return its id."""
        answer = self.account.client("codepipeline").start_pipeline_execution(name=self.record.name)
        return str(answer["pipelineExecutionId"])

    def wait(self, execution: str) -> None:
        """Let time pass until an execution is over or stands before a stage."""
        env, simulation = self.account.env, self.record.simulation
        env.run_while(
            lambda: (
                simulation.state.executions[execution].status is PipelineExecutionStatus.IN_PROGRESS
                and not simulation.state.executions[execution].waiting
            )
        )

    def insert(self, action: Action) -> Stage:
        """Add an action at the end of a stage, none of the sources', and return the stage."""
        place = self.luck.randrange(1, len(self.pipeline.stages))
        stage = self.pipeline.stages[place]
        last = max(one.run_order for one in stage.actions)
        stage = replace(stage, actions=(*stage.actions, replace(action, run_order=last + 1)))
        stages = (*self.pipeline.stages[:place], stage, *self.pipeline.stages[place + 1 :])
        changed = replace(self.pipeline, stages=stages)
        stand_up(Estate(self.account, changed), stage.actions[-1])
        self.account.client("codepipeline").update_pipeline(pipeline=changed.to_document())
        return stage


Made = tuple[str, Callable[[], None]]


def _permission(saboteur: Saboteur) -> Made:
    able = [(stage, one) for stage, one in saboteur.pipeline.actions() if one.provider in NEEDED]
    if not able:
        raise PipesimError(f"pipeline '{saboteur.record.name}' has no action whose permission could be taken")
    stage, action = saboteur.luck.choice(able)
    permission = NEEDED[action.provider]
    arn = action.role_arn or saboteur.pipeline.role_arn
    role, iam = arn.rsplit("/", 1)[-1], Estate(saboteur.account, saboteur.pipeline).client("iam", owner=owner_of(arn))
    before: dict[str, Any] = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        document = json.loads(document) if isinstance(document, str) else document
        before[name] = json.dumps(document)
        for statement in document["Statement"]:
            listed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [one for one in listed if one != permission]
        document["Statement"] = [one for one in document["Statement"] if one["Action"]]
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    def undo() -> None:
        for name, document in before.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    return f"{role} lost {permission}, which {stage.name}/{action.name} needs", undo


def _bucket_policy(saboteur: Saboteur) -> Made:
    bucket, region = _bucket(saboteur)
    s3 = saboteur.account.client("s3", region)
    before = None
    with suppress(ClientError):
        before = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    denied = saboteur.luck.choice(("s3:PutObject", "s3:GetObject"))
    statement = {
        "Sid": "DenyByMistake",
        "Effect": "Deny",
        "Principal": {"AWS": saboteur.pipeline.role_arn},
        "Action": denied,
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    document = json.loads(before) if before else {"Version": "2012-10-17", "Statement": []}
    document["Statement"] = [*document["Statement"], statement]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))

    def undo() -> None:
        if before is None:
            s3.delete_bucket_policy(Bucket=bucket)
        else:
            s3.put_bucket_policy(Bucket=bucket, Policy=before)

    return f"the policy of bucket {bucket} denies {denied} to the pipeline's role", undo


def _bucket(saboteur: Saboteur) -> tuple[str, str]:
    """The artifact bucket of the account's own region."""
    home = saboteur.account.region
    store = saboteur.pipeline.artifact_stores.get(home) or saboteur.pipeline.artifact_store
    assert store is not None
    return store.location, home


def _kms(saboteur: Saboteur) -> Made:
    bucket, region = _bucket(saboteur)
    s3, kms = saboteur.account.client("s3", region), saboteur.account.client("kms", region)
    before = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    store = saboteur.pipeline.artifact_stores.get(region) or saboteur.pipeline.artifact_store
    named = store.encryption_key.id if store is not None and store.encryption_key is not None else None
    anybody_here = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:CallerAccount": saboteur.account.id}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody_here]})
    key = named or kms.create_key(Description="Artifacts", Policy=policy)["KeyMetadata"]["Arn"]
    if named is None:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        s3.put_bucket_encryption(
            Bucket=bucket,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
        )
    key_id = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key_id)

    def undo() -> None:
        kms.enable_key(KeyId=key_id)
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=before)

    return f"key {key} of bucket {bucket} is disabled", undo


def _artifact(saboteur: Saboteur) -> Made:
    """Behind the sources, an artifact is given another name in its bucket, as clearing up by hand does."""
    _, enable = _transition_early(saboteur)
    saboteur.watched = saboteur.start()
    saboteur.wait(saboteur.watched)
    stages = saboteur.pipeline.stages
    there = saboteur.record.simulation.executions[saboteur.watched].artifacts
    wanted = sorted({name for one in stages[1].actions for name in one.input_artifacts if name in there})
    if not wanted:
        enable()
        raise PipesimError(f"stage '{stages[1].name}' of pipeline '{saboteur.record.name}' reads no source artifact")
    name = saboteur.luck.choice(wanted)
    key, (bucket, region) = there[name], _bucket(saboteur)
    s3 = saboteur.account.client("s3", region)
    s3.copy_object(Bucket=bucket, Key=f"{key}.old", CopySource={"Bucket": bucket, "Key": key})
    marker = s3.delete_object(Bucket=bucket, Key=key)["VersionId"]
    enable()
    return (
        f"the object of artifact {name}, s3://{bucket}/{key}, is called {key}.old now",
        lambda: s3.delete_object(Bucket=bucket, Key=key, VersionId=marker),
    )


def _configuration(saboteur: Saboteur) -> Made:
    stage, action = saboteur.choose("CodeBuild")
    codebuild = saboteur.of(action, "codebuild")
    name = action.configuration["ProjectName"].split(":project/")[-1]
    before = codebuild.batch_get_projects(names=[name])["projects"][0]
    codebuild.delete_project(name=name)
    members = ("name", "source", "artifacts", "environment", "serviceRole")
    return (
        f"project {name}, which {stage.name}/{action.name} names, is deleted",
        lambda: codebuild.create_project(**{member: before[member] for member in members}),
    )


def _transition(saboteur: Saboteur) -> Made:
    stage = saboteur.luck.choice(saboteur.pipeline.stages[1:])
    client = saboteur.account.client("codepipeline")
    place = {"pipelineName": saboteur.record.name, "stageName": stage.name, "transitionType": "Inbound"}
    client.disable_stage_transition(**place, reason="Closed for the weekend")
    return f"the transition into {stage.name} is disabled", lambda: client.enable_stage_transition(**place)


def _superseded(saboteur: Saboteur) -> Made:
    if saboteur.pipeline.execution_mode != ExecutionMode.SUPERSEDED:
        raise PipesimError(f"pipeline '{saboteur.record.name}' runs in mode {saboteur.pipeline.execution_mode}")
    secret, enable = _transition_early(saboteur)
    saboteur.watched = saboteur.start()
    saboteur.wait(saboteur.watched)
    saboteur.wait(saboteur.start())
    enable()
    return f"{secret} until a newer execution had taken the place of the one that waited there", lambda: None


def _transition_early(saboteur: Saboteur) -> Made:
    """Close the door behind the sources: nobody has to approve before executions stand there."""
    stage, client = saboteur.pipeline.stages[1], saboteur.account.client("codepipeline")
    place = {"pipelineName": saboteur.record.name, "stageName": stage.name, "transitionType": "Inbound"}
    client.disable_stage_transition(**place, reason="One moment")
    return f"the transition into {stage.name} was closed", lambda: client.enable_stage_transition(**place)


def _quota(saboteur: Saboteur) -> Made:
    stage, action = saboteur.choose("CodeBuild")
    pool = saboteur.account.pools["builds"]
    held = [pool.request() for _ in range(int(pool.capacity))]

    def undo() -> None:
        for one in held:
            if one.triggered:
                pool.release(one)
            else:
                one.cancel()

    return f"builds of other teams hold all {pool.capacity} places; {stage.name}/{action.name} finds none", undo


def _approval(saboteur: Saboteur) -> Made:
    found = [(stage.name, action.name) for stage, action in saboteur.pipeline.actions() if action.is_approval]
    if not found:
        approval = Action("Nod", ActionTypeId(ActionCategory.APPROVAL, "AWS", "Manual", "1"))
        found = [(saboteur.insert(approval).name, "Nod")]

    def approve() -> None:
        client = saboteur.account.client("codepipeline")
        for stage in client.get_pipeline_state(name=saboteur.record.name)["stageStates"]:
            for action in stage["actionStates"]:
                if token := action.get("latestExecution", {}).get("token"):
                    client.put_approval_result(
                        pipelineName=saboteur.record.name,
                        stageName=stage["stageName"],
                        actionName=action["actionName"],
                        result={"summary": "Checked", "status": "Approved"},
                        token=token,
                    )

    return f"nobody answers the approval {'/'.join(found[0])}", approve


def _worker(saboteur: Saboteur) -> Made:
    """A custom action that nobody works on; workers that are hired already are left alone."""
    action = Action("Scan", ActionTypeId(ActionCategory.TEST, "Custom", "Scanner", "1"))
    stage = saboteur.insert(action)
    worker = JobWorker(saboteur.account, action.category, action.provider)
    return f"no worker polls for {action.provider} ({stage.name}/{action.name})", worker.start


def _handler(saboteur: Saboteur) -> Made:
    functions = [(stage, one) for stage, one in saboteur.pipeline.actions() if one.provider == "Lambda"]
    if functions:
        stage, action = saboteur.luck.choice(functions)
    else:
        given = {"FunctionName": f"{saboteur.record.name}-check"[:64]}
        action = Action("Check", ActionTypeId(ActionCategory.INVOKE, "AWS", "Lambda", "1"), configuration=given)
        stage = saboteur.insert(action)
        role = saboteur.pipeline.role_arn
        allowed = {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "lambda:ListFunctions"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam = saboteur.account.client("iam")
        iam.put_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyName="pipesim-check", PolicyDocument=policy)
    lambda_ = saboteur.of(action, "lambda")
    name = action.configuration["FunctionName"]
    lambda_.update_function_code(FunctionName=name, ZipFile=pack({"app.py": SILENT}))

    def undo() -> None:
        lambda_.update_function_code(FunctionName=name, ZipFile=pack({"app.py": HANDLER}))

    return f"function {name} ({stage.name}/{action.name}) never reports the end of its job", undo


def _work(saboteur: Saboteur) -> Made:
    stage, action = saboteur.choose("CodeBuild")
    saboteur.record.simulation.send(
        Break(stage.name, action.name, message="Error while executing command: make test. Reason: exit status 1")
    )

    def undo() -> None:
        saboteur.record.simulation.send(Repair(stage.name, action.name))

    return f"the tests of {stage.name}/{action.name} fail", undo


FAULTS: dict[str, tuple[Cause, Callable[[Saboteur], Made]]] = {
    "permission": (Cause.PERMISSION, _permission),
    "artifact name": (Cause.ARTIFACT, _artifact),
    "bucket policy": (Cause.BUCKET_POLICY, _bucket_policy),
    "KMS key": (Cause.KMS_KEY, _kms),
    "configuration": (Cause.CONFIGURATION, _configuration),
    "approval waiting": (Cause.APPROVAL_WAITING, _approval),
    "transition disabled": (Cause.TRANSITION_DISABLED, _transition),
    "superseded": (Cause.SUPERSEDED, _superseded),
    "quota exhausted": (Cause.QUOTA, _quota),
    "worker absent": (Cause.WORKER_ABSENT, _worker),
    "handler never answered": (Cause.HANDLER_SILENT, _handler),
    "work failed": (Cause.WORK_FAILED, _work),
}
"""Every fault that can be put into an account: what `explain` should find, and who makes it."""


def break_(account: Account, fault: str, pipeline: str | Pipeline | PipelineRecord, *, seed: int = 0) -> Broken:
    """Put a fault into a healthy account and start an execution that meets it.

    Time does not pass, except for ``superseded``: let it, and ask `explain`.

    Args:
        account: the mocked account.
        fault: one of `FAULTS`.
        pipeline: the pipeline or its name.
        seed: the number that the place is chosen by.

    Raises:
        PipesimError: there is no such fault or pipeline, or the pipeline has nothing that could break so.
    """
    from pipesim.cloud.explain import find

    if fault not in FAULTS:
        raise PipesimError(f"unknown fault {fault!r} (must be one of {', '.join(FAULTS)})")
    home, record = find(account, pipeline)
    cause, make = FAULTS[fault]
    saboteur = Saboteur(home, record, seed)
    secret, undo = make(saboteur)
    return Broken(fault, record.name, saboteur.watched or saboteur.start(), cause, secret, undo)
