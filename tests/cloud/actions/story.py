"""Small stories on the mocked account: a pipeline of a source and one action, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption
from pipesim.cloud.artifacts import Archive, pack
from pipesim.engine.commands import Retry, Start
from pipesim.engine.simulation import Simulation
from pipesim.trace.events import EventKind
from pipesim.trace.state import ActionExecution
from tests.cloud.standin import BUCKET, StandIn, action, document

if TYPE_CHECKING:
    from pipesim.cloud.account import Account

AnyAccount: TypeAlias = "StandIn | Account"

BASE = (
    "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl", "s3:GetBucketVersioning",
    "s3:GetBucketAcl", "s3:GetBucketLocation",
)  # fmt: skip
SOURCE = {
    "name": "Fetch",
    "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
    "configuration": {"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
    "outputArtifacts": [{"name": "Code"}],
}
FILES = {"index.html": b"<p>hello</p>", "buildspec.yml": b"version: 0.2\n", "nested/config.json": b"{}"}


def source_bucket(account: AnyAccount, body: bytes | None = None, name: str = "source") -> str:
    """A versioned bucket with one object; return the object's version."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    body = pack(FILES) if body is None else body
    return str(s3.put_object(Bucket=name, Key="app.zip", Body=body)["VersionId"])


def allow(account: AnyAccount, *actions: str, resource: str | list[str] = "*", role: str = "pipeline") -> None:
    """Let the role do these things and nothing else."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("iam").put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=policy)


def make(
    account: StandIn, *actions: dict[str, Any], source: Mapping[str, Any] = SOURCE, **assumed: ActionAssumption
) -> Simulation:
    """A pipeline of a source and these actions; `assumed`: what is assumed of an action, by its name."""
    return account.create(document(*actions, source=dict(source)), actions=assumed)


def lasting(seconds: float) -> ActionAssumption:
    return ActionAssumption(duration=Constant(seconds))


def go(account: StandIn, sim: Simulation, seconds: float = 3600, **members: Any) -> str:
    """Start an execution and let time pass."""
    execution = sim.send(Start(trigger_type="StartPipelineExecution", **members))
    assert execution is not None
    account.advance(seconds)
    return execution


def retry(account: StandIn, sim: Simulation, execution: str, stage: str = "Work", seconds: float = 3600) -> None:
    sim.send(Retry(stage, execution))
    account.advance(seconds)


def ending(sim: Simulation, stage: str = "Work", name: str = "Do") -> ActionExecution:
    """The newest execution of an action."""
    latest = next(one for one in sim.state.stage(stage).actions if one.name == name).latest
    assert latest is not None
    return latest


def status(sim: Simulation, execution: str) -> str:
    return sim.state.executions[execution].status.value


def outputs(sim: Simulation, action: str = "Do") -> list[dict[str, str]]:
    """The artifact keys of every success of an action."""
    return [
        dict(event.detail.get("outputs", {}))
        for event in sim.trace
        if event.kind is EventKind.ACTION_SUCCEEDED and event.action == action
    ]


def body(account: AnyAccount, key: str, bucket: str = BUCKET) -> bytes:
    return bytes(account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def files_of(account: AnyAccount, key: str) -> dict[str, bytes]:
    return dict(Archive(body(account, key)).files())


__all__ = [
    "BASE", "FILES", "SOURCE", "action", "allow", "body", "ending", "files_of", "go", "lasting", "make", "outputs",
    "retry", "source_bucket", "status",
]  # fmt: skip


def lacks_and_heals(account: StandIn, sim: Simulation, execution: str, taken: str, needed: Iterable[str]) -> None:
    """The action failed for want of one permission, says which, and works when it has them all and is retried."""
    assert (status(sim, execution), ending(sim).code) == ("Failed", "PermissionError")
    assert f"is not authorized to perform: {taken}" in ending(sim).message
    allow(account, *BASE, *needed)
    retry(account, sim, execution)
    assert status(sim, execution) == "Succeeded"


def loses_its_input(account: StandIn, sim: Simulation, execution: str) -> None:
    """The input artifact is gone from the bucket when the action is retried, and the action says so."""
    account.client("s3").delete_object(Bucket=BUCKET, Key=sim.executions[execution].artifacts["Code"])
    retry(account, sim, execution)
    assert (ending(sim).code, "NoSuchKey" in ending(sim).message) == ("ConfigurationError", True)
