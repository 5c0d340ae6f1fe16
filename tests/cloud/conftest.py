"""Every test here is hermetic, and every answer of CodePipeline is held against botocore's output shape."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pipesim.cloud.account import Cloud
from pipesim.cloud.codepipeline import models
from tests.cloud.answers import refuse_strange
from tests.cloud.shop import Shop


@pytest.fixture(autouse=True)
def nobody_else_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test called {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.fixture(autouse=True)
def answers_have_the_services_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out = models.CodePipelineBackend.carry_out

    def checked(self: Any, operation: str, parameters: Mapping[str, Any], caller: str) -> Mapping[str, Any]:
        answer = carry_out(self, operation, parameters, caller)
        refuse_strange(operation, answer)
        return answer

    monkeypatch.setattr(models.CodePipelineBackend, "carry_out", checked)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud whose actions only take their time."""
    with Cloud(actions="assumed", seed=1) as cloud:
        yield cloud


@pytest.fixture
def shop(cloud: Cloud) -> Shop:
    return Shop(cloud)
