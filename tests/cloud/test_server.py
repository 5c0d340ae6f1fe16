from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from pipesim.cli import commands
from pipesim.cloud.account import Cloud
from pipesim.cloud.server import Server
from pipesim.errors import SourceError
from tests.cloud.shop import Shop

CLOCK = "/moto-api/pipesim/clock"


def call(url: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def client(url: str, service: str = "codepipeline", region: str = "us-east-1") -> Any:
    return boto3.client(service, endpoint_url=url, region_name=region)  # type: ignore[call-overload]


def test_all_services_answer_on_one_port(cloud: Cloud) -> None:
    url = cloud.account.serve()
    s3 = client(url, "s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="k", Body=b"x" * 1_000_000)

    assert s3.get_object(Bucket="code", Key="k")["Body"].read() == b"x" * 1_000_000
    assert cloud.client("s3").head_object(Bucket="code", Key="k")["LastModified"] == cloud.now
    assert client(url, "sts").get_caller_identity()["Account"] == "123456789012"
    assert client(url, "sqs").create_queue(QueueName="q")["QueueUrl"]


def test_a_pipeline_lives_over_http(cloud: Cloud) -> None:
    url = cloud.account.serve()
    shop = Shop(cloud, client(url))
    shop.create()
    call(url + CLOCK, {"run_until_idle": True})
    shop.answer()
    call(url + CLOCK, {"advance": 3600})

    assert shop.executions()[0]["status"] == "Succeeded"
    assert client(url, region="eu-west-1").list_pipelines()["pipelines"] == []


def test_the_clock_is_read_and_moved(cloud: Cloud) -> None:
    url = cloud.account.serve()
    status, before = call(url + CLOCK)
    _, after = call(url + CLOCK, {"advance": 90.5})

    assert status == 200
    assert before == {"now": "2026-03-02T09:00:00.000+00:00", "time": 0.0, "clock": "manual", "speed": 1.0}
    assert after["time"] == 90.5 == cloud.time
    assert after["now"] == "2026-03-02T09:01:30.500+00:00"


@pytest.mark.parametrize(
    "body",
    [
        {"advance": -1},
        {"advance": "soon"},
        {},
        [],
        b"no JSON",
        {"advance": 1e400},
        {"advance": 1e300},
        {"advance": None},
    ],
)
def test_moving_the_clock_wrongly(cloud: Cloud, body: Any) -> None:
    status, answer = call(cloud.account.serve() + CLOCK, body)

    assert status == 400
    assert answer["error"]
    assert cloud.time == 0


def test_other_methods_are_refused(cloud: Cloud) -> None:
    assert call(cloud.account.serve() + CLOCK, method="DELETE")[0] == 405


def test_webhooks_are_called_at_their_address(cloud: Cloud) -> None:
    url = cloud.account.serve()
    shop = Shop(cloud)
    shop.create()
    answer = shop.client.put_webhook(
        webhook={
            "name": "hook",
            "targetPipeline": "shop",
            "targetAction": "Fetch",
            "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/main"}],
            "authentication": "UNAUTHENTICATED",
            "authenticationConfiguration": {},
        }
    )
    address = answer["webhook"]["url"]
    assert address.startswith(url)

    assert call(address, {"ref": "refs/heads/main"})[0] == 200
    assert shop.executions()[0]["trigger"]["triggerType"] == "Webhook"
    assert call(address, {"ref": "refs/heads/other"})[0] == 200
    assert len(shop.executions()) == 2
    assert call(url + "/moto-api/pipesim/webhooks/nothing", {})[0] == 404
    assert call(address, method="GET")[0] == 405


def test_it_ends_with_the_cloud(cloud: Cloud) -> None:
    url = cloud.account.serve()
    assert cloud.account.serve() == url
    cloud.close()

    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url + CLOCK, timeout=1)
    assert cloud.account.endpoint == ""


def test_only_the_loopback_address_is_used(cloud: Cloud) -> None:
    with Server(cloud.account) as server:
        assert server.url.startswith("http://127.0.0.1:")


def test_a_port_that_is_taken(cloud: Cloud, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SourceError, match="cannot be used: Address already in use; choose another"):
            Server(cloud.account, taken.getsockname()[1])
    assert capfd.readouterr() == ("", "")


def test_a_slow_client_keeps_nobody_waiting(cloud: Cloud) -> None:
    url = cloud.account.serve()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
        began = time.monotonic()
        call(url + CLOCK)
        assert time.monotonic() - began < 5


# --- the command ---------------------------------------------------------------------------------


def serve(*options: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipesim.cli import main; main()", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    return process, line.split()[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_comes_up_and_ends_cleanly(number: signal.Signals) -> None:
    process, url = serve("--clock", "time", "--speed", "60")
    try:
        _, clock = call(url + CLOCK)
        assert (clock["clock"], clock["speed"]) == ("time", 60.0)
        time.sleep(0.1)
        assert call(url + CLOCK)[1]["time"] >= clock["time"] + 6
        assert client(url).list_pipelines()["pipelines"] == []
        process.send_signal(number)
        assert process.wait(60) == 0
        assert process.stdout is not None and "Traceback" not in process.stdout.read()
    finally:
        process.kill()
        process.wait()


def test_serve_does_not_slow_the_other_commands_down() -> None:
    script = "import sys, pipesim.cli; sys.exit(any(name in sys.modules for name in ('moto', 'boto3', 'flask')))"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_serve_explains_itself() -> None:
    answer = CliRunner().invoke(commands, ["serve", "--help"])

    assert answer.exit_code == 0
    assert "--speed" in answer.output and "moto-api/pipesim/clock" in answer.output
    assert CliRunner().invoke(commands, ["serve", "--clock", "backwards"]).exit_code == 2
