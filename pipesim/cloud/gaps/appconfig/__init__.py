"""AppConfig's environments, deployment strategies and deployments."""

from __future__ import annotations

from moto.appconfig.urls import url_paths

from pipesim.cloud.gaps.appconfig.responses import AppConfigResponse
from pipesim.cloud.gaps.swap_paths import Swap

ENVIRONMENTS = "{0}/applications/(?P<app_id>[^/]+)/environments"
ADDED = (
    f"{ENVIRONMENTS}$",
    f"{ENVIRONMENTS}/(?P<environment_id>[^/]+)$",
    f"{ENVIRONMENTS}/(?P<environment_id>[^/]+)/deployments$",
    f"{ENVIRONMENTS}/(?P<environment_id>[^/]+)/deployments/(?P<number>[^/]+)$",
    "{0}/deploymentstrategies$",
    "{0}/deploymentstrategies/(?P<strategy_id>[^/]+)$",
)

_swap = Swap(url_paths, AppConfigResponse.dispatch)


def install() -> None:
    """Fill the gap; without effect the second time."""
    _swap.install()
    url_paths.update(dict.fromkeys(ADDED, AppConfigResponse.dispatch))


def uninstall() -> None:
    """Leave moto as it was."""
    _swap.uninstall()
    for path in ADDED:
        url_paths.pop(path, None)
