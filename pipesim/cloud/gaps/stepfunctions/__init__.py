"""Step Functions whose state machines really run, in virtual time.

moto has an interpreter of the states language; it takes seconds to import, so it is taken only when the service is
first called.
"""

from __future__ import annotations

from moto.core.config import default_user_config
from moto.stepfunctions.urls import url_paths

from pipesim.cloud.gaps.stepfunctions import models
from pipesim.cloud.gaps.stepfunctions.responses import StepFunctionResponse
from pipesim.cloud.gaps.swap_paths import Swap

_swap = Swap(url_paths, StepFunctionResponse.dispatch)
_switched: list[bool] = []


def install() -> None:
    """Let moto interpret state machines; without effect the second time."""
    _swap.install()
    if not _switched:
        settings = default_user_config["stepfunctions"]
        _switched.append(settings["execute_state_machine"])
        settings["execute_state_machine"] = True


def uninstall() -> None:
    """Leave moto as it was."""
    _swap.uninstall()
    models.uninstall()
    while _switched:
        default_user_config["stepfunctions"]["execute_state_machine"] = _switched.pop()
