"""Builds that keep the phases and the status that their action wrote, which moto invents when a build is read."""

from __future__ import annotations

from moto.codebuild.urls import url_paths

from pipesim.cloud.gaps.codebuild.models import RUNNING
from pipesim.cloud.gaps.codebuild.responses import CodeBuildResponse
from pipesim.cloud.gaps.swap_paths import Swap

_swap = Swap(url_paths, CodeBuildResponse.dispatch)
install = _swap.install


def uninstall() -> None:
    """Put moto's own handler back, and forget the builds that were running."""
    _swap.uninstall()
    RUNNING.clear()
