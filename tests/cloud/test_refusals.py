"""A refusal of the mocked account, as a notebook shows it."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from IPython.core.interactiveshell import InteractiveShell

import pipesim as ps

NOT_THERE = "cloud.client('codepipeline').get_pipeline(name='shop')"


@pytest.fixture
def shell() -> InteractiveShell:
    return InteractiveShell()


def shown(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str) -> str:
    shell.run_cell(cell)
    return capsys.readouterr().out


def test_a_refusal_is_short(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    with ps.Cloud() as cloud:
        shell.user_ns["cloud"] = cloud
        refused = shown(shell, capsys, NOT_THERE)
        incomplete = shown(shell, capsys, "cloud.client('codepipeline').get_pipeline()")

    assert "PipelineNotFoundException: An error occurred" in refused and "botocore/" not in refused
    assert 'Missing required parameter in input: "name"' in incomplete and "botocore/" not in incomplete


def test_the_whole_of_it_can_be_had(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPESIM_TRACEBACK", "full")
    with ps.Cloud() as cloud:
        shell.user_ns["cloud"] = cloud

        assert "botocore/client.py" in shown(shell, capsys, NOT_THERE)


def test_a_closed_cloud_leaves_botocore_as_it_was() -> None:
    with ps.Cloud():
        assert hasattr(ClientError, "_render_traceback_")

    assert not hasattr(ClientError, "_render_traceback_")
    assert not hasattr(BotoCoreError, "_render_traceback_")
