"""What CodePipeline's API costs: a read beside moto's own, and one e-commerce execution with all its effects.

    python benchmarks/api.py

The read is GetPipelineState of a pipeline with a history of 200 executions; moto's own is get_pipeline of the same
declaration, in the same run. The execution is that of the e-commerce sample, stood up in a mocked account: its
actions touch it, its approvals are answered, its job workers work. ``pipesim serve`` is timed from the command to its
first answer. The last line is JSON:
``{"read_vs_moto": …, "execution_seconds": …}``.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from moto import mock_aws

import pipesim
from pipesim.cloud.account import Cloud
from pipesim.vocabulary import ActionOwner, PipelineExecutionStatus

HISTORY = 200
READS = 200
ROUNDS = 7
EXECUTIONS = 5
STARTS = 3
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def main() -> None:
    """Measure and print."""
    moto, ours, others = measure_reads()
    print(f"get_pipeline of moto         {moto * 1e3:7.3f} ms")
    for name, seconds in {"get_pipeline_state": ours, **others}.items():
        print(f"{name:<28} {seconds * 1e3:7.3f} ms  {seconds / moto:5.2f} times")
    print(f"pipesim serve comes up in    {measure_serve():7.3f} s")
    seconds = measure_execution()
    print(f"one e-commerce execution     {seconds:7.3f} s")
    print(json.dumps({"read_vs_moto": round(ours / moto, 3), "execution_seconds": round(seconds, 3)}))


def measure_reads() -> tuple[float, float, dict[str, float]]:
    """Return the processor seconds of a read by moto, of GetPipelineState, and of other reads."""
    document = pipesim.load(pipesim.sample("environments")).to_document()
    name = document["name"]
    with mock_aws():
        document["roleArn"] = make_role(boto3.client("iam", region_name="us-east-1"))
        motos = boto3.client("codepipeline", region_name="us-east-1")
        motos.create_pipeline(pipeline=document)
        moto = best_of(lambda: motos.get_pipeline(name=name))
    with Cloud(actions="assumed") as cloud:
        make_role(cloud.client("iam"))
        client = cloud.client("codepipeline")
        client.create_pipeline(pipeline=document)
        for _ in range(HISTORY):
            client.start_pipeline_execution(name=name)
            cloud.advance(hours=1)
        state = best_of(lambda: client.get_pipeline_state(name=name))
        others = {
            "get_pipeline": best_of(lambda: client.get_pipeline(name=name)),
            "list_pipeline_executions(20)": best_of(
                lambda: client.list_pipeline_executions(pipelineName=name, maxResults=20)
            ),
            "list_action_executions(20)": best_of(
                lambda: client.list_action_executions(pipelineName=name, maxResults=20)
            ),
        }
    return moto, state, others


def best_of(call: Callable[[], Any]) -> float:
    """Return the processor seconds of one call, in the best of several rounds; other programs do not disturb it."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(READS // ROUNDS):
            call()
        rounds.append((time.process_time() - began) / (READS // ROUNDS))
    return min(rounds)


def make_role(iam: Any) -> str:
    """Return the ARN of a role that CodePipeline may assume."""
    return str(iam.create_role(RoleName="benchmark", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"])


def measure_execution() -> float:
    """Return the seconds of wall time of one e-commerce execution, the best of several."""
    with Cloud(seed=1) as cloud:
        record = cloud.provision(pipesim.load(pipesim.sample("e-commerce")))
        client = cloud.client("codepipeline")
        workers = list(make_workers(cloud))
        finish(cloud, client, record.name)
        seconds = []
        for _ in range(EXECUTIONS):
            began = time.perf_counter()
            execution = client.start_pipeline_execution(name=record.name)["pipelineExecutionId"]
            finish(cloud, client, record.name)
            seconds.append(time.perf_counter() - began)
            answer = client.get_pipeline_execution(pipelineName=record.name, pipelineExecutionId=execution)
            status = answer["pipelineExecution"]["status"]
            if status != PipelineExecutionStatus.SUCCEEDED:
                raise SystemExit(f"execution {execution} ended {status}: {failures(client, record.name)}")
        for worker in workers:
            worker.stop()
    return min(seconds)


def measure_serve() -> float:
    """Return the seconds of wall time from the command to the line that says where it serves, the best of several."""
    seconds = []
    for _ in range(STARTS):
        began = time.perf_counter()
        command = [sys.executable, "-m", "pipesim", "serve", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            server.stdout.readline()
            seconds.append(time.perf_counter() - began)
            server.send_signal(signal.SIGINT)
    return min(seconds)


def make_workers(cloud: Cloud) -> Iterator[Any]:
    """Start a job worker for every custom action type of every pipeline."""
    from pipesim.cloud.workers import JobWorker

    types = {
        (action.category, action.provider, action.type.version)
        for record in cloud.pipelines()
        for _, action in record.pipeline.actions()
        if action.type.owner == ActionOwner.CUSTOM
    }
    for category, provider, version in sorted(types):
        worker = JobWorker(cloud.account, category, provider, version)
        worker.start()
        yield worker


def finish(cloud: Cloud, client: Any, name: str) -> None:
    """Let the newest execution come to its end, every approval approved."""
    while True:
        cloud.run_until_idle()
        approvals = [
            (stage["stageName"], action["actionName"], action["latestExecution"]["token"])
            for stage in client.get_pipeline_state(name=name)["stageStates"]
            for action in stage["actionStates"]
            if "token" in action.get("latestExecution", {})
        ]
        if not approvals:
            return
        for stage, action, token in approvals:
            client.put_approval_result(
                pipelineName=name,
                stageName=stage,
                actionName=action,
                token=token,
                result={"status": "Approved", "summary": "benchmark"},
            )


def failures(client: Any, name: str) -> list[str]:
    """Return what went wrong in the newest executions."""
    rows = client.list_action_executions(pipelineName=name)["actionExecutionDetails"]
    return [f"{row['actionName']}: {row['output'].get('executionResult')}" for row in rows if row["status"] == "Failed"]


if __name__ == "__main__":
    main()
