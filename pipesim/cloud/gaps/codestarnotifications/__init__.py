"""Notification rules of the developer tools, a service that moto does not have."""

from __future__ import annotations

from pipesim.cloud.gaps.codestarnotifications.models import notifications_backends
from pipesim.cloud.gaps.new_service import NewService

_service = NewService(
    "codestarnotifications", r"https?://codestar-notifications\.(.+)\.amazonaws\.com", notifications_backends
)
install = _service.install
uninstall = _service.uninstall
