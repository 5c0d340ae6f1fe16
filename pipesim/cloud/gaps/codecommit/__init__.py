"""CodeCommit's commits, branches and files, which moto's repositories lack."""

from __future__ import annotations

from moto.codecommit.urls import url_paths

from pipesim.cloud.gaps.codecommit.responses import CodeCommitResponse
from pipesim.cloud.gaps.swap_paths import Swap

_swap = Swap(url_paths, CodeCommitResponse.dispatch)
install = _swap.install
uninstall = _swap.uninstall
