"""A refusal of the mocked account, as a notebook shows it."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import pipesim as ps
from tests.cell import shown

NOT_THERE = "cloud.client('codepipeline').get_pipeline(name='shop')"


def test_a_refusal_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    with ps.Cloud() as cloud:
        refused = shown(capsys, NOT_THERE, cloud=cloud)
        incomplete = shown(capsys, "cloud.client('codepipeline').get_pipeline()", cloud=cloud)

    assert "PipelineNotFoundException: An error occurred" in refused and "botocore/" not in refused
    assert 'Missing required parameter in input: "name"' in incomplete and "botocore/" not in incomplete


def test_the_whole_of_it_can_be_had(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPESIM_TRACEBACK", "full")
    with ps.Cloud() as cloud:
        assert "botocore/client.py" in shown(capsys, NOT_THERE, cloud=cloud)


def test_a_closed_cloud_leaves_botocore_as_it_was() -> None:
    with ps.Cloud():
        assert hasattr(ClientError, "_render_traceback_")

    assert not hasattr(ClientError, "_render_traceback_")
    assert not hasattr(BotoCoreError, "_render_traceback_")
