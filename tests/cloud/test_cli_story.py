"""The AWS CLI against ``pipesim serve``: create, watch, approve, reject, fail, retry, roll back."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("awscli")

PIPESIM = (sys.executable, "-c", "from pipesim.cli import main; main()")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class Terminal:
    """What a person types, and what comes back."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.environ = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "NO_PROXY": "127.0.0.1",
        }
        self.environ.pop("AWS_PROFILE", None)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "awscli", *words, "--output", "json"]
        return subprocess.run(
            command, env=self.environ, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
        )

    def aws(self, *words: str) -> Any:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else done.stdout

    def refused(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def advance(self, seconds: float) -> dict[str, Any]:
        body = json.dumps({"advance": seconds}).encode()
        with urllib.request.urlopen(f"{self.url}/moto-api/pipesim/clock", body, timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*PIPESIM, "serve", "--port", "0", "--clock", "manual"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found is not None, line + (server.stderr.read() if server.stderr is not None else "")
        yield server, found[0]
    finally:
        server.kill()
        server.wait()
        for stream in (server.stdout, server.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture
def terminal(serving: tuple[subprocess.Popen[str], str], tmp_path: Path) -> Terminal:
    terminal = Terminal(serving[1], tmp_path)
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("index.html", "<p>hello</p>")
    for name, document in (("trust.json", TRUST), ("allow.json", ALLOW), ("pipeline.json", declaration())):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    return terminal


def declaration() -> dict[str, Any]:
    def action(category: str, provider: str, **members: Any) -> dict[str, Any]:
        type_id = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": provider, "actionTypeId": type_id, **members}

    source = {"S3Bucket": "shop-source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"}
    site = {"BucketName": "shop-site", "Extract": "true"}
    return {
        "pipeline": {
            "name": "shop",
            "roleArn": "arn:aws:iam::123456789012:role/shop",
            "artifactStore": {"type": "S3", "location": "shop-artifacts"},
            "pipelineType": "V2",
            "stages": [
                {
                    "name": "Source",
                    "actions": [action("Source", "S3", configuration=source, outputArtifacts=[{"name": "Code"}])],
                },
                {"name": "Review", "actions": [action("Approval", "Manual")]},
                {
                    "name": "Deploy",
                    "actions": [action("Deploy", "S3", configuration=site, inputArtifacts=[{"name": "Code"}])],
                },
            ],
        }
    }


def approval(terminal: Terminal) -> dict[str, Any]:
    """Watch the pipeline until somebody is asked."""
    for _ in range(5):
        terminal.advance(30)
        stages = terminal.aws("codepipeline", "get-pipeline-state", "--name", "shop")["stageStates"]
        (action,) = stages[1]["actionStates"]
        if "token" in action.get("latestExecution", {}):
            return {
                "token": action["latestExecution"]["token"],
                "execution": stages[1]["latestExecution"]["pipelineExecutionId"],
            }
    raise AssertionError(f"nobody is asked: {stages}")


def answer(terminal: Terminal, token: str, status: str, summary: str) -> None:
    terminal.aws(
        "codepipeline", "put-approval-result", "--pipeline-name", "shop", "--stage-name", "Review",
        "--action-name", "Manual", "--token", token, "--result", f"summary={summary},status={status}",
    )  # fmt: skip
    terminal.advance(120)


def status(terminal: Terminal, execution: str) -> str:
    found = terminal.aws(
        "codepipeline", "get-pipeline-execution", "--pipeline-name", "shop", "--pipeline-execution-id", execution
    )
    return str(found["pipelineExecution"]["status"])


def retry(terminal: Terminal, stage: str, execution: str) -> str:
    return str(
        terminal.aws(
            "codepipeline", "retry-stage-execution", "--pipeline-name", "shop", "--stage-name", stage,
            "--pipeline-execution-id", execution, "--retry-mode", "FAILED_ACTIONS",
        )["pipelineExecutionId"]
    )  # fmt: skip


def start(terminal: Terminal) -> str:
    return str(terminal.aws("codepipeline", "start-pipeline-execution", "--name", "shop")["pipelineExecutionId"])


def stand_up(terminal: Terminal) -> None:
    terminal.aws("iam", "create-role", "--role-name", "shop", "--assume-role-policy-document", "file://trust.json")
    terminal.aws(
        "iam", "put-role-policy", "--role-name", "shop", "--policy-name", "s3", "--policy-document", "file://allow.json"
    )
    for bucket in ("shop-source", "shop-artifacts", "shop-site"):
        terminal.aws("s3", "mb", f"s3://{bucket}")
    terminal.aws(
        "s3api", "put-bucket-versioning", "--bucket", "shop-source", "--versioning-configuration", "Status=Enabled"
    )
    terminal.aws("s3", "cp", "app.zip", "s3://shop-source/app.zip")


@pytest.mark.slow
def test_a_whole_story(terminal: Terminal, serving: tuple[subprocess.Popen[str], str]) -> None:
    stand_up(terminal)
    made = terminal.aws("codepipeline", "create-pipeline", "--cli-input-json", "file://pipeline.json")
    assert made["pipeline"]["version"] == 1

    asked = approval(terminal)
    first = asked["execution"]
    answer(terminal, asked["token"], "Approved", "fine")
    assert status(terminal, first) == "Succeeded"
    assert terminal.aws("s3", "cp", "s3://shop-site/index.html", "-") == "<p>hello</p>"

    second = start(terminal)
    asked = approval(terminal)
    assert asked["execution"] == second
    answer(terminal, asked["token"], "Rejected", "not-yet")
    assert status(terminal, second) == "Failed"
    assert retry(terminal, "Review", second) == second
    again = approval(terminal)
    assert again["token"] != asked["token"]
    answer(terminal, again["token"], "Approved", "now")
    assert status(terminal, second) == "Succeeded"

    terminal.aws("s3", "rb", "s3://shop-site", "--force")
    third = start(terminal)
    answer(terminal, approval(terminal)["token"], "Approved", "go")
    assert status(terminal, third) == "Failed"
    history = terminal.aws(
        "codepipeline", "list-action-executions", "--pipeline-name", "shop", "--filter", f"pipelineExecutionId={third}"
    )["actionExecutionDetails"]
    failed = next(entry for entry in history if entry["stageName"] == "Deploy")
    assert failed["output"]["executionResult"]["errorDetails"]["code"] == "ConfigurationError"
    terminal.aws("s3", "mb", "s3://shop-site")
    assert retry(terminal, "Deploy", third) == third
    terminal.advance(120)
    assert status(terminal, third) == "Succeeded"

    rolled = terminal.aws(
        "codepipeline", "rollback-stage", "--pipeline-name", "shop", "--stage-name", "Deploy",
        "--target-pipeline-execution-id", first,
    )["pipelineExecutionId"]  # fmt: skip
    terminal.advance(120)
    listed = terminal.aws("codepipeline", "list-pipeline-executions", "--pipeline-name", "shop")
    newest = listed["pipelineExecutionSummaries"][0]
    assert newest["pipelineExecutionId"] == rolled
    assert (newest["status"], newest["executionType"]) == ("Succeeded", "ROLLBACK")
    assert newest["rollbackMetadata"] == {"rollbackTargetPipelineExecutionId": first}
    assert len(listed["pipelineExecutionSummaries"]) == 4

    terminal.aws("codepipeline", "delete-pipeline", "--name", "shop")
    assert "PipelineNotFoundException" in terminal.refused("codepipeline", "get-pipeline", "--name", "shop")

    server, _ = serving
    server.send_signal(signal.SIGINT)
    assert server.wait(timeout=10) == 0


def test_it_comes_up_and_goes_down_quickly(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*PIPESIM, "serve", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert server.stdout is not None
        assert "http://127.0.0.1:" in server.stdout.readline()
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=10)
    finally:
        server.kill()
        server.wait()

    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (server.returncode, errors) == (0, "")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3
