"""Revisions of CodeDeploy applications: registered, described and listed."""

from __future__ import annotations

from moto.codedeploy.urls import url_paths

from pipesim.cloud.gaps.codedeploy.responses import CodeDeployResponse
from pipesim.cloud.gaps.swap_paths import Swap

_swap = Swap(url_paths, CodeDeployResponse.dispatch)
install = _swap.install
uninstall = _swap.uninstall
