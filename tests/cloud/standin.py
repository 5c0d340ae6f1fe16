"""A small account for tests of single rooms: an engine for each pipeline on one clock, moto for the rest."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections import ChainMap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import time_machine
from moto import mock_aws

from pipesim.assumptions.arrivals import At
from pipesim.assumptions.model import ActionAssumption, Approver, Assumptions
from pipesim.cloud import gaps, permissions
from pipesim.cloud.actions import Behaviours
from pipesim.cloud.codepipeline.custom_types import CustomTypes
from pipesim.cloud.codepipeline.jobs import Jobs
from pipesim.cloud.codepipeline.webhooks import Webhooks
from pipesim.definition.document import parse_document
from pipesim.engine.clock import Clock
from pipesim.engine.commands import Start
from pipesim.engine.outcome import Outcome
from pipesim.engine.simulation import Simulation

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/pipeline"
BUCKET = "artifacts-of-tests"


@dataclass(eq=False)
class Record:
    name: str
    simulation: Simulation


@dataclass(eq=False)
class StandIn:
    id: str = "123456789012"
    region: str = "us-east-1"
    start: datetime = START
    env: Clock = field(default_factory=Clock)
    pipelines: dict[str, Record] = field(default_factory=dict)
    endpoint: str | None = None
    lock: Any = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.custom_types = CustomTypes(self)
        self.jobs = Jobs(self)
        self.webhooks = Webhooks(self)

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.env.now)

    def client(self, service: str, region: str | None = None) -> Any:
        return boto3.client(service, region_name=region or self.region)

    def role_client(self, run: Any, service: str, region: str | None = None) -> Any:
        return permissions.role_client(self, run, service, region)

    def advance(self, seconds: float) -> None:
        to = self.env.now + seconds
        while self.env.peek() <= to:
            with time_machine.travel(self.start + timedelta(seconds=self.env.peek()), tick=False):
                self.env.step()
        if to > self.env.now:
            self.env.run(until=to)

    def create(
        self,
        document: dict[str, Any],
        behaviours: dict[str, Any] | None = None,
        *,
        seed: int = 1,
        actions: dict[str, ActionAssumption] | None = None,
        approver: Approver | None = None,
    ) -> Simulation:
        """Stand a pipeline up; what `behaviours` does not name acts on the account as it should."""
        assumptions = Assumptions(
            start=self.start,
            arrivals=At(()),
            actions=actions or {},
            approvals={"*": approver or Approver()},
        )
        given = {key: partial(act, self) for key, act in (behaviours or {}).items()}
        sim = Simulation(
            parse_document(document),
            assumptions,
            uuids=True,
            seed=seed,
            env=self.env,
            behaviours=ChainMap(given, Behaviours(self)),
            account=self.id,
            region=self.region,
        )
        self.pipelines[document["name"]] = Record(document["name"], sim)
        return sim


@contextmanager
def standing_in() -> Iterator[StandIn]:
    with mock_aws(), time_machine.travel(START, tick=False):
        permissions.install()
        gaps.install()
        try:
            account = StandIn()
            prepare(account)
            yield account
        finally:
            gaps.uninstall()
            permissions.uninstall()


def prepare(account: Any) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam = account.client("iam")
    iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=json.dumps(trust))
    allow_everything(account)
    s3 = account.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def allow_everything(account: StandIn, *, but: str = "") -> None:
    """Let the pipeline's role do everything, except one thing."""
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    if but:
        statements.append({"Effect": "Deny", "Action": but, "Resource": "*"})
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    account.client("iam").put_role_policy(RoleName="pipeline", PolicyName="all", PolicyDocument=policy)


def document(
    *actions: dict[str, Any], name: str = "shop", mode: str = "QUEUED", source: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A pipeline of a source and one stage with these actions."""
    fetch = source or {
        "name": "Fetch",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "b", "S3ObjectKey": "k.zip", "PollForSourceChanges": "false"},
        "outputArtifacts": [{"name": "Code"}],
    }
    return {
        "name": name,
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": BUCKET},
        "executionMode": mode,
        "pipelineType": "V2",
        "stages": [{"name": "Source", "actions": [fetch]}, {"name": "Work", "actions": list(actions)}],
    }


def action(category: str, provider: str, owner: str = "AWS", name: str = "Do", **members: Any) -> dict[str, Any]:
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": owner, "provider": provider, "version": "1"},
        **members,
    }


def put_artifact(account: StandIn, sim: Simulation, execution: str, artifact: str, files: dict[str, str]) -> str:
    """Write a zip where an execution's artifact lies."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    key = sim.executions[execution].artifacts[artifact]
    account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=packed.getvalue())
    return key


def sourcing(files: dict[str, str]) -> Any:
    """A source behaviour that writes these files as its artifact."""

    def act(account: StandIn, run: Any) -> Any:
        yield account.env.timeout(1)
        keys = run.sim.new_keys(run)
        run.execution.artifacts.update(keys)
        for artifact in keys:
            put_artifact(account, run.sim, run.execution.id, artifact, files)
        return Outcome(outputs=keys, revision={"id": "v1"}, variables={"VersionId": "v1"})

    return act


def start(sim: Simulation, **members: Any) -> str:
    execution = sim.send(Start(trigger_type="StartPipelineExecution", **members))
    assert execution is not None
    return execution
