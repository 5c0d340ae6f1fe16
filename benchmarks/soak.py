"""A thousand pipelines under rough handling: does every execution come to an end?

Everything goes through boto3. Pipelines of three execution modes fetch from S3, have a job worker build, ask
for an approval and deploy to S3; meanwhile jobs and approvals are answered twice, too late or with wrong
tokens, executions are stopped, abandoned and retried, pipelines updated and deleted in mid-flight, and the
bucket loses artifacts. At the end every transition is opened, and what still waits for an answer must run
into its time limit.

    python benchmarks/soak.py [--pipelines 1000] [--executions 10] [--seed 1]

The last line is JSON: ``{"executions": …, "unfinished": …, "seconds": …, "peak_mib": …}``.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from pipesim.assumptions.distributions import Constant
from pipesim.assumptions.model import ActionAssumption, Assumptions
from pipesim.cloud.account import Cloud, PipelineRecord

ROLE = "soak"
BUCKET, SOURCE, SITE = "soak-artifacts", "soak-source", "soak-site"
MODES = ("SUPERSEDED", "QUEUED", "PARALLEL")
WORKER = {"category": "Build", "owner": "Custom", "provider": "Soaker", "version": "1"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
ROUND = 90.0
LONGEST = 8.0
"""Days after which the longest wait for an answer is over; in a queue one comes after the other."""


class Soak:
    """The handling of one account's pipelines.

    Args:
        cloud: open.
        pipelines: how many.
        executions: of each.
        seed: of what is done to them.
    """

    def __init__(self, cloud: Cloud, pipelines: int, executions: int, seed: int) -> None:
        self.cloud = cloud
        self.client = cloud.client("codepipeline")
        self.names = [f"soak-{number:04}" for number in range(pipelines)]
        self.executions = executions
        self.luck = random.Random(seed)
        self.records: list[PipelineRecord] = []
        self.stale: list[dict[str, Any]] = []
        self.done: Counter[str] = Counter()
        self.role = ""

    def run(self) -> None:
        """Do it all."""
        self.prepare()
        for name in self.names:
            self.create(name)
        for number in range(1, self.executions):
            for name in self.names:
                self.start(name, number)
            self.handle()
            self.cloud.advance(seconds=ROUND)
            print(f"round {number}: {sum(self.done.values())} calls, {self.unfinished()} unfinished", flush=True)
        for _ in range(4):
            self.handle()
            self.cloud.advance(seconds=ROUND)
        for name in self.cloud.account.pipelines:
            self.call("enable_stage_transition", pipelineName=name, stageName="Deploy", transitionType="Inbound")
        for _ in range(self.executions):
            if self.unfinished():
                self.cloud.advance(days=LONGEST)

    def prepare(self) -> None:
        """Make what the pipelines share."""
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        service = {"Service": "codepipeline.amazonaws.com"}
        trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
        iam, s3 = self.cloud.client("iam"), self.cloud.client("s3")
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=json.dumps(allow))
        for bucket in (BUCKET, SOURCE, SITE):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.html", "<p>soak</p>")
        s3.put_object(Bucket=SOURCE, Key="app.zip", Body=packed.getvalue())
        artifacts = {"minimumCount": 0, "maximumCount": 5}
        self.client.create_custom_action_type(
            category=WORKER["category"],
            provider=WORKER["provider"],
            version=WORKER["version"],
            inputArtifactDetails=artifacts,
            outputArtifactDetails=artifacts,
        )

    def create(self, name: str) -> None:
        """Create a pipeline, which starts its first execution."""
        self.call("create_pipeline", pipeline=self.declare(name))
        self.records.append(self.cloud.account.pipelines[name])

    def declare(self, name: str) -> dict[str, Any]:
        """The declaration of one pipeline; its number decides how it runs."""
        number = int(name.rpartition("-")[2])
        source = _action(
            "Source",
            "S3",
            configuration={"S3Bucket": SOURCE, "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"},
            outputArtifacts=[{"name": "Code"}],
        )
        build = _action("Build", "Soaker", "Custom", inputArtifacts=[{"name": "Code"}])
        approve = _action("Approval", "Manual")
        deploy = _action(
            "Deploy",
            "S3",
            configuration={"BucketName": SITE, "Extract": "true", "ObjectKey": name},
            inputArtifacts=[{"name": "Code"}],
        )
        return {
            "name": name,
            "roleArn": self.role,
            "artifactStore": {"type": "S3", "location": BUCKET},
            "pipelineType": "V2",
            "executionMode": MODES[number % len(MODES)],
            "stages": [
                {"name": "Source", "actions": [source]},
                {"name": "Build", "actions": [build]},
                {"name": "Approve", "actions": [approve]},
                {"name": "Deploy", "actions": [deploy]},
            ],
        }

    def start(self, name: str, number: int) -> None:
        """Start an execution, now and then twice with the same token."""
        token = f"{name}-{number}"
        for _ in range(1 + self.chance(0.1)):
            self.call("start_pipeline_execution", name=name, clientRequestToken=token)

    def handle(self) -> None:
        """Go round once: let the workers work, then treat each pipeline in one way or another."""
        self.cloud.advance(seconds=5)
        self.work()
        self.cloud.advance(seconds=5)
        ways: list[Callable[[str], None]] = [self.answer] * 12
        ways += [self.stop, self.retry, self.roll_back, self.block, self.update, self.delete, self.lose]
        for name in self.names:
            self.luck.choice(ways)(name)

    def work(self) -> None:
        """A job worker's round, with every mistake that a job worker can make."""
        while jobs := self.call("poll_for_jobs", actionTypeId=WORKER, maxBatchSize=200).get("jobs"):
            for job in jobs:
                if self.chance(0.05):
                    self.call("acknowledge_job", jobId=job["id"], nonce="1")
                if self.chance(0.05):
                    continue
                self.call("acknowledge_job", jobId=job["id"], nonce=job["nonce"])
                self.report(job)
        for job in self.stale[-20:]:
            self.report(job)

    def report(self, job: dict[str, Any]) -> None:
        """Report about a job: success, failure, a continuation, both, twice, or not at all."""
        kind = self.luck.random()
        failure = {"type": "JobFailed", "message": "the worker gave up"}
        if kind < 0.05:
            return
        if kind < 0.15:
            self.call("put_job_failure_result", jobId=job["id"], failureDetails=failure)
        elif kind < 0.25 and "continuationToken" not in job["data"]:
            self.call("put_job_success_result", jobId=job["id"], continuationToken="more")
        else:
            self.call("put_job_success_result", jobId=job["id"], outputVariables={"A": "1"})
        if self.chance(0.1):
            self.stale.append(job)
            self.call("put_job_success_result", jobId=job["id"], outputVariables={"A": "2"})
            self.call("put_job_failure_result", jobId=UNKNOWN, failureDetails=failure)

    def answer(self, name: str) -> None:
        """Answer every open approval of a pipeline, sometimes wrongly."""
        for execution, token in self.open_approvals(name):
            given = UNKNOWN if self.chance(0.05) else token
            status = "Rejected" if self.chance(0.15) else "Approved"
            for _ in range(1 + self.chance(0.1)):
                self.call(
                    "put_approval_result",
                    pipelineName=name,
                    stageName="Approve",
                    actionName="Manual",
                    token=given,
                    result={"summary": execution, "status": status},
                )

    def open_approvals(self, name: str) -> list[tuple[str, str]]:
        """Execution and token of every open approval, from the history, which knows of PARALLEL executions too."""
        found = self.call("list_action_executions", pipelineName=name).get("actionExecutionDetails", ())
        return [
            (entry["pipelineExecutionId"], entry["actionExecutionId"])
            for entry in found
            if entry["actionName"] == "Manual" and entry["status"] == "InProgress"
        ]

    def stop(self, name: str) -> None:
        """Stop the newest execution, one way and perhaps the other too."""
        for execution in self.newest(name):
            for abandon in (self.chance(0.5), True)[: 1 + self.chance(0.3)]:
                self.call(
                    "stop_pipeline_execution", pipelineName=name, pipelineExecutionId=execution, abandon=bool(abandon)
                )

    def retry(self, name: str) -> None:
        """Retry the newest execution in any stage."""
        for execution in self.newest(name):
            for stage in ("Source", "Build", "Approve", "Deploy"):
                self.call(
                    "retry_stage_execution",
                    pipelineName=name,
                    stageName=stage,
                    pipelineExecutionId=execution,
                    retryMode=self.luck.choice(("FAILED_ACTIONS", "ALL_ACTIONS")),
                )

    def roll_back(self, name: str) -> None:
        """Roll the deployment back to the newest execution."""
        for execution in self.newest(name):
            self.call("rollback_stage", pipelineName=name, stageName="Deploy", targetPipelineExecutionId=execution)

    def block(self, name: str) -> None:
        """Disable a transition, or enable it again."""
        where = {"pipelineName": name, "stageName": "Deploy", "transitionType": "Inbound"}
        if self.chance(0.5):
            self.call("disable_stage_transition", reason="soaking", **where)
        else:
            self.call("enable_stage_transition", **where)

    def update(self, name: str) -> None:
        """Put the same declaration in force anew, which cancels what runs."""
        self.call("update_pipeline", pipeline=self.declare(name))

    def delete(self, name: str) -> None:
        """Delete the pipeline in mid-flight and make another one of its name, half of the times."""
        if self.chance(0.5):
            self.call("delete_pipeline", name=name)
            self.create(name)

    def lose(self, name: str) -> None:
        """Let the newest artifact of a pipeline vanish."""
        found = self.cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/").get("Contents", ())
        for entry in list(found)[-1:]:
            self.cloud.client("s3").delete_object(Bucket=BUCKET, Key=entry["Key"])
            self.done["delete_object"] += 1

    def newest(self, name: str) -> list[str]:
        """The newest execution of a pipeline, if any."""
        listed = self.call("list_pipeline_executions", pipelineName=name, maxResults=1)
        return [entry["pipelineExecutionId"] for entry in listed.get("pipelineExecutionSummaries", ())]

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call CodePipeline and count the answer; a refusal is an answer like any other."""
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**parameters)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise
            self.done[f"{operation} {code}"] += 1
            return {}
        self.done[operation] += 1
        return answer

    def chance(self, odds: float) -> int:
        """1 with these odds, else 0."""
        return int(self.luck.random() < odds)

    def started(self) -> int:
        """How many executions there were."""
        return sum(record.simulation.started for record in self.records)

    def unfinished(self) -> int:
        """How many executions are not in a final state, those of deleted pipelines included."""
        return sum(
            not execution.finished
            for record in self.records
            for execution in record.simulation.state.executions.values()
        )


def _action(category: str, provider: str, owner: str = "AWS", **members: Any) -> dict[str, Any]:
    type_id = {"category": category, "owner": owner, "provider": provider, "version": "1"}
    return {"name": provider, "actionTypeId": type_id, **members}


def soak(pipelines: int, executions: int, seed: int) -> dict[str, Any]:
    """Handle so many pipelines roughly and say what came of it."""
    begun = time.perf_counter()
    short = ActionAssumption(duration=Constant(2.0))
    assumptions = Assumptions(actions={"Source/S3": short, "Deploy/S3": short})
    with Cloud(assumptions=assumptions) as cloud:
        work = Soak(cloud, pipelines, executions, seed)
        work.run()
        for what, times in sorted(work.done.items()):
            print(f"{times:8} {what}")
        statuses = Counter(
            str(execution.status)
            for record in work.records
            for execution in record.simulation.state.executions.values()
        )
        print(dict(sorted(statuses.items())))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        return {
            "executions": work.started(),
            "unfinished": work.unfinished(),
            "seconds": round(time.perf_counter() - begun, 1),
            "peak_mib": round(peak),
        }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pipelines", type=int, default=1000)
    parser.add_argument("--executions", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(soak(arguments.pipelines, arguments.executions, arguments.seed)))


if __name__ == "__main__":
    main()
